"""Types of arrays by what they hold (docstrings say the shapes), and of what names a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["AnyFloats", "Bytes", "Codes", "Floats", "Ints", "Mask", "Where"]

Floats: TypeAlias = npt.NDArray[np.float64]
AnyFloats: TypeAlias = npt.NDArray[Any]  # float32 or float64, left as they came
Ints: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.int32]
Mask: TypeAlias = npt.NDArray[np.bool_]
Bytes: TypeAlias = npt.NDArray[np.uint8]

Where: TypeAlias = Callable[[int], str]  # what a message calls the row of this number
