"""Modules of others that a command imports and hardly ever uses: they are run when something of them is asked for.

Until Python can do so itself (PEP 810). Only commands do this, in a process of their own, where a tenth of a short
build would go to such modules; whoever uses dicomwright as a library imports what he imports.
"""

from __future__ import annotations

import importlib
import sys
import threading
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Functions = Mapping[str, Callable[..., Any]]

__all__ = ["defer"]

_RARELY_USED = (
    "bz2",  # `shutil` and `zipfile` look whether it is there
    "ipaddress",  # `urllib.parse` checks hosts with it, and `pathlib` makes URLs with that
    "lzma",
    "nibabel",  # its package imports every format; reading NIfTI takes `nibabel.nifti1`, which does without
    "numpy._core._add_newdocs",  # docstrings of numpy's C functions; `python -OO` does without them, too
    "numpy._core._add_newdocs_scalars",
    "pydicom.examples",
    "secrets",  # makes pydicom's UIDs, not ours
    "urllib.request",  # pydicom.data and nibabel fetch files from the net with it; brings http, email and ssl
)


def _version(distribution_name: str) -> str:
    """Return the version of a distribution; Python's own way parses all its metadata as an e-mail.

    pydicom asks for its version while it is imported.
    """
    from dicomwright.plugins._metadata import installed_version

    if version := installed_version(distribution_name):
        return version
    return str(importlib.import_module(_METADATA).distribution(distribution_name).version)


def _palette_files(*arguments: Any, **options: Any) -> Any:
    """Do what it stands for, which fetches files from the net if they are missing."""
    from pydicom.data.data_manager import get_palette_files

    return get_palette_files(*arguments, **options)


_METADATA = "importlib.metadata"
_STAND_INS: dict[str, Functions] = {  # of modules that are rarely used, what others import by name
    _METADATA: {"version": _version},
    "pydicom.data": {"get_palette_files": _palette_files},
}


def defer(*names: str) -> None:
    """Let modules of these names be run late; those that are loaded already stay as they are.

    Examples
    --------
    >>> defer("this")
    >>> import this  # nothing is printed
    >>> this.s[:9]
    The Zen of Python, by Tim Peters
    ...
    'Gur Mra b'

    """
    late = {name: _STAND_INS.get(name, {}) for name in names or (*_RARELY_USED, *_STAND_INS)}
    sys.meta_path.insert(0, _Finder(late))


class _Finder:
    """Finds modules as Python does, and has some of them run late."""

    def __init__(self, late: Mapping[str, Functions]) -> None:
        self._late = late

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a module is loaded; None leaves it to the next finder."""
        if fullname not in self._late:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _LateLoader(spec.loader, self._late[fullname]))
        return spec


class _LateLoader:
    """Loads a module that is run when the first attribute is missed. Its submodules can be imported without that."""

    def __init__(self, loader: Loader, functions: Functions) -> None:
        self._loader, self._functions = loader, functions

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Make the module as its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Put a function in the place of the module's code (PEP 562), and what can be had without it."""
        loader, lock, waiting = self._loader, threading.RLock(), [True]

        def missed(name: str) -> Any:
            if _has_submodule(module, name):
                return importlib.import_module(f"{module.__name__}.{name}")
            with lock:
                if waiting and waiting.pop():
                    if module.__spec__ is not None:
                        module.__spec__.loader = loader
                    module.__loader__ = loader
                    loader.exec_module(module)
            if name in module.__dict__:
                return module.__dict__[name]
            own: Callable[[str], Any] = module.__dict__["__getattr__"]
            if own is not missed:
                return own(name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__dict__.update(self._functions, __getattr__=missed)


def _has_submodule(module: ModuleType, name: str) -> bool:
    """Tell whether a package has a module of that name."""
    path = module.__dict__.get("__path__")
    return path is not None and PathFinder.find_spec(f"{module.__name__}.{name}", path) is not None
