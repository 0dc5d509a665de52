"""Templates of profiles: servers that go well together (spec 1.10)."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["TEMPLATES", "ProfileTemplate"]


class ProfileTemplate(NamedTuple):
    """One template: id, title, what it is for, and its servers by their names in the catalogs."""

    id: str
    title: str
    description: str
    servers: tuple[str, ...]


TEMPLATES: Final = (
    ProfileTemplate(
        "ai-coding",
        "AI coding",
        "Current documentation of libraries, and step-by-step thinking",
        ("context7", "sequentialthinking"),
    ),
    ProfileTemplate(
        "dev-workflow",
        "Dev workflow",
        "Repositories, issues and pages: GitHub and Atlassian",
        ("github-official", "atlassian-remote"),
    ),
    ProfileTemplate(
        "terminal-control",
        "Terminal control",
        "Files and commands of this machine",
        ("desktop-commander", "filesystem"),
    ),
)
