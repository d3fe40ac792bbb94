"""R and D: the laws RD.1 to RD.7 and CD.1 to CD.7, the formal derivative, jax.vjp and jax.jvp."""

import jax
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    RINGS,
    SEMIRINGS,
    bit_circuits,
    circuits,
    formal_forward,
    formal_reverse,
    random_arrays,
    same,
    smooth_diagrams,
)

import catlearn as cl
from catlearn.diagram import permute
from catlearn.errors import OperationError
from catlearn.functors import Jax
from catlearn.functors.symbolic import polynomials
from catlearn.space import changes

R, D = cl.reverse_derivative, cl.forward_derivative
semirings = st.sampled_from(SEMIRINGS)
rings = st.sampled_from(RINGS)


def scalars(carrier, count):
    return (cl.Space((), carrier),) * count


@st.composite
def pairs(draw, parallel=False):
    """f : A -> B and g : B -> C (or A -> B) over one semiring."""
    carrier = draw(semirings)
    a, b, c = (draw(st.integers(0, 2)) for _ in range(3))
    f = draw(circuits(carrier, a, b, gates=4))
    g = draw(circuits(carrier, a if parallel else b, b if parallel else c, gates=4))
    return carrier, f, g


# The formal derivative, exactly


@given(st.data())
def test_R_and_R_of_R_are_the_formal_derivative(data):
    f = data.draw(circuits(data.draw(rings)))
    assert R(f).dom == f.dom + f.cod
    assert R(f).cod == f.dom
    assert polynomials(R(f)) == formal_reverse(f)
    assert polynomials(R(R(f))) == formal_reverse(R(f))
    assert polynomials(D(f)) == formal_forward(f)


@given(bit_circuits())
def test_values_are_not_changes(f):
    """R, R of R, R of R of R and D of diagrams of bits type, and equal formal derivatives over Z (section 26)."""
    first = R(f)
    second = R(first)
    third = R(second)
    forward = D(f)
    assert (first.dom, first.cod) == (f.dom + changes(f.cod), changes(f.dom))
    assert (second.dom, second.cod) == (first.dom + changes(first.cod), changes(first.dom))
    assert (third.dom, third.cod) == (second.dom + changes(second.cod), changes(second.dom))
    assert (forward.dom, forward.cod) == (f.dom + changes(f.dom), changes(f.cod))
    assert polynomials(first) == formal_reverse(f)
    assert polynomials(second) == formal_reverse(first)
    assert polynomials(third) == formal_reverse(second)
    assert polynomials(forward) == formal_forward(f)


@given(bit_circuits(), st.data())
def test_bits_at_all_points(f, data):
    """The numbers that R and R of R give at all 0/1 points are those of the formal derivative's polynomials."""
    from catlearn.functors import Exact

    for diagram, expected in ((R(f), formal_reverse(f)), (R(R(f)), formal_reverse(R(f))), (D(f), formal_forward(f))):
        bits = [k for k, space in enumerate(diagram.dom) if space.carrier == cl.BITS]
        for point in range(2 ** len(bits)):
            values = [data.draw(st.integers(-3, 3)) for _ in diagram.dom]
            for position, k in enumerate(bits):
                values[k] = point >> position & 1
            got = Exact()(diagram)(*values)
            got = got if isinstance(got, tuple) else (got,)
            names = {f"x{k}": value for k, value in enumerate(values)}
            assert [int(v) for v in got] == [p.at(names) for p in expected]


def test_formal_derivative_agrees_with_sympy():
    """The polynomials' own derivative, which the tests above rest on, against SymPy's."""
    number = cl.Space((), cl.INTEGERS)
    f = cl.trace((number, number), lambda x, y: (x * x * y + 3 * x - y * y * y * x) * (x + y))
    x, y = sympy.symbols("x0 x1")
    expression = (x**2 * y + 3 * x - y**3 * x) * (x + y)
    (ours,) = polynomials(f)
    for k, symbol in enumerate((x, y)):
        expected = sympy.Poly(sympy.diff(expression, symbol), x, y).as_dict()
        got = {tuple(dict(m).get(f"x{i}", 0) for i in range(2)): c for m, c in ours.derivative(f"x{k}").terms.items()}
        assert got == expected


