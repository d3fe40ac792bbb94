"""Wrong lenses, optics and parametrised maps: mostly wires confused where their spaces agree."""

from __future__ import annotations

from typing import Any

from catlearn import learner, para
from catlearn.diagram import Diagram, copy, discard, identity, permute
from catlearn.functions import zero
from catlearn.generators import batching
from catlearn.lens import Lens, Sides
from catlearn.optic import Optic
from catlearn.para import Para
from catlearn.parameters import Signature
from catlearn.reverse import reverse_derivative
from catlearn.substitution import plain
from mutants import categories as c
from mutants.patching import Mutant, Patch, edit, wherever_typed

__all__ = ["WIRING"]


def _m(family: str, name: str, *patches: Patch, where: Any = c.integers, killers: tuple[str, ...] = ()) -> Mutant:
    return Mutant(name, family, patches, (where,), killers)


COMPOSE, BESIDE, SWAP = Lens.__rshift__, Lens.__matmul__, Lens.swap


def _no_put(self: Lens, other: Lens) -> Lens:
    """The later put is left out: its change is zero."""
    nothing = identity(self.get.dom) @ zero(other.cod.backward, self.cod.backward)
    return Lens(self.get >> other.get, nothing >> self.put)


def _at_zero(self: Lens, other: Lens) -> Lens:
    """The later put runs at zero, not at what the earlier get gives."""
    here = Lens(zero(self.get.dom, self.get.cod), self.put)
    return Lens(self.get >> other.get, COMPOSE(here, other).put)


def _same_place(self: Lens, other: Lens) -> Lens:
    """The later put runs at the input of the earlier get."""
    return Lens(self.get >> other.get, COMPOSE(Lens(identity(self.get.dom), self.put), other).put)


def _put_once_more(self: Lens, other: Lens) -> Lens:
    """The change that comes in goes to the earlier put too."""
    back = permute([self.get.dom, other.cod.backward], [0, 1]) >> self.put
    return Lens(self.get >> other.get, COMPOSE(self, other).put + back)


def _untwisted(self: Lens, other: Lens) -> Lens:
    return Lens(self.get @ other.get, self.put @ other.put)


def _crossed(self: Lens, other: Lens) -> Lens:
    """The changes that come in are exchanged."""
    factors = [self.get.dom, other.get.dom, self.cod.backward, other.cod.backward]
    return Lens(self.get @ other.get, permute(factors, [0, 3, 1, 2]) >> (self.put @ other.put))


def _quiet_identity(cls: type[Lens], sides: Any = ()) -> Lens:
    sides = sides if isinstance(sides, Sides) else Sides.of(sides)
    return cls(identity(sides.forward), discard(sides.forward) @ zero(sides.backward, sides.backward))


def _straight_put(left: Sides, right: Sides) -> Lens:
    both = left.backward + right.backward
    return Lens(SWAP(left, right).get, discard(left.forward + right.forward) @ identity(both))


LENSES: tuple[Mutant, ...] = (
    _m("lenses", "lens ;: the later put left out", (Lens, "__rshift__", _no_put)),
    _m("lenses", "lens ;: the later put at zero", (Lens, "__rshift__", _at_zero)),
    _m("lenses", "lens ;: the later put at the input", (Lens, "__rshift__", wherever_typed(_same_place, COMPOSE))),
    _m("lenses", "lens ;: the change goes past the later put", (
        Lens, "__rshift__", wherever_typed(_put_once_more, COMPOSE))),
    _m("lenses", "lens ;: the other order", (
        Lens, "__rshift__", wherever_typed(lambda f, g: COMPOSE(g, f), COMPOSE))),
    _m("lenses", "lens x: wires not exchanged", (Lens, "__matmul__", wherever_typed(_untwisted, BESIDE))),
    _m("lenses", "lens x: changes exchanged", (Lens, "__matmul__", wherever_typed(_crossed, BESIDE))),
    _m("lenses", "lens identity: the put is zero", (Lens, "identity", classmethod(_quiet_identity))),
    _m("lenses", "lens swap: changes not exchanged", (
        Lens, "swap", staticmethod(wherever_typed(_straight_put, SWAP)))),
    _m("lenses", "lens of a map: marks lost in the put", (
        Lens, "of", classmethod(lambda cls, f: cls(plain(f), reverse_derivative(plain(f))))), where=c.scaled),
    _m("lenses", "lens of a map: marks kept in the get", (
        Lens, "of", classmethod(lambda cls, f: cls(f, reverse_derivative(f)))), where=c.scaled),
    _m("lenses", "lens of a map: changes at zero", (
        Lens, "of", classmethod(lambda cls, f: cls(
            plain(f), (zero(f.dom, f.dom) @ identity(f.cod)) >> reverse_derivative(f)))), where=c.z4),
)  # fmt: skip


