"""Adversarial pairs: a generator and a critic, one wiring, one backward pass for both.

    c = ((g x 1_X) ; (d x d)) with both copies of Q tied : Z x X -> L x L, parameter Q x P     (GAN.comp)

    c((q, p), (z, x)) = (d(q, g(p, z)), d(q, x)) = (fake, real)

followed by an objective e : L x L -> L that the critic climbs and the generator descends. Where the generator has an
objective of its own, that is not e or its opposite, the same lens takes a second cotangent (GAN.nonsaturating).

    wgan: e = real - fake        minimax: e = log s(real) + log(1 - s(fake))        non-saturating: log s(fake) for p

Sources: Goodfellow et al. (1406.2661); Arjovsky et al., Wasserstein GAN (1701.07875).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catlearn.assignment import by_name
from catlearn.combinators import opposite
from catlearn.diagram import Diagram, copy, identity
from catlearn.errors import OperationError, UnknownNameError, nearest
from catlearn.functions import softplus
from catlearn.generators.surrogate import stop_change
from catlearn.learner import Learner, supervised
from catlearn.losses import unlabelled
from catlearn.optimisers import Optimiser
from catlearn.para import Para
from catlearn.space import first_difference
from catlearn.tracing import Wire, trace

__all__ = ["OBJECTIVES", "adversarial", "pair", "sample"]

Objective = Callable[[Wire, Wire], Wire]

OBJECTIVES: dict[str, Objective] = {
    "wgan": lambda fake, real: real - fake,
    "minimax": lambda fake, real: -softplus(-real) - softplus(fake),
}
"""Objectives of (fake, real), by name: what the critic climbs and the generator descends."""


def pair(generator: Para[Diagram], critic: Para[Diagram]) -> Para[Diagram]:
    """The composite c of GAN.comp: Z x X -> L x L, with parameter Q x P; layers are called critic_0 and generator_0.

    Raises `CompositionError` where the critic does not take what the generator gives.
    """
    g, d = generator.named("generator"), critic.named("critic")
    if g.cod != d.dom:
        raise first_difference(g.cod, d.dom, "the critic judges what the generator makes, but the two")
    both = (g @ identity(d.dom)) >> (d @ d)
    return both.tie(*([f"critic_0.{name}", f"critic_1.{name}"] for name in (p.name for p in d.parameters)))


def adversarial(
    generator: Para[Diagram],
    critic: Para[Diagram],
    objective: str | Objective,
    critic_optimiser: Optimiser,
    generator_optimiser: Optimiser,
) -> Learner:
    """The learner of a generator Z -> X and a critic X -> REAL, both moved at each step.

    `objective` is "wgan", "minimax", "non-saturating", or a function of the two judgements (fake, real) on wires, that
    the critic climbs and the generator descends. Its data are rows of (Z, X), without targets; with `layers.noise`
    before the generator, of X alone.
    """
    mover = generator_optimiser
    if objective == "non-saturating":
        model = _nonsaturating(generator, critic)
    else:
        if isinstance(objective, str):
            if objective not in OBJECTIVES:
                known = [*OBJECTIVES, "non-saturating"]
                raise UnknownNameError(f"no objective is called {objective!r}: {nearest(objective, known)}")
            objective = OBJECTIVES[objective]
        both = pair(generator, critic)
        model = both >> trace(both.cod, objective)
        mover = Optimiser(f"opposite {mover.name}", opposite() >> mover.transformation)
    if len(model.cod) != 1 or model.cod[0].shape:
        raise OperationError(f"a critic gives one number, so that an objective is one number; got {model.cod}")
    return supervised(model, unlabelled, by_name({"critic_0": critic_optimiser, "generator_0": mover}))


def _nonsaturating(generator: Para[Diagram], critic: Para[Diagram]) -> Para[Diagram]:
    """minimax for the critic, the fake held still, plus log s(fake) for the generator, the critic held still."""
    g, d = generator.named("generator"), critic.named("critic")
    still = d.reparametrise(stop_change(d.parameter), d.signature)
    twice = copy(g.cod) >> (stop_change(g.cod) @ identity(g.cod))
    both = ((g >> twice) @ identity(d.dom)) >> (d @ still @ d)
    names = [p.name for p in d.parameters]
    tied = both.tie(*([f"critic_{k}.{name}" for k in range(3)] for name in names))

    def objective(judged: Wire, pushed: Wire, real: Wire) -> Wire:
        return OBJECTIVES["minimax"](judged, real) - softplus(-pushed)

    return tied >> trace(tied.cod, objective)


def sample(result: Any, generator: Para[Diagram], inputs: Any = (), *, rows: int | None = None, seed: int = 0) -> Any:
    """What the trained generator makes: of rows of inputs, or with `layers.noise` before it of `rows` random keys."""
    import jax
    import numpy as np

    named = generator.named("generator").evaluation()
    keys = [k for k, p in enumerate(named.parameters) if p.role == "auxiliary"]
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    count = rows if rows is not None else len(given[0]) if given else 1
    values = list(named.leaves({"generator_0": result.parameters["generator_0"]}))
    for k in keys:
        values[k] = jax.random.split(jax.random.fold_in(jax.random.key(seed), k), count)
    return np.asarray(named.batch(count).morphism(*values, *given))
