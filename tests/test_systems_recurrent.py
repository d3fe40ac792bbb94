"""Recurrent networks beside hand-written JAX; circuits with registers, from training to simulated Verilog."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numerics import benchmark

import catlearn as cl
from catlearn import counters, functions, layers, losses, optimisers
from catlearn.errors import CompositionError, DataError, InputError, ModelFileError, OperationError
from catlearn.export_command import circuit_or_learner
from catlearn.functors import Jax
from catlearn.functors.arrays import tidy
from catlearn.functors.bounds import bounds
from catlearn.generators.scan import Scan
from catlearn.hardware import simulate, verilog
from catlearn.netlist import Netlist, evaluate
from catlearn.semirings import BITS, INTEGERS, REAL
from catlearn.systems.automata import automaton_of, counterexample
from catlearn.systems.causal import Causal, delay, stateful
from catlearn.systems.registers import (
    StateMachine,
    errors_of_copies,
    limit_votes,
    registers,
    sequential_circuit,
    word_pairs,
)

ROOT = Path(__file__).resolve().parents[1]
needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
for name in ("overhead", "networks"):  # each imports those before it
    sys.modules.setdefault(name, benchmark(name))
recurrent = benchmark("recurrent")


# A training step is what one writes by hand


@pytest.mark.parametrize("cell", recurrent.CELLS)
def test_a_step_of_a_recurrent_network_is_that_by_hand(cell):
    pairs = recurrent.pairs(cell, 24, 7, 5, "gd")  # Adam divides by sizes that are zero but for rounding
    ours = pairs[0].diagram.result()
    for pair in pairs if cell == "gru" else pairs[:1]:  # both peers of one cell
        for mine, other in zip(ours, pair.by_hand.result(), strict=True):
            assert mine.shape == other.shape
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", ["gru", *(pytest.param(name, marks=pytest.mark.slow) for name in ("tanh", "lstm"))])
def test_a_step_of_a_recurrent_network_costs_what_it_costs_by_hand(cell):
    flops, accessed = recurrent.pairs(cell, 128, 16, 16)[0].ratios()
    assert flops <= 1.01
    assert accessed <= 1.05


@pytest.mark.parametrize("size", [None, 3])
def test_the_forward_pass_of_a_training_step_is_one_scan(size):
    """A batch of the state zero is zero: without that the forward scan and that of R are two."""
    model = stateful(layers.gru_cell(3, 4), [0.0]).as_scan(6)
    learner = cl.supervised(model, losses.mean_squared_error, optimisers.gd(0.1))
    nodes = tidy(learner.monitored(size), Jax()).nodes
    assert [generator.backward for generator, _, _ in nodes if isinstance(generator, Scan)] == [False, True]


def test_linear_maps_of_zero_fold_only_there():
    half = functions.zero((), cl.Space(3, REAL)) >> cl.trace(cl.Space(3, REAL), lambda x: functions.reshape(x, (3, 1)))
    body = cl.trace((cl.Space((3, 1), REAL), cl.Space((), REAL)), lambda s, x: (s + 1, x * functions.sum(s)))
    whole = (half @ cl.identity(cl.Space(2, REAL))) >> Scan(body, 2, 0, 1).diagram
    state, out = whole([2.0, np.inf])
    assert np.asarray(state).ravel().tolist() == [2, 2, 2]
    assert np.asarray(out).tolist() == [0.0, np.inf]
    nan = whole([np.inf, np.nan])[1]  # 0 times infinity is not folded away
    assert np.isnan(np.asarray(nan)).all()


# Machines, and references that know their states


def parity(odd, x):
    return odd ^ x[0], (odd ^ x[0],)


def threes(rest, x):
    rest = (2 * rest + x[0]) % 3
    return rest, (rest == 0,)


def no_run(ones, x):
    ones = 3 if ones == 3 else ones + 1 if x[0] else 0
    return ones, (ones < 3,)


def vending(paid, x):
    paid += 5 * x[0] + 10 * x[1]
    return (0, (1, paid > 15)) if paid >= 15 else (paid, (0, 0))


REFERENCES = {"parity": (parity, 1, 1, 1), "threes": (threes, 1, 2, 1), "no_run": (no_run, 1, 2, 1)}
REFERENCES["vending"] = (vending, 2, 2, 2)


def answers(step, words, width, start=0):
    result = np.zeros((*words.shape[:2], width), np.uint8)
    for number, word in enumerate(words.tolist()):
        state = start
        for time, x in enumerate(word):
            state, result[number, time] = step(state, tuple(x))
    return result


def all_words(length, width):
    letters = list(itertools.product((0, 1), repeat=width))
    return np.array(list(itertools.product(letters, repeat=length)), np.uint8).reshape(-1, length, width)


def trained(name, *, copies=32, epochs=20, seed=0, length=8):
    step, inputs, state, outputs = REFERENCES[name]
    words = np.random.default_rng(seed).integers(0, 2, (256, length, inputs)).astype(np.uint8)
    data = cl.Data(words, answers(step, words, outputs), words[:1], answers(step, words[:1], outputs))
    machine = StateMachine(inputs, state, outputs, copies)
    return machine, cl.fit(machine.learner(length), data, epochs=epochs, batch_size=8, seed=seed)


@pytest.mark.parametrize("name", REFERENCES)
def test_a_machine_is_learnt_from_outputs_and_proved(name):
    step, inputs, state, outputs = REFERENCES[name]
    machine, result = trained(name)
    tables, share = machine.best(result)
    assert share == 1
    circuit = machine.circuit(tables)
    assert counterexample(circuit, 0, step) is None
    words = all_words(10 if inputs == 1 else 5, inputs)
    one = StateMachine(inputs, state, outputs).causal()
    model = one.as_scan(words.shape[1]).batch(len(words))
    np.testing.assert_array_equal(model.morphism(tables, words), answers(step, words, outputs))
    assert automaton_of(circuit).smallest().states == {"parity": 2, "threes": 3, "no_run": 4, "vending": 3}[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("seed", range(1, 10))
def test_machines_are_learnt_from_other_words_and_starts(name, seed):
    machine, result = trained(name, seed=seed)
    assert counterexample(machine.circuit(machine.best(result)[0]), 0, REFERENCES[name][0]) is None


@needs_icarus
def test_what_was_learnt_runs_as_sequential_verilog():
    step, inputs, _, outputs = REFERENCES["vending"]
    machine, result = trained("vending", epochs=8)
    circuit = machine.circuit(machine.best(result)[0])
    word = np.random.default_rng(1).integers(0, 2, (200, inputs)).astype(np.uint8)
    made = simulate(circuit, word)
    np.testing.assert_array_equal(made[:, circuit.state_bits :], answers(step, word[None], outputs)[0])


@needs_icarus
@pytest.mark.parametrize("initial", [[1, 0], [0, 1]])
def test_the_reset_goes_to_the_initial_state(initial):
    """A shift register of two bits: it shows what it started with, then what came two clocks before."""
    machine = StateMachine(1, 2, 1, initial=initial)
    shift = [[a >> 1 & 1 for a in range(8)], [a >> 2 & 1 for a in range(8)], [a & 1 for a in range(8)]]
    circuit = machine.circuit(shift)
    text = verilog(circuit)
    assert "posedge clk" in text
    assert f"2'b{initial[1]}{initial[0]}" in text
    word = np.random.default_rng(2).integers(0, 2, (30, 1)).astype(np.uint8)
    np.testing.assert_array_equal(simulate(circuit, word)[:, 2], [*initial, *word[:-2, 0]])


# One body of one's own, votes through time


def random_tables(seed, *shape):
    return np.random.default_rng(seed).integers(0, 2, shape).astype(np.uint8)


@pytest.mark.parametrize("seed", range(3))
def test_votes_are_those_of_the_polynomial_unrolled(seed):
    """BPTT of votes against R of the unrolled map over whole numbers, by hand."""
    tables, word = random_tables(seed, 3, 8), random_tables(seed + 10, 4, 1)
    machine = StateMachine(1, 2, 1)
    scan = machine.causal(limit=None).as_scan(4).morphism
    unrolled = machine.causal(limit=None).unrolled(4).morphism
    votes = np.random.default_rng(seed).integers(-3, 4, (4, 1))
    got = cl.reverse_derivative(scan)(tables, word, votes)
    wanted = cl.reverse_derivative(unrolled)(tables, *word, *votes)
    np.testing.assert_array_equal(got[0], wanted[0])
    np.testing.assert_array_equal(got[1], np.stack(wanted[1:]))
    states, back = [np.zeros(2, int)], np.zeros((3, 8), int)
    for x in word:
        place = int(states[-1] @ [1, 2] + 4 * x[0])
        states.append(tables[:2, place].astype(int))
    change = np.zeros(2, int)
    for time in reversed(range(4)):
        place = int(states[time] @ [1, 2] + 4 * word[time, 0])
        v = np.concatenate([change, votes[time]])
        back[:, place] += v
        flipped = [place & ~(1 << j) for j in range(2)]
        change = np.array(
            [((tables[:, p | 1 << j].astype(int) - tables[:, p]) * v).sum() for j, p in enumerate(flipped)]
        )
    np.testing.assert_array_equal(got[0], back)


def test_votes_for_a_state_are_limited_and_its_value_is_not_touched():
    cut = limit_votes(3, 2)
    np.testing.assert_array_equal(cut([1, 0, 1]), [1, 0, 1])
    np.testing.assert_array_equal(cl.reverse_derivative(cut)([1, 0, 1], [5, -7, 1]), [2, -2, 1])
    machine = StateMachine(1, 2, 1)
    tables, word = random_tables(0, 3, 8), random_tables(1, 5, 1)
    free, limited = (machine.causal(limit).as_scan(5).morphism for limit in (None, 1))
    np.testing.assert_array_equal(free(tables, word), limited(tables, word))


def test_votes_that_could_wrap_are_refused_and_limited_ones_are_not():
    body, words = StateMachine(1, 2, 1).body(), np.zeros((4, 40, 1), np.uint8)
    data = cl.Data(words, words, words, words)

    def run(limit):
        model = registers(body, 2, limit=limit).as_scan(40)
        return cl.fit(cl.supervised(model, errors_of_copies(1), counters.saturating(4)), data, epochs=1, batch_size=4)

    with pytest.raises(OperationError, match="votes may wrap"):
        run(None)
    assert run(4).steps == 1


@pytest.mark.parametrize("backward", [False, True])
def test_bounds_of_a_scan_hold_what_it_makes(backward):
    """A state that doubles, and its sum with the item: the bounds are the ends of both."""
    number = cl.Space((), INTEGERS)
    body = cl.trace((number, number, number), lambda c, s, x: (2 * s + c * x, s + x))
    for length in range(5):
        whole = Scan(body, length, 1, 1, backward).diagram
        state, out = bounds(whole, [(0, 2), (-1, 1), (-3, 3)])
        assert state == (-(2**length) - 6 * (2**length - 1), 2**length + 6 * (2**length - 1))
        made = cl.functors.Exact()(whole)(2, 1, [3] * length)
        assert int(made[0]) == state[1]
        assert not length or max(map(int, made[1])) == out[1]


def test_copies_are_machines_side_by_side():
    many = StateMachine(2, 1, 2, copies=3, initial=1)
    values, words = random_tables(3, 9, 8), random_tables(4, 6, 2)
    outputs = np.asarray(many.causal().run(words, parameters=[values])[0])
    for copy in range(3):
        one = StateMachine(2, 1, 2, initial=1).causal()
        tables = many.tables(values, copy)
        wanted = np.asarray(one.run(words, parameters=[tables])[0])
        np.testing.assert_array_equal(outputs[:, 2 * copy : 2 * copy + 2], wanted)


def test_the_loss_of_copies():
    one, three = errors_of_copies(1), errors_of_copies(3)
    space = cl.Space((4, 6), BITS)
    assert three.labels(space) == (cl.Space((4, 2), BITS),)
    y, guess = random_tables(0, 4, 2), random_tables(1, 4, 6)
    for seed in range(5):
        other = random_tables(seed + 2, 4, 6)
        wrong = (other.reshape(4, 3, 2) != y[:, None]).sum()
        assert int(three.para(space).morphism(y, other)) == wrong
        votes = cl.reverse_derivative(three.para(space).morphism)(y, other, -1)[1]
        np.testing.assert_array_equal(votes, np.tile(2 * y.astype(int) - 1, 3))
    assert int(one.para(space).morphism(guess, guess)) == 0
    guess.reshape(4, 3, 2)[:, 1] = y
    guess.reshape(4, 3, 2)[0, 0] = 1 - y[0]
    guess.reshape(4, 3, 2)[0, 2] = 1 - y[0]
    assert three.matches(np, y[None], guess[None]).tolist() == [pytest.approx(1 / 3)]
    with pytest.raises(OperationError, match="4 answers of one size stand on the last axis"):
        errors_of_copies(4).labels(space)
    with pytest.raises(OperationError, match="at least one copy; got 0"):
        errors_of_copies(0)
    with pytest.raises(OperationError, match="bit_errors compares bits"):
        three.labels(cl.Space(6, INTEGERS))


def test_a_body_of_several_layers_learns_a_shift():
    """The output is the input of the clock before, through a layer between."""
    body = layers.table_layer(3, 24, arity=2, seed=1) >> layers.table_layer(24, 3, arity=6, seed=2)
    causal = registers(body, 2)
    words = random_tables(5, 128, 8, 1)
    targets = np.concatenate([np.zeros((128, 1, 1), np.uint8), words[:, :-1]], axis=1)
    learner = cl.supervised(causal.as_scan(8), errors_of_copies(1), counters.saturating(4))
    result = cl.fit(learner, cl.Data(words, targets, words, targets), epochs=40, batch_size=8, seed=3)
    assert result.test_accuracy == 100
    circuit = sequential_circuit(causal, result.parameters)
    assert counterexample(circuit, 0, lambda s, x: (x[0], (s,))) is None


# Circuits of causal maps


def test_a_circuit_of_a_delay_counter():
    """A counter modulo four over INTEGERS needs an interval; its circuit counts."""
    number = cl.Space((), cl.Modular(4))
    counter = cl.trace((number, number), lambda s, x: (s + x, s))
    circuit = sequential_circuit(stateful(counter, [3]))
    assert (circuit.registers, circuit.state_bits, circuit.initial.tolist()) == (1, 2, [1, 1])
    assert [port.name for port in (*circuit.inputs, *circuit.results)] == ["state", "x", "state_next", "y"]
    state = circuit.initial
    for x, wanted in zip((1, 2, 3, 0), (3, 0, 2, 1), strict=True):
        out = evaluate(circuit, [[*state, x & 1, x >> 1]])[0]
        state = out[:2]
        assert int(out[2:] @ [1, 2]) == wanted


def test_a_circuit_of_several_wires_and_integers():
    whole = cl.Space((), INTEGERS)
    bit = cl.Space((), BITS)
    step = cl.trace((bit, whole, bit), lambda b, n, x: (x, functions.include(b) + functions.include(x), n))
    causal = stateful(step, [1, 0])
    with pytest.raises(OperationError, match="input 'state1' is of INTEGERS, which have no bound"):
        sequential_circuit(causal)
    circuit = sequential_circuit(causal, intervals=[None, (0, 2), None])
    assert [port.name for port in circuit.inputs] == ["state0", "state1", "x"]
    state = circuit.initial
    assert evaluate(circuit, [[*state, 1]])[0].tolist() == [1, 0, 1, 0, 0]


def test_what_has_no_circuit():
    bit = cl.Space((), BITS)
    causal = stateful(cl.trace((bit, bit), lambda s, x: (x, s)), [0])
    with pytest.raises(OperationError, match="something else before time 1"):
        sequential_circuit(delay(causal))
    with pytest.raises(OperationError, match="has 0 parameters; it was given 1"):
        sequential_circuit(causal, [1])
    real = cl.Space((), REAL)
    with pytest.raises(OperationError, match="has no meaning in hardware"):
        sequential_circuit(stateful(cl.trace((real, real), lambda s, x: (s + x, s)), [0.0]))


def test_machines_without_inputs_states_or_outputs():
    clock = StateMachine(0, 1, 1).circuit([[1, 0], [0, 1]])
    assert counterexample(clock, 0, lambda s, x: (1 - s, (s,))) is None
    assert counterexample(clock, 0, lambda s, x: (1, (s,))).shape == (3, 0)
    gate = StateMachine(2, 0, 1)
    assert isinstance(gate.causal(), Causal)
    np.testing.assert_array_equal(gate.causal().run([[0, 1], [1, 1]], parameters=[[[0, 0, 0, 1]]])[0], [[0], [1]])
    silent = StateMachine(1, 1, 0).circuit([[0, 1, 1, 0]])
    assert counterexample(silent, 0, lambda s, x: (0, ())) is None
    assert automaton_of(silent).smallest().states == 1
    assert np.asarray(StateMachine(1, 1, 1).causal().run(np.zeros((0, 1)), parameters=[[[0] * 4] * 2])[0]).shape == (
        0,
        1,
    )


# Automata


def language(netlist, length, width):
    """The outputs on all words of that length, walked by `evaluate`, the definition."""
    words = all_words(length, width)
    state = np.tile(netlist.initial, (len(words), 1))
    outputs = []
    for time in range(length):
        made = evaluate(netlist, np.concatenate([state, words[:, time]], axis=1))
        state = made[:, : netlist.state_bits]
        outputs.append(made[:, netlist.state_bits :])
    return np.stack(outputs, axis=1)


@pytest.mark.parametrize("seed", range(6))
def test_the_smallest_automaton_has_the_same_language(seed):
    machine = StateMachine(1, 3, 1)
    netlist = machine.circuit(random_tables(seed, 4, 16))
    whole = automaton_of(netlist)
    small = whole.smallest()
    assert small.states <= whole.states <= 8
    assert counterexample(netlist, 0, lambda s, x: (small.after[s, x[0]], small.outputs[s, x[0]])) is None
    again = small.smallest()
    np.testing.assert_array_equal(again.after, small.after)
    np.testing.assert_array_equal(again.outputs, small.outputs)
    futures = set()  # states that words tell apart: as many as there are different answers to all words after them
    for state in range(whole.states):
        here, said = np.array([state] * 256), []
        for time in range(8):
            letter = np.arange(256) >> time & 1
            said.append(whole.outputs[here, letter, 0])
            here = whole.after[here, letter]
        futures.add(np.stack(said).tobytes())
    assert small.states == len(futures)


@pytest.mark.parametrize("seed", range(6))
def test_a_counterexample_is_a_shortest_one(seed):
    machine = StateMachine(1, 2, 1)
    tables = random_tables(seed, 3, 8)
    left = machine.circuit(tables)
    changed = tables.copy()
    changed[2, np.random.default_rng(seed).integers(8)] ^= 1
    right = machine.circuit(changed)
    other = automaton_of(right)
    word = counterexample(left, 0, lambda s, x: (other.after[s, x[0]], other.outputs[s, x[0]]))
    lengths = [n for n in range(1, 9) if (language(left, n, 1) != language(right, n, 1)).any()]
    assert (word is None) == (not lengths)
    if word is not None:
        assert len(word) == lengths[0]
        place = int("".join(map(str, word[:, 0])), 2)
        assert (language(left, len(word), 1)[place] != language(right, len(word), 1)[place]).any()


def test_what_is_no_machine():
    circuit = StateMachine(1, 1, 1).circuit([[0, 1, 1, 0]] * 2)
    with pytest.raises(OperationError, match="the circuit has 1 bits of output; the reference gave"):
        counterexample(circuit, 0, lambda s, x: (0, (0, 1)))
    with pytest.raises(OperationError, match="more than 50 pairs of a state"):
        counterexample(circuit, (0, 0), lambda s, x: ((s[0] + 1, s[1] ^ x[0]), (s[1] ^ x[0],)), most=50)
    with pytest.raises(OperationError, match="more than 1 states are reached"):
        automaton_of(circuit, most=1)
    gate = StateMachine(1, 0, 1)
    with pytest.raises(OperationError, match="netlist with registers; this one has none"):
        automaton_of(Netlist((), [], [], [], [], ()))
    assert gate.circuit([[0, 1]]).state_bits == 0
    wide = registers(layers.table_layer(14, 1, arity=2), 1)
    with pytest.raises(OperationError, match="at most 12 bits of input; got 13"):
        automaton_of(sequential_circuit(wide, [[[0, 1, 1, 0]]]))


# Errors


def test_the_best_copy_is_found_on_words_that_are_there():
    machine, words = StateMachine(1, 1, 1, copies=2), np.zeros((2, 3, 1), np.uint8)
    stream = cl.Stream(lambda epoch: iter([(words, words)]), 1, words, words)
    result = cl.fit(machine.learner(3), stream, epochs=1)
    with pytest.raises(DataError, match="train on Data, words and answers as arrays"):
        machine.best(result)


def test_words_of_different_lengths():
    x, y = word_pairs([[0, 1], [1, 1]], [[[0], [1]], [[1], [0]]])
    assert x.shape == y.shape == (2, 2, 1)
    for words, said, message in (
        ([[0, 1], [1]], [[0, 1], [1]], "word 1 has 1 places and word 0 has 2"),
        ([[0, 1]], [[0, 1, 1]], "word 0 has 2 places and the answer to it has 3"),
        ([[0, 1]], [], "there are 1 words and 0 answers"),
        ([], [], "no words to learn from"),
        ([[0, 2]], [[0, 1]], "a word is a sequence of bits"),
        ([[0, 1]], [[0, np.nan]], "an answer is a sequence of bits"),
        ([[[0, 1]], [[0]]], [[0], [1]], "word 1 has 1 bits a place, and word 0 has 2"),
    ):
        with pytest.raises(DataError, match=message):
            word_pairs(words, said)


def test_bodies_and_states_that_do_not_fit():
    body = layers.table_layer(3, 2, arity=2)
    with pytest.raises(CompositionError, match="3 bits of registers gives one vector of bits, at least 3"):
        registers(body, 3)
    with pytest.raises(CompositionError, match="takes one vector of bits, at least 4"):
        registers(body, 4)
    with pytest.raises(CompositionError, match="takes one vector of bits"):
        registers(layers.dense(3, 3), 1)
    with pytest.raises(OperationError, match="integer of at least 0; got -1"):
        registers(body, -1)
    with pytest.raises(OperationError, match=r"as 2 bits, one for each; got \[0, 1, 1\]"):
        registers(body, 2, [0, 1, 1])
    with pytest.raises(OperationError, match="registers start as one bit"):
        StateMachine(1, 1, 1, initial=2)
    with pytest.raises(OperationError, match="at most 8 bits; 7 of state and 2 of input"):
        StateMachine(2, 7, 1)
    with pytest.raises(OperationError, match="needs copies, an integer of at least 1; got 0"):
        StateMachine(1, 1, 1, copies=0)
    with pytest.raises(OperationError, match="needs state, an integer of at least 0; got True"):
        StateMachine(1, True, 1)
    with pytest.raises(OperationError, match="a limit, an integer of at least 1; got 0"):
        limit_votes(2, 0)
    with pytest.raises(InputError, match="shape"):
        StateMachine(1, 1, 1).causal().run([[0, 1]], parameters=[[[0] * 4] * 2])


# The model files


def command(*arguments, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, "-m", "catlearn.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        check=False,
        timeout=300,
    )


def test_a_machine_that_is_not_known(tmp_path):
    done = command("train", ROOT / "models/state_machine.py", "--set=MACHINE=parrot", folder=tmp_path)
    assert done.returncode == 1
    assert "no machine is called 'parrot': did you mean 'parity'?" in done.stderr


@needs_icarus
def test_a_model_file_is_exported_as_the_circuit_that_it_makes(tmp_path):
    small = [f"--set={text}" for text in ("MACHINE=parity", "STATE=1", "COPIES=4", "EPOCHS=4")]
    done = command("export", ROOT / "models/state_machine.py", *small, "-o", "parity.v", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "parity.v").read_text()
    assert "1 bits of state" in text
    (tmp_path / "bench.v").write_text(
        """module bench;
  reg clk = 0, reset = 1; reg [0:0] x = 0; wire [0:0] y, state; integer k;
  circuit circuit(.clk(clk), .reset(reset), .x(x), .state(state), .y(y));
  initial begin
    #1 clk = 1; #1 clk = 0; reset = 0;
    for (k = 0; k < 8; k = k + 1) begin x = 29 >> k; #1 $write("%b", y); clk = 1; #1 clk = 0; end
  end
