"""Sessions that see the servers of one profile in place of the enabled ones (docs/decisions/0017)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from desktop.catalog.profile import Profile
from desktop.errors import ProfileError
from desktop.gateway.additions import Additions
from desktop.gateway.session import Session
from desktop.servers.fleet import Fleet
from desktop.servers.holds import Hold
from desktop.servers.managed_server import ManagedServer

__all__ = ["ProfileViews"]


class ProfileViews:
    """Keeps the sessions of profiles as the profiles say.

    Args:
        fleet: The servers; its configuration has the profiles.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def profile(self, id: str) -> Profile:
        """The profile of this id; raises `ProfileError` where there is none."""
        found = self._fleet.configuration.profiles.get(id)
        if found is None:
            raise ProfileError(f"profile {id} not found", "See docker-mcp profile ls")
        return found

    def begin(self, session: Session, id: str) -> None:
        """Show a profile to a session that has just begun; raises `ProfileError` where there is none of this id."""
        profile = self.profile(id)
        session.profile = id
        session.additions = view = _View()
        self._show(session, view, profile)

    def follow(self, sessions: Iterable[Session]) -> None:
        """Bring every session of a profile up to date; where the profile has gone, it has no servers."""
        for session in sessions:
            if isinstance(session.additions, _View):
                profile = self._fleet.configuration.profiles.get(session.profile)
                self._show(session, session.additions, profile or Profile(id=session.profile, name="", servers={}))

    def _show(self, session: Session, view: _View, profile: Profile) -> None:
        before = view.holds
        enabled: set[str] = set()
        holds: dict[str, Hold] = {}
        for name, item in profile.servers.items():
            running = self._fleet.servers.get(name)
            if running is not None and (running.server, running.values) == (item.server, item.values):
                enabled.add(name)  # the very same is on already, so it need not run twice
            else:
                holds[name] = self._fleet.hold_listed(item.server, item.values, session)
        view.enabled, view.holds, view.tools = enabled, holds, profile.tools_over({})
        for name, hold in before.items():
            if holds.get(name) is not hold:
                self._fleet.holds.leave(hold, session.id)


class _View(Additions):
    """A profile's servers: those that are enabled just so, and those held for it. All others are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.enabled: set[str] = set()
        self.has_own_tools = False

    def server(self, name: str, enabled: Mapping[str, ManagedServer]) -> ManagedServer | None:
        """The running server a name means."""
        hold = self.holds.get(name)
        if hold is not None:
            return hold.managed
        return enabled.get(name) if name in self.enabled else None

    def servers_on(self, enabled: Mapping[str, ManagedServer]) -> set[str]:
        """Names of the enabled servers used as they are."""
        return enabled.keys() & self.enabled

    def servers(self, enabled: Mapping[str, ManagedServer]) -> Iterable[ManagedServer]:
        """Every running server of the profile."""
        found = (self.server(name, enabled) for name in {**dict.fromkeys(self.enabled), **self.holds})
        return [server for server in found if server is not None]
