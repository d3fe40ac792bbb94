"""Different optimisers for different parameters: against optax, against each alone, and what is refused."""

import jax
import numpy as np
import optax
import pytest

import catlearn as cl
from catlearn import layers, losses, optimisers
from catlearn.assignment import by_name, tensor
from catlearn.errors import OperationError, UnknownNameError
from catlearn.functors.jax import Jax
from catlearn.laws.updates import trajectory

x, v = cl.Space((), cl.REAL), cl.Space(3, cl.REAL)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return cl.datasets.Data(
        (rng.normal(size=(40, 2)),), (rng.normal(size=(40, 1)),), (rng.normal(size=(8, 2)),), (rng.normal(size=(8, 1)),)
    )


def model():
    return layers.dense(2, 3, "tanh") >> layers.dense(3, 1)


def test_OPT_tensor_against_optax(data):
    """Adam on one layer, momentum on the other's weight, plain descent on its bias: optax.multi_transform."""
    mixed = by_name(
        {
            "dense_1": optimisers.adam(0.01),
            "dense_0.weight": optimisers.momentum(0.05, 0.8),
            "*": optimisers.gd(0.1),
        }
    )
    network = model()
    learner = cl.supervised(network, losses.quadratic, mixed)
    result = cl.fit(learner, data, epochs=3, batch_size=8, seed=3, shuffle=False, backend=Jax("float64"))
    _, apply = network.to_jax("float64")
    with jax.enable_x64(True):
        parameters = network.tree(network.initial(3))
        kinds = {"dense_1": {"weight": "a", "bias": "a"}, "dense_0": {"weight": "m", "bias": "g"}}
        rule = optax.multi_transform(
            {"a": optax.adam(0.01), "m": optax.sgd(0.05, momentum=0.8), "g": optax.sgd(0.1)}, kinds
        )
        state = rule.init(parameters)

        def loss(parameters, inputs, targets):
            outputs = jax.vmap(lambda row: apply(parameters, row))(inputs)
            return 0.5 * ((outputs - targets) ** 2).sum(1).mean()

        (inputs,), (targets,) = data.train_inputs, data.train_targets
        for _ in range(3):
            for k in range(0, 40, 8):
                gradients = jax.grad(loss)(parameters, inputs[k : k + 8], targets[k : k + 8])
                changes, state = rule.update(gradients, state, parameters)
                parameters = optax.apply_updates(parameters, changes)
    for layer, values in result.parameters.items():
        for name, value in values.items():
            np.testing.assert_allclose(value, parameters[layer][name], rtol=1e-9, atol=1e-12)


def test_each_parameter_moves_as_it_does_alone():
    """The tensor with interleaved parameters, each one's path against its own optimiser's."""
    parts = {"a": optimisers.adam(0.1).transformation, "m": optimisers.momentum(0.2).transformation}
    choice = ["m", "a", "m", "a"]
    spaces = (x, v, v, x)
    whole = trajectory(optimisers.optimiser("mixed", tensor(parts, choice)), spaces, 2)
    rng = np.random.default_rng(1)
    values = [rng.normal(size=space.shape) for space in whole.dom]
    together = Jax("float64")(whole)(*values)[-4:]
    alone = {"a": optimisers.adam(0.1), "m": optimisers.momentum(0.2)}
    for k, (kind, space) in enumerate(zip(choice, spaces, strict=True)):
        path = Jax("float64")(trajectory(alone[kind], (space,), 2))
        np.testing.assert_allclose(together[k], path(*values[k::4])[-1], rtol=1e-12)


def test_the_look_ahead_of_one_part_stays_its_own():
    """Nesterov's get looks ahead on its own parameters alone."""
    parts = {"n": optimisers.nesterov(0.1, 0.5).transformation, "g": optimisers.gd(0.1).transformation}
    lens = optimisers.optimiser("mixed", tensor(parts, ["g", "n"])).bound((x, x))
    names = [wire.name for wire in optimisers.optimiser("", tensor(parts, ["g", "n"])).context((x, x)) if wire.stored]
    assert names == ["n.s_0"]
    place = [float(p) for p in Jax("float64")(lens.get)(2.0, 10.0, 20.0)]
    assert place == [10.0, 21.0]


def test_hyper_parameters_are_wires_with_names():
    learner = cl.supervised(
        model(), losses.quadratic, by_name({"*.bias": optimisers.gd(0.1), "dense_?": optimisers.momentum(0.2)})
    )
    assert learner.hyperparameters == {
        "*.bias.learning_rate": 0.1,
        "dense_?.learning_rate": 0.2,
        "dense_?.decay": 0.9,
    }


def test_one_optimiser_for_all_is_that_optimiser(data):
    plain = cl.supervised(model(), losses.quadratic, optimisers.adam(0.01))
    named = cl.supervised(model(), losses.quadratic, by_name({"*": optimisers.adam(0.01)}))
    runs = [cl.fit(each, data, epochs=1, batch_size=8, seed=1).parameters for each in (plain, named)]
    for layer, values in runs[0].items():
        for name, value in values.items():
            np.testing.assert_array_equal(value, runs[1][layer][name])


@pytest.mark.parametrize(
    ("rules", "error", "message"),
    [
        ({}, OperationError, "at least one optimiser"),
        ({"*": 3}, OperationError, "an optimiser for each pattern; got 3 for '\\*'"),
        ({"dense_0": optimisers.gd(0.1)}, UnknownNameError, "no optimiser is given for the parameter 'dense_1"),
        ({"dense_7": optimisers.gd(0.1), "*": optimisers.gd(0.1)}, UnknownNameError, "no parameter fits 'dense_7'"),
    ],
)
def test_mistakes(rules, error, message):
    with pytest.raises(error, match=message):
        cl.supervised(model(), losses.quadratic, by_name(rules))


def test_without_names_it_says_what_it_needs():
    with pytest.raises(OperationError, match="names of a model's parameters"):
        by_name({"*": optimisers.gd(0.1)}).lens((x,))
