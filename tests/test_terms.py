"""The free functor and the functor of expressions, against canonical forms, JAX and SymPy itself."""

import numpy as np
import pytest
import sympy

import catlearn as cl
from catlearn.errors import OperationError
from catlearn.functors.expressions import FUNCTIONS, Expressions, equal, expressions, symbols
from catlearn.functors.free import Free, symbol
from catlearn.functors.jax import Jax
from catlearn.generators import elementwise

x, v = cl.Space((), cl.REAL), cl.Space(3, cl.REAL)
X = (x,)


def test_terms_are_equal_just_when_diagrams_are():
    f, g = symbol("f", X, X), symbol("g", X, X)
    two = symbol("h", X, X + X)
    free = Free()
    assert free.terms(f >> g) == free.terms(f >> g)
    assert free.terms(f >> g) != free.terms(g >> f)
    assert free.terms(cl.copy(x) >> (f @ f)) == free.terms(f >> cl.copy(x))
    assert free.terms(two) != free.terms(two >> cl.swap(x, x))
    assert free.terms(two >> cl.swap(x, x) >> cl.swap(x, x)) == free.terms(two)
    assert free.terms((f @ g) >> cl.swap(x, x)) == free.terms(cl.swap(x, x) >> (g @ f))
    assert repr(free.terms(two >> cl.swap(x, x))) == "(h.1(x0), h.0(x0))"


def test_a_symbol_has_a_symbol_as_reverse():
    f = symbol("f", X, X + X)
    back = cl.reverse_derivative(f)
    assert repr(Free().terms(back)) == "(R[f](x0, x1, x2),)"
    assert cl.reverse_derivative(f >> cl.discard(X + X)) == cl.zero(X, X)


def test_inputs_of_different_spaces_are_different_variables():
    free = Free()
    bit = cl.Space((), cl.Z2)
    assert free.terms(cl.identity(x)) != free.terms(cl.identity(bit))
    assert free.terms(cl.identity()) == ()


@pytest.mark.parametrize("name", elementwise.FUNCTIONS)
def test_expressions_of_functions_are_their_values(name):
    """Every function's expression, at random points, is what JAX computes."""
    f = cl.trace(x, lambda a: elementwise.apply(name, a))
    (expression,) = expressions(f)
    variable = symbols(X)[0].item()
    for point in np.random.default_rng(1).uniform(0.1, 2.0, 5):
        value = float(expression.subs(variable, point))
        np.testing.assert_allclose(value, float(Jax("float64")(f)(point)), rtol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a @ b,
        lambda a, b: cl.functions.maximum(a, b),
        lambda a, b: cl.functions.power(a, b),
        lambda a, b: cl.functions.log_softmax(a / b),
        lambda a, b: cl.functions.einsum("i,j->ij", a, b * 0.1),
    ],
)
def test_expressions_of_arrays_are_their_values(function):
    f = cl.trace((v, v), function)
    inputs = symbols(f.dom)
    points = [np.random.default_rng(k).uniform(0.2, 1.7, 3) for k in (2, 3)]
    at = {s: p for array, point in zip(inputs, points, strict=True) for s, p in zip(array, point, strict=True)}
    values = [float(e.subs(at)) for e in expressions(f)]
    np.testing.assert_allclose(values, np.asarray(Jax("float64")(f)(*points)).ravel(), rtol=1e-12)


def test_equal_is_not_fooled():
    a, b = sympy.symbols("a b", real=True)
    assert equal(sympy.tanh(a), (sympy.exp(a) - sympy.exp(-a)) / (sympy.exp(a) + sympy.exp(-a)))
    assert not equal(a + b, a - b)
    assert not equal(sympy.sign(a), 1)


def test_numbers_are_exact():
    f = cl.trace(x, lambda a: a * 0.1 + 2.0 / np.sqrt(np.pi))
    (expression,) = expressions(f)
    a = symbols(X)[0].item()
    assert expression == a / 10 + 2 / sympy.sqrt(sympy.pi)


def test_what_has_no_expression_is_refused():
    bit = cl.Space((), cl.Z2)
    with pytest.raises(OperationError):
        expressions(cl.trace((bit, bit), lambda a, b: a + b))
    with pytest.raises(OperationError, match="has no expression"):
        Expressions().load("jax.numpy:arctan")
    assert "jax.numpy:tanh" in FUNCTIONS
