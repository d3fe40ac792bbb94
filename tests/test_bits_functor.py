"""The functor into arrays of bits: equal to the others bit for bit, its kernels, its bounds, and training with it."""

import bit_reference as reference
import numpy as np
import pytest
from bit_reference import FUNCTORS, SIZES
from hypothesis import given, settings
from hypothesis import strategies as st

import catlearn as cl
from catlearn import count_losses, counters, functors, layers
from catlearn import functions as F
from catlearn.assignment import by_name
from catlearn.datasets import Data
from catlearn.errors import CatlearnError, DataError, OperationError
from catlearn.feeding import Stream
from catlearn.frozen import Frozen
from catlearn.functors import Exact, Jax, bounds
from catlearn.functors.bits import Bits, CountAt, available
from catlearn.functors.bounds import check_range
from catlearn.generators.counting import Clamp, Scaled, Shares, clamp
from catlearn.generators.rescaling import RescaleVotes
from catlearn.generators.tables import Read, WriteAt
from catlearn.generators.thresholds import AtLeast
from catlearn.kernels import tables as kernels
from catlearn.laws import CATEGORIES
from catlearn.laws import strategies as drawing
from catlearn.optimisers import optimiser
from catlearn.semirings import BITS, INTEGERS, KEYS, REAL, Discrete
from catlearn.serial import decode, encode
from catlearn.space import Space

R = cl.reverse_derivative
FEW = settings(max_examples=25, deadline=None)


def arrays_of(spaces, generator, most=6):
    def one(space):
        if space.carrier == BITS:
            return generator.integers(0, 2, space.shape)
        if space.carrier.kind == "index":
            return generator.integers(0, getattr(space.carrier, "size", None) or 9, space.shape)
        return generator.integers(-most, most + 1, space.shape)

    return [one(space) for space in spaces]


def values(run, arguments):
    came = run(*arguments)
    return [np.asarray(v).astype(np.int64) for v in (came if isinstance(came, tuple) else (came,))]


def same(diagram, arguments, functors=("exact", "jax", "bits")):
    """The functors give the same; what they give."""
    runs = [reference.in_one_program(diagram) if n == "jax" else FUNCTORS[n](diagram) for n in functors]
    first, *others = (values(run, arguments) for run in runs)
    for other in others:
        for mine, theirs in zip(first, other, strict=True):
            assert mine.shape == theirs.shape
            np.testing.assert_array_equal(mine, theirs)
    return first


# diagrams


@FEW
@given(st.data())
def test_functors_agree_on_random_diagrams(data):
    category = CATEGORIES["BITS"]
    dom, cod = (data.draw(drawing.objects(category)) for _ in range(2))
    f = data.draw(drawing.diagrams(category, dom, cod))
    generator = np.random.default_rng(data.draw(st.integers(0, 99)))
    for g in (f, R(f), R(R(f)), cl.batch(f, 3), R(cl.batch(f, 3)), cl.batch(R(f), 2)):
        same(g, arrays_of(g.dom, generator, 3), ("exact", "bits"))


@settings(max_examples=5, deadline=None)
@given(st.data())
def test_functors_agree_on_random_diagrams_under_jax(data):
    category = CATEGORIES["BITS"]
    bit, number = category.spaces
    f = data.draw(drawing.diagrams(category, (bit, bit, number), (bit, number)))
    g = R(cl.batch(f, 3))
    same(g, arrays_of(g.dom, np.random.default_rng(1), 3), ("exact", "jax"))


