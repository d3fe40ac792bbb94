"""Binary addition learnt exactly from examples: one pair of tables, used at every place, whose carry nobody shows it.

The model is a chain of one cell, tied over the places of the numbers: two tables of three inputs give the sum bit and
the carry for the next place. Votes for the bits of the sum come back through the carries. It learns from a part of the
sums of two numbers, is tested on the rest, and at the end on every sum of two numbers of twice the width.

    catlearn train models/adder.py
    catlearn export models/adder.py --to verilog --report -o adder.v
"""

import numpy as np

import catlearn as cl
from catlearn import count_losses, counters, functions
from catlearn.generators.tables import read
from catlearn.parameters import RandomBits

WIDTH, SHARE, LIMIT = 4, 0.5, 16
epochs, batch_size, seed = 40, 16, 0
CELL = np.array([[0, 1, 2], [0, 1, 2]])  # both tables read the two bits and the carry
ENTRIES = cl.Space((2, 8), cl.BITS)


def adder(width):
    """The sum of two numbers of that many bits, lowest first, by the cell at each place: 2 width to width + 1 bits."""

    def added(table, x):
        carry, bits = functions.constant(cl.Space(1, cl.BITS), 0), []
        for place in range(width):
            here = functions.concatenate([x[place : place + 1], x[width + place : width + place + 1], carry])
            both = read(table, here, CELL)
            carry = both[1:2]
            bits.append(both[0:1])
        return functions.concatenate([*bits, carry])

    table = cl.Parameter("table", ENTRIES, RandomBits())
    return cl.parametrised("cell", {"table": table}, cl.Space(2 * width, cl.BITS), added)


def sums(width):
    """All pairs of numbers, and their sums, as bits."""
    a, b = (part.ravel() for part in np.meshgrid(*[np.arange(2**width)] * 2))
    place = np.arange(width + 1)
    inputs = np.concatenate([a[:, None] >> place[:-1] & 1, b[:, None] >> place[:-1] & 1], axis=1)
    return inputs.astype(np.uint8), ((a + b)[:, None] >> place & 1).astype(np.uint8)


rows, labels = sums(WIDTH)
order = np.random.default_rng(seed).permutation(len(rows))
shown, kept = np.split(order, [int(SHARE * len(rows))])
data = cl.Data(rows[shown], labels[shown], rows[kept], labels[kept])
learner = cl.supervised(adder(WIDTH), count_losses.bit_errors, counters.saturating(LIMIT))


def finish(result):
    """Compare the learnt cell with addition on all numbers of twice the width."""
    inputs, wanted = sums(2 * WIDTH)
    model = cl.batch(adder(2 * WIDTH).diagram, len(inputs), (False, True))
    wrong = (np.asarray(model(result.parameters["cell_0"]["table"], inputs)) != wanted).any(axis=1).sum()
    print(f"{wrong} of {len(inputs)} sums of two numbers of {2 * WIDTH} bits are wrong")
