"""Windows, their overlap and convolution against loops, jax.lax and jax.vjp, over numbers, integers and other rigs."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import close, real, running

import catlearn as cl
from catlearn import functions as F
from catlearn.errors import CompositionError, OperationError
from catlearn.functors import Exact, Jax
from catlearn.functors import convolution as ways
from catlearn.generators.convolution import Convolution
from catlearn.generators.windows import Frame, Overlap, Windows, frames_of
from catlearn.rigs import BOOLEAN, MIN_PLUS, NATURALS, Saturating
from catlearn.semirings import BITS, DISCRETE, INTEGERS, REAL, TRIVIAL, Z2, Modular
from catlearn.space import Space

R = cl.reverse_derivative
FUNCTORS = [Jax(), Exact()]
FEW = settings(max_examples=5, deadline=None)
MANY = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def frames(draw, axes=(1, 3), most=5):
    """Frames of some axes, a window fitting each; some reach only into the padding."""
    result = []
    for _ in range(draw(st.integers(*axes))):
        length, kernel, dilation = draw(st.integers(1, most)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
        before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
        missing = (kernel - 1) * dilation + 1 - length - before - after
        result.append(Frame(length, kernel, draw(st.integers(1, 4)), before, after + max(missing, 0), dilation))
    return tuple(result)


def sources(frame):
    """For each window, the place on the axis that each of its entries is taken from; None in the padding."""
    ends = frame.length + frame.before + frame.after - (frame.kernel - 1) * frame.dilation
    starts = range(-frame.before, ends - frame.before, frame.stride)
    places = [[start + k * frame.dilation for k in range(frame.kernel)] for start in starts]
    return [[i if 0 <= i < frame.length else None for i in row] for row in places]


def pairs(all_frames):
    """Every (place of a window, place in it, place in the array), those in the padding left out."""
    each = [
        [(o, k, i) for o, row in enumerate(sources(f)) for k, i in enumerate(row) if i is not None] for f in all_frames
    ]
    return [tuple(zip(*together, strict=True)) for together in itertools.product(*each)]


def windows_by_loops(all_frames, carrier, x):
    """By definition, on an array without leading axes."""
    counts, kernels = zip(*((len(sources(f)), f.kernel) for f in all_frames), strict=True)
    result = np.full((*counts, *kernels, x.shape[-1]), carrier.zero, dtype=x.dtype)
    for o, k, i in pairs(all_frames):
        result[(*o, *k)] = x[i]
    return result


def overlap_by_loops(all_frames, carrier, w):
    result = np.full((*(f.length for f in all_frames), w.shape[-1]), carrier.zero, dtype=w.dtype)
    for o, k, i in pairs(all_frames):
        result[i] = carrier.add(np, result[i], w[(*o, *k)])
    return result


def form_by_loops(form, x, w, y):
    """The trilinear form, in Python's own numbers, channel by channel."""
    inner, outer = form.channels // form.groups, form.out // form.groups
    total = 0
    for o, k, i in pairs(form.frames):
        for g in range(form.groups):
            into, out = slice(g * inner, (g + 1) * inner), slice(g * outer, (g + 1) * outer)
            total += x[i][into] @ w[k][:, out] @ y[o][out]
    return total


def drawn(space, seed):
    """Values of a carrier with addition."""
    generator = np.random.default_rng(seed)
    if space.carrier == MIN_PLUS:
        return generator.integers(-9, 10, space.shape).astype(float)
    low, high = {"bit": (0, 2)}.get(space.carrier.kind, (-5, 6))
    if space.carrier.kind == "integer" and space.carrier != INTEGERS:
        low, high = 0, getattr(space.carrier, "modulus", getattr(space.carrier, "size", 9))
    return generator.integers(low, high, space.shape)


def same(left, right):
    np.testing.assert_array_equal(np.asarray(left, float), np.asarray(right, float))


def windows_of(all_frames, carrier=INTEGERS, channels=2, lead=()):
    return Windows(Space((*lead, *(f.length for f in all_frames), channels), carrier), all_frames).diagram


# Windows and overlap


