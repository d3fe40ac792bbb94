"""Gates and whole numbers on nets, against NumPy's integers."""

import numpy as np
import pytest

from catlearn.errors import OperationError
from catlearn.gates import Gates, cofactors, depends, exchanged, fit, number, reduced, spread, width_of
from catlearn.netlist import FALSE, MOST_INPUTS, TRUE, Port, evaluate

CORNERS = (0, 1, -1)


def draw(seed, rows, width, least=None):
    """Rows of numbers of that width, the corners first."""
    low, high = -(2 ** (width - 1)), 2 ** (width - 1) - 1
    ends = [low, high, *(c for c in CORNERS if low <= c <= high)]
    values = np.concatenate([ends, np.random.default_rng(seed).integers(low, high + 1, rows)])
    return np.maximum(values, low if least is None else least)


def bits_of(values, width):
    return np.asarray(values)[..., None] >> np.arange(width) & 1


def signed(bits):
    weights = 2 ** np.arange(bits.shape[-1])
    weights[-1] *= -1
    return bits @ weights


def run(build, *columns, widths):
    """The numbers that a circuit on ports of one number each makes of rows of numbers."""
    gates = Gates([Port(f"x{k}", 1, width, True) for k, width in enumerate(widths)])
    nets = np.atleast_2d(build(gates, *(x[0] for x in gates.inputs)))
    netlist = gates.netlist(nets, [Port("y", nets.shape[0], nets.shape[1], True)])
    rows = np.concatenate([bits_of(c, w) for c, w in zip(columns, widths, strict=True)], 1)
    out = evaluate(netlist, rows).reshape(len(rows), *nets.shape)
    return signed(out)[:, 0] if len(nets) == 1 else signed(out)


def pairs(seed, x, y, positive=False):
    """Rows of two numbers: all corners with all corners, then random ones."""
    a, b = draw(seed, 60, x, 0 if positive else None), draw(seed + 1, 60, y, 1 if positive else None)
    corners = np.array(np.meshgrid(a[:5], b[:5])).reshape(2, -1)
    return np.concatenate([corners, [a[:60], b[:60]]], 1)


@pytest.mark.parametrize(("x", "y"), [(1, 1), (2, 5), (6, 3), (7, 7)])
def test_arithmetic_is_that_of_integers(x, y):
    a, b = pairs(x, x, y)
    bit = (a < b).astype(int)
    both = {"widths": (x, y)}
    wide = x + y
    assert (run(lambda g, p, q: g.add(p, q, wide + 1), a, b, **both) == a + b).all()
    assert (run(lambda g, p, q: g.subtract(p, q, wide + 1), a, b, **both) == a - b).all()
    assert (run(lambda g, p, q: g.negate(p, x + 1), a, b, **both) == -a).all()
    assert (run(lambda g, p, q: g.multiply(p, q, wide), a, b, **both) == a * b).all()
    assert (run(lambda g, p, q: g.minimum(p, q), a, b, **both) == np.minimum(a, b)).all()
    assert (run(lambda g, p, q: g.maximum(p, q), a, b, **both) == np.maximum(a, b)).all()
    assert (run(lambda g, p, q: g.unsigned(g.less(p, q)[None]), a, b, **both) == bit).all()
    assert (run(lambda g, p, q: g.unsigned(g.equal(p, q)[None]), a, b, **both) == (a == b)).all()
    chosen = run(lambda g, p, q: g.select(g.less(p, q), p, q), a, b, **both)
    assert (chosen == np.where(bit, b, a)).all()


@pytest.mark.parametrize("width", [1, 3, 5, 20])
def test_a_result_too_wide_is_cut(width):
    a, b = pairs(3, 6, 6)
    for built, exact in (
        (lambda g, p, q: g.multiply(p, q, width), a * b),
        (lambda g, p, q: g.add(p, q, width), a + b),
        (lambda g, p, q: g.times(p, 1234567, width), a * 1234567),
    ):
        want = (exact + 2 ** (width - 1)) % 2**width - 2 ** (width - 1)
        assert (run(built, a, b, widths=(6, 6)) == want).all()


@pytest.mark.parametrize("factor", [0, 1, 2, 3, 7, 10, 255, 0x9E3779B1, 0x7FEB352D, 0x846CA68B])
def test_times_a_constant(factor):
    a = draw(5, 40, 7)
    assert (run(lambda g, p: g.times(p, factor, 40), a, widths=(7,)) == a * factor).all()


def test_runs_of_ones_in_a_constant_cost_one_difference():
    gates = Gates([Port("x", 1, 8, True)])
    gates.times(gates.inputs[0][0], 0xFFFF, 24)
    assert gates.count - gates.first < 4 * 24


