"""What the running program tells a face: changes, each with what has to be read again."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.activity.record import CallRecord

__all__ = [
    "CallsEnded",
    "ClientsChanged",
    "HostEvent",
    "ProblemsChanged",
    "QuestionsChanged",
    "SecretsChanged",
    "ServersChanged",
    "SignInsChanged",
    "StatusChanged",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServersChanged:
    """The status of the named servers is new (a set of catalog names; empty means: read them all again)."""

    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """Engine, endpoint or pause state is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemsChanged:
    """The list of configuration problems is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionsChanged:
    """A question to the person has come or gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsChanged:
    """How AI clients stand is new: connected, come, gone, or their entry taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInsChanged:
    """The status of the named sign-ins is new."""

    apps: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsChanged:
    """A secret was set or taken away, or they can be read now and could not before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsEnded:
    """Tool calls have ended and were kept: oldest first, in batches."""

    calls: tuple[CallRecord, ...]


HostEvent = (
    CallsEnded
    | ServersChanged
    | StatusChanged
    | ProblemsChanged
    | QuestionsChanged
    | ClientsChanged
    | SignInsChanged
    | SecretsChanged
)
