"""The characters of a text, each from those before it, by a recurrent network: a causal map, unrolled to train.

catlearn train models/char_recurrent.py                         catlearn's own source
catlearn train models/char_recurrent.py --set TEXT=FILE         any other text
catlearn train models/char_recurrent.py --set CELL=lstm         or tanh, or gru
catlearn train models/char_recurrent.py --data-dir FOLDER       all *.txt of a folder

Text, vocabulary and windows are those of char_transformer.py, beside this file. The cell is a causal map; it learns
from windows that start at the state zero, by backpropagation through time. Afterwards the same map runs without a
window: it reads the held-out text from beginning to end, keeping its state, and then writes some text of its own.
char_recurrent.png: how it learnt, how much context helps, and what surprises it.
"""

import char_transformer
import jax
import numpy as np
from char_transformer import ALPHABET, SYMBOLS, without_context

import catlearn as cl
from catlearn import functions, layers, losses, optimisers, schedules
from catlearn.errors import UnknownNameError, nearest
from catlearn.semirings import Discrete
from catlearn.systems.causal import lift, stateful

TEXT, PICTURE = "", "char_recurrent.png"
CELL, LENGTH, WIDTH, HIDDEN, BATCH = "gru", 64, 32, 128, 32
EPOCHS, STEPS, RATE, TEST_WINDOWS, WRITTEN, TEMPERATURE = 25, 60, 8e-3, 800, 400, 0.6

CELLS = {"tanh": (layers.tanh_cell, 1), "gru": (layers.gru_cell, 1), "lstm": (layers.lstm_cell, 2)}
if CELL not in CELLS:
    raise UnknownNameError(f"no cell is called {CELL!r}: {nearest(CELL, CELLS)}")
make, states = CELLS[CELL]
recurrent = stateful(make(WIDTH, HIDDEN), [0.0] * states)


def load(data_dir):
    """Windows of the text that char_transformer.py reads, of this file's lengths."""
    vars(char_transformer).update(TEXT=TEXT, LENGTH=LENGTH, BATCH=BATCH, STEPS=STEPS, TEST_WINDOWS=TEST_WINDOWS)
    return char_transformer.load(data_dir)


model = layers.chain(
    cl.Space(LENGTH, Discrete(SYMBOLS)),
    layers.embedding(SYMBOLS, WIDTH, LENGTH),
    recurrent.as_scan(LENGTH),
    layers.each(layers.dense(HIDDEN, SYMBOLS), LENGTH),
)
rate = schedules.warm_up(STEPS, schedules.cosine(RATE, EPOCHS * STEPS))
learner = cl.supervised(model, losses.label_cross_entropy, optimisers.adam(rate))
epochs = EPOCHS


def reader():
    """The same network as a map of sequences: a character at a time, with its state."""
    one = cl.trace(cl.Space((), Discrete(SYMBOLS)), lambda code: functions.reshape(code, (1,)))
    vector = one >> layers.embedding(SYMBOLS, WIDTH, 1) >> layers.reshape((1, WIDTH), (WIDTH,))
    return lift(vector) >> recurrent >> layers.dense(HIDDEN, SYMBOLS)


def bits(scores, codes):
    """How many bits each code takes by the scores before it."""
    return (np.logaddexp.reduce(scores, axis=-1) - np.take_along_axis(scores, codes[..., None], -1)[..., 0]) / np.log(2)


def written(reading, result, state, scores):
    """Some text from that state on, a symbol at a time."""
    values, step = reading.as_scan(1).leaves(result.parameters), jax.jit(reading.step)
    codes, chance = [], np.random.default_rng(result.seed)
    for _ in range(WRITTEN):
        codes.append((np.asarray(scores) / TEMPERATURE + chance.gumbel(size=SYMBOLS)).argmax())
        *state, scores = step(*values, *state, codes[-1])
    return "".join(ALPHABET[code] for code in codes)


def finish(result):
    """Print bits and a text; draw."""
    from matplotlib.figure import Figure

    x, y = result.data.test_inputs, result.data.test_targets
    windows, reading = bits(result.predict(x), y), reader()
    scores, state = reading.run(x.ravel(), parameters=result.parameters)  # the windows lie one after the other
    kept, floors = bits(np.asarray(scores), y.ravel()), without_context(result, x, y)
    named = {**floors, f"{CELL}, windows of {LENGTH}": windows.mean(), f"{CELL}, its state kept": kept.mean()}
    for name, value in named.items():
        print(f"bits per held-out character, {name}: {value:.2f}")
    state = state if isinstance(state, tuple) else (state,)
    text = written(reading, result, state, scores[-1])
    print(f"after {''.join(ALPHABET[code] for code in x[-1])!r} it writes:\n{text}\n")
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[3, 2])
    left, right = above.subplots(1, 2)
    left.plot(range(1, result.history.epochs + 1), np.array(result.history.loss) / np.log(2), label="training")
    left.plot(result.history.epochs, windows.mean(), "o", label="held out")
    right.plot(range(1, LENGTH + 1), windows.mean(axis=0), color="C1", label="held out, windows")
    right.axhline(kept.mean(), color="C2", label="held out, state kept")
    for axis, name in ((left, f"epoch of {STEPS} steps"), (right, "characters of context")):
        for style, (floor, value) in zip(("--", ":"), floors.items(), strict=True):
            axis.axhline(value, color="grey", linestyle=style, label=f"from {floor}")
        axis.set(xlabel=name, ylabel="bits per character")
        axis.legend()
    axis = below.subplots()
    shown = kept.reshape(y.shape)[:8]
    picture = axis.imshow(shown, cmap="YlOrRd", vmin=0, vmax=12, aspect="auto")
    for (row, column), code in np.ndenumerate(y[:8]):
        symbol = ALPHABET[code].replace("\n", "\N{RETURN SYMBOL}")
        axis.text(column, row, symbol, ha="center", va="center", size=8, family="monospace", parse_math=False)
    axis.axis("off")
    below.colorbar(picture, ax=axis, label="bits of each character, state kept")
    figure.savefig(PICTURE, dpi=110)
    print(f"wrote {PICTURE}")
