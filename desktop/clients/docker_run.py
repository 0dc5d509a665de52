"""What a ``docker run`` says: image, command, volumes and variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from desktop.errors import GatewayError

__all__ = ["container_of", "with_variables", "without_variables"]

_ALONE: Final = frozenset({"-i", "--interactive", "--rm", "-t", "--tty", "-it", "-ti", "--init", "--quiet", "-q"})
_PASSED_OVER: Final = frozenset({"--name", "--pull", "--platform", "--label", "-l"})
_VARIABLES: Final = frozenset({"-e", "--env"})


def container_of(
    args: tuple[str, ...], client_env: Mapping[str, str]
) -> tuple[dict[str, Any], list[str], dict[str, str]]:
    """What of a catalog entry follows, its volumes, and the variables the container is given.

    Args:
        args: What follows ``docker run``.
        client_env: The environment Docker is started in.

    Raises:
        GatewayError: Entries have no place for a part of it, or there is no image; half a sentence that says why.
    """
    volumes: list[str] = []
    env: dict[str, str] = {}
    runs: dict[str, Any] = {}
    rest = iter(args)
    for argument in rest:
        if not argument.startswith("-"):
            return {"image": argument, "command": list(rest), **runs}, volumes, env
        if argument.partition("=")[0] in _ALONE:
            continue
        option, value = _option(argument, rest)
        match option:
            case "-e" | "--env":
                variable, has_value, text = value.partition("=")
                env[variable] = text if has_value else client_env.get(variable, "")
            case "-v" | "--volume":
                volumes.append(value)
            case "--mount":
                volumes.append(_mount(value))
            case "-u" | "--user":
                runs["user"] = value
            case "--network" | "--net" if value == "none":
                runs["disableNetwork"] = True
            case _ if option in _PASSED_OVER:
                pass
            case _:
                raise GatewayError(f"it runs Docker with {option}, for which entries have no place")
    raise GatewayError("it runs Docker without an image")


def without_variables(args: tuple[str, ...], client_env: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The arguments without the options that set variables, and those variables."""
    kept: list[str] = []
    env: dict[str, str] = {}
    rest = iter(args)
    for argument in rest:
        if not argument.startswith("-"):
            kept += [argument, *rest]
        elif argument.partition("=")[0] in _ALONE or (_is_whole(argument) and not _sets_variable(argument)):
            kept.append(argument)
        elif _sets_variable(argument):
            variable, has_value, text = _option(argument, rest)[1].partition("=")
            env[variable] = text if has_value else client_env.get(variable, "")
        else:
            kept += [argument, *_next(rest)]
    return tuple(kept), env


def with_variables(args: tuple[str, ...], names: Iterable[str]) -> tuple[str, ...]:
    """The arguments with options that hand on variables of the environment Docker is started in."""
    return (*(part for name in names for part in ("-e", name)), *args)


def _is_whole(argument: str) -> bool:
    """Whether the option's value does not follow as the next argument."""
    return "=" in argument


def _sets_variable(argument: str) -> bool:
    return argument.partition("=")[0] in _VARIABLES or _is_joined(argument)


def _is_joined(argument: str) -> bool:
    """Written as ``-eNAME`` or ``-eNAME=value``."""
    return argument.startswith("-e") and len(argument) > 2 and argument[2] != "="


def _option(argument: str, rest: Iterator[str]) -> tuple[str, str]:
    """An option and its value, which may be the next argument."""
    if _is_joined(argument):
        return "-e", argument[2:]
    option, equals, value = argument.partition("=")
    return option, value if equals else next(rest, "")


def _next(rest: Iterator[str]) -> list[str]:
    following = next(rest, None)
    return [] if following is None else [following]


def _mount(text: str) -> str:
    parts = dict(piece.partition("=")[::2] for piece in text.split(","))
    source, target = parts.get("src") or parts.get("source"), parts.get("dst") or parts.get("target")
    if parts.get("type", "bind") not in ("bind", "volume") or not source or not target:
        raise GatewayError("it mounts something that entries have no place for")
    return f"{source}:{target}" + (":ro" if "readonly" in parts or "ro" in parts else "")
