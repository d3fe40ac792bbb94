"""Tables, thresholds and the multiplexer against the formal derivative of their polynomials and against loops."""

import itertools

import bit_reference as reference
import numpy as np
import pytest
from bit_reference import FUNCTORS, HOST, SIZES, agree

import catlearn as cl
from catlearn import functions as F
from catlearn.errors import CatlearnError, CompositionError, InputError, OperationError
from catlearn.frozen import Frozen
from catlearn.functors.symbolic import Polynomial, polynomials
from catlearn.generators.multiplexer import Choose, choose
from catlearn.generators.tables import MOST_TABLE_INPUTS, Address, Pick, Read, ReadVotes, Votes, Write, WriteAt, read
from catlearn.generators.thresholds import AtLeast, AtLeastVotes, at_least
from catlearn.laws.oracles import formal_derivative
from catlearn.semirings import BITS, INTEGERS, REAL, Z2
from catlearn.space import Space

R = cl.reverse_derivative


def drawn(generator, spaces, most=5):
    return [
        generator.integers(0, 2, s.shape) if s.carrier == BITS else generator.integers(-most, most + 1, s.shape)
        for s in spaces
    ]


def tables(wiring, inputs, rows=(), carrier=BITS):
    return Read(carrier, Frozen(np.asarray(wiring, int).reshape(np.shape(wiring))), inputs, rows)


# BIT.lut: against the formal derivative over Z


@pytest.mark.parametrize("functor", ["jax", "bits"])
@pytest.mark.parametrize("k", range(5))
def test_BIT_lut_every_table_at_every_point(k, functor):
    """All 2**2**k tables at all 2**k points: value, votes of the entries, votes of the inputs."""
    count = 2 ** (2**k)
    t = (np.arange(count)[:, None] >> np.arange(2**k)) & 1
    g = tables(np.arange(count * k).reshape(count, k), max(count * k, 1), (2**k,))
    polynomial, points = (
        reference.table_polynomial(k),
        np.array([*itertools.product((0, 1), repeat=k)]).reshape(2**k, k),
    )
    x = np.tile(points, count) if k else np.zeros((1, 1), int)
    v = np.random.default_rng(k).integers(-9, 10, (2**k, count))
    at = {**{f"x{i}": points[:, i, None] for i in range(k)}, **{f"t{a}": t[:, a] for a in range(2**k)}}

    def everywhere(p):
        return np.broadcast_to(p.at(at), (2**k, count))

    forward = FUNCTORS[functor](g.diagram)(t, x)
    np.testing.assert_array_equal(np.asarray(forward), everywhere(polynomial))
    entries, inputs = (np.asarray(part) for part in FUNCTORS[functor](R(g.diagram))(t, x, v))
    for a in range(2**k):
        np.testing.assert_array_equal(entries[:, a], (everywhere(polynomial.derivative(f"t{a}")) * v).sum(0))
    for i in range(k):
        wanted = everywhere(polynomial.derivative(f"x{i}")) * v
        np.testing.assert_array_equal(inputs.reshape(2**k, count, k)[..., i], wanted)


@pytest.mark.parametrize("k", range(5, 9))
def test_BIT_lut_more_inputs_at_random(k):
    generator = np.random.default_rng(k)
    wiring = generator.permuted(np.tile(np.arange(9), (3, 1)), axis=1)[:, :k]
    g = tables(wiring, 9, (4,))
    t, x, v = drawn(generator, (*g.dom, g.cod[0].changes))
    agree(g.diagram, (t, x), [reference.read(t, x, wiring)])
    agree(R(g.diagram), (t, x, v), reference.votes(t, x, wiring, v))


WIRINGS = {
    "shared wires": ([[0, 1, 2], [2, 3, 0], [0, 1, 2]], 4),
    "one bit twice": ([[1, 1, 0], [2, 2, 2]], 3),
    "an unused bit": ([[3, 0]], 5),
    "places": (np.random.default_rng(0).integers(0, 6, (2, 3, 4, 2)).tolist(), 6),
    "places that repeat": (np.zeros((3, 1, 2), int).tolist(), 2),
    "no tables": (np.zeros((0, 3), int), 4),
    "no places": (np.zeros((0, 2, 3), int), 4),
    "no inputs of a table": (np.zeros((2, 0), int), 3),
    "no bits at all": (np.zeros((2, 0), int), 0),
    "one": ([[0]], 1),
}


