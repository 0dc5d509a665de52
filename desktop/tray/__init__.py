"""All of Qt: tray icon, menu, window, theme, single instance. Nothing else in the program imports this package."""
