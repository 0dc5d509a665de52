"""Features of the reference, as the Docker command line's config.json turns them on and off."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.state.features import feature


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"features": {"dynamic-tools": "enabled"}}', True),
        ('{"features": {"dynamic-tools": "disabled"}}', False),
        ('{"features": {"dynamic-tools": false}}', False),
        ('{"features": {"other": "disabled"}}', None),
        ('{"features": {"dynamic-tools": "perhaps"}}', None),
        ('{"features": null}', None),
        ("{}", None),
        (None, None),
    ],
)
def test_a_feature_is_as_the_file_says_else_as_usual(tmp_path: Path, text: str | None, expected: bool | None) -> None:
    config = tmp_path / "config.json"
    if text is not None:
        config.write_text(text, encoding="utf-8")
    for default in (True, False):
        assert feature(config, "dynamic-tools", default=default) is (default if expected is None else expected)


@pytest.mark.parametrize("text", ["[", "[]", "null", '{"features": "all"}'])
def test_a_broken_file_leaves_features_as_usual_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    assert feature(tmp_path / "config.json", "dynamic-tools", default=True)
    assert "features are as usual" in caplog.text
