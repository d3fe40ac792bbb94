"""Trained circuits and their learners in hardware: by Icarus, compiled C and Yosys, beside `predict` and `step`.

What is compared with a circuit here never was a circuit: the result's own `predict`, the learner's step under the exact
functor and under the kernels, `fit` itself, and addition. Where a tool is missing its tests skip and say so.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer.testing

import catlearn as cl
from catlearn import count_losses, counters, export_command, images, layers
from catlearn.checkpoints import load
from catlearn.cli import app
from catlearn.exporting import circuit_of
from catlearn.functors import Bits, Exact
from catlearn.functors.bits import available
from catlearn.gates import Gates
from catlearn.hardware import blif, compile_c, equivalent, from_function, read_blif, simulate, synthesise, verilog
from catlearn.model_file import Source, train_model
from catlearn.netlist import Port, evaluate
from catlearn.packed import Packed
from catlearn.simplification import simplified

MODELS = Path(__file__).resolve().parents[1] / "models"
icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed")
compiles = pytest.mark.skipif(not (shutil.which("gcc") or shutil.which("cc")), reason="no C compiler is installed")
RUNS = {"icarus": pytest.param(simulate, marks=icarus), "c": pytest.param(lambda n, r: compile_c(n)(r), marks=compiles)}
kernels = pytest.mark.skipif(not available(), reason="numba is not installed")


def numbers(bits, ports):
    """The numbers (rows, count) of each port, from rows of bits."""
    result, start = {}, 0
    for port in ports:
        part = bits[:, start : start + port.bits].reshape(len(bits), port.count, port.width).astype(np.int64)
        weights = 2 ** np.arange(port.width)
        weights[-1] *= -1 if port.signed else 1
        result[port.name] = part @ weights
        start += port.bits
    return result


def bits_of(values, port):
    """Arrays (rows, ..) of numbers as rows of the port's bits."""
    flat = np.asarray(values, np.int64).reshape(len(values), port.count, 1)
    return (flat >> np.arange(port.width) & 1).reshape(len(values), port.bits).astype(np.uint8)


def trained(name, epochs=None, **constants):
    """The result of a model file's own training with some constants replaced."""
    source = Source.read(MODELS / f"{name}.py")
    source.replace({key: str(value) for key, value in constants.items()})
    with source.importable() as module:
        source.run(module)
        return train_model(source, vars(module), (epochs, None, None), {}, None)[1]


def learner_in(name, **constants):
    """The learner of a model file with some constants replaced, not trained."""
    return export_command.read(MODELS / f"{name}.py", {key: str(value) for key, value in constants.items()}, None, True)


# The circuit of handwritten digits


@pytest.fixture(scope="module")
def digits():
    return trained("digits_circuit", epochs=8, TABLES=100)


@pytest.fixture(scope="module")
def digit_rows(digits):
    """More than 10,000 rows: corners, those with a single 1 or 0, the test rows, and random ones of every density."""
    width, random = digits.learner.model.dom[0].size, np.random.default_rng(0)
    one = np.eye(width, dtype=np.uint8)
    made = random.random((9_500, width)) < random.random((9_500, 1))
    corners = [np.zeros((1, width), np.uint8), np.ones((1, width), np.uint8), one, 1 - one]
    return np.concatenate([*corners, digits.data.test_inputs.astype(np.uint8), made.astype(np.uint8)])


@pytest.fixture(scope="module")
def digit_counts(digits, digit_rows):
    return digits.predict(digit_rows)


def test_there_is_something_to_compare(digits, digit_rows, digit_counts):
    assert len(digit_rows) >= 10_000
    assert digits.test_accuracy > 60
    assert len(np.unique(digit_counts.argmax(1))) == 10
    assert len(np.unique(digit_counts, axis=0)) > 5_000


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("small", [False, True], ids=["as trained", "simplified"])
def test_digits_in_hardware_count_as_predict_does(run, small, digits, digit_rows, digit_counts):
    netlist = simplified(circuit_of(digits)) if small else circuit_of(digits)
    assert (numbers(run(netlist, digit_rows), netlist.results)["counts"] == digit_counts).all()


