"""The functor into NumPy arrays of bits and counts, with compiled kernels for tables: how circuits train on a host.

It walks the diagram node by node; a node is large, so the walk costs nothing, and each runs one loop over its wires. A
batch is stored wire-major: the array of B samples of n wires has the shape (B, n) and the memory of (n, B), so that all
samples of a wire lie together and every loop over them is one of vector instructions. Wiring is an argument of the
kernels, so a new circuit compiles nothing.

Bits are uint8, integers int32, labels int32, real numbers float32. The kernels need numba; the functor `Jax` runs the
same diagrams everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from catlearn.builder import Builder
from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError, missing_extra
from catlearn.functors.arrays import Arrays, tidy
from catlearn.generators.arithmetic import Add
from catlearn.generators.contraction import Contract
from catlearn.generators.counting import NUMBER, Clamp, Popcount
from catlearn.generators.indexing import Gather, Reshape, Scatter
from catlearn.generators.rescaling import DOWN, MOST, RescaleVotes
from catlearn.generators.tables import Address, AtAddress, Pick, ReadVotes, WriteAt
from catlearn.generators.thresholds import AtLeast, AtLeastVotes
from catlearn.semirings import BITS, INTEGERS, Carrier
from catlearn.space import Object

__all__ = ["Bits", "CountAt", "available"]


MOST_FOUND = 4096
"""The number of generators whose rules are remembered, at most."""


def available() -> bool:
    """Whether the kernels can run here."""
    return find_spec("numba") is not None


def wires_first(x: Any) -> Any:
    """A batch (B, ..) as the contiguous array (.., B); no copy where it lies so already."""
    return np.ascontiguousarray(np.moveaxis(x, 0, -1))


def rows_first(x: Any) -> Any:
    """The array (.., B) as the batch (B, ..)."""
    return np.moveaxis(x, -1, 0)


@dataclass(frozen=True)
class CountAt(Generator):
    """`(counters, addresses, votes, limit) -> clamp(counters + votes at the addresses)`: three nodes in one loop."""

    at: WriteAt
    by_value: ClassVar[bool] = True

    @property
    def dom(self) -> Object:
        return (*self.at.cod, *self.at.dom, NUMBER)

    @property
    def cod(self) -> Object:
        return self.at.cod


class Bits(Arrays):
    """Diagrams as functions of NumPy arrays, tables by kernels that numba compiles once for all circuits.

    Raises `OperationError` where numba is not installed.
    """

    def __init__(self) -> None:
        if not available():
            raise missing_extra("numba", "circuits", "the functor Bits")
        super().__init__("bits")
        self._found: dict[int, tuple[Generator, Callable[..., Any] | None]] = {}

    def __repr__(self) -> str:
        return "Bits()"

    @property
    def namespace(self) -> Any:
        return np

    _DTYPES: ClassVar[dict[str, str]] = {"real": "float32", "integer": "int32", "bit": "uint8", "index": "int32"}

    def dtype(self, carrier: Carrier) -> Any:
        if carrier.kind not in self._DTYPES:
            raise OperationError(f"the functor Bits has no {carrier}: use functors.Jax()")
        return np.dtype(self._DTYPES[carrier.kind])

    @property
    def integer_bits(self) -> int | None:
        return 32

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        known = self._found.get(id(generator))
        if known is None:
            keyed = any(space.carrier.kind == "key" for space in (*generator.dom, *generator.cod))
            found = None if keyed else _RULES.get(type(generator)) or super().rule(generator)
            if len(self._found) >= MOST_FOUND:
                self._found.clear()
            self._found[id(generator)] = known = (generator, found)  # kept alive, so that its identity stays its own
        return known[1]

    def prepare(self, diagram: Diagram) -> Diagram:
        """The diagram as it is run: tidied, and counters updated in the loop that counts their votes."""
        return _with_counters(tidy(diagram, self))


def _with_counters(diagram: Diagram) -> Diagram:
    """Clamp(s + WriteAt(a, v), limit) as one node, where nothing else reads what is between."""
    readers: dict[int, int] = {}
    source: dict[int, tuple[Generator, tuple[int, ...]]] = {}
    for generator, inputs, outputs in diagram.nodes:
        source.update((wire, (generator, inputs)) for wire in outputs)
        for wire in inputs:
            readers[wire] = readers.get(wire, 0) + 1
    for wire in diagram.outputs:
        readers[wire] = readers.get(wire, 0) + 1
    fused: dict[int, tuple[CountAt, tuple[int, ...]]] = {}
    gone: set[int] = set()
    for clamp, (total, limit), (out,) in ((g, i, o) for g, i, o in diagram.nodes if isinstance(g, Clamp)):
        adding, added = source.get(total, (clamp, ()))
        if not isinstance(adding, Add):
            continue
        state, change = added
        writing, at = source.get(change, (clamp, ()))
        if isinstance(writing, WriteAt) and readers[total] == readers[change] == 1:
            fused[out] = (CountAt(writing), (state, *at, limit))
            gone |= {total, change}
    if not fused:
        return diagram
    builder = Builder(diagram.dom)
    here = {k: k for k in range(len(diagram.dom))}
    for generator, inputs, outputs in diagram.nodes:
        if gone.intersection(outputs):
            continue
        chosen, wires = fused.get(outputs[0], (generator, inputs)) if outputs else (generator, inputs)
        here.update(zip(outputs, builder.apply(chosen, tuple(here[k] for k in wires)), strict=True))
    return builder.finish(here[k] for k in diagram.outputs)


def _kernels() -> Any:
    from catlearn.kernels import tables

    return tables


def _batched(generator: Any, x: Any) -> Any:
    """The input as (wires, samples): many rows become one axis of samples, none one sample."""
    rows = len(generator.rows)
    if rows == 1:
        return wires_first(x)
    flat = np.reshape(x, (math.prod(generator.rows), *x.shape[rows:]))
    return wires_first(flat)


def _unbatched(generator: Any, out: Any) -> Any:
    """An array (.., samples) with the generator's rows first."""
    result = rows_first(out)
    return result if len(generator.rows) == 1 else np.reshape(result, (*generator.rows, *result.shape[1:]))


