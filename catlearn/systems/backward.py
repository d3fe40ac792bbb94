"""Other backward passes: the same get, another put (LENS.*), put on a model by one call.

    with_backward(model, "feedback alignment", seed=0)         a model like any other: supervised, fit, save

`with_backward` is a functor on parametrised diagrams: nodes are replaced by nodes with the same get, also within `Scan`
and `Map`. So all laws of lenses hold, and composites stay composites; what is lost is what ties the put to the get.
Each `Backward` is marked with what it keeps:

    add   the put keeps sums and zero of changes (RD.2), so copies of a node are natural (LENS.copynat)
    map   the put depends on the map that is denoted alone, not on how it is written
    †     the put is the dagger of the derivative
    7     the put of one node is the reverse derivative of some map, whose second derivatives are symmetric (RD.7)

True, False, "mean" (over its random draws), or None where nothing can be said. `BACKWARD` is the table by name.

>>> from catlearn.layers import dense
>>> model = with_backward(dense(4, 3, "tanh") >> dense(3, 2), "feedback alignment", seed=0)
>>> model.names[-2:]
('dense_0.weight_feedback', 'dense_1.weight_feedback')
>>> BACKWARD["feedback alignment"]()
<feedback alignment: add ✓, map ✗, † ✗, 7 ✗>

Sources: those that `feedback`, `straight_through`, `few_bit` and `forward_gradient` name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from catlearn.diagram import Diagram, Generator, identity
from catlearn.errors import OperationError, UnknownNameError, nearest
from catlearn.generators.elementwise import Function
from catlearn.generators.surrogate import clip_change
from catlearn.para import Para
from catlearn.space import Space
from catlearn.systems import feedback
from catlearn.systems import few_bit as bits_
from catlearn.systems import forward_gradient as forward
from catlearn.systems import straight_through as through
from catlearn.systems.rewriting import Origins, Patch, rewritten

__all__ = [
    "BACKWARD",
    "Backward",
    "Mark",
    "clipped_straight_through",
    "clipping",
    "direct_feedback_alignment",
    "exact",
    "feedback_alignment",
    "few_bit",
    "forward_gradient",
    "normalising",
    "product_feedback_alignment",
    "reinmax",
    "reversal",
    "scaling",
    "stop",
    "straight_through",
    "surrogate_pairs",
    "table",
    "with_backward",
]

Mark = bool | str | None
COLUMNS = ("add", "map", "†", "7")
_SIGNS: dict[Mark, str] = {True: "✓", False: "✗", None: "-"}


@dataclass(frozen=True, repr=False)
class Backward:
    """A backward pass: its name, the formula of its put, what it keeps, where it goes, and how a model gets it.

    `change` returns None where a model has nothing that the pass is for; `where` then says what that would be.
    """

    name: str
    formula: str
    keeps: tuple[Mark, Mark, Mark, Mark]
    where: str
    change: Callable[[Para[Diagram]], Para[Diagram] | None]

    @property
    def marks(self) -> dict[str, Mark]:
        """What it keeps, by column."""
        return dict(zip(COLUMNS, self.keeps, strict=True))

    def __repr__(self) -> str:
        return f"<{self.name}: {', '.join(f'{name} {_sign(mark)}' for name, mark in self.marks.items())}>"


def _sign(mark: Mark) -> str:
    return mark if isinstance(mark, str) else _SIGNS[mark]


def with_backward(model: Para[Diagram] | Diagram, rule: str | Backward, **settings: Any) -> Para[Diagram]:
    """The model with another backward pass: the same map, trained as usual by supervised and fit.

    `rule` is a name of the table, made with those settings, or a `Backward`. Raises `UnknownNameError` naming the
    nearest, and `OperationError` where the model has nothing that the pass is for, or not what it needs.
    """
    if not isinstance(model, (Para, Diagram)) or (isinstance(model, Para) and not isinstance(model.morphism, Diagram)):
        raise OperationError(f"a backward pass is put on a Para of diagrams, or a Diagram; got {model!r:.80}")
    model = model if isinstance(model, Para) else Para.of(model)
    chosen = _made(rule, settings)
    result = chosen.change(model)
    if result is None:
        raise OperationError(
            f"{chosen.name} is for {chosen.where}; the model has none, its nodes are {_nodes(model.diagram)}"
        )
    return result


def _made(rule: Any, settings: Mapping[str, Any]) -> Backward:
    if isinstance(rule, Backward):
        if settings:
            raise OperationError(f"the settings of {rule.name} are given where it is made; got {', '.join(settings)}")
        return rule
    if rule not in BACKWARD:
        raise UnknownNameError(f"no backward pass is called {rule!r}: {nearest(str(rule), BACKWARD)}")
    known = inspect.signature(BACKWARD[rule]).parameters
    for name in settings:
        if name not in known:
            raise UnknownNameError(
                f"{rule} has no setting {name!r}: {nearest(name, known) if known else 'it has none'}"
            )
    return BACKWARD[rule](**settings)


def _nodes(f: Diagram) -> str:
    names = dict.fromkeys(generator.name for generator, _, _ in f.nodes)
    return ", ".join([*names][:12]) or "none"


def _node_by_node(rule: Callable[[Generator], Diagram | None]) -> Callable[[Para[Diagram]], Para[Diagram] | None]:
    """The change of a model by a rule that gives nodes diagrams without further inputs."""

    def patch(generator: Generator, _: Origins) -> Patch | None:
        found = rule(generator)
        return None if found is None else Patch(found)

    return lambda model: rewritten(model, patch)


def exact() -> Backward:
    """R itself."""
    return Backward("exact", "R[f](a, d)", (True, True, True, True), "every model", lambda model: model)


WEIGHTS = "nodes where a weight meets data, by a contraction or a convolution"


def _check_seed(seed: int | None) -> None:
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise OperationError(f"a seed is a whole number of at least 0, or None for the run's; got {seed!r}")


def feedback_alignment(seed: int | None = None) -> Backward:
    """Errors come back through fixed random matrices, one a weight; they start as `seed`, or the run's seed, says."""
    _check_seed(seed)
    return Backward(
        "feedback alignment",
        "((W, x), d) -> (x dᵀ, B d)",
        (True, False, False, False),
        WEIGHTS,
        lambda model: rewritten(model, feedback.fed_back, seed),
    )