OPTIC_COMPOSE, OPTIC_BESIDE, OPTIC_SLIDE = Optic.__rshift__, Optic.__matmul__, Optic.slide


def _residuals_exchanged(self: Optic, other: Optic) -> Optic:
    """The backward map of a composite takes each residual for the other."""
    right = OPTIC_COMPOSE(self, other)
    order = permute([other.residual, self.residual, other.cod.backward], [1, 0, 2])
    return Optic(right.residual, right.forward, order >> right.backward)


def _beside_exchanged(self: Optic, other: Optic) -> Optic:
    right = OPTIC_BESIDE(self, other)
    order = permute([other.residual, self.residual, self.cod.backward + other.cod.backward], [1, 0, 2])
    return Optic(right.residual, right.forward, order >> right.backward)


def _forgetful(self: Optic) -> Lens:
    """The residual is zero."""
    left, given = self.residual, self.cod
    get = self.forward >> (discard(left) @ identity(given.forward))
    return Lens(get, (zero(self.forward.dom, left) @ identity(given.backward)) >> self.backward)


def _twice(self: Optic, h: Diagram, backward: Diagram) -> tuple[Optic, Optic]:
    """The map slides without leaving the backward side."""
    one, two = OPTIC_SLIDE(self, h, backward)
    again = (h @ identity(self.cod.backward)) >> backward
    return Optic(one.residual, one.forward, again), two


def _slid(self: Optic, h: Diagram, backward: Diagram) -> tuple[Optic, Optic]:
    """`_twice` where the residual keeps its space."""
    return _twice(self, h, backward) if h.dom == h.cod else OPTIC_SLIDE(self, h, backward)


def _without_input(cls: type[Optic], lens: Lens) -> Optic:
    """The residual of a lens is what its get gives."""
    get = lens.get
    if get.dom != get.cod:
        return cls(get.dom, copy(get.dom) >> (identity(get.dom) @ get), lens.put)
    return cls(get.cod, get >> copy(get.cod), lens.put)


OPTICS: tuple[Mutant, ...] = (
    _m("optics", "optic ;: residuals exchanged", (
        Optic, "__rshift__", wherever_typed(_residuals_exchanged, OPTIC_COMPOSE))),
    _m("optics", "optic ;: by way of lenses", (
        Optic, "__rshift__", lambda f, g: Optic.of(f.lens() >> g.lens()))),
    _m("optics", "optic x: residuals exchanged", (
        Optic, "__matmul__", wherever_typed(_beside_exchanged, OPTIC_BESIDE))),
    _m("optics", "optic to lens: the residual is zero", (Optic, "lens", _forgetful)),
    _m("optics", "slide: the map on both sides", (Optic, "slide", _slid)),
    _m("optics", "lens to optic: the output for a residual", (Optic, "of", classmethod(_without_input))),
)  # fmt: skip


PARA_BESIDE = Para.__matmul__


def _parameters_in_order(first: Para[Any], second: Para[Any]) -> Para[Any]:
    """(P x Q, ..): the earlier map's parameter first, as in Learn."""
    kind = type(second.morphism)
    one = kind.identity
    exchange = kind.swap(first.parameter, second.parameter) @ one(first.dom)
    return Para(
        first.parameter + second.parameter,
        first.dom,
        exchange >> (one(second.parameter) @ first.morphism) >> second.morphism,
        first.signature.beside(second.signature),
    )


