"""Data sets: a training part and a test part, and the ones that ship with catlearn or that a user has.

>>> data = iris()
>>> data.rows, data.train_inputs.shape, data.test_targets.shape
(100, (100, 4), (50, 3))
>>> data.binarised(labels="binary").train_targets.shape
(100, 2)
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from catlearn.coding import OneHot
from catlearn.errors import DataError
from catlearn.space import Object

__all__ = ["Data", "binary_labels", "columns", "iris", "iris_sorted", "iris_table", "monk", "one_hot_labels"]


def columns(values: Any) -> tuple[Any, ...]:
    """The arrays of a part: one array alone is a part of one wire."""
    try:
        return tuple(np.asarray(v) for v in values) if isinstance(values, tuple) else (np.asarray(values),)
    except ValueError as error:
        raise DataError(f"data must be arrays, rows first, all rows alike: {error}") from None


def one_hot_labels(numbers: np.ndarray, classes: int) -> np.ndarray:
    """One entry a class: 1 at the class number, else 0.

    Raises `DataError` for a number outside 0 ... classes - 1.
    """
    numbers = _class_numbers(numbers, classes)
    return (numbers[:, None] == np.arange(classes)).astype(np.uint8)


def binary_labels(numbers: np.ndarray, classes: int) -> np.ndarray:
    """The bits of the class number, the lowest first, as many as the largest class needs."""
    numbers = _class_numbers(numbers, classes)
    bits = max(1, int(classes - 1).bit_length())
    return ((numbers[:, None] >> np.arange(bits)) & 1).astype(np.uint8)


_LABELS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"one-hot": one_hot_labels, "binary": binary_labels}


def _class_numbers(numbers: np.ndarray, classes: int) -> np.ndarray:
    numbers = np.asarray(numbers)
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
        raise DataError(f"class numbers are one row of integers; got dtype {numbers.dtype}, shape {numbers.shape}")
    bad = numbers[(numbers < 0) | (numbers >= classes)]
    if bad.size:
        raise DataError(f"the label {bad[0]} is out of range: with {classes} classes, labels are 0 to {classes - 1}")
    return numbers


@dataclass(frozen=True, eq=False)
class Data:
    """Training and test rows; each part is an array, rows first, or a tuple of arrays for several wires.

    Targets are in the loss's label space: class numbers for `label_cross_entropy`, otherwise like the prediction.
    """

    train_inputs: Any
    train_targets: Any
    test_inputs: Any
    test_targets: Any

    @property
    def rows(self) -> int:
        """The number of training rows."""
        arrays = columns(self.train_inputs)
        return len(arrays[0]) if arrays and arrays[0].ndim else 0

    def check(self, inputs: Object, targets: Object) -> None:
        """Raise `DataError` where there are no training rows, or the arrays do not fit spaces of one row."""
        for part in ("train", "test"):
            rows = None
            for kind, spaces in (("inputs", inputs), ("targets", targets)):
                name = f"{part}_{kind}"
                arrays = columns(getattr(self, name))
                if len(arrays) != len(spaces):
                    raise DataError(f"{name} needs {len(spaces)} arrays, one a wire; got {len(arrays)}")
                for array, space in zip(arrays, spaces, strict=True):
                    if array.ndim == 0 or (len(array) and tuple(array.shape[1:]) != space.shape):
                        raise DataError(f"{name} needs rows of shape {space.shape} ({space}); got shape {array.shape}")
                    if rows is not None and len(array) != rows:
                        raise DataError(f"{part}_inputs has {rows} rows and {name} has {len(array)}: give one each")
                    rows = len(array)
            if part == "train" and not rows:
                raise DataError("the training set is empty: give at least one row")

    def binarised(self, labels: str = "one-hot") -> Data:
        """Features as bits, (x - min) / (max - min) > 1/2, over all rows in use; one-hot targets as label bits.

        `labels` is "one-hot", one bit a class, or "binary", the bits of the class number. Raises `DataError` for a
        feature that does not vary.
        """
        if labels not in _LABELS:
            raise DataError(f"labels are 'one-hot' or 'binary'; got {labels!r}")
        for name in ("train", "test"):
            inputs, targets = (np.asarray(getattr(self, f"{name}_{part}")) for part in ("inputs", "targets"))
            if inputs.ndim != 2 or targets.ndim != 2:
                raise DataError(
                    f"binarised needs {name}_inputs and {name}_targets as tables, targets one-hot (one_hot_labels); "
                    f"got shapes {inputs.shape} and {targets.shape}"
                )
        both = np.concatenate([self.train_inputs, self.test_inputs])
        if not np.isfinite(both).all():
            column = int(np.flatnonzero(~np.isfinite(both).all(axis=0))[0])
            raise DataError(f"feature {column} has values that are not finite; mend or drop those rows first")
        low, high = both.min(axis=0), both.max(axis=0)
        if np.any(low == high):
            raise DataError(f"feature {int(np.flatnonzero(low == high)[0])} does not vary and cannot be cut in two")

        def bits(x: np.ndarray) -> np.ndarray:
            return ((x - low) / (high - low) > 0.5).astype(np.uint8)

        def coded(targets: np.ndarray) -> np.ndarray:
            return _LABELS[labels](np.argmax(targets, axis=1), targets.shape[1])

        return Data(
            bits(self.train_inputs), coded(self.train_targets), bits(self.test_inputs), coded(self.test_targets)
        )


def iris_table() -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Fisher's table: 150 rows of four lengths in centimetres, the class numbers, and the names of the classes.

    The values are those of the UCI file: rows 34 and 37 (from 0) are both 4.9, 3.1, 1.5, 0.1, where scikit-learn's copy
    has 4.9, 3.1, 1.5, 0.2 and 4.9, 3.6, 1.4, 0.1. Source: Fisher, The use of multiple measurements (1936).
    """
    text = resources.files("catlearn").joinpath("data/iris.csv").read_text(encoding="utf-8")
    _, *table = csv.reader(text.splitlines())
    names = tuple(dict.fromkeys(row[4] for row in table))
    features = np.array([[float(cell) for cell in row[:4]] for row in table])
    return features, np.array([names.index(row[4]) for row in table]), names


