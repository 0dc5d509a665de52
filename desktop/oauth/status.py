"""Sign-ins as the faces show them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

__all__ = ["SignInState", "SignInStatus"]


class SignInState(enum.Enum):
    """Where a sign-in is; the value is the word shown to people."""

    SIGNED_OUT = "not signed in"
    SIGNING_IN = "signing in"
    SIGNED_IN = "signed in"
    NEEDED = "needs sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInStatus:
    """One app as shown; immutable, replaced at each change.

    Attributes:
        app: Its name.
        title: For people.
        state: See `SignInState`.
        servers: The servers that use it.
        scopes: What was granted; before that, what will be asked for as far as that is known.
        wanted: Scopes a server has asked for beyond those.
        expires_at: Wall-clock seconds at which the access token ends; None when that is not known. It is renewed before.
        link: While signing in: the address to open.
        user_code: While signing in on another device: the code to type there.
        reason: Why the last attempt failed, or why it is needed, one sentence; empty otherwise.
        hint: What to do about it; empty otherwise.
    """

    app: str
    title: str = ""
    state: SignInState = SignInState.SIGNED_OUT
    servers: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    expires_at: float | None = None
    link: str = field(default="", repr=False)
    user_code: str = field(default="", repr=False)
    reason: str = ""
    hint: str = ""
