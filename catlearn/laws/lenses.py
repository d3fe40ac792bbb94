"""Laws of lenses, each stated once, as data."""

from __future__ import annotations

from typing import Any

from catlearn.diagram import Diagram, copy, discard, identity, swap
from catlearn.functions import add, zero
from catlearn.generators.surrogate import clip_change, surrogate
from catlearn.laws.derivatives import CF, RDC, Operator
from catlearn.laws.law import Law, apply, differ, formula
from catlearn.lens import Lens, Sides
from catlearn.reverse import reverse_derivative
from catlearn.semirings import REAL
from catlearn.space import Object, Space
from catlearn.substitution import plain

__all__ = ["LENSES"]


def _lens_comp(f: Lens, g: Lens) -> list[tuple[Any, Any]]:
    a, c = f.get.dom, g.cod.backward
    put = (copy(a) @ identity(c)) >> (identity(a) @ ((f.get @ identity(c)) >> g.put)) >> f.put
    return [((f >> g).get, f.get >> g.get), ((f >> g).put, put)]


def _beside(f: Lens, h: Lens) -> Diagram:
    """((a, c), (b', d')) -> (f*(a, b'), h*(c, d'))."""
    factors = [f.get.dom, h.get.dom, f.cod.backward, h.cod.backward]
    return formula(factors, lambda a, c, b, d: [*apply(f.put, a, b), *apply(h.put, c, d)])


def _functor(f: Diagram, g: Diagram, h: Diagram, R: Operator) -> list[tuple[Any, Any]]:
    def image(f: Diagram) -> Lens:
        return Lens(plain(f), R(f))

    return [
        (image(f >> g), image(f) >> image(g)),
        (image(f @ h), image(f) @ image(h)),
        (image(identity(f.dom)), Lens.identity(f.dom)),
        (image(swap(f.dom, h.dom)), Lens.swap(Sides.of(f.dom), Sides.of(h.dom))),
    ]


def copy_lens(ends: Sides) -> Lens:
    """(copy, pi_1 ; +) : the lens that copies, changes being summed."""
    return Lens(copy(ends.forward), discard(ends.forward) @ add(ends.backward))


def discard_lens(ends: Sides) -> Lens:
    """(!, 0)."""
    return Lens(discard(ends.forward), zero(ends.forward, ends.backward))


def _copynat(l: Lens) -> list[tuple[Any, Any]]:  # noqa: E741
    start, end = l.dom, l.cod
    if not all(space.carrier.has("add") for space in (*start.backward, *end.backward)):
        return []
    return [
        (l >> copy_lens(end), copy_lens(start) >> (l @ l)),
        (l >> discard_lens(end), discard_lens(start)),
    ]


def _sharing() -> list[tuple[Any, Any]]:
    x = Space((), REAL)
    clipped, passing = clip_change(x, 1.0), surrogate("pass", identity(x), discard(x) @ identity(x), additive=True)
    value = float(reverse_derivative(copy(x) >> (clipped @ clipped))(0.0, 0.8, 0.8))
    raised = surrogate("raise", identity(x), formula([(x,), (x,)], lambda a, d: [d[0] + 1.0]))
    unread = copy(x) >> (raised @ identity(x)) >> (discard(x) @ identity(x))
    return [
        (round(value, 6), 1.6),
        (float(reverse_derivative(unread)(0.0, 2.0)), 3.0),
        (len((copy(x) >> (clipped @ clipped)).nodes), 2),
        (len((copy(x) >> (passing @ passing)).nodes), 1),
        (len((clipped >> discard(x)).nodes), 1),
        (len((passing >> discard(x)).nodes), 0),
    ]


def _put_get(A: Object) -> list[Any]:
    square = Lens.of(formula([A[:1]], lambda x: [x[0] * x[0]])) if A else None
    return [] if square is None else [differ(square.put >> square.get, discard(A[:1]) @ identity(A[:1]))]


LENSES: tuple[Law, ...] = (
    Law(
        "LENS.id",
        "the identity is (1, pi1)",
        CF,
        "f: A => A",
        lambda f: [
            (Lens.identity(f.dom).get, identity(f.dom.forward)),
            (Lens.identity(f.dom).put, discard(f.dom.forward) @ identity(f.dom.backward)),
        ],
    ),
    Law(
        "LENS.comp", "(f, f*) ; (g, g*) = (f ; g, (a, c) -> f*(a, g*(f(a), c)))", CF, "f: A => B, g: B => C", _lens_comp
    ),
    Law(
        "LENS.assoc",
        "(f ; g) ; h = f ; (g ; h)",
        CF,
        "f: A => B, g: B => C, h: C => D",
        lambda f, g, h: [((f >> g) >> h, f >> (g >> h))],
    ),
    Law(
        "LENS.unit",
        "1 ; f = f = f ; 1",
        CF,
        "f: A => B",
        lambda f: [(Lens.identity(f.dom) >> f, f), (f >> Lens.identity(f.cod), f)],
    ),
    Law(
        "LENS.tensor",
        "(f x h) ; (g x k) = (f ; g) x (h ; k), 1 x 1 = 1",
        CF,
        "f: A => B, g: B => C, h: D => E, k: E => F",
        lambda f, g, h, k: [
            ((f @ h).get, f.get @ h.get),
            ((f @ h).put, _beside(f, h)),
            ((f @ h) >> (g @ k), (f >> g) @ (h >> k)),
            (Lens.identity(f.dom) @ Lens.identity(h.dom), Lens.identity(f.dom + h.dom)),
        ],
    ),
    Law(
        "LENS.sym",
        "(f x g) ; swap = swap ; (g x f), and swap is its own inverse",
        CF,
        "f: A => B, g: C => D",
        lambda f, g: [
            ((f @ g) >> Lens.swap(f.cod, g.cod), Lens.swap(f.dom, g.dom) >> (g @ f)),
            (Lens.swap(f.dom, g.dom) >> Lens.swap(g.dom, f.dom), Lens.identity(f.dom + g.dom)),
        ],
    ),
    Law(
        "LENS.R",
        "f -> (f, R[f]) is a strict symmetric monoidal functor",
        RDC,
        "f: A -> B, g: B -> C, h: D -> E",
        _functor,
        any_reverse=True,
    ),
    Law(
        "LENS.copynat",
        "l ; copy = copy ; (l x l) and l ; ! = !, for lenses whose put is additive",
        RDC,
        "l: A =o B",
        _copynat,
    ),
    Law(
        "LENS.share",
        "equal nodes are merged, and unread ones dropped, if their put is additive, and never else",
        CF,
        "",
        _sharing,
        ("shipped", "real"),
    ),
    Law(
        "LENS.nolaws",
        "put ; get is not the second projection",
        CF,
        "A",
        _put_get,
        ("own", "multiply"),
    ),
)
"""The laws of lenses."""