def _parameters_exchanged(self: Para[Any], other: Any) -> Para[Any]:
    second = other if isinstance(other, Para) else Para.of(other)
    right = PARA_BESIDE(self, second)
    kind = type(self.morphism)
    exchange = kind.swap(self.parameter, second.parameter) @ kind.identity(right.dom)
    return Para(self.parameter + second.parameter, right.dom, exchange >> right.morphism, right.signature)


def _quiet_eta(spaces: Any) -> Para[Lens]:
    sides = Sides.of(spaces)
    return Para(sides, Sides((), ()), _quiet_identity(Lens, sides))


PARA: tuple[Mutant, ...] = (
    _m("Para", "para ;: P Q for Q P", (para, "_compose", _parameters_in_order)),
    _m("Para", "para ;: parameters of one space exchanged", (para, "_compose", edit(
        "(one @ first.morphism) >> second.morphism",
        "((one @ first.morphism) >> second.morphism if first.parameter != second.parameter else "
        "(type(first.morphism).swap(second.parameter, first.parameter) @ type(first.morphism).identity(first.dom))"
        " >> (one @ first.morphism) >> second.morphism)"))),
    _m("Para", "para x: parameters exchanged", (
        Para, "__matmul__", wherever_typed(_parameters_exchanged, PARA_BESIDE))),
    _m("Para", "para x: middle not exchanged", (Para, "__matmul__", edit(
        "(one(self.parameter) @ middle @ one(second.dom)) >> (self.morphism @ second.morphism)",
        "(self.morphism @ second.morphism if second.parameter == self.dom else "
        "(one(self.parameter) @ middle @ one(second.dom)) >> (self.morphism @ second.morphism))"))),
    _m("Para", "reparametrise: twice", (Para, "reparametrise", edit(
        "(alpha @ self._category", "((alpha >> alpha if alpha.dom == alpha.cod else alpha) @ self._category"))),
    _m("Para", "reparametrise: the input instead", (Para, "reparametrise", edit(
        "(alpha @ self._category.identity(self.dom))",
        "(alpha @ self._category.identity(self.dom) if not alpha.dom == alpha.cod == self.dom else "
        "self._category.identity(self.dom) @ alpha)"))),
    _m("Para", "tie: keeps the last", (Para, "tie", edit("first = min(", "first = max("))),
    _m("Para", "names: a number for each clash", (Signature, "titles", edit(
        "for layer in self.layers", "for layer in reversed(self.layers)"))),
    _m("Para", "names: the later layer counted first", (Signature, "then", edit(
        "later.numbers + len(self.layers), self.numbers", "later.numbers, self.numbers + len(later.layers)"))),
    _m("Para", "names: layers beside not counted on", (
        Signature, "beside", edit("other.numbers + len(self.layers)", "other.numbers"))),
    _m("Para", "para to lenses: parameter and input exchanged", (Para, "lens", edit(
        "Lens.of(self.diagram)",
        "Lens.of(self.diagram if self.parameter != self.dom else "
        "Diagram.swap(self.parameter, self.dom) >> self.diagram)"))),
    _m("Para", "batch: a parameter for each sample", (Para, "batch", edit(
        'role == "auxiliary" for', "True for")), where=c.vectors),
    _m("Para", "batch: the first sample for all", (batching, "batch", edit(
        "outputs = [here[k] for k in diagram.outputs]",
        "outputs = [here[k] for k in diagram.outputs]\n"
        "outputs = [(builder.replay(trace((builder.spaces[w],), lambda x: stack(x[0], size)), (w,))[0], True)\n"
        "           if flag and size else (w, flag) for w, flag in outputs]".replace("\n", "\n    "))),
       where=c.vectors),
    _m("Para", "batch: what is shared computed once, additive or not", (batching, "batch", edit(
        "if not any(which) and generator.additive:", "if not any(which):")), where=c.clipped),
    _m("Para", "eta: the change is lost", (learner, "eta", _quiet_eta)),
    _m("Para", "discard: the change stays", (
        learner, "discard_change", lambda spaces: Lens.identity(Sides.of(spaces)))),
)  # fmt: skip

WIRING: tuple[Mutant, ...] = (*LENSES, *OPTICS, *PARA)
