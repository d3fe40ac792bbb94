"""The packed engine against the evaluation of netlists by definition."""

import importlib.util
import sys

import numpy as np
import pytest

from catlearn.errors import InputError, MissingExtraError, UnknownNameError
from catlearn.netlist import Netlist, Port, evaluate
from catlearn.packed import Packed, Schedule, aligned

NUMBA = pytest.param(
    "numba", marks=pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
)
ENGINES = [NUMBA, "jax"]


def random_netlist(seed, inputs, gates, arities, outputs, reach=None):
    """Gates that read any net before them, or one of the `reach` nets before them."""
    generator = np.random.default_rng(seed)
    nets = 2 + inputs + np.arange(gates)
    low = np.maximum(0, nets - (reach or nets.max(initial=0)))[:, None]
    wiring = low + (generator.random((gates, 6)) * (nets[:, None] - low)).astype(int)
    tables = generator.integers(0, 2**64, gates, dtype=np.uint64)
    chosen = generator.integers(0, 2 + inputs + gates, outputs)
    arity = generator.choice(arities, gates)
    return Netlist((Port("x", inputs),), wiring, tables, arity, chosen, (Port("y", outputs),))


def rows_of(netlist, samples, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (samples, netlist.input_bits)).astype(np.uint8)


def words_of(bits):
    """Words (bits, words) of rows (samples, bits), by shifting Python integers."""
    values = [sum(int(bit) << place for place, bit in enumerate(column)) for column in bits.T]
    count = -(-len(bits) // 64)
    words = [[value >> 64 * k & (2**64 - 1) for k in range(count)] for value in values]
    return np.array(words, np.uint64).reshape(bits.shape[1], count)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("arity", range(7))
def test_all_arities_equal_the_definition(engine, arity):
    netlist = random_netlist(arity, 9, 120, [arity], 40)
    rows = rows_of(netlist, 700)
    assert (Packed(netlist, engine)(rows) == evaluate(netlist, rows)).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_every_table_of_two_inputs_and_the_whole_table_of_six(engine):
    tables = np.arange(16)
    netlist = Netlist((Port("x", 2),), [[2, 3]] * 16, tables, [2] * 16, 4 + tables, (Port("y", 16),))
    rows = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    assert (Packed(netlist, engine)(rows) == (tables >> np.arange(4)[:, None]) & 1).all()
    table = 0x9E3779B97F4A7C15
    six = Netlist((Port("x", 6),), [range(2, 8)], [table], [6], [8], (Port("y", 1),))
    rows = np.arange(64)[:, None] >> np.arange(6) & 1
    assert Packed(six, engine)(rows).ravel().tolist() == [table >> k & 1 for k in range(64)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("samples", [0, 1, 65, 512, 1100])
def test_any_number_of_samples(engine, samples):
    netlist = random_netlist(1, 5, 60, [0, 1, 2, 3, 4, 5, 6], 20)
    rows = rows_of(netlist, samples)
    got = Packed(netlist, engine)(rows)
    assert got.dtype == np.uint8
    assert got.shape == (samples, 20)
    assert (got == evaluate(netlist, rows)).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("seed", "gates", "reach"), [(0, 400, 4), (1, 400, 30), (2, 700, None), (3, 33, 2)])
def test_deep_and_wide_circuits(engine, seed, gates, reach):
    netlist = random_netlist(seed, 7, gates, [0, 1, 2, 2, 2, 3, 6], 30, reach)
    rows = rows_of(netlist, 130)
    assert (Packed(netlist, engine)(rows) == evaluate(netlist, rows)).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_circuits_without_gates_inputs_or_outputs(engine):
    for inputs, outputs, samples in ((0, [0, 1, 1], 70), (3, [4, 1, 2], 70), (3, [], 4), (0, [], 0), (0, [1], 3)):
        netlist = Netlist((Port("x", inputs),), [], [], [], outputs, (Port("y", len(outputs)),))
        rows = rows_of(netlist, samples)
        packed = Packed(netlist, engine)
        assert packed(rows).shape == (samples, len(outputs))
        assert (packed(rows) == evaluate(netlist, rows)).all()
        assert packed.counts(rows, np.zeros(len(outputs), int)).shape == (samples, min(len(outputs), 1))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("samples", [192, 1280])
def test_words_are_64_samples_lowest_bit_first(engine, samples):
    netlist = random_netlist(2, 6, 50, [2, 3], 10)
    rows = rows_of(netlist, samples)
    words = Packed(netlist, engine).words(words_of(rows))
    assert words.dtype == np.uint64
    assert (words == words_of(evaluate(netlist, rows))).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [1, 15, 31, 300])
