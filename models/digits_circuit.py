"""Handwritten digits by a Boolean circuit: two layers of four-input look-up tables that learn by votes.

Each of the 64 pixels, a count from 0 to 16, becomes five bits, `pixel > level`. Two layers of tables and a count of the
bits of each class are the whole model; saturating counters train it, in whole numbers only. It is a circuit of gates
from the first step on, so what is trained is what `catlearn export` writes.

    catlearn train models/digits_circuit.py
    catlearn export models/digits_circuit.py --to verilog --report -o digits.v
"""

import catlearn as cl
from catlearn import coding, count_losses, counters, images, layers
from catlearn.datasets import Data

TABLES, ARITY = 2000, 4
LEVELS = (2, 5, 8, 11, 14)
LIMIT, SCALE, TEMPERATURE = 512, 64, 8.0
epochs, batch_size, seed = 40, 50, 0

rows = images.digits()
encode = coding.Thermometer([level / 16 for level in LEVELS]).encode
data = Data(
    encode(rows.train_inputs).reshape(len(rows.train_inputs), -1),
    rows.train_targets,
    encode(rows.test_inputs).reshape(len(rows.test_inputs), -1),
    rows.test_targets,
)
model = (
    layers.table_layer(64 * len(LEVELS), TABLES, arity=ARITY)
    >> layers.table_layer(TABLES, TABLES, arity=ARITY, seed=1)
    >> layers.group_sum(TABLES, 10)
)
learner = cl.supervised(model, count_losses.count_softmax(SCALE, TEMPERATURE), counters.saturating(LIMIT))
