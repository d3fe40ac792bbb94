"""Laws of learners: supervised learning, deep dreaming, adversarial pairs."""

from __future__ import annotations

from typing import Any

from catlearn import functions, losses, optimisers
from catlearn.diagram import Diagram, copy, identity, permute
from catlearn.laws.derivatives import CF, Operator
from catlearn.laws.law import Law, apply, differ, formula
from catlearn.learner import Learner, closed, dreaming, eta, supervised
from catlearn.lens import Lens
from catlearn.losses import Loss, constant_cap
from catlearn.optimisers import Optimiser
from catlearn.para import Para, parametrised
from catlearn.parameters import Parameter, Signature
from catlearn.semirings import REAL
from catlearn.space import Object, Space

__all__ = ["LEARNERS", "model", "with_defaults"]


def model(f: Diagram, P: Object) -> Para[Diagram]:
    """The model (P, f) with its parameters named."""
    names = tuple(Parameter(f"p{k}", space) for k, space in enumerate(P))
    return Para(P, f.dom[len(P) :], f, Signature.layer(names, "model"))


def _split(wires: list[Any], *lengths: int) -> list[list[Any]]:
    parts, rest = [], list(wires)
    for n in lengths:
        parts.append(rest[:n])
        rest = rest[n:]
    return [*parts, rest]


def _backward(f: Diagram, e: Loss, R: Operator, y: Any, p: Any, a: Any) -> tuple[Any, Any, Any]:
    """(y', p', a'): the loss's reverse at the cap of the loss, then the model's."""
    error = e.para(f.cod).morphism
    guess = apply(f, p, a)
    value = apply(error, y, guess)
    alpha = [e.cap.rule(x, x.space.changes.carrier.one) for x in value]
    label_change, guess_change = _split(apply(R(error), y, guess, alpha), len(y))
    p_change, a_change = _split(apply(R(f), p, a, guess_change), len(p))
    return label_change, p_change, a_change


def _closed(f: Diagram, e: Loss, P: Object, B: Object, R: Operator) -> list[Any]:
    """The put of eta ; R(f) ; R(e) ; cap, pointwise."""
    A, Y = f.dom[len(P) :], e.labels(B)

    def put(y: Any, p: Any, a: Any) -> list[Any]:
        return [wire for group in _backward(f, e, R, y, p, a) for wire in group]

    whole = closed(model(f, P), e)
    pieces = eta(A) >> model(f, P).lens() >> e.para(B).lens() >> e.cap.lens(e.para(B).cod)
    return [
        (whole.morphism.put, formula([Y, P, A], put)),
        (whole.morphism.put, pieces.morphism.put),
        (whole.morphism.cod.forward, ()),
    ]


def _supervised(f: Diagram, e: Loss, U: Optimiser, P: Object, B: Object, R: Operator) -> list[Any]:
    """The step: the model at the get, the put on what is stored."""
    A, Y = f.dom[len(P) :], e.labels(B)
    lens = U.bound(P)
    T = lens.dom.forward

    def step(t: Any, y: Any, a: Any) -> list[Any]:
        _, change, _ = _backward(f, e, R, y, apply(lens.get, t), a)
        return apply(lens.put, t, change)

    learner = supervised(model(f, P), e, U)
    return [(with_defaults(learner), formula([T, Y, A], step))]


def with_defaults(learner: Learner) -> Diagram:
    """The step with its hyper-parameters at their defaults."""
    return _at_defaults(learner, learner.step())


def _given_cap(f: Diagram, e: Loss, P: Object, B: Object) -> list[Any]:
    """The cap that is given is the one that ends the learner: over the reals, three times another is three times it."""
    one, three = (closed(model(f, P), e, constant_cap(c)).morphism.put for c in (1, 3))
    learner = supervised(model(f, P), e, optimisers.gd(0.1), constant_cap(3))
    return (
        [
            (three, formula([one.dom], lambda w: [x * 3 for x in apply(one, w)])),
            (learner.closed().morphism.put, three),
        ]
        if all(space.carrier == REAL for space in one.cod)
        else []
    )