@pytest.mark.parametrize("name", WIRINGS)
@pytest.mark.parametrize("rows", [(), (1,), (0,), (5,), (2, 3)], ids=str)
def test_BIT_lut_wirings_and_batches(name, rows):
    """Votes are summed over samples, places and tables; places share their entries (BIT.conv, PARA.tie)."""
    wiring, inputs = np.asarray(WIRINGS[name][0]), WIRINGS[name][1]
    g = tables(wiring, inputs, rows)
    t, x, v = drawn(np.random.default_rng(len(rows)), (*g.dom, g.cod[0].changes))
    agree(g.diagram, (t, x), [reference.read(t, x, wiring)], HOST)
    agree(R(g.diagram), (t, x, v), reference.votes(t, x, wiring, v), HOST)
    if rows in ((), (5,)):
        both = cl.wiring(R(g.diagram).dom, [0, 1, 0, 1, 2]) >> (g.diagram @ R(g.diagram))
        agree(both, (t, x, v), [reference.read(t, x, wiring), *reference.votes(t, x, wiring, v)], ("jax",))


@pytest.mark.parametrize("size", SIZES)
def test_a_batch_is_a_sum_over_samples(size):
    """The batched node against one node a sample; entries given for each sample too."""
    generator = np.random.default_rng(size)
    wiring = generator.integers(0, 7, (5, 3))
    one = tables(wiring, 7)
    t, x, v = drawn(generator, (one.dom[0], one.dom[1].batch(size), one.cod[0].changes.batch(size)))
    shared = cl.batch(one.diagram, size, [False, True])
    agree(R(shared), (t, x, v), reference.votes(t, x, wiring, v))
    if size == 2:
        each = cl.batch(one.diagram, size)
        many = generator.integers(0, 2, (size, *t.shape))
        parts = [reference.votes(many[b], x[b], wiring, v[b]) for b in range(size)]
        agree(R(each), (many, x, v), [np.stack(column) for column in zip(*parts, strict=True)])
        derivatives = cl.batch(R(one.diagram), size)
        agree(derivatives, (many, x, v), [np.stack(column) for column in zip(*parts, strict=True)])


def test_entries_may_be_integers():
    wiring = np.array([[0, 1], [1, 1]])
    g = tables(wiring, 2, (3,), INTEGERS)
    t, x, v = drawn(np.random.default_rng(1), (*g.dom, *g.cod))
    agree(g.diagram, (t, x), [reference.read(t, x, wiring)])
    agree(R(g.diagram), (t, x, v), reference.votes(t, x, wiring, v))


SMALL = {
    "one table": tables([[0, 1]], 2),
    "a shared bit": tables([[0, 1], [1, 0]], 2),
    "a bit twice": tables([[0, 0]], 1),
    "two places": tables([[[0]], [[1]]], 2),
    "two samples": tables([[0]], 1, (2,)),
    "three inputs": tables([[2, 0, 1]], 3),
    "of integers": tables([[0, 1]], 2, carrier=INTEGERS),
    "no input": tables(np.zeros((1, 0), int), 1),
}


@pytest.mark.parametrize("name", SMALL)
def test_RD_derivative_of_tables_and_of_their_reverse(name):
    """As polynomials: R is the formal derivative, and R of R, of Write and of Votes are (R is closed)."""
    f = SMALL[name].diagram
    own = polynomials(R(f))
    assert own == formal_derivative(f)
    assert polynomials(R(R(f))) == formal_derivative(R(f))


def evaluated(found, arguments):
    at = {f"x{k}": int(v) for k, v in enumerate(np.concatenate([np.ravel(a) for a in arguments]))}
    return [p.at(at) if isinstance(p, Polynomial) else p for p in found]


