"""The one place where compile flags are chosen."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import numba
import numpy.typing as npt

__all__ = ["frozen", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile `function`, keeping its Python signature for type checkers.

    What is compiled is kept beside the module, or in the user's cache; where neither can be
    written to, it is compiled again in each process. (A temporary folder would be no place for
    it: code that others could have put there would be run.)
    """
    flags: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return cast("F", numba.njit(cache=True, **flags)(function))
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        _say_once()
        return cast("F", numba.njit(**flags)(function))


@cache
def _say_once() -> None:
    logging.getLogger("goldlabel").warning(
        "compiling takes up to a minute in every run, as its result can't be kept: let "
        "NUMBA_CACHE_DIR name a folder of yours"
    )


def frozen(array: npt.NDArray[Any], dtype: npt.DTypeLike | None = None) -> npt.NDArray[Any]:
    """Return a read-only view, optionally with its bytes read as another dtype.

    Writable and read-only arrays are two types for numba, and a memory map can't be made
    writable: kernels get every input frozen, so that each is compiled once.
    """
    view = array.view(array.dtype if dtype is None else dtype)
    view.flags.writeable = False
    return view
