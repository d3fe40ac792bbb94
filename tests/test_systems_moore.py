"""Machines, polynomials and invariants: against tables, brute-force searches, and fit itself; every refusal."""

import itertools
from collections import deque

import jax
import numpy as np
import pytest

import catlearn as cl
from catlearn import count_losses, counters, functions, laws, layers, losses, optimisers
from catlearn.errors import CompositionError, DataError, InputError, OperationError, UnknownNameError
from catlearn.functors import Bits, Exact, Jax
from catlearn.laws.moore import MOORE
from catlearn.lens import Lens, Sides
from catlearn.systems.invariants import check_inductive, check_invariant
from catlearn.systems.learn import LearnMorphism, gradient_learner
from catlearn.systems.moore import Machine, letters, machine, mean_loss, rows_right
from catlearn.systems.poly import (
    PolynomialFunctor,
    PolynomialMap,
    count_maps,
    curry,
    internal_hom,
    maps,
    monomial,
    polynomial_map,
    uncurry,
)


def parity(inputs):
    """All rows of so many bits with their parity, as class numbers and as bits."""
    x = np.array([[k >> i & 1 for i in range(inputs)] for k in range(2**inputs)])
    return x, x.sum(axis=1) % 2


def data(inputs, *, bits=True):
    x, y = parity(inputs)
    y = y[:, None] if bits else y
    return cl.Data(x, y, x, y)


def tables(inputs=2):
    return cl.supervised(layers.lookup_table(inputs, 1), losses.exclusive_or, optimisers.ga())


def normal_form(inputs=2):
    """The same functions by their algebraic normal form, whose parameters disturb each other."""
    products = [[k for k in range(inputs) if m >> k & 1] for m in range(2**inputs)]

    def value(c, x):
        total = c[0]
        for number, factors in enumerate(products[1:], 1):
            term = c[number]
            for k in factors:
                term = term * x[k]
            total = total + term
        return functions.reshape(total, (1,))

    model = cl.parametrised("form", {"c": cl.Space(2**inputs, cl.Z2)}, cl.Space(inputs, cl.Z2), value)
    return cl.supervised(model, losses.exclusive_or, optimisers.ga())


def counting(limit, inputs=2):
    """Two tables of all inputs, one a class, in saturating counters."""
    wiring = [list(range(inputs))] * 2
    model = layers.table_layer(inputs, 2, arity=inputs, wiring=wiring) >> layers.group_sum(2, 2)
    return cl.supervised(model, count_losses.count_margin(1), counters.saturating(limit))


@pytest.mark.parametrize("name", ["Z2", "Z3", "Sat3", "INTEGERS", "BITS"])
def test_the_laws_of_machines_hold(name):
    laws.check(laws.CATEGORIES[name], laws=MOORE, examples=6, strict=True)


# Polynomials


@pytest.mark.parametrize(("p", "a", "b"), [s for s in itertools.product(range(4), repeat=3) if s[1:] != (3, 3)])
def test_maps_are_counted_alike_on_both_sides(p, a, b):
    """MOORE.count by enumeration of the choices at each position, and by the powers that it says."""
    P, A, B = map(monomial, (p, a, b))
    left, right = count_maps(P @ A, B), count_maps(P, internal_hom(A, B))
    assert left == right == b ** (p * a) * (p * a) ** (p * a * b) == (b**a * a ** (a * b)) ** p * p ** (p * a * b)


@pytest.mark.slow
@pytest.mark.parametrize("p", range(4))
def test_maps_are_counted_alike_where_there_are_half_a_million_lenses(p):
    P, A = monomial(p), monomial(3)
    assert count_maps(P @ A, A) == count_maps(P, internal_hom(A, A))


def test_currying_is_a_bijection_of_maps_that_are_written_down():
    """Where p, q and r are no monomials, all maps of each side, one by one."""
    p, q, r = PolynomialFunctor((2, 1)), PolynomialFunctor((1, 0)), PolynomialFunctor((1, 2))
    every = list(maps(p @ q, r))
    assert len(set(every)) == len(every) == count_maps(p @ q, r)
    turned = [curry(m, p, q) for m in every]
    assert set(turned) == set(maps(p, internal_hom(q, r)))
    assert [uncurry(m, q, r) for m in turned] == every


