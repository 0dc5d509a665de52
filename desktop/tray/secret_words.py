"""Words about secrets: where one is kept, and what protects them."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.host import KeptSecret, SecretPlace, SecretsStatus

__all__ = ["place_words", "protection_words"]

translate = QCoreApplication.translate


def place_words(secret: KeptSecret, protection: str) -> str:
    """Where a secret is kept, in a few words; ``protection`` as `SecretsStatus` has it."""
    match secret.place:
        case SecretPlace.STORE if protection == "keychain":
            return translate("Secrets", "keychain")
        case SecretPlace.STORE if protection == "passphrase":
            return translate("Secrets", "passphrase")
        case SecretPlace.STORE:
            return translate("Secrets", "sealed file")
        case SecretPlace.SESSION:
            return translate("Secrets", "this session")
        case SecretPlace.ENV_FILE:
            return translate("Secrets", ".env file")
        case SecretPlace.SIGN_IN:
            return translate("Secrets", "sign-in to {app}").format(app=secret.app)
        case SecretPlace.ELSEWHERE:
            return translate("Secrets", "another store")
        case SecretPlace.NOWHERE:
            return ""


def protection_words(status: SecretsStatus) -> str:
    """What protects the secrets, as a sentence."""
    match status.protection:
        case "keychain":
            return translate("Secrets", "Sealed in a file whose key is in your system's keychain.")
        case "passphrase":
            return translate("Secrets", "Sealed in a file with your passphrase.")
        case _:
            return translate("Secrets", "Kept until MCP Gateway ends.")
