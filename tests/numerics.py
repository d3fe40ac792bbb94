"""Running diagrams in 64-bit floats and comparing numbers, for the tests that do; and loading a benchmark."""

import importlib.util
import sys
from functools import cache, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import catlearn as cl
from catlearn.functors import Jax


def real(*shape):
    return cl.Space(shape, cl.REAL)


@cache
def running(diagram):
    """The diagram as a function in float64 that returns a tuple."""
    run = Jax("float64")(diagram)

    def call(*arguments):
        result = run(*arguments)
        return tuple(np.asarray(x) for x in (result if isinstance(result, tuple) else (result,)))

    return call


def close(left, right, tolerance=1e-11):
    left, right = [np.asarray(x, float) for x in left], [np.asarray(x, float) for x in right]
    assert [x.shape for x in left] == [x.shape for x in right]
    for x, y in zip(left, right, strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


def benchmark(name):
    """The module of a file in benchmarks/."""
    path = Path(__file__).parent.parent / "benchmarks" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(f"benchmark_{name}", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


# Activations as JAX has them; VECTORS act on whole vectors.
VECTORS = {"softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax}
ACTIVATIONS_OF_JAX = {
    "identity": lambda x: x,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
    "gelu": partial(jax.nn.gelu, approximate=False),
    "gelu_tanh": partial(jax.nn.gelu, approximate=True),
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "relu6": jax.nn.relu6,
    "hard_tanh": jax.nn.hard_tanh,
    "mish": jax.nn.mish,
    "softsign": jax.nn.soft_sign,
    "sin": jnp.sin,
    **VECTORS,
}
