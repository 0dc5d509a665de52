"""Which clients have come: by their token, else by their own word."""

from __future__ import annotations

from msgspec import Raw

from desktop import jsonrpc
from desktop.gateway.session import Session
from desktop.gateway.sightings import Sightings
from desktop.secrets.client_tokens import Caller


def session(name: str = "", version: str = "", token_of: str = "", *, is_open: bool = True) -> Session:
    made = Session("streaming")
    if name:
        made.introduce({"clientInfo": Raw(jsonrpc.encode({"name": name, "version": version}))})
    if is_open:
        made.protocol_version = "2025-11-25"
    made.caller = Caller(token_of, b"hash") if token_of else None
    return made


def sightings(*sessions: Session) -> tuple[Sightings, dict[str, Session]]:
    live = {session.id: session for session in sessions}
    return Sightings(live, lambda session: 7), live


def test_a_token_counts_more_than_what_a_client_calls_itself() -> None:
    seen, _ = sightings(session("claude-code", "2", token_of="cursor"), session("codex-mcp-client", "3"))
    assert seen.look()
    assert [(one.client, one.version, one.issued) for one in seen.all()] == [
        ("cursor", "2", True),
        ("codex", "3", False),
    ]


def test_sessions_of_one_client_are_counted_together_and_strangers_by_name() -> None:
    seen, _ = sightings(
        session("cursor", "2"), session("cursor", "2"), session("something new", "1"), session("other", "1")
    )
    seen.look()
    assert [(one.client, one.name, one.sessions, one.tools) for one in seen.all()] == [
        ("cursor", "cursor", 2, 7),
        ("", "something new", 1, 7),
        ("", "other", 1, 7),
    ]


def test_who_has_not_introduced_itself_is_nobody_yet() -> None:
    seen, _ = sightings(session(is_open=False))
    assert not seen.look()
    assert seen.all() == ()


def test_who_has_gone_is_remembered_and_only_news_is_news() -> None:
    seen, live = sightings(session("cursor", "2"))
    assert [seen.look(), seen.look()] == [True, False]
    live.clear()
    assert seen.look()
    assert [one.sessions for one in seen.all()] == [0]
    assert not seen.look()
    assert seen.as_json() == [{"client": "cursor", "name": "cursor", "version": "2", "sessions": 0, "tools": 7}]
