"""The functor into netlists, against the exact functor: every generator of circuits and of their training steps."""

import numpy as np
import pytest

from catlearn import functions
from catlearn.errors import InputError, OperationError
from catlearn.frozen import Frozen
from catlearn.functors import Exact
from catlearn.functors.netlists import lower
from catlearn.generators.arithmetic import Negate, Subtract
from catlearn.generators.comparison import Compare
from catlearn.generators.contraction import Contract
from catlearn.generators.counting import Clamp, Dither, Popcount, Positive, Scaled, Shares
from catlearn.generators.discrete import OneHot, Since, Successor
from catlearn.generators.indexing import Scatter
from catlearn.generators.lookup import Collect, Lookup
from catlearn.generators.multiplexer import Choose
from catlearn.generators.probe import Probe
from catlearn.generators.rescaling import RescaleVotes
from catlearn.generators.selection import Divides, Less, Select
from catlearn.generators.tables import Read, Votes, Write
from catlearn.generators.thresholds import AtLeast, AtLeastVotes
from catlearn.layers import circuits
from catlearn.layers.tables import lookup_table
from catlearn.netlist import evaluate
from catlearn.rigs import BOOLEAN, Saturating
from catlearn.semirings import BITS, DISCRETE, INTEGERS, KEYS, REAL, TRIVIAL, Z2, Discrete, Modular
from catlearn.space import Space
from catlearn.tracing import trace

ROWS = 12


def limits(space, interval):
    """The interval that values of a space are drawn from."""
    carrier = space.carrier
    if carrier == INTEGERS:
        return interval
    if carrier.kind == "bit":
        return (0, 0) if carrier == TRIVIAL else (0, 1)
    size = getattr(carrier, "modulus", getattr(carrier, "size", None))
    return (0, 2**32 - 1) if size is None else (0, size - 1)


def to_bits(values, port):
    return (np.asarray(values, np.int64).reshape(-1, 1) >> np.arange(port.width) & 1).ravel()


def from_bits(bits, port):
    """The numbers of a port, from rows of its bits."""
    weights = 2 ** np.arange(port.width)
    if port.signed:
        weights[-1] *= -1
    return bits.reshape(len(bits), port.count, port.width) @ weights


def numbers(netlist, rows):
    """For each output port its numbers, from rows of lists of arrays."""
    given = np.array(
        [np.concatenate([to_bits(v, p) for v, p in zip(row, netlist.inputs, strict=True)] or [[]]) for row in rows], int
    )
    out, results = evaluate(netlist, given), []
    for port in netlist.results:
        results.append(from_bits(out[:, : port.bits], port))
        out = out[:, port.bits :]
    return results


def check(diagram, interval=(-9, 9), known=None, seed=0, intervals=None, rows=ROWS):
    """The netlist of a diagram equals the exact functor, on the ends of the intervals and on random rows."""
    random = np.random.default_rng(seed)
    known = known or [None] * len(diagram.dom)
    ranges = [limits(s, i) for s, i in zip(diagram.dom, intervals or [interval] * len(diagram.dom), strict=True)]
    netlist = lower(diagram, known, intervals=ranges)
    drawn = [[np.full(s.shape, r[end]) for s, r in zip(diagram.dom, ranges, strict=True)] for end in (0, 1)]
    for _ in range(rows):
        drawn.append([random.integers(r[0], r[1] + 1, s.shape) for s, r in zip(diagram.dom, ranges, strict=True)])
    free = [k for k, value in enumerate(known) if value is None]
    got = numbers(netlist, [[row[k] for k in free] for row in drawn])
    exact = Exact()(diagram)
    for k, row in enumerate(drawn):
        wanted = exact(*(given if value is None else value for given, value in zip(row, known, strict=True)))
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for column, value in zip(got, wanted, strict=True):
            assert column[k].tolist() == np.asarray(value).ravel().tolist()
    return netlist


def of(space):
    return trace((space, space), lambda x, y: (x + y, x * y))


RINGS = [Z2, INTEGERS, Modular(2), Modular(5), Modular(8), Modular(12)]


