"""Sources that come with Perijove; each is registered under ``perijove.data_sources``."""