MODELS = {
    "one layer": lambda: layers.table_layer(8, 6, arity=4) >> layers.group_sum(6, 3),
    "one table": lambda: layers.table_layer(4, 1, arity=4) >> layers.group_sum(1, 1),
    "three layers": lambda: (
        layers.table_layer(8, 6, arity=2)
        >> layers.table_layer(6, 6, arity=3, initialise="random")
        >> layers.table_layer(6, 4, arity=8, wiring=np.arange(32).reshape(4, 8) % 6)
        >> layers.group_sum(4, 2)
    ),
    "chosen wires": lambda: layers.select_wires(8, 6, 4) >> layers.table_layer(6, 4, arity=2) >> layers.group_sum(4, 2),
    "gates": lambda: (
        layers.gate_layer(8, ["xor", "and", "nor"], [[0, 1], [2, 3], [4, 4]])
        >> layers.table_layer(3, 4, arity=2)
        >> layers.counting_gate(4, 2, [[0, 1, 2], [3, 3, 1]])
        >> layers.group_sum(2, 2)
    ),
    "convolution": lambda: (
        layers.table_conv((5, 5, 2), 3, arity=4, patch=2)
        >> layers.or_pool((4, 4, 3))
        >> layers.rescale_votes((2, 2, 3), 8)
        >> cl.trace(Space((2, 2, 3), BITS), lambda x: F.reshape(x, (12,)))
        >> layers.table_layer(12, 6, arity=3)
        >> layers.rescale_votes(6, 4)
        >> layers.group_sum(6, 2)
    ),
}
RULES = {
    "saturating": lambda: counters.saturating(16),
    "scheduled": lambda: counters.saturating(counters.stairs({0: 4, 1: 9}), start=2),
    "accumulator": lambda: counters.accumulator(12),
    "flipping": lambda: counters.flipping(20, seed=3),
    "majority": counters.majority,
    "clipped": lambda: optimiser("clipped", counters.clip_votes(5) >> counters.count_votes(16)),
    "scaled": lambda: optimiser("scaled", counters.scale_votes(3, 2) >> counters.count_votes(16)),
}
LOSSES = {"softmax": lambda: count_losses.count_softmax(16, 2.0), "margin": lambda: count_losses.count_margin(2)}


def learner_of(model, rule, loss="softmax"):
    return cl.supervised(MODELS[model](), LOSSES[loss](), RULES[rule]())


def steps(learner, functor, batches, seed=0):
    """The state after some steps, each on its batch."""
    state = [np.asarray(v) for v in learner.initial(seed)]
    settings_ = [np.asarray(v) for v in learner.hyperparameters.values()]
    for x, y in batches:
        diagram = learner.step(len(x))
        ready, run = functor.prepare(diagram), functor
        given = tuple(run.accept(s, v, "x") for s, v in zip(diagram.dom, (*state, y, x, *settings_), strict=True))
        state = [np.asarray(v) for v in run.interpret(ready, given)]
    return [v.astype(np.int64) for v in state]


def batches_for(learner, sizes, seed=0):
    generator = np.random.default_rng(seed)
    (x,), (y,) = learner.model.dom, [learner.loss.label(s) for s in learner.model.cod]
    return [arrays_of((x.batch(size), y.batch(size)), generator) for size in sizes]


