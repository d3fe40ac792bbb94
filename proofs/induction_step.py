"""The induction step: if f and g satisfy RD.2, RD.6 and RD.7, so do f ; g, f x g, <f, g> and f + g.

So, by induction on the diagram, the laws hold of every diagram if they hold of its generators (RD.generators).

Method. Two sorts, diagrams and generalised elements, with application between them. R and D of a composite unfold to
diagrams by `RULES`; a diagram applied to an element computes by `STRUCTURE`; what is assumed of f and g is a rule on
elements. egglog applies them until nothing new appears; a goal is proved if its two sides have met. The laws, with D
as in RD.D:

    RD.2   <a, b + c> ; R[f] = <a, b> ; R[f] + <a, c> ; R[f]     and     <a, 0> ; R[f] = 0
    RD.6   <<u, v>, <0, w>> ; D[R[f]] = <u, w> ; R[f]
    RD.7   <<u, v>, <w, t>> ; D[D[f]] = <<u, w>, <v, t>> ; D[D[f]]

RD.2 of f is assumed of f and of its derivatives, which are diagrams like any other: an induction proves RD.2 first.
Of R[f] it is CD.2 of f. CD.1, CD.3, CD.4 and CD.5 are taken as given; they follow from RD.1 to RD.5, but CD.5 of f ; g
only where g satisfies RD.2 or f is wiring, and its rules ask for that.

Which hypotheses a goal needs is found by leaving each out in turn. "Needed" says that the rules, run dry, do not prove
the goal from all the others; it does not say that there is a counterexample.

Why it is sound: f and g go between objects that differ wherever they may, each object has its own 0, and every rule
turns a well-typed term into an equal one of the same type. So no two elements of different types are ever equated.
Source: [RDC], definitions 1 and 13 and theorem 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import NamedTuple

from catlearn.errors import CatlearnError

THEOREM = "If f and g satisfy RD.2, RD.6 and RD.7, then so do f ; g, f x g, <f, g> and f + g."
METHOD = "equality saturation (egglog)"
SCOPE = (
    "all f and g in any cartesian left-additive category with R (A' = A), by RD.1, RD.4, RD.5, RD.tensor, CD.1, CD.3, "
    "CD.4 and CD.5; not covered: these rules themselves, and that the generators satisfy the laws"
)
LAWS = ("RD.2", "RD.6", "RD.7")
ITERATIONS = 30  # twice what the saturation takes: a bound for rules that somebody broke


@dataclass(frozen=True)
class Diagram:
    """A diagram, as egglog's text: `f >> g`, `f @ g` and `f + g` as in the library, `f & g` the pairing."""

    text: str

    def __rshift__(self, later: Diagram) -> Diagram:
        return Diagram(f"(seq {self.text} {later.text})")

    def __matmul__(self, beside: Diagram) -> Diagram:
        return Diagram(f"(tensor {self.text} {beside.text})")

    def __and__(self, second: Diagram) -> Diagram:
        return Diagram(f"(pairing {self.text} {second.text})")

    def __add__(self, other: Diagram) -> Diagram:
        return Diagram(f"(sum {self.text} {other.text})")


@dataclass(frozen=True)
class Element:
    """A generalised element X -> A, as egglog's text: `a >> f` applies f, `a & b` is a pair, `a + b` a sum."""

    text: str

    def __rshift__(self, diagram: Diagram) -> Element:
        return Element(f"(apply {self.text} {diagram.text})")

    def __and__(self, second: Element) -> Element:
        return Element(f"(couple {self.text} {second.text})")

    def __add__(self, other: Element) -> Element:
        return Element(f"(plus {self.text} {other.text})")


@dataclass(frozen=True)
class Operator:
    """R or D, which makes a diagram of a diagram."""

    name: str

    def __getitem__(self, diagram: Diagram) -> Diagram:
        return Diagram(f"({self.name} {diagram.text})")


class Rule(NamedTuple):
    """`left` is `right`, where the facts of `when` are known."""

    left: Diagram | Element
    right: Diagram | Element
    when: str = ""

    def __str__(self) -> str:
        return f"(rewrite {self.left.text} {self.right.text} :when ({self.when}))"