def _batched(f: Diagram, e: Loss, P: Object, B: Object) -> list[Any]:
    """On a batch of n a parameter's change is the mean over the samples, or their sum where there are no fractions."""
    A, Y, size = f.dom[len(P) :], e.labels(B), 2
    one, many = closed(model(f, P), e).morphism.put, closed(model(f, P), e, size=size).morphism.put
    stacked = [tuple(space.batch(size) for space in spaces) for spaces in (Y, A)]
    n, labels = len(P), len(Y)

    def put(y: Any, p: Any, a: Any) -> list[Any]:
        each = [apply(one, [w[k] for w in y], p, [w[k] for w in a]) for k in range(size)]
        first, second = (row[labels : labels + n] for row in each)
        sums = [u + v for u, v in zip(first, second, strict=True)]
        return [w * 0.5 if w.space.carrier == REAL else w for w in sums]

    chosen = many.select(range(labels, labels + n))
    return [(chosen, formula([stacked[0], P, stacked[1]], put))] if all(s.changes == s for s in (*Y, *A)) else []


def _roles(A: Object, R: Operator) -> list[Any]:
    """The optimiser moves the parameter, ascent the statistic, nobody the frozen one; model (p, q, s, a) -> p q s a."""
    pairs = []
    for space in A[:1]:
        x = (space,)
        g = formula([x, x, x, x], lambda p, q, s, a: [p[0] * q[0] * s[0] * a[0]])
        names = tuple(
            Parameter(name, space, role=role)
            for name, role in (("p", "parameter"), ("q", "frozen"), ("s", "statistic"))
        )
        learner = supervised(Para(x * 3, x, g, Signature.layer(names, "g")), losses.quadratic, optimisers.gd(0.5))

        def step(p: Any, q: Any, s: Any, y: Any, a: Any, g: Diagram = g) -> list[Any]:
            wrong = [t - o for o, t in zip(apply(g, p, q, s, a), y, strict=True)]
            back = apply(R(g), p, q, s, a, wrong)
            return [p[0] + 0.5 * back[0], *q, s[0] + back[2]]

        pairs.append((with_defaults(learner), formula([x] * 5, step)))
    return pairs


def _predicted(f: Diagram, e: Loss, U: Optimiser, P: Object) -> list[Any]:
    """What is predicted, and the parameters shown, are at the optimiser's get."""
    learner, A, lens = supervised(model(f, P), e, U), f.dom[len(P) :], U.bound(P)
    T = lens.dom.forward
    predicted = formula([T, A], lambda t, a: apply(f, apply(lens.get, t), a))
    return [
        (_at_defaults(learner, learner.prediction()), predicted),
        (_at_defaults(learner, learner.parameters_at()), lens.get),
    ]


def _at_defaults(learner: Learner, whole: Diagram) -> Diagram:
    scalar, count = Space((), REAL), len(learner.hyperparameters)

    def run(w: Any) -> list[Any]:
        settings = [functions.constant(scalar, float(v)) for v in learner.hyperparameters.values()]
        return apply(whole, w, settings)

    return formula([whole.dom[: len(whole.dom) - count]], run)


def _iterated(f: Diagram, e: Loss, P: Object, B: Object) -> list[Any]:
    """The step as (A x Y, step) in Para; two of them composed take the later datum first."""
    learner = supervised(model(f, P), e, optimisers.ga())
    if not P:
        return []
    step, A, Y = learner.step(), f.dom[len(P) :], e.labels(B)
    datum = Y + A
    one: Para[Diagram] = Para(datum, P, permute([datum, P], [1, 0]) >> step)
    twice = formula([datum, datum, P], lambda late, early, p: apply(step, apply(step, p, early), late))
    return [((one >> one).morphism, twice)]


def _simple(f: Diagram, P: Object, A: Object, R: Operator) -> list[Any]:
    """Quadratic loss and gradient descent: p - eta R[f](p, a, f(p, a) - y)."""
    eta_value = 0.1
    if not f.cod:
        return []
    learner = supervised(model(f, P), losses.quadratic, optimisers.gd(eta_value))

    def step(p: Any, y: Any, a: Any) -> list[Any]:
        wrong = [g - t for g, t in zip(apply(f, p, a), y, strict=True)]
        return [x - eta_value * d for x, d in zip(p, apply(R(f), p, a, wrong)[: len(p)], strict=True)]

    return [(with_defaults(learner), formula([P, f.cod, A], step))]


