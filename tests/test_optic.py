"""Optics: composition, the lens that they are, residuals of several sizes, and what is refused."""

import pytest

import catlearn as cl
from catlearn.errors import CompositionError
from catlearn.functors.exact import Exact
from catlearn.lens import Sides
from catlearn.optic import Optic

x = cl.Space((), cl.INTEGERS)
X = (x,)
square = cl.trace(x, lambda a: a * a)
product = cl.trace((x, x), lambda a, b: a * b)


def test_OPTIC_iso_keeps_what_a_lens_computes():
    lens = cl.Lens.of(product)
    optic = Optic.of(lens)
    assert optic.residual == X + X
    assert optic.lens() == lens
    assert (optic.dom, optic.cod) == (lens.dom, lens.cod)
    assert [int(v) for v in Exact()(optic.lens().put)(3, 5, 7)] == [35, 21]


def test_OPTIC_def_residuals_add_up():
    whole = Optic.of(cl.Lens.of(square)) >> Optic.of(cl.Lens.of(square))
    assert whole.residual == X + X
    run = Exact()
    kept, again, value = run(whole.forward)(3)
    assert (int(kept), int(again), int(value)) == (3, 9, 81)
    assert int(run(whole.backward)(3, 9, 1)) == 108
    assert whole.lens() == cl.Lens.of(square >> square)


def test_a_linear_map_needs_no_residual():
    """The residual never changes the lens: doubling with and without one."""
    double = cl.trace(x, lambda a: a + a)
    bare = Optic((), double, double)
    assert bare.lens() == Optic.of(cl.Lens.of(double)).lens()
    assert (bare >> bare).residual == ()
    assert (bare @ Optic.of(cl.Lens.of(square))).lens() == cl.Lens.of(double @ square)


def test_OPTIC_slide():
    forward = cl.copy(x) >> (cl.identity(x) @ square)
    halves = cl.trace((x, x), lambda m, d: m * d)
    one, two = Optic(X, forward, (square @ cl.identity(x)) >> halves).slide(square, halves)
    assert (one.residual, two.residual) == (X, X)
    assert one != two
    assert one.lens() == two.lens()


def test_what_is_refused():
    bit = cl.Space((), cl.Z2)
    with pytest.raises(CompositionError, match="residual"):
        Optic((bit,), cl.copy(x), product)
    with pytest.raises(CompositionError, match="cannot compose optics"):
        Optic.of(cl.Lens.of(product)) >> Optic.of(cl.Lens.of(product))
    with pytest.raises(TypeError):
        Optic.of(cl.Lens.of(square)) >> square
    assert Optic.of(cl.Lens.identity()).cod == Sides((), ())
