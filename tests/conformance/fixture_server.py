"""An MCP server that offers exactly what the official conformance suite asks for, over HTTP or standard input and output.

The suite runs against it directly and through the gateway; what passes directly must pass through the gateway too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import warnings
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server.caching import CACHEABLE_METHODS, CacheHint
from mcp.server.context import ServerRequestContext
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
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

sys.path.insert(0, str(Path(__file__).resolve().parent))
import fixture_content as content

warnings.simplefilter("ignore", MCPDeprecationWarning)

NAME = "mcp-gateway-conformance-fixture"
MISSING_CAPABILITY = -32021
STATE = "state-of-this-call"

Json = dict[str, Any]
Request = ServerRequestContext[Any, Any]
Answers = Mapping[str, Any]


class Failed(Exception):
    """A tool failed in a way its caller is told in the result."""


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
        self._tools: dict[str, Callable[[Request, Json, Answers], Awaitable[Any]]] = {
            "test_tool_with_logging": self._log_three_times,
            "test_logging_tool": self._log_once,
            "test_tool_with_progress": self._report_progress,
            "test_sampling": self._sample,
            "test_elicitation": self._elicit,
            "test_elicitation_sep1034_defaults": self._elicit_defaults,
            "test_elicitation_sep1330_enums": self._elicit_enums,
            "test_reconnection": self._reconnect,
            "test_trigger_tool_change": self._tools_changed,
            "test_trigger_prompt_change": self._prompts_changed,
            "test_trigger_resource_update": self._resource_updated,
            "test_missing_capability": self._need_sampling,
        }

    # --- lists -------------------------------------------------------------------------------------------------------

    async def list_tools(self, request: Request, params: Any) -> Any:
        return types.ListToolsResult.model_validate({"tools": content.TOOLS})

    async def list_resources(self, request: Request, params: Any) -> Any:
        return types.ListResourcesResult.model_validate({"resources": content.RESOURCES})

    async def list_templates(self, request: Request, params: Any) -> Any:
        return types.ListResourceTemplatesResult.model_validate({"resourceTemplates": content.RESOURCE_TEMPLATES})

    async def list_prompts(self, request: Request, params: Any) -> Any:
        return types.ListPromptsResult.model_validate({"prompts": content.PROMPTS})

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
            given = _accepted(_answers(params), "user_context", "context")
            if given is None:
                question = content.ask("What context should the prompt use?", context={"type": "string"})
                return _input_required(user_context=question)
            parts = [content.text(f"Prompt with context: {given}")]
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
            if name.startswith("test_input_required_result_") or name == "test_streaming_elicitation":
                outcome = _ask_within_result(request, name, _answers(params), params.request_state)
            elif handler := self._tools.get(name):
                outcome = await handler(request, arguments, _answers(params))
            else:
                outcome = _plain(name)
        except Failed as error:
            return types.CallToolResult.model_validate({"content": [content.text(str(error))], "isError": True})
        if isinstance(outcome, types.InputRequiredResult):
            return outcome
        blocks = [content.text(outcome)] if isinstance(outcome, str) else outcome
        return types.CallToolResult.model_validate({"content": blocks})

    async def _log_three_times(self, request: Request, arguments: Json, answers: Answers) -> str:
        for number, line in enumerate(("Tool execution started", "Tool processing data", "Tool execution completed")):
            await asyncio.sleep(0.05 if number else 0)
            await request.session.send_log_message("info", line, related_request_id=request.request_id)
        return "Tool with logging executed successfully"

    async def _log_once(self, request: Request, arguments: Json, answers: Answers) -> str:
        await request.session.send_log_message("info", "One line", related_request_id=request.request_id)
        return "Logged"

    async def _report_progress(self, request: Request, arguments: Json, answers: Answers) -> str:
        for progress in (0, 50, 100):
            await asyncio.sleep(0.05 if progress else 0)
            await request.session.report_progress(progress, 100, f"Completed step {progress} of 100")
        return "Tool with progress executed successfully"

    async def _sample(self, request: Request, arguments: Json, answers: Answers) -> Any:
        if not _can(request, "sampling"):
            raise Failed("The client does not support sampling")
        message = types.SamplingMessage.model_validate(
            {"role": "user", "content": content.text(str(arguments.get("prompt", "")))}
        )
        result = await request.session.create_message([message], max_tokens=100, related_request_id=request.request_id)
        return f"LLM response: {getattr(result.content, 'text', '')}"

    async def _elicit(self, request: Request, arguments: Json, answers: Answers) -> str:
        fields = {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        }
        schema = {"type": "object", "properties": fields, "required": ["username", "email"]}
        result = await _ask_person(request, str(arguments.get("message", "")), schema)
        return f"User response: {_told(result)}"

    async def _elicit_defaults(self, request: Request, arguments: Json, answers: Answers) -> str:
        result = await _ask_person(request, "Please review and update the form", content.ELICITATION_DEFAULTS)
        return f"Elicitation completed: {_told(result)}"

    async def _elicit_enums(self, request: Request, arguments: Json, answers: Answers) -> str:
        result = await _ask_person(request, "Please select options", content.ELICITATION_ENUMS)
        return f"Elicitation completed: {_told(result)}"

    async def _reconnect(self, request: Request, arguments: Json, answers: Answers) -> str:
        if request.close_sse_stream is not None:
            await request.close_sse_stream()
        await asyncio.sleep(0.1)
        return "Reconnection test completed"

    async def _tools_changed(self, request: Request, arguments: Json, answers: Answers) -> str:
        await self.bus.publish(ToolsListChanged())
        if not _modern(request):
            await request.session.send_tool_list_changed()
        return "Said that the tools changed"

    async def _prompts_changed(self, request: Request, arguments: Json, answers: Answers) -> str:
        await self.bus.publish(PromptsListChanged())
        if not _modern(request):
            await request.session.send_prompt_list_changed()
        return "Said that the prompts changed"

    async def _resource_updated(self, request: Request, arguments: Json, answers: Answers) -> str:
        uri = str(arguments.get("uri", ""))
        await self.bus.publish(ResourceUpdated(uri=uri))
        if not _modern(request) and uri in self.watched:
            await request.session.send_resource_updated(uri)
        return f"Said that {uri} changed"

    async def _need_sampling(self, request: Request, arguments: Json, answers: Answers) -> str:
        if not _can(request, "sampling"):
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


def _ask_within_result(request: Request, name: str, answers: Answers, state: str | None) -> Any:
    """The 2026-07-28 way to ask: the result says what is missing, and the client calls again with it."""
    your_name = content.ask("What is your name?", name={"type": "string"})
    confirm = content.ask("Please confirm", ok={"type": "boolean"})
    roots: Json = {"method": "roots/list", "params": {}}
    match name.removeprefix("test_input_required_result_"):
        case "elicitation" | "test_streaming_elicitation":
            given = _accepted(answers, "user_name", "name")
            return _input_required(user_name=your_name) if given is None else f"Hello, {given}!"
        case "sampling":
            reply = _answer(answers, "capital_question", "content")
            if reply is None:
                return _input_required(capital_question=content.sample("What is the capital of France?"))
            return f"The model said: {reply}"
        case "list_roots":
            found = _answer(answers, "client_roots", "roots")
            return _input_required(client_roots=roots) if found is None else f"Roots: {found}"
        case "request_state" | "tampered_state":
            if _accepted(answers, "confirm", "ok") is None or state != STATE:
                return _input_required(STATE, confirm=confirm)
            return "state-ok"
        case "multiple_inputs":
            if state == STATE and all(key in answers for key in ("user_name", "greeting", "client_roots")):
                return "All three answers arrived"
            greeting = content.sample("Generate a greeting", 50)
            return _input_required(STATE, user_name=your_name, greeting=greeting, client_roots=roots)
        case "multi_round":
            if state == "second" and (color := _accepted(answers, "step2", "color")) is not None:
                return f"Both rounds are done; the color is {color}"
            if state == "first" and _accepted(answers, "step1", "name") is not None:
                question = content.ask("Step 2: What is your favorite color?", color={"type": "string"})
                return _input_required("second", step2=question)
            question = content.ask("Step 1: What is your name?", name={"type": "string"})
            return _input_required("first", step1=question)
        case "capabilities":
            wanted = {"elicitation": your_name, "sampling": content.sample("Generate a greeting", 50), "roots": roots}
            possible = {key: value for key, value in wanted.items() if _can(request, key)}
            return "All answered" if answers or not possible else _input_required(**possible)
        case _:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {name}")


def _input_required(state: str | None = None, /, **questions: Json) -> types.InputRequiredResult:
    result: Json = {"resultType": "input_required", "inputRequests": questions}
    if state is not None:
        result["requestState"] = state
    return types.InputRequiredResult.model_validate(result)


def _answers(params: types.InputResponseRequestParams) -> Answers:
    given = params.input_responses or {}
    return {key: value.model_dump(by_alias=True, mode="json") for key, value in given.items()}


def _answer(answers: Answers, key: str, field: str) -> Any:
    return answers.get(key, {}).get(field)


def _accepted(answers: Answers, key: str, field: str) -> Any:
    """What the person entered, or None where the answer is missing, was declined or is of the wrong shape."""
    entered = _answer(answers, key, "content")
    return entered.get(field) if isinstance(entered, dict) else None


def _modern(request: Request) -> bool:
    return request.protocol_version in MODERN_PROTOCOL_VERSIONS


def _can(request: Request, capability: str) -> bool:
    declared = request.session.client_capabilities
    return declared is not None and getattr(declared, capability, None) is not None


async def _ask_person(request: Request, message: str, schema: Json) -> types.ElicitResult:
    if not _can(request, "elicitation"):
        raise Failed("The client does not support elicitation")
    return await request.session.elicit_form(message, schema, request.request_id)


def _told(result: types.ElicitResult) -> str:
    return f"action={result.action}, content={json.dumps(result.content or {})}"


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


async def serve_stdio(server: ConformanceServer) -> None:
    async with stdio_server() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--port", type=int, help="serve streamable HTTP at http://127.0.0.1:PORT/mcp")
    where.add_argument("--stdio", action="store_true", help="serve standard input and output")
    parser.add_argument("--era", choices=["handshake", "modern"], help="over HTTP: refuse clients of the other era")
    options = parser.parse_args()
    server = build_server()
    if options.stdio:
        asyncio.run(serve_stdio(server))
        return
    app: Any = server.streamable_http_app(event_store=RememberedEvents(), retry_interval=50)
    if options.era is not None:
        from tests.helpers.era_server import OfOneEra

        app = OfOneEra(app, options.era)
    # h11 strips the space around header values, which httptools keeps
    uvicorn.run(app, host="127.0.0.1", port=options.port, http="h11", log_level="warning")


if __name__ == "__main__":
    main()
