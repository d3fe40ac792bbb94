"""Learners as morphisms: one that was trained for another task, composed with a fresh one, on Digits.

Run `python examples/learners_as_morphisms.py` (`--seeds 1 --epochs 5` is shorter, `--folder FOLDER` says where the
picture goes). It prints accuracies, how well the composite's own learner agrees, and writes learners_as_morphisms.png.

An encoder learns to read the ten digits, as the first part of a composite; then it is taken out as a morphism, with all
it knows, and composed with a fresh one that learns whether a digit is odd, from a few rows that were not seen before.
Nothing joins the two but what the second asks of the first (LRN.comp). Compared are the same composite started afresh,
and the trained encoder held still, which is another learner: it has the same request, and its update is the identity.

At the end the composite's update is set beside that of the learner that the functor makes of the composite model
(LRN.functor): they are equal to rounding, with the quadratic error as with the hyperbolic one, and not equal if the
hyperbolic learner asks as a quadratic one does (LRN.invertibility).
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

import catlearn as cl
from catlearn import functors, images, layers
from catlearn.diagram import identity, permute
from catlearn.systems import learn

parser = argparse.ArgumentParser(description="A trained learner composed with a fresh one.")
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--epochs", type=int, default=15)
parser.add_argument("--folder", type=Path, default=Path("."))
settings = parser.parse_args()

WIDTH, RATE, ROWS, SEEN = 32, 0.05, (10, 20, 40, 100, 400), 1_000


def encoder(error=learn.quadratic):
    return learn.gradient_learner(layers.flatten((8, 8, 1)) >> layers.dense(64, WIDTH, "tanh"), error, RATE)


def head(answers, error=learn.quadratic):
    return learn.gradient_learner(layers.dense(WIDTH, answers), error, RATE)


def held_still(f):
    """The same learner with the identity for its update."""
    P, rest = f.parameter, f.dom + f.cod
    return replace(f, update=identity(P) @ permute([rest], []))


def digits(chosen, answers):
    """Those training rows, to be read as digits, or, with two answers, as even or odd."""
    data = images.digits()
    labels = [cl.datasets.one_hot_labels(y % answers, answers) for y in (data.train_targets, data.test_targets)]
    return cl.Data(data.train_inputs[chosen], labels[0][chosen], data.test_inputs, labels[1])


def trained(f, data, seed):
    return cl.fit(f.to_learner(), data, epochs=settings.epochs, batch_size=1, seed=seed)


def accuracies(seed):
    """For each number of rows, the test accuracies of: fresh, trained before, trained before and held still."""
    first = trained(encoder() >> head(10), digits(slice(SEEN), 10), seed)
    known = encoder().starting_at(first.state[: len(encoder().parameter)])
    ways = (encoder() >> head(2), known >> head(2), held_still(known) >> head(2))
    print(f"seed {seed}: the encoder's composite reads {first.test_accuracy:.1f} % of the test digits", flush=True)
    return [[trained(f, digits(slice(SEEN, SEEN + n), 2), seed).test_accuracy for f in ways] for n in ROWS]


def disagreement(error, asking=None):
    """The largest difference of parameters between the composite and the composite's own learner after 100 rows."""
    first = encoder(error)
    second = head(10, error) if asking is None else replace(head(10, error), request=asking)
    apart, whole = first >> second, learn.gradient_learner(
        layers.flatten((8, 8, 1)) >> layers.dense(64, WIDTH, "tanh") >> layers.dense(WIDTH, 10), error, RATE
    )  # fmt: skip
    run, data, largest = functors.Jax("float64"), digits(slice(100), 10), 0.0
    pair = [tuple(whole.initial(0))] * 2
    for x, y in list(zip(data.train_inputs, data.train_targets, strict=True)):
        pair = [run(f.update)(*state, x, y) for f, state in zip((apart, whole), pair, strict=True)]
        largest = max([largest, *(float(np.abs(a - b).max()) for a, b in zip(*pair, strict=True))])
    return largest


def draw(table, path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axis = figure.subplots()
    labels = ("both fresh", "trained encoder, fresh head", "the same, the encoder held still")
    for column, (label, colour) in enumerate(zip(labels, ("tab:gray", "tab:blue", "tab:orange"), strict=True)):
        mean, low, high = (f(table[:, :, column], axis=0) for f in (np.mean, np.min, np.max))
        axis.fill_between(ROWS, low, high, color=colour, alpha=0.15)
        axis.plot(ROWS, mean, marker="o", color=colour, label=label)
    axis.set(xlabel="rows labelled as even or odd", ylabel="test accuracy, %", xscale="log")
    axis.set_xticks(ROWS, [str(rows) for rows in ROWS])
    axis.minorticks_off()
    axis.grid(alpha=0.3)
    axis.legend(loc="lower right")
    figure.savefig(path, dpi=110)


table = np.array([accuracies(seed) for seed in range(settings.seeds)])
print(f"\n{'rows':>4}{'fresh':>12}{'trained':>12}{'held still':>12}    test accuracy, %, mean of {settings.seeds}")
for rows, line in zip(ROWS, table.mean(axis=0), strict=True):
    print(f"{rows:>4}" + "".join(f"{value:>12.1f}" for value in line))
print(f"\nquadratic: composite and the functor's own learner differ by {disagreement(learn.quadratic):.1e}")
print(f"hyperbolic: they differ by {disagreement(learn.hyperbolic):.1e}")
wrong = disagreement(learn.hyperbolic, asking=head(10).request)
print(f"hyperbolic, asking as the quadratic learner does: they differ by {wrong:.1e}")
draw(table, settings.folder / "learners_as_morphisms.png")
print("wrote learners_as_morphisms.png")
