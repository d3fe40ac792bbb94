"""Wrong backward passes."""

from __future__ import annotations

from typing import Any

from catlearn.generators import surrogate
from catlearn.systems import feedback, few_bit, forward_gradient, straight_through
from mutants import categories as c
from mutants.patching import Mutant, edit

__all__ = ["SYSTEMS_BACKWARD"]


def _b(name: str, owner: Any, attribute: str, change: Any, *where: Any) -> Mutant:
    return Mutant(name, "backward", ((owner, attribute, change),), where)


SYSTEMS_BACKWARD: tuple[Mutant, ...] = (
    _b("feedback: data not held still", feedback, "_beside", edit(
        "stop_change(generator.dom[data])(held[data])", "held[data]"), c.integers),
    _b("feedback: the weight held still", feedback, "_beside", edit(
        "held[data] = stop_change(generator.dom[data])(held[data])",
        "held = [stop_change(s)(w) for s, w in zip(generator.dom, held)]"), c.integers),
    _b("tap: nothing comes back", feedback.Tap, "reverse", edit(
        "self.pull(b, d)", "functions.zeros(x.space.changes)"), c.integers),
    _b("tap: the change twice", feedback.Tap, "reverse", edit("self.pull(b, d)", "self.pull(b, d + d)"), c.integers),
    _b("direct: no cut", feedback, "direct", edit(
        "made[k] = builder.replay(stop_change(spaces[wire]), (made[k],))[0]", "pass"), c.integers),
    _b("direct: a tap left out", feedback, "direct", edit(
        "for tapped in taps:", "for tapped in taps[1:]:"), c.integers),
    _b("error lens: the error is pulled on", feedback, "error_lens", edit(
        "(back @ Diagram.identity(E))", "(back @ (Diagram.identity(E) + Diagram.identity(E)))"), c.integers),
    _b("straight-through: the sign turned", straight_through, "straight", edit("else d\n", "else -d\n"), c.real),
    _b("clipped straight-through: outside", straight_through, "straight", edit(
        "(1.0 - functions.step(functions.absolute(a) - float(bound)))",
        "functions.step(functions.absolute(a) - float(bound))"), c.real),
    _b("clipped straight-through: bound from above alone", straight_through, "straight", edit(
        "functions.absolute(a) - float(bound)", "a - float(bound)"), c.real),
    _b("cell: one too far", few_bit.Cell, "evaluate", edit("above.sum(-1)", "(above.sum(-1) + 1)"), c.real),
    _b("levels: not weighted", few_bit, "levels", edit("weights=w[p] if w[p].sum() > 0 else None", ""), c.real),
    _b("partition: spread about zero", few_bit, "_costs", edit("- mass * mean**2", ""), c.real),
    _b("forward gradient: the slope squared", forward_gradient, "along", edit(
        "reduce(functions.add, slopes) * wire",
        "reduce(functions.add, slopes) * reduce(functions.add, slopes) * wire"), c.integers),
    _b("forward gradient: not along the draw", forward_gradient, "along", edit(
        "direction[place] = wire", "direction[place] = wire + wire"), c.integers),
    _b("clip: not at all", surrogate, "clip_change", edit(
        "-functions.maximum(-functions.maximum(d, -bound), -bound)", "d"), c.real),
    _b("clip: from below alone", surrogate, "clip_change", edit(
        "-functions.maximum(-functions.maximum(d, -bound), -bound)", "functions.maximum(d, -bound)"), c.real),
    _b("normalise: to the bound, always", straight_through, "normalise_change", edit(
        "else float(bound)\n        return", "else 1e-30\n        return"), c.real),
    _b("reversal: not turned", straight_through, "scale_change", edit("-d if factor == -1", "d if factor == -1"),
        c.integers, c.real),
    _b("scaling: by the square", straight_through, "scale_change", edit(
        "float(factor) * d", "float(factor) * float(factor) * d"), c.real),
)  # fmt: skip
"""Mutants of other backward passes."""
