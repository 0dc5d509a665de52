"""An MCP server that offers exactly what the official conformance suite asks for, over HTTP or standard input and output.

The suite runs against it directly and through the gateway; what passes directly must pass through the gateway too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import sys
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server.caching import CACHEABLE_METHODS, CacheHint
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ResourceUpdated,
    ToolsListChanged,
)
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

sys.path.insert(0, str(Path(__file__).resolve().parent))
import fixture_content as content
from fixture_asking import TOOLS as ASKING_TOOLS
from fixture_asking import Failed, Request, ask, can, modern, prompt_context

warnings.simplefilter("ignore", MCPDeprecationWarning)

NAME = "mcp-gateway-conformance-fixture"
MISSING_CAPABILITY = -32021

Json = dict[str, Any]


class RememberedEvents(EventStore):
    """Keeps every event in memory, so that a client can come back for what it missed."""

    def __init__(self) -> None:
        self._events: list[tuple[str, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        last = int(last_event_id) if last_event_id.isdecimal() else 0
        if not 1 <= last <= len(self._events):
            return None
        stream_id = self._events[last - 1][0]
        for number, (stream, message) in enumerate(self._events[last:], start=last + 1):
            if stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream_id


class ConformanceServer(Server[Any]):
    """A low-level server that also announces list changes in the handshake."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        changes = NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)
        return super().create_initialization_options(changes, experimental_capabilities, extensions)


