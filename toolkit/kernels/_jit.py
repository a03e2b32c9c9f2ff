"""The one place where compile flags are chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy.typing as npt

__all__ = ["frozen", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile `function`, keeping its Python signature for type checkers."""
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def frozen(array: npt.NDArray[Any], dtype: npt.DTypeLike | None = None) -> npt.NDArray[Any]:
    """Return a read-only view, optionally with its bytes read as another dtype.

    Writable and read-only arrays are two types for numba, and a memory map can't be made
    writable: kernels get every input frozen, so that each is compiled once.
    """
    view = array.view(array.dtype if dtype is None else dtype)
    view.flags.writeable = False
    return view