def test_counts_are_sums_of_the_outputs(engine, size):
    netlist = random_netlist(size, 8, 90, [2], 3 * size)
    rows = rows_of(netlist, 600)
    packed, bits = Packed(netlist, engine), evaluate(netlist, rows)
    counts = packed.counts(rows, 3)
    assert counts.dtype == np.int32
    assert (counts == bits.reshape(600, 3, size).sum(2)).all()
    labels = np.random.default_rng(size).integers(-1, 5, 3 * size)
    expected = np.stack([bits[:, labels == k].sum(1) for k in range(labels.max() + 1)], 1)
    assert (packed.counts(rows.astype(bool), labels) == expected).all()
    assert (packed.counts(rows, 3) == counts).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_counts_reach_their_bound(engine):
    netlist = Netlist((Port("x", 1),), [], [], [], [1] * 4095 + [2], (Port("y", 4096),))
    assert Packed(netlist, engine).counts([[0], [1]], 1).tolist() == [[4095], [4096]]


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_of_any_layout_and_type(engine):
    netlist = random_netlist(3, 12, 50, [2, 4], 9)
    rows = rows_of(netlist, 100)
    expected, packed = evaluate(netlist, rows), Packed(netlist, engine)
    wide = np.repeat(rows, 2, 1)
    for given in (rows.tolist(), rows.astype(bool), rows.astype(float), np.asfortranarray(rows), wide[:, ::2]):
        assert (packed(given) == expected).all()
    assert (packed.words(np.asfortranarray(words_of(rows))) == Packed(netlist, engine).words(words_of(rows))).all()


@pytest.mark.parametrize("engine", [NUMBA])
def test_threads_share_the_blocks(engine):
    netlist = random_netlist(4, 9, 80, [2, 3], 24)
    rows = rows_of(netlist, 3000)
    one, many = Packed(netlist, engine), Packed(netlist, engine, threads=3)
    assert (many(rows) == one(rows)).all()
    assert (many.counts(rows, 4) == one.counts(rows, 4)).all()
    assert (many(rows[:5]) == one(rows[:5])).all()


def test_the_schedule_orders_levels_and_drops_what_is_not_needed():
    netlist = random_netlist(5, 6, 300, [1, 2, 3], 4)
    schedule = Schedule.of(netlist)
    place = np.full(netlist.nets, -1)
    place[schedule.first + schedule.gates] = np.arange(len(schedule.gates))
    level = np.zeros(netlist.nets, int)
    level[schedule.first + schedule.gates] = schedule.levels
    assert (level[schedule.read].max(1) == schedule.levels - 1).all()
    assert (np.diff(schedule.levels * 32 + schedule.kinds) >= 0).all()
    used = {int(net) for net in netlist.outputs}
    for gate in reversed(range(300)):
        if netlist.first + gate in used:
            used |= {int(net) for net in netlist.wiring[gate, : netlist.arity[gate]]}
    assert set((schedule.first + schedule.gates).tolist()) == {net for net in used if net >= netlist.first}


@pytest.mark.parametrize("engine", [NUMBA])
def test_a_chain_of_layers_keeps_few_nets(engine):
    wiring = [[2 + k, 2 + (k + 1) % 50] if k < 50 else [2 + k, 2 + k - k % 50 + (k + 7) % 50] for k in range(2000)]
    outputs = 2 + 2000 + np.arange(50)
    netlist = Netlist((Port("x", 50),), wiring, [0b0110] * 2000, [2] * 2000, outputs, (Port("y", 50),))
    packed = Packed(netlist, engine)
    assert packed.runner.size < 250
    rows = rows_of(netlist, 100)
    assert (packed(rows) == evaluate(netlist, rows)).all()