@MANY
@given(frames(), seeds)
def test_windows_and_their_reverse_are_the_definition_exactly(f, seed):
    diagram = windows_of(f)
    x, d = drawn(diagram.dom[0], seed), drawn(diagram.cod[0], seed + 1)
    same(Exact()(diagram)(x), windows_by_loops(f, INTEGERS, x))
    same(Exact()(R(diagram))(x, d), overlap_by_loops(f, INTEGERS, d))


@FEW
@given(frames(axes=(1, 2), most=4), seeds)
def test_windows_and_their_reverse_are_the_definition_in_jax(f, seed):
    diagram = windows_of(f)
    x, d = drawn(diagram.dom[0], seed), drawn(diagram.cod[0], seed + 1)
    same(Jax()(diagram)(x), windows_by_loops(f, INTEGERS, x))
    same(Jax()(R(diagram))(x, d), overlap_by_loops(f, INTEGERS, d))


@MANY
@given(frames(), seeds)
def test_DAG_linear_windows_and_overlap_are_transposes(f, seed):
    diagram = windows_of(f)
    other = Overlap(diagram.cod[0], f).diagram
    x, w = drawn(diagram.dom[0], seed), drawn(diagram.cod[0], seed + 1)
    assert (Exact()(diagram)(x) * w).sum() == (x * Exact()(other)(w)).sum()
    assert cl.dagger(diagram) == other
    assert cl.dagger(other) == diagram


@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
@pytest.mark.parametrize(
    "carrier", [Z2, Modular(4), NATURALS, Saturating(3), BOOLEAN, MIN_PLUS, TRIVIAL], ids=lambda carrier: carrier.name
)
def test_windows_over_rigs_pad_with_their_zero_and_overlap_by_their_sum(carrier, functor):
    f = (Frame(4, 3, 1, 1, 1), Frame(3, 2, 2, 0, 2, 2))
    diagram = windows_of(f, carrier)
    x, d = (drawn(space, seed) * (carrier != TRIVIAL) for seed, space in enumerate((*diagram.dom, *diagram.cod)))
    same(functor(diagram)(x), windows_by_loops(f, carrier, x))
    same(functor(R(diagram))(x, d), overlap_by_loops(f, carrier, d))


@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
def test_C_prime_windows_of_bits_are_pulled_back_as_integers(functor):
    f = (Frame(5, 3, 1, 1, 1),)
    diagram = windows_of(f, BITS)
    x, d = np.random.default_rng(0).integers(0, 2, (5, 2)), np.random.default_rng(1).integers(-9, 10, (5, 3, 2))
    assert R(diagram).cod == (Space((5, 2), INTEGERS),)
    same(functor(diagram)(x), windows_by_loops(f, BITS, x))
    same(functor(R(diagram))(x, d), overlap_by_loops(f, INTEGERS, d))


def test_C_discrete_nothing_goes_back_through_windows_of_counters():
    diagram = windows_of((Frame(4, 2),), DISCRETE, 1)
    same(diagram([[5], [6], [7], [8]])[:, :, 0], [[5, 6], [6, 7], [7, 8]])
    assert R(diagram).cod == (Space((4, 1), TRIVIAL),)


def test_windows_of_large_integers_are_exact():
    x = [[10**20 + k] for k in range(4)]
    result = Exact()(R(windows_of((Frame(4, 3),), INTEGERS, 1)))(x, np.full((2, 3, 1), 10**30, object))
    assert [int(entry) for entry in result.ravel()] == [10**30, 2 * 10**30, 2 * 10**30, 10**30]


@MANY
@given(frames(axes=(1, 2), most=3), st.integers(0, 3), st.integers(0, 2), seeds)
def test_PARA_tie_batches_of_windows_are_windows_of_each(f, outer, inner, seed):
    diagram = windows_of(f)
    many = cl.batch(cl.batch(R(diagram), inner), outer)
    x, d = drawn(many.dom[0], seed), drawn(many.dom[1], seed + 1)
    result = Exact()(many)(x, d)
    assert result.shape == many.cod[0].shape
    for j, k in np.ndindex(outer, inner):
        same(result[j, k], overlap_by_loops(f, INTEGERS, d[j, k]))


