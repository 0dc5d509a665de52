"""Catalogs: their model, reading, merging, searching and fetching, and the configuration they serve."""
