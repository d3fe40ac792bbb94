"""Layers of bits against loops over them: tables, gates, pooling, chosen wires, counts; and what they refuse."""

import itertools

import bit_reference as reference
import numpy as np
import pytest
from bit_reference import FUNCTORS, HOST, agree

import catlearn as cl
from catlearn import functions as F
from catlearn import layers, wirings
from catlearn.errors import CatlearnError, CompositionError, OperationError, UnknownNameError
from catlearn.functors.symbolic import polynomials
from catlearn.laws.oracles import formal_derivative
from catlearn.layers import GATES
from catlearn.parameters import RandomBits
from catlearn.semirings import BITS, INTEGERS
from catlearn.space import Space

R = cl.reverse_derivative

TRUTH = {
    "false": lambda x, y: 0,
    "nor": lambda x, y: not (x or y),
    "x and not y": lambda x, y: x and not y,
    "not y": lambda x, y: not y,
    "not x and y": lambda x, y: not x and y,
    "not x": lambda x, y: not x,
    "xor": lambda x, y: x != y,
    "nand": lambda x, y: not (x and y),
    "and": lambda x, y: x and y,
    "xnor": lambda x, y: x == y,
    "x": lambda x, y: x,
    "x or not y": lambda x, y: x or not y,
    "y": lambda x, y: y,
    "not x or y": lambda x, y: not x or y,
    "or": lambda x, y: x or y,
    "true": lambda x, y: 1,
}
SLOPES = {
    "false": lambda x, y: (0, 0),
    "nor": lambda x, y: (y - 1, x - 1),
    "x and not y": lambda x, y: (1 - y, -x),
    "not y": lambda x, y: (0, -1),
    "not x and y": lambda x, y: (-y, 1 - x),
    "not x": lambda x, y: (-1, 0),
    "xor": lambda x, y: (1 - 2 * y, 1 - 2 * x),
    "nand": lambda x, y: (-y, -x),
    "and": lambda x, y: (y, x),
    "xnor": lambda x, y: (2 * y - 1, 2 * x - 1),
    "x": lambda x, y: (1, 0),
    "x or not y": lambda x, y: (y, x - 1),
    "y": lambda x, y: (0, 1),
    "not x or y": lambda x, y: (y - 1, x),
    "or": lambda x, y: (1 - y, 1 - x),
    "true": lambda x, y: (0, 0),
}


@pytest.mark.parametrize("functor", FUNCTORS)
def test_BIT_gates(functor):
    """All sixteen at all points: their truth tables, and their R by hand; by name and by number."""
    assert set(TRUTH) == set(SLOPES) == set(GATES)
    names = list(GATES)
    wiring = np.arange(32).reshape(16, 2)
    f = layers.gate_layer(32, names, wiring)
    assert f == layers.gate_layer(32, [GATES[n] for n in names], wiring)
    assert f == layers.gate_layer(32, np.array([GATES[n] for n in names]), wiring)
    forward, back = FUNCTORS[functor](f), FUNCTORS[functor](R(f))
    v = np.arange(16) - 7
    for x, y in itertools.product((0, 1), repeat=2):
        point = np.tile([x, y], 16)
        assert np.asarray(forward(point)).astype(int).tolist() == [int(TRUTH[n](x, y)) for n in names]
        votes = np.asarray(back(point, v)).astype(int).reshape(16, 2)
        np.testing.assert_array_equal(votes, [np.multiply(SLOPES[n](x, y), k) for n, k in zip(names, v, strict=True)])


@pytest.mark.parametrize("name", GATES)
def test_gates_as_polynomials(name):
    f = layers.gate_layer(2, [name], [[0, 1]])
    assert polynomials(R(f)) == formal_derivative(f)


def test_no_gates():
    f = layers.gate_layer(3, [], np.zeros((0, 2), int))
    agree(f, ([0, 1, 1],), [np.zeros(0, int)])