@MANY
@given(
    st.lists(st.tuples(*(st.integers(1, n) for n in (9, 4, 4, 2))), min_size=1, max_size=3),
    st.sampled_from(["same", "valid"]),
)
def test_padding_by_a_word_is_that_of_xla(axes, word):
    lengths, kernels, strides, dilations = zip(*axes, strict=True)
    reaches = [(k - 1) * d + 1 for k, d in zip(kernels, dilations, strict=True)]
    if word == "valid" and any(r > n for r, n in zip(reaches, lengths, strict=True)):
        with pytest.raises(OperationError, match="does not fit an axis"):
            frames_of(lengths, kernels, strides, word, dilations)
        return
    found = frames_of(lengths, kernels, strides, word, dilations)
    expected = jax.lax.padtype_to_pads(lengths, reaches, strides, word.upper())
    assert [(f.before, f.after) for f in found] == [tuple(map(int, pad)) for pad in expected]
    if word == "same":
        assert [f.count for f in found] == [-(-n // s) for n, s in zip(lengths, strides, strict=True)]


def test_padding_by_numbers_and_pairs():
    def ends(lengths, padding):
        return [(f.before, f.after) for f in frames_of(lengths, 1, padding=padding)]

    assert ends((5,), 2) == [(2, 2)]
    assert ends((5,), [(1, 3)]) == [(1, 3)]
    assert ends((5, 6), (1, 2)) == [(1, 1), (2, 2)]
    assert ends((5, 6), [(1, 2), 0]) == [(1, 2), (0, 0)]
    assert ends((5, 6), ["valid", (4, 3)]) == [(0, 0), (4, 3)]


@pytest.mark.parametrize(
    ("frame", "shape"),
    [
        (Frame(4, 4), (1, 4)),  # as long as the axis
        (Frame(7, 2, 5), (2, 2)),  # a stride longer than the kernel skips entries
        (Frame(1, 1), (1, 1)),
        (Frame(1, 3, 1, 1, 1), (1, 3)),
        (Frame(5, 2, 1, 0, 0, 4), (1, 2)),
        (Frame(2, 1, 1, 5, 0), (7, 1)),
        (Frame(0, 1, 1, 1, 1), (2, 1)),  # nothing but padding
        (Frame(3, 2, 9), (1, 2)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
@pytest.mark.parametrize("channels", [0, 1])
def test_windows_at_the_edges(frame, shape, functor, channels):
    diagram = windows_of((frame,), INTEGERS, channels)
    assert diagram.cod[0].shape == (*shape, channels)
    x, d = drawn(diagram.dom[0], 3), drawn(diagram.cod[0], 4)
    same(functor(diagram)(x), windows_by_loops((frame,), INTEGERS, x))
    same(functor(R(diagram))(x, d), overlap_by_loops((frame,), INTEGERS, d))


# Convolution


@st.composite
def forms(draw, carrier=REAL, axes=(1, 3), lead=()):
    f = draw(frames(axes, most=4))
    groups = draw(st.sampled_from([1, 1, 2]))
    inner, outer = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    return Convolution("output", carrier, lead, f, groups * inner, groups * outer, groups)


def by_lax(form, x, w):
    """XLA's convolution, called here, on an array with one leading axis."""
    axes = "DHW"[: len(form.frames)]
    return jax.lax.conv_general_dilated(
        x,
        w,
        tuple(f.stride for f in form.frames),
        tuple((f.before, f.after) for f in form.frames),
        rhs_dilation=tuple(f.dilation for f in form.frames),
        dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C"),
        feature_group_count=form.groups,
    )


def one_by_lax(form, x, w):
    return by_lax(form, x[None], w)[0]


def floats(spaces, seed):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=space.shape) for space in spaces]


@settings(max_examples=7, deadline=None)
@given(forms(), seeds)
def test_convolution_and_its_reverse_are_those_of_lax(form, seed):
    diagram = form.diagram
    x, w, d = floats((*diagram.dom, *diagram.cod), seed)
    with jax.enable_x64(True):
        value, pull = jax.vjp(lambda x, w: one_by_lax(form, x, w), x, w)
        expected = (value, *pull(jnp.asarray(d)))
    close((*running(diagram)(x, w), *running(R(diagram))(x, w, d)), expected)


@MANY
@given(forms(INTEGERS), seeds)
def test_the_three_roles_are_the_three_transposes_of_one_form_over_the_integers(form, seed):
    x, w, y = (drawn(form.space(role), seed + k) for k, role in enumerate(("input", "weight", "output")))
    expected = form_by_loops(form, x, w, y)
    for role, (a, b), own in (("output", (x, w), y), ("input", (w, y), x), ("weight", (x, y), w)):
        one = Convolution(role, INTEGERS, (), form.frames, form.channels, form.out, form.groups)
        assert (Exact()(one.diagram)(a, b) * own).sum() == expected


@settings(max_examples=4, deadline=None)
@given(forms(INTEGERS, axes=(1, 2)), seeds)
def test_the_three_roles_are_the_three_transposes_of_one_form_in_jax(form, seed):
    x, w, y = (drawn(form.space(role), seed + k) for k, role in enumerate(("input", "weight", "output")))
    expected = form_by_loops(form, x, w, y)
    assert (np.asarray(Jax()(form.diagram)(x, w)) * y).sum() == expected
    back = Jax()(R(form.diagram))(x, w, y)
    assert (np.asarray(back[0]) * x).sum() == (np.asarray(back[1]) * w).sum() == expected


@pytest.mark.parametrize("functor", FUNCTORS, ids=repr)
@pytest.mark.parametrize("carrier", [Z2, Modular(6), Saturating(4), MIN_PLUS], ids=lambda carrier: carrier.name)
def test_convolution_over_rigs_is_sums_of_products_there(carrier, functor):
    form = Convolution("output", carrier, (), (Frame(5, 3, 2, 1, 1), Frame(3, 2, 1, 0, 1, 2)), 4, 2, 2)
    x, w, y = (drawn(form.space(role), k) for k, role in enumerate(("input", "weight", "output")))
    expected = {"output": y, "input": x, "weight": w}
    totals = {role: np.full(value.shape, carrier.zero, value.dtype) for role, value in expected.items()}

    def gather(role, where, a, b):
        totals[role][where] = carrier.add(np, totals[role][where], carrier.multiply(np, a, b))

    for o, k, i in pairs(form.frames):
        for group, c, e in itertools.product(range(2), range(2), range(1)):
            at, wt, out = (*i, 2 * group + c), (*k, c, group + e), (*o, group + e)
            gather("output", out, x[at], w[wt])
            gather("input", at, w[wt], y[out])
            gather("weight", wt, x[at], y[out])
    same(functor(form.diagram)(x, w), totals["output"])
    back = functor(R(form.diagram))(x, w, y)
    same(back[0], totals["input"])
    same(back[1], totals["weight"])


@pytest.mark.parametrize("device", ["cpu", "other"])
@pytest.mark.parametrize("cache", [0, 2**21], ids=["one sample at a time", "all at once"])
@pytest.mark.parametrize("lead", [(1,), (5,), (2, 3)], ids=str)
def test_the_fast_way_is_the_definition(lead, cache, device, monkeypatch):
    if device == "other":
        monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(ways, "CACHE_BYTES", cache)
    functor = Jax("float64")
    for groups in (1, 2):
        for role in ("output", "input", "weight"):
            form = Convolution(role, REAL, lead, (Frame(5, 3, 2, 1, 0), Frame(4, 2, 1, 0, 2, 2)), 4, 2, groups)
            with jax.enable_x64(True):
                a, b = (jnp.asarray(value) for value in floats(form.dom, 7))
                close([ways.by_xla(form, functor, a, b)], [ways.by_definition(form, functor, a, b)])


def test_a_large_batch_goes_through_in_several_parts():
    samples, side, channels = 24, 16, 8
    convolved = cl.trace(
        (real(side, side, channels), real(3, 3, channels, 2)), lambda x, w: F.convolve(x, w, padding="same")
    )
    many = cl.batch(convolved, samples, [True, False])
    form = Convolution("output", REAL, (), frames_of((side, side), 3, padding="same"), channels, 2)
    x, w, d = floats((*many.dom, *many.cod), 5)
    back = Jax("float64")(R(many))
    with jax.enable_x64(True):
        program = str(jax.make_jaxpr(back)(x, w, d))
        value, pull = jax.vjp(lambda x, w: by_lax(form, x, w), x, w)
        expected = pull(jnp.asarray(d))
    assert program.count("scan[") == 2  # one for each of the two transposes
    close(running(many)(x, w), [value])
    close(back(x, w, d), expected)


@pytest.mark.parametrize(("samples", "each", "expected"), [(24, 2**18, 8), (7, 2**20, 1), (8, 2**21, 1), (6, 1, 6)])
def test_a_part_divides_the_samples_and_fits_the_cache(samples, each, expected):
    assert ways._part(samples, each) == expected


FIXED = Convolution("output", REAL, (), (Frame(5, 2, 2, 1, 0), Frame(3, 2, 1, 0, 1)), 2, 4, 2)


def second(form, x, w, d, a, b):
    """The vector-Jacobian product of the vector-Jacobian product, by JAX."""

    def back(x, w, d):
        return jax.vjp(lambda x, w: one_by_lax(form, x, w), x, w)[1](d)

    return jax.vjp(back, x, w, d)[1]((a, b))


def test_the_reverse_of_the_reverse_of_convolution():
    twice = R(R(FIXED.diagram))
    x, w, d, a, b = floats(twice.dom, 11)
    with jax.enable_x64(True):
        expected = second(FIXED, *map(jnp.asarray, (x, w, d, a, b)))
    close(running(twice)(x, w, d, a, b), expected)


def test_RD_D_the_forward_derivative_of_convolution():
    forward = cl.forward_derivative(FIXED.diagram)
    x, w, v, u = floats(forward.dom, 12)
    with jax.enable_x64(True):
        expected = jax.jvp(lambda x, w: one_by_lax(FIXED, x, w), (x, w), (v, u))[1]
    close(running(forward)(x, w, v, u), [expected])


def test_RD_6_the_reverse_of_convolution_is_linear_in_the_cotangent_over_the_integers():
    form = Convolution("output", INTEGERS, (), (Frame(4, 3, 1, 1, 1),), 2, 2, 2)
    back = R(form.diagram)
    d = cl.forward_derivative(back)
    x, w, y, v = (drawn(space, k) for k, space in enumerate((*form.diagram.dom, *form.diagram.cod * 2)))
    zero = [np.zeros(space.shape, int) for space in form.diagram.dom]
    for left, right in zip(Exact()(d)(x, w, y, *zero, v), Exact()(back)(x, w, v), strict=True):
        same(left, right)


@pytest.mark.parametrize("shared", [[True, False], [True, True], [False, True]], ids=str)
@pytest.mark.parametrize("size", [1, 3])
def test_PARA_tie_batches_of_convolution_and_their_reverse(size, shared):
    many = cl.batch(FIXED.diagram, size, shared)
    x, w, d = floats((*many.dom, *many.cod), 13)
    axes = [0 if flag else None for flag in shared]
    with jax.enable_x64(True):
        value, pull = jax.vjp(jax.vmap(lambda x, w: one_by_lax(FIXED, x, w), axes), x, w)
        expected = (value, *pull(jnp.asarray(d)))
    close((*running(many)(x, w), *running(R(many))(x, w, d)), expected)


def test_PARA_tie_a_batch_of_batches_of_convolution_sums_the_cotangents_of_its_weight():
    many = cl.batch(cl.batch(FIXED.diagram, 2, [True, False]), 3, [True, False])
    assert [type(g) for g, _, _ in many.nodes] == [Convolution]
    x, w, d = floats((*many.dom, *many.cod), 14)
    one = running(R(FIXED.diagram))
    each = [one(x[j, k], w, d[j, k]) for j, k in np.ndindex(3, 2)]
    expected = np.stack([back[0] for back in each]).reshape(x.shape), np.sum([back[1] for back in each], 0)
    close(running(R(many))(x, w, d), expected)


def test_a_batch_of_the_transposes_of_convolution_is_each_of_them():
    """R is batched too where it is an input of something larger, with the weight shared."""
    back = R(FIXED.diagram)
    many = cl.batch(back, 3, [True, False, True])
    x, w, d = floats(many.dom, 15)
    each = [running(back)(x[k], w, d[k]) for k in range(3)]
    close(running(many)(x, w, d), [np.stack(column) for column in zip(*each, strict=True)])


def test_an_empty_batch_of_convolutions_leaves_the_weight_alone():
    many = cl.batch(FIXED.diagram, 0, [True, False])
    x, w, d = floats((*many.dom, *many.cod), 16)
    back = running(R(many))(x, w, d)
    close(back, [np.zeros(x.shape), np.zeros(w.shape)])


@pytest.mark.parametrize(
    ("channels", "out"),
    [
        pytest.param(2, 0),
        pytest.param(0, 2),
        pytest.param(0, 0),
    ],
)
def test_convolution_without_channels_and_its_reverse_are_empty_or_zero(channels, out):
    diagram = cl.trace((real(5, channels), real(3, channels, out)), lambda x, w: F.convolve(x, w, padding=1))
    x, w, d = floats((*diagram.dom, *diagram.cod), 17)
    close(running(diagram)(x, w), [np.zeros((5, out))])
    close(running(R(diagram))(x, w, d), [np.zeros((5, channels)), np.zeros((3, channels, out))])


def test_convolve_reads_its_frames_from_the_weight():
    made = cl.trace(
        (real(9, 8, 4), real(3, 2, 2, 6)),
        lambda x, w: F.convolve(x, w, stride=(2, 1), padding=[(1, 0), 1], dilation=(1, 3), groups=2),
    )
    frames_made = (Frame(9, 3, 2, 1, 0, 1), Frame(8, 2, 1, 1, 1, 3))
    assert made == Convolution("output", REAL, (), frames_made, 4, 6, 2).diagram


def test_convolution_of_four_axes_is_the_definition():
    """XLA's are used up to three axes."""
    f = frames_of((2, 3, 2, 2), 2, padding="same")
    form = Convolution("output", REAL, (), f, 1, 2)
    x, w, d = floats((*form.dom, *form.cod), 18)
    expected = form_by_loops(form, x, w, d)
    assert (running(form.diagram)(x, w)[0] * d).sum() == pytest.approx(expected)
    assert (running(R(form.diagram))(x, w, d)[1] * w).sum() == pytest.approx(expected)


@pytest.mark.parametrize("samples", [256, 251])
def test_the_cotangent_of_a_weight_in_low_precision_is_near_that_in_high(samples, monkeypatch):
    """Parts are added up one after another, which must not be done in few digits."""
    monkeypatch.setattr(ways, "CACHE_BYTES", 0)
    convolved = cl.trace((real(6, 2), real(3, 2, 2)), lambda x, w: F.convolve(x, w))
    back = R(cl.batch(convolved, samples, [True, False]))
    x, w, d = (np.abs(value) for value in floats(back.dom, 19))
    low, high = Jax("bfloat16")(back)(x, w, d)[1], running(back)(x, w, d)[1]
    np.testing.assert_allclose(np.asarray(low, float), high, rtol=0.012)


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"length": -1}, "the length of a window must be an integer of at least 0; got -1"),
        ({"kernel": 0}, "the kernel of a window must be an integer of at least 1; got 0"),
        ({"stride": 0}, "the stride of a window must be an integer of at least 1; got 0"),
        ({"stride": 1.5}, "the stride of a window must be an integer of at least 1; got 1.5"),
        ({"stride": True}, "the stride of a window must be an integer of at least 1; got True"),
        ({"before": -1}, "the before of a window must be an integer of at least 0; got -1"),
        ({"after": "x"}, "the after of a window must be an integer of at least 0; got 'x'"),
        ({"dilation": 0}, "the dilation of a window must be an integer of at least 1; got 0"),
        ({"kernel": 3, "dilation": 3}, r"a window of 7 entries does not fit an axis of 4 with 0 \+ 0 of padding"),
    ],
)
def test_a_frame_out_of_range_says_which_number(arguments, message):
    with pytest.raises(OperationError, match=message):
        Frame(**{"length": 4, "kernel": 2, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((4, 4), (2, 2, 2)), "the kernel needs one number, or one for each of 2 axes; got"),
        (((4,), 2, (1, 2)), "the stride needs one number, or one for each of 1 axes"),
        (((4, 4), 2, 1, (1, 2, 3)), "the padding needs one number, or one for each of 2 axes"),
        (((4,), 2, 1, "valid", ()), "the dilation needs one number, or one for each of 1 axes"),
        (((4,), 2, 1, "full"), "the padding is 'valid', 'same' or numbers; got 'full'"),
        (((4,), 2, 1, [(1, 2, 3)]), r"the before of a window must be an integer of at least 0; got \(1, 2, 3\)"),
        (((4,), 2.0), "the kernel of a window must be an integer of at least 1; got 2.0"),
        (((4,), 2, 0, "same"), "the stride of a window must be an integer of at least 1; got 0"),
        (((4,), 5), "a window of 5 entries does not fit an axis of 4"),
    ],
)
def test_frames_that_do_not_fit_say_so(arguments, message):
    with pytest.raises(OperationError, match=message):
        frames_of(*arguments)


