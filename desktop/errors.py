"""Errors a person can act on.

    GatewayError
    ├── UsageError             the command line was used wrongly (exit code 2)
    ├── StateFileError         one of our files can't be read or written (path, line, column)
    │   └── ClientFileError    the file of an AI client; it is left as it is
    ├── CatalogError           a catalog can't be had, or has no such entry
    │   └── ServerNotFoundError
    ├── EngineError            the container engine refused or failed
    │   ├── EngineUnavailableError
    │   ├── EnginePermissionError
    │   └── ImageUnavailableError
    ├── ServerStartError       an MCP server did not come up
    │   ├── MissingSettingError    a secret or a setting is missing
    │   │   └── ConsentRequiredError   the person has to agree first
    │   │       └── PackageConsentError    to running a package without a container
    │   └── SignInRequiredError    the server wants OAuth
    ├── ServerGoneError        an MCP server ended while it was in use
    ├── InterceptorError       an interceptor failed, or said something it may not
    ├── SecretStoreError       the secret store or the system's keychain failed
    │   ├── KeychainUnavailableError   there is none on this machine
    │   ├── KeychainLockedError        it is locked, or waits for its owner
    │   └── PassphraseError            the passphrase is missing or wrong
    ├── SignInError            signing in, or staying signed in, failed at some step
    │   ├── SignInCancelledError       the person called it off
    │   ├── ScopeMissingError          the token is good, but not for what was asked: sign in again for more
    │   ├── GrantRefusedError          the provider no longer accepts what it gave: sign in again
    │   └── ProviderUnavailableError   the provider can't be reached now; it is tried again later
    └── EndpointError          our own endpoint can't be opened (port in use, address not ours)

Every error carries one sentence for a person (``message``) and, where there is one, what to do about it (``hint``).
JSON-RPC codes, HTTP statuses and exit codes are attached at the edges, never here.
"""

from __future__ import annotations

__all__ = [
    "CatalogError",
    "ClientFileError",
    "ConsentRequiredError",
    "EndpointError",
    "EngineError",
    "EnginePermissionError",
    "EngineUnavailableError",
    "GatewayError",
    "GrantRefusedError",
    "ImageUnavailableError",
    "InterceptorError",
    "KeychainLockedError",
    "KeychainUnavailableError",
    "MissingSettingError",
    "PackageConsentError",
    "PassphraseError",
    "ProfileError",
    "ProviderUnavailableError",
    "ScopeMissingError",
    "SecretFileError",
    "SecretStoreError",
    "ServerGoneError",
    "ServerNotFoundError",
    "ServerStartError",
    "SignInCancelledError",
    "SignInError",
    "SignInRequiredError",
    "StateFileError",
    "UsageError",
]


class GatewayError(Exception):
    """Base of all errors this program raises on purpose.

    Args:
        message: What happened and where, one sentence without a full stop at the end. Never holds a secret.
        hint: What the person can do about it, one sentence, or empty. A full stop at the end of either is taken off.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message.rstrip(".")
        self.hint = hint.rstrip(".")

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class UsageError(GatewayError):
    """The command line can't be understood."""


class StateFileError(GatewayError):
    """A file of ours or of the reference can't be read or written.

    Args:
        path: The file, as shown to the person.
        reason: Why, in words.
        line: 1-based line of the fault, when known.
        column: 1-based column of the fault, when known.
    """

    def __init__(
        self, path: str, reason: str, *, line: int | None = None, column: int | None = None, hint: str = ""
    ) -> None:
        where = path if line is None else f"{path}, line {line}" + ("" if column is None else f", column {column}")
        super().__init__(f"{where}: {reason}", hint)
        self.path = path
        self.reason = reason
        self.line = line
        self.column = column


class ClientFileError(StateFileError):
    """The file of an AI client can't be read, understood, or changed without losing something; it was left as it is."""


class CatalogError(GatewayError):
    """A catalog can't be fetched, read or understood."""


class ServerNotFoundError(CatalogError):
    """No catalog has a server of this name."""


class ProfileError(GatewayError):
    """There is no such profile, or it can't be made or changed as asked."""


class EngineError(GatewayError):
    """The container engine answered with an error."""


class EngineUnavailableError(EngineError):
    """No container engine answers."""


class EnginePermissionError(EngineError):
    """An engine is there, but this user may not talk to it."""


class ImageUnavailableError(EngineError):
    """An image is neither on this machine nor to be had."""


class ServerStartError(GatewayError):
    """An MCP server could not be started or did not speak MCP."""


class MissingSettingError(ServerStartError):
    """A server can't start before the person sets something (a secret, a value, a consent)."""


class ConsentRequiredError(MissingSettingError):
    """The person has to agree first: to a package without a container, to a folder, to a call."""


class PackageConsentError(ConsentRequiredError):
    """A package may run without a container only after the person agreed to it."""


class SignInRequiredError(ServerStartError):
    """A server can't be used before the person signs in."""


class ServerGoneError(GatewayError):
    """A server ended while a message to it was under way."""


class InterceptorError(GatewayError):
    """An interceptor of the person's failed, or what it said can't be understood."""


class SecretStoreError(GatewayError):
    """The secret store failed; never holds a value."""


class SecretFileError(StateFileError, SecretStoreError):
    """The file of the secrets can't be read or written, such as on a full disk."""


class KeychainUnavailableError(SecretStoreError):
    """This machine (or this session) has no keychain."""


class KeychainLockedError(SecretStoreError):
    """The keychain is locked, or shows a prompt nobody has answered in time."""


class PassphraseError(SecretStoreError):
    """The secrets are sealed with a passphrase that nobody gave, or a wrong one was given."""


class SignInError(GatewayError):
    """Signing in, or staying signed in, failed; the message says at which step."""


class SignInCancelledError(SignInError):
    """The person called a sign-in off."""


class ScopeMissingError(SignInError):
    """A server wants more to be allowed than the person has allowed so far."""


class GrantRefusedError(SignInError):
    """The provider no longer accepts the token or the client it gave; only a new sign-in helps."""


class ProviderUnavailableError(SignInError):
    """The provider can't be reached, or has trouble of its own; what is stored stays, and it is tried again later."""


class EndpointError(GatewayError):
    """Our own listening endpoint can't be opened."""
