"""A zoo of backward passes on Digits: the same networks, other puts, in one table.

Run `python examples/backward_zoo.py` (`--epochs 2` is shorter, `--folder FOLDER` says where the picture goes). Each
figure is measured:

    add map † 7   the laws that the pass's node keeps: those of catlearn.laws, tried on the node itself at random points
    accuracy      on the test rows of Digits, after so many epochs of Adam with one and the same rate
    time          of the processor for a step, in the fastest epoch, over that of the exact pass of the same network
    kept          bytes a sample that go from the forward to the backward pass, as the diagram is written
    again         the fewest bytes from which operations entry by entry make the rest again

Four networks take part: smooth ones with tanh and gelu, one of signs, and one that draws 16 categorical variables of 4
classes. Where changes only pass flat nodes the exact pass learns the last layer alone. Few bits save memory where what
the activation reads is kept for it alone, as gelu's; with tanh, or where things are made again, there is nothing to
save. The picture backward_zoo.png shows the accuracies, with the ratios of time and what is kept.
"""

import argparse
import time
from pathlib import Path

import jax
import numpy as np

import catlearn as cl
from catlearn import functions, functors, images, laws, layers, losses, optimisers
from catlearn.reverse import forward_derivative, reverse_derivative
from catlearn.substitution import plain
from catlearn.systems.backward import with_backward
from catlearn.systems.few_bit import few_bit
from catlearn.systems.residuals import residual
from catlearn.systems.straight_through import sampled

parser = argparse.ArgumentParser(description="Backward passes on Digits, each measured.")
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--folder", type=Path, default=Path("."))
settings = parser.parse_args()

HIDDEN, BATCH, RATE = 32, 32, 5e-3
WIDE, NUMBER = cl.Space(HIDDEN, cl.REAL), cl.Space((), cl.REAL)
SIGN = cl.trace(NUMBER, functions.sign)
TANH = cl.trace(NUMBER, functions.tanh)


def layered(activation):
    """64 numbers, two hidden layers with what `activation` makes, 10 classes."""
    first, second = layers.dense(64, HIDDEN) >> activation(), layers.dense(HIDDEN, HIDDEN) >> activation()
    return first >> second >> layers.dense(HIDDEN, 10)


def drawing():
    """16 variables of 4 classes, drawn at random."""
    draws = layers.reshape(64, (16, 4)) >> sampled((16, 4)) >> layers.flatten((16, 4))
    return layers.dense(64, 64) >> draws >> layers.dense(64, 10)


NETWORKS = {
    "tanh": layered(lambda: layers.activation("tanh", WIDE)),
    "gelu": layered(lambda: layers.activation("gelu", WIDE)),
    "sign": layered(lambda: cl.trace(WIDE, functions.sign)),
    "draws": drawing(),
}
LINEAR = layers.linear(1, 1)


def point(spaces, generator, low=-1.7):
    """Values of spaces: random numbers, and one random key."""
    return [
        jax.random.key(0) if space.carrier == cl.semirings.KEYS else generator.uniform(low, 1.7, space.shape)
        for space in spaces
    ]


def compiled(f):
    run = functors.Jax("float64")
    return run.compile(run(f))


def agree(left, right, low=-1.7):
    """Whether two diagrams are equal at random points."""
    one, other = compiled(left), compiled(right)
    generator = np.random.default_rng(0)
    for _ in range(5):
        here = point(left.dom, generator, low)
        for x, y in zip(jax.tree.leaves(one(*here)), jax.tree.leaves(other(*here)), strict=True):
            if not np.allclose(x, y, rtol=1e-9, atol=1e-9):
                return False
    return True


def holds(identifier, f):
    """Whether a law of the catalogue holds of a diagram."""
    law, values = laws.by_identifier(identifier), {"f": f, "R": reverse_derivative, "D": forward_derivative}
    return all(agree(left, right) for left, right, *_ in law.sides(**{name: values[name] for name in law.names}))


def input_change(model, weights):
    """The change of the input of a chain with those weights, its other parameters as they start."""
    start = list(model.initial(1))
    for k, weight in enumerate(weights):
        start[model.index(f"linear_{k}.weight")] = np.full((1, 1), weight)
    return np.asarray(compiled(reverse_derivative(model.diagram))(*start, np.array([0.7]), np.array([1.3]))[-1])


def one_map(kind, put_on):
    """Whether one map, written in two ways, has one put."""
    if kind == "linear":  # 6 times as one layer, or as two
        short, long = put_on(LINEAR >> LINEAR), put_on(LINEAR >> LINEAR >> LINEAR)
        return np.allclose(input_change(short, (6.0, 5.0)), input_change(long, (2.0, 3.0, 5.0)))
    other = {
        "sign": cl.trace(NUMBER, lambda x: functions.sign(x + x)),
        "tanh": cl.trace(NUMBER, lambda x: 2.0 * functions.sigmoid(2.0 * x) - 1.0),
    }[kind]
    one = {"sign": SIGN, "tanh": TANH}[kind]
    return agree(*(reverse_derivative(put_on(cl.Para.of(f)).diagram) for f in (one, other)), 0.2)


def in_the_mean(f, count=2000):
    """Whether the mean over many keys is the exact change, to what so many draws tell."""
    generator, key = np.random.default_rng(0), [s.carrier == cl.semirings.KEYS for s in f.dom]
    back, exact = (compiled(reverse_derivative(g)) for g in (f, plain(f)))
    here = point((*f.dom, *f.cod), generator)
    keys = jax.random.split(jax.random.key(1), count)
    with jax.enable_x64(True):
        draws = jax.vmap(lambda k: back(*(k if one else x for x, one in zip(here, [*key, False], strict=True))))(keys)
    pairs = zip(draws, exact(*here), key, strict=True)
    for x, y, one in pairs:
        drawn = np.asarray(x, float)
        if not one and (abs(drawn.mean(0) - np.asarray(y)) > 5 * drawn.std(0) / count**0.5 + 1e-9).any():
            return False
    return True


