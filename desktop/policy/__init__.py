"""What may be done without asking: consents given, and host folders that may be mounted."""
