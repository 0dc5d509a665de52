"""Known secrets are taken out of whatever is shown or written down."""

from __future__ import annotations

import base64
import json
import re
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["MASK", "Redactor"]

MASK: Final = "•••"
SHORTEST: Final = 4
_SHORTEST_ENCODED: Final = 8


class Redactor:
    """Replaces every secret it was told of: as it is, as in JSON, in URLs and in base64 (also amid other bytes)."""

    def __init__(self) -> None:
        self._forms: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Keep this value out of texts from now on; less than four characters would hide too much."""
        forms = self._forms | _forms_of(value)
        if len(forms) > len(self._forms):
            self._forms = forms
            longest_first = sorted(forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    @property
    def forms(self) -> frozenset[str]:
        """Every text that is replaced; a new object whenever a secret was added."""
        return self._forms

    def clean_beginning(self, text: str) -> str:
        """`clean` for a text that may have been cut: a secret of which only the beginning is left at its end goes as well."""
        text = self.clean(text)
        for form in self._forms:
            tail = text[-len(form) :]
            place = tail.find(form[:SHORTEST])
            while place >= 0:
                if form.startswith(tail[place:]):
                    return self.clean_beginning(text[: len(text) - len(tail) + place] + MASK)
                place = tail.find(form[:SHORTEST], place + 1)
        return text

    def clean(self, text: str) -> str:
        """The text with every known secret replaced by three dots."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)


def _forms_of(value: str) -> frozenset[str]:
    if len(value) < SHORTEST:
        return frozenset()
    stripped = value.strip()
    forms = {value, stripped, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    forms |= {quote(value, safe=""), quote_plus(value), quote(value)}
    forms |= {re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in forms}
    forms |= _base64_forms(value.encode("utf-8"))
    if "\n" in stripped:  # a log may show the lines of a key one by one
        forms |= {line.strip() for line in value.splitlines() if len(line.strip()) >= _SHORTEST_ENCODED}
        forms = {form for form in forms if not form.startswith("-----") or "\n" in form or "\\n" in form}
    return frozenset(form for form in forms if len(form) >= SHORTEST)


def _base64_forms(data: bytes) -> set[str]:
    """The value in base64 by itself, and what stays the same of it wherever it lies among other bytes."""
    forms = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        forms.add(encode(data).decode("ascii"))
        forms.add(encode(data).decode("ascii").rstrip("="))
        for before in range(3):
            encoded = encode(bytes(before) + data).decode("ascii").rstrip("=")
            first = (before * 8 + 5) // 6  # characters before this one hold bits of what stands before
            last = (before + len(data)) * 8 // 6  # the one at this place may hold bits of what follows
            forms.add(encoded[first:last])
    return {form for form in forms if len(form) >= _SHORTEST_ENCODED}
