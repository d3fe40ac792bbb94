"""Scans compiled by numba, beside JAX's, where numbers are not ordinary."""

import numpy as np
import pytest

import catlearn as cl
from catlearn import functions as F
from catlearn.functors import Jax, Loops

number = cl.Space((), cl.REAL)
ODD = np.array([0.0, -0.0, 1.5, -800.0, np.nan, np.inf, -np.inf])
BODIES = {
    "relu": lambda s, x: (s, F.relu(x)),
    "maximum": lambda s, x: (F.maximum(s, x), s),
    "sign": lambda s, x: (s, F.sign(x)),
    "step": lambda s, x: (s, F.step(x)),
    "sigmoid": lambda s, x: (s, F.sigmoid(x)),
    "an infinite constant": lambda s, x: (s, F.constant(number, float("inf")) - x),
    "a quotient by zero": lambda s, x: (s, x / s),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("length", [0, 1, 7])
def test_infinities_and_nan_pass_as_in_jax(name, length):
    scan = cl.scan(cl.trace((number, number), BODIES[name]), length)
    for ours, theirs in zip(Loops()(scan)(0.0, ODD[:length]), Jax("float64")(scan)(0.0, ODD[:length]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_states_that_change_places_and_no_inputs():
    exchanged = cl.scan(cl.trace((number,) * 3, lambda a, b, x: (b, a + x, a)), 5, 0, 2)
    a, b, seen = Loops()(exchanged)(1.0, 2.0, np.arange(5.0))
    assert (float(a), float(b), seen.tolist()) == (6.0, 7.0, [1.0, 2.0, 1.0, 3.0, 3.0])
    nothing = cl.scan(cl.trace((), lambda: F.constant(number, 2.0)), 3, 0, 0)
    assert Loops()(nothing)().tolist() == [2.0, 2.0, 2.0]
