"""The version of a function: a hash of its source and of what it refers to in its own module."""

from __future__ import annotations

import hashlib
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

from paretoopt.errors import PipelineError

_CONSTANTS = (bool, int, float, str, bytes, tuple, frozenset, type(None))


def source_version(function: Callable[..., Any]) -> str:
    """A short hash that changes when the function is edited, or what it uses of its own module.

    Followed are the functions, classes and constants of the same module that the source names, and
    what these name in turn; so an edited model class or layer width counts. Not followed is what
    is imported from elsewhere.

    Raises:
        PipelineError: The function captures values, which its source does not show, or is no plain function.
    """
    if not (inspect.isfunction(function) or inspect.isclass(function)) or getattr(function, "__closure__", None):
        raise PipelineError(
            f"what {function!r} builds depends on values that its source does not show, so the store could not tell "
            "it from another. Declare them as parameters, or name them: Build(function, reads, version=...)."
        )
    parts = sorted(set(_parts(function, seen=set())))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _parts(thing: Any, *, seen: set[int]) -> Iterator[str]:  # noqa: ANN401 (functions and classes alike)
    """The sources of ``thing`` and of what it refers to in its module."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    yield _source(thing)
    for function in _functions(thing):
        yield _source(function)
        for name in _names(function.__code__):
            value = function.__globals__.get(name)
            if isinstance(value, _CONSTANTS) and name in function.__globals__:
                yield f"{name}={value!r}"
            elif (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__ == thing.__module__:
                yield from _parts(value, seen=seen)


def _functions(thing: Any) -> Iterator[types.FunctionType]:  # noqa: ANN401
    """The function itself, or every method of a class and of its bases in the same module."""
    if inspect.isfunction(thing):
        yield thing
        return
    for base in thing.__mro__:
        if base.__module__ == thing.__module__:
            for method in vars(base).values():
                inner = inspect.unwrap(getattr(method, "__func__", method)) if callable(method) else method
                if inspect.isfunction(inner):
                    yield inner


def _names(code: types.CodeType) -> Iterator[str]:
    """Every global name that the code, nested functions included, may look up."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _source(thing: Any) -> str:  # noqa: ANN401
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return str(thing.__qualname__)
