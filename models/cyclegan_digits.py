"""Thin digits made thick and thick ones thin, by a CycleGAN from two sets in which no digit has its partner.

catlearn train models/cyclegan_digits.py

A schema of two objects, two edges and two equations is a CycleGAN: `thicken ; thin = Thin` and `thin ; thicken = Thick`
become distances, and a critic at each object judges what the edge into it makes. Half of the rows of Digits are shown
thin, the other half thick, so the two sets share no digit. The true thickening is known here, and is used to measure:
how near the translation of held-out digits comes to it. At the end the file prints that, the mass of the strokes, the
verdict of a classifier, and how far a round trip leads away, and writes cyclegan_digits.png.
"""

import numpy as np

import catlearn as cl
from catlearn import images, layers, optimisers, schedules
from catlearn.systems.schema import Schema
from catlearn.systems.schema_training import schema_learner, unpaired

CHANNELS, CRITIC_CHANNELS = 8, 12
RATE, CRITIC_RATE, LAST, MOMENTUM = 2e-3, 1e-3, 0.25, 0.5
CYCLE = 0.1
EPOCHS, BATCH = 120, 32
SHOWN = 12
PICTURE = "cyclegan_digits.png"

SIDE = 16
SHAPE = (SIDE, SIDE, 1)


def enlarged(pictures):
    """Twice as large, linear between the middles of the old pixels."""
    places = (np.arange(SIDE) + 0.5) / 2 - 0.5
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(8)))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("ij,njkc,lk->nilc", weights, pictures, weights)


def extreme(pictures, most):
    """The largest (or the smallest) of each pixel and its four neighbours: grey dilation and erosion."""
    edge = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    middle, around = slice(1, -1), (slice(2, None), slice(None, -2))
    parts = [pictures, *(edge[:, a, middle] for a in around), *(edge[:, middle, a] for a in around)]
    return most(parts, axis=0)


def thickened(pictures):
    """The true map from thin digits to thick ones, which training does not see."""
    return extreme(extreme(pictures, np.max), np.max)


digits = images.digits()
lean, thin_test = (extreme(enlarged(x), np.min) for x in (digits.train_inputs, digits.test_inputs))
half = len(lean) // 2
thin_digits, thick_digits, thick_test = lean[:half], thickened(lean[half:]), thickened(thin_test)


def translator():
    """x -> x + h(x): three convolutions."""
    space = cl.Space(SHAPE, cl.REAL)
    small = layers.chain(
        space,
        lambda shape: layers.conv(shape, CHANNELS, activation="relu"),
        lambda shape: layers.conv(shape, CHANNELS, activation="relu"),
        lambda shape: layers.conv(shape, 1),
    )
    return layers.residual(small)


def critic():
    """Judges patches, and takes the mean."""
    return layers.chain(
        cl.Space(SHAPE, cl.REAL),
        lambda shape: layers.conv(shape, CRITIC_CHANNELS, 4, "leaky_relu", stride=2),
        lambda shape: layers.conv(shape, 2 * CRITIC_CHANNELS, 4, "leaky_relu", stride=2),
        lambda shape: layers.conv(shape, 1),
        layers.global_average_pool,
        lambda shape: layers.reshape(shape, ()),
    )


schema = Schema(
    {"thicken": ("Thin", "Thick"), "thin": ("Thick", "Thin")},
    equations=["thicken ; thin = Thin", "thin ; thicken = Thick"],
)
picture = cl.Space(SHAPE, cl.REAL)
architecture = schema.interpret({"Thin": picture, "Thick": picture}, {"thicken": translator(), "thin": translator()})
steps = EPOCHS * (half // BATCH)
learner = schema_learner(
    architecture,
    optimisers.adam(schedules.cosine(RATE, steps, LAST * RATE), b1=MOMENTUM),
    critics={"Thin": critic(), "Thick": critic()},
    critic_optimiser=optimisers.adam(schedules.cosine(CRITIC_RATE, steps, LAST * CRITIC_RATE), b1=MOMENTUM),
    objective="least-squares",
    weights=dict.fromkeys(schema.equations, CYCLE),
)
data = unpaired(thin_digits, thick_digits, batch_size=BATCH)
epochs, batch_size, seed = EPOCHS, BATCH, 0


def apart(made, wanted):
    """The mean distance of two pixels."""
    return np.abs(made - wanted).mean()


def finish(result):
    """Print how good the translations of held-out digits are; draw them."""
    from sklearn.neighbors import KNeighborsClassifier

    both = np.concatenate([thin_digits, thick_digits]).reshape(-1, SIDE * SIDE)
    reader = KNeighborsClassifier(5).fit(both, np.repeat(["thin", "thick"], (len(thin_digits), len(thick_digits))))
    untrained = learner.model.tree(learner.model.initial(result.seed))
    rows = []
    for edge, back, given, wanted, kind in (
        ("thicken", "thin", thin_test, thick_test, "thick"),
        ("thin", "thicken", thick_test, thin_test, "thin"),
    ):
        made = architecture.run(result, edge, given)
        returned = architecture.run(result, f"{edge} ; {back}", given)
        before = architecture.run(untrained, f"{edge} ; {back}", given)
        share = np.mean(reader.predict(made.reshape(-1, SIDE * SIDE)) == kind)
        print(
            f"{edge}: a pixel is {made.mean():.3f} in the mean, before {given.mean():.3f}, in truth {wanted.mean():.3f}"
        )
        print(f"{edge}: the nearest neighbours of {share:.1%} of what it makes are {kind}")
        near, far = apart(made, wanted), apart(given, wanted)
        other = apart(made, np.roll(wanted, 1, axis=0))
        print(f"{edge}: distance to the truth {near:.3f}, before {far:.3f}, to that of another digit {other:.3f}")
        print(
            f"{edge} ; {back}: distance to the start {apart(returned, given):.3f}, untrained {apart(before, given):.3f}"
        )
        rows.append((("before", given), (edge, made), ("truth", wanted), (f"{edge} ; {back}", returned)))
    draw(rows)
    print(f"wrote {PICTURE}")


def draw(parts):
    """Held-out digits before and after, the truth, and the round trip, for both edges."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SHOWN * 0.75 + 1.3, 6.4), layout="constrained")
    for block, rows in zip(figure.subfigures(2, 1), parts, strict=True):
        axes = block.subplots(len(rows), SHOWN)
        for line, (name, pictures) in zip(axes, rows, strict=True):
            for axis, image in zip(line, pictures, strict=False):
                axis.imshow(image[:, :, 0], cmap="gray_r", vmin=0, vmax=1)
                axis.set(xticks=[], yticks=[], frame_on=False)
            line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.savefig(PICTURE, dpi=110)
