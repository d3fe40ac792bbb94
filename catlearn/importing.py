"""From netlists to diagrams: a circuit that was read from BLIF, or made of a table, as a map of bits like any other.

Its gates become fixed look-up tables, a node for all gates of a level, so it can be composed, run, differentiated and
put beneath tables that learn.

>>> from catlearn.hardware import from_truth_table
>>> majority = diagram_of(from_truth_table([[0], [0], [0], [1], [0], [1], [1], [1]]))
>>> majority.dom, majority([1, 0, 1]).tolist()
((Space((3,), BITS),), [1])
"""

from __future__ import annotations

import numpy as np

from catlearn import functions
from catlearn.diagram import Diagram
from catlearn.errors import OperationError
from catlearn.generators.tables import read
from catlearn.netlist import MOST_INPUTS, Netlist
from catlearn.semirings import BITS
from catlearn.simplification import levels
from catlearn.space import Space
from catlearn.tracing import Wire, trace

__all__ = ["diagram_of"]


def diagram_of(netlist: Netlist) -> Diagram:
    """The map from the input bits to the output bits of a combinational netlist, a wire of bits each, ports in order.

    Raises `OperationError` for a netlist with registers: their next values are a map of the state, not of the inputs.
    """
    if netlist.registers:
        raise OperationError(
            f"a netlist with registers is no map of its inputs; got {netlist}: set registers=0 for its step"
        )

    def circuit(x: Wire) -> Wire:
        nets = functions.concatenate([functions.constant(Space(2, BITS), np.array([0, 1])), x])
        place = np.zeros(netlist.nets, np.int64)  # where each net stands among those made so far
        place[: netlist.first] = np.arange(netlist.first)
        for gates in levels(netlist):
            arity = int(netlist.arity[gates].max(initial=0))
            entries = _entries(netlist, gates, arity)
            table = functions.constant(Space(entries.shape, BITS), entries)
            place[netlist.first + gates] = nets.shape[0] + np.arange(len(gates))
            counts = np.arange(arity) < netlist.arity[gates, None]
            made = read(table, nets, place[np.where(counts, netlist.wiring[gates, :arity], 0)])
            nets = functions.concatenate([nets, made])
        return functions.gather(nets, place[netlist.outputs])

    return trace(Space(netlist.input_bits, BITS), circuit)


def _entries(netlist: Netlist, gates: np.ndarray, arity: int) -> np.ndarray:
    """The tables of some gates as tables of `arity` inputs: what a gate does not read does not matter."""
    read_bits = np.minimum(netlist.arity[gates].astype(np.int64), MOST_INPUTS)
    address = np.arange(2**arity) & (2 ** read_bits[:, None] - 1)
    return (netlist.tables[gates, None] >> address.astype(np.uint64) & np.uint64(1)).astype(np.int64)
