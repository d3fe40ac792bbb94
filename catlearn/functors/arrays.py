"""What the functors into arrays share: one evaluator, whatever the array library and the meaning of the carriers.

Every generator says once what it does to arrays, in the operations of its carrier; `Arrays` supplies the array
namespace, how a carrier is stored, and the loops. It also makes the diagram ready: equal scans are fused, and what no
output needs is not computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from catlearn.builder import Builder, Wires
from catlearn.diagram import Diagram, Generator
from catlearn.errors import InputError, OperationError
from catlearn.functors.convolution import by_definition
from catlearn.functors.functor import Functor, bare
from catlearn.generators.arithmetic import Constant, zero_of
from catlearn.generators.batching import Map
from catlearn.generators.scan import Scan
from catlearn.semirings import Carrier
from catlearn.space import Object, Space

if TYPE_CHECKING:
    from catlearn.generators.convolution import Convolution

__all__ = ["Arrays", "check_values", "tidy"]

_KINDS = {"real": "fiu", "integer": "iu", "bit": "iub", "index": "iu"}
_WANTED = {"real": "numbers", "integer": "integers", "bit": "0, 1 or booleans", "index": "integers from 0"}


def check_values(space: Space, value: np.ndarray, what: str) -> None:
    """Raise `InputError` where an array's dtype, or an entry of it, does not fit the space's carrier."""
    check_dtype(space, value, what)
    valid = np.asarray(space.carrier.contains(value))
    if not valid.all():
        bad = value[~np.broadcast_to(valid, value.shape)].flat[0] if value.shape else value.item()
        raise InputError(f"{what} has the value {bad}, which is not in {space.carrier}")


def check_dtype(space: Space, value: Any, what: str) -> None:
    """Raise `InputError` where the dtype of an array, or the kinds of Python numbers in it, do not fit the carrier."""
    found = "f" if value.dtype.name == "bfloat16" else value.dtype.kind
    if found == "O":
        found = "".join(sorted({_kind(entry) for entry in value.flat}))
    if value.size and not set(found) <= set(_KINDS[space.carrier.kind]):
        came = f"Python objects of kinds {found!r}" if value.dtype == object else f"dtype {value.dtype}"
        raise InputError(f"{what} must hold {_WANTED[space.carrier.kind]} ({space}); got {came}: convert it yourself")


def as_array(value: Any, what: str) -> np.ndarray:
    """The NumPy array of a number or nested list; raises `InputError` where its rows are of different lengths."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise InputError(f"{what} must be an array, all rows alike: {error}") from None


