"""BLIF, the Berkeley logic interchange format: netlists written and read.

Written are `.model`, `.inputs`, `.outputs`, `.latch` (with its initial value) and `.names` with the rows where the
output is 1, or those where it is 0 if they are fewer. Read are also don't cares, gates in any order, tables of any
number of inputs (those of more than six are expanded by Shannon), buffers and constants (which become no gates), and
clocks of latches (which are dropped, with the inputs that nothing else reads). Names `x[0]`, `x[1]`, ... in a row
become one port again.

>>> from catlearn.netlist import evaluate
>>> and_not = read_blif('''.model t
... .inputs a b
... .outputs y
... .names a b y
... 10 1
... .end''')
>>> evaluate(and_not, [[1, 0], [1, 1]]).tolist()
[[1], [0]]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from catlearn.errors import InputError
from catlearn.hardware.importing import Builder
from catlearn.hardware.names import checked, legal
from catlearn.hardware.tables import ONES, PLACES
from catlearn.netlist import FALSE, MOST_INPUTS, TRUE, Netlist, Port

__all__ = ["blif", "read_blif"]

Cube = tuple[str, ...]
IGNORED = {".clock", ".default_input_arrival", ".area", ".delay", ".wire_load_slope", ".cname", ".attr", ".param"}


def blif(netlist: Netlist, name: str = "circuit") -> str:
    """The netlist as one model. Raises `InputError` for a name that is none."""
    checked(name)
    names = legal([port.name for port in (*netlist.inputs, *netlist.results)])
    ports = (*netlist.inputs, *netlist.results)
    bits = [[f"{label}[{k}]" for k in range(port.bits)] for label, port in zip(names, ports, strict=True)]
    inputs = list(chain.from_iterable(bits[: len(netlist.inputs)]))
    results = list(chain.from_iterable(bits[len(netlist.inputs) :]))
    held = netlist.state_bits
    nets = ["$false", "$true", *inputs, *(f"n{net}" for net in range(netlist.first, netlist.nets))]
    lines = [
        f"# {netlist}",
        f".model {name}",
        *_wrapped(".inputs", inputs[held:]),
        *_wrapped(".outputs", results[held:]),
    ]
    for place in range(held):
        lines.append(f".latch {results[place]} {inputs[place]} {np.asarray(netlist.initial)[place]}")
    lines += [".names $false", ".names $true", "1"]
    gates = zip(netlist.wiring.tolist(), netlist.tables.tolist(), netlist.arity.tolist(), strict=True)
    for net, (wiring, table, arity) in enumerate(gates, netlist.first):
        lines.append(" ".join([".names", *(nets[k] for k in wiring[:arity]), nets[net]]))
        lines += _rows(table, arity)
    for label, net in zip(results, netlist.outputs.tolist(), strict=True):
        lines += [f".names {nets[net]} {label}", "1 1"]
    return "\n".join([*lines, ".end", ""])


def _wrapped(directive: str, names: Sequence[str], width: int = 12) -> Iterator[str]:
    """A directive with its names, some on a line."""
    rows = [names[k : k + width] for k in range(0, len(names), width)] or [[]]
    return iter([" \\\n ".join([directive, *(" ".join(row) for row in rows)])])


def _rows(table: int, arity: int) -> list[str]:
    """The rows of a table, of the value that has fewer of them."""
    size = 1 << arity
    ones = [a for a in range(size) if table >> a & 1]
    if arity == 0:
        return ["1"] * len(ones)
    if len(ones) in (0, size):  # a table without rows is no constant to every reader
        return ["-" * arity + f" {int(bool(ones))}"]
    value, chosen = ("1", ones) if 2 * len(ones) <= size else ("0", [a for a in range(size) if a not in ones])
    return [f"{a:0{arity}b}"[::-1] + f" {value}" for a in chosen]


@dataclass
class _Table:
    """The `.names` of a net: where it stands, what it reads, its rows, and the value that they give."""

    line: int
    inputs: list[str]
    rows: list[Cube] = field(default_factory=list)
    value: str = "1"


@dataclass
class _Model:
    """What a file says, before the order of gates is known."""

    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    latches: list[tuple[int, str, str, int]] = field(default_factory=list)
    clocks: set[str] = field(default_factory=set)
    tables: dict[str, _Table] = field(default_factory=dict)
    driven: dict[str, int] = field(default_factory=dict)

    def drive(self, net: str, line: int) -> None:
        """Note the driver of a net."""
        if net in self.driven:
            raise InputError(f"line {line}: {net!r} is driven a second time; line {self.driven[net]} drives it already")
        self.driven[net] = line


def read_blif(source: str | Path) -> Netlist:
    """The netlist of a BLIF text, or of the file at a path; a text has more than one line.

    Raises `InputError` with the number of the line for a net that nothing drives or that two drive, a loop (naming
    it), a row of another form or width, a missing `.model`, or a directive that is not read.
    """
    text = Path(source).read_text() if isinstance(source, Path) or "\n" not in source else source
    model = _parsed(text)
    read = {name for table in model.tables.values() for name in table.inputs}
    read |= {*model.outputs, *(latch[1] for latch in model.latches)}
    inputs = [name for name in model.inputs if name not in model.clocks or name in read]
    states = [latch[2] for latch in model.latches]
    builder = Builder(2 + len(states) + len(inputs))
    nets = {name: net for net, name in enumerate([*states, *inputs], 2)}
    for name in _ordered(model, set(nets)):
        nets[name] = _net(builder, model.tables[name], nets)
    wanted = [(line, data) for line, data, _, _ in model.latches]
    wanted += [(model.driven.get(f".outputs {name}", 0), name) for name in model.outputs]
    for line, name in wanted:
        if name not in nets:
            raise InputError(f"line {line}: nothing drives {name!r}")
    registers = _ports(states)
    following = [Port(f"{port.name}_next", port.count) for port in registers]
    return builder.netlist(
        [*registers, *_ports(inputs)],
        [nets[name] for _, name in wanted],
        [*following, *_ports(model.outputs)],
        registers=len(registers),
        initial=np.array([latch[3] for latch in model.latches], np.uint8),
    )


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The words of each line with its number, without comments, continued lines joined."""
    words: list[str] = []
    start = 0
    for number, raw in enumerate([*text.splitlines(), ""], 1):
        line = raw.split("#", 1)[0].rstrip()
        start = start or number
        words += line.removesuffix("\\").split()
        if not line.endswith("\\"):
            if words:
                yield start, words
            words, start = [], 0