# RD.1 to RD.7


@given(pairs(parallel=True))
def test_RD_1(drawn):
    _, f, g = drawn
    assert same(R(f + g), R(f) + R(g))
    nothing = cl.zero(f.dom, f.cod)
    assert same(R(nothing), cl.zero(f.dom + f.cod, f.dom))


@given(pairs(), st.data())
def test_RD_2(drawn, data):
    carrier, f, _ = drawn
    x = data.draw(st.integers(0, 2))
    a = data.draw(circuits(carrier, x, len(f.dom), gates=3))
    b, c = (data.draw(circuits(carrier, x, len(f.cod), gates=3)) for _ in range(2))

    def pairing(left, right):
        return cl.copy(left.dom) >> (left @ right)

    assert same(pairing(a, b + c) >> R(f), (pairing(a, b) >> R(f)) + (pairing(a, c) >> R(f)))
    assert same(pairing(a, cl.zero(a.dom, f.cod)) >> R(f), cl.zero(a.dom, f.dom))


@given(semirings, st.integers(0, 2), st.integers(0, 2))
def test_RD_3(carrier, n, m):
    a, b = scalars(carrier, n), scalars(carrier, m)
    assert R(cl.identity(a)) == cl.discard(a) @ cl.identity(a)
    first = cl.identity(a) @ cl.discard(b)
    assert same(R(first), cl.discard(a + b) @ cl.identity(a) @ cl.zero((), b))
    second = cl.discard(a) @ cl.identity(b)
    assert same(R(second), cl.discard(a + b) @ cl.zero((), a) @ cl.identity(b))


@given(pairs(), st.data())
def test_RD_4(drawn, data):
    carrier, f, _ = drawn
    g = data.draw(circuits(carrier, len(f.dom), None, gates=3))
    left = cl.identity(f.dom + f.cod) @ cl.discard(g.cod) >> R(f)
    right = permute([f.dom, f.cod, g.cod], [0, 2, 1]) >> (cl.identity(f.dom + g.cod) @ cl.discard(f.cod)) >> R(g)
    assert same(R(cl.copy(f.dom) >> (f @ g)), left + right)
    assert same(R(cl.discard(f.dom)), cl.zero(f.dom, f.dom))


@given(pairs())
def test_RD_5(drawn):
    _, f, g = drawn
    chained = (
        (cl.copy(f.dom) @ cl.identity(g.cod))
        >> (cl.identity(f.dom) @ f @ cl.identity(g.cod))
        >> (cl.identity(f.dom) @ R(g))
        >> R(f)
    )
    assert same(R(f >> g), chained)
    assert R(f >> g).dom == f.dom + g.cod


@given(st.data())
def test_RD_6_in_its_type_checked_form(data):
    """(1 x pi0, 0 x pi1) ; (iota0 x 1) ; R R R f ; pi1  =  (1 x pi1) ; R f."""
    f = data.draw(circuits(data.draw(semirings), gates=3))
    a, b = f.dom, f.cod
    n, m = len(a), len(b)
    spread = permute([a, b, b], [0, 1, 2]) >> (cl.identity(a + b) @ cl.zero((), a) @ cl.zero((), a) @ cl.identity(b))
    left = (spread >> R(R(R(f)))).select(range(n + m, n + m + n))
    right = (cl.identity(a) @ cl.discard(b) @ cl.identity(b)) >> R(f)
    assert same(left, right)
    short = (cl.identity(a + b) @ cl.zero((), a) @ cl.identity(b)) >> D(R(f))
    assert same(short, right)


@given(st.data())
def test_RD_7_and_CD_7(data):
    f = data.draw(circuits(data.draw(semirings), gates=4))
    a = f.dom
    assert same(D(D(f)), permute([a, a, a, a], [0, 2, 1, 3]) >> D(D(f)))


@given(pairs())
def test_RD_tensor(drawn):
    _, f, g = drawn
    exchanged = permute([f.dom, g.dom, f.cod, g.cod], [0, 2, 1, 3])
    assert same(R(f @ g), exchanged >> (R(f) @ R(g)))