endmodule
"""
    )
    subprocess.run(["iverilog", "-o", "bench", "bench.v", "parity.v"], cwd=tmp_path, check=True)
    shown = subprocess.run(["vvp", "-n", "bench"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert shown.strip() == "".join(str(bin(29 & (2 << k) - 1).count("1") % 2) for k in range(8))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("netlist = 3", "netlist in model.py must be a function netlist(result); got 3"),
        ("netlist = lambda result: 3", "netlist(result) in model.py must return a catlearn.netlist.Netlist; got 3"),
    ],
)
def test_a_model_file_that_makes_no_circuit(line, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "models/state_machine.py").read_text()
    Path("model.py").write_text(text + f"\n\nepochs = 0\n{line}\n")
    with pytest.raises(ModelFileError) as caught:
        circuit_or_learner(Path("model.py"), {"COPIES": "1"}, None, False)
    assert str(caught.value) == message


def test_a_learner_of_a_machine_is_saved_and_loaded(tmp_path):
    x = np.random.default_rng(0).integers(0, 2, (16, 5, 1))
    y = x.cumsum(axis=1) % 2
    result = cl.fit(StateMachine(1, 1, 1, 4).learner(5), cl.Data(x, y, x, y), epochs=1, batch_size=8)
    result.save(tmp_path / "machine.safetensors")
    loaded = cl.load(tmp_path / "machine.safetensors")
    np.testing.assert_array_equal(loaded.predict(x), result.predict(x))
    right = (np.asarray(result.predict(x)).reshape(16, 5, 4, 1) == y[:, :, None]).all(axis=(1, 3)).mean()
    assert result.test_accuracy == pytest.approx(100 * right)
