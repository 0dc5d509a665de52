"""docs/cli.md says what the program does."""

from __future__ import annotations

from tests.docs.command_table import FILE, table, unexplained


def test_the_table_of_commands_is_the_programs() -> None:
    assert FILE.read_text(encoding="utf-8") == table(), "python -m tests.docs.command_table writes it again"


def test_everything_of_the_reference_is_here_or_explained() -> None:
    assert unexplained() == []
