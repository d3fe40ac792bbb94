"""The errors that catlearn raises, one class a kind of mistake.

Every message says what was expected, what came, and what to do. All of them derive from `CatlearnError`, so that one
`except` catches them; each also derives from the built-in exception that a Python user would expect.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "CatlearnError",
    "CheckpointError",
    "CompositionError",
    "DataError",
    "InputError",
    "Interrupted",
    "MissingExtraError",
    "ModelFileError",
    "NotFiniteError",
    "OperationError",
    "UnknownNameError",
    "missing_extra",
    "nearest",
]


class CatlearnError(Exception):
    """Any mistake that catlearn found in what it was given."""


class CompositionError(CatlearnError, TypeError):
    """Two morphisms were put together whose types do not fit."""


class InputError(CatlearnError, ValueError):
    """A value handed to a diagram has the wrong number, shape, dtype, or lies outside its space."""


class OperationError(CatlearnError, TypeError):
    """An operation was asked of a space that does not have it, or of spaces that do not agree."""


class DataError(CatlearnError, ValueError):
    """A data set is empty, inconsistent, or does not fit the learner."""


class ModelFileError(CatlearnError):
    """A model file is missing, raised while it was read, or defines no learner."""


class MissingExtraError(CatlearnError, ImportError):
    """A library that an extra brings is not installed."""


class CheckpointError(CatlearnError, ValueError):
    """A checkpoint cannot be written, cannot be read, or belongs to another learner."""


class Interrupted(KeyboardInterrupt):
    """A signal ended training, and the run was kept: `path` says where, `signal` its number, `result` what there is."""

    def __init__(self, message: str, path: object, signal: int, result: object) -> None:
        super().__init__(message)
        self.path = path
        self.signal = signal
        self.result = result


class UnknownNameError(CatlearnError, ValueError):
    """A name is not in the table it was looked up in."""


class NotFiniteError(CatlearnError, ArithmeticError):
    """Training met a loss that is not finite.

    `step` is the number of the step, counted from 0 over the whole run; `epoch` the epoch; `result` the learner with
    the state before that step.
    """

    def __init__(self, message: str, step: int, epoch: int, result: object) -> None:
        super().__init__(message)
        self.step = step
        self.epoch = epoch
        self.result = result


def nearest(name: str, known: Iterable[str]) -> str:
    """A clause that suggests the known name nearest to the one given, or lists them all.

    >>> nearest("sigmoyd", ["tanh", "sigmoid"])
    "did you mean 'sigmoid'?"
    >>> nearest("q", ["tanh", "sigmoid"])
    'known are sigmoid, tanh'
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"


def missing_extra(library: str, extra: str, what: str) -> MissingExtraError:
    """The error for a library that an extra brings and that is not installed."""
    return MissingExtraError(
        f"{what} needs {library}, which is not installed: pip install {library}, "
        f"or pip install 'categorical-learning[{extra}]'"
    )
