"""Netlists: what they may hold, and their evaluation by definition."""

import numpy as np
import pytest

from catlearn.errors import InputError, OperationError
from catlearn.netlist import Netlist, Port, evaluate

AND, XOR, MAJORITY = 0b1000, 0b0110, 0b11101000


def adder():
    """A full adder."""
    return Netlist(
        (Port("x", 3),),
        [[2, 3, 4], [2, 3, 0], [6, 4, 0]],
        [MAJORITY, XOR, XOR],
        [3, 2, 2],
        [7, 5],
        (Port("sum", 1, 2),),
    )


def test_evaluate_is_the_truth_table():
    rows = [[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    for row, out in zip(rows, evaluate(adder(), rows), strict=True):
        assert out[0] + 2 * out[1] == sum(row)


def test_no_rows_no_gates_no_outputs():
    assert evaluate(adder(), np.zeros((0, 3), int)).shape == (0, 2)
    wires = Netlist((Port("x", 2),), [], [], [], [3, 1], (Port("y", 2),))
    assert evaluate(wires, [[0, 1], [1, 0]]).tolist() == [[1, 1], [0, 1]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wiring": [[2, 3, 4], [2, 6, 0], [6, 4, 0]]}, "gate 1 reads .* only earlier nets"),
        ({"outputs": [7]}, "do not fit 1 output bits"),
        ({"outputs": [7, 8]}, "outside 0 to 7"),
        ({"arity": [3, 2, 7]}, "arities of at most 6"),
        ({"registers": 1}, "another shape"),
    ],
)
def test_a_netlist_that_is_none_is_refused(change, message):
    parts = {k: getattr(adder(), k) for k in ("inputs", "wiring", "tables", "arity", "outputs", "results")}
    with pytest.raises(OperationError, match=message):
        Netlist(**{**parts, **change})


@pytest.mark.parametrize(("rows", "message"), [([[1, 0]], "rows of 3 bits"), ([[1, 0, 2]], "0 or 1")])
def test_what_is_no_row_of_bits_is_refused(rows, message):
    with pytest.raises(InputError, match=message):
        evaluate(adder(), rows)
