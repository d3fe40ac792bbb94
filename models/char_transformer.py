"""The characters of a text, each from those before it, by a causal transformer.

catlearn train models/char_transformer.py                       catlearn's own source
catlearn train models/char_transformer.py --set TEXT=FILE       any other text
catlearn train models/char_transformer.py --data-dir FOLDER     all *.txt of a folder

The vocabulary is the same for every text, since the learner is made before one is read: printable ASCII, the end of a
line, and one symbol for all else. The last tenth of the text is held out. At the end the model writes some text, and
char_transformer.png: how it learnt, how much context helps, and what surprises it.
"""

from pathlib import Path

import numpy as np

import catlearn as cl
from catlearn import layers, losses, optimisers, schedules
from catlearn.errors import DataError
from catlearn.semirings import Discrete

TEXT, PICTURE = "", "char_transformer.png"
LENGTH, WIDTH, HEADS, BLOCKS, BATCH = 64, 64, 4, 2, 32
EPOCHS, STEPS, RATE, TEST_WINDOWS, WRITTEN, TEMPERATURE = 25, 60, 4e-3, 800, 400, 0.6

ALPHABET = "".join(map(chr, range(32, 127))) + "\n\N{REPLACEMENT CHARACTER}"
SYMBOLS, CODES = len(ALPHABET), {symbol: code for code, symbol in enumerate(ALPHABET)}


def read(data_dir):
    """The text, as numbers of symbols."""
    folder, pattern = (Path(cl.__file__).parent, "**/*.py") if data_dir is None else (data_dir, "*.txt")
    files = [Path(TEXT)] if TEXT else sorted(folder.glob(pattern))
    if not files or not files[0].is_file():
        missing = f"there is no file {files[0]}" if files else f"{data_dir} has no file *.txt"
        raise DataError(f"{missing}: put a text there, or name another by --set TEXT=FILE")
    text = "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    return np.array([CODES.get(symbol, CODES[ALPHABET[-1]]) for symbol in text], np.int32)


def load(data_dir):
    """Windows from random places to train; to test, the first of the last tenth, one after the other."""
    codes = read(data_dir)
    cut = min(len(codes) * 9 // 10, len(codes) - LENGTH - 1)
    if cut <= LENGTH:
        raise DataError(f"the text needs {2 * LENGTH + 2} characters and has {len(codes)}: give more, or --set LENGTH")
    windows = np.lib.stride_tricks.sliding_window_view(codes[:cut], LENGTH + 1)

    def batches(epoch):
        for chosen in np.random.default_rng(epoch).integers(len(windows), size=(STEPS, BATCH)):
            yield windows[chosen, :-1], windows[chosen, 1:]

    tests = np.lib.stride_tricks.sliding_window_view(codes[cut:], LENGTH + 1)[::LENGTH][:TEST_WINDOWS]
    return cl.Stream(batches, STEPS, tests[:, :-1], tests[:, 1:])


model = layers.chain(
    cl.Space(LENGTH, Discrete(SYMBOLS)),
    layers.embedding(SYMBOLS, WIDTH, LENGTH),
    layers.positions(LENGTH, WIDTH),
    layers.repeat(layers.transformer_block(LENGTH, WIDTH, HEADS, causal=True), BLOCKS),
    layers.layer_normalisation,
    layers.each(layers.dense(WIDTH, SYMBOLS), LENGTH),
)
rate = schedules.warm_up(STEPS, schedules.cosine(RATE, EPOCHS * STEPS))
learner = cl.supervised(model, losses.label_cross_entropy, optimisers.adam(rate))
epochs = EPOCHS


def without_context(result, x, y):
    """The bits that y takes by the shares of symbols, and by those after each symbol x, in what the model saw."""
    pairs = np.zeros((SYMBOLS, SYMBOLS))
    for epoch in range(max(result.history.epochs, 1)):
        for batch in result.data.batches(epoch):
            np.add.at(pairs, batch, 1)
    singles = (pairs.sum(axis=0) + 1) / (pairs.sum() + SYMBOLS)
    pairs = (pairs + singles) / (pairs.sum(axis=1, keepdims=True) + 1)
    return {"single characters": -np.log2(singles[y]).mean(), "pairs": -np.log2(pairs[x, y]).mean()}


def written(result, codes):
    """Some text after those codes, a symbol at a time from what the model predicts after the last window."""
    codes, chance = list(codes), np.random.default_rng(result.seed)
    for _ in range(WRITTEN):
        scores = result.predict(np.array([codes[-LENGTH:]]))[0, -1]
        codes.append((scores / TEMPERATURE + chance.gumbel(size=scores.shape)).argmax())
    return "".join(ALPHABET[code] for code in codes[LENGTH:])


def bits(scores, codes):
    """How many bits each code takes by the scores before it."""
    return (np.logaddexp.reduce(scores, axis=-1) - np.take_along_axis(scores, codes[..., None], -1)[..., 0]) / np.log(2)


def draw(result, windows, floors, shown, label, path, kept=None):
    """How it learnt, how much context helps (`kept`: without a window), and the bits `shown` of the first rows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7.5), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[3, 2])
    left, right = above.subplots(1, 2)
    left.plot(range(1, result.history.epochs + 1), np.array(result.history.loss) / np.log(2), label="training")
    left.plot(result.history.epochs, windows.mean(), "o", label="held out")
    right.plot(range(1, windows.shape[1] + 1), windows.mean(axis=0), color="C1", label="held out, windows")
    if kept is not None:
        right.axhline(kept, color="C2", label="held out, state kept")
    for axis, name in ((left, f"epoch of {STEPS} steps"), (right, "characters of context")):
        for style, (floor, value) in zip(("--", ":"), floors.items(), strict=True):
            axis.axhline(value, color="grey", linestyle=style, label=f"from {floor}")
        axis.set(xlabel=name, ylabel="bits per character")
        axis.legend()
    axis = below.subplots()
    picture = axis.imshow(shown[:8], cmap="YlOrRd", vmin=0, vmax=12, aspect="auto")
    for (row, column), code in np.ndenumerate(result.data.test_targets[:8]):
        symbol = ALPHABET[code].replace("\n", "\N{RETURN SYMBOL}")
        axis.text(column, row, symbol, ha="center", va="center", size=8, family="monospace", parse_math=False)
    axis.axis("off")
    below.colorbar(picture, ax=axis, label=label)
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")


def finish(result):
    """Print bits and a text; draw."""
    x, y = result.data.test_inputs, result.data.test_targets
    surprise, floors = bits(result.predict(x), y), without_context(result, x, y)
    for name, value in {**floors, "transformer": surprise.mean()}.items():
        print(f"bits per held-out character, {name}: {value:.2f}")
    print(f"after {''.join(ALPHABET[code] for code in x[0])!r} it writes:\n{written(result, x[0])}\n")
    draw(result, surprise, floors, surprise, "bits of each character, held out", PICTURE)