def iris(split_seed: int = 0) -> Data:
    """Iris, 100 rows to train and 50 to test, the same share of each class (up to one row); targets one-hot."""
    if isinstance(split_seed, bool) or not isinstance(split_seed, int) or split_seed < 0:
        raise DataError(f"split_seed must be an integer of at least 0; got {split_seed!r}")
    features, labels, names = iris_table()
    generator = np.random.default_rng(split_seed)
    train: list[int] = []
    for number in range(len(names)):
        members = generator.permutation(np.flatnonzero(labels == number))
        train += members[: 34 if number == 0 else 33].tolist()
    return _split(features, labels, generator.permutation(train).tolist(), len(names))


def iris_sorted(classes: int) -> Data:
    """The first `classes` classes of Iris in order, the first 25 rows of each to train, the rest to test."""
    features, labels, names = iris_table()
    if not isinstance(classes, int) or classes not in range(2, len(names) + 1):
        raise DataError(f"Iris has 3 classes: take the first 2 or 3; got {classes!r}")
    used = np.flatnonzero(labels < classes)
    train = [k for number in range(classes) for k in np.flatnonzero(labels == number)[:25]]
    return _split(features[used], labels[used], train, classes)


def _split(features: np.ndarray, labels: np.ndarray, train: Sequence[int], classes: int) -> Data:
    rest = np.setdiff1d(np.arange(len(labels)), train)
    targets = one_hot_labels(labels, classes)
    return Data(features[np.asarray(train)], targets[np.asarray(train)], features[rest], targets[rest])


_MONK_VALUES = (3, 3, 2, 3, 4, 2)
_MONK_DECLARED = (("0", "1"), *(tuple(str(k + 1) for k in range(count)) for count in _MONK_VALUES))
_ATTRIBUTE = re.compile(r"@attribute\s+(\S+)\s+\{([^}]*)\}\s*", re.IGNORECASE)


