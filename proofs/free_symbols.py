"""Bounded in wires: lenses, optics and parametrised maps have their laws in every cartesian category.

Every variable of a law stands for a free symbol of its type, the library composes the symbols, and the two sides are
compared as terms. Terms are equal only by the cartesian laws, so the equation holds of all morphisms of that type in
every cartesian category. For the laws about R (those in `WITH_ZERO`) R[f] is a symbol of which R[f](a, 0) = 0 is used
as well: it is half of RD.2, and an object without wires needs it. The counts of wires are bounded: each object has the
shapes listed in `SHAPES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from catlearn.diagram import Diagram
from catlearn.functors.free import Free, symbol
from catlearn.laws.catalogue import by_identifier
from catlearn.laws.law import Law, Pair, Variable
from catlearn.lens import Lens, Sides
from catlearn.para import Para
from catlearn.proving import shown
from catlearn.reverse import FoldingBuilder, forward_derivative, reverse_derivative
from catlearn.semirings import REAL
from catlearn.space import Space

THEOREM = "The laws of the category, of lenses, optics and Para hold by the cartesian structure alone."
METHOD = "composition of free symbols by the library itself, terms compared (functors.free)"
SCOPE = (
    "all morphisms of every cartesian category, for objects of up to two wires; bounded. LENS.R, PARA.R, PARA.plens, "
    "RD.5 and RD.tensor, of R[f; g] and R[f x g] as the library makes them, use R[f](a, 0) = 0 too"
)
LAWS = (
    "CAT.assoc", "CAT.unit", "CAT.tensor", "CAT.swap", "CAT.copy", "CAT.discard", "CAT.comonoid",
    "LENS.id", "LENS.comp", "LENS.assoc", "LENS.unit", "LENS.tensor", "LENS.sym", "LENS.R",
    "OPTIC.def", "OPTIC.slide", "OPTIC.iso",
    "PARA.id", "PARA.comp", "PARA.unit", "PARA.assoc", "PARA.tensor", "PARA.reparam", "PARA.interchange", "PARA.R",
    "PARA.plens", "PARA.eta", "PARA.discard",
    "RD.5", "RD.tensor",
)  # fmt: skip
WITH_ZERO = ("LENS.R", "PARA.R", "PARA.plens", "RD.5", "RD.tensor")
X = Space((), REAL)
SHAPES = {5: ((1, 1), (0, 0), (1, 0), (0, 1), (2, 2)), 6: ((1, 1), (0, 1), (2, 1)), 10: ((1, 1), (2, 0))}
"""Wires forward and backward of an object, for laws with up to that many objects."""


def cases(law: Law) -> Iterator[Mapping[str, Any]]:
    """An assignment of free symbols to the law's variables for every choice of shapes."""
    typed, letters = law.typed, law.objects
    lenses = {letter for v in typed if v.kind == "=>" for letter in (*v.dom, *v.cod)}
    shapes = next(shapes for most, shapes in SHAPES.items() if len(letters) <= most)
    for chosen in product(shapes, repeat=len(letters)):
        objects: dict[str, Any] = {
            letter: Sides((X,) * n, (X,) * m) if letter in lenses else (X,) * n
            for letter, (n, m) in zip(letters, chosen, strict=True)
        }
        values = {v.name: _symbol(v, objects) for v in typed}
        values.update(R=reverse_derivative, D=forward_derivative)
        yield {name: values[name] if name in values else objects[name] for name in law.names}


def _symbol(v: Variable, objects: Mapping[str, Any]) -> Any:
    empty: Any = Sides((), ()) if v.kind == "=>" else ()
    dom, cod = (sum((objects[letter[0]] for letter in side), empty) for side in (v.dom, v.cod))
    if v.kind == "=>":
        get = symbol(v.name, dom.forward, cod.forward)
        return Lens(get, symbol(f"{v.name}*", dom.forward + cod.backward, dom.backward))
    return symbol(v.name, dom, cod)


def same(left: Any, right: Any, zero: bool) -> bool:
    """Whether two sides are the same terms of the same type; with `zero`, after R[f](a, 0) = 0."""
    if isinstance(left, Para):
        return bool(left.parameter == right.parameter) and same(left.morphism, right.morphism, zero)
    if isinstance(left, Lens):
        return same(left.get, right.get, zero) and same(left.put, right.put, zero)
    if not isinstance(left, Diagram):
        return bool(left == right)
    if (left.dom, left.cod) != (right.dom, right.cod):
        return False
    free = Free()
    ours, theirs = (free.terms(_folded(side) if zero else side) for side in (left, right))
    return ours == theirs


def _folded(diagram: Diagram) -> Diagram:
    builder = FoldingBuilder(diagram.dom)
    return builder.finish(builder.replay(diagram, tuple(range(len(diagram.dom)))))


def prove() -> list[str]:
    """One line a law, with the number of cases."""
    lines = []
    for identifier in LAWS:
        law, count = by_identifier(identifier), 0
        for values in cases(law):
            for sides in law.sides(**values):
                pair = sides if isinstance(sides, Pair) else Pair(*sides)
                shown(
                    same(pair.left, pair.right, identifier in WITH_ZERO) == pair.equal, f"{identifier}: {law.statement}"
                )
                count += 1
        lines.append(f"{identifier}: {law.statement} ({count} cases)")
    return lines