@pytest.mark.parametrize("name", SMALL)
def test_what_runs_is_the_polynomial(name):
    """The kernels of R and of R of R at random points are the polynomials there."""
    f, generator = SMALL[name].diagram, np.random.default_rng(3)
    for diagram, functors in ((f, FUNCTORS), (R(f), FUNCTORS), (R(R(f)), HOST)):
        point = drawn(generator, diagram.dom)
        wanted = iter(evaluated(polynomials(diagram), point))
        arrays = [np.array([next(wanted) for _ in range(s.size)]).reshape(s.shape) for s in diagram.cod]
        agree(diagram, point, arrays, functors)


def test_the_expansion_is_the_multilinear_polynomial():
    for k in range(4):
        (denoted,) = polynomials(tables(np.arange(k)[None], max(k, 1)).diagram)
        names = {f"x{a}": f"t{a}" for a in range(2**k)} | {f"x{2**k + i}": f"x{i}" for i in range(k)}
        renamed = {tuple(sorted((names[v], e) for v, e in m)): c for m, c in denoted.terms.items()}
        assert Polynomial(INTEGERS, renamed) == reference.table_polynomial(k)


def test_BIT_base_exclusive_or_ascent_is_the_parity_of_the_votes():
    """Over Z2 the same polynomial has for its reverse the vote with sign and size forgotten."""
    bit = Space((), Z2)
    for entries in itertools.product((0, 1), repeat=4):
        f = cl.trace((bit,) * 6, lambda a, b, c, d, x, y: a + x * (a + b) + y * (a + c) + x * y * (a + b + c + d))
        g = tables([[0, 1]], 2).diagram
        for x, y, v in itertools.product((0, 1), (0, 1), (-3, -2, 1, 4)):
            ours = R(g)([entries], [x, y], [v])
            theirs = R(f)(*entries, x, y, v % 2)
            mine = [int(e) % 2 for part in ours for e in np.ravel(part)]
            assert mine == [int(e) for e in theirs]
            assert int(g([entries], [x, y])[0]) == int(f(*entries, x, y))


# thresholds


@pytest.mark.parametrize("m", range(1, 6))
def test_BIT_thresholds_at_every_point(m):
    """Or, majority, and, all between: value and votes against the formal derivative."""
    for threshold in range(1, m + 1):
        polynomial = reference.threshold_polynomial(m, threshold)
        g = AtLeast(Frozen(np.arange(m)), m, threshold, (2**m,))
        points = np.array([*itertools.product((0, 1), repeat=m)])
        v = np.random.default_rng(m).integers(-9, 10, 2**m)
        at = {f"x{i}": points[:, i] for i in range(m)}
        agree(g.diagram, (points,), [polynomial.at(at)])
        slopes = [np.broadcast_to(polynomial.derivative(f"x{i}").at(at), 2**m) * v for i in range(m)]
        agree(R(g.diagram), (points, v), [np.stack(slopes, axis=1)])


@pytest.mark.parametrize("rows", [(), (0,), (5,), (2, 3)], ids=str)
@pytest.mark.parametrize(
    ("wiring", "inputs", "threshold"),
    [
        ([[0, 1, 2], [2, 3, 0]], 4, 2),
        ([[1, 1, 0]], 3, 2),
        (np.random.default_rng(0).integers(0, 6, (2, 3, 5)), 6, 3),
        (np.zeros((0, 2), int), 3, 1),
        (np.zeros((0, 2), int), 0, 2),
        ([0, 2], 3, 1),
    ],
)
def test_thresholds_wirings_and_batches(wiring, inputs, threshold, rows):
    wiring = np.asarray(wiring)
    g = AtLeast(Frozen(wiring), inputs, threshold, rows)
    x, v = drawn(np.random.default_rng(7), (*g.dom, g.cod[0].changes))
    where = FUNCTORS if rows == (5,) else HOST
    agree(g.diagram, (x,), [reference.at_least(x, wiring, threshold)], where)
    agree(R(g.diagram), (x, v), [reference.at_least_votes(x, wiring, threshold, v)], where)
    if not rows:
        batch = cl.batch(g.diagram, 3)
        x, v = drawn(np.random.default_rng(8), (*batch.dom, batch.cod[0].changes))
        agree(R(batch), (x, v), [reference.at_least_votes(x, wiring, threshold, v)], HOST)
        agree(cl.batch(R(g.diagram), 3), (x, v), [reference.at_least_votes(x, wiring, threshold, v)], HOST)