def test_maps_of_polynomials_form_a_category():
    p, q = PolynomialFunctor((2, 0)), PolynomialFunctor((1, 2))
    fs, gs, hs = list(maps(p, q)), list(maps(q, p)), list(maps(p, p))
    for f, g, h in itertools.islice(itertools.product(fs, gs, hs), 400):
        assert (f >> g) >> h == f >> (g >> h)
        assert PolynomialMap.identity(p) >> f == f == f >> PolynomialMap.identity(q)
    assert str(PolynomialFunctor((2, 2, 0))) == "2 y^2 + 1 y^0"
    assert str(PolynomialFunctor(())) == "0"
    assert monomial(2, 3) == PolynomialFunctor((3, 3))


def test_the_map_of_a_lens_is_its_tables():
    """MOORE.embed on a lens of Z3 whose get and put are arbitrary tables."""
    random = np.random.default_rng(0)
    get, put = random.integers(0, 3, 3), random.integers(0, 3, (3, 3))
    ring = cl.Modular(3)
    lens = Lens(cl.from_function(get, ring, 1), cl.from_function(put, ring, 2))
    made = polynomial_map(lens)
    assert (made.positions, made.directions) == (tuple(get), tuple(map(tuple, put)))
    empty = polynomial_map(Lens.identity(Sides((), ())))
    assert (empty.dom, empty.positions, empty.directions) == (monomial(1), (0,), ((0,),))


def refused(kind, function, *arguments, **named):
    with pytest.raises(kind) as caught:
        function(*arguments, **named)
    return str(caught.value)


def test_what_polynomials_refuse():
    two, one = monomial(2), monomial(1)
    assert "takes a position to one of 1" in refused(CompositionError, PolynomialMap, two, one, (0, 1), ((0,), (0,)))
    assert "needs 2 positions" in refused(CompositionError, PolynomialMap, two, one, (0,), ((0,),))
    f = next(maps(two, one))
    assert "cannot compose maps of polynomials, 1 y^1 and 2 y^2 differ" in refused(CompositionError, lambda: f >> f)
    assert "curry takes a map from the tensor" in refused(CompositionError, curry, f, two, two)
    assert "uncurry takes a map to the internal hom" in refused(CompositionError, uncurry, f, two, two)
    assert "infinitely many values" in refused(OperationError, polynomial_map, Lens.identity(cl.Space((), cl.INTEGERS)))
    assert "at most 16384 are tabulated" in refused(OperationError, polynomial_map, Lens.identity(cl.Space(8, cl.Z2)))
    uneven = Lens.identity(Sides((cl.Space((), cl.Z2),), ()))
    assert "the same objects both ways" in refused(CompositionError, polynomial_map, uneven)


# Machines


WORLDS = {
    "smooth": lambda: cl.supervised(layers.dense(4, 3, "tanh"), losses.mean_squared_error, optimisers.adam(0.05)),
    "momentum": lambda: cl.supervised(
        layers.dense(4, 3, "tanh") >> layers.dense(3, 3), losses.softmax_cross_entropy, optimisers.momentum(0.05)
    ),
    "Learn": lambda: gradient_learner(layers.dense(4, 3, "tanh"), rate=0.1).to_learner(),
}


@pytest.mark.parametrize("name", WORLDS)
def test_a_machine_reads_a_data_set_as_fit_does(name):
    learner, iris = WORLDS[name](), cl.datasets.iris()
    rows = cl.Data(iris.train_inputs[:30] - 4.0, iris.train_targets[:30], iris.test_inputs, iris.test_targets)
    result = cl.fit(learner, rows, epochs=1, batch_size=1, shuffle=False, precision="float64", seed=2)
    seen = machine(learner, seed=2)
    assert isinstance(seen.backend, Jax)
    state = seen.run(seen.start, rows)
    assert len(set(seen.names)) == len(seen.names) == len(state)
    for name_, expected in zip(seen.names, result.state, strict=True):
        np.testing.assert_allclose(state[name_], expected, rtol=1e-6, atol=1e-9)
    predict, request = seen.output(state)
    assert request is None
    np.testing.assert_allclose(predict(rows.test_inputs[0]), result.predict(rows.test_inputs)[0], rtol=1e-6)
    assert mean_loss(learner, rows)(state) > 0
    right = rows_right(learner, rows)(state)
    assert 100.0 * len(right) / rows.rows == pytest.approx(result.train_accuracy)