@given(semirings, st.integers(0, 2))
def test_RD_struct(carrier, n):
    a = scalars(carrier, n)
    assert R(cl.copy(a)) == cl.discard(a) @ cl.add(a)
    assert R(cl.add(a)) == cl.discard(a + a) @ cl.copy(a)
    assert R(cl.swap(a, a)) == cl.discard(a + a) @ cl.swap(a, a)
    assert R(cl.zero((), a)) == cl.discard(a)


@given(st.data())
def test_RD_partial(data):
    f = data.draw(circuits(data.draw(rings), 2, 1))
    (by_first,) = polynomials(R(f).select([0]))
    assert by_first == formal_reverse(f)[0]


# CD.1 to CD.6 and the dagger


@given(pairs(parallel=True))
def test_CD_1_and_CD_4(drawn):
    _, f, g = drawn
    assert same(D(f + g), D(f) + D(g))
    assert same(D(cl.zero(f.dom, f.cod)), cl.zero(f.dom + f.dom, f.cod))
    paired = cl.copy(f.dom) >> (f @ g)
    assert same(D(paired), cl.copy(f.dom + f.dom) >> (D(f) @ D(g)))


@given(pairs())
def test_CD_2(drawn):
    _, f, _ = drawn
    a = f.dom
    added = (cl.identity(a) @ cl.add(a)) >> D(f)
    first = (cl.identity(a + a) @ cl.discard(a)) >> D(f)
    second = (cl.identity(a) @ cl.discard(a) @ cl.identity(a)) >> D(f)
    assert same(added, first + second)
    assert same((cl.identity(a) @ cl.zero((), a)) >> D(f), cl.zero(a, f.cod))


@given(semirings, st.integers(0, 2), st.integers(0, 2))
def test_CD_3(carrier, n, m):
    a, b = scalars(carrier, n), scalars(carrier, m)
    assert D(cl.identity(a)) == cl.discard(a) @ cl.identity(a)
    first = cl.identity(a) @ cl.discard(b)
    assert D(first) == cl.discard(a + b) @ first
    second = cl.discard(a) @ cl.identity(b)
    assert D(second) == cl.discard(a + b) @ second


@given(pairs())
def test_CD_5(drawn):
    _, f, g = drawn
    moved = cl.copy(f.dom + f.dom) >> ((f @ cl.discard(f.dom)) @ D(f))
    assert same(D(f >> g), moved >> D(g))


@given(st.data())
def test_CD_6(data):
    f = data.draw(circuits(data.draw(semirings), gates=4))
    a = f.dom
    left = (cl.identity(a + a) @ cl.zero((), a) @ cl.identity(a)) >> D(D(f))
    assert same(left, (cl.identity(a) @ cl.discard(a) @ cl.identity(a)) >> D(f))


def linear_map(data, carrier, n, m):
    """A linear map n -> m: a matrix of constants."""
    import hypothesis.extra.numpy as arrays
    from strategies import elements

    from catlearn import functions as F

    matrix = data.draw(arrays.arrays(np.int64, (n, m), elements=elements(carrier)))

    def apply(*wires):
        outputs = []
        for j in range(m):
            total = F.constant(cl.Space((), carrier), carrier.zero)
            for i in range(n):
                total = total + F.constant(cl.Space((), carrier), int(matrix[i, j])) * wires[i]
            outputs.append(total)
        return outputs

    return cl.trace(scalars(carrier, n), apply)


@given(st.data())
def test_DAG_linear(data):
    """On linear maps the dagger reverses composition, is involutive and additive, and R[f] = pi1 ; f dagger."""
    carrier = data.draw(semirings)
    n, m, k = (data.draw(st.integers(0, 2)) for _ in range(3))
    f, f2, g = linear_map(data, carrier, n, m), linear_map(data, carrier, n, m), linear_map(data, carrier, m, k)
    assert same(D(f), cl.discard(f.dom) @ f)
    assert same(cl.dagger(f >> g), cl.dagger(g) >> cl.dagger(f))
    assert same(cl.dagger(cl.dagger(f)), f)
    assert same(cl.dagger(f + f2), cl.dagger(f) + cl.dagger(f2))
    assert same(R(f), cl.discard(f.dom) @ cl.dagger(f))
    assert same(cl.dagger(cl.identity(f.dom)), cl.identity(f.dom))


