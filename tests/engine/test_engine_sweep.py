"""Which runs of the program are alive, and whose containers are removed."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from desktop.engine.ports import ContainerEngine, OwnedContainer, OwnedNetwork
from desktop.engine.sweep import InstanceLock, is_alive, sweep
from desktop.errors import EngineError, EngineUnavailableError, StateFileError

HOLDER = """
import sys, pathlib
from desktop.engine.sweep import InstanceLock
lock = InstanceLock(pathlib.Path(sys.argv[1]))
print(lock.instance, flush=True)
sys.stdin.read()
"""


class Networks:
    """As much of an engine's networks as a sweep needs: names and whose they are."""

    def __init__(self) -> None:
        self.left: dict[str, str] = {}

    async def owned(self) -> tuple[OwnedNetwork, ...]:
        return tuple(OwnedNetwork(name=name, instance=instance) for name, instance in self.left.items())

    async def remove(self, name: str) -> None:
        del self.left[name]


class Engine:
    """As much of an engine as a sweep needs."""

    def __init__(self, *owned: tuple[str, str], stuck: dict[str, Exception] | None = None) -> None:
        self.left = dict(owned)
        self.networks = Networks()
        self._stuck = stuck or {}

    async def owned_containers(self) -> tuple[OwnedContainer, ...]:
        return tuple(
            OwnedContainer(id=server, instance=instance, server=server, running=True)
            for server, instance in self.left.items()
        )

    async def remove(self, container_id: str) -> None:
        if container_id in self._stuck:
            raise self._stuck[container_id]
        del self.left[container_id]

    @property
    def port(self) -> ContainerEngine:
        return cast("ContainerEngine", cast("Any", self))


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "instances").iterdir())


def test_an_instance_is_alive_until_it_is_released(tmp_path: Path) -> None:
    lock = InstanceLock(tmp_path)
    assert len(lock.instance) == 12
    assert int(lock.instance, 16) >= 0
    assert is_alive(tmp_path, lock.instance)
    lock.release()
    assert not is_alive(tmp_path, lock.instance)
    assert files(tmp_path) == ["scope"]


def test_instances_of_one_directory_share_the_first_half_of_their_ids(tmp_path: Path) -> None:
    first, second, other = InstanceLock(tmp_path / "a"), InstanceLock(tmp_path / "a"), InstanceLock(tmp_path / "b")
    assert first.instance[:6] == second.instance[:6] != other.instance[:6]
    assert first.instance != second.instance
    for lock in (first, second, other):
        lock.release()


def test_an_instance_that_was_killed_is_dead_and_its_file_goes(tmp_path: Path) -> None:
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
    ) as holder:
        assert holder.stdout is not None
        instance = holder.stdout.readline().strip()
        assert is_alive(tmp_path, instance)
        holder.kill()
        holder.wait()
        assert f"{instance}.lock" in files(tmp_path)
        InstanceLock(tmp_path).release()
        assert files(tmp_path) == ["scope"]
        assert not is_alive(tmp_path, instance)


def test_a_damaged_scope_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "instances").mkdir()
    (tmp_path / "instances" / "scope").write_bytes(b"\xff")
    InstanceLock(tmp_path).release()
    InstanceLock(tmp_path).release()
    assert files(tmp_path) == ["scope"]


def test_a_directory_that_can_t_be_made_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateFileError, match="instances"):
        InstanceLock(tmp_path / "file")


async def test_containers_of_dead_instances_are_removed_and_of_living_ones_are_not(tmp_path: Path) -> None:
    own, living, dead = InstanceLock(tmp_path), InstanceLock(tmp_path), InstanceLock(tmp_path)
    dead.release()
    engine = Engine(("mine", own.instance), ("theirs", living.instance), ("b", dead.instance), ("a", dead.instance))
    engine.networks.left = {"n1": own.instance, "n2": living.instance, "n3": dead.instance, "n4": "0" * 12}
    assert await sweep(engine.port, tmp_path, own.instance) == ("a", "b")
    assert set(engine.networks.left) == {"n1", "n2", "n4"}
    assert set(engine.left) == {"mine", "theirs"}
    living.release()
    own.release()


async def test_containers_of_another_directory_are_left_alone(tmp_path: Path) -> None:
    own, other = InstanceLock(tmp_path / "a"), InstanceLock(tmp_path / "b")
    other.release()
    engine = Engine(("other", other.instance), ("odd", f"{own.instance[:6]}/../../x"), ("none", ""))
    assert await sweep(engine.port, tmp_path / "a", own.instance) == ()
    own.release()


async def test_one_container_that_stays_does_not_keep_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own, dead = InstanceLock(tmp_path), InstanceLock(tmp_path)
    dead.release()
    engine = Engine(("a", dead.instance), ("b", dead.instance), stuck={"a": EngineError("it is stuck")})
    with caplog.at_level(logging.CRITICAL, "desktop.engine.sweep"):
        assert await sweep(engine.port, tmp_path, own.instance) == ("b",)
    own.release()


async def test_a_sweep_without_an_engine_says_so(tmp_path: Path) -> None:
    own, dead = InstanceLock(tmp_path), InstanceLock(tmp_path)
    dead.release()
    engine = Engine(("a", dead.instance), stuck={"a": EngineUnavailableError("Docker is not running")})
    with pytest.raises(EngineUnavailableError):
        await sweep(engine.port, tmp_path, own.instance)
    own.release()