def product_feedback_alignment(expansion: int = 4, seed: int | None = None) -> Backward:
    """Errors come back through R B, B fixed and R learnt; R B comes near W as weight decay removes how they start."""
    _check_seed(seed)
    if isinstance(expansion, bool) or not isinstance(expansion, int) or expansion < 1:
        raise OperationError(f"the expansion is a whole number of at least 1; got {expansion!r}")
    return Backward(
        "product feedback alignment",
        "((R, W, x), d) -> (x (B d)ᵀ, x dᵀ, R B d)",
        (True, False, False, False),
        WEIGHTS,
        lambda model: rewritten(model, partial(feedback.product_fed_back, expansion=expansion), seed),
    )


def direct_feedback_alignment(seed: int | None = None) -> Backward:
    """The error of the output comes to each hidden layer through a fixed random matrix of its own."""
    _check_seed(seed)
    return Backward(
        "direct feedback alignment",
        "(p, a, e) -> (R[f](p, a, B e) ; π_P, e)",
        (True, False, False, None),
        "models of several layers, each a node where a weight meets data",
        lambda model: feedback.direct(model, seed),
    )


def straight_through() -> Backward:
    """Flat nodes pass changes on as they are; a draw passes them on as softmax does."""
    change = _node_by_node(lambda g: through.straight(g) if through.flat(g) else None)
    return Backward("straight-through", "d", (True, False, False, True), _among(through.FLAT), change)


def clipped_straight_through(bound: float = 1.0) -> Backward:
    """Flat nodes pass changes on where their input is at most that large."""
    _check_positive("bound", bound)
    change = _node_by_node(lambda g: through.straight(g, bound) if through.flat(g) else None)
    where = _among(through.FLAT)
    return Backward("clipped straight-through", "d [|a| ≤ bound]", (True, False, False, True), where, change)


def surrogate_pairs(pairs: Mapping[str, Any] | None = None) -> Backward:
    """Each function named in `pairs` gets the derivative of the one beside it, a name or a function on wires.

    By default a step gets that of the sigmoid and a sign that of tanh.
    """
    chosen = {"step": "sigmoid", "sign": "tanh"} if pairs is None else dict(pairs)
    change = _node_by_node(lambda g: through.pair(g, chosen))
    return Backward("surrogate pairs", "R[g](a, d)", (True, False, False, True), _among(chosen), change)


def reinmax(temperature: float = 1.0) -> Backward:
    """A categorical draw passes changes on by Heun's rule, exact in the mean for quadratic functions of the draw."""
    _check_positive("temperature", temperature)
    change = _node_by_node(lambda g: through.reinmax(g, temperature) if isinstance(g, through.Sampled) else None)
    where = "categorical variables drawn at random (systems.straight_through.sampled)"
    return Backward("ReinMax", "2 J(q) d - J(p) d / 2", (True, False, False, None), where, change)


def few_bit(
    bits: int = 2, functions: tuple[str, ...] = ("tanh", "sigmoid", "softplus"), spread: float = 1.0
) -> Backward:
    """Activations keep the cell of their input, of `bits` bits, and change by the cell's slope.

    The cells are best for normal inputs of deviation `spread`. An activation made of several nodes, such as gelu, is
    `systems.few_bit.few_bit(name, space, bits)`.
    """
    _check_positive("spread", spread)
    for name in functions:
        bits_.cells(name, bits, spread)

    def rule(generator: Generator) -> Diagram | None:
        name = generator.name
        if not isinstance(generator, Function) or name not in functions:
            return None
        return bits_.stepwise(generator.diagram, *bits_.cells(name, bits, spread), f"{name}, {bits} bits")

    return Backward("few-bit", "levels[cell(a)] d", (True, False, False, True), _among(functions), _node_by_node(rule))