@given(st.data())
def test_DAG_char_and_DAG_context(data):
    carrier = data.draw(rings)
    f = data.draw(circuits(carrier))
    n = len(f.dom)
    assert same(cl.dagger(cl.dagger(f)), (cl.zero((), f.dom) @ cl.identity(f.dom)) >> D(f))
    assert same(R(f), cl.contextual_dagger(D(f), n))
    assert same(D(f), cl.contextual_dagger(R(f), n))


def test_DAG_affine_and_DAG_frobenius():
    number, bit = cl.Space((), cl.INTEGERS), cl.Space((), cl.Z2)
    shift = cl.trace(number, lambda x: x + 1)
    assert same(R(shift), cl.discard(number) @ cl.dagger(shift))
    assert not same(D(shift), cl.discard(number) @ shift)
    square = cl.trace(bit, lambda x: x * x)
    assert same(R(square), cl.zero((bit, bit), bit))
    assert not same(cl.dagger(cl.dagger(square)), square)


def test_a_dagger_of_bits_is_refused():
    with pytest.raises(
        OperationError, match=r"their own changes; Space\(\(\), BITS\) changes by Space\(\(\), INTEGERS\)"
    ):
        cl.dagger(cl.identity(cl.Space((), cl.BITS)))


# Smooth maps


@given(smooth_diagrams(), st.data())
def test_R_and_D_against_jax(f, data):
    run = Jax("float64")
    points = random_arrays(data.draw, f.dom)
    cotangents, tangents = random_arrays(data.draw, f.cod), random_arrays(data.draw, f.dom)
    with jax.enable_x64(True):
        function = run(f)

        def outputs(*xs):
            result = function(*xs)
            return result if isinstance(result, tuple) else (result,)

        expected, pull = jax.vjp(outputs, *points)
        close(run(R(f))(*points, *cotangents), pull(tuple(map(jax.numpy.asarray, cotangents))))
        pushed = (
            jax.jvp(outputs, tuple(points), tuple(tangents))[1] if points else [np.zeros(e.shape) for e in expected]
        )
        close(run(D(f))(*points, *tangents), pushed)


@given(smooth_diagrams(gates=4), st.data())
def test_R_of_R_against_nested_vjp(f, data):
    run = Jax("float64")
    with jax.enable_x64(True):
        first = run(R(f))

        def outputs(*xs):
            result = first(*xs)
            return result if isinstance(result, tuple) else (result,)

        points = random_arrays(data.draw, R(f).dom)
        cotangents = random_arrays(data.draw, R(f).cod)
        _, pull = jax.vjp(outputs, *points)
        close(run(R(R(f)))(*points, *cotangents), pull(tuple(map(jax.numpy.asarray, cotangents))))


def close(ours, theirs):
    ours = ours if isinstance(ours, tuple) else (ours,)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(mine), np.asarray(other), rtol=1e-9, atol=1e-9)


def test_INST_smooth_worked_value():
    """f(x1, x2) = (x1^3 + 2 x1 x2, x2, sin x1): R[f](x, v) = (v1 (3 x1^2 + 2 x2) + v3 cos x1, 2 x1 v1 + v2)."""
    from catlearn import functions as F

    real = cl.Space((), cl.REAL)
    f = cl.trace((real, real), lambda x, y: (x**3 + 2.0 * x * y, y, F.sin(x)))
    x, y, u, v, w = 0.7, -1.3, 0.4, 2.1, -0.6
    got = Jax("float64")(R(f))(x, y, u, v, w)
    np.testing.assert_allclose(got, (u * (3 * x * x + 2 * y) + w * np.cos(x), 2 * x * u + v), rtol=1e-12)


# Sharing


