"""One entry for everything: the tray by default, the command line when called with a command or as ``docker-mcp``.

Nothing is imported here before it is known what is wanted: a client that starts the stdio shim waits for this file.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from desktop.host import Host

__all__ = ["command_line", "main"]

_TRAY_OPTIONS = ("--hidden",)
# A link with our scheme opens the window and says nothing more: any page on the web may have such links.
_LINK = "mcp-gateway-desktop:"


def main() -> int:
    """Start the tray, or run a command when one is given; returns the exit code."""
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith(_LINK)]
    if arguments[:1] == ["--watchdog"]:
        from desktop.engine import watchdog

        return watchdog.main()
    if any(argument not in _TRAY_OPTIONS for argument in arguments):
        return command_line()
    from desktop.tray.application import run

    return run(_host, arguments)


def _host() -> AbstractAsyncContextManager[Host]:
    """The gateway for the tray; imported when the icon is there already, since that takes a moment."""
    from desktop.app import hosted_by_tray

    return hosted_by_tray()


def _profile_of_client(arguments: list[str]) -> str | None:
    """The profile of a client that would join the running gateway, empty for none; None when something else is wanted."""
    match arguments:
        case ["gateway", "run"] | ["gateway", "run", "--transport", "stdio"]:
            return ""
        case ["gateway", "run", "--profile", profile]:
            return profile
        case ["gateway", "run", option] if option.startswith("--profile="):
            return option.removeprefix("--profile=")
        case _:
            return None


def command_line() -> int:
    """The ``docker-mcp`` command; returns the exit code, or ends the process with it."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--watchdog"]:
        return main()
    if arguments[:1] == ["mcp"]:  # called by Docker as its plugin
        arguments = arguments[1:]
    profile = _profile_of_client(arguments)
    if profile is not None:
        from desktop.gateway import shim
        from desktop.state.locations import endpoint_file

        code = shim.main(endpoint_file(os.environ), profile)
        if code is not None:
            return code
    from desktop.cli import main as commands

    return commands.leave(commands.main(arguments))


def _by_name() -> int:
    """What the built programs do: both begin here, and they differ in nothing but their names."""
    name = sys.argv[0].replace("\\", "/").rpartition("/")[2].lower()
    return command_line() if name.removesuffix(".exe") == "docker-mcp" else main()


if __name__ == "__main__":
    sys.exit(_by_name())
