"""Circuits of results and of learners, against the learner run in the exact functor."""

import numpy as np
import pytest

import catlearn
from catlearn import count_losses, counters, layers, losses, optimisers
from catlearn.datasets import Data
from catlearn.diagram import identity
from catlearn.errors import OperationError
from catlearn.exporting import circuit_of, first_largest
from catlearn.functors import Exact, Jax
from catlearn.layers.circuits import group_sum, or_pool, rescale_votes, select_wires, table_conv, table_layer
from catlearn.layers.tables import lookup_table
from catlearn.learner import supervised
from catlearn.netlist import evaluate
from catlearn.optimisers import optimiser
from catlearn.para import Para
from catlearn.semirings import BITS, INTEGERS, Z2, Modular
from catlearn.simplification import simplified
from catlearn.space import Space
from catlearn.tracing import trace


def to_bits(values, port):
    return (np.asarray(values, np.int64).reshape(-1, 1) >> np.arange(port.width) & 1).ravel()


def columns(bits, ports):
    """The numbers of each port, from rows of bits."""
    result, start = [], 0
    for port in ports:
        weights = 2 ** np.arange(port.width)
        weights[-1] *= -1 if port.signed else 1
        result.append(bits[:, start : start + port.bits].reshape(len(bits), port.count, port.width) @ weights)
        start += port.bits
    return result


def trained_by_hand(learner, steps, seed=0):
    """The states of an exact run from the start, and what was given at each step."""
    random, step = np.random.default_rng(seed), Exact()(learner.step())
    state, settings = learner.initial(0), tuple(learner.hyperparameters.values())
    labels = learner.loss.labels(learner.model.cod)
    states, given = [state], []
    for _ in range(steps):
        data = []
        for space in (*labels, *learner.model.dom):
            size = 2 if space.carrier.kind == "bit" else getattr(space.carrier, "size", None) or space.carrier.modulus
            data.append(random.integers(0, size, space.shape))
        after = step(*state, *data, *settings)
        state = after if isinstance(after, tuple) else (after,)
        states.append(state)
        given.append(data)
    return states, given


def check_learner(learner, steps=50, seed=0, also=True):
    """Every step of the circuit is that of the learner, from its start on, and it shows what the learner predicts."""
    netlist = circuit_of(learner, learner=True)
    states, given = trained_by_hand(learner, steps, seed)
    held, labels = len(states[0]), len(learner.loss.labels(learner.model.cod))
    assert netlist.registers == held
    first = np.concatenate([to_bits(v, p) for v, p in zip(states[0], netlist.inputs, strict=False)])
    assert (first == netlist.initial).all()
    rows = np.array(
        [
            np.concatenate([to_bits(v, p) for v, p in zip((*s, *d), netlist.inputs, strict=True)])
            for s, d in zip(states, given, strict=False)
        ]
    )
    predict = Exact()(learner.prediction())
    settings = tuple(learner.hyperparameters.values())
    moved = False
    for circuit in (netlist, simplified(netlist)) if also else (simplified(netlist),):
        got = columns(evaluate(circuit, rows), circuit.results)
        for k, (state, data, after) in enumerate(zip(states, given, states[1:], strict=False)):
            for column, value in zip(got, after, strict=False):
                assert column[k].tolist() == np.asarray(value).ravel().tolist()
            prediction = predict(*state, *data[labels:], *settings)
            assert got[-1][k].tolist() == np.asarray(prediction).ravel().tolist()
            moved |= any((np.asarray(a) != np.asarray(b)).any() for a, b in zip(state[-1:], after[-1:], strict=True))
    assert moved
    return netlist


def two_layers():
    first = table_layer(6, 8, arity=3)
    return first >> table_layer(8, 8, arity=3, seed=1) >> group_sum(8, 2)


SOFTMAX, MARGIN = count_losses.count_softmax(8, 2.0), count_losses.count_margin(2)
OPTIMISERS = {
    "saturating": counters.saturating(6),
    "saturating in stairs": counters.saturating(counters.stairs({0: 4, 7: 6, 20: 3}), 2),
    "accumulator": counters.accumulator(9),
    "majority": counters.majority(),
    "clipped": optimiser("clipped", counters.clip_votes(3) >> counters.count_votes(10)),
}


@pytest.mark.parametrize("loss", [SOFTMAX, MARGIN], ids=["softmax", "margin"])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_learner_of_tables_trains_itself(name, loss):
    netlist = check_learner(supervised(two_layers(), loss, OPTIMISERS[name]))
    shown = {port.name for port in netlist.inputs[netlist.registers :]}
    assert shown == {"x", "y"}
    assert [port.name for port in netlist.results[netlist.registers :]] == ["counts"]


@pytest.mark.parametrize(
    "rule",
    [counters.flipping(9, seed=5), optimiser("scaled", counters.scale_votes(3, 2) >> counters.count_votes(12))],
    ids=["flipping", "scaled"],
)
def test_what_looks_random_does_so_in_hardware(rule):
    model = table_layer(3, 2, arity=2) >> group_sum(2, 2)
    check_learner(supervised(model, MARGIN, rule), also=False)


@pytest.mark.parametrize("rule", [optimisers.reverse_derivative_ascent()])
def test_a_polynomial_circuit_trains_itself(rule):
    netlist = check_learner(supervised(lookup_table(3, 2), losses.exclusive_or, rule))
    assert [port.name for port in netlist.results[netlist.registers :]] == ["prediction"]


