"""Okapi BM25 over catalog servers, forgiving typing errors: which servers does a description of a task mean?"""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from desktop.catalog.model import CatalogServer

__all__ = ["Ranking", "nearest"]

# The reference's figures (spec 3.7): saturation, length, and what a word counts in each field.
_K1: Final = 1.5
_B: Final = 0.75
_NAME, _TITLE, _TOOL, _TEXT = 4.0, 3.0, 2.0, 1.0
_TOKEN: Final = re.compile(r"[a-z0-9]+")
_GUESSED: Final = 0.5
_BEGUN: Final = 0.7
_GUESSES: Final = 4


class Ranking:
    """Words of servers, weighted by where they stand, made ready for many questions.

    A word of the question that no server uses counts, for less, as the words it begins or is misspelt from.

    Args:
        servers: The servers; their order decides between equals.
    """

    def __init__(self, servers: Sequence[CatalogServer]) -> None:
        self._servers = servers
        self._postings: dict[str, dict[int, float]] = defaultdict(dict)
        lengths = []
        for number, server in enumerate(servers):
            length = 0.0
            for word, weight in _weighted(server):
                found = self._postings[word]
                found[number] = found.get(number, 0.0) + weight
                length += weight
            lengths.append(length)
        average = sum(lengths) / len(lengths) if any(lengths) else 1.0
        self._norms = [_K1 * (1 - _B + _B * length / average) for length in lengths]
        self._words = _Vocabulary(self._postings)

    def best(self, query: str) -> list[CatalogServer]:
        """The servers in which any word of the query occurs, the most fitting first."""
        scores: dict[int, float] = defaultdict(float)
        for word in dict.fromkeys(_TOKEN.findall(query.lower())):
            for number, score in self._scores(word).items():
                scores[number] += score
        ranked = sorted(scores.items(), key=lambda found: (-found[1], found[0]))
        return [self._servers[number] for number, _ in ranked]

    def meant(self, word: str) -> list[str]:
        """Words of servers that one no server uses may stand for."""
        return [known for known, _ in self._words.meant(word)]

    def _scores(self, word: str) -> Mapping[int, float]:
        """What the word is worth in each server: by itself, else by the best of the words it may mean."""
        if word in self._postings:
            return self._scores_of(word, 1.0)
        best: dict[int, float] = {}
        for meant, factor in self._words.meant(word):
            for number, score in self._scores_of(meant, factor).items():
                best[number] = max(best.get(number, 0.0), score)
        return best

    def _scores_of(self, word: str, factor: float) -> dict[int, float]:
        found = self._postings[word]
        rarity = math.log(1 + (len(self._servers) - len(found) + 0.5) / (len(found) + 0.5))
        norms = self._norms
        return {
            number: factor * rarity * count * (_K1 + 1) / (count + norms[number]) for number, count in found.items()
        }


class _Vocabulary:
    """All words, in reach by their beginning and by their likeness."""

    def __init__(self, words: Iterable[str]) -> None:
        self._sorted = sorted(words)
        self._by_length: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for word in self._sorted:
            self._by_length[len(word)].append((word, _letters(word)))

    def meant(self, word: str) -> list[tuple[str, float]]:
        """Words this one may stand for, each with what it counts: those it begins, else those it is misspelt from."""
        if len(word) < 3:
            return []
        first = bisect_left(self._sorted, word)
        begun = itertools.takewhile(lambda known: known.startswith(word), itertools.islice(self._sorted, first, None))
        if longer := [(known, _BEGUN) for known in begun]:
            return longer
        errors = _errors_forgiven(word)
        letters = _letters(word)
        close = [
            (distance, known)
            for length in range(len(word) - errors, len(word) + errors + 1)
            for known, known_letters in self._by_length.get(length, ())
            if (letters ^ known_letters).bit_count() <= 2 * errors
            and (distance := _distance(word, known, errors)) <= errors
        ]
        return [(known, _GUESSED / distance) for distance, known in sorted(close)[:_GUESSES]]


def nearest(word: str, names: Iterable[str], *, limit: int = 3) -> list[str]:
    """The names a mistyped one may mean, nearest first.

    Args:
        word: What was typed.
        names: Those there are.
        limit: How many at most.
    """
    typed = word.lower()
    errors = max(_errors_forgiven(typed), 1)
    found = []
    for name in names:
        plain = name.lower()
        if len(typed) >= 3 and (typed in plain or (len(plain) >= 4 and plain in typed)):
            found.append((0, len(plain), name))
        elif abs(len(plain) - len(typed)) <= errors and (distance := _distance(typed, plain, errors)) <= errors:
            found.append((distance, len(plain), name))
    return [name for _, _, name in sorted(found)[:limit]]


def _weighted(server: CatalogServer) -> Iterable[tuple[str, float]]:
    texts = [(server.name, _NAME), (server.title, _TITLE), (server.description, _TEXT)]
    for tool in server.tools:
        texts += [(tool.name, _TOOL), (tool.description, _TEXT)]
    metadata = server.metadata
    texts += [(metadata.category, _TEXT), (" ".join(metadata.tags), _TEXT)]
    for text, weight in texts:
        for word in _TOKEN.findall(text.lower()):
            yield word, weight


def _errors_forgiven(word: str) -> int:
    return 0 if len(word) < 5 else 1 if len(word) < 8 else 2


def _letters(word: str) -> int:
    letters = 0
    for letter in word:
        letters |= 1 << (ord(letter) & 63)
    return letters


def _distance(one: str, other: str, limit: int) -> int:
    """Letters to add, take away, replace or swap with the next; more than ``limit`` is not counted out."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one):
        earlier, before, row = before, row, [place + 1]
        for column, other_letter in enumerate(other):
            cost = min(before[column] + (letter != other_letter), row[column] + 1, before[column + 1] + 1)
            if place and column and letter == other[column - 1] and one[place - 1] == other_letter:
                cost = min(cost, earlier[column - 1] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