@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_RD_derivative_of_thresholds_and_of_their_reverse(threshold):
    f = AtLeast(Frozen(np.array([[0, 1, 2], [2, 2, 0]])), 3, threshold).diagram
    assert polynomials(R(f)) == formal_derivative(f)
    assert polynomials(R(R(f))) == formal_derivative(R(f))


# the multiplexer


@pytest.mark.parametrize("carrier", [BITS, INTEGERS])
def test_choose(carrier):
    f = Choose(Space(2, carrier)).diagram
    assert polynomials(R(f)) == formal_derivative(f)
    assert polynomials(R(R(f))) == formal_derivative(R(f))
    s, a, b, v = drawn(np.random.default_rng(0), (*f.dom, f.cod[0].changes))
    agree(f, (s, a, b), [np.where(s == 1, b, a)])
    agree(R(f), (s, a, b, v), [(b - a) * v, (1 - s) * v, s * v])


@pytest.mark.parametrize("flags", [*itertools.product((False, True), repeat=3)][1:])
def test_choose_in_batches(flags):
    f, generator = Choose(Space(2, BITS)).diagram, np.random.default_rng(1)
    batch = cl.batch(f, 3, list(flags))
    s, a, b = point = drawn(generator, batch.dom)
    agree(batch, point, [np.where(np.broadcast_to(s == 1, (3, 2)), b, a)])


@pytest.mark.parametrize(
    ("spaces", "message"),
    [
        ((Space(2, BITS), Space(2, BITS), Space(3, BITS)), "two wires of one space"),
        ((Space(2, INTEGERS), Space(2, BITS), Space(2, BITS)), "choose takes bits"),
        ((Space(2, BITS), Space(2, BITS), Space(2, INTEGERS)), "two wires of one space"),
    ],
)
def test_choose_refuses(spaces, message):
    with pytest.raises(OperationError, match=message):
        cl.trace(spaces, choose)


def test_choose_acts_on_bits_or_integers():
    with pytest.raises(OperationError, match="choose acts on bits or integers; got"):
        Choose(Space(2, REAL))


# what comes in


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64])
@pytest.mark.parametrize("functor", FUNCTORS)
def test_bits_come_as_booleans_or_integers_in_any_memory(functor, dtype):
    wiring = np.array([[0, 3], [2, 1]])
    g, generator = tables(wiring, 4, (65,)), np.random.default_rng(0)
    t, x, v = drawn(generator, (*g.dom, g.cod[0].changes))
    wide = np.repeat(np.repeat(x, 2, axis=0), 3, axis=1).astype(dtype)[::2, ::3]
    turned = np.asfortranarray(t.astype(dtype))
    entries, inputs = (np.asarray(p).astype(int) for p in FUNCTORS[functor](R(g.diagram))(turned, wide, v[::-1][::-1]))
    wanted = reference.votes(t, x, wiring, v)
    np.testing.assert_array_equal(entries, wanted[0])
    np.testing.assert_array_equal(inputs, wanted[1])


@pytest.mark.parametrize("functor", FUNCTORS)
def test_values_that_are_no_bits(functor):
    run = FUNCTORS[functor](tables([[0, 1]], 2).diagram)
    with pytest.raises(InputError, match="input 0 has the value 2, which is not in BITS"):
        run([[0, 1, 2, 0]], [0, 1])
    with pytest.raises(InputError, match="input 1 must hold 0, 1 or booleans"):
        run([[0, 1, 1, 0]], [0.0, 1.0])
    with pytest.raises(InputError, match=r"input 0 must have shape \(1, 4\)"):
        run([[0, 1]], [0, 1])
    with pytest.raises(InputError, match=r"input 1 must have shape \(2,\)"):
        run([[0, 1, 1, 0]], [0, 1, 1])