SYNTAX = """
(datatype Diagram (generator String) (identity) (first) (second) (R Diagram) (D Diagram)
  (seq Diagram Diagram) (tensor Diagram Diagram) (pairing Diagram Diagram) (sum Diagram Diagram))
(datatype Element (variable String String) (zero String)
  (apply Element Diagram) (couple Element Element) (plus Element Element))
(relation additive (Diagram)) ; it satisfies RD.2
(relation wiring (Diagram))   ; it is made of identities and projections alone
(wiring (identity)) (wiring (first)) (wiring (second))
(rule ((= h (seq f g)) (wiring f) (wiring g)) ((wiring h)))
(rule ((= h (tensor f g)) (wiring f) (wiring g)) ((wiring h)))
(rule ((= h (pairing f g)) (wiring f) (wiring g)) ((wiring h)))
(relation proved ())
"""

R, D = Operator("R"), Operator("D")
ONE, P0, P1 = Diagram("(identity)"), Diagram("(first)"), Diagram("(second)")
EX = P0 @ P0 & P1 @ P1
F, G = Diagram('(generator "f")'), Diagram('(generator "g")')
f, g = Diagram("f"), Diagram("g")  # these stand for any diagram, and a, b, c, d for any element
a, b, c, d = (Element(name) for name in "abcd")

RULES: dict[str, Rule] = {
    "RD.1": Rule(R[f + g], R[f] + R[g]),
    "RD.4": Rule(R[f & g], (ONE @ P0 >> R[f]) + (ONE @ P1 >> R[g])),
    "RD.5": Rule(R[f >> g], (P0 & (P0 >> f & P1) >> R[g]) >> R[f]),
    "RD.tensor": Rule(R[f @ g], EX >> R[f] @ R[g]),
    "CD.1": Rule(D[f + g], D[f] + D[g]),
    "CD.3, identity": Rule(D[ONE], P1),
    "CD.3, first projection": Rule(D[P0], P1 >> P0),
    "CD.3, second projection": Rule(D[P1], P1 >> P1),
    "CD.4": Rule(D[f & g], D[f] & D[g]),
    "CD.4, product": Rule(D[f @ g], D[P0 >> f & P1 >> g]),
    "CD.5": Rule(D[f >> g], (P0 >> f & D[f]) >> D[g], when="(additive g)"),
    "CD.5, after wiring": Rule(D[f >> g], (P0 >> f & D[f]) >> D[g], when="(wiring f)"),
}

STRUCTURE = (
    Rule(a >> ONE, a),
    Rule(a >> (f >> g), a >> f >> g),
    Rule(a >> (f & g), a >> f & a >> g),
    Rule((a & b) >> f @ g, a >> f & b >> g),
    Rule((a & b) >> P0, a),
    Rule((a & b) >> P1, b),
    Rule(a >> f + g, (a >> f) + (a >> g)),  # CLAC.left
    Rule((a & b) + (c & d), a + c & b + d),  # CLAC.proj
    Rule(a + b, b + a),
    Rule(a + b + c, a + (b + c)),
    Rule(a + Element("(zero object)"), a),
)

Wires = tuple[str, ...]  # the names of the objects whose product it is


class Arrow(NamedTuple):
    """A diagram between two products of objects."""

    diagram: Diagram
    source: Wires
    target: Wires


A, B, C, E = ("A",), ("B",), ("C",), ("E",)
CONSTRUCTIONS = {  # the composite, and what f and g are in it
    "f ; g": (Arrow(F >> G, A, C), Arrow(F, A, B), Arrow(G, B, C)),
    "f x g": (Arrow(F @ G, A + C, B + E), Arrow(F, A, B), Arrow(G, C, E)),
    "<f, g>": (Arrow(F & G, A, B + C), Arrow(F, A, B), Arrow(G, A, C)),
    "f + g": (Arrow(F + G, A, B), Arrow(F, A, B), Arrow(G, A, B)),
}
# Each law of a composite needs the same law of f and of g; the chain rule alone needs RD.2 besides.
BESIDES = {"RD.6 of f ; g": ["RD.2 of f", "RD.2 of g"], "RD.7 of f ; g": ["RD.2 of g"]}


