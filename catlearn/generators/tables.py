"""Look-up tables on bits: their value, their entries' votes and their inputs' votes (BIT.lut, BIT.conv).

W tables of k inputs, entries t of shape (W, 2**k), read n bits through a wiring c of shape (.., W, k), whose leading
axes are places that share the tables (PARA.tie). With the address addr[.., w] = sum_i x[c[.., w, i]] 2**i,

    read(t, x)[.., w]       = t[w, addr[.., w]]
    R[read](t, x, v)        = (write(x, v), votes(t, x, v))
    write(x, v)[w, a]       = sum over rows and places of v where addr = a
    votes(t, x, v)[j]       = sum over c[.., w, i] = j of (t[w, addr, bit i set] - t[w, addr, bit i clear]) v[.., w]

A table is the multilinear polynomial sum_a t_a prod_i (x_i if a_i else 1 - x_i) over Z, and these are its formal
derivatives at 0 and 1. `expansion` is that polynomial as a tree of `Choose`, from which higher derivatives come; what
runs is an `Address`, shared by the three, and a node that reads or adds at it.

>>> from catlearn.semirings import BITS
>>> and_gate = Read(BITS, Frozen(np.array([[0, 1]])), 2)
>>> int(and_gate([[0, 0, 0, 1]], [1, 1])[0])
1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.frozen import Frozen
from catlearn.generators.contraction import broadcast, repeated
from catlearn.generators.indexing import gather, positions, reshape, slice_axis
from catlearn.generators.multiplexer import choose
from catlearn.reverse import reverse_derivative
from catlearn.semirings import BITS, INTEGERS, Carrier, Discrete
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["MOST_TABLE_INPUTS", "Address", "Pick", "Read", "ReadVotes", "Votes", "Write", "WriteAt", "read"]

MOST_TABLE_INPUTS = 8


@dataclass(frozen=True)
class Tables(Generator):
    """What is about tables of one wiring: entries in `carrier` (BITS, or INTEGERS), `inputs` bits, on `rows` samples.

    Raises `OperationError` for a wiring that is no array (.., tables, inputs of a table) of places in the input.
    """

    carrier: Carrier
    wiring: Frozen
    inputs: int
    rows: tuple[int, ...] = ()
    by_value: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "wiring", check_wiring(self.wiring, self.inputs))
        if self.carrier not in (BITS, INTEGERS):
            raise OperationError(f"the entries of tables are bits or integers; got {self.carrier}")

    @property
    def arity(self) -> int:
        """The number of inputs of a table, k."""
        return self.wiring.shape[-1]

    @property
    def entries(self) -> Space:
        """The space of the entries, (W, 2**k)."""
        return Space((self.wiring.shape[-2], 2**self.arity), self.carrier)

    @property
    def bits(self) -> Space:
        """The space of the inputs."""
        return Space((*self.rows, self.inputs), BITS)

    def outputs(self, carrier: Carrier) -> Space:
        """The space of something for each row, place and table."""
        return Space((*self.rows, *self.wiring.shape[:-1]), carrier)

    def on(self, size: int) -> tuple[Carrier, Frozen, int, tuple[int, ...]]:
        """The fields of the same tables on `size` times as many rows."""
        return self.carrier, self.wiring, self.inputs, (size, *self.rows)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        prepared = self.prepared()
        assert prepared is not None
        return arrays.interpret(prepared, inputs)[0]

    def address(self, x: Wire) -> Wire:
        """The address of each table."""
        result: Wire = apply_generator(Address(self.wiring, self.inputs, self.rows), x)
        return result

    def _polynomial(self) -> Diagram:
        """R of the tables as a polynomial."""
        tree = Read(self.carrier, self.wiring, self.inputs, self.rows).expanded
        assert tree is not None
        return reverse_derivative(tree)

    def literals(self, x: Wire) -> list[Wire]:
        """The inputs of the tables, one wire for each place in a table."""
        places = self.wiring.array
        return [gather(x, places[..., i], axis=len(self.rows)) for i in range(self.arity)]


def check_wiring(wiring: Any, inputs: int) -> Frozen:
    """The wiring as 32-bit places; raises `OperationError` where it is not one of `inputs` bits."""
    array = np.asarray(wiring)
    if array.ndim < 2 or array.dtype.kind not in "iu":
        raise OperationError(
            f"a wiring is an array of integers of shape (.., tables, inputs of a table); got {array.dtype} of shape "
            f"{array.shape}"
        )
    if not 0 <= array.shape[-1] <= MOST_TABLE_INPUTS:
        raise OperationError(f"a table has 0 to {MOST_TABLE_INPUTS} inputs; the wiring gives {array.shape[-1]}")
    return within(array, inputs)


def within(places: np.ndarray, inputs: int) -> Frozen:
    """Places as a generator holds them; raises `OperationError` for one that is none of `inputs`."""
    if places.size and not 0 <= places.min() <= places.max() < inputs:
        wrong = places[(places < 0) | (places >= inputs)][0]
        raise OperationError(f"the wiring reads input {wrong}, and there are {inputs}: use 0 to {inputs - 1}")
    return positions(places)


def _tree(entries: Wire, bits: list[Wire]) -> Wire:
    """The entry at the address that bits give: entries (.., 2**k), halved by the highest bit first."""
    for bit in reversed(bits):
        half = entries.shape[-1] // 2
        low, high = slice_axis(entries, -1, 0, half), slice_axis(entries, -1, half, 2 * half)
        entries = choose(repeated(bit, half), low, high)
    return reshape(entries, entries.shape[:-1])


class Read(Tables):
    """`(entries, bits) -> the entry of each table at its address`."""

    linear = ((0,),)

    @property
    def dom(self) -> Object:
        return (self.entries, self.bits)

    @property
    def cod(self) -> Object:
        return (self.outputs(self.carrier),)

    def reverse(self) -> Diagram | None:
        own = (self.carrier, self.wiring, self.inputs, self.rows)

        def rule(t: Wire, x: Wire, v: Wire) -> tuple[Wire, Wire]:
            return apply_generator(Write(*own), x, v), apply_generator(Votes(*own), t, x, v)

        return trace((*self.dom, self.cod[0].changes), rule)

    def expansion(self) -> Diagram | None:
        def tree(t: Wire, x: Wire) -> Wire:
            return _tree(_everywhere(self, t), self.literals(x))

        return trace(self.dom, tree)

    def prepared(self) -> Diagram | None:
        pick = Pick(self.carrier, self.wiring, self.inputs, self.rows)
        return trace(self.dom, lambda t, x: apply_generator(pick, t, self.address(x)))

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        return Read(*self.on(size)).diagram if flags == (False, True) else None


def _everywhere(tables: Tables, t: Wire) -> Wire:
    """The entries for every row and place: (rows, places, W, 2**k)."""
    shape = (*tables.outputs(BITS).shape, t.shape[-1])
    return broadcast(t, shape)


class Write(Tables):
    """`(bits, votes of the outputs) -> votes of the entries`, added over rows and places; the transpose of `Read`."""

    linear = ((1,),)

    @property
    def dom(self) -> Object:
        return (self.bits, self.outputs(INTEGERS))

    @property
    def cod(self) -> Object:
        return (self.entries.with_carrier(INTEGERS),)

    def expansion(self) -> Diagram | None:
        return self._polynomial().select([0]).ignoring([0])

    def prepared(self) -> Diagram | None:
        at = WriteAt(self.carrier, self.wiring, self.inputs, self.rows)
        return trace(self.dom, lambda x, v: apply_generator(at, self.address(x), v))


class Votes(Tables):
    """`(entries, bits, votes of the outputs) -> votes of the inputs`, added over places and tables."""

    linear = ((0,), (2,))

    @property
    def dom(self) -> Object:
        return (self.entries, self.bits, self.outputs(INTEGERS))

    @property
    def cod(self) -> Object:
        return (self.bits.with_carrier(INTEGERS),)

    def expansion(self) -> Diagram | None:
        return self._polynomial().select([1])

    def prepared(self) -> Diagram | None:
        at = ReadVotes(self.carrier, self.wiring, self.inputs, self.rows)
        return trace(self.dom, lambda t, x, v: apply_generator(at, t, self.address(x), v))


@dataclass(frozen=True)
class Address(Generator):
    """`bits -> the address of each table`: what runs; derivatives are those of the generators above."""

    wiring: Frozen
    inputs: int
    rows: tuple[int, ...] = ()
    by_value: ClassVar[bool] = True

    @property
    def dom(self) -> Object:
        return (Space((*self.rows, self.inputs), BITS),)

    @property
    def cod(self) -> Object:
        return (Space((*self.rows, *self.wiring.shape[:-1]), Discrete(2 ** self.wiring.shape[-1])),)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        (x,) = inputs
        carrier, places = self.cod[0].carrier, self.wiring.array
        address = arrays.constant(self.cod[0], 0)
        for i in range(places.shape[-1]):
            bit = arrays.namespace.take(x, places[..., i], axis=len(self.rows))
            address = address + arrays.cast(bit, carrier) * (1 << i)
        return address


class AtAddress(Tables):
    """What is done at addresses already known."""

    @property
    def addresses(self) -> Space:
        """The space of the addresses."""
        return self.outputs(Discrete(2**self.arity))

    def flat(self, arrays: Any, address: Any) -> Any:
        """The number of the entry among those of all tables."""
        return arrays.positions(address + np.arange(self.wiring.shape[-2], dtype=np.int32) * 2**self.arity)


class Pick(AtAddress):
    """`(entries, addresses) -> entries there`: `Read` at known addresses."""

    @property
    def dom(self) -> Object:
        return (self.entries, self.addresses)

    @property
    def cod(self) -> Object:
        return (self.outputs(self.carrier),)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        t, address = inputs
        xp = arrays.namespace
        chosen = xp.take(xp.reshape(t, (-1,)), self.flat(arrays, address))
        return xp.reshape(chosen, self.cod[0].shape)  # of no entries, JAX takes none, in another shape


class WriteAt(AtAddress):
    """`(addresses, votes) -> votes of the entries`: `Write` at known addresses."""

    @property
    def dom(self) -> Object:
        return (self.addresses, self.outputs(INTEGERS))

    @property
    def cod(self) -> Object:
        return (self.entries.with_carrier(INTEGERS),)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        address, v = inputs
        flat = arrays.namespace.reshape
        total = arrays.scatter(INTEGERS, flat(v, (-1,)), flat(self.flat(arrays, address), (-1,)), self.entries.size)
        return flat(total, self.entries.shape)


class ReadVotes(AtAddress):
    """`(entries, addresses, votes) -> votes of the inputs`: `Votes` at known addresses."""

    @property
    def dom(self) -> Object:
        return (self.entries, self.addresses, self.outputs(INTEGERS))

    @property
    def cod(self) -> Object:
        return (self.bits.with_carrier(INTEGERS),)

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        t, address, v = inputs
        xp = arrays.namespace
        entries = xp.reshape(arrays.cast(t, INTEGERS), (-1,))
        slopes = []
        for i in range(self.arity):
            bit = address // (1 << i) % 2
            high, low = (self.flat(arrays, address + (number - bit) * (1 << i)) for number in (1, 0))
            slopes.append((xp.take(entries, high) - xp.take(entries, low)) * v)
        if not slopes:
            return arrays.constant(self.cod[0], 0)
        each = xp.reshape(xp.stack(slopes, axis=-1), (*self.rows, self.wiring.array.size))
        rows = xp.moveaxis(each, -1, 0)
        return xp.moveaxis(arrays.scatter(INTEGERS, rows, self.wiring.array.ravel(), self.inputs), 0, -1)


def read(entries: Wire, x: Wire, wiring: Any) -> Wire:
    """The tables with those entries, (W, 2**k), on the last axis of x through a wiring (.., W, k)."""
    return apply_generator(
        Read(entries.space.carrier, Frozen(np.asarray(wiring)), x.shape[-1], x.shape[:-1]), entries, x
    )
