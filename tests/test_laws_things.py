"""What `check` takes, attacked: dimension 0, kinks, loops, labels, several outputs, nothing at all."""

import jax.numpy as jnp
import pytest

import catlearn as cl
from catlearn import laws
from catlearn.errors import OperationError

x, v, empty = cl.Space((), cl.REAL), cl.Space(3, cl.REAL), cl.Space(0, cl.REAL)
label, key = cl.Space((), cl.Discrete(3)), cl.Space((), cl.KEYS)
BODY = cl.trace((x, x, x), lambda w, s, i: (cl.functions.tanh(w * s + i), s * i))

SOUND = {
    "dimension 0": cl.trace((empty, empty), lambda a, b: a * b),
    "a kink": cl.trace(v, cl.functions.relu),
    "a tie": cl.trace((x, x), cl.functions.maximum),
    "a scan": cl.scan(BODY, 3, shared=1, states=1),
    "a batch with a shared input": cl.batch(cl.trace((x, x), lambda a, b: a * b), 2, [True, False]),
    "a label": cl.trace(label, cl.functions.one_hot),
    "two outputs": cl.from_jax(lambda a, b: (jnp.sin(a) * b, a * a), (x, x), (x, x)),
    "an unused input": cl.from_jax(lambda a, b: a * a, (x, x), x),
    "the empty lens": cl.Lens.identity(),
    "ascent": cl.optimisers.reverse_derivative_ascent(),
    "an exact loss": cl.losses.difference,
}


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_passes(name):
    report = laws.check(SOUND[name], examples=4)
    assert report.wrong == []
    assert len(report.rows) >= 6


WRONG = {
    "a kink": (cl.from_jax(lambda a: jnp.maximum(a, 0.0), x, x), lambda a, d: d, "RD.derivative"),
    "a label": (cl.trace(x, cl.functions.tanh), lambda a, d: d * 0.0, "RD.derivative"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_does_not(name):
    get, put, law = WRONG[name]
    node = cl.surrogate(name, get, cl.trace((x, x), put), additive=True)
    assert law in {row.law.identifier for row in laws.check(node, laws=[laws.by_identifier(law)], examples=100).wrong}


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (cl.identity(x), "no generator to check"),
        (cl.trace((), lambda: cl.functions.constant(x, 1.0)), "no generator to check"),
        (cl.from_jax(lambda k, a: a, (key, x), x), "takes random keys"),
        (cl.KEYS, "no operation 'add'"),
        (cl.BITS, "no operation 'add'"),
        (cl.DISCRETE, "no operation 'add'"),
        (3, "check takes a Category"),
        (cl.parametrised("p", {"w": x}, x, lambda w, a: w * a), "a Para has .morphism"),
    ],
)
def test_what_cannot_be_checked_says_why(thing, message):
    with pytest.raises(OperationError, match=message):
        laws.check(thing)
