"""The envelope of modern requests is put on and taken off, and nothing else of the params is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from desktop.jsonrpc import MalformedMessageError
from desktop.servers.envelope import envelope, with_envelope, without_envelope, without_subscription

MEMBERS = envelope(b'{"roots":{}}', b'{"name":"n","version":"1"}', "")
PUT_ON = {key: json.loads(value) for key, value in MEMBERS.items()}


def params(text: str) -> Raw:
    return Raw(text.encode())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", {}),
        ("{}", {}),
        (" { } ", {}),
        ('{"name":"t"}', {"name": "t"}),
        ('{"arguments":{"_meta":{"a":1}},"name":"t"}', {"arguments": {"_meta": {"a": 1}}, "name": "t"}),
    ],
)
def test_params_without_meta_get_one(before: str, after: Any) -> None:
    assert json.loads(bytes(with_envelope(params(before), MEMBERS))) == {**after, "_meta": PUT_ON}


def test_what_is_in_meta_stays_and_the_bytes_of_the_payload_too() -> None:
    found = bytes(with_envelope(params('{"x":1.0e2,"_meta":{"progressToken":5,"a":"b"}}'), MEMBERS))
    assert b'"x":1.0e2' in found
    assert json.loads(found)["_meta"] == {"progressToken": 5, "a": "b", **PUT_ON}


def test_a_client_can_not_speak_in_the_name_of_another_version() -> None:
    found = with_envelope(params('{"_meta":{"io.modelcontextprotocol/protocolVersion":"1999-01-01"}}'), MEMBERS)
    assert json.loads(bytes(found))["_meta"] == PUT_ON


def test_the_log_level_is_named_where_one_is_set_and_the_gateway_where_the_client_has_no_name() -> None:
    members = envelope(b"{}", b"", "debug")
    assert members["io.modelcontextprotocol/logLevel"] == b'"debug"'
    assert json.loads(members["io.modelcontextprotocol/clientInfo"])["name"] == "mcp-gateway-desktop"


@pytest.mark.parametrize(
    "before", ["", "{}", '{"name":"t","_meta":{"progressToken":1}}', '{"a":"io.modelcontextprotocol/x"}']
)
def test_params_without_an_envelope_stay_the_same_bytes(before: str) -> None:
    found = params(before)
    assert without_envelope(found) is found


def test_the_envelope_is_taken_off_and_other_members_stay() -> None:
    on = with_envelope(params('{"x":1.0e2,"_meta":{"progressToken":5,"io.modelcontextprotocol/other":1}}'), MEMBERS)
    off = bytes(without_envelope(on))
    assert json.loads(off) == {"x": 100.0, "_meta": {"progressToken": 5, "io.modelcontextprotocol/other": 1}}
    assert b"1.0e2" in off


def test_a_meta_that_held_nothing_else_goes_too() -> None:
    assert json.loads(bytes(without_envelope(with_envelope(params('{"x":1}'), MEMBERS)))) == {"x": 1}


def test_a_meta_that_is_no_object_is_malformed() -> None:
    with pytest.raises(MalformedMessageError):
        with_envelope(params('{"_meta":[]}'), MEMBERS)
    assert json.loads(bytes(with_envelope(params('{"_meta":null}'), MEMBERS))) == {"_meta": PUT_ON}


def test_the_mark_of_a_stream_is_taken_off() -> None:
    marked = params('{"uri":"x://1","_meta":{"io.modelcontextprotocol/subscriptionId":7,"a":1}}')
    assert json.loads(bytes(without_subscription(marked))) == {"uri": "x://1", "_meta": {"a": 1}}


def test_a_meta_that_held_only_the_mark_goes_too() -> None:
    marked = params('{"uri":"x://1","_meta":{"io.modelcontextprotocol/subscriptionId":7}}')
    assert json.loads(bytes(without_subscription(marked))) == {"uri": "x://1"}
