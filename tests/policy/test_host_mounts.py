"""Which host folders a container may be given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desktop.errors import ServerStartError
from desktop.policy.mounts import check_bind, is_engine_socket

posix = pytest.mark.skipif(os.name != "posix", reason="paths as POSIX has them")


@pytest.mark.parametrize(
    "spec",
    ["data:/data", "mcp-cache_1.2:/root/.npm", "data:/data:ro", "/anonymous", "docker-mcp-uv-cache-x:/root/.cache/uv"],
)
def test_named_and_anonymous_volumes_pass_unchanged(spec: str, tmp_path: Path) -> None:
    assert check_bind(spec, home=tmp_path, cwd=tmp_path) == spec


@posix
@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{home}/docs:/docs", "{home}/docs:/docs"),
        ("~/docs:/docs:ro", "{home}/docs:/docs:ro"),
        ("~:/home", "{home}:/home"),
        ("./here:/h:rw,z", "{cwd}/here:/h:rw,z"),
        ("../up:/h", "{home}/up:/h"),
        ("{home}/link/x:/h", "{home}/docs/x:/h"),
        ("sub\\dir:/h", "{cwd}/sub/dir:/h"),
        ("D:\\notes\\x:/h:ro", "D:/notes/x:/h:ro"),
        ("D:/work:E:\\target", "D:/work:E:\\target"),
    ],
)
def test_a_host_path_is_resolved_and_target_and_mode_stay(spec: str, expected: str, tmp_path: Path) -> None:
    home = tmp_path.resolve()
    (home / "docs").mkdir()
    (home / "link").symlink_to(home / "docs")
    names = {"home": str(home), "cwd": str(home / "cwd")}
    assert check_bind(spec.format(**names), home=home, cwd=home / "cwd") == expected.format(**names)


@posix
@pytest.mark.parametrize(
    "source",
    [
        "/",
        "//",
        "/etc",
        "/etc/ssl",
        "/ETC",
        "/tmp/../etc",
        "/var",
        "/var/run/docker.sock",
        "/run/user/1000",
        "/root/x",
        "/System/Volumes",
        "/Library/Keychains",
        "/private",
        "C:\\Windows\\System32",
        "c:/windows",
        "C:\\",
        "~/.ssh",
        "~/.SSH/config",
        "~/notes/.aws/credentials",
        "/srv/id_rsa",
        "~/to-etc",
        "~/to-keys/x",
        "C:\\Users\\me\\.ssh",
    ],
)
def test_folders_of_the_system_and_of_keys_are_always_refused(source: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / "to-etc").symlink_to("/etc")
    (home / "to-keys").symlink_to(home / ".ssh")
    with pytest.raises(ServerStartError, match="can't be mounted"):
        check_bind(f"{source}:/x", home=home, cwd=tmp_path)


@posix
def test_the_home_folder_of_the_system_s_own_user_is_still_a_home_folder() -> None:
    home = Path("/root")
    assert check_bind("~/work-that-is-not-there:/w", home=home, cwd=home) == "/root/work-that-is-not-there:/w"
    with pytest.raises(ServerStartError, match="holds keys"):
        check_bind("~/.docker:/d", home=home, cwd=home)
    with pytest.raises(ServerStartError, match="belongs to the system"):
        check_bind("~/../etc:/e", home=home, cwd=home)


@pytest.mark.parametrize("spec", ["/a:/b:ro:x", ":/b", "::"])
def test_a_spec_that_makes_no_sense_is_refused(spec: str, tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match="can't be understood"):
        check_bind(spec, home=tmp_path, cwd=tmp_path)


@pytest.mark.parametrize("source", ["/var/run/docker.sock", "/run/docker.sock"])
def test_the_engines_socket_passes_only_where_the_person_is_asked_about_it(source: str, tmp_path: Path) -> None:
    spec = f"{source}:/var/run/docker.sock"
    assert is_engine_socket(spec)
    assert check_bind(spec, home=tmp_path, cwd=tmp_path, engine_socket=True) == spec
    assert not is_engine_socket("/home/ada/docker.sock:/var/run/docker.sock")


@posix
def test_the_engines_socket_is_a_place_of_the_system_otherwise(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match="belongs to the system"):
        check_bind("/run/docker.sock:/s", home=tmp_path, cwd=tmp_path)
