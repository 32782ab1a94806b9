"""The process that talks to one source; see ``perijove.adapters.sources.process``."""
