"""Settings of a server by the names a person types."""

from __future__ import annotations

import pytest

from desktop.catalog.model import CatalogServer
from desktop.catalog.settings import setting_of, settings_of
from desktop.errors import UsageError

SCHEMA = {
    "name": "s",
    "properties": {"url": {"type": "string"}, "dotted.key": {}, "inner": {"properties": {"port": {"type": "integer"}}}},
    "anyOf": [{"properties": {"token": {"type": "string"}}}, {"properties": {"user": {"type": "string"}}}],
    "odd": 7,
}
SERVER = CatalogServer(name="s", config=[SCHEMA, {"properties": {"more": "not a schema"}}])


def test_the_settings_are_those_of_every_schema_and_every_way_to_set_it() -> None:
    names = [setting.name for setting in settings_of(SERVER)]
    assert names == ["url", "dotted.key", "inner", "inner.port", "token", "user", "more"]
    assert setting_of(SERVER, "dotted.key").path == ("dotted.key",)
    assert setting_of(SERVER, "inner.port").path == ("inner", "port")


def test_what_is_wrong_with_a_value_is_said() -> None:
    assert setting_of(SERVER, "inner.port").faults("x") == ["inner.port should be of the type integer"]
    assert setting_of(SERVER, "inner.port").faults(5) == []
    assert setting_of(SERVER, "more").faults(object) == []


@pytest.mark.parametrize(("name", "hint"), [("urll", "Did you mean url?"), ("inner.prot", "Did you mean inner.port?")])
def test_a_setting_that_does_not_exist_is_refused(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"server s has no setting {name}") as caught:
        setting_of(SERVER, name)
    assert caught.value.hint == hint.removesuffix(".")


def test_a_setting_of_which_only_the_type_is_asked_for_is_plain() -> None:
    schemas = {
        "plain": {"type": "array", "items": {"type": "string"}, "description": "x", "default": []},
        "enum": {"type": "string", "enum": ["a"]},
        "items": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "odd": {"type": "array", "items": [1]},
    }
    server = CatalogServer(name="s", config=[{"properties": schemas}])
    assert {setting.name: setting.is_plain for setting in settings_of(server)} == {
        "plain": True, "enum": False, "items": False, "odd": False,
    }  # fmt: skip


def test_a_server_that_declares_nothing_takes_anything() -> None:
    assert setting_of(CatalogServer(name="bare"), "a.b").path == ("a", "b")
    circular: dict[str, object] = {"type": "object"}
    circular["properties"] = {"again": circular}
    assert len(settings_of(CatalogServer(name="x", config=[circular]))) < 20