@pytest.mark.parametrize("engine", ["jax", pytest.param("numba", marks=kernels)])
def test_digits_run_packed_count_as_predict_does(engine, digits, digit_rows, digit_counts):
    netlist = simplified(circuit_of(digits))
    assert (numbers(Packed(netlist, engine)(digit_rows), netlist.results)["counts"] == digit_counts).all()


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_digits_in_hardware_name_the_class(run, digits, digit_rows, digit_counts):
    netlist = simplified(circuit_of(digits, output="class"))
    assert [(port.name, port.bits) for port in netlist.results] == [("class", 4)]
    assert (numbers(run(netlist, digit_rows), netlist.results)["class"][:, 0] == digit_counts.argmax(1)).all()


@icarus
def test_digits_in_a_pipeline_count_as_predict_does(digits, digit_rows, digit_counts):
    netlist = simplified(circuit_of(digits))
    got = simulate(netlist, digit_rows[:2_000], pipeline=3)
    assert (numbers(got, netlist.results)["counts"] == digit_counts[:2_000]).all()


def test_digits_written_as_blif_and_read_again(digits, digit_rows, digit_counts):
    netlist = simplified(circuit_of(digits))
    again = read_blif(blif(netlist))
    assert (numbers(evaluate(again, digit_rows), netlist.results)["counts"] == digit_counts).all()