def _softmax(A: Object, R: Operator) -> list[Any]:
    """Softmax cross-entropy on one vector: p + eta R[f](p, a, y - softmax f(p, a)), labels summing to one."""
    eta_value, pairs = 0.1, []
    for space in A:
        if len(space.shape) == 1 and space.size:
            f = formula([(space,), (space,)], lambda p, a: [p[0] * a[0] + p[0]])
            learner = supervised(model(f, (space,)), losses.softmax_cross_entropy, optimisers.gd(eta_value))

            def step(p: Any, y: Any, a: Any, f: Diagram = f) -> list[Any]:
                label = [functions.softmax(y[0])]
                wrong = [label[0] - functions.softmax(apply(f, p, a)[0])]
                return [p[0] + eta_value * apply(R(f), p, a, wrong)[0]]

            labelled = formula([(space,)] * 3, lambda p, y, a: [*p, functions.softmax(y[0]), *a])
            pairs.append((labelled >> with_defaults(learner), formula([(space,)] * 3, step)))
    return pairs


def _modular(f: Diagram, e: Loss, P: Object, B: Object) -> list[Any]:
    """Reparametrising the model by the optimiser and then composing is composing and then reparametrising."""
    one, loss = model(f, P).lens(), e.para(B).lens()
    ascent = optimisers.ascent(P)
    ends = Lens.identity(e.para(B).lens().parameter)
    return [(one.reparametrise(ascent) >> loss, (one >> loss).reparametrise(ends @ ascent))]


def _dreaming(f: Diagram, e: Loss, P: Object, B: Object, R: Operator) -> list[Any]:
    """The optimiser on the input wire: a + a' of the closed learner, here by ascent."""
    A, Y = f.dom[len(P) :], e.labels(B)
    learner = dreaming(Para(P, A, f), e, optimisers.ga())

    def step(a: Any, y: Any, p: Any) -> list[Any]:
        _, _, change = _backward(f, e, R, y, p, a)
        return [x + d for x, d in zip(a, change, strict=True)]

    return [(learner.step(), formula([A, Y, P], step))]


def _dream_dot(f: Diagram, P: Object, A: Object, R: Operator) -> list[Any]:
    """With the dot loss and rate eta: a + eta R[f](p, a, y), whatever the prediction."""
    if not f.cod:
        return []
    learner = dreaming(Para(P, A, f), losses.dot, optimisers.gd(0.5))

    def step(a: Any, y: Any, p: Any) -> list[Any]:
        return [x + 0.5 * d for x, d in zip(a, apply(R(f), p, a, y)[len(p) :], strict=True)]

    return [(with_defaults(learner), formula([A, f.cod, P], step))]


def _adversaries(space: Space) -> tuple[Para[Diagram], Para[Diagram]]:
    """A generator (P, g): Z -> X and a critic (Q, d): X -> R on that space."""
    generator = parametrised("g", {"p": space}, space, lambda p, z: functions.tanh(p * z) + p)
    critic = parametrised("d", {"q": space}, space, lambda q, x: functions.sum(functions.sin(q * x) + q * x))
    return generator, critic


def _pair_of(space: Space) -> Para[Diagram]:
    """((g x 1_X) ; (d x d)) with one q for both: Z X -> R R, parameter Q P (GAN.comp)."""
    g, d = _adversaries(space)
    X = (space,)
    both = (g @ Para.of(identity(X))) >> (d @ d)
    return both.reparametrise(copy(X) @ identity(X))


def _gan_composite(A: Object) -> list[Any]:
    pairs = []
    for space in A[:1]:
        g, d = (part.morphism for part in _adversaries(space))
        X = (space,)
        pairs.append(
            (
                _pair_of(space).morphism,
                formula([X] * 4, lambda q, p, z, x, g=g, d=d: [*apply(d, q, apply(g, p, z)), *apply(d, q, x)]),
            )
        )
    return pairs


def _gan_step(objective: Any, fake_seed: Any, real_seed: Any) -> Any:
    """One backward pass through an objective e(l_f, l_r) gives both changes; the critic climbs, the generator descends.

    `fake_seed` and `real_seed` are de/dl_f and de/dl_r as functions of the two scores.
    """

    def sides(A: Object, R: Operator) -> list[Any]:
        pairs = []
        for space in A[:1]:
            g, d = (part.morphism for part in _adversaries(space))
            X, scalar = (space,), Space((), REAL)
            e = formula([(scalar,), (scalar,)], lambda fake, real: [objective(fake[0], real[0])])
            whole = (_pair_of(space) >> Para.of(e)).lens() >> Para.of(constant_cap(1).lens(scalar))

            def updates(q: Any, p: Any, z: Any, x: Any, g: Any = g, d: Any = d) -> list[Any]:
                made = apply(g, p, z)
                scores = apply(d, q, made)[0], apply(d, q, x)[0]
                on_fake, on_real = (apply(R(d), q, v, [s(*scores)]) for v, s in ((made, fake_seed), (x, real_seed)))
                p_change, z_change = apply(R(g), p, z, [on_fake[1]])
                return [on_fake[0] + on_real[0], p_change, z_change, on_real[1]]

            pairs.append((whole.morphism.put, formula([X] * 4, updates)))
        return pairs

    return sides


