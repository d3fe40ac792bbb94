"""Every generator: its value and R against JAX, R of R, its batched form, exact rings, and scans in all shapes."""

import importlib
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import catlearn as cl
import catlearn.generators
from catlearn import functions as F
from catlearn.diagram import Diagram, Generator
from catlearn.frozen import Frozen
from catlearn.functors import Exact, Jax
from catlearn.functors.arrays import tidy
from catlearn.generators.arithmetic import Add, Divide, Include, Invert, Multiply, Negate, Subtract, Xor
from catlearn.generators.batching import Map
from catlearn.generators.convolution import Convolution
from catlearn.generators.counting import Popcount
from catlearn.generators.discrete import OneHot
from catlearn.generators.elementwise import FUNCTIONS, Maximum, Power
from catlearn.generators.fixed_point import fixed_point
from catlearn.generators.indexing import Scatter, positions
from catlearn.generators.inversion import inverse, log_determinant
from catlearn.generators.lookup import Collect
from catlearn.generators.multiplexer import Choose
from catlearn.generators.precision import Lower, Raise
from catlearn.generators.probe import Probe
from catlearn.generators.scan import Scan
from catlearn.generators.selection import FirstLargest
from catlearn.generators.tables import Read, Votes, Write
from catlearn.generators.thresholds import AtLeast, AtLeastVotes
from catlearn.generators.windows import Frame, Overlap, Windows
from catlearn.semirings import BITS, DISCRETE, INTEGERS, REAL, TRIVIAL, Z2, Discrete, Modular
from catlearn.space import Space, changes

R = cl.reverse_derivative
run = Jax("float64")
seeds = st.integers(0, 2**32 - 1)


def S(*shape):
    return Space(shape, REAL)


@dataclass(frozen=True)
class Case:
    """A diagram, the same function written in jax.numpy, and the interval that real inputs are drawn from."""

    diagram: Diagram
    function: Callable
    low: float = -2.0
    high: float = 2.0


