"""A Boolean circuit with registers learns a finite-state machine from words and answers, and nobody shows it a state.

catlearn train models/state_machine.py                                   the vending machine
catlearn train models/state_machine.py --set MACHINE=parity --set STATE=1
catlearn export models/state_machine.py --to verilog -o machine.v        sequential logic, with clock and reset

Each bit of the next state and of the output is a look-up table of all bits of state and input, learnt by votes that
come back through time. COPIES of the machine, which start from different tables, learn side by side; the one that is
right on the most training words is kept. At the end it is compared with what it should be on words of every length:
either that is proved, by all pairs of states that the two reach together, or there is a shortest word that tells them
apart. The picture has the machine that was learnt, states that no word tells apart being one.

MACHINE is one of
    parity       is the number of ones so far odd?                                      STATE=1 is enough
    threes       is the binary number so far, highest bit first, divisible by three?    2
    fives        the same by five                                                       3
    no_run       are there no three ones in a row so far?                               2
    edges        of each of two inputs: has it risen just now?                          2
    crossing     a traffic light: a car waits and a timer rings, green and red          2
    vending      coins of 5 and 10, a price of 15: a bottle, and change                 2
"""

import numpy as np

import catlearn as cl
from catlearn.errors import UnknownNameError, nearest
from catlearn.systems.automata import automaton_of, counterexample
from catlearn.systems.registers import StateMachine

MACHINE, STATE, COPIES, PICTURE = "vending", 2, 32, "state_machine.png"
LENGTH, WORDS, LIMIT, EPOCHS, BATCH = 8, 256, 4, 30, 8


def parity(odd, x):
    """The number of ones modulo two; it answers what that is now."""
    return odd ^ x[0], (odd ^ x[0],)


def divisible(number):
    """By that number; the state is the rest so far, the answer whether it is zero."""

    def step(rest, x):
        rest = (2 * rest + x[0]) % number
        return rest, (rest == 0,)

    return step


def no_run(ones, x):
    """How many ones there were last, three for good; it answers whether that is less."""
    ones = 3 if ones == 3 else ones + 1 if x[0] else 0
    return ones, (ones < 3,)


def edges(before, x):
    """What came last; it answers which of the two have risen."""
    return x, (x[0] and not before[0], x[1] and not before[1])


def crossing(light, x):
    """The light; it answers whether that is green, and whether it is red."""
    car, timer = x
    if light == "green":
        light = "yellow" if car and timer else "green"
    elif light == "yellow":
        light = "red"
    else:
        light = "green" if timer else "red"
    return light, (light == "green", light == "red")


def vending(paid, x):
    """What was paid; it answers whether a bottle comes out, and whether change does."""
    paid += 5 * x[0] + 10 * x[1]
    return (0, (1, paid > 15)) if paid >= 15 else (paid, (0, 0))


# What each should do, from where it starts, and its bits of input and output.
MACHINES = {
    "parity": (parity, 0, 1, 1),
    "threes": (divisible(3), 0, 1, 1),
    "fives": (divisible(5), 0, 1, 1),
    "no_run": (no_run, 0, 1, 1),
    "edges": (edges, (0, 0), 2, 2),
    "crossing": (crossing, "red", 2, 2),
    "vending": (vending, 0, 2, 2),
}
if MACHINE not in MACHINES:
    raise UnknownNameError(f"no machine is called {MACHINE!r}: {nearest(MACHINE, MACHINES)}")
step, start, inputs, outputs = MACHINES[MACHINE]


def answers(words):
    """What the machine should answer to words, (words, length, inputs)."""
    result = np.zeros((*words.shape[:2], outputs), np.uint8)
    for number, word in enumerate(words.tolist()):
        state = start
        for time, x in enumerate(word):
            state, result[number, time] = step(state, tuple(x))
    return result


words = np.random.default_rng(0).integers(0, 2, (2 * WORDS, LENGTH, inputs)).astype(np.uint8)
data = cl.Data(words[:WORDS], answers(words[:WORDS]), words[WORDS:], answers(words[WORDS:]))
machine = StateMachine(inputs, STATE, outputs, COPIES)
learner = machine.learner(LENGTH, LIMIT)
epochs, batch_size = EPOCHS, BATCH


def netlist(result):
    """What `catlearn export` writes: the best copy as sequential logic."""
    return machine.circuit(machine.best(result)[0])


def finish(result):
    """Say how it went, prove it or show a word, and draw the machine."""
    tables, share = machine.best(result)
    logic = machine.circuit(tables)
    learnt, word = automaton_of(logic).smallest(), counterexample(logic, start, step)
    print(f"training words all right in the best of {COPIES} copies: {100 * share:.1f} %")
    print(f"{logic}; {learnt.states} states that words tell apart")
    if word is None:
        print(f"proved: right on all words, of every length ({MACHINE})")
    else:
        print(f"wrong; the shortest word that shows it: {' '.join(''.join(map(str, x)) for x in word.tolist())}")
    draw(learnt)


def draw(learnt):
    """States on a circle, an arrow for each step, with inputs / outputs."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    figure = Figure(figsize=(7, 7), layout="constrained")
    axis = figure.subplots()
    angle = np.pi / 2 - 2 * np.pi * np.arange(learnt.states) / learnt.states
    places = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    arrows = {}
    for (state, letter), after in np.ndenumerate(learnt.after):
        shown = "".join(str(letter >> k & 1) for k in range(inputs)), "".join(map(str, learnt.outputs[state, letter]))
        arrows.setdefault((state, int(after)), []).append("/".join(shown))
    for (state, after), labels in arrows.items():
        a, b = places[state], places[after]
        if state == after:
            where = a * 1.45
            axis.add_patch(Circle(a * 1.15, 0.16, fill=False))
        else:
            side = np.array([-(b - a)[1], (b - a)[0]])
            where = (a + b) / 2 - 0.22 * side / np.linalg.norm(side)
            axis.annotate(
                "",
                b,
                a,
                arrowprops={"arrowstyle": "-|>", "shrinkA": 20, "shrinkB": 20, "connectionstyle": "arc3,rad=0.2"},
            )
        shown = {"boxstyle": "square,pad=0.1", "color": "white"}
        axis.text(*where, "\n".join(labels), ha="center", va="center", family="monospace", size=10, bbox=shown)
    for number, place in enumerate(places):
        axis.plot(*place, "o", markersize=36, color="C0" if number else "C1")
        axis.text(*place, str(number), ha="center", va="center", color="white", size=14)
    axis.set(xlim=(-1.8, 1.8), ylim=(-1.8, 1.8), aspect="equal", title=f"{MACHINE}: inputs/outputs, from state 0")
    axis.axis("off")
    figure.savefig(PICTURE, dpi=100)
    print(f"wrote {PICTURE}")