def test_LENS_share_two_clips_keep_both_reverses():
    x = cl.Space((), cl.REAL)
    clip = cl.clip_change(x, 1.0)
    twice = cl.copy(x) >> (clip @ clip)
    assert float(R(twice)(0.3, 0.8, 0.8)) == pytest.approx(1.6)
    assert float(R(twice)(0.3, 2.0, -0.25)) == pytest.approx(0.75)
    once = clip >> cl.copy(x)
    assert float(R(once)(0.3, 0.8, 0.8)) == pytest.approx(1.0)
    traced = cl.trace(x, lambda z: (clip(z), clip(z)))
    assert float(R(traced)(0.3, 0.8, 0.8)) == pytest.approx(1.6)


def test_LENS_share_a_reverse_that_is_not_zero_at_zero_always_runs():
    """put(a, d) = d + 1: unused outputs and zero cotangents still send one back."""
    x = cl.Space((), cl.REAL)
    nudge = cl.surrogate("nudge", cl.identity(x), cl.trace((x, x), lambda value, change: change + 1.0))
    unused = cl.trace(x, lambda z: (nudge(z), z)[1])
    assert float(R(unused)(0.0, 5.0)) == 6.0
    many = cl.trace(x, lambda z: nudge(nudge(z) + nudge(z)))
    assert float(R(many)(0.0, 5.0)) == 14.0
    inside = cl.batch(many, 2)
    np.testing.assert_allclose(R(inside)([0.0, 0.0], [5.0, 6.0]), [14.0, 16.0])


def test_an_additive_generator_is_shared():
    x = cl.Space((), cl.REAL)
    ste = cl.surrogate("straight", cl.trace(x, lambda v: v * v), cl.trace((x, x), lambda v, d: d), additive=True)
    assert len(cl.trace(x, lambda z: ste(z) + ste(z)).nodes) == 2
    assert float(R(ste)(3.0, 2.0)) == 2.0
    assert float(R(R(ste))(3.0, 2.0, 7.0)[1]) == 7.0


# Size


@pytest.mark.parametrize("times", [1, 2, 3])
def test_R_is_linear_in_size(times):
    x = cl.Space((3,), cl.REAL)
    layer = cl.trace(x, lambda z: z * z + z)

    def nodes(n):
        chain = layer
        for _ in range(n - 1):
            chain = chain >> layer
        for _ in range(times):
            chain = R(chain)
        return len(chain.nodes)

    counts = [nodes(n) for n in (4, 6, 8, 10)]
    assert len(set(np.diff(counts))) == 1


def test_marks_spread_and_nested_surrogates_are_plain_in_the_get():
    x = cl.Space((), cl.REAL)
    clip = cl.clip_change(x, 1.0)
    nested = cl.surrogate("outer", clip >> cl.trace(x, lambda v: v * v), cl.trace((x, x), lambda v, d: 3.0 * d))
    assert not clip.lawful
    assert cl.identity(x).lawful
    assert cl.Lens.of(nested >> clip).get == cl.trace(x, lambda v: v * v)
    assert R(nested >> clip).lawful
    assert float(R(nested >> clip)(5.0, 2.0)) == 3.0


def test_clips_inside_scan_and_map():
    """Each step and each sample clips on its own; the two uses of one clip in the body are not merged."""
    x = cl.Space((), cl.REAL)
    clip = cl.clip_change(x, 1.0)
    body = cl.trace((x, x), lambda s, a: (s + clip(a) + clip(a), s))
    scanned = cl.scan(body, 3, 0, 1)
    assert not scanned.lawful
    back = R(scanned)(0.0, [1.0, 2.0, 3.0], 0.75, [0.5, -0.25, 4.0])
    # the state's cotangent after each step is 0.75 plus the later emissions; twice its clip goes to each item
    np.testing.assert_allclose(back[1], [2.0, 2.0, 1.5])
    np.testing.assert_allclose(float(back[0]), 0.75 + 0.5 - 0.25 + 4.0)
    many = cl.batch(cl.trace(x, lambda a: clip(a) + clip(a)), 2)
    np.testing.assert_allclose(R(many)([0.0, 0.0], [0.25, 3.0]), [0.5, 2.0])
    assert float(scanned(1.0, [1.0, 2.0, 3.0])[0]) == 13.0
