"""Simplified netlists compute the same, and are as small as they should be."""

import numpy as np
import pytest

from catlearn.errors import OperationError
from catlearn.gates import Gates
from catlearn.netlist import MOST_INPUTS, Netlist, Port, evaluate
from catlearn.simplification import decomposed, gate_count, levels, simplified


def random_netlist(seed, inputs=5, gates=40, outputs=6, most=MOST_INPUTS, registers=0):
    """Gates of random tables, some simple, on random earlier nets, constants among them."""
    random = np.random.default_rng(seed)
    arity = random.integers(0, most + 1, gates)
    wiring = np.array([random.integers(0, 2 + inputs + g, MOST_INPUTS) for g in range(gates)]).reshape(
        gates, MOST_INPUTS
    )
    tables = random.integers(0, 2**63, gates, dtype=np.uint64) >> random.integers(0, 64, gates, dtype=np.uint64)
    tables[::3] = random.choice([0b10, 0b01, 0b1000, 0b0110, 0b1110, 0xE8], len(tables[::3]))
    nets = random.integers(0, 2 + inputs + gates, outputs)
    ports = (Port("s", registers), Port("x", inputs - registers)) if registers else (Port("x", inputs),)
    results = (Port("s_next", registers), Port("y", outputs - registers)) if registers else (Port("y", outputs),)
    start = np.ones(registers, np.uint8) if registers else None
    return Netlist(ports, wiring, tables, arity, nets, results, int(registers > 0), start)


def all_rows(inputs):
    return np.arange(2**inputs)[:, None] >> np.arange(inputs) & 1


def same(a, b):
    rows = all_rows(a.input_bits)
    return (evaluate(a, rows) == evaluate(b, rows)).all() and (a.inputs, a.results) == (b.inputs, b.results)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("most", [2, 3, 6])
def test_a_simplified_netlist_computes_the_same_by_no_more_gates(seed, most):
    netlist = random_netlist(seed, most=most)
    small = simplified(netlist)
    assert same(netlist, small)
    assert len(small.tables) <= len(netlist.tables)
    assert len(simplified(small).tables) == len(small.tables)
    read = np.unique(np.concatenate([small.outputs, *(w[:k] for w, k in zip(small.wiring, small.arity, strict=True))]))
    driven = np.arange(small.first, small.nets)
    assert np.isin(driven, read).all()  # none is dead
    assert not (small.wiring[np.arange(6) < small.arity[:, None]] < 2).any()  # none reads a constant
    inverters = small.arity == 1
    assert np.isin(driven[inverters], small.outputs).all()
    keys = {(tuple(w), int(t)) for w, t in zip(small.wiring.tolist(), small.tables, strict=True)}
    assert len(keys) == len(small.tables)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("arity", [2, 3, 5])
def test_a_decomposed_netlist_computes_the_same_by_small_gates(seed, arity):
    netlist = random_netlist(seed)
    parts = decomposed(netlist, arity)
    assert same(netlist, parts)
    assert parts.arity.max(initial=0) <= arity


def gates_of(build, inputs=6):
    """The circuit of one output that is built on some bits."""
    gates = Gates([Port("x", inputs)])
    nets = np.atleast_1d(build(gates, gates.inputs[0][:, 0]))
    return gates.netlist(nets, [Port("y", nets.size)])


MAJORITY = 0xE8


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (lambda g, x: 0 * x[:1], 0),
        (lambda g, x: x[::-1], 0),
        (lambda g, x: g.invert(x[0]), 1),
        (lambda g, x: [g.both(x[0], x[1]), g.both(x[1], x[0])], 1),
        (lambda g, x: [g.both(x[0], x[1]), g.gate(0b0111, x[0], x[1])], 2),
        (lambda g, x: g.gate(0b0111, x[0], x[1]), 1),
        (lambda g, x: g.both(g.invert(x[0]), g.invert(g.invert(x[1]))), 1),
        (lambda g, x: g.invert(g.differ(g.invert(x[0]), x[1])), 1),
        (lambda g, x: g.differ(g.both(x[0], x[1]), g.both(x[1], x[0])), 0),
        (lambda g, x: g.either(g.both(x[0], x[1]), g.gate(0b0111, x[0], x[1])), 0),
        (lambda g, x: g.reduce(0b0110, x), 5),
        (lambda g, x: g.table(1 << 63, x), 5),
        (lambda g, x: g.table(2**64 - 2, x), 5),
        (lambda g, x: g.table(sum(1 << a for a in range(64) if a.bit_count() % 2), x), 5),
        (lambda g, x: g.choose(x[0], x[1], x[2]), 3),
        (lambda g, x: g.gate(MAJORITY, x[0], x[1], x[2]), 4),
        (lambda g, x: g.add(g.unsigned(x[:1]), g.unsigned(x[1:2]), 2, x[2]), 5),
    ],
)
def test_counts_of_gates_that_are_known(build, count):
    netlist = gates_of(build)
    assert gate_count(netlist) <= count
    assert same(netlist, simplified(netlist))
    if count in (0, 1, 2):
        assert len(simplified(netlist).tables) == count


def test_what_depends_on_less_is_less():
    """A table of six inputs of which two matter; a constant that comes to light through a chain."""
    table = sum(1 << a for a in range(64) if a >> 1 & a >> 4 & 1)
    wide = Netlist((Port("x", 6),), [[2, 3, 4, 5, 6, 7]], [table], [6], [8], (Port("y", 1),))
    small = simplified(wide)
    assert (small.arity.tolist(), small.wiring[0, :2].tolist(), small.tables.tolist()) == ([2], [3, 6], [0b1000])
    chain = Netlist(
        (Port("x", 2),), [[2, 2], [4, 3], [5, 2]], [0b0110, 0b1000, 0b1110], [2, 2, 2], [6, 5], (Port("y", 2),)
    )
    assert simplified(chain).outputs.tolist() == [2, 0]


def test_registers_and_their_start_stay():
    netlist = random_netlist(7, registers=2)
    for after in (simplified(netlist), decomposed(netlist)):
        assert same(netlist, after)
        assert (after.registers, after.initial.tolist()) == (1, [1, 1])


def test_no_gates_no_inputs_no_outputs():
    nothing = Netlist((), [], [], [], [], ())
    assert len(simplified(nothing).tables) == len(decomposed(nothing).tables) == gate_count(nothing) == 0
    unused = random_netlist(3, outputs=0)
    assert len(simplified(unused).tables) == 0


@pytest.mark.parametrize("seed", range(5))
def test_levels_are_the_longest_paths(seed):
    netlist = random_netlist(seed)
    depth = {}
    for gate, (wiring, arity) in enumerate(zip(netlist.wiring.tolist(), netlist.arity, strict=True)):
        depth[netlist.first + gate] = 1 + max((depth.get(net, 0) for net in wiring[:arity]), default=0)
    found = {netlist.first + g: k for k, gates in enumerate(levels(netlist), 1) for g in gates.tolist()}
    assert found == depth


@pytest.mark.parametrize("arity", [1, 7, True, 2.0])
def test_an_arity_that_cannot_be_is_refused(arity):
    with pytest.raises(OperationError, match="cut to 2 to 6 inputs; got"):
        decomposed(random_netlist(0), arity)
