"""Secrets in messages are found by what they look like or by their exact value, and nothing harmless is taken for one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import string
import threading
import time
import uuid
from pathlib import Path

import pytest

from desktop.secrets.redaction import Redactor
from desktop.secrets.scanner import INLINE, STORED, SecretScanner
from desktop.secrets.token_rules import RULES

HEX = "0123456789abcdef"
ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
URLSAFE = ALNUM + "-_"
random_of = random.Random(20261122)


def some(alphabet: str, count: int) -> str:
    """Random text that holds a digit and a letter of each kind the alphabet has."""
    kinds = [
        kind for kind in (string.digits, string.ascii_lowercase, string.ascii_uppercase) if set(kind) & set(alphabet)
    ]
    while True:
        text = "".join(random_of.choices(alphabet, k=count))
        if all(set(kind) & set(text) for kind in kinds) and text[0].isalnum() and text[-1].isalnum():
            return text


def uid() -> str:
    return str(uuid.UUID(int=random_of.getrandbits(128), version=4))


def pem(kind: str) -> str:
    body = base64.b64encode(random_of.randbytes(1200)).decode()
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    return f"-----BEGIN {kind}PRIVATE " + f"KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"


def jwt() -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"%d","name":"Somebody"}' % random_of.randrange(10**9))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "." + some(URLSAFE, 43)


# Family -> texts, each put together from parts, so that no scanner of repositories takes this file for a leak.
EXAMPLES: list[tuple[str, str]] = [
    ("AWS access key id", "AK" + "IA" + some("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
    ("AWS access key id", "AS" + "IA" + some("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
    ("AWS secret key", f"aws_secret_access_key = {some(ALNUM, 40)}"),
    ("AWS secret key", json.dumps({"SecretAccessKey": some(ALNUM, 39) + "/"})[1:-1].replace("/", "b")),
    ("Google Cloud service account", json.dumps({"type": "service_account", "project_id": "p", "private_key": pem("")})),
    ("Google OAuth client secret", "GOC" + "SPX-" + some(URLSAFE, 28)),
    ("Alibaba access key id", "LT" + "AI" + some(ALNUM, 20)),
    ("Alibaba access key secret", f"ALIYUN_ACCESS_KEY_SECRET={some(ALNUM, 30)}"),
    ("DigitalOcean token", "dop" + "_v1_" + some(HEX, 64)),
    ("Heroku API key", f"HEROKU_API_KEY={uid()}"),
    ("PlanetScale credential", "pscale" + "_pw_" + some(URLSAFE, 43)),
    ("PlanetScale credential", "pscale" + "_tkn_" + some(URLSAFE, 43)),
    ("Fastly API token", f'fastly_api_key: "{some(URLSAFE, 32)}"'),
    ("Databricks token", "da" + "pi" + some(HEX, 32)),
    ("Doppler token", "dp" + ".pt." + some(ALNUM, 43)),
    ("Pulumi token", "pu" + "l-" + some(HEX, 40)),
    ("Terraform Cloud token", some(ALNUM, 14) + ".atlas" + "v1." + some(URLSAFE, 67)),
    *[("GitHub token", f"gh{kind}" + "_" + some(ALNUM, 36)) for kind in "pousr"],
    ("GitHub fine-grained token", "github" + "_pat_" + some(ALNUM, 22) + "_" + some(ALNUM, 59)),
    ("GitLab token", "gl" + "pat-" + some(URLSAFE, 20)),
    ("Hugging Face token", "h" + "f_" + some(string.ascii_letters, 34)),
    ("PyPI token", "py" + "pi-AgEIcHlwaS5vcmc" + some(URLSAFE, 150)),
    ("npm token", "np" + "m_" + some(ALNUM, 36)),
    ("RubyGems key", "ruby" + "gems_" + some(HEX, 48)),
    ("Clojars token", "CLO" + "JARS_" + some(LOWER, 60)),
    ("Packagist token", "packagist" + "_ort_" + some(HEX, 68)),
    ("Docker access token", "dckr" + "_pat_" + some(URLSAFE, 27)),
    ("Docker login", json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": some(ALNUM, 40)}}})),
    ("Atlassian token", "ATA" + "TT3" + some(URLSAFE, 180)),
    ("Atlassian token", f"JIRA_API_TOKEN={some(ALNUM, 24)}"),
    ("Bitbucket app password", "AT" + "BB" + some(ALNUM, 32)),
    ("Bitbucket client secret", f'"bitbucket_client_secret": "{some(ALNUM, 64)}"'),
    ("Bitbucket client id", f'"bitbucket_client_id": "{some(ALNUM, 32)}"'),
    ("Postman key", "PM" + "AK-" + some(HEX, 24) + "-" + some(HEX, 34)),
    ("Linear API key", "lin" + "_api_" + some(ALNUM, 40)),
    ("Linear client secret", f"linear_client_secret={some(HEX, 32)}"),
    ("New Relic key", "NR" + "AK-" + some(UPPER, 27)),
    ("New Relic key", "NR" + "JS-" + some(HEX, 19)),
    ("Grafana token", "gl" + "sa_" + some(ALNUM, 32) + "_" + some(HEX, 8)),
    ("Dynatrace token", "dt0" + "c01." + some(UPPER, 24) + "." + some(UPPER, 64)),
    ("OpenAI key", "sk-" + "proj-" + some(URLSAFE, 150)),
    ("Anthropic key", "sk-" + "ant-api03-" + some(URLSAFE, 95)),
    ("Slack token", "xo" + "xb-" + some(string.digits, 12) + "-" + some(string.digits, 13) + "-" + some(ALNUM, 24)),
    ("Slack webhook", "https://hooks.slack" + f".com/services/T{some(UPPER, 8)}/B{some(UPPER, 8)}/{some(ALNUM, 24)}"),
    ("Discord token", f"DISCORD_TOKEN=M{some(ALNUM, 23)}.{some(ALNUM, 6)}.{some(URLSAFE, 38)}"),
    ("Discord client secret", f'"discord_client_secret":"{some(ALNUM, 32)}"'),
    ("Discord client id", f"discord_client_id={some(string.digits, 18)}"),
    ("Twilio API key", "S" + "K" + some(HEX, 32)),
    ("Twilio token", f"TWILIO_AUTH_TOKEN={some(HEX, 32)}"),
    ("SendGrid key", "S" + "G." + some(URLSAFE, 22) + "." + some(URLSAFE, 43)),
    ("Sendinblue key", "xkey" + "sib-" + some(HEX, 64) + "-" + some(ALNUM, 16)),
    ("Mailchimp key", some(HEX, 32) + "-us" + "12"),
    ("Mailgun key", f"MAILGUN_API_KEY=key-{some(HEX, 32)}"),
    ("MessageBird token", f"messagebird_access_key={some(ALNUM, 25)}"),
    ("MessageBird client id", f"messagebird_client_id={uid()}"),
    ("Intercom token", f"intercom_access_token={some(ALNUM, 60)}"),
    ("Intercom client secret", f"intercom_client_secret={uid()}"),
    ("HubSpot token", "pat" + f"-na1-{uid()}"),
    ("HubSpot key", f"HUBSPOT_API_KEY={uid()}"),
    ("Facebook token", "EA" + "A" + some(ALNUM, 170) + "ZD"),
    ("Facebook app secret", json.dumps({"facebook": {"app_secret": some(HEX, 32)}})),
    ("Twitter key", f"TWITTER_API_SECRET={some(ALNUM, 50)}"),
    ("LinkedIn client secret", f"linkedin_client_secret={some(ALNUM, 16)}"),
    ("LinkedIn client id", f"linkedin_client_id={some(LOWER, 14)}"),
    ("Twitch token", f"twitch_client_secret={some(LOWER, 30)}"),
    ("Typeform token", "tf" + "p_" + some(URLSAFE, 44)),
    ("Beamer key", f"beamer_api_key=b_{some(URLSAFE, 44)}"),
    ("Stripe secret key", "sk" + "_live_" + some(ALNUM, 24)),
    ("Stripe secret key", "rk" + "_test_" + some(ALNUM, 24)),
    ("Stripe publishable key", "pk" + "_live_" + some(ALNUM, 24)),
    *[("Shopify token", f"shp{kind}" + "_" + some(HEX, 32)) for kind in ("ss", "at", "ca", "pa")],
    ("Flutterwave key", "FLW" + "SECK-" + some(HEX, 32) + "-X"),
    ("Flutterwave key", "FLW" + "PUBK_TEST-" + some(HEX, 32) + "-X"),
    ("GoCardless token", f"gocardless_access_token=live_{some(URLSAFE, 40)}"),
    ("Finicity token", f"finicity_client_secret={some(LOWER, 20)}"),
    ("Finicity token", f"finicity_api_token={some(HEX, 32)}"),
    ("Duffel token", "duffel" + "_test_" + some(URLSAFE, 43)),
    ("EasyPost key", "EZ" + "AK" + some(ALNUM, 54)),
    ("EasyPost key", "EZ" + "TK" + some(ALNUM, 54)),
    ("Shippo token", "shippo" + "_live_" + some(HEX, 40)),
    ("Lob key", "live" + "_" + some(HEX, 35)),
    ("Lob key", "test" + "_pub_" + some(HEX, 31)),
    ("Adobe client secret", "p8" + "e-" + some(ALNUM, 32)),
    ("Adobe client id", f"adobe_client_id={some(HEX, 32)}"),
    ("Asana client id", f"asana_client_id={some(string.digits, 16)}"),
    ("Asana token", f"asana_client_secret={some(LOWER, 32)}"),
    ("Contentful token", f"contentful_access_token={some(ALNUM, 43)}"),
    ("Dropbox token", "s" + "l." + some(URLSAFE, 140)),
    ("Dropbox token", f"dropbox_api_secret={some(LOWER, 15)}"),
    ("Dropbox token", f"dropbox_token={some(LOWER, 11)}AAAAAAAAAA{some(URLSAFE, 43)}"),
    ("Frame.io token", "fi" + "o-u-" + some(URLSAFE, 64)),
    ("Ionic token", "io" + "n_" + some(ALNUM, 42)),
    ("Mapbox token", "pk" + ".eyJ" + some(ALNUM, 60) + "." + some(ALNUM, 22)),
    *[("private key", pem(kind)) for kind in ("", "RSA ", "EC ", "OPENSSH ")],
    ("age secret key", "AGE-SECRET" + "-KEY-1" + some("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    ("JSON web token", jwt()),
]  # fmt: skip


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
def scanner(redactor: Redactor) -> SecretScanner:
    return SecretScanner(redactor)


def result(text: object) -> bytes:
    """An answer with this as its text."""
    return json.dumps({"content": [{"type": "text", "text": text}], "isError": False}).encode()


@pytest.mark.parametrize(("family", "text"), EXAMPLES, ids=[f"{family} {n}" for n, (family, _) in enumerate(EXAMPLES)])
def test_a_secret_of_each_family_is_found_wherever_it_stands(scanner: SecretScanner, family: str, text: str) -> None:
    assert scanner.family(result(text)) == family
    assert scanner.family(result(f"first line\n{text}\nlast line")) == family
    assert scanner.family(result(f"see <{text}>, and go on")) == family
    assert scanner.family(result(json.dumps({"inner": f"a\n{text}"}))) == family
    assert scanner.family(json.dumps({"structuredContent": {"deep": [{"er": text}]}}, indent=1).encode()) == family
    assert scanner.family(json.dumps({"resource": {"uri": "file:///x", "text": text}}).encode()) == family


@pytest.mark.parametrize(("family", "text"), EXAMPLES, ids=[f"{family} {n}" for n, (family, _) in enumerate(EXAMPLES)])
def test_a_secret_is_found_and_replaced_however_its_letters_are_escaped(
    scanner: SecretScanner, family: str, text: str
) -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" if letter.isalnum() else json.dumps(letter)[1:-1] for letter in text)
    message = b'{"text":"%b"}' % escaped.encode()
    assert json.loads(message)["text"] == text
    assert scanner.family(message) == family
    cleaned, families = scanner.redacted(message)
    assert family in families
    assert scanner.family(cleaned) == ""
    assert f"[{family} removed]" in json.loads(cleaned)["text"]


def test_every_rule_has_an_example() -> None:
    assert {rule.family for rule in RULES} == {family for family, _ in EXAMPLES}


def test_all_secrets_of_a_message_are_replaced_and_the_rest_stays(scanner: SecretScanner) -> None:
    texts = [
        text for family, text in EXAMPLES if family in ("GitHub token", "private key", "Slack webhook", "Twilio token")
    ]
    message = {"content": [{"type": "text", "text": f"x\n{text}\ty “z” {text}"} for text in texts], "n": [1, None, 2.5]}
    cleaned, families = scanner.redacted(json.dumps(message).encode())
    assert set(families) == {"GitHub token", "private key", "Slack webhook", "Twilio token"}
    found = json.loads(cleaned)
    assert found["n"] == [1, None, 2.5]
    for entry in found["content"]:
        assert entry["text"].startswith("x\n")
        assert "removed]\ty “z” " in entry["text"]
    assert scanner.redacted(cleaned) == (cleaned, ())


# The person's own secrets.


def test_a_stored_secret_is_found_by_its_value_and_in_base64(scanner: SecretScanner, redactor: Redactor) -> None:
    value = "correct horse/battery+staple"
    assert scanner.family(result(value)) == ""
    redactor.add(value)
    assert scanner.family(result(f"it is {value}.")) == STORED
    assert scanner.family(result(value).replace(b"/", b"\\/")) == STORED
    for before in ("", "a", "ab"):
        assert scanner.family(result(base64.b64encode(f"{before}{value}:x".encode()).decode())) == STORED
    redactor.add("hunter2hunter2hunter2")
    assert scanner.family(result("Basic:hunter2hunter2hunter2")) == STORED
    cleaned, families = scanner.redacted(result(f"{value} and hunter2hunter2hunter2"))
    assert families == (STORED,)
    assert json.loads(cleaned)["content"][0]["text"] == f"[{STORED} removed] and [{STORED} removed]"


def test_a_short_stored_value_blocks_nothing(scanner: SecretScanner, redactor: Redactor) -> None:
    redactor.add("admin")
    assert scanner.family(result("the admin of the place")) == ""


# What is no secret.


def harmless() -> list[str]:
    source = Path(__file__).parents[2]
    code = [path.read_text("utf-8") for path in sorted(source.glob("desktop/**/*.py"))]
    digests = [hashlib.new(name, b"x").hexdigest() for name in ("md5", "sha1", "sha256", "sha512")]
    names = ("id", "commit", "etag", "request_id", "checksum", "facebook_page_id", "discord_user_id", "linear_issue")
    return [
        *code,
        *(f"{name}={uid()}" for name in names),
        *(json.dumps({name: digest}) for name in names for digest in digests),
        *(f"sha256:{digest} {name}" for name in names for digest in digests),
        json.dumps({"image": base64.b64encode(random_of.randbytes(300_000)).decode(), "mimeType": "image/png"}),
        base64.urlsafe_b64encode(random_of.randbytes(300_000)).decode(),
        "AKIAIOSFODNN7" + "EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY",
        "token: ghp" + "_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "export GITHUB_TOKEN=ghp_your_token_here",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "Set HEROKU_API_KEY, TWILIO_AUTH_TOKEN and DISCORD_TOKEN before the start.",
        "def test_everything_that_has_a_very_long_name_indeed(): pass",
        "https://github.com/user/repo/blob/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567/package-lock.json",
        "xoxo-and-hugs-from-all-of-us, sk-learn-is-a-package-for-machine-learning, pk_constraint_of_a_table",
        '"integrity": "sha512-' + base64.b64encode(random_of.randbytes(64)).decode() + '"',
        "the linear token economy: 12; facebook: secret: none; the key to twitter is patience and persistence",
    ]


def test_ids_hashes_images_code_and_examples_of_manuals_are_no_secrets(scanner: SecretScanner) -> None:
    alarms = {scanner.family(result(text)): text[:200] for text in harmless()}
    assert set(alarms) == {""}, alarms
    assert scanner.family(result("\n".join(harmless()))) == ""


def test_random_text_of_words_ids_and_base64_raises_no_alarm(scanner: SecretScanner) -> None:
    words = [
        "token",
        "key",
        "secret",
        "facebook",
        "aws",
        "heroku",
        "client",
        "discord",
        "twilio",
        "the",
        "of",
        ":",
        "=",
    ]
    for _ in range(300):
        parts = random_of.choices(words, k=40)
        parts += [uid(), base64.b64encode(random_of.randbytes(30)).decode(), str(random_of.getrandbits(64))]
        random_of.shuffle(parts)
        text = " ".join(part for part in parts if part not in ":=")
        assert scanner.family(result(text)) == "", text


# What it costs.


async def test_a_large_message_is_searched_without_holding_up_the_loop(scanner: SecretScanner) -> None:
    paragraph = (
        "The fox “jumps” over 123e4567-e89b-12d3-a456-426614174000;\n\tsee https://example.org/key=a and twitter. "
    )
    message = result(paragraph * (10_000_000 // len(paragraph)))
    assert len(message) > INLINE
    longest, stop = 0.0, threading.Event()

    async def watch() -> None:
        nonlocal longest
        while not stop.is_set():
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - begun - 0.001)

    watching = asyncio.create_task(watch())
    begun = time.perf_counter()
    assert await asyncio.to_thread(scanner.family, message) == ""
    pass_took = time.perf_counter() - begun
    end = message[:-40] + b" ghp" + b"_" + some(ALNUM, 36).encode() + message[-40:]
    assert await asyncio.to_thread(scanner.family, end) == "GitHub token"
    stop.set()
    await watching
    assert longest < pass_took / 3


def test_a_token_across_the_pieces_of_a_large_message_is_found(scanner: SecretScanner) -> None:
    token = "gh" + "p_" + some(ALNUM, 36)
    for offset in range(0, 80, 7):
        filler = "word " * ((64 * 1024 - offset) // 5)
        assert scanner.family(result(filler + token + " word" * 5000)) == "GitHub token"