def test_yosys_proves_the_simplified_digits_equal_and_finds_a_changed_table(digits, digit_rows):
    whole = circuit_of(digits)
    small = simplified(whole)
    assert equivalent(whole, small) is True
    moved = [g for g in range(len(small.tables)) if changes(small, g, digit_rows[-500:])]
    wrong = changed(small, moved[len(moved) // 2])
    difference = equivalent(whole, wrong)
    assert not difference
    assert (evaluate(whole, difference.rows)[0] == difference.left).all()
    assert (evaluate(wrong, difference.rows)[0] == difference.right).all()
    assert (difference.left != difference.right).any()


def changed(netlist, gate, entry=5):
    """The netlist with one entry of one table the other way."""
    tables = netlist.tables.copy()
    tables[gate] ^= np.uint64(1 << entry % (1 << int(netlist.arity[gate])))
    return replace(netlist, tables=tables)


def changes(netlist, gate, rows):
    """Whether that matters for an output."""
    return gate % 40 == 7 and (evaluate(changed(netlist, gate), rows) != evaluate(netlist, rows)).any()


def test_synthesis_of_digits_says_what_they_need(digits):
    netlist = simplified(circuit_of(digits))
    found = synthesise(verilog(netlist), lut=6)
    assert 200 < found.tables <= len(netlist.tables)  # every table has at most six inputs, so more are not needed
    assert found.tables < found.gates < 30 * len(netlist.tables)
    assert str(found).startswith(f"{found.gates} gates of two inputs and {found.inverters} inverters")
    assert found.registers == 0


# Circuits that train themselves

SMALL = layers.table_layer(6, 8, arity=3) >> layers.table_layer(8, 8, arity=2, seed=1) >> layers.group_sum(8, 2)
TINY = layers.table_layer(4, 4, arity=2) >> layers.group_sum(4, 2)
LEARNERS = {
    "softmax": cl.supervised(SMALL, count_losses.count_softmax(8, 1.0), counters.saturating(12)),
    "margin": cl.supervised(SMALL, count_losses.count_margin(1), counters.saturating(7, 2)),
}
STEPS = 1_000


def lesson(learner, steps=STEPS, seed=0):
    """Random rows and their labels, which the rows determine but for some noise, so that the state never rests."""
    random, width = np.random.default_rng(seed), learner.model.dom[0].size
    x = random.integers(0, 2, (steps, width))
    y = (x[:, 0] & x[:, 1] | x[:, 2]) ^ (random.random(steps) < 0.02)
    return x.astype(np.uint8), y.astype(np.int64)


def states_of(learner, x, y, functor):
    """The state after each step, and what was predicted before it, by the learner's own diagrams."""
    step, predict = functor(learner.step()), functor(learner.prediction())
    state, settings = learner.initial(0), tuple(learner.hyperparameters.values())
    after, shown = [], []
    for row, label in zip(x, y, strict=True):
        shown.append(np.asarray(predict(*state, row, *settings)))
        state = step(*state, label, row, *settings)
        state = state if isinstance(state, tuple) else (state,)
        after.append([np.asarray(value).astype(np.int64).ravel() for value in state])
    return [np.stack(column) for column in zip(*after, strict=True)], np.stack(shown)


@pytest.fixture(scope="module")
def lessons():
    made = {}
    for name, learner in LEARNERS.items():
        x, y = lesson(learner)
        made[name] = x, y, *states_of(learner, x, y, Exact())
    return made


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_in_hardware_takes_the_steps_of_the_learner(run, name, lessons):
    """Every register after every one of 1,000 steps, and the prediction before it."""
    x, y, states, shown = lessons[name]
    netlist = simplified(circuit_of(LEARNERS[name], learner=True))
    registers, (label, data) = netlist.inputs[: netlist.registers], netlist.inputs[netlist.registers :]
    got = numbers(run(netlist, np.concatenate([bits_of(y, label), bits_of(x, data)], axis=1)), netlist.results)
    assert [port.name for port in (label, data)] == ["y", "x"]
    for register, wanted in zip(registers, states, strict=True):
        assert (got[f"{register.name}_next"] == wanted).all()
        assert len(np.unique(wanted, axis=0)) > 50
    assert (got["counts"] == shown).all()
    right = shown.argmax(1) == (x[:, 0] & x[:, 1] | x[:, 2])
    assert right[-300:].mean() > 0.9 > right[:50].mean()


@kernels
@pytest.mark.parametrize("name", LEARNERS)
def test_the_kernels_take_the_same_steps(name, lessons):
    x, y, states, shown = lessons[name]
    found, predicted = states_of(LEARNERS[name], x[:200], y[:200], Bits())
    assert all((a == b[:200]).all() for a, b in zip(found, states, strict=True))
    assert (predicted == shown[:200]).all()


@pytest.mark.parametrize("name", LEARNERS)
def test_fit_row_by_row_ends_where_the_hardware_does(name, lessons):
    x, y, states, _ = lessons[name]
    result = cl.fit(LEARNERS[name], cl.Data(x, y, x, y), epochs=1, batch_size=1, seed=0, shuffle=False)
    assert all((np.asarray(a).ravel() == b[-1]).all() for a, b in zip(result.state, states, strict=True))
    going_on = circuit_of(result, learner=True)
    held = numbers(going_on.initial[None], going_on.inputs[: going_on.registers])
    assert all((a[0] == b[-1]).all() for a, b in zip(held.values(), states, strict=True))


@pytest.mark.parametrize("loss", [count_losses.count_margin(1), count_losses.count_softmax(4, 1.0)], ids=LEARNERS)
def test_yosys_proves_the_simplified_learner_equal(loss):
    whole = circuit_of(cl.supervised(TINY, loss, counters.saturating(3)), learner=True)
    small = simplified(whole)
    assert equivalent(whole, small) is True
    assert synthesise(small, lut=6).registers == small.state_bits == 16 * 3  # 16 counters from -3 to 3


def test_yosys_finds_a_changed_table_of_a_learner():
    """What it finds is a lesson after which, and none before, the two predict otherwise."""
    whole = simplified(
        circuit_of(cl.supervised(TINY, count_losses.count_margin(1), counters.saturating(3)), learner=True)
    )
    held, rows = whole.state_bits, np.random.default_rng(0).integers(0, 2, (300, whole.input_bits))
    counts = [evaluate(changed(whole, g), rows) != evaluate(whole, rows) for g in range(len(whole.tables))]
    gate = next(g for g, moved in enumerate(counts) if moved[:, :held].any() and not moved[:, held:].any())
    difference = equivalent(whole, changed(whole, gate))
    assert not difference
    assert len(difference.rows) >= 2
    shown = [netlist_run(netlist, difference.rows) for netlist in (whole, changed(whole, gate))]
    assert (shown[0][:-1] == shown[1][:-1]).all()
    assert (shown[0][-1] == difference.left).all()
    assert (shown[1][-1] == difference.right).all()


def netlist_run(netlist, rows):
    """The outputs that are no registers, step by step from the initial state, by definition."""
    state, outputs = netlist.initial, []
    for row in rows:
        out = evaluate(netlist, [[*state, *row]])[0]
        state = out[: netlist.state_bits]
        outputs.append(out[netlist.state_bits :])
    return np.array(outputs)


@kernels
@compiles
@pytest.mark.slow
def test_a_learner_of_digits_in_c_takes_the_steps_of_the_learner():
    """1,000 steps on real rows: thousands of registers, equal after every step."""
    learner, rows = learner_in("digits_circuit", TABLES=40), images.digits()
    x = (rows.train_inputs[:STEPS, :, :, None] > np.array([2, 5, 8, 11, 14]) / 16).reshape(STEPS, -1).astype(np.uint8)
    y = np.asarray(rows.train_targets[:STEPS])
    states, shown = states_of(learner, x, y, Bits())
    netlist = circuit_of(learner, learner=True)
    label, given = netlist.inputs[netlist.registers :]
    out = compile_c(netlist)(np.concatenate([bits_of(y, label), bits_of(x, given)], axis=1))
    got = numbers(out, netlist.results)
    for register, wanted in zip(netlist.inputs[: netlist.registers], states, strict=True):
        assert (got[f"{register.name}_next"] == wanted).all()
    assert (got["counts"] == shown).all()


# Circuits that are known


def command(*arguments):
    result = typer.testing.CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def adder(tmp_path_factory):
    """The learnt adder as it comes out of the program: trained, saved, exported as BLIF, read again."""
    folder = tmp_path_factory.mktemp("adder")
    said = command("train", MODELS / "adder.py", "--save", folder / "adder.safetensors")
    assert "0 of 65536 sums of two numbers of 8 bits are wrong" in said
    assert "test accuracy   100.0 %" in said
    command("export", folder / "adder.safetensors", "--to", "blif", "-o", folder / "adder.blif")
    assert load(folder / "adder.safetensors").steps == 320
    return read_blif(folder / "adder.blif")


def by_ripple(width):
    """The adder that catlearn's own arithmetic on nets builds."""
    gates = Gates((Port("a", 1, width), Port("b", 1, width)))
    a, b = (gates.unsigned(nets) for nets in gates.inputs)
    total = gates.add(a, b, width + 2)[..., : width + 1]
    return gates.netlist(total, (Port("y", width + 1),))


def by_table(width):
    """The adder of a Python function."""

    def added(*bits):
        a, b = (sum(bit << k for k, bit in enumerate(part)) for part in (bits[:width], bits[width:]))
        return [a + b >> k & 1 for k in range(width + 1)]

    return from_function(added, 2 * width, width + 1)


@pytest.mark.parametrize("built", [by_ripple, by_table])
def test_the_learnt_adder_is_proved_to_be_one(built, adder):
    assert equivalent(adder, built(4)) is True


def test_what_is_no_adder_is_not_proved_to_be_one(adder):
    wrong = changed(adder, len(adder.tables) - 1)
    difference = equivalent(wrong, by_table(4))
    (a, b), total = (difference.rows.reshape(2, 4) @ 2 ** np.arange(4)), difference.right @ 2 ** np.arange(5)
    assert a + b == total != difference.left @ 2 ** np.arange(5)


def test_the_learnt_adder_adds_all_numbers(adder):
    a, b = np.divmod(np.arange(256), 16)
    rows = np.concatenate([a[:, None] >> np.arange(4) & 1, b[:, None] >> np.arange(4) & 1], axis=1)
    assert (evaluate(adder, rows) @ 2 ** np.arange(5) == a + b).all()


@compiles
def test_the_learnt_rotor_turns_all_letters():
    netlist = simplified(circuit_of(trained("mod_circuit")))
    wiring = np.array([ord(letter) - 65 for letter in "EKMFLGDQVZNTOWYHXUSPAIBRCJ"])
    x, k = np.divmod(np.arange(26**2), 26)
    out = compile_c(netlist)(bits_of(np.stack([x, k], axis=1), netlist.inputs[0]))
    assert (numbers(out, netlist.results)["y"][:, 0] == (wiring[(x + k) % 26] - k) % 26).all()


@compiles
@pytest.mark.parametrize("constants", [{"TABLES": 60, "ARITY": 2, "LAYERS": 3, "RESCALE": 2}, {"TABLES": 40}])
def test_a_circuit_of_mnist_that_is_not_trained(constants):
    learner = learner_in("mnist_circuit", **constants)
    netlist = simplified(circuit_of(learner))
    rows = np.random.default_rng(1).integers(0, 2, (50, 28 * 28 * 3))
    predict, settings = Exact()(learner.prediction()), tuple(learner.hyperparameters.values())
    wanted = [np.asarray(predict(*learner.initial(0), row, *settings)) for row in rows]
    assert (numbers(compile_c(netlist)(rows), netlist.results)["counts"] == wanted).all()
