"""Envelopes are read and written again around payloads that stay byte for byte what they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from desktop import jsonrpc
from desktop.jsonrpc import Envelope, MalformedMessageError

PAYLOADS = [
    b"{}",
    b'{"n":1e400,"m":1.0,"big":123456789012345678901234567890,"neg":-0,"exp":1E+2}',
    b'{"a":"\\u00e9\\ud83d\\ude00\\/ \\\\ud800","raw":"\xc3\xa9\xf0\x9f\x98\x80"}',
    b'{ "spaced" : [ 1 ,\t2 ] }',
    b'{"x-vendor":{"deep":[null,true,{"k":[]}]},"_meta":{"x":1}}',
    b'{"twice":1,"twice":2}',
    b"[1,2]",
    b"null",
    b'""',
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_params_results_and_error_data_keep_every_byte(payload: bytes) -> None:
    asked = jsonrpc.parse(b'{"jsonrpc":"2.0","id":1,"method":"x","params":%b}' % payload)
    assert jsonrpc.to_wire(asked) == b'{"jsonrpc":"2.0","id":1,"method":"x","params":%b}' % payload
    answered = jsonrpc.parse(b'{"jsonrpc":"2.0","id":1,"result":%b}' % payload)
    assert jsonrpc.to_wire(answered) == b'{"jsonrpc":"2.0","id":1,"result":%b}' % payload
    failed = jsonrpc.parse(b'{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m","data":%b}}' % payload)
    assert bytes(failed.error) == b'{"code":-1,"message":"m","data":%b}' % payload
    assert bytes(failed.error) in jsonrpc.to_wire(failed)


@pytest.mark.parametrize(
    "id", ["0", "-1", "1", '"1"', '""', '"\\u00e9"', "1.0", "1.5", "9007199254740993", "18446744073709551616", "1" * 40]
)
def test_an_id_of_any_type_comes_back_as_it_was(id: str) -> None:
    message = jsonrpc.parse(b'{"jsonrpc":"2.0","id":%b,"method":"ping"}' % id.encode())
    assert jsonrpc.is_request(message)
    assert message.id is not None
    answer = json.loads(jsonrpc.response(message.id, b"{}"))["id"]
    assert (answer, type(answer)) == (json.loads(id), type(json.loads(id)))


def test_numbers_and_texts_that_look_alike_stay_different_ids() -> None:
    ids = [jsonrpc.parse(b'{"id":%b,"method":"x"}' % id).id for id in (b"1", b'"1"')]
    assert ids == [1, "1"]


@pytest.mark.parametrize(
    ("text", "request_", "response"),
    [
        (b'{"id":1,"method":"x"}', True, False),
        (b'{"method":"x"}', False, False),
        (b'{"id":null,"method":"x"}', False, False),
        (b'{"id":1,"result":{}}', False, True),
        (b'{"id":null,"error":{"code":1,"message":""}}', False, True),
    ],
)
def test_requests_notifications_and_responses_are_told_apart(text: bytes, request_: bool, response: bool) -> None:
    message = jsonrpc.parse(text)
    assert (jsonrpc.is_request(message), jsonrpc.is_response(message)) == (request_, response)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"x",
        b"[]",
        b"null",
        b'"text"',
        b'{"id":true,"method":"x"}',
        b'{"id":[1],"method":"x"}',
        b'{"id":{},"method":"x"}',
        b'{"id":1e400,"method":"x"}',
        b'{"id":1,"method":5}',
        b'{"id":1,"method":"x"',
        b'{"id":1,"method":"x"} {}',
        b'{"id":1,"method":"x","params":%b}' % (b"[" * 100_000 + b"]" * 100_000),
    ],
    ids=lambda text: text[:30].decode("latin-1"),
)
def test_what_is_no_message_is_refused_with_one_kind_of_error(text: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        jsonrpc.parse(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"cut: \\ud83d"', b'"cut: \\ufffd"'),
        (b'"\\uDE00 \\ud83dx \\ud83d\\ud83d\\ude00 \\\\ud83d"', b'"\\ufffd \\ufffdx \\ufffd\\ud83d\\ude00 \\\\ud83d"'),
        (b'"caf\xe9"', b'"caf\xef\xbf\xbd"'),
    ],
)
def test_characters_that_are_none_are_replaced_so_that_no_answer_is_lost(before: bytes, after: bytes) -> None:
    message = jsonrpc.parse(b'{"jsonrpc":"2.0","id":1,"result":{"n":1e400,"text":%b}}' % before)
    assert bytes(message.result) == b'{"n":1e400,"text":%b}' % after


@pytest.mark.parametrize(
    "text",
    [b"[1]", b"null", b"{", b'{"a":"\xff"}', b'{"a":%b}' % (b"[" * 100_000)],
    ids=lambda text: text[:10].decode("latin-1"),
)
def test_members_of_something_else_are_refused_with_the_same_error(text: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        jsonrpc.decode(jsonrpc.fields(Raw(text))["a"])


def test_members_are_given_as_their_bytes_and_an_absent_object_has_none() -> None:
    assert jsonrpc.fields(Raw()) == {}
    members = jsonrpc.fields(Raw(b'{"a":1.0,"b":{"c": 1}}'))
    assert {name: bytes(value) for name, value in members.items()} == {"a": b"1.0", "b": b'{"c": 1}'}


def test_an_error_that_is_null_beside_a_result_is_no_error() -> None:
    message = jsonrpc.parse(b'{"jsonrpc":"2.0","id":1,"result":{"ok":true},"error":null}')
    assert jsonrpc.to_wire(message) == b'{"jsonrpc":"2.0","id":1,"result":{"ok":true}}'


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Envelope(method="n"), {"jsonrpc": "2.0", "method": "n"}),
        (Envelope(id="a", method="m"), {"jsonrpc": "2.0", "id": "a", "method": "m"}),
        (Envelope(id=3), {"jsonrpc": "2.0", "id": 3, "result": {}}),
        (Envelope(id=0, result=Raw(b"[]")), {"jsonrpc": "2.0", "id": 0, "result": []}),
        (Envelope(id=None, error=Raw(b"{}")), {"jsonrpc": "2.0", "id": None, "error": {}}),
    ],
)
def test_messages_are_written_as_the_specification_wants(message: Envelope, wire: Any) -> None:
    assert json.loads(jsonrpc.to_wire(message)) == wire


def test_errors_carry_data_only_when_there_is_some() -> None:
    assert json.loads(jsonrpc.response_error(1, -32000, 'a "b"')) == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {"code": -32000, "message": 'a "b"'},
    }
    assert json.loads(jsonrpc.response_error(None, 1, "m", {"uri": "x"}))["error"]["data"] == {"uri": "x"}
