"""Whatever a person pastes is understood as a server or answered with a sentence, and its secrets stay out of the entry."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from desktop.catalog.loading import parse_catalog
from desktop.clients.draft import Draft, DraftValue, entry_of, look_at
from desktop.clients.pasted import Understanding, understand
from desktop.clients.secret_signs import PlainKeys
from desktop.errors import GatewayError
from desktop.state import yaml_text

KEYS = PlainKeys()
NPX = {
    "command": "npx",
    "args": ["-y", "@acme/files-mcp", "/data"],
    "env": {"ACME_TOKEN": "t0p-s3cret", "MODE": "fast"},
}


def understood(text: str, *taken: str) -> Understanding:
    return understand(text, taken, KEYS)


def only(text: str, *taken: str) -> Draft:
    found = understood(text, *taken)
    assert found.problem == ""
    (draft,) = found.drafts
    return draft


def values(draft: Draft) -> dict[str, tuple[str, bool]]:
    return {value.name: (value.value, value.is_secret) for value in draft.values}


@pytest.mark.parametrize(
    ("text", "name", "kind", "source", "arguments"),
    [
        ("https://mcp.notion.com/mcp", "notion", "remote", "https://mcp.notion.com/mcp", ()),
        ("  http://127.0.0.1:3000/mcp\n", "127-0-0-1", "remote", "http://127.0.0.1:3000/mcp", ()),
        ("https://api.acme.co.uk/sse", "acme", "remote", "https://api.acme.co.uk/sse", ()),
        ("docker run -i --rm mcp/time", "time", "container", "mcp/time", ()),
        ("$ docker run --rm -it ghcr.io/acme/acme-mcp-server:1.2 stdio", "acme", "container",
         "ghcr.io/acme/acme-mcp-server:1.2", ("stdio",)),
        ("podman container run -i mcp/time", "time", "container", "mcp/time", ()),
        ("npx -y @modelcontextprotocol/server-everything@1.0", "everything", "package",
         "npx @modelcontextprotocol/server-everything@1.0", ()),
        ("npx @acme/mcp --fast", "acme", "package", "npx @acme/mcp", ("--fast",)),
        ("uvx mcp-server-time --local-timezone=UTC", "time", "package", "uvx mcp-server-time", ("--local-timezone=UTC",)),
        ("uvx --from git+https://example.org/x.git tool", "tool", "package",
         "uvx --from git+https://example.org/x.git tool", ()),
        ("pipx run acme-mcp", "acme", "package", "uvx acme-mcp", ()),
        ("pipx run --spec acme==2 acme-tool", "acme-tool", "package", "uvx --from acme==2 acme-tool", ()),
        ("uv tool run acme", "acme", "package", "uvx acme", ()),
        ("pnpm dlx acme", "acme", "package", "npx acme", ()),
        ("cmd /c npx -y acme", "acme", "package", "npx acme", ()),
        ("npx -y mcp-remote@latest https://far.example/sse", "far", "remote", "https://far.example/sse", ()),
        ("claude mcp add --transport http acme https://x.example/mcp", "acme", "remote", "https://x.example/mcp", ()),
        ("codex mcp add acme -- npx -y @x/it", "acme", "package", "npx @x/it", ()),
        ("docker run \\\n  -i --rm \\\n  mcp/time", "time", "container", "mcp/time", ()),
        ("@acme/files-mcp", "files", "package", "npx @acme/files-mcp", ()),
        ("mcp/time:1", "time", "container", "mcp/time:1", ()),
        ("```sh\nuvx acme\n```", "acme", "package", "uvx acme", ()),
    ],
)  # fmt: skip
def test_addresses_and_commands_become_a_form(
    text: str, name: str, kind: str, source: str, arguments: tuple[str, ...]
) -> None:
    draft = only(text)
    assert (draft.name, draft.kind, draft.source, draft.arguments) == (name, kind, source, arguments)
    assert draft.problem == ""


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"mcpServers": {"files": NPX}}),
        json.dumps({"servers": {"files": {"type": "stdio", **NPX}}, "inputs": []}, indent=4),
        json.dumps({"mcp": {"servers": {"files": NPX}}}),
        json.dumps({"context_servers": {"files": {"source": "custom", **NPX}}}),
        json.dumps({"files": NPX}),
        json.dumps({"name": "files", **NPX}),
        json.dumps({"mcpServers": [{"name": "files", **NPX}]}),
        '"files": ' + json.dumps(NPX) + ",",
        '"mcpServers": ' + json.dumps({"files": NPX}),
        "```json\n// put it here\n"
        + json.dumps({"mcpServers": {"files": NPX}}).replace("}}}", "},}, /* x */}")
        + "\n```",
        '[mcp_servers.files]\ncommand = "npx"\nargs = ["-y", "@acme/files-mcp", "/data"]\n'
        'env = { ACME_TOKEN = "t0p-s3cret", MODE = "fast" }\n',
        "mcpServers:\n  files:\n    command: npx\n    args: [-y, '@acme/files-mcp', /data]\n"
        "    env: {ACME_TOKEN: t0p-s3cret, MODE: fast}\n",
        "claude mcp add-json files '" + json.dumps(NPX) + "'",
        "code --add-mcp '" + json.dumps({"name": "files", **NPX}) + "'",
        "vscode:mcp/install?" + quote(json.dumps({"name": "files", **NPX})),
        "cursor://anysphere.cursor-deeplink/mcp/install?name=files&config="
        + quote(base64.b64encode(json.dumps(NPX).encode()).decode()),
        "ACME_TOKEN=t0p-s3cret MODE=fast npx -y @acme/files-mcp /data",
        "export ACME_TOKEN=t0p-s3cret\nexport MODE=fast\nnpx -y @acme/files-mcp /data",
        "claude mcp add files -e ACME_TOKEN=t0p-s3cret --env MODE=fast -- npx -y @acme/files-mcp /data",
    ],
)
def test_a_configuration_in_any_clients_words_says_the_same(text: str) -> None:
    draft = only(text)
    assert (draft.name, draft.title) == ("files", "Files")
    assert (draft.kind, draft.source, draft.arguments) == ("package", "npx @acme/files-mcp", ("/data",))
    assert values(draft) == {"ACME_TOKEN": ("t0p-s3cret", True), "MODE": ("fast", False)}
    made = entry_of(draft, KEYS)
    assert made.secrets == {"files.acme_token": "t0p-s3cret"}
    assert made.entry["env"] == [{"name": "MODE", "value": "fast"}]
    assert "t0p-s3cret" not in repr(draft) + repr(made.entry)


def test_variables_of_a_container_and_what_it_sees_are_taken_over() -> None:
    draft = only(
        'docker run -i --rm -e KEY_ID -e "API_KEY=abc def" --env=MODE=a -v /srv:/srv:ro -u 1000 acme/it:1 serve'
    )
    assert values(draft) == {"KEY_ID": ("", True), "API_KEY": ("abc def", True), "MODE": ("a", False)}
    assert (draft.mounts, draft.arguments) == (("/srv:/srv:ro",), ("serve",))
    made = entry_of(draft, KEYS)
    assert made.secrets == {"it.api_key": "abc def"}
    assert [secret["env"] for secret in made.entry["secrets"]] == ["KEY_ID", "API_KEY"]
    assert made.entry["user"] == "1000"


def test_headers_are_taken_over_and_keys_in_them_are_secrets() -> None:
    entry = {"url": "https://x.example/mcp", "headers": {"Authorization": "Bearer k3y-of-x", "X-Region": "eu"}}
    draft = only(json.dumps({"x": entry}))
    assert values(draft) == {"Authorization": ("Bearer k3y-of-x", True), "X-Region": ("eu", False)}
    made = entry_of(draft, KEYS)
    assert made.secrets == {"x.authorization": "k3y-of-x"}
    assert made.entry["remote"]["headers"] == {"Authorization": "Bearer ${X_AUTHORIZATION}", "X-Region": "eu"}
    bridged = only('npx mcp-remote https://x.example/mcp --header "Authorization: Bearer ${T}"')
    assert values(bridged) == {"Authorization": ("Bearer ", True)}
    assert entry_of(bridged, KEYS).secrets == {}


@pytest.mark.parametrize(
    "value",
    [
        "<your token>",
        "YOUR_TOKEN",
        "your-token-here",
        "${input:token}",
        "$TOKEN",
        "%TOKEN%",
        "xxxx",
        "...",
        "",
        "{token}",
    ],
)
def test_what_only_stands_for_a_value_is_left_to_the_person(value: str) -> None:
    draft = only(json.dumps({"it": {"command": "npx", "args": ["it"], "env": {"IT_TOKEN": value}}}))
    assert values(draft) == {"IT_TOKEN": ("", True)}
    made = entry_of(draft, KEYS)
    assert made.secrets == {}
    assert made.entry["secrets"] == [{"name": "it.it_token", "env": "IT_TOKEN"}]


def test_names_are_made_unique_and_several_servers_are_all_there() -> None:
    text = json.dumps({"mcpServers": {"a": NPX, "A": {"url": "https://a.example/mcp"}, "b": {"command": "python"}}})
    drafts = understood(text, "a").drafts
    assert [draft.name for draft in drafts] == ["a-2", "a-3", "b"]
    assert "python" in drafts[2].problem
    assert drafts[2].kind == ""


def test_what_the_person_changes_in_the_form_is_what_becomes_of_it() -> None:
    draft = only("docker run -i -e MODE=a -e T=b acme/it")
    changed = Draft(
        name="mine",
        title="My own",
        server=draft.server,
        values=(DraftValue(name="MODE", value="s3cr3t", is_secret=True), DraftValue(name="T", value="")),
    )
    made = entry_of(look_at(changed, KEYS), KEYS)
    assert made.secrets == {"mine.mode": "s3cr3t"}
    assert made.entry == {
        "title": "My own",
        "type": "server",
        "image": "acme/it",
        "secrets": [{"name": "mine.mode", "env": "MODE"}],
    }


@pytest.mark.parametrize(
    "text", ["github-official", "io.github.acme/files", "https://hub.docker.com/mcp/server/time/manual"]
)
def test_a_bare_name_is_to_be_looked_up(text: str) -> None:
    found = understood(text)
    assert found.drafts == ()
    assert found.wanted in ("github-official", "io.github.acme/files", "time")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hello there, add a server", "neither an address"),
        ("https://", "no host yet"),
        ("https://github.com/acme/files-mcp", "page of github.com"),
        ("https://packages.example.com/package/@acme/files", "page of packages.example.com"),
        ("https://packages.example.com/project/acme-files/", "page of packages.example.com"),
        ('{"mcpServers": {"a": {', "The text"),
        ('{"a": 1}', "no server in this JSON"),
        ("[mcp_servers.a]\ncommand = ", "TOML yet"),
        ("docker run -e 'A=b", "not closed"),
        ("claude mcp add acme", "does not say what it starts"),
        ('{"MCP_DOCKER": {"command": "docker", "args": ["mcp", "gateway", "run"]}}', "circle"),
        ("x" * 300_000, "too much text"),
        ("a\0b", "not text"),
    ],
)
def test_what_is_no_server_is_answered_with_a_sentence(text: str, says: str) -> None:
    found = understood(text)
    assert found.drafts == ()
    assert says in found.problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("docker run --privileged -i acme/it", "--privileged"),
        ("docker run -i", "without an image"),
        ("npx it --api-key=abcdef123", "among its arguments"),
        ("https://it.example/mcp?api_key=abcdef123", "in its address"),
        ("https://ada:abcdef123@it.example/mcp", "in its address"),
        ("./run.sh", "run.sh"),
    ],
)
def test_what_can_not_be_run_is_a_form_that_says_why(text: str, says: str) -> None:
    (draft,) = understood(text).drafts
    assert says in draft.problem
    assert "abcdef123" not in draft.problem
    with pytest.raises(GatewayError, match=says):
        entry_of(draft, KEYS)


SERVER_JSON = {
    "name": "io.github.acme/weather-mcp",
    "description": "The weather",
    "version": "1.2.0",
    "packages": [
        {
            "registryType": "npm",
            "identifier": "@acme/weather",
            "version": "1.2.0",
            "transport": {"type": "stdio"},
            "environmentVariables": [{"name": "WEATHER_KEY", "isSecret": True}, {"name": "UNITS", "default": "metric"}],
        }
    ],
}


@pytest.mark.parametrize("text", [json.dumps(SERVER_JSON), json.dumps({"server": SERVER_JSON, "_meta": {}})])
def test_a_document_of_a_registry_becomes_a_form_that_asks_for_its_secrets(text: str) -> None:
    draft = only(text, "weather")
    assert (draft.name, draft.title, draft.kind) == ("weather-2", "Weather", "package")
    assert draft.source == "npx @acme/weather@1.2.0"
    assert values(draft) == {"WEATHER_KEY": ("", True)}
    named = replace(draft, name="w", title="W", values=(DraftValue(name="WEATHER_KEY", value="k3y", is_secret=True),))
    made = entry_of(look_at(named, KEYS), KEYS)
    assert made.secrets == {made.entry["secrets"][0]["name"]: "k3y"}
    assert made.entry["secrets"][0]["name"].startswith("w.")
    assert (made.entry["name"], made.entry["title"]) == ("w", "W")
    assert "docker-mcp-npm-cache-w:/root/.npm" in made.entry["volumes"]
    assert "k3y" not in str(made.entry) + repr(named)
    impossible = {**SERVER_JSON, "packages": [{"registryType": "nuget", "identifier": "x"}]}
    assert "incompatible" in understood(json.dumps(impossible)).drafts[0].problem


def test_an_address_in_a_registry_is_to_be_asked_for_the_server() -> None:
    address = "https://registry.example/v0/servers/io.github.acme%2Fweather/versions/latest"
    assert understood(address).registry == address


PIECES = [
    "docker run ", "npx -y ", "uvx ", "pipx run ", "-e ", "A=b ", "TOKEN=", "--header ", "https://", "http://[", "{", "}",
    '"mcpServers": ', '"command": ', '"npx"', '"args": [', "]", '"url": ', ",", ":", '"', "'", "\\\n", "[mcp_servers.x]\n",
    "command = ", "\n", " ", "$ ", "```", "mcp-remote ", "claude mcp add ", "--", "mcp/x", "@a/b", "null", "1e999", "//",
    "/*", "vscode:mcp/install?", "config=", "\ufeff", "\ud800", "\u202e", "ü", "a:\n  - ", "&a", "*a", "<<: ", "!!python/x ",
]  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)))
@example("[" * 5000)
@example('{"a":' * 5000)
@example('{"command": ["npx", 1], "args": {"a": 1}, "env": [1]}')
@example("http://[::1")
@example("npx \ud800")
@example('{"command": "npx", "args": ["\\ud800"], "env": {"A_KEY": "\\ud800"}}')
def test_no_text_makes_it_fall(text: str) -> None:
    found = understood(text)
    is_empty = "```" in text or not any(map(str.isalnum, text))
    assert found.drafts or found.wanted or found.problem or is_empty
    for draft in found.drafts:
        assert draft.name
        assert bool(draft.problem) is not bool(draft.kind)


WORDS = """
mcpServers servers mcp command args env url type headers name enabled packages remotes registryType identifier version
transport environmentVariables packageArguments runtimeArguments isSecret value default variables server title oauth
requestOptions context_servers extensions cmd envs path
"""
KEY = st.sampled_from(WORDS.split())
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(["npx", "docker", "run", "npm", "oci", "pypi", "stdio", "https://x.example/mcp", "-e", "A=b", "{a}"]),
)  # fmt: skip
DOCUMENTS = st.dictionaries(
    KEY,
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEY, inner, max_size=5)),
        max_leaves=25,
    ),
    max_size=6,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS)
def test_no_configuration_makes_it_fall(document: dict[str, Any]) -> None:
    for draft in understood(json.dumps(document)).drafts:
        assert draft.name
        assert bool(draft.problem) is not bool(draft.kind)
        if not draft.problem:
            entry_of(draft, KEYS)


SECRETS = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=10, max_size=40).map(
    lambda text: f"s3cr-{text}"
)
NAMES = st.sampled_from(["API_KEY", "ACME_TOKEN", "DB_PASSWORD", "SECRET", "X_AUTH_TOKEN"])


def forms(name: str, secret: str) -> list[str]:
    """The same secret in every manner of saying it."""
    entry: dict[str, Any] = {"command": "npx", "args": ["-y", "it"], "env": {name: secret}}
    docker = {"command": "docker", "args": ["run", "-i", "-e", f"{name}={secret}", "acme/it"]}
    remote = {"url": "https://it.example/mcp", "headers": {"X-Api-Key": secret, "Authorization": f"Bearer {secret}"}}
    quoted = "'" + secret.replace("'", "'\\''") + "'"
    return [
        *(json.dumps({"mcpServers": {"it": each}}) for each in (entry, docker, remote)),
        f"{name}={quoted} npx -y it",
        f"docker run -i --rm -e {name}={quoted} acme/it",
        f"docker run -i --rm -e{name}={quoted} acme/it",
        f"docker run -i --rm --env={name}={quoted} acme/it",
        f"npx -y it --token {quoted}",
        f"https://it.example/mcp?token={quote(secret)}",
        f"[mcp_servers.it]\ncommand='npx'\nargs=['it']\nenv={{{name}={json.dumps(secret)}}}\n",
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NAMES, SECRETS)
def test_no_secret_ever_stands_in_the_catalog(name: str, secret: str) -> None:
    for text in forms(name, secret):
        found = understood(text)
        assert secret not in found.problem
        for draft in found.drafts:
            assert secret not in repr(draft)
            assert secret not in draft.problem
            if draft.problem:
                continue
            made = entry_of(draft, KEYS)
            written = yaml_text.dump({"name": "my-servers", "registry": {draft.name: made.entry}})
            assert secret not in written
            assert secret not in repr(made.entry)
            assert set(made.secrets.values()) <= {secret}
            assert parse_catalog(written, where="it").problems == ()
