"""Learners: the wirings that make a model, a loss, a cap and an optimiser into one lens.

    closed = eta_A ; R(model) ; R(loss) ; cap : (1, 1) -> (1, 1)     with parameter (Y P A, Y' P' A')   (LEARNER.closed)
    step   = closed reparametrised by d_Y x U x d_A                                                (LEARNER.supervised)

where eta turns the input wire into a parameter wire (PARA.eta) and d discards a backward wire (PARA.discard). The put
of the result is the training step, an ordinary diagram. The optimiser's put receives what is stored; the model is
evaluated at the optimiser's get. A batch is PARA.tie: model and loss are copied over the samples, the parameters are
shared.

Source: Cruttwell et al. (2103.01931), section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from catlearn.diagram import Diagram, copy, discard, identity, permute, wiring
from catlearn.errors import CompositionError, DataError, UnknownNameError, nearest
from catlearn.generators.batching import batch
from catlearn.generators.probe import probes
from catlearn.lens import Lens, Sides
from catlearn.losses import Cap, Loss
from catlearn.optimisers import Optimiser
from catlearn.para import Para
from catlearn.parameters import Signature
from catlearn.space import Object, changes
from catlearn.transformations import Wiring, ascent

__all__ = ["Learner", "closed", "discard_change", "dreaming", "eta", "keep", "supervised"]

NO_PROBE = "the model has none; put layers.probe(name, space) where you want to watch"


def eta(spaces: Object) -> Para[Lens]:
    """eta_A : (1, 1) -> (A, A') with parameter (A, A'): the input wire becomes a parameter wire (PARA.eta)."""
    sides = Sides.of(spaces)
    return Para(sides, Sides((), ()), Lens.identity(sides))


def discard_change(spaces: Object) -> Lens:
    """d_X : (X, 1) -> (X, X'): get 1, put throws the change away (PARA.discard)."""
    return Lens(identity(spaces), discard(spaces + changes(spaces)))


def keep(spaces: Object) -> Lens:
    """(P, P) -> (P, P'): get 1, put gives back what is stored; the optimiser of what does not move."""
    return Lens(identity(spaces), identity(spaces) @ discard(changes(spaces)))


def closed(model: Para[Diagram], loss: Loss, cap: Cap | None = None, *, size: int | None = None) -> Para[Lens]:
    """The closed learner: a lens (1, 1) -> (1, 1) with parameter (Y P A, Y' P' A').

    `size` is the number of samples of a batch; None is one sample without a batch axis. Its get is !, its put
    Y x P x A -> Y' x P' x A'.
    """
    return _capped(_with_loss(model, loss, size), len(model.cod), cap or loss.cap, size)


def _capped(end: Para[Lens], each: int, cap: Cap, size: int | None) -> Para[Lens]:
    """The losses of the samples, on the first `each` wires, capped with their share, and the penalties."""
    ends = end.cod.forward
    return end >> Para.of(cap.lens(ends[:each], size or 1) @ cap.lens(ends[each:]))


def _with_loss(model: Para[Diagram], loss: Loss, size: int | None) -> Para[Lens]:
    """eta ; R(model) ; R(loss), to the losses of the samples on each wire, then the penalties."""
    errors = loss.para(model.cod)
    if size is not None:
        model = model.batch(size)
        many = batch(errors.morphism, size)
        n = len(errors.parameter)
        errors = Para(many.dom[:n], many.dom[n:], many)
    if loss.penalties:
        learnt = [k for k, p in enumerate(model.parameters) if p.role == "parameter"]
        chosen = wiring(model.parameter, learnt)
        total = identity()
        for penalty in loss.penalties:
            total = total @ penalty.diagram(chosen.cod)
        copies = chosen >> wiring(chosen.cod, [*range(len(learnt))] * len(loss.penalties))
        model, errors = model.expose(), errors @ Para.of(copies >> total)
    return eta(model.dom) >> model.lens() >> errors.lens()


@dataclass(frozen=True, eq=False, repr=False)
class Learner:
    """A model, a loss, an optimiser and a cap, wired together.

    The state T is a tuple of wires: what the optimiser stores, then the parameters that it moves, the frozen ones and
    the statistics. `step(n)` is the training step on n samples, `T x Y x A -> T`, followed by the named inputs: the
    hyper-parameters (scalars, with defaults) and the auxiliary inputs (random keys, one a sample).
    """

    model: Para[Diagram]
    loss: Loss
    optimiser: Optimiser
    cap: Cap
    _open: dict[int | None, Para[Lens]] = field(default_factory=dict, init=False, repr=False)
    _steps: dict[int | None, Diagram] = field(default_factory=dict, init=False, repr=False)
    _monitored: dict[tuple[int | None, tuple[str, ...]], Diagram] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for parameter, name in zip(self.model.parameters, self.model.names, strict=True):
            if parameter.role == "auxiliary" and (parameter.space.carrier.kind != "key" or parameter.space.shape):
                raise DataError(
                    f"the auxiliary input {name} must be one random key, Space((), KEYS); got {parameter.space}"
                )
        if len(self.model.parameters) != len(self.model.parameter):
            raise CompositionError("a learner needs a model whose parameters are named; see para.parametrised")
        self.loss.para(self.model.cod)
        learnt = [self.model.names[k] for k in self._groups[0]]
        object.__setattr__(self, "optimiser", self.optimiser.resolved(learnt))
        self._lens  # noqa: B018  (an optimiser that does not fit the parameters raises here)

    def __repr__(self) -> str:
        shown = ", ".join(self.model.names) or "no parameters"
        return f"<learner of {shown} by {self.loss.name} and {self.optimiser.name}>"

    def _repr_svg_(self) -> str:
        from catlearn.functors.picture import picture

        return picture(self)

    def _wires(self, role: str) -> list[int]:
        return [k for k, parameter in enumerate(self.model.parameters) if parameter.role == role]

    @cached_property
    def _groups(self) -> list[list[int]]:
        return [self._wires(role) for role in ("parameter", "frozen", "statistic", "auxiliary")]

    def _spaces(self, wires: Sequence[int]) -> Object:
        return tuple(self.model.parameter[k] for k in wires)

    @cached_property
    def context(self) -> tuple[Wiring, ...]:
        """The optimiser's wires besides the parameters: the stored ones and the hyper-parameters."""
        return self.optimiser.context(self._spaces(self._groups[0]))

    @cached_property
    def hyperparameters(self) -> dict[str, float]:
        """The hyper-parameters' names, in the order of their wires, with their defaults."""
        return {wire.name: wire.start for wire in self.context if not wire.stored}

    @property
    def auxiliary(self) -> tuple[str, ...]:
        """The names of the auxiliary inputs, in the order of their wires."""
        return tuple(self.model.names[k] for k in self._groups[3])

    @property
    def state(self) -> Object:
        """The object T of what is stored."""
        return self._lens_of(None).dom.backward

    @cached_property
    def state_owners(self) -> tuple[str | None, ...]:
        """For each wire of the state the parameter that it is, or is a slot of; None for a counter and the like."""
        learnt, frozen, statistics, _ = self._groups
        slots = [None if w.of is None else self.model.names[learnt[w.of]] for w in self.context if w.stored]
        return (*slots, *(self.model.names[k] for k in (*learnt, *frozen, *statistics)))

    @cached_property
    def state_names(self) -> tuple[str, ...]:
        """A name for each wire of the state: a parameter's own, or that of what is stored."""
        stored = [wire.name for wire in self.context if wire.stored]
        return (*stored, *(name or "" for name in self.state_owners[len(stored) :]))

    @cached_property
    def _lens(self) -> Lens:
        return self._lens_of(None)

    def _lens_of(self, size: int | None) -> Lens:
        """U : (X P.., T) -> (P, P'): every role with its own optimiser, then the wires in the model's order."""
        learnt, frozen, statistics, auxiliary = self._groups
        keys = self._spaces(auxiliary) if size is None else tuple(s.batch(size) for s in self._spaces(auxiliary))
        side_by_side = (
            self.optimiser.lens(self._spaces(learnt))
            @ keep(self._spaces(frozen))
            @ ascent(self._spaces(statistics))
            @ discard_change(keys)
        )
        order = [k for group in self._groups for k in group]
        back = [order.index(k) for k in range(len(order))]
        forward, backward = side_by_side.cod.forward, side_by_side.cod.backward
        put = discard(forward) @ wiring(tuple(backward[k] for k in back), order)
        return side_by_side >> Lens(wiring(forward, back), put)

    def _reparametrisation(self, labels: Object, inputs: Object, size: int | None) -> Lens:
        return discard_change(labels) @ self._lens_of(size) @ discard_change(inputs)

    def _arranged(self, size: int | None) -> tuple[Diagram, Object, Object]:
        """The wiring from T x Y x A x hyper-parameters x auxiliary to Y x U's forward side x A; and Y and A."""
        labels, inputs = self.loss.labels(self.model.cod), self.model.dom
        if size is not None:
            labels, inputs = (tuple(s.batch(size) for s in side) for side in (labels, inputs))
        forward = self._lens_of(size).dom.forward
        context, keys = self.context, len(self._groups[3])
        stored = [k for k, wire in enumerate(context) if wire.stored]
        settings = [k for k, wire in enumerate(context) if not wire.stored]
        middle = [*stored, *range(len(context), len(forward) - keys)]
        named = [*settings, *range(len(forward) - keys, len(forward))]
        dom = [tuple(forward[k] for k in middle), labels, inputs, tuple(forward[k] for k in named)]
        exchanged = permute(dom, [1, 0, 3, 2])
        start = len(labels)
        place = {k: start + j for j, k in enumerate([*middle, *named])}
        end = range(start + len(forward), start + len(forward) + len(inputs))
        order = [*range(start), *(place[k] for k in range(len(forward))), *end]
        return exchanged >> wiring(exchanged.cod, order), labels, inputs

    def closed(self, size: int | None = None) -> Para[Lens]:
        """The model, the loss and the cap, before the optimiser (LEARNER.closed)."""
        return _capped(self._with_loss(size), len(self.model.cod), self.cap, size)

    def _with_loss(self, size: int | None) -> Para[Lens]:
        if size not in self._open:
            self._open[size] = _with_loss(self.model, self.loss, size)
        return self._open[size]

    def step(self, size: int | None = None) -> Diagram:
        """The training step on `size` samples (None: one, without a batch axis): T x Y x A x named inputs -> T."""
        if size not in self._steps:
            arranged, labels, inputs = self._arranged(size)
            whole = self.closed(size).reparametrise(self._reparametrisation(labels, inputs, size), Signature())
            self._steps[size] = arranged >> whole.morphism.put
        return self._steps[size]

    def monitored(self, size: int | None = None, watch: tuple[str, ...] = ()) -> Diagram:
        """The step with the losses and predictions that it made on the way, and the probes: T x .. -> T x L x B x W.

        W are the wires of the probes named by `watch`, in order. Raises `UnknownNameError` for a name without a probe.
        """
        if (size, watch) not in self._monitored:
            step, seen = self.step(size), self.seen(size)
            dom = step.dom
            both = copy(dom) >> (step @ seen)
            named = probes(both)
            for name in watch:
                if name not in named:
                    raise UnknownNameError(
                        f"no probe is called {name!r}: {nearest(name, named) if named else NO_PROBE}"
                    )
            self._monitored[size, watch] = both.observing([wire for name in watch for wire in named[name]])
        return self._monitored[size, watch]

    def seen(self, size: int | None = None) -> Diagram:
        """The losses and the predictions: T x Y x A x named inputs -> L x B; the penalties come last in L."""
        arranged, labels, inputs = self._arranged(size)
        whole = self._with_loss(size).reparametrise(self._reparametrisation(labels, inputs, size), Signature())
        dom = arranged.dom
        return copy(dom) >> ((arranged >> whole.morphism.get) @ self._prediction(size, arranged))

    def _prediction(self, size: int | None, arranged: Diagram) -> Diagram:
        """T x Y x A x .. -> B, ignoring the labels."""
        model = self.model if size is None else self.model.batch(size)
        labels = len(self.loss.labels(self.model.cod))
        rest = wiring(arranged.cod, range(labels, len(arranged.cod)))
        get: Any = Lens.of(model.morphism).get
        return arranged >> rest >> (self._lens_of(size).get @ identity(model.dom)) >> get

    @cached_property
    def tested(self) -> Learner:
        """The learner of the model's evaluation form; it has the same state, and perhaps fewer auxiliary inputs."""
        after = self.model.evaluation()
        same = after.diagram is self.model.diagram and len(after.parameter) == len(self.model.parameter)
        return self if same else Learner(after, self.loss, self.optimiser, self.cap)

    def prediction(self, size: int | None = None) -> Diagram:
        """What the evaluated model makes of inputs at the optimiser's get: T x A x named inputs -> B.

        The auxiliary inputs are those of `tested`.
        """
        arranged, labels, _ = self.tested._arranged(size)
        whole = self.tested._prediction(size, arranged)
        n = len(self.state)
        return whole.ignoring(range(n, n + len(labels)))

    def parameters_at(self) -> Diagram:
        """The parameters at the optimiser's get, in the model's order, auxiliary ones left out: T x named -> P."""
        learnt, frozen, statistics, _ = self._groups
        get = self._lens_of(None).get
        wanted = [k for k in range(len(get.cod)) if k in {*learnt, *frozen, *statistics}]
        arranged, labels, inputs = self._arranged(None)
        rest = wiring(arranged.cod, range(len(labels), len(arranged.cod) - len(inputs)))
        whole = arranged >> rest >> get >> wiring(get.cod, wanted)
        n = len(self.state)
        return whole.ignoring(range(n, n + len(labels) + len(inputs)))

    def initial(self, seed: int = 0) -> tuple[np.ndarray, ...]:
        """The state T that training starts from: the optimiser's init on the parameters' starting values."""
        values = self.model.initial(seed)
        learnt, frozen, statistics, _ = self._groups
        moved = self.optimiser.init([values[k] for k in learnt], self._spaces(learnt))
        return (*moved, *(values[k] for k in (*frozen, *statistics)))


def supervised(model: Para[Diagram] | Diagram, loss: Loss, optimiser: Optimiser, cap: Cap | None = None) -> Learner:
    """The supervised learner (LEARNER.supervised); the loss brings its own cap unless one is given.

    Raises `CompositionError` or `OperationError` where loss or optimiser do not fit the model.
    """
    return Learner(_checked(model, loss, optimiser, cap), loss, optimiser, cap or loss.cap)


def _checked(model: Any, loss: Any, optimiser: Any, cap: Any) -> Para[Diagram]:
    """The model as a Para; raises `CompositionError` where an argument is not what it should be."""
    wanted = {
        "model": (model, (Para, Diagram), "a Para such as layers.dense(4, 3), or a Diagram"),
        "loss": (loss, (Loss,), "a Loss, such as those in catlearn.losses"),
        "optimiser": (optimiser, (Optimiser,), "an Optimiser, made with its settings by catlearn.optimisers"),
        "cap": (cap, (Cap, type(None)), "a Cap, or None for the loss's own"),
    }
    for name, (value, kinds, text) in wanted.items():
        if not isinstance(value, kinds):
            raise CompositionError(
                f"a learner takes (model, loss, optimiser, cap=None): the {name} is {text}; got {value!r}"
            )
    return model if isinstance(model, Para) else Para.of(model)


def dreaming(model: Para[Diagram] | Diagram, loss: Loss, optimiser: Optimiser, cap: Cap | None = None) -> Learner:
    """The learner of an input: the optimiser sits on the A wire, the parameters come as data (DREAM).

    It is the supervised learner of the model with its two kinds of input exchanged: T_A x Y x P -> T_A. Random keys
    stay auxiliary inputs.
    """
    from catlearn.parameters import Parameter

    model = _checked(model, loss, optimiser, cap)
    keys = [k for k, p in enumerate(model.parameters) if p.role == "auxiliary"]
    data = [k for k in range(len(model.parameter)) if k not in keys]
    inputs = tuple(Parameter(f"input_{k}", space) for k, space in enumerate(model.dom))
    drawn = tuple(replace(model.parameters[k], name=model.names[k]) for k in keys)
    own = model.dom + tuple(model.parameter[k] for k in keys)
    given = tuple(model.parameter[k] for k in data)
    order = [*keys, *data]
    places = [len(model.dom) + order.index(k) for k in range(len(order))]
    exchanged = wiring(own + given, [*places, *range(len(model.dom))]) >> model.diagram
    swapped = Para(own, given, exchanged, Signature.layer(inputs + drawn, "dream", given, model.cod))
    return Learner(swapped, loss, optimiser, cap or loss.cap)
