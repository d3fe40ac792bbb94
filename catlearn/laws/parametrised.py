"""Laws of parametrised maps, over diagrams and over lenses."""

from __future__ import annotations

from typing import Any

from catlearn.diagram import Diagram, copy, discard, identity, permute
from catlearn.laws.derivatives import CF, Operator
from catlearn.laws.law import Law, Pair, apply, differ, formula
from catlearn.learner import discard_change, eta
from catlearn.lens import Lens, Sides
from catlearn.para import Para, parametrised
from catlearn.space import Object, changes

__all__ = ["PARAMETRISED", "para"]


def para(morphism: Any, parameter: Any, dom: Any) -> Para[Any]:
    """The parametrised morphism with that parameter."""
    return Para(parameter, dom, morphism)


def _interchange(f: Diagram, g: Diagram, h: Diagram, k: Diagram, P: Object, Q: Object, U: Object, V: Object) -> Any:
    first, second = para(f, P, f.dom[len(P) :]), para(g, Q, g.dom[len(Q) :])
    third, fourth = para(h, U, h.dom[len(U) :]), para(k, V, k.dom[len(V) :])
    middle = permute([Q, V, P, U], [0, 2, 1, 3])
    left = (first @ third) >> (second @ fourth)
    return [(left, ((first >> second) @ (third >> fourth)).reparametrise(middle)), *_needed(f.dom)]


def _needed(spaces: Object) -> list[Pair]:
    """Without m the two sides differ, already for parameters of one space."""
    pairs = []
    for space in [s for s in spaces if s.size][:1]:
        one = (space,)
        first, last = para(identity(one) @ discard(one), one, one), para(discard(one) @ identity(one), one, one)
        pairs.append(differ((first @ first) >> (last @ last), (first >> last) @ (first >> last)))
    return pairs


def _units(f: Diagram, P: Object) -> list[tuple[Any, Any]]:
    one = para(f, P, f.dom[len(P) :])
    return [(Para.of(identity(one.dom)) >> one, one), (one >> Para.of(identity(f.cod)), one)]


def _names(A: Object) -> list[Any]:
    """Names are computed from the flattened composite, so they do not depend on the nesting; tying keeps the first."""
    pairs: list[Any] = []
    for space in A[:1]:
        layer = parametrised("layer", {"w": space}, space, lambda w, x: x)
        other = parametrised("other", {"w": space}, space, lambda w, x: w)
        left, right = (layer >> other) >> layer, layer >> (other >> layer)
        pairs += [
            (left.names, right.names),
            (left.names, ("layer_1.w", "other_0.w", "layer_0.w")),
            ((layer @ layer).names, ("layer_0.w", "layer_1.w")),
            (left.tie(["layer_1.w", "layer_0.w"]).names, ("other_0.w", "layer_0.w")),
        ]
    return pairs


def _plens(f: Diagram, g: Diagram, P: Object, Q: Object, R: Operator) -> list[tuple[Any, Any]]:
    """The put of a composite of parametrised lenses, pointwise."""
    A, B = f.dom[len(P) :], f.cod
    whole = para(f, P, A).lens() >> para(g, Q, B).lens()

    def put(q: Any, p: Any, a: Any, c: Any) -> list[Any]:
        b = apply(f, p, a)
        back = apply(R(g), q, b, c)
        q_change, b_change = back[: len(Q)], back[len(Q) :]
        return [*q_change, *apply(R(f), p, a, b_change)]

    return [
        (whole.morphism.put, formula([Q, P, A, changes(g.cod)], put)),
        (whole.parameter, Sides.of(Q + P)),
    ]


def _eta(f: Diagram, P: Object) -> list[tuple[Any, Any]]:
    """Before a parametrised lens, eta turns its input into a parameter, and nothing else changes."""
    A = f.dom[len(P) :]
    model = para(f, P, A).lens()
    return [
        ((eta(A) >> model).morphism, model.morphism),
        ((eta(A) >> model).parameter, Sides.of(P + A)),
        (eta(A).morphism, Lens.identity(A)),
        ((eta(A) >> model).dom, Sides((), ())),
    ]


