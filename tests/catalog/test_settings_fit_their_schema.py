"""Settings are checked against the schema of the catalog entry, and no value appears in what is said."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.catalog.config_schema import complaints
from desktop.catalog.model import CatalogServer

SCHEMA = {
    "name": "s",
    "type": "object",
    "properties": {
        "url": {"type": "string", "pattern": "^https://"},
        "port": {"type": "integer", "default": 80},
        "mode": {"enum": ["a", "b"]},
        "login": {"type": "object", "properties": {"user": {"type": "string"}}, "required": ["user"]},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["url", "port"],
}


def wrong(values: dict[str, Any], *schemas: Any) -> list[str]:
    return complaints(CatalogServer(name="s", config=list(schemas or (SCHEMA,))), values)


def test_settings_that_fit_have_no_complaint_and_defaults_are_not_missed() -> None:
    assert wrong({"url": "https://x", "login": {"user": "me"}, "tags": ["a"], "more": 1}) == []
    assert complaints(CatalogServer(name="s"), {"anything": 1}) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ["url is missing"]),
        ({"url": "https://x", "login": {}}, ["login.user is missing"]),
        ({"url": 5}, ["url should be of the type string"]),
        ({"url": "https://x", "tags": ["a", 7]}, ["tags.1 should be of the type string"]),
        ({"url": "https://x", "mode": "SESAME"}, ['mode should be one of "a", "b"']),
        ({"url": "SESAME"}, ['url breaks the rule pattern: "^https://"']),
    ],
)
def test_a_fault_is_told_by_its_place_and_rule_never_by_its_value(values: dict[str, Any], expected: list[str]) -> None:
    assert wrong(values) == expected


def test_one_way_of_several_is_enough() -> None:
    either = {"type": "object", "anyOf": [{"required": ["confluence"]}, {"required": ["jira"]}]}
    assert wrong({"jira": {}}, either) == []
    assert wrong({}, either) == ["the whole fits none of the ways it can be set: confluence, or jira"]


@pytest.mark.parametrize(
    "schema",
    [{"type": "nonsense"}, {"properties": 5}, {"$ref": "https://example.invalid/schema.json"}, {"$ref": "#/nowhere"}],
)
def test_a_schema_that_is_none_or_lies_elsewhere_is_passed_over(schema: dict[str, Any]) -> None:
    assert wrong({"a": 1}, schema) == []
