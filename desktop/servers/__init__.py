"""The MCP servers behind the gateway: how each kind is reached, and its life cycle."""
