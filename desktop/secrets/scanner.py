"""Finds secrets in messages: tokens by what they look like, and the person's own by their exact values (spec 3.13).

Messages are searched as the bytes they are, with JSON's escapes taken back piece by piece; no message is decoded for it.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from desktop.secrets.redaction import Redactor
from desktop.secrets.token_rules import RULES, Rule

__all__ = ["INLINE", "Finding", "SecretScanner"]

INLINE: Final = 16 * 1024
STORED: Final = "one of your stored secrets"
_SHORTEST_STORED: Final = 8
_PIECE: Final = 64 * 1024
_OVERLAP: Final = 8 * 1024
_BREATH: Final = 0.0002
_FEWEST_CHARACTERS: Final = 5

# The shortest token of all rules has fourteen characters; text without a word that long holds none.
_LONG: Final = 14
_WORD_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_WORDS: Final = bytes(byte if byte in _WORD_BYTES else 0x20 for byte in range(256))
_RUNS: Final = bytes(0x61 if byte in _WORD_BYTES else 0x20 for byte in range(256))
_LONG_RUN: Final = b"a" * _LONG
_DIGIT: Final = re.compile(rb"\d")
_NAMES_A_SECRET: Final = (b"key", b"token", b"secret", b"auth", b"client")
_CODE_POINT: Final = re.compile(rb"\\u([0-9a-fA-F]{4})")
_PLACEHOLDER: Final = re.compile(rb"(?i)example|xxxx|\*\*\*|0000000000|1234567890abcdef|your[_-]")


class Finding(NamedTuple):
    """A secret that was found: what kind it is, and its bytes, which are never shown."""

    family: str
    secret: bytes


def _by(of: Callable[[Rule], Iterator[bytes]]) -> dict[bytes, list[Rule]]:
    found: dict[bytes, list[Rule]] = defaultdict(list)
    for rule in RULES:
        for sign in of(rule):
            found[sign].append(rule)
    return dict(found)


_BY_START: Final = _by(lambda rule: iter(rule.starts))
_BY_MARK: Final = _by(lambda rule: iter(rule.marks))
_BY_VENDOR: Final = _by(lambda rule: iter(rule.vendors))
_STARTS: Final = frozenset(_BY_START)


class SecretScanner:
    """Searches the bytes of JSON messages; may be used from any thread.

    Args:
        redactor: Knows the values of the person's stored secrets; those of eight characters and more are looked for.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._forms: frozenset[str] = frozenset()
        self._stored: tuple[tuple[bytes, ...], tuple[bytes, ...]] = ((), ())

    def family(self, message: bytes) -> str:
        """The kind of the first secret in a message, empty when there is none.

        A message longer than `INLINE` bytes takes its time and belongs on a thread; other threads are let through meanwhile.
        """
        if len(message) <= INLINE:
            return self._family_in(message)
        return next((finding.family for finding in self._findings(message)), "")

    def _family_in(self, piece: bytes) -> str:
        """As `_in_piece`, but only the first, and at once where there is nothing, as there mostly is."""
        if b"\\" in piece:
            piece = _unescaped(piece)
        for value in self._stored_values()[0]:
            if value in piece:
                return STORED
        if _LONG_RUN not in piece.translate(_RUNS):
            return ""
        return next((finding.family for finding in self._in_piece(piece)), "")

    def redacted(self, message: bytes) -> tuple[bytes, tuple[str, ...]]:
        """The message with every secret replaced, and the kinds of those that were in it.

        It is empty where a secret can't be replaced, since it is not part of one string.
        """
        families: dict[str, None] = {}
        for _ in range(3):  # what stood between two secrets may form one with what is left
            findings = sorted(set(self._findings(message)), key=lambda finding: -len(finding.secret))
            if not findings:
                return message, tuple(families)
            families |= dict.fromkeys(finding.family for finding in findings)
            for finding in findings:
                message = _without(message, finding)
        message = msgspec.json.encode(_emptied(msgspec.json.decode(message), list(self._findings(message))))
        return b"" if self.family(message) else message, tuple(families)

    def _findings(self, message: bytes) -> Iterator[Finding]:
        if len(message) <= INLINE:
            yield from self._in_piece(message)
            return
        for start in range(0, len(message), _PIECE):
            yield from self._in_piece(message[start : start + _PIECE + _OVERLAP])
            time.sleep(_BREATH)

    def _in_piece(self, piece: bytes) -> Iterator[Finding]:
        if b"\\" in piece:
            piece = _unescaped(piece)
        anywhere, in_words = self._stored_values()
        for value in anywhere:
            if value in piece:
                yield Finding(STORED, value)
        if _LONG_RUN not in piece.translate(_RUNS):
            return
        words = [word.lstrip(b"._-") for word in piece.translate(_WORDS).split() if len(word) >= _LONG]
        joined = b" ".join(words)
        for value in in_words:
            if value in joined:
                yield Finding(STORED, value)
        for rule in _candidates(piece, words, joined):
            for match in rule.pattern.finditer(piece):
                secret = match["secret"]
                if _is_plausible(secret):
                    yield Finding(rule.family, secret)

    def _stored_values(self) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Forms of stored secrets: those to be looked for everywhere, and those that are one long word."""
        forms = self._redactor.forms
        if forms is not self._forms:
            values = sorted((form.encode() for form in forms if len(form) >= _SHORTEST_STORED), key=len)
            kept: list[bytes] = []
            for value in values:
                if not any(
                    other in value for other in kept
                ):  # where the shorter form isn't, the longer one isn't either
                    kept.append(value)
            words = {
                value
                for value in kept
                if len(value) >= _LONG and not value.strip(_WORD_BYTES) and value[:1] not in b"._-"
            }
            self._stored = (tuple(value for value in kept if value not in words), tuple(words))
            self._forms = forms
        return self._stored


def _candidates(piece: bytes, words: list[bytes], joined: bytes) -> dict[Rule, None]:
    """The rules a sign of which is in the text, in no order."""
    found: dict[Rule, None] = {}
    for start in _STARTS.intersection([word[:3] for word in words]):
        found.update(dict.fromkeys(_BY_START[start]))
    for mark, rules in _BY_MARK.items():
        if mark in piece:
            found.update(dict.fromkeys(rules))
    if _DIGIT.search(joined) is not None:
        lowered = piece.lower()
        if any(name in lowered for name in _NAMES_A_SECRET):
            for vendor, rules in _BY_VENDOR.items():
                if vendor in lowered:
                    found.update(dict.fromkeys(rules))
    return found


def _is_plausible(secret: bytes) -> bool:
    """Whether it may be a real one: not the example of a manual, not one letter over and over."""
    return len(set(secret[-20:])) >= _FEWEST_CHARACTERS and _PLACEHOLDER.search(secret) is None


def _unescaped(piece: bytes) -> bytes:
    """The text without JSON's escapes; an escaped text inside (JSON in JSON) loses those of its line breaks too."""
    piece = piece.replace(b"\\\\", b"\0").replace(b"\\n", b"\n").replace(b'\\"', b'"').replace(b"\\t", b"\t")
    piece = piece.replace(b"\\r", b"\r").replace(b"\\/", b"/")
    if b"\\u" in piece:
        piece = _CODE_POINT.sub(lambda match: chr(int(match[1], 16)).encode("utf-8", "replace"), piece)
    piece = piece.replace(b"\0", b"\\")
    if b"\\" in piece:
        piece = piece.replace(b"\\n", b"\n").replace(b'\\"', b'"')
    return piece


def _without(message: bytes, finding: Finding) -> bytes:
    """Take a secret out, as it may stand in JSON, or in JSON inside of a string."""
    text = finding.secret.decode("utf-8", "replace")
    plain = json.dumps(text)[1:-1]
    forms = {
        text,
        plain,
        json.dumps(text, ensure_ascii=False)[1:-1],
        plain.replace("/", "\\/"),
        json.dumps(plain)[1:-1],
    }
    for form in sorted(forms, key=len, reverse=True):
        message = message.replace(form.encode(), b"[%b removed]" % finding.family.encode())
    return message


def _emptied(value: object, findings: list[Finding]) -> object:
    """The decoded message without the secrets, where their letters are escaped in a way of its own."""
    if isinstance(value, str):
        data = value.encode("utf-8", "replace")
        for finding in findings:
            data = _without(data, finding)
        return data.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(_emptied(key, findings)): _emptied(item, findings) for key, item in value.items()}
    if isinstance(value, list):
        return [_emptied(item, findings) for item in value]
    return value