def marks(node, kind, put_on):
    """The four columns, each tried."""
    keyed = any(space.carrier == cl.semirings.KEYS for space in node.dom)
    dagger = agree(reverse_derivative(node), reverse_derivative(plain(node)), 0.2)
    signs = ["✓" if holds("RD.2", node) else "✗"]
    signs.append("-" if kind is None else "✓" if one_map(kind, put_on) else "✗")
    signs.append("✓" if dagger else "mean" if keyed and in_the_mean(node) else "✗")
    return [*signs, "-" if keyed else "✓" if holds("RD.7", node) else "✗"]


def trained(model, data):
    """The accuracy on the test rows, and the processor seconds of a step in the fastest epoch."""
    stamps = []
    learner = cl.supervised(model, losses.label_cross_entropy, optimisers.adam(RATE))
    note = [lambda event: stamps.append(time.process_time())]
    result = cl.fit(learner, data, epochs=settings.epochs, batch_size=BATCH, seed=0, callbacks=note, progress=False)
    fastest = min(np.diff(stamps), default=float("nan"))
    return result.test_accuracy, fastest * settings.epochs / result.steps


def rule(name, **options):
    return lambda model: with_backward(model, name, **options)


chain = LINEAR >> LINEAR
alone = cl.parametrised("alone", {"w": cl.Space(2, cl.REAL)}, (), functions.tanh)
bits = cl.Para.of(few_bit("gelu", NUMBER, 2))
few = layered(lambda: few_bit("gelu", WIDE, 2))
ZOO = [  # name, network, how it is put on, the node for the laws, the kind of map for the second column
    ("exact", "tanh", rule("exact"), TANH, "tanh"),
    ("feedback alignment", "tanh", rule("feedback alignment"), LINEAR, "linear"),
    ("direct feedback alignment", "tanh", rule("direct feedback alignment"), chain, "linear"),
    ("product feedback alignment", "tanh", rule("product feedback alignment", expansion=2), LINEAR, "linear"),
    ("few-bit, 2 bits", "tanh", rule("few-bit"), TANH, "tanh"),
    ("forward gradient", "tanh", rule("forward gradient"), alone, None),
    ("clipping", "tanh", rule("clipping", bound=0.02), TANH, None),
    ("exact", "gelu", rule("exact"), TANH, "tanh"),
    ("few-bit, 2 bits", "gelu", lambda model: bits if model is TANH else few, TANH, None),
    ("exact", "sign", rule("exact"), SIGN, "sign"),
    ("straight-through", "sign", rule("straight-through"), SIGN, "sign"),
    ("clipped straight-through", "sign", rule("clipped straight-through"), SIGN, "sign"),
    ("surrogate pairs", "sign", rule("surrogate pairs"), SIGN, "sign"),
    ("exact", "draws", rule("exact"), sampled(2), None),
    ("straight-through", "draws", rule("straight-through"), sampled(2), None),
    ("ReinMax", "draws", rule("ReinMax"), sampled(2), None),
]


def digits():
    data = images.digits()
    train, test = (x.reshape(len(x), -1) for x in (data.train_inputs, data.test_inputs))
    return cl.Data(train, data.train_targets, test, data.test_targets)


def draw(rows, path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 6), layout="constrained")
    names = [f"{network}: {name}" for name, network, *_ in rows]
    colours = {"tanh": "tab:blue", "gelu": "tab:green", "sign": "tab:orange", "draws": "tab:purple"}
    titles = ("test accuracy, %", "time of a step : exact", "bytes a sample kept; dark: others made again")
    for axis, title, column in zip(figure.subplots(1, 3, sharey=True), titles, (3, 4, 5), strict=True):
        axis.barh(names, [row[column] for row in rows], color=[colours[row[1]] for row in rows], alpha=0.6)
        axis.set_title(title, fontsize=10)
        axis.grid(axis="x", alpha=0.3)
    axis.barh(names, [row[6] for row in rows], color=[colours[row[1]] for row in rows])
    axis.invert_yaxis()
    figure.savefig(path, dpi=100)


data, rows, base = digits(), [], {}
HEAD = ("network", "backward pass", "add", "map", "†", "7", "accuracy", "time", "kept", "again")
print("{:<8}{:<28}{:<5}{:<5}{:<6}{:<4}{:>9}{:>7}{:>7}{:>7}".format(*HEAD))
for name, network, put_on, node, kind in ZOO:
    model = put_on(NETWORKS[network])
    signs = marks(put_on(node).diagram, kind, put_on)
    accuracy, seconds = trained(model, data)
    base.setdefault(network, seconds)
    kept, again = (residual(model, BATCH, again=again).bytes_a_row for again in (False, True))
    rows.append((name, network, signs, accuracy, seconds / base[network], kept, again))
    a, m, d, s = signs
    print(
        f"{network:<8}{name:<28}{a:<5}{m:<5}{d:<6}{s:<4}{accuracy:>7.1f} %{rows[-1][4]:>7.2f}{kept:>7.0f}{again:>7.0f}",
        flush=True,
    )
draw(rows, settings.folder / "backward_zoo.png")
print("wrote backward_zoo.png")