@pytest.mark.parametrize("carrier", [*RINGS, BOOLEAN, Saturating(2), Saturating(6)], ids=str)
def test_sums_and_products(carrier):
    space = Space(3, carrier)
    check(of(space))
    check(trace((space, Space((3, 2), carrier)), lambda x, y: functions.einsum("i,ij->j", x, y)))
    check(trace(space, lambda x: functions.sum(x)))
    check(Compare(space).diagram)
    scattered = Scatter(Space((2, 4), carrier), 1, Frozen(np.array([2, 0, 2, 2])), 4)
    check(scattered.diagram)


@pytest.mark.parametrize("carrier", RINGS, ids=str)
def test_differences_and_negation(carrier):
    check(Subtract(Space(3, carrier)).diagram)
    check(Negate(Space(3, carrier)).diagram)
    check(trace(Space(3, carrier), lambda x: 1 - x * 1))


def test_bits():
    bits = Space(4, BITS)
    check(trace((bits, bits), lambda x, y: (x * y, functions.xor(x, y), functions.invert(x), functions.include(x))))
    for carrier in (BITS, INTEGERS):
        check(Choose(Space(4, carrier)).diagram)
        check(Select(Space(4, carrier)).diagram)
    check(Popcount(Space((2, 5), BITS)).diagram)
    check(Popcount(Space((2, 0), BITS)).diagram)
    check(trace(bits, lambda x: functions.constant(bits, [1, 0, 0, 1]) * x))


@pytest.mark.parametrize("carrier", [BITS, INTEGERS, Z2, Modular(7), Discrete(5)], ids=str)
def test_reindexing(carrier):
    space = Space((2, 3), carrier)

    def moved(x, y):
        part = functions.concatenate([x, y], 1)
        return part[:, 1:4], functions.gather(part, [[5, 0], [2, 2]], 1), functions.reshape(x, (3, 2))

    check(trace((space, space), moved))
    check(Probe(space, "seen").diagram)
    if carrier != Discrete(5):
        check(trace(space, lambda x: (functions.transpose(x), functions.broadcast(x, (4, 2, 3)))))


@pytest.mark.parametrize("interval", [(-9, 9), (0, 1), (-1, 0), (-128, 127), (3, 3)])
def test_signs_and_bounds(interval):
    space = Space(4, INTEGERS)
    check(Positive(space).diagram, interval)
    check(Clamp(space).diagram, intervals=[interval, (0, 12)])
    check(Clamp(space).diagram, interval, known=[None, 6])
    check(Clamp(space).diagram, interval, known=[None, 1000])
    check(trace(space, lambda x: -x * x + 3 * x - 7), interval)


def test_contractions():
    for parts, output, sizes in (
        (((0, 1), (1, 2)), (2, 0), (2, 3, 2)),
        (((0,), (1,), (0, 1)), (), (2, 3)),
        (((0, 1),), (1, 2, 0), (2, 3, 2)),
        (((0,), (1,)), (1, 0), (2, 2)),
        (((0,),), (), (0,)),
    ):
        for carrier in (INTEGERS, Z2, Modular(6)):
            check(Contract(carrier, parts, output, sizes).diagram, (-3, 5))


@pytest.mark.parametrize(("scale", "temperature"), [(16, 4.0), (1, 0.1), (7, 30.0), (100, 2.5)])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_shares_of_a_softmax(scale, temperature, classes):
    check(Shares(Space((2, classes), INTEGERS), scale, temperature).diagram, (-20, 40))


def test_rounding_with_dither():
    check(Scaled(Space(4, INTEGERS), 3).diagram, intervals=[(-9, 9), (0, 11), (0, 7)])
    check(Scaled(Space(4, INTEGERS), 0).diagram, intervals=[(-9, 9), (3, 3), (0, 0)])
    check(Dither((2, 2), 5, seed=3).diagram)
    check(Dither((1,), 30, seed=-1).diagram, known=[123456789])
    check(Dither((), 15).diagram)


@pytest.mark.parametrize("target", [1, 3, 64])
def test_rescaled_votes(target):
    space = Space((2, 3), INTEGERS)
    for interval in ((-1, 1), (-5, 9), (-100, 100), (0, 2**20)):
        check(RescaleVotes(space, target).diagram, interval)
    check(RescaleVotes(Space((), INTEGERS), target).diagram)


