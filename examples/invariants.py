"""Invariants of training: what always holds while a learner trains, proved or refuted by a shortest trace.

Run `python examples/invariants.py` (`--folder FOLDER` says where the picture goes). It prints a table of claims with
their verdicts, the traces of those that are false, and writes invariants.png: the states of two circuits for the parity
of three bits, by how many rows they get right, and all steps between them, those that unlearn a row in red.

A learner is a Moore machine that reads data (MOORE.view): a claim about training is one about all words of data. Over
finite states it is decided by going through them: the counters of a circuit stay in their range; a table never unlearns
a row, whichever comes next, and from whatever table; the same functions with the coefficients of polynomials for
parameters do unlearn, since every coefficient is shared by rows; and what reads all rows right stays as it is. The loss
of a table never rises, either; that of gradient descent does, since a step towards one row may lead away from another.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np

import catlearn as cl
from catlearn import count_losses, counters, functions, layers, losses, optimisers
from catlearn.systems.invariants import check_inductive, check_invariant
from catlearn.systems.moore import machine, mean_loss, rows_right

parser = argparse.ArgumentParser(description="Claims about training, proved or refuted.")
parser.add_argument("--folder", type=Path, default=Path("."))
settings = parser.parse_args()


def parity(inputs, *, bits):
    """Every row of so many bits with its parity, as a bit or as a class number."""
    x = np.array(list(product((0, 1), repeat=inputs)))
    y = x.sum(axis=1) % 2
    y = y[:, None] if bits else y
    return cl.Data(x, y, x, y)


def polynomial(c, x):
    """The polynomial over Z2 of three bits with those coefficients."""
    terms = [x[0], x[1], x[2], x[0] * x[1], x[0] * x[2], x[1] * x[2], x[0] * x[1] * x[2]]
    total = c[0]
    for number, term in enumerate(terms, 1):
        total = total + c[number] * term
    return functions.reshape(total, (1,))


three, two = parity(3, bits=True), parity(2, bits=False)
table = cl.supervised(layers.lookup_table(3, 1), losses.exclusive_or, optimisers.ga())
form = cl.supervised(
    cl.parametrised("polynomial", {"c": cl.Space(8, cl.Z2)}, cl.Space(3, cl.Z2), polynomial),
    losses.exclusive_or,
    optimisers.ga(),
)
LIMIT = 3
circuit = cl.supervised(
    layers.table_layer(2, 2, arity=2, wiring=[[0, 1], [0, 1]]) >> layers.group_sum(2, 2),
    count_losses.count_margin(1),
    counters.saturating(LIMIT),
)
points = cl.Data(np.array([[1.0], [2.0]]), np.array([[1.0], [-1.0]]), np.zeros((0, 1)), np.zeros((0, 1)))
descent = cl.supervised(layers.linear(1, 1), losses.quadratic, optimisers.gd(0.05))


def never_unlearns(learner, data):
    """The claim about a step that every row that was right stays right."""
    right = rows_right(learner, data)
    return lambda before, after: right(before) <= right(after)


def all_right(learner, data):
    right = rows_right(learner, data)
    return lambda state: len(right(state)) == data.rows


def never_rises(learner, data):
    loss = mean_loss(learner, data)
    return lambda before, after: loss(after) <= loss(before)


def within(limit):
    return lambda state: all(abs(value).max() <= limit for value in state.values())


claims = {
    f"counters of a circuit stay from -{LIMIT} to {LIMIT}": check_invariant(circuit, within(LIMIT), two),
    f"counters of a circuit stay from -{LIMIT - 1} to {LIMIT - 1}": check_invariant(circuit, within(LIMIT - 1), two),
    "a circuit in counters never unlearns a row": check_invariant(circuit, never_unlearns(circuit, two), two),
    "a table never unlearns a row": check_inductive(table, never_unlearns(table, three), three),
    "a polynomial never unlearns a row": check_invariant(form, never_unlearns(form, three), three),
    "a polynomial that is right on all rows stays so": check_inductive(form, all_right(form, three), three),
    "the loss of a table never rises": check_inductive(table, never_rises(table, three), three),
    "the loss of gradient descent never rises": check_invariant(
        descent, never_rises(descent, points), points, most=200
    ),
}


def steps(learner, data):
    """Every state of a learner of bits with its number of right rows, and every step."""
    seen, right = machine(learner), rows_right(learner, data)
    (name,), (space,) = seen.names, seen.states
    states = [{name: np.reshape(point, space.shape)} for point in product((0, 1), repeat=space.size)]
    number = {value.tobytes(): k for k, state in enumerate(states) for value in state.values()}
    moves = [
        (k, number[seen.advance(state, x, y)[name].astype(int).tobytes()])
        for k, state in enumerate(states)
        for x, y in zip(data.train_inputs, data.train_targets, strict=True)
    ]
    return [right(state) for state in states], moves


def draw(path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    for axis, (title, learner) in zip(
        figure.subplots(1, 2), {"tables": table, "polynomials": form}.items(), strict=True
    ):
        right, moves = steps(learner, three)
        places = {}
        for level in range(three.rows + 1):
            here = [k for k, rows in enumerate(right) if len(rows) == level]
            places |= {k: (n - (len(here) - 1) / 2, level) for n, k in enumerate(here)}
        lost = [move for move in moves if not right[move[0]] <= right[move[1]]]
        for k, after in moves:
            (x, y), (u, v) = places[k], places[after]
            wrong = not right[k] <= right[after]
            axis.plot([x, u], [y, v], color="tab:red" if wrong else "0.6", linewidth=0.4, zorder=1 + wrong)
        axis.scatter(*zip(*places.values(), strict=True), s=9, color="black", zorder=3)
        axis.set(title=f"{title}: {len(lost)} of {len(moves)} steps unlearn", ylabel="rows right", xticks=[])
    figure.savefig(path, dpi=110)
    return path.name


print(f"{'claim':<50} verdict")
for claim, verdict in claims.items():
    print(f"{claim:<50} {str(verdict).splitlines()[0]}")
for claim, verdict in claims.items():
    if verdict.holds is False:
        print(f"\n{claim}: {verdict}")
print(f"\nwrote {draw(settings.folder / 'invariants.png')}")
