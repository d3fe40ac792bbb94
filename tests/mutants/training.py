"""Wrong optimisers, losses, caps and learners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from catlearn import functions, learner, losses, optimisers
from catlearn.diagram import discard, identity
from catlearn.functions import add
from catlearn.learner import Learner
from catlearn.lens import Lens
from catlearn.losses import Cap, Loss, constant_cap
from catlearn.optimisers import Optimiser
from catlearn.space import Space, as_object
from catlearn.tracing import trace
from catlearn.transformations import Transformation
from mutants import categories as c
from mutants.patching import Edit, Mutant, Patch, edit

__all__ = ["TRAINING", "UNSEEN"]


def _u(name: str, owner: str, change: Any, where: Any, *killers: str) -> Mutant:
    return Mutant(name, "optimisers", ((optimisers, owner, change),), (where,), killers or ())


ASCENT = c.optimising(optimisers.ga)
GD = c.optimising(lambda: optimisers.gd(0.1))
MOMENTUM = c.optimising(lambda: optimisers.momentum(0.1, 0.9))
NESTEROV = c.optimising(lambda: optimisers.nesterov(0.1, 0.9))
FLAT = c.optimising(lambda: optimisers.nesterov_flat(0.1, 0.9))
ADAGRAD = c.optimising(lambda: optimisers.adagrad(0.1, 1e-3))
RMSPROP = c.optimising(lambda: optimisers.rmsprop(0.1, 0.9, 1e-3))
ADAM = c.optimising(lambda: optimisers.adam(0.1))
ADAMW = c.optimising(lambda: optimisers.adamw(0.1, weight_decay=0.1))
CLIPPED = c.optimising(lambda: optimisers.optimiser("clipped", optimisers.clip(0.5) >> optimisers.scale(0.1)))


def _descent(spaces: Any) -> Lens:
    """p - d."""
    spaces = as_object(spaces)
    turned = trace(spaces, lambda *d: [-x for x in d])
    return Lens(identity(spaces), (identity(spaces) @ turned) >> add(spaces))


def _overwriting(spaces: Any) -> Lens:
    """The change in place of the parameter."""
    spaces = as_object(spaces)
    return Lens(identity(spaces), discard(spaces) @ identity(spaces))


CHAIN = Transformation.__rshift__
TRACE = "new := h.decay * s.s + h.learning_rate * d"
ADAM_T = "1.0 - h.b1**h.t"

OPTIMISERS: tuple[Mutant, ...] = (
    _u("ascent: minus for plus", "ascent", _descent, c.z4),
    _u("ascent: the change in place of the parameter", "ascent", _overwriting, ASCENT),
    _u("gd: divides by the rate", "_scaled", edit("getattr(h, hyper) * d", "d / getattr(h, hyper)"), GD),
    _u("gd: the rate is ignored", "_scaled", edit("getattr(h, hyper) * d", "d"), GD),
    _u("gd: minus for plus", "_scaled", edit("getattr(h, hyper) * d", "-(getattr(h, hyper) * d)"), GD),
    _u("momentum: s+ = -gamma s + ..", "trace_changes", edit(TRACE, "new := h.learning_rate * d - h.decay * s.s"),
       MOMENTUM),
    _u("momentum: the rate outside the trace", "trace_changes", edit(
        TRACE, "new := h.decay * s.s + d", ")}, new)", ")}, h.learning_rate * new)"), MOMENTUM),
    _u("momentum: damped", "trace_changes", edit(TRACE, TRACE + " * (1.0 - h.decay)"), MOMENTUM),
    _u("momentum: passes the old trace on", "trace_changes", edit(")}, new)", ")}, s.s)"), MOMENTUM),
    _u("nesterov: the stored p for the get", "trace_changes", edit("if look_ahead", "if False"), NESTEROV),
    _u("nesterov: looks ahead by s", "trace_changes", edit("p + h.decay * s.s)", "p + s.s)"), NESTEROV),
    _u("nesterov: looks back", "trace_changes", edit("p + h.decay * s.s)", "p - h.decay * s.s)"), NESTEROV),
    _u("nesterov flat: the old trace", "nesterov_flat", edit("h.decay * new + step", "h.decay * s.s + step"), FLAT),
    _u("nesterov flat: not damped", "nesterov_flat", edit("h.decay * new + step", "new + step"), FLAT),
    _u("adagrad: epsilon inside", "adagrad", edit("inside=False", "inside=True"), ADAGRAD),
    _u("adagrad: starts at 0.1", "adagrad", edit("epsilon, 0.0,", "epsilon, 0.1,"), ADAGRAD),
    _u("adagrad: the old sum under the root", "scale_by_sum", edit("sqrt(total) +", "sqrt(s.s) +"), ADAGRAD),
    _u("adagrad: no square", "scale_by_sum", edit("s.s + d * d", "s.s + d"), ADAGRAD),
    _u("adagrad of optax: epsilon outside", "adagrad_inside", edit("inside=True", "inside=False"), ADAGRAD),
    _u("rmsprop: epsilon inside", "rmsprop", edit("(decay, epsilon)", "(decay, epsilon, inside=True)"), RMSPROP),
    _u("rmsprop of optax: epsilon outside", "rmsprop_inside", edit("inside=True", "inside=False"), RMSPROP),
    _u("rmsprop: weights exchanged", "scale_by_rms", edit(
        "h.decay * s.v + (1.0 - h.decay) * (d * d)", "(1.0 - h.decay) * s.v + h.decay * (d * d)"), RMSPROP),
    _u("rmsprop: no weight on the new", "scale_by_rms", edit("(1.0 - h.decay) * (d * d)", "d * d"), RMSPROP),
    _u("adam: m corrected by beta2", "scale_by_adam", edit(ADAM_T, "1.0 - h.b2**h.t"), ADAM),
    _u("adam: v corrected by beta1", "scale_by_adam", edit("1.0 - h.b2**h.t", ADAM_T), ADAM),
    _u("adam: hats stored", "scale_by_adam", edit('"m": m, "v": v}', '"m": m_hat, "v": v_hat}'), ADAM),
    _u("adam: not corrected", "scale_by_adam", edit(f"m / ({ADAM_T})", "m", "v / (1.0 - h.b2**h.t)", "v"), ADAM),
    _u("adam: epsilon inside", "scale_by_adam", edit("sqrt(v_hat) + h.epsilon", "sqrt(v_hat + h.epsilon)"), ADAM),
    _u("adam: betas exchanged", "scale_by_adam", edit(
        '"b1": b1, "b2": b2', '"b1": b2, "b2": b1'), ADAM),
    _u("adam: the old moment", "scale_by_adam", edit("m_hat = m /", "m_hat = s.m /"), ADAM),
    _u("adam: t before incrementing", "transformation", edit("real(after) if", "real(counter) if"), ADAM),
    _u("adam: t is not stored", "transformation", edit("list(rest[n:]), after", "list(rest[n:]), counter"), ADAM),
    _u("adamw: decay with the new p", "decay_weights", edit("h.weight_decay * p", "h.weight_decay * (p + d)"), ADAMW),
    _u("adamw: grows", "decay_weights", edit("d - h", "d + h"), ADAMW),
    _u("adamw: decay before the moments", "adamw", edit(
        "scale_by_adam(b1, b2, epsilon) >> decay_weights(weight_decay)",
        "decay_weights(weight_decay) >> scale_by_adam(b1, b2, epsilon)"), ADAMW),
    _u("adamw: decay without the rate", "adamw", edit(
        "decay_weights(weight_decay) >> scale(learning_rate)",
        "scale(learning_rate) >> decay_weights(weight_decay)"), ADAMW),
    _u("clip: above only", "clip", edit("-maximum(-maximum(d, -h.bound), -h.bound)", "-maximum(-d, -h.bound)"),
       CLIPPED),
    _u("clip by norm: a norm for each parameter", "clip_by_norm", edit(
        "norm = sqrt(_total(sum(each * each) for each in d))\n        factor = h.bound / maximum(norm, h.bound)",
        "pass", "each * factor", "each * (h.bound / maximum(sqrt(sum(each * each)), h.bound))"), c.norm_clipped),
    Mutant("chain: the other order", "optimisers", (
        (Transformation, "__rshift__", lambda first, second: CHAIN(second, first)),), (CLIPPED,)),
    Mutant("init: parameters from zero", "optimisers", ((Optimiser, "init", edit(
        "*stored, *values", "*stored, *(np.zeros_like(v) for v in values)")),), (GD,)),
)  # fmt: skip


def _l(name: str, loss: str, where: Callable[..., Any], killers: tuple[str, ...] = (), **changed: Any) -> Mutant:
    wrong = replace(getattr(losses, loss), **changed)
    return Mutant(name, "losses", ((losses, loss, wrong),), (where,), killers)


QUADRATIC, DOT = c.objective("quadratic"), c.objective("dot")
MSE, SIGMOID = c.objective("mean_squared_error"), c.objective("sigmoid_cross_entropy")
SOFTMAX, LABELLED = (c.objective(f"{name}_cross_entropy", spaces=(Space(2, losses.REAL),))
                     for name in ("softmax", "label"))  # fmt: skip
_square, _sum, _softplus = losses._square, functions.sum, functions.softplus

LOSSES: tuple[Mutant, ...] = (
    _l("quadratic: no half", "quadratic", QUADRATIC, error=_square),
    _l("quadratic: components exchanged", "quadratic", QUADRATIC, error=lambda t, p: _square(t, p) * -0.5),
    _l("mse: a sum for the mean", "mean_squared_error", MSE, error=_square),
    _l("mse: with a half", "mean_squared_error", MSE, error=lambda t, p: _square(t, p) * (0.5 / max(p.space.size, 1))),
    _l("softmax cross-entropy: as printed in ERR.2", "softmax_cross_entropy", SOFTMAX,
       error=lambda t, p: _sum(t * (p - functions.log_softmax(p)))),
    _l("softmax cross-entropy: no sign", "softmax_cross_entropy", SOFTMAX,
       error=lambda t, p: _sum(t * functions.log_softmax(p))),
    _l("softmax cross-entropy: no logarithm", "softmax_cross_entropy", SOFTMAX,
       error=lambda t, p: -_sum(t * functions.softmax(p))),
    _l("sigmoid cross-entropy: plus", "sigmoid_cross_entropy", SIGMOID,
       error=lambda t, p: _sum(_softplus(p) + t * p)),
    _l("sigmoid cross-entropy: the other label", "sigmoid_cross_entropy", SIGMOID,
       error=lambda t, p: _sum(_softplus(-p) - t * p)),
    _l("dot: half", "dot", DOT, error=lambda t, p: _sum(t * p) * 0.5),
    _l("dot: descends", "dot", DOT, cap=constant_cap(-1)),
    _l("quadratic: ascends", "quadratic", QUADRATIC, cap=constant_cap(1)),
    _l("difference: exchanged", "difference", c.z4, error=lambda t, p: t - p),
    _l("difference: the value as cap", "difference", c.z4, cap=losses.identity_cap),
    _l("exclusive or: or", "exclusive_or", c.z2, error=lambda t, p: t + p + t * p),
    _l("exclusive or: a constant cap", "exclusive_or", c.z2, cap=constant_cap(1)),
    Mutant("loss: the prediction for the label", "losses", ((Loss, "para", edit(
        "[self.error(label, guess)", "[self.error(guess, label) if label.space == guess.space else "
        "self.error(label, guess)")),), (SIGMOID,)),
)  # fmt: skip

CAPS: tuple[Mutant, ...] = (
    Mutant("constant cap: the sign is lost", "caps", (
        (losses, "constant_cap", edit("value if weight", "abs(value) if weight", "else value", "else abs(value)")),),
        (c.reals,)),
    Mutant("constant cap: the value too", "caps", (
        (losses, "constant_cap", lambda value: Cap("constant", lambda loss, weight: loss * value * weight)),),
        (QUADRATIC,)),
    Mutant("identity cap: a constant", "caps", ((losses, "identity_cap", constant_cap(1)),), (c.z2,)),
    Mutant("negation cap: no sign", "caps", ((losses, "negation_cap", losses.identity_cap),), (c.reals,)),
)  # fmt: skip


def _h(name: str, owner: Any, method: str, change: Edit, where: Any = c.z4, *killers: str) -> Mutant:
    return Mutant(name, "learners", ((owner, method, change),), (where,), killers or ())


OWN = "self.optimiser.lens(self._spaces(learnt))"
LEARNERS: tuple[Mutant, ...] = (
    _h("step: the model at the stored p", Learner, "_lens_of", edit(OWN, (
        f"Lens(wiring((u := {OWN}).get.dom, range(len(u.get.dom) - len(learnt), len(u.get.dom))), u.put)")), NESTEROV),
    _h("step: the put on the get", Learner, "_lens_of", edit(OWN, (
        f"Lens((u := {OWN}).get, wiring(u.put.dom, [*range(len(u.get.dom) - len(learnt)), "
        "*range(len(u.get.dom)), *range(len(u.get.dom), len(u.put.dom))])"
        " >> (identity(u.get.dom[: len(u.get.dom) - len(learnt)]) @ u.get @ "
        "identity(u.put.dom[len(u.get.dom) :])) >> u.put)")), NESTEROV),
    _h("step: label and input exchanged", Learner, "_arranged", edit(
        "[1, 0, 3, 2]", "([2, 0, 3, 1] if labels == inputs else [1, 0, 3, 2])")),
    _h("dreaming: the parameter's wire", learner, "dreaming", edit(
        "[*places, *range(len(model.dom))]", "[*places, *range(len(model.dom))] if model.dom != model.parameter "
        "else [*range(len(model.dom)), *places]")),
)  # fmt: skip


def _penalty(name: str, rule: Any) -> Patch:
    return losses, name, lambda strength: losses.Penalty(name, strength, rule)


UNSEEN: tuple[Mutant, ...] = (
    _l("label cross-entropy: no sign", "label_cross_entropy", LABELLED, (),
       error=lambda t, p: _sum(functions.one_hot(t) * functions.log_softmax(p))),
    Mutant("optax adagrad: starts at 0", "optimisers", (
        (optimisers.adagrad_inside, "__defaults__", (0.0, 1e-7)),), (ADAGRAD,)),
    Mutant("cap: a sum over the batch", "caps", ((type(losses.REAL), "weight_of_one_in", lambda self, n: 1.0),),
           (QUADRATIC,)),
    Mutant("cap: not the one that is given", "caps", (
        (learner, "closed", edit("cap or loss.cap", "loss.cap")),), (QUADRATIC,)),
    Mutant("frozen parameters move", "learners", ((Learner, "_lens_of", edit("@ keep(", "@ ascent(")),), (c.reals,)),
    Mutant("prediction at the stored p", "learners", ((Learner, "_prediction", edit(
        "(self._lens_of(size).get @", "(wiring((u := self._lens_of(size).get).dom, "
        "range(len(u.dom) - len(self.model.parameter), len(u.dom))) @")),), (NESTEROV,)),
    Mutant("penalty: no half", "losses", (_penalty("l2", lambda p: p * p),), (QUADRATIC,)),
    Mutant("loss times a number: penalties not", "losses", ((Loss, "__rmul__", edit(
        "strength=factor * p.strength", "strength=p.strength")),), (QUADRATIC,)),
    Mutant("sum of losses: the first alone", "losses", ((Loss, "__add__", edit(
        "self.error(label, guess) + other.error(label, guess)", "self.error(label, guess)")),), (QUADRATIC,)),
)  # fmt: skip

TRAINING: tuple[Mutant, ...] = (*OPTIMISERS, *LOSSES, *CAPS, *LEARNERS)