def _parsed(text: str) -> _Model:
    """The directives of the one model of a text."""
    model, named, table = _Model(), False, None
    for line, (first, *rest) in _lines(text):
        if not first.startswith("."):
            if table is None:
                raise InputError(f"line {line}: the row {first!r} belongs to no .names")
            _add_row(table, line, [first, *rest])
            continue
        table = None
        if first == ".model":
            if named:
                raise InputError(f"line {line}: a second .model; one model a file is read")
            named = True
        elif not named:
            raise InputError(f"line {line}: {first} stands before .model")
        elif first == ".end":
            return model
        elif first == ".inputs":
            for name in rest:
                model.drive(name, line)
            model.inputs += rest
        elif first == ".outputs":
            model.outputs += rest
            model.driven.update({f".outputs {name}": line for name in rest})
        elif first == ".latch":
            _add_latch(model, line, rest)
        elif first == ".names":
            if not rest:
                raise InputError(f"line {line}: .names needs the name of its output")
            model.drive(rest[-1], line)
            table = model.tables[rest[-1]] = _Table(line, rest[:-1])
        elif first not in IGNORED:
            raise InputError(f"line {line}: {first} is not read; known are .model .inputs .outputs .latch .names .end")
    if not named:
        raise InputError("line 1: no .model; a BLIF text begins with one")
    return model


def _add_latch(model: _Model, line: int, words: list[str]) -> None:
    """A `.latch input output [type control] [initial]`; an unknown or free initial value is 0."""
    initial = words.pop() if len(words) in (3, 5) else "3"
    if len(words) not in (2, 4) or initial not in ("0", "1", "2", "3"):
        raise InputError(f"line {line}: expected .latch input output [type control] [0 to 3]; got {' '.join(words)!r}")
    if len(words) == 4:
        if words[2] not in ("re", "fe", "as", "ah", "al"):
            raise InputError(f"line {line}: a latch is of type re, fe, as, ah or al; got {words[2]!r}")
        model.clocks.add(words[3])
    model.drive(words[1], line)
    model.latches.append((line, words[0], words[1], int(initial == "1")))


