"""Chains of n layers cost the same however they are nested, and exactly linearly in n.

The chains and their nestings are defined in `benchmarks/linear.py`.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from numerics import benchmark

import catlearn as cl

SIZES = (8, 16, 32, 64)
LONG = 5000


linear = benchmark("linear")
NESTINGS = list(linear.NESTINGS.values())
kinds = pytest.mark.parametrize("kind", linear.KINDS)


def chain(kind: str, nest: Callable[[list[Any]], Any], n: int) -> Any:
    return nest(linear.KINDS[kind](n))


def lens_chain(kind: str, nest: Callable[[list[Any]], Any], n: int) -> Any:
    return nest([linear.lens_of(part) for part in linear.KINDS[kind](n)])


def size_of_chain(kind: str, nest: Callable[[list[Any]], Any], n: int) -> int:
    return len(linear.diagram_of(chain(kind, nest, n)).nodes)


def size_of_reverse(kind: str, nest: Callable[[list[Any]], Any], n: int) -> int:
    return len(cl.reverse_derivative(linear.diagram_of(chain(kind, nest, n))).nodes)


def size_of_second_reverse(kind: str, nest: Callable[[list[Any]], Any], n: int) -> int:
    first = cl.reverse_derivative(linear.diagram_of(chain(kind, nest, n)))
    return len(cl.reverse_derivative(first).nodes)


def size_of_get(kind: str, nest: Callable[[list[Any]], Any], n: int) -> int:
    composite = lens_chain(kind, nest, n)
    return len((composite.morphism if isinstance(composite, cl.Para) else composite).get.nodes)


def size_of_put(kind: str, nest: Callable[[list[Any]], Any], n: int) -> int:
    return len(linear.put_of(lens_chain(kind, nest, n)).nodes)


def equations_of_reverse(kind: str, nest: Callable[[list[Any]], Any], n: int) -> int:
    reverse = cl.reverse_derivative(linear.diagram_of(chain(kind, nest, n)))
    return len(linear.jaxpr_of(reverse).eqns)


def equations_of_put(kind: str, nest: Callable[[list[Any]], Any], n: int) -> int:
    return len(linear.jaxpr_of(linear.put_of(lens_chain(kind, nest, n))).eqns)


def check_affine(sizes: dict[int, int]) -> None:
    (first, second), *rest = pairwise(sizes.items())
    slope, remainder = divmod(second[1] - first[1], second[0] - first[0])
    assert slope > 0
    assert remainder == 0
    for (n, low), (m, high) in [(first, second), *rest]:
        assert high - low == slope * (m - n), sizes


@kinds
@pytest.mark.parametrize(
    "size",
    [
        size_of_chain,
        size_of_reverse,
        size_of_second_reverse,
        size_of_get,
        size_of_put,
        equations_of_reverse,
        equations_of_put,
    ],
)
def test_size_is_affine_and_the_same_for_every_nesting(kind, size) -> None:
    counted = [{n: size(kind, nest, n) for n in SIZES} for nest in NESTINGS]
    assert all(sizes == counted[0] for sizes in counted)
    check_affine(counted[0])


@kinds
@pytest.mark.parametrize("n", SIZES)
def test_composites_are_equal_however_they_are_nested(kind, n) -> None:
    first, *others = [chain(kind, nest, n) for nest in NESTINGS]
    lens, *lenses = [lens_chain(kind, nest, n) for nest in NESTINGS]
    for other in others:
        assert other == first
        assert hash(other) == hash(first)
        assert cl.reverse_derivative(linear.diagram_of(other)) == cl.reverse_derivative(linear.diagram_of(first))
    for other in lenses:
        assert other == lens
        assert linear.put_of(other) == cl.reverse_derivative(linear.diagram_of(first))


@pytest.mark.parametrize("n", SIZES)
def test_names_of_parameters_are_the_same_however_they_are_nested(n) -> None:
    first, *others = [chain("dense", nest, n).names for nest in NESTINGS]
    assert len(set(first)) == 2 * n
    assert all(names == first for names in others)


@kinds
@pytest.mark.parametrize("nest", NESTINGS)
def test_long_chain_builds_and_flattens(kind, nest) -> None:
    whole = linear.diagram_of(chain(kind, nest, LONG))
    one = linear.diagram_of(chain(kind, nest, 1))
    assert len(whole.nodes) == LONG * len(one.nodes)
    assert whole == linear.diagram_of(chain(kind, linear.balanced, LONG))


@pytest.mark.parametrize("nest", NESTINGS)
def test_long_lens_builds_flattens_and_is_the_reverse(nest) -> None:
    put = lens_chain("plain", nest, LONG).put
    assert put == cl.reverse_derivative(linear.left(linear.plain_parts(LONG)))


@pytest.mark.parametrize("nest", NESTINGS)
def test_long_chain_that_was_never_flattened_can_be_dropped(nest) -> None:
    whole = chain("plain", nest, 20 * LONG)
    assert whole.cod == whole.dom
    del whole
