"""``docker-mcp profile``: named sets of servers with their settings and tools."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from desktop.catalog.profile import Profile, ProfileServer, read_profile
from desktop.catalog.profile_editing import profile_id
from desktop.cli import output, profile_servers, profile_settings, template
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser
from desktop.cli.profile_clients import check_clients, clients_with, connect_clients
from desktop.cli.profile_lookup import id_argument, stored_profile, understood
from desktop.errors import ProfileError, StateFileError, UsageError
from desktop.state import yaml_text
from desktop.state.atomic_file import reason_of, write_text
from desktop.state.paths import Paths
from desktop.state.profiles import StoredProfile, profiles_of
from desktop.state.toolkit_database import from_json_spelling, to_json_spelling
from desktop.state.yaml_document import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

__all__ = ["GROUP"]

_NOT_IN_IMAGES: Final = "profiles are files here, none are kept in images"

_FORMATS: Final = ("human", "json", "yaml")


def _create_arguments(parser: Parser) -> None:
    parser.option("--name", metavar="NAME", help="what people call it")
    parser.option("--id", metavar="ID", help="what commands call it (made from the name)")
    parser.option(
        "--server", dest="servers", action="append", default=[], metavar="REF", help=profile_servers.REFERENCE_HELP
    )
    parser.option("--from-template", metavar="TEMPLATE", help="begin with the servers of a template")
    parser.option(
        "--connect", dest="clients", action="append", default=[], metavar="CLIENT", help="connect a client (repeatable)"
    )


def _create(arguments: argparse.Namespace) -> int:
    if arguments.from_template:
        chosen = template.find(arguments.from_template)
        arguments.name = arguments.name or chosen.title
        arguments.servers = [*chosen.servers, *arguments.servers]
    if not arguments.name:
        raise UsageError("the profile needs a name", "Give it one with --name")
    paths = Paths.of_user()
    check_clients(arguments.clients)
    id = template.create(paths, arguments.name, arguments.id, arguments.servers)
    connect_clients(arguments.clients, id)
    return 0


def _list_arguments(parser: Parser) -> None:
    parser.option("--format", choices=_FORMATS, default="human", help="human (default), json or yaml")


def _list(arguments: argparse.Namespace) -> int:
    problems: list[str] = []
    found = profiles_of(Paths.of_user()).all(problems)
    for problem in problems:
        output.remark(f"docker-mcp: {problem}.")
    if arguments.format == "human":
        if not found:
            print("No profiles found.")
            output.tip("Make one with docker-mcp profile create --name NAME --server SERVER.")
            return 0
        rows = [(id, *_summary(stored)) for id, stored in found.items()]
        output.print_table(("ID", "NAME", "SERVERS"), rows, whole=True)
    else:
        _print([stored.document for stored in found.values()], arguments.format)
    return 0


def _summary(stored: StoredProfile) -> tuple[str, str]:
    try:
        profile = read_profile(stored.document, stored.id)
    except ProfileError as error:
        return stored.id, error.message
    return profile.name, ", ".join(profile.servers) or "none"


def _show_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.option("--format", choices=_FORMATS, default="human", help="human (default), json or yaml")
    parser.switch("clients", "show which clients have it")


def _show(arguments: argparse.Namespace) -> int:
    stored = stored_profile(arguments.id, Paths.of_user())
    clients = clients_with(stored.id) if arguments.clients else None
    if arguments.format == "human":
        _print_profile(understood(stored), stored, clients)
    else:
        _print({**stored.document, **({} if clients is None else {"clients": clients})}, arguments.format)
    return 0


def _print_profile(profile: Profile, stored: StoredProfile, clients: list[str] | None) -> None:
    print(output.bold(output.printable(f"{profile.name} ({profile.id})")))
    print(f"kept in {stored.place}")
    if clients is not None:
        print(f"had by {', '.join(clients) or 'no client'}")
    for server in profile.servers.values():
        print(f"\n  {output.bold(output.printable(server.name))}")
        for line in _facts(server):
            print(output.printable(f"    {line}"))


def _facts(server: ProfileServer) -> list[str]:
    tools = "all" if server.tools is None else ", ".join(server.tools) or "none"
    settings = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in server.values.items())
    secrets = ", ".join(secret.name for secret in server.server.secrets)
    facts = {"from": server.place, "tools": tools, "settings": settings, "secrets": secrets}
    return [f"{name}: {output.one_line(text)}" for name, text in facts.items() if text]


def _remove(arguments: argparse.Namespace) -> int:
    profiles = profiles_of(Paths.of_user())
    stored_profile(arguments.id, Paths.of_user())
    profiles.remove(arguments.id)
    print(f"removed profile {arguments.id}")
    if profiles.find(arguments.id) is not None:
        output.remark(f"The profile {arguments.id} of Docker's own database is in use again.")
    elif clients := clients_with(arguments.id):
        output.remark(f"Still asking for it: {', '.join(clients)}; connect them anew with docker-mcp client connect.")
    return 0


def _export_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.add_argument(
        "file", metavar="FILE", help="where to write it; as JSON when the name ends in .json; - prints it"
    )


def _export(arguments: argparse.Namespace) -> int:
    stored = stored_profile(arguments.id, Paths.of_user())
    document = {"version": 1, "id": stored.id, **stored.document}
    if arguments.file.lower().endswith(".json"):
        text = json.dumps(to_json_spelling(document), indent=2, ensure_ascii=False) + "\n"
    elif stored.is_own and stored.document.get("id"):
        text = decode(stored.place.read_bytes(), stored.place)  # comments and all
    else:
        text = yaml_text.dump(document)
    if arguments.file == "-":
        sys.stdout.write(text)
        return 0
    target = Path(arguments.file).expanduser()
    if target.is_dir():
        raise ProfileError(f"{target} is a folder", "Name a file")
    write_text(target, text)
    output.tip(f"The profile {stored.id} is in {target} now; secrets are never in it.")
    return 0


def _import_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="a profile document, YAML or JSON; - reads standard input")


def _import(arguments: argparse.Namespace) -> int:
    text, where = _content(arguments.file)
    document = yaml_text.parse(text, where)
    if not isinstance(document, dict):
        raise StateFileError(where, "a profile is expected, a map with the key 'servers'")
    document = {str(key): value for key, value in document.items()}
    spelled = from_json_spelling(document)
    id = str(spelled.get("id") or profile_id(str(spelled.get("name") or "")))
    _check_id(id, where)
    profile = read_profile(spelled, id)
    if profile.problems:
        raise StateFileError(where, profile.problems[0][:1].lower() + profile.problems[0][1:])
    is_json = text.lstrip().startswith("{")
    if is_json or spelled != document or not document.get("id"):
        text = yaml_text.dump({"version": 1, "id": id, "name": profile.name, **spelled})
    was_there = profiles_of(Paths.of_user()).write(id, text)
    print(f"imported profile {id}")
    for server in profile.servers.values():
        secrets = ", ".join(secret.name for secret in server.server.secrets)
        output.remark(f"- {server.name} from {server.place}" + (f", with the secrets {secrets}" if secrets else ""))
    if was_there:
        output.remark(f"It replaces the profile {id} that was there.")
    return 0


def _check_id(id: str, where: str) -> None:
    if not id.strip(" _.") or not id.isprintable():
        raise StateFileError(where, "it has neither an id nor a name")


def _content(file: str) -> tuple[str, str]:
    path = Path(file).expanduser()
    try:
        data = sys.stdin.buffer.read() if file == "-" else path.read_bytes()
    except OSError as error:
        raise StateFileError(file, f"it can't be read ({reason_of(error)})") from error
    return decode(data, path), "standard input" if file == "-" else str(path)


def _instructions_arguments(parser: Parser) -> None:
    id_argument(parser)
    parser.switch("json", "print a JSON array")


def _instructions(arguments: argparse.Namespace) -> int:
    from desktop.clients.shim_command import shim_command

    command = shim_command(stored_profile(arguments.id, Paths.of_user()).id)
    if arguments.json:
        output.print_json(list(command), compact=True)
    else:
        import shlex

        print(shlex.join(command))
    return 0


def _print(value: Any, format: str) -> None:
    if format == "yaml":
        sys.stdout.write(yaml_text.dump(value))
        return
    documents = [to_json_spelling(item) for item in value] if isinstance(value, list) else to_json_spelling(value)
    output.print_json(documents)


GROUP: Final = Group(
    "profile",
    "Profiles: named sets of servers with their settings and tools.",
    (
        Command(
            ("create",),
            "Make a profile.",
            "--name 'My Profile' --server duckduckgo\n--name Review --server docker://example/server:1.0 --connect cursor\n"
            "--from-template ai-coding",
            _create,
            _create_arguments,
        ),
        Command(("ls", "list"), "List the profiles.", "--format json", _list, _list_arguments),
        Command(("show",), "Show a profile.", "my_profile --format yaml", _show, _show_arguments),
        Command(("rm", "remove"), "Remove a profile.", "my_profile", _remove, id_argument),
        Command(("export",), "Write a profile to a file.", "my_profile profile.yaml", _export, _export_arguments),
        Command(("import",), "Take a profile from a file.", "profile.yaml", _import, _import_arguments),
        profile_servers.GROUP,
        Command(
            ("config",),
            "Read and change the settings of a profile's servers.",
            "my_profile --set filesystem.paths='[\"/tmp\"]'\nmy_profile --get-all",
            profile_settings.config,
            profile_settings.config_arguments,
        ),
        Command(
            ("tools",),
            "Choose which tools of a profile's servers may be used.",
            "my_profile --disable github-official.delete_file\nmy_profile --disable-all time --enable time.get_current_time",
            profile_settings.tools,
            profile_settings.tools_arguments,
        ),
        Command(
            ("manual-instructions",),
            "Print the command that runs a gateway with a profile, for the file of a client.",
            "my_profile",
            _instructions,
            _instructions_arguments,
        ),
        template.GROUP,
    ),
    refused={
        "push": f"{_NOT_IN_IMAGES}. Share the file that docker-mcp profile export writes",
        "pull": f"{_NOT_IN_IMAGES}. docker-mcp profile import takes one from a file",
    },
)
