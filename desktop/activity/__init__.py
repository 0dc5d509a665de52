"""What happened: the calls of clients, kept for their person to look at."""
