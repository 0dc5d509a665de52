"""OAuth scopes in plain words, so that a person knows what they allow; what is not understood is shown as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication

from desktop.tray import words

__all__ = ["scope_words", "scopes_words"]

LONGEST = 60
_WORD = re.compile(r"[^\W_]+")
_READ = frozenset({"read", "readonly", "view", "list", "get"})
_CHANGE = frozenset({"write", "edit", "update", "modify", "manage", "readwrite"})
_MAKE = frozenset({"create", "post", "publish"})
_SEND = frozenset({"send"})
_DELETE = frozenset({"delete", "remove"})
_ADMINISTER = frozenset({"admin", "owner"})

translate = QCoreApplication.translate


def scope_words(scope: str) -> str:
    """One scope as a phrase after "may": "repo:read" is "read repo"."""
    match scope:
        case "openid":
            return translate("Scopes", "know who you are")
        case "profile":
            return translate("Scopes", "see your name and picture")
        case "email":
            return translate("Scopes", "see your email address")
        case "offline_access":
            return translate("Scopes", "stay signed in")
    said = _WORD.findall(scope.rpartition("/")[2] if "://" in scope else scope)
    for verbs, phrase in (
        (_ADMINISTER, translate("Scopes", "administer {what}")),
        (_DELETE, translate("Scopes", "delete {what}")),
        (_CHANGE, translate("Scopes", "read and change {what}")),
        (_MAKE, translate("Scopes", "add {what}")),
        (_SEND, translate("Scopes", "send {what}")),
        (_READ, translate("Scopes", "read {what}")),
    ):
        what = [word for word in said if word.casefold() not in verbs]
        if what and len(what) < len(said):
            return words.elided(phrase.format(what=" ".join(what)), LONGEST)
    return words.elided(scope, LONGEST)


def scopes_words(scopes: Iterable[str], most: int = 8) -> str:
    """Several of them in one line."""
    said = list(dict.fromkeys(map(scope_words, scopes)))
    return ", ".join(said[:most]) + (" …" if len(said) > most else "")