def equal_states(*all_states):
    for other in all_states[1:]:
        for mine, theirs in zip(all_states[0], other, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("model", MODELS)
def test_training_steps_are_equal_in_python_and_by_kernels(model, rule):
    learner = learner_of(model, rule, "margin" if rule == "accumulator" else "softmax")
    batches = batches_for(learner, (7, 7, 1))
    done = steps(learner, FUNCTORS["bits"], batches)
    equal_states(done, steps(learner, Exact(), batches))
    if rule != "majority" and model != "one table":
        assert any((a != np.asarray(b)).any() for a, b in zip(done, learner.initial(0), strict=True))


@pytest.mark.parametrize(
    ("model", "rule", "loss"),
    [
        ("convolution", "saturating", "softmax"),
        ("three layers", "accumulator", "margin"),
        ("chosen wires", "flipping", "softmax"),
        ("gates", "majority", "margin"),
        ("one layer", "scheduled", "margin"),
        ("one layer", "scaled", "softmax"),
        ("chosen wires", "clipped", "softmax"),
    ],
)
def test_training_steps_are_equal_under_jax(model, rule, loss):
    learner = learner_of(model, rule, loss)
    batches = batches_for(learner, (7, 7))
    state = [np.asarray(v) for v in learner.initial(0)]
    diagram = learner.step(7)
    run = reference.in_one_program(diagram)
    for x, y in batches:
        state = values(run, (*state, y, x, *learner.hyperparameters.values()))
    equal_states(state, steps(learner, FUNCTORS["bits"], batches))


@pytest.mark.parametrize("size", SIZES)
def test_batches_of_every_size(size):
    learner = learner_of("three layers", "saturating")
    batches = batches_for(learner, (size,), seed=size)
    equal_states(steps(learner, FUNCTORS["bits"], batches), steps(learner, Exact(), batches))


def test_an_empty_batch_changes_nothing():
    for model in MODELS.values():
        f = model().morphism
        parameters = len(f.dom) - 1
        g = R(cl.batch(f, 0, [*[False] * parameters, True]))
        for votes in same(g, arrays_of(g.dom, np.random.default_rng(0)), ("exact", "bits"))[:-1]:
            assert not votes.any()


@pytest.mark.parametrize("rule", ["saturating", "accumulator"])
def test_states_lie_anywhere_in_memory(rule):
    """Columns first, every second entry, turned round: the same step."""
    learner = learner_of("three layers", rule)
    (x, y), *_ = batches_for(learner, (9,))
    diagram, numbers = learner.step(9), list(learner.hyperparameters.values())
    state = [np.asarray(v) for v in learner.initial(1)]

    def strided(a):
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
        wide[..., ::2] = a
        return wide[..., ::2]

    ready = FUNCTORS["bits"].prepare(diagram)
    plain = [
        np.asarray(FUNCTORS["bits"].accept(s, v, "x"))
        for s, v in zip(diagram.dom, (*state, y, x, *numbers), strict=True)
    ]
    wanted = [np.asarray(v) for v in FUNCTORS["bits"].interpret(ready, tuple(plain))]
    for lay in (np.asfortranarray, strided, lambda a: np.ascontiguousarray(a[::-1])[::-1] if a.ndim else a):
        given = tuple(lay(a) if a.ndim else a for a in plain)
        equal_states([np.asarray(v) for v in FUNCTORS["bits"].interpret(ready, given)], wanted)


# counters in the loop that counts


def kinds(diagram):
    return [type(g) for g, _, _ in FUNCTORS["bits"].prepare(diagram).nodes]


def test_counters_are_updated_where_votes_are_counted():
    for model, number in (("one layer", 1), ("three layers", 3), ("convolution", 2), ("chosen wires", 1)):
        found = kinds(learner_of(model, "saturating").step(4))
        assert found.count(CountAt) == number
        assert WriteAt not in found
    assert CountAt not in kinds(learner_of("one layer", "accumulator").step(4))
    assert CountAt not in kinds(learner_of("one layer", "clipped").step(4))


NUMBERS = Space((2, 4), INTEGERS)


@pytest.mark.parametrize(
    "function",
    [
        lambda s, x, v, b: clamp(-s, b),
        lambda s, x, v, b: clamp(F.constant(NUMBERS, 9), b),
        lambda s, x, v, b: clamp(s, b),
        lambda s, x, v, b: (clamp(s + back(x, v), b), back(x, v)),
        lambda s, x, v, b: (clamp(s + back(x, v), b), s + back(x, v)),
        lambda s, x, v, b: clamp(back(x, v) + back(x, v), b),
        lambda s, x, v, b: clamp(back(x, v) + s, b),
        lambda s, x, v, b: clamp(clamp(s + back(x, v), b) + back(x, v), b),
        lambda s, x, v, b: clamp(s + clamp(back(x, v), b), b),
        lambda s, x, v, b: clamp(back(x, v) * s, b),
    ],
)
def test_what_looks_like_a_counter(function):
    """Whatever stands around a bound, what comes out is the same."""
    f = cl.trace((NUMBERS, Space((5, 3), BITS), Space((5, 2), INTEGERS), Space((), INTEGERS)), function)
    same(f, [*arrays_of(f.dom[:3], np.random.default_rng(0)), 3], ("exact", "bits"))


def back(x, v):
    from catlearn.generators.tables import Write
    from catlearn.tracing import apply_generator

    return apply_generator(Write(BITS, Frozen(np.array([[0, 1], [2, 1]])), 3, (5,)), x, v)


# kernels


@pytest.mark.parametrize("samples", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("arity", [0, 1, 2, 6, 7, 8])
def test_kernels(samples, arity):
    generator = np.random.default_rng(samples + arity)
    places, count, bits = 2, 3, 9
    wiring = generator.integers(0, bits, (places, count, arity)).astype(np.int32)
    x = generator.integers(0, 2, (bits, samples)).astype(np.uint8)
    t = generator.integers(0, 2, (count, 2**arity)).astype(np.uint8)
    v = generator.integers(-9, 10, (places, count, samples)).astype(np.int32)
    a = np.empty((places * count, samples), np.uint8)
    kernels.address(x, wiring.reshape(places * count, arity), a)
    wanted = sum((x[wiring[..., i]].astype(int) << i for i in range(arity)), np.zeros((places, count, samples), int))
    a = a.reshape(places, count, samples)
    np.testing.assert_array_equal(a, wanted)
    out = np.empty(a.shape, np.uint8)
    kernels.pick(t, a, out)
    np.testing.assert_array_equal(out, t[np.arange(count)[:, None], a])
    entries, inputs = reference.votes(t, x.T, wiring, np.moveaxis(v, -1, 0))
    written, voted = np.full(entries.shape, 77, np.int32), np.full((bits, samples), 77, np.int32)
    kernels.write_at(a, v, written)
    np.testing.assert_array_equal(written, entries)
    kernels.votes(t, a, v, wiring, voted)
    np.testing.assert_array_equal(voted, inputs.T)
    s = generator.integers(-5, 6, entries.shape).astype(np.int32)
    kernels.count_at(s, a, v, np.int32(5), written)
    np.testing.assert_array_equal(written, np.clip(s + entries, -5, 5))


@pytest.mark.parametrize("samples", [0, 1, 65])
def test_kernels_of_thresholds_and_sums(samples):
    generator = np.random.default_rng(samples)
    wiring = generator.integers(0, 7, (4, 5)).astype(np.int32)
    x = generator.integers(0, 2, (7, samples)).astype(np.uint8)
    v = generator.integers(-9, 10, (4, samples)).astype(np.int32)
    for threshold in range(1, 6):
        out, votes = np.full((4, samples), 7, np.uint8), np.full((7, samples), 7, np.int32)
        kernels.at_least(x, wiring, threshold, out)
        np.testing.assert_array_equal(out, reference.at_least(x.T, wiring, threshold).T)
        kernels.at_least_votes(x, v, wiring, threshold, votes)
        np.testing.assert_array_equal(votes, reference.at_least_votes(x.T, wiring, threshold, v.T).T)
    total, index = np.full((3, samples), 7, np.int32), np.array([2, 0, 2, 2], np.int32)
    kernels.scatter(v, index, total)
    np.testing.assert_array_equal(total, [v[1], v[1] * 0, v[0] + v[2] + v[3]])


# what it has no meaning for


def test_without_numba_it_says_what_to_install(monkeypatch):
    assert available()
    monkeypatch.setattr(functors.bits, "available", lambda: False)
    with pytest.raises(
        CatlearnError, match=r"the functor Bits needs numba.*pip install 'categorical-learning\[circuits\]'"
    ):
        Bits()


def test_carriers_that_it_has_not():
    with pytest.raises(OperationError, match=r"the functor Bits has no KEYS: use functors\.Jax\(\)"):
        Bits().dtype(KEYS)
    with pytest.raises(OperationError, match="no random keys"):
        Bits().keys(0, 0, 0, None)
    assert repr(Bits()) == "Bits()"


# bounds


def sound(diagram, inputs, generator, trials=30):
    """Every output of random inputs lies in the interval that is told of it."""
    given = [(0, 1) if s.carrier == BITS else pair for s, pair in zip(diagram.dom, inputs, strict=True)]
    told = bounds.bounds(diagram, given)
    run = Exact()(diagram)
    for trial in range(trials):
        point = []
        for space, (low, high) in zip(diagram.dom, given, strict=True):
            ends = generator.choice([low, high], space.shape)
            point.append(ends if trial % 2 else generator.integers(low, high + 1, space.shape))
        for (low, high), came in zip(told, values(run, point), strict=True):
            assert came.size == 0 or low <= came.min() <= came.max() <= high
    return told


@FEW
@given(st.data())
def test_bounds_hold_on_random_diagrams(data):
    category = CATEGORIES["BITS"]
    bit, number = category.spaces
    f = data.draw(drawing.diagrams(category, (bit, number), (number, bit)))
    generator = np.random.default_rng(data.draw(st.integers(0, 99)))
    for g in (f, R(f)):
        low = [int(generator.integers(-4, 3)) for _ in g.dom]
        sound(g, [(a, a + int(generator.integers(0, 4))) for a in low], generator)


@pytest.mark.parametrize("limit", [(0, 0), (1, 3), (0, 9), (-3, -1), (-2, 5), (4, 4)])
@pytest.mark.parametrize("inside", [(5, 5), (-9, -6), (-9, 9), (0, 0), (2, 8)])
def test_bounds_of_a_bound(limit, inside):
    """A scheduled limit may be small: what is cut by it need not keep its own least."""
    low, high = bounds.bounds(Clamp(Space((), INTEGERS)).diagram, [inside, limit])[0]
    run = [min(max(x, -b), b) for x in range(inside[0], inside[1] + 1) for b in range(limit[0], limit[1] + 1)]
    assert (low, high) == (min(run), max(run))


@pytest.mark.parametrize("seed", range(4))
def test_bounds_of_each_generator_are_sound(seed):
    generator, five = np.random.default_rng(seed), Space(5, INTEGERS)
    wiring = generator.integers(0, 4, (2, 3, 2))
    read = Read(BITS, Frozen(wiring), 4, (3,)).diagram
    gates = AtLeast(Frozen(wiring[0]), 4, 1, (3,)).diagram
    label = Space((), Discrete(3))
    for f, inputs in (
        (R(read), [(0, 1), (0, 1), (-2, 7)]),
        (R(R(read)), [(0, 1), (0, 1), (-2, 3), (-1, 2), (0, 4)]),
        (R(gates), [(0, 1), (-3, 1)]),
        (Scaled(five, 3).diagram, [(-20, 9), (2, 5), (0, 7)]),
        (Shares(five, 16, 2.0).diagram, [(-5, 9)]),
        (RescaleVotes(five, 3).diagram, [(-999, 2000)]),
        (R(cl.trace(five, lambda x: F.gather(x, [0, 0, 3]))), [(-9, 9), (-1, 2)]),
        (cl.trace((five, five), lambda x, y: (F.einsum("i,i->", x, y), x - y, -x, x * y)), [(-3, 2), (1, 4)]),
        (cl.trace((five, five), lambda x, y: F.concatenate([x[1:3], y])), [(-3, 2), (1, 4)]),
        (R(cl.trace((Space((3, 2), INTEGERS), Space(4, Discrete(3))), F.lookup)), [(-3, 2), (0, 2), (-1, 2)]),
        (cl.trace(label, lambda k: F.one_hot(k, INTEGERS)), [(0, 2)]),
    ):
        sound(f, inputs, generator)


@pytest.mark.parametrize("rule", ["saturating", "accumulator", "flipping", "majority", "clipped", "scaled"])
@pytest.mark.parametrize("model", ["three layers", "convolution", "chosen wires"])
def test_bounds_hold_along_training(model, rule):
    """What the intervals say of the state after a step holds of many steps on random rows, at every wire."""
    learner = learner_of(model, rule)
    step = learner.step(5)
    functor, generator = bounds.Bounds(), np.random.default_rng(0)
    state, numbers = [np.asarray(v) for v in learner.initial(0)], list(learner.hyperparameters.values())
    for _ in range(4):
        (x, y), *_ = batches_for(learner, (5,), seed=int(generator.integers(99)))
        point = (*state, y, x, *(np.asarray(n) for n in numbers))
        given = tuple((int(np.min(p)), int(np.max(p))) for p in point)
        wires, told = list(point), list(given)
        for g, sources, outputs in step.nodes:
            came = FUNCTORS["exact"].interpret(g.diagram, tuple(np.asarray(wires[k], object) for k in sources))
            said = functor.interpret(g.diagram, tuple(told[k] for k in sources))
            for array, (low, high) in zip(came, said, strict=True):
                flat = np.asarray(array).ravel()
                assert flat.size == 0 or low <= min(flat) <= max(flat) <= high, g
            wires += came
            told += said
            assert len(wires) == max(outputs, default=len(wires) - 1) + 1
        state = [np.asarray(wires[k]).astype(np.int64) for k in step.outputs]


def test_votes_that_may_wrap_are_refused():
    deep = [layers.table_layer(40, 40, arity=6, seed=k) for k in range(10)]
    model = deep[0]
    for layer in deep[1:]:
        model = model >> layer
    learner = cl.supervised(model >> layers.group_sum(40, 2), count_losses.count_softmax(64), counters.saturating())
    x, y = np.zeros((64, 40), int), np.zeros(64, int)
    data = Data(x, y, x[:4], y[:4])
    for backend in (Bits(), Jax()):
        with pytest.raises(
            OperationError, match=r"votes may wrap: at '.*' giving .* they reach -?\d+ to \d+, and there are"
        ):
            cl.fit(learner, data, epochs=1, batch_size=64, backend=backend)
    eased = deep[0]
    for layer in deep[1:]:
        eased = eased >> layers.rescale_votes(40) >> layer
    easy = cl.supervised(eased >> layers.group_sum(40, 2), count_losses.count_softmax(), counters.saturating())
    assert cl.fit(easy, data, epochs=1, batch_size=64, backend=Bits()).history.epochs == 1


def wide():
    """One table read at 3,000 places: its votes fit in 32 bits for one row, and not for 50,000."""
    model = layers.table_conv((1, 3000), 1, arity=1, patch=1) >> cl.trace(
        Space((1, 3000, 1), BITS), lambda x: F.reshape(x, (3000,))
    )
    return cl.supervised(model >> layers.group_sum(3000, 1), count_losses.count_softmax(2**14), counters.saturating())


def test_every_size_of_a_batch_is_looked_at():
    """The bound is of the batch that comes, also where a stream gives other sizes than the first."""
    x, y = np.zeros((200, 1, 3000), np.uint8), np.zeros(200, np.uint8)
    with pytest.raises(OperationError, match="votes may wrap"):
        cl.fit(wide(), Data(x, y, x[:1], y[:1]), epochs=1, batch_size=200, backend=Bits())
    stream = Stream(lambda epoch: iter([(x[:1], y[:1]), (x, y)]))
    with pytest.raises(OperationError, match="votes may wrap"):
        cl.fit(wide(), stream, epochs=1, backend=Bits())
    assert cl.fit(wide(), Data(x[:4], y[:4], x[:1], y[:1]), epochs=1, batch_size=2, backend=Bits()).history.epochs == 1


def test_what_wraps_before_a_rounding_is_seen():
    """x n may leave 32 bits though x n / 2**s does not."""
    number = Space((), INTEGERS)
    f = cl.trace((number, Space((), BITS)), lambda s, x: F.include(x) + scale(s * 2**18))
    with pytest.raises(OperationError, match="votes may wrap: at 'scaled'"):
        check_range(f, (number,), [np.array(3)], [None], 32)


def scale(s):
    from catlearn.tracing import apply_generator

    number = Space((), INTEGERS)
    bounded = clamp(s, F.constant(number, 2**20))
    return apply_generator(Scaled(number, 15), bounded, F.constant(number, 2**14), F.constant(number, 0))


def test_integers_that_grow_are_refused():
    number = Space((), INTEGERS)
    f = cl.trace((number, Space((), BITS)), lambda s, x: s + F.include(x))
    with pytest.raises(OperationError, match=r"votes may wrap: at 'add'|the stored integers grow with every step"):
        check_range(f, (number,), [np.array(0)], [None], 32)
    kept = cl.trace((number, Space((), BITS)), lambda s, x: clamp(s + F.include(x), F.constant(number, 9)))
    check_range(kept, (number,), [np.array(0)], [None], 32)
    falls = cl.trace((number, Space((), BITS)), lambda s, x: F.include(x) + scale(clamp(s, F.constant(number, 9))))
    check_range(falls, (number,), [np.array(3)], [None], 32)
    real = Space((), REAL)
    check_range(cl.trace((real, real), lambda s, x: s * x), (real,), [np.array(0.0)], [None], 32)  # says nothing


# training


def digits(rows=48):
    generator = np.random.default_rng(5)
    x = generator.integers(0, 2, (rows, 8))
    y = (x[:, 0] ^ x[:, 1]) + x[:, 2]
    return Data(x[: rows - 12], y[: rows - 12], x[rows - 12 :], y[rows - 12 :])


def small(rule="saturating"):
    model = layers.table_layer(8, 12, arity=4) >> layers.rescale_votes(12, 8) >> layers.table_layer(12, 6, arity=3)
    return cl.supervised(model >> layers.group_sum(6, 3), count_losses.count_softmax(16, 2.0), RULES[rule]())


def states(result):
    return [np.asarray(v).astype(np.int64) for v in result.state]


@pytest.mark.parametrize("rule", ["saturating", "flipping"])
def test_fit_is_equal_by_bits_and_jax(rule):
    """The same losses, accuracies and states; keep_best keeps the same."""
    runs = [
        cl.fit(small(rule), digits(), epochs=4, batch_size=10, seed=3, backend=b, validation=0.25, keep_best=True)
        for b in (Bits(), Jax())
    ]
    equal_states(*map(states, runs))
    np.testing.assert_allclose(runs[0].history.loss, runs[1].history.loss, rtol=1e-6)  # means in 64 and in 32 bits
    assert runs[0].history.accuracy == pytest.approx(runs[1].history.accuracy, rel=1e-6)
    assert runs[0].test_accuracy == runs[1].test_accuracy
    np.testing.assert_array_equal(*(run.predict(digits().test_inputs) for run in runs))
    again = cl.fit(
        small(rule), digits(), epochs=4, batch_size=10, seed=3, backend=Bits(), validation=0.25, keep_best=True
    )
    equal_states(states(runs[0]), states(again))


@pytest.mark.parametrize("backend", [Bits(), Jax()], ids=repr)
def test_fit_is_taken_up_to_the_same_bits(tmp_path, backend):
    whole = cl.fit(small("flipping"), digits(), epochs=4, batch_size=10, seed=1, backend=backend)
    cl.fit(small("flipping"), digits(), epochs=2, batch_size=10, seed=1, backend=backend, checkpoint=tmp_path)
    taken_up = cl.fit(
        small("flipping"), digits(), epochs=4, batch_size=10, seed=1, backend=backend, checkpoint=tmp_path, resume=True
    )
    equal_states(states(whole), states(taken_up))


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64])
def test_rows_come_in_any_type(kind):
    data = digits()
    other = Data(data.train_inputs.astype(kind), data.train_targets, data.test_inputs.astype(kind), data.test_targets)
    runs = [cl.fit(small(), d, epochs=1, batch_size=8, backend=Bits()) for d in (data, other)]
    equal_states(*map(states, runs))