def _one(fake: Any, real: Any) -> Any:
    return functions.constant(fake.space, 1.0)


def _softplus(x: Any) -> Any:
    return functions.softplus(x)


WGAN = _gan_step(lambda f, r: r - f, lambda f, r: -_one(f, r), _one)
MINIMAX = _gan_step(
    lambda f, r: -_softplus(-r) - _softplus(f),
    lambda f, r: -functions.sigmoid(f),
    lambda f, r: functions.sigmoid(-r),
)


def _nonsaturating(A: Object) -> list[Any]:
    """-log s(l_f) has the seed -(1 - s(l_f)), which is not that of the minimax objective: it takes a second put."""
    scalar = (Space((), REAL),)
    saturating = formula([scalar], lambda f: [-_softplus(f[0])])
    other = formula([scalar], lambda f: [_softplus(-f[0])])
    one = formula([scalar], lambda f: [f[0], _one(f[0], f[0])])
    reverse = Lens.of(other).put
    return [
        (one >> reverse, formula([scalar], lambda f: [functions.sigmoid(f[0]) - 1.0])),
        differ(one >> reverse, one >> Lens.of(saturating).put),
    ]


LEARNERS: tuple[Law, ...] = (
    Law(
        "LEARNER.closed",
        "eta ; R(f) ; R(e) ; cap: b = f(p, a), l = e(y, b), (y', b') = e*(y, b, alpha(l)), (p', a') = f*(p, a, b')",
        CF,
        "e: loss B, f: P A -> B, P",
        _closed,
    ),
    Law(
        "LEARNER.supervised",
        "the step: model and reverse at U's get, U's put on what is stored",
        CF,
        "e: loss B, U: optimiser P, f: P A -> B",
        _supervised,
    ),
    Law("LEARNER.cap", "the cap that is given ends the learner", CF, "e: loss B, f: P A -> B, P", _given_cap,
        ("real",)),
    Law("LEARNER.batch", "on a batch a parameter's change is the mean of the samples', or the sum", CF,
        "e: loss B, f: P A -> B, P", _batched, ("own",)),
    Law("LEARNER.roles", "parameters are moved, statistics climb, frozen ones stay", CF, "A", _roles,
        ("real",)),
    Law("LEARNER.prediction", "predictions are made at the optimiser's get", CF,
        "e: loss B, U: optimiser P, f: P A -> B", _predicted),
    Law("LEARNER.iterate", "n steps are the n-fold composite in Para, the later datum first", CF,
        "e: loss B, f: P A -> B, P", _iterated, ("own",)),
    Law("LEARNER.simplify", "quadratic loss and gd: p - eta R[f](p, a, f(p, a) - y)", CF,
        "f: P A -> B, P, A", lambda f, P, A, R: [*_simple(f, P, A, R), *_softmax(A, R)], ("real",)),
    Law("LEARNER.modular", "(f^U) ; e = (f ; e)^(1 x U)", CF, "e: loss B, f: P A -> B, P", _modular, ("own",)),
    Law("DREAM", "a + R[f](p, a, e*(..)) on the input wire, parameters as data", CF, "e: loss B, f: P A -> B, P",
        _dreaming, ("own",)),
    Law("DREAM.dot", "with the dot loss a + eta R[f](p, a, y), whatever f(p, a)", CF, "f: P A -> B, P, A", _dream_dot,
        ("real",)),
    Law("GAN.comp", "c((q, p), (z, x)) = (d(q, g(p, z)), d(q, x))", "Capucci et al. (2404.00408)", "A", _gan_composite,
        ("real",)),
    Law("GAN.wgan", "e = l_r - l_f: one backward pass gives q' and p'", "Capucci et al. (2404.00408)", "A", WGAN,
        ("real",)),
    Law("GAN.minimax", "e = log s(l_r) + log(1 - s(l_f)), the same wiring", "Goodfellow et al. (1406.2661)", "A",
        MINIMAX, ("real",)),
    Law("GAN.nonsaturating", "-log s(l_f) has another seed than the minimax objective", "Goodfellow et al. (1406.2661)",
        "", lambda: _nonsaturating(()), ("shipped", "real")),
)  # fmt: skip
"""The laws of learners."""
