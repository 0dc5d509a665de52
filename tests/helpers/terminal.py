"""A terminal of its own for a command, and everything it shows there."""

from __future__ import annotations

import os
import select
import struct
import subprocess
from collections.abc import Mapping, Sequence

__all__ = ["on_a_terminal"]


def on_a_terminal(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    columns: int = 0,
    with_remarks: bool = False,
    code: int = 0,
) -> str:
    """What a command shows on a terminal until its end.

    Args:
        command: The command.
        environment: Its environment variables.
        columns: How wide the terminal is; 0 leaves that open.
        with_remarks: Standard error goes to the terminal as well.
        code: The exit code it has to end with.
    """
    import fcntl  # here, because Windows has neither
    import pty
    import termios

    master, slave = pty.openpty()
    if columns:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command, env=environment, stdin=slave, stdout=slave, stderr=slave if with_remarks else subprocess.DEVNULL
    )
    os.close(slave)
    shown = b""
    while select.select([master], [], [], 60)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the terminal's other end was closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(timeout=30) == code
    return shown.decode()
