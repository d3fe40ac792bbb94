"""Wrong causal maps: states not handed on, wires confused where their spaces agree, changes forgotten."""

from __future__ import annotations

from typing import Any

from catlearn.generators import scan
from catlearn.systems import causal, delayed_trace
from catlearn.systems.causal import Causal
from mutants import categories as c
from mutants.patching import Edit, Mutant, edit

__all__ = ["SYSTEMS_CAUSAL"]


def _m(family: str, name: str, owner: Any, attribute: str, change: Edit) -> Mutant:
    return Mutant(name, family, ((owner, attribute, change),), (c.integers,))


SYSTEMS_CAUSAL: tuple[Mutant, ...] = (
    _m("causal", "unrolled: each step from the first state", Causal, "unrolled", edit(
        "state, outputs = results[:n], outputs + results[n:]",
        "state, outputs = state if len(state) == n else results[:n], outputs + results[n:]")),
    _m("causal", "causal ;: parameters exchanged", Causal, "__rshift__", edit(
        "[0, 3, 1, 2, 4]", "[0, 3, 1, 2, 4] if P != Q else [1, 3, 0, 2, 4]")),
    _m("causal", "causal ;: initial states of the other's parameter", Causal, "__rshift__", edit(
        "swap(Q, P) >>", "(swap(Q, P) if Q != P else identity(Q + P)) >>")),
    _m("causal", "causal x: outputs exchanged", Causal, "__matmul__", edit("[0, 2, 1, 3])", "[0, 2, 3, 1])")),
    _m("causal", "delay: the state is lost while it waits", causal, "delay", edit(
        "identity(g.states[0])", "functions.zero(g.states[0], g.states[0])")),
    _m("causal", "derivative: the state's change forgotten", causal, "derivative", edit(
        "@ forward_derivative(g.steps[k])",
        "@ ((identity(P + S + X + changes(P)) @ functions.zero(changes(S), changes(S)) @ identity(changes(X)))"
        " >> forward_derivative(g.steps[k]))")),
    _m("causal", "derivative: a learnt initial state has no change", causal, "derivative", edit(
        "@ forward_derivative(g.initial)", "@ functions.zero(P + changes(P), changes(g.initial.cod))")),
    _m("causal", "one scan: from the last item on", Causal, "scanned", edit("p, states)", "p, states, True)")),
    _m("causal", "one scan: from zero", Causal, "as_scan", edit(
        "@ self.initial @", "@ functions.zero(P, self.states[0]) @")),
    _m("causal", "one scan: without the parameter of the initial state", Causal, "as_scan", edit(
        "permute([P, items], [0, 0, 1])",
        "(permute([P, items], [0, 0, 1]) >> (identity(P) @ functions.zero(P, P) @ identity(items)))")),
    _m("causal", "one scan: the forward pass computed again on the way back", scan, "_stages", edit(
        "max((stages[w] for w in inputs), default=0)", "2")),
    _m("delayed", "delayed trace: output and fed-back wire exchanged", delayed_trace, "delayed_trace", edit(
        "[0, 2, 1])", "[0, 2, 1] if Y != M[k] else [0, 1, 2])")),
    _m("delayed", "delayed trace: input and fed-back wire exchanged", delayed_trace, "delayed_trace", edit(
        "[0, 1, 3, 2])", "[0, 1, 3, 2] if X != late[k] else [0, 1, 2, 3])")),
    _m("delayed", "feedback: from zero", delayed_trace, "feedback", edit(
        "whole.initial @ first.diagram",
        "whole.initial @ __import__('catlearn').zero(first.diagram.dom, first.diagram.cod)")),
    _m("delayed", "unit delay: of itself", delayed_trace, "unit_delay", edit(
        "swap(X[k], late[k])", "swap(X[k], late[k]) if X[k] != late[k] else identity(X[k] + late[k])")),
)  # fmt: skip
"""Mutants of causal maps and of the delayed trace."""
