"""Optimisers of bits against plain Python: counters, accumulators, flips, majorities, and votes changed before them."""

import math

import numpy as np
import pytest
from bit_reference import FUNCTORS, agree

import catlearn as cl
from catlearn import count_losses, counters, layers, losses, optimisers, schedules
from catlearn.assignment import by_name
from catlearn.errors import CatlearnError, DataError, InputError, OperationError
from catlearn.generators.counting import Dither
from catlearn.optimisers import optimiser
from catlearn.semirings import BITS, DISCRETE, INTEGERS, REAL, Z2
from catlearn.space import Space

BIT = Space((), BITS)
MANY = Space((4, 5), BITS)


def drawn(seed, most=12):
    generator = np.random.default_rng(seed)
    return generator.integers(0, 2, MANY.shape), generator.integers(-most, most + 1, MANY.shape)


def step(rule, space=MANY):
    return rule.bound(space)


@pytest.mark.parametrize("limit", [1, 2, 7, 512, 2**30])
def test_BIT_counter(limit):
    """s+ = clip(s + v, -T, T), the bit is [s > 0]."""
    lens = step(counters.saturating(limit))
    for seed in range(3):
        most = min(limit, 50)
        s = np.random.default_rng(seed).integers(-most, most + 1, MANY.shape)
        _, v = drawn(seed)
        agree(lens.get, (s,), [s > 0], ("exact", "bits"))
        agree(lens.put, (s, v), [np.clip(s + v, -limit, limit)], ("exact", "bits"))
    agree(lens.put, (s, v), [np.clip(s + v, -limit, limit)])


@pytest.mark.parametrize(
    ("limit", "start", "wanted"), [(512, None, 128), (4, None, 1), (1, None, 1), (3, 3, 3), (9, 1, 1)]
)
def test_counters_start_on_the_side_of_their_bit(limit, start, wanted):
    b, _ = drawn(0)
    rule = counters.saturating(limit, start)
    first = rule.init([b], MANY)[-1]
    np.testing.assert_array_equal(first, np.where(b == 1, wanted, -wanted))
    assert first.dtype == np.int32
    np.testing.assert_array_equal(np.asarray(step(rule).get(first)), b)


def test_a_limit_of_one_is_a_majority():
    """With two votes or more for one side the bit is what they say, from any state."""
    lens = step(counters.saturating(1), BIT)
    for s in (-1, 0, 1):
        for v in (-9, -2, 2, 9):
            assert int(lens.get(lens.put(s, v))) == (v > 0)
        assert int(lens.put(s, 0)) == s


def test_tsetlin_automaton():
    """One vote a step walks through 2 T + 1 states, and stays at the ends."""
    lens = step(counters.saturating(3), BIT)
    s, walked = -3, []
    for v in [1] * 8 + [-1] * 9:
        s = int(lens.put(s, v))
        walked.append((s, int(lens.get(s))))
    up = [(-2, 0), (-1, 0), (0, 0), (1, 1), (2, 1), (3, 1), (3, 1), (3, 1)]
    down = [(2, 1), (1, 1), (0, 0), (-1, 0), (-2, 0), (-3, 0), (-3, 0), (-3, 0), (-3, 0)]
    assert walked == up + down


def test_BIT_accumulator():
    lens = step(counters.accumulator(10))
    for seed in range(4):
        b, v = drawn(seed, 25)
        m = np.random.default_rng(seed + 9).integers(-10, 10, MANY.shape)
        total = m + v * (1 - 2 * b)
        flips = total >= 10
        after = [np.where(flips, 0, np.maximum(total, -10)), b ^ flips]
        agree(lens.put, (m, b, v), after, ("exact", "bits") if seed else FUNCTORS)
        agree(lens.get, (m, b), [b], ("bits",))
    assert [np.asarray(w).tolist() for w in counters.accumulator(10).init([[1, 0]], Space(2, BITS))] == [[0, 0], [1, 0]]


def test_majority():
    lens = step(counters.majority())
    for seed in range(4):
        b, v = drawn(seed, 2)
        agree(lens.put, (b, v), [np.where(v == 0, b, v > 0)], ("exact", "bits") if seed else FUNCTORS)
        agree(lens.get, (b,), [b], ("bits",))


@pytest.mark.parametrize(
    ("votes", "probability"), [(-3, 0), (0, 0), (1, 1 / 16), (4, 0.25), (12, 0.75), (16, 1), (40, 1)]
)
@pytest.mark.parametrize("bit", [0, 1])
def test_BIT_flip_frequency(votes, probability, bit):
    """Over 400 counts and 100 bits; five standard deviations and a half in 2**15."""
    space = Space(100, BITS)
    lens, b = step(counters.flipping(16), space), np.full(100, bit)
    put = FUNCTORS["bits"](lens.put)
    flipped = 0
    for count in range(400):
        after, new = put(count, b, np.full(100, votes * (1 - 2 * bit)))
        assert int(after) == count + 1
        flipped += int((np.asarray(new) != b).sum())
    spread = 5 * math.sqrt(probability * (1 - probability) / 40_000) + 2**-15
    assert abs(flipped / 40_000 - probability) <= spread


