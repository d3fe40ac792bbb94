"""The pseudo-linear model and its Boolean difference by brute force, the published experiment, and the benchmark."""

import itertools
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from numerics import benchmark

import catlearn as cl
from catlearn import images, laws, layers
from catlearn.errors import OperationError
from catlearn.functors import Exact, Jax
from catlearn.functors.symbolic import polynomials
from catlearn.laws.oracles import formal_derivative
from catlearn.layers.popcount import PseudoLinear, PseudoLinearDifference
from catlearn.serial import decode, encode

ROOT = pathlib.Path(__file__).resolve().parents[1]
REAL = pathlib.Path(os.environ.get("CATLEARN_DATA") or "/nowhere")
FUNCTORS = {"exact": Exact(), "jax": Jax()}
R = cl.reverse_derivative


def model(p, x):
    """The definition, on rows of bits."""
    return ((p & x).sum(-1) <= p.sum(-1) // 4).astype(int)


def difference(p, x):
    """The change of the model when each bit of p, and each of x, is flipped."""
    flips = np.eye(p.shape[-1], dtype=int)
    here = model(p, x)
    return model(p ^ flips, x) ^ here, model(p, x ^ flips) ^ here


def all_bits(n):
    return np.array(list(itertools.product((0, 1), repeat=n)))


@pytest.mark.parametrize("name", FUNCTORS)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_value_and_R_by_brute_force_at_all_points(n, name):
    node = PseudoLinear(n).diagram
    pairs = [(p, x) for p in all_bits(n) for x in all_bits(n)]
    ps, xs = (np.array(side) for side in zip(*pairs, strict=True))
    values = FUNCTORS[name](cl.batch(node, len(pairs)))(ps, xs)
    np.testing.assert_array_equal(np.asarray(values).astype(int), model(ps, xs))
    for d in (0, 1):
        backs = FUNCTORS[name](cl.batch(R(node), len(pairs)))(ps, xs, np.full(len(pairs), d))
        wanted = [np.array(side) * d for side in zip(*(difference(p, x) for p, x in pairs), strict=True)]
        for came, expected in zip(backs, wanted, strict=True):
            np.testing.assert_array_equal(np.asarray(came).astype(int), expected)


def test_the_value_and_R_at_many_bits():
    """784 bits, near the threshold, where flipped bits matter."""
    random, differs = np.random.default_rng(0), 0
    run, back = Jax()(PseudoLinear(784).diagram), Jax()(R(PseudoLinear(784).diagram))
    for off in (-2, -1, 0, 1, 2):
        p = (random.random(784) < 0.5).astype(int)
        x = np.zeros(784, int)
        inside = np.flatnonzero(p)[: p.sum() // 4 + off]
        x[inside] = 1
        x[random.choice(np.flatnonzero(p == 0), 50)] = 1
        assert int(run(p, x)) == model(p, x)
        for came, expected in zip(back(p, x, 1), difference(p, x), strict=True):
            np.testing.assert_array_equal(np.asarray(came).astype(int), expected)
            differs += expected.any()
    assert differs > 2


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_definition_is_multilinear_and_the_nodes_are_it_and_its_R(n):
    node, circuit = PseudoLinear(n), PseudoLinear(n).expanded
    (denoted,) = polynomials(node.diagram)
    assert polynomials(circuit) == (denoted,)
    assert all(exponent == 1 for monomial in denoted.terms for _, exponent in monomial)
    assert polynomials(R(node.diagram)) == polynomials(R(circuit)) == formal_derivative(circuit)
    for bits in all_bits(2 * n):
        point = {f"x{k}": int(bit) for k, bit in enumerate(bits)}
        assert denoted.at(point) == model(bits[:n], bits[n:])
    assert PseudoLinearDifference(n).reverse() is None


def test_further_derivatives_are_those_of_the_definition():
    twice, wanted = R(R(PseudoLinear(2).diagram)), R(R(PseudoLinear(2).expanded))
    came = polynomials(twice)
    assert came == polynomials(wanted)
    assert [bool(p.terms) for p in came] == [True] * 5


def test_the_laws_of_R_hold():
    chosen = [laws.by_identifier(name) for name in ("RD.2", "RD.5", "RD.6", "RD.7", "RD.derivative", "CIRC.booldiff")]
    report = laws.check(PseudoLinear(1), laws=chosen, examples=6)
    assert not report.wrong
    assert len(report.rows) == len(chosen)


@pytest.mark.parametrize("flags", [*itertools.product((False, True), repeat=2)])
def test_batches(flags):
    random = np.random.default_rng(0)
    p, x = (random.integers(0, 2, (6, 5) if flag else 5) for flag in flags)
    came = Jax()(cl.batch(PseudoLinear(5).diagram, 6, flags))(p, x)
    np.testing.assert_array_equal(came, model(np.broadcast_to(p, (6, 5)), np.broadcast_to(x, (6, 5))))


def test_the_layer():
    layer = layers.pseudo_linear(4)
    assert layer.names == ("pseudo_linear_0.mask",)
    assert np.array_equal(layer.initial(0)[0], [0] * 4)
    assert decode(encode(layer)).morphism == layer.morphism
    assert decode(encode(R(layer.morphism))) == R(layer.morphism)
    for bad in (0, -1, 2.0, True):
        with pytest.raises(OperationError, match="has a positive number of bits; got"):
            layers.pseudo_linear(bad)


def by_numpy(data):
    """The published protocol, straight from its words."""
    parts = []
    for pictures, digits in ((data.train_inputs, data.train_targets), (data.test_inputs, data.test_targets)):
        rows = digits < 2
        parts.append(((np.rint(pictures[rows] * 255) > 32).reshape(-1, 784).astype(int), digits[rows]))
    (x, y), (tx, ty) = parts
    p = np.zeros(784, int)
    seen = [p]
    for row, target in zip(x[:999], y[:999], strict=True):
        p = p ^ (difference(p, row)[0] * (model(p, row) ^ target))
        seen.append(p)
    right = [(model(q, x[11_400:]) == y[11_400:]).sum() for q in seen]
    best = max(range(1000), key=lambda k: (right[k], k))
    share = (model(seen[best], tx) == ty).mean()
    return f"parameters after step {best} of 999: test accuracy {100 * share:.1f} % ({share:.5f})"


def run(*arguments, **environment):
    inherited = {key: value for key, value in os.environ.items() if key != "CATLEARN_DATA"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "rda_mnist.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**inherited, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **environment},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_without_data_the_example_says_how_to_give_it():
    assert re.search(r"needed: give --data-dir FOLDER, or set CATLEARN_DATA", run())


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def test_the_example_follows_the_protocol_on_made_up_digits(tmp_path):
    """Bars and rings with noise, and other digits among them; the same line as from the protocol in NumPy."""
    random = np.random.default_rng(0)
    across, down = np.meshgrid(np.arange(28) - 13.5, np.arange(28) - 13.5)
    shapes = np.stack([abs(np.hypot(across, down) - 8) < 3, abs(across) < 1.6])
    for name, count in (("train", 12_200), ("t10k", 700)):
        digits = random.choice(10, count, p=[0.48, 0.48] + [0.005] * 8)
        ink = shapes[np.minimum(digits, 1)] ^ (random.random((count, 28, 28)) < 0.1)
        write_idx(tmp_path / f"{name}-images-idx3-ubyte", np.where(ink, 33, random.integers(0, 33, ink.shape)))
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte", digits)
    expected = by_numpy(images.mnist(tmp_path, subset="all"))
    assert run("--data-dir", str(tmp_path)) == expected
    assert float(re.search(r"\((.*)\)", expected)[1]) > 0.9


@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="the environment variable CATLEARN_DATA names no such folder")
def test_RDA_code_the_published_accuracy():
    line = run(CATLEARN_DATA=str(REAL))
    assert line.endswith("test accuracy 99.2 % (0.99196)")
    assert line == by_numpy(images.mnist(REAL, subset="all"))


def test_both_sides_of_the_benchmark_train_the_same(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    ascent = benchmark("ascent")
    for model, by_hand, (x, y) in (
        (layers.lookup_table(4, 3), ascent.table_by_hand, ascent.iris_rows(80)),
        (layers.pseudo_linear(784), ascent.pseudo_linear_by_hand, ascent.random_rows(20)),
    ):
        bits = model.parameter[0].size
        ours = ascent.by_reverse_derivative(model, x, y)()
        assert ours.any()
        for predict in (by_hand, ascent.of_circuit(model)):
            assert np.array_equal(ours.ravel(), ascent.by_brute_force(predict, bits, x, y)())
