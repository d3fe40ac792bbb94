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
from char_transformer import ALPHABET, SYMBOLS, bits, draw, without_context

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
    shown, label = kept.reshape(y.shape), "bits of each character, state kept"
    draw(result, windows, floors, shown, label, PICTURE, kept.mean())