@pytest.mark.parametrize("make", [tables, lambda: counting(4), lambda: normal_form(2)], ids=["Z2", "counters", "form"])
@pytest.mark.parametrize("backend", [None, Jax()], ids=["exact", "jax"])
def test_machines_of_exact_worlds_run_as_fit_does(make, backend):
    learner = make()
    rows = data(2, bits=learner.loss.name == "exclusive or")
    result = cl.fit(learner, rows, epochs=2, batch_size=1, shuffle=False)
    seen = machine(learner, backend=backend)
    assert backend is not None or isinstance(seen.backend, Exact)
    state = seen.run(seen.run(seen.start, rows), rows)
    for value, expected in zip(state.values(), result.state, strict=True):
        assert value.tolist() == np.asarray(expected).tolist()


def test_over_the_integers_modulo_n_and_in_numba():
    ring = cl.Modular(5)
    model = cl.parametrised("line", {"w": cl.Space((), ring)}, cl.Space((), ring), lambda w, x: w * x)
    seen = machine(cl.supervised(model, losses.difference, optimisers.ga()))
    state = seen.start
    for x, y in ((2, 3), (4, 1), (3, 3)):
        w = int(state["line_0.w"])
        state = seen.advance(state, x, y)
        assert int(state["line_0.w"]) == (w + x * (y - w * x)) % 5
    pytest.importorskip("numba")
    fast, rows = machine(counting(4), backend=Bits()), data(2, bits=False)
    assert same(fast.run(fast.start, rows), machine(counting(4)).run(fast.start, rows))


def same(left, right):
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


def test_the_machine_of_a_morphism_of_learn_has_a_lens_at_each_state():
    """MOORE.view: output (I(p, -), r(p, -, -)), transition U; and running is an action of words."""
    bit = cl.Space((), cl.Z2)
    random = np.random.default_rng(4)
    i, u, r = (random.integers(0, 2, (2,) * n) for n in (2, 3, 3))
    f = LearnMorphism((bit,), *(cl.from_function(t, cl.Z2, t.ndim) for t in (i, u, r)))
    seen = machine(f)
    for p, a, b in itertools.product((0, 1), repeat=3):
        predict, request = seen.output({"learner_0.p0": p})
        assert (int(predict(a)), int(request(a, b))) == (i[p, a], r[p, a, b])
        assert int(seen.advance({"learner_0.p0": p}, a, b)["learner_0.p0"]) == u[p, a, b]
    word = [(0, 1), (1, 1), (1, 0)]
    halves = seen.run(seen.run(seen.start, word[:1]), word[1:])
    assert same(halves, seen.run(seen.start, word))
    assert same(seen.run(seen.start, []), seen.start)
    assert len(seen.along(seen.start, word)) == 4
    assert "learner_0.p0" in repr(seen)


def test_no_parameters_no_wires_and_several():
    still = machine(LearnMorphism.identity(cl.Space(2, cl.Z2)))
    assert still.start == {} == still.run({}, [([0, 1], [1, 1])])
    number = cl.Space((), cl.INTEGERS)
    two = cl.parametrised("two", {"w": number}, (number, number), lambda w, x, y: (w * x, w + y))
    seen = machine(cl.supervised(two, losses.difference, optimisers.ga()))
    x, y, s, t = 2, 5, 7, 11
    assert int(seen.advance({"two_0.w": 3}, (x, y), (s, t))["two_0.w"]) == 3 + x * (s - 3 * x) + (t - 3 - y)
    big = seen.run({"two_0.w": 10**30}, [((x, y), (s, t))])
    assert int(big["two_0.w"]) == 10**30 + x * (s - 10**30 * x) + (t - 10**30 - y)


def test_hyperparameters_are_settled():
    learner = cl.supervised(layers.dense(1, 1), losses.quadratic, optimisers.gd(0.5))
    slow = machine(learner, hyperparameters={"learning_rate": 0.25})
    names = slow.names
    zero = dict(zip(names, [np.zeros(s.shape) for s in slow.states], strict=True))
    after = slow.advance(zero, [1.0], [8.0])
    assert all(float(np.ravel(value)[0]) == 2.0 for value in after.values())
    assert "the optimiser has no hyper-parameter speed; it has learning_rate" in refused(
        OperationError, machine, learner, hyperparameters={"speed": 1.0}
    )


