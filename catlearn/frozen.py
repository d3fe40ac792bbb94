"""Arrays as values: compared and hashed by dtype, shape and bytes, so that a generator can hold one.

>>> import numpy as np
>>> Frozen(np.arange(3)) == Frozen(np.arange(3)), Frozen(np.arange(3)) == Frozen(np.arange(3.0))
(True, False)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["Frozen"]


@dataclass(frozen=True, eq=False)
class Frozen:
    """An array that cannot be written to; equal to another of the same dtype, shape and entries."""

    array: np.ndarray

    def __post_init__(self) -> None:
        held = np.array(self.array, order="C")
        held.flags.writeable = False
        object.__setattr__(self, "array", held)

    @cached_property
    def _key(self) -> tuple[str, tuple[int, ...], bytes]:
        return self.array.dtype.str, self.array.shape, self.array.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frozen) and (self is other or self._key == other._key)

    @cached_property
    def _hash(self) -> int:
        return hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.array, dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return Frozen, (self.array,)  # what is unpickled or copied is made anew: an array alone would be writeable

    def __getitem__(self, place: Any) -> Any:
        return self.array[place]

    def __repr__(self) -> str:
        shown = self.array.tolist() if self.array.size <= 64 else f"<{self.array.size} entries>"
        return f"Frozen(np.array({shown}, {self.array.dtype.name!r}))"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.array.shape
