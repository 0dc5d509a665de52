"""The gateway: client sessions on one side, MCP servers on the other, and the routing between them."""