@pytest.mark.parametrize("arity", range(9))
def test_tables_that_are_known_are_single_gates_up_to_six_inputs(arity):
    random = np.random.default_rng(arity)
    read = Read(BITS, Frozen(random.integers(0, 5, (4, arity))), 5).diagram
    entries = random.integers(0, 2, (4, 2**arity))
    netlist = check(read, known=[entries, None])
    assert arity > 6 or len(netlist.tables) <= 4


@pytest.mark.parametrize("carrier", [BITS, INTEGERS], ids=str)
@pytest.mark.parametrize("arity", [0, 1, 2, 3, 5])
def test_tables_of_nets_and_their_votes(carrier, arity):
    random = np.random.default_rng(arity)
    for shape, rows in (((3, arity), ()), ((2, 3, arity), (2,))):
        wiring = Frozen(random.integers(0, 4, shape))
        for kind in (Read, Write, Votes):
            check(kind(carrier, wiring, 4, rows).diagram, (-4, 5), rows=6)


@pytest.mark.parametrize(("inputs", "threshold"), [(1, 1), (4, 1), (4, 2), (4, 4), (9, 1), (9, 5), (9, 9)])
def test_thresholds_and_their_votes(inputs, threshold):
    wiring = Frozen(np.random.default_rng(inputs).integers(0, 6, (3, inputs)))
    for rows in ((), (2,)):
        check(AtLeast(wiring, 6, threshold, rows).diagram)
        check(AtLeastVotes(wiring, 6, threshold, rows).diagram)


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_labels(size):
    labels = Space(3, Discrete(size))
    for carrier in (BITS, INTEGERS, Z2, Modular(5)):
        check(OneHot(labels, carrier).diagram)
    check(Less(labels).diagram)
    for carrier in (BITS, INTEGERS, Z2):
        check(Lookup(carrier, labels, (2,)).diagram)
    for carrier in (INTEGERS, Z2, Modular(3)):
        check(Collect(carrier, labels, (2,)).diagram)


def test_an_input_of_one_value_is_that_value():
    only = lower(trace(Space((), Discrete(1)), lambda n: functions.one_hot(n, INTEGERS)), names=["n"])
    assert evaluate(only, [[0], [1]]).tolist() == [[1], [1]]
    none = lower(trace(Space((), INTEGERS), lambda x: x + 1), intervals=[(0, 0)])
    assert evaluate(none, [[0], [1]]).tolist() == [[1], [1]]


def test_counters_of_steps():
    counter = Space(2, DISCRETE)
    check(Since(counter, 5).diagram)
    check(Since(counter, 2**40).diagram)
    check(Less(counter).diagram)
    for number in (1, 2, 3, 100):
        check(Divides(counter, number).diagram)
    check(Successor(Space((), DISCRETE)).diagram, known=[2**31])
    netlist = lower(Successor(Space((), DISCRETE)).diagram)
    assert [n.tolist() for n in numbers(netlist, [[0], [2**31 - 1], [2**32 - 1]])] == [[[1], [2**31], [0]]]


def held(model, seed=0):
    """A model's parameters, known, and nothing of its inputs."""
    return [*model.initial(seed), *(None for _ in model.dom)]


