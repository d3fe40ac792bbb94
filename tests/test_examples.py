"""The examples that draw: what they print, and that they draw something."""

import os
import pathlib
import re
import subprocess
import sys

import jax
import numpy as np
import optax
import pytest
from matplotlib.image import imread

ROOT = pathlib.Path(__file__).resolve().parent.parent
STEPS = 20


def run(name, folder, *arguments):
    """The lines that an example prints, run in that folder; its picture must lie there."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    picture = imread(folder / f"{name}.png")
    assert min(picture.shape[:2]) > 300
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 50
    return done.stdout.splitlines()


def test_deep_dream_the_network_held_out_reads_what_was_dreamt(tmp_path):
    lines = run("deep_dream", tmp_path, "--networks", "1", "--steps", "60")
    accuracies = [float(found[1]) for line in lines if (found := re.match(r"network \d: ([\d.]+) %", line))]
    assert len(accuracies) == 2
    assert min(accuracies) > 70
    readings = [re.findall(r"(\d) \( ?([\d.]+) %\)", line) for line in lines if re.match(r"\d ", line)]
    assert [int(by_axes[0]) for _, by_axes in readings] == list(range(10))
    assert min(float(by_axes[1]) for _, by_axes in readings) > 40
    assert sum(int(by_pixels[0]) == digit for digit, (by_pixels, _) in enumerate(readings)) >= 8


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """The table of the zoo: for each optimiser (x, y, value, distance)."""
    lines = run("optimiser_zoo", tmp_path_factory.mktemp("zoo"), "--steps", str(STEPS))
    rows = [line for line in lines if re.search(r"e[+-]\d\d$", line)]
    return {row[:16].strip(): tuple(map(float, row[16:].split())) for row in rows}


def by_optax(transformation):
    """Where optax's transformation is after the same steps, by `jax.grad`, with float64."""

    def valley(point):
        return 0.05 * (point[0] - 1.0) ** 2 + (point[1] - 0.5) ** 2

    with jax.enable_x64(True):
        point = jax.numpy.array([-4.0, -2.0])
        state = transformation.init(point)
        for _ in range(STEPS):
            update, state = transformation.update(jax.grad(valley)(point), state, point)
            point = optax.apply_updates(point, update)
        return (*map(float, point), float(valley(point)))


SAME = {
    "gd": optax.sgd(0.9),
    "momentum": optax.sgd(0.05, momentum=0.9),
    "nesterov": optax.sgd(0.05, momentum=0.9, nesterov=True),
    "nesterov_flat": optax.sgd(0.05, momentum=0.9, nesterov=True),
    "adagrad_inside": optax.adagrad(0.5, initial_accumulator_value=1.0),
    "rmsprop": optax.rmsprop(0.2, eps_in_sqrt=False),
    "rmsprop_inside": optax.rmsprop(0.2, eps=1.0),
    "adam": optax.adam(0.3),
    "adam, cosine": optax.adam(optax.cosine_decay_schedule(0.6, STEPS)),
    "adamw": optax.adamw(0.3, weight_decay=0.3),
    "optax.adam": optax.adam(0.3),
}


@pytest.mark.parametrize("name", SAME)
def test_the_zoo_ends_where_optax_does(zoo, name):
    x, y, value, distance = zoo[name]
    there = by_optax(SAME[name])
    assert (x, y) == pytest.approx(there[:2], abs=2e-6)
    assert value == pytest.approx(there[2], rel=1e-3)
    assert distance == pytest.approx(np.hypot(there[0] - 1.0, there[1] - 0.5), rel=1e-2)


def test_the_zoo_holds_every_optimiser_and_adagrad_by_hand(zoo):
    from catlearn import optimisers

    listed = {name for name in optimisers.__all__ if type(getattr(optimisers, name)).__name__ == "function"}
    made = {"gd", "momentum", "nesterov", "nesterov_flat", "adam", "adamw"}
    made |= {name for name in listed if name.startswith(("adagrad", "rmsprop"))}
    assert set(zoo) == {*made, "adam, cosine", "optax.adam"}
    point, total = np.array([-4.0, -2.0]), np.zeros(2)
    for _ in range(STEPS):
        gradient = np.array([0.1 * (point[0] - 1.0), 2.0 * (point[1] - 0.5)])
        total += gradient**2
        point -= gradient / (1e-7 + np.sqrt(total))
    assert zoo["adagrad"][:2] == pytest.approx(tuple(point), abs=2e-6)


@pytest.mark.slow
def test_learners_made_separately_agree_with_the_composites_own(tmp_path):
    text = "\n".join(run("learners_as_morphisms", tmp_path, "--seeds", "1", "--epochs", "1"))
    right = {
        name: float(re.search(rf"^{name}: .* differ by (\S+)$", text, re.M)[1]) for name in ("quadratic", "hyperbolic")
    }
    wrong = re.search(r"asking as the quadratic learner does: they differ by (\S+)$", text, re.M)
    assert max(right.values()) < 1e-12 < 1e-3 < float(wrong[1])
    assert re.search(r"composite reads ([5-9]\d|100)\.\d % of the test digits", text)


def test_invariants_are_proved_or_refuted(tmp_path):
    lines = run("invariants", tmp_path)
    assert any(re.match(r"a table never unlearns a row +proved for 2,048 steps", line) for line in lines)
    assert any(re.match(r"a polynomial never unlearns a row +refuted by a word of 1 data", line) for line in lines)


def test_modes_agree_and_errors_of_expansions_fall_as_they_should(tmp_path):
    lines = run("modes", tmp_path)
    differences = [float(found[1]) for line in lines if (found := re.match(r"  \S.* (\d\.\de[+-]\d\d)$", line))]
    assert len(differences) >= 6
    assert max(differences) < 1e-12
    orders = [line.split() for line in lines if re.match(r" +\d ", line)]
    assert [int(row[0]) for row in orders] == [*range(1, 8)]
    assert all(float(row[3]) == pytest.approx(float(row[4]), rel=0.3) for row in orders)


def test_smoothing_agrees_with_the_libraries_and_with_enumeration(tmp_path):
    lines = run("smoothing", tmp_path)
    differences = [float(number) for line in lines for number in re.findall(r"\d\.\d+e-\d\d", line)]
    assert len(differences) >= 4
    assert max(differences) < 1e-8


@pytest.mark.slow  # some networks are compiled for each pass
def test_the_zoo_of_backward_passes_says_what_each_keeps(tmp_path):
    text = "\n".join(run("backward_zoo", tmp_path, "--epochs", "2"))
    for name in ("feedback alignment", "straight-through", "ReinMax", "forward gradient"):
        assert name in text
