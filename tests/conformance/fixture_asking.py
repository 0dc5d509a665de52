"""The conformance fixture's tools that ask the client something, each written once for both eras.

A tool says what it wants to know first or, given the answers, what came of it. `ask` puts the questions to the client as its
era has it: as requests of the server up to 2025-11-25, within the result since 2026-07-28.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import fixture_content as content
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

__all__ = ["TOOLS", "Failed", "Missing", "Request", "ask", "can", "modern", "prompt_context"]

STATE = "state-of-this-call"

Json = dict[str, Any]
Request = ServerRequestContext[Any, Any]
Answers = Mapping[str, Any]


class Failed(Exception):
    """A tool failed in a way its caller is told in the result."""


class Missing(NamedTuple):
    """What has to be asked before there is a result, all at once, and the state that comes back with the answers."""

    questions: dict[str, Json]
    state: str | None = None


# What a tool makes of its arguments, the answers it has and the state that came with them.
Tool = Callable[[Request, Json, Answers, str | None], "Missing | str"]
_KINDS: dict[str, tuple[type[Any], type[Any]]] = {
    "elicitation/create": (types.ElicitRequest, types.ElicitResult),
    "sampling/createMessage": (types.CreateMessageRequest, types.CreateMessageResult),
    "roots/list": (types.ListRootsRequest, types.ListRootsResult),
}


def modern(request: Request) -> bool:
    """Whether the request is of the era in which a server sends no requests."""
    return request.protocol_version in MODERN_PROTOCOL_VERSIONS


def can(request: Request, capability: str) -> bool:
    """Whether the client has declared a capability."""
    declared = request.session.client_capabilities
    return declared is not None and getattr(declared, capability, None) is not None


async def ask(request: Request, params: Any, tool: Tool) -> types.InputRequiredResult | str:
    """What a tool says in the end, or in the modern era what the client has to answer before it calls again."""
    arguments = params.arguments or {}
    if modern(request):
        given = {key: _plain(value) for key, value in (params.input_responses or {}).items()}
        found = tool(request, arguments, given, params.request_state)
        return found if isinstance(found, str) else _input_required(found)
    answers: Json = {}
    state: str | None = None
    earlier: Missing | None = None
    while isinstance(found := tool(request, arguments, answers, state), Missing):
        if found == earlier:
            raise MCPError(types.INVALID_REQUEST, "The client gave no answer that could be used")
        replies = await asyncio.gather(*(_put(request, question) for question in found.questions.values()))
        answers, state, earlier = dict(zip(found.questions, replies, strict=True)), found.state, found
    return found


async def _put(request: Request, question: Json) -> Json:
    kind, result = _KINDS[question["method"]]
    related = ServerMessageMetadata(related_request_id=request.request_id)
    return _plain(await request.session.send_request(kind.model_validate(question), result, metadata=related))


def _plain(answer: Any) -> Json:
    plain: Json = answer.model_dump(by_alias=True, mode="json")
    return plain


def _input_required(missing: Missing) -> types.InputRequiredResult:
    result: Json = {"resultType": "input_required", "inputRequests": missing.questions}
    if missing.state is not None:
        result["requestState"] = missing.state
    return types.InputRequiredResult.model_validate(result)


def _answer(answers: Answers, key: str, field: str) -> Any:
    return answers.get(key, {}).get(field)


def _accepted(answers: Answers, key: str, field: str) -> Any:
    """What the person entered, or None where the answer is missing, was declined or is of the wrong shape."""
    entered = _answer(answers, key, "content")
    return entered.get(field) if isinstance(entered, dict) else None


# --- what the scenarios up to 2025-11-25 call -------------------------------------------------------------------------


def _sampling(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
    if not can(request, "sampling"):
        raise Failed("The client does not support sampling")
    if "reply" not in answers:
        return Missing({"reply": content.sample(str(arguments.get("prompt", "")))})
    return f"LLM response: {(_answer(answers, 'reply', 'content') or {}).get('text', '')}"


def _form(message: str, schema: Json, before: str) -> Tool:
    """A tool that shows a form, with its argument ``message`` where none is given, and tells what became of it."""

    def tool(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
        if not can(request, "elicitation"):
            raise Failed("The client does not support elicitation")
        if "form" not in answers:
            return Missing({"form": content.form(message or str(arguments.get("message", "")), schema)})
        entered = json.dumps(_answer(answers, "form", "content") or {})
        return f"{before}: action={_answer(answers, 'form', 'action')}, content={entered}"

    return tool


# --- what the scenarios since 2026-07-28 call -------------------------------------------------------------------------

_YOUR_NAME = content.ask("What is your name?", name={"type": "string"})
_CONFIRM = content.ask("Please confirm", ok={"type": "boolean"})
_GREETING = content.sample("Generate a greeting", 50)
_ROOTS: Json = {"method": "roots/list", "params": {}}


def _name(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
    given = _accepted(answers, "user_name", "name")
    return Missing({"user_name": _YOUR_NAME}) if given is None else f"Hello, {given}!"


def _capital(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
    reply = _answer(answers, "capital_question", "content")
    if reply is None:
        return Missing({"capital_question": content.sample("What is the capital of France?")})
    return f"The model said: {reply}"


def _list_roots(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
    found = _answer(answers, "client_roots", "roots")
    return Missing({"client_roots": _ROOTS}) if found is None else f"Roots: {found}"


def _with_state(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
    if _accepted(answers, "confirm", "ok") is None or state != STATE:
        return Missing({"confirm": _CONFIRM}, STATE)
    return "state-ok"


def _three_at_once(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
    questions = {"user_name": _YOUR_NAME, "greeting": _GREETING, "client_roots": _ROOTS}
    if state == STATE and questions.keys() <= answers.keys():
        return "All three answers arrived"
    return Missing(questions, STATE)


def _two_rounds(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
    if state == "second" and (color := _accepted(answers, "step2", "color")) is not None:
        return f"Both rounds are done; the color is {color}"
    if state == "first" and _accepted(answers, "step1", "name") is not None:
        return Missing(
            {"step2": content.ask("Step 2: What is your favorite color?", color={"type": "string"})}, "second"
        )
    return Missing({"step1": content.ask("Step 1: What is your name?", name={"type": "string"})}, "first")


def _what_the_client_can(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
    wanted = {"elicitation": _YOUR_NAME, "sampling": _GREETING, "roots": _ROOTS}
    possible = {key: question for key, question in wanted.items() if can(request, key)}
    return "All answered" if answers or not possible else Missing(possible)


def prompt_context(request: Request, arguments: Json, answers: Answers, state: str | None) -> Missing | str:
    """The text of the prompt that asks what it is to be about."""
    given = _accepted(answers, "user_context", "context")
    if given is None:
        question = content.ask("What context should the prompt use?", context={"type": "string"})
        return Missing({"user_context": question})
    return f"Prompt with context: {given}"


TOOLS: dict[str, Tool] = {
    "test_sampling": _sampling,
    "test_elicitation": _form("", content.ELICITATION_OF_A_USER, "User response"),
    "test_elicitation_sep1034_defaults": _form(
        "Please review and update the form", content.ELICITATION_DEFAULTS, "Elicitation completed"
    ),
    "test_elicitation_sep1330_enums": _form(
        "Please select options", content.ELICITATION_ENUMS, "Elicitation completed"
    ),
    "test_streaming_elicitation": _name,
    "test_input_required_result_elicitation": _name,
    "test_input_required_result_sampling": _capital,
    "test_input_required_result_list_roots": _list_roots,
    "test_input_required_result_request_state": _with_state,
    "test_input_required_result_tampered_state": _with_state,
    "test_input_required_result_multiple_inputs": _three_at_once,
    "test_input_required_result_multi_round": _two_rounds,
    "test_input_required_result_capabilities": _what_the_client_can,
}
