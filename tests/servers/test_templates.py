"""Template expressions behave as the reference's conformance examples say."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.servers.templates import evaluate, evaluate_list, expand_variables


@pytest.mark.parametrize(
    ("templates", "values", "expected"),
    [
        (["{{k1}}:{{k2}}"], {"k1": "v1", "k2": "v2"}, ["v1:v2"]),
        (["{{paths|volume|into}}"], {"paths": ["p1", "p2"]}, ["p1:p1", "p2:p2"]),
        (["{{paths|volume-target|into}}"], {"paths": ["C:\\a\\b", "/x"]}, ["/C/a/b", "/x"]),
        (["{{k|first|into}}"], {"k": ["v1", "v2"]}, ["v1"]),
        (["{{k|last}}"], {"k": ["v1", "v2"]}, ["v2"]),
        (["{{k|or:[default]}}"], {"k": []}, ["default"]),
        (["{{k|or:[]}}"], {"k": []}, []),
        (["{{k|or:5}}"], {}, ["5"]),
        (["{{key|mount_as:/logs:ro}}"], {"key": ["/l", "/x"]}, ["/l:/logs:ro"]),
        (["{{key|mount_as: /logs }}"], {"key": ""}, [""]),
        (["{{top.key|ignored}}"], {"top": {"key": "value"}}, ["value"]),
        (["{{paths|volume-targe|into}}"], {"paths": ["a", "b"]}, ["a", "b"]),
        (["--port={{ s . port }}"], {"s": {"port": 8080.0}}, ["--port=8080"]),
        (["{{s.flag}}"], {"s": {"flag": True}}, ["true"]),
        (["{{missing.key}}"], {}, [""]),
        (['{"a": {"b": 1}}'], {}, ['{"a": {"b": 1}}']),
        (["{lone"], {}, ["{lone"]),
        (["{{k}}}}"], {"k": "v"}, ["v}}"]),
    ],
)
def test_a_command_item_evaluates_to(templates: list[str], values: dict[str, Any], expected: list[str]) -> None:
    assert evaluate_list(templates, values) == expected


def test_a_single_expression_keeps_its_type() -> None:
    assert evaluate("{{a.b}}", {"a": {"b": [1, 2]}}) == [1, 2]


def test_empty_volumes_are_dropped() -> None:
    assert evaluate_list(["{{s.path|mount_as:/data}}", "cache:/root"], {}, drop_empty=True) == ["cache:/root"]


def test_variables_come_only_from_the_given_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_SECRET", "leaked")
    assert expand_variables("$A-${B}-$HOME_SECRET-$", {"A": "1", "B": "2"}) == "1-2--$"