def test_circuits_of_about_one_size_share_one_program():
    from catlearn.kernels.words import _rows

    first, second = (random_netlist(seed, 8, gates, [2], 16) for seed, gates in ((0, 200), (1, 210)))
    before = _rows._cache_size()
    for netlist in (first, second):
        packed, rows = Packed(netlist, "jax"), rows_of(netlist, 40)
        assert (packed(rows) == evaluate(netlist, rows)).all()
    assert _rows._cache_size() <= before + 2


def test_words_of_nets_begin_at_a_line_of_the_cache():
    for rows in (2, 5, 100):
        state = aligned(rows, 8)
        assert state.ctypes.data % 64 == 0
        assert state.reshape(rows, 8)[1].tolist() == [2**64 - 1] * 8
        assert not np.delete(state.reshape(rows, 8), 1, 0).any()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p([[1, 0]]), "rows of 3 bits; got shape"),
        (lambda p: p([1, 0, 1]), "rows of 3 bits; got shape"),
        (lambda p: p([[1, 0, 2]]), "0 or 1"),
        (lambda p: p(np.array([[1, 0, 2]], np.uint8)), "0 or 1"),
        (lambda p: p([[1, 0, -1]]), "0 or 1"),
        (lambda p: p([[1, 0, 0.5]]), "0 or 1"),
        (lambda p: p([[1, 0, float("nan")]]), "0 or 1"),
        (lambda p: p.counts([[1, 0, 2]], 1), "0 or 1"),
        (lambda p: p.words(np.zeros((3, 1), np.int64)), "uint64 array; got shape .* int64"),
        (lambda p: p.words([[1], [2], [3]]), "uint64 array; got list"),
        (lambda p: p.words(np.zeros(3, np.uint64)), "two-dimensional"),
        (lambda p: p.words(np.zeros((2, 1), np.uint64)), "words of 3 bits"),
        (lambda p: p.counts([[1, 0, 1]], 3), "4 outputs are not 3 groups"),
        (lambda p: p.counts([[1, 0, 1]], 0), "4 outputs are not 0 groups"),
        (lambda p: p.counts([[1, 0, 1]], True), "groups are integers"),
        (lambda p: p.counts([[1, 0, 1]], [0.0, 1.0, 0.0, 1.0]), "groups are integers"),
        (lambda p: p.counts([[1, 0, 1]], [0, 1]), "as many groups"),
        (lambda p: p.counts([[1, 0, 1]], [0, 1, -2, 0]), "-1 is none; got -2"),
    ],
)
def test_bad_input_is_refused(engine, call, message):
    packed = Packed(Netlist((Port("x", 3),), [], [], [], [1, 2, 3, 4], (Port("y", 4),)), engine)
    with pytest.raises(InputError, match=message):
        call(packed)


def test_bad_engines_and_threads_are_refused(monkeypatch):
    netlist = random_netlist(0, 3, 5, [2], 2)
    with pytest.raises(UnknownNameError, match="no engine is called 'nunba'; did you mean 'numba'"):
        Packed(netlist, "nunba")
    for threads in (0, 1.5, True):
        with pytest.raises(InputError, match="positive number of threads"):
            Packed(netlist, "jax", threads=threads)
    monkeypatch.setitem(sys.modules, "catlearn.kernels.gates", None)
    monkeypatch.delattr("catlearn.kernels.gates", raising=False)
    with pytest.raises(MissingExtraError, match=r"'numba' needs numba.*pip install 'categorical-learning\[circuits\]'"):
        Packed(netlist, "numba")


def test_the_engine_is_chosen_by_what_is_installed(monkeypatch):
    netlist = random_netlist(0, 3, 5, [2], 2)
    monkeypatch.setattr("catlearn.packed.find_spec", lambda name: None)
    assert Packed(netlist).engine == "jax"
    if importlib.util.find_spec("numba"):
        monkeypatch.undo()
        assert Packed(netlist).engine == "numba"
