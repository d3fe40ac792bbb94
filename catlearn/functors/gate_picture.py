"""Pictures of netlists: two-input tables as gates in their usual shapes, other tables as boxes with their hexadecimal
table; a large netlist as its levels, with the number of gates of each kind.

>>> from catlearn.netlist import Port
>>> half = Netlist((Port("x", 2),), [[2, 3], [2, 3]], [0b0110, 0b1000], [2, 2], [4, 5], (Port("sum", 1, 2),))
>>> drawing = gates(half)
>>> 'data-kind="xor"' in drawing, 'data-kind="and"' in drawing
(True, True)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from catlearn.functors.summary_picture import Row, levelled, stacked
from catlearn.layout import End, Graph
from catlearn.netlist import Netlist, Port
from catlearn.svg import Look, drawn, shaped, shortened

__all__ = ["bits", "gate_kind", "gates", "look_of"]

# Shape, a bubble at the output, the inputs with a bubble; place 0 is the upper input, x.
_SHAPES: dict[int, tuple[str, bool, tuple[int, ...]]] = {
    0b1000: ("and", False, ()),
    0b0111: ("and", True, ()),
    0b1110: ("or", False, ()),
    0b0001: ("or", True, ()),
    0b0110: ("xor", False, ()),
    0b1001: ("xor", True, ()),
    0b0010: ("and", False, (1,)),
    0b0100: ("and", False, (0,)),
    0b1011: ("or", False, (1,)),
    0b1101: ("or", False, (0,)),
}
_NAMES = {
    0b1000: "and",
    0b0111: "nand",
    0b1110: "or",
    0b0001: "nor",
    0b0110: "xor",
    0b1001: "xnor",
    0b0010: "x and not y",
    0b0100: "not x and y",
    0b1011: "x or not y",
    0b1101: "not x or y",
    0b0000: "false",
    0b1111: "true",
    0b1010: "x",
    0b0101: "not x",
    0b1100: "y",
    0b0011: "not y",
}
_SINGLE = {0b00: "false", 0b01: "not", 0b10: "buffer", 0b11: "true"}


def gate_kind(table: int, arity: int) -> str:
    """What a gate is called: its name where it has at most two inputs, else its table in hexadecimal."""
    if arity == 2:
        return _NAMES[table & 15]
    if arity == 1:
        return _SINGLE[table & 3]
    return str(table & 1) if arity == 0 else f"0x{table & (2**2**arity - 1):0{max(2**arity // 4, 1)}X}"


def look_of(table: int, arity: int) -> Look:
    """How a gate is drawn."""
    kind = gate_kind(table, arity)
    title = f"{kind}, a table of {arity} inputs" if arity > 2 else kind
    if arity == 2 and table & 15 in _SHAPES:
        shape, inverted, bubbles = _SHAPES[table & 15]
        return Look(shape, (), title, inverted, bubbles)
    if kind in ("not", "buffer"):
        return Look("buffer", (), title, kind == "not")
    return Look("box" if arity else "round", (shortened(kind, 18),), title)


def bits(ports: Sequence[Port]) -> list[str]:
    """A name for each bit of those ports: x, x[2] or x[2].0 for the lowest bit of a number."""
    found = []
    for port in ports:
        for number in range(port.count):
            name = f"{port.name}[{number}]" if port.count > 1 else port.name
            found += [f"{name}.{bit}" for bit in range(port.width)] if port.width > 1 else [name]
    return found


def gates(netlist: Netlist, title: str = "", limit: int = 60) -> str:
    """The SVG text of a netlist; one of more than `limit` gates, inputs and outputs is summarised by levels."""
    size = len(netlist.tables)
    if size > limit or netlist.input_bits + netlist.outputs.size > 2 * limit:
        return _levels(netlist, title)
    graph = Graph()
    ends: dict[int, End] = {}
    for k, name in enumerate(bits(netlist.inputs)):
        what = "register" if k < netlist.state_bits else "input"
        ends[2 + k] = graph.add(shaped(Look("input", (shortened(name),), f"{what} {name}"), 0, 1)), 0

    def source(net: int) -> End:
        if net not in ends:  # a constant, drawn where something reads it
            ends[net] = graph.add(shaped(Look("round", (str(net),), f"constant {net}"), 0, 1)), 0
        return ends[net]

    for gate, (nets, table, arity) in enumerate(zip(netlist.wiring, netlist.tables, netlist.arity, strict=True)):
        sources = [source(int(net)) for net in nets[: int(arity)]]
        look = look_of(int(table), int(arity))
        symmetric = look.kind in ("and", "or", "xor") and not look.bubbles
        node = graph.add(replace(shaped(look, len(sources), 1), alike=symmetric))
        ends[netlist.first + gate] = node, 0
        for k, end in enumerate(sources):
            graph.join(end, (node, k))
    for k, (net, name) in enumerate(zip(netlist.outputs.tolist(), bits(netlist.results), strict=True)):
        what = "next value of register" if k < netlist.state_bits else "output"
        end = source(net)
        graph.join(end, (graph.add(shaped(Look("output", (shortened(name),), f"{what} {name}"), 1, 0)), 0))
    return drawn(graph, title or str(netlist), _state(netlist))


def _state(netlist: Netlist) -> str:
    if not netlist.registers:
        return ""
    names = ", ".join(port.name for port in netlist.inputs[: netlist.registers])
    return f"registers: {shortened(names, 60)}; one step a clock, outputs of these names being the next values"


def _levels(netlist: Netlist, title: str) -> str:
    depth = np.zeros(netlist.nets, int)
    counts: dict[int, Counter[str]] = {}
    for gate, (nets, table, arity) in enumerate(zip(netlist.wiring, netlist.tables, netlist.arity, strict=True)):
        level = 1 + int(depth[nets[: int(arity)]].max(initial=0))
        depth[netlist.first + gate] = level
        kind = gate_kind(int(table), int(arity)) if arity <= 2 else f"tables of {arity} inputs"
        counts.setdefault(level, Counter())[kind] += 1
    first = Row("inputs", tuple(_port(port) for port in netlist.inputs) or ("none",))
    last = Row("outputs", tuple(_port(port) for port in netlist.results) or ("none",))
    caption = f"A summary by levels: {netlist}, {max(counts, default=0)} levels deep."
    return stacked([first, *levelled(counts, "gate"), last], title or str(netlist), caption)


def _port(port: Port) -> str:
    return (
        f"{shortened(port.name)}: {port.count:,} of {port.width} bits"
        if port.width > 1
        else f"{shortened(port.name)}: {port.count:,} bits"
    )
