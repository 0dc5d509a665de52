"""What headers repeat of a modern request, and in which form it survives the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp.shared.inbound import decode_header_value
from msgspec import Raw

from desktop.jsonrpc import Envelope
from desktop.servers.request_headers import (
    AnnotationError,
    MirroredArguments,
    header_value,
    mirrored_arguments,
    request_headers,
)

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def headers(method: str, params: dict[str, Any], names: Any = None) -> dict[str, str]:
    message = Envelope(id=1, method=method, params=Raw(json.dumps({"_meta": META, **params}).encode()))
    return request_headers(message, lambda tool: names or {})


@pytest.mark.parametrize(
    ("method", "params", "name"),
    [
        ("tools/call", {"name": "t"}, "t"),
        ("prompts/get", {"name": "p"}, "p"),
        ("resources/read", {"uri": "file:///a b"}, "file:///a b"),
        ("tools/list", {"name": "not a name"}, None),
        ("tools/call", {"name": 5}, None),
    ],
)
def test_version_method_and_name_are_repeated(method: str, params: dict[str, Any], name: str | None) -> None:
    expected = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method}
    assert headers(method, params) == (expected if name is None else {**expected, "Mcp-Name": name})


def test_the_version_is_the_one_of_the_request() -> None:
    message = Envelope(
        id=1, method="x", params=Raw(b'{"_meta":{"io.modelcontextprotocol/protocolVersion":"2031-01-01"}}')
    )
    assert request_headers(message, lambda tool: {})["MCP-Protocol-Version"] == "2031-01-01"


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "",
        "two words",
        " before",
        "after ",
        "tab\there",
        "line\nbreak",
        "Österreich",
        "日本",
        "=?base64?eA==?=",
        "=?base64??=",
    ],
)
def test_any_text_survives_as_the_sdk_reads_it(text: str) -> None:
    sent = header_value(text)
    assert sent.isascii()
    assert sent.isprintable()
    assert sent == sent.strip()
    assert decode_header_value(sent) == text


@pytest.mark.parametrize("text", ["plain", "two words", "~!@#$%^&*()"])
def test_text_that_survives_as_it_is_is_not_wrapped(text: str) -> None:
    assert header_value(text) == text


def test_annotated_arguments_are_repeated_with_their_values() -> None:
    inner = schema(zone={"type": "string", "x-mcp-header": "Zone"})
    names = mirrored_arguments(
        schema(
            region={"type": "string", "x-mcp-header": "Region"},
            count={"type": "integer", "x-mcp-header": "Count"},
            dry={"type": "boolean", "x-mcp-header": "Dry-Run"},
            place=inner,
            other={"type": "string"},
        )
    )
    arguments = {"region": "eu", "count": 12, "dry": True, "place": {"zone": "ä"}, "other": "x"}
    sent = headers("tools/call", {"name": "t", "arguments": arguments}, names)
    mirrored = {name: value for name, value in sent.items() if name.startswith("Mcp-Param-")}
    assert mirrored == {
        "Mcp-Param-Region": "eu",
        "Mcp-Param-Count": "12",
        "Mcp-Param-Dry-Run": "true",
        "Mcp-Param-Zone": header_value("ä"),
    }


@pytest.mark.parametrize("arguments", [{}, {"region": None}, {"region": ["a"]}, {"region": {"a": 1}}, None, "text"])
def test_what_is_absent_or_no_simple_value_is_not_repeated(arguments: Any) -> None:
    names = {("region",): "Region", ("region", "inner"): "Inner"}
    sent = headers("tools/call", {"name": "t", "arguments": arguments}, names)
    assert not any(name.startswith("Mcp-Param-") for name in sent)


ANNOTATED = {"type": "string", "x-mcp-header": "Region"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "object", "x-mcp-header": "Root"},
        schema(a={"type": "number", "x-mcp-header": "A"}),
        schema(a={"type": ["string"], "x-mcp-header": "A"}),
        schema(a={"x-mcp-header": "A"}),
        schema(a={"type": "string", "x-mcp-header": ""}),
        schema(a={"type": "string", "x-mcp-header": "two words"}),
        schema(a={"type": "string", "x-mcp-header": "A:"}),
        schema(a={"type": "string", "x-mcp-header": 5}),
        schema(a=ANNOTATED, b={"type": "integer", "x-mcp-header": "REGION"}),
        schema(a={"type": "array", "items": ANNOTATED}),
        schema(a={"type": "array", "items": schema(b=ANNOTATED)}),
        schema(a={"anyOf": [ANNOTATED, {"type": "null"}]}),
        {"type": "object", "$defs": {"region": ANNOTATED}},
        {"type": "object", "patternProperties": {"^x": ANNOTATED}},
        {"type": "object", "additionalProperties": ANNOTATED},
        {"if": schema(a=ANNOTATED)},
    ],
)
def test_forbidden_annotations_are_found_wherever_they_are(wrong: Any) -> None:
    from mcp.shared.inbound import find_invalid_x_mcp_header

    assert find_invalid_x_mcp_header(wrong) is not None
    with pytest.raises(AnnotationError):
        mirrored_arguments(wrong)


@pytest.mark.parametrize(
    "data",
    [None, "text", [], {}, schema(a={"default": ANNOTATED}), schema(a={"enum": [ANNOTATED], "const": ANNOTATED})],
)
def test_data_within_a_schema_is_no_annotation(data: Any) -> None:
    assert mirrored_arguments(data) == {}


def test_a_deep_schema_is_walked_to_its_end() -> None:
    deep: dict[str, Any] = ANNOTATED
    for _ in range(100):
        deep = schema(a=deep)
    assert mirrored_arguments(deep) == {("a",) * 100: "Region"}


def test_a_new_list_of_tools_is_looked_at_anew() -> None:
    def listed(header: str) -> list[Raw]:
        tool = {"name": "t", "inputSchema": schema(a={"type": "string", "x-mcp-header": header})}
        return [
            Raw(json.dumps(tool).encode()),
            Raw(b'{"name":"broken","inputSchema":{"x-mcp-header":1}}'),
            Raw(b'{"name":"u"}'),
        ]

    tools = listed("A")
    mirrored = MirroredArguments(lambda: tools)
    assert (mirrored.of("t"), mirrored.of("broken"), mirrored.of("u")) == ({("a",): "A"}, {}, {})
    tools = listed("B")
    assert mirrored.of("t") == {("a",): "B"}
