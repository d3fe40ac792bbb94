"""CDL.*: free categories, interpretations and their losses, against hand-written JAX and brute force."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import catlearn as cl
from catlearn import layers, losses, optimisers
from catlearn.adversarial import adversarial, pair
from catlearn.assignment import by_name
from catlearn.errors import CompositionError, DataError, NotFiniteError, OperationError, UnknownNameError
from catlearn.para import Para, parametrised
from catlearn.semirings import BITS, INTEGERS, REAL
from catlearn.systems.schema import Edge, Path, Schema, tied
from catlearn.systems.schema_training import DISTANCES, GAMES, schema_learner, unpaired

N = cl.Space((), INTEGERS)
CYCLE = Schema({"f": ("X", "Y"), "g": ("Y", "X")}, ["f ; g = X", "g ; f = Y"])


def vector(size):
    return cl.Space(size, REAL)


def network(inputs, outputs):
    return layers.dense(inputs, 4, "tanh") >> layers.dense(4, outputs)


def critic(inputs):
    return network(inputs, 1) >> layers.reshape((1,), ())


def affine(name):
    """x -> w x + b on the integers."""
    return parametrised(name, {"w": N, "b": N}, N, lambda w, b, x: w * x + b)


# The free category


def test_a_schema_is_plain_data():
    schema = Schema({"f": ("X", "Y"), "g": ("Y", "X")}, ["f;g=X", " g ; f =Y "], isolated=["Z"])
    assert schema.objects == ("X", "Y", "Z")
    assert schema.edges == (Edge("f", "X", "Y"), Edge("g", "Y", "X"))
    assert [tuple(edge) for edge in schema.edges] == [("f", "X", "Y"), ("g", "Y", "X")]
    assert schema.equations == ("f ; g = X", "g ; f = Y")
    assert schema.relations[0] == (Path("X", "X", ("f", "g")), Path("X", "X"))
    assert eval(repr(schema)) == schema
    assert Schema({"f": ["X", "Y"]}) == Schema({"f": ("X", "Y")})
    assert schema != CYCLE


def test_adding_an_equation_is_one_line():
    more = CYCLE.with_equations("f ; g ; f = f")
    assert more.equations == (*CYCLE.equations, "f ; g ; f = f")
    assert CYCLE.equations == ("f ; g = X", "g ; f = Y")


def test_paths_are_the_free_category():
    f, g, one = CYCLE.path("f"), CYCLE.path("g"), CYCLE.path("X")
    assert f >> g == CYCLE.path("f;g") == CYCLE.path("f ; Y ; g ; X")
    assert one >> f == f == f >> CYCLE.path("Y")
    assert (f >> g) >> f == f >> (g >> f) != f
    assert (str(f >> g), str(one)) == ("f ; g", "X")
    assert eval(repr(f >> g)) == f >> g
    assert CYCLE.path(f >> g) == f >> g
    with pytest.raises(CompositionError, match=r"cannot compose paths: 'f' ends in Y and 'f ; g' starts in X"):
        f >> (f >> g)
    with pytest.raises(TypeError, match="unsupported operand"):
        f >> "g"


def random_schema(random):
    objects = [f"O{k}" for k in range(random.integers(1, 4))]
    ends = [tuple(str(o) for o in random.choice(objects, 2)) for _ in range(random.integers(1, 6))]
    return Schema({f"e{k}": pair_ for k, pair_ in enumerate(ends)}, isolated=objects)


def random_path(random, schema, length, start=None):
    path = schema.path(start or str(random.choice(schema.objects)))
    for _ in range(length):
        following = [e.name for e in schema.edges if e.source == path.target]
        path = path >> schema.path(str(random.choice(following))) if following else path
    return path


@pytest.mark.parametrize("seed", range(12))
def test_CDL_schema_a_path_is_run_edge_by_edge_with_one_parameter_an_edge(seed):
    """Random graphs, with loops and parallel edges: the composite against a loop over the edges."""
    random = np.random.default_rng(seed)
    schema = random_schema(random)
    maps = {edge.name: affine(edge.name) for edge in schema.edges}
    F = schema.interpret(dict.fromkeys(schema.objects, N), maps)
    values = {f"{edge.name}_0": {n: int(random.integers(-3, 4)) for n in "wb"} for edge in schema.edges}
    for length in (0, 1, 2, 5):
        path = random_path(random, schema, length)
        model = F.path(path)
        assert {name.split(".")[0] for name in model.names} == {f"{e}_0" for e in path.edges}
        assert len(model.names) == 2 * len(set(path.edges))
        x = wanted = int(random.integers(-3, 4))
        for edge in path.edges:
            wanted = values[f"{edge}_0"]["w"] * wanted + values[f"{edge}_0"]["b"]
        leaves = model.leaves({f"{e}_0": values[f"{e}_0"] for e in path.edges})
        assert int(model.morphism(*leaves, x)) == wanted
        after = random_path(random, schema, 3, path.target)
        assert F.path(path >> after) == tied(F.path(path) >> F.path(after))
    assert F.path(schema.objects[0]) == Para.of(cl.identity(N))


def test_CDL_schema_an_edge_used_thrice_gets_the_sum_of_three_changes():
    schema = Schema({"r": ("X", "X")})
    F = schema.interpret({"X": N}, {"r": affine("r")})
    thrice = F.path("r ; r ; r")
    assert thrice.names == ("r_0.w", "r_0.b")
    # w^3 x + w^2 b + w b + b at w, b, x = 2, 3, 5
    assert int(thrice.morphism(2, 3, 5)) == 61
    back = [int(v) for v in cl.reverse_derivative(thrice.morphism)(2, 3, 5, 1)]
    assert back == [3 * 4 * 5 + 2 * 2 * 3 + 3, 4 + 2 + 1, 8]
    second = cl.reverse_derivative(cl.reverse_derivative(thrice.morphism))(2, 3, 5, 1, 1, 0, 0)
    assert [int(v) for v in second[:3]] == [6 * 2 * 5 + 2 * 3, 2 * 2 + 1, 3 * 4]


def test_parallel_edges_of_one_map_have_parameters_of_their_own():
    one = affine("same")
    F = Schema({"f": ("X", "Y"), "h": ("X", "Y"), "g": ("Y", "X")}).interpret(
        {"X": N, "Y": N}, {"f": one, "h": one, "g": one}
    )
    both = F.together("f", "h", "g ; f")
    assert both.names == ("f_0.w", "f_0.b", "h_0.w", "h_0.b", "g_0.w", "g_0.b")
    x, y = 7, 11
    assert [int(v) for v in both.morphism(1, 2, 3, 4, 5, 6, x, y)] == [7 + 2, 21 + 4, 55 + 6 + 2]


def test_samples_come_in_the_order_of_the_objects_and_only_where_a_path_starts():
    schema = Schema({"f": ("A", "B"), "g": ("B", "C")})
    spaces = {name: vector(size) for size, name in enumerate("ABC", 1)}
    F = schema.interpret(spaces, {"f": network(1, 2), "g": network(2, 3)})
    assert F.together("g", "f").dom == (vector(1), vector(2))
    assert F.together("f ; g").dom == (vector(1),)
    assert F.together().dom == ()
    assert F.together("C", "A", "C").dom == (vector(1), vector(3))


def test_objects_of_no_wire_and_of_several():
    swap = cl.swap((N,), (N,))
    F = Schema({"s": ("X", "X"), "e": ("X", "I")}, ["s ; s = X"]).interpret(
        {"X": (N, N), "I": ()}, {"s": swap, "e": cl.discard((N, N))}
    )
    assert [int(v) for v in F.path("s ; s ; s").morphism(1, 2)] == [2, 1]
    assert F.path("s ; e").cod == ()
    assert F.path("I") == Para.of(cl.identity(()))


def test_edges_with_layers_inside_and_names_that_look_like_numbered_ones():
    F = Schema({"f": ("X", "X"), "f_0": ("X", "X")}).interpret(
        {"X": vector(2)}, {"f": network(2, 2), "f_0": network(2, 2)}
    )
    names = F.path("f ; f_0 ; f ; f_0").names
    assert len(names) == 8
    assert {name.split(".")[0] for name in names} == {"f_0", "f_0_0"}


# The learner


def jax_network(p, x):
    hidden = jnp.tanh(x @ p["dense_0.weight"] + p["dense_0.bias"])
    return hidden @ p["dense_1.weight"] + p["dense_1.bias"]


def jax_critic(q, x):
    return jax_network(q, x)[..., 0]


CLIMBED = {
    "wgan": lambda fake, real: real - fake,
    "minimax": lambda fake, real: jax.nn.log_sigmoid(real) + jax.nn.log_sigmoid(-fake),
    "non-saturating": lambda fake, real: jax.nn.log_sigmoid(real) + jax.nn.log_sigmoid(-fake),
    "least-squares": lambda fake, real: -((real - 1) ** 2) - fake**2,
}
OWN = {
    "non-saturating": lambda fake: jax.nn.log_sigmoid(fake),
    "least-squares": lambda fake: -((fake - 1) ** 2),
}
APART = {"l1": lambda x, y: abs(x - y).sum(-1), "squared": lambda x, y: ((x - y) ** 2).sum(-1)}


def cyclegan(game, distance, x, y):
    """What the critics climb, and what the edges descend, written by hand for one batch."""

    def judged(tree):
        f, g = tree["f_0"], tree["g_0"]
        fakes = {"X": jax_network(g, y), "Y": jax_network(f, x)}
        return [
            (jax_critic(tree[f"critic_{o}_0"], fakes[o]), jax_critic(tree[f"critic_{o}_0"], real))
            for o, real in (("X", x), ("Y", y))
        ]

    def climbed(tree):
        first, second = (CLIMBED[game](*both).mean() for both in judged(tree))
        return first + 2.0 * second

    def descended(tree):
        f, g = tree["f_0"], tree["g_0"]
        (fake_x, _), (fake_y, _) = judged(tree)
        own = OWN.get(game)
        games = -(own(fake_x).mean() + 2.0 * own(fake_y).mean()) if own else climbed(tree)
        there = APART[distance](jax_network(g, jax_network(f, x)), x).mean()
        back = APART[distance](jax_network(f, jax_network(g, y)), y).mean()
        return games + 3.0 * there + back

    return climbed, descended


@pytest.mark.parametrize(("game", "distance"), [(game, "squared" if game == "wgan" else "l1") for game in GAMES])
def test_CDL_cycle_every_change_is_that_of_jax_grad(game, distance):
    """Edges sum over both paths and the games, critics over the fakes and the reals."""
    random = np.random.default_rng(3)
    x, y = random.normal(size=(5, 2)), random.normal(size=(5, 3))
    F = CYCLE.interpret({"X": vector(2), "Y": vector(3)}, {"f": network(2, 3), "g": network(3, 2)})
    learner = schema_learner(
        F,
        optimisers.gd(0.1),
        critics={"X": critic(2), "Y": critic(3)},
        critic_optimiser=optimisers.gd(0.2),
        objective=game,
        distance=distance,
        weights={"f ; g = X": 3.0, "Y": 2},
    )
    start = [random.normal(size=v.shape) for v in learner.initial()]
    step = cl.functors.Jax("float64")(learner.step(5))
    after = learner.model.tree(step(*start, x, y, 0.2, 0.2, 0.1))
    tree = learner.model.tree(start)
    climbed, descended = cyclegan(game, distance, x, y)
    with jax.enable_x64(True):
        up, down = jax.jit(jax.grad(climbed))(tree), jax.jit(jax.grad(descended))(tree)
    assert set(tree) == {"f_0", "g_0", "critic_X_0", "critic_Y_0"}
    for layer, values in tree.items():
        rate, gradient = (0.2, up) if "critic" in layer else (-0.1, down)
        for name, value in values.items():
            wanted = value + rate * np.asarray(gradient[layer][name])
            np.testing.assert_allclose(after[layer][name], wanted, rtol=0, atol=1e-9, err_msg=f"{layer}.{name}")


def test_CDL_cycle_without_critics_all_descend_the_distances():
    random = np.random.default_rng(4)
    x, y = random.normal(size=(5, 2)), random.normal(size=(5, 3))
    F = CYCLE.interpret({"X": vector(2), "Y": vector(3)}, {"f": network(2, 3), "g": network(3, 2)})
    learner = schema_learner(F, optimisers.gd(0.1))
    assert list(learner.hyperparameters) == ["learning_rate"]
    tree = learner.model.tree(learner.initial(1))
    after = learner.model.tree(cl.functors.Jax("float64")(learner.step(5))(*learner.initial(1), x, y, 0.1))

    def descended(tree):
        f, g = tree["f_0"], tree["g_0"]
        there = abs(jax_network(g, jax_network(f, x)) - x).sum(-1).mean()
        return there + abs(jax_network(f, jax_network(g, y)) - y).sum(-1).mean()

    with jax.enable_x64(True):
        gradient = jax.jit(jax.grad(descended))(tree)
    for layer, name in itertools.product(tree, tree["f_0"]):
        wanted = tree[layer][name] - 0.1 * np.asarray(gradient[layer][name])
        np.testing.assert_allclose(after[layer][name], wanted, rtol=0, atol=1e-9)


def moved(learner, *rows, rates=(), seed=0):
    """The parameters after one step of the batch, at the default rates."""
    state, rates = learner.initial(seed), rates or tuple(learner.hyperparameters.values())
    step = cl.functors.Jax("float64")(learner.step(len(rows[0])))(*state, *rows, *rates)
    return learner.model.tree(step if isinstance(step, tuple) else (step,))


def test_GAN_comp_a_schema_of_one_edge_is_an_adversarial_pair():
    generator, judge = network(3, 2), critic(2)
    F = Schema({"g": ("Z", "X")}).interpret({"Z": vector(3), "X": vector(2)}, {"g": generator})
    random = np.random.default_rng(5)
    z, x = random.normal(size=(5, 3)), random.normal(size=(5, 2))
    for objective in ("wgan", "minimax", "non-saturating", lambda fake, real: real * fake - fake):
        ours = schema_learner(F, optimisers.gd(0.1), critics={"X": judge}, objective=objective)
        theirs = adversarial(generator, judge, objective, optimisers.gd(0.1), optimisers.gd(0.1))
        one, other = moved(ours, z, x), moved(theirs, z, x)
        for mine, yours in (("g_0", "generator_0"), ("critic_X_0", "critic_0")):
            for name, value in one[mine].items():
                np.testing.assert_allclose(value, other[yours][name], rtol=0, atol=1e-12)
    assert pair(generator, judge).cod == (cl.Space((), REAL),) * 2


def test_pairing_does_not_matter_shuffling_one_set_changes_no_step():
    F = CYCLE.interpret({"X": vector(2), "Y": vector(3)}, {"f": network(2, 3), "g": network(3, 2)})
    learner = schema_learner(F, optimisers.gd(0.1), critics={"X": critic(2), "Y": critic(3)})
    random = np.random.default_rng(6)
    x, y = random.normal(size=(5, 2)), random.normal(size=(5, 3))
    one, other = moved(learner, x, y), moved(learner, x, y[random.permutation(5)])
    for layer, values in one.items():
        for name, value in values.items():
            np.testing.assert_allclose(value, other[layer][name], rtol=0, atol=1e-12)


def test_an_involution_is_learnt_from_its_equation():
    """r ; r = X and r = s for a given s on a line: the reflection that agrees with it."""
    schema = Schema({"r": ("X", "X")}, ["r ; r = X"])
    F = schema.interpret({"X": vector(2)}, {"r": layers.linear(2, 2)})
    learner = schema_learner(F, optimisers.adam(0.02), distance="squared")
    rows = np.random.default_rng(7).normal(size=(64, 2)).astype(np.float32)
    result = cl.fit(learner, cl.Data(rows, (), rows[:0], ()), epochs=150, batch_size=16)
    matrix = result.parameters["r_0"]["weight"]
    np.testing.assert_allclose(matrix @ matrix, np.eye(2), atol=1e-2)
    np.testing.assert_allclose(F.run(result, "r ; r", rows), rows, atol=0.05)
    np.testing.assert_allclose(F.run(result, "r", rows), rows @ matrix, atol=1e-5)


def test_an_identity_loss_is_an_equation_with_an_inclusion():
    """i : Y -> X without parameters, i ; f = Y: f is to leave alone what is in Y already."""
    schema = Schema({"f": ("X", "Y"), "i": ("Y", "X")}, ["i ; f = Y"])
    F = schema.interpret({"X": vector(2), "Y": vector(2)}, {"f": layers.linear(2, 2), "i": cl.identity(vector(2))})
    learner = schema_learner(F, optimisers.gd(0.1), critics={"Y": critic(2)}, objective="wgan", weights={"Y": 0.0})
    random = np.random.default_rng(8)
    x, y = random.normal(size=(5, 2)), random.normal(size=(5, 2))
    weight = learner.model.tree(learner.initial())["f_0"]["weight"]
    wanted = weight - 0.1 * y.T @ np.sign(y @ weight - y) / 5
    np.testing.assert_allclose(moved(learner, x, y)["f_0"]["weight"], wanted, atol=1e-12)
    with pytest.raises(
        OperationError, match="the critic of X has nothing to judge: no edge with a parameter ends in X"
    ):
        schema_learner(F, optimisers.gd(0.1), critics={"X": critic(2)})


def test_an_equation_without_parameters_counts_and_moves_nothing():
    schema = Schema({"f": ("X", "X"), "n": ("X", "X")}, ["n ; n = X", "f ; n = n ; f"])
    negation = cl.trace(vector(2), lambda x: -x)
    F = schema.interpret({"X": vector(2)}, {"f": network(2, 2), "n": negation})
    alone = schema.interpret({"X": vector(2)}, {"f": network(2, 2), "n": negation})
    x = np.random.default_rng(9).normal(size=(5, 2))
    one = moved(schema_learner(F, optimisers.gd(0.1)), x)
    other = moved(schema_learner(alone, optimisers.gd(0.1), weights={"n ; n = X": 50}), x)
    for name, value in one["f_0"].items():
        np.testing.assert_allclose(value, other["f_0"][name], atol=1e-12)


def test_an_equation_of_a_path_with_itself_moves_nothing():
    F = Schema({"f": ("X", "Y")}, ["f = f"]).interpret({"X": vector(2), "Y": vector(2)}, {"f": network(2, 2)})
    learner = schema_learner(F, optimisers.gd(0.1))
    x = np.random.default_rng(10).normal(size=(5, 2))
    start = learner.model.tree(learner.initial())
    for name, value in moved(learner, x)["f_0"].items():
        np.testing.assert_array_equal(value, start["f_0"][name])


def test_frozen_edges_stay_and_edges_in_no_term_are_no_parameters():
    schema = Schema({"f": ("X", "Y"), "g": ("Y", "X"), "h": ("X", "Y")}, ["f ; g = X"])
    maps = {"f": network(2, 2), "g": network(2, 2).freeze(), "h": network(2, 2)}
    F = schema.interpret({"X": vector(2), "Y": vector(2)}, maps)
    learner = schema_learner(F, optimisers.gd(0.1))
    rows = np.ones((4, 2), np.float32)
    result = cl.fit(learner, cl.Data(rows, (), rows, ()), epochs=2, batch_size=2)
    start = learner.model.tree(learner.model.initial(0))
    assert set(result.parameters) == {"f_0", "g_0"}
    assert all(np.allclose(v, start["g_0"][name]) for name, v in result.parameters["g_0"].items())
    assert not np.allclose(result.parameters["f_0"]["dense_1.bias"], start["f_0"]["dense_1.bias"])
    with pytest.raises(DataError, match="missing"):
        F.run(result, "h", rows)


def test_optimisers_by_the_names_of_edges_and_critics_confined():
    F = CYCLE.interpret({"X": vector(2), "Y": vector(3)}, {"f": network(2, 3), "g": network(3, 2)})
    mixed = by_name({"f_0": optimisers.gd(0.0), "g_0": optimisers.gd(0.1)})
    boxed = optimisers.optimiser("boxed", optimisers.scale(0.1) >> cl.combinators.confine(-0.01, 0.01))
    learner = schema_learner(
        F, mixed, critics={"X": critic(2), "Y": critic(3)}, critic_optimiser=boxed, objective="wgan"
    )
    random = np.random.default_rng(11)
    stream = unpaired(random.normal(size=(9, 2)), random.normal(size=(20, 3)), batch_size=4)
    result = cl.fit(learner, stream, epochs=2, watch={"f ; g = X": np.mean, "critic_Y on f": np.mean})
    start = learner.model.tree(learner.initial())
    assert result.steps == 4
    assert all(np.allclose(v, start["f_0"][n], atol=1e-6) for n, v in result.parameters["f_0"].items())
    assert not np.allclose(result.parameters["g_0"]["dense_1.bias"], start["g_0"]["dense_1.bias"], atol=1e-6)
    assert max(abs(v).max() for v in result.parameters["critic_X_0"].values()) <= 0.01 + 1e-7
    assert set(result.history.watched) == {"f ; g = X", "critic_Y on f"}
    with pytest.raises(OperationError, match="all critics have one optimiser: give critic_optimiser="):
        schema_learner(F, mixed, critics={"X": critic(2)})


def test_what_is_random_in_an_edge_is_drawn_once_a_sample_and_fresh_after_training():
    schema = Schema({"g": ("I", "X")})
    F = schema.interpret({"I": (), "X": vector(2)}, {"g": layers.noise((3,)) >> network(3, 2)})
    learner = schema_learner(F, optimisers.gd(0.1), critics={"X": critic(2)})
    rows = np.random.default_rng(12).normal(size=(8, 2)).astype(np.float32)
    result = cl.fit(learner, cl.Data(rows, (), rows[:2], ()), epochs=1, batch_size=4)
    assert len(learner.auxiliary) == 1
    twice = F.together("g", "g")
    assert len([p for p in twice.parameters if p.role == "auxiliary"]) == 1
    made = F.run(result, "g", rows=5)
    assert made.shape == (5, 2)
    assert len(np.unique(made, axis=0)) == 5
    np.testing.assert_array_equal(made, F.run(result, "g", rows=5))
    assert not np.array_equal(made, F.run(result, "g", rows=5, seed=1))
    with pytest.raises(DataError, match="the path 'g' starts from an object of no wire: say how many rows="):
        F.run(result, "g")


def test_run_makes_rows_of_any_number_and_of_several_wires():
    two = layers.dense(2, 2) @ layers.dense(1, 1)
    schema = Schema({"f": ("X", "X")}, ["f ; f = X"])
    F = schema.interpret({"X": (vector(2), vector(1))}, {"f": two})
    rows = np.ones((3, 2), np.float32), np.ones((3, 1), np.float32)
    result = cl.fit(schema_learner(F, optimisers.gd(0.1)), cl.Data(rows, (), rows, ()), epochs=1, batch_size=3)
    made = F.run(result, "f", rows)
    assert [part.shape for part in made] == [(3, 2), (3, 1)]
    again = F.run(result.parameters, "f", rows)
    assert all(np.array_equal(a, b) for a, b in zip(made, again, strict=True))
    kept = F.run(result, "X", rows)
    assert all(np.array_equal(a, b) for a, b in zip(kept, rows, strict=True))
    assert F.run(result, "f ; f", tuple(part[:1] for part in rows))[0].shape == (1, 2)
    with pytest.raises(DataError, match="the path 'f' takes 2 arrays of samples, rows first; got 1"):
        F.run(result, "f", rows[0])
    with pytest.raises(DataError, match="takes 2 arrays of samples, rows first; got 2 without rows"):
        F.run(result, "f", (1.0, 2.0))


def test_a_trained_schema_is_saved_and_read_again(tmp_path):
    F = CYCLE.interpret({"X": vector(2), "Y": vector(3)}, {"f": network(2, 3), "g": network(3, 2)})
    learner = schema_learner(F, optimisers.adam(0.01), critics={"X": critic(2)})
    random = np.random.default_rng(13)
    x, y = random.normal(size=(8, 2)), random.normal(size=(8, 3))
    result = cl.fit(learner, cl.Data((x, y), (), (x, y), ()), epochs=1, batch_size=4)
    result.save(tmp_path / "schema.safetensors")
    again = cl.load(tmp_path / "schema.safetensors")
    assert again.learner.loss.labels(again.learner.model.cod) == ()
    np.testing.assert_array_equal(again.predict((x, y)), result.predict((x, y)))
    np.testing.assert_array_equal(F.run(again, "f ; g", x), F.run(result, "f ; g", x))


def test_other_distances_and_games_of_ones_own():
    F = Schema({"f": ("X", "Y")}, ["f = f"]).interpret({"X": vector(2), "Y": vector(2)}, {"f": network(2, 2)})
    learner = schema_learner(F, optimisers.gd(0.1), distance=lambda x, y: cl.functions.sum(x * y))
    x = np.ones((2, 2))
    made = np.asarray(F.path("f").batch(2).morphism(*learner.initial(), x))
    out = learner.model.batch(2).morphism(*learner.initial(), x)
    np.testing.assert_allclose(out, (made**2).sum(-1), rtol=1e-5)
    assert set(DISTANCES) == {"l1", "squared"}
    with pytest.raises(
        OperationError, match=r"the term 'f = f' must be one number, Space\(\(\), REAL\); got Space\(\(2"
    ):
        schema_learner(F, optimisers.gd(0.1), distance=lambda x, y: x - y)


def test_maps_over_bits_are_composed_and_their_votes_add_up():
    bit = cl.Space(4, BITS)
    F = Schema({"t": ("X", "X")}).interpret({"X": bit}, {"t": layers.table_layer(4, 4, arity=2, seed=1)})
    twice = F.path("t ; t")
    assert len(twice.names) == 1
    table = np.random.default_rng(14).integers(0, 2, twice.parameter[0].shape).astype(np.uint8)
    x = np.array([1, 0, 1, 1], np.uint8)
    once = F.path("t").morphism
    np.testing.assert_array_equal(twice.morphism(table, x), once(table, once(table, x)))
    votes = np.array([1, -1, 2, 0])
    first, back = cl.reverse_derivative(once)(table, once(table, x), votes)
    second, _ = cl.reverse_derivative(once)(table, x, back)
    total, _ = cl.reverse_derivative(twice.morphism)(table, x, votes)
    np.testing.assert_array_equal(total, first + second)


def test_unpaired_sets_are_shuffled_apart_and_each_row_comes_at_most_once():
    x, y = np.arange(10), (np.arange(7), np.arange(7) * 10)
    stream = unpaired(x, y, batch_size=3, seed=1)
    batches = list(stream.batches(0))
    assert len(batches) == 2
    for inputs, targets in batches:
        assert targets == ()
        assert [part.shape for part in inputs] == [(3,), (3,), (3,)]
        np.testing.assert_array_equal(inputs[1] * 10, inputs[2])
    seen = [np.concatenate([inputs[k] for inputs, _ in batches]) for k in (0, 1)]
    assert all(len(set(rows)) == 6 for rows in seen)
    assert not np.array_equal(seen[0], seen[1])
    again = next(iter(stream.batches(0)))
    np.testing.assert_array_equal(again[0][0], batches[0][0][0])
    assert not np.array_equal(next(iter(stream.batches(1)))[0][0], batches[0][0][0])
    whole = [row for epoch in range(30) for inputs, _ in stream.batches(epoch) for row in inputs[0]]
    assert set(whole) == set(range(10))


@pytest.mark.parametrize(("sets", "size"), [((), 1), ((np.ones(3),), 4), ((np.ones(3), np.ones(0)), 1)])
def test_sets_too_small_are_refused(sets, size):
    with pytest.raises(DataError, match=f"each set must fill a batch of {size} rows, at least one; the sets have"):
        unpaired(*sets, batch_size=size)
    with pytest.raises(DataError, match="each set must fill a batch of 0 rows"):
        unpaired(np.ones(3), batch_size=0)


def test_one_sample_is_a_batch_and_a_sample_that_is_no_number_stops_training():
    F = Schema({"r": ("X", "X")}, ["r ; r = X"]).interpret({"X": vector(2)}, {"r": network(2, 2)})
    learner = schema_learner(F, optimisers.gd(0.1))
    one = np.ones((1, 2), np.float32)
    assert cl.fit(learner, cl.Data(one, (), one, ()), epochs=1, batch_size=1).steps == 1
    with pytest.raises(NotFiniteError):
        cl.fit(learner, cl.Data(one * np.nan, (), one, ()), epochs=1, batch_size=1)
    with pytest.raises(DataError, match="the training set is empty"):
        cl.fit(learner, cl.Data(one[:0], (), one, ()), epochs=1, batch_size=1)


def test_the_training_step_has_a_derivative_of_its_own():
    """The step's reverse derivative, against finite differences of the step."""
    F = Schema({"r": ("X", "X")}, ["r ; r = X"]).interpret({"X": vector(1)}, {"r": layers.linear(1, 1)})
    step = schema_learner(F, optimisers.gd(0.1), distance="squared").step()
    run, back = (cl.functors.Jax("float64")(f) for f in (step, cl.reverse_derivative(step)))
    w, x, rate, h = np.array([[0.7]]), np.array([1.3]), 0.1, 1e-6
    numeric = (float(run(w + h, x, rate)[0, 0]) - float(run(w - h, x, rate)[0, 0])) / (2 * h)
    assert abs(float(back(w, x, rate, np.ones((1, 1)))[0][0, 0]) - numeric) < 1e-8


