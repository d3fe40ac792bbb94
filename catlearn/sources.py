"""Sources: from data and settings to the feed of batches, and the rows that are held out.

What a user gives is checked here, once, before anything is compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from catlearn.datasets import Data, columns
from catlearn.errors import DataError
from catlearn.feeding import Gathered, Resident, Stream, Streamed, check_batch, feed
from catlearn.running import Run
from catlearn.space import Object

__all__ = ["source"]


def source(
    run: Run,
    data: Any,
    size: int | None,
    shuffle: bool,
    drop_last: bool,
    validation: Any,
    resident: bool | None,
) -> tuple[Any, tuple[tuple[Any, ...], tuple[Any, ...]] | None]:
    """Where batches come from, and the rows held out; raises `DataError` where data and settings do not fit."""
    learner = run.learner
    dom, labels = learner.model.dom, learner.loss.labels(learner.model.cod)
    spaces = dom + labels

    def accept_batches(arrays: list[Any]) -> tuple[Any, ...]:
        wide = [s.batch(a.shape[1]).batch(a.shape[0]) for s, a in zip(spaces, arrays, strict=True)]
        return tuple(run.backend.accept(s, a, "a batch") for s, a in zip(wide, arrays, strict=True))

    if isinstance(data, Stream):
        if isinstance(validation, float):
            raise DataError("a stream has no rows to hold out: give validation=(inputs, targets)")
        held = None if validation is None else _held(run, validation, dom, labels)
        return Streamed(data, accept_batches, lambda x, y, name: check_batch(x, y, dom, labels, name)), held
    if not isinstance(data, Data):
        raise DataError(f"fit takes a Data(train_inputs, train_targets, test_inputs, test_targets); got {data!r}")
    data.check(dom, labels)
    rows, held = np.arange(data.rows), None
    if isinstance(validation, float):
        rows, out = _split(data.rows, validation, run.seed)
        parts = [tuple(np.asarray(c[out]) for c in columns(v)) for v in (data.train_inputs, data.train_targets)]
        held = _held(run, (parts[0], parts[1]), dom, labels)
    elif validation is not None:
        held = _held(run, validation, dom, labels)
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise DataError(f"batch_size must be an integer of at least 1; got {size!r}")
    size = int(size)
    if size > len(rows):
        raise DataError(f"batch_size is {size} and there are {len(rows)} training rows: use at most {len(rows)}")
    if run.devices is not None:
        run.devices.check(size)
        run.devices.check(0 if drop_last else len(rows) % size)
    for name, wires, arrays in (("test_inputs", dom, data.test_inputs), ("test_targets", labels, data.test_targets)):
        _accept(run, wires, arrays, name)
    order = (rows, size, run.seed, shuffle, drop_last)
    if feed(data, resident):
        x = _accept(run, dom, data.train_inputs, "train_inputs")
        y = _accept(run, labels, data.train_targets, "train_targets")
        run.columns = run.place((*x, *y))
        return Resident(*order), held
    arrays = (*columns(data.train_inputs), *columns(data.train_targets))
    return Gathered(arrays, accept_batches, *order), held


def _split(rows: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows to train on, in order, and those held out."""
    count = round(rows * share) if 0 < share < 1 else 0
    if not 0 < count < rows:
        raise DataError(
            f"validation={share} of {rows} rows: give a share between 0 and 1 that holds out some rows and leaves some"
        )
    chosen = np.random.default_rng([seed, 2**32 - 1]).permutation(rows)
    return np.sort(chosen[count:]), np.sort(chosen[:count])


def _held(run: Run, pair: Any, dom: Object, labels: Object) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise DataError(f"validation is a share of the rows such as 0.1, or (inputs, targets); got {pair!r}")
    check_batch(pair[0], pair[1], dom, labels, "the validation rows")
    return _accept(run, dom, pair[0], "validation rows"), _accept(run, labels, pair[1], "validation rows")


def _accept(run: Run, spaces: Object, values: Any, name: str) -> tuple[Any, ...]:
    # An empty part may come without the width of its rows.
    arrays = columns(values)
    if not arrays or not spaces:
        return ()
    rows = len(arrays[0])
    given = [c if rows else np.zeros((0, *s.shape), c.dtype) for s, c in zip(spaces, arrays, strict=True)]
    return tuple(run.backend.accept(s.batch(rows), c, name) for s, c in zip(spaces, given, strict=True))
