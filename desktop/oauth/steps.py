"""The steps of a sign-in, in words, so that a failure says at which one it was."""

from __future__ import annotations

import enum

from desktop.errors import GatewayError, GrantRefusedError, ProviderUnavailableError, SignInCancelledError, SignInError

__all__ = ["Step", "at_step"]


class Step(enum.Enum):
    """A step; the value completes "Signing in to X failed while …"."""

    PREPARING = "preparing"
    ASKING = "asking the server how to sign in"
    RESOURCE = "reading where the server wants its users to sign in"
    PROVIDER = "reading how the provider's sign-in works"
    REGISTERING = "registering this program at the provider"
    LISTENING = "opening the address the browser comes back to"
    PERSON = "waiting for you in the browser"
    ANSWER = "checking what the browser brought back"
    DEVICE = "getting a code for another device"
    TOKEN = "fetching the token"
    SAVING = "storing the token"


def at_step(title: str, step: Step, error: GatewayError) -> SignInError:
    """The error with the step in its sentence; it stays of its kind."""
    if isinstance(error, SignInCancelledError):
        return error
    kinds = (GrantRefusedError, ProviderUnavailableError)
    kind = next((kind for kind in kinds if isinstance(error, kind)), SignInError)
    hint = error.hint if kind is not GrantRefusedError else "Try again"
    return kind(f"Signing in to {title} failed while {step.value}: {error.message}", hint)
