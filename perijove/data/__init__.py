"""Step 2: datasets by reference, versions by content, splits made once."""
