"""Wrong passes of kernels: what the laws of smoothing must see."""

from __future__ import annotations

from typing import Any

from catlearn.systems import chains, finite_kernels, gaussian_kernels, kernels
from mutants import categories as c
from mutants.patching import Mutant, edit

__all__ = ["SYSTEMS_SMOOTHING"]


def _s(name: str, owner: Any, attribute: str, change: Any) -> Mutant:
    return Mutant(name, "smoothing", ((owner, attribute, change),), (c.reals,))


SYSTEMS_SMOOTHING: tuple[Mutant, ...] = (
    _s("kernel: the model filters in place of its guide", finite_kernels, "_first", edit(
        "guide[0] if guide else K", "K")),
    _s("kernel: the scale is lost", finite_kernels, "_first", edit("c + log(size)", "c")),
    _s("kernel: a law is not divided by g", finite_kernels, "_law", edit("law / positive(g)", "law")),
    _s("kernel: the evidence ahead is forgotten", finite_kernels, "_law", edit("h * einsum", "einsum")),
    _s("kernel: weights of the model in place of its guide", finite_kernels, "_draw", edit(
        "- log(einsum(\"i,i->\", point, g))", "- log(einsum(\"i,ij,j->\", point, K, h))")),
    _s("copy: messages added", finite_kernels.Finite, "meet", edit("h * other", "h + other")),
    _s("copy: the scale of one side", finite_kernels.Finite, "meet", edit("c + scale", "c")),
    _s("normal kernel: no determinant", gaussian_kernels, "_pulled", edit(
        "- 0.5 * log_determinant(_plus_one(H @ Q))", "")),
    _s("normal kernel: the offset's sign", gaussian_kernels, "_pulled", edit("(f - h @ b)", "(f + h @ b)")),
    _s("normal kernel: the guide's weight turned", gaussian_kernels, "_over", edit("x - y", "y - x")),
    _s("normal kernel: a law's mass is kept", gaussian_kernels, "_weighed", edit("w + mass", "w")),
    _s("kernels side by side: exchanged", kernels.Kernel, "__matmul__", edit(
        "self.laws @ other.laws", "other.laws @ self.laws if cod == 2 * self.cod else self.laws @ other.laws")),
    _s("chain: messages from the first step on", chains, "_scanned", edit(", backward=True", "")),
    _s("chain: laws from the last step on", chains, "_scanned", edit(
        "length, len(fixed), laws)", "length, len(fixed), laws, backward=True)")),
)  # fmt: skip
"""Mutants of kernels, their copies and their chains."""