def _gates(generator: Address | AtLeast) -> np.ndarray:
    """The wiring as (gates, inputs of a gate), the gates of all places in a row."""
    places = generator.wiring.array
    return places.reshape(math.prod(places.shape[:-1]), places.shape[-1])


def _address(generator: Address, x: Any) -> Any:
    bits, flat = _batched(generator, x), _gates(generator)
    out = np.empty((len(flat), bits.shape[-1]), np.uint8)
    _kernels().address(bits, flat, out)
    return _unbatched(generator, out.reshape(*generator.wiring.shape[:-1], bits.shape[-1]))


def _by_place(generator: AtAddress, x: Any) -> Any:
    """(rows, places, W) as (places, W, samples)."""
    lying, (*places, tables, _) = _batched(generator, x), generator.wiring.shape
    return lying.reshape(math.prod(places), tables, lying.shape[-1])


def _pick(generator: Pick, entries: Any, addresses: Any) -> Any:
    if generator.carrier != BITS:
        return generator.evaluate(_PLAIN, entries, addresses.astype(np.int32))
    here = _by_place(generator, addresses)
    out = np.empty(here.shape, np.uint8)
    _kernels().pick(np.ascontiguousarray(entries), here, out)
    return _unbatched(generator, out.reshape(*generator.wiring.shape[:-1], here.shape[-1]))


def _write_at(generator: WriteAt, addresses: Any, v: Any) -> Any:
    out = np.empty(generator.entries.shape, np.int32)
    _kernels().write_at(_by_place(generator, addresses), _by_place(generator, v), out)
    return out


def _count_at(generator: CountAt, counters: Any, addresses: Any, v: Any, limit: Any) -> Any:
    out = np.empty(counters.shape, np.int32)
    here, votes = _by_place(generator.at, addresses), _by_place(generator.at, v)
    _kernels().count_at(np.ascontiguousarray(counters), here, votes, np.int32(limit), out)
    return out


def _read_votes(generator: ReadVotes, entries: Any, addresses: Any, v: Any) -> Any:
    if generator.carrier != BITS:
        return generator.evaluate(_PLAIN, entries, addresses.astype(np.int32), v)
    here = _by_place(generator, addresses)
    places = generator.wiring.array.reshape(*here.shape[:2], generator.arity)
    out = np.empty((generator.inputs, here.shape[-1]), np.int32)
    _kernels().votes(np.ascontiguousarray(entries), here, _by_place(generator, v), places, out)
    return _unbatched(generator, out)


