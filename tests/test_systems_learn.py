"""Learn: learners against jax.grad by hand, NumPy tables, and the composite's own learner; every refusal."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import catlearn as cl
from catlearn import functions, laws, layers, losses, optimisers
from catlearn.diagram import discard
from catlearn.errors import CompositionError, InputError, OperationError
from catlearn.functors import Exact, Jax
from catlearn.laws.learn import LEARN
from catlearn.lens import Lens, Sides
from catlearn.para import Para
from catlearn.systems import learn
from catlearn.systems.learn import LearnMorphism, gradient_learner

NUMBER, BIT = cl.Space((), cl.REAL), cl.Space((), cl.Z2)
ERRORS = {
    "quadratic": (learn.quadratic, lambda x, y: 0.5 * (x - y) ** 2),
    "hyperbolic": (learn.hyperbolic, lambda x, y: jnp.cosh(x - y) - 1.0),
    "logistic": (learn.logistic, lambda x, y: jnp.logaddexp(0.0, x) - x * y),
}


@pytest.mark.parametrize("name", ["Z4", "INTEGERS", "BITS", "SMOOTH"])
def test_the_laws_of_learn_hold(name):
    laws.check(laws.CATEGORIES[name], laws=LEARN, examples=3, strict=True)


def layer(inputs, outputs, activation):
    return layers.dense(inputs, outputs, activation)


def by_hand(parameters, x):
    """The network of the tests in JAX: (bias, weight) of both layers, the earlier first."""
    b, w, c, v = parameters
    return jnp.tanh(x @ w + b) @ v + c


@pytest.mark.parametrize("name", ERRORS)
def test_learners_made_apart_train_as_jax_grad_says_of_the_composite(name):
    with jax.enable_x64(True):
        error, value = ERRORS[name]
        rate, random = 0.05, np.random.default_rng(3)
        parts = gradient_learner(layer(3, 4, "tanh"), error, rate) >> gradient_learner(
            layer(4, 2, "identity"), error, rate
        )
        whole = gradient_learner(layer(3, 4, "tanh") >> layer(4, 2, "identity"), error, rate)
        assert parts.signature.names == whole.signature.names

        def total(parameters, x, y):
            return value(by_hand(parameters, x), y).sum()

        step, asked = jax.jit(jax.grad(total)), jax.jit(jax.grad(total, argnums=1))
        run = Jax("float64")
        update, request, own = run(parts.update), run(parts.request), run(whole.update)
        here = expected = mine = tuple(random.normal(size=s.shape) for s in parts.parameter)
        for _ in range(60):
            x, y = random.normal(size=3), random.uniform(0, 1, size=2)
            wanted = asked(expected, x, y)
            got = np.asarray(request(*here, x, y))
            slope = jax.vmap(jax.grad(value))(jnp.asarray(x), jnp.asarray(got))
            np.testing.assert_allclose(slope, wanted, rtol=1e-9, atol=1e-11)
            expected = [p - rate * g for p, g in zip(expected, step(list(expected), x, y), strict=True)]
            here, mine = update(*here, x, y), own(*mine, x, y)
            for a, b, c in zip(here, mine, expected, strict=True):
                np.testing.assert_allclose(a, c, rtol=1e-8, atol=1e-10)
                np.testing.assert_allclose(b, c, rtol=1e-8, atol=1e-10)


def test_by_the_wrong_request_composites_do_not_train_as_the_composite():
    """a - gradient is right for the quadratic error alone (LRN.invertibility)."""
    wrong = learn.Discrepancy("wrong", learn.hyperbolic.slope, lambda x, g: x - g)
    with pytest.raises(OperationError, match=r"the inverse given for 'wrong' is none: at x = .*LRN.invertibility"):
        gradient_learner(layer(3, 4, "tanh"), wrong)


def test_training_a_composite_by_fit_is_its_update_row_by_row():
    data = cl.datasets.iris()
    made = gradient_learner(layer(4, 6, "tanh"), rate=0.05) >> gradient_learner(layer(6, 3, "identity"), rate=0.02)
    result = cl.fit(made.to_learner(), data, epochs=1, batch_size=1, shuffle=False, precision="float64", seed=5)
    with jax.enable_x64(True):
        update = jax.jit(lambda state, x, y: Jax("float64").interpret(made.update, (*state, x, y)))
        state = tuple(jnp.asarray(v) for v in made.initial(5))
        for x, y in zip(data.train_inputs, data.train_targets, strict=True):
            state = update(state, jnp.asarray(x), jnp.asarray(y, float))
    for a, b in zip(result.state, state, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
    assert cl.fit(made.to_learner(), data, epochs=20, batch_size=1).test_accuracy > 85


def test_a_quadratic_learner_trains_as_the_supervised_one():
    """From one start: parameters come in Learn's order, and start by their number."""
    data, rate = cl.datasets.iris(), 0.05
    made = gradient_learner(layer(4, 6, "tanh") >> layer(6, 3, "identity"), rate=rate)
    model = Para(made.parameter, made.dom, made.implement, made.signature)
    usual = cl.supervised(model, losses.quadratic, optimisers.gd(rate))
    pair = [cl.fit(each, data, epochs=2, batch_size=1, precision="float64") for each in (made.to_learner(), usual)]
    for mine, theirs in zip(pair[0].state, pair[1].state, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-10)


