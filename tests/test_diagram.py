"""Diagrams: the laws of a cartesian left-additive category, canonical forms, laziness."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEMIRINGS, bit_circuits, circuits, same, smooth_diagrams

import catlearn as cl
from catlearn.builder import Builder
from catlearn.diagram import permute
from catlearn.errors import CompositionError, OperationError
from catlearn.functors import Exact

carriers = st.sampled_from(SEMIRINGS)


@st.composite
def chains(draw, length=3):
    carrier = draw(carriers)
    sizes = [draw(st.integers(0, 2)) for _ in range(length + 1)]
    return [draw(circuits(carrier, n, m, gates=3)) for n, m in itertools.pairwise(sizes)]


@given(chains())
def test_composition_is_a_category(parts):
    f, g, h = parts
    assert (f >> g) >> h == f >> (g >> h)
    assert cl.identity(f.dom) >> f == f == f >> cl.identity(f.cod)


@given(chains())
def test_tensor_is_strictly_monoidal(parts):
    f, g, h = parts
    assert (f @ g) @ h == f @ (g @ h)
    assert cl.identity() @ f == f == f @ cl.identity()
    assert cl.identity(f.dom) @ cl.identity(g.dom) == cl.identity(f.dom + g.dom)


@given(chains(2), chains(2))
def test_tensor_is_a_bifunctor(first, second):
    (f, g), (h, k) = first, second
    assert (f @ h) >> (g @ k) == (f >> g) @ (h >> k)


@given(chains(1), chains(1))
def test_swap_is_natural_and_involutive(first, second):
    (f,), (g,) = first, second
    assert (f @ g) >> cl.swap(f.cod, g.cod) == cl.swap(f.dom, g.dom) >> (g @ f)
    assert cl.swap(f.dom, g.dom) >> cl.swap(g.dom, f.dom) == cl.identity(f.dom + g.dom)


@given(chains(1))
def test_copy_and_discard_are_natural(parts):
    """Copy and discard are natural, so merging and dropping nodes are laws (CIRC.eqs, naturality)."""
    (f,) = parts
    assert f >> cl.copy(f.cod) == cl.copy(f.dom) >> (f @ f)
    assert f >> cl.discard(f.cod) == cl.discard(f.dom)
    a = f.dom
    assert cl.copy(a) >> (cl.copy(a) @ cl.identity(a)) == cl.copy(a) >> (cl.identity(a) @ cl.copy(a))
    assert cl.copy(a) >> cl.swap(a, a) == cl.copy(a)
    assert cl.copy(a) >> (cl.discard(a) @ cl.identity(a)) == cl.identity(a)


@given(st.data())
def test_CLAC_left_and_CLAC_monoid(data):
    carrier = data.draw(carriers)
    n, m, k = (data.draw(st.integers(0, 2)) for _ in range(3))
    f = data.draw(circuits(carrier, n, m, gates=3))
    g, h, u = (data.draw(circuits(carrier, m, k, gates=3)) for _ in range(3))
    assert same(f >> (g + h), (f >> g) + (f >> h))
    assert same(f >> cl.zero(g.dom, g.cod), cl.zero(f.dom, g.cod))
    assert same((g + h) + u, g + (h + u))
    assert same(g + h, h + g)
    assert same(g + cl.zero(g.dom, g.cod), g)
    assert same(g + h, cl.copy(g.dom) >> (g @ h) >> cl.add(g.cod))


def test_CLAC_notright():
    x = cl.Space((), cl.INTEGERS)
    square = cl.trace(x, lambda v: v * v)
    first, second = (cl.trace((x, x), lambda v, w, k=k: (v, w)[k]) for k in range(2))
    assert not same((first + second) >> square, (first >> square) + (second >> square))


@given(st.data())
def test_CIRC_eqs(data):
    """The equations of the presentation, both sides equal as polynomials and with equal R."""
    carrier = data.draw(carriers)
    x = cl.Space((), carrier)
    one = cl.identity(x)
    add, mul = cl.add(x), cl.trace((x, x), lambda v, w: v * w)
    copy, drop, flip = cl.copy(x), cl.discard(x), cl.swap(x, x)
    zero, unit = cl.zero((), x), cl.trace((), lambda: cl.functions.constant(x, 1))
    middle = one @ flip @ one
    equations = {
        "add.assoc": ((add @ one) >> add, (one @ add) >> add),
        "add.unit": ((zero @ one) >> add, one),
        "add.comm": (flip >> add, add),
        "mul.assoc": ((mul @ one) >> mul, (one @ mul) >> mul),
        "mul.unit": ((unit @ one) >> mul, one),
        "mul.comm": (flip >> mul, mul),
        "add.copy": (add >> copy, (copy @ copy) >> middle >> (add @ add)),
        "mul.copy": (mul >> copy, (copy @ copy) >> middle >> (mul @ mul)),
        "mul.discard": (mul >> drop, drop @ drop),
        "distrib": ((one @ add) >> mul, (copy @ one @ one) >> middle >> (mul @ mul) >> add),
        "annihil": ((one @ zero) >> mul, drop >> zero),
    }
    for name, (left, right) in equations.items():
        assert same(left, right), name
        assert same(cl.reverse_derivative(left), cl.reverse_derivative(right)), name


def test_equality_is_by_the_cartesian_laws_alone():
    """x + x and 2 x are different diagrams, and so are x and x * x over Z2 (CIRC.polynotfun)."""
    bit, number = cl.Space((), cl.Z2), cl.Space((), cl.INTEGERS)
    assert cl.trace(bit, lambda x: x * x) != cl.identity(bit)
    assert cl.trace(number, lambda x: x + x) != cl.trace(number, lambda x: 2 * x)
    left = cl.trace((number, number), lambda x, y: (x * y, x + y))
    right = cl.trace((number, number), lambda x, y: tuple(reversed((x + y, x * y))))
    assert left == right
    assert hash(left) == hash(right)


@given(st.one_of(bit_circuits(), smooth_diagrams(gates=4), circuits(cl.Modular(5))))
def test_repr_evaluates_back(f):
    from catlearn.frozen import Frozen
    from catlearn.generators import arithmetic, contraction, elementwise, indexing

    names = {**vars(cl), **vars(cl.semirings), "Frozen": Frozen, "np": np}
    for module in (arithmetic, contraction, elementwise, indexing):
        names.update({name: getattr(module, name) for name in module.__all__})
    back = eval(repr(f), names)
    assert back == f
    assert repr(back) == repr(f)


@given(circuits(cl.INTEGERS), st.data())
def test_running_is_a_functor(f, data):
    values = [data.draw(st.integers(-5, 5)) for _ in f.dom]
    g = data.draw(circuits(cl.INTEGERS, len(f.cod)))
    run = Exact()

    def call(diagram, *arguments):
        result = run(diagram)(*arguments)
        return result if isinstance(result, tuple) else (result,)

    assert call(f >> g, *values) == call(g, *call(f, *values))
    assert call(f @ g, *values, *([2] * len(g.dom))) == call(f, *values) + call(g, *([2] * len(g.dom)))


def test_results_are_bare_a_tuple_or_empty():
    bit = cl.Space((), cl.Z2)
    assert int(cl.identity(bit)(1)) == 1
    assert tuple(map(int, cl.copy(bit)(1))) == (1, 1)
    assert cl.discard(bit)(1) == ()
    assert cl.identity(bit)(True).dtype == np.uint8


def test_nodes_are_shared_and_dropped():
    number = cl.Space((), cl.INTEGERS)
    f = cl.trace((number, number), lambda x, y: ((x * y) + (x * y), x * y))
    assert [generator.name for generator, _, _ in f.nodes] == ["multiply", "add"]
    unused = cl.trace(number, lambda x: (x * x, x)[1])
    assert unused.nodes == []


def test_ignoring_inputs():
    number = cl.Space((), cl.INTEGERS)
    f = cl.trace((number, number, number), lambda x, y, z: z * x)
    assert f.ignoring([1]) == cl.trace((number, number), lambda x, z: z * x)
    with pytest.raises(CompositionError, match="cannot be left out: multiply reads it"):
        f.ignoring([0])


@pytest.mark.parametrize("nest", ["left", "right"])
def test_long_chains_need_no_recursion(nest):
    number = cl.Space((), cl.INTEGERS)
    step = cl.trace(number, lambda x: x + 1)
    chain = step
    for _ in range(4999):
        chain = chain >> step if nest == "left" else step >> chain
    assert len(chain.nodes) == 5001  # one constant, shared
    assert int(Exact()(chain)(0)) == 5000
    assert len(cl.reverse_derivative(chain).nodes) == 0


def test_permute():
    spaces = [(cl.Space(k, cl.REAL),) * k for k in range(4)]
    shuffled = permute(spaces, [3, 1, 0, 2])
    assert shuffled.cod == spaces[3] + spaces[1] + spaces[0] + spaces[2]
    assert shuffled >> permute([spaces[3], spaces[1], spaces[0], spaces[2]], [2, 1, 3, 0]) == cl.identity(shuffled.dom)


def test_wiring_out_of_range():
    with pytest.raises(CompositionError, match="inputs 0 to 2 of 2"):
        cl.wiring((cl.Space((), cl.REAL),) * 2, [0, 2])


def test_composition_error_names_both_objects_and_the_first_wire():
    f = cl.identity((cl.Space(2, cl.REAL), cl.Space(3, cl.REAL)))
    g = cl.identity((cl.Space(2, cl.REAL), cl.Space(3, cl.Z2)))
    with pytest.raises(CompositionError) as caught:
        f >> g
    text = str(caught.value)
    assert "(Space((2,), REAL), Space((3,), REAL))" in text
    assert "(Space((2,), REAL), Space((3,), Z2))" in text
    assert "wire 1 is Space((3,), REAL) on one side and Space((3,), Z2) on the other" in text
    with pytest.raises(CompositionError, match="1 wires on one side and 2 on the other"):
        cl.discard(f.dom) @ cl.identity(f.dom[:1]) >> f


def test_a_constructed_diagram_is_checked():
    bit = cl.Space((), cl.Z2)
    from catlearn.generators.arithmetic import Add

    with pytest.raises(CompositionError, match="inputs of add do not fit"):
        cl.Diagram((bit,), [(Add(bit), (0,))])
    with pytest.raises(OperationError, match="an object is a tuple of spaces"):
        cl.identity([1])


def test_builder_spaces():
    bit = cl.Space((), cl.Z2)
    from catlearn.generators.arithmetic import Add

    builder = Builder((bit, bit))
    first = builder.apply(Add(bit), (0, 1))
    assert builder.apply(Add(bit), (0, 1)) == first == (2,)
    assert builder.apply(Add(bit), (1, 0)) == (3,)
    assert builder.spaces == [bit] * 4


@pytest.mark.parametrize("wires", [(-1, 0), (0, 2)])
def test_wires_that_are_not_there_are_refused(wires):
    x = cl.Space((), cl.INTEGERS)
    node = cl.functions.add(x).nodes[0][0]
    with pytest.raises(CompositionError, match=r"add reads the wires .*, and before it there are 2"):
        cl.Diagram((x, x), [(node, wires)], [2])
    with pytest.raises(CompositionError, match="an output reads the wires"):
        cl.Diagram((x, x), [(node, (0, 1))], [3])


@pytest.mark.parametrize("axis", [-1, 1])
def test_an_axis_that_is_not_there_is_refused(axis):
    from catlearn.generators.indexing import Gather, Slice, positions

    with pytest.raises(OperationError, match=f"there is no axis {axis}"):
        Gather(cl.Space(3, cl.REAL), axis, positions([0]))
    with pytest.raises(OperationError, match=f"there is no axis {axis}"):
        Slice(cl.Space(3, cl.REAL), axis, 0, 1)
