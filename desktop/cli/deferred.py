"""Modules that take long to import and that most commands never use: they are loaded when the first of their names is.

A command is over in milliseconds, and a module such as asyncio takes as long to import as all the rest of the command.
What imports them at its top, as everything here does, gets a stand-in that becomes the real module at its first use.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
import types
from typing import Any

__all__ = ["defer", "settle"]

MODULES = (
    "asyncio",
    "filelock",
    "hashlib",
    "hmac",
    "inspect",
    "ipaddress",
    "secrets",
    "shutil",
    "subprocess",
    "textwrap",
    "traceback",
    "typing_extensions",
    "yaml",
    "desktop.state.yaml_text",
)
# All that msgspec asks of typing_extensions, which the standard library has as well.
_IN_TYPING = frozenset({"NotRequired", "Required", "get_type_hints"})

_lock = threading.RLock()
_loading: set[str] = set()


class _Deferred(types.ModuleType):
    """A module that isn't there yet: any name it lacks loads it."""

    def __getattr__(self, name: str) -> Any:
        if self.__name__ == "typing_extensions" and name in _IN_TYPING:
            import typing

            return getattr(typing, name)
        with _lock:
            is_package = self.__spec__ is not None and self.__spec__.submodule_search_locations is not None
            # While it is loaded it may look for a name of its own that isn't there yet.
            if self.__name__ in _loading or (name == "__path__" and not is_package):
                raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
            _load(self)
        return getattr(self, name)


def defer(names: tuple[str, ...] = MODULES) -> None:
    """Put stand-ins in place of those of these modules that are not imported yet."""
    for name in names:
        if name in sys.modules or (spec := importlib.util.find_spec(name)) is None:
            continue
        module = importlib.util.module_from_spec(spec)
        # Without a path, importing a part of a package loads the package first.
        module.__dict__.pop("__path__", None)
        module.__class__ = _Deferred
        sys.modules[name] = module
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, module)


def settle() -> None:
    """Load what is still deferred; for commands that go on to run many threads."""
    for module in list(sys.modules.values()):
        if isinstance(module, _Deferred):
            _load(module)


def _load(module: types.ModuleType) -> None:
    with _lock:
        spec = module.__spec__
        if type(module) is not _Deferred or spec is None or spec.loader is None:
            return  # another thread was faster
        _loading.add(module.__name__)
        try:
            if spec.submodule_search_locations is not None:
                module.__path__ = spec.submodule_search_locations
            spec.loader.exec_module(module)
            module.__class__ = types.ModuleType  # type: ignore[assignment]  # what it is from now on
        except BaseException:
            module.__dict__.pop("__path__", None)
            raise
        finally:
            _loading.discard(module.__name__)