def test_an_empty_axis_has_windows_in_its_padding():
    assert [f.count for f in frames_of((0,), 1, padding=1)] == [2]


@pytest.mark.parametrize(
    ("space", "some"),
    [(real(4), (Frame(4, 2),)), (real(4, 1), (Frame(5, 2),)), (real(4, 1), ()), (real(), (Frame(1, 1),))],
)
def test_windows_need_the_axes_of_their_frames(space, some):
    with pytest.raises(OperationError, match="do not fit the axes before the last of"):
        Windows(space, some)


def test_windows_of_what_is_no_wire_or_has_no_addition():
    with pytest.raises(OperationError, match="windows needs a wire; got"):
        F.windows(np.ones((3, 1)), 2)
    with pytest.raises(OperationError, match="BITS has no operation 'add'"):
        Overlap(Space((3, 2, 1), BITS), (Frame(4, 2),))
    with pytest.raises(OperationError, match="do not fit the axes before the last"):
        cl.trace(real(), lambda x: F.windows(x, 2))


@pytest.mark.parametrize(
    ("x", "w", "groups"),
    [
        (real(4), real(3, 1, 1), 1),
        (real(4, 2), real(3, 3, 1), 1),
        (real(4, 2), real(3, 2), 1),
        (real(4, 2), real(3, 1, 3), 2),
        (real(4, 2), real(3, 2, 2), 2),
        (real(4, 2), Space((3, 2, 2), INTEGERS), 1),
        pytest.param(
            real(4, 0),
            real(3, 0, 2),
            0,
        ),
    ],
)
def test_convolve_says_what_shapes_it_needs(x, w, groups):
    with pytest.raises(OperationError, match=r"convolve needs x of shape \(lengths, channels\) and a weight of shape"):
        cl.trace((x, w), lambda x, w: F.convolve(x, w, groups=groups))


def test_convolution_needs_sums_and_products():
    bits = Space((4, 1), BITS), Space((2, 1, 1), BITS)
    with pytest.raises(OperationError, match="BITS has no operation 'add'"):
        cl.trace(bits, F.convolve)
    with pytest.raises(OperationError, match="has no operation 'multiply'"):
        cl.trace((Space((4, 1), DISCRETE), Space((2, 1, 1), DISCRETE)), F.convolve)
    with pytest.raises(OperationError, match="a window of 5 entries does not fit an axis of 4"):
        cl.trace((real(4, 1), real(5, 1, 1)), F.convolve)
    with pytest.raises(CompositionError, match="cannot compose"):
        FIXED.diagram >> FIXED.diagram