def test_flips_are_drawn_by_the_count_the_place_and_the_seed():
    space = Space(200, BITS)
    b, v = np.zeros(200, int), np.full(200, 8)

    def after(seed, count):
        return np.asarray(FUNCTORS["bits"](step(counters.flipping(16, seed), space).put)(count, b, v)[1])

    assert (after(0, 3) == after(0, 3)).all()
    assert (after(0, 3) != after(0, 4)).any()
    assert (after(0, 3) != after(1, 3)).any()
    agree(step(counters.flipping(16, 2), space).put, (5, b, v), [np.array(6), after(2, 5)])


def test_BIT_clip_and_scale_before_a_counter():
    _, v = drawn(3, 60)
    s = np.random.default_rng(1).integers(-20, 21, MANY.shape)
    clipped = optimiser("clipped", counters.clip_votes(5) >> counters.count_votes(20))
    agree(step(clipped).put, (s, v), [np.clip(s + np.clip(v, -5, 5), -20, 20)])
    scaled = optimiser("scaled", counters.scale_votes(3, 4, seed=2) >> counters.count_votes(20))
    draws = np.asarray(Dither(MANY.shape, 4, 2).diagram(7)).astype(int)
    agree(step(scaled).put, (7, s, v), [np.array(8), np.clip(s + (v * 3 + draws) // 16, -20, 20)])
    both = optimiser("both", counters.clip_votes(16) >> counters.scale_votes(1, 2) >> counters.count_votes(20))
    draws = np.asarray(Dither(MANY.shape, 2, 0).diagram(1)).astype(int)
    agree(step(both).put, (1, s, v), [np.array(2), np.clip(s + (np.clip(v, -16, 16) + draws) // 4, -20, 20)])


def test_scaled_votes_keep_their_mean():
    space, v = Space(50, BITS), np.arange(50) - 25
    put = FUNCTORS["bits"](step(optimiser("s", counters.scale_votes(5, 5) >> counters.count_votes(2**20)), space).put)
    total = sum(np.asarray(put(n, np.zeros(50, int), v)[1]).astype(int) for n in range(2000)) / 2000
    assert abs(total - v * 5 / 32).max() < 5 * math.sqrt(0.25 / 2000)


def test_stairs():
    for values in ({0: 5}, {0: 4, 10: 8}, {0: 1, 1: 7, 2: -3, 100: 9}):
        schedule = counters.stairs(values)
        for n in (0, 1, 2, 3, 9, 10, 11, 99, 100, 2**31 - 1):
            assert int(schedule(n)) == values[max(k for k in values if k <= n)]
    lens = step(counters.saturating(counters.stairs({0: 4, 2: 8}), start=1), BIT)
    count, s, seen = 0, 1, []
    for _ in range(5):
        count, s = map(int, lens.put(count, s, 5))
        seen.append(s)
    assert seen == [4, 4, 8, 8, 8]


@pytest.mark.parametrize("make", [counters.saturating, counters.accumulator, counters.clip_votes, counters.flipping])
@pytest.mark.parametrize("value", [0, -1, 1.0, 2.5, True, "8", None, math.nan, 2**30 + 1])
def test_settings_are_integers_in_range(make, value):
    with pytest.raises(OperationError, match=r"an integer from 1 to 2\*\*30; got|is at most 2\*\*15"):
        make(value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: counters.saturating(8, 9), "counters start within their limit 8; got 9"),
        (lambda: counters.saturating(8, 0), "a counter needs a start, an integer from 1 to"),
        (lambda: counters.saturating(8, 1.0), "a counter needs a start"),
        (lambda: counters.saturating(counters.stairs({0: 4})), "counters whose limit is a schedule need a start"),
        (lambda: counters.flipping(2**15 + 1), r"a flip's threshold is at most 2\*\*15"),
        (lambda: counters.scale_votes(0, 3), "scale_votes needs a numerator"),
        (lambda: counters.scale_votes(1, 0), "scale_votes needs a shift, an integer from 1 to 15; got 0"),
        (lambda: counters.scale_votes(1, 16), "a shift, an integer from 1 to 15; got 16"),
        (lambda: counters.scale_votes(1, True), "a shift, an integer from 1 to 15; got True"),
        (lambda: counters.stairs({}), "stairs takes whole numbers by the step"),
        (lambda: counters.stairs({1: 4}), "the first being 0"),
        (lambda: counters.stairs({0: 4, 3: 2.5}), "stairs takes whole numbers"),
        (lambda: counters.stairs({0: 4, 5: 1, 3: 2}), "stairs takes whole numbers"),
        (lambda: counters.stairs({False: 4}), "stairs takes whole numbers"),
        (lambda: counters.count_votes(4) >> counters.clip_votes(2), "count votes stores something in the place of the"),
        (lambda: counters.saturating(schedules.constant(0.1), start=1).lens(BIT), "a schedule is a diagram"),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(CatlearnError, match=message):
        make()


RULES = [
    counters.saturating(),
    counters.accumulator(),
    counters.flipping(),
    counters.majority(),
    optimiser("clipped", counters.clip_votes(3) >> counters.count_votes(8)),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
@pytest.mark.parametrize("carrier", [Z2, REAL, INTEGERS])
def test_votes_are_for_bits(rule, carrier):
    with pytest.raises(OperationError, match=r"counts votes for bits \(BITS\); the model has a parameter in"):
        rule.lens(Space(3, carrier))


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_counters_for_other_models_say_so(rule):
    with pytest.raises(OperationError, match="counts votes for bits"):
        cl.supervised(layers.lookup_table(2, 1), losses.exclusive_or, rule)
    with pytest.raises(OperationError, match="counts votes for bits"):
        cl.supervised(layers.dense(2, 1), losses.quadratic, rule)


@pytest.mark.parametrize(
    "rule", [optimisers.adam(), optimisers.gd(0.1), optimisers.momentum(0.1)], ids=lambda r: r.name
)
def test_real_optimisers_of_bits_get_a_hint(rule):
    model = layers.table_layer(4, 2, arity=2) >> layers.group_sum(2, 2)
    with pytest.raises(OperationError, match=r"which changes by integers: use counters\.saturating"):
        cl.supervised(model, count_losses.count_softmax(), rule)


def test_ascent_of_bits_gets_a_hint():
    model = layers.table_layer(4, 2, arity=2) >> layers.group_sum(2, 2)
    with pytest.raises(OperationError, match="use an optimiser whose state holds the changes"):
        cl.supervised(model, count_losses.count_softmax(), optimisers.reverse_derivative_ascent())


def two_layers():
    return layers.table_layer(6, 4, arity=2) >> layers.table_layer(4, 4, arity=2) >> layers.group_sum(4, 2)


def test_two_limits_by_name():
    """As anywhere: names say which parameter an optimiser is for; both hyper-parameters stay apart."""
    rule = by_name({"table_layer_0": counters.saturating(8), "*": counters.saturating(64, 5)})
    learner = cl.supervised(two_layers(), count_losses.count_softmax(), rule)
    assert learner.hyperparameters == {"table_layer_0.limit": 8, "*.limit": 64}
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 2, (64, 6)), generator.integers(0, 2, 64)
    result = cl.fit(learner, cl.datasets.Data(x, y, x, y), epochs=40, batch_size=16, seed=0)
    state = dict(zip(learner.state_names, map(np.asarray, result.state), strict=True))
    first = np.concatenate([np.ravel(a) for n, a in state.items() if "table_layer_0" in n])
    second = np.concatenate([np.ravel(a) for n, a in state.items() if "table_layer_1" in n])
    assert abs(first).max() == 8
    assert 8 < abs(second).max() <= 64


def test_hyperparameters_are_integers():
    learner = cl.supervised(two_layers(), count_losses.count_softmax(), counters.saturating(8))
    x, y = np.zeros((4, 6), int), np.zeros(4, int)
    data = cl.datasets.Data(x, y, x, y)
    with pytest.raises(InputError, match="hyper-parameter limit must hold integers"):
        cl.fit(learner, data, epochs=1, batch_size=2, hyperparameters={"limit": 2.5})
    result = cl.fit(learner, data, epochs=9, batch_size=2, hyperparameters={"limit": 3})
    assert max(abs(np.asarray(a)).max() for a in result.state) == 3


def test_states_are_integers_and_counts():
    assert counters.saturating(4).lens(MANY).dom.forward == (Space((), INTEGERS), MANY.changes)
    assert counters.flipping(4).lens(MANY).dom.forward == (Space((), INTEGERS), Space((), DISCRETE), MANY)


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_below_one_is_refused_where_training_is_asked_for(limit):
    model = cl.layers.table_layer(2, 2, arity=2) >> cl.layers.group_sum(2, 2)
    learner = cl.supervised(model, count_losses.count_margin(1), counters.saturating(4))
    rows, labels = np.zeros((4, 2), np.uint8), np.zeros(4, int)
    with pytest.raises(DataError, match=f"the hyper-parameter limit is at least 1; got {limit}"):
        cl.fit(learner, cl.Data(rows, labels, rows, labels), epochs=1, batch_size=2, hyperparameters={"limit": limit})
