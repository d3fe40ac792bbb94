"""Polynomial circuits from functions, and simplification that keeps their reverse derivative (CIRC.fc, CIRC.eqs).

`from_function` builds a circuit of any function on a finite semiring: over the integers modulo n as a polynomial, where
there is one (for Z2 the algebraic normal form, modulo a prime the one with exponents below it); over the Booleans as
the least monotone sum of products; over anything finite, and for every function, with the generator `compare`.

`simplified` rewrites a circuit by the equations of a commutative semiring alone: they are what morphisms are equal by,
so R stays what it was. It never looks at truth tables: over Z2, x x is the function x, and its R is 2 x d = 0
(CIRC.polynotfun).

>>> from catlearn.functors.symbolic import polynomials
>>> from catlearn.semirings import Z2, Modular
>>> polynomials(from_function(lambda x, y, z: x if z else y, Z2, 3))
(x0*x2 + x1*x2 + x1,)
>>> polynomials(from_function([4, 2, 2, 4, 3], Modular(5), 1))
(2*x0 + x0**2 + 4,)

Source: Wilson and Zanasi, Categories of differentiable polynomial circuits (2203.06430), theorem 5.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from catlearn import functions
from catlearn.builder import Builder, Wires
from catlearn.diagram import Diagram, Generator
from catlearn.errors import InputError, OperationError
from catlearn.generators.arithmetic import Add, Constant, Multiply, Negate, Subtract
from catlearn.rigs import Saturating
from catlearn.semirings import BITS, TRIVIAL, Carrier, Modular, Semiring
from catlearn.space import Space
from catlearn.tracing import Wire, apply_generator, trace

__all__ = ["from_function", "simplified"]

ENTRIES = 2**16
"""The largest table that a circuit is made from."""

VALUES = 1024
"""The largest semiring that a circuit of a function is made over."""


def from_function(function: Any, semiring: Carrier, arity: int, *, reverse: str | None = None) -> Diagram:
    """The circuit of a function of `arity` values of a finite semiring, each wire a scalar.

    `function` takes `arity` values and gives one, or a tuple of several, one an output wire; or it is a table, an array
    of shape (n, ..., n) for the n values in increasing order, with a last axis for several outputs.

    Without `reverse` the circuit is a polynomial. Over the integers modulo a prime every function is one. Modulo a
    composite n few functions are, each by several polynomials, which differ in R; the least in falling factorials is
    taken. Over the Booleans, and `Saturating(2)`, it is the monotone functions. With `reverse` "zero" or "copy" the
    generator `compare` is used, with that choice of R, and every function has a circuit: the sum of the values times
    the indicators of the points, nested, without the inputs that do not matter.

    Raises `InputError` for a table of another shape, and values outside the semiring; `OperationError` for a semiring
    that is infinite or too large, and a function that no polynomial is, or is known to be.
    """
    cells = _tabulated(function, _values(semiring), semiring, arity)
    space = Space((), semiring)
    if reverse is not None:
        terms = _Terms(space)
        return trace((space,) * arity, lambda *x: [terms.wire(terms.chosen(cell, x, reverse)) for cell in cells])
    coefficients = [_coefficients(cell, semiring) for cell in cells]
    terms = _Terms(space)
    return trace((space,) * arity, lambda *x: [terms.wire(terms.nested(cell, x)) for cell in coefficients])


def _values(semiring: Carrier) -> list[int]:
    """The values of a finite semiring, in increasing order."""
    if not isinstance(semiring, Semiring) or semiring == TRIVIAL:
        raise OperationError(f"a circuit of a function needs a semiring with 0 and 1 apart; got {semiring}")
    there = np.arange(2**15 + 2)
    if semiring.kind != "real":
        there = there[np.broadcast_to(semiring.contains(there), there.shape)]
    if len(there) > VALUES:
        raise OperationError(
            f"a circuit of a function is made from its table, so the semiring must be finite, of at most {VALUES} "
            f"values; got {semiring}: trace the function instead (catlearn.diagram)"
        )
    return there.tolist()


def _tabulated(function: Any, values: list[int], semiring: Carrier, arity: int) -> list[np.ndarray]:
    """One table of shape (n, ..., n) for each output."""
    if isinstance(arity, bool) or not isinstance(arity, int) or arity < 0 or len(values) ** arity > ENTRIES:
        raise InputError(
            f"the arity is a number from 0, with at most {ENTRIES} points; got {arity!r} and {len(values)} values"
        )
    shape = (len(values),) * arity
    if callable(function):
        results = [function(*point) for point in product(values, repeat=arity)]
        several = isinstance(results[0], (tuple, list))
        rows = [tuple(result) if isinstance(result, (tuple, list)) else (result,) for result in results]
        if len({(len(row), isinstance(result, (tuple, list))) for row, result in zip(rows, results, strict=True)}) > 1:
            raise InputError("a function of a circuit must give one value everywhere, or tuples of one length")
        table = np.array(rows).reshape(*shape, len(rows[0]) if several else 1)
    else:
        table = np.asarray(function)
        table = table[..., None] if table.ndim == arity else table
        if table.shape[:-1] != shape or table.ndim != arity + 1:
            raise InputError(
                f"a table of {arity} inputs over {semiring} has shape {shape}, and one more axis for several outputs; "
                f"got shape {np.shape(function)}"
            )
    if table.size and (table.dtype.kind not in "iub" or not np.isin(table, values).all()):
        bad = next(v for v in table.flat if v not in values or np.asarray(v).dtype.kind not in "iub")
        shown = bad.item() if isinstance(bad, np.generic) else bad
        raise InputError(f"a value of the function is {shown!r}, which is not in {semiring}: give its values alone")
    return [table[..., k].astype(np.int64) for k in range(table.shape[-1])]


def _coefficients(cell: np.ndarray, semiring: Carrier) -> np.ndarray:
    """The coefficients of a polynomial that is the function with that table, by exponents."""
    if isinstance(semiring, Modular) or semiring.name == "Z2":
        found = _interpolated(cell, semiring.modulus if isinstance(semiring, Modular) else 2)
        if found is None:
            raise OperationError(
                f"no polynomial over {semiring} is this function, and few functions are one where the modulus is "
                "composite (CIRC.fc.composite): give reverse='zero' or 'copy' to build it with the generator compare"
            )
        return found
    falls = any(bool((np.diff(cell, axis=axis) < 0).any()) for axis in range(cell.ndim))
    binary = semiring.name == "BOOLEAN" or (isinstance(semiring, Saturating) and semiring.size == 2)
    if falls and (binary or isinstance(semiring, Saturating)):
        raise OperationError(
            f"polynomials over {semiring} are monotone (CIRC.fc.monotone) and this function falls somewhere: give "
            "reverse='zero' or 'copy' to build it with the generator compare"
        )
    if not binary and cell.ndim:
        raise OperationError(
            f"polynomials are sought over the integers modulo n and the Booleans alone; got {semiring}: give "
            "reverse='zero' or 'copy' to build the function with the generator compare"
        )
    return _least_points(cell)


def _least_points(cell: np.ndarray) -> np.ndarray:
    """1 at the least points where a monotone function is 1: the products that it is the sum of."""
    least = cell.copy()
    for axis in range(cell.ndim):
        below = np.roll(cell, 1, axis)
        np.moveaxis(below, axis, 0)[0] = 0
        least = np.where(below == 1, 0, least)
    return least


def _interpolated(cell: np.ndarray, n: int) -> np.ndarray | None:
    """The coefficients modulo n by Newton's formula, or None where no polynomial takes those values.

    A function is the sum over k of its k-th differences at 0 times the binomials (x over k), and a polynomial modulo n
    where these are multiples modulo n of the falling factorials: where gcd(n, k!) divides the difference. Source:
    Singmaster, On polynomial functions (mod m) (1974).
    """
    difference = np.eye(n, dtype=np.int64)
    factorials, scale = np.ones(n, np.int64), np.ones((), np.int64)
    for k in range(1, n):
        difference[k] = (np.roll(difference[k - 1], 1) - difference[k - 1]) % n
        factorials[k] = factorials[k - 1] * k % n
    differences = _along_every_axis(difference, cell, n)
    for _ in range(cell.ndim):
        scale = np.multiply.outer(scale, factorials) % n
    falling = np.zeros_like(differences)
    for m in np.unique(scale):
        here, divisor = scale == m, int(np.gcd(m, n))
        if (differences[here] % divisor).any():
            return None
        rest = n // divisor
        falling[here] = differences[here] // divisor * (pow(int(m) // divisor, -1, rest) if rest > 1 else 0) % rest
    return _along_every_axis(_stirling(n), falling, n)


def _along_every_axis(matrix: np.ndarray, array: np.ndarray, n: int) -> np.ndarray:
    for axis in range(array.ndim):
        array = np.moveaxis(np.tensordot(matrix, array, (1, axis)) % n, 0, axis)
    return array


def _stirling(n: int) -> np.ndarray:
    """Entry [j, k] is the coefficient of x**j in x (x - 1) ... (x - k + 1), modulo n."""
    result = np.zeros((n, n), np.int64)
    result[0, 0] = 1
    for k in range(1, n):
        result[1:, k] = result[:-1, k - 1]
        result[:, k] = (result[:, k] - (k - 1) * result[:, k - 1]) % n
    return result


class _Terms:
    """Sums and products of wires and known values over one semiring; equal parts are built once."""

    def __init__(self, space: Space) -> None:
        self.space, self.semiring = space, space.carrier
        self.known: dict[tuple[Any, ...], Any] = {}

    def wire(self, value: Any) -> Wire:
        return value if isinstance(value, Wire) else apply_generator(Constant(self.space, int(value)))

    def plus(self, x: Any, y: Any) -> Any:
        if not isinstance(x, Wire) and not isinstance(y, Wire):
            return int(self.semiring.add(np, x, y))
        for known, other in ((x, y), (y, x)):
            if not isinstance(known, Wire) and known == self.semiring.zero:
                return other
        return self.wire(x) + self.wire(y)

    def times(self, x: Any, y: Any) -> Any:
        if not isinstance(x, Wire) and not isinstance(y, Wire):
            return int(self.semiring.multiply(np, x, y))
        for known, other in ((x, y), (y, x)):
            if not isinstance(known, Wire) and known in (self.semiring.zero, self.semiring.one):
                return known if known == self.semiring.zero else other
        return self.wire(x) * self.wire(y)

    def _once(self, cell: np.ndarray, make: Callable[[], Any]) -> Any:
        key = (cell.shape, cell.tobytes())
        if key not in self.known:
            self.known[key] = make() if cell.ndim else int(cell)
        return self.known[key]

    def nested(self, coefficients: np.ndarray, x: Sequence[Wire]) -> Any:
        """The polynomial by Horner's rule in the first variable, its coefficients being such polynomials again."""

        def make() -> Any:
            parts = {k: self.nested(part, x[1:]) for k, part in enumerate(coefficients) if part.any()}
            total, above = self.semiring.zero, max(parts, default=0)
            for k in sorted(parts, reverse=True):
                total = parts[k] if k == above else self.plus(parts[k], self.times(x[0] ** (above - k), total))
                above = k
            return self.times(x[0] ** above, total) if above else total

        return self._once(coefficients, make)

    def chosen(self, cell: np.ndarray, x: Sequence[Wire], reverse: str) -> Any:
        """The sum over the values v of the first input of [x = v] times the rest there."""

        def make() -> Any:
            if (cell == cell[:1]).all():
                return self.chosen(cell[0], x[1:], reverse)
            total: Any = self.semiring.zero
            for value, part in zip(_values(self.semiring), cell, strict=True):
                here = functions.compare(x[0], self.wire(value), reverse)
                total = self.plus(total, self.times(here, self.chosen(part, x[1:], reverse)))
            return total

        return self._once(cell, make)


