"""Summaries: a table of a model's layers, what they give out, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass

from catlearn.parameters import Signature
from catlearn.space import Object

__all__ = ["Row", "Summary", "summarised"]


@dataclass(frozen=True)
class Row:
    """A line of a summary: a layer, what it gives out, and its parameters by name with their shapes."""

    name: str
    cod: Object
    shapes: dict[str, tuple[int, ...]]
    sizes: dict[str, int]

    @property
    def size(self) -> int:
        """The number of entries of the layer's parameters."""
        return sum(self.sizes.values())


@dataclass(frozen=True)
class Summary:
    """The layers of a model in order of application, `learnt` of their entries being moved by the optimiser."""

    rows: tuple[Row, ...]
    learnt: int

    @property
    def size(self) -> int:
        """The number of entries of all parameters and statistics."""
        return sum(row.size for row in self.rows)

    def __repr__(self) -> str:
        def shown(shape: tuple[int, ...]) -> str:
            return " x ".join(map(str, shape)) or "scalar"

        head = [("layer", "gives", "parameters", "entries")]
        lines = [
            (
                row.name,
                ", ".join(shown(space.shape) for space in row.cod),
                _shortened([f"{name} {shown(shape)}" for name, shape in row.shapes.items()]),
                f"{row.size:,}",
            )
            for row in self.rows
        ]
        total = [("", "", f"in all, {self.learnt:,} of them learnt", f"{self.size:,}")]
        table = head + lines + total
        widths = [max(len(line[k]) for line in table) for k in range(4)]
        texts = ["  ".join(cell.ljust(w) for cell, w in zip(line[:3], widths, strict=False)) for line in table]
        whole = [f"{text}  {line[3].rjust(widths[3])}" for text, line in zip(texts, table, strict=True)]
        rule = "-" * max(map(len, whole))
        return "\n".join([whole[0], rule, *whole[1:-1], rule, whole[-1]])


def summarised(signature: Signature) -> Summary:
    """The summary of a signature; random keys have no entries, and a probe or an activation is no layer."""
    rows = []
    for number, (title, layer) in enumerate(zip(signature.titles, signature.layers, strict=True)):
        own = [p for k, p in zip(signature.numbers, signature.parameters, strict=True) if k == number]
        real = [p for p in own if p.role != "auxiliary"]
        shapes = {p.name: p.space.shape for p in real}
        rows.append(Row(title, layer.cod, shapes, {p.name: p.space.size for p in real}))
    learnt = sum(p.space.size for p in signature.parameters if p.role == "parameter")
    return Summary(tuple(rows), learnt)


def _shortened(parts: list[str], most: int = 3) -> str:
    return ", ".join(parts[:most]) + (f", and {len(parts) - most} more" if len(parts) > most else "")