# What is wrong


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        (([("f", "X", "Y")],), OperationError, r"the edges of a schema are a dictionary such as \{'f': \('X', 'Y'\)\}"),
        (({"f": "XY"},), OperationError, "an edge goes from a source to a target, such as .* 'f' has 'XY'"),
        (({"f": ("X", "Y", "Z")},), OperationError, "an edge goes from a source to a target"),
        (({"f g": ("X", "Y")},), OperationError, "edges and objects are called by names such as f or X; got 'f g'"),
        (({"f": ("X", 1)},), OperationError, "edges and objects are called by names .* got 1"),
        (({"X": ("X", "Y")},), OperationError, "X is an edge and an object: give one of them another name"),
        (({"f": ("X", "Y")}, "f = f"), OperationError, "equations are a list of texts, such as"),
        (({"f": ("X", "Y")}, ["f"]), OperationError, "an equation is a text with two sides, .* got 'f'"),
        (({"f": ("X", "Y")}, ["f = f = f"]), OperationError, "an equation is a text with two sides"),
        (({"f": ("X", "Y")}, [3]), OperationError, "an equation is a text with two sides, .* got 3"),
        (({"f": ("X", "Y")}, ["f = "]), OperationError, "the identity of X is written 'X'; got ' '"),
        (({"f": ("X", "Y")}, ["f = h"]), UnknownNameError, "names 'h', which is no edge and no object: known are X, Y"),
        (
            ({"f": ("X", "Y")}, ["f ; f = X"]),
            CompositionError,
            "'f ; f' is no path: f ends in Y, and f, its part 2, starts in X",
        ),
        (
            ({"f": ("X", "Y"), "g": ("Y", "X")}, ["f = g"]),
            CompositionError,
            "the equation 'f = g' compares a path X -> Y with a path Y -> X: both sides must start and end at the same",
        ),
        (
            ({"f": ("X", "Y"), "g": ("Y", "X")}, ["f ; g = Y"]),
            CompositionError,
            "compares a path X -> X with a path Y -> Y",
        ),
    ],
)
def test_schemas_that_are_wrong(arguments, kind, text):
    with pytest.raises(kind, match=text):
        Schema(*arguments)


