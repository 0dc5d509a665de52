"""Secrets: where they are kept, who supplies them, and how they are kept out of everything shown."""
