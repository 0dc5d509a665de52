"""The access tokens of all apps in this process, and the clock that renews them in time."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from desktop.errors import SecretStoreError
from desktop.events import EventStream
from desktop.oauth.access import Access
from desktop.oauth.records import Records

__all__ = ["AccessTokens"]

_LONGEST_NAP: Final = 30.0
_SHORTEST_NAP: Final = 0.2
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]")


class AccessTokens:
    """Gives out each app's `Access`.

    Args:
        records: Where tokens are kept.
        locks: The folder of lock files.
        title: The name of an app for people.
        tell: Is given every token before it is used, so that it is never shown.
        clock: Wall-clock seconds.

    Attributes:
        changed: The name of an app whose token is another one, or has gone.
    """

    def __init__(
        self,
        records: Records,
        locks: Path,
        *,
        title: Callable[[str], str],
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.changed: EventStream[str] = EventStream()
        self._records = records
        self._locks = locks
        self._title = title
        self._tell = tell
        self._clock = clock
        self._accesses: dict[str, Access] = {}
        self._woken = asyncio.Event()

    def of(self, app: str) -> Access:
        """An app's access; always the same object."""
        access = self._accesses.get(app)
        if access is None:
            access = self._accesses[app] = Access(
                app,
                self._title(app),
                self._records,
                self._locks / f"oauth-{_ODD.sub('_', app)}.lock",
                tell=self._tell,
                changed=self._changed,
                clock=self._clock,
            )
        return access

    def known(self, app: str) -> Access | None:
        """An app's access if there is one by now; may be asked from any thread."""
        return self._accesses.get(app)

    async def reload(self) -> None:
        """Read every token again that was read before."""
        with contextlib.suppress(SecretStoreError):  # those who need one are told
            for access in tuple(self._accesses.values()):
                await access.reload()

    async def keep_fresh(self) -> None:
        """Renew tokens in time, without end.

        A timer stands still while the machine sleeps, so the wall clock is looked at every half minute.
        """
        while True:
            accesses = tuple(self._accesses.values())
            await asyncio.gather(*(access.renew_if_due() for access in accesses))
            now = self._clock()
            waits = [
                access.token.due_at - now for access in accesses if access.token is not None and access.token.refresh
            ]
            nap = min([_LONGEST_NAP, *(wait for wait in waits if wait > 0)])
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(nap, _SHORTEST_NAP)):
                    await self._woken.wait()

    def _changed(self, app: str) -> None:
        self._woken.set()
        self.changed.publish(app)
