"""Diagrams to DisCoPy and back: equal diagrams, and values by DisCoPy's own functors."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bit_circuits, circuits

import catlearn as cl
from catlearn import functions as F
from catlearn import layers
from catlearn.errors import CompositionError, OperationError, UnknownNameError
from catlearn.functors.exact import Exact
from catlearn.generators.surrogate import clip_change

pytest.importorskip("discopy")

from discopy import markov, monoidal, python, symmetric
from discopy.utils import AxiomError

from catlearn.interop.discopy import SpaceType, from_discopy, functions, to_discopy, type_of

BIT, REAL = cl.Space((), cl.Z2), cl.Space((), cl.REAL)
Z4 = cl.Modular(4)


def structural(diagram):
    """How often each wire is copied, thrown away and exchanged: boxes that hold no generator."""
    return [box for box in diagram.boxes if box.data is None]


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(circuits(cl.Z2, gates=10), circuits(Z4, gates=8), circuits(cl.INTEGERS, gates=8), bit_circuits(gates=8))
)
def test_there_and_back(diagram):
    there = to_discopy(diagram)
    assert (there.dom, there.cod) == (type_of(diagram.dom), type_of(diagram.cod))
    assert from_discopy(there) == diagram
    assert [box.data for box in there.boxes if box.data is not None] == [node[0] for node in diagram.nodes]
    assert all(isinstance(box, (markov.Copy, markov.Swap)) for box in structural(there))


@settings(max_examples=30, deadline=None)
@given(circuits(Z4, inputs=3, gates=8), st.lists(st.integers(0, 3), min_size=3, max_size=3))
def test_its_functor_computes_the_same(diagram, values):
    found = functions(Exact())(to_discopy(diagram))(*values)
    wanted = Exact()(diagram)(*values)
    assert np.array_equal(np.array(found), np.array(wanted))


@settings(max_examples=20, deadline=None)
@given(circuits(cl.Z2, inputs=2, outputs=2, gates=5), circuits(cl.Z2, inputs=2, outputs=2, gates=5))
def test_it_is_a_functor(f, g):
    """Composites and tensors, put together on DisCoPy's side, are those on ours."""
    one, two = to_discopy(f), to_discopy(g)
    assert from_discopy(one >> two) == f >> g
    assert from_discopy(one @ two) == f @ g
    assert from_discopy(markov.Diagram.id(type_of((BIT, REAL)))) == cl.identity((BIT, REAL))
    assert from_discopy((one @ two.dom) >> (one.cod @ two)) == from_discopy((one.dom @ two) >> (one @ two.cod)) == f @ g


@settings(max_examples=20, deadline=None)
@given(circuits(cl.Z2, inputs=2, outputs=2, gates=6))
def test_interchanges_change_nothing(diagram):
    there = to_discopy(diagram @ diagram)
    for k in range(len(there.boxes) - 1):
        try:
            moved = there.interchange(k, k + 1)
        except AxiomError:
            continue
        assert from_discopy(moved) == diagram @ diagram


def test_an_interchange_is_made():
    there = to_discopy(cl.trace(REAL, F.sin) @ cl.trace(REAL, F.exp))
    moved = there.interchange(0, 1)
    assert moved != there
    assert [box.name for box in moved.boxes] == ["exp", "sin"]
    assert from_discopy(moved) == from_discopy(there)
    assert from_discopy(moved.normal_form()) == from_discopy(there)


def test_corners():
    for diagram in (
        cl.identity(),
        cl.identity((REAL, BIT)),
        cl.discard((REAL, BIT)),
        cl.copy((REAL, BIT)),
        cl.swap((REAL, BIT), REAL),
        cl.wiring((REAL, BIT, REAL), [2, 2, 0, 2]),
        cl.trace((), lambda: F.constant(REAL, 2.5)),
        cl.trace(REAL, lambda x: x * x),
        layers.dense(4, 3, "sigmoid").diagram,
        cl.reverse_derivative(layers.dense(4, 3, "sigmoid").diagram),
        layers.lstm_cell(2, 3).diagram,
    ):
        assert from_discopy(to_discopy(diagram)) == diagram


def test_copies_discards_and_swaps_are_boxes():
    there = to_discopy(cl.wiring((REAL, BIT, REAL), [2, 2, 0, 2]))
    kinds = [type(box).__name__ for box in there.boxes]
    assert sorted(kinds) == ["Copy", "Discard", "Swap", "Swap"]
    copy = next(box for box in there.boxes if type(box) is markov.Copy)
    assert len(copy.cod) == 3


