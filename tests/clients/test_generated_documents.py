"""The promises of the lossless edits, held against documents made at random: many fast ones here, 20,000 of each slowly."""

from __future__ import annotations

import datetime
import json
import math
import random
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from ruamel.yaml import YAML

from desktop.clients.connection import Disconnected
from desktop.clients.document import Format, Item, entry_at, plan_put, plan_remove, put, read, remove
from desktop.clients.entry import EntryPath
from desktop.errors import ClientFileError
from tests.clients.conftest import Connect
from tests.clients.generated import json_text, toml_text, with_fault, yaml_text
from tests.clients.jsonc_reader import NotJsoncError, read_jsonc

ENTRIES: list[Any] = [
    {"type": "http", "url": "http://127.0.0.1:8811/mcp", "headers": {"Authorization": "Bearer t-1"}},
    {"command": "/opt/Gateway ü/docker-mcp", "args": ["gateway", "shim", "--client=x"], "env": {}},
    {"url": "http://127.0.0.1:9/mcp", "enabled": True, "timeout": 30, "command": ["a", "b: c", "#", '"']},
]
_T = TypeVar("_T")
BOM = b"\xef\xbb\xbf"
SHARE = 250
CHUNKS, CHUNK = 20, 1000


class NotReadableError(Exception):
    """The judge can't read the text."""


@dataclass(frozen=True)
class Kind:
    """A format, how its documents are made, and who judges what became of them."""

    format: Format
    make: Callable[[random.Random], str]
    judge: Callable[[str], Any]
    path: EntryPath


def judge_json(text: str) -> Any:
    def refuse(name: str) -> Any:
        raise ValueError(name)

    def pairs(found: list[tuple[str, Any]]) -> Any:
        return ("map", found)

    if not text.strip(" \t\r\n"):
        return None
    try:
        return json.loads(
            text,
            object_pairs_hook=pairs,
            parse_int=lambda number: ("number", number),
            parse_float=lambda number: ("number", number),
            parse_constant=refuse,
        )
    except ValueError as error:
        raise NotReadableError from error


def judge_jsonc(text: str) -> Any:
    try:
        return read_jsonc(text)
    except NotJsoncError as error:
        raise NotReadableError from error


def judge_toml(text: str) -> Any:
    try:
        return _plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise NotReadableError from error


