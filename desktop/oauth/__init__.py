"""Signing in to servers and services with OAuth: browser, device code, tokens and their renewal (docs/decisions/0013)."""
