"""Files: where they are, how they are read, edited, locked, written and watched."""
