"""Rows of a table at places that come on a wire, and their transpose, which adds rows where they came from.

    lookup(t, i)[k, ..] = t[i[k], ..]                         R(t, i, d) = (collect(i, d), 0)
    collect(i, r)[n, ..] = sum of r[k, ..] over i[k] = n      R(i, r, d) = (0, lookup(d, i))

Places are labels of `Discrete(n)`, a discrete space, so nothing goes back to them (C.discrete).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.semirings import Carrier, Discrete
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Collect", "Lookup", "lookup"]


@dataclass(frozen=True)
class _Rows(Generator):
    """What goes between a table of shape (n, row) and rows of shape (places, row)."""

    carrier: Carrier
    places: Space
    row: tuple[int, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.places.carrier, Discrete) or self.places.carrier.size is None:
            raise OperationError(f"places in a table are labels of a Discrete(n); got {self.places}")

    @property
    def table(self) -> Space:
        """The space of the table."""
        return Space((getattr(self.places.carrier, "size", 0), *self.row), self.carrier)

    @property
    def rows(self) -> Space:
        """The space of the rows at the places."""
        return Space((*self.places.shape, *self.row), self.carrier)


class Lookup(_Rows):
    """`(table, places) -> rows`."""

    linear = ((0,),)

    @property
    def dom(self) -> Object:
        return (self.table, self.places)

    @property
    def cod(self) -> Object:
        return (self.rows,)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        back = Collect(self.carrier.changes, self.places, self.row)
        return trace(
            (*self.dom, self.rows.changes),
            lambda t, i, d: (apply_generator(back, i, d), zeros(self.places.changes)),
        )

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        shared = flags == (False, True)
        return Lookup(self.carrier, self.places.batch(size), self.row).diagram if shared else None

    def evaluate(self, arrays: Any, table: Any, places: Any) -> Any:
        return table[arrays.positions(places)]


class Collect(_Rows):
    """`(places, rows) -> table`, rows of one place added."""

    linear = ((1,),)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.carrier.require("add")

    @property
    def dom(self) -> Object:
        return (self.places, self.rows)

    @property
    def cod(self) -> Object:
        return (self.table,)

    def reverse(self) -> Diagram | None:
        from catlearn.functions import zeros

        back = Lookup(self.carrier.changes, self.places, self.row)
        return trace(
            (*self.dom, self.table.changes),
            lambda i, r, d: (zeros(self.places.changes), apply_generator(back, d, i)),
        )

    def evaluate(self, arrays: Any, places: Any, rows: Any) -> Any:
        count = self.places.size
        flat = arrays.namespace.reshape(rows, (count, *self.row))
        where = arrays.namespace.reshape(places, (count,))
        return arrays.scatter(self.carrier, flat, arrays.positions(where), self.table.shape[0])


def lookup(table: Wire, places: Wire) -> Wire:
    """The rows of a table (first axis) at the places on a wire of labels.

    Raises `OperationError` where the labels are not those of the table's rows.
    """
    table, places = as_wire(table, "lookup"), as_wire(places, "lookup")
    size = getattr(places.space.carrier, "size", None)
    if not table.shape or size != table.shape[0]:
        raise OperationError(
            f"lookup takes a table of n rows and places in Discrete(n); got {table.space} and {places.space}"
        )
    return apply_generator(Lookup(table.space.carrier, places.space, table.shape[1:]), table, places)
