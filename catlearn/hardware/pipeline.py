"""Pipelining: a combinational netlist cut by ranks of registers into stages of even depth.

A gate of depth d, of D in all, works in stage floor((d - 1) (n + 1) / D) of n + 1. A net that a later stage reads
passes through the register of every rank between; a constant through none. So the result at clock t + n is the
netlist's value on the inputs of clock t.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from catlearn.errors import OperationError
from catlearn.netlist import TRUE, Netlist, Port

__all__ = ["Pipeline", "pipelined"]


class Pipeline(NamedTuple):
    """A sequential netlist, after how many clocks its results come, and the most gates between two registers."""

    netlist: Netlist
    latency: int
    depth: int


def _levels(netlist: Netlist) -> np.ndarray:
    """For each net the number of gates on the longest path to it; what depends on no input counts as a gate of one."""
    levels = [0] * netlist.first
    for wiring, arity in zip(netlist.wiring.tolist(), netlist.arity.tolist(), strict=True):
        levels.append(1 + max((levels[net] for net in wiring[:arity]), default=0))
    return np.asarray(levels)


def pipelined(netlist: Netlist, ranks: int) -> Pipeline:
    """The netlist with this many ranks of registers, the ports `stage_1` to `stage_n`, in front of its own.

    Raises `OperationError` for a netlist that has registers already, or ranks that are no positive integer.
    """
    if netlist.registers:
        raise OperationError("a sequential netlist cannot be pipelined: its next step needs the result of this one")
    if isinstance(ranks, bool) or not isinstance(ranks, int) or ranks < 1:
        raise OperationError(f"a pipeline needs a positive number of ranks of registers; got {ranks!r}")
    levels = _levels(netlist)
    total = max(1, int(levels.max()))
    stage = np.where(levels > 0, (levels - 1) * (ranks + 1) // total, 0)
    last = _last_stages(netlist, stage, ranks)
    alive = [np.flatnonzero((stage < rank) & (last >= rank)) for rank in range(1, ranks + 1)]
    held = sum(map(len, alive))
    where = np.full((ranks + 1, netlist.nets), -1, np.int64)
    where[:, : TRUE + 1] = range(TRUE + 1)
    own = np.arange(netlist.nets) + held
    live = np.arange(netlist.nets) > TRUE
    where[stage[live], np.flatnonzero(live)] = own[live]
    ports, net = [], 2
    for rank, nets in enumerate(alive, 1):
        where[rank, nets] = np.arange(net, net + len(nets))
        ports.append(Port(f"stage_{rank}", len(nets)))
        net += len(nets)
    used = np.arange(netlist.wiring.shape[1]) < netlist.arity[:, None]
    wiring = np.where(used, where[stage[netlist.first :, None], netlist.wiring], 0)
    following = [where[rank - 1, nets] for rank, nets in enumerate(alive, 1)]
    cut = Netlist(
        (*ports, *netlist.inputs),
        wiring,
        netlist.tables,
        netlist.arity,
        np.concatenate([*following, where[ranks, netlist.outputs]]),
        (*(Port(f"{port.name}_next", port.count) for port in ports), *netlist.results),
        ranks,
        np.zeros(held, np.uint8),
    )
    depth = max((len(np.unique(levels[(stage == s) & (levels > 0)])) for s in range(ranks + 1)), default=0)
    return Pipeline(cut, ranks, depth)


def _last_stages(netlist: Netlist, stage: np.ndarray, ranks: int) -> np.ndarray:
    """The last stage that reads each net; the results are read in the last of all, and constants need no register."""
    last = stage.copy()
    for place in range(netlist.wiring.shape[1]):
        reads = netlist.arity > place
        np.maximum.at(last, netlist.wiring[reads, place], stage[netlist.first :][reads])
    last[netlist.outputs] = ranks
    last[: TRUE + 1] = 0
    return last
