"""What a person has to give to a server of the registry: secrets by reference, everything else as settings (spec 1.11)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from desktop.catalog.registry_document import Input

__all__ = ["Inputs"]

_PLACEHOLDER: Final = re.compile(r"(?<!\{)\{([^{}]+)\}(?!\})")
_PLAIN: Final = re.compile(r"[^\s|{}](?:[^|{}]*[^\s|{}])?")
_TYPES: Final = {"boolean": "boolean", "number": "number"}


class Inputs:
    """Collects what one server asks for while its entry is made.

    Args:
        server: The server's name in the catalog; what secrets and templates begin with.
        exact: Environment variables that are secrets themselves, by name.
        taken: Names of all other environment variables, so that none stands for a secret as well.
    """

    def __init__(self, server: str, exact: Mapping[str, Input] | None = None, taken: Collection[str] = ()) -> None:
        self._server = server
        self._taken = frozenset(taken)
        self._secrets: dict[str, dict[str, Any]] = {}
        self._helpers: dict[str, str] = {}
        self._properties: dict[str, dict[str, Any]] = {}
        self._required: dict[str, None] = {}
        for env, item in (exact or {}).items():
            self._secret(item, env, is_required=item.is_required)

    def secrets(self) -> list[dict[str, Any]]:
        """The secrets, as a catalog entry lists them."""
        return list(self._secrets.values())

    def helpers(self) -> list[dict[str, str]]:
        """Variables of the environment that carry settings into texts which also hold a secret."""
        return [{"name": name, "value": value} for name, value in self._helpers.items()]

    def config(self) -> list[dict[str, Any]]:
        """The schema of the settings, as a catalog entry lists it."""
        if not self._properties:
            return []
        schema: dict[str, Any] = {"name": self._server, "type": "object", "properties": self._properties}
        return [{**schema, "required": list(self._required)} if self._required else schema]

    def text(self, item: Input, *, only_secrets: bool = False) -> str:
        """What stands for an input in a template: its fixed text, or references to what the person gives.

        Args:
            item: The input.
            only_secrets: The place knows no settings, as headers do, so what isn't secret is kept as a secret as well.
        """
        refer = self._secret_reference if only_secrets else self._reference
        given = item.value if item.value is not None else None if item.is_secret else item.default
        if given is None or (item.is_secret and not _names(given, item.variables)):
            return refer(item, is_required=item.is_required)
        return self.filled(given, item.variables, item, refer)

    def filled(
        self, text: str, variables: Mapping[str, Input], owner: Input, refer: Callable[..., str] | None = None
    ) -> str:
        """The text with references in place of its ``{variables}``; unknown ones stay as they are, as the registry says."""
        refer = refer or self._reference

        def replaced(match: re.Match[str]) -> str:
            variable = variables.get(match.group(1))
            if variable is None:
                return match.group()
            if variable.value is not None and not variable.is_secret:
                return variable.value
            is_required = variable.is_required or owner.is_required
            if owner.is_secret or variable.is_secret:
                return self._secret_reference(variable, is_required=is_required)
            if variable.default is not None and refer == self._secret_reference:
                return variable.default
            return refer(variable, is_required=is_required)

        return _PLACEHOLDER.sub(replaced, text)

    def environment_text(self, item: Input) -> str:
        """As `text`, for a variable of the environment: there, settings and secrets are not filled in by the same pass."""
        secret = any(item.variables[name].is_secret for name in _names(item.value or "", item.variables))
        return self.filled(item.value or "", item.variables, item, self._helper) if secret else self.text(item)

    def _reference(self, item: Input, *, is_required: bool) -> str:
        if item.is_secret:
            return self._secret_reference(item, is_required=is_required)
        name = _property_name(item.name)
        default = item.default or None
        if default is not None and not _PLAIN.fullmatch(default):
            return default  # no template can hold it, so it can't be set otherwise
        known = self._properties.setdefault(name, _schema_of(item))
        if is_required and "default" not in known:
            self._required[name] = None
        fallback = f"|or:{default}" if default is not None else ""
        return f"{{{{{self._server}.{name}{fallback}}}}}"

    def _secret_reference(self, item: Input, *, is_required: bool) -> str:
        return f"${{{self._secret(item, '', is_required=is_required)}}}"

    def _helper(self, item: Input, *, is_required: bool) -> str:
        reference = self._reference(item, is_required=is_required)
        if not reference.startswith("{{"):
            return reference
        name = f"SETTING_{_variable_name(item.name)}"
        while name in self._taken or self._helpers.get(name, reference) != reference:
            name += "_"
        self._helpers[name] = reference
        return f"${{{name}}}"

    def _secret(self, item: Input, env: str, *, is_required: bool) -> str:
        """Note the secret; returns the variable that carries it."""
        name = f"{self._server}.{_secret_part(item.name)}"
        known = self._secrets.get(name)
        if known is None:
            known = self._secrets[name] = {"name": name, "env": env or self._free(_variable_name(item.name))}
            if item.description:
                known["description"] = item.description
            if item.placeholder:
                known["example"] = item.placeholder
            known["required"] = False
        known["required"] = known["required"] or is_required
        return str(known["env"])

    def _free(self, env: str) -> str:
        taken = self._taken | {secret["env"] for secret in self._secrets.values()}
        number = 2
        free = env
        while free in taken:
            free, number = f"{env}_{number}", number + 1
        return free


def _names(text: str, variables: Mapping[str, Input]) -> list[str]:
    return [name for name in _PLACEHOLDER.findall(text) if name in variables]


def _schema_of(item: Input) -> dict[str, Any]:
    kind = _TYPES.get(item.format, "string")
    schema: dict[str, Any] = {"type": kind}
    description = item.description or item.placeholder
    if description:
        schema["description"] = description
    default = _typed(item.default, kind) if item.default else None
    if default is not None:
        schema["default"] = default
    choices = [_typed(choice, kind) for choice in item.choices]
    if choices and None not in choices:
        schema["enum"] = choices
    return schema


def _typed(text: str, kind: str) -> Any:
    """The text as a value of the kind, or None where it isn't one."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.strip().lower())
    if kind == "number":
        try:
            number = float(text)
            return int(number) if number.is_integer() and "." not in text else number
        except (ValueError, OverflowError):
            return None
    return text


def _property_name(name: str) -> str:
    """A name that templates can look up: they split at dots, pipes and braces."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name.lstrip("-")) or "value"


def _secret_part(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name.lstrip("-")) or "value"


def _variable_name(name: str) -> str:
    plain = re.sub(r"[^A-Z0-9_]", "_", name.lstrip("-").upper()) or "VALUE"
    return f"_{plain}" if plain[0].isdigit() else plain
