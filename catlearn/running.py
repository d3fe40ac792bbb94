"""Running: the compiled programs of a learner, some training steps at a time, or the evaluation of some rows.

A call takes the state through the steps of a portion in one compiled loop; the data, the number of steps, the
hyper-parameters and the random keys are its inputs, so changing them recompiles nothing. With a mesh of devices the
rows of a batch are cut over its first axis, and the parameters lie on every device or are cut as asked: both are said
to JAX as shardings, and the program is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from catlearn.assignment import fits
from catlearn.diagram import Diagram
from catlearn.errors import DataError, InputError, OperationError, UnknownNameError, nearest
from catlearn.feeding import Portion
from catlearn.functors.arrays import Arrays
from catlearn.learner import Learner

__all__ = ["Devices", "Run", "Seen", "auxiliary_keys", "lowered", "on_host"]

Watch = Mapping[str, Callable[..., Any]]
AFTERWARDS = 2**32 - 1  # the number of the step for the random keys of what is not training


@dataclass(frozen=True)
class Seen:
    """What the steps of a portion made: the loss and the right predictions of each, what was watched, and the state.

    `finite` says whether every number of the state is finite.
    """

    state: tuple[Any, ...]
    losses: np.ndarray
    right: np.ndarray
    watched: dict[str, np.ndarray]
    finite: bool


@dataclass(frozen=True)
class Devices:
    """A mesh of devices, and how parameters lie on it: patterns of names to partition specifications."""

    mesh: Any
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.mesh, int) and not isinstance(self.mesh, bool):
            object.__setattr__(self, "mesh", _mesh_of(self.mesh))
        if not hasattr(self.mesh, "axis_names") or not self.mesh.axis_names:
            raise OperationError(
                "mesh takes a jax.sharding.Mesh whose first axis the batch is cut along, or a number of devices; "
                f"got {self.mesh!r}"
            )

    def check(self, size: int) -> None:
        """Raise `DataError` where the batch cannot be cut evenly."""
        count = self.mesh.shape[self.mesh.axis_names[0]]
        if size % count:
            raise DataError(
                f"a batch of {size} rows cannot be cut evenly over {count} devices (axis "
                f"{self.mesh.axis_names[0]!r} of the mesh): use a batch size that {count} divides, and drop_last=True "
                "where the last batch is shorter"
            )

    def batch(self) -> Any:
        """The sharding of rows."""
        return self._sharding(self.mesh.axis_names[0])

    def everywhere(self) -> Any:
        """The sharding of what lies on every device."""
        return self._sharding()

    def _sharding(self, *axes: Any) -> Any:
        from jax.sharding import NamedSharding, PartitionSpec

        return NamedSharding(self.mesh, PartitionSpec(*axes))

    def state(self, learner: Learner) -> tuple[Any, ...]:
        """The sharding of each wire of the state: those of the parameters as asked, slots as their parameter."""
        names = learner.state_owners
        for pattern in self.parameters:
            if not any(name and fits(pattern, name) for name in names):
                raise UnknownNameError(f"no parameter fits {pattern!r}: {nearest(pattern, learner.model.names)}")
        chosen = [next((s for p, s in self.parameters.items() if name and fits(p, name)), None) for name in names]
        from jax.sharding import NamedSharding

        return tuple(self.everywhere() if spec is None else NamedSharding(self.mesh, spec) for spec in chosen)


def _mesh_of(count: int) -> Any:
    """The mesh of the first devices."""
    import jax

    there = jax.devices()
    if not 1 <= count <= len(there):
        kinds = ", ".join(sorted({device.platform for device in there}))
        raise OperationError(
            f"{count} devices are asked for, and there are {len(there)} ({kinds}): ask for 1 to {len(there)}, or on a "
            "CPU start Python with XLA_FLAGS=--xla_force_host_platform_device_count=NUMBER"
        )
    return jax.sharding.Mesh(np.array(there[:count]), ("data",))


class Run:
    """The programs of one learner on one backend.

    `settings` override hyper-parameters by name; `watch` maps the names of probes to functions of what passes there
    that give a number; `size` is the batch size to check the backend with. Raises `OperationError` for a backend that
    does not cover the learner, `DataError` for an unknown hyper-parameter.
    """

    def __init__(
        self,
        learner: Learner,
        backend: Any,
        seed: int,
        settings: Mapping[str, float] | None = None,
        watch: Watch | None = None,
        devices: Devices | None = None,
        size: int = 1,
    ) -> None:
        self.learner, self.backend, self.seed, self.devices = learner, backend, seed, devices
        self.watch = dict(watch or {})
        if not isinstance(backend, Arrays):
            raise OperationError(f"backend takes a functor into arrays, such as functors.Jax(); got {backend!r}")
        if devices is not None and not hasattr(backend, "precision"):
            raise OperationError(f"a mesh of devices needs functors.Jax(); the backend is {backend!r}")
        missing = backend.uncovered(learner.monitored(size))
        if missing is not None:
            raise OperationError(f"the backend {backend!r} has no meaning for {missing.name}; use another backend")
        self.hyperparameters = dict(learner.hyperparameters)
        unknown = sorted(set(settings or {}) - set(self.hyperparameters))
        if unknown:
            raise DataError(
                f"the optimiser has no hyper-parameter {', '.join(unknown)}; it has {', '.join(self.hyperparameters)}"
            )
        self.hyperparameters.update(settings or {})
        wires = [wire for wire in learner.context if not wire.stored]
        for wire in wires:
            value = self.hyperparameters[wire.name]
            if wire.least is not None and value < wire.least:
                raise DataError(f"the hyper-parameter {wire.name} is at least {wire.least}; got {value!r}")
        spaces = [wire.space for wire in wires]
        self.settings = tuple(
            backend.accept(space, np.asarray(value), f"hyper-parameter {name}")
            for space, (name, value) in zip(spaces, self.hyperparameters.items(), strict=True)
        )
        self._shown = 0
        self._check_range(size)
        self.columns: tuple[Any, ...] = ()
        self._shardings = devices.state(learner) if devices else ()
        self._compiled: dict[tuple[int, bool], Callable[..., Any]] = {}
        self._evaluations: dict[int, Callable[..., Any]] = {}

    def _check_range(self, size: int) -> None:
        """Raise `OperationError` where integers of a step on so many samples may leave the backend's range."""
        from catlearn.functors.bounds import check_range

        bits = self.backend.integer_bits
        if bits is None or size <= self._shown:
            return
        self._shown = size
        step, state = self.learner.step(size), self.learner.state
        known = len(step.dom) - len(self.settings) - len(self.learner.auxiliary)
        rest = [None] * (known - len(state)) + list(self.settings) + [None] * len(self.learner.auxiliary)
        if any(space.changes.carrier.kind == "integer" for space in state):
            check_range(step, state, self.learner.initial(self.seed), rest, bits)

    def place(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """Arrays on every device of the mesh, if there is one."""
        if self.devices is None:
            return tuple(values)
        import jax

        return tuple(jax.device_put(value, self.devices.everywhere()) for value in values)

    def stored(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """A state as the backend stores it, on its devices."""
        spaces = self.learner.state
        if len(values) != len(spaces):
            raise InputError(f"the state of this learner has {len(spaces)} arrays; got {len(values)}")
        names = self.learner.state_names
        state = tuple(
            self.backend.accept(s, v, f"the state's {n}") for s, v, n in zip(spaces, values, names, strict=True)
        )
        if self.devices is None:
            return state
        import jax

        return tuple(jax.device_put(value, place) for value, place in zip(state, self._shardings, strict=True))

    def initial(self) -> tuple[Any, ...]:
        """The starting state."""
        return self.stored(self.learner.initial(self.seed))

    def steps(self, state: tuple[Any, ...], portion: Portion, first: int) -> Seen:
        """The steps of a portion, the first of which is number `first` of the whole run."""
        program = self.program(portion.size, portion.rows is not None and len(portion.items) == 1)
        if self.devices is not None:
            self.devices.check(portion.size)
        after, seen = program(
            state, self.place(portion.items), np.int32(portion.count), np.int32(first), self.columns, self.settings
        )
        losses, right, *watched = (np.asarray(part, float)[: portion.count] for part in seen)
        return Seen(after, losses, right, dict(zip(self.watch, watched, strict=True)), self.backend.all_finite(after))

    def program(self, size: int, resident: bool) -> Callable[..., Any]:
        """The compiled loop over batches of that size: (state, items, count, first, columns, settings) -> .."""
        if (size, resident) not in self._compiled:
            self._check_range(size)
            self._compiled[size, resident] = self.backend.compile(self.loop(size, resident))
        return self._compiled[size, resident]

    def loop(self, size: int, resident: bool) -> Callable[..., Any]:
        """The function that `program` compiles; `resident`: the items are row numbers of the columns."""
        learner, backend, xp = self.learner, self.backend, self.backend.namespace
        diagram = backend.prepare(learner.monitored(size, tuple(self.watch)))
        stored, taken = len(learner.state), len(learner.model.dom)
        predicted = len(learner.model.cod)
        losses_end = predicted + len(learner.loss.penalties)

        def one(columns: Any, settings: Any, state: Any, item: Any) -> Any:
            *parts, number = item
            arrays = self._cut([column[parts[0]] for column in columns] if resident else parts)
            x, y = arrays[:taken], arrays[taken:]
            keys = auxiliary_keys(backend, learner, self.seed, number, size)
            results = backend.interpret(diagram, (*state, *y, *x, *settings, *keys))
            new, results = self._laid(results[:stored]), results[stored:]
            losses, guesses = results[:losses_end], results[losses_end : losses_end + predicted]
            rest = list(results[losses_end + predicted :])
            watched = []
            for name, function in self.watch.items():
                watched.append(function(*rest[: self._wires[name]]))
                del rest[: self._wires[name]]
            right = learner.loss.correct(xp, y, guesses).sum(dtype=float)
            return new, (_mean(losses, predicted, size), right, *watched)

        def many(state: Any, items: Any, count: Any, first: Any, columns: Any, settings: Any) -> Any:
            numbers = first + np.arange(len(items[0]), dtype=np.int32)

            def step(state: Any, item: Any) -> Any:
                return one(columns, settings, state, item)

            after, seen = backend.loop(step, tuple(state), (*items, numbers), count, 2 + len(self.watch))
            return self._laid(after), seen

        return many

    def not_finite(self, state: tuple[Any, ...], portion: Portion, step: int, number: int) -> str:
        """A clause that names the first node of a step to become non-finite, run node by node; empty if none does."""
        learner, backend, size = self.learner, self.backend, portion.size
        items = [np.asarray(item)[step] for item in portion.items]
        arrays = [column[items[0]] for column in self.columns] if len(self.columns) and len(items) == 1 else items
        taken = len(learner.model.dom)
        with backend.scope():
            keys = auxiliary_keys(backend, learner, self.seed, number, size)
            inputs = (*state, *arrays[taken:], *arrays[:taken], *self.settings, *keys)
            whole = backend.prepare(learner.monitored(size))
            found = first_not_finite(backend, whole, inputs)
        if found is None:
            return ""
        forward = found in reached(whole, whole.outputs[len(learner.state) :])
        generator = whole.nodes[found][0]
        side = "forward" if forward else "backward, or in the update"
        return (
            f"; the first node to become non-finite is '{generator.name}' ({type(generator).__name__}, node {found} of "
            f"{len(whole.nodes)} of the step, {side}), giving {', '.join(map(repr, generator.cod))}"
        )

    @cached_property
    def _wires(self) -> dict[str, int]:
        """The number of wires of each name that is watched."""
        from catlearn.generators.probe import probes

        named = probes(self.learner.monitored(None))
        return {name: len(named[name]) for name in self.watch}

    def _cut(self, arrays: Sequence[Any]) -> list[Any]:
        """The rows of a batch over the devices."""
        if self.devices is None:
            return list(arrays)
        import jax

        return [jax.lax.with_sharding_constraint(array, self.devices.batch()) for array in arrays]

    def _laid(self, state: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.devices is None:
            return state
        import jax

        return tuple(jax.lax.with_sharding_constraint(a, s) for a, s in zip(state, self._shardings, strict=True))

    def evaluate(self, state: tuple[Any, ...], inputs: Sequence[Any], targets: Sequence[Any]) -> tuple[float, float]:
        """The mean loss and the accuracy in per cent of the evaluated model on rows, which the backend has accepted."""
        rows, width = len((*inputs, *targets)[0]), 512
        loss = right = 0.0
        for start in range(0, rows, width):
            x, y = ([column[start : start + width] for column in part] for part in (inputs, targets))
            size = min(width, rows - start)
            mean, correct = self._evaluation(size)(state, x, y, self.settings)
            loss, right = loss + float(mean) * size, right + float(correct)
        return loss / max(rows, 1), 100.0 * right / max(rows, 1)

    def _evaluation(self, size: int) -> Callable[..., Any]:
        if size not in self._evaluations:
            learner, backend = self.learner.tested, self.backend
            diagram, predicted = backend.prepare(learner.seen(size)), len(learner.model.cod)

            def seen(state: Any, x: Any, y: Any, settings: Any) -> Any:
                keys = auxiliary_keys(backend, learner, self.seed, AFTERWARDS, size)
                results = backend.interpret(diagram, (*state, *y, *x, *settings, *keys))
                losses, guesses = results[:-predicted], results[-predicted:]
                return _mean(losses, predicted, size), learner.loss.correct(backend.namespace, y, guesses).sum()

            self._evaluations[size] = backend.compile(seen)
        return self._evaluations[size]


def lowered(learner: Learner) -> Learner:
    """The learner whose model is in the precision that the functor computes in, and the rest in the one it stores."""
    return replace(learner, model=learner.model.lowered())


def on_host(value: Any) -> np.ndarray:
    """The whole array, also where each process has a part of it."""
    if getattr(value, "is_fully_addressable", True) or value.is_fully_replicated:
        return np.asarray(value)
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(value, tiled=True))


def _mean(losses: Sequence[Any], predicted: int, size: int) -> Any:
    """The mean over the samples of the losses of each wire, and the penalties, which are one for all samples."""
    return sum(loss.sum(dtype=float) / size for loss in losses[:predicted]) + sum(losses[predicted:])


def auxiliary_keys(backend: Any, learner: Learner, seed: int, step: Any, size: int | None) -> tuple[Any, ...]:
    """The auxiliary inputs of a step: for each wire a random key, or one a sample."""
    return tuple(backend.keys(seed, step, wire, size) for wire in range(len(learner.auxiliary)))


def first_not_finite(backend: Any, diagram: Diagram, inputs: tuple[Any, ...]) -> int | None:
    """The number of the first node that gives a number which is not finite from inputs that are, or None."""
    values = list(inputs)
    for number, (generator, sources, _) in enumerate(diagram.nodes):
        made = backend.interpret(generator.diagram, tuple(values[k] for k in sources))
        values += made
        for value in made:
            if value.dtype.kind in "fV" and not bool(backend.namespace.isfinite(value).all()):
                return number
    return None


def reached(diagram: Diagram, wires: Sequence[int]) -> set[int]:
    """The numbers of the nodes that those wires depend on."""
    source = {wire: k for k, (_, _, outputs) in enumerate(diagram.nodes) for wire in outputs}
    found: set[int] = set()
    agenda = [source[wire] for wire in wires if wire in source]
    while agenda:
        node = agenda.pop()
        if node not in found:
            found.add(node)
            agenda += [source[wire] for wire in diagram.nodes[node][1] if wire in source]
    return found