def test_other_layers_train_themselves():
    pooled = table_conv((3, 3, 1), 2, arity=3, patch=2) >> or_pool((2, 2, 2)) >> Para.of(flat((1, 1, 2)))
    check_learner(supervised(pooled >> group_sum(2, 2), SOFTMAX, counters.saturating(5)))
    chosen = select_wires(5, 4, 2) >> table_layer(4, 4, arity=2) >> group_sum(4, 2)
    check_learner(supervised(chosen, MARGIN, counters.saturating(5)))
    deep = table_layer(4, 4, arity=2) >> rescale_votes(4, 2) >> table_layer(4, 4, arity=2) >> group_sum(4, 2)
    check_learner(supervised(deep, SOFTMAX, counters.saturating(5)), steps=20, also=False)


def flat(shape):
    from catlearn import functions

    return trace(Space(shape, BITS), lambda x: functions.reshape(x, (int(np.prod(shape)),)))


def test_numbers_modulo_n_are_registers():
    space = Space((), Modular(5))
    model = catlearn.para.parametrised(
        "scale", {"w": catlearn.parameters.Parameter("w", space)}, space, lambda w, x: w * x + x
    )
    loss = losses.Loss("difference", lambda y, b: y - b, losses.constant_cap(1), lambda y, b: y == b)
    check_learner(supervised(model, loss, optimisers.ga()))


def data(rows=40, seed=0):
    random = np.random.default_rng(seed)
    x = random.integers(0, 2, (rows, 6))
    y = x[:, 0] & x[:, 1] | x[:, 2]
    return Data(x, y, x[:10], y[:10])


def test_a_result_is_a_circuit_that_predicts_as_it_does():
    learner = supervised(two_layers(), SOFTMAX, counters.saturating(8))
    result = catlearn.fit(learner, data(), batch_size=8, epochs=3, seed=1, backend=Jax())
    rows = np.array([[a >> k & 1 for k in range(6)] for a in range(64)])
    counts = np.asarray(result.predict(rows))
    netlist = circuit_of(result)
    assert [(p.name, p.bits) for p in netlist.inputs] == [("x", 6)]
    assert [p.name for p in netlist.results] == ["counts"]
    assert (columns(evaluate(netlist, rows), netlist.results)[0] == counts).all()
    chosen = circuit_of(result, output="class")
    assert [(p.name, p.width) for p in chosen.results] == [("class", 1)]
    assert (columns(evaluate(chosen, rows), chosen.results)[0].ravel() == counts.argmax(1)).all()
    small = simplified(chosen)
    assert len(small.tables) <= len(chosen.tables)
    assert (evaluate(small, rows) == evaluate(chosen, rows)).all()
    going_on = circuit_of(result, learner=True, output="class")
    assert (columns(going_on.initial[None], going_on.inputs[:1])[0] == np.asarray(result.state[0]).ravel()).all()
    assert going_on.results[-1].name == "class"


def test_a_learner_that_is_not_trained_starts_as_it_would():
    learner = supervised(two_layers(), SOFTMAX, counters.saturating(8))
    rows = np.random.default_rng(0).integers(0, 2, (20, 6))
    predict = Exact()(learner.prediction())
    out = evaluate(circuit_of(learner), rows)
    settings = tuple(learner.hyperparameters.values())
    wanted = [predict(*learner.initial(0), row, *settings).tolist() for row in rows]
    netlist = circuit_of(learner)
    assert columns(out, netlist.results)[0].tolist() == wanted


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8])
def test_the_first_largest(length):
    random = np.random.default_rng(length)
    place = Exact()(first_largest(length))
    for _ in range(40):
        x = random.integers(-2, 3, length)
        assert place(x) == x.argmax()


def dense():
    return supervised(layers.dense(3, 2), losses.mean_squared_error, optimisers.gd(0.1))


def endless():
    space = Space((), INTEGERS)
    model = catlearn.para.parametrised("w", {"w": catlearn.parameters.Parameter("w", space)}, (), lambda w: w)
    loss = losses.Loss("w", lambda y, b: b, losses.constant_cap(1), lambda y, b: y == b, label=lambda s: Space((), Z2))
    return supervised(model, loss, optimisers.ga())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: circuit_of(3), "made of a Result or a Learner; got 3"),
        (lambda: circuit_of(dense()), r"the node '.*->.*' giving .*REAL.* has no meaning in hardware"),
        (lambda: circuit_of(dense(), learner=True), r"the node '.*->.*' giving .*REAL.* has no meaning in hardware"),
        (lambda: circuit_of(dense(), output="label"), "'counts' or 'class'; got 'label'"),
        (lambda: circuit_of(supervised(lookup_table(2, 1), losses.exclusive_or, optimisers.ga()), output="class"),
         "place of the largest count"),
        (lambda: circuit_of(endless(), learner=True), "grow with every step"),
        (lambda: first_largest(0), "at least one integer; got 0"),
    ],
)  # fmt: skip
def test_what_is_no_circuit_is_refused(build, message):
    with pytest.raises(OperationError, match=message):
        build()


def test_random_keys_are_refused():
    dropped = layers.dropout(3, 0.5)
    with pytest.raises(OperationError, match="random keys have no meaning in hardware: the model draws from"):
        circuit_of(supervised(dropped, losses.mean_squared_error, optimisers.gd(0.1)), learner=True)


def test_a_learner_without_parameters():
    learner = supervised(Para.of(identity(Space(2, Z2))), losses.exclusive_or, optimisers.ga())
    netlist = circuit_of(learner, learner=True)
    assert (netlist.registers, len(netlist.tables)) == (0, 0)