def forward_gradient(each: str = "model", distribution: str = "signs") -> Backward:
    """Changes are a random direction times the derivative along it, of the whole model, or of `each` "layer".

    The entries of the direction are "signs" (+-1) or "normal".
    """
    for value, known in ((each, ("model", "layer")), (distribution, ("signs", "normal"))):
        if value not in known:
            raise UnknownNameError(f"a forward gradient has no {value!r}: {nearest(str(value), known)}")
    by_layer = partial(forward.by_layer, distribution=distribution)
    if each == "model":
        return Backward("forward gradient", "⟨d, D[f](a, v)⟩ v", (True, "mean", "mean", None), "models with parameters",
                        lambda model: forward.whole(model, distribution))  # fmt: skip
    return Backward("forward gradient by layer", "⟨d, D[f](a, v)⟩ v", (True, "mean", "mean", None), WEIGHTS,
                    lambda model: rewritten(model, by_layer))  # fmt: skip


def _on_changes(
    name: str, formula: str, keeps: tuple[Mark, Mark, Mark, Mark], at: str, node: Callable[[Space], Diagram]
) -> Backward:
    """An identity with a put of its own, at the output, at the input, or after each node of a name."""

    def change(model: Para[Diagram]) -> Para[Diagram] | None:
        if at not in ("output", "input"):
            after = lambda g: g.diagram >> node(*g.cod) if g.name == at and len(g.cod) == 1 else None  # noqa: E731
            return _node_by_node(after)(model)
        end: Any = identity()
        for space in model.cod if at == "output" else model.dom:
            end = end @ (node(space) if space.changes == space else identity(space))
        if not end.nodes:
            return None
        return model >> end if at == "output" else Para.of(end) >> model

    where = f"wires of numbers at its {at}" if at in ("output", "input") else f"nodes called {at}"
    return Backward(name, formula, keeps, where, change)


def reversal(at: str = "output") -> Backward:
    """Changes come back with their sign turned."""
    return _on_changes("reversal", "-d", (True, None, False, True), at, lambda s: through.scale_change(s, -1))


def scaling(factor: float = 0.5, at: str = "output") -> Backward:
    """Changes come back multiplied by a number."""
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or factor != factor:
        raise OperationError(f"changes are scaled by a number; got {factor!r}")
    keeps: tuple[Mark, Mark, Mark, Mark] = (True, None, factor == 1, True)
    return _on_changes("scaling", "c d", keeps, at, lambda s: through.scale_change(s, factor))


def stop(at: str = "input") -> Backward:
    """No change passes: what came before is held still."""
    return _on_changes("stop", "0", (True, None, False, True), at, lambda s: through.scale_change(s, 0))


def clipping(bound: float = 1.0, at: str = "output") -> Backward:
    """Each entry of the change is cut to at most that size. Not additive: next to the optimiser it keeps all laws."""
    _check_positive("bound", bound)
    return _on_changes("clipping", "clip(d)", (False, None, False, None), at, lambda s: clip_change(s, bound))


def normalising(bound: float | None = None, at: str = "output") -> Backward:
    """The change of each sample gets norm 1, or at most `bound`."""
    if bound is not None:
        _check_positive("bound", bound)
    keeps: tuple[Mark, Mark, Mark, Mark] = (False, None, False, None)
    return _on_changes("normalising", "d / |d|", keeps, at, lambda s: through.normalise_change(s, bound))


def _among(names: Any) -> str:
    return f"nodes called {', '.join(map(str, names))}"


def _check_positive(what: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise OperationError(f"the {what} is a positive number; got {value!r}")


BACKWARD: dict[str, Callable[..., Backward]] = {
    "exact": exact,
    "feedback alignment": feedback_alignment,
    "direct feedback alignment": direct_feedback_alignment,
    "product feedback alignment": product_feedback_alignment,
    "straight-through": straight_through,
    "clipped straight-through": clipped_straight_through,
    "surrogate pairs": surrogate_pairs,
    "ReinMax": reinmax,
    "few-bit": few_bit,
    "forward gradient": forward_gradient,
    "stop": stop,
    "reversal": reversal,
    "scaling": scaling,
    "clipping": clipping,
    "normalising": normalising,
}
"""The backward passes by name, each a function of its settings."""


def table() -> str:
    """The passes with their formulas and marks, a line each."""
    rows: list[tuple[str, ...]] = [("backward pass", "put", *COLUMNS)]
    for make in BACKWARD.values():
        each = make()
        rows.append((each.name, each.formula, *(_sign(mark) for mark in each.keeps)))
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
