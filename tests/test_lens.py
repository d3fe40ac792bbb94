"""Lenses: LENS.*, OPTIC.iso and COST.assoc, with random get and put as well as those of R."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import SEMIRINGS, circuits, same

import catlearn as cl
from catlearn.diagram import permute
from catlearn.errors import CompositionError
from catlearn.lens import Lens, Sides

carriers = st.sampled_from(SEMIRINGS)


def equal(left, right):
    """Whether two lenses have the same get and put as polynomials."""
    return same(left.get, right.get) and same(left.put, right.put)


@st.composite
def lenses(draw, carrier, dom, cod, gates=3):
    """A lens with random get and put, not in the image of R; an object is a pair of numbers of wires."""
    get = draw(circuits(carrier, dom[0], cod[0], gates=gates))
    put = draw(circuits(carrier, dom[0] + cod[1], dom[1], gates=gates))
    return Lens(get, put)


sizes = st.tuples(st.integers(0, 2), st.integers(0, 2))


@st.composite
def lens_chains(draw, length):
    carrier = draw(carriers)
    objects = [draw(sizes) for _ in range(length + 1)]
    return [draw(lenses(carrier, a, b)) for a, b in itertools.pairwise(objects)]


@given(lens_chains(3))
def test_LENS_assoc_and_LENS_unit(parts):
    f, g, h = parts
    assert (f >> g) >> h == f >> (g >> h)
    assert Lens.identity(f.dom) >> f == f == f >> Lens.identity(f.cod)


@given(lens_chains(2))
def test_LENS_comp(parts):
    """put(a, c') = f*(a, g*(f(a), c')), written out on its own."""
    f, g = parts
    a, c = f.get.dom, g.cod.backward
    put = (cl.copy(a) @ cl.identity(c)) >> (cl.identity(a) @ ((f.get @ cl.identity(c)) >> g.put)) >> f.put
    assert (f >> g).get == f.get >> g.get
    assert (f >> g).put == put


@given(lens_chains(2), lens_chains(2))
def test_LENS_tensor(first, second):
    (f, g), (h, k) = first, second
    assert (f @ h) >> (g @ k) == (f >> g) @ (h >> k)
    assert Lens.identity(f.dom) @ Lens.identity(h.dom) == Lens.identity(f.dom + h.dom)
    assert (f @ g) @ h == f @ (g @ h)
    assert Lens.identity() @ f == f == f @ Lens.identity()
    put = permute([f.get.dom, h.get.dom, f.cod.backward, h.cod.backward], [0, 2, 1, 3]) >> (f.put @ h.put)
    assert (f @ h).put == put


@given(lens_chains(1), lens_chains(1))
def test_LENS_sym(first, second):
    (f,), (g,) = first, second
    assert (f @ g) >> Lens.swap(f.cod, g.cod) == Lens.swap(f.dom, g.dom) >> (g @ f)
    assert Lens.swap(f.dom, g.dom) >> Lens.swap(g.dom, f.dom) == Lens.identity(f.dom + g.dom)


@given(st.data())
def test_LENS_R_is_a_symmetric_monoidal_functor(data):
    carrier = data.draw(carriers)
    a, b, c = (data.draw(st.integers(0, 2)) for _ in range(3))
    f, g = data.draw(circuits(carrier, a, b)), data.draw(circuits(carrier, b, c))
    assert equal(Lens.of(f >> g), Lens.of(f) >> Lens.of(g))
    assert equal(Lens.of(f @ g), Lens.of(f) @ Lens.of(g))
    assert Lens.of(cl.identity(f.dom)) == Lens.identity(f.dom)
    assert Lens.of(cl.swap(f.dom, f.cod)) == Lens.swap(Sides.of(f.dom), Sides.of(f.cod))


@given(st.data())
def test_LENS_copynat(data):
    """l ; copy = copy ; (l x l) and l ; ! = ! hold for every R-lens."""
    f = data.draw(circuits(data.draw(carriers)))
    lens, copy_a, copy_b = Lens.of(f), Lens.of(cl.copy(f.dom)), Lens.of(cl.copy(f.cod))
    assert equal(lens >> copy_b, copy_a >> (lens @ lens))
    assert equal(lens >> Lens.of(cl.discard(f.cod)), Lens.of(cl.discard(f.dom)))


def test_LENS_copynat_fails_for_a_put_that_is_not_additive():
    x = cl.Space((), cl.INTEGERS)
    nudge = Lens(cl.identity(x), cl.trace((x, x), lambda a, d: d + 1))
    copy = Lens.of(cl.copy(x))
    assert not equal(nudge >> copy, copy >> (nudge @ nudge))
    assert not equal(nudge >> Lens.of(cl.discard(x)), Lens.of(cl.discard(x)))


def test_LENS_nolaws():
    """PutGet is not imposed: (2 x, 2 d) is a lens."""
    x = cl.Space((), cl.INTEGERS)
    double = Lens.of(cl.trace(x, lambda v: v + v))
    assert int(double.get(double.put(1, 3))) == 12


@given(lens_chains(1))
def test_LENS_notcartesian(parts):
    """A lens to (1, 1) is any map A -> A'."""
    (f,) = parts
    back = f.get >> cl.discard(f.get.cod)
    assert Lens(back, cl.identity(f.get.dom)).cod == Sides((), ())


@given(st.data())
def test_OPTIC_iso(data):
    """From a lens the optic <copy ; (1 x f) | f*> with the residual A gives the lens back."""
    carrier = data.draw(carriers)
    a, b = data.draw(sizes), data.draw(sizes)
    lens = data.draw(lenses(carrier, a, b))
    left = cl.copy(lens.get.dom) >> (cl.identity(lens.get.dom) @ lens.get)
    back = (left >> (cl.identity(lens.get.dom) @ cl.discard(lens.get.cod))) @ cl.identity(lens.cod.backward)
    assert Lens(left >> (cl.discard(lens.get.dom) @ cl.identity(lens.get.cod)), back >> lens.put) == lens


@pytest.mark.parametrize("count", [1, 2, 7, 16])
def test_COST_assoc_is_paid_once(count):
    """However a composite is nested, every get is in the put once."""
    x = cl.Space((), cl.INTEGERS)
    layer = Lens.of(cl.trace(x, lambda v: v * v))

    def balanced(n):
        return layer if n == 1 else balanced(n // 2) >> balanced(n - n // 2)

    left = right = layer
    for _ in range(count - 1):
        left, right = left >> layer, layer >> right
    assert left == right == balanced(count)
    multiplications = sum(generator.name == "multiply" for generator, _, _ in left.put.nodes)
    assert multiplications == (count - 1) + count  # each get but the last, and one x d a put: R[x x] = x d + x d


def test_composition_errors():
    x, y = cl.Space((), cl.REAL), cl.Space(2, cl.REAL)
    with pytest.raises(CompositionError, match=r"the left one gives .*: \(Space\(\(\), REAL\),\) and "):
        Lens.identity(x) >> Lens.identity(y)
    mixed = Lens(cl.identity(x), cl.discard((x, y)) @ cl.zero((), x))
    with pytest.raises(CompositionError, match="the left one takes back"):
        mixed >> Lens.identity(x)
    with pytest.raises(CompositionError, match="a put starts with the get's domain"):
        Lens(cl.identity(x), cl.identity((y, x)))