def test_a_batch_adds_up_what_its_rows_ask_for():
    data = cl.datasets.iris()
    made = gradient_learner(layer(4, 3, "tanh"), rate=0.1)
    usual = cl.supervised(layer(4, 3, "tanh"), losses.quadratic, optimisers.gd(0.1))
    pair = [cl.fit(each, data, epochs=1, batch_size=25, precision="float64") for each in (made.to_learner(), usual)]
    for a, b in zip(pair[0].state, pair[1].state, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_over_z2_it_is_reverse_derivative_ascent():
    table = layers.lookup_table(3, 2)
    made = gradient_learner(table)
    learner = cl.supervised(table, losses.exclusive_or, optimisers.ga())
    random = np.random.default_rng(0)
    for _ in range(20):
        theta, x, y = random.integers(0, 2, (2, 8)), random.integers(0, 2, 3), random.integers(0, 2, 2)
        expected = Exact()(learner.step())(theta, y, x)
        assert Exact()(made.update)(theta, x, y).tolist() == expected.tolist()
        assert Exact()(made.to_learner().step())(theta, y, x).tolist() == expected.tolist()


def tables(random, *sizes):
    return random.integers(0, sizes[-1], sizes[:-1])


def of_tables(implement, update, request):
    """A learner on Z4, one wire each, from its three tables."""
    z = cl.Space((), cl.Modular(4))
    parts = [cl.from_function(t, cl.Modular(4), t.ndim, reverse="zero") for t in (implement, update, request)]
    return LearnMorphism((z,), *parts)


def test_composites_and_tensors_of_tables_are_as_defined():
    """LRN.comp and LRN.tensor at every point of learners that are arbitrary tables, against NumPy."""
    random = np.random.default_rng(1)
    first, second = ([tables(random, *(4,) * n) for n in (3, 4, 4)] for _ in range(2))
    f, g = of_tables(*first), of_tables(*second)
    (i, u, r), (j, v, s) = first, second
    run = Exact()
    whole, both = f >> g, f @ g
    get, update, request = run(whole.implement), run(whole.update), run(whole.request)
    aside, moved = run(both.request), run(both.update)
    points = list(itertools.product(range(4), repeat=4))
    for p, q, a, c in points[::5]:
        b = i[p, a]
        assert int(get(p, q, a)) == j[q, b]
        assert [int(n) for n in update(p, q, a, c)] == [u[p, a, s[q, b, c]], v[q, b, c]]
        assert int(request(p, q, a, c)) == r[p, a, s[q, b, c]]
        assert [int(n) for n in aside(p, q, a, c, 1, 2)] == [r[p, a, 1], s[q, c, 2]]
        assert [int(n) for n in moved(p, q, a, c, 3, 0)] == [u[p, a, 3], v[q, c, 0]]
    assert from_and_to(whole) == whole
    assert f != g


def from_and_to(f):
    return learn.from_lens(f.to_lens())


def test_composition_is_strictly_associative_with_unit_and_names_are_kept():
    f, g, h = (gradient_learner(layer(2, 2, a), rate=0.1) for a in ("tanh", "sigmoid", "identity"))
    left, right = (f >> g) >> h, f >> (g >> h)
    assert left == right
    assert hash(left) == hash(right)
    assert left.signature.names == right.signature.names
    assert left.signature.names[0] == "dense_0.bias"
    one = LearnMorphism.identity(f.dom)
    assert one >> f == f == f >> one
    assert "dense_0.weight" in str(f)
    assert f.__rshift__(3) is NotImplemented
    assert f.__matmul__(3) is NotImplemented


def test_a_shared_parameter_and_an_unused_input():
    """w is read twice (PARA.tie adds), the second input never: it asks for what it was given."""
    twice = cl.parametrised("twice", {"w": NUMBER}, (NUMBER, NUMBER), lambda w, x, y: w * x + w * w)
    made = gradient_learner(twice, rate=0.5)
    w, x, y, b = 2.0, 3.0, 7.0, 1.0
    slope = w * x + w * w - b
    assert float(made.update(w, x, y, b)) == pytest.approx(w - 0.5 * slope * (x + 2 * w))
    assert [float(v) for v in made.request(w, x, y, b)] == pytest.approx([x - slope * w, y])


def test_a_frozen_parameter_stays_and_the_request_passes_it():
    made = gradient_learner(layer(2, 2, "identity").freeze("dense_0.weight"), rate=0.5)
    names = made.signature.names
    b, w = np.zeros(2), np.array([[1.0, 2.0], [3.0, 4.0]])
    values = dict(zip(names, Jax("float64")(made.update)(b, w, [1.0, 1.0], [0.0, 0.0]), strict=True))
    assert np.array_equal(values["dense_0.weight"], w)
    assert values["dense_0.bias"].tolist() == [-2.0, -3.0]
    asked = Jax("float64")(made.request)(b, w, [1.0, 1.0], [0.0, 0.0])
    assert np.allclose(asked, np.ones(2) - w @ np.array([4.0, 6.0]))


def test_no_wires_at_all_and_a_dimension_of_zero():
    nothing = LearnMorphism.identity(())
    assert nothing >> nothing == nothing @ nothing == nothing
    assert nothing.implement() == ()
    empty = gradient_learner(layer(0, 2, "identity"), rate=0.5)
    assert np.asarray(empty.request(np.zeros(2), np.zeros((0, 2)), np.zeros(0), np.ones(2))).shape == (0,)
    constant = gradient_learner(cl.parametrised("c", {"c": NUMBER}, (), lambda c: c), rate=0.5)
    assert float(constant.update(1.0, 3.0)) == 2.0


def test_a_learner_that_no_error_makes_trains_too():
    """The perceptron: it moves where it is wrong and asks for nothing; beside a gradient learner it is composed."""
    vector = cl.Space(2, cl.REAL)
    datum = (vector, vector, NUMBER)
    guess = cl.trace((vector, vector), lambda w, x: functions.step(functions.einsum("i,i->", w, x)))
    update = cl.trace(datum, lambda w, x, y: w + (y - guess(w, x)) * x)
    perceptron = LearnMorphism((vector,), guess, update, cl.trace(datum, lambda w, x, y: x))
    shifted = gradient_learner(cl.trace(vector, lambda x: x - 0.5)) >> perceptron
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    wanted = np.array([0, 0, 1, 1.0])  # of x - 1/2: linearly separable without a bias
    result = cl.fit(shifted.to_learner(), cl.Data(x, wanted, x, wanted), epochs=10, batch_size=1, shuffle=False)
    assert result.predict(x).tolist() == wanted.tolist()


def test_the_model_of_a_composite_is_the_composite_of_the_models():
    """Changes instead of targets: a functor, so R of it composes by the chain rule (RD.5)."""
    with jax.enable_x64(True):
        f, g = (gradient_learner(layer(3, 3, "tanh"), learn.hyperbolic, rate) for rate in (0.1, 0.3))
        one = cl.reverse_derivative((f >> g).to_model().diagram)
        models = g.to_model().lens(), f.to_model().lens()
        two = (models[1] >> models[0]).morphism.put  # parameters Q x P
        random = np.random.default_rng(0)
        p, q = ([random.normal(size=s.shape) for s in part.parameter] for part in (f, g))
        a, d = random.normal(size=3), 0.1 * random.normal(size=3)
        run = Jax("float64")
        mine, theirs = run(one)(*p, *q, a, d), run(two)(*q, *p, a, d)
        for x, y in zip(mine, (*theirs[2:4], *theirs[:2], theirs[4]), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11)


def test_the_other_nesting_and_saving(tmp_path):
    """A learner as a layer of a model, that model's learner, and its checkpoint."""
    head = gradient_learner(layer(4, 3, "tanh"), rate=0.1).to_model()
    model = layer(4, 4, "tanh") >> head
    learner = cl.supervised(model, losses.softmax_cross_entropy, optimisers.adam(0.01))
    data = cl.datasets.iris()
    result = cl.fit(learner, data, epochs=2, batch_size=10)
    again = cl.load(result.save(tmp_path / "learner.safetensors"))
    assert np.array_equal(again.predict(data.test_inputs), result.predict(data.test_inputs))


def test_a_trained_learner_is_taken_out_and_composed_with_another():
    data = cl.datasets.iris()
    first, second = (
        gradient_learner(layer(4, 3, "tanh"), rate=0.05),
        gradient_learner(layer(3, 3, "identity"), rate=0.05),
    )
    result = cl.fit((first >> second).to_learner(), data, epochs=1, batch_size=1)
    known = first.starting_at(result.state[:2])
    assert known == first
    start = (known >> second).initial(seed=7)
    assert all(np.array_equal(a, b) for a, b in zip(start, result.state[:2], strict=False))
    assert not np.array_equal(start[3], np.asarray(result.state[3]))
    assert np.array_equal(
        cl.fit((known >> second).to_learner(), data, epochs=0, batch_size=1).state[0], result.state[0]
    )
    assert "the parameters have the shapes [(3,), (4, 3)]; got [(3,)]: give those of dense_0.bias" in refused(
        first.starting_at, result.state[:1]
    )


def test_second_derivatives_of_the_inverse_are_right_also_at_zero():
    """The functor takes R of the model only, but a learner's update may be differentiated again."""
    with jax.enable_x64(True):
        g = cl.trace((NUMBER, NUMBER), learn.hyperbolic.inverse)
        run = Jax("float64")(g)
        for x, y in ((0.3, 0.0), (0.3, 1.7), (-0.2, -40.0)):
            assert float(run(x, y)) == pytest.approx(x - np.arcsinh(y))
            slope = cl.reverse_derivative(g)
            assert float(Jax("float64")(slope)(x, y, 1.0)[1]) == pytest.approx(-1 / np.sqrt(1 + y * y))


def test_the_shipped_errors_are_checked_and_proved():
    assert learn.quadratic.proved() == (True, True)
    assert learn.logistic.proved() == (True, True)
    assert learn.hyperbolic.proved() == (False, False)  # too large for SymPy, so at points alone
    for error in (learn.quadratic, learn.logistic, learn.hyperbolic):
        error.check()
    for carrier in (cl.Z2, cl.Modular(6), cl.INTEGERS):
        learn.quadratic.check(carrier)
    assert repr(learn.logistic) == "<discrepancy logistic>"


def test_an_error_as_a_diagram():
    e = cl.trace((NUMBER, NUMBER), lambda x, y: (x - y) * (x - y))
    back = cl.trace((NUMBER, NUMBER), lambda x, g: x - 0.5 * g)
    made = gradient_learner(layer(3, 2, "tanh"), learn.discrepancy("square", e, back), 0.05)
    half = gradient_learner(layer(3, 2, "tanh"), rate=0.1)
    random = np.random.default_rng(0)
    point = [random.normal(size=space.shape) for space in made.update.dom]
    for a, b in zip(made.update(*point), half.update(*point), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def refused(function, *arguments, **named):
    with pytest.raises((OperationError, CompositionError, InputError)) as caught:
        function(*arguments, **named)
    return str(caught.value)


def test_errors_without_an_inverse_are_refused_with_the_reason():
    model = layer(2, 2, "identity")
    absolute = learn.discrepancy("absolute", lambda x, y: functions.absolute(x - y), lambda x, g: x - g)
    assert "the slope of 'absolute' has no inverse" in refused(gradient_learner, model, absolute)
    assert "takes only the values -1, 1" in refused(absolute.check)
    soft = learn.discrepancy(
        "soft", lambda x, y: functions.softplus(x - y), lambda x, g: x - functions.log(g / (1.0 - g))
    )
    assert "slope(x, inverse(x, g)) is nan and not g" in refused(soft.check)  # a bounded slope
    assert "comes without the inverse of its slope: give inverse(x, g)" in refused(
        learn.discrepancy, "half", lambda x, y: (x - y) ** 2
    )
    vector = cl.Space(2, cl.REAL)
    assert "the error of 'wide' is a map of two real numbers to one" in refused(
        learn.discrepancy, "wide", cl.trace((vector, vector), lambda x, y: x - y), lambda x, g: x
    )


def test_losses_are_refused_with_the_reason():
    model = layer(2, 2, "identity")
    assert "is no sum over entries of an error e(x, y)" in refused(
        gradient_learner, model, losses.softmax_cross_entropy
    )
    assert "is no sum over entries" in refused(gradient_learner, model, losses.label_cross_entropy)
    assert "'quadratic' comes without the inverse" in refused(gradient_learner, model, losses.quadratic)
    assert "the error is a Discrepancy" in refused(gradient_learner, model, "quadratic")


def test_what_the_functor_refuses():
    assert "takes a Para such as layers.dense(4, 3), or a Diagram; got 3" in refused(gradient_learner, 3)
    bits = layers.table_layer(2, 2, arity=2)
    assert "values that can be subtracted" in refused(gradient_learner, bits)
    dropped = layers.dropout(2, 0.5)
    assert "is a key or a statistic" in refused(gradient_learner, dropped)
    for rate in (0, -1.0, True, float("nan"), "1"):
        assert "the rate is a positive number" in refused(gradient_learner, layer(2, 2, "tanh"), rate=rate)
    assert "a whole positive number" in refused(gradient_learner, layers.lookup_table(2, 1), rate=0.5)
    assert "one of real numbers" in refused(gradient_learner, layers.lookup_table(2, 1), learn.logistic)


def test_what_a_morphism_refuses():
    f = gradient_learner(layer(2, 3, "tanh"))
    assert "cannot compose learners" in refused(lambda: f >> f)
    P = f.parameter
    assert "its P and what comes first" in refused(LearnMorphism, P, discard(P[:1]), f.update, f.request)
    assert "the request of a learner gives something else" in refused(LearnMorphism, P, f.implement, f.update, f.update)
    assert "the update of a learner takes" in refused(LearnMorphism, P, f.implement, f.implement, f.request)
    bit = LearnMorphism.identity(cl.Space((), cl.BITS))
    assert "a learner as a model needs values that can be subtracted" in refused(bit.to_model)


def test_lenses_that_are_no_learners():
    assert "from_lens takes a parametrised lens, such as model.lens()" in refused(learn.from_lens, layer(2, 2, "tanh"))
    bit = cl.Space((), cl.BITS)
    wrong = Para.of(Lens.identity(Sides.of(bit)))
    assert "a learner asks for values, but the domain" in refused(learn.from_lens, wrong)


def test_a_number_that_is_not_finite_is_reported_by_fit():
    made = gradient_learner(layer(1, 1, "identity"), learn.hyperbolic, rate=100.0)
    x, y = np.full((4, 1), 50.0), np.full((4, 1), -50.0)
    with pytest.raises(cl.errors.NotFiniteError, match="step"):
        cl.fit(made.to_learner(), cl.Data(x, y, x, y), epochs=5, batch_size=1)
