"""A reader of JSON with comments and trailing commas, one character at a time: the judge of what our splicing makes."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["NotJsoncError", "read_jsonc"]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


class NotJsoncError(Exception):
    """The text is not JSON with comments."""


def read_jsonc(text: str) -> Any:
    """The data; numbers as they are spelled, maps as lists of pairs so that a key may come twice. Blank is None."""
    reader = _Reader(text)
    reader.blanks()
    if reader.at == len(text):
        return None
    value = reader.value()
    reader.blanks()
    if reader.at != len(text):
        raise NotJsoncError
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def blanks(self) -> None:
        while True:
            while self.peek() and self.peek() in " \t\r\n":
                self.at += 1
            if self.text.startswith("//", self.at):
                while self.peek() and self.peek() not in "\r\n":
                    self.at += 1
            elif self.text.startswith("/*", self.at):
                end = self.text.find("*/", self.at + 2)
                if end < 0:
                    raise NotJsoncError
                self.at = end + 2
            else:
                return

    def value(self) -> Any:
        self.blanks()
        first = self.peek()
        if first == "{":
            return ("map", self.members("}", self.pair))
        if first == "[":
            return ("list", self.members("]", self.value))
        if first == '"':
            return self.string()
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        match = _NUMBER.match(self.text, self.at)
        if not match:
            raise NotJsoncError
        self.at = match.end()
        return ("number", match.group())

    def members(self, closer: str, member: Any) -> list[Any]:
        self.at += 1
        found: list[Any] = []
        while True:
            self.blanks()
            if self.peek() == closer:
                self.at += 1
                return found
            found.append(member())
            self.blanks()
            if self.peek() == ",":
                self.at += 1
            elif self.peek() != closer:
                raise NotJsoncError

    def pair(self) -> tuple[str, Any]:
        if self.peek() != '"':
            raise NotJsoncError
        key = self.string()
        self.blanks()
        if self.peek() != ":":
            raise NotJsoncError
        self.at += 1
        return key, self.value()

    def string(self) -> str:
        start = self.at
        self.at += 1
        while self.peek() != '"':
            if not self.peek() or self.peek() < " ":
                raise NotJsoncError
            self.at += 2 if self.peek() == "\\" else 1
        self.at += 1
        try:
            value: str = json.loads(self.text[start : self.at])
        except json.JSONDecodeError as error:
            raise NotJsoncError from error
        return value
