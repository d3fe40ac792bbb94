"""A diagram costs what the same computation written by hand costs, and importing the library stays light.

What is compared is defined in `benchmarks/overhead.py`. XLA counts the body of a scan once, on both sides.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
from numerics import benchmark

FLOPS, BYTES = 1.01, 1.05  # the greatest ratios allowed
HEAVY = ("jax", "sympy", "typer", "rich", "optax", "sklearn")


overhead = benchmark("overhead")


def check_same_results(pair) -> None:
    ours, theirs = pair.diagram.result(), pair.by_hand.result()
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        assert mine.dtype == other.dtype == np.float32
        assert np.isfinite(other).all()
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(other).max()))


def check_cost(pair) -> None:
    assert min(*pair.diagram.cost(), *pair.by_hand.cost()) > 0
    flops, accessed = pair.ratios()
    assert flops <= FLOPS, f"{pair.name}: {flops} times the flops of the same by hand"
    assert accessed <= BYTES, f"{pair.name}: {accessed} times the bytes accessed by the same by hand"


@pytest.mark.parametrize("optimiser", overhead.OPTIMISERS)
@pytest.mark.parametrize("depth", overhead.DEPTHS)
def test_training_step_costs_what_it_costs_by_hand(depth, optimiser) -> None:
    pair = overhead.training_step(depth, optimiser)
    check_same_results(pair)
    check_cost(pair)


@pytest.mark.parametrize("k", range(3))
def test_map_and_its_reverse_cost_what_they_cost_by_hand(k) -> None:
    pair = overhead.maps()[k]
    check_same_results(pair)
    check_cost(pair)


@pytest.mark.parametrize("k", range(2))
def test_scan_and_its_reverse_cost_what_they_cost_by_hand(k) -> None:
    pair = overhead.scans()[k]
    check_same_results(pair)
    check_cost(pair)


def test_epochs_of_fit_see_the_losses_of_the_epochs_by_hand() -> None:
    data = overhead.datasets.iris()
    problem = overhead.Problem("iris", [4, 20, 3], ["sigmoid", "identity"], "adam", data, 10, 2)
    ours = overhead.fit_epochs(problem)()
    for count_right in (True, False):
        theirs = overhead.hand_epochs(problem, count_right=count_right)()
        assert ours.shape == theirs.shape == (20,)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(
    "statement",
    ["import catlearn", "import catlearn; from catlearn import layers, losses, optimisers, datasets"],
)
def test_import_is_light(statement) -> None:
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    loaded = set(json.loads(output))
    assert "catlearn" in loaded
    assert not loaded & set(HEAVY)
