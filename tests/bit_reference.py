"""What circuits of bits compute, by definition: loops over samples, tables and inputs; nothing of it runs a diagram."""

import itertools

import numpy as np

from catlearn.functors import Bits, Exact, Jax
from catlearn.functors.symbolic import Polynomial
from catlearn.semirings import INTEGERS

JAX = Jax()
FUNCTORS = {"exact": Exact(), "jax": JAX, "bits": Bits()}
HOST = ("exact", "bits")
SIZES = (1, 2, 63, 64, 65, 100)


def variable(name):
    return Polynomial(INTEGERS, {((name, 1),): 1})


def number(value):
    return Polynomial(INTEGERS, {(): value})


def table_polynomial(k, entry="t", bit="x"):
    """sum_a t_a prod_i (x_i if a_i else 1 - x_i) over Z."""
    total = number(0)
    for a in range(2**k):
        term = variable(f"{entry}{a}")
        for i in range(k):
            x = variable(f"{bit}{i}")
            term = term * (x if a >> i & 1 else number(1) + -x)
        total = total + term
    return total


def threshold_polynomial(m, threshold, bit="x"):
    """The sum over the points of at least that many ones of the product that is 1 there alone."""
    total = number(0)
    for point in itertools.product((0, 1), repeat=m):
        if sum(point) >= threshold:
            term = number(1)
            for i, value in enumerate(point):
                x = variable(f"{bit}{i}")
                term = term * (x if value else number(1) + -x)
            total = total + term
    return total


def addressed(x, row):
    return sum(int(x[place]) << i for i, place in enumerate(row))


def read(t, x, wiring):
    """t[w, address] for each row, place and table."""
    x = np.asarray(x)
    rows, n = x.shape[:-1], x.shape[-1]
    out = np.zeros((int(np.prod(rows)), *wiring.shape[:-1]), int)
    for b, sample in enumerate(x.reshape(out.shape[0], n)):
        for place in np.ndindex(*wiring.shape[:-1]):
            out[(b, *place)] = t[place[-1], addressed(sample, wiring[place])]
    return out.reshape(*rows, *wiring.shape[:-1])


def votes(t, x, wiring, v):
    """(votes of the entries, votes of the inputs) by slopes of one input at a time."""
    x = np.asarray(x)
    rows, n = x.shape[:-1], x.shape[-1]
    flat = x.reshape(int(np.prod(rows)), n)
    given = np.asarray(v).reshape(len(flat), *wiring.shape[:-1])
    entries, inputs = np.zeros((wiring.shape[-2], 2 ** wiring.shape[-1]), int), np.zeros(flat.shape, int)
    for b, sample in enumerate(flat):
        for place in np.ndindex(*wiring.shape[:-1]):
            w, a, vote = place[-1], addressed(sample, wiring[place]), given[(b, *place)]
            entries[w, a] += vote
            for i, j in enumerate(wiring[place]):
                inputs[b, j] += (int(t[w, a | 1 << i]) - int(t[w, a & ~(1 << i)])) * vote
    return entries, inputs.reshape(x.shape)


def at_least(x, wiring, threshold):
    return (np.asarray(x)[..., wiring].sum(-1) >= threshold).astype(int)


def at_least_votes(x, wiring, threshold, v):
    """The change of each gate by each of its inputs, times its vote."""
    x = np.asarray(x)
    rows, n = x.shape[:-1], x.shape[-1]
    flat = x.reshape(int(np.prod(rows)), n)
    given = np.asarray(v).reshape(len(flat), *wiring.shape[:-1])
    out = np.zeros(flat.shape, int)
    for b, sample in enumerate(flat):
        for gate in np.ndindex(*wiring.shape[:-1]):
            literals = [int(sample[j]) for j in wiring[gate]]
            for i, j in enumerate(wiring[gate]):
                high, low = (sum([*literals[:i], bit, *literals[i + 1 :]]) >= threshold for bit in (1, 0))
                out[b, j] += (int(high) - int(low)) * given[(b, *gate)]
    return out.reshape(x.shape)


def in_one_program(diagram):
    """What the functor Jax makes of a diagram, compiled whole: for few points that is quicker than one by one."""
    ready, run = JAX.prepare(diagram), JAX.compile(lambda *values: JAX.interpret(ready, values))
    return lambda *values: run(*(JAX.accept(s, v, "input") for s, v in zip(diagram.dom, values, strict=True)))


def agree(diagram, arguments, wanted, functors=("exact", "jax", "bits")):
    """The functors give those arrays, in those shapes."""
    for name in functors:
        came = (in_one_program(diagram) if name == "jax" else FUNCTORS[name](diagram))(*arguments)
        came = came if isinstance(came, tuple) else (came,)
        assert len(came) == len(wanted)
        for k, (mine, theirs) in enumerate(zip(came, wanted, strict=True)):
            array = np.asarray(mine)
            assert array.shape == np.shape(theirs) == diagram.cod[k].shape, (name, k)
            np.testing.assert_array_equal(array.astype(int), theirs, err_msg=f"{name}, output {k}")
