"""Fixtures for tests that need a container engine and the test images."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
from docker.errors import DockerException

__all__ = ["IMAGES", "docker_engine", "image"]

IMAGES = (
    "echo",
    "faulty",
    "busybox",
    "time",
    "fetch",
    "everything",
    "filesystem",
    "memory",
    "conformance",
)


def image(name: str) -> str:
    """The full name of a test image."""
    if name not in IMAGES:
        raise ValueError(f"there is no test image named {name}")
    return f"mcp-gateway-test/{name}"


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """The engine of this machine; fails with one sentence where it does not answer or an image is missing."""
    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except DockerException as error:
        pytest.fail(f"No container engine answers; `make test` starts one ({error})", pytrace=False)
    tags = {tag for found in client.images.list() for tag in found.tags}
    if missing := [name for name in IMAGES if f"{image(name)}:latest" not in tags]:
        pytest.fail(f"Test images are missing ({', '.join(missing)}); build them with `make images`", pytrace=False)
    yield client
    client.close()
