"""How convolutions are computed: by their definition over any carrier, and fast over the reals under JAX.

By definition the windows of the input are a matrix, and the three maps are three products with it. XLA's convolution is
the fastest forward; its two transposes are slow on a CPU, where they are better as products of matrices over some
samples at a time, so few that the windows stay in the cache. On other devices XLA's own are used.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catlearn.generators.convolution import Convolution

__all__ = ["by_definition", "by_xla"]

CACHE_BYTES = 2**21


def by_definition(form: Convolution, arrays: Any, a: Any, b: Any) -> Any:
    """The map of a form's role in the operations of its carrier."""
    from catlearn.generators.windows import Overlap, Windows

    xp, carrier, groups = arrays.namespace, arrays.carrier(form.carrier), form.groups
    n, lead, inner, outer = len(form.frames), form.lead, form.channels // form.groups, form.out // form.groups
    counts = tuple(frame.count for frame in form.frames)
    kernels = tuple(frame.kernel for frame in form.frames)
    # Axes: samples and places p, kernel k, groups g, channels in c, channels out d.
    labels = {"seen": (0, 1, 2, 3), "weight": (1, 3, 2, 4), "output": (0, 2, 4)}
    places = prod(lead) * prod(counts)
    shapes = {
        "seen": (places, prod(kernels), groups, inner),
        "weight": (prod(kernels), inner, groups, outer),
        "output": (places, groups, outer),
    }
    known = dict(zip(form.given, (a, b), strict=True))
    if "input" in known:
        known["seen"] = Windows(form.space("input"), form.frames).evaluate(arrays, known.pop("input"))
    wanted = "seen" if form.role == "input" else form.role
    factors = [xp.reshape(value, shapes[role]) for role, value in known.items()]
    made = carrier.contract(xp, factors, [labels[role] for role in known], labels[wanted])
    if wanted != "seen":
        return xp.reshape(made, form.cod[0].shape)
    space = form.space("input").with_shape((*lead, *counts, *kernels, form.channels))
    return Overlap(space, form.frames).evaluate(arrays, xp.reshape(made, space.shape)) if n else made


def by_xla(form: Convolution, arrays: Any, a: Any, b: Any) -> Any:
    """The map of a form's role over the reals under JAX."""
    import jax
    import jax.numpy as jnp

    if not all(space.size for space in (*form.dom, *form.cod)):
        return by_definition(form, arrays, a, b)
    samples = prod(form.lead)
    flat = {role: (samples, *form.space(role).shape[len(form.lead) :]) for role in ("input", "output")}

    def laid(role: str, value: Any) -> Any:
        return value if role == "weight" else jnp.reshape(value, flat[role])

    known = {role: laid(role, value) for role, value in zip(form.given, (a, b), strict=True)}
    if form.role == "output":
        return jnp.reshape(_forward(form, known["input"], known["weight"]), form.cod[0].shape)
    if form.groups == 1 and jax.default_backend() == "cpu":
        made = _in_parts(form, known)
    else:
        wanted = jax.ShapeDtypeStruct(flat.get(form.role, form.cod[0].shape), a.dtype)
        other = known["weight" if form.role == "input" else "input"]

        def forward(value: Any) -> Any:
            return _forward(form, *((value, other) if form.role == "input" else (other, value)))

        (made,) = jax.linear_transpose(forward, wanted)(known["output"])
    return jnp.reshape(made, form.cod[0].shape)


def _forward(form: Convolution, x: Any, w: Any) -> Any:
    import jax

    axes = "HWDT"[: len(form.frames)]
    return jax.lax.conv_general_dilated(
        x,
        w,
        [frame.stride for frame in form.frames],
        [(frame.before, frame.after) for frame in form.frames],
        rhs_dilation=[frame.dilation for frame in form.frames],
        dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C"),
        feature_group_count=form.groups,
    )


def _in_parts(form: Convolution, known: dict[str, Any]) -> Any:
    """The transposes as products of matrices, some samples at a time."""
    import jax
    import jax.numpy as jnp

    d = known["output"]
    samples, offsets = len(d), list(product(*(range(frame.kernel) for frame in form.frames)))
    rows = len(offsets) * form.channels
    size = _part(samples, prod(frame.count for frame in form.frames) * rows * d.dtype.itemsize)

    def cut(array: Any) -> Any:
        return array.reshape(samples // size, size, *array.shape[1:])

    if form.role == "input":
        weight = known["weight"].reshape(rows, form.out)
        shape = form.space("input").shape[len(form.lead) :]

        def back(part: Any) -> Any:
            made = (part.reshape(-1, form.out) @ weight.T).reshape(*part.shape[:-1], len(offsets), form.channels)
            ends = [[f.put(k) for f, k in zip(form.frames, at, strict=True)] for at in offsets]
            zero = jnp.zeros((), d.dtype)
            pieces = [jax.lax.pad(made[..., m, :], zero, [(0, 0, 0), *end, (0, 0, 0)]) for m, end in enumerate(ends)]
            return sum(pieces[1:], pieces[0])

        return back(d) if size == samples else jax.lax.map(back, cut(d)).reshape(-1, *shape)

    ends = [(frame.before, frame.after) for frame in form.frames]

    def total(x: Any, part: Any) -> Any:
        x = jnp.pad(x, [(0, 0), *ends, (0, 0)])
        taken = [(slice(None), *(f.taken(k) for f, k in zip(form.frames, at, strict=True))) for at in offsets]
        windows = jnp.concatenate([x[where] for where in taken], axis=-1).reshape(-1, rows)
        return jnp.matmul(part.reshape(-1, form.out).T, windows, preferred_element_type=wide)

    wide = jnp.promote_types(d.dtype, jnp.float32)  # parts are added up
    if size == samples:
        return total(known["input"], d).T.astype(d.dtype)
    start = jnp.zeros((form.out, rows), wide)

    def add(so_far: Any, pair: Any) -> Any:
        return so_far + total(*pair), None

    return jax.lax.scan(add, start, (cut(known["input"]), cut(d)))[0].T.astype(d.dtype)


def _part(samples: int, each: int) -> int:
    """The largest number that divides the samples and whose windows stay in the cache."""
    return max(n for n in range(1, samples + 1) if samples % n == 0 and (n == 1 or n * each <= CACHE_BYTES))