def test_what_machines_refuse():
    seen = machine(tables())
    assert "made of a Learner or a LearnMorphism; got 3" in refused(OperationError, machine, 3)
    model = layers.dropout(2, 0.5) >> layers.dense(2, 1)
    noisy = cl.supervised(model, losses.quadratic, optimisers.gd(0.1))
    assert "draws dropout_0.key at random: give the learner of model.evaluation()" in refused(
        OperationError, machine, noisy
    )
    quiet = machine(cl.supervised(model.evaluation(), losses.quadratic, optimisers.gd(0.1)))
    assert len(quiet.along(quiet.start, [([1.0, 1.0], [0.0])])) == 2
    morphism = gradient_learner(layers.lookup_table(1, 1))
    assert "has no hyper-parameters; got rate" in refused(
        OperationError, machine, morphism, hyperparameters={"rate": 1}
    )
    run = seen.run
    assert "input 0 of datum 1 must have shape (2,)" in refused(
        InputError, run, seen.start, [([0, 1], [1]), ([0], [1])]
    )
    assert "target 0 of datum 0 has the value 2" in refused(InputError, run, seen.start, [([0, 1], [2])])
    assert "must hold 0, 1 or booleans" in refused(InputError, run, seen.start, [([0.5, 1.0], [1])])
    assert "datum 0 must be a pair (inputs, targets); got 5" in refused(DataError, run, seen.start, [5])
    assert "datum 0 needs 1 inputs, a tuple of arrays; got 2" in refused(
        DataError, run, seen.start, [(([0, 1], [0, 1]), [1])]
    )
    assert "a word is a Data, or a list of pairs" in refused(DataError, run, seen.start, "01")
    assert "a word is a Data, or a list of pairs" in refused(DataError, run, seen.start, 7)
    assert "maps the names lookup_table_0.table to arrays; got ['x']" in refused(InputError, run, {"x": 0}, [])
    assert "got [1]" in refused(InputError, run, [1], [])
    assert "the state's lookup_table_0.table must have shape (1, 4)" in refused(
        InputError, run, {"lookup_table_0.table": [0]}, []
    )
    assert "this measures a Learner" in refused(OperationError, mean_loss, morphism, data(1))
    assert "train_inputs needs rows of shape (2,)" in refused(DataError, rows_right, tables(), data(3))


def test_letters_of_a_data_are_its_training_rows():
    x, y = parity(2)
    mixed = cl.Data(x[:3], y[:3, None], x[3:], y[3:, None])
    found = letters(machine(tables()), mixed)
    assert [(a.tolist(), b.tolist()) for (a,), (b,) in found] == [([0, 0], [0]), ([1, 0], [1]), ([0, 1], [1])]


# Invariants


def brute(seen, word):
    """The reachable states and the least number of data to each, by a plain search."""
    first = seen.start
    found, queue = {key(first): 0}, deque([first])
    while queue:
        state = queue.popleft()
        for letter in word:
            after = seen.run(state, [letter])
            if key(after) not in found:
                found[key(after)] = found[key(state)] + 1
                queue.append(after)
    return found


def key(state):
    return tuple(tuple(np.ravel(v).tolist()) for v in state.values())


@pytest.mark.parametrize("make", [tables, normal_form], ids=["tables", "form"])
def test_reachable_states_and_shortest_words_are_those_of_a_plain_search(make):
    learner, (x, y) = make(), parity(2)
    word = [(a, [b]) for a, b in zip(x, y, strict=True)]
    seen = machine(learner)
    distances = brute(seen, word)
    verdict = check_invariant(learner, lambda state: True, word)
    assert verdict.holds is True
    assert (verdict.states, verdict.steps) == (len(distances), 4 * len(distances))
    for goal, distance in distances.items():
        found = check_invariant(learner, lambda state, goal=goal: key(state) != goal, word)
        assert found.holds is False
        assert len(found.word) == distance
        states = [key(move.state) for move in found.trace]
        assert states[-1] == goal
        assert states == [key(s) for s in seen.along(seen.start, [word[k] for k in found.word])]


def in_range(limit):
    return lambda state: all(np.abs(value).max() <= limit for value in state.values())


