"""Real parts for the conformance tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.docker_engine import docker_engine
from tests.helpers.home import Home

__all__ = ["docker_engine"]


@pytest.fixture
def home() -> Iterator[Home]:
    """An empty home folder with a short path."""
    root = Path(tempfile.mkdtemp(prefix="mcpgw-"))
    yield Home(root)
    shutil.rmtree(root, ignore_errors=True)