def test_an_empty_path_is_refused():
    with pytest.raises(OperationError, match="a path is written 'f ; g', and the identity of X is written 'X'; got ''"):
        CYCLE.path("")
    with pytest.raises(OperationError, match="got 3, which names neither"):
        CYCLE.path(3)
    with pytest.raises(UnknownNameError, match="'f ; ; g' names ''"):
        CYCLE.path("f ; ; g")


SPACES = {"X": vector(2), "Y": vector(3)}
MAPS = {"f": network(2, 3), "g": network(3, 2)}


@pytest.mark.parametrize(
    ("spaces", "maps", "kind", "text"),
    [
        ({"X": vector(2)}, MAPS, OperationError, "the object Y needs spaces: give one for each of X, Y"),
        ({**SPACES, "Z": vector(1)}, MAPS, UnknownNameError, "the schema has no object 'Z': known are X, Y"),
        (SPACES, {"f": network(2, 3)}, OperationError, "the edge g needs a map: give one for each of f, g"),
        (SPACES, {**MAPS, "ff": network(2, 3)}, UnknownNameError, "the schema has no edge 'ff': did you mean 'f'"),
        (
            SPACES,
            {**MAPS, "f": network(3, 3)},
            CompositionError,
            r"the map of f : X -> Y must start in X; the two: .*wire 0 is Space\(\(2,\), REAL\) on one side",
        ),
        (SPACES, {**MAPS, "f": network(2, 2)}, CompositionError, "the map of f : X -> Y must end in Y"),
        (SPACES, {**MAPS, "f": abs}, OperationError, "the edge f needs a Para such as layers.dense.* got <built-in"),
        (
            SPACES,
            {**MAPS, "f": Para((vector(2),), (vector(2),), cl.discard(vector(2)) @ cl.identity(vector(2)))},
            OperationError,
            "the parameters of edge f need names, to be tied by; see para.parametrised",
        ),
    ],
)
def test_interpretations_that_are_wrong(spaces, maps, kind, text):
    with pytest.raises(kind, match=text):
        CYCLE.interpret(spaces, maps)


