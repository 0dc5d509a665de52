"""A known secret never gets through, in whatever form it is written."""

from __future__ import annotations

import base64
import json
import random
import string
import time
from urllib.parse import quote, quote_plus

import pytest

from desktop.secrets.redaction import MASK, Redactor

SECRET = 'p@ss "wörd"/+=&\\x'


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.add(SECRET)
    return redactor


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        quote_plus(SECRET).lower(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_every_form_of_a_secret_is_replaced(redactor: Redactor, form: str) -> None:
    assert redactor.clean(f"before <{form}> after <{form}>") == f"before <{MASK}> after <{MASK}>"


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "user1:", "user12:"])
def test_a_secret_amid_other_bytes_is_replaced_in_base64(before: str) -> None:
    redactor = Redactor()
    redactor.add("correct-horse-battery")
    encoded = base64.b64encode(f"{before}correct-horse-battery tail".encode()).decode()
    cleaned = redactor.clean(f"Authorization: Basic {encoded}")
    assert MASK in cleaned
    rest = cleaned.removeprefix("Authorization: Basic ").split(MASK)
    assert all(len(piece) <= len(before) * 4 // 3 + 12 for piece in rest)


def test_the_lines_of_a_key_are_replaced_one_by_one() -> None:
    redactor = Redactor()
    redactor.add("-----BEGIN KEY-----\nMIIabcdefgh\nqwertyuiop\n-----END KEY-----\n")
    assert redactor.clean("log: MIIabcdefgh\nlog: qwertyuiop\n-----BEGIN KEY-----") == (
        f"log: {MASK}\nlog: {MASK}\n-----BEGIN KEY-----"
    )


def test_the_longest_secret_wins_where_one_holds_another() -> None:
    redactor = Redactor()
    redactor.add("abcd")
    redactor.add("abcdefgh")
    assert redactor.clean("abcdefgh abcd") == f"{MASK} {MASK}"


def test_short_values_and_texts_without_secrets_stay_as_they_are(redactor: Redactor) -> None:
    redactor.add("abc")
    redactor.add("")
    assert redactor.clean("abc, nothing to hide") == "abc, nothing to hide"
    text = "x" * 10
    assert Redactor().clean(text) is text


@pytest.mark.parametrize("seed", range(25))
def test_no_random_secret_gets_through_json_in_a_log_line(seed: int) -> None:
    chance = random.Random(seed)
    letters = string.ascii_letters + string.digits + '"\\/+ \t\n%é€'
    secrets = ["".join(chance.choices(letters, k=chance.randint(4, 60))).strip() or "fallback" for _ in range(8)]
    redactor = Redactor()
    for secret in secrets:
        redactor.add(secret)
    for secret in secrets:
        if len(secret) >= 4:
            for line in (
                secret,
                json.dumps({"token": secret}),
                quote(secret),
                json.dumps([secret], ensure_ascii=False),
            ):
                assert secret not in redactor.clean(f"> {line} <")


def test_without_a_secret_cleaning_costs_next_to_nothing_and_with_fifty_it_stays_fast() -> None:
    text = "an ordinary line of a log that says what was called " * 20
    redactor = Redactor()
    for number in range(50):
        redactor.add(f"sk-{number:04}-{'abcdef' * 6}")
    best = []
    for cleaner in (Redactor(), redactor):
        tries = []
        for _ in range(5):
            started = time.perf_counter()
            cleaner.clean(text)
            tries.append(time.perf_counter() - started)
        best.append(min(tries))
    print([f"{seconds * 1e6:.1f} µs for {len(text)} characters" for seconds in best])
    assert best[0] < 0.0001
    assert best[1] < 0.02


def test_of_a_text_that_was_cut_the_beginning_of_a_secret_goes_as_well() -> None:
    redactor = Redactor()
    redactor.add("correct-horse-battery")
    redactor.add("cor-cor-correct")
    assert redactor.clean_beginning("token correct-hor") == "token •••"
    assert redactor.clean_beginning("token corr") == "token •••"
    assert redactor.clean_beginning("x cor-cor-cor") == "x •••"
    assert redactor.clean_beginning("the cor") == "the cor"
    assert redactor.clean_beginning("correct-horse-battery and correct answer") == "••• and correct answer"
