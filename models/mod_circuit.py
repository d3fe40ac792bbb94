"""A rotor of a cipher machine, learnt exactly from pairs of letters by a polynomial circuit over the integers mod n.

catlearn train models/mod_circuit.py                           26 letters
catlearn train models/mod_circuit.py --set MODULUS=31          a prime, where comparison is a polynomial too
catlearn train models/mod_circuit.py --set BASIS=powers        what must fail
catlearn train models/mod_circuit.py --set MODULUS=31 --set EXPONENT=31   this too

The letter x at the position k of the rotor becomes w[x + k] - k, all modulo n, w being the wiring, which is a secret.
The circuit is

    f(w; x, k) = sum over a of w[a] [x + k = a] - k,

where [z = a] is 1 - (z - a)**(n - 1) modulo a prime, and the generator `compare` otherwise. One pass over half of all
pairs, one at a time, with the error b - f for a cotangent: reverse derivative ascent, no learning rate, no rounding.
The other half is then right too, all of it, where the first half meets every entry: the indicators are orthonormal, so
that a step puts one entry right and leaves the others.

What must fail in a ring, each to be seen here. Equal changes wrap (CIRC.wrap): of the rows of a batch that read one
entry each corrects it, two overshoot and n cancel, so a batch is one row. With the powers of z for indicators a step at
z changes f at z' by the error times the sum of (z z')**k: others are disturbed, and at z = 1 nothing is put right, n
times 1 being 0. With w**p for w, the same function modulo a prime p, nothing moves at all: R of w**p is p w**(p - 1) d,
which is 0 (CIRC.char).
"""

import numpy as np

import catlearn as cl
from catlearn import functions, losses, optimisers
from catlearn.errors import InputError
from catlearn.generators.comparison import characteristic

MODULUS, BASIS, EXPONENT = 26, "indicators", 1
WIRING = "EKMFLGDQVZNTOWYHXUSPAIBRCJ"  # rotor I of the Enigma machine of 1930, for the modulus 26

ring = cl.Modular(MODULUS)
letter = cl.Space((), ring)
if BASIS not in ("indicators", "powers"):
    raise InputError(f"BASIS is 'indicators' or 'powers'; got {BASIS!r}")


def features(z):
    """A vector of n values of z: the indicators of the n letters, or the powers below n."""
    if BASIS == "powers":
        return functions.concatenate([functions.reshape(z**k, (1,)) for k in range(MODULUS)])
    letters = functions.constant(cl.Space(MODULUS, ring), np.arange(MODULUS))
    return functions.compare(z, letters, reverse="zero" if characteristic(ring) is None else "formal")


def rotor(wiring, pair):
    """The letter that comes out."""
    return functions.einsum("a,a->", wiring**EXPONENT, features(pair[0] + pair[1])) - pair[1]


def pairs():
    """Half of all pairs to learn from, in random order, and the other half to test."""
    random = np.random.default_rng(0)
    wiring = np.array([ord(letter) - 65 for letter in WIRING]) if MODULUS == 26 else random.permutation(MODULUS)
    x, k = np.divmod(random.permutation(MODULUS**2), MODULUS)
    inputs, targets = np.stack([x, k], axis=1), (wiring[(x + k) % MODULUS] - k) % MODULUS
    half = len(x) // 2
    return cl.Data(inputs[:half], targets[:half], inputs[half:], targets[half:])


data = pairs()
wiring = cl.Parameter("wiring", cl.Space(MODULUS, ring))
model = cl.parametrised("rotor", {"wiring": wiring}, cl.Space(2, ring), rotor)
learner = cl.supervised(model, losses.difference, optimisers.reverse_derivative_ascent())
epochs, batch_size, seed, shuffle = 1, 1, 0, False
