"""Netlists: circuits of look-up tables as arrays, what circuits are exported, simplified and run fast from.

A netlist is a list of gates in topological order; a gate is a table of at most six inputs. Net 0 is the constant 0,
net 1 the constant 1, then come the inputs, then the outputs of the gates. All is held in arrays, so that a circuit of
a million gates is three arrays and not a million objects.

>>> majority = Netlist((Port("x", 3),), [[2, 3, 4]], [0b11101000], [3], [5], (Port("y", 1),))
>>> evaluate(majority, [[0, 1, 1], [0, 0, 1]]).tolist()
[[1], [0]]

Source: the tables of BIT.lut; a table's entry a is its output where its inputs x satisfy a = sum_i x_i 2**i.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catlearn.errors import InputError, OperationError

__all__ = ["FALSE", "MOST_INPUTS", "TRUE", "Netlist", "Port", "evaluate"]

FALSE, TRUE = 0, 1
MOST_INPUTS = 6


@dataclass(frozen=True)
class Port:
    """A named group of bits: `count` numbers of `width` bits each, two's complement where `signed`, lowest bit first.

    A plain array of bits is `Port(name, count)`.
    """

    name: str
    count: int
    width: int = 1
    signed: bool = False

    @property
    def bits(self) -> int:
        """The number of bits of the whole port."""
        return self.count * self.width


@dataclass(frozen=True, eq=False)
class Netlist:
    """A circuit of tables; see the module's text.

    `wiring` is (gates, 6) int32, the nets that each gate reads, of which the first `arity` count; `tables` (gates,)
    uint64, entry a of table g being bit a of `tables[g]`; `outputs` (bits,) int32. `inputs` and `results` are the
    ports of the inputs and outputs. The first `registers` output ports are the next values of the first `registers`
    input ports, which start as `initial` (bits): then it is a sequential circuit, one step a clock.

    Raises `OperationError` for a net that is read before it is driven, or arrays that do not fit together.
    """

    inputs: tuple[Port, ...]
    wiring: np.ndarray
    tables: np.ndarray
    arity: np.ndarray
    outputs: np.ndarray
    results: tuple[Port, ...]
    registers: int = 0
    initial: np.ndarray | None = None

    def __post_init__(self) -> None:
        gates = len(self.tables)
        wiring = np.zeros((gates, MOST_INPUTS), np.int32)
        given = np.asarray(self.wiring, np.int32).reshape(gates, -1) if gates else wiring
        wiring[:, : given.shape[1]] = given
        for name, value in (
            ("wiring", wiring),
            ("tables", np.asarray(self.tables, np.uint64)),
            ("arity", np.asarray(self.arity, np.uint8)),
            ("outputs", np.asarray(self.outputs, np.int32)),
        ):
            object.__setattr__(self, name, value)
        if self.arity.shape != (gates,) or (gates and int(self.arity.max()) > MOST_INPUTS):
            raise OperationError(f"a netlist of {gates} gates needs as many arities of at most {MOST_INPUTS}")
        read = np.where(np.arange(MOST_INPUTS) < self.arity[:, None], wiring, 0)
        late = np.flatnonzero((read >= self.first + np.arange(gates)[:, None]).any(axis=1) | (read < 0).any(axis=1))
        if late.size:
            raise OperationError(
                f"gate {late[0]} reads the nets {read[late[0]].tolist()}: only earlier nets can be read"
            )
        if self.outputs.shape != (sum(port.bits for port in self.results),):
            raise OperationError(f"the ports {self.results} do not fit {self.outputs.size} output bits")
        if self.outputs.size and not 0 <= self.outputs.min() <= self.outputs.max() < self.nets:
            raise OperationError(f"an output reads a net outside 0 to {self.nets - 1}")
        if self.registers:
            pairs = zip(self.inputs[: self.registers], self.results[: self.registers], strict=True)
            if any((a.count, a.width) != (b.count, b.width) for a, b in pairs):
                raise OperationError("the next value of a register has another shape than the register")
            start = np.asarray(self.initial, np.uint8)
            if start.shape != (self.state_bits,):
                raise OperationError(
                    f"registers of {self.state_bits} bits need as many initial bits; got {start.shape}"
                )
            object.__setattr__(self, "initial", start)

    @property
    def input_bits(self) -> int:
        """The number of input bits, those of the registers first."""
        return sum(port.bits for port in self.inputs)

    @property
    def state_bits(self) -> int:
        """The number of bits of the registers."""
        return sum(port.bits for port in self.inputs[: self.registers])

    @property
    def first(self) -> int:
        """The net that the first gate drives."""
        return 2 + self.input_bits

    @property
    def nets(self) -> int:
        """The number of nets."""
        return self.first + len(self.tables)

    def __str__(self) -> str:
        state = f", {self.state_bits} bits of state" if self.registers else ""
        return f"netlist of {len(self.tables)} gates, {self.input_bits} bits in, {self.outputs.size} bits out{state}"

    def _repr_svg_(self) -> str:
        from catlearn.functors.picture import picture

        return picture(self)


def evaluate(netlist: Netlist, rows: Sequence[Any] | np.ndarray) -> np.ndarray:
    """The output bits (samples, bits out) of rows of input bits (samples, bits in), gate by gate: the definition.

    Raises `InputError` for rows of another width, or values that are no bits.
    """
    given = np.asarray(rows)
    if given.ndim != 2 or given.shape[1] != netlist.input_bits:
        raise InputError(f"the netlist takes rows of {netlist.input_bits} bits; got shape {given.shape}")
    if given.size and not ((given == 0) | (given == 1)).all():
        raise InputError("the netlist takes bits, 0 or 1")
    values = np.zeros((netlist.nets, len(given)), np.uint8)
    values[TRUE] = 1
    values[2 : netlist.first] = given.T
    for gate, (nets, table, arity) in enumerate(zip(netlist.wiring, netlist.tables, netlist.arity, strict=True)):
        address = np.zeros(len(given), np.uint64)
        for place in range(int(arity)):
            address |= values[nets[place]].astype(np.uint64) << np.uint64(place)
        values[netlist.first + gate] = (table >> address) & np.uint64(1)
    return values[netlist.outputs].T