@pytest.mark.parametrize("factor", [-8, -1, 0, 1, 5, 8])
def test_a_constant_folds_into_a_product(factor):
    a = draw(5, 40, 7)
    assert (run(lambda g, p: g.multiply(number(factor, 5), p, 12), a, widths=(7,)) == a * factor).all()


@pytest.mark.parametrize("bound", [0, 1, 5, 31])
def test_clamp(bound):
    a, b = pairs(2, 6, 6, positive=True)
    wanted = np.clip(a, -b, b)
    assert (run(lambda g, p, q: g.clamp(p, fit(q, 7)), a, b, widths=(6, 6)) == wanted).all()
    assert (run(lambda g, p: g.clamp(p, number(bound, 6)), a, widths=(6,)) == np.clip(a, -bound, bound)).all()


@pytest.mark.parametrize(("count", "width"), [(0, 3), (1, 3), (2, 1), (3, 4), (7, 4), (20, 3)])
def test_sums_of_numbers(count, width):
    columns = [draw(k, 30, width) for k in range(max(count, 1))]
    columns = [np.random.default_rng(k).permutation(c) if k else c for k, c in enumerate(columns)]

    def total(gates, *numbers):
        return gates.total(np.stack(numbers)[:count], width + 6)

    got = run(total, *columns, widths=(width,) * len(columns))
    assert (got == sum(columns[:count], np.zeros(len(columns[0]), int))).all()


def test_sums_of_signed_unsigned_and_constant_numbers():
    a, b = pairs(9, 4, 4)

    def total(gates, p, q):
        wide = [fit(p, 5), gates.unsigned(q), number(-3, 5), number(7, 5)]
        return gates.total(np.stack(wide), 9)

    assert (run(total, a, b, widths=(4, 4)) == a + b % 16 + 4).all()


def test_sums_at_places():
    places = np.array([2, 0, 2, 2, 4])
    rows = np.random.default_rng(0).integers(-4, 4, (50, 5))
    got = run(lambda g, *x: g.total_at(np.stack(x), places, 5, 6), *rows.T, widths=(3,) * 5)
    wanted = np.zeros((50, 5), int)
    for k, place in enumerate(places):
        wanted[:, place] += rows[:, k]
    assert (got == wanted).all()
    assert Gates().total_at(np.zeros((0, 3), np.int32), np.zeros(0, int), 2, 4).tolist() == [[0] * 4] * 2


@pytest.mark.parametrize("count", [0, 1, 2, 3, 6, 13])
def test_popcount_and_reductions(count):
    gates = Gates([Port("x", count)])
    bits = gates.inputs[0][:, 0]
    nets = [gates.popcount(bits, 5), *(gates.reduce(table, bits)[None] for table in (0b1000, 0b1110, 0b0110))]
    netlist = gates.netlist(np.concatenate(nets), [Port("n", 1, 5), Port("y", 3)])
    rows = np.random.default_rng(count).integers(0, 2, (40, count))
    rows = np.concatenate([np.zeros((1, count), int), np.ones((1, count), int), rows])
    out, ones = evaluate(netlist, rows), rows.sum(1)
    assert (signed(out[:, :5]) == ones).all()
    assert (out[:, 5:] == np.stack([ones == count, ones > 0, ones % 2], 1)).all()


