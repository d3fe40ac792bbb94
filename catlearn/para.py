"""Para: parametrised morphisms over any symmetric monoidal category, here diagrams, lenses and optics.

A morphism A -> B of Para(C) is an object P of parameters and a morphism `P x A -> B` of C, parameter first (C.para). In
a composite the parameter of the later map comes first. One definition serves `Para(diagrams)`, where models and losses
live, and `Para(lenses)`, where learners do; `f.lens()` is the functor from the first to the second (PARA.R).

    (P, f) ; (Q, g) = (Q x P, (1_Q x f) ; g)                                                    (PARA.comp)
    (P, f) x (U, h) = (P x U, (1 x swap x 1) ; (f x h))                                         (PARA.tensor)
    f reparametrised by alpha : P' -> P  is  (P', (alpha x 1_A) ; f)                            (PARA.reparam)

>>> from catlearn.semirings import INTEGERS
>>> from catlearn.space import Space
>>> number = Space((), INTEGERS)
>>> scale = parametrised("scale", {"factor": number}, number, lambda factor, x: factor * x)
>>> (scale >> scale).names
('scale_1.factor', 'scale_0.factor')
>>> int((scale >> scale).morphism(2, 3, 7))
42

Source: Cruttwell et al. (2103.01931), definitions 2.1 and 2.3, remark 2.1, equation 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from catlearn.diagram import Diagram, wiring
from catlearn.errors import CompositionError, DataError, UnknownNameError, nearest
from catlearn.generators.batching import batch
from catlearn.lens import Lens, Sides
from catlearn.optic import Optic
from catlearn.parameters import Parameter, Signature
from catlearn.space import Object, Space, as_object, first_difference
from catlearn.substitution import evaluation
from catlearn.tracing import trace

if TYPE_CHECKING:
    from catlearn.summary import Summary

__all__ = ["Para", "parametrised"]

Morphism = TypeVar("Morphism", Diagram, Lens, Optic)


class Para(Generic[Morphism]):
    """The parametrised morphism `parameter x dom -> cod`; `signature` names the parameter wires where they have names.

    Raises `CompositionError` where the morphism's domain is not `parameter + dom`. A chain of `>>` is kept as the list
    of its parts until it is read, and is then composed in a balanced tree: the same by associativity (PARA.assoc), and
    nearly linear however it was nested.
    """

    def __init__(self, parameter: Any, dom: Any, morphism: Morphism, signature: Signature | None = None) -> None:
        whole = parameter + dom
        if whole != morphism.dom:
            raise CompositionError(f"a parametrised morphism needs the domain {whole}; its morphism has {morphism.dom}")
        self._whole: tuple[Any, Morphism, Signature] | None = (parameter, morphism, signature or Signature())
        self._pair: tuple[Para[Morphism], Para[Morphism]] | None = None
        self.dom: Any = dom
        self.cod: Any = morphism.cod

    @classmethod
    def _chain(cls, first: Para[Morphism], second: Para[Morphism]) -> Para[Morphism]:
        if first.cod != second.dom:
            left, right = (side.forward if isinstance(side, Sides) else side for side in (first.cod, second.dom))
            raise first_difference(left, right, "cannot compose, the left codomain and the right domain")
        result = cls.__new__(cls)
        result._whole, result._pair = None, (first, second)
        result.dom, result.cod = first.dom, second.cod
        return result

    def _resolve(self) -> tuple[Any, Morphism, Signature]:
        if self._whole is None:
            parts: list[Para[Morphism]] = []
            agenda = [self]
            while agenda:
                part = agenda.pop()
                if part._whole is None and part._pair is not None:
                    agenda += part._pair[::-1]
                else:
                    parts.append(part)
            while len(parts) > 1:
                paired = [_compose(f, g) for f, g in zip(parts[::2], parts[1::2], strict=False)]
                parts = paired + parts[len(parts) // 2 * 2 :]
            self._whole, self._pair = parts[0]._resolve(), None
        return self._whole

    @property
    def parameter(self) -> Any:
        """The object of parameters."""
        return self._resolve()[0]

    @property
    def morphism(self) -> Morphism:
        """The morphism `parameter x dom -> cod`."""
        return self._resolve()[1]

    @property
    def signature(self) -> Signature:
        """What is known of the parameter wires."""
        return self._resolve()[2]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Para):
            return NotImplemented
        return bool(self.parameter == other.parameter and self.morphism == other.morphism)

    def __hash__(self) -> int:
        return hash((len(self.names), self.morphism))

    def __str__(self) -> str:
        return f"parametrised {self.morphism} with parameters {', '.join(self.names) or 'none'}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameter wires, in order (PARA.names)."""
        return self.signature.names

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What is known of each parameter wire, in order."""
        return self.signature.parameters

    @classmethod
    def of(cls, morphism: Morphism) -> Para[Morphism]:
        """A morphism with no parameter."""
        dom: Any = morphism.dom
        return cls(Sides((), ()) if isinstance(dom, Sides) else (), dom, morphism)

    @property
    def _category(self) -> Any:
        return type(self.morphism)

    def __rshift__(self, other: Para[Morphism] | Morphism) -> Para[Morphism]:
        if not isinstance(other, (Para, Diagram, Lens, Optic)):
            return NotImplemented
        return Para._chain(self, other if isinstance(other, Para) else Para.of(other))

    def __rrshift__(self, other: Morphism) -> Para[Morphism]:
        return Para.of(other) >> self

    def __matmul__(self, other: Para[Morphism] | Morphism) -> Para[Morphism]:
        if not isinstance(other, (Para, Diagram, Lens, Optic)):
            return NotImplemented
        second = other if isinstance(other, Para) else Para.of(other)
        one = self._category.identity
        middle = self._category.swap(second.parameter, self.dom)
        return Para(
            self.parameter + second.parameter,
            self.dom + second.dom,
            (one(self.parameter) @ middle @ one(second.dom)) >> (self.morphism @ second.morphism),
            self.signature.beside(second.signature),
        )

    def __rmatmul__(self, other: Morphism) -> Para[Morphism]:
        return Para.of(other) @ self

    def reparametrise(self, alpha: Morphism, signature: Signature | None = None) -> Para[Morphism]:
        """(P', (alpha x 1_A) ; f) for alpha : P' -> P (PARA.reparam); the new parameters are named by `signature`."""
        dom = alpha.dom
        if signature is None and not isinstance(dom, Sides):
            own = tuple(Parameter(f"p{k}", space) for k, space in enumerate(dom))
            signature = Signature.layer(own, "parameter", self.dom, self.cod)
        return Para(
            dom, self.dom, (alpha @ self._category.identity(self.dom)) >> self.morphism, signature or Signature()
        )

    @property
    def diagram(self) -> Diagram:
        """The morphism of a parametrised diagram; raises `CompositionError` for a parametrised lens."""
        morphism: Any = self.morphism
        if not isinstance(morphism, Diagram):
            raise CompositionError("this is about parametrised diagrams; got a parametrised lens")
        return morphism

    def lens(self) -> Para[Lens]:
        """Para of the functor R: the same with (f, R[f]) (PARA.R)."""
        return Para(Sides.of(self.parameter), Sides.of(self.dom), Lens.of(self.diagram), self.signature)

    def named(self, layer: str) -> Para[Morphism]:
        """All its parameters as those of one layer of that name."""
        return Para(self.parameter, self.dom, self.morphism, self.signature.merged(layer, self.dom, self.cod))

    def tie(self, *groups: Sequence[str]) -> Para[Morphism]:
        """Weight tying: the parameters of each group become one wire, copied; it keeps the first's name (PARA.tie).

        Raises `UnknownNameError` for a name that is not there, `CompositionError` where spaces differ.
        """
        source = list(range(len(self.parameter)))
        for group in groups:
            if isinstance(group, str) or not group:
                raise UnknownNameError(f"tie takes lists of names, none empty; got {group!r}")
            wires = sorted(self.index(name) for name in group)
            first = min(wires, key=lambda k: (self.signature.numbers[k], k))
            for wire in wires:
                if self.parameter[wire] != self.parameter[first]:
                    raise first_difference((self.parameter[first],), (self.parameter[wire],), f"cannot tie {group}")
                source[wire] = first
        kept = [k for k in range(len(source)) if source[k] == k]
        alpha: Any = wiring([self.parameter[k] for k in kept], [kept.index(source[k]) for k in range(len(source))])
        return self.reparametrise(alpha, self.signature.take(kept))

    def freeze(self, *names: str) -> Para[Morphism]:
        """The same, those parameters (all if none is named) staying as they start."""
        known = {k for k, p in enumerate(self.parameters) if p.role != "auxiliary"}
        chosen = {self.index(name) for name in names} & known if names else known
        return Para(self.parameter, self.dom, self.morphism, self.signature.with_role(chosen, "frozen"))

    def index(self, name: str) -> int:
        """The number of the parameter wire of that name."""
        names = self.names
        if name not in names:
            raise UnknownNameError(f"no parameter is called {name!r}: {nearest(name, names)}")
        return names.index(name)

    def batch(self, size: int) -> Para[Diagram]:
        """The model on `size` samples with one parameter for all (PARA.tie); auxiliary inputs are one a sample."""
        roles = [parameter.role for parameter in self.parameters] or ["parameter"] * len(self.parameter)
        flags: list[bool] = [role == "auxiliary" for role in roles]
        many = batch(self.diagram, size, [*flags, *(True for _ in self.dom)])
        return Para(many.dom[: len(flags)], many.dom[len(flags) :], many, self.signature)

    def evaluation(self) -> Para[Diagram]:
        """The model as it is used after training: dropout does nothing, normalisation uses its running statistics.

        Random keys that nothing reads any more are no parameters of it.
        """
        after = evaluation(self.diagram)
        read = {wire for _, inputs, _ in after.nodes for wire in inputs} | set(after.outputs)
        gone = [k for k, p in enumerate(self.parameters) if p.role == "auxiliary" and k not in read]
        kept = [k for k in range(len(self.parameter)) if k not in gone]
        parameter = tuple(self.diagram.dom[k] for k in kept)
        signature = self.signature.take(kept) if gone else self.signature
        return Para(parameter, self.dom, after.ignoring(gone), signature)

    def lowered(self) -> Para[Diagram]:
        """The same map, in the precision that the functor computes in; parameters and outputs as it stores them."""
        from catlearn.generators.precision import lower, upper

        whole = lower(self.parameter + self.dom) >> self.diagram >> upper(self.cod)
        return Para(self.parameter, self.dom, whole, self.signature)

    def summary(self) -> Summary:
        """A table of the layers, what they give out and their numbers of parameters; it prints as text."""
        from catlearn.summary import summarised

        return summarised(self.signature)

    def _repr_svg_(self) -> str:
        from catlearn.functors.picture import picture

        return picture(self)

    def expose(self) -> Para[Diagram]:
        """The model followed by a copy of its parameters: `P x A -> B x P`."""
        doubled = wiring(self.diagram.dom, [*range(len(self.diagram.dom)), *range(len(self.parameter))])
        both = doubled >> (self.diagram @ Diagram.identity(self.parameter))
        return Para(self.parameter, self.dom, both, self.signature)

    def initial(self, seed: int = 0) -> tuple[Any, ...]:
        """A starting value of every parameter wire, in order; the auxiliary ones are None."""
        return tuple(
            None if p.role == "auxiliary" else p.initial(np.random.default_rng([seed, number]))
            for number, p in enumerate(self.parameters)
        )

    def tree(self, values: Sequence[Any]) -> dict[str, Any]:
        """Parameter values as a dictionary of layers, each a dictionary of names."""
        result: dict[str, Any] = {}
        order = sorted(range(len(self.names)), key=lambda k: (self.signature.numbers[k], k))
        for k in order:
            if self.parameters[k].role != "auxiliary":
                layer, _, name = self.names[k].partition(".")
                result.setdefault(layer, {})[name] = values[k]
        return result

    def leaves(self, tree: Mapping[str, Mapping[str, Any]]) -> tuple[Any, ...]:
        """The values of a dictionary such as `tree` gives, in the order of the wires.

        Raises `DataError` naming what is missing, what there is too much of, and what has another shape.
        """
        if not all(isinstance(part, Mapping) for part in tree.values()):
            raise DataError(
                f"parameters come as a dictionary of layers, each a dictionary of names; got {sorted(tree)}"
            )
        given = {f"{layer}.{name}": value for layer, part in tree.items() for name, value in part.items()}
        wanted = [n for n, p in zip(self.names, self.parameters, strict=True) if p.role != "auxiliary"]
        missing, extra = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
        if missing or extra:
            raise DataError(
                f"the parameters do not fit the model: missing {missing or 'none'}, unknown {extra or 'none'}"
            )
        for name, parameter in zip(self.names, self.parameters, strict=True):
            if name in given and np.shape(given[name]) != parameter.space.shape:
                raise DataError(
                    f"the parameter {name} has shape {parameter.space.shape}; got shape {np.shape(given[name])}"
                )
        return tuple(given.get(name) for name in self.names)

    def to_jax(self, precision: str = "float32") -> tuple[Callable[..., Any], Callable[..., Any]]:
        """Plain `(init, apply)`: `init(seed)` gives a pytree of parameters, `apply(parameters, *inputs)` the outputs.

        Auxiliary inputs (random keys) follow the inputs.
        """
        from catlearn.functors.jax import Jax

        run = Jax(precision)(self.diagram)
        auxiliary = [k for k, p in enumerate(self.parameters) if p.role == "auxiliary"]
        count = len(self.dom)

        def init(seed: int = 0) -> dict[str, Any]:
            return self.tree(self.initial(seed))

        def apply(parameters: Mapping[str, Any], *inputs: Any) -> Any:
            values = list(self.leaves(parameters))
            for wire, value in zip(auxiliary, inputs[count:], strict=True):
                values[wire] = value
            return run(*values, *inputs[:count])

        return init, apply


def _compose(first: Para[Morphism], second: Para[Morphism]) -> Para[Morphism]:
    """(Q x P, (1_Q x f) ; g)."""
    one: Any = type(second.morphism).identity(second.parameter)
    return Para(
        second.parameter + first.parameter,
        first.dom,
        (one @ first.morphism) >> second.morphism,
        first.signature.then(second.signature),
    )


def parametrised(
    layer: str,
    parameters: Mapping[str, Space | Parameter],
    dom: Space | Iterable[Space],
    function: Callable[..., Any],
) -> Para[Diagram]:
    """The parametrised map of a Python function on wires: parameters first, in the mapping's order, then inputs.

    A parameter is given by its space (it then starts at zero) or as a `Parameter`.
    """
    records = tuple(
        value if isinstance(value, Parameter) else Parameter(name, value) for name, value in parameters.items()
    )
    spaces: Object = tuple(record.space for record in records)
    inputs = as_object(dom)
    morphism = trace(spaces + inputs, function)
    return Para(spaces, inputs, morphism, Signature.layer(records, layer, inputs, morphism.cod))
