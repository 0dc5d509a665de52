"""MCP Gateway Desktop: many MCP servers, one endpoint, from the tray or the command line."""

__version__ = "0.1.0"