def _discard(f: Diagram, P: Object) -> list[tuple[Any, Any]]:
    model = para(f, P, f.dom[len(P) :]).lens()
    quiet = model.reparametrise(discard_change(P))
    n = len(P)
    return [
        (quiet.parameter, Sides(P, ())),
        (quiet.morphism.get, model.morphism.get),
        (quiet.morphism.put, model.morphism.put.select(range(n, len(f.dom)))),
        (discard_change(P), Lens(identity(P), discard(P + changes(P)))),
    ]


def _tied(f: Diagram, P: Object, R: Operator) -> list[tuple[Any, Any]]:
    """Tying is reparametrising by copy, whose reverse adds; a batch is n tied copies."""
    A, B = f.dom[len(P) :], changes(f.cod)
    model = para(f, P, A)
    tied = (model @ model).reparametrise(copy(P))

    def put(p: Any, a: Any, c: Any, b: Any, d: Any) -> list[Any]:
        first, second = apply(R(f), p, a, b), apply(R(f), p, c, d)
        n = len(P)
        sums = [x + y for x, y in zip(first[:n], second[:n], strict=True)]
        return [*sums, *first[n:], *second[n:]]

    return [
        (tied.lens(), (model @ model).lens().reparametrise(Lens.of(copy(P)))),
        (tied.lens().morphism.put, formula([P, A, A, B, B], put)),
    ]


def _batched(f: Diagram, P: Object) -> list[tuple[Any, Any]]:
    """model.batch(3) on stacked inputs is the model on each of the three, for values and for changes."""
    size, A = 3, f.dom[len(P) :]
    batch = para(f, P, A).batch(size)
    many = tuple(space.batch(size) for space in A)
    back = tuple(space.batch(size) for space in changes(f.cod))

    def rows(p: Any, a: Any) -> list[Any]:
        each = [apply(f, p, [x[k] for x in a]) for k in range(size)]
        return [_stacked(column) for column in zip(*each, strict=True)]

    def sums(p: Any, a: Any, d: Any) -> list[Any]:
        n = len(P)
        reverse = Lens.of(f).put
        each = [apply(reverse, p, [x[k] for x in a], [y[k] for y in d]) for k in range(size)]
        totals = [one + two + three for one, two, three in zip(*(row[:n] for row in each), strict=True)]
        return [*totals, *(_stacked(column) for column in zip(*(row[n:] for row in each), strict=True))]

    return [
        (batch.morphism, formula([P, many], rows)),
        (batch.lens().morphism.put, formula([P, many, back], sums)),
    ]


def _stacked(wires: Any) -> Any:
    from catlearn.functions import concatenate, reshape

    return concatenate([reshape(wire, (1, *wire.shape)) for wire in wires])


PARAMETRISED: tuple[Law, ...] = (
    Law("PARA.id", "the identity is (1, 1_A)", CF, "A", lambda A: [(Para.of(identity(A)), Para((), A, identity(A)))]),
    Law("PARA.unit", "1 ; f = f = f ; 1", CF, "f: P A -> B, P", _units),
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
        "f x f reparametrised by copy sums the two changes of its parameter",
        CF,
        "f: P A -> B, P",
        _tied,
    ),
    Law("PARA.batch", "a batch is n copies that share a parameter", CF, "f: P A -> B, P", _batched),
    Law("PARA.names", "the names of parameters do not depend on how a composite is nested", CF, "A", _names),
    Law(
        "PARA.plens",
        "put of a composite: b = f(p, a); (q', b') = g*(q, b, c'); (p', a') = f*(p, a, b'); ((q', p'), a')",
        CF,
        "f: P A -> B, g: Q B -> C, P, Q",
        _plens,
    ),
    Law(
        "PARA.eta",
        "before (P, f), eta makes the input a parameter, and nothing else changes",
        CF,
        "f: P A -> B, P",
        _eta,
    ),
    Law("PARA.discard", "reparametrising by (1, !) throws a parameter's change away", CF, "f: P A -> B, P", _discard),
)
"""The laws of Para."""
