"""A catalog for people to begin their own with."""

from __future__ import annotations

from typing import Final

__all__ = ["SAMPLE"]

SAMPLE: Final = """\
# A catalog of your own: change it, then  docker-mcp catalog import THIS-FILE
name: my-catalog
displayName: My catalog
registry:

  # A server in a container: an image that speaks MCP on standard input and output.
  my-server:
    title: My server
    description: Says in one sentence what it can do.
    type: server
    image: example/my-server:latest
    # Asked for before it starts, kept in the system's keychain, handed over as a variable.
    secrets:
      - name: my-server.api_key
        env: API_KEY
        example: abc123
    # What the person can set; {{my-server.folder}} below is replaced by it.
    config:
      - name: my-server
        description: Settings of the server
        type: object
        properties:
          folder:
            type: string
            description: A folder the server may use
        required:
          - folder
    volumes:
      - "{{my-server.folder|volume}}"
    command:
      - --folder
      - "{{my-server.folder|volume-target}}"

  # No MCP server at all: each call runs a container, and what it prints is the answer.
  greeting:
    title: Greeting
    description: Greets somebody.
    type: poci
    tools:
      - name: greet
        description: Greet a person by name.
        parameters:
          type: object
          properties:
            name:
              type: string
              description: Whom to greet
          required:
            - name
        container:
          image: alpine:3
          command:
            - echo
            - "Hello {{name}}"
"""
