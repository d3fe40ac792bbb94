"""Deep dreaming: what handwritten digits look like to networks that have learnt to tell them apart.

Run `python examples/deep_dream.py` (`--networks 1 --steps 60` is shorter, `--folder FOLDER` for the picture). It trains
small networks on scikit-learn's digits, dreams a picture of each digit, prints how a network not dreamt with reads it,
and writes deep_dream.png.

Training and dreaming are one `Learner`, wired otherwise. `supervised` puts the optimiser on the wire of parameters, and
pictures come as data; `dreaming` puts it on the wire of the input, and parameters come as data: a row of data is a
network, and the test row one that is held out. `fit` is the same. A penalty draws the dreamt input to zero.

A dream of pixels (the first row) is read rightly and looks odd: nothing says what paper and strokes are. So the second
dream is of coordinates: a fixed diagram before the network makes a picture of them, the mean of all digits plus their
principal axes, each as long as the digits spread along it. No label goes into it, only what pictures there are; what
is seen to arise is what the networks know.
"""

import argparse
from pathlib import Path

import numpy as np

import catlearn as cl
from catlearn import functions, images, layers, losses, optimisers

parser = argparse.ArgumentParser(description="Dreams of digits.")
parser.add_argument("--networks", type=int, default=3, help="how many networks to dream with")
parser.add_argument("--steps", type=int, default=240, help="steps of each dream")
parser.add_argument("--folder", type=Path, default=Path("."))
settings = parser.parse_args()

SHAPE, AXES, NOISE = (8, 8, 1), 24, 0.3
PICTURE = cl.Space(SHAPE, cl.REAL)
DIGITS = np.arange(10, dtype=np.int32)

data = images.digits()
pixels = data.train_inputs.reshape(-1, 64)
mean = pixels.mean(axis=0)
_, lengths, directions = np.linalg.svd(pixels - mean, full_matrices=False)
axes = directions[:AXES] * lengths[:AXES, None] / np.sqrt(len(pixels))

network = layers.flatten(SHAPE) >> layers.dense(64, 64, "softplus") >> layers.dense(64, 10)
key = cl.Parameter("key", cl.Space((), cl.KEYS), role="auxiliary")
noisy = cl.parametrised("noisy", {"key": key}, PICTURE, lambda key, x: x + NOISE * functions.normal(key, SHAPE))


def trained(seed):
    """The parameters of a network that learnt from noisy digits, so that it reads strokes and not single pixels."""
    learner = cl.supervised(noisy >> network, losses.label_cross_entropy, optimisers.adam(3e-3))
    result = cl.fit(learner, data, epochs=15, batch_size=32, seed=seed)
    print(f"network {seed}: {result.test_accuracy:.1f} % of the test digits, with noise, are read rightly")
    return network.leaves(result.parameters)


@cl.diagram(cl.Space(AXES, cl.REAL))
def painted(coordinates):
    there = functions.constant(cl.Space((AXES, 64), cl.REAL), axes)
    return functions.reshape(
        functions.einsum("k,ki->i", coordinates, there) + functions.constant(cl.Space(64, cl.REAL), mean), SHAPE
    )


def dreamt(painter, networks):
    """Ten dreams at once, one of each digit: the result, and the pictures at the start and at three stages."""
    model = (painter >> network).batch(10)
    learner = cl.dreaming(model, losses.label_cross_entropy + losses.l2(0.005), optimisers.adam(0.05))
    *known, held_out = networks
    rows = tuple(np.stack(wire) for wire in zip(*known, strict=True))
    test = tuple(np.stack([wire]) for wire in held_out)
    labels = np.tile(DIGITS, (len(known), 1))
    seen = [learner.initial()[-1]]
    result = cl.fit(
        learner,
        cl.Data(rows, labels, test, labels[:1]),
        epochs=max(settings.steps // len(known), 1),
        batch_size=1,
        callbacks=[lambda event: seen.append(event.result.state[-1])],
    )
    return result, [cl.batch(painter, 10)(seen[k]) for k in (0, len(seen) // 10, len(seen) // 3, -1)]


def draw(rows, path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    for axis, (title, row) in zip(figure.subplots(len(rows), 10), rows.items(), strict=True):
        for digit, place in enumerate(axis):
            place.imshow(row[digit, :, :, 0], cmap="gray_r", vmin=0, vmax=1)
            place.set(xticks=[], yticks=[])
        axis[0].set_ylabel(title, rotation=0, ha="right", va="center")
    figure.savefig(path, dpi=100)


def readings(result):
    """For each dream the digit that the network held out reads, and how sure it is."""
    scores = np.exp(result.predict(result.data.test_inputs)[0])
    return [f"{row.argmax()} ({100 * row.max() / row.sum():.1f} %)" for row in scores]


networks = [trained(seed) for seed in range(settings.networks + 1)]
by_pixels, plain = dreamt(cl.identity(PICTURE), networks)
by_axes, pictures = dreamt(painted, networks)
means = np.stack([data.train_inputs[data.train_targets == digit].mean(axis=0) for digit in DIGITS])
print(f"the network held out reads\n{'dream of':<10}{'by pixels':>14}{'by axes':>14}")
for digit, both in enumerate(zip(readings(by_pixels), readings(by_axes), strict=True)):
    print(f"{digit:<10}{both[0]:>14}{both[1]:>14}")
titles = ["the start", "after a tenth", "after a third", "the dream"]
rows = {"dream of pixels": plain[-1], **dict(zip(titles, pictures, strict=True)), "mean of the digits": means}
draw(rows, settings.folder / "deep_dream.png")
print("wrote deep_dream.png")