def learner(**more):
    return schema_learner(CYCLE.interpret(SPACES, MAPS), optimisers.gd(0.1), **more)


@pytest.mark.parametrize(
    ("more", "kind", "text"),
    [
        (
            {"critics": {"W": critic(2)}},
            UnknownNameError,
            "a critic is given for 'W', which is no object: known are X, Y",
        ),
        ({"critics": {"X": critic(3)}}, CompositionError, "the critic of X judges its samples, but"),
        (
            {"critics": {"X": network(2, 1)}},
            OperationError,
            r"the critic of X must give one number, Space\(\(\), REAL\)",
        ),
        ({"critics": {"X": 3}}, OperationError, "the critic of X needs a Para such as"),
        (
            {"critics": {"X": cl.trace(vector(2), cl.functions.sum)}},
            OperationError,
            "the critic of X has no parameter to learn: give layers that have one",
        ),
        (
            {"objective": "wgn"},
            UnknownNameError,
            r"no objective is called 'wgn': did you mean 'wgan'\?, or give a function",
        ),
        ({"distance": "l3"}, UnknownNameError, "no distance is called 'l3': known are l1, squared, or give"),
        ({"weights": {"f;g = X": 2}}, UnknownNameError, "a weight is given for 'f;g = X', .* did you mean 'f ; g = X'"),
        ({"weights": {"X": 2}}, UnknownNameError, "which is no equation and no object with a critic"),
        ({"weights": {"f ; g = X": "2"}}, OperationError, "the weight of 'f ; g = X' must be a number of at least 0"),
        ({"weights": {"f ; g = X": -1}}, OperationError, "must be a number of at least 0; got -1"),
        ({"weights": {"f ; g = X": float("nan")}}, OperationError, "must be a number of at least 0; got nan"),
    ],
)
def test_learners_that_are_wrong(more, kind, text):
    with pytest.raises(kind, match=text):
        learner(**more)


