"""Input coding: tables of numbers and images as bits, fitted on training rows and remembered.

A coding is data: it can be compared, pickled and printed. `encode` takes rows of shape (rows, ..., c) to uint8 bits of
shape (rows, ..., bits): what an entry becomes lies along the last axis, the bits of the first entry first. So a table
gives a table, and an image with its channels last an image with more channels.

    Thermometer   bit l of an entry x:   x > level l          levels increase, so the bits fall from 1 to 0
    OneHot        bit a of an entry x:   x = category a
    Columns       a coding for each column of a table, chosen by `fit_coding`; columns that do not vary have none

>>> coding = Thermometer([0.5, 1.5])
>>> coding.encode([[0, 1], [2, 1]])
array([[0, 0, 1, 0],
       [1, 1, 1, 0]], dtype=uint8)
>>> coding.names(2)
('x0 > 0.5', 'x0 > 1.5', 'x1 > 0.5', 'x1 > 1.5')

A level is compared in the dtype of the rows: rounded to it where that is a float, so that 32 / 255 divided in single
precision does not lie above the level 32 / 255, and as it is where that is an integer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn.errors import DataError, InputError

__all__ = ["Coding", "Columns", "OneHot", "Thermometer", "fit_coding", "threshold"]

_BLOCK = 1 << 22
"""Entries that are coded at once, so that what is held beside the rows and the bits stays small."""


@dataclass(frozen=True)
class Thermometer:
    """Entries compared with levels: bit l is 1 where the entry is greater than level l.

    `levels` is (L,), the same for all entries, or (*row shape, L), strictly increasing along the last axis; any nesting
    of numbers or array, kept as tuples. Rows (n, ..., c) give bits (n, ..., c * L), bit c' * L + l for entry c'.

    Raises `InputError` for levels that are no numbers, not finite, missing, or do not increase.
    """

    levels: Any

    def __post_init__(self) -> None:
        levels = _numbers(self.levels, "levels")
        if levels.ndim == 0 or not levels.size:
            raise InputError(f"levels have shape (L,) or (*row shape, L), L at least 1; got shape {levels.shape}")
        wrong = np.argwhere(np.diff(levels, axis=-1) <= 0)
        if len(wrong):
            place, at = tuple(map(int, wrong[0][:-1])), int(wrong[0][-1])
            pair = levels[place][at : at + 2].tolist()
            raise InputError(
                f"levels must increase strictly{_of(place)}; got {pair[0]!r} and then {pair[1]!r}: sort them and keep "
                "each once"
            )
        object.__setattr__(self, "levels", _nested(levels))

    @classmethod
    def fit(cls, rows: Any, levels: int = 3, by: str = "quantile", *, shared: bool = False) -> Thermometer:
        """Levels from training rows (n, ...): for each entry of a row its own, or with `shared` one set for all.

        Level l of L is the quantile l / (L + 1) of the training values, or with `by` "uniform" lies that far from
        their least to their greatest, l = 1 ... L.

        Raises `DataError` for rows that are empty or not finite numbers, a feature that does not vary, and quantiles
        that coincide; `InputError` for a bad number of levels or an unknown `by`.
        """
        rows = _training(rows)
        _check_levels(levels)
        if by not in ("quantile", "uniform"):
            raise InputError(f"levels are fitted by 'quantile' or 'uniform'; got {by!r}")
        values = rows.reshape(-1) if shared else rows
        low, high = values.min(axis=0).astype(np.float64), values.max(axis=0).astype(np.float64)
        still = np.argwhere(low == high)
        if len(still):
            raise DataError(
                f"{_feature(still[0])} does not vary and has no levels: leave it out, or take fit_coding, which does"
            )
        shares = np.arange(1, levels + 1) / (levels + 1)
        if by == "uniform":
            found = low[..., None] * (1 - shares) + high[..., None] * shares
        else:
            found = np.moveaxis(np.quantile(values.astype(np.float64), shares, axis=0), 0, -1)
        equal = np.argwhere(np.diff(found, axis=-1) <= 0)
        if len(equal):
            raise DataError(
                f"{_feature(equal[0][:-1])} has too few different values for {levels} levels by {by}: take fewer "
                "levels, by='uniform', or fit_coding, which merges levels that coincide"
            )
        return cls(found)

    def encode(self, rows: Any) -> np.ndarray:
        """The bits of rows (n, ..., c), uint8 of shape (n, ..., c * L); raises `DataError` for rows that do not fit."""
        rows, levels = _rows(rows), np.asarray(self.levels)
        if rows.ndim < 2 or (levels.ndim > 1 and rows.shape[1:] != levels.shape[:-1]):
            expected = f"(rows, {', '.join(map(str, levels.shape[:-1] or ['...', 'entries']))})"
            raise DataError(f"this coding takes rows of shape {expected}; got shape {rows.shape}")
        bits = np.empty((*rows.shape, levels.shape[-1]), bool)
        for part in _blocks(rows):
            _check_finite(rows[part], part.start)
            for number in range(levels.shape[-1]):
                _greater(rows[part], levels[..., number], bits[part][..., number])
        return bits.view(np.uint8).reshape(*rows.shape[:-1], -1 if bits.size else rows.shape[-1] * levels.shape[-1])

    def names(self, features: Sequence[str] | int | None = None) -> tuple[str, ...]:
        """What each bit says, row-major: `features` names the entries of a row, or is how many there are."""
        levels = np.asarray(self.levels)
        shape = levels.shape[:-1]
        if features is None and not shape:
            raise InputError("levels that hold for all entries do not say how many there are: give names their number")
        called = _called(features, int(np.prod(shape)) if shape else None)
        table = np.broadcast_to(levels.reshape(-1, levels.shape[-1]), (len(called), levels.shape[-1]))
        return tuple(f"{name} > {level:g}" for name, own in zip(called, table, strict=True) for level in own)


def threshold(values: Any) -> Thermometer:
    """The thermometer of one level: for all entries alike, or one for each entry of a row.

    >>> threshold([0.5, 2]).encode([[1, 1]])
    array([[1, 0]], dtype=uint8)
    """
    return Thermometer(_numbers(values, "levels")[..., None])


@dataclass(frozen=True)
class OneHot:
    """Columns of nominal values: one bit a category, 1 where the entry is that category.

    `categories` has for each column its values, all different numbers. Rows (n, columns) give bits
    (n, sum of the numbers of categories), the columns one after another. What is no category is an error, or, with
    `unknown` "zeros", has no bit set.

    Raises `InputError` for categories that are no numbers, none, or not different, and an unknown `unknown`.
    """

    categories: tuple[tuple[float, ...], ...]
    unknown: str = "error"

    def __post_init__(self) -> None:
        try:
            columns = [_numbers(list(column), "categories") for column in self.categories]
        except TypeError:
            raise InputError(f"categories are, for each column, its values; got {self.categories!r}") from None
        if not columns:
            raise InputError("one-hot coding needs the categories of at least one column; got none")
        for number, column in enumerate(columns):
            if column.ndim != 1 or not column.size or len(np.unique(column)) != len(column):
                raise InputError(
                    f"the categories of column {number} must be different numbers, at least one; got {column.tolist()}"
                )
        if self.unknown not in ("error", "zeros"):
            raise InputError(f"unknown is 'error' or 'zeros'; got {self.unknown!r}")
        object.__setattr__(self, "categories", tuple(tuple(column.tolist()) for column in columns))

    @classmethod
    def fit(cls, rows: Any, unknown: str = "error") -> OneHot:
        """The values that each column of the training rows takes, in increasing order."""
        rows = _table(_training(rows))
        return cls(tuple(tuple(np.unique(column).tolist()) for column in rows.T), unknown)

    def encode(self, rows: Any) -> np.ndarray:
        """The bits of rows (n, columns), uint8; raises `DataError` for rows that do not fit and for no category."""
        rows = _table(_rows(rows), len(self.categories))
        _check_finite(rows, 0)
        coded = []
        for number, (column, values) in enumerate(zip(rows.T, self.categories, strict=True)):
            bits = column[:, None] == np.asarray(values)
            outside = np.flatnonzero(~bits.any(axis=1))
            if outside.size and self.unknown == "error":
                raise DataError(
                    f"row {outside[0]}, column {number} is {column[outside[0]]}, and the categories are "
                    f"{', '.join(f'{v:g}' for v in values)}: mend it, or take unknown='zeros'"
                )
            coded.append(bits)
        return np.concatenate(coded, axis=1).view(np.uint8)

    def names(self, features: Sequence[str] | int | None = None) -> tuple[str, ...]:
        """What each bit says; `features` names the columns."""
        called = _called(features, len(self.categories))
        return tuple(f"{name} = {value:g}" for name, own in zip(called, self.categories, strict=True) for value in own)


@dataclass(frozen=True)
class Columns:
    """A coding for each column of a table of `features` columns: `parts` are pairs of a column and its coding.

    The bits of the parts lie one after another; columns without a part are `dropped`. Raises `InputError` for parts
    that are none, not in the order of the columns, or outside the table.
    """

    features: int
    parts: tuple[tuple[int, Thermometer | OneHot], ...]

    def __post_init__(self) -> None:
        numbers = [column for column, _ in self.parts]
        if not numbers or numbers != sorted(set(numbers)) or not 0 <= numbers[0] <= numbers[-1] < self.features:
            raise InputError(
                f"parts are columns 0 to {self.features - 1}, at least one, in order and each once; got {numbers}"
            )
        object.__setattr__(self, "parts", tuple((column, coding) for column, coding in self.parts))

    @property
    def dropped(self) -> tuple[int, ...]:
        """The columns that have no bits."""
        return tuple(sorted(set(range(self.features)) - {column for column, _ in self.parts}))

    def encode(self, rows: Any) -> np.ndarray:
        """The bits of rows (n, features), uint8; raises `DataError` for rows that do not fit."""
        rows = _table(_rows(rows), self.features)
        _check_finite(rows, 0)
        return np.concatenate([coding.encode(rows[:, [column]]) for column, coding in self.parts], axis=1)

    def names(self, features: Sequence[str] | int | None = None) -> tuple[str, ...]:
        """What each bit says; `features` names the columns."""
        called = _called(features, self.features)
        return tuple(name for column, coding in self.parts for name in coding.names([called[column]]))


Coding = Thermometer | OneHot | Columns
"""What turns rows into bits."""


def fit_coding(rows: Any, levels: int = 3, nominal: Sequence[int] = ()) -> Columns:
    """A coding of a table (n, columns) chosen column by column: at most `levels` bits each, every bit varies.

    A column of at most levels + 1 different values is told completely: a level midway between any two neighbours. Of
    another the levels are those midpoints that cut the training rows nearest to the shares 1 / (L + 1) ... L / (L + 1),
    each once. The columns in `nominal` are coded one-hot; a value that they do not take in training has no bit set.
    Columns that do not vary are left out.

    Raises `DataError` for a table that is empty, not of finite numbers, or in which nothing varies; `InputError` for
    a bad number of levels or column.

    >>> coding = fit_coding([[0, 7, 0.1], [1, 7, 0.2], [1, 7, 0.4]], levels=2)
    >>> coding.names(), coding.dropped
    (('x0 > 0.5', 'x2 > 0.15', 'x2 > 0.3'), (1,))
    """
    rows = _table(_training(rows))
    _check_levels(levels)
    outside = [c for c in nominal if isinstance(c, bool) or c not in range(rows.shape[1])]
    if outside:
        raise InputError(f"nominal columns are 0 to {rows.shape[1] - 1}; got {outside[0]!r}")
    parts: list[tuple[int, Thermometer | OneHot]] = []
    for number, column in enumerate(rows.T):
        values, counts = np.unique(column, return_counts=True)
        if len(values) == 1:
            continue
        if number in nominal:
            parts.append((number, OneHot((tuple(values.tolist()),), unknown="zeros")))
        else:
            parts.append((number, Thermometer(_cuts(values, counts, levels))))
    if not parts:
        raise DataError("no column of the table varies, so there is nothing to learn from: give other features")
    return Columns(rows.shape[1], tuple(parts))


def _cuts(values: np.ndarray, counts: np.ndarray, levels: int) -> np.ndarray:
    """Levels between neighbours of the increasing values, by the shares of the rows below."""
    lower, upper = values[:-1], values[1:]
    if values.dtype.kind == "f":
        middle = lower / 2 + upper / 2
        # Neighbouring numbers have none between them, and x > lower tells them apart.
        middle = np.where((lower <= middle) & (middle < upper), middle, lower)
    else:
        middle = lower.astype(np.float64) / 2 + upper.astype(np.float64) / 2
    if len(middle) <= levels:
        return middle
    below = np.cumsum(counts)[:-1] / counts.sum()
    shares = np.arange(1, levels + 1) / (levels + 1)
    return middle[np.unique([int(np.argmin(np.abs(below - share))) for share in shares])]


def _numbers(values: Any, what: str) -> np.ndarray:
    """Finite numbers as float64."""
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.array(None)  # what has no shape is no table of numbers either
    if array.size and array.dtype.kind not in "biuf":
        raise InputError(f"{what} must be numbers, all rows of one length; got {values!r}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise InputError(f"{what} must be finite; got {array[~np.isfinite(array)][0]}")
    return array


def _nested(array: np.ndarray) -> Any:
    return tuple(map(_nested, array)) if array.ndim > 1 else tuple(array.tolist())


def _rows(rows: Any) -> np.ndarray:
    try:
        array = np.asarray(rows)
    except ValueError as error:
        raise DataError(f"rows must be numbers, all rows alike: {error}") from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"rows must be numbers; got dtype {array.dtype}: turn words into numbers first")
    return array.view(np.uint8) if array.dtype.kind == "b" else array


def _training(rows: Any) -> np.ndarray:
    array = _rows(rows)
    if array.ndim < 2 or not array.size:
        raise DataError(f"a coding is fitted on rows of shape (rows, ...), not empty; got shape {array.shape}")
    _check_finite(array, 0)
    return array


def _table(rows: np.ndarray, columns: int | None = None) -> np.ndarray:
    if rows.ndim != 2 or columns not in (None, rows.shape[1]):
        expected = "columns" if columns is None else columns
        raise DataError(f"a table of shape (rows, {expected}) is needed; got shape {rows.shape}")
    return rows


def _check_finite(rows: np.ndarray, first: int) -> None:
    if rows.dtype.kind == "f" and not np.isfinite(rows).all():
        place = np.argwhere(~np.isfinite(rows))[0]
        raise DataError(
            f"row {int(place[0]) + first}, {_feature(place[1:])} is {rows[tuple(place)]}: mend or drop such rows first"
        )


def _check_levels(levels: Any) -> None:
    if isinstance(levels, bool) or not isinstance(levels, int | np.integer) or levels < 1:
        raise InputError(f"the number of levels is an integer of at least 1; got {levels!r}")


def _blocks(rows: np.ndarray) -> Iterator[slice]:
    size = max(1, _BLOCK // max(1, int(np.prod(rows.shape[1:]))))
    return (slice(start, start + size) for start in range(0, len(rows), size))


def _greater(rows: np.ndarray, level: np.ndarray, out: np.ndarray) -> None:
    """`rows > level`, by the rules of the module's text."""
    if rows.dtype.kind == "f":
        with np.errstate(over="ignore"):
            np.greater(rows, level.astype(rows.dtype), out=out)
        return
    limits, whole = np.iinfo(rows.dtype), np.floor(level)
    # An integer is greater than a level where it is greater than its floor; a level below all integers cuts none off.
    fitting = np.array([_clipped(int(v), limits) for v in whole.ravel()], rows.dtype).reshape(level.shape)
    np.greater(rows, fitting, out=out)
    if (whole < limits.min).any():
        np.logical_or(out, whole < limits.min, out=out)


def _clipped(value: int, limits: np.iinfo[Any]) -> int:
    return min(max(value, int(limits.min)), int(limits.max))


def _called(features: Sequence[str] | int | None, count: int | None) -> list[str]:
    """The names of the entries, x0, x1, ... where there are none."""
    if features is None:
        features = count or 0
    names = [f"x{k}" for k in range(features)] if isinstance(features, int) else list(features)
    if count not in (None, len(names)):
        raise InputError(f"this coding has {count} features; got {len(names)} names")
    return names


def _feature(place: Any) -> str:
    at = [int(k) for k in place]
    return f"feature {at[0]}" if len(at) == 1 else f"entry {tuple(at)}" if at else "the whole of the rows"


def _of(place: tuple[int, ...]) -> str:
    return f" ({_feature(place)})" if place else ""
