"""The packed engine in JAX alone: words of 32 samples, chunks of gates one after another, on whatever device there is.

A level is cut into chunks of equally many gates, padded by gates of the constant 0, and one loop goes over the chunks:
it gathers the words that the gates read, folds the tables by Shannon's expansion, and writes the words of the chunk in
their place. Wiring, tables and the number of chunks are arguments, and sizes are rounded to powers of two, so circuits
of about one size share one compiled program. Class counts are sums of words with the bits of two samples in
their halves.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from catlearn.netlist import TRUE

if TYPE_CHECKING:
    from catlearn.packed import Schedule

__all__ = ["JaxEngine"]

WORD = 32
OVERHEAD = 128
"""What a chunk costs beside its gates, in gates."""
CHUNKS = [64 << k for k in range(15)]
PART = 2**15
"""How many bits are summed in half a word; a power of two."""
ONES = np.uint32(2**WORD - 1)


class JaxEngine:
    """A schedule as arrays for one compiled loop; see `catlearn.packed.Packed` for the shapes of its methods."""

    def __init__(self, schedule: Schedule) -> None:
        sizes = np.diff(schedule.bounds)
        chunk = min(CHUNKS, key=lambda size: int((-(-sizes // size)).sum()) * (size + OVERHEAD))
        chunks = -(-sizes // chunk)
        self.chunks = int(chunks.sum())
        places = np.arange(len(schedule.gates)) - np.repeat(schedule.bounds[:-1], sizes)
        places += np.repeat((np.cumsum(chunks) - chunks) * chunk, sizes)
        rooms = _power(self.chunks) * chunk
        rows = np.arange(schedule.first + int(schedule.gates.max(initial=-1)) + 1)
        rows[schedule.first + schedule.gates] = schedule.first + places
        read = np.zeros((rooms, schedule.read.shape[1]), np.int32)
        read[places] = rows[schedule.read]
        entries = 1 << read.shape[1]
        tables = np.zeros(rooms, np.uint64)
        tables[places] = schedule.tables
        halves = np.stack([tables, tables >> np.uint64(32)], 1)[:, : -(-entries // 32)].astype(np.uint32)
        shape = (-1, chunk)
        self.program = (
            jnp.asarray(read.reshape(*shape, read.shape[1])),
            jnp.asarray(halves.reshape(*shape, halves.shape[1])),
        )
        self.outputs = rows[schedule.outputs].astype(np.int32)
        self.block = 16 if jax.default_backend() == "cpu" else 1024

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """The output bits of rows of input bits."""
        out = _rows(self._padded(rows), *self.program, self.chunks, self.outputs, self._size(len(rows)))
        return np.asarray(out)[: len(rows)]

    def words(self, words: np.ndarray) -> np.ndarray:
        """The output words of packed input words, 64 samples to a word."""
        count = words.shape[1]
        halves = np.ascontiguousarray(words).astype("<u8", copy=False).view(np.uint32)
        block = self._size(halves.shape[1] * WORD)
        given = np.pad(halves, ((0, 0), (0, -halves.shape[1] % block)))
        out = np.asarray(_evaluate(given, *self.program, self.chunks, self.outputs, block))
        return np.ascontiguousarray(out[:, : 2 * count]).view("<u8").astype(np.uint64, copy=False)

    def counts(self, rows: np.ndarray, places: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        """The number of ones of each group of output bits, for rows of input bits."""
        lengths = np.diff(bounds)
        nets = np.zeros((len(lengths), _power(int(lengths.max(initial=1)))), np.int32)
        within = np.arange(len(places)) - np.repeat(bounds[:-1], lengths)
        nets[np.repeat(np.arange(len(lengths)), lengths), within] = self.outputs[places]
        out = _counts(self._padded(rows), *self.program, self.chunks, nets, self._size(len(rows)))
        return np.asarray(out)[: len(rows)]

    def _size(self, samples: int) -> int:
        """The words of a block: a power of two, no more than the samples need."""
        return min(self.block, _power(-(-samples // WORD)))

    def _padded(self, rows: np.ndarray) -> np.ndarray:
        return np.pad(rows, ((0, -len(rows) % (WORD * self._size(len(rows)))), (0, 0)))


def _power(number: int) -> int:
    """The least power of two that is no less, at least 1."""
    return 1 << max(number - 1, 0).bit_length()


def _folded(tables: Any, inputs: list[Any]) -> Any:
    """The words of gates (gates, words), each input being such an array."""
    entries = np.arange(1 << len(inputs))
    masks = -(tables[:, entries // 32] >> (entries % 32).astype(np.uint32) & 1)
    # Fused, each word would be gathered and each mask made anew; as arrays, rows are copied whole.
    masks, inputs = jax.lax.optimization_barrier((masks, inputs))
    words = [masks[:, e, None] for e in entries]
    for x in inputs:
        words = [low ^ ((low ^ high) & x) for low, high in zip(words[::2], words[1::2], strict=True)]
    return words[0]


@partial(jax.jit, static_argnames="block")
def _evaluate(words: Any, read: Any, tables: Any, chunks: Any, outputs: Any, block: int) -> Any:
    """The words of the nets `outputs`, block after block."""
    rooms, chunk, _ = read.shape
    first = 2 + len(words)

    def step(number: Any, state: Any) -> Any:
        nets = read[number]
        inputs = [state.at[nets[:, k]].get(mode="promise_in_bounds") for k in range(nets.shape[1])]
        return jax.lax.dynamic_update_slice(state, _folded(tables[number], inputs), (first + number * chunk, 0))

    def one(state: Any, given: Any) -> tuple[Any, Any]:
        state = jax.lax.dynamic_update_slice(state, given, (2, 0))
        state = jax.lax.fori_loop(0, chunks, step, state)
        return state, state.at[outputs].get(mode="promise_in_bounds")

    state = jnp.zeros((first + rooms * chunk, block), jnp.uint32).at[TRUE].set(ONES)
    blocks = words.reshape(len(words), words.shape[1] // block, block).transpose(1, 0, 2)
    _, out = jax.lax.scan(one, state, blocks)
    return jnp.moveaxis(out, 0, -2).reshape(*outputs.shape, words.shape[1])


def _packed(rows: Any) -> Any:
    """Rows (samples, bits) as words (bits, words)."""
    bits = rows.reshape(len(rows) // WORD, WORD, rows.shape[1]).astype(jnp.uint32)
    return (bits << np.arange(WORD, dtype=np.uint32)[:, None]).sum(1, dtype=jnp.uint32).T


@partial(jax.jit, static_argnames="block")
def _rows(rows: Any, read: Any, tables: Any, chunks: Any, outputs: Any, block: int) -> Any:
    """The output bits of rows, both (samples, bits) uint8."""
    words = _evaluate(_packed(rows), read, tables, chunks, outputs, block)
    bits = words.T[:, None, :] >> np.arange(WORD, dtype=np.uint32)[:, None] & 1
    return bits.astype(jnp.uint8).reshape(len(rows), len(outputs))


@partial(jax.jit, static_argnames="block")
def _counts(rows: Any, read: Any, tables: Any, chunks: Any, nets: Any, block: int) -> Any:
    """How many of the nets (groups, some) are 1 for each row: (samples, groups) int32."""
    words = _evaluate(_packed(rows), read, tables, chunks, nets, block)
    words = words.reshape(len(nets), -(-nets.shape[1] // PART), min(nets.shape[1], PART), words.shape[-1])

    def four(place: Any) -> Any:
        """The sums of bit `place` of each byte, two samples in the halves of a word at a time."""
        bits = words >> place & np.uint32(0x01010101)
        even, odd = ((bits >> shift & np.uint32(0x00FF00FF)).sum(2, dtype=jnp.uint32) for shift in (0, 8))
        return jnp.stack([(pair >> shift & 0xFFFF).sum(1) for shift in (0, 16) for pair in (even, odd)])

    counts = jax.lax.map(four, jnp.arange(8, dtype=jnp.uint32))
    return counts.transpose(3, 1, 0, 2).reshape(len(rows), len(nets)).astype(jnp.int32)
