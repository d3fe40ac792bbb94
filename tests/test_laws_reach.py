"""What the strategies reach: each shape of diagram, each generator, each nesting, states of optimisers."""

import numpy as np
import pytest
from hypothesis import find, settings

import catlearn as cl
from catlearn import laws, optimisers
from catlearn.laws.strategies import assignment, diagrams, lenses, linear_maps, objects, sides, states

LONG = settings(max_examples=3000, database=None, derandomize=True)
Z4 = laws.CATEGORIES["Z4"]
X = Z4.spaces[0]

REACH = {
    "a repeated wire": lambda f: any(len(set(inputs)) < len(inputs) for _, inputs, _ in f.nodes),
    "an unused input": lambda f: (
        f.dom and not any(0 in inputs for _, inputs, _ in f.nodes) and 0 not in f.outputs and f.nodes
    ),
    "an input that is an output": lambda f: any(wire < len(f.dom) for wire in f.outputs),
    "an output twice": lambda f: len(set(f.outputs)) < len(f.outputs),
    "a second-order term": lambda f: any(g.name == "multiply" and i[0] == i[1] for g, i, _ in f.nodes),
    "a negation": lambda f: any(g.name == "negate" for g, _, _ in f.nodes),
    "four gates": lambda f: len(f.nodes) >= 4,
}


@pytest.mark.parametrize("name", REACH)
def test_the_shapes_of_diagrams(name):
    found = find(diagrams(Z4, (X, X), (X, X)), lambda f: bool(REACH[name](f)), settings=LONG)
    assert REACH[name](found)


GENERATORS = [
    (category.name, gate)
    for category in laws.CATEGORIES.values()
    for gate in category.gates
    if category.name != "Boolean difference"
]


@pytest.mark.parametrize(("name", "gate"), GENERATORS, ids=[f"{n}-{k}" for k, (n, _) in enumerate(GENERATORS)])
def test_every_generator_is_drawn(name, gate):
    wanted = {generator for generator, _, _ in gate.nodes}
    found = find(
        diagrams(laws.CATEGORIES[name], gate.dom, gate.cod),
        lambda f: wanted <= {generator for generator, _, _ in f.nodes},
        settings=LONG,
    )
    assert len(found.nodes) >= len(wanted)  # a gate of several nodes shares those that read one wire


def test_objects_may_be_empty_and_have_two_wires():
    assert find(objects(Z4), lambda a: a == ()) == ()
    assert find(objects(Z4), lambda a: len(a) == 2) == (X, X)
    assert find(sides(Z4), lambda s: s.forward == () and len(s.backward) == 2).backward == (X, X)


def test_lenses_leave_the_image_of_R():
    ends = cl.Sides.of(X)
    found = find(lenses(Z4, ends, ends), lambda lens: lens.put != cl.reverse_derivative(lens.get), settings=LONG)
    assert found.get.dom == (X,)


def test_linear_maps_are_linear_and_not_all_zero():
    found = find(linear_maps(Z4, (X, X), (X,)), lambda f: [int(f(1, 0)), int(f(0, 1))] == [2, 1], settings=LONG)
    assert int(found(1, 1)) == 3


NESTINGS = {
    "products of one map with itself": lambda f: len({(g, i) for g, i, _ in f.nodes if g.name == "multiply"}) >= 2,
    "a product of a sum": lambda f: _feeds(f, "add", "multiply"),
    "a sum of a product": lambda f: _feeds(f, "multiply", "add"),
    "a negated product": lambda f: _feeds(f, "multiply", "negate"),
    "a constant in a product": lambda f: any(
        g.name == "multiply" and any(wire in _constants(f) for wire in i) for g, i, _ in f.nodes
    ),
    "a power of degree three": lambda f: _feeds(f, "multiply", "multiply"),
}


def _constants(f):
    return {wire for _, inputs, outputs in f.nodes if not inputs for wire in outputs}


def _feeds(f, first, second):
    made = {wire for g, _, outputs in f.nodes if g.name == first for wire in outputs}
    return any(g.name == second and made & set(inputs) for g, inputs, _ in f.nodes)


@pytest.mark.parametrize("name", NESTINGS)
def test_nestings(name):
    found = find(diagrams(Z4, (X,), (X,)), lambda f: bool(NESTINGS[name](f)), settings=LONG)
    assert NESTINGS[name](found)


def test_smooth_vectors_meet_scalars():
    smooth = laws.CATEGORIES["SMOOTH"]
    scalar, vector = smooth.spaces
    found = find(diagrams(smooth, (scalar, vector), (scalar,)), lambda f: _feeds(f, "tanh", "a,a->"), settings=LONG)
    assert found.cod == (scalar,)


def test_states_of_optimisers_are_reached_ones():
    adam, x = optimisers.adam(0.1), cl.Space((), cl.REAL)
    start = find(states(adam, (x,)), lambda s: int(s[0]) == 0)
    assert float(start[1]) == float(start[2]) == 0.0
    later = find(states(adam, (x,)), lambda s: int(s[0]) == 2 and float(s[2]) > 0.0, settings=LONG)
    assert np.isfinite(later[3])


@pytest.mark.parametrize("kind", ["loss", "optimiser"])
def test_things_of_the_category_come_with_objects_that_they_fit(kind):
    """Every shipped loss and optimiser is drawn."""
    smooth = laws.CATEGORIES["SMOOTH"]
    law = laws.by_identifier("LOSS.def" if kind == "loss" else "OPT.def")
    pool = smooth.losses if kind == "loss" else smooth.optimisers
    from hypothesis import strategies as st

    for thing in pool:
        drawn = st.composite(lambda draw: assignment(draw, law, smooth))()
        found = find(drawn, lambda values, thing=thing: thing in values.values(), settings=LONG)
        assert thing in found.values()