@pytest.mark.parametrize(("x", "y"), [(5, 3), (3, 5), (7, 2), (6, 6)])
def test_division_leaves_a_rest(x, y):
    a, b = pairs(x, x, y, positive=True)
    b = np.minimum(b, 2 ** (y - 1) - 1)
    both = {"widths": (x, y)}
    assert (run(lambda g, p, q: g.divide(p, q, x - 1)[0], a, b, **both) == a // b).all()
    assert (run(lambda g, p, q: g.divide(p, q, x - 1)[1], a, b, **both) == a % b).all()


@pytest.mark.parametrize("modulus", [1, 2, 3, 7, 8, 12, 64, 100])
def test_remainders(modulus):
    a = np.arange(64)
    assert (run(lambda g, p: g.remainder(p, modulus), a, widths=(7,)) == a % modulus).all()


@pytest.mark.parametrize("length", [1, 2, 5, 64, 200])
def test_a_table_of_constants(length):
    values = np.random.default_rng(length).integers(-50, 50, length)
    width = (length - 1).bit_length()
    a = np.arange(length)
    got = run(lambda g, p: g.lookup(values, p[:width], 7), a, widths=(width + 1,))
    assert (got == values).all()


@pytest.mark.parametrize("arity", [0, 1, 3, 6, 8])
@pytest.mark.parametrize("known", [True, False])
def test_reading_an_entry(arity, known):
    random = np.random.default_rng(arity)
    entries = random.integers(0, 2, (3, 2**arity))
    gates = Gates([Port("t", entries.size), Port("x", arity)])
    table = entries.astype(np.int32) if known else gates.inputs[0].reshape(entries.shape)
    nets = gates.read(table, gates.inputs[1][:, 0])
    assert not known or arity > 6 or gates.count - gates.first <= 3
    netlist = gates.netlist(nets, [Port("y", 3)])
    addresses = np.arange(2**arity) if arity < 7 else random.integers(0, 2**arity, 60)
    rows = np.concatenate([np.tile(entries.ravel(), (len(addresses), 1)), bits_of(addresses, arity)], 1)
    assert (evaluate(netlist, rows) == entries[:, addresses].T).all()


def test_decoding_and_the_greatest():
    gates = Gates([Port("x", 3)])
    netlist = gates.netlist(gates.decode(gates.inputs[0][:, 0]), [Port("y", 8)])
    assert (evaluate(netlist, bits_of(np.arange(8), 3)) == np.eye(8)).all()
    rows = np.random.default_rng(0).integers(-8, 8, (50, 5))
    assert (run(lambda g, *x: g.greatest(np.stack(x)), *rows.T, widths=(4,) * 5) == rows.max(1)).all()


def test_constants_and_equal_inputs_make_no_gates():
    gates = Gates([Port("x", 3)])
    a, b, c = gates.inputs[0][:, 0]
    assert gates.both(a, TRUE) == a
    assert gates.both(a, FALSE) == FALSE
    assert gates.differ(a, a) == FALSE
    assert gates.either(a, a) == a
    assert gates.choose(a, b, b) == b
    assert gates.choose(TRUE, b, c) == c
    assert gates.table(0b10101010, [a, b, c]) == a
    assert gates.add(number(5, 4), number(-7, 4), 5).tolist() == number(-2, 5).tolist()
    assert gates.multiply(number(5, 4), number(-7, 4), 8).tolist() == number(-35, 8).tolist()
    assert gates.count == gates.first
    assert gates.differ(a, TRUE) == gates.first
    assert gates.count == gates.first + 1


@pytest.mark.parametrize("arity", range(MOST_INPUTS + 1))
def test_reduced_gates_are_the_same_functions(arity):
    """Random tables on wiring with constants and repeats: a reduced gate keeps its function, and reads what matters."""
    random = np.random.default_rng(arity)
    tables = spread(random.integers(0, 2**63, 60, dtype=np.uint64), arity)
    tables[:10] &= tables[10:20]
    wiring = random.integers(0, 7, (60, arity)).astype(np.int32)
    small, left, count = reduced(tables, wiring)
    values = np.array([[0, 1, *(a >> k & 1 for k in range(5))] for a in range(32)]).T

    def output(table, nets):
        address = sum((values[net] << k for k, net in enumerate(nets)), np.zeros(32, int))
        return np.array([int(table) >> int(a) & 1 for a in address])

    for table, nets, own, read, n in zip(tables, wiring, small, left, count, strict=True):
        assert (output(table, nets) == output(own, read[:n])).all()
        assert len(set(read[:n].tolist())) == n
        assert not (read[:n] <= TRUE).any()
        assert not read[n:].any()
        for k in range(n):  # some other value of that input changes the output
            assert depends(np.array([own]), k)[0]


def test_cofactors_and_exchange_by_their_definition():
    table = np.random.default_rng(3).integers(0, 2**63, 5, dtype=np.uint64)
    entries = np.arange(64)

    def entry(tables, a):
        return tables[:, None] >> a.astype(np.uint64) & np.uint64(1)

    for i in range(6):
        low, high = cofactors(table, i)
        assert (entry(low, entries) == entry(table, entries & ~(1 << i))).all()
        assert (entry(high, entries) == entry(table, entries | 1 << i)).all()
        for j in range(i + 1, 6):
            other = (entries & ~(1 << i | 1 << j)) | (entries >> i & 1) << j | (entries >> j & 1) << i
            assert (entry(exchanged(table, i, j), entries) == entry(table, other)).all()


def test_a_table_is_repeated_and_the_rest_dropped():
    assert spread(0b110, 1) == np.uint64(0xAAAAAAAAAAAAAAAA)
    assert spread([3, 2], [0, 6]).tolist() == [2**64 - 1, 2]


@pytest.mark.parametrize(
    ("low", "high", "width"), [(0, 0, 1), (0, 1, 2), (-1, 0, 1), (-4, 3, 3), (-5, 3, 4), (0, 255, 9)]
)
def test_the_width_of_an_interval(low, high, width):
    assert width_of(low, high) == width
    for value in (low, high):
        assert signed(number(value, width)) == value


def test_a_gate_of_seven_inputs_is_refused():
    with pytest.raises(OperationError, match=r"at most 6 inputs; got 7: use Gates\.read"):
        Gates([Port("x", 7)]).table(1, np.arange(2, 9))