def test_a_node_that_is_not_additive_is_kept_twice():
    once = clip_change(REAL, 1.0)
    twice = cl.copy(REAL) >> (once @ once)
    assert len(from_discopy(to_discopy(twice)).nodes) == 2
    assert from_discopy(to_discopy(twice)) == twice


def test_types_are_spaces():
    assert str(type_of((cl.Space((4, 3), cl.REAL), BIT))) == "REAL 4×3 @ Z2"  # noqa: RUF001
    assert type_of(REAL) == type_of(REAL) != type_of(BIT)
    assert hash(SpaceType(REAL)) == hash(SpaceType(REAL))
    assert SpaceType(REAL) != "REAL"
    assert repr(SpaceType(BIT)) == f"SpaceType({BIT!r})"
    with pytest.raises(Exception, match=r"not composable|does not compose"):
        to_discopy(cl.identity(REAL)) >> to_discopy(cl.identity(BIT))


def test_a_diagram_of_theirs_needs_spaces_and_boxes():
    x, y = markov.Ty("x"), markov.Ty("y")
    f, g = markov.Box("f", x @ x, y), markov.Box("g", y, x)
    theirs = markov.Copy(x) >> markov.Swap(x, x) >> f >> g
    spaces = {"x": REAL, "y": cl.Space(2, cl.REAL)}
    pair = cl.Space(1, cl.REAL)

    def both(a, b):
        return F.concatenate([F.reshape(a - b, pair.shape), F.reshape(a * b, pair.shape)])

    boxes = {"f": cl.trace((REAL, REAL), both), "g": cl.trace(cl.Space(2, cl.REAL), F.sum)}
    ours = from_discopy(theirs, spaces, boxes)
    assert ours.dom == ours.cod == (REAL,)
    meanings = {f: lambda a, b: complex(a - b, a * b), g: lambda z: z.real + z.imag}
    by_them = markov.Functor({x: float, y: complex}, meanings, cod=markov.Category(python.Ty, python.Function))
    for value in (3.0, -0.5):
        assert float(ours(value)) == by_them(theirs)(value) == value * value
    older = symmetric.Box("h", monoidal.Ty("x"), monoidal.Ty("x"))
    assert from_discopy(older >> older, spaces, {"h": cl.trace(REAL, F.sin)}) == cl.trace(
        REAL, lambda a: F.sin(F.sin(a))
    )
    with_generator = {"h": cl.trace(REAL, F.sin).nodes[0][0]}
    assert from_discopy(older, spaces, with_generator) == cl.trace(REAL, F.sin)


X = markov.Ty("x")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: to_discopy(3), OperationError, "to_discopy takes a Diagram, such as model.diagram or lens.get; got 3"),
        (lambda: from_discopy("f"), OperationError, "takes a diagram of DisCoPy, such as to_discopy gives; got 'f'"),
        (lambda: from_discopy(markov.Id(X)), UnknownNameError, "type 'x' has no space: give spaces="),
        (lambda: from_discopy(markov.Id(X), {"y": REAL}), UnknownNameError, "known are y"),
        (lambda: from_discopy(markov.Box("f", X, X), {"x": REAL}), UnknownNameError, "box 'f' has no diagram: give"),
        (
            lambda: from_discopy(markov.Box("f", X, X), {"x": REAL}, {"f": cl.trace(BIT, lambda x: x * x)}),
            CompositionError,
            "domain of the box f and its diagram's",
        ),
        (
            lambda: from_discopy(markov.Box("f", X, X), {"x": REAL}, {"f": cl.copy(REAL)}),
            CompositionError,
            "codomain of the box f and its diagram's",
        ),
        (lambda: from_discopy(markov.Merge(X), {"x": REAL}), OperationError, "has no meaning as a diagram"),
        (
            lambda: from_discopy(markov.Box("f", X, X)[::-1], {"x": REAL}, {"f": cl.trace(REAL, F.sin)}),
            OperationError,
            "has no meaning as a diagram: boxes, swaps, copies and discards have one",
        ),
        (
            lambda: from_discopy(markov.Box("f", X, X) + markov.Box("f", X, X), {"x": REAL}),
            OperationError,
            "takes a diagram of DisCoPy",
        ),
        (lambda: functions()(markov.Box("f", X, X))(1.0), UnknownNameError, "'f' holds no generator"),
    ],
)
def test_what_has_no_meaning(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_without_discopy():
    code = (
        "import sys; sys.modules['discopy'] = None\n"
        "try: import catlearn.interop.discopy\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "needs discopy, which is not installed" in done.stdout
    assert "categorical-learning[discopy]" in done.stdout


def test_importing_it_does_not_warn():
    code = "import warnings; warnings.simplefilter('error'); import catlearn.interop.discopy"
    subprocess.run([sys.executable, "-c", code], check=True)
