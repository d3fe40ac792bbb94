"""Layers of bits: look-up tables that learn, the sixteen gates, or-pooling, chosen wires and class counts.

All are parametrised maps of bits that change by integers (`BITS`): forward they stay Boolean, backward they count votes
(BIT.lut). A model of them ends in `group_sum`, which counts the bits of each class.

>>> model = table_layer(8, 6, arity=4) >> group_sum(6, 2)
>>> model.dom, model.cod, model.parameters[0].space
((Space((8,), BITS),), (Space((2,), INTEGERS),), Space((6, 16), BITS))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import OperationError, UnknownNameError, nearest
from catlearn.generators.counting import popcount
from catlearn.generators.multiplexer import choose
from catlearn.generators.rescaling import rescale
from catlearn.generators.tables import check_wiring, read
from catlearn.generators.thresholds import at_least
from catlearn.para import Para, parametrised
from catlearn.parameters import Initialiser, Parameter, RandomBits
from catlearn.semirings import BITS
from catlearn.space import Space
from catlearn.tracing import Wire, trace
from catlearn.wirings import RandomThreshold, balanced, shared

__all__ = [
    "GATES",
    "counting_gate",
    "gate_layer",
    "group_sum",
    "or_pool",
    "rescale_votes",
    "select_wires",
    "table_conv",
    "table_layer",
]

GATES = {
    "false": 0b0000,
    "nor": 0b0001,
    "x and not y": 0b0010,
    "not y": 0b0011,
    "not x and y": 0b0100,
    "not x": 0b0101,
    "xor": 0b0110,
    "nand": 0b0111,
    "and": 0b1000,
    "xnor": 0b1001,
    "x": 0b1010,
    "x or not y": 0b1011,
    "y": 0b1100,
    "not x or y": 0b1101,
    "or": 0b1110,
    "true": 0b1111,
}
"""The sixteen two-input gates: bit x + 2 y of the number is the output."""

STARTS: dict[str, Initialiser] = {"random": RandomBits(), "threshold": RandomThreshold()}


def _start(initialise: str | Initialiser) -> Initialiser:
    if isinstance(initialise, str):
        if initialise not in STARTS:
            raise UnknownNameError(f"no start of tables is called {initialise!r}: {nearest(initialise, STARTS)}")
        return STARTS[initialise]
    return initialise


def table_layer(
    inputs: int,
    tables: int,
    *,
    arity: int = 6,
    wiring: Any = None,
    initialise: str | Initialiser = "threshold",
    seed: int = 0,
) -> Para[Diagram]:
    """`tables` look-up tables of `arity` inputs each, 2 to 8, on a vector of bits (BIT.lut).

    `wiring` is an array (tables, arity) of places, such as `wirings.local` gives; without it every bit is read equally
    often, at random by `seed`. Tables start as random thresholds, as "random" bits, or by an initialiser.
    """
    places = balanced(inputs, tables, arity, seed=seed) if wiring is None else np.asarray(wiring)
    if places.shape != (tables, arity):
        raise OperationError(f"{tables} tables of {arity} inputs need a wiring of that shape; got {places.shape}")
    return _tables("table_layer", Space(inputs, BITS), places, initialise)


def _tables(name: str, dom: Space, wiring: np.ndarray, initialise: str | Initialiser) -> Para[Diagram]:
    places = check_wiring(wiring, dom.size)
    entries = Space((places.shape[-2], 2 ** places.shape[-1]), BITS)
    return parametrised(
        name,
        {"table": Parameter("table", entries, _start(initialise))},
        dom,
        lambda t, x: read(t, functions.reshape(x, (dom.size,)), places),
    )


def table_conv(
    shape: Sequence[int],
    tables: int,
    *,
    arity: int = 6,
    patch: int = 3,
    stride: int = 1,
    wiring: Any = None,
    initialise: str | Initialiser = "threshold",
    seed: int = 0,
) -> Para[Diagram]:
    """The same tables at every place of an image of bits, (h, w) or (h, w, c), to (h', w', tables) (BIT.conv).

    Their entries are shared, so votes are summed over places (PARA.tie). `wiring` is (h', w', tables, arity).
    """
    if wiring is None:
        wiring = shared(shape, tables, arity, patch=patch, stride=stride, seed=seed)
    return _tables("table_conv", Space(tuple(shape), BITS), np.asarray(wiring), initialise)


def _gate(gate: Any) -> int:
    """The truth table of a gate by its name or number."""
    named = isinstance(gate, str) and gate in GATES
    if not named and (isinstance(gate, (str, bool)) or gate not in (*GATES.values(),)):
        raise UnknownNameError(f"no gate is called {gate!r}: {nearest(str(gate), GATES)}")
    return GATES[gate] if named else int(gate)


def gate_layer(inputs: int, gates: Sequence[str | int], wiring: Any) -> Diagram:
    """Fixed two-input gates, by their names in `GATES` or their truth tables, on a vector of bits (BIT.gates)."""
    table = (np.array([*map(_gate, gates)], int)[:, None] >> np.arange(4)) & 1
    places = np.asarray(wiring)
    if places.shape[-2:] != (len(table), 2):
        wanted = f"(.., {len(table)}, 2)"
        raise OperationError(f"{len(table)} gates of two inputs need a wiring {wanted}; got {places.shape}")

    def gated(x: Wire) -> Wire:
        entries = functions.constant(Space(table.shape, BITS), table if len(table) else 0)
        return read(entries, x, places)

    return trace(Space(inputs, BITS), gated)


def counting_gate(inputs: int, threshold: int, wiring: Any = None) -> Diagram:
    """Whether at least `threshold` of the bits that each gate reads are 1; without a wiring, of all: one bit."""
    places = np.arange(inputs)[None] if wiring is None else np.asarray(wiring)
    return trace(Space(inputs, BITS), lambda x: at_least(threshold, x, places))


def or_pool(shape: Sequence[int], size: int = 2) -> Diagram:
    """Or over windows of size x size that do not overlap, (h, w, c) to (h // size, w // size, c) (BIT.orpool)."""
    sides = tuple(shape)
    if len(sides) != 3 or isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= min(sides[:2]):
        raise OperationError(
            f"or_pool takes an image (height, width, bits) and a window that fits; got {sides}, {size!r}"
        )
    height, width, depth = sides
    rows = np.arange(height // size)[:, None, None, None, None] * size + np.arange(size)[:, None]
    columns = np.arange(width // size)[:, None, None, None] * size + np.arange(size)
    places = ((rows * width + columns) * depth + np.arange(depth)[:, None, None]).reshape(
        height // size, width // size, depth, size * size
    )
    space = Space(sides, BITS)
    return trace(space, lambda x: at_least(1, functions.reshape(x, (space.size,)), places))


def select_wires(inputs: int, outputs: int, candidates: int, *, wiring: Any = None, seed: int = 0) -> Para[Diagram]:
    """Each output is one of `candidates` (a power of two) bits, chosen by bits that are learnt (BIT.select)."""
    levels = candidates.bit_length() - 1 if isinstance(candidates, int) and candidates > 0 else 0
    if not isinstance(candidates, int) or isinstance(candidates, bool) or candidates != 2**levels:
        raise OperationError(f"select_wires chooses among a power of two; got {candidates!r}")
    places = balanced(inputs, outputs, candidates, seed=seed) if wiring is None else np.asarray(wiring)
    check_places(places, (outputs, candidates), inputs)

    def chosen(selector: Wire, x: Wire) -> Wire:
        entries = functions.gather(x, places)
        for level in reversed(range(levels)):
            half = entries.shape[1] // 2
            bit = functions.gather(selector, np.full((1,), level), axis=1)
            spread = functions.gather(bit, np.zeros(half, int), axis=1)
            entries = choose(spread, entries[:, :half], entries[:, half:])
        return functions.reshape(entries, (outputs,))

    selector = Parameter("selector", Space((outputs, levels), BITS), RandomBits())
    return parametrised("select_wires", {"selector": selector}, Space(inputs, BITS), chosen)


def check_places(places: np.ndarray, shape: tuple[int, ...], inputs: int) -> None:
    """Raise `OperationError` where an array is no array of places of that shape among `inputs` bits."""
    fits = places.shape == shape and places.dtype.kind in "iu"
    if not fits or (places.size and not 0 <= places.min() <= places.max() < inputs):
        raise OperationError(f"this needs places from 0 to {inputs - 1} of shape {shape}; got shape {places.shape}")


def group_sum(inputs: int, groups: int) -> Diagram:
    """Class counts: the number of ones in each of `groups` groups of neighbouring bits (BIT.groupsum)."""
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1 or inputs % groups:
        raise OperationError(f"{inputs} bits cannot be cut into {groups!r} groups of one size")

    def counted(x: Wire) -> Wire:
        return popcount(functions.reshape(x, (groups, inputs // groups)))

    return trace(Space(inputs, BITS), counted)


def rescale_votes(shape: int | Sequence[int], target: int = 16) -> Diagram:
    """The identity on bits, whose votes come back scaled to a mean size of `target` (BIT.rescale); see `rescaling`."""
    return trace(Space(shape, BITS), lambda x: rescale(x, target))
