"""What is known of one AI client: where its file is, what its entries look like, what it can bear (docs/clients.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desktop.clients.document import Format
from desktop.clients.machine import Places

__all__ = ["Client", "OtherFile", "ProjectFile", "Shape"]

Shape = Mapping[str, Any]
"""An entry with gaps: ``{url}``, ``{headers}``, ``{name}``, ``{command}``, ``{args}``, ``{argv}`` (command and arguments in
one list) and ``{env}`` are filled in; the key of an empty ``{env}`` is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """A client's file within a project.

    Attributes:
        path: Below the project's folder.
        container: Keys that lead to the entries, where they differ from those of the user's file.
        stdio: The entry's shape, where it differs.
    """

    path: str
    container: tuple[str, ...] | None = None
    stdio: Shape | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFile:
    """Another file in which a client has servers; our entry goes there only in place of the reference's.

    Attributes:
        places: The file.
        format: What it is written in.
        container: Keys that lead to the list of entries, each of which has its ``name``.
        stdio, http: Shapes of entries there.
    """

    places: Places
    format: Format
    container: tuple[str, ...]
    stdio: Shape
    http: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One AI client.

    Attributes:
        id: What commands call it; the reference's id where that has one (spec 6.2).
        name: What people call it.
        places: The user's file.
        format: What the file is written in.
        container: Keys that lead to the map of entries.
        stdio: Shape of an entry that starts a program.
        http: Shape of an entry of a streamable HTTP server; None where the client's file takes none.
        aliases: Other ids.
        project: Its file within a project, where it has one.
        programs: Names of its program.
        apps: Where its installers put it.
        traces: Folders only it makes; where one is there, it was used at least once.
        processes: What the file of its running program is called; the command line is looked at for interpreted ones.
        lock: A file in which it keeps its main process id while it runs.
        introduces: How its name in ``initialize`` begins, lower case.
        restart: What the person has to do before it sees a change; empty when it follows its file by itself.
        most_tools: How many tools it takes altogether; 0 when no limit is known.
        longest_name: How long a tool's name may be, the server's name and what stands between included; 0 as above.
        quit_first: Whether it writes its file from memory, so that it has to be closed before it is changed.
        nested: A key between the container and the entries, in files that have it (opencode's second form).
        takes_bundle: Whether it takes bundles (``.mcpb``).
        other: Another file of it with servers.
        homepage: Its web site.
        remarks: What else a person should know.
    """

    id: str
    name: str
    places: Places
    format: Format
    container: tuple[str, ...]
    stdio: Shape
    http: Shape | None = None
    aliases: tuple[str, ...] = ()
    project: ProjectFile | None = None
    programs: tuple[str, ...] = ()
    apps: Places = field(default_factory=Places)
    traces: Places = field(default_factory=Places)
    processes: tuple[str, ...] = ()
    lock: Places = field(default_factory=Places)
    introduces: tuple[str, ...] = ()
    restart: str = ""
    most_tools: int = 0
    longest_name: int = 0
    quit_first: bool = False
    nested: str = ""
    takes_bundle: bool = False
    other: OtherFile | None = None
    homepage: str = ""
    remarks: tuple[str, ...] = ()
