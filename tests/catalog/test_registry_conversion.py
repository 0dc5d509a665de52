"""What a server.json of the community registry becomes: examples of every rule, then documents nobody would write."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.catalog.kinds import kind_of
from desktop.catalog.model import CatalogServer
from desktop.catalog.registry_conversion import catalog_entry, converted_server, server_name
from desktop.catalog.registry_document import read_document
from desktop.errors import CatalogError
from desktop.servers.launch import environment, remote_headers
from desktop.servers.templates import evaluate_list, expand_variables

NAME = "io.github.foo/bar"
ROOT = "io-github-foo-bar"


def package(kind: str = "oci", **more: Any) -> dict[str, Any]:
    return {"registryType": kind, "identifier": "foo/bar", "version": "1.2.3", "transport": {"type": "stdio"}, **more}


def converted(*packages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return catalog_entry(read_document({"name": NAME, "version": "2", "packages": list(packages), **more}))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("io.github.foo/bar", "io-github-foo-bar"),
        ("com.example/a_b.c", "com-example-a_b-c"),
        ("../x", "x"),
        ("__a", "a"),
        ("äö", "server"),
        ("", "server"),
    ],
)
def test_a_name_becomes_one_of_the_catalog(name: str, expected: str) -> None:
    assert server_name(name) == expected


def test_what_people_read_is_taken_over() -> None:
    data = {
        "name": NAME,
        "title": "Bar",
        "description": "Serves.",
        "version": "2",
        "icons": [{"src": "https://example.com/i.png"}],
        "repository": {"url": "https://example.com/r"},
        "packages": [package()],
    }
    entry = catalog_entry(read_document({"server": data, "_meta": {}}), base="https://registry.example")
    assert entry == {
        "name": ROOT,
        "title": "Bar",
        "description": "Serves.",
        "icon": "https://example.com/i.png",
        "source": "https://example.com/r",
        "type": "server",
        "image": "foo/bar:1.2.3",
        "metadata": {
            "tags": ["community"],
            "registryUrl": "https://registry.example/v0/servers/io.github.foo%2Fbar/versions/2",
        },
    }


@pytest.mark.parametrize(
    ("identifier", "version", "base", "image"),
    [
        ("foo/bar", "1.2", "", "foo/bar:1.2"),
        ("foo/bar", "", "", "foo/bar"),
        ("ghcr.io/foo/bar:1.0", "", "", "ghcr.io/foo/bar:1.0"),
        ("ghcr.io/foo/bar:1.0", "1.0", "", "ghcr.io/foo/bar:1.0"),
        ("foo/bar", "sha256:" + "a" * 64, "", "foo/bar@sha256:" + "a" * 64),
        ("foo/bar@sha256:" + "a" * 64, "1.0", "", "foo/bar@sha256:" + "a" * 64),
        ("localhost:5000/bar", "1.0", "", "localhost:5000/bar:1.0"),
        ("foo/bar", "1.0", "https://docker.io", "foo/bar:1.0"),
        ("foo/bar", "1.0", "https://ghcr.io", "ghcr.io/foo/bar:1.0"),
        ("ghcr.io/foo/bar", "1.0", "https://ghcr.io", "ghcr.io/foo/bar:1.0"),
    ],
)
def test_an_image_has_a_tag_or_a_digest(identifier: str, version: str, base: str, image: str) -> None:
    assert converted(package(identifier=identifier, version=version, registryBaseUrl=base))["image"] == image


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ({}, ["uvx", "--from", "foo==1.2.3", "foo"]),
        ({"version": ""}, ["uvx", "foo"]),
        ({"registryBaseUrl": "https://pypi.example.org"}, ["uvx", "--from", "foo==1.2.3", "foo"]),
        (
            {"registryBaseUrl": "https://index.example/simple"},
            ["uvx", "--index-url", "https://index.example/simple", "--from", "foo==1.2.3", "foo"],
        ),
    ],
)
def test_a_python_package_is_run_by_uvx(more: dict[str, Any], command: list[str]) -> None:
    entry = converted(package("pypi", identifier="foo", **more))
    assert entry["command"] == command
    assert entry["image"] == "ghcr.io/astral-sh/uv:python3.14-bookworm-slim"
    assert entry["volumes"] == [f"docker-mcp-uv-cache-{ROOT}:/root/.cache/uv"]
    assert entry["longLived"] is True
    assert kind_of(msgspec.convert(entry, CatalogServer)) == "package"


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ({}, ["npx", "--yes", "@foo/bar@1.2.3"]),
        ({"version": ""}, ["npx", "--yes", "@foo/bar"]),
        (
            {"registryBaseUrl": "https://npm.example"},
            ["npx", "--yes", "--registry", "https://npm.example", "@foo/bar@1.2.3"],
        ),
    ],
)
def test_a_node_package_is_run_by_npx(more: dict[str, Any], command: list[str]) -> None:
    entry = converted(package("npm", identifier="@foo/bar", **more))
    assert (entry["command"], entry["image"]) == (command, "node:24-bookworm-slim")
    assert entry["volumes"] == [f"docker-mcp-npm-cache-{ROOT}:/root/.npm"]


def test_an_image_is_preferred_to_packages_and_a_python_package_to_one_of_node() -> None:
    http = {"transport": {"type": "streamable-http", "url": "http://localhost:8080"}}
    npm, pypi, oci = package("npm"), package("pypi"), package()
    assert converted(npm, pypi, oci)["image"] == "foo/bar:1.2.3"
    assert converted(npm, pypi)["command"][0] == "uvx"
    assert converted({**oci, **http}, {**pypi, **http}, npm)["command"][0] == "npx"


def test_an_address_is_preferred_to_packages() -> None:
    entry = converted(package(), remotes=[{"type": "sse", "url": "https://example.com/sse"}])
    assert entry["type"] == "remote"
    assert entry["remote"] == {"url": "https://example.com/sse", "transport_type": "sse"}
    assert "image" not in entry


def test_variables_of_an_address_are_filled_in_or_the_package_serves() -> None:
    remote = {"type": "http", "url": "https://{host}/mcp", "variables": {"host": {"default": "example.com"}}}
    assert converted(remotes=[remote])["remote"] == {
        "url": "https://example.com/mcp",
        "transport_type": "streamable-http",
    }
    asking = {**remote, "variables": {"host": {"isRequired": True}}}
    assert converted(package(), remotes=[asking])["image"] == "foo/bar:1.2.3"
    with pytest.raises(CatalogError, match="neither a package nor an address"):
        converted(remotes=[asking])


def test_headers_hold_secrets_by_reference() -> None:
    headers = [
        {
            "name": "Authorization",
            "value": "Bearer {token}",
            "isRequired": True,
            "variables": {"token": {"isSecret": True}},
        },
        {"name": "X-Team", "description": "Your team"},
        {"name": "X-Kind", "value": "mcp"},
        {"name": "X-Key", "isSecret": True},
    ]
    entry = converted(remotes=[{"type": "streamable-http", "url": "https://example.com", "headers": headers}])
    assert entry["remote"]["headers"] == {
        "Authorization": "Bearer ${TOKEN}",
        "X-Team": "${X_TEAM}",
        "X-Kind": "mcp",
        "X-Key": "${X_KEY}",
    }
    assert entry["secrets"] == [
        {"name": f"{ROOT}.token", "env": "TOKEN", "required": True},
        {"name": f"{ROOT}.X-Team", "env": "X_TEAM", "description": "Your team", "required": False},
        {"name": f"{ROOT}.X-Key", "env": "X_KEY", "required": False},
    ]
    sent = remote_headers(msgspec.convert(entry, CatalogServer), {f"{ROOT}.token": "t", f"{ROOT}.X-Team": "blue"})
    assert sent == {"Authorization": "Bearer t", "X-Team": "blue", "X-Kind": "mcp", "X-Key": ""}


def test_the_environment_is_secrets_settings_and_fixed_texts() -> None:
    variables = [
        {"name": "API_KEY", "isSecret": True, "isRequired": True, "placeholder": "sk-…", "description": "The key"},
        {"name": "LEVEL", "default": "info"},
        {"name": "MODE", "value": "mcp"},
        {"name": "PORT", "format": "number", "isRequired": True, "description": "A port"},
        {"name": "COLOUR", "choices": ["red", "blue"]},
        {"name": "GREETING", "value": "Hello {who}", "variables": {"who": {"default": "you", "isRequired": True}}},
    ]
    entry = converted(package(environmentVariables=variables))
    assert entry["secrets"] == [
        {
            "name": f"{ROOT}.API_KEY",
            "env": "API_KEY",
            "description": "The key",
            "example": "sk-…",
            "required": True,
        }
    ]
    assert entry["env"] == [
        {"name": "LEVEL", "value": "info"},
        {"name": "MODE", "value": "mcp"},
        {"name": "PORT", "value": f"{{{{{ROOT}.PORT}}}}"},
        {"name": "COLOUR", "value": f"{{{{{ROOT}.COLOUR}}}}"},
        {"name": "GREETING", "value": f"Hello {{{{{ROOT}.who|or:you}}}}"},
    ]
    assert entry["config"] == [
        {
            "name": ROOT,
            "type": "object",
            "properties": {
                "PORT": {"type": "number", "description": "A port"},
                "COLOUR": {"type": "string", "enum": ["red", "blue"]},
                "who": {"type": "string", "default": "you"},
            },
            "required": ["PORT"],
        }
    ]
    server = msgspec.convert(entry, CatalogServer)
    assert environment(server, {"PORT": 80}, {f"{ROOT}.API_KEY": "k"}) == {
        "API_KEY": "k",
        "LEVEL": "info",
        "MODE": "mcp",
        "PORT": "80",
        "GREETING": "Hello you",
    }


def test_a_text_of_settings_and_secrets_reaches_the_server_whole() -> None:
    variables = {"user": {"isRequired": True}, "password": {"isSecret": True}, "db": {"default": "main"}}
    url = {"name": "URL", "value": "pg://{user}:{password}@{db}/{unknown}", "variables": variables}
    server = converted_server(read_document({"name": NAME, "packages": [package(environmentVariables=[url])]}))
    found = environment(server, {"user": "me"}, {f"{ROOT}.password": "pw"})
    assert found["URL"] == "pg://me:pw@main/{unknown}"


def test_two_secrets_never_share_a_variable() -> None:
    variables = [
        {"name": "token", "isSecret": True},
        {"name": "BOTH", "value": "{TOKEN}-{Token}", "variables": {n: {"isSecret": True} for n in ("TOKEN", "Token")}},
    ]
    server = converted_server(read_document({"name": NAME, "packages": [package(environmentVariables=variables)]}))
    assert [(item.name, item.env) for item in server.secrets] == [
        (f"{ROOT}.token", "token"),
        (f"{ROOT}.TOKEN", "TOKEN"),
        (f"{ROOT}.Token", "TOKEN_2"),
    ]


def test_no_plain_variable_takes_the_place_of_a_secret() -> None:
    variables = [{"name": "KEY"}, {"name": "KEY", "isSecret": True}, {"name": "URL", "value": "plain"}]
    items = [{"type": "named", "name": "--url", "isSecret": True}]
    entry = converted(package(environmentVariables=variables, packageArguments=items))
    assert entry["env"] == [{"name": "URL", "value": "plain"}]
    assert [(item["name"], item["env"]) for item in entry["secrets"]] == [
        (f"{ROOT}.KEY", "KEY"),
        (f"{ROOT}.url", "URL_2"),
    ]
    assert entry["command"] == ["--url=${URL_2}"]


def arguments(*items: dict[str, Any], kind: str = "oci") -> list[str]:
    found = converted(package(kind, identifier="foo", version="", packageArguments=list(items)))
    return list(found.get("command", []))


def test_arguments_of_the_package_are_its_command() -> None:
    items = [
        {"type": "positional", "value": "serve"},
        {"type": "named", "name": "--port", "value": "{port}", "variables": {"port": {"default": "80"}}},
        {"type": "named", "name": "--read-only", "value": ""},
        {"type": "named", "name": "--key", "isSecret": True},
        {"type": "named", "name": "--level", "default": "info"},
        {"type": "named", "name": "--dir", "isRequired": True},
        {"type": "positional", "valueHint": "folder", "isRequired": True},
        {"type": "positional", "valueHint": "left out"},
    ]
    expected = [
        "serve",
        f"--port={{{{{ROOT}.port|or:80}}}}",
        "--read-only=",
        "--key=${KEY}",
        "--level=info",
        f"--dir={{{{{ROOT}.dir}}}}",
        f"{{{{{ROOT}.folder}}}}",
    ]
    assert arguments(*items) == expected
    assert arguments(*items, kind="pypi") == ["uvx", "foo", *expected]
    assert arguments(*items, kind="npm") == ["npx", "--yes", "foo", *expected]


def test_of_the_runner_s_arguments_only_user_and_mounts_are_taken() -> None:
    source = {"src": {"isRequired": True, "format": "filepath"}}
    items = [
        {"type": "named", "name": "--privileged", "value": "true"},
        {"type": "positional", "value": "--network=host"},
        {"type": "named", "name": "-e", "value": "A=b"},
        {"type": "named", "name": "--user", "value": "--user=1000"},
        {"type": "named", "name": "-v", "value": "{src}:/data:ro", "variables": source},
        {"type": "named", "name": "--mount", "value": "type=bind,source={src},target=/work", "variables": source},
        {"type": "named", "name": "--mount", "value": "type=bind,src=/a,dst=/b,readonly"},
        {"type": "named", "name": "--mount", "value": "whatever"},
    ]
    entry = converted(package("npm", runtimeArguments=items))
    assert entry["user"] == "1000"
    folder = f"{{{{{ROOT}.src}}}}"
    assert entry["volumes"] == [f"{folder}:/data:ro", f"{folder}:/work", "/a:/b:ro", "whatever"]
    assert entry["command"] == ["npx", "--yes", "foo/bar@1.2.3"]
    assert "env" not in entry


def test_the_older_spelling_is_understood() -> None:
    old = {
        "registry_type": "oci",
        "identifier": "foo/bar",
        "version": "1.0",
        "environment_variables": [
            {"name": "API-KEY", "is_secret": True, "is_required": True},
            {"name": "LOG-LEVEL", "value": "info"},
            {"name": "HOST"},
        ],
        "package_arguments": [
            {"type": "named", "name": "port", "value": "80"},
            {"type": "positional", "value": "serve"},
        ],
        "runtime_arguments": [{"type": "named", "name": "-u", "value": "1000"}],
    }
    entry = converted(old)
    assert entry["image"] == "foo/bar:1.0"
    assert entry["command"] == ["--port", "80", "serve"]
    assert entry["user"] == "1000"
    assert entry["secrets"] == [{"name": f"{ROOT}.API-KEY", "env": "API_KEY", "required": True}]
    assert entry["env"] == [
        {"name": "LOG_LEVEL", "value": "info"},
        {"name": "HOST", "value": f"{{{{{ROOT}.HOST}}}}"},
    ]


def test_signing_in_is_taken_from_the_publisher_but_no_other_server_s_secret() -> None:
    oauth = {
        "providers": [
            {"provider": "bar", "secret": f"{ROOT}.token", "env": "TOKEN"},
            {"provider": "github", "secret": "github.personal_access_token", "env": "STOLEN"},
        ],
        "scopes": ["read"],
    }
    meta = {"io.modelcontextprotocol.registry/publisher-provided": {"oauth": oauth}}
    entry = converted(remotes=[{"type": "sse", "url": "https://example.com"}], _meta=meta)
    assert entry["oauth"] == {"providers": oauth["providers"][:1], "scopes": ["read"]}


@pytest.mark.parametrize(
    ("packages", "reason"),
    [
        ([package("nuget")], "it has nuget with stdio"),
        ([package(transport={"type": "sse"})], "it has oci with sse"),
        ([package(identifier="a b")], "its package's name can't be one"),
        ([package(identifier="--privileged")], "its package's name can't be one"),
        ([package(environmentVariables=[{"name": "A=B"}])], "no name of a variable"),
        (
            [package(runtimeArguments=[{"type": "named", "name": "-u", "isSecret": True}])],
            "a secret as user or mount",
        ),
    ],
)
def test_what_cannot_run_is_incompatible(packages: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(CatalogError) as caught:
        converted(*packages)
    assert caught.value.message.startswith(f"The server {NAME} is incompatible: ")
    assert reason in caught.value.message


# Documents nobody would write.

words = st.text(st.sampled_from("abAB01_-./{}$|: \u00e4\n"), max_size=8)
scalars = words | st.integers(-3, 3) | st.booleans() | st.none()
texts = st.lists(words | st.sampled_from(["{a}", "{b}", "{A}"]), max_size=4).map("".join)


def inputs(depth: int = 1) -> st.SearchStrategy[dict[str, Any]]:
    nested = st.dictionaries(st.sampled_from(["a", "b", "A"]) | words, inputs(0), max_size=3) if depth else st.just({})
    return st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(["API_KEY", "a", "--a", "-v", "-u", "--mount", "A-B"]) | words,
            "type": st.sampled_from(["named", "positional"]) | scalars,
            "value": texts | st.just("type=bind,src={a},dst={b}") | scalars,
            "default": texts | scalars,
            "valueHint": words,
            "format": st.sampled_from(["number", "boolean", "string", "filepath"]),
            "isSecret": st.booleans(),
            "isRequired": st.booleans(),
            "choices": st.lists(scalars, max_size=3) | scalars,
            "variables": nested,
        },
    )


packages_of_any_kind = st.fixed_dictionaries(
    {"registryType": st.sampled_from(["oci", "pypi", "npm", "nuget"])},
    optional={
        "identifier": st.sampled_from(["foo", "@a/b", "ghcr.io/x/y:1"]) | words,
        "version": words,
        "registryBaseUrl": st.sampled_from(["https://index.example/simple", "https://["]) | words,
        "transport": st.just({"type": "stdio"}) | st.dictionaries(words, scalars, max_size=2),
        "environmentVariables": st.lists(inputs(), max_size=4),
        "packageArguments": st.lists(inputs(), max_size=4),
        "runtimeArguments": st.lists(inputs(), max_size=3),
    },
)
remotes = st.fixed_dictionaries(
    {"url": st.sampled_from(["https://example.com/{a}", "https://example.com"]) | words},
    optional={"headers": st.lists(inputs(), max_size=3), "variables": st.dictionaries(words, inputs(0), max_size=2)},
)
documents = st.fixed_dictionaries(
    {"name": st.just(NAME) | words, "packages": st.lists(packages_of_any_kind, max_size=3)},
    optional={"remotes": st.lists(remotes, max_size=2), "version": words, "title": scalars, "icons": st.lists(scalars)},
)
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))


def entry_of(data: Any) -> CatalogServer | None:
    """The entry, read back from what is written; None where the document is refused."""
    try:
        entry = catalog_entry(read_document(data), base="https://registry.example")
    except CatalogError:
        return None
    return msgspec.convert(json.loads(json.dumps(entry)), CatalogServer, strict=False)


@given(anything | st.fixed_dictionaries({"name": words, "packages": anything, "remotes": anything}))
def test_no_json_makes_it_fail_otherwise_than_with_a_sentence(data: Any) -> None:
    entry_of(data)


@given(documents)
def test_every_reference_is_declared_and_every_template_is_well_formed(data: dict[str, Any]) -> None:
    server = entry_of(data)
    if server is None:
        return
    envs = [item.env for item in server.secrets]
    assert len(set(envs)) == len(envs)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", env) for env in envs)
    assert all(item.name.startswith(f"{server.name}.") for item in server.secrets)
    properties = {name for schema in server.config for name in schema["properties"]}
    texts = [*server.command, *server.volumes, server.user, *(item.value for item in server.env)]
    for text in texts:
        for path, fallback in re.findall(rf"\{{\{{{re.escape(server.name)}\.([^|}}]*)(\|or:[^|{{}}]*)?\}}\}}", text):
            assert path in properties, (path, fallback)


@given(st.lists(inputs(), max_size=4), st.lists(inputs(), max_size=4))
def test_every_secret_becomes_a_reference_and_never_a_setting(variables: Any, args: Any) -> None:
    """Whatever is marked as a secret, at any depth, is asked for as one: no setting carries only its name."""
    server = entry_of({"name": NAME, "packages": [package(environmentVariables=variables, packageArguments=args)]})
    if server is None:
        return
    known = {item.name.removeprefix(f"{server.name}.") for item in server.secrets}
    for item in variables:
        if item.get("isSecret") and item.get("name"):
            assert re.sub(r"[^A-Za-z0-9_.-]", "_", item["name"].lstrip("-")) in known
            assert item["name"] not in [variable.name for variable in server.env]
    for item in args:
        given_text = item.get("value")
        if item.get("isSecret") and not isinstance(given_text, str):
            hint = item.get("name") or item.get("valueHint") or ""
            assert (re.sub(r"[^A-Za-z0-9_.-]", "_", hint.lstrip("-")) or "value") in known


@given(st.lists(st.text(st.characters(exclude_characters="{}$", exclude_categories=["Cs"]), max_size=6), max_size=5))
def test_fixed_arguments_arrive_exactly(given_texts: list[str]) -> None:
    items = [{"type": "positional", "value": text} for text in given_texts]
    items += [{"type": "named", "name": f"--n{number}", "value": text} for number, text in enumerate(given_texts)]
    server = entry_of({"name": NAME, "packages": [package(packageArguments=items)]})
    assert server is not None
    command = [expand_variables(item, {}) for item in evaluate_list(server.command, {})]
    assert command == [*given_texts, *(f"--n{number}={text}" for number, text in enumerate(given_texts))]
