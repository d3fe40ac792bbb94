"""Bad input: one clear error that says what was expected, what came and what to do."""

from dataclasses import dataclass

import numpy as np
import pytest

import catlearn as cl
from catlearn import functions as F
from catlearn import layers
from catlearn.errors import (
    CatlearnError,
    CompositionError,
    DataError,
    InputError,
    OperationError,
    UnknownNameError,
    nearest,
)
from catlearn.functors import Exact, Jax

bit, real, number = cl.Space((), cl.Z2), cl.Space((), cl.REAL), cl.Space((), cl.INTEGERS)
vector = cl.Space(3, cl.REAL)
CALLS = {
    "too few inputs": (cl.add(bit), (1,), "takes 2 inputs; it got 1"),
    "too many inputs": (cl.identity(bit), (1, 0), "takes 1 inputs; it got 2"),
    "shape": (
        cl.identity(vector),
        ([1.0, 2.0],),
        r"input 0 must have shape \(3,\) \(Space\(\(3,\), REAL\)\); got shape \(2,\)",
    ),
    "scalar for vector": (cl.identity(vector), (1.0,), r"must have shape \(3,\)"),
    "float for bit": (cl.identity(bit), (1.0,), "must hold 0, 1 or booleans .* got dtype float64"),
    "two for bit": (cl.identity(bit), (2,), "has the value 2, which is not in Z2"),
    "negative for bit": (cl.identity(cl.Space((), cl.BITS)), (-1,), "has the value -1, which is not in BITS"),
    "float for integer": (cl.identity(number), (1.5,), "must hold integers"),
    "boolean for integer": (cl.identity(number), (True,), "must hold integers"),
    "boolean for real": (cl.identity(real), (True,), "must hold numbers"),
    "complex": (cl.identity(real), (1j,), "must hold numbers .* got dtype complex128"),
    "text": (cl.identity(real), ("one",), "must hold numbers"),
    "nothing": (cl.identity(real), (None,), "must hold numbers"),
    "outside the modulus": (
        cl.identity(cl.Space(2, cl.Modular(5))),
        ([4, 5],),
        r"has the value 5, which is not in Modular\(5\)",
    ),
    "label": (cl.identity(cl.Space((), cl.Discrete(3))), (3,), r"has the value 3, which is not in Discrete\(3\)"),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("functor", [Jax(), Exact()], ids=["jax", "exact"])
def test_calls(name, functor):
    diagram, arguments, message = CALLS[name]
    with pytest.raises(InputError, match=message):
        functor(diagram)(*arguments)


@pytest.mark.parametrize("value", [0, 1, True, False, np.uint8(1), np.bool_(True), np.array(1)])
def test_zero_one_and_booleans_are_bits(value):
    for carrier in (cl.Z2, cl.BITS):
        result = cl.identity(cl.Space((), carrier))(value)
        assert result.dtype == np.uint8
        assert int(result) == int(value)


def test_keys_are_keys():
    with pytest.raises(InputError, match=r"must be random keys \(jax.random.key\)"):
        cl.identity(cl.Space((), cl.KEYS))(3)


TRACES = {
    "mixed semirings": (
        (bit, number),
        lambda x, y: x * y,
        OperationError,
        r"multiply cannot mix Space\(\(\), Z2\) and",
    ),
    "sum of bits": (
        (cl.Space((), cl.BITS),) * 2,
        lambda x, y: x + y,
        OperationError,
        "functions.xor .*functions.include",
    ),
    "reshape": ((vector,), lambda x: F.reshape(x, (2, 2)), OperationError, r"of 3 entries to shape \(2, 2\)"),
    "gather": ((vector,), lambda x: F.gather(x, [3]), OperationError, "index 3 is outside axis 0 .* use 0 to 2"),
    "gather floats": ((vector,), lambda x: F.gather(x, [0.5]), OperationError, "integer positions; got dtype float64"),
    "index": ((vector,), lambda x: x[3], OperationError, "index 3 is outside axis 0"),
    "too many indices": ((vector,), lambda x: x[0, 0], OperationError, "at most 1 integers and slices"),
    "steps": ((vector,), lambda x: x[::2], OperationError, "slices have step 1"),
    "einsum letters": (
        (vector, cl.Space(2, cl.REAL)),
        lambda x, y: F.einsum("i,i->", x, y),
        OperationError,
        "'i' is 3 on one",
    ),
    "einsum parts": ((vector,), lambda x: F.einsum("i,j->ij", x), OperationError, "one part a wire"),
    "einsum repeated": (
        (cl.Space((3, 3), cl.REAL),),
        lambda x: F.einsum("ii->i", x),
        OperationError,
        "2 different letters",
    ),
    "einsum new letter": ((vector,), lambda x: F.einsum("i->ij", x), OperationError, r"none for \['j'\]"),
    "sum axis": ((vector,), lambda x: F.sum(x, 1), OperationError, "which has 1 axes"),
    "transpose": ((vector,), lambda x: F.transpose(x, (1,)), OperationError, "needs a permutation of its 1 axes"),
    "broadcast": ((vector,), lambda x: F.broadcast(x, (3, 2)), OperationError, "only new leading axes"),
    "matmul": ((real, real), lambda x, y: x @ y, OperationError, "multiplies vectors and matrices"),
    "power": ((real,), lambda x: x**-1, OperationError, "a whole exponent of at least 0; got -1"),
    "float constant": ((number,), lambda x: x + 0.5, InputError, "is a float and .* is not real"),
    "constant outside": ((bit,), lambda x: x + np.array(2), InputError, "is not a value of Z2"),
    "constant shape": ((vector,), lambda x: x + np.ones(2), InputError, r"needs a number or shape \(3,\); got \(2,\)"),
    "no functions of integers": ((number,), F.exp, OperationError, "exp acts on REAL"),
    "unknown function": ((real,), lambda x: F.apply("tahn", x), UnknownNameError, "did you mean 'tanh'"),
    "one hot of a counter": ((cl.Space((), cl.DISCRETE),), F.one_hot, OperationError, r"labels of a Discrete\(n\)"),
    "successor of a label": ((cl.Space((), cl.Discrete(3)),), F.successor, OperationError, "unbounded counters"),
    "invert over Z2": ((bit,), F.invert, OperationError, "not is 1 [+] x"),
    "mean of integers": ((cl.Space(2, cl.INTEGERS),), F.mean, OperationError, "no operation 'divide'"),
    "concatenate": ((vector, bit), lambda x, y: F.concatenate([x, y]), OperationError, "needs spaces alike"),
    "concatenate nothing": ((vector,), lambda x: F.concatenate([]), OperationError, "at least one wire"),
}


@pytest.mark.parametrize("name", TRACES)
def test_traces(name):
    dom, function, kind, message = TRACES[name]
    with pytest.raises(kind, match=message) as caught:
        cl.trace(dom, function)
    assert isinstance(caught.value, CatlearnError)


@dataclass(frozen=True)
class Bare(cl.Generator):
    """A generator with no meaning and no reverse."""

    @property
    def dom(self):
        return (real,)

    @property
    def cod(self):
        return (real,)


def test_generators_that_lack_something():
    with pytest.raises(OperationError, match=r"bare has no reverse derivative: give its class a reverse\(\)"):
        cl.reverse_derivative(Bare().diagram)
    with pytest.raises(OperationError, match=r"no functor runs bare \(Bare\): give the class an evaluate\(\)"):
        Bare().diagram(1.0)


def test_constructions():
    body = cl.trace((vector, vector), lambda s, x: s[0] + x[0])
    with pytest.raises(CompositionError, match="the states that a scan body takes and returns"):
        cl.scan(body, 3)
    with pytest.raises(CompositionError, match="2 shared inputs and 1 states"):
        cl.scan(body, 3, 2, 1)
    with pytest.raises(CompositionError, match="has 2 inputs and there are 1 flags"):
        cl.batch(body, 3, [True])
    with pytest.raises(UnknownNameError, match="no precision is called 'float23': did you mean 'float32'"):
        Jax("float23")
    with pytest.raises(CompositionError, match=r"the put of bad has the wrong domain"):
        cl.surrogate("bad", cl.identity(real), cl.identity(real))
    with pytest.raises(OperationError, match="a JAX function maps REAL and discrete spaces"):
        cl.from_jax(np.sin, bit, bit)
    wrong = cl.from_jax(lambda x: x[:2], vector, vector)
    with pytest.raises(InputError, match=r"returned shapes \[\(2,\)\]; it was declared"):
        wrong([1.0, 2.0, 3.0])


def test_parameters():
    model = layers.dense(2, 1)
    with pytest.raises(DataError, match=r"missing \['dense_0.bias'\], unknown \['dense_0.extra'\]"):
        model.leaves({"dense_0": {"weight": 0, "extra": 1}})
    with pytest.raises(OperationError, match="the role of a parameter is one of"):
        cl.Parameter("w", real, role="weight")
    odd = cl.parametrised("noise", {"key": cl.Parameter("key", real, role="auxiliary")}, real, lambda k, x: x)
    from catlearn import losses, optimisers

    with pytest.raises(DataError, match="must be one random key"):
        cl.supervised(odd, losses.quadratic, optimisers.ga())


def test_nearest():
    assert nearest("sigmod", ["tanh", "sigmoid"]) == "did you mean 'sigmoid'?"
    assert nearest("zzz", ["b", "a"]) == "known are a, b"


matrix = cl.Space((2, 3), cl.REAL)
MISTAKES = {
    "gather beyond the axes": (lambda: cl.trace(vector, lambda x: F.gather(x, [0], 5)), "axis"),
    "concatenate beyond the axes": (lambda: cl.trace((vector, vector), lambda x, y: F.concatenate([x, y], 7)), "axis"),
    "concatenate scalars": (lambda: cl.trace((real, real), lambda x, y: F.concatenate([x, y])), "axis"),
    "constant beyond 32 bits": (lambda: cl.trace(number, lambda x: x + 2**40)(1), "does not fit int32"),
    "constant None": (lambda: cl.trace(real, lambda x: x + None), "None"),
    "order of wires": (lambda: cl.trace(real, lambda x: x if x > 0 else -x), "wire|branch"),
    "equality of wires": (lambda: cl.trace(real, lambda x: x if x == 0 else -x), "wire|branch"),
    "length of a scan": (lambda: cl.scan(cl.trace(real, F.exp), -1), "-1"),
    "ragged rows": (lambda: cl.identity(matrix)([[1.0, 2.0], [3.0]]), "all rows alike"),
    "a number for a wire": (lambda: cl.trace(real, lambda x: F.exp(2.0)), "wire"),
    "an array in an einsum": (lambda: cl.trace(vector, lambda x: x @ np.ones(3)), "wire"),
    "tie nothing": (lambda: layers.dense(2, 1).tie([]), "tie"),
    "leaves that are not nested": (lambda: layers.dense(2, 1).leaves({"dense_0.bias": 1}), "layers"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_further_mistakes(name):
    action, message = MISTAKES[name]
    with pytest.raises(CatlearnError, match=message):
        action()


@pytest.mark.parametrize("kind", ["gather", "concatenate"])
def test_a_negative_axis_is_counted_from_the_end_or_refused(kind):
    def build(axis):
        if kind == "gather":
            return cl.trace(matrix, lambda x: F.gather(x, [2, 0], axis))
        return cl.trace((matrix, matrix), lambda x, y: F.concatenate([x, y], axis))

    try:
        from_the_end = build(-1)
    except OperationError:
        return
    assert from_the_end == build(1)