def as_tuple(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def trace(*spaces):
    return lambda function: cl.trace(spaces, function)


def drawn(spaces, seed, low=-2.0, high=2.0):
    """A random point of an object."""
    generator = np.random.default_rng(seed)

    def one(space):
        if space.carrier == REAL:
            return generator.uniform(low, high, space.shape)
        if space.carrier == TRIVIAL:
            return np.zeros(space.shape, np.uint8)
        if space.carrier == INTEGERS:
            return generator.integers(-5, 6, space.shape)
        bound = {"bit": 2, "index": getattr(space.carrier, "size", None) or 5}
        return generator.integers(0, bound.get(space.carrier.kind, getattr(space.carrier, "modulus", 2)), space.shape)

    return [one(space) for space in spaces]


# The references: nothing of them goes through catlearn


def moving(spaces):
    return [space.carrier.kind != "index" and space.carrier != TRIVIAL for space in spaces]


def floats(values, spaces):
    return [
        jnp.asarray(v, jnp.float64) if moves else jnp.asarray(v)
        for v, moves in zip(values, moving(spaces), strict=True)
    ]


def vjp_of(function, dom, cod):
    """The vector-Jacobian product of a function by jax.vjp; what is discrete is held still and moves by zero."""
    real_in, real_out = moving(dom), moving(cod)
    n = len(dom)

    def pulled(*arguments):
        values, cotangents = arguments[:n], arguments[n:]

        def restricted(*xs):
            given = iter(xs)
            full = [next(given) if real else value for value, real in zip(values, real_in, strict=True)]
            return tuple(y for y, real in zip(as_tuple(function(*full)), real_out, strict=True) if real)

        moved = [value for value, real in zip(values, real_in, strict=True) if real]
        kept = tuple(d for d, real in zip(cotangents, real_out, strict=True) if real)
        back = iter(jax.vjp(restricted, *moved)[1](kept) if moved else ())
        return tuple(
            next(back) if real else jnp.zeros(jnp.shape(value), jnp.uint8)
            for value, real in zip(values, real_in, strict=True)
        )

    return pulled


def many_of(function, size, flags):
    """`size` samples at once by jax.vmap."""

    def mapped(*arguments):
        if not any(flags):
            copies = [as_tuple(function(*arguments)) for _ in range(size)]
            return tuple(jnp.stack(column) for column in zip(*copies, strict=True))
        axes = tuple(0 if flag else None for flag in flags)
        return jax.vmap(lambda *xs: as_tuple(function(*xs)), in_axes=axes, axis_size=size)(*arguments)

    return mapped


@pytest.fixture(autouse=True, scope="module")
def quick_compilation():
    """Many small programs are compiled here, each run a few times."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def together(checks):
    """A compiled function of points, one a check, giving what each diagram and its reference make of them."""

    @jax.jit
    def both(*points):
        return [
            (as_tuple(run(f)(*point)), as_tuple(function(*floats(point, f.dom))))
            for (f, function), point in zip(checks, points, strict=True)
        ]

    return both


def compare(checks, both, points):
    """Each diagram and its reference agree, in number, shape and value of the outputs."""
    with jax.enable_x64(True):
        results = both(*points)
    for k, ((f, _), (came, wanted)) in enumerate(zip(checks, results, strict=True)):
        assert len(came) == len(wanted) == len(f.cod)
        for j, (x, y) in enumerate(zip(came, wanted, strict=True)):
            assert x.shape == y.shape == f.cod[j].shape
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-10, err_msg=f"check {k}, output {j}")


def check(diagram, function, values):
    """One diagram agrees with one function at a point."""
    checks = [(diagram, function)]
    compare(checks, together(checks), [values])


# The cases

CASES: dict[str, Case] = {}


def case(name, diagram, function, low=-2.0, high=2.0):
    assert name not in CASES
    CASES[name] = Case(diagram, function, low, high)


def pairs(name, generator, function, low=-2.0, high=2.0):
    case(name, generator(S(2, 3)).diagram, function, low, high)


pairs("add", Add, lambda x, y: x + y)
pairs("subtract", Subtract, lambda x, y: x - y)
pairs("multiply", Multiply, lambda x, y: x * y)
pairs("divide", Divide, lambda x, y: x / y, 0.4, 2.0)
pairs("maximum", Maximum, lambda x, y: jnp.where(x > y, x, y))
pairs("power", Power, lambda x, y: jnp.exp(y * jnp.log(x)), 0.4, 2.0)
case("multiply empty", Multiply(S(2, 0)).diagram, lambda x, y: x * y)
case("maximum empty", Maximum(S(0)).diagram, lambda x, y: x + y)
case("negate", Negate(S(2, 3)).diagram, lambda x: -x)

FORMULAS = {
    "exp": lambda x: jnp.e**x,
    "log": lambda x: jnp.log2(x) * math.log(2.0),
    "sqrt": lambda x: x**0.5,
    "square": lambda x: x**2,
    "sin": jnp.sin,
    "cos": lambda x: jnp.sin(x + jnp.pi / 2),
    "tanh": lambda x: (jnp.exp(x) - jnp.exp(-x)) / (jnp.exp(x) + jnp.exp(-x)),
    "sigmoid": lambda x: 1.0 / (1.0 + jnp.exp(-x)),
    "softplus": lambda x: jnp.log(1.0 + jnp.exp(x)),
    "erf": lambda x: 1.0 - jax.scipy.special.erfc(x),
    "abs": lambda x: jnp.where(x > 0, x, -x),
    "sign": lambda x: jnp.where(x > 0, 1.0, -1.0),
    "relu": lambda x: jnp.where(x > 0, x, 0.0),
    "step": lambda x: jnp.where(x > 0, 1.0, 0.0),
}
for title, formula in FORMULAS.items():
    low = 0.3 if title in ("log", "sqrt") else -2.0
    case(f"function {title}", cl.trace(S(2, 3), lambda x, title=title: F.apply(title, x)), formula, low)
case("function empty", cl.trace(S(0), F.tanh), jnp.tanh)
case("log softmax", cl.trace(S(2, 3), F.log_softmax), lambda x: x - jnp.log(jnp.exp(x).sum(-1, keepdims=True)))
case("log softmax of a vector", cl.trace(S(1), F.log_softmax), lambda x: x - jnp.log(jnp.exp(x).sum()))
case("log softmax empty", cl.trace(S(0, 3), F.log_softmax), lambda x: x)

TABLE = [[1.5, -2.0, 0.25], [0.0, 3.0, -1.0]]
case("constant array", trace(S(3))(lambda x: F.constant(S(2, 3), TABLE) @ x), lambda x: jnp.array(TABLE) @ x)
case("constant number", trace()(lambda: F.constant(S(2), 0.75)), lambda: jnp.array([0.75, 0.75]))
case("constant integer", trace()(lambda: F.constant(S(0, 2), 3)), lambda: jnp.zeros((0, 2)))


def contraction(name, text, *spaces, sizes=None, reference=None):
    def function(*xs):
        return reference(*xs) if reference else jnp.einsum(text, *xs)

    case(f"contract {name}", cl.trace(spaces, lambda *xs: F.einsum(text, *xs, sizes=sizes)), function)


contraction("matrix product", "bi,io->bo", S(2, 3), S(3, 4))
contraction("inner product", "i,i->", S(3), S(3))
contraction("outer product", "i,j->ji", S(3), S(2))
contraction("of three", "ab,bc,a->c", S(2, 3), S(3, 2), S(2))
contraction("with a lonely label", "ab,c->a", S(2, 3), S(2))
contraction("diagonal scale", "i,ij->ji", S(3), S(3, 2))
contraction("repeat and sum", "ab->cb", S(2, 3), sizes={"c": 2}, reference=lambda x: jnp.stack([x.sum(0)] * 2))
contraction("repeat in the middle", "ab->acb", S(2, 3), sizes={"c": 2}, reference=lambda x: jnp.stack([x] * 2, 1))
contraction("over length zero", "bi,io->bo", S(2, 0), S(0, 4), reference=lambda x, y: jnp.zeros((2, 4)) + x.sum() * 0)
contraction("to length zero", "i->ji", S(3), sizes={"j": 0}, reference=lambda x: jnp.zeros((0, 3)))
contraction("scalars", ",->", S(), S())
case("sum of all", cl.trace(S(2, 3), F.sum), jnp.sum)
case("sum of two axes", cl.trace(S(2, 3, 2), lambda x: F.sum(x, (0, -1))), lambda x: x.sum((0, 2)))
case("sum of nothing", cl.trace(S(0, 3), lambda x: F.sum(x, 0)), lambda x: x.sum(0))
case("mean", cl.trace(S(2, 3), lambda x: F.mean(x, 1)), lambda x: x.mean(1))
case("transpose", cl.trace(S(2, 3, 4), lambda x: F.transpose(x, (1, 2, 0))), lambda x: x.transpose(1, 2, 0))
case("broadcast", cl.trace(S(3), lambda x: F.broadcast(x, (2, 0, 3))), lambda x: jnp.broadcast_to(x, (2, 0, 3)))
case("stack", cl.trace(S(3), lambda x: F.stack(x, 4)), lambda x: jnp.stack([x] * 4))

case("reshape", cl.trace(S(2, 3), lambda x: F.reshape(x, (3, 1, 2))), lambda x: x.reshape(3, 1, 2))
case("reshape empty", cl.trace(S(2, 0), lambda x: F.reshape(x, (0, 5))), lambda x: x.reshape(0, 5))
case(
    "gather flat",
    cl.trace(S(2, 3), lambda x: F.gather(x, [5, 0, 5, 5])),
    lambda x: x.reshape(-1)[jnp.array([5, 0, 5, 5])],
)
GRID = [[2, 0], [1, 2], [2, 2]]
case("gather an axis", cl.trace(S(2, 3, 2), lambda x: F.gather(x, GRID, 1)), lambda x: x[:, jnp.array(GRID)])
case("gather nothing", cl.trace(S(2, 3), lambda x: F.gather(x, np.zeros((0,), int), 0)), lambda x: x[:0])
case(
    "scatter",
    Scatter(S(2, 4, 2), 1, positions([2, 0, 2, 2]), 5).diagram,
    lambda x: jnp.stack([x[:, 1], x[:, 0] * 0, x[:, 0] + x[:, 2] + x[:, 3], x[:, 0] * 0, x[:, 0] * 0], 1),
)
case(
    "scatter a grid",
    Scatter(S(2, 2), 0, positions([[1, 1], [0, 1]]), 2).diagram,
    lambda x: jnp.stack([x[1, 0], x.sum() - x[1, 0]]),
)
case("scatter nothing", Scatter(S(0, 2), 0, positions(np.zeros(0, int)), 3).diagram, lambda x: jnp.zeros((3, 2)))
case("slice", cl.trace(S(2, 5), lambda x: x[:, 1:4]), lambda x: x[:, 1:4])
case("slice nothing", cl.trace(S(2, 5), lambda x: x[:, 3:3]), lambda x: x[:, 3:3])
case("index", cl.trace(S(2, 5, 2), lambda x: x[-1, 2:]), lambda x: x[-1, 2:])
case(
    "concatenate",
    cl.trace((S(2, 1), S(2, 3), S(2, 0)), lambda *xs: F.concatenate(xs, 1)),
    lambda *xs: jnp.concatenate(xs, 1),
)

counter, label = Space((2,), DISCRETE), Space((2,), Discrete(4))
case("successor", cl.trace((counter, S(2)), lambda n, x: (F.successor(n), x)), lambda n, x: (n + 1, x))
case("real", cl.trace((counter, S(2)), lambda n, x: F.real(n) * x), lambda n, x: n * x)
case("one hot", cl.trace((label, S(2, 4)), lambda k, x: F.one_hot(k) * x), lambda k, x: jnp.eye(4)[k] * x)
case("one hot integers", OneHot(Space((), Discrete(3)), INTEGERS).diagram, lambda k: jnp.eye(3)[k])
case("one hot empty", OneHot(Space((0,), Discrete(3))).diagram, lambda k: jnp.zeros((0, 3)))
case(
    "gather labels",
    cl.trace(Space((4,), Discrete(4)), lambda k: F.gather(k, [3, 3, 0])),
    lambda k: k[jnp.array([3, 3, 0])],
)

bits, numbers = Space((2, 3), BITS), Space((2, 3), INTEGERS)
case("invert", Invert(bits).diagram, lambda x: 1 - x)
case("xor", Xor(bits).diagram, lambda x, y: x + y - 2 * x * y)
case("and", Multiply(bits).diagram, lambda x, y: x * y)
case("include", Include(bits).diagram, lambda x: x)
case("or", cl.trace((bits, bits), F.union), lambda x, y: x + y - x * y)
case(
    "contract bits",
    cl.trace((Space(2, BITS), bits), lambda a, x: F.einsum("i,ij->ji", a, x)),
    lambda a, x: (a[:, None] * x).T,
)
case("gather bits", cl.trace(bits, lambda x: F.gather(x, [1, 1, 0], 1)), lambda x: x[:, jnp.array([1, 1, 0])])
case("multiply integers", cl.trace((numbers, numbers), lambda x, y: x * y - 3 * x), lambda x, y: x * y - 3 * x)


def smooth(x, w):
    return jnp.sin(w @ x), jnp.sum(x * x)


case("JAX function", cl.from_jax(smooth, (S(3), S(2, 3)), (S(2), S())), smooth)
case("JAX function of a label", cl.from_jax(lambda x, n: x**2 * n, (S(2), counter), S(2)), lambda x, n: n * x * x)


@jax.custom_vjp
def clipped(x):
    return x


clipped.defvjp(lambda x: (x, None), lambda _, d: (jnp.maximum(jnp.minimum(d, 0.5), -0.5),))


@jax.custom_vjp
def straight(x):
    return jnp.where(x > 0, 1.0, 0.0)


straight.defvjp(lambda x: (straight(x), x), lambda x, d: (d * x * x,))

passing = cl.surrogate(
    "straight", cl.trace(S(2), F.step), cl.trace((S(2), S(2)), lambda x, d: d * x * x), additive=True
)
case("surrogate clip", cl.clip_change(S(2), 0.5), clipped)
case(
    "surrogate clip inside",
    cl.trace(S(2), lambda x: F.sin(cl.clip_change(S(2), 0.5)(x * x))),
    lambda x: jnp.sin(clipped(x * x)),
)
case("surrogate additive", cl.trace((S(2), S(2)), lambda x, y: passing(x) * y), lambda x, y: straight(x) * y)


def mapped(name, body, function, size, flags):
    case(f"map {name}", Map(body, size, flags).diagram, many_of(function, size, flags))


affine = cl.trace((S(2, 3), S(3)), lambda w, x: (F.tanh(w @ x), F.sum(x)))


def affine_reference(w, x):
    return jnp.tanh(w @ x), jnp.sum(x)


mapped("shared and stacked", affine, affine_reference, 3, (False, True))
mapped("all stacked", affine, affine_reference, 2, (True, True))
mapped("nothing stacked", affine, affine_reference, 2, (False, False))
mapped("of none", affine, affine_reference, 0, (False, True))
mapped("of one", affine, affine_reference, 1, (True, False))
mapped("irreducible", passing, straight, 3, (True,))
mapped("irreducible not additive", cl.clip_change(S(2), 0.5), clipped, 3, (True,))
mapped("in a map", Map(affine, 2, (False, True)).diagram, many_of(affine_reference, 2, (False, True)), 3, (True, False))


def looped(body, length, shared, states, cod, backward=False):
    """Scan as a Python loop; `cod` gives the shapes of what each step emits."""

    def function(*inputs):
        state, items = inputs[shared : shared + states], inputs[shared + states :]
        emitted = [[None] * length for _ in cod]
        for t in reversed(range(length)) if backward else range(length):
            results = as_tuple(body(*inputs[:shared], *state, *(x[t] for x in items)))
            state = results[:states]
            for column, value in zip(emitted, results[states:], strict=True):
                column[t] = value
        stacked = [
            jnp.stack(column) if length else jnp.zeros((0, *space.shape))
            for column, space in zip(emitted, cod, strict=True)
        ]
        return (*state, *stacked)

    return function


def scanned(name, spaces, body, reference, length, shared, states, backward=False):
    """The case, and its body as (diagram, reference) for use in others."""
    inner = cl.trace(spaces, body)
    function = looped(reference, length, shared, states, inner.cod[states:], backward)
    case(f"scan {name}", cl.scan(inner, length, shared, states, backward=backward), function)
    return cl.scan(inner, length, shared, states, backward=backward), function


def cell(f):
    return lambda w, h, x: (f.tanh(w * h + x), h * x)


def two_states(f):
    return lambda w, v, a, b, x, y: (f.sin(a + w * b), b * x - v, a * y, f.tanh(x * y) + b)


def growth(f):
    return lambda w, h: (h + w * f.sin(h), h * h)


V = S(2)
scanned("cell", (V, V, V), cell(F), cell(jnp), 3, 1, 1)
scanned("backward", (V, V, V), cell(F), cell(jnp), 3, 1, 1, backward=True)
scanned("of length one", (V, V, V), cell(F), cell(jnp), 1, 1, 1)
scanned("of length zero", (V, V, V), cell(F), cell(jnp), 0, 1, 1)
scanned("of length zero backward", (V, V, V), cell(F), cell(jnp), 0, 1, 1, backward=True)
scanned("several", (V,) * 6, two_states(F), two_states(jnp), 2, 2, 2)
scanned("several backward", (V,) * 6, two_states(F), two_states(jnp), 2, 2, 2, backward=True)
scanned("without items", (V, V), growth(F), growth(jnp), 3, 1, 1)
scanned("without items or shared", (V,), lambda h: F.sin(h), jnp.sin, 3, 0, 1)
scanned("without state", (V, V), lambda w, x: w * x, lambda w, x: w * x, 3, 1, 0)
scanned("with an unused shared input", (V, V, V), lambda w, h, x: (h * x, h), lambda w, h, x: (h * x, h), 3, 1, 1)
scanned("with an unused state", (V, V, V), lambda a, b, x: (a * x, x, a), lambda a, b, x: (a * x, x, a), 3, 0, 2)
scanned("with a constant state", (V, V, V), lambda a, b, x: (a, b * x * a), lambda a, b, x: (a, b * x * a), 3, 0, 2)
scanned(
    "with an unused item", (V, V, V), lambda w, h, x: (F.sin(h * w), w), lambda w, h, x: (jnp.sin(h * w), w), 3, 1, 1
)
scanned("with repeated outputs", (V, V), lambda h, x: (h * x, x, x, h), lambda h, x: (h * x, x, x, h), 3, 0, 1)
scanned(
    "with shared work to hoist",
    (V, V, V),
    lambda w, h, x: (h * F.sin(F.tanh(w)) + x, F.exp(w)),
    lambda w, h, x: (h * jnp.sin(jnp.tanh(w)) + x, jnp.exp(w)),
    3,
    1,
    1,
)
scanned(
    "with a counter",
    (Space((), DISCRETE), V, V),
    lambda n, h, x: (F.successor(n), h * x, h * F.real(n)),
    lambda n, h, x: (n + 1, h * x, h * n),
    3,
    0,
    2,
)
scanned(
    "with a label an item",
    (V, Space((), Discrete(2))),
    lambda h, k: (F.sin(h) * F.one_hot(k) + h, h),
    lambda h, k: (jnp.sin(h) * jnp.eye(2)[k] + h, h),
    3,
    0,
    1,
)
scanned(
    "with a surrogate",
    (V, V),
    lambda h, x: F.sin(cl.clip_change(V, 0.5)(h) * x),
    lambda h, x: jnp.sin(clipped(h) * x),
    3,
    0,
    1,
)

inner_diagram, inner_reference = scanned("inner", (V, V, V), cell(F), cell(jnp), 2, 1, 1)
scanned(
    "in a scan",
    (V, V, S(2, 2)),
    lambda w, h, x: inner_diagram(w, h, x),
    lambda w, h, x: inner_reference(w, h, x),
    2,
    1,
    1,
)
scanned(
    "in a scan backward",
    (V, V, S(2, 2)),
    lambda w, h, x: (inner_diagram(h, w, x)[0] * h, inner_diagram(w, h, x)[1]),
    lambda w, h, x: (inner_reference(h, w, x)[0] * h, inner_reference(w, h, x)[1]),
    2,
    1,
    1,
    backward=True,
)
inside = Map(cl.trace((V, V), lambda w, x: F.tanh(w * x)), 3, (False, True)).diagram
scanned(
    "of a map",
    (V, S(3, 2), V),
    lambda w, h, x: (inside(w * x, h), h),
    lambda w, h, x: (jnp.tanh(w * x * h), h),
    2,
    1,
    1,
)
bumpy = Map(passing, 3, (True,)).diagram
scanned(
    "of an irreducible map",
    (S(3, 2), V),
    lambda h, x: h * x[0] + bumpy(h),
    lambda h, x: h * x[0] + straight(h),
    2,
    0,
    1,
)
mapped("of a scan", inner_diagram, inner_reference, 3, (False, True, True))
mapped("of a scan, shared items", inner_diagram, inner_reference, 3, (True, False, False))


# One test a rule, over all cases

HALVES = (Frame(5, 2, 2, 1, 0),)  # windows of two entries, every second place, a zero before
WIDE = {"window_strides": (2,), "padding": ((1, 0),), "dimension_numbers": ("NHC", "HIO", "NHC")}


def convolved(x, w):
    return jax.lax.conv_general_dilated(x[None], w, **WIDE)[0]


def convolution(role):
    return Convolution(role, REAL, (), HALVES, 2, 3).diagram


case(
    "windows",
    Windows(S(5, 2), HALVES).diagram,
    lambda x: jnp.stack([jnp.stack([0 * x[0], x[0]]), x[1:3], x[3:5]]),
)
case(
    "overlap",
    Overlap(S(3, 2, 2), HALVES).diagram,
    lambda w: jnp.stack([w[0, 1], w[1, 0], w[1, 1], w[2, 0], w[2, 1]]),
)
case("convolution", convolution("output"), convolved)
case(
    "convolution to its input",
    convolution("input"),
    lambda w, y: jax.vjp(lambda x: convolved(x, w), jnp.zeros((5, 2), y.dtype))[1](y)[0],
)
case(
    "convolution to its weight",
    convolution("weight"),
    lambda x, y: jax.vjp(lambda w: convolved(x, w), jnp.zeros((2, 2, 3), y.dtype))[1](y)[0],
)
case("select", cl.trace((Space(3, Discrete(2)), S(3), S(3)), F.select), lambda c, x, y: jnp.where(c == 1, x, y))
case("divides", cl.trace((Space(3, DISCRETE),), lambda n: F.divides(3, n)), lambda n: (n % 3 == 0).astype(jnp.int32))
case("since", cl.trace((Space(3, DISCRETE),), lambda n: F.since(2, n)), lambda n: jnp.maximum(n - 2, 0))
LABELS = Space(3, Discrete(4))
case("less", cl.trace((LABELS, LABELS), F.less), lambda m, n: (m < n).astype(jnp.int32))
case("compare", cl.trace((S(2, 3), S(2, 3)), F.compare), lambda x, y: jnp.where(x == y, 1.0, 0.0))
case("compare with itself", cl.trace(S(3), lambda x: F.compare(x, x[:1][0])), lambda x: jnp.where(x == x[0], 1.0, 0.0))
case("maximum over", cl.trace(S(2, 3, 2), lambda x: F.maximum_over(x, (2, 0))), lambda x: x.max((0, 2)))
case(
    "first largest",
    FirstLargest(S(2, 3), (1,)).diagram,
    lambda x: jax.nn.one_hot(jnp.argmax(x, 1), 3, dtype=x.dtype),
)
case("lookup", cl.trace((S(4, 2), Space(3, Discrete(4))), F.lookup), lambda t, i: t[i])
case(
    "collect",
    Collect(REAL, Space(3, Discrete(4)), (2,)).diagram,
    lambda i, r: jnp.zeros((4, 2), r.dtype).at[i].add(r),
)
case("probe", Probe(S(2), "x").diagram, lambda x: x)
case("lower", Lower(S(2)).diagram, lambda x: x)
case("raise", Raise(S(2)).diagram, lambda x: x)
case("choose", Choose(bits).diagram, lambda s, a, b: a + s * (b - a))
case("choose integers", Choose(numbers).diagram, lambda s, a, b: a + s * (b - a))
case("popcount", Popcount(bits).diagram, lambda x: x.sum(-1))

WIRES = np.array([[[0, 2], [1, 1]], [[2, 1], [0, 1]]])  # two places of two tables, a bit read twice
ON_BITS = (BITS, Frozen(WIRES), 3, (2,))


def multilinear(t, x):
    """sum over a of t_a prod_i (x_i if a_i else 1 - x_i), for two samples, two places and two tables."""
    x = x[:, WIRES]
    entries = [
        t[:, a] * jnp.stack([x[..., i] if a >> i & 1 else 1 - x[..., i] for i in (0, 1)]).prod(0) for a in range(4)
    ]
    return sum(entries)


def two_of_three(x):
    a, b, c = (x[:, k] for k in ([0, 1], [1, 2], [2, 2]))
    return a * b + b * c + a * c - 2 * a * b * c


GATES = (Frozen(np.array([[0, 1, 2], [1, 2, 2]])), 3, 2, (2,))
case("tables", Read(*ON_BITS).diagram, multilinear)
case(
    "tables, written",
    Write(*ON_BITS).diagram,
    lambda x, v: jax.vjp(lambda t: multilinear(t, x), jnp.zeros((2, 4)))[1](v)[0],
)
case("tables, votes", Votes(*ON_BITS).diagram, lambda t, x, v: jax.vjp(lambda x: multilinear(t, x), x)[1](v)[0])
case("at least", AtLeast(*GATES).diagram, two_of_three)
case("at least, votes", AtLeastVotes(*GATES).diagram, lambda x, v: jax.vjp(two_of_three, x)[1](v)[0])


def settling(w, b, x):
    """The steps of a fixed point, written out."""
    for _ in range(40):
        x = jnp.tanh(0.1 * (w @ x) + b)
    return x


case(
    "fixed point",
    fixed_point(trace(S(2, 2), S(2), S(2))(lambda w, b, x: F.tanh(0.1 * (w @ x) + b)), tolerance=1e-15),
    settling,
)


def away_from_singular(f):
    """f of matrices near three times the identity."""
    return lambda x: f(0.3 * jnp.tanh(x) + 3.0 * jnp.eye(2))


def _well(f):
    return trace(S(2, 2, 2))(lambda x: f(0.3 * F.tanh(x) + F.constant(x.space, np.stack([3.0 * np.eye(2)] * 2))))


case("inverse", _well(inverse), away_from_singular(jnp.linalg.inv))
case("log det", _well(log_determinant), away_from_singular(lambda x: jnp.linalg.slogdet(x)[1]))

NAMES = sorted(CASES)


def walk(diagram):
    for generator, _, _ in diagram.nodes:
        yield generator
        for part in (getattr(generator, "body", None), getattr(generator, "get", None)):
            if isinstance(part, Diagram):
                yield from walk(part)


def concrete(kind):
    for sub in kind.__subclasses__():
        yield sub
        yield from concrete(sub)


def test_every_generator_has_a_case():
    for module in pkgutil.iter_modules(catlearn.generators.__path__):
        importlib.import_module(f"catlearn.generators.{module.name}")
    defined = {kind for kind in concrete(Generator) if kind.__module__.startswith("catlearn.generators.")}
    abstract = {"Pointwise", "FromDiscrete", "Reindexing", "_Binary", "Draw", "PerKey", "_Over", "_Precision", "_Rows"}
    abstract |= {"Tables", "AtAddress", "_OfSquares"}
    # What draws from keys is tested in test_selection, batch normalisation, no n-fold map, in test_normalisation.
    elsewhere = {"Bernoulli", "NormalDraw", "SplitKey", "Dropout", "Shift", "BatchNormalise"}
    # What has steps only, and what rescales votes, is tested in test_counting; what tables run as, in test_tables.
    elsewhere |= {"Positive", "Clamp", "Shares", "Scaled", "Dither", "Rescale", "RescaleVotes"}
    elsewhere |= {"Address", "Pick", "WriteAt", "ReadVotes"}
    covered = {type(generator) for example in CASES.values() for generator in walk(example.diagram)}
    assert {kind.__name__ for kind in defined - covered} == abstract | elsewhere
    assert {f"function {name}" for name in FUNCTIONS} <= set(CASES)


@cache
def derivatives(name):
    """f, R[f] and R[R[f]], each with its reference, and the compiled comparison."""
    f, function = CASES[name].diagram, CASES[name].function
    once = vjp_of(function, f.dom, f.cod)
    checks = [(f, function), (R(f), once)]
    if not any(not generator.lawful for generator in walk(f)):
        checks.append((R(R(f)), vjp_of(once, R(f).dom, R(f).cod)))
    return checks, together(checks)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=3)
@given(seed=seeds)
def test_the_value_and_R_and_R_of_R_are_those_of_jax(name, seed):
    checks, both = derivatives(name)
    f = CASES[name].diagram
    point = drawn(f.dom, seed, CASES[name].low, CASES[name].high)
    first = [*point, *drawn(changes(f.cod), seed + 1)]
    second = [*first, *drawn(changes(changes(f.dom)), seed + 2)]
    compare(checks, both, [point, first, second][: len(checks)])


FLAGS = {name: list(product((False, True), repeat=len(CASES[name].diagram.dom))) for name in NAMES}
ALIKE = (
    "function ",
    "in a scan",
    "of length",
    "unused",
    "sum of",
    "of three",
    "to length",
    "outer",
    "inner",
    "scalars",
)
ALIKE += ("map all", "map of one", "shared items", "without items or", "repeated")
BATCHED = [n for n in NAMES if len(FLAGS[n]) <= 8 and not any(part in f"{n} " for part in ALIKE)]
BATCHED += ["function tanh", "JAX function", "JAX function of a label"]


@cache
def batches(name):
    """The batch with each choice of flags, and its R, with their references; R of one scan stands for R of all."""
    example, checks = CASES[name], []
    derive = name == "scan cell" or not any(isinstance(generator, Scan) for generator in walk(example.diagram))
    for flags in FLAGS[name]:
        many, function = cl.batch(example.diagram, 2, flags), many_of(example.function, 2, flags)
        checks.append((many, function))
        if derive:
            checks.append((R(many), vjp_of(function, many.dom, many.cod)))
    return checks, together(checks)


@pytest.mark.parametrize("name", BATCHED)
@settings(max_examples=3)
@given(seed=seeds)
def test_a_batch_with_any_flags_is_jax_vmap(name, seed):
    checks, both = batches(name)
    points = [drawn(many.dom, seed + k, CASES[name].low, CASES[name].high) for k, (many, _) in enumerate(checks)]
    compare(checks, both, points)


# What the table cannot say


def test_a_batch_of_a_marked_node_with_nothing_stacked():
    """n copies of a clip clip n cotangents, each on its own."""
    many = cl.batch(cl.clip_change(S(2), 0.5), 3, (False,))
    d = np.array([[2.0, 0.1], [-3.0, 0.2], [0.3, 0.4]])
    np.testing.assert_allclose(run(R(many))([1.0, 2.0], d), np.clip(d, -0.5, 0.5).sum(0))


@given(seed=seeds)
@settings(max_examples=10)
def test_R_of_a_surrogate_is_a_plain_diagram(seed):
    """R[f] has f's value in place, so R[R[f]] is the derivative of what R[f] computes."""
    f = cl.trace((S(2), S(2)), lambda x, y: passing(x) * y)
    back = R(f)
    x, y, d = point = drawn(back.dom, seed)
    np.testing.assert_allclose(run(back)(*point), (d * y * x * x, d * (x > 0)))
    e, g = drawn((S(2), S(2)), seed + 1)
    wanted = (2 * x * d * y * e, d * x * x * e, y * x * x * e + (x > 0) * g)
    np.testing.assert_allclose(run(R(back))(*point, e, g), wanted)


@pytest.mark.parametrize(
    ("function", "cotangents"),
    [(F.relu, (0.0,)), (F.absolute, (0.0,)), (F.sign, (0.0,)), (F.step, (0.0,)), (F.maximum, (0.0, 1.0))],
)
def test_the_derivative_at_a_kink(function, cotangents):
    f = cl.trace((S(),) * len(cotangents), function)
    back = as_tuple(R(f)(*[0.0] * len(cotangents), 1.75))
    assert [float(x) for x in back] == [1.75 * c for c in cotangents]


# Rings, against Python's own numbers

RINGS = {
    "Z2": (Z2, 2),
    "Modular(4)": (Modular(4), 4),
    "Modular(32768)": (Modular(2**15), 2**15),
    "INTEGERS": (INTEGERS, 0),
}
FUNCTORS = {"jax": Jax(), "exact": Exact()}
ring = pytest.mark.parametrize("ring", RINGS)
functor = pytest.mark.parametrize("functor", FUNCTORS)


def remainder(value, modulus):
    return value % modulus if modulus else value


def element(draw, modulus):
    return draw(st.integers(0, modulus - 1) if modulus else st.integers(-50, 50))


def table(draw, modulus, rows, columns):
    return [[element(draw, modulus) for _ in range(columns)] for _ in range(rows)]


def plain(value):
    return tuple(np.asarray(part).tolist() for part in as_tuple(value))


@cache
def meaning(functor, ring, text):
    """The diagrams of this section, traced once."""
    carrier = RINGS[ring][0]
    square, column = Space((2, 3), carrier), Space((3,), carrier)
    scalar = Space((), carrier)
    rows = cl.trace((column, column), lambda x, y: (x * y - x, F.sum(x)))
    recurrence = cl.trace((scalar, scalar, scalar), lambda w, h, x: (w * h + x, h * x))
    diagrams = {
        "pointwise": cl.trace((square, square), lambda x, y: (x + y, x - y, -x, x * y, x * x * x + 1)),
        "contract": cl.trace(
            (square, Space((3, 2), carrier)),
            lambda x, y: (x @ y, F.sum(x), F.sum(x, 0), F.transpose(x), F.einsum("ij,ji->i", x, y), F.stack(x, 2)),
        ),
        "index": cl.trace(
            square,
            lambda x: (
                F.reshape(x, (3, 2)),
                F.gather(x, [2, 0, 2], 1),
                x[:, 1:],
                F.concatenate([x, x[:1]]),
                Scatter(square, 1, positions([1, 0, 1]), 3)(x),
            ),
        ),
        "map": Map(rows, 2, (False, True)).diagram,
        "scan": cl.scan(recurrence, 4, 1, 1),
        "scan backward": cl.scan(recurrence, 4, 1, 1, backward=True),
        "scan of none": cl.scan(recurrence, 0, 1, 1),
        "R": R(cl.trace((square, square), lambda x, y: x * x * y - 3 * y)),
    }
    return FUNCTORS[functor](diagrams[text])


@ring
@functor
@settings(max_examples=8)
@given(data=st.data())
def test_arithmetic_over_rings(functor, ring, data):
    n = RINGS[ring][1]
    x, y = table(data.draw, n, 2, 3), table(data.draw, n, 2, 3)

    def each(operation):
        return [[remainder(operation(a, b), n) for a, b in zip(*rows, strict=True)] for rows in zip(x, y, strict=True)]

    operations = (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: -a, lambda a, b: a * b, lambda a, b: a**3 + 1)
    assert plain(meaning(functor, ring, "pointwise")(x, y)) == tuple(map(each, operations))


@ring
@functor
@settings(max_examples=8)
@given(data=st.data())
def test_R_over_rings_is_the_formal_derivative(functor, ring, data):
    """x x y - 3 y has the partial derivatives 2 x y and x x - 3, also where 2 = 0."""
    n = RINGS[ring][1]
    x, y, d = (table(data.draw, n, 2, 3) for _ in range(3))
    if ring == "INTEGERS":
        x = [[a % 10 for a in row] for row in x]

    def each(derivative):
        return [
            [remainder(derivative(*abc), n) for abc in zip(*rows, strict=True)] for rows in zip(x, y, d, strict=True)
        ]

    wanted = each(lambda a, b, c: 2 * a * b * c), each(lambda a, b, c: (a * a - 3) * c)
    assert plain(meaning(functor, ring, "R")(x, y, d)) == wanted


@ring
@functor
@settings(max_examples=8)
@given(data=st.data())
def test_contraction_over_rings(functor, ring, data):
    n = RINGS[ring][1]
    x, y = table(data.draw, n, 2, 3), table(data.draw, n, 3, 2)
    matrix = [[remainder(sum(x[i][j] * y[j][k] for j in range(3)), n) for k in range(2)] for i in range(2)]
    wanted = (
        matrix,
        remainder(sum(map(sum, x)), n),
        [remainder(x[0][j] + x[1][j], n) for j in range(3)],
        [[x[0][j], x[1][j]] for j in range(3)],
        [matrix[0][0], matrix[1][1]],
        [x, x],
    )
    assert plain(meaning(functor, ring, "contract")(x, y)) == wanted


@pytest.mark.parametrize("ring", ["Z2", "Modular(4)", "INTEGERS"])
@functor
@settings(max_examples=8)
@given(data=st.data())
def test_indexing_over_rings(functor, ring, data):
    n = RINGS[ring][1]
    x = table(data.draw, n, 2, 3)
    flat = x[0] + x[1]
    wanted = (
        [flat[0:2], flat[2:4], flat[4:6]],
        [[row[2], row[0], row[2]] for row in x],
        [row[1:] for row in x],
        [*x, x[0]],
        [[row[1], remainder(row[0] + row[2], n), 0] for row in x],
    )
    assert plain(meaning(functor, ring, "index")(x)) == wanted


@pytest.mark.parametrize("ring", ["Z2", "Modular(4)", "INTEGERS"])
@functor
@settings(max_examples=8)
@given(data=st.data())
def test_maps_and_scans_over_rings(functor, ring, data):
    n = RINGS[ring][1]
    x, items = table(data.draw, n, 1, 3)[0], table(data.draw, n, 2, 3)
    wanted = (
        [[remainder(a * b - a, n) for a, b in zip(x, row, strict=True)] for row in items],
        [remainder(sum(x), n)] * 2,
    )
    assert plain(meaning(functor, ring, "map")(x, items)) == wanted
    w, start = element(data.draw, n) % 9, element(data.draw, n)
    line = table(data.draw, n, 1, 4)[0]
    for text, order in (("scan", range(4)), ("scan backward", range(3, -1, -1))):
        state, emitted = start, [0] * 4
        for t in order:
            state, emitted[t] = remainder(w * state + line[t], n), remainder(state * line[t], n)
        assert plain(meaning(functor, ring, text)(w, start, line)) == (state, emitted)
    assert plain(meaning(functor, ring, "scan of none")(w, start, np.zeros(0, int))) == (start, [])


@pytest.mark.parametrize("length", [0, 1, 2, 255, 256, 300, 511])
@functor
def test_long_sums_keep_their_remainder(functor, length):
    """More ones than a byte counts."""
    for carrier, modulus in ((Z2, 2), (Modular(4), 4), (Modular(3), 3)):
        ones = np.ones(length, int)
        space = Space(length, carrier)
        f = cl.trace((space, space), lambda x, y: (F.sum(x), F.einsum("i,i->", x, y)))
        assert plain(FUNCTORS[functor](f)(ones, ones)) == (length % modulus, length % modulus)


@functor
def test_bits_against_truth_tables(functor):
    bit = Space((), BITS)
    f = cl.trace((bit, bit), lambda x, y: (x * y, F.union(x, y), F.xor(x, y), F.invert(x), F.include(x) - F.include(y)))
    back = R(cl.trace((bit, bit), F.xor))
    for x, y in product((0, 1), repeat=2):
        assert plain(FUNCTORS[functor](f)(x, y)) == (x and y, x or y, int(x != y), int(not x), x - y)
        assert plain(FUNCTORS[functor](back)(x, y, 7)) == (-7 if y else 7, -7 if x else 7)


def test_exact_numbers_do_not_overflow():
    matrix = Space((2, 2), INTEGERS)
    f = cl.trace((matrix, matrix), lambda x, y: x @ y)
    big = 10**30
    assert plain(Exact()(f)([[big, 1], [0, 2]], [[big, 0], [3, big]])) == ([[big * big + 3, big], [6, 2 * big]],)


# Scans that are fused and restricted


def scans(diagram):
    return [generator for generator, _, _ in diagram.nodes if isinstance(generator, Scan)]


@pytest.mark.parametrize("backward", [False, True])
@settings(max_examples=4)
@given(seed=seeds)
def test_fused_scans_keep_their_values(backward, seed):
    """<f, R[f]> walks the items twice, once each way, where the diagram names three scans."""
    body = cl.trace((V, V, V), cell(F))
    f = cl.scan(body, 3, 1, 1, backward=backward)
    n = len(f.dom)
    both = cl.wiring(R(f).dom, [*range(n), *range(len(R(f).dom))]) >> (f @ R(f))
    tidied = tidy(both, run)
    assert (len(scans(both)), len(scans(tidied))) == (3, 2)
    assert (tidied.dom, tidied.cod) == (both.dom, both.cod)
    point = drawn(both.dom, seed)
    reference = looped(cell(jnp), 3, 1, 1, f.cod[1:], backward)
    pulled = vjp_of(reference, f.dom, f.cod)
    check(both, lambda *xs: (*reference(*xs[:n]), *pulled(*xs)), point)
    with jax.enable_x64(True):
        values = tuple(jnp.asarray(x) for x in point)
        for mine, untouched in zip(run.interpret(tidied, values), run.interpret(both, values), strict=True):
            np.testing.assert_allclose(mine, untouched, rtol=1e-12)


def test_scans_over_different_wires_or_lengths_are_not_fused():
    body = cl.trace((V, V), lambda h, x: (h * x, h + x))
    other = cl.trace((V, V), lambda h, x: (h + x, h + x))
    h, items = V, S(3, 2)

    def number(function, *spaces):
        return len(scans(tidy(cl.trace(spaces, function), run)))

    once, twice = cl.scan(body, 3, 0, 1), cl.scan(other, 3, 0, 1)
    back = cl.scan(body, 3, 0, 1, backward=True)
    assert number(lambda a, x: (*once(a, x), *twice(a, x)), h, items) == 2
    assert number(lambda a, x: (*once(a, x), *back(a, x)), h, items) == 2
    assert number(lambda a, x, y: (*once(a, x), *once(a, y)), h, items, items) == 2
    emits = cl.trace((V, V), lambda h, x: (h * x, F.sin(x)))
    joined = cl.trace((h, items), lambda a, x: (*once(a, x), *cl.scan(emits, 3, 0, 1)(a, x)))
    assert len(scans(tidy(joined, run))) == 1
    loop = looped(lambda h, x: (h * x, h + x, jnp.sin(x)), 3, 0, 1, (V, V))
    check(joined, lambda a, x: (lambda s, e, f: (s, e, s, f))(*loop(a, x)), drawn(joined.dom, 5))


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("outputs", [(0,), (1,), (2,), (3,), (0, 3), (3, 2, 2), ()])
def test_restricted_scans_keep_their_values(backward, outputs):
    """Whatever outputs are wanted, they come out the same, and what nothing reads is not carried."""

    def steps(f):
        return lambda w, a, b, c, x: (a * x, f.sin(b) + a, c * w, f.cos(x) * b)

    body = cl.trace((V,) * 5, steps(F))
    whole = cl.scan(body, 3, 1, 3, backward=backward)
    f = whole.select(outputs)
    reference = looped(steps(jnp), 3, 1, 3, (V,), backward)
    point = drawn(f.dom, 11)
    check(f, lambda *xs: tuple(reference(*xs)[k] for k in outputs), point)
    carried = {(): [], (0,): [1], (1,): [2], (2,): [1], (3,): [2], (0, 3): [2], (3, 2, 2): [3]}[outputs]
    assert [scan.states for scan in scans(tidy(f, run))] == carried


def test_fusing_and_restricting_inside_a_training_sized_gradient():
    """R of R of a scan, wanted in one input only: tidied and untidied agree, in float64 and in Exact arithmetic."""
    number = Space((), INTEGERS)
    body = cl.trace((number,) * 3, lambda w, h, x: (w * h + x, h * x))
    twice = R(R(cl.scan(body, 3, 1, 1))).select([0, 2])
    point = drawn(twice.dom, 3)
    wanted = [v.tolist() for v in Exact().interpret(twice, tuple(np.asarray(p, object) for p in point))]
    assert plain(Exact()(twice)(*point)) == tuple(wanted)
    assert plain(Jax()(twice)(*point)) == tuple(wanted)