class Fixture:
    """What the server does; every method answers one MCP method."""

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self.watched: set[str] = set()
        self._changes = {"tools": 0, "prompts": 0}
        self._tools: dict[str, Callable[[Request, Json], Awaitable[Any]]] = {
            "test_tool_with_logging": self._log_three_times,
            "test_logging_tool": self._log_once,
            "test_tool_with_progress": self._report_progress,
            "test_reconnection": self._reconnect,
            "test_trigger_tool_change": self._tools_changed,
            "test_trigger_prompt_change": self._prompts_changed,
            "test_trigger_resource_update": self._resource_updated,
            "test_missing_capability": self._need_sampling,
        }

    # --- lists -------------------------------------------------------------------------------------------------------

    async def list_tools(self, request: Request, params: Any) -> Any:
        return types.ListToolsResult.model_validate({"tools": self._changed("tools", content.TOOLS)})

    async def list_resources(self, request: Request, params: Any) -> Any:
        return types.ListResourcesResult.model_validate({"resources": content.RESOURCES})

    async def list_templates(self, request: Request, params: Any) -> Any:
        return types.ListResourceTemplatesResult.model_validate({"resourceTemplates": content.RESOURCE_TEMPLATES})

    async def list_prompts(self, request: Request, params: Any) -> Any:
        return types.ListPromptsResult.model_validate({"prompts": self._changed("prompts", content.PROMPTS)})

    def _changed(self, kind: str, entries: list[Json]) -> list[Json]:
        """The entries with one that says how often they changed; who lists them again finds something new."""
        first = {**entries[0], "description": f"{entries[0]['description']} (change {self._changes[kind]})"}
        return [first, *entries[1:]]

    # --- resources, prompts, the rest --------------------------------------------------------------------------------

    async def read_resource(self, request: Request, params: types.ReadResourceRequestParams) -> Any:
        uri = str(params.uri)
        found: Json
        if uri == "test://static-text":
            found = {"mimeType": "text/plain", "text": "This is the content of the static text resource."}
        elif uri == "test://static-binary":
            found = {"mimeType": "image/png", "blob": content.IMAGE}
        elif uri == "test://watched-resource":
            found = {"mimeType": "text/plain", "text": "This is the content of the watched resource."}
        elif match := re.fullmatch(r"test://template/([^/]+)/data", uri):
            data = {"id": match[1], "templateTest": True, "data": f"Data for ID: {match[1]}"}
            found = {"mimeType": "application/json", "text": json.dumps(data)}
        else:
            raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
        return types.ReadResourceResult.model_validate({"contents": [{"uri": uri, **found}]})

    async def subscribe(self, request: Request, params: types.SubscribeRequestParams) -> types.EmptyResult:
        self.watched.add(str(params.uri))
        return types.EmptyResult()

    async def unsubscribe(self, request: Request, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        self.watched.discard(str(params.uri))
        return types.EmptyResult()

    async def get_prompt(self, request: Request, params: types.GetPromptRequestParams) -> Any:
        arguments = params.arguments or {}
        if params.name == "test_simple_prompt":
            parts = [content.text("This is a simple prompt for testing.")]
        elif params.name == "test_prompt_with_arguments":
            first, second = arguments.get("arg1", ""), arguments.get("arg2", "")
            parts = [content.text(f"Prompt with arguments: arg1='{first}', arg2='{second}'")]
        elif params.name == "test_prompt_with_embedded_resource":
            inside = "Embedded resource content for testing."
            parts = [
                content.embedded(arguments.get("resourceUri", ""), "text/plain", inside),
                content.text("Please process the embedded resource above."),
            ]
        elif params.name == "test_prompt_with_image":
            image = {"type": "image", "data": content.IMAGE, "mimeType": "image/png"}
            parts = [image, content.text("Please analyze the image above.")]
        elif params.name == "test_input_required_result_prompt":
            outcome = await ask(request, params, prompt_context)
            if not isinstance(outcome, str):
                return outcome
            parts = [content.text(outcome)]
        else:
            raise MCPError(types.INVALID_PARAMS, f"Unknown prompt: {params.name}")
        messages = [{"role": "user", "content": part} for part in parts]
        return types.GetPromptResult.model_validate({"messages": messages})

    async def complete(self, request: Request, params: types.CompleteRequestParams) -> Any:
        values = [word for word in ("paris", "park", "party") if word.startswith(params.argument.value)]
        return types.CompleteResult.model_validate(
            {"completion": {"values": values, "total": len(values), "hasMore": False}}
        )

    async def set_level(self, request: Request, params: types.SetLevelRequestParams) -> types.EmptyResult:
        return types.EmptyResult()

    # --- tools -------------------------------------------------------------------------------------------------------

    async def call_tool(self, request: Request, params: types.CallToolRequestParams) -> Any:
        name, arguments = params.name, params.arguments or {}
        try:
            if tool := ASKING_TOOLS.get(name):
                outcome = await ask(request, params, tool)
            elif handler := self._tools.get(name):
                outcome = await handler(request, arguments)
            else:
                outcome = _plain(name)
        except Failed as error:
            return types.CallToolResult.model_validate({"content": [content.text(str(error))], "isError": True})
        if isinstance(outcome, types.InputRequiredResult):
            return outcome
        blocks = [content.text(outcome)] if isinstance(outcome, str) else outcome
        return types.CallToolResult.model_validate({"content": blocks})

    async def _log_three_times(self, request: Request, arguments: Json) -> str:
        for number, line in enumerate(("Tool execution started", "Tool processing data", "Tool execution completed")):
            await asyncio.sleep(0.05 if number else 0)
            await request.session.send_log_message("info", line, related_request_id=request.request_id)
        return "Tool with logging executed successfully"

    async def _log_once(self, request: Request, arguments: Json) -> str:
        await request.session.send_log_message("info", "One line", related_request_id=request.request_id)
        return "Logged"

    async def _report_progress(self, request: Request, arguments: Json) -> str:
        for progress in (0, 50, 100):
            await asyncio.sleep(0.05 if progress else 0)
            await request.session.report_progress(progress, 100, f"Completed step {progress} of 100")
        return "Tool with progress executed successfully"

    async def _reconnect(self, request: Request, arguments: Json) -> str:
        if request.close_sse_stream is not None:
            await request.close_sse_stream()
        await asyncio.sleep(0.1)
        return "Reconnection test completed"

    async def _tools_changed(self, request: Request, arguments: Json) -> str:
        self._changes["tools"] += 1
        await self.bus.publish(ToolsListChanged())
        if not modern(request):
            await request.session.send_tool_list_changed()
        return "Said that the tools changed"

    async def _prompts_changed(self, request: Request, arguments: Json) -> str:
        self._changes["prompts"] += 1
        await self.bus.publish(PromptsListChanged())
        if not modern(request):
            await request.session.send_prompt_list_changed()
        return "Said that the prompts changed"

    async def _resource_updated(self, request: Request, arguments: Json) -> str:
        uri = str(arguments.get("uri", ""))
        await self.bus.publish(ResourceUpdated(uri=uri))
        if not modern(request) and uri in self.watched:
            await request.session.send_resource_updated(uri)
        return f"Said that {uri} changed"

    async def _need_sampling(self, request: Request, arguments: Json) -> str:
        if not can(request, "sampling"):
            needed = {"requiredCapabilities": {"sampling": {}}}
            raise MCPError(MISSING_CAPABILITY, "This tool needs the client's sampling capability", needed)
        return "The client has sampling"


def _plain(name: str) -> Any:
    """Answers of the tools that need nothing but their name."""
    image = {"type": "image", "data": content.IMAGE, "mimeType": "image/png"}
    if name == "test_simple_text":
        return "This is a simple text response for testing."
    if name == "test_image_content":
        return [image]
    if name == "test_audio_content":
        return [{"type": "audio", "data": content.AUDIO, "mimeType": "audio/wav"}]
    if name == "test_embedded_resource":
        inside = "This is an embedded resource content."
        return [content.embedded("test://embedded-resource", "text/plain", inside)]
    if name == "test_multiple_content_types":
        data = json.dumps({"test": "data", "value": 123})
        resource = content.embedded("test://mixed-content-resource", "application/json", data)
        return [content.text("Multiple content types test:"), image, resource]
    if name == "test_error_handling":
        raise Failed("This tool intentionally returns an error for testing")
    if name in {"json_schema_2020_12_tool", "test_custom_headers"}:
        return f"{name} called"
    raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {name}")


def build_server() -> ConformanceServer:
    """The server with every handler in place."""
    fixture = Fixture()
    server = ConformanceServer(
        NAME,
        version="1.0.0",
        instructions="Offers what the MCP conformance suite asks for.",
        cache_hints={method: CacheHint(ttl_ms=1000, scope="public") for method in CACHEABLE_METHODS},
        get_tool_input_schema=lambda name: next((t["inputSchema"] for t in content.TOOLS if t["name"] == name), None),
        on_list_tools=fixture.list_tools,
        on_call_tool=fixture.call_tool,
        on_list_resources=fixture.list_resources,
        on_list_resource_templates=fixture.list_templates,
        on_read_resource=fixture.read_resource,
        on_subscribe_resource=fixture.subscribe,
        on_unsubscribe_resource=fixture.unsubscribe,
        on_subscriptions_listen=ListenHandler(fixture.bus),
        on_list_prompts=fixture.list_prompts,
        on_get_prompt=fixture.get_prompt,
        on_completion=fixture.complete,
        on_set_logging_level=fixture.set_level,
    )
    server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=NAME))
    return server


async def serve_stdio(server: ConformanceServer, era: str | None) -> None:
    """Serve standard input and output."""
    async with contextlib.AsyncExitStack() as stack:
        reading, writing = await stack.enter_async_context(stdio_server())
        if era is not None:
            from tests.helpers.one_era import only

            reading = await stack.enter_async_context(only(era, reading, writing))
        await server.run(reading, writing, server.create_initialization_options())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", type=int, help="serve streamable HTTP at http://127.0.0.1:PORT/mcp")
    where.add_argument("--stdio", action="store_true", help="serve standard input and output")
    parser.add_argument("--era", choices=["handshake", "modern"], help="refuse clients of the other era")
    options = parser.parse_args()
    server = build_server()
    if options.stdio:
        asyncio.run(serve_stdio(server, options.era))
        return
    app: Any = server.streamable_http_app(event_store=RememberedEvents(), retry_interval=50)
    if options.era is not None:
        from tests.helpers.one_era import OfOneEra

        app = OfOneEra(app, options.era)
    # h11 strips the space around header values, which httptools keeps
    uvicorn.run(app, host="127.0.0.1", port=options.port, http="h11", log_level="warning")


if __name__ == "__main__":
    main()