def _at_least(generator: AtLeast, x: Any) -> Any:
    bits, flat = _batched(generator, x), _gates(generator)
    out = np.empty((len(flat), bits.shape[-1]), np.uint8)
    _kernels().at_least(bits, flat, generator.threshold, out)
    return _unbatched(generator, out.reshape(*generator.wiring.shape[:-1], bits.shape[-1]))


def _at_least_votes(generator: AtLeastVotes, x: Any, v: Any) -> Any:
    bits, flat = _batched(generator, x), _gates(generator)
    out = np.empty((generator.inputs, bits.shape[-1]), np.int32)
    given = _batched(generator, v).reshape(len(flat), bits.shape[-1])
    _kernels().at_least_votes(bits, given, flat, generator.threshold, out)
    return _unbatched(generator, out)


def _rescale_votes(generator: RescaleVotes, v: Any) -> Any:
    if v.ndim < 2 or not v.size:
        return generator.evaluate(_PLAIN, v)
    lying = wires_first(v)
    flat = lying.reshape(-1, lying.shape[-1])
    most, out = MOST * generator.target, np.empty(flat.shape, np.int32)
    total = _kernels().size_of(flat, most, 2**generator.coarse)
    up, down = generator.powers(np.int32(total))
    seed = np.uint32(total * 0x9E3779B1 % 2**32)
    _kernels().rescale(flat, most, int(up), int(down), seed, DOWN, out)
    return rows_first(out.reshape(lying.shape))


def _popcount(generator: Popcount, x: Any) -> Any:
    return x.sum(axis=-1, dtype=np.int32)


def _contract(generator: Contract, *inputs: Any) -> Any:
    """A rearrangement of a batch stays wire-major; a sum or product is the carrier's."""
    result = generator.evaluate(_PLAIN, *inputs)
    if len(inputs) == 1 and result.size > inputs[0].size and result.ndim > 1:
        return rows_first(wires_first(result))
    return result


def _gather(generator: Gather, x: Any) -> Any:
    if generator.axis == 1 and x.ndim == 2:
        return np.moveaxis(np.take(wires_first(x), generator.index.array, axis=0), -1, 0)
    return generator.evaluate(_PLAIN, x)


def _scatter(generator: Scatter, x: Any) -> Any:
    if generator.space.carrier != INTEGERS or generator.axis != 1 or x.ndim != 1 + len(generator.index.shape):
        return generator.evaluate(_PLAIN, x)
    rows = wires_first(x)
    out = np.empty((generator.length, rows.shape[-1]), np.int32)
    _kernels().scatter(rows.reshape(generator.index.array.size, rows.shape[-1]), generator.index.array.ravel(), out)
    return rows_first(out)


def _reshape(generator: Reshape, x: Any) -> Any:
    """Axes after the first are split and joined in the memory that they have."""
    shape = generator.shape
    if x.ndim < 2 or len(shape) < 1 or shape[0] != x.shape[0]:
        return np.reshape(x, shape)
    lying = np.moveaxis(x, 0, -1)
    if not lying.flags.c_contiguous:
        return np.reshape(x, shape)
    return np.moveaxis(lying.reshape(*shape[1:], shape[0]), -1, 0)


_RULES: dict[type[Generator], Callable[..., Any]] = {
    Address: _address,
    Pick: _pick,
    WriteAt: _write_at,
    CountAt: _count_at,
    ReadVotes: _read_votes,
    AtLeast: _at_least,
    AtLeastVotes: _at_least_votes,
    Popcount: _popcount,
    RescaleVotes: _rescale_votes,
    Contract: _contract,
    Gather: _gather,
    Scatter: _scatter,
    Reshape: _reshape,
}


class _Plain(Arrays):
    """The operations of NumPy alone, for what has no kernel."""

    def __init__(self) -> None:
        super().__init__("plain")

    @property
    def namespace(self) -> Any:
        return np

    def dtype(self, carrier: Carrier) -> Any:
        return np.dtype(Bits._DTYPES[carrier.kind])


_PLAIN = _Plain()
