"""Takes back what this program started when it is gone, however it went (SIGKILL, crash, out of memory).

Run as a child process: it blocks reading its standard input, a pipe whose other end only the parent holds, and learns
there what to take back. One command a line:

    label KEY=VALUE   containers and networks with this label are ours
    engine ADDRESS    where the engine is (unix:///path, tcp://host:port, npipe:////./pipe/name)
    pgid N            a process group of ours runs; "forget N": it has ended
    done              the parent ends in good order: look once, then go

At end of file it kills the process groups and removes the containers and networks, for some seconds again and again,
since a create request may still have been under way. Standard library alone and as little of it as will do: it lives as
long as the program does, in some ten megabytes.

Limits: an engine behind TLS is not reached; the sweep at the next start does it then. On Windows there are no process
groups to kill (a job object with "kill on close" would be the means there) and the pipe code has never been run.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

READ = 65536
CALL_LIMIT = 10.0
GROUP_GRACE = 2.0
POLL = 0.3
QUIET = 5.0
GIVE_UP = 30.0


class Charge:
    """What the watchdog has been told so far."""

    def __init__(self) -> None:
        self.label = ""
        self.engine = ""
        self.groups: set[int] = set()
        self.orderly = False

    def take(self, line: str) -> None:
        """Follow one command line; one that isn't understood is passed over."""
        command, _, value = line.strip().partition(" ")
        if command == "label":
            self.label = value
        elif command == "engine":
            self.engine = value
        elif command == "done":
            self.orderly = True
        elif value.isdigit() and int(value) > 1:
            if command == "pgid":
                self.groups.add(int(value))
            elif command == "forget":
                self.groups.discard(int(value))


def read_until_end(descriptor: int, charge: Charge) -> None:
    """Block until the parent is gone, following what it says meanwhile."""
    rest = b""
    while True:
        try:
            data = os.read(descriptor, READ)
        except OSError:
            return
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            charge.take(line.decode("utf-8", "replace"))


def kill_groups(groups: set[int]) -> None:
    """Ask every process group to end, and kill what is left after two seconds."""
    if not hasattr(os, "killpg"):
        return
    left = {group for group in groups if signal_group(group, signal.SIGTERM)}
    deadline = time.monotonic() + GROUP_GRACE
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if signal_group(group, 0)}
    for group in left:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Send a signal; False when the group is gone (or not ours)."""
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


def remove_containers(charge: Charge) -> None:
    """Remove every container with our label until none was seen for a while, or the engine gave no answer for long."""
    start = quiet_since = time.monotonic()
    while True:
        try:
            found = list_containers(charge.engine, charge.label)
            answered = True
        except (OSError, ValueError):
            found, answered = [], False
        for container in found:
            try:
                request(charge.engine, "DELETE", "/containers/" + container + "?force=1&v=1")
            except (OSError, ValueError):
                continue  # It is seen again in the next round.
        now = time.monotonic()
        if found or (answered and remove_networks(charge)):
            quiet_since = now
        elif answered and (charge.orderly or now - quiet_since > QUIET):
            return
        if now - start > (QUIET if charge.orderly else GIVE_UP):
            return
        time.sleep(POLL)


def list_containers(engine: str, label: str) -> list[str]:
    """Ids of the containers with this label, ended ones included."""
    import json  # Not needed before the parent is gone; half a megabyte until then.

    query = "".join(f"%{byte:02X}" for byte in json.dumps({"label": [label]}).encode("utf-8"))
    answer = request(engine, "GET", "/containers/json?all=1&filters=" + query)
    return [entry["Id"] for entry in json.loads(answer)]


def remove_networks(charge: Charge) -> bool:
    """Remove every network with our label; whether there was one."""
    import json

    query = "".join(f"%{byte:02X}" for byte in json.dumps({"label": [charge.label]}).encode("utf-8"))
    try:
        found = json.loads(request(charge.engine, "GET", "/networks?filters=" + query))
        for network in found:
            request(charge.engine, "DELETE", "/networks/" + network["Id"])
    except (OSError, ValueError):
        return False
    return bool(found)


def request(engine: str, method: str, path: str) -> bytes:
    """Make one HTTP/1.0 request, whose answer ends with the connection, and return the body.

    Raises OSError when the engine doesn't answer, ValueError when it answers with an error but "gone" or "going".
    """
    head = method + " " + path + " HTTP/1.0\r\nHost: engine\r\n\r\n"
    answer = exchange(engine, head.encode("ascii"))
    status, _, body = answer.partition(b"\r\n\r\n")
    words = status.split(b" ", 2)
    code = int(words[1]) if len(words) > 1 else 0
    if not 200 <= code < 300 and code not in (404, 409):
        raise ValueError(f"the engine answered {code}")
    return body


def exchange(engine: str, data: bytes) -> bytes:
    """Send bytes to the engine and read until it closes."""
    scheme, _, place = engine.partition("://")
    answer = b""
    if scheme == "npipe":
        with open(place.replace("/", "\\"), "r+b", buffering=0) as pipe:
            pipe.write(data)
            while chunk := pipe.read(READ):
                answer += chunk
        return answer
    if scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(CALL_LIMIT)
        target: str | tuple[str, int] = place
    elif scheme in ("tcp", "http"):
        connection = socket.socket()
        connection.settimeout(CALL_LIMIT)
        host, _, port = place.rstrip("/").rpartition(":")
        target = (host, int(port))
    else:
        raise OSError("no way to reach " + scheme)
    with connection:
        connection.connect(target)
        connection.sendall(data)
        while chunk := connection.recv(READ):
            answer += chunk
    return answer


def main() -> int:
    """Watch over the parent, clean up after it, and return the exit code."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "setsid") and os.getpid() != os.getsid(0):
        os.setsid()
    charge = Charge()
    read_until_end(0, charge)
    kill_groups(charge.groups)
    if charge.engine and charge.label:
        remove_containers(charge)
    return 0


if __name__ == "__main__":
    sys.exit(main())
