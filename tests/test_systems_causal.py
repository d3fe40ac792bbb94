"""Causal maps, delayed traces and loops against plain loops in Python, jax.grad and jax.jvp."""

from __future__ import annotations

import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import catlearn as cl
from catlearn import functions, laws, layers, losses, optimisers
from catlearn.errors import CompositionError, InputError, OperationError
from catlearn.functors import Jax
from catlearn.functors.free import symbol
from catlearn.generators.scan import Scan
from catlearn.laws.causal import CAUSAL
from catlearn.laws.delayed import DELAYED
from catlearn.systems.causal import Causal, delay, derivative, lift, stateful
from catlearn.systems.delayed_trace import delayed_trace, feedback, register, start, unit_delay
from catlearn.systems.loops import joined, signal_path
from catlearn.systems.sequences import Sequence, along, always, objects_of

BIT, NUMBER, MOD4 = cl.Space((), cl.Z2), cl.Space((), cl.INTEGERS), cl.Space((), cl.Modular(4))
REAL, V = cl.Space((), cl.REAL), cl.Space(3, cl.REAL)
GATE = cl.Space((), cl.BITS)


def refuses(kind, *texts):
    return pytest.raises(kind, match=".*".join(re.escape(text) for text in texts))


def as_tuple(values):
    return values if isinstance(values, tuple) else (values,)