def test_a_saturating_counter_stays_in_its_range_proved_by_exhaustion():
    learner, rows = counting(2), data(2, bits=False)
    verdict = check_invariant(learner, in_range(2), rows)
    assert verdict.holds is True
    assert verdict.states == len(brute(machine(learner), letters_of(rows)))
    assert str(verdict) == f"proved at all {verdict.states} reachable states, {verdict.steps} steps"
    narrow = check_invariant(learner, in_range(1), rows)
    assert narrow.holds is False
    assert max(np.abs(v).max() for v in narrow.trace[-1].state.values()) == 2


def letters_of(rows):
    return list(zip(rows.train_inputs, rows.train_targets, strict=True))


def test_counters_are_kept_in_range_by_every_step_and_numbers_without_a_limit_are_not():
    free = cl.supervised(layers.lookup_table(1, 1, carrier=cl.INTEGERS), losses.difference, optimisers.ga())
    name = machine(free).names[0]
    grows = check_inductive(free, in_range(3), [([1], [5])], values={name: range(-5, 6)})
    assert grows.holds is False
    assert grows.scope == "by a step from a state that need not be reached"
    assert len(grows.word) == 1
    held, rows = counting(2), data(2, bits=False)
    stored = machine(held).names[0]
    verdict = check_inductive(held, in_range(2), letters_of(rows)[1:3], values={stored: (-2, 3)})
    assert verdict.holds is True
    assert str(verdict) == "proved for 2 steps from the 1 where it holds, of 256 states"


def test_tables_never_unlearn_proved_and_normal_forms_do_by_one_datum():
    """From every one of the 256 tables of three inputs no step loses a row; a normal form loses one at once."""
    rows = data(3)
    right = rows_right(tables(3), rows)
    verdict = check_inductive(tables(3), lambda before, after: right(before) <= right(after), rows)
    assert verdict.holds is True
    assert (verdict.states, verdict.steps) == (256, 2048)
    form = normal_form(3)
    known = rows_right(form, rows)
    lost = check_invariant(form, lambda before, after: known(before) <= known(after), rows)
    assert lost.holds is False
    assert len(lost.word) == 1
    assert not known(lost.trace[0].state) <= known(lost.trace[1].state)


def test_a_trained_parity_circuit_stays_trained():
    """RDA.fixpoint: where all rows are right no step changes anything, for the circuit in either form."""
    rows = data(3)
    result = cl.fit(tables(3), rows, epochs=1, batch_size=1)
    assert result.train_accuracy == 100
    trained = {"lookup_table_0.table": result.state[0]}
    parity_of_three = {"form_0.c": [0, 1, 1, 0, 1, 0, 0, 0]}
    for learner, start in ((tables(3), trained), (normal_form(3), parity_of_three)):
        right = rows_right(learner, rows)
        assert len(right(start)) == 8
        verdict = check_inductive(learner, lambda state, right=right: len(right(state)) == 8, rows)
        assert verdict.holds is True
        assert verdict.states == 1
        assert check_invariant(learner, lambda s, right=right: len(right(s)) == 8, rows, start=start).states == 1


def test_counters_never_unlearn_at_all_reachable_states():
    learner, rows = counting(4), data(2, bits=False)
    right = rows_right(learner, rows)
    verdict = check_invariant(learner, lambda before, after: right(before) <= right(after), rows)
    assert verdict.holds is True
    assert verdict.states == len(brute(machine(learner), letters_of(rows))) > 10


def test_the_loss_never_rises_is_false_and_the_trace_is_shortest():
    """A large rate overshoots: one datum is enough, and the mean loss on all rows says so."""
    rows = cl.Data(np.array([[1.0], [3.0]]), np.array([[1.0], [-1.0]]), np.zeros((0, 1)), np.zeros((0, 1)))
    learner = cl.supervised(layers.linear(1, 1), losses.quadratic, optimisers.gd(0.3))
    loss = mean_loss(learner, rows)
    seen = machine(learner)
    start = {seen.names[0]: np.array([[0.0]])}
    verdict = check_invariant(learner, lambda before, after: loss(after) <= loss(before) + 1e-12, rows, start=start,
                              most=50)  # fmt: skip
    assert verdict.holds is False
    assert len(verdict.word) == 1
    before, after = (float(move.state[seen.names[0]][0, 0]) for move in verdict.trace)
    x, y = rows.train_inputs[verdict.word[0], 0], rows.train_targets[verdict.word[0], 0]
    assert after == pytest.approx(before - 0.3 * x * (x * before - y))
    by_hand = [np.mean(0.5 * (rows.train_inputs * w - rows.train_targets) ** 2) for w in (before, after)]
    assert [loss(move.state) for move in verdict.trace] == pytest.approx(by_hand)
    assert by_hand[1] > by_hand[0]
    assert "datum" in str(verdict)


