"""Netlists from truth tables and Python functions, and the builder that they and the BLIF reader share.

Functions of more than six inputs are expanded by Shannon, f = x_i ? f_1 : f_0, from the last input down; equal
parts are built once, and a part that does not depend on an input is not expanded in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from catlearn.errors import InputError
from catlearn.netlist import FALSE, MOST_INPUTS, TRUE, Netlist, Port

__all__ = ["Builder", "from_function", "from_truth_table"]

MOST_TRACED = 16


class Builder:
    """Gates in the making: each is appended once, and equal ones share a net."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.gates: list[tuple[tuple[int, ...], int]] = []
        self._known: dict[tuple[tuple[int, ...], int], int] = {}

    def gate(self, nets: Sequence[int], table: int) -> int:
        """The net of a gate as it is given, which a new gate drives if there is none."""
        key = (tuple(nets), table)
        if key not in self._known:
            self._known[key] = self.first + len(self.gates)
            self.gates.append(key)
        return self._known[key]

    def choice(self, chooser: int, low: int, high: int) -> int:
        """The net that is `low` where the chooser is 0, else `high`."""
        if low == high:
            return low
        if (low, high) == (FALSE, TRUE):
            return chooser
        constant = {FALSE, TRUE} & {low, high}
        if (low, high) == (TRUE, FALSE):
            return self.gate((chooser,), 0b01)
        if constant:
            tables = {(FALSE, True): 0b1000, (TRUE, True): 0b1101, (FALSE, False): 0b0100, (TRUE, False): 0b1110}
            first = low in constant
            return self.gate((chooser, high if first else low), tables[low if first else high, first])
        return self.gate((low, high, chooser), 0b11001010)

    def netlist(self, inputs: Sequence[Port], outputs: Any, results: Sequence[Port], **sequential: Any) -> Netlist:
        """The circuit of these gates."""
        wiring = np.zeros((len(self.gates), MOST_INPUTS), np.int32)
        for gate, (nets, _) in enumerate(self.gates):
            wiring[gate, : len(nets)] = nets
        tables = np.array([table for _, table in self.gates], np.uint64)
        arity = np.array([len(nets) for nets, _ in self.gates], np.uint8)
        return Netlist(tuple(inputs), wiring, tables, arity, outputs, tuple(results), **sequential)


def from_truth_table(table: Any, inputs: str = "x", outputs: str = "y") -> Netlist:
    """The netlist of a table (2**n rows, m output bits); row a is the output where a = sum_i x_i 2**i.

    >>> from catlearn.netlist import evaluate
    >>> evaluate(from_truth_table([[0], [1], [1], [0]]), [[0, 1], [1, 1]]).tolist()
    [[1], [0]]

    Raises `InputError` for rows that are no power of two, or values that are no bits.
    """
    given = np.asarray(table)
    rows = len(given) if given.ndim == 2 else 0
    if not rows or rows & (rows - 1):
        raise InputError(f"a truth table has 2**n rows, each of m output bits; got shape {given.shape}")
    if not ((given == 0) | (given == 1)).all():
        raise InputError("a truth table holds bits, 0 or 1")
    bits, count = given.astype(np.uint8), rows.bit_length() - 1
    builder, known = Builder(2 + count), dict[bytes, int]()

    def net(column: np.ndarray, used: int) -> int:
        key = column.tobytes()
        if key not in known:
            known[key] = expand(column, used)
        return known[key]

    def expand(column: np.ndarray, used: int) -> int:
        if (column == column[0]).all():
            return TRUE if column[0] else FALSE
        if used > MOST_INPUTS:
            half = len(column) // 2
            return builder.choice(1 + used, net(column[:half], used - 1), net(column[half:], used - 1))
        places = [i for i in range(used) if _depends(column, i)]
        entries = [column[sum((a >> k & 1) << i for k, i in enumerate(places))] for a in range(1 << len(places))]
        value = sum(int(bit) << a for a, bit in enumerate(entries))
        return 2 + places[0] if len(places) == 1 and value == 0b10 else builder.gate([2 + i for i in places], value)

    nets = [net(np.ascontiguousarray(bits[:, k]), count) for k in range(bits.shape[1])]
    return builder.netlist((Port(inputs, count),), nets, (Port(outputs, len(nets)),))


def _depends(column: np.ndarray, place: int) -> bool:
    """Whether a table depends on the input at this place."""
    halves = column.reshape(-1, 2, 1 << place)
    return bool((halves[:, 0] != halves[:, 1]).any())


def from_function(function: Callable[..., Any], inputs: int, outputs: int) -> Netlist:
    """The netlist of a Python function of bits, run on all 2**inputs of them.

    The function takes `inputs` bits, each 0 or 1, and returns `outputs` bits, or one bit alone.

    >>> str(from_function(lambda a, b, c: (a ^ b ^ c, a + b + c > 1), 3, 2))
    'netlist of 2 gates, 3 bits in, 2 bits out'

    Raises `InputError` for more than 16 inputs, or results of another number or that are no bits.
    """
    if not 0 <= inputs <= MOST_TRACED:
        raise InputError(f"a function is run on all its inputs: at most {MOST_TRACED} bits; got {inputs}")
    rows = []
    for address in range(1 << inputs):
        value = function(*(address >> i & 1 for i in range(inputs)))
        row = list(value) if isinstance(value, (tuple, list, np.ndarray)) else [value]
        if len(row) != outputs or any(bit not in (0, 1) for bit in row):
            raise InputError(
                f"the function must return {outputs} bits; at {address:0{max(inputs, 1)}b} it gave {value!r}"
            )
        rows.append(row)
    return from_truth_table(np.asarray(rows, np.uint8).reshape(1 << inputs, outputs))