def test_rows_that_are_no_bits():
    data = digits()
    for wrong in (data.train_inputs * 2, data.train_inputs.astype(float), data.train_inputs - 1):
        with pytest.raises((DataError, CatlearnError)):
            cl.fit(
                small(), Data(wrong, data.train_targets, data.test_inputs, data.test_targets), epochs=1, batch_size=8
            )


@pytest.mark.parametrize("rule", [*RULES, "by name"])
def test_learners_are_saved_and_loaded(rule, tmp_path):
    """As data, and with their state: the step is equal, and so is what training goes on to."""
    rules = {
        **RULES,
        "by name": lambda: by_name({"table_layer_0": counters.saturating(9), "*": counters.saturating(4)}),
    }
    model = layers.table_conv((3, 4), 3, arity=2, patch=2) >> layers.or_pool((2, 3, 3), 2)
    model = model >> cl.trace(Space((1, 1, 3), BITS), lambda x: F.reshape(x, (3,))) >> layers.rescale_votes(3, 4)
    model = model >> layers.select_wires(3, 4, 2) >> layers.table_layer(4, 4, arity=2) >> layers.group_sum(4, 2)
    learner = cl.supervised(model, count_losses.count_softmax(16, 2.0), rules[rule]())
    back = decode(encode(model))
    assert back.morphism == model.morphism
    assert back.names == model.names
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 2, (20, 3, 4)), generator.integers(0, 2, 20)
    data = Data(x, y, x, y)
    result = cl.fit(learner, data, epochs=2, batch_size=5, backend=Bits())
    result.save(tmp_path / "learner.safetensors")
    loaded = cl.load(tmp_path / "learner.safetensors")
    assert loaded.learner.step(5) == learner.step(5)
    equal_states(states(result), states(loaded))
    np.testing.assert_array_equal(loaded.predict(x), result.predict(x))
    batches = batches_for(learner, (5, 5))
    assert (
        steps(loaded.learner, FUNCTORS["bits"], batches)[-1].tolist()
        == steps(learner, FUNCTORS["bits"], batches)[-1].tolist()
    )