def tuple_of(name: str, wires: Wires) -> Element:
    """The element that is a variable on each wire, or, named 0, a zero on each."""
    each = (Element(f'(zero "{wire}")' if name == "0" else f'(variable "{name}" "{wire}")') for wire in wires)
    return reduce(lambda left, right: left & right, each)


def equations(law: str, arrow: Arrow, make: Callable[[str, Wires], Element]) -> list[Rule]:
    """What the law says of the arrow, on the elements that `make` makes."""
    h, source, target = arrow
    u, zero = make("u", source), make("0", source)
    v, w, t = (make(name, source if law == "RD.7" else target) for name in "vwt")
    if law == "RD.2":
        sums = Rule((u & v + w) >> R[h], ((u & v) >> R[h]) + ((u & w) >> R[h]))
        return [sums, Rule((u & make("0", target)) >> R[h], zero)]
    if law == "RD.6":
        return [Rule(((u & v) & (zero & w)) >> D[R[h]], (u & w) >> R[h])]
    return [Rule(((u & v) & (w & t)) >> D[D[h]], ((u & w) & (v & t)) >> D[D[h]])]


def hypothesis(law: str, part: Arrow) -> str:
    """The law of f or of g, on any elements, as egglog's rules and facts."""
    h, source, target = part
    rules = equations(law, part, lambda name, wires: tuple_of(name, wires) if name == "0" else Element(name))
    if law != "RD.2":
        return "\n".join(map(str, rules))
    # Its derivatives are additive too; of CD.2 the zero is all that is used.
    rules.append(Rule((a & tuple_of("0", source)) >> D[h], tuple_of("0", target)))
    return "\n".join([*map(str, rules), *(f"(additive {each.text})" for each in (h, R[h], D[h]))])


def question(law: str, whole: Arrow) -> str:
    """Both sides of the law of a composite, and a rule that notices when they have met."""
    sides = [f"{rule.left.text} {rule.right.text}" for rule in equations(law, whole, tuple_of)]
    return "\n".join([*sides, f"(rule ({' '.join(f'(= {both})' for both in sides)}) ((proved)))"])


def holds(program: Iterable[str], goal: str) -> bool:
    """Whether the program's question is answered yes when all its rules have run dry."""
    try:
        from egglog.bindings import EGraph, PrintFunctionSize, RunScheduleOutput
    except ImportError as error:
        raise CatlearnError("this proof needs egglog: pip install 'categorical-learning[proofs]'") from error
    graph = EGraph()
    text = "\n".join([*program, f"(run {ITERATIONS}) (run 1) (print-size proved)"])
    *_, last, answer = graph.run_program(*graph.parse_program(text))
    assert isinstance(last, RunScheduleOutput)
    assert isinstance(answer, PrintFunctionSize)
    if last.report.updated:
        raise AssertionError(f"{goal}: the rules have not run dry after {ITERATIONS} iterations")
    return answer.size > 0


def prove(rules: Mapping[str, Rule] = RULES) -> list[str]:
    """Each law of each construction, and the hypotheses it needs: they are enough, and none can be left out.

    `rules` are what R and D of a composite unfold by; with a wrong one a goal fails or needs other hypotheses, unless
    it keeps all three laws, as R[f + g] = R[f] + R[f] + R[g] does (RD.blindspot).
    """
    theory = [SYNTAX, *map(str, STRUCTURE), *map(str, rules.values())]
    lines = []
    for law, (name, (whole, *parts)) in product(LAWS, CONSTRUCTIONS.items()):
        goal = f"{law} of {name}"
        given = {f"{each} of {x}": hypothesis(each, part) for each in LAWS for x, part in zip("fg", parts, strict=True)}
        needed = [f"{law} of f", f"{law} of g", *BESIDES.get(goal, [])]
        asked = question(law, whole)
        if not holds([*theory, *(given[each] for each in needed), asked], goal):
            raise AssertionError(f"{goal} is not proved from {', '.join(needed)}")
        for left_out in needed:
            if holds([*theory, *(given[each] for each in given if each != left_out), asked], goal):
                raise AssertionError(f"{goal} is proved without {left_out}, which it should need")
        lines.append(f"{goal} from {', '.join(needed)}")
    return lines


if __name__ == "__main__":
    print("\n".join(prove()))
