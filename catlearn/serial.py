"""Learners as JSON and back, and where two encoded values differ; with `encode`, `decode` and `register`.

A learner is written as what it is on its model: the model with its signature; for each space of a prediction the loss's
diagram and the label's space; the penalties on the parameters that are learnt; the cap; and of the optimiser the get
and the put on those parameters, with its context wires. So a learner that was read works on that model only.

>>> from catlearn import layers, losses, optimisers, supervised
>>> one = supervised(layers.dense(4, 2), losses.quadratic, optimisers.adam())
>>> two = supervised(layers.dense(4, 3), losses.quadratic, optimisers.adam())
>>> decode_learner(encode_learner(one)).step(8) == one.step(8)
True
>>> describe_difference(encode_learner(one), encode_learner(two))
'parameters, dense_0.bias, space: Space((2,), REAL) and Space((3,), REAL)'
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from catlearn.diagram import Diagram
from catlearn.encoding import Reading, Unwritten, decode, encode, made
from catlearn.errors import OperationError
from catlearn.learner import Learner
from catlearn.lens import Lens
from catlearn.losses import Cap, Loss, Penalty
from catlearn.optimisers import Optimiser
from catlearn.para import Para
from catlearn.registry import SerialError, class_named, label_of, layout, register
from catlearn.space import Object, Space, show_object
from catlearn.tracing import trace
from catlearn.transformations import Transformation, Wiring

__all__ = [
    "SerialError",
    "decode",
    "decode_learner",
    "describe_difference",
    "encode",
    "encode_learner",
    "register",
]


def _beyond(thing: Any, kind: type) -> Any:
    """None for what is of that class itself; a class of one's own may do more than its diagrams say."""
    if type(thing) is kind:
        return None
    what = f"the {kind.__name__.lower()} {getattr(thing, 'name', '')}".rstrip()
    advice = f"{what} is of the class {label_of(thing)}, which may do more than a {kind.__name__}: give it in Python"
    return Unwritten(label_of(thing), advice)


@dataclass(frozen=True)
class _On:
    """A function of spaces that is known at some only."""

    what: str
    known: tuple[tuple[Any, Any], ...]

    def __call__(self, spaces: Any) -> Any:
        for space, result in self.known:
            if space == spaces:
                return result
        raise OperationError(
            f"{self.what} was read from a file, and is known for {', '.join(map(_name, [s for s, _ in self.known]))} "
            f"only; got {_name(spaces)}"
        )


def _name(spaces: Any) -> str:
    return repr(spaces) if isinstance(spaces, Space) else show_object(spaces)


@dataclass(frozen=True)
class StoredPenalty:
    """A penalty: its rule on each space of parameters."""

    beyond: Any
    name: str
    strength: float
    rules: tuple[Diagram, ...]

    @classmethod
    def of(cls, penalty: Penalty, spaces: Iterable[Space]) -> StoredPenalty:
        """A penalty on parameters of those spaces."""
        rules = tuple(trace((space,), penalty.rule) for space in dict.fromkeys(spaces))
        return cls(_beyond(penalty, Penalty), penalty.name, penalty.strength, rules)

    def penalty(self) -> Penalty:
        """The penalty on parameters of those spaces."""
        known = _On(f"the penalty {self.name}", tuple((rule.dom[0], rule) for rule in self.rules))
        return Penalty(self.name, self.strength, lambda wire: known(wire.space)(wire))


@dataclass(frozen=True)
class StoredLoss:
    """A loss: for each space of a prediction the error, from a label and a prediction."""

    beyond: Any
    name: str
    errors: tuple[Diagram, ...]
    cap: Cap
    matches: Callable[..., Any]
    penalties: tuple[StoredPenalty, ...]

    @classmethod
    def of(cls, loss: Loss, outputs: Object, learnt: Object) -> StoredLoss:
        """A loss on predictions of some spaces, with its penalties on parameters of some."""
        errors = tuple(loss.para((space,)).morphism for space in dict.fromkeys(outputs))
        penalties = tuple(StoredPenalty.of(penalty, learnt) for penalty in loss.penalties)
        return cls(_beyond(loss, Loss), loss.name, errors, loss.cap, loss.matches, penalties)

    def loss(self) -> Loss:
        """The loss on predictions of those spaces."""
        what = f"the loss {self.name}"
        # Where a loss has no label, its error takes the prediction alone.
        labels = _On(what, tuple((error.dom[-1], error.dom[0] if error.dom[1:] else None) for error in self.errors))
        errors = _On(what, tuple((error.dom[-1], error) for error in self.errors))
        return Loss(
            self.name,
            lambda label, guess: errors(guess.space)(*(label, guess)[-len(errors(guess.space).dom) :]),
            self.cap,
            self.matches,
            labels,
            tuple(penalty.penalty() for penalty in self.penalties),
        )


