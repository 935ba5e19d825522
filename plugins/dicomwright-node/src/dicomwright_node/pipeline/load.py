"""Find a pipeline by the name that the user wrote."""

from __future__ import annotations

import sys
import traceback
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

from dicomwright_node.pipeline.check import check
from dicomwright_node.pipeline.definition import AbstractPipeline
from dicomwright_node.pipeline.errors import PipelineError

__all__ = ["load"]


def load(reference: str) -> type[AbstractPipeline]:
    """Return the pipeline of a name such as ``my_node:MyPipeline`` or ``path/my_node.py:MyPipeline``.

    Modules are looked for in the working directory, too.

    Raises
    ------
    PipelineError
        There is no such module or class, or the class is wrong.

    """
    name, separator, attribute = reference.rpartition(":")
    if not separator or not name or not attribute:
        raise PipelineError(
            f"{reference!r} names no pipeline", hint="write module:Class, such as my_node:MyPipeline"
        )
    folder, module = Path.cwd(), name
    if name.endswith(".py"):
        folder, module = Path(name).absolute().parent, Path(name).stem
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        found: Any = reduce(getattr, attribute.split("."), import_module(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # user code at import may raise what it likes, sys.exit too
        raise _import_error(reference, error) from error
    if not (isinstance(found, type) and issubclass(found, AbstractPipeline)):
        raise PipelineError(f"{reference} is no pipeline", hint="a pipeline derives from AbstractPipeline")
    check(found)
    _check_name(found, reference)
    return found


def _check_name(found: type[AbstractPipeline], reference: str) -> None:
    """Refuse a class that the processes of jobs cannot import by its own name."""
    named: Any = sys.modules.get(found.__module__)
    for name in found.__qualname__.split("."):
        named = getattr(named, name, None)
    if named is not found:
        raise PipelineError(
            f"{reference} is {found.__qualname__} of {found.__module__}, which another process cannot import",
            hint="define the class at the top of its module, under the name that it keeps",
        )


def _import_error(reference: str, error: BaseException) -> PipelineError:
    """Return the error of a module that cannot be imported, with the line of the user's that is to blame."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename
    ]
    ours = str(Path(__file__).parent)
    theirs = [frame for frame in frames if not frame.filename.startswith(ours)]
    loc = f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""
    return PipelineError(
        f"{reference} cannot be imported: {type(error).__name__}: {error}",
        hint="name a module on the Python path and a class in it",
        loc=loc,
        kind="import",
    )
