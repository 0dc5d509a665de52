"""What a face (tray window, command line) may see of the running program, and ask of it, by subject."""
