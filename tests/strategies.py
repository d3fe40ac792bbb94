"""Hypothesis strategies for objects and well-typed diagrams, and semirings that the tests add to the shipped ones."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

import catlearn as cl
from catlearn import functions as F
from catlearn.builder import Builder
from catlearn.functors.symbolic import polynomials
from catlearn.tracing import Wire, building


@dataclass(frozen=True, repr=False)
class Saturating(cl.Semiring):
    """0 ... size - 1 with sums and products cut at the top; not a ring (CIRC.Sat)."""

    size: int = 4
    name: str = "SATURATING"
    kind: str = "integer"

    def contains(self, values):
        return (values >= 0) & (values < self.size)

    def add(self, xp, x, y):
        return xp.minimum(x + y, self.size - 1)

    def multiply(self, xp, x, y):
        return xp.minimum(x * y, self.size - 1)


@dataclass(frozen=True, repr=False)
class Tropical(cl.Semiring):
    """Integers and infinity with min and + (CIRC.trop)."""

    name: str = "TROPICAL"
    kind: str = "integer"
    zero: float = np.inf
    one: int = 0

    def add(self, xp, x, y):
        return xp.minimum(x, y)

    def multiply(self, xp, x, y):
        return x + y


RINGS = [cl.Z2, cl.Modular(3), cl.Modular(4), cl.INTEGERS]
SEMIRINGS = [*RINGS, cl.Modular(6), Saturating()]
ELEMENTS = {"Z2": [0, 1], "INTEGERS": [-2, -1, 0, 1, 3], "SATURATING": [0, 1, 2, 3]}


def built(builder, operation, x, y):
    """What an operation on two of a builder's wires adds to it."""
    with building(builder):
        return operation(x, y)


def elements(carrier):
    return st.sampled_from(ELEMENTS.get(carrier.name) or list(range(carrier.modulus)))


@st.composite
def circuits(draw, carrier, inputs=None, outputs=None, gates=5):
    """A polynomial circuit on scalar wires: wires repeated and unused, no inputs and no outputs included."""
    space = cl.Space((), carrier)
    n = draw(st.integers(0, 2)) if inputs is None else inputs
    m = draw(st.integers(0, 2)) if outputs is None else outputs
    builder = Builder((space,) * n)
    wires = [Wire(builder, k) for k in range(n)]

    def constant():
        return Wire(builder, builder.apply(cl.generators.arithmetic.Constant(space, draw(elements(carrier))), ())[0])

    kinds = ["add", "multiply", "constant"] + ["negate"] * carrier.has("negate")
    for _ in range(draw(st.integers(0, gates))):
        kind = draw(st.sampled_from(kinds if wires else ["constant"]))
        if kind == "constant":
            wires.append(constant())
        elif kind == "negate":
            wires.append(-draw(st.sampled_from(wires)))
        else:
            x, y = draw(st.sampled_from(wires)), draw(st.sampled_from(wires))
            wires.append(x + y if kind == "add" else x * y)
    if m and not wires:
        wires.append(constant())
    return builder.finish(draw(st.sampled_from(wires)).index for _ in range(m))


@st.composite
def bit_circuits(draw, inputs=None, outputs=None, gates=5):
    """A circuit of bits: and, not, exclusive or, or, inclusion in the integers and arithmetic there."""
    bit, number = cl.Space((), cl.BITS), cl.Space((), cl.INTEGERS)
    n = draw(st.integers(0, 3)) if inputs is None else inputs
    m = draw(st.integers(0, 2)) if outputs is None else outputs
    kinds = draw(st.lists(st.sampled_from([bit, bit, number]), min_size=n, max_size=n))
    builder = Builder(tuple(kinds))
    wires = [Wire(builder, k) for k in range(n)]
    for _ in range(draw(st.integers(0, gates))):
        if not wires:
            break
        x = draw(st.sampled_from(wires))
        same = [wire for wire in wires if wire.space == x.space]
        y = draw(st.sampled_from(same))
        if x.space == bit:
            choices = [
                lambda x, y: x * y,
                lambda x, y: F.invert(x),
                lambda x, y: F.xor(x, y),
                lambda x, y: F.union(x, y),
            ]
            choices.append(lambda x, y: F.include(x))
        else:
            choices = [lambda x, y: x * y, lambda x, y: x + y, lambda x, y: x - y, lambda x, y: -x, lambda x, y: x * 2]
        wires.append(built(builder, draw(st.sampled_from(choices)), x, y))
    if not wires:
        m = 0
    return builder.finish(draw(st.sampled_from(wires)).index for _ in range(m))


