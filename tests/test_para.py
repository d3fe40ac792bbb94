"""Para: PARA.*, over diagrams and over lenses, and the names of parameters."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import RINGS, SEMIRINGS, circuits, same
from test_lens import equal, lenses

import catlearn as cl
from catlearn import layers
from catlearn.diagram import permute
from catlearn.errors import CompositionError, DataError, UnknownNameError
from catlearn.lens import Lens, Sides
from catlearn.para import Para, parametrised

carriers = st.sampled_from(SEMIRINGS)


@st.composite
def paras(draw, carrier, dom, cod, parameters=None):
    """A parametrised diagram dom -> cod with 0 to 2 parameters."""
    p = draw(st.integers(0, 2)) if parameters is None else parameters
    f = draw(circuits(carrier, p + dom, cod, gates=3))
    return Para(f.dom[:p], f.dom[p:], f)


@st.composite
def para_chains(draw, length):
    carrier = draw(carriers)
    sizes = [draw(st.integers(0, 2)) for _ in range(length + 1)]
    return [draw(paras(carrier, n, m)) for n, m in itertools.pairwise(sizes)]


@given(para_chains(3))
def test_PARA_assoc_and_PARA_unit(parts):
    f, g, h = parts
    assert (f >> g) >> h == f >> (g >> h)
    one = Para.of(cl.identity(f.dom))
    assert one >> f == f == f >> Para.of(cl.identity(f.cod))


@given(para_chains(2))
def test_PARA_comp(parts):
    f, g = parts
    composite = f >> g
    assert composite.parameter == g.parameter + f.parameter
    assert composite.morphism == (cl.identity(g.parameter) @ f.morphism) >> g.morphism


@given(para_chains(1), para_chains(1))
def test_PARA_tensor(first, second):
    (f,), (h,) = first, second
    both = f @ h
    exchanged = permute([f.parameter, h.parameter, f.dom, h.dom], [0, 2, 1, 3])
    assert both.morphism == exchanged >> (f.morphism @ h.morphism)
    assert both.parameter == f.parameter + h.parameter


@given(para_chains(2), para_chains(2))
def test_PARA_interchange_needs_the_permutation(first, second):
    (f, g), (h, k) = first, second
    left, right = (f @ h) >> (g @ k), (f >> g) @ (h >> k)
    m = permute([g.parameter, k.parameter, f.parameter, h.parameter], [0, 2, 1, 3])
    assert left == right.reparametrise(m)


def test_PARA_interchange_fails_without_the_permutation():
    x = cl.Space((), cl.INTEGERS)
    f = parametrised("f", {"p": x}, x, lambda p, a: p * a)
    g = parametrised("g", {"q": x}, x, lambda q, a: q + a)
    assert (f @ f) >> (g @ g) != (f >> g) @ (f >> g)


@given(para_chains(2), st.data())
def test_PARA_reparam(parts, data):
    f, g = parts
    carrier = _carrier(f, g)
    if carrier is None:
        return
    alpha = data.draw(circuits(carrier, None, len(f.parameter), gates=2))
    beta = data.draw(circuits(carrier, None, len(g.parameter), gates=2))
    gamma = data.draw(circuits(carrier, None, len(alpha.dom), gates=2))
    assert f.reparametrise(cl.identity(f.parameter)) == f
    assert f.reparametrise(alpha).reparametrise(gamma) == f.reparametrise(gamma >> alpha)
    assert f.reparametrise(alpha) >> g.reparametrise(beta) == (f >> g).reparametrise(beta @ alpha)
    assert f.reparametrise(alpha) @ g.reparametrise(beta) == (f @ g).reparametrise(alpha @ beta)


def _carrier(*parts):
    spaces = [space for part in parts for space in (*part.morphism.dom, *part.morphism.cod)]
    return spaces[0].carrier if spaces else None


@given(st.data())
def test_PARA_plens(data):
    """The composite put in Para of lenses, step by step (random lenses, not those of R)."""
    carrier = data.draw(carriers)
    p, q, a, b, c = (data.draw(st.integers(0, 1)) for _ in range(5))
    f = data.draw(lenses(carrier, (p + a, p + a), (b, b)))
    g = data.draw(lenses(carrier, (q + b, q + b), (c, c)))
    x = cl.Space((), carrier)
    first = Para(Sides.of((x,) * p), Sides.of((x,) * a), f)
    second = Para(Sides.of((x,) * q), Sides.of((x,) * b), g)

    def put(*wires):
        qs, ps, xs, cs = wires[:q], wires[q : q + p], wires[q + p : q + p + a], wires[q + p + a :]
        mid = _several(f.get, ps + xs)
        back = _several(g.put, qs + mid + cs)
        return [*back[:q], *_several(f.put, ps + xs + back[q:])]

    assert (first >> second).morphism.put == cl.trace((x,) * (q + p + a + c), put)


def _several(diagram, wires):
    if not diagram.dom:
        return tuple(_apply_closed(diagram))
    result = diagram(*wires)
    return result if isinstance(result, tuple) else (result,)


def _apply_closed(diagram):
    result = diagram()
    return result if isinstance(result, tuple) else (result,)


@given(para_chains(2), st.data())
def test_PARA_R(parts, data):
    f, g = parts
    whole, apart = (f >> g).lens(), f.lens() >> g.lens()
    assert equal(whole.morphism, apart.morphism)
    assert whole.parameter == apart.parameter
    identity = Para.of(cl.identity(f.dom))
    assert identity.lens().morphism == Lens.identity(f.dom)
    carrier = _carrier(f, g)
    if carrier is not None:
        alpha = data.draw(circuits(carrier, None, len(f.parameter), gates=2))
        left, right = f.reparametrise(alpha).lens(), f.lens().reparametrise(Lens.of(alpha))
        assert equal(left.morphism, right.morphism)


@given(st.data())
def test_PARA_tie_sums_the_cotangents(data):
    carrier = data.draw(st.sampled_from(RINGS))
    f = data.draw(paras(carrier, 1, 1, parameters=1))
    tied = (f @ f).reparametrise(cl.copy(f.parameter))
    back = cl.reverse_derivative(f.morphism)
    x = cl.Space((), carrier)

    def expected(p, a, b, d, e):
        first, second = back(p, a, d), back(p, b, e)
        return first[0] + second[0], first[1], second[1]

    assert same(cl.reverse_derivative(tied.morphism), cl.trace((x,) * 5, expected))


@given(st.data(), st.integers(0, 3))
def test_PARA_tie_a_batch_is_copies_with_one_parameter(data, size):
    """f^(n) = (f x ... x f) after copying P, read off the stacked arrays; its parameter cotangent is the sum."""
    from catlearn import functions as F

    carrier = data.draw(st.sampled_from(RINGS))
    f = data.draw(paras(carrier, 1, 1, parameters=1))
    many = f.batch(size)
    x = cl.Space((), carrier)

    def copies(p, a):
        if not size:
            return F.zeros(cl.Space(0, carrier))
        return F.concatenate([F.reshape(f.morphism(p, a[k]), (1,)) for k in range(size)])

    explicit = cl.trace((x, cl.Space(size, carrier)), copies)
    assert same(many.morphism, explicit)
    assert same(cl.reverse_derivative(many.morphism), cl.reverse_derivative(explicit))


def test_PARA_eta_and_PARA_discard():
    from catlearn.learner import discard_change, eta

    x = cl.Space((), cl.INTEGERS)
    f = parametrised("f", {"p": x}, x, lambda p, a: p * a).lens()
    opened = eta((x,)) >> f
    assert opened.dom == Sides((), ())
    assert opened.parameter == Sides((x, x), (x, x))
    assert opened.morphism == f.morphism
    thrown = discard_change((x,))
    assert thrown.dom == Sides((x,), ())
    assert thrown.put(4, 7) == ()


# Names


def test_PARA_names_do_not_depend_on_nesting():
    def layer():
        return layers.dense(2, 2, "tanh")

    a, b, c, d = (layer() for _ in range(4))
    names = (((a >> b) >> c) >> d).names
    assert names == (a >> (b >> (c >> d))).names == ((a >> b) >> (c >> d)).names
    assert names[:2] == ("dense_3.bias", "dense_3.weight")
    assert names[-2:] == ("dense_0.bias", "dense_0.weight")
    beside = ((a @ b) >> (c @ d)).names
    assert beside[:4] == ("dense_2.bias", "dense_2.weight", "dense_3.bias", "dense_3.weight")
    assert (a >> a).names == (a >> b).names


def test_names_of_groups():
    inner = layers.dense(2, 2) >> layers.linear(2, 2)
    assert inner.named("block").names == ("block_0.linear_0.weight", "block_0.bias", "block_0.dense_0.weight")


def test_tying_keeps_the_first_name_and_shares_the_value():
    model = layers.linear(2, 2) >> layers.linear(2, 2)
    tied = model.tie(["linear_1.weight", "linear_0.weight"])
    assert tied.names == ("linear_0.weight",)
    weight = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(tied.morphism(weight, [1.0, 1.0]), np.ones(2) @ weight @ weight)
    with pytest.raises(UnknownNameError, match=r"no parameter is called 'linear_2.weight': did you mean 'linear_"):
        model.tie(["linear_2.weight", "linear_0.weight"])
    wide = layers.linear(2, 3) >> layers.linear(3, 2)
    with pytest.raises(CompositionError, match="cannot tie"):
        wide.tie(["linear_1.weight", "linear_0.weight"])


def test_freezing():
    model = layers.dense(2, 2) >> layers.dense(2, 2)
    some = model.freeze("dense_0.weight")
    assert [p.role for p in some.parameters] == ["parameter", "parameter", "parameter", "frozen"]
    assert {p.role for p in model.freeze().parameters} == {"frozen"}
    with pytest.raises(UnknownNameError, match=r"did you mean 'dense_0\.weight'"):
        model.freeze("dense_0.weigth")


def test_tree_and_leaves():
    model = layers.dense(2, 3) >> layers.dense(3, 1)
    values = model.initial(3)
    tree = model.tree(values)
    assert list(tree) == ["dense_0", "dense_1"]
    assert tree["dense_0"]["weight"].shape == (2, 3)
    assert all(a is b for a, b in zip(model.leaves(tree), values, strict=True))
    wrong = {**tree, "dense_1": {**tree["dense_1"], "weight": np.zeros((1, 3))}}
    with pytest.raises(DataError, match=r"dense_1.weight has shape \(3, 1\); got shape \(1, 3\)"):
        model.leaves(wrong)


def test_composition_errors():
    with pytest.raises(CompositionError, match=r"Space\(\(3,\), REAL\) on one side and Space\(\(4,\), REAL\)"):
        layers.dense(2, 3) >> layers.dense(4, 1)
    x = cl.Space((), cl.REAL)
    with pytest.raises(CompositionError, match="needs the domain"):
        Para((x,), (x,), cl.identity(x))
    with pytest.raises(CompositionError, match="got a parametrised lens"):
        layers.dense(2, 3).lens().batch(3)
