"""Convolution: one trilinear form, of which the map, its input's and its weight's cotangent are the three transposes.

    form(x, w, y) = sum over o, k, c, c' of x[o stride + k dilation - before, c] w[k, c, c'] y[o, c']

`Convolution` with a role is the map whose value is the coefficient of the wire of that role: of "output" it is the
convolution of x by w, of "input" and "weight" its two transposes. It is linear in each of its two inputs, and R
exchanges roles: the cotangent of a wire is the map of that wire's role, on the other wire and the cotangent of the
output. So the three are closed under R. With groups, channels c and c' meet only within one group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from catlearn.diagram import Diagram, Generator
from catlearn.errors import OperationError
from catlearn.generators.arithmetic import include
from catlearn.generators.windows import Frame, frames_of
from catlearn.semirings import Carrier
from catlearn.space import Object, Space
from catlearn.tracing import Wire, apply_generator, as_wire, trace

__all__ = ["Convolution", "convolve"]

ROLES = ("input", "weight", "output")


@dataclass(frozen=True)
class Convolution(Generator):
    """The map of that role of the form: on "input" and "weight" for the output, and so on, in this order.

    Input and output have shape (lead, lengths, channels), the weight (kernels, channels / groups, channels out).
    """

    role: str
    carrier: Carrier
    lead: tuple[int, ...]
    frames: tuple[Frame, ...]
    channels: int
    out: int
    groups: int = 1
    linear = ((0,), (1,))

    def __post_init__(self) -> None:
        self.carrier.require("multiply")
        self.carrier.require("add")

    @property
    def name(self) -> str:
        return "convolution" if self.role == "output" else f"convolution, to its {self.role}"

    def space(self, role: str) -> Space:
        """The space of the wire of a role."""
        if role == "weight":
            kernels = tuple(frame.kernel for frame in self.frames)
            return Space((*kernels, self.channels // self.groups, self.out), self.carrier)
        sides = tuple(frame.length if role == "input" else frame.count for frame in self.frames)
        return Space((*self.lead, *sides, self.channels if role == "input" else self.out), self.carrier)

    @property
    def given(self) -> tuple[str, ...]:
        """The roles of its inputs."""
        return tuple(role for role in ROLES if role != self.role)

    @property
    def dom(self) -> Object:
        return tuple(self.space(role) for role in self.given)

    @property
    def cod(self) -> Object:
        return (self.space(self.role),)

    def reverse(self) -> Diagram | None:
        changes = self.carrier.changes

        def rule(*wires: Wire) -> list[Wire]:
            known = dict(zip((*self.given, self.role), wires, strict=True))
            known = {role: w if role == self.role else include(w) for role, w in known.items()}
            forms = [replace(self, role=role, carrier=changes) for role in self.given]
            return [apply_generator(form, *(known[role] for role in form.given)) for form in forms]

        return trace((*self.dom, self.cod[0].changes), rule)

    def batched(self, size: int, flags: tuple[bool, ...]) -> Diagram | None:
        shared = tuple(role != "weight" for role in self.given)
        same = self.role != "weight" and flags == shared
        return replace(self, lead=(size, *self.lead)).diagram if same else None

    def evaluate(self, arrays: Any, *inputs: Any) -> Any:
        return arrays.convolution(self, *arrays.alike(inputs))


def convolve(
    x: Wire,
    weight: Wire,
    *,
    stride: int | Sequence[int] = 1,
    padding: Any = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Wire:
    """The convolution of (lengths, channels) by a weight of shape (kernels, channels / groups, channels out).

    `padding` and the numbers are those of `catlearn.generators.windows.frames_of`. Raises `OperationError` for shapes
    that do not fit, over carriers that differ.
    """
    x, weight = as_wire(x, "convolve"), as_wire(weight, "convolve")
    axes = len(x.shape) - 1
    fits = axes >= 1 and groups >= 1 and len(weight.shape) == axes + 2 and weight.shape[-2] * groups == x.shape[-1]
    if not fits or weight.shape[-1] % groups or x.space.carrier != weight.space.carrier:
        raise OperationError(
            f"convolve needs x of shape (lengths, channels) and a weight of shape (kernels, channels / {groups}, out), "
            f"{groups} dividing the channels out, over one carrier; got {x.space} and {weight.space}"
        )
    frames = frames_of(x.shape[:-1], weight.shape[:axes], stride, padding, dilation)
    form = Convolution("output", x.space.carrier, (), frames, x.shape[-1], weight.shape[-1], groups)
    result: Wire = apply_generator(form, x, weight)
    return result
