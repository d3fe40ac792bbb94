"""An optimiser zoo: how every optimiser of the library goes down one long valley.

Run `python examples/optimiser_zoo.py` (`--steps 20` is shorter, `--folder FOLDER` says where the picture goes). It
prints where each is after the last step, and writes optimiser_zoo.png: the ways over the valley, and the value by step.

The valley is a diagram with two parameters and no input; the loss is its own value, capped with -1. So all go by one
and the same learner, of which only the optimiser is another; its step, repeated by `scan`, is one diagram of the whole
way. Drawn is where the model is evaluated, the optimiser's get. Gradient descent leaps from side to side; momentum
swings, and Nesterov's less, since it looks ahead. AdaGrad, RMSProp and Adam divide by what they have seen, so they set
out along the diagonal; a large epsilon, here in rmsprop_inside, takes that away again. AdamW is drawn to zero as well
and stops beside the minimum. Two ways lie on others, dotted: the flat form of Nesterov's momentum, which only stores
another point, and optax's Adam.
"""

import argparse
from pathlib import Path

import numpy as np

import catlearn as cl
from catlearn import functions, functors, losses, optimisers, schedules
from catlearn.parameters import Filled

parser = argparse.ArgumentParser(description="Every optimiser in one long valley.")
parser.add_argument("--steps", type=int, default=100)
parser.add_argument("--folder", type=Path, default=Path("."))
settings = parser.parse_args()

NUMBER = cl.Space((), cl.REAL)
START, MINIMUM = (-4.0, -2.0), (1.0, 0.5)
COLOURS = ["blue", "cyan", "orange", "black", "green", "lightgreen", "red", "lightpink"]
COLOURS += ["purple", "magenta", "brown", "gold"]

valley = cl.parametrised(
    "valley",
    {name: cl.Parameter(name, NUMBER, Filled(value)) for name, value in zip("xy", START, strict=True)},
    (),
    lambda x, y: 0.05 * (x - 1.0) ** 2 + (y - 0.5) ** 2,
)

zoo = {
    "gd": optimisers.gd(0.9),
    "momentum": optimisers.momentum(0.05),
    "nesterov": optimisers.nesterov(0.05),
    "nesterov_flat": optimisers.nesterov_flat(0.05),
    "adagrad": optimisers.adagrad(1.0),
    "adagrad_inside": optimisers.adagrad_inside(0.5, start=1.0),
    "rmsprop": optimisers.rmsprop(0.2),
    "rmsprop_inside": optimisers.rmsprop_inside(0.2, epsilon=1.0),
    "adam": optimisers.adam(0.3),
    "adam, cosine": optimisers.adam(schedules.cosine(0.6, settings.steps)),
    "adamw": optimisers.adamw(0.3, weight_decay=0.3),
}
try:
    import optax

    from catlearn.interop.optax import from_optax

    zoo["optax.adam"] = from_optax(optax.adam(0.3))
except ImportError:
    print("without optax, its Adam is left out")


def way(optimiser):
    """The points where the model is evaluated, the starting point first: an array of rows (x, y)."""
    learner = cl.supervised(valley, losses.unlabelled, optimiser, cap=losses.constant_cap(-1))

    def advance(*state):
        fixed = [functions.constant(NUMBER, value) for value in learner.hyperparameters.values()]
        after = learner.step()(*state, *fixed)
        return [*after, *learner.parameters_at()(*state, *fixed)]

    whole = cl.scan(cl.trace(learner.state, advance), settings.steps + 1, states=len(learner.state))
    return np.stack(functors.Jax("float64")(whole)(*learner.initial())[-2:], axis=1)


def values(points):
    return np.asarray(functors.Jax("float64")(cl.batch(valley.morphism, len(points)))(*points.T))


def draw(ways, path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 6.5), layout="constrained")
    plane, curves = figure.subplots(1, 2, width_ratios=[3, 2])
    x, y = np.meshgrid(np.linspace(-5, 3, 181), np.linspace(-3, 3, 161))
    height = values(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
    plane.contour(x, y, height, levels=np.geomspace(0.02, 10, 10), colors="0.8", linewidths=0.8)
    for number, (name, points) in enumerate(ways.items()):
        style = {"color": COLOURS[number], "linewidth": 1.8}
        style |= {"linestyle": ":", "linewidth": 3.0} if name in ("nesterov_flat", "optax.adam") else {}
        plane.plot(*points.T, **style)
        curves.plot(values(points), label=name, **style)
    plane.plot(*START, "ko", label="start")
    plane.plot(*MINIMUM, "r*", markersize=14, label="minimum")
    plane.set(xlabel="x", ylabel="y", title="(x - 1)² / 20 + (y - 1/2)²")
    curves.set(xlabel="step", ylabel="value", yscale="log", ylim=(1e-7, 20))
    curves.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    figure.savefig(path, dpi=100)


ways = {name: way(optimiser) for name, optimiser in zoo.items()}
print(f"{'optimiser':<16}{'x':>11}{'y':>11}{'value':>12}{'distance':>11}    after {settings.steps} steps")
for name, points in ways.items():
    (x, y), value = points[-1], values(points)[-1]
    print(f"{name:<16}{x:>11.6f}{y:>11.6f}{value:>12.3e}{np.hypot(x - MINIMUM[0], y - MINIMUM[1]):>11.2e}")
draw(ways, settings.folder / "optimiser_zoo.png")
print("wrote optimiser_zoo.png")
