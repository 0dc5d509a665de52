"""The text of a release is a section of the change log."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

NOTES = runpy.run_path(str(Path(__file__).parents[2] / "installers" / "release_notes.py"))
CHANGELOG = """# Changelog

## [Unreleased]

- Later.

## [1.2.0] - 2026-11-24

### Added

- This.

## 1.1.0

- Before.
"""


@pytest.mark.parametrize(
    ("version", "text"), [("1.2.0", "### Added\n\n- This."), ("1.1.0", "- Before."), ("1.2", ""), ("1x2.0", "")]
)
def test_the_section_of_a_version(version: str, text: str) -> None:
    assert NOTES["section"](CHANGELOG, version) == text


def test_a_tag_that_is_not_the_program_s_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert NOTES["main"]("99.0.0") == 1
    assert "99.0.0" in capsys.readouterr().err
