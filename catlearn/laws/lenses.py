"""Laws of lenses and of parametrised maps, each stated once, as data."""

from __future__ import annotations

from typing import Any

from catlearn.diagram import Diagram, copy, discard, identity, permute, swap
from catlearn.laws.derivatives import CF, RDC
from catlearn.laws.law import Law
from catlearn.lens import Lens, Sides
from catlearn.para import Para
from catlearn.space import Object

__all__ = ["LENSES"]


def para(morphism: Any, parameter: Any, dom: Any) -> Para[Any]:
    """The parametrised morphism with that parameter."""
    return Para(parameter, dom, morphism)


def _lens_comp(f: Lens, g: Lens) -> list[tuple[Any, Any]]:
    a, c = f.get.dom, g.cod.backward
    put = (copy(a) @ identity(c)) >> (identity(a) @ ((f.get @ identity(c)) >> g.put)) >> f.put
    return [((f >> g).get, f.get >> g.get), ((f >> g).put, put)]


def _interchange(f: Diagram, g: Diagram, h: Diagram, k: Diagram, P: Object, Q: Object, U: Object, V: Object) -> Any:
    first, second = para(f, P, f.dom[len(P) :]), para(g, Q, g.dom[len(Q) :])
    third, fourth = para(h, U, h.dom[len(U) :]), para(k, V, k.dom[len(V) :])
    middle = permute([Q, V, P, U], [0, 2, 1, 3])
    left = (first @ third) >> (second @ fourth)
    return [(left, ((first >> second) @ (third >> fourth)).reparametrise(middle))]


LENSES: tuple[Law, ...] = (
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
        lambda f, g, h: [
            (Lens.of(f >> g), Lens.of(f) >> Lens.of(g)),
            (Lens.of(f @ h), Lens.of(f) @ Lens.of(h)),
            (Lens.of(identity(f.dom)), Lens.identity(f.dom)),
            (Lens.of(swap(f.dom, h.dom)), Lens.swap(Sides.of(f.dom), Sides.of(h.dom))),
        ],
    ),
    Law(
        "LENS.copynat",
        "R-lenses: l ; copy = copy ; (l x l), l ; ! = !",
        RDC,
        "f: A -> B",
        lambda f: [
            (Lens.of(f) >> Lens.of(copy(f.cod)), Lens.of(copy(f.dom)) >> (Lens.of(f) @ Lens.of(f))),
            (Lens.of(f) >> Lens.of(discard(f.cod)), Lens.of(discard(f.dom))),
        ],
    ),
    Law(
        "PARA.comp",
        "(P, f) ; (Q, g) = (Q P, (1 x f) ; g)",
        CF,
        "f: P A -> B, g: Q B -> C, P, Q",
        lambda f, g, P, Q: [
            ((para(f, P, f.dom[len(P) :]) >> para(g, Q, g.dom[len(Q) :])).morphism, (identity(Q) @ f) >> g)
        ],
    ),
    Law(
        "PARA.assoc",
        "(f ; g) ; h = f ; (g ; h)",
        CF,
        "f: P A -> B, g: Q B -> C, h: U C -> D, P, Q, U",
        lambda f, g, h, P, Q, U: [
            (
                (para(f, P, f.dom[len(P) :]) >> para(g, Q, g.dom[len(Q) :])) >> para(h, U, h.dom[len(U) :]),
                para(f, P, f.dom[len(P) :]) >> (para(g, Q, g.dom[len(Q) :]) >> para(h, U, h.dom[len(U) :])),
            )
        ],
    ),
    Law(
        "PARA.tensor",
        "(P, f) x (U, h) = (P U, (1 x swap x 1) ; (f x h))",
        CF,
        "f: P A -> B, h: U C -> D, P, U",
        lambda f, h, P, U: [
            (
                (para(f, P, f.dom[len(P) :]) @ para(h, U, h.dom[len(U) :])).morphism,
                permute([P, U, f.dom[len(P) :], h.dom[len(U) :]], [0, 2, 1, 3]) >> (f @ h),
            )
        ],
    ),
    Law(
        "PARA.reparam",
        "(f^a)^b = f^(b ; a), and f^a ; g^b = (f ; g)^(b x a)",
        CF,
        "f: P A -> B, g: Q B -> C, a: U -> P, b: V -> Q, c: W -> U, P, Q",
        lambda f, g, a, b, c, P, Q: [
            (
                para(f, P, f.dom[len(P) :]).reparametrise(a).reparametrise(c),
                para(f, P, f.dom[len(P) :]).reparametrise(c >> a),
            ),
            (
                para(f, P, f.dom[len(P) :]).reparametrise(a) >> para(g, Q, g.dom[len(Q) :]).reparametrise(b),
                (para(f, P, f.dom[len(P) :]) >> para(g, Q, g.dom[len(Q) :])).reparametrise(b @ a),
            ),
        ],
    ),
    Law(
        "PARA.interchange",
        "(f x h) ; (g x k) = ((f ; g) x (h ; k))^m, m swapping the middle factors",
        CF,
        "f: P A -> B, g: Q B -> C, h: U D -> E, k: V E -> F, P, Q, U, V",
        _interchange,
    ),
    Law(
        "PARA.R",
        "Para(R) keeps composition",
        CF,
        "f: P A -> B, g: Q B -> C, P, Q",
        lambda f, g, P, Q: [
            (
                (para(f, P, f.dom[len(P) :]) >> para(g, Q, g.dom[len(Q) :])).lens(),
                para(f, P, f.dom[len(P) :]).lens() >> para(g, Q, g.dom[len(Q) :]).lens(),
            )
        ],
    ),
    Law(
        "PARA.tie",
        "the reverse of a tied parameter sums the two cotangents",
        CF,
        "f: P A -> B, P",
        lambda f, P: [
            (
                (para(f, P, f.dom[len(P) :]) @ para(f, P, f.dom[len(P) :])).reparametrise(copy(P)).lens(),
                (para(f, P, f.dom[len(P) :]) @ para(f, P, f.dom[len(P) :])).lens().reparametrise(Lens.of(copy(P))),
            )
        ],
    ),
)
"""The laws of lenses and of Para."""
