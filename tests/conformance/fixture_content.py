"""The tools, resources and prompts the official conformance suite looks for by name, as plain wire data."""

from __future__ import annotations

import base64
import io
import struct
import wave
import zlib
from typing import Any

__all__ = [
    "AUDIO",
    "ELICITATION_DEFAULTS",
    "ELICITATION_ENUMS",
    "ELICITATION_OF_A_USER",
    "IMAGE",
    "PROMPTS",
    "RESOURCES",
    "RESOURCE_TEMPLATES",
    "TOOLS",
    "ask",
    "embedded",
    "form",
    "sample",
    "text",
]

Json = dict[str, Any]


def text(value: str) -> Json:
    return {"type": "text", "text": value}


def embedded(uri: str, mime_type: str, value: str) -> Json:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": value}}


def ask(message: str, **properties: Json) -> Json:
    """An elicitation that asks for ``properties``, all of them required."""
    return form(message, {"type": "object", "properties": properties, "required": list(properties)})


def form(message: str, schema: Json) -> Json:
    """An elicitation that shows a form of this schema."""
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}}


def sample(prompt: str, max_tokens: int = 100) -> Json:
    """A request to the client's model."""
    messages = [{"role": "user", "content": text(prompt)}]
    return {"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": max_tokens}}


def _png_of_one_red_pixel() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _wav_of_silence() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * 8)
    return buffer.getvalue()


IMAGE = base64.b64encode(_png_of_one_red_pixel()).decode("ascii")
AUDIO = base64.b64encode(_wav_of_silence()).decode("ascii")


def _tool(name: str, description: str, **properties: Json) -> Json:
    schema: Json = {"type": "object", "properties": properties}
    if properties:
        schema["required"] = list(properties)
    return {"name": name, "description": description, "inputSchema": schema}


_STRING = {"type": "string"}

_SCHEMA_2020_12: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}

TOOLS: list[Json] = [
    _tool("test_simple_text", "Answers with one line of text"),
    _tool("test_image_content", "Answers with an image"),
    _tool("test_audio_content", "Answers with a sound"),
    _tool("test_embedded_resource", "Answers with a resource inside the result"),
    _tool("test_multiple_content_types", "Answers with text, an image and a resource"),
    _tool("test_tool_with_logging", "Writes three log messages while it runs"),
    _tool("test_logging_tool", "Writes one log message"),
    _tool("test_tool_with_progress", "Reports progress three times while it runs"),
    _tool("test_error_handling", "Always fails"),
    _tool("test_sampling", "Asks the client's model", prompt={"type": "string", "description": "What to ask"}),
    _tool("test_elicitation", "Asks the person", message={"type": "string", "description": "What to show"}),
    _tool("test_elicitation_sep1034_defaults", "Asks the person, offering a default for each field"),
    _tool("test_elicitation_sep1330_enums", "Asks the person to choose, in every way a choice can be written"),
    _tool("test_reconnection", "Closes its own stream before it answers"),
    {
        "name": "json_schema_2020_12_tool",
        "description": "Tool with JSON Schema 2020-12 features",
        "inputSchema": _SCHEMA_2020_12,
    },
    _tool(
        "test_custom_headers",
        "Takes an argument that is mirrored into a request header",
        region={"type": "string", "description": "Where to run", "x-mcp-header": "Region"},
    ),
    _tool("test_trigger_tool_change", "Says that the list of tools changed"),
    _tool("test_trigger_prompt_change", "Says that the list of prompts changed"),
    _tool("test_trigger_resource_update", "Says that a resource changed", uri=_STRING),
    _tool("test_missing_capability", "Refuses to run for a client without sampling"),
    _tool("test_streaming_elicitation", "Asks the person within the result"),
    _tool("test_input_required_result_elicitation", "Asks for a name within the result"),
    _tool("test_input_required_result_sampling", "Asks the client's model within the result"),
    _tool("test_input_required_result_list_roots", "Asks for the client's roots within the result"),
    _tool("test_input_required_result_request_state", "Asks within the result and checks the state it gets back"),
    _tool("test_input_required_result_multiple_inputs", "Asks three things at once within the result"),
    _tool("test_input_required_result_multi_round", "Asks twice, one after the other, within the result"),
    _tool("test_input_required_result_tampered_state", "Refuses a state that was changed"),
    _tool("test_input_required_result_capabilities", "Asks only what the client says it can answer"),
]

RESOURCES: list[Json] = [
    {"uri": "test://static-text", "name": "static-text", "description": "A text", "mimeType": "text/plain"},
    {"uri": "test://static-binary", "name": "static-binary", "description": "An image", "mimeType": "image/png"},
    {
        "uri": "test://watched-resource",
        "name": "watched-resource",
        "description": "A text that can be watched",
        "mimeType": "text/plain",
    },
]

RESOURCE_TEMPLATES: list[Json] = [
    {
        "uriTemplate": "test://template/{id}/data",
        "name": "template",
        "description": "Data for an id",
        "mimeType": "application/json",
    }
]

PROMPTS: list[Json] = [
    {"name": "test_simple_prompt", "description": "A prompt without arguments"},
    {
        "name": "test_prompt_with_arguments",
        "description": "A prompt with two arguments",
        "arguments": [
            {"name": "arg1", "description": "First test argument", "required": True},
            {"name": "arg2", "description": "Second test argument", "required": True},
        ],
    },
    {
        "name": "test_prompt_with_embedded_resource",
        "description": "A prompt with a resource inside",
        "arguments": [{"name": "resourceUri", "description": "URI of the resource to embed", "required": True}],
    },
    {"name": "test_prompt_with_image", "description": "A prompt with an image inside"},
    {"name": "test_input_required_result_prompt", "description": "A prompt that asks within the result"},
]

ELICITATION_OF_A_USER: Json = {
    "type": "object",
    "properties": {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    },
    "required": ["username", "email"],
}

ELICITATION_DEFAULTS: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "User name", "default": "John Doe"},
        "age": {"type": "integer", "description": "User age", "default": 30},
        "score": {"type": "number", "description": "User score", "default": 95.5},
        "status": {
            "type": "string",
            "description": "User status",
            "enum": ["active", "inactive", "pending"],
            "default": "active",
        },
        "verified": {"type": "boolean", "description": "Verification status", "default": True},
    },
    "required": [],
}


def _titled(*names: str, noun: str) -> list[Json]:
    return [{"const": f"value{number}", "title": f"{name} {noun}"} for number, name in enumerate(names, start=1)]


ELICITATION_ENUMS: Json = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
        "titledSingle": {"type": "string", "oneOf": _titled("First", "Second", "Third", noun="Option")},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
        "titledMulti": {"type": "array", "items": {"anyOf": _titled("First", "Second", "Third", noun="Choice")}},
    },
    "required": [],
}