SMOOTH_SPACES = [cl.Space((), cl.REAL), cl.Space((2,), cl.REAL), cl.Space((2, 3), cl.REAL), cl.Space((0,), cl.REAL)]


@st.composite
def smooth_diagrams(draw, inputs=None, outputs=None, gates=6):
    """A smooth diagram on scalars, vectors and matrices, away from kinks; an empty vector included."""
    n = draw(st.integers(0, 3)) if inputs is None else len(inputs)
    dom = tuple(draw(st.sampled_from(SMOOTH_SPACES)) for _ in range(n)) if inputs is None else inputs
    m = draw(st.integers(0, 2)) if outputs is None else outputs
    builder = Builder(dom)
    wires = [Wire(builder, k) for k in range(n)]
    for _ in range(draw(st.integers(0, gates))):
        if not wires:
            break
        x = draw(st.sampled_from(wires))
        y = draw(st.sampled_from([wire for wire in wires if wire.space == x.space]))
        choices = [
            lambda x, y: x + y,
            lambda x, y: x * y,
            lambda x, y: x - 0.5 * y,
            lambda x, y: F.tanh(x),
            lambda x, y: F.sin(x),
            lambda x, y: F.sigmoid(x),
            lambda x, y: F.exp(-(x * x)),
            lambda x, y: x / (1.0 + y * y),
            lambda x, y: F.sum(x),
            lambda x, y: F.transpose(x),
            lambda x, y: F.reshape(x, (x.space.size,)),
            lambda x, y: F.softplus(x),
        ]
        if len(x.shape) == 1 and x.shape[0]:
            choices += [
                lambda x, y: F.softmax(x),
                lambda x, y: F.gather(x, [1, 0, 1]),
                lambda x, y: x[0],
                lambda x, y: F.broadcast(x, (2, 2)),
            ]
            choices += [lambda x, y: F.concatenate([x, y]), lambda x, y: F.einsum("i,j->ij", x, y)]
        if len(x.shape) == 2:
            choices += [lambda x, y: x @ F.transpose(y), lambda x, y: x[:, 1:], lambda x, y: F.sum(x, 0)]
        new = built(builder, draw(st.sampled_from(choices)), x, y)
        if new.space.size <= 12:
            wires.append(new)
    if not wires:
        m = 0
    return builder.finish(draw(st.sampled_from(wires)).index for _ in range(m))


def random_arrays(draw, spaces):
    """Random floats for each space, from one Hypothesis seed."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return [generator.normal(size=space.shape) for space in spaces]


def same(f, g):
    """Whether two diagrams have the same type and denote the same polynomials."""
    assert (f.dom, f.cod) == (g.dom, g.cod)
    return polynomials(f) == polynomials(g)


def formal_reverse(f):
    """The polynomials of R[f] by the formal derivative: R[f](x, y)_i = sum_j d f_j / d x_i y_j (INST.poly)."""
    outputs = polynomials(f)
    n = len(f.dom)
    result = []
    for i, space in enumerate(f.dom):
        total = zero_polynomial(space)
        for j, output in enumerate(outputs):
            total = total + output.derivative(f"x{i}") * variable(f.cod[j], n + j)
        result.append(total)
    return tuple(result)


def formal_forward(f):
    """The polynomials of D[f] by the formal derivative: D[f](x, v)_j = sum_i d f_j / d x_i v_i."""
    n = len(f.dom)
    result = []
    for output, space in zip(polynomials(f), f.cod, strict=True):
        total = zero_polynomial(space)
        for i, source in enumerate(f.dom):
            total = total + output.derivative(f"x{i}") * variable(source, n + i)
        result.append(total)
    return tuple(result)


def zero_polynomial(space):
    from catlearn.functors.symbolic import Polynomial, base_of

    return Polynomial(base_of(space.carrier), {})


def variable(space, number):
    from catlearn.functors.symbolic import Polynomial, base_of

    base = base_of(space.carrier)
    return Polynomial(base, {((f"x{number}", 1),): base.one})