@dataclass(frozen=True)
class StoredOptimiser:
    """An optimiser: the context wires and the lens of its transformation on parameters of some spaces."""

    beyond: Any
    name: str
    spaces: Object
    context: tuple[Wiring, ...]
    get: Diagram
    put: Diagram
    base: Lens
    start: Any
    transformation: str

    @classmethod
    def of(cls, optimiser: Optimiser, spaces: Object) -> StoredOptimiser:
        """An optimiser on parameters of those spaces."""
        inner = optimiser.transformation
        context, lens = inner.context(spaces), inner.lens(spaces)
        rest = inner.base(spaces), inner.start, inner.name
        return cls(_beyond(optimiser, Optimiser), optimiser.name, spaces, context, lens.get, lens.put, *rest)

    def optimiser(self) -> Optimiser:
        """The optimiser on parameters of those spaces."""
        context = _On(f"the optimiser {self.name}", ((self.spaces, self.context),))
        lens = _On(context.what, ((self.spaces, Lens(self.get, self.put)),))
        base = _On(context.what, ((self.spaces, self.base),))
        return Optimiser(self.name, Transformation(self.transformation, context, lens, base, self.start))


@dataclass(frozen=True)
class StoredLearner:
    """A learner on its model; the parameters are named first so that a difference is told in their names."""

    parameters: dict[str, Any]
    model: Para[Diagram]
    loss: StoredLoss
    cap: Cap
    optimiser: StoredOptimiser

    @classmethod
    def of(cls, learner: Learner) -> StoredLearner:
        """A learner, on its model."""
        model = learner.model
        learnt = tuple(p.space for p in model.parameters if p.role == "parameter")
        return cls(
            _described(model),
            model,
            StoredLoss.of(learner.loss, model.cod, learnt),
            learner.cap,
            StoredOptimiser.of(learner.optimiser, learnt),
        )

    def learner(self) -> Learner:
        """The learner on that model; raises `CatlearnError` where the parts do not fit."""
        if self.parameters != _described(self.model):
            raise SerialError("the parameters that this learner names are not those of its model")
        return Learner(self.model, self.loss.loss(), self.optimiser.optimiser(), self.cap)


def _described(model: Para[Diagram]) -> dict[str, Any]:
    return {name: {"space": p.space, "role": p.role} for name, p in zip(model.names, model.parameters, strict=True)}


def encode_learner(learner: Learner, *, opaque: str = "refuse") -> dict[str, Any]:
    """The JSON form of a learner.

    Raises `SerialError` for what has no form: a function or class that is not registered. With `opaque="name"` its name
    is written in its place, which can be compared with another learner's but not read.
    """
    if type(learner) is not Learner:
        raise SerialError(f"encode_learner takes a Learner, such as `supervised` makes; got {learner!r}")
    return encode(StoredLearner.of(learner), opaque=opaque)


def decode_learner(encoded: Any) -> Learner:
    """The learner of which that is the JSON form; raises `SerialError` where it is the form of none."""
    stored = decode(encoded)
    if not isinstance(stored, StoredLearner):
        raise SerialError(f"this is the form of one of {label_of(stored)}, not of a learner; see `decode`")
    return made("a learner", stored.learner)


def describe_difference(expected: Any, came: Any) -> str | None:
    """The first difference between two encoded values: a path, and what stands there in each; None if there is none.

    Of two learners, first the names and spaces of the parameters, then the model, the loss, the cap, the optimiser.
    """
    try:
        comparison = _Comparison(_Side(expected), _Side(came))
        return made("two things", lambda: comparison.values(expected["value"], came["value"], ()))
    except RecursionError:
        raise SerialError("these are nested too deeply to be compared") from None


class _Side:
    """One of two encoded values, and what its table holds."""

    def __init__(self, encoded: Any) -> None:
        self._reading = Reading(encoded, tolerant=True)
        self._table = encoded["table"]

    def entry(self, value: Any) -> Any:
        """What stands at a reference; another value itself."""
        if not _refers(value):
            return value
        if type(value["ref"]) is not int or not 0 <= value["ref"] < len(self._table):
            raise SerialError(f"a reference is to one of the {len(self._table)} entries; got {value['ref']!r:.100}")
        return self._table[value["ref"]]

    def thing(self, value: Any) -> Any:
        """What a value stands for, or its text where that cannot be read."""
        try:
            return self._reading.value(value)
        except SerialError:
            entry = self.entry(value)
            return entry["opaque"] if isinstance(entry, dict) and "opaque" in entry else json.dumps(entry)

    def shown(self, value: Any) -> str:
        """What a value stands for, in a line."""
        thing = self.thing(value)
        return f"{thing if isinstance(thing, (Diagram, str)) and _refers(value) else repr(thing)!s:.120}"

    def called(self, value: Any) -> str:
        """The name of a thing that has one, in brackets."""
        thing = self.thing(value)
        name = None if isinstance(thing, (type, str)) else getattr(thing, "name", None)
        return f" ({name})" if isinstance(name, str) else ""