def monk(number: int, data_dir: str | os.PathLike[str] | None = None, *, bits: bool = True) -> Data:
    """One of the three MONK's problems: six nominal attributes of robots, and whether a robot is of the class.

    They are read from the ARFF files m1.train and m1.test (of problem 1; m2 and m3 alike), the class first and then the
    six attributes, in the folder `data_dir` or its subfolder monk; without `data_dir` the environment variable
    CATLEARN_DATA names the folder. Problem 3 has wrong labels among its training rows on purpose.

    Inputs are uint8 of shape (n, 17), one bit for each value of each attribute, or with `bits=False` (n, 6), the values
    themselves, from 1; targets are class numbers 0 and 1, int32 of shape (n,).

    Raises `DataError` for another number, a missing folder or file, and a line that is wrong, with its number.
    Source: Thrun et al., The MONK's problems: a performance comparison of different learning algorithms (1991).
    """
    if isinstance(number, bool) or number not in (1, 2, 3):
        raise DataError(f"the MONK's problems are 1, 2 and 3; got {number!r}")
    paths = _monk_files(number, data_dir)
    coding = OneHot(tuple(tuple(range(1, count + 1)) for count in _MONK_VALUES))
    parts: list[np.ndarray] = []
    for path in paths:
        table = _monk_table(path)
        parts += [coding.encode(table[:, 1:]) if bits else table[:, 1:].astype(np.uint8), table[:, 0].astype(np.int32)]
    return Data(*parts)


def _monk_files(number: int, data_dir: str | os.PathLike[str] | None) -> tuple[Path, Path]:
    given = os.environ.get("CATLEARN_DATA") if data_dir is None else data_dir
    advice = "give --data-dir (in Python data_dir) a folder with the ARFF files m1.train, m1.test, ... m3.test"
    if not given:
        raise DataError(f"monk needs data_dir, or the environment variable CATLEARN_DATA, and has neither: {advice}")
    try:
        folders = (Path(given), Path(given, "monk"))
    except TypeError:
        raise DataError(f"data_dir is a folder's path, a str or a Path, or None; got {data_dir!r}") from None
    if not folders[0].is_dir():
        raise DataError(f"data_dir must be a folder, and {folders[0]} is none: {advice}")
    for folder in folders:
        train, test = folder / f"m{number}.train", folder / f"m{number}.test"
        if train.is_file() and test.is_file():
            return train, test
    raise DataError(
        f"m{number}.train and m{number}.test must lie in one folder, {folders[0]} or {folders[1]}, and neither has "
        "both: add them, or name another folder"
    )


def _monk_table(path: Path) -> np.ndarray:
    """The rows of an ARFF file of class and six attributes, all with the values declared, as integers."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} must be an ARFF file, which is plain text; got: {error}") from None
    except OSError as error:
        raise DataError(f"{path} must be a file that can be read; got: {error.strerror}; mend that first") from None
    declared, rows, reading = 0, [], False
    for number, line in enumerate(map(str.strip, lines), 1):
        at = f"{path}, line {number}"
        if not line or line.startswith("%"):
            continue
        if reading:
            rows.append(_monk_row(line, at))
        elif declared == len(_MONK_DECLARED) and line.lower() == "@data":
            reading = True
        elif not line.lower().startswith("@relation"):
            _check_declaration(line, declared, at)
            declared += 1
    if not rows:
        raise DataError(f"{path} has no rows: an ARFF file has them after a line @data; get the file again")
    return np.array(rows)


def _check_declaration(line: str, declared: int, at: str) -> None:
    wanted = [f"@attribute name {{{','.join(values)}}}" for values in _MONK_DECLARED] + ["@data"]
    found = _ATTRIBUTE.fullmatch(line)
    got = f"@attribute name {{{','.join(value.strip() for value in found[2].split(','))}}}" if found else line
    if got != wanted[declared]:
        raise DataError(f"{at}: declaration {declared + 1} is {wanted[declared]}; got {line}")


def _monk_row(line: str, at: str) -> list[int]:
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) != len(_MONK_DECLARED):
        raise DataError(f"{at}: a row has {len(_MONK_DECLARED)} values, the class first; got {len(cells)}: {line}")
    for column, (cell, values) in enumerate(zip(cells, _MONK_DECLARED, strict=True)):
        if cell not in values:
            raise DataError(f"{at}: value {column} (from 0) is one of {', '.join(values)}; got {cell!r}")
    return [int(cell) for cell in cells]
