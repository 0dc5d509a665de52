"""Tools and prompts the gateway answers itself: a registry with listings made once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw

from desktop import jsonrpc
from desktop.errors import GatewayError
from desktop.gateway.session import Call

__all__ = ["RESERVED", "OwnPrompt", "OwnTool", "OwnTools", "failure", "text_result"]

# Names the reference keeps for itself (spec 3.4); a server that uses one gets its own name in front.
RESERVED: Final = frozenset(
    {
        "code-mode",
        "find-tools",
        "mcp-activate-profile",
        "mcp-add",
        "mcp-config-set",
        "mcp-create-profile",
        "mcp-discover",
        "mcp-exec",
        "mcp-find",
        "mcp-registry-import",
        "mcp-remove",
    }
)
_NOTHING: Final = Raw(b"{}")


class OwnTool(NamedTuple):
    """A tool: its definition, what its arguments are read as, and what answers them.

    ``answer`` gives the result as JSON, or None when it has handed the call on to somebody who answers it.
    """

    definition: Mapping[str, Any]
    arguments: type[msgspec.Struct]
    answer: Callable[[Call, Any, Raw], Awaitable[bytes | None]]


class OwnPrompt(NamedTuple):
    """A prompt without arguments: its definition, and the result of ``prompts/get``."""

    definition: Mapping[str, Any]
    result: Mapping[str, Any]


class _Params(msgspec.Struct):
    arguments: Raw = _NOTHING
    meta: Raw = msgspec.field(default=_NOTHING, name="_meta")


_params = msgspec.json.Decoder(_Params)


class OwnTools:
    """The registry.

    Args:
        tools: The tools.
        prompts: The prompts.

    Attributes:
        listed_tools, listed_prompts: Their definitions as JSON.
    """

    def __init__(self, tools: Iterable[OwnTool] = (), prompts: Iterable[OwnPrompt] = ()) -> None:
        self._tools = {str(tool.definition["name"]): tool for tool in tools}
        self._prompts: dict[str, bytes] = {}
        self.listed_tools = [Raw(jsonrpc.encode(tool.definition)) for tool in self._tools.values()]
        self.listed_prompts: list[Raw] = []
        for prompt in prompts:
            self._prompts[str(prompt.definition["name"])] = jsonrpc.encode(prompt.result)
            self.listed_prompts.append(Raw(jsonrpc.encode(prompt.definition)))

    @property
    def reserved(self) -> frozenset[str]:
        """Names servers can't have for theirs; none while there are no own tools."""
        return RESERVED | self._tools.keys() | self._prompts.keys() if self._tools else frozenset()

    def has_tool(self, name: str) -> bool:
        """Whether a tool of this name is ours."""
        return name in self._tools

    def prompt(self, name: str) -> bytes | None:
        """The result of ``prompts/get`` for a prompt of ours."""
        return self._prompts.get(name)

    async def answer(self, call: Call, name: str, params: Raw) -> None:
        """Answer a call to one of the tools; arguments that are none, and what goes wrong, are told to the model."""
        tool = self._tools[name]
        try:
            given = _params.decode(params)
            arguments = msgspec.json.decode(given.arguments if given.arguments else _NOTHING, type=tool.arguments)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            call.result(failure(f"The arguments of {name} are not right: {error}"))
            return
        try:
            result = await tool.answer(call, arguments, given.meta)
        except GatewayError as error:
            result = failure(str(error))
        if result is not None:
            call.result(result)


def text_result(text: str) -> bytes:
    """A tool's result of one text."""
    return jsonrpc.encode({"content": [{"type": "text", "text": text}], "isError": False})


def failure(text: str) -> bytes:
    """A tool's result that tells the model what went wrong."""
    return jsonrpc.encode({"content": [{"type": "text", "text": text}], "isError": True})
