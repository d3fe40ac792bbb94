"""Modes of differentiation: one derivative, read off in five ways; and the Taylor polynomials of a function.

Run `python examples/modes.py` (`--folder FOLDER` says where the picture goes). A network's loss is differentiated in
each mode. Printed are, for its gradient and for the product of its Hessian by a change, how many products of numbers
each mode's diagram computes, how long one evaluation takes when compiled (the median of twenty), and how far the result
is from that of the first mode. Then the network's output along a line through its weights is expanded around a point
up to order seven; modes.png has the polynomials, and their errors, which fall as the power of the distance that each
order promises.
"""

import argparse
import time
from pathlib import Path

import jax
import numpy as np

import catlearn as cl
from catlearn import functions, functors
from catlearn.laws.modes import multiplications
from catlearn.systems import modes
from catlearn.systems.taylor import expansion

parser = argparse.ArgumentParser(description="One derivative in several modes, and Taylor polynomials.")
parser.add_argument("--folder", type=Path, default=Path("."))
settings = parser.parse_args()

IN, HIDDEN, ROWS, ORDER = 6, 12, 16, 7
run = functors.Jax("float64")
random = np.random.default_rng(0)
inputs, targets = random.normal(size=(ROWS, IN)), random.normal(size=ROWS)


def real(*shape):
    return cl.Space(shape, cl.REAL)


@cl.diagram(real(HIDDEN, IN), real(HIDDEN))
def loss(w, v):
    hidden = functions.tanh(functions.einsum("ri,hi->rh", functions.constant(real(ROWS, IN), inputs), w))
    error = functions.einsum("rh,h->r", hidden, v) - functions.constant(real(ROWS), targets)
    return functions.mean(error * error)


point = random.normal(size=(HIDDEN, IN)) / IN, random.normal(size=HIDDEN) / HIDDEN
along = random.normal(size=(HIDDEN, IN)), random.normal(size=HIDDEN)


def measured(diagram, *arguments):
    """The results as one vector, and the median seconds of an evaluation."""
    compiled = run.compile(run(diagram))
    values = jax.block_until_ready(compiled(*arguments))
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        seconds.append(time.perf_counter() - start)
    return np.concatenate([np.ravel(v) for v in values]), float(np.median(seconds))


def table(title, rows):
    print(f"{title:<36}{'products':>12}{'microseconds':>14}{'difference':>12}")
    first = None
    for name, diagram, arguments in rows:
        result, seconds = measured(diagram, *arguments)
        first = result if first is None else first
        difference = np.abs(result - first).max()
        assert difference < 1e-12, name
        print(f"  {name:<34}{multiplications(diagram):>12,}{1e6 * seconds:>14.0f}{difference:>12.1e}")
    return first


one = cl.trace((), lambda: functions.constant(real(), 1.0))
back = cl.identity(loss.dom) @ one
gradient = table(
    f"gradient, {IN * HIDDEN + HIDDEN} numbers",
    [
        ("reverse", modes.gradient(loss), point),
        (
            "continuations of functions back",
            back >> modes.differentiated(loss, modes.Continuations(modes.REVERSE, loss.cod)).select([1, 2]),
            point,
        ),
        (
            "continuations of matrices",
            modes.differentiated(loss, modes.Continuations(modes.MATRICES, loss.cod)).select([1, 2]),
            point,
        ),
        ("forward, a sweep a number", modes.jacobian(loss, "forward"), point),
        ("matrices from the input on", modes.jacobian(loss, "matrices"), point),
    ],
)
curved = table(
    "Hessian times a change",
    [(mode, modes.hessian_vector(loss, mode), (*point, *along)) for mode in modes.SECOND],
)

# the loss along the line: its expansion agrees with both derivatives, and draws its polynomials
series = [float(c) for c in run(expansion(loss, ORDER))(*point, *along)]
direction = np.concatenate([np.ravel(v) for v in along])
print(f"coefficient 1 of the expansion {series[1]:+.10f}, gradient times change         {gradient @ direction:+.10f}")
print(
    f"coefficient 2 of the expansion {series[2]:+.10f}, half of change, Hessian, change {curved @ direction / 2:+.10f}"
)
assert np.isclose(series[1], gradient @ direction, rtol=1e-12)
assert np.isclose(series[2], curved @ direction / 2, rtol=1e-12)

at = cl.trace(
    (real(),),
    lambda t: loss(
        *(
            functions.constant(real(*p.shape), p) + t * functions.constant(real(*p.shape), v)
            for p, v in zip(point, along, strict=True)
        )
    ),
)
steps = np.linspace(-1.2, 1.2, 241)
line = np.asarray(run(cl.batch(at, len(steps)))(steps))


def polynomial(order, distances):
    return np.polynomial.polynomial.polyval(distances, series[: order + 1])


print("order  error at t = 0.01  at t = 0.02  ratio   2 to the order + 1")
small = np.array([0.01, 0.02])
exact = np.asarray(run(cl.batch(at, 2))(small))
for order in range(1, ORDER + 1):
    near, far = np.abs(polynomial(order, small) - exact)
    print(f"{order:>5}{near:>20.2e}{far:>12.2e}{far / near:>8.1f}{2 ** (order + 1):>12}")


def draw(path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    curves, errors = figure.subplots(1, 2)
    curves.plot(steps, line, "k", linewidth=3, label="loss")
    for order in range(1, ORDER + 1):
        colour = f"C{order}"
        values = polynomial(order, steps)
        curves.plot(steps, values, color=colour, label=f"order {order}")
        distances = np.geomspace(0.02, 1.2, 60)
        there = np.asarray(run(cl.batch(at, 60))(distances))
        errors.loglog(distances, np.abs(polynomial(order, distances) - there), color=colour)
    low, high = line.min(), line.max()
    margin = 0.4 * (high - low)
    curves.set(xlabel="t", ylabel="loss at x + t v", ylim=(low - margin, high + margin))
    errors.set(xlabel="t", ylabel="|polynomial - loss|", ylim=(1e-15, 10))
    errors.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    figure.savefig(path, dpi=100)


draw(settings.folder / "modes.png")
print("wrote modes.png")