def _finite(array: np.ndarray) -> bool:
    """A sum that is finite has finite terms; another may be that of terms too large."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum(dtype=np.float32 if array.dtype.kind == "V" else None)
    return bool(np.isfinite(total)) or bool(np.isfinite(array.astype(float)).all())


def _kind(entry: Any) -> str:
    if isinstance(entry, Fraction):
        return "f"
    return "i" if isinstance(entry, int) and not isinstance(entry, bool) else np.asarray(entry).dtype.kind


class Arrays(Functor):
    """A functor into arrays: `namespace` is the array library, `dtypes` the dtype for each kind of carrier."""

    def __init__(self, name: str, extends: Functor | None = None) -> None:
        super().__init__(name, extends)

    @property
    def namespace(self) -> Any:
        """The array library's module."""
        raise NotImplementedError

    def dtype(self, carrier: Carrier) -> Any:
        """The dtype that a carrier's values are stored with."""
        raise NotImplementedError

    def carrier(self, carrier: Carrier) -> Any:
        """The carrier whose operations are used for that one."""
        return carrier

    def rule(self, generator: Generator) -> Callable[..., Any] | None:
        found = super().rule(generator)
        if found is None and type(generator).evaluate is not Generator.evaluate:
            return lambda generator, *inputs: generator.evaluate(self, *inputs)
        return found

    def load(self, path: str) -> Callable[..., Any]:
        """The function that "module:name" names."""
        module, _, name = path.partition(":")
        return getattr(import_module(module), name)

    def cast(self, value: Any, carrier: Carrier) -> Any:
        """The value stored as that carrier's values are."""
        return self.namespace.asarray(value).astype(self.dtype(carrier))

    def lowered(self, x: Any) -> Any:
        """Real numbers in the precision that is computed in, where that is not the one they are stored in."""
        return x

    def all_finite(self, values: Sequence[Any]) -> bool:
        """Whether every number in the arrays is finite."""
        return all(_finite(np.asarray(value)) for value in values if value.dtype.kind in "fV")

    def alike(self, values: Sequence[Any]) -> Sequence[Any]:
        """Factors of a product in one precision."""
        return values

    def constant(self, space: Space, value: Any) -> Any:
        """The array of a constant: a number fills the space."""
        array = np.asarray(value)
        filled = array if array.shape == space.shape else np.full(space.shape, value)
        return self.namespace.asarray(filled, dtype=self.dtype(space.carrier))

    def positions(self, places: Any) -> Any:
        """Places in an array, as the array library takes them."""
        return np.asarray(places).astype(np.int64)

    def pad(self, carrier: Carrier, x: Any, ends: Sequence[tuple[int, int, int]]) -> Any:
        """Zeros before, after and between the entries of each axis; a negative number cuts entries off instead."""
        zero = self.constant(Space((), carrier), carrier.zero)[()]
        for axis, (before, after, between) in enumerate(ends):
            entries = x.shape[axis]
            places = before + np.arange(entries) * (between + 1)
            length = before + after + max(entries + (entries - 1) * between, 0)
            inside = (places >= 0) & (places < length)
            shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
            result = np.full(shape, zero, dtype=x.dtype)
            lead = (slice(None),) * axis
            result[(*lead, places[inside])] = x[(*lead, inside)]
            x = result
        return x

    def convolution(self, form: Convolution, a: Any, b: Any) -> Any:
        """The map of a convolution's role."""
        return by_definition(form, self, a, b)

    def scatter(self, carrier: Carrier, rows: Any, index: np.ndarray, length: int) -> Any:
        """Row k of the result is the sum of the rows whose index is k."""
        zero = self.carrier(carrier).zero
        total = [np.full(rows.shape[1:], zero, dtype=rows.dtype) for _ in range(length)]
        for row, k in zip(rows, index, strict=True):
            total[k] = self.carrier(carrier).add(self.namespace, total[k], row)
        return np.stack(total) if total else np.zeros((0, *rows.shape[1:]), rows.dtype)

    def map(self, generator: Map, inputs: tuple[Any, ...]) -> Any:
        """The body on each sample in turn."""
        each = [
            self.interpret(
                generator.body, tuple(x[k] if f else x for x, f in zip(inputs, generator.flags, strict=True))
            )
            for k in range(generator.size)
        ]
        return bare(self._stacked(each, generator.body.cod))

    def scan(self, generator: Scan, inputs: tuple[Any, ...]) -> Any:
        """The body along the items, one after another."""
        k, fixed = generator.shared, generator.shared + generator.states
        shared, state, items = inputs[:k], inputs[k:fixed], inputs[fixed:]
        emitted = []
        order = range(generator.length)
        for t in reversed(order) if generator.backward else order:
            results = self.interpret(generator.body, (*shared, *state, *(x[t] for x in items)))
            state = results[: generator.states]
            emitted.append(results[generator.states :])
        if generator.backward:
            emitted.reverse()
        return bare((*state, *self._stacked(emitted, generator.body.cod[generator.states :])))

    def _stacked(self, each: list[tuple[Any, ...]], spaces: Object) -> tuple[Any, ...]:
        if not each:
            return tuple(np.zeros((0, *space.shape), self.dtype(space.carrier)) for space in spaces)
        return tuple(self.namespace.stack(column) for column in zip(*each, strict=True))

    def scope(self) -> AbstractContextManager[Any]:
        """The context in which this functor's numbers exist."""
        return nullcontext()

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself, where nothing is to be compiled."""
        return function

    def loop(self, step: Callable[..., Any], state: Any, items: Any, count: Any, numbers: int) -> tuple[Any, Any]:
        """`step(state, item) -> (state, that many numbers)` on the first `count` items, the numbers stacked."""
        emitted = []
        for number in range(int(count)):
            state, out = step(state, tuple(item[number] for item in items))
            emitted.append(out)
        return state, tuple(np.stack(column) for column in zip(*emitted, strict=True))

    def keys(self, seed: int, step: Any, wire: int, size: int | None) -> Any:
        """The random keys of a wire at a step; refused where there are none."""
        raise OperationError(
            f"the functor {self.name} has no random keys: train a model with auxiliary inputs under JAX"
        )

    def accept(self, space: Space, value: Any, what: str) -> Any:
        """The value as this functor stores it; raises `InputError` if it is not one of the space."""
        array = value if hasattr(value, "dtype") else as_array(value, what)
        if array.shape != space.shape:
            raise InputError(f"{what} must have shape {space.shape} ({space}); got shape {tuple(array.shape)}")
        array = np.asarray(array)
        check_values(space, array, what)
        return self.cast(array, space.carrier)

    @property
    def integer_bits(self) -> int | None:
        """The bits of an integer; None where there is no limit."""
        return None

    def prepare(self, diagram: Diagram) -> Diagram:
        """The diagram as it is run: see `tidy`."""
        return tidy(diagram, self)

    def __call__(self, diagram: Diagram) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            if len(arguments) != len(diagram.dom):
                raise InputError(f"the diagram takes {len(diagram.dom)} inputs; it got {len(arguments)}")
            values = tuple(
                self.accept(space, value, f"input {k}")
                for k, (space, value) in enumerate(zip(diagram.dom, arguments, strict=True))
            )
            return bare(self.interpret(ready, values))

        ready = tidy(diagram, self)
        return run


def tidy(diagram: Diagram, functor: Functor) -> Diagram:
    """The same morphism with expansions in place, equal scans fused, and scans restricted to what is wanted.

    Both are laws: <Scan f, Scan g> = Scan <f, g> for one state, and discard is natural. A linear map of zero is zero,
    without which a scan from a batch of zeros and its reverse would not be seen to start from one state.
    """
    expanded = _expand(diagram, functor)
    if not any(isinstance(generator, Scan) for generator, _, _ in expanded.nodes):
        return expanded
    return _restrict(_fuse(_fold(expanded)))


def _expand(diagram: Diagram, functor: Functor) -> Diagram:
    def smaller(generator: Generator) -> Diagram | None:
        if isinstance(generator, Map) or functor.rule(generator) is None:
            return generator.expanded
        return generator.prepared()

    if all(smaller(generator) is None for generator, _, _ in diagram.nodes):
        return diagram
    builder = Builder(diagram.dom)
    here = list(range(len(diagram.dom)))
    for generator, sources, _ in diagram.nodes:
        inputs = tuple([here[k] for k in sources])
        parts = smaller(generator)
        here += builder.apply(generator, inputs) if parts is None else builder.replay(_expand(parts, functor), inputs)
    return builder.finish(here[k] for k in diagram.outputs)


def _fold(diagram: Diagram) -> Diagram:
    """Linear maps of one wire are gone where that is zero."""
    builder = Builder(diagram.dom)
    here, zeros = list(range(len(diagram.dom))), set[int]()
    for generator, sources, _ in diagram.nodes:
        inputs = tuple([here[k] for k in sources])
        zero = generator.additive and generator.linear == ((0,),) and zeros.issuperset(inputs)
        parts = [zero_of(space) for space in generator.cod] if zero else [generator]
        made = [wire for part in parts for wire in builder.apply(part, () if zero else inputs)]
        here += made
        if all(isinstance(part, Constant) and part.is_zero for part in parts):
            zeros.update(made)
    return builder.finish(here[k] for k in diagram.outputs)


def _fuse(diagram: Diagram) -> Diagram:
    """Scans that carry one state over the same wires become one, until none are left to fuse."""
    groups: dict[Wires, list[int]] = {}
    for k, (generator, inputs, _) in enumerate(diagram.nodes):
        if isinstance(generator, Scan) and generator.additive:
            groups.setdefault(inputs, []).append(k)
    for members in groups.values():
        for a, first in enumerate(members):
            for second in members[a + 1 :]:
                one = diagram.nodes[first][0]
                fused = one.fuse(diagram.nodes[second][0]) if isinstance(one, Scan) else None
                if fused is not None:
                    return _fuse(_replace(diagram, first, second, fused))
    return diagram


def _replace(diagram: Diagram, first: int, second: int, fused: tuple[Scan, list[int], list[int]]) -> Diagram:
    scan, mine, theirs = fused
    builder = Builder(diagram.dom)
    here = list(range(len(diagram.dom)))
    for k, (generator, sources, _) in enumerate(diagram.nodes):
        inputs = tuple([here[j] for j in sources])
        if k in (first, second):
            made = builder.apply(scan, inputs)
            here += [made[j] for j in (mine if k == first else theirs)]
        else:
            here += builder.apply(generator, inputs)
    return builder.finish(here[k] for k in diagram.outputs)


def _restrict(diagram: Diagram) -> Diagram:
    """Every scan computes only the outputs that something reads."""
    wanted = set(diagram.outputs)
    plans: dict[int, tuple[Scan, list[int], list[int]]] = {}
    for k in range(len(diagram.nodes) - 1, -1, -1):
        generator, inputs, outputs = diagram.nodes[k]
        kept = list(range(len(inputs)))
        if isinstance(generator, Scan) and generator.additive:
            plans[k] = generator.restrict({j for j, wire in enumerate(outputs) if wire in wanted})
            kept = plans[k][1]
        elif generator.additive and not wanted.intersection(outputs):
            continue
        wanted.update(inputs[j] for j in kept)
    builder = Builder(diagram.dom)
    here: dict[int, int] = {k: k for k in range(len(diagram.dom))}
    for k, (generator, sources, outputs) in enumerate(diagram.nodes):
        if k in plans:
            scan, kept, made = plans[k]
            if made:
                wires = builder.apply(scan, tuple(here[sources[j]] for j in kept))
                here.update(zip((outputs[j] for j in made), wires, strict=True))
        elif all(wire in here for wire in sources):
            here.update(zip(outputs, builder.apply(generator, tuple(here[j] for j in sources)), strict=True))
    return builder.finish(here[k] for k in diagram.outputs)