def _refers(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"ref"}


def _simple(value: Any) -> bool:
    return not isinstance(value, (list, dict)) or (
        isinstance(value, list) and len(value) < 9 and all(map(_simple, value))
    )


def _in_order(entry: dict[str, Any]) -> list[str]:
    """The names of the fields in the class's order, which a file may have lost."""
    try:
        order = layout(class_named(entry["class"]))[0]
    except SerialError:
        order = ()
    return [*(name for name in order if name in entry["fields"]), *(n for n in entry["fields"] if n not in order)]


Path = tuple[str, ...]


class _Comparison:
    """Two encoded values side by side; pairs of entries once compared are the same."""

    def __init__(self, left: _Side, right: _Side) -> None:
        self._left, self._right = left, right
        self._same: set[str] = set()

    def values(self, left: Any, right: Any, path: Path) -> str | None:
        """The first difference between two values."""
        pair = json.dumps((left, right)) if _refers(left) and _refers(right) else ""
        if pair in self._same:
            return None
        one, two = self._left.entry(left), self._right.entry(right)
        found = self._entries(one, two, path)
        if pair and found is None:
            self._same.add(pair)
        return self._told(left, right, path) if found == "" else found

    def _entries(self, one: Any, two: Any, path: Path) -> str | None:
        """The first difference between two entries, "" for one that is best told of the whole."""
        if isinstance(one, list) and isinstance(two, list) and not (_simple(one) and _simple(two)):
            return self._lists(one, two, path)
        if not isinstance(one, dict) or not isinstance(two, dict) or one.keys() != two.keys():
            return None if json.dumps(one) == json.dumps(two) else ""
        if one.keys() == {"dom", "nodes", "outputs"}:
            return self._diagrams(one, two, path)
        if "fields" in one and one["class"] == two["class"]:
            left, right = ({name: side["fields"][name] for name in _in_order(side)} for side in (one, two))
            found = self._dictionaries(left, right, path)
            return "" if found and one["class"] == "catlearn.space:Space" else found
        if "dict" in one:
            return self._dictionaries(one["dict"], two["dict"], path)
        return None if one == two else ""

    def _told(self, left: Any, right: Any, path: Path) -> str:
        texts = self._left.shown(left), self._right.shown(right)
        return f"{', '.join(path) or 'the value'}: {texts[0]} and {texts[1]}"

    def _dictionaries(self, one: dict[str, Any], two: dict[str, Any], path: Path) -> str | None:
        gone, new = ([repr(key) for key in side if key not in other] for side, other in ((one, two), (two, one)))
        if gone or new:
            return f"{', '.join(path) or 'the value'}: {(*gone, 'nothing')[0]} and {(*new, 'nothing')[0]}"
        steps = (self.values(one[key], two[key], path if key == "morphism" else (*path, key)) for key in one)
        return next((found for found in steps if found is not None), None)

    def _lists(self, one: list[Any], two: list[Any], path: Path) -> str | None:
        before, last = path[:-1], path[-1] if path else "item"
        for k, (left, right) in enumerate(zip(one, two, strict=False)):
            found = self.values(left, right, (*before, f"{last} {k}{self._left.called(left)}"))
            if found is not None:
                return found
        return None if len(one) == len(two) else f"{', '.join(path) or 'the value'}: {len(one)} and {len(two)} of them"

    def _diagrams(self, one: dict[str, Any], two: dict[str, Any], path: Path) -> str | None:
        found = self._lists(one["dom"], two["dom"], (*path, "input"))
        if found is not None:
            return found
        for k, (left, right) in enumerate(zip(one["nodes"], two["nodes"], strict=False)):
            generators = {"ref": left[0]}, {"ref": right[0]}
            here = (*path, f"node {k}{self._left.called(generators[0])}")
            found = self.values(*generators, here) or self.values(left[1], right[1], (*here, "input wires"))
            if found is not None:
                return found
        counts = [len(side["nodes"]) for side in (one, two)]
        if counts[0] != counts[1]:
            return f"{', '.join((*path, 'nodes'))}: {counts[0]} and {counts[1]} of them"
        return self.values(one["outputs"], two["outputs"], (*path, "output wires"))
