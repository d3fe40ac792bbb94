"""Running diagrams in 64-bit floats and comparing numbers, for the tests that do; and loading a benchmark."""

import importlib.util
import sys
from functools import cache
from pathlib import Path

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
