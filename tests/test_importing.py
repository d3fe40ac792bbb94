"""Netlists as diagrams, against the evaluation of the netlist gate by gate."""

import numpy as np
import pytest

import catlearn as cl
from catlearn import hardware
from catlearn.errors import OperationError
from catlearn.functors import Exact
from catlearn.importing import diagram_of
from catlearn.netlist import Netlist, Port, evaluate


def random_netlist(seed, inputs=5, gates=12, outputs=4):
    generator = np.random.default_rng(seed)
    arity = generator.integers(0, 7, gates)
    wiring = np.array([generator.integers(0, 2 + inputs + g, 6) for g in range(gates)]).reshape(gates, 6)
    tables = generator.integers(0, 2**63, gates, dtype=np.uint64) & (
        (np.uint64(1) << (1 << arity).astype(np.uint64)) - 1
    )
    nets = generator.integers(0, 2 + inputs + gates, outputs)
    return Netlist((Port("x", inputs),), wiring, tables, arity, nets, (Port("y", outputs),))


def all_rows(width):
    return np.arange(2**width)[:, None] >> np.arange(width) & 1


@pytest.mark.parametrize("seed", range(8))
def test_the_diagram_is_the_netlist(seed):
    netlist = random_netlist(seed)
    rows = all_rows(5)
    many = cl.batch(diagram_of(netlist), len(rows))
    np.testing.assert_array_equal(np.asarray(Exact()(many)(rows)).astype(int), evaluate(netlist, rows))


@pytest.mark.parametrize("parts", [{"gates": 0}, {"outputs": 0}, {"inputs": 0}])
def test_corners(parts):
    netlist = random_netlist(1, **parts)
    rows = all_rows(netlist.input_bits)
    many = cl.batch(diagram_of(netlist), len(rows))
    np.testing.assert_array_equal(np.asarray(Exact()(many)(rows)).astype(int), evaluate(netlist, rows))


def test_what_was_read_from_blif_is_differentiated_like_any_map():
    text = hardware.blif(hardware.from_function(lambda a, b, c: (a & b) | c, 3, 1))
    f = diagram_of(hardware.read_blif(text))
    r = cl.reverse_derivative(f)
    for row in all_rows(3):
        a, b, c = row
        wanted = [b * (1 - c), a * (1 - c), 1 - a * b]
        assert np.asarray(Exact()(r)(row, [1])).astype(int).tolist() == wanted


def test_registers_are_refused():
    netlist = Netlist((Port("s", 1),), [], [], [], [2], (Port("t", 1),), registers=1, initial=[0])
    with pytest.raises(OperationError, match="no map of its inputs"):
        diagram_of(netlist)