@pytest.mark.parametrize("kind", [Read, Write, Votes])
@pytest.mark.parametrize(
    ("wiring", "message"),
    [
        ([[0, 4]], "the wiring reads input 4, and there are 4: use 0 to 3"),
        ([[0, -1]], "the wiring reads input -1"),
        ([[2**32, 0]], "the wiring reads input 4294967296"),
        ([[0.0, 1.0]], "a wiring is an array of integers .*; got float64 of shape"),
        ([[True, False]], "got bool of shape"),
        ([0, 1], r"got int64 of shape \(2,\)"),
        (np.zeros((1, 9), int), "a table has 0 to 8 inputs; the wiring gives 9"),
    ],
)
def test_wirings_that_are_none(kind, wiring, message):
    with pytest.raises(OperationError, match=message):
        kind(BITS, Frozen(np.asarray(wiring)), 4)


def test_entries_of_another_length_or_carrier():
    x = Space(4, BITS)
    with pytest.raises(CompositionError, match="read cannot be applied"):
        cl.trace((Space((1, 8), BITS), x), lambda t, x: read(t, x, [[0, 1]]))
    with pytest.raises(OperationError, match="the entries of tables are bits or integers; got REAL"):
        cl.trace((Space((1, 4), REAL), x), lambda t, x: read(t, x, [[0, 1]]))
    with pytest.raises(CatlearnError):
        cl.trace((Space((1, 4), BITS), Space(4, INTEGERS)), lambda t, x: read(t, x, [[0, 1]]))


@pytest.mark.parametrize("threshold", [0, 4, -1, 1.5, True, "2", None])
def test_thresholds_that_are_none(threshold):
    with pytest.raises(OperationError, match="a threshold of 3 inputs is 1 to that; got"):
        AtLeast(Frozen(np.arange(3)), 3, threshold)


@pytest.mark.parametrize(
    ("wiring", "message"),
    [([0, 3], "the wiring reads input 3, and there are 3"), ([0.5], "array of integers"), (1, "array of integers")],
)
def test_thresholds_of_wirings_that_are_none(wiring, message):
    with pytest.raises(OperationError, match=message):
        AtLeast(Frozen(np.asarray(wiring)), 3, 1)


def test_generators_are_data():
    """Equal wirings make equal generators, whatever integers they came in; what differs differs."""
    one, other = (tables(np.array([[0, 1]], dtype), 2) for dtype in (np.int64, np.uint8))
    assert one == other
    assert hash(one) == hash(other)
    assert one != tables([[1, 0]], 2)
    assert one != Votes(one.carrier, one.wiring, one.inputs)
    assert MOST_TABLE_INPUTS == 8
    assert one.literals  # the inputs of a table, of which the expansion is made
    bits = Space(3, BITS)
    f = cl.trace(bits, lambda x: (at_least(2, x, [[0, 1, 2]]), at_least(2, x, [[0, 1, 2]])))
    assert len(f.nodes) == 1


def test_what_runs_is_shared():
    """The address is made once for a table and for both of its reverses."""
    from catlearn.functors.arrays import tidy

    f = tables([[0, 1], [1, 2]], 3, (4,)).diagram
    both = cl.wiring(R(f).dom, [0, 1, 0, 1, 2]) >> (f @ R(f))
    kinds = [type(g) for g, _, _ in tidy(both, FUNCTORS["bits"]).nodes]
    assert sorted(k.__name__ for k in kinds) == ["Address", "Pick", "ReadVotes", "WriteAt"]
    assert {Address, Pick, ReadVotes, WriteAt} == set(kinds)
    assert AtLeastVotes in {type(g) for g, _, _ in R(AtLeast(Frozen(np.arange(3)), 3, 2).diagram).nodes}
    assert F.include  # the inclusion of bits in the integers, through which votes come back
