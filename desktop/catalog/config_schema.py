"""Settings of a server, checked against the schema its catalog entry gives (spec 1.7.3). Values never appear in a complaint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from desktop.catalog.model import CatalogServer

__all__ = ["complaints"]

_SHOWN: Final = 10


def complaints(server: CatalogServer, values: Mapping[str, Any]) -> list[str]:
    """What is wrong with a server's settings, a phrase for each fault; empty when they are right.

    What a schema requires and has a default for is not missed. A schema that is none, or that refers to another document,
    complains of nothing: the server will judge.

    Args:
        server: The catalog entry.
        values: The settings.
    """
    from jsonschema import Draft202012Validator  # here, because it takes long to import
    from jsonschema.exceptions import SchemaError
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    found: dict[str, None] = {}
    for schema in server.config:
        try:
            Draft202012Validator.check_schema(schema)
            validator = Draft202012Validator(schema, registry=Registry())
            for error in validator.iter_errors(dict(values)):
                found.update(dict.fromkeys(_phrases(error)))
        except (SchemaError, Unresolvable, RecursionError):
            continue
    return list(found)[:_SHOWN]


def _phrases(error: Any) -> list[str]:
    where = ".".join(str(part) for part in error.absolute_path)
    rule = error.validator_value
    match error.validator:
        case "required":
            known = error.schema.get("properties") or {}
            given = error.instance
            missing = [name for name in rule if name not in given and "default" not in (known.get(name) or {})]
            return [f"{f'{where}.' if where else ''}{name} is missing" for name in missing]
        case "type":
            wanted = " or ".join(rule) if isinstance(rule, list) else str(rule)
            return [f"{where or 'the whole'} should be of the type {wanted}"]
        case "enum":
            return [f"{where or 'the whole'} should be one of {', '.join(json.dumps(item) for item in rule)}"]
        case "anyOf" | "oneOf":
            needs = [
                " and ".join(option["required"])
                for option in rule
                if isinstance(option, dict) and option.get("required")
            ]
            choice = f": {', or '.join(needs)}" if needs else ""
            return [f"{where or 'the whole'} fits none of the ways it can be set{choice}"]
        case _:
            text = json.dumps(rule, default=str)
            return [f"{where or 'the whole'} breaks the rule {error.validator}: {text[:80]}"]