def test_random_words_are_shortened_as_far_as_letters_can_be_left_out():
    """Over the integers w grows by 1 a useful datum, and the other changes nothing: a bound of 40 takes 41 of them."""
    number = cl.Space((), cl.INTEGERS)
    f = LearnMorphism(
        (number,),
        cl.trace((number, number), lambda p, a: p),
        cl.trace((number,) * 3, lambda p, a, b: p + a),
        cl.trace((number,) * 3, lambda p, a, b: a),
    )
    found = check_invariant(
        f, lambda state: state["learner_0.p0"] <= 40, [(0, 0), (1, 0)], most=10, words=4, length=200
    )
    assert found.holds is False
    assert found.word == (1,) * 41
    assert str(found).startswith("refuted by a word of 41 data, of which none can be left out\n  start")
    missing = check_invariant(
        f, lambda state: state["learner_0.p0"] <= 500, [(0, 0), (1, 0)], most=10, words=2, length=9
    )
    assert missing.holds is None
    assert missing.trace == ()
    assert str(missing).startswith("not refuted at the first 11 states and")
    assert str(missing).endswith("and on 2 random words of 9 data")


def test_a_start_where_it_does_not_hold_and_no_data():
    learner = tables(1)
    wrong = check_invariant(learner, lambda state: state["lookup_table_0.table"].sum() == 1, [])
    assert wrong.holds is False
    assert wrong.word == ()
    assert str(wrong) == "refuted by the starting state\n  start                    lookup_table_0.table = [[0 0]]"
    assert check_invariant(learner, lambda state: True, []).states == 1


def test_smooth_machines_are_searched_too():
    rows = cl.datasets.iris()
    few = cl.Data(rows.train_inputs[:4], rows.train_targets[:4], rows.test_inputs, rows.test_targets)
    learner = cl.supervised(layers.dense(4, 3), losses.mean_squared_error, optimisers.gd(0.01))
    verdict = check_invariant(
        learner, lambda state: all(np.abs(v).max() < 10 for v in state.values()), few, most=30, words=3, length=5
    )
    assert verdict.holds is None
    with jax.enable_x64(True):
        nan = check_invariant(learner, lambda state: not np.isnan(state["dense_0.bias"]).any(),
                              [(np.full(4, np.nan), np.ones(3))], most=5, words=1, length=2)  # fmt: skip
    assert nan.holds is False
    assert len(nan.word) == 1


def test_what_checks_refuse():
    learner, rows = tables(), data(2)
    assert "a predicate answers True or False; it gave 0: use .all() or .any()" in refused(
        OperationError, check_invariant, learner, lambda state: 0, rows
    )
    assert "use .all() or .any()" in refused(
        OperationError, check_invariant, learner, lambda s: s["lookup_table_0.table"] >= 0, rows
    )
    assert "this one takes 3 arguments" in refused(OperationError, check_invariant, learner, lambda a, b, c: True, rows)
    assert "a predicate is a function of a state" in refused(OperationError, check_invariant, learner, "x > 0", rows)
    assert "made of a Learner" in refused(OperationError, check_invariant, 3, lambda state: True, rows)
    assert "most is an integer of at least 1; got 0" in refused(
        InputError, check_invariant, learner, lambda state: True, rows, most=0
    )
    assert "most is an integer" in refused(InputError, check_inductive, learner, lambda state: True, rows, most=True)
    assert "there are 65,536 states, and at most 1,000 are gone through" in refused(
        OperationError, check_inductive, tables(4), lambda state: True, data(4), most=1000
    )
    smooth = cl.supervised(layers.dense(1, 1), losses.quadratic, optimisers.gd(0.1))
    assert "dense_0.bias has infinitely many values, in Space((1,), REAL): give values=" in refused(
        OperationError, check_inductive, smooth, lambda state: True, [([1.0], [1.0])]
    )
    assert "the state has no 'table': known are lookup_table_0.table" in refused(
        UnknownNameError, check_inductive, learner, lambda state: True, rows, values={"table": (0, 1)}
    )
    assert isinstance(machine(learner), Machine)