MODELS = {
    "tables": circuits.table_layer(8, 6, arity=4) >> circuits.group_sum(6, 2),
    "random tables": circuits.table_layer(8, 6, arity=7, initialise="random"),
    "deep": circuits.table_layer(6, 8, arity=3) >> circuits.rescale_votes(8, 4) >> circuits.table_layer(8, 4, arity=2),
    "convolution": circuits.table_conv((4, 4, 1), 3, arity=3, patch=2) >> circuits.or_pool((3, 3, 3), 1),
    "pool": circuits.or_pool((4, 4, 2)),
    "majority": circuits.counting_gate(7, 4),
    "gates": circuits.gate_layer(4, list(circuits.GATES), np.random.default_rng(0).integers(0, 4, (16, 2))),
    "select": circuits.select_wires(6, 5, 4),
    "polynomial": lookup_table(4, 3),
    "polynomial of constants": lookup_table(0, 3),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_circuits(name):
    from catlearn.para import Para

    model = MODELS[name] if isinstance(MODELS[name], Para) else Para.of(MODELS[name])
    known = held(model)
    if name == "polynomial":
        known[0] = np.random.default_rng(0).integers(0, 2, (3, 16))
    check(model.diagram, known=known, rows=30)
    check(model.diagram, rows=4)


def test_inputs_are_folded_and_ports_named():
    model = circuits.table_layer(8, 6, arity=4) >> circuits.group_sum(6, 2)
    netlist = lower(model.diagram, held(model), names=["t", "x"], results=["counts"])
    assert [(p.name, p.count, p.width, p.signed) for p in netlist.inputs] == [("x", 8, 1, False)]
    assert [(p.name, p.count, p.width, p.signed) for p in netlist.results] == [("counts", 2, 2, False)]
    signed = lower(trace(Space((), INTEGERS), lambda x: -x), intervals=[(0, 7)])
    assert [(p.name, p.width, p.signed) for p in (*signed.inputs, *signed.results)] == [
        ("x0", 3, False),
        ("y0", 4, True),
    ]


def test_registers_start_and_step():
    space = Space((), Modular(5))
    netlist = lower(trace((space, space), lambda s, x: (s + x, s)), initial=[3], names=["s", "x"])
    assert (netlist.registers, netlist.initial.tolist()) == (1, [1, 1, 0])
    state = netlist.initial
    for k in range(6):
        out = evaluate(netlist, [[*state, 0, 1, 0]])[0]
        assert out[:3] @ [1, 2, 4] == (3 + 2 * (k + 1)) % 5
        assert (out[3:] == state).all()
        state = out[:3]


REALS = trace(Space(2, REAL), lambda x: functions.exp(x))
ADDING = trace((Space((), INTEGERS),) * 2, lambda s, x: s + x)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: lower(REALS),
            OperationError,
            r"the node 'exp' giving Space\(\(2,\), REAL\) has no meaning in hardware",
        ),
        (
            lambda: lower(trace(Space(2, REAL), lambda x: x), names=["pressure"]),
            OperationError,
            r"input 'pressure' is in Space\(\(2,\), REAL\), which has no bits: circuits",
        ),
        (
            lambda: lower(trace(Space((), DISCRETE), lambda n: functions.real(n))),
            OperationError,
            r"the node 'real' giving Space\(\(\), REAL\) has no meaning in hardware",
        ),
        (lambda: lower(trace(Space((), KEYS), lambda k: k)), OperationError, "input 'x0' is in .*KEYS"),
        (lambda: lower(ADDING), OperationError, r"'x0' is of INTEGERS, which have no bound: say the interval"),
        (lambda: lower(ADDING, intervals=[(1, 0), (0, 1)]), OperationError, r"low first; got \(1, 0\)"),
        (lambda: lower(ADDING, intervals=[None]), InputError, "needs 2 intervals, one a wire.* got 1"),
        (lambda: lower(ADDING, names=["x"]), InputError, "needs 2 names"),
        (lambda: lower(ADDING, results=[]), InputError, "needs 1 results"),
        (lambda: lower(ADDING, [1, 2, 3]), InputError, "needs 2 known values"),
        (lambda: lower(ADDING, [[1], 2]), InputError, r"'x0' must have shape \(\)"),
        (lambda: lower(ADDING, [0.5, 2]), InputError, "must hold integers"),
        (lambda: lower(of(Space((), Z2)), [2, None]), InputError, "value 2, which is not in Z2"),
        (lambda: lower(ADDING, [1, None], initial=[0]), OperationError, "registers are the first inputs"),
        (
            lambda: lower(ADDING, intervals=[(0, 7), (0, 1)], initial=[0]),
            OperationError,
            r"'x0' leaves its interval \(0, 7\): it reaches \(0, 8\)",
        ),
        (
            lambda: lower(trace(Space((), INTEGERS), lambda s: s), intervals=[(0, 7)], initial=[9]),
            OperationError,
            r"leaves its interval \(0, 7\): it reaches \(9, 9\)",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()
