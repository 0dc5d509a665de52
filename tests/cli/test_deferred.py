"""Modules that are loaded at their first use: whoever imports them must not notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PREPARE = "import sys\nfrom desktop.cli import deferred\ndeferred.defer()\nasyncio_module = sys.modules['asyncio']\n"
ROOT = Path(__file__).resolve().parents[2]


def tell(program: str) -> str:
    """What a program prints in an interpreter of its own, after long imports are deferred."""
    done = subprocess.run(
        [sys.executable, "-c", PREPARE + program], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_loads_nothing_and_using_loads() -> None:
    assert tell("import asyncio, yaml\nprint('asyncio.events' in sys.modules, 'yaml.loader' in sys.modules)") == (
        "False False"
    )
    program = "import asyncio\nasync def f(): return 5\nprint(asyncio.run(f()), asyncio is sys.modules['asyncio'])"
    assert tell(program) == "5 True"


@pytest.mark.parametrize(
    "program",
    [
        "from asyncio import run",
        "import asyncio.subprocess\nasyncio.subprocess.PIPE",
        "from asyncio import subprocess\nsubprocess.PIPE",
        "import asyncio, inspect\ninspect.signature(asyncio.run)",
        "from desktop.state import yaml_text\nassert yaml_text.parse('a: 1', '') == {'a': 1}",
        "from typing_extensions import TypedDict, get_type_hints\nimport typing_extensions\ntyping_extensions.Sentinel",
        "import pydantic",
        "import mcp, uvicorn, aiohttp",
        "deferred.settle()\nassert 'asyncio.events' in sys.modules\nimport asyncio",
    ],
)
def test_every_way_to_import_works(program: str) -> None:
    assert tell(f"{program}\nprint('done')") == "done"


def test_a_name_that_does_not_exist_is_an_ordinary_error() -> None:
    program = "import asyncio\ntry:\n    asyncio.nonsense\nexcept AttributeError as error:\n    print(error)"
    assert tell(program) == "module 'asyncio' has no attribute 'nonsense'"


def test_threads_that_come_at_once_all_get_the_whole_module() -> None:
    program = (
        "import threading, asyncio\nfound = []\nbarrier = threading.Barrier(8)\n"
        "def use():\n    barrier.wait()\n    found.append(asyncio.TaskGroup.__name__)\n"
        "threads = [threading.Thread(target=use) for _ in range(8)]\n"
        "[thread.start() for thread in threads]\n[thread.join() for thread in threads]\nprint(len(found))"
    )
    assert tell(program) == "8"


def test_what_msgspec_asks_of_typing_extensions_does_not_load_it() -> None:
    assert tell("import msgspec\nprint('Sentinel' in vars(sys.modules['typing_extensions']))") == "False"
