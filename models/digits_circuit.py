"""Handwritten digits by a Boolean circuit: two layers of four-input look-up tables that learn by votes.

Each of the 64 pixels, a count from 0 to 16, becomes five bits, `pixel > level`. Two layers of tables, the first on
random 3 x 3 patches, and a count of the bits of each class are the whole model; saturating counters train it, in whole
numbers only, on images shifted by a pixel. It is a circuit of gates from the first step on, so what is trained is what
`catlearn export` writes. The settings were chosen on held-out training rows.

    catlearn train models/digits_circuit.py
    catlearn export models/digits_circuit.py --to verilog --report -o digits.v
"""

import catlearn as cl
from catlearn import count_losses, counters, images, layers, wirings
from catlearn.augmentation import Shift, augmented
from catlearn.coding import Thermometer

TABLES, ARITY, PATCH, START = 4000, 4, 3, "random"
LEVELS = (2, 5, 8, 11, 14)
LIMIT, SCALE, TEMPERATURE, SHIFT = 512, 64, 12.0, 1
EPOCHS, BATCH, SEED = 100, 50, 0

epochs, batch_size, seed = EPOCHS, BATCH, SEED
coding = Thermometer([level / 16 for level in LEVELS])
data = augmented(images.digits(), BATCH, SEED, transforms=(Shift(SHIFT),), coding=coding, flat=True)

bits = 64 * len(LEVELS)
patches = wirings.local((8, 8, len(LEVELS)), TABLES, ARITY, patch=PATCH, seed=SEED)
model = (
    layers.table_layer(bits, TABLES, arity=ARITY, wiring=patches, initialise=START)
    >> layers.table_layer(TABLES, TABLES, arity=ARITY, initialise=START, seed=100 * SEED + 1)
    >> layers.group_sum(TABLES, 10)
)
learner = cl.supervised(model, count_losses.count_softmax(SCALE, TEMPERATURE), counters.saturating(LIMIT))
