"""What the person has agreed to, kept until it is taken back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from desktop.errors import StateFileError
from desktop.state.atomic_file import read_bytes, write_text
from desktop.state.locks import file_lock

__all__ = ["Consent", "ConsentKind", "ConsentStore", "joined", "separated"]

ConsentKind = Literal["run-without-container", "mount", "add-server", "call-tool"]
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One consent: what may be done, with whom or what (a server's name, a folder), and since when (RFC 3339)."""

    kind: str
    subject: str
    granted_at: str = ""


def joined(matters: Iterable[str]) -> str:
    """Several matters as one text that only `separated` takes apart: what somebody has named can't pass for another matter."""
    return "; ".join(matter.replace("%", "%25").replace(";", "%3B") for matter in matters)


def separated(text: str) -> tuple[str, ...]:
    """The matters in what `joined` has made."""
    return tuple(matter.replace("%3B", ";").replace("%25", "%") for matter in text.split("; "))


class ConsentStore:
    """Consents in a file; other processes' changes are seen at once.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, int, int] | None, tuple[Consent, ...]] | None = None

    def granted(self, kind: str, subject: str) -> bool:
        """Whether the person has agreed to this."""
        _check(kind)
        return any(consent.kind == kind and consent.subject == subject for consent in self.all())

    def grant(self, kind: str, subject: str) -> None:
        """Remember a consent."""
        _check(kind)
        now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        with file_lock(self._lock_path):
            consents = self.all()
            if not any((consent.kind, consent.subject) == (kind, subject) for consent in consents):
                self._write((*consents, Consent(kind=kind, subject=subject, granted_at=now)))

    def revoke(self, kind: str, subject: str) -> None:
        """Forget a consent; one that was never given is fine."""
        with file_lock(self._lock_path):
            consents = self.all()
            kept = tuple(consent for consent in consents if (consent.kind, consent.subject) != (kind, subject))
            if kept != consents:
                self._write(kept)

    def all(self) -> tuple[Consent, ...]:
        """Every consent, in the order they were given.

        Raises:
            StateFileError: The file is broken or from a newer version of this program.
        """
        with self._lock:
            stamp = self._stamp()
            if self._seen is None or self._seen[0] != stamp:
                self._seen = (stamp, self._read())
            return self._seen[1]

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> tuple[Consent, ...]:
        text = read_bytes(self._path)
        if not text.strip():
            return ()
        try:
            data = json.loads(text)
            version = data["schema_version"]
            entries: list[dict[str, Any]] = data["consents"] if version == SCHEMA_VERSION else []
            consents = tuple(
                Consent(
                    kind=str(entry["kind"]), subject=str(entry["subject"]), granted_at=str(entry.get("granted_at", ""))
                )
                for entry in entries
            )
        except json.JSONDecodeError as error:
            raise StateFileError(
                str(self._path), "this is not valid JSON", line=error.lineno, column=error.colno
            ) from error
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise StateFileError(str(self._path), "this is not a list of consents") from error
        if version != SCHEMA_VERSION:
            reason = f"its version {version} is of a newer program"
            raise StateFileError(str(self._path), reason, hint="Update this one.")
        return consents

    def _write(self, consents: tuple[Consent, ...]) -> None:
        data = {"schema_version": SCHEMA_VERSION, "consents": [asdict(consent) for consent in consents]}
        write_text(self._path, json.dumps(data, indent=2, ensure_ascii=False) + "\n", mode=0o600)


def _check(kind: str) -> None:
    if kind not in get_args(ConsentKind):
        raise ValueError(f"there is no consent of the kind {kind!r}")
