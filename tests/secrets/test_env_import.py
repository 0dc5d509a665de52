"""A `.env` file names variables; the secrets they carry are what is kept."""

from __future__ import annotations

from desktop.secrets.env_import import env_secrets

DECLARED = [("a.token", "A_TOKEN"), ("b.token", "SHARED"), ("c.token", "SHARED"), ("d.token", "")]


def test_a_variable_becomes_the_one_secret_it_carries_and_else_keeps_its_name() -> None:
    found = env_secrets({"A_TOKEN": "1", "SHARED": "2", "d.token": "3", "OTHER": "4", "EMPTY": ""}, DECLARED)
    assert [(item.variable, item.name, item.alternatives, item.value) for item in found] == [
        ("A_TOKEN", "a.token", (), "1"),
        ("SHARED", "SHARED", ("b.token", "c.token"), "2"),
        ("d.token", "d.token", (), "3"),
        ("OTHER", "OTHER", (), "4"),
    ]
    assert "2" not in repr(found[1]).replace("value", "")


def test_of_two_lines_for_one_secret_the_last_holds() -> None:
    (only,) = env_secrets({"A_TOKEN": "1", "a.token": "2"}, DECLARED)
    assert (only.name, only.variable, only.value) == ("a.token", "a.token", "2")
