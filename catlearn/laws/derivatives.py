"""Laws of cartesian left additive categories and of the derivatives R and D, each stated once, as data.

`R` is the category's reverse derivative and `D` what RD.D makes of it; a side is written out with the structural maps,
so that a law tests one against the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from catlearn.diagram import Diagram, copy, discard, identity, permute, swap
from catlearn.functions import add, zero
from catlearn.laws.law import Law
from catlearn.reverse import contextual_dagger, dagger
from catlearn.space import Object, changes

__all__ = ["DERIVATIVES", "pair"]

Operator = Callable[[Diagram], Diagram]

RDC = "Cockett et al., Reverse derivative categories (1910.07065)"
CDC = "Blute, Cockett and Seely, Cartesian differential categories (2009), as in 1910.07065, definition 4"
CF = "Cruttwell et al., Categorical foundations of gradient-based learning (2103.01931)"
PC = "Wilson and Zanasi, Categories of differentiable polynomial circuits (2203.06430)"


def pair(f: Diagram, g: Diagram) -> Diagram:
    """<f, g>."""
    return copy(f.dom) >> (f @ g)


def _rd_4(f: Diagram, g: Diagram, R: Operator) -> list[tuple[Diagram, Diagram]]:
    left = (identity(f.dom + changes(f.cod)) @ discard(changes(g.cod))) >> R(f)
    order = permute([f.dom, changes(f.cod), changes(g.cod)], [0, 2, 1])
    right = order >> (identity(f.dom + changes(g.cod)) @ discard(changes(f.cod))) >> R(g)
    return [(R(pair(f, g)), left + right), (R(discard(f.dom)), zero(f.dom, changes(f.dom)))]


def _rd_5(f: Diagram, g: Diagram, R: Operator) -> list[tuple[Diagram, Diagram]]:
    last = identity(changes(g.cod))
    chained = (copy(f.dom) @ last) >> (identity(f.dom) @ f @ last) >> (identity(f.dom) @ R(g)) >> R(f)
    return [(R(f >> g), chained)]


def _rd_6(f: Diagram, R: Operator, D: Operator) -> list[tuple[Diagram, Diagram]]:
    a, b = f.dom, changes(f.cod)
    inner = (identity(a + b) @ zero((), changes(a)) @ identity(b)) >> D(R(f))
    return [(inner, (identity(a) @ discard(b) @ identity(b)) >> R(f))]


def _exchange(a: Object) -> Diagram:
    d = changes(a)
    return permute([a, d, d, d], [0, 2, 1, 3])


def _merged(f: Diagram) -> list[tuple[int, int]]:
    pairs = []
    for generator, _, _ in f.nodes:
        dom = tuple(generator.dom)
        wires = tuple(range(len(dom)))
        twice = Diagram(dom, [(generator, wires), (generator, wires)])
        pairs.append((len(twice.nodes), 1 if generator.additive else 2))
    return pairs


_POLY = ("add", "multiply")
_LAWS: tuple[Law, ...] = (
    Law(
        "CAT.assoc",
        "(f ; g) ; h = f ; (g ; h)",
        CF,
        "f: A -> B, g: B -> C, h: C -> D",
        lambda f, g, h: [((f >> g) >> h, f >> (g >> h))],
    ),
    Law(
        "CAT.unit",
        "1 ; f = f = f ; 1",
        CF,
        "f: A -> B",
        lambda f: [(identity(f.dom) >> f, f), (f >> identity(f.cod), f)],
    ),
    Law(
        "CAT.tensor",
        "(f x h) ; (g x k) = (f ; g) x (h ; k)",
        CF,
        "f: A -> B, g: B -> C, h: D -> E, k: E -> F",
        lambda f, g, h, k: [((f @ h) >> (g @ k), (f >> g) @ (h >> k))],
    ),
    Law(
        "CAT.swap",
        "(f x g) ; swap = swap ; (g x f), and swap is its own inverse",
        CF,
        "f: A -> B, g: C -> D",
        lambda f, g: [
            ((f @ g) >> swap(f.cod, g.cod), swap(f.dom, g.dom) >> (g @ f)),
            (swap(f.dom, g.dom) >> swap(g.dom, f.dom), identity(f.dom + g.dom)),
        ],
    ),
    Law("CAT.copy", "f ; copy = copy ; (f x f)", PC, "f: A -> B", lambda f: [(f >> copy(f.cod), pair(f, f))]),
    Law("CAT.share", "two equal nodes are one, unless marked as not additive", PC, "f: A -> B", _merged),
    Law("CAT.discard", "f ; ! = !", PC, "f: A -> B", lambda f: [(f >> discard(f.cod), discard(f.dom))]),
    Law(
        "CAT.comonoid",
        "copy is associative, commutative, and discard is its unit",
        PC,
        "A",
        lambda A: [
            (copy(A) >> (copy(A) @ identity(A)), copy(A) >> (identity(A) @ copy(A))),
            (copy(A) >> swap(A, A), copy(A)),
            (copy(A) >> (discard(A) @ identity(A)), identity(A)),
        ],
    ),
    Law(
        "CLAC.left",
        "f ; (g + h) = f ; g + f ; h, and f ; 0 = 0",
        RDC,
        "f: X -> A, g: A -> B, h: A -> B",
        lambda f, g, h: [(f >> (g + h), (f >> g) + (f >> h)), (f >> zero(g.dom, g.cod), zero(f.dom, g.cod))],
        ("add",),
    ),
    Law(
        "CLAC.proj",
        "<f, g> + <h, k> = <f + h, g + k>",
        RDC,
        "f: X -> A, g: X -> B, h: X -> A, k: X -> B",
        lambda f, g, h, k: [(pair(f, g) + pair(h, k), pair(f + h, g + k))],
        ("add",),
    ),
    Law(
        "CLAC.monoid",
        "f + g = <f, g> ; +, a commutative monoid",
        RDC,
        "f: A -> B, g: A -> B, h: A -> B",
        lambda f, g, h: [
            (f + g, pair(f, g) >> add(f.cod)),
            (f + g, g + f),
            ((f + g) + h, f + (g + h)),
            (f + zero(f.dom, f.cod), f),
        ],
        ("add",),
    ),
    Law(
        "RD.1",
        "R[f + g] = R[f] + R[g], R[0] = 0",
        RDC,
        "f: A -> B, g: A -> B",
        lambda f, g, R: [
            (R(f + g), R(f) + R(g)),
            (R(zero(f.dom, f.cod)), zero(f.dom + changes(f.cod), changes(f.dom))),
        ],
        ("add",),
    ),
    Law(
        "RD.2",
        "R[f](a, b + c) = R[f](a, b) + R[f](a, c), R[f](a, 0) = 0",
        RDC,
        "f: A -> B",
        lambda f, R: [
            (
                (identity(f.dom) @ add(changes(f.cod))) >> R(f),
                (identity(f.dom + changes(f.cod)) @ discard(changes(f.cod)) >> R(f))
                + (identity(f.dom) @ discard(changes(f.cod)) @ identity(changes(f.cod)) >> R(f)),
            ),
            (identity(f.dom) @ zero((), changes(f.cod)) >> R(f), zero(f.dom, changes(f.dom))),
        ],
    ),
    Law(
        "RD.3",
        "R[1] = pi1, R[pi0] = pi1 ; iota0, R[pi1] = pi1 ; iota1",
        RDC,
        "A, B",
        lambda A, B, R: [
            (R(identity(A)), discard(A) @ identity(changes(A))),
            (R(identity(A) @ discard(B)), discard(A + B) @ identity(changes(A)) @ zero((), changes(B))),
            (R(discard(A) @ identity(B)), discard(A + B) @ zero((), changes(A)) @ identity(changes(B))),
        ],
    ),
    Law("RD.4", "R[<f, g>](a, (y, z)) = R[f](a, y) + R[g](a, z), R[!] = 0", RDC, "f: A -> B, g: A -> C", _rd_4),
    Law("RD.5", "R[f ; g](a, z) = R[f](a, R[g](f(a), z))", RDC, "f: A -> B, g: B -> C", _rd_5),
    Law("RD.6", "D[R[f]]((a, b), (0, c)) = R[f](a, c)", RDC, "f: A -> B", _rd_6),
    Law(
        "RD.7",
        "D[D[f]]((a, v), (w, u)) = D[D[f]]((a, w), (v, u))",
        RDC,
        "f: A -> B",
        lambda f, D: [(D(D(f)), _exchange(f.dom) >> D(D(f)))],
    ),
    Law(
        "RD.tensor",
        "R[f x g] = ex ; (R[f] x R[g])",
        RDC,
        "f: A -> B, g: C -> D",
        lambda f, g, R: [
            (R(f @ g), permute([f.dom, g.dom, changes(f.cod), changes(g.cod)], [0, 2, 1, 3]) >> (R(f) @ R(g)))
        ],
    ),
    Law(
        "RD.struct",
        "R[copy] = pi1 ; +, R[swap] = pi1 ; swap, R[!] = 0",
        RDC,
        "A",
        lambda A, R: [
            (R(copy(A)), discard(A) @ add(changes(A))),
            (R(swap(A, A)), discard(A + A) @ swap(changes(A), changes(A))),
            (R(discard(A)), zero(A, changes(A))),
        ],
    ),
    Law(
        "CD.1",
        "D[f + g] = D[f] + D[g], D[0] = 0",
        CDC,
        "f: A -> B, g: A -> B",
        lambda f, g, D: [
            (D(f + g), D(f) + D(g)),
            (D(zero(f.dom, f.cod)), zero(f.dom + changes(f.dom), changes(f.cod))),
        ],
        ("add",),
    ),
    Law(
        "CD.2",
        "D[f](a, b + c) = D[f](a, b) + D[f](a, c), D[f](a, 0) = 0",
        CDC,
        "f: A -> B",
        lambda f, D: [
            (
                (identity(f.dom) @ add(changes(f.dom))) >> D(f),
                (identity(f.dom + changes(f.dom)) @ discard(changes(f.dom)) >> D(f))
                + (identity(f.dom) @ discard(changes(f.dom)) @ identity(changes(f.dom)) >> D(f)),
            ),
            (identity(f.dom) @ zero((), changes(f.dom)) >> D(f), zero(f.dom, changes(f.cod))),
        ],
    ),
    Law(
        "CD.3",
        "D[1] = pi1, D[pi0] = pi1 ; pi0, D[pi1] = pi1 ; pi1",
        CDC,
        "A, B",
        lambda A, B, D: [
            (D(identity(A)), discard(A) @ identity(changes(A))),
            (D(identity(A) @ discard(B)), discard(A + B) @ identity(changes(A)) @ discard(changes(B))),
            (D(discard(A) @ identity(B)), discard(A + B) @ discard(changes(A)) @ identity(changes(B))),
        ],
    ),
    Law(
        "CD.4",
        "D[<f, g>] = <D[f], D[g]>",
        CDC,
        "f: A -> B, g: A -> C",
        lambda f, g, D: [(D(pair(f, g)), pair(D(f), D(g)))],
    ),
    Law(
        "CD.5",
        "D[f ; g](a, v) = D[g](f(a), D[f](a, v))",
        CDC,
        "f: A -> B, g: B -> C",
        lambda f, g, D: [(D(f >> g), pair(f @ discard(changes(f.dom)), D(f)) >> D(g))],
    ),
    Law(
        "CD.6",
        "D[D[f]]((a, b), (0, c)) = D[f](a, c)",
        CDC,
        "f: A -> B",
        lambda f, D: [
            (
                (identity(f.dom + changes(f.dom)) @ zero((), changes(f.dom)) @ identity(changes(f.dom))) >> D(D(f)),
                (identity(f.dom) @ discard(changes(f.dom)) @ identity(changes(f.dom))) >> D(f),
            )
        ],
    ),
    Law(
        "CD.7",
        "D[D[f]]((a, b), (c, d)) = D[D[f]]((a, c), (b, d))",
        CDC,
        "f: A -> B",
        lambda f, D: [(D(D(f)), _exchange(f.dom) >> D(D(f)))],
    ),
    Law(
        "DAG.linear",
        "on linear maps the dagger is an involution that reverses ; and keeps +, and R[f] = pi1 ; f†",
        RDC,
        "f: A -o B, g: B -o C, h: A -o B",
        lambda f, g, h, R, D: [
            (D(f), discard(f.dom) @ f),
            (dagger(f >> g, R), dagger(g, R) >> dagger(f, R)),
            (dagger(dagger(f, R), R), f),
            (dagger(f + h, R), dagger(f, R) + dagger(h, R)),
            (R(f), discard(f.dom) @ dagger(f, R)),
        ],
        (*_POLY, "own"),
    ),
    Law(
        "DAG.char",
        "f†† = iota1 ; D[f]",
        RDC,
        "f: A -> B",
        lambda f, R, D: [(dagger(dagger(f, R), R), (zero((), f.dom) @ identity(f.dom)) >> D(f))],
        ("own",),
    ),
    Law(
        "DAG.context",
        "R[f] = D[f]†[A], D[f] = R[f]†[A]",
        RDC,
        "f: A -> B",
        lambda f, R, D: [
            (R(f), contextual_dagger(D(f), len(f.dom), R)),
            (D(f), contextual_dagger(R(f), len(f.dom), R)),
        ],
        ("own",),
    ),
)
DERIVATIVES: tuple[Law, ...] = tuple(replace(law, any_reverse=True) for law in _LAWS)
"""The laws of the category, of R, of D and of the dagger."""