def test_nothing_to_train():
    schema = Schema({"f": ("X", "X")})
    gd = optimisers.gd(0.1)
    with pytest.raises(OperationError, match="there is nothing to train: the schema has no equation, and no critic"):
        schema_learner(schema.interpret({"X": vector(2)}, {"f": network(2, 2)}), gd)
    fixed = schema.with_equations("f ; f = f").interpret({"X": vector(2)}, {"f": cl.identity(vector(2))})
    with pytest.raises(OperationError, match="there is nothing to train: no edge in an equation has a parameter"):
        schema_learner(fixed, gd)
    frozen = schema.with_equations("f = X").interpret({"X": vector(2)}, {"f": network(2, 2).freeze()})
    with pytest.raises(OperationError, match="there is nothing to train"):
        schema_learner(frozen, gd)


def test_an_edge_with_the_name_of_a_critic():
    schema = Schema({"f": ("X", "X"), "critic_X": ("X", "X")})
    F = schema.interpret({"X": vector(2)}, {"f": network(2, 2), "critic_X": network(2, 2)})
    with pytest.raises(OperationError, match="the critic's layer is called critic_X, and so is an edge"):
        schema_learner(F, optimisers.gd(0.1), critics={"X": critic(2)})


def test_distances_need_real_numbers():
    F = Schema({"f": ("X", "X")}, ["f ; f = X"]).interpret({"X": N}, {"f": affine("f")})
    with pytest.raises(OperationError, match=r"absolute|REAL"):
        schema_learner(F, optimisers.ga())
    assert losses.unlabelled.name == "unlabelled"
