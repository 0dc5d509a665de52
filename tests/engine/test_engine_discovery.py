"""Where an engine is looked for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from desktop.engine.discovery import find_candidates, own_container


def make_context(config: Path, name: str, host: str, *, tls: bool = False, skip_verify: bool = False) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = config / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": skip_verify}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": endpoint}}), encoding="utf-8")
    if tls:
        folder = config / "contexts" / "tls" / digest / "docker"
        folder.mkdir(parents=True)
        for file in ("ca.pem", "cert.pem", "key.pem"):
            (folder / file).touch()


def use_context(config: Path, name: str) -> None:
    config.mkdir(parents=True, exist_ok=True)
    (config / "config.json").write_text(json.dumps({"currentContext": name}), encoding="utf-8")


def addresses(environ: dict[str, str], home: Path, platform: str) -> list[str]:
    return [candidate.address for candidate in find_candidates(environ, home, platform)]


def test_docker_host_is_the_only_place_looked_at(tmp_path: Path) -> None:
    make_context(tmp_path / ".docker", "colima", "unix:///c.sock")
    use_context(tmp_path / ".docker", "colima")
    (found,) = find_candidates({"DOCKER_HOST": "unix:///somewhere/else.sock"}, tmp_path, "linux")
    assert (found.address, found.source, found.tls) == ("unix:///somewhere/else.sock", "DOCKER_HOST", None)


def test_docker_host_with_tls_brings_its_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    environ = {"DOCKER_HOST": "tcp://build:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    (found,) = find_candidates(environ, Path("/home/x"), "linux")
    assert found.tls is not None
    assert (found.tls.ca, found.tls.certificate, found.tls.verify) == (str(tmp_path / "ca.pem"), "", True)


def test_the_current_context_comes_before_the_known_sockets(tmp_path: Path) -> None:
    make_context(tmp_path / ".docker", "colima", "unix:///c.sock")
    use_context(tmp_path / ".docker", "colima")
    first, *others = find_candidates({}, tmp_path, "linux")
    assert (first.address, first.source) == ("unix:///c.sock", "context colima")
    assert others[0].address == "unix:///var/run/docker.sock"


def test_the_context_of_the_environment_is_the_only_place_looked_at(tmp_path: Path) -> None:
    config = tmp_path / "elsewhere"
    make_context(config, "far", "tcp://far:2376", tls=True, skip_verify=True)
    (found,) = find_candidates({"DOCKER_CONTEXT": "far", "DOCKER_CONFIG": str(config)}, tmp_path, "linux")
    assert found.address == "tcp://far:2376"
    assert found.tls is not None
    assert not found.tls.verify
    assert found.tls.key.endswith("key.pem")


def test_a_context_of_the_environment_that_does_not_exist_leaves_nothing(tmp_path: Path) -> None:
    assert find_candidates({"DOCKER_CONTEXT": "gone"}, tmp_path, "linux") == ()


def test_the_default_context_means_the_known_sockets(tmp_path: Path) -> None:
    use_context(tmp_path / ".docker", "default")
    assert addresses({"DOCKER_CONTEXT": "default"}, tmp_path, "linux")[0] == "unix:///var/run/docker.sock"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"currentContext": 7}', '{"currentContext": "gone"}'])
def test_a_broken_docker_configuration_is_passed_over(tmp_path: Path, content: str) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(content, encoding="utf-8")
    assert addresses({}, tmp_path, "linux")[0] == "unix:///var/run/docker.sock"


def test_linux_knows_rootless_desktop_and_podman_sockets() -> None:
    found = addresses({"XDG_RUNTIME_DIR": "/run/user/7"}, Path("/home/x"), "linux")
    for path in (
        "/home/x/.docker/desktop/docker.sock",
        "/run/user/7/docker.sock",
        "/home/x/.colima/default/docker.sock",
        "/home/x/.config/colima/default/docker.sock",
        "/home/x/.rd/docker.sock",
        "/run/user/7/podman/podman.sock",
        "/run/podman/podman.sock",
    ):
        assert f"unix://{path}" in found
    assert len(found) == len(set(found))


def test_macos_knows_docker_desktop_orbstack_colima_and_podman_machine() -> None:
    found = addresses({"TMPDIR": "/var/folders/t/"}, Path("/Users/x"), "darwin")
    for path in (
        "/Users/x/.docker/run/docker.sock",
        "/Users/x/.orbstack/run/docker.sock",
        "/Users/x/.colima/default/docker.sock",
        "/var/folders/t/podman/podman-machine-default-api.sock",
    ):
        assert f"unix://{path}" in found


def test_windows_knows_named_pipes_alone() -> None:
    found = addresses({}, Path("C:/Users/x"), "win32")
    assert found[0] == "npipe:////./pipe/docker_engine"
    assert all(address.startswith("npipe:") for address in found)


def test_a_container_knows_its_own_id_and_a_host_has_none(tmp_path: Path) -> None:
    assert own_container(tmp_path) == ""
    (tmp_path / ".dockerenv").touch()
    assert own_container(tmp_path) != ""