def simplified(diagram: Diagram) -> Diagram:
    """The diagram with fewer nodes as a rule, equal by the equations of a commutative semiring, and so with equal R.

    Sums and products of what is read once are flattened, sorted, and freed of zeros and ones; constants are folded;
    equal terms are counted (over Z2, x + x is 0 x = 0). Products are not multiplied out, other generators are left
    alone, and over the reals sums may round otherwise.

    >>> from catlearn.semirings import Z2
    >>> from catlearn.tracing import diagram
    >>> @diagram(Space((), Z2), Space((), Z2))
    ... def f(x, y): return (x * y + 1) + y * x + x * x
    >>> [generator.name for generator, _, _ in simplified(f).nodes]
    ['multiply', '1', 'add']
    """
    for _ in range(len(diagram.nodes) + 1):
        after = _Simplifier(diagram).run()
        if after == diagram:
            break
        diagram = after
    return diagram


Form = dict[Wires, Any]
"""A sum of products: the coefficient of each sorted tuple of wires; the empty one is that of the constant."""


class _Simplifier:
    """One pass: the form of each wire, written out as nodes where another generator, or more than one, reads it."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram, self.builder = diagram, Builder(diagram.dom)
        self.forms: list[tuple[Form, Space]] = [self._atom(k) for k in range(len(diagram.dom))]
        self.made: dict[int, int] = {}
        self.readers = Counter(w for _, inputs, _ in diagram.nodes for w in inputs) + Counter(diagram.outputs)

    def _atom(self, wire: int) -> tuple[Form, Space]:
        space = self.builder.spaces[wire]
        return {(wire,): space.carrier.one}, space

    def run(self) -> Diagram:
        for generator, inputs, outputs in self.diagram.nodes:
            form = self._form(generator, inputs)
            if form is None:
                made = self.builder.apply(generator, tuple([self._wire(k) for k in inputs]))
                self.forms += [self._atom(wire) for wire in made]
            else:
                self.forms.append((form, generator.cod[0]))
                self._keep(outputs[0])
        return self.builder.finish([self._wire(k) for k in self.diagram.outputs])

    def _keep(self, k: int) -> None:
        """What is read more than once is written once, unless it is next to nothing."""
        form, _ = self.forms[k]
        small = len(form) < 2 and all(len(factors) < 2 for factors in form)
        if self.readers[k] > 1 and not small:
            self.forms[k] = self._atom(self._wire(k))

    def _form(self, generator: Generator, inputs: Wires) -> Form | None:
        """The form of the output, for a generator of circuits over a semiring or bits."""
        kind, carrier = type(generator), generator.cod[0].carrier if generator.cod else TRIVIAL
        if carrier == TRIVIAL or not (isinstance(carrier, Semiring) or carrier == BITS):
            return None
        if isinstance(generator, Constant):
            return None if isinstance(generator.value, tuple) else {} if generator.is_zero else {(): generator.value}
        forms = [self.forms[k][0] for k in inputs]
        if kind is Multiply:
            form = self._product(carrier, inputs)
        elif kind is Add:
            form = self._sum(carrier, sorted(forms, key=len, reverse=True))
        elif kind in (Subtract, Negate):
            minus = carrier.negate(np, carrier.one)
            negative = {factors: carrier.multiply(np, minus, value) for factors, value in forms[-1].items()}
            form = self._sum(carrier, [*forms[:-1], negative])
        else:
            return None
        return form if all(map(_storable, form.values())) else None

    def _sum(self, carrier: Carrier, parts: list[Form]) -> Form:
        # A form of several terms is read once (see `_keep`), so the first may grow in place, and a chain is linear.
        total = parts[0] if len(parts[0]) > 1 else dict(parts[0])
        for factors, value in (item for form in parts[1:] for item in form.items()):
            value = carrier.add(np, total[factors], value) if factors in total else value
            total[factors] = value
            if value == carrier.zero:
                del total[factors]
        return total

    def _product(self, carrier: Carrier, inputs: Wires) -> Form:
        """The product of two terms; a sum of several is written out first, and not multiplied out."""
        factors: list[int] = []
        value = carrier.one
        for k in inputs:
            form = self.forms[k][0]
            if not form:
                return {}
            wires, coefficient = next(iter(form.items())) if len(form) == 1 else ((self._wire(k),), carrier.one)
            factors += wires
            value = carrier.multiply(np, value, coefficient)
        return {} if value == carrier.zero else {tuple(sorted(factors)): value}

    def _wire(self, k: int) -> int:
        if k not in self.made:
            self.made[k] = self._written(*self.forms[k])
        return self.made[k]

    def _written(self, form: Form, space: Space) -> int:
        """The nodes of a form: products, those with the coefficient -1 subtracted, the constant last."""
        carrier, terms = space.carrier, dict(form)
        constant = terms.pop((), None)
        minus = carrier.negate(np, carrier.one) if carrier.has("negate") else carrier.one
        added: list[int] = []
        taken: list[int] = []
        for factors, value in sorted(terms.items()):
            wire = factors[0]
            for factor in factors[1:]:
                wire = self._apply(Multiply(space), wire, factor)
            if value not in (carrier.one, minus):
                wire = self._apply(Multiply(space), wire, self._constant(space, value))
            (taken if value == minus != carrier.one else added).append(wire)
        added.sort()
        added += [] if constant is None and (added or taken) else [self._constant(space, constant)]
        total = added[0] if added else self._apply(Negate(space), min(taken))
        for wire in added[1:]:
            total = self._apply(Add(space), total, wire)
        for wire in sorted(taken)[0 if added else 1 :]:
            total = self._apply(Subtract(space), total, wire)
        return total

    def _constant(self, space: Space, value: Any) -> int:
        number = space.carrier.zero if value is None else np.asarray(value).item()
        return self._apply(Constant(space, float(number) if isinstance(number, Fraction) else number))

    def _apply(self, generator: Generator, *wires: int) -> int:
        return self.builder.apply(generator, wires)[0]


def _storable(value: Any) -> bool:
    """Whether a coefficient is a number that a constant holds exactly: of fractions those that are floats."""
    return not isinstance(value, Fraction) or (abs(value) < 2**1000 and value == float(value))
