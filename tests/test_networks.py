"""Convolutional networks and transformers cost what the same written by hand costs, and give the same.

What is compared is defined in `benchmarks/networks.py`.
"""

import sys

import numpy as np
from numerics import benchmark

sys.modules.setdefault("overhead", benchmark("overhead"))
networks = benchmark("networks")
repetition = benchmark("repetition")


def check_same(pair):
    """By gradient descent: Adam divides by the size of the gradient, which is zero but for rounding in places."""
    ours, theirs = pair.diagram.result(), pair.by_hand.result()
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-6 + 1e-5 * np.abs(other).max())


def test_a_step_of_one_row_is_that_by_hand_and_costs_what_it_costs():
    one, many = networks.iris_pair()
    check_same(one)
    check_same(many)
    flops, accessed = one.ratios()
    assert 0.99 < flops <= 1.01
    assert accessed <= 1.05


def test_a_convolutional_step_is_that_by_hand_in_every_form():
    for pair in networks.conv_pairs("gd")[:3]:
        check_same(pair)


def test_a_convolutional_step_costs_what_the_same_forms_cost_by_hand():
    flops, accessed = networks.conv_pairs()[0].ratios()
    assert 0.9 < flops <= 1.01
    assert 0.9 < accessed <= 1.05


def test_a_transformers_step_is_that_by_hand_and_costs_what_it_costs():
    check_same(*networks.transformer_pairs("gd"))
    (pair,) = networks.transformer_pairs()
    flops, accessed = pair.ratios()
    assert 0.98 < flops <= 1.01
    assert accessed <= 1.05


def test_repetition_is_the_unrolled_network_and_its_program_does_not_grow():
    import jax

    inputs = repetition.arrays(8, 6, 3)
    ours, theirs = jax.jit(repetition.repeated(8, 6, 3)), jax.jit(repetition.unrolled(8, 6))
    for mine, other in zip(ours(*inputs), theirs(*inputs), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    sizes = [
        len(jax.jit(repetition.repeated(8, depth, 3)).lower(*repetition.arrays(8, depth, 3)).as_text().splitlines())
        for depth in (2, 128)
    ]
    assert sizes[0] == sizes[1]