def judge_yaml(text: str) -> Any:
    try:
        return _plain(yaml.load(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise NotReadableError from error


KINDS = {
    "json": Kind(Format.JSON, lambda rng: json_text(rng, lenient=False), judge_json, ("mcpServers", "mcp-gateway")),
    "jsonc": Kind(Format.JSONC, lambda rng: json_text(rng, lenient=True), judge_jsonc, ("mcpServers", "mcp-gateway")),
    "toml": Kind(Format.TOML, toml_text, judge_toml, ("mcp_servers", "mcp-gateway")),
    "yaml": Kind(Format.YAML, yaml_text, judge_yaml, ("extensions", "mcp-gateway")),
}


@pytest.mark.parametrize("name", KINDS)
def test_an_entry_goes_in_and_out_of_any_document_without_a_trace(name: str) -> None:
    _check_many(KINDS[name], range(SHARE))


@pytest.mark.parametrize("name", KINDS)
def test_anything_goes_in_and_out_at_any_place(name: str) -> None:
    kind = KINDS[name]
    restored = 0
    for rng, before, _ in _documents(kind, range(SHARE)):
        top, entry = kind.path
        path: EntryPath = rng.choice(
            [(top, "x"), ("x",), (top, entry, "env", "K"), ("new", "deep", "x"), ("a", Item("x"))]
        )
        value = (
            {"name": "x", "k": [1, {"a": "b"}]}
            if isinstance(path[-1], Item)
            else rng.choice(["t", [], {}, 7, [{"a": 1}]])
        )
        if entry_at(read(before, kind.format), path) is not None:
            continue
        change = _attempt(partial(plan_put, before, kind.format, path, value))
        if isinstance(change, ClientFileError):
            assert "should be a" in str(change), before
            continue
        assert entry_at(read(change.after, kind.format), path) == value, (before, path)
        assert remove(change.after, kind.format, path, origin=change.origin) == before
        restored += 1
    assert restored > SHARE // 2


@pytest.mark.parametrize("name", KINDS)
def test_a_document_with_a_fault_is_refused_with_its_place_or_edited_rightly(name: str) -> None:
    _check_faulty(KINDS[name], range(SHARE))


@pytest.mark.parametrize("name", KINDS)
def test_disconnecting_restores_any_file(name: str, tmp_path: Path, connection_to: Connect) -> None:
    _check_files(KINDS[name], range(20), tmp_path, connection_to)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("name", KINDS)
def test_an_entry_goes_in_and_out_of_twenty_thousand_documents(
    name: str, chunk: int, tmp_path: Path, connection_to: Connect
) -> None:
    seeds = range(10**6 + chunk * CHUNK, 10**6 + (chunk + 1) * CHUNK)
    _check_many(KINDS[name], seeds)
    _check_faulty(KINDS[name], seeds[::4])
    _check_files(KINDS[name], seeds[::20], tmp_path, connection_to)


def _documents(kind: Kind, seeds: range) -> Iterator[tuple[random.Random, bytes, Any]]:
    """Documents with their data, each of which the judge can read."""
    made = 0
    for seed in seeds:
        rng = random.Random(f"{kind.format.value} {seed}")
        text = kind.make(rng)
        try:
            data = kind.judge(text)
        except NotReadableError:
            pytest.fail(f"the document {seed} is not valid: {text!r}")
        yield rng, (BOM if rng.random() < 0.1 else b"") + text.encode(), data
        made += 1
    assert made == len(seeds)


def _check_many(kind: Kind, seeds: range) -> None:
    refused = 0
    for rng, before, data in _documents(kind, seeds):
        first, second = rng.sample(ENTRIES, 2)
        change = _attempt(partial(plan_put, before, kind.format, kind.path, first))
        if isinstance(change, ClientFileError):
            # Only where the text can't hold the entry without other places changing too, such as through an alias.
            assert "can't be edited without losing something" in str(change), before
            refused += 1
            continue
        _check_put(kind, before, data, change.after, first)
        assert put(change.after, kind.format, kind.path, first) is change.after, before
        changed = put(change.after, kind.format, kind.path, second)
        _check_put(kind, before, data, changed, second)
        if _entry(data, kind.path) is _NONE:
            assert remove(change.after, kind.format, kind.path, origin=change.origin) == before
            assert remove(changed, kind.format, kind.path, origin=change.origin) == before
            _check_neighbour(kind, before, change.after, change.origin)
        _check_removed(kind, data, change.after)
    assert refused <= len(seeds) // 50


def _attempt(edit: Callable[[], _T]) -> _T | ClientFileError:
    try:
        return edit()
    except ClientFileError as error:
        return error


def _check_put(kind: Kind, before: bytes, data: Any, after: bytes, entry: Any) -> None:
    got = kind.judge(after.removeprefix(BOM).decode())
    assert _same(got, _with(data, kind.path, _as(kind, entry))), (before, after)
    assert after.startswith(BOM) == before.startswith(BOM)
    if kind.format is Format.YAML and len(before) % 20 == 0:
        reader = YAML(typ="safe", pure=True)
        found = reader.load(after.removeprefix(BOM).decode())
        assert found[kind.path[0]][kind.path[1]] == entry, (before, after)
    if _entry(data, kind.path) is not _NONE:
        return
    # Nothing that stood there is lost: it is all in the new text, in the same order.
    gone, come = _splice(before, after)
    if _entry(data, kind.path[:1]) in (_NONE, None, ("map", [])):
        gone = re.sub(rb"\{\s*\}|null|~", b"", gone, count=1)  # an emptiness that was filled
    rest = iter(b"".join(come.split()))
    assert all(byte in rest for byte in b"".join(gone.split())), (before, after)


def _check_neighbour(kind: Kind, before: bytes, after: bytes, origin: Any) -> None:
    """Somebody else's entry beside ours stays when ours goes."""
    path = (*kind.path[:1], "zz-neighbour")
    with_both = put(after, kind.format, path, {"k": 1})
    left = remove(with_both, kind.format, kind.path, origin=origin)
    wanted = put(before, kind.format, path, {"k": 1})
    assert _same(kind.judge(_text(left)), kind.judge(_text(wanted))), (before, with_both, left)


def _check_removed(kind: Kind, data: Any, after: bytes) -> None:
    left = kind.judge(_text(plan_remove(after, kind.format, kind.path).after))
    wanted = _without(data, kind.path)
    assert _same(_pruned(left, kind), _pruned(wanted, kind)), (after, left)


def _check_faulty(kind: Kind, seeds: range) -> None:
    broken = 0
    for seed in seeds:
        rng = random.Random(f"fault {kind.format.value} {seed}")
        text = with_fault(rng, kind.make(rng))
        before = text.encode()
        after = _attempt(partial(put, before, kind.format, kind.path, ENTRIES[0], "the-file"))
        if isinstance(after, ClientFileError):
            assert str(after).startswith("the-file"), before
            lost = "can't be edited without losing something" in str(after)
            assert lost or (after.line is not None and after.column is not None), (before, str(after))
            broken += 1
            continue
        data = kind.judge(text)
        assert _same(kind.judge(after.decode()), _with(data, kind.path, _as(kind, ENTRIES[0]))), (before, after)
    assert broken > len(seeds) // 10


def _check_files(kind: Kind, seeds: range, folder: Path, connection_to: Connect) -> None:
    for number, (rng, before, data) in enumerate(_documents(kind, seeds)):
        file = folder / f"{number}.txt"
        file.write_bytes(before)
        connection = connection_to(file, kind.format, kind.path)
        try:
            connection.connect(rng.choice(ENTRIES))
        except ClientFileError:
            assert file.read_bytes() == before
            continue
        assert connection.disconnect() is Disconnected.RESTORED
        assert file.read_bytes() == before
        assert _same(kind.judge(_text(before)), data)


_NONE = object()


def _text(data: bytes) -> str:
    return data.removeprefix(BOM).decode()


def _splice(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """What is between the first and the last difference, in both."""
    start = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    tail = 0
    while tail < min(len(before), len(after)) - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return before[start : len(before) - tail], after[start : len(after) - tail]


def _as(kind: Kind, value: Any) -> Any:
    """An entry as the judge would give it."""
    if kind.format in {Format.JSON, Format.JSONC}:
        return kind.judge(json.dumps(value))
    return _plain(value)


def _plain(value: Any) -> Any:
    """Maps as pairs, and scalars with their type, so that 1, 1.0 and true differ and a NaN is equal to itself."""
    if isinstance(value, dict):
        return ("map", [(key, _plain(below)) for key, below in value.items()])
    if isinstance(value, list):
        return ("list", [_plain(below) for below in value])
    if isinstance(value, float) and math.isnan(value):
        return "not a number"
    if isinstance(value, (datetime.date, datetime.time)):
        return ("time", repr(value))
    return (type(value).__name__, value)


def _pairs(data: Any) -> list[tuple[Any, Any]]:
    return list(data[1]) if isinstance(data, tuple) and data[0] == "map" else []


def _entry(data: Any, path: EntryPath) -> Any:
    for step in path:
        found = [value for key, value in _pairs(data) if key == step]
        if not found:
            return _NONE
        data = found[-1]
    return None if data in (None, ("NoneType", None)) else data


def _with(data: Any, path: EntryPath, value: Any) -> Any:
    if not path:
        return value
    pairs = _pairs(data)
    at = [index for index, (key, _) in enumerate(pairs) if key == path[0]]
    if at:
        pairs[at[-1]] = (path[0], _with(pairs[at[-1]][1], path[1:], value))
    else:
        pairs.append((path[0], _with(None, path[1:], value)))
    return ("map", pairs)


def _without(data: Any, path: EntryPath) -> Any:
    pairs = _pairs(data)
    if len(path) == 1:
        return ("map", [(key, value) for key, value in pairs if key != path[0]])
    at = [index for index, (key, _) in enumerate(pairs) if key == path[0]]
    if at:
        pairs[at[-1]] = (path[0], _without(pairs[at[-1]][1], path[1:]))
    return ("map", pairs)


def _pruned(data: Any, kind: Kind) -> Any:
    """Without the container where it is empty: whether that stays is a matter of manner."""
    pairs = _pairs(data)
    at = [index for index, (key, _) in enumerate(pairs) if key == kind.path[0]]
    if at and not _pairs(pairs[at[-1]][1]):
        del pairs[at[-1]]
    return ("map", pairs)


def _same(one: Any, other: Any) -> bool:
    """Equality in which the order of different keys doesn't count."""
    if isinstance(one, tuple) and isinstance(other, tuple) and one[:1] == other[:1] == ("map",):
        ones, others = (sorted(side[1], key=lambda pair: repr(pair[0])) for side in (one, other))
        return len(ones) == len(others) and all(
            a[0] == b[0] and _same(a[1], b[1]) for a, b in zip(ones, others, strict=True)
        )
    if isinstance(one, tuple) and isinstance(other, tuple) and one[:1] == other[:1] == ("list",):
        return len(one[1]) == len(other[1]) and all(map(_same, one[1], other[1]))
    return bool(type(one) is type(other) and one == other)
