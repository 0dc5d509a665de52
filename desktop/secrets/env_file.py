"""`.env` files: one ``name=value`` a line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from desktop.errors import StateFileError
from desktop.state.atomic_file import read_bytes
from desktop.state.yaml_document import decode

__all__ = ["env_line", "parse_env", "read_env_file"]

_EXPORT: Final = "export "


def read_env_file(path: Path) -> dict[str, str]:
    """The file's names and values.

    Raises:
        StateFileError: There is no such file, it can't be read, or a line isn't ``name=value``; never shows a value.
    """
    if not path.is_file():
        raise StateFileError(str(path), "there is no such file")
    return parse_env(decode(read_bytes(path), path), where=str(path))


def parse_env(text: str, *, where: str) -> dict[str, str]:
    """Names and values; later lines win. One pair of matching quotes and a leading ``export`` are taken away.

    Args:
        text: The file's text.
        where: The file as shown to the person.
    """
    values: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix(_EXPORT).partition("=")
        name = name.strip()
        if not equals or not name:
            raise StateFileError(where, "a line 'name=value' is expected", line=number)
        values[name] = _unquoted(value.strip())
    return values


def env_line(name: str, value: str) -> str | None:
    """The line that `parse_env` reads back as this value; None for one with line breaks, which no line can hold."""
    if value.splitlines() not in ([value], []):
        return None
    quoted = value != value.strip() or _unquoted(value) != value
    return f'{name}="{value}"' if quoted else f"{name}={value}"


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