@pytest.mark.parametrize("arity", [2, 4, 6, 8])
@pytest.mark.parametrize("wiring", [None, "local"])
def test_table_layer(arity, wiring):
    places = wirings.local((3, 4), 5, arity, patch=3, seed=2) if wiring else None
    model = layers.table_layer(12, 5, arity=arity, wiring=places, initialise="random", seed=3)
    held = wirings.balanced(12, 5, arity, seed=3) if places is None else places
    assert [p.space for p in model.parameters] == [Space((5, 2**arity), BITS)]
    generator = np.random.default_rng(0)
    t, x, v = generator.integers(0, 2, (5, 2**arity)), generator.integers(0, 2, 12), generator.integers(-4, 5, 5)
    agree(model.morphism, (t, x), [reference.read(t, x, held)], HOST)
    agree(R(model.morphism), (t, x, v), reference.votes(t, x, held, v), HOST)


@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 2)])
@pytest.mark.parametrize("stride", [1, 2])
def test_BIT_conv(shape, stride):
    """The same tables at every place: against a loop over places, votes of entries summed over them."""
    model = layers.table_conv(shape, 3, arity=4, patch=3, stride=stride, seed=1)
    held = wirings.shared(shape, 3, 4, patch=3, stride=stride, seed=1)
    assert model.cod == (Space(held.shape[:-1], BITS),)
    generator = np.random.default_rng(0)
    f = cl.batch(model.morphism, 2, [False, True])
    t, x = generator.integers(0, 2, (3, 16)), generator.integers(0, 2, (2, *shape))
    v = generator.integers(-4, 5, (2, *held.shape[:-1]))
    flat = x.reshape(2, -1)
    entries, inputs = reference.votes(t, flat, held, v)
    agree(f, (t, x), [reference.read(t, flat, held)], HOST)
    agree(R(f), (t, x, v), [entries, inputs.reshape(x.shape)])


@pytest.mark.parametrize(
    ("shape", "size"), [((4, 4, 2), 2), ((5, 7, 1), 2), ((3, 3, 2), 3), ((3, 2, 1), 1), ((6, 6, 0), 2)]
)
def test_BIT_orpool(shape, size):
    """Or over windows; a vote goes to an input where all the others of its window are 0."""
    f = cl.batch(layers.or_pool(shape, size), 3)
    h, w, depth = shape[0] // size, shape[1] // size, shape[2]
    generator = np.random.default_rng(0)
    x = (generator.random((3, *shape)) < 0.3).astype(int)
    v = generator.integers(-4, 5, (3, h, w, depth))
    pooled, votes = np.zeros(v.shape, int), np.zeros(x.shape, int)
    for b, i, j, c in np.ndindex(*v.shape):
        window = (b, slice(i * size, (i + 1) * size), slice(j * size, (j + 1) * size), c)
        pooled[b, i, j, c] = x[window].any()
        votes[window] = v[b, i, j, c] * (x[window].sum() - x[window] == 0)
    agree(f, (x,), [pooled], HOST)
    agree(R(f), (x, v), [votes])


@pytest.mark.parametrize("candidates", [1, 2, 4, 8])
def test_BIT_select(candidates):
    """x'_j = [s = j] v; s'_l = (x at s_l = 1 - x at s_l = 0) v."""
    levels = candidates.bit_length() - 1
    held = np.random.default_rng(0).integers(0, 9, (3, candidates))
    model = layers.select_wires(9, 3, candidates, wiring=held)
    generator = np.random.default_rng(candidates)
    for trial in range(3):
        s, x, v = generator.integers(0, 2, (3, levels)), generator.integers(0, 2, 9), generator.integers(-4, 5, 3)
        number = (s << np.arange(levels)).sum(1) if levels else np.zeros(3, int)
        chosen = held[np.arange(3), number]
        votes, moved = np.zeros(9, int), np.zeros((3, levels), int)
        np.add.at(votes, chosen, v)
        for w, level in np.ndindex(3, levels):
            high, low = (x[held[w, n]] for n in (number[w] | 1 << level, number[w] & ~(1 << level)))
            moved[w, level] = (high - low) * v[w]
        agree(model.morphism, (s, x), [x[chosen]], HOST)
        agree(R(model.morphism), (s, x, v), [moved, votes], HOST if trial else FUNCTORS)
    small = layers.select_wires(4, 1, 4, wiring=[[0, 1, 2, 2]]).morphism
    assert polynomials(R(small)) == formal_derivative(small)