@pytest.fixture(scope="module", autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


# Sequences


def test_sequences_are_equal_as_sequences_and_not_as_they_were_written():
    assert Sequence((1, 2, 2, 2), 2) == Sequence((1,), 2) == along(3, lambda k: min(k + 1, 2))
    assert Sequence((2, 2), 2) == always(2)
    assert Sequence((1, 2), 1) != Sequence((1,), 1)
    assert hash(Sequence((3, 4), 4)) == hash(Sequence((3,), 4))
    assert [Sequence((5, 6), 7)[k] for k in range(4)] == [5, 6, 7, 7]
    assert Sequence((5,), 7).delayed(0) == Sequence((0, 5), 7)
    assert always(7).delayed(7) == always(7)
    assert Sequence((-7,), 7).map(abs) == always(7)
    assert objects_of(BIT) == objects_of([BIT]) == always((BIT,))
    assert objects_of(always((BIT,))) == always((BIT,))


@pytest.mark.parametrize("time", [-1, 1.0, True, None])
def test_a_time_is_a_natural_number(time):
    with refuses(OperationError, "a time is an integer of at least 0", repr(time)):
        always(1)[time]


# Running, against a loop


def gates(space):
    """A step (a, b), (x, y) -> (a', b'), z that reads everything."""
    invert = {cl.BITS: functions.invert}.get(space.carrier, lambda x: x)
    plus = functions.xor if space.carrier == cl.BITS else functions.add

    def step(a, b, x, y):
        return plus(a * x, b), plus(invert(a), y * b), plus(plus(a, b), x * y)

    return cl.trace((space,) * 4, step)


def arithmetic(space):
    modulus = {cl.Z2: 2, cl.BITS: 2, cl.Modular(4): 4}.get(space.carrier)
    turned = (lambda a: 1 - a) if space.carrier == cl.BITS else (lambda a: a)

    def step(a, b, x, y):
        results = a * x + b, turned(a) + y * b, a + b + x * y
        return tuple(r % modulus if modulus else r for r in results)

    return step


@pytest.mark.parametrize("space", [BIT, MOD4, NUMBER, GATE, REAL], ids=lambda s: s.carrier.name)
@pytest.mark.parametrize("length", [0, 1, 5])
def test_a_stateful_map_runs_as_the_loop(space, length):
    rng = np.random.default_rng(length)
    x, y = rng.integers(0, 2, (2, length))
    step, (a, b), expected = arithmetic(space), (1, 0), []
    for k in range(length):
        a, b, z = step(a, b, int(x[k]), int(y[k]))
        expected.append(z)
    machine = stateful(gates(space), [1, 0])
    kind = float if space.carrier == cl.REAL else int
    z, last = machine.run(x.astype(kind), y.astype(kind))
    assert [kind(v) for v in z] == expected
    assert [kind(v) for v in last] == [a, b]
    literal = as_tuple(machine.unrolled(length).morphism(*(kind(v) for pair in zip(x, y, strict=True) for v in pair)))
    assert [kind(v) for v in literal] == expected


def test_a_run_goes_on_from_a_state():
    machine = stateful(gates(MOD4), [1, 2])
    x, y = np.random.default_rng(0).integers(0, 4, (2, 9))
    whole, last = machine.run(x, y)
    first, state = machine.run(x[:4], y[:4])
    second, again = machine.run(x[4:], y[4:], state=state)
    assert np.concatenate([first, second]).tolist() == np.asarray(whole).tolist()
    assert again == last


def test_a_run_takes_parameters_in_order_or_by_name():
    cell = layers.tanh_cell(2, 3)
    network = stateful(cell, [0.0])
    values = cell.initial(0)
    word = np.random.default_rng(0).normal(size=(4, 2))
    by_order, _ = network.run(word, parameters=values)
    by_name, _ = network.run(word, parameters=cell.tree(values))
    w, u, b = values
    h = np.zeros(3)
    for row, x in zip(np.asarray(by_order), word, strict=True):
        h = np.tanh(x @ w + h @ u + b)
        np.testing.assert_allclose(row, h, atol=1e-6)
    assert (by_order == by_name).all()


def test_what_has_no_inputs_runs_for_a_length():
    fibonacci = stateful(cl.trace((NUMBER, NUMBER), lambda a, b: (b, a + b, a)), [0, 1])
    assert [int(v) for v in fibonacci.run(length=10)[0]] == [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]
    with refuses(InputError, "needs to be told how long to run: run(length=10)"):
        fibonacci.run()
    with refuses(OperationError, "a length is an integer of at least 0; got -1"):
        fibonacci.run(length=-1)


def test_words_that_do_not_fit_are_refused():
    machine = stateful(gates(MOD4), [1, 0])
    with refuses(InputError, "words that run together have one length; got the lengths 2, 3"):
        machine.run([1, 2], [1, 2, 3])
    with refuses(InputError, "words that run together have one length; got the lengths 2, 4"):
        machine.run([1, 2], [1, 2], length=4)
    with refuses(InputError, "one word for each input wire, of which there are 2; it got 1"):
        machine.run([1, 2])
    with refuses(InputError, "an array with time as its first axis", "()"):
        machine.run(1, [1])
    with refuses(InputError, "word 1"):
        machine.run([1, 2], [[1, 2], [3]])
    with refuses(OperationError, "a length is an integer of at least 0; got '3'"):
        machine.run([1, 2], [1, 2], length="3")
    with pytest.raises(InputError):
        machine.run([1, 4], [0, 0])
    with pytest.raises(InputError):
        machine.run([[1, 2]], [[1, 2]])


def test_not_a_number_stays_one():
    running = stateful(cl.trace((REAL, REAL), lambda s, x: (s + x, s + x)), [0.0])
    outputs, last = running.run([1.0, np.nan, 2.0])
    assert outputs[0] == 1.0
    assert np.isnan(np.asarray(outputs[1:])).all()
    assert np.isnan(last)


def test_a_step_may_be_a_whole_scan():
    """A word of words: each step runs an inner machine along its item, and the outer state goes with it."""
    inner = stateful(gates(MOD4), [1, 2]).as_scan(3).morphism
    item = inner.dom

    def step(s, x, y):
        z = inner(x, y)
        return s + functions.sum(z), functions.multiply(s, z)

    outer = stateful(cl.trace((MOD4, *item), step), [1])
    x, y = np.random.default_rng(5).integers(0, 4, (2, 4, 3))
    total, expected, plain = 1, [], arithmetic(MOD4)
    for row in zip(x.tolist(), y.tolist(), strict=True):
        a, b, zs = 1, 2, []
        for pair in zip(*row, strict=True):
            a, b, z = plain(a, b, *pair)
            zs.append(z)
        expected.append([total * z % 4 for z in zs])
        total = (total + sum(zs)) % 4
    outputs, last = outer.run(x, y)
    assert np.asarray(outputs).tolist() == expected
    assert int(last) == total
    ends = np.random.default_rng(6).integers(0, 4, (4, 3))
    once = cl.reverse_derivative(outer.as_scan(4).diagram)(x, y, ends)
    items = [part for pair in zip(x, y, strict=True) for part in pair]
    literal = cl.reverse_derivative(outer.unrolled(4).diagram)(*items, *ends)
    for k in range(2):
        assert np.asarray(once[k]).tolist() == [np.asarray(v).tolist() for v in literal[k::2]]


def test_nothing_is_delayed_and_learnt_too():
    empty = cl.Space(0, cl.REAL)
    outputs, last = register(empty).run(np.zeros((3, 0)))
    assert (outputs.shape, np.shape(last)) == ((3, 0), (0,))
    back = cl.reverse_derivative(register(empty).as_scan(3).diagram)
    assert np.shape(back(np.zeros((3, 0)), np.zeros((3, 0)))) == (3, 0)
    nothing = lift(cl.identity())
    assert nothing.unrolled(3).diagram == nothing.as_scan(3).diagram == cl.identity()
    assert derivative(nothing) == nothing


# Composition


def test_composites_are_the_same_however_nested():
    cell = stateful(layers.tanh_cell(3, 3), [0.0])
    left, right = (cell >> register(V)) >> cell, cell >> (register(V) >> cell)
    assert left == right
    assert left.signature.names == right.signature.names
    assert left.unrolled(2).names[:1] == ("tanh_cell_1.input_weight",)
    assert (cell @ cell) @ cell == cell @ (cell @ cell)


def test_diagrams_and_parametrised_maps_compose_with_causal_maps():
    double = cl.trace(NUMBER, lambda x: 2 * x)
    total = stateful(cl.trace((NUMBER, NUMBER), lambda s, x: (s + x, s + x)), [0])
    assert [int(v) for v in (double >> total).run([1, 2, 3])[0]] == [2, 6, 12]
    assert [int(v) for v in (total >> double).run([1, 2, 3])[0]] == [2, 6, 12]
    scale = cl.parametrised("scale", {"factor": NUMBER}, NUMBER, lambda a, x: a * x)
    both = lift(scale) >> total
    assert both.signature.names == ("scale_0.factor",)
    assert [int(v) for v in both.run([1, 2, 3], parameters=[5])[0]] == [5, 15, 30]
    beside, last = (double @ total).run([1, 2], [3, 4])
    assert [[int(v) for v in word] for word in beside] == [[2, 4], [3, 7]]
    assert int(last) == 7
    assert (total @ double).run([3, 4], [1, 2])[0][0].tolist() == [3, 7]


def test_what_does_not_fit_is_refused_with_the_time():
    with refuses(CompositionError, "cannot compose", "at time 0", "Space((), INTEGERS)"):
        _ = register(BIT) >> register(NUMBER)
    with refuses(CompositionError, "cannot compose", "at time 1"):
        _ = unit_delay(BIT) >> delay(register(NUMBER))
    with refuses(CompositionError, "made of diagrams or parametrised maps; got 3"):
        lift(3)
    with refuses(CompositionError, "made of diagrams or parametrised maps"):
        _ = register(BIT) >> "and"


def test_a_causal_map_is_checked_where_it_is_made():
    step = cl.swap(BIT, BIT)
    zero = cl.zero((), BIT)
    with refuses(CompositionError, "the initial state is a diagram from the parameters ()"):
        Causal((), always((BIT,)), cl.identity(), always(step))
    with refuses(CompositionError, "the step at time 0 takes parameters and state first"):
        Causal((), always((BIT,)), zero, always(cl.zero((), BIT)))
    with refuses(CompositionError, "the step at time 0 returns the next state first"):
        Causal((), always((BIT,)), zero, always(cl.discard(BIT)))
    with refuses(CompositionError, "the step at time 1 takes parameters and state first"):
        Causal(
            (),
            Sequence(((BIT,),), (NUMBER,)),
            zero,
            Sequence((cl.trace(BIT, lambda b: ()) >> cl.zero((), NUMBER),), step),
        )


@pytest.mark.parametrize("length", [-1, 1.5, True, "3"])
def test_a_length_is_a_natural_number(length):
    for attempt in (register(BIT).unrolled, register(BIT).as_scan, register(BIT).scanned):
        with refuses(OperationError, "a length is an integer of at least 0", repr(length)):
            attempt(length)


def test_initial_values_that_do_not_fit_are_refused():
    step = cl.swap(BIT, BIT)
    with refuses(CompositionError, "the 3 wires of state that a step takes and returns"):
        stateful(step, [0, 0, 0])
    with refuses(CompositionError, "the 1 wires of state that a step takes and returns", "INTEGERS"):
        stateful(cl.swap(BIT, NUMBER), [0])
    with refuses(CompositionError, "each wire of a state needs an initial value; got [None]"):
        stateful(step, [None])
    with refuses(OperationError, "initial values are a list, one for each wire, or a map from nothing; got 0"):
        stateful(step, 0)
    with refuses(OperationError, "initial values are a list"):
        stateful(step, "0")
    with refuses(CompositionError, "a map from nothing; got one from (Space((), Z2),)"):
        stateful(step, cl.identity(BIT))
    with refuses(CompositionError, "need as many initial values; got [0, 1]"):
        register(BIT, [0, 1])
    with refuses(CompositionError, "the wires that start and their initial values"):
        register(BIT, cl.zero((), NUMBER))
    with pytest.raises(cl.CatlearnError):
        register(V, [np.ones(2)])


def test_a_state_may_be_an_array_and_an_initial_state_a_parameter():
    running = stateful(cl.trace((V, V), lambda s, x: (s + x, s)), [np.array([1.0, 2.0, 3.0])])
    assert running.run(np.ones((2, 3)))[0].tolist() == [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    first = cl.parametrised("start", {"value": V}, (), lambda value: value)
    learnt = stateful(layers.tanh_cell(2, 3), first)
    assert learnt.signature.names[-1] == "start_0.value"
    assert learnt.as_scan(2).names[-1] == "start_0.value"


def test_str_says_ends_and_states():
    text = "causal map (Space((), Z2),) -> (Space((), Z2),) with states (Space((), Z2),)"
    assert str(register(BIT)) == text
    assert eval(repr(register(BIT)), vars(cl) | vars(cl.semirings) | globals() | scope()) == register(BIT)


def scope():
    from catlearn.generators.arithmetic import Constant

    return {"Constant": Constant, "Sequence": Sequence, "Causal": Causal}


# Registers, delays


def test_registers_in_a_row_shift():
    x = np.random.default_rng(0).integers(0, 2, 12)
    three = register(BIT, [1]) >> register(BIT, [0]) >> register(BIT, [1])
    assert np.asarray(three.run(x)[0]).tolist() == [1, 0, 1, *x[:-3].tolist()]
    both, last = register((BIT, NUMBER)).run([1, 1], [7, 8])
    assert [np.asarray(word).tolist() for word in both] == [[0, 1], [0, 7]]
    assert [int(v) for v in last] == [1, 8]
    assert register(()).run(length=3) == ((), ())


def test_a_register_is_the_unit_delay_and_a_start():
    in_parts = unit_delay(BIT) >> start(BIT, [1])
    assert in_parts.unrolled(4) == register(BIT, [1]).unrolled(4)
    assert unit_delay(BIT).cod == Sequence(((),), (BIT,))
    assert np.asarray(in_parts.run([0, 1, 1, 0])[0]).tolist() == [1, 0, 1, 1]  # a step of its own, then one Scan


def test_delay_of_a_map_waits_once():
    total = stateful(cl.trace((NUMBER, NUMBER), lambda s, x: (s + x, s + x)), [0])
    late = delay(total)
    assert late.dom == late.cod == Sequence(((),), (NUMBER,))
    assert late.unrolled(3) == total.unrolled(2)
    around = unit_delay(NUMBER) >> late >> start(NUMBER, [-1])
    assert [int(v) for v in around.run([1, 2, 3, 4])[0]] == [-1, 1, 3, 6]
    with refuses(CompositionError, "inputs that are not alike cannot be stacked, use unrolled; those at time 1"):
        late.as_scan(3)
    with refuses(CompositionError, "outputs that are not alike cannot be stacked"):
        unit_delay(NUMBER).run([1])


@pytest.mark.parametrize("length", range(5))
def test_steps_that_differ_at_first_stand_before_the_scan(length):
    plus = [cl.trace((NUMBER, NUMBER), lambda s, x, k=k: (s + x, s * x + k)) for k in range(3)]
    wide = cl.trace((NUMBER, NUMBER), lambda s, x: (s, x, s + x))
    back = cl.trace((NUMBER, NUMBER, NUMBER), lambda s, t, x: (s + t, s * t * x))
    states = Sequence(((NUMBER,), (NUMBER,), (NUMBER, NUMBER)), (NUMBER,))
    varied = Causal(
        (), states, cl.trace((), lambda: functions.constant(NUMBER, 2)), Sequence((plus[0], wide, back), plus[2])
    )
    word = np.arange(3, 3 + length)
    expected = [int(v) for v in as_tuple(varied.unrolled(length).morphism(*map(int, word)))]
    outputs, _ = varied.run(word)
    assert [int(v) for v in outputs] == expected
    r = cl.reverse_derivative(varied.as_scan(length).diagram)(word, np.ones(length, int))
    literal = cl.reverse_derivative(varied.unrolled(length).diagram)(*map(int, word), *([1] * length))
    assert [int(v) for v in r] == [int(v) for v in as_tuple(literal)]


# Feedback


def test_a_shift_register_with_feedback_is_the_recurrence():
    """x_{n+4} = x_{n+1} + x_n over Z2, which returns after 15 steps."""

    def body(a, b, c, d):
        return d, a + d, a, b, c

    shift = feedback(cl.trace((BIT,) * 4, body), [1, 0, 0, 0])
    bits = [int(v) for v in shift.run(length=30)[0]]
    state, expected = [1, 0, 0, 0], []
    for _ in range(30):
        a, b, c, d = state
        expected.append(d)
        state = [a ^ d, a, b, c]
    assert bits == expected
    assert bits[:15] == bits[15:]
    assert sum(bits[:15]) == 8


def full_adder(x, y, carry):
    half = functions.xor(x, y)
    return functions.xor(half, carry), functions.union(x * y, half * carry)


def test_feedback_of_a_body_is_a_serial_adder():
    adder = feedback(cl.trace((GATE,) * 3, full_adder), [0])
    for a, b in itertools.product(range(16), repeat=2):
        words = [[n >> k & 1 for k in range(5)] for n in (a, b)]
        total, carry = adder.run(*words)
        assert sum(int(bit) << k for k, bit in enumerate(np.asarray(total))) == a + b
        assert int(carry) == 0


def test_feedback_at_once_where_no_signal_runs_in_a_circle():
    """A ripple-carry adder of two full adders: the first one's carry goes to the second one at once."""

    def two(x0, x1, y0, y1, carry):
        s0, c0 = full_adder(x0, y0, functions.constant(GATE, 0))
        s1, c1 = full_adder(x1, y1, carry)
        return s0, s1, c1, c0

    adder = feedback(cl.trace((GATE,) * 5, two), [None])
    assert adder.states == always(())
    for a, b in itertools.product(range(4), repeat=2):
        bits = adder.step(a & 1, a >> 1, b & 1, b >> 1)
        assert sum(int(bit) << k for k, bit in enumerate(bits)) == a + b
    with refuses(CompositionError, "fed-back wire 0 -> multiply"):
        feedback(cl.trace((GATE,) * 3, full_adder), [None])


x2 = (BIT, BIT)
f, g, h = (symbol(name, x2, BIT) for name in "fgh")


def test_a_loop_without_a_register_is_named():
    def crossed(x, m, n):
        return x, f(x, n), g(h(m, x), x)

    body = cl.trace((BIT,) * 3, crossed)
    with refuses(
        CompositionError,
        "a loop without a register, fed-back wire 0 -> h -> g -> fed-back wire 1 -> f -> fed-back wire 0: ",
        "give one wire of it an initial value, and it is fed back one step later",
    ):
        feedback(body, [None, None])
    for initial in ([0, None], [None, 0], [0, 0]):
        assert feedback(body, initial).dom == always((BIT,))
    with refuses(CompositionError, "a loop without a register, fed-back wire 0 -> fed-back wire 0: "):
        feedback(cl.identity(BIT), [None])


def test_a_loop_through_a_state_is_none_and_one_beside_it_is():
    late = lift(cl.identity(BIT)) @ register(BIT)
    assert feedback(late >> cl.swap(BIT, BIT), [None]).run([1, 0, 1])[0].tolist() == [0, 1, 0]
    early = lift(cl.trace(x2, lambda x, m: (x, f(x, m)))) @ register(BIT)
    order = cl.wiring((BIT, BIT, BIT), [0, 2, 1])
    with refuses(CompositionError, "fed-back wire 0 -> f -> fed-back wire 0"):
        feedback(order >> early >> order, [None])


def test_registers_break_a_loop_as_a_simulation_says():
    def body(x, m, n):
        return m + n, x * n + m, m

    now, later = feedback(cl.trace((MOD4,) * 3, body), [1, None]), feedback(cl.trace((MOD4,) * 3, body), [1, 2])
    word = [3, 1, 2, 0, 1, 1]
    m, expected = 1, []
    for x in word:
        n = m
        expected.append((m + n) % 4)
        m = (x * n + m) % 4
    assert np.asarray(now.run(word)[0]).tolist() == expected
    m, n, expected = 1, 2, []
    for x in word:
        expected.append((m + n) % 4)
        m, n = (x * n + m) % 4, m
    assert np.asarray(later.run(word)[0]).tolist() == expected


def test_what_is_fed_back_must_fit():
    with refuses(CompositionError, "2 wires are to be fed back, and at time 0 there are 1"):
        feedback(cl.identity(BIT), [0, 0])
    with refuses(CompositionError, "the wires that are fed back, at time 0,", "INTEGERS"):
        feedback(cl.swap(BIT, NUMBER), [0])
    with refuses(CompositionError, "output 1 cannot be fed to input 1"):
        feedback(cl.swap(BIT, NUMBER), [None])
    with refuses(OperationError, "initial values are a list"):
        feedback(cl.identity(BIT), None)
    assert feedback(cl.identity(BIT), []) == lift(cl.identity(BIT))


def test_joined_counts_wires_and_keeps_each_node_once():
    body = cl.trace((V, V), lambda x, m: (m, cl.clip_change(V, 1.0)(x)))
    assert len(joined(body, {1: 1}).nodes) == 1
    assert joined(body, {}) == body
    assert signal_path(body, 0, 0) is None
    assert signal_path(body, 1, 0) == []
    assert signal_path(cl.trace(x2, lambda x, m: f(g(h(x, m), m), m)), 1, 0) == ["f"]


def test_a_delayed_trace_needs_the_delay():
    body = cl.trace(x2, lambda x, m: (x, f(x, g(m, x))))
    with refuses(
        CompositionError,
        "the delay is missing",
        "M comes in at time 0",
        "the loop is M -> g -> f -> M. Give initial values: feedback(body, initial)",
    ):
        delayed_trace(body, BIT)
    late = lift(Sequence((cl.trace(BIT, lambda x: (x, f(x, x))),), body))
    assert delayed_trace(late, BIT).dom == always((BIT,))
    with refuses(CompositionError, "in a delayed trace M goes out last; M and the wires at time 0"):
        delayed_trace(cl.identity(BIT), NUMBER)
    with refuses(CompositionError, "in a delayed trace ∂M comes in last; M and the wires at time 1"):
        delayed_trace(cl.zero(BIT, NUMBER), NUMBER)
    assert delayed_trace(body, ()) == lift(body)


# Derivatives


def loop(parameters, h, word):
    w, u, b = parameters
    rows = []
    for x in word:
        h = jnp.tanh(x @ w + h @ u + b)
        rows.append(h)
    return jnp.stack(rows)


def problem(length=6, seed=0):
    rng = np.random.default_rng(seed)
    cell = layers.tanh_cell(2, 3)
    values = [np.asarray(v) + rng.normal(size=np.shape(v)) * 0.3 for v in cell.initial(seed)]
    return cell, values, rng.normal(size=3), rng.normal(size=(length, 2)), rng.normal(size=(length, 3))


def test_r_of_one_scan_is_the_gradient_of_the_unrolled_loop():
    cell, values, h, word, cotangents = problem()
    network = stateful(cell, cl.parametrised("start", {"value": V}, (), lambda value: value)).as_scan(6)
    assert [type(generator) for generator, _, _ in network.diagram.nodes] == [Scan]
    back = Jax("float64")(cl.reverse_derivative(network.diagram))(*values, h, word, cotangents)
    _, pull = jax.vjp(loop, values, h, word)
    parameters, start_change, inputs = pull(cotangents)
    for ours, theirs in zip(back, [*parameters, start_change, inputs], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_the_derivative_is_jvp_of_the_unrolled_loop():
    cell, values, h, word, directions = problem(seed=1)
    rng = np.random.default_rng(2)
    tangents, changes = [rng.normal(size=v.shape) for v in values], rng.normal(size=word.shape)
    network = derivative(stateful(cell, [h]))
    assert network.signature.names[3:] == tuple(f"{name}_change" for name in cell.named("tanh_cell").names)
    run = Jax("float64")(network.as_scan(6).diagram)
    _, theirs = jax.jvp(lambda *v: loop(v[:3], h, v[3]), (*values, word), (*tangents, changes))
    ours = run(*values, *tangents, word, changes)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)

    def inner(v):
        return jnp.vdot(jax.jvp(lambda v: loop(values, h, v), (v,), (changes,))[1], directions)

    zeros = [np.zeros_like(v) for v in values]
    second = Jax("float64")(cl.reverse_derivative(network.as_scan(6).diagram))
    ours = second(*values, *zeros, word, changes, directions)[6]  # R of D*: a Hessian-vector product
    np.testing.assert_allclose(ours, jax.grad(inner)(word), rtol=1e-11, atol=1e-11)


def test_the_second_derivative_is_that_of_nested_jvp():
    cell, values, h, word, _ = problem(4, seed=3)
    a, b, c = np.random.default_rng(4).normal(size=(3, *word.shape))
    network = derivative(derivative(stateful(Causal_of(cell, values), [h])))

    def once(v, d):
        return jax.jvp(lambda v: loop(values, h, v), (v,), (d,))[1]

    theirs = jax.jvp(once, (word, a), (b, c))[1]
    ours = Jax("float64")(network.as_scan(4).diagram)(word, a, b, c)
    np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)


def Causal_of(cell, values):
    """The cell with its parameters held."""
    spaces = zip(cell.parameter, values, strict=True)
    held = cl.trace((), lambda: [functions.constant(space, value) for space, value in spaces])
    return (held @ cl.identity(cell.dom)) >> cell.diagram


def test_the_derivative_of_a_counter_over_integers_is_the_polynomial_one():
    square = stateful(cl.trace((NUMBER, NUMBER), lambda s, x: (s + x * x, s * x)), [1])
    word, change = [2, -1, 3, 1], [1, 1, 0, 2]
    outputs, _ = derivative(square).run(word, change)

    def polynomial(t):
        s, rows = 1, []
        for x, d in zip(word, change, strict=True):
            rows.append(s * (x + t * d))
            s += (x + t * d) ** 2
        return np.array(rows, float)

    slope = (polynomial(1e-4) - polynomial(-1e-4)) / 2e-4
    np.testing.assert_allclose([int(v) for v in outputs], slope, atol=1e-3)


def test_votes_of_bits_come_back_through_time():
    """Bits have integer changes: R of parity votes as the multilinear polynomial says, by flipping each input."""
    parity = stateful(cl.trace((GATE, GATE), lambda s, x: (functions.xor(s, x),) * 2), [0])
    word = [1, 0, 1]
    back = cl.reverse_derivative(parity.as_scan(3).diagram)
    assert parity.as_scan(3).cod == (cl.Space(3, cl.BITS),)
    votes = [int(v) for v in back(word, [0, 0, 1])]
    for k, vote in enumerate(votes):
        ends = [int(parity.run([*word[:k], bit, *word[k + 1 :]])[0][-1]) for bit in (0, 1)]
        assert vote == ends[1] - ends[0]


def test_an_unused_input_and_a_constant_have_no_change():
    still = stateful(cl.trace((REAL, REAL), lambda s, x: (s, functions.constant(REAL, 2.0))), [0.0])
    outputs, last = derivative(still).run([1.0, 2.0], [5.0, 6.0])
    assert outputs.tolist() == [0.0, 0.0]
    assert [float(v) for v in last] == [0.0, 0.0]
    assert cl.reverse_derivative(still.as_scan(2).diagram)([1.0, 2.0], [1.0, 1.0]).tolist() == [0.0, 0.0]


def test_a_parameter_used_by_two_maps_adds_its_changes_up():
    scale = cl.parametrised("scale", {"factor": NUMBER}, NUMBER, lambda a, x: a * x)
    total = stateful(cl.trace((NUMBER, NUMBER), lambda s, x: (s + x, s + x)), [0])
    twice = (lift(scale) >> total >> scale).as_scan(3).tie(["scale_0.factor", "scale_1.factor"])
    word, ends = [1, 2, 3], [1, 0, 2]
    change, _ = cl.reverse_derivative(twice.diagram)(5, word, ends)
    assert int(change) == 2 * 5 * (1 * 1 + 6 * 2)  # the outputs are a^2 (1, 3, 6)


def test_the_scans_of_a_recurrent_network_compute_its_cell_once():
    whole = cl.reverse_derivative(stateful(layers.gru_cell(2, 3), [0.0]).as_scan(5).diagram)
    forward, backward = (g for g, _, _ in whole.nodes if isinstance(g, Scan))
    names = [[generator.name for generator, _, _ in scan.body.nodes] for scan in (forward, backward)]
    assert names[0].count("tanh") == 1
    assert names[0].count("sigmoid") == 1
    assert not {"tanh", "sigmoid"} & set(names[1])
    emitted = backward.cod[backward.states :]
    assert emitted == (cl.Space((5, 2), cl.REAL),)  # the word's changes: those of parameters are carried


@pytest.mark.parametrize("cell", [layers.tanh_cell(2, 3), layers.gru_cell(2, 3), layers.lstm_cell(2, 3)])
def test_a_cell_along_a_sequence_is_the_layer(cell):
    states = len(cell.cod) - 1
    ours, theirs = stateful(cell, [0.0] * states).as_scan(4), layers.recurrent(cell, 4)
    assert ours == theirs
    assert ours.names == theirs.names
    assert str(ours.summary()) == str(theirs.summary())


def test_a_leaky_integrator_learns_its_rate():
    def leak(a, s, x):
        new = a * s + x
        return new, new

    cell = cl.parametrised("leak", {"rate": REAL}, (REAL, REAL), leak)
    model = stateful(cell, [0.0]).as_scan(8)
    words = np.random.default_rng(0).normal(size=(64, 8)).astype("float32")
    outputs, state = np.zeros_like(words), np.zeros(64)
    for k in range(8):
        state = outputs[:, k] = 0.7 * state + words[:, k]
    learner = cl.supervised(model, losses.mean_squared_error, optimisers.adam(0.05))
    result = cl.fit(learner, cl.Data(words, outputs, words, outputs), epochs=25, batch_size=16, seed=0)
    assert abs(float(result.parameters["leak_0"]["rate"]) - 0.7) < 1e-2


@pytest.mark.parametrize("law", [*CAUSAL, *DELAYED], ids=lambda law: law.identifier)
@pytest.mark.parametrize("name", ["Z4", "BITS"])
def test_laws(law, name):
    laws.check(laws.CATEGORIES[name], laws=[law], examples=4, strict=True)


@pytest.mark.parametrize("carrier", [cl.Z2, cl.BITS, cl.REAL], ids=str)
def test_a_long_word_runs_compiled_and_as_the_pieces_of_it_do(carrier):
    space = cl.Space((), carrier)
    step = (lambda s, x: (x, s * x)) if carrier == cl.BITS else (lambda s, x: (s + x, s * x))
    machine = register(space, [1]) >> stateful(cl.trace((space, space), step), [1])
    word = np.random.default_rng(0).integers(0, 2, 700)
    whole, end = machine.run(word)
    parts, state = [], None
    for k in range(0, 700, 100):
        outputs, state = machine.run(word[k : k + 100], state=state)
        parts.append(outputs)
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    np.testing.assert_array_equal(end, state)