def _add_row(table: _Table, line: int, words: list[str]) -> None:
    """A row of a table."""
    cube, value = ("", words[0]) if len(words) == 1 and not table.inputs else (words[0], words[-1])
    if len(cube) != len(table.inputs) or len(words) != 1 + bool(table.inputs):
        raise InputError(f"line {line}: a row needs {len(table.inputs)} entries and a value; got {' '.join(words)!r}")
    if set(cube) - set("01-") or value not in ("0", "1"):
        raise InputError(f"line {line}: a row has entries 0, 1 or - and the value 0 or 1; got {' '.join(words)!r}")
    if table.rows and value != table.value:
        raise InputError(f"line {line}: the rows of one table all give 1, or all 0")
    table.value = value
    table.rows.append(tuple(cube))


def _ordered(model: _Model, known: set[str]) -> Iterator[str]:
    """The nets of tables, each after those that it reads."""
    done, path = set(known), dict[str, Iterator[str]]()
    for root in model.tables:
        if root in done:
            continue
        path[root] = iter(model.tables[root].inputs)
        while path:
            name = next(reversed(path))
            for read in path[name]:
                if read in done:
                    continue
                if read in path:
                    loop = [*path][[*path].index(read) :]
                    raise InputError(
                        f"line {model.tables[name].line}: a loop: {' -> '.join([*reversed(loop), loop[-1]])}"
                    )
                if read not in model.tables:
                    raise InputError(f"line {model.tables[name].line}: {name!r} reads {read!r}, which nothing drives")
                path[read] = iter(model.tables[read].inputs)
                break
            else:
                del path[name]
                done.add(name)
                yield name


def _net(builder: Builder, table: _Table, nets: dict[str, int]) -> int:
    """The net of a table: of a buffer and a constant the one read, else of new gates."""
    reads = [nets[name] for name in table.inputs]
    places = tuple(range(len(reads)))
    flip = ONES if table.value == "0" else 0
    if len(reads) <= MOST_INPUTS:
        value = (_entries(table.rows, places) ^ flip) & ((1 << (1 << len(reads))) - 1)
        if not reads:
            return TRUE if value else FALSE
        return reads[0] if len(reads) == 1 and value == 0b10 else builder.gate(reads, value)
    known: dict[frozenset[Cube], int] = {}

    def net(cover: frozenset[Cube]) -> int:
        if cover not in known:
            known[cover] = expanded(cover)
        return known[cover]

    def expanded(cover: frozenset[Cube]) -> int:
        used = tuple(i for i in places if any(cube[i] != "-" for cube in cover))
        if len(used) <= MOST_INPUTS:
            value = (_entries(cover, used) ^ flip) & ((1 << (1 << len(used))) - 1)
            constants = {0: FALSE, (1 << (1 << len(used))) - 1: TRUE}
            return constants[value] if value in constants else builder.gate([reads[i] for i in used], value)
        split = used[-1]
        halves = []
        for bit in "01":
            kept = [cube for cube in cover if cube[split] in (bit, "-")]
            halves.append(net(_simplified(frozenset((*cube[:split], "-", *cube[split + 1 :]) for cube in kept))))
        return builder.choice(reads[split], halves[0], halves[1])

    return net(frozenset(table.rows))


def _simplified(cover: frozenset[Cube]) -> frozenset[Cube]:
    """The cover; just the cube that holds everywhere where there is one."""
    return next((frozenset([cube]) for cube in cover if set(cube) == {"-"}), cover)


def _entries(cover: Sequence[Cube] | frozenset[Cube], places: Sequence[int]) -> int:
    """The table over the inputs at these places, at most six, of the rows that cover it."""
    result = 0
    for cube in cover:
        entry = ONES
        for k, place in enumerate(places):
            if cube[place] != "-":
                entry &= PLACES[k] if cube[place] == "1" else ~PLACES[k]
        result |= entry & ONES
    return result


def _ports(names: Sequence[str]) -> list[Port]:
    """The names as ports: x[0], x[1], ... in a row are one."""
    ports: list[Port] = []
    for name in names:
        match = re.fullmatch(r"(.+)\[(\d+)\]", name)
        base, index = (match[1], int(match[2])) if match else (name, -1)
        if match and index and ports and ports[-1] == Port(base, index):
            ports[-1] = Port(base, index + 1)
        else:
            ports.append(Port(base if not match or not index else name, 1))
    return ports