def test_counting_gate():
    f = layers.counting_gate(5, 3)
    for x in itertools.product((0, 1), repeat=5):
        assert int(FUNCTORS["bits"](f)(list(x))[0]) == (sum(x) >= 3)
    held = np.array([[0, 1, 2], [4, 3, 3]])
    agree(layers.counting_gate(5, 2, held), ([1, 0, 1, 1, 0],), [[1, 1]])


@pytest.mark.parametrize(("inputs", "groups"), [(12, 3), (4, 4), (4, 1), (0, 2)])
def test_BIT_groupsum(inputs, groups):
    f = cl.batch(layers.group_sum(inputs, groups), 5)
    generator = np.random.default_rng(0)
    x, d = generator.integers(0, 2, (5, inputs)), generator.integers(-9, 10, (5, groups))
    agree(f, (x,), [x.reshape(5, groups, -1).sum(-1) if inputs else np.zeros((5, groups), int)], HOST)
    agree(R(f), (x, d), [np.repeat(d, inputs // groups, axis=1)], HOST)


@pytest.mark.parametrize("shape", [6, (2, 3)])
def test_rescale_votes(shape):
    f = layers.rescale_votes(shape, 4)
    x = np.random.default_rng(0).integers(0, 2, f.dom[0].shape)
    agree(f, (x,), [x])
    assert not f.lawful
    assert f.dom == f.cod == (Space(shape, BITS),)


def test_starts():
    x = layers.table_layer(6, 4, arity=3, initialise="random").parameters[0]
    assert isinstance(x.initialise, RandomBits)
    started = layers.table_layer(6, 4, arity=3, initialise=wirings.Projection(2)).parameters[0]
    assert started.initial(np.random.default_rng(0)).tolist() == [[0] * 4 + [1] * 4] * 4
    default = layers.table_layer(6, 4, arity=3).parameters[0]
    assert isinstance(default.initialise, wirings.RandomThreshold)


def test_a_deep_model_is_one_circuit():
    """Layers compose, and the votes of the whole are those of the chain rule by hand."""
    model = (
        layers.table_conv((4, 4), 2, arity=3, patch=2)
        >> layers.or_pool((3, 3, 2), 3)
        >> cl.trace(Space((1, 1, 2), BITS), lambda x: F.reshape(x, (2,)))
        >> layers.table_layer(2, 4, arity=2)
        >> layers.group_sum(4, 2)
    )
    generator = np.random.default_rng(0)
    t2, t1 = generator.integers(0, 2, (4, 4)), generator.integers(0, 2, (2, 8))
    x, d = generator.integers(0, 2, (4, 4)), np.array([3, -5])
    first, second = wirings.shared((4, 4), 2, 3, patch=2), wirings.balanced(2, 4, 2)
    a = reference.read(t1, x.ravel(), first)
    pooled = a.reshape(9, 2).max(0)
    b = reference.read(t2, pooled, second)
    agree(model.morphism, (t2, t1, x), [b.reshape(2, 2).sum(1)])
    back2, v2 = reference.votes(t2, pooled, second, np.repeat(d, 2))
    v1 = np.where(a.reshape(9, 2).sum(0) - a.reshape(9, 2) == 0, v2, 0).reshape(a.shape)
    back1, v0 = reference.votes(t1, x.ravel(), first, v1)
    agree(R(model.morphism), (t2, t1, x, d), [back2, back1, v0.reshape(4, 4)])


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: layers.table_layer(4, 2, arity=2, wiring=[[0, 1, 2]] * 2), OperationError, "tables of 2 inputs need"),
        (lambda: layers.table_layer(4, 2, arity=2, wiring=[[0, 1]]), OperationError, r"got \(1, 2\)"),
        (lambda: layers.table_layer(4, 1, arity=2, wiring=[[0, 4]]), OperationError, "reads input 4, and there are 4"),
        (lambda: layers.table_layer(4, 1, arity=2, wiring=[[0, 1.5]]), OperationError, "got float64 of shape"),
        (lambda: layers.table_layer(12, 2, arity=9), OperationError, "a table has 0 to 8 inputs"),
        (lambda: layers.table_layer(4, 2), OperationError, "a table of 6 different inputs"),
        (lambda: layers.table_layer(8, 2, initialise="halves"), UnknownNameError, "no start of tables is called"),
        (lambda: layers.table_conv((4, 4), 2, arity=2, patch=5), OperationError, "a patch has a side from 1 to 4"),
        (lambda: layers.table_conv((4, 4), 1, wiring=[[0, 16]]), OperationError, "reads input 16, and there are 16"),
        (lambda: layers.gate_layer(3, ["nadn"], [[0, 1]]), UnknownNameError, "did you mean 'nand'"),
        *[
            (lambda g=g: layers.gate_layer(3, [g], [[0, 1]]), UnknownNameError, "no gate is called")
            for g in (16, -1, True, None, 1.5, [1], "3")
        ],
        (lambda: layers.gate_layer(3, ["and"], [[0, 1, 2]]), OperationError, "1 gates of two inputs need a wiring"),
        (lambda: layers.gate_layer(3, ["and"], [[0, 1]] * 2), OperationError, r"\(.., 1, 2\); got \(2, 2\)"),
        (lambda: layers.gate_layer(3, ["and"], [[0, 3]]), OperationError, "reads input 3, and there are 3"),
        (lambda: layers.counting_gate(3, 4), OperationError, "a threshold of 3 inputs is 1 to that; got 4"),
        (lambda: layers.counting_gate(0, 1), OperationError, "a threshold of 0 inputs"),
        (lambda: layers.or_pool((4, 4)), OperationError, r"or_pool takes an image \(height, width, bits\)"),
        *[
            (lambda s=s: layers.or_pool((4, 3, 1), s), OperationError, "a window that fits; got")
            for s in (0, 4, 2.0, True)
        ],
        *[
            (lambda c=c: layers.select_wires(9, 2, c), OperationError, "chooses among a power of two; got")
            for c in (0, 3, 6, -2, 2.0, True)
        ],
        (lambda: layers.select_wires(3, 2, 4), OperationError, "a table of 4 different inputs"),
        (lambda: layers.select_wires(9, 2, 2, wiring=[[0, 9], [1, 2]]), OperationError, "places from 0 to 8"),
        (lambda: layers.select_wires(9, 2, 2, wiring=[[0, 1]]), OperationError, r"got shape \(1, 2\)"),
        (lambda: layers.select_wires(9, 1, 2, wiring=[[0.0, 1]]), OperationError, "this needs places"),
        *[
            (lambda g=g: layers.group_sum(12, g), OperationError, "12 bits cannot be cut into .* groups of one size")
            for g in (5, 0, -3, 2.0, True)
        ],
        (lambda: layers.rescale_votes(4, 0), OperationError, "votes are rescaled to a mean size"),
        (lambda: layers.table_layer(8, 5) >> layers.group_sum(6, 2), CompositionError, "group_sum|differ|wire 0"),
    ],
)  # fmt: skip
def test_what_is_refused(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_layers_take_bits():
    with pytest.raises(CatlearnError):
        cl.trace(Space(4, INTEGERS), lambda x: layers.counting_gate(4, 1)(x))
