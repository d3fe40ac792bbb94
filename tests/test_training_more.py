"""What `fit` does around the loop: rows held out, early stops, watching, how rows come, precision, bad numbers."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache
from sklearn import metrics

import catlearn as cl
from catlearn import datasets, feeding, functions, layers, losses, optimisers, running
from catlearn.checkpoints import Checkpoints
from catlearn.datasets import Data
from catlearn.errors import DataError, InputError, NotFiniteError, OperationError, UnknownNameError
from catlearn.feeding import Pace
from catlearn.functors import Exact, Jax
from catlearn.history import History
from catlearn.parameters import Filled
from catlearn.result import Result

ONE = cl.Space((), cl.REAL)


@pytest.fixture(scope="module", autouse=True)
def _programs_are_kept(tmp_path_factory):
    """Most tests run one learner several times: its programs are compiled once."""
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    for name, value in zip(names, (str(tmp_path_factory.mktemp("programs")), 0.0), strict=True):
        jax.config.update(name, value)
    compilation_cache.reset_cache()
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def vector(n):
    return cl.Space(n, cl.REAL)


def toy(rows=20, seed=0, test_rows=6):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows + test_rows, 3)).astype("float32")
    y = np.eye(2, dtype="float32")[(x @ generator.normal(size=3) > 0).astype(int)]
    return Data(x[:rows], y[:rows], x[rows:], y[rows:])


def noisy_learner():
    """Everything that a run can depend on: random keys, running statistics, slots and a counter."""
    model = layers.batch_normalisation((3,)) >> layers.dropout((3,), 0.3) >> layers.dense(3, 2)
    return cl.supervised(model, losses.softmax_cross_entropy, optimisers.adam(0.02))


def linear_learner(optimiser=None):
    return cl.supervised(layers.dense(3, 2), losses.mean_squared_error, optimiser or optimisers.gd(0.05))


def factor(start=0.0):
    """x -> w x, by half the squared error."""
    w = cl.Parameter("w", ONE, Filled(start))
    return cl.supervised(
        cl.parametrised("factor", {"w": w}, ONE, lambda w, x: w * x), losses.quadratic, optimisers.gd(0.1)
    )


def bits(state):
    return [np.asarray(value).tobytes() for value in state]


def same(one, other):
    """The two runs agree to the last bit, in their state and their history."""
    assert bits(one.state) == bits(other.state)
    assert vars(one.history) == vars(other.history)
    assert one.steps == other.steps


# Rows held out


def rows_trained_on(share, seed=0, epochs=2):
    """The rows that each epoch's steps saw, told by inputs that are the powers of two."""
    count = 16
    x = 2.0 ** np.arange(count)
    model = layers.probe("x", ONE) >> factor().model
    learner = cl.supervised(model, losses.quadratic, optimisers.gd(0.0))
    data = Data(x, x, x[:0], x[:0])
    watch = {"x": lambda x: x.sum()}
    result = cl.fit(learner, data, epochs=epochs, batch_size=4, seed=seed, validation=share, watch=watch)
    steps = result.steps // epochs
    return [{k for k in range(count) if int(mean * steps) >> k & 1} for mean in result.history.watched["x"]]


def test_a_share_of_the_rows_is_never_trained_on():
    first, second = rows_trained_on(0.25)
    assert len(first) == 12
    assert first == second
    assert first != rows_trained_on(0.25, seed=1)[0]
    assert rows_trained_on(None) == [set(range(16))] * 2


def test_poison_in_a_row_that_is_held_out_reaches_no_parameter():
    trained = rows_trained_on(0.25, seed=5)[0]
    x = np.linspace(-1, 1, 16)
    y = 2 * x
    poisoned = y.copy()
    poisoned[[k for k in range(16) if k not in trained]] = np.nan
    runs = [
        cl.fit(factor(), Data(x, t, x[:0], x[:0]), epochs=3, batch_size=4, seed=5, validation=0.25)
        for t in (y, poisoned)
    ]
    assert bits(runs[0].state) == bits(runs[1].state)
    assert runs[0].history.loss == runs[1].history.loss
    assert np.isnan(runs[1].history.validation_loss).all()
    alone = cl.fit(factor(), Data(x, y, x[:0], x[:0]), epochs=3, batch_size=4, seed=5)
    assert bits(alone.state) != bits(runs[0].state)


def test_validation_is_the_loss_and_accuracy_of_the_evaluated_model_after_each_epoch():
    data, held = toy(), toy(rows=17, seed=9)
    pair = (held.train_inputs, held.train_targets)
    learner = noisy_learner()
    seen = []

    def callback(event):
        guess = event.result.predict(pair[0])
        log = guess - np.log(np.exp(guess).sum(axis=1, keepdims=True))
        seen.append((-(pair[1] * log).sum(axis=1).mean(), 100 * np.mean(guess.argmax(1) == pair[1].argmax(1))))

    result = cl.fit(learner, data, epochs=3, batch_size=5, validation=pair, callbacks=[callback])
    np.testing.assert_allclose(result.history.validation_loss, [loss for loss, _ in seen], rtol=1e-5)
    np.testing.assert_allclose(result.history.validation_accuracy, [right for _, right in seen], rtol=1e-5)
    assert len({*result.history.validation_loss}) == 3
    np.testing.assert_array_equal(result.history.loss, cl.fit(learner, data, epochs=3, batch_size=5).history.loss)


def test_validation_counts_the_penalties_once():
    x = np.array([1.0, 2.0, 3.0])
    loss = losses.quadratic + losses.l2(0.5)
    learner = cl.supervised(factor(2.0).model, loss, optimisers.gd(0.0))
    result = cl.fit(learner, Data(x, 0 * x, x, x), epochs=1, batch_size=3, validation=(x[:2], 0 * x[:2]))
    penalty = 0.5 / 2 * 2.0**2
    assert result.history.validation_loss == [pytest.approx((2.0 + 8.0) / 2 + penalty)]
    assert result.history.loss == [pytest.approx((2.0 + 8.0 + 18.0) / 3 + penalty)]


def test_rows_held_out_of_several_wires_and_of_labels():
    learner = cl.supervised(layers.dense(3, 2), losses.label_cross_entropy, optimisers.gd(0.1))
    data = toy()
    labels = data.train_targets.argmax(1)
    result = cl.fit(
        learner, Data(data.train_inputs, labels, data.test_inputs, labels[:6]), epochs=2, batch_size=4, validation=0.2
    )
    assert result.steps == 2 * 4
    assert len(result.history.validation_accuracy) == 2
    assert set(result.history.validation_accuracy) <= {0.0, 25.0, 50.0, 75.0, 100.0}


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (0.0, "a share between 0 and 1"),
        (1.0, "a share between 0 and 1"),
        (0.001, "a share between 0 and 1"),
        (-0.5, "a share between 0 and 1"),
        (float("nan"), "a share between 0 and 1"),
        (float("inf"), "a share between 0 and 1"),
        (1, r"or \(inputs, targets\); got 1"),
        ((np.zeros((2, 3)),), r"or \(inputs, targets\)"),
        ((np.zeros((2, 4)), np.zeros((2, 2))), r"the inputs of the validation rows need rows of shape \(3,\)"),
        ((np.zeros((2, 3)), np.zeros((3, 2))), "has 2 rows of one kind and 3 targets"),
        ((np.zeros((0, 3)), np.zeros((0, 2))), "need rows of shape"),
        (((np.zeros((2, 3)),) * 2, np.zeros((2, 2))), "need 1 arrays, one a wire; got 2"),
    ],
)
def test_validation_that_cannot_be(validation, message):
    with pytest.raises(DataError, match=message):
        cl.fit(linear_learner(), toy(), epochs=1, batch_size=4, validation=validation)


def test_a_batch_larger_than_the_rows_that_are_left():
    with pytest.raises(DataError, match="batch_size is 11 and there are 10 training rows"):
        cl.fit(linear_learner(), toy(), epochs=1, batch_size=11, validation=0.5)


# Early stops


def passing_by(epochs, **more):
    """w goes to 10 by w += (10 - w) / 10 an epoch, and the held-out row wants 3: the best is 10 (1 - 0.9^3) = 2.71."""
    one = np.ones(1)
    return cl.fit(
        factor(), Data(one, 10 * one, one, one), epochs=epochs, batch_size=1, validation=(one, 3 * one), **more
    )


def test_patience_stops_after_the_best_epoch():
    result = passing_by(50, patience=2)
    w = 10 * (1 - 0.9 ** np.arange(1, 6))
    np.testing.assert_allclose(result.history.validation_loss, (w - 3) ** 2 / 2, rtol=1e-5)
    assert np.argmin(result.history.validation_loss) == 2
    assert result.stopped == "no better loss than that of epoch 2 in 2 epochs"
    assert float(result.state[0]) == pytest.approx(w[-1])
    assert passing_by(5).stopped is None


def test_keep_best_gives_the_state_of_the_best_epoch():
    best = 10 * (1 - 0.9**3)
    for result in (passing_by(50, patience=2, keep_best=True), passing_by(9, keep_best=True)):
        assert float(result.state[0]) == pytest.approx(best)
        assert float(result.parameters["factor_0"]["w"]) == pytest.approx(best)
        assert result.predict(np.ones(1))[0] == pytest.approx(best)
    assert passing_by(2, keep_best=True).state[0] == pytest.approx(1.9)


def test_patience_counts_from_the_last_better_epoch():
    assert len(passing_by(50, patience=7).history.loss) == 3 + 7


def test_without_rows_held_out_the_training_loss_counts():
    """The learning rate is too large: the loss grows from the first epoch on."""
    one = np.ones(1)
    learner = cl.supervised(factor(1.0).model, losses.quadratic, optimisers.gd(2.5))
    result = cl.fit(learner, Data(one, 0 * one, one, one), epochs=9, batch_size=1, patience=3, keep_best=True)
    assert result.history.loss == pytest.approx([0.5 * 1.5 ** (2 * k) for k in range(4)])
    assert float(result.state[0]) == pytest.approx(-1.5)


@pytest.mark.parametrize("patience", [0, -1, True, 1.5])
def test_patience_that_cannot_be(patience):
    with pytest.raises(DataError, match="patience must be an integer of at least 1"):
        cl.fit(linear_learner(), toy(), epochs=1, batch_size=4, patience=patience)


# Callbacks


def test_callbacks_are_called_in_order_after_every_epoch():
    calls = []
    result = cl.fit(
        linear_learner(),
        toy(),
        epochs=3,
        batch_size=5,
        callbacks=[
            lambda event: calls.append(("a", event.epoch, len(event.history.loss), event.result.steps)),
            lambda event: calls.append(("b", event.epoch)),
        ],
    )
    assert calls == [("a", 0, 1, 4), ("b", 0), ("a", 1, 2, 8), ("b", 1), ("a", 2, 3, 12), ("b", 2)]
    assert result.stopped is None


def test_a_callback_stops_the_run_and_the_others_are_still_called():
    calls = []

    def first(event):
        if event.epoch == 1:
            event.stop("enough")

    result = cl.fit(
        linear_learner(), toy(), epochs=9, batch_size=5, callbacks=[first, lambda event: calls.append(event.epoch)]
    )
    assert (result.stopped, calls, result.history.epochs) == ("enough", [0, 1], 2)
    silent = cl.fit(linear_learner(), toy(), epochs=9, batch_size=5, callbacks=[lambda event: event.stop()])
    assert silent.stopped == "a callback asked for it"


def test_what_a_callback_reads_is_that_epochs_and_not_kept_for_the_next():
    """Accuracies and parameters are computed once and kept; the run goes on."""
    seen = []

    def read(event):
        seen.append((event.result.parameters["dense_0"]["weight"], event.result.train_accuracy))

    result = cl.fit(linear_learner(), toy(), epochs=3, batch_size=5, callbacks=[read])
    for epochs, (weight, right) in enumerate(seen, 1):
        until = cl.fit(linear_learner(), toy(), epochs=epochs, batch_size=5)
        np.testing.assert_array_equal(weight, until.parameters["dense_0"]["weight"])
        assert right == until.train_accuracy
    np.testing.assert_array_equal(result.parameters["dense_0"]["weight"], seen[-1][0])


# Watching


def probed(name="h"):
    return layers.dense(3, 4, "tanh") >> layers.probe(name, vector(4)) >> layers.dense(4, 2)


def test_what_is_watched_is_what_numpy_and_grad_give():
    data = toy(rows=6)
    learner = cl.supervised(probed(), losses.mean_squared_error, optimisers.gd(0.0))
    start = cl.fit(learner, data, epochs=0, batch_size=4).parameters
    (b0, w0), (b1, w1) = ((start[layer]["bias"], start[layer]["weight"]) for layer in ("dense_0", "dense_1"))
    x, y = data.train_inputs, data.train_targets
    batches = [(x[:4], y[:4]), (x[4:], y[4:])]

    def loss(h, y):
        return jnp.mean((h @ w1 + b1 - y) ** 2)

    hidden = [np.tanh(x @ w0 + b0) for x, _ in batches]
    back = [-jax.grad(loss)(jnp.asarray(h), y) for h, (_, y) in zip(hidden, batches, strict=True)]
    shapes = []

    def largest(h):
        shapes.append(h.shape)
        return jnp.abs(h).max()

    watch = {"h": largest, "h'": lambda d: (d * d).sum()}
    result = cl.fit(learner, data, epochs=2, batch_size=4, shuffle=False, watch=watch)
    assert set(shapes) == {(4, 4), (2, 4)}
    forward, backward = result.history.watched["h"], result.history.watched["h'"]
    np.testing.assert_allclose(forward, [np.mean([np.abs(h).max() for h in hidden])] * 2, rtol=1e-5)
    np.testing.assert_allclose(backward, [np.mean([(d * d).sum() for d in back])] * 2, rtol=1e-5)
    signed = cl.fit(learner, data, epochs=1, batch_size=4, shuffle=False, watch={"h'": lambda d: d[0, 0]})
    np.testing.assert_allclose(signed.history.watched["h'"], [np.mean([d[0, 0] for d in back])], rtol=1e-4)


def test_watching_changes_no_bit():
    data = toy()
    model = layers.dense(3, 4) >> layers.batch_normalisation((4,)) >> layers.probe("h", vector(4)) >> layers.dense(4, 2)
    learner = cl.supervised(model, losses.softmax_cross_entropy, optimisers.adam(0.02))
    plain = cl.fit(learner, data, epochs=2, batch_size=8)
    watched = cl.fit(learner, data, epochs=2, batch_size=8, watch={"h": lambda h: h.mean(), "h'": lambda d: d.mean()})
    assert bits(plain.state) == bits(watched.state)
    assert list(watched.history.watched) == ["h", "h'"]


def test_a_name_without_a_probe():
    learner = cl.supervised(probed("hidden"), losses.mean_squared_error, optimisers.gd(0.1))
    with pytest.raises(UnknownNameError, match="no probe is called 'hiden': did you mean 'hidden'"):
        cl.fit(learner, toy(), epochs=1, batch_size=4, watch={"hiden": lambda h: h.sum()})
    with pytest.raises(UnknownNameError, match=r"the model has none; put layers.probe\(name, space\)"):
        cl.fit(linear_learner(), toy(), epochs=1, batch_size=4, watch={"h": lambda h: h.sum()})


# How rows come


def mapped(tmp_path, array, name):
    file = np.memmap(tmp_path / name, array.dtype, "w+", shape=array.shape)
    file[:] = array
    file.flush()
    return np.memmap(tmp_path / name, array.dtype, "r", shape=array.shape)


@pytest.mark.parametrize("drop_last", [False, True])
def test_memory_maps_and_rows_on_the_host_give_the_bits_of_rows_on_the_device(tmp_path, drop_last, monkeypatch):
    data, learner = toy(rows=22), noisy_learner()
    kept = []
    items = feeding.Gathered.items

    def noted(self, batches, capacity):
        kept.append(len(batches))
        return items(self, batches, capacity)

    monkeypatch.setattr(feeding.Gathered, "items", noted)
    settings = {"epochs": 3, "batch_size": 4, "drop_last": drop_last, "validation": 0.1}
    resident = cl.fit(learner, data, **settings)
    assert not kept
    same(resident, cl.fit(learner, data, **settings, resident=False))
    assert sum(kept) == resident.steps
    x, y = mapped(tmp_path, data.train_inputs, "x"), mapped(tmp_path, data.train_targets, "y")
    kept.clear()
    same(resident, cl.fit(learner, Data(x, y, data.test_inputs, data.test_targets), **settings))
    assert sum(kept) == resident.steps


def test_lists_on_the_host():
    data = toy(rows=6)
    lists = Data(data.train_inputs.tolist(), data.train_targets.tolist(), [], [])
    runs = [cl.fit(linear_learner(), d, epochs=1, batch_size=4, resident=False) for d in (data, lists)]
    same(*runs)


def in_batches(data, size):
    def batches(epoch):
        x, y = data.train_inputs, data.train_targets
        return ((x[k : k + size], y[k : k + size]) for k in range(0, len(x), size))

    return batches


def test_a_stream_gives_the_bits_of_its_rows_in_order():
    """21 rows in batches of 4: the last one has a single row."""
    data, learner = toy(rows=21), noisy_learner()
    rows = cl.fit(learner, data, epochs=3, batch_size=4, shuffle=False)
    streamed = cl.fit(learner, cl.Stream(in_batches(data, 4)), epochs=3)
    same(rows, streamed)
    assert streamed.train_accuracy is None
    assert streamed.test_accuracy is None


def test_a_stream_is_asked_for_each_epoch_and_no_further_than_its_steps():
    asked, given = [], []

    def batches(epoch):
        asked.append(epoch)
        for k in range(10**9):
            given.append(k)
            yield np.full((2, 3), float(epoch + k)), np.zeros((2, 2))

    held = toy(rows=4)
    result = cl.fit(
        linear_learner(),
        cl.Stream(batches, 5, held.test_inputs, held.test_targets),
        epochs=2,
        validation=(held.train_inputs, held.train_targets),
    )
    assert (asked, result.steps, len(given)) == ([0, 1], 10, 10)
    guesses = result.predict(held.train_inputs)
    assert result.history.validation_loss[-1] == pytest.approx(np.mean((guesses - held.train_targets) ** 2), rel=1e-5)
    right = result.predict(held.test_inputs).argmax(1) == held.test_targets.argmax(1)
    assert result.test_accuracy == pytest.approx(100 * right.mean())


GOOD = (np.zeros((2, 3)), np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "there is no batch in epoch 0"),
        ([GOOD, list(GOOD)], r"pairs \(inputs, targets\); its batch 1 is list"),
        ([GOOD[0]], r"pairs \(inputs, targets\); its batch 0 is ndarray"),
        ([GOOD, GOOD, (GOOD[0][:, :2], GOOD[1])], r"the inputs of batch 2 of the stream need rows of shape \(3,\)"),
        ([(GOOD[0], GOOD[1][:1])], "batch 0 of the stream has 2 rows of one kind and 1 targets"),
        ([(GOOD[0][:0], GOOD[1][:0])], "the inputs of batch 0 of the stream need rows of shape"),
        ([((*GOOD, 1), GOOD[1])], "the inputs of batch 0 of the stream need 1 arrays, one a wire; got 3"),
    ],
)
def test_streams_that_cannot_be(batches, message):
    with pytest.raises(DataError, match=message):
        cl.fit(linear_learner(), cl.Stream(lambda epoch: iter(batches)), epochs=1)


def test_a_stream_that_ends_in_its_second_epoch():
    once = iter([GOOD, GOOD])
    with pytest.raises(DataError, match="there is no batch in epoch 1: give at least one"):
        cl.fit(linear_learner(), cl.Stream(lambda epoch: once), epochs=2)


def test_a_stream_that_is_none():
    with pytest.raises(DataError, match=r"a Stream takes a function from the epoch to its batches.* got list"):
        cl.Stream([GOOD])
    with pytest.raises(DataError, match="a stream has no rows to hold out"):
        cl.fit(linear_learner(), cl.Stream(lambda epoch: [GOOD]), epochs=1, validation=0.5)
    with pytest.raises(InputError, match="a batch must hold numbers"):
        cl.fit(linear_learner(), cl.Stream(lambda epoch: [(np.full((2, 3), "a"), GOOD[1])]), epochs=1)


# Portions


def paced(monkeypatch, counts):
    """Let portions have those numbers of steps, one after another."""
    given = iter(counts)
    monkeypatch.setattr(Pace, "took", lambda self, seconds: setattr(self, "steps", next(given, 1)))


@pytest.mark.parametrize(("source", "precision"), [("device", "float64"), ("host", "float32"), ("stream", "float64")])
def test_the_lengths_of_portions_change_no_bit(monkeypatch, source, precision):
    data = toy(rows=150)
    watch = {"h": lambda h: (h * h).mean()}
    learner = cl.supervised(layers.dropout((3,), 0.2) >> probed(), losses.mean_squared_error, optimisers.momentum(0.02))
    given = cl.Stream(in_batches(data, 4)) if source == "stream" else data
    more = {} if source == "stream" else {"batch_size": 4, "shuffle": False, "resident": source == "device"}
    runs = []
    for counts in ([64] * 9, [3, 5, 3, 7, 6]) if source == "stream" else ([64] * 9, [1, 2, 3, 5, 7, 11, 13], [9] * 40):
        paced(monkeypatch, counts)
        runs.append(cl.fit(learner, given, epochs=3, precision=precision, watch=watch, **more))
    for run in runs[1:]:
        same(runs[0], run)


def test_the_pace_is_that_of_some_tenths_of_a_second():
    pace = Pace(steps=4)
    for seconds, steps in ((0.1, 16), (0.5, 16), (1.5, 8), (0.0, 32), *[(0.0, k) for k in (128, 512, 1024, 1024)]):
        pace.took(seconds)
        assert pace.steps == steps
    for _ in range(20):
        pace.took(9.0)
    assert pace.steps == 1


@pytest.fixture
def traced(monkeypatch):
    """The sizes of the batches for which the loop is traced, once for each time that it is compiled."""
    sizes = []
    made = running.Run.loop

    def loop(self, size, resident):
        function = made(self, size, resident)

        def noted(*arguments):
            sizes.append(size)
            return function(*arguments)

        return noted

    monkeypatch.setattr(running.Run, "loop", loop)
    return sizes


@pytest.mark.parametrize("resident", [True, False])
def test_a_run_compiles_its_loop_once_for_each_size_of_batch(monkeypatch, traced, resident):
    paced(monkeypatch, [1, 2, 3, 4, 5, 2, 1, 3])
    cl.fit(linear_learner(), toy(rows=22), epochs=4, batch_size=4, resident=resident)
    assert sorted(traced) == [2, 4]


def test_other_settings_data_and_steps_compile_nothing(traced):
    data = toy()
    run = running.Run(linear_learner(), Jax(), 0)
    events = []

    def listen(name, seconds, **more):
        if "backend_compile" in name:
            events.append(name)

    def steps(rate, x, first):
        run.settings = (jnp.asarray(rate, "float32"),)
        run.columns = (x, jnp.asarray(data.train_targets))
        portion = next(feeding.Resident(np.arange(20), 4, first, True, False).portions(0, 0, Pace()))
        return run.steps(state, portion, first)

    state, x = run.initial(), jnp.asarray(data.train_inputs)
    other = -x
    first = steps(0.1, x, 0)
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        rates, rows = steps(0.2, x, 0), steps(0.1, other, 7)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert (traced, events) == ([4], [])
    assert bits(first.state) != bits(rates.state) != bits(rows.state)


def test_a_stream_of_many_lengths_compiles_few_loops(monkeypatch):
    """The lengths of its portions are rounded up to powers of two."""
    lengths = set()
    compiled = running.Run.program

    def program(self, size, resident):
        run = compiled(self, size, resident)

        def noted(state, items, *rest):
            lengths.add(len(items[0]))
            return run(state, items, *rest)

        return noted

    monkeypatch.setattr(running.Run, "program", program)
    paced(monkeypatch, range(1, 30))
    cl.fit(linear_learner(), cl.Stream(in_batches(toy(rows=100), 2)), epochs=3)
    assert lengths <= {1, 2, 4, 8, 16, 32, 64}
    assert len(lengths) > 3


# Precision


def test_float64_is_the_backend_of_that_precision():
    data, learner = toy(), noisy_learner()
    wide = cl.fit(learner, data, epochs=2, batch_size=8, precision="float64", validation=0.2)
    same(wide, cl.fit(learner, data, epochs=2, batch_size=8, backend=Jax("float64"), validation=0.2))
    assert {np.asarray(v).dtype for v in wide.state if np.asarray(v).dtype.kind == "f"} == {np.dtype("float64")}
    narrow, wide = (cl.fit(linear_learner(), data, epochs=2, batch_size=8, precision=p) for p in ("float32", "float64"))
    np.testing.assert_allclose(narrow.history.loss, wide.history.loss, rtol=1e-5)
    assert narrow.history.loss != wide.history.loss


def test_precisions_that_cannot_be():
    with pytest.raises(UnknownNameError, match="no precision is called 'float46': did you mean 'float64'"):
        cl.fit(linear_learner(), toy(), epochs=1, batch_size=4, precision="float46")
    with pytest.raises(OperationError, match="give backend or precision, not both"):
        cl.fit(linear_learner(), toy(), epochs=1, batch_size=4, precision="bfloat16", backend=Jax())


def sequences():
    x = np.random.default_rng(0).normal(size=(24, 5, 3)).astype("float32")
    y = np.eye(2, dtype="float32")[(x.sum((1, 2)) > 0).astype(int)]
    model = layers.recurrent(layers.gru_cell(3, 6), 5, last=True) >> layers.probe("h", vector(6)) >> layers.dense(6, 2)
    return model, Data(x, y, x[:3], y[:3])


def pictures():
    x = np.random.default_rng(0).normal(size=(24, 6, 6, 1)).astype("float32")
    y = np.eye(2, dtype="float32")[(x[:, :3].sum((1, 2, 3)) > 0).astype(int)]
    model = (
        layers.conv((6, 6, 1), 3, 3, "relu")
        >> layers.max_pool((6, 6, 3), 2)
        >> layers.flatten((3, 3, 3))
        >> layers.probe("h", vector(27))
        >> layers.dense(27, 2)
    )
    return model, Data(x, y, x[:3], y[:3])


def tables():
    data = toy(rows=24)
    model = layers.dense(3, 8, "tanh") >> layers.layer_normalisation((8,)) >> layers.probe("h", vector(8))
    return model >> layers.dense(8, 2), data


@pytest.mark.parametrize("make", [tables, sequences, pictures])
def test_bfloat16_computes_the_model_in_it_and_keeps_the_rest_in_float32(make):
    model, data = make()
    learner = cl.supervised(model, losses.softmax_cross_entropy, optimisers.adam(0.02))
    dtypes = []

    def noted(h):
        dtypes.append(str(h.dtype))
        return h.astype("float32").mean()

    watch = {"h": noted, "h'": noted}
    low = cl.fit(learner, data, epochs=6, batch_size=8, precision="bfloat16", watch=watch)
    assert set(dtypes) == {"bfloat16"}
    dtypes.clear()
    high = cl.fit(learner, data, epochs=6, batch_size=8, watch=watch)
    assert set(dtypes) == {"float32"}
    assert {np.asarray(v).dtype.name for v in low.state} <= {"float32", "int32"}
    np.testing.assert_allclose(low.history.loss, high.history.loss, rtol=0.03)
    np.testing.assert_allclose(low.history.watched["h"], high.history.watched["h"], atol=0.03)
    assert low.history.loss != high.history.loss
    assert low.history.loss[-1] < low.history.loss[0]
    guess = low.predict(data.train_inputs)
    assert guess.dtype == np.float32
    finer = Result(high.learner, low.state, data, Jax(), low.settings, 0).predict(data.train_inputs)
    assert 2**-12 < np.abs(guess - finer).max() < 2**-4
    # The parameters do not: they have digits that bfloat16 has not.
    weights = low.parameters["dense_0" if make is not tables else "dense_1"]["weight"]
    assert (weights != weights.astype(jnp.bfloat16).astype("float32")).any()


def test_bfloat16_steps_too_small_for_it_are_not_lost():
    """1 + 1/1024 is no bfloat16; the parameter is kept in float32 and arrives."""
    one = np.ones(1)
    learner = cl.supervised(factor(1.0).model, losses.quadratic, optimisers.gd(1 / 1024))
    result = cl.fit(learner, Data(one, 2 * one, one, one), epochs=3, batch_size=1, precision="bfloat16")
    assert float(result.state[0]) == 1 + 3 / 1024


# The evaluation form, frozen parameters


def test_frozen_parameters_stay_and_the_others_move():
    model = (layers.dense(3, 4, "tanh") >> layers.dense(4, 2)).freeze("dense_0.weight", "dense_0.bias")
    learner = cl.supervised(model, losses.softmax_cross_entropy, optimisers.adam(0.02))
    start, end = (cl.fit(learner, toy(), epochs=epochs, batch_size=5).parameters for epochs in (0, 3))
    for name in ("weight", "bias"):
        np.testing.assert_array_equal(start["dense_0"][name], end["dense_0"][name])
        assert (start["dense_1"][name] != end["dense_1"][name]).any()


def test_batch_normalisation_predicts_with_its_running_statistics():
    data = toy(rows=8)
    model = layers.dense(3, 4) >> layers.batch_normalisation((4,), rate=0.25, epsilon=0.5)
    learner = cl.supervised(model, losses.mean_squared_error, optimisers.gd(0.0))
    targets = np.zeros((8, 4))
    result = cl.fit(learner, Data(data.train_inputs, targets, data.test_inputs, targets[:6]), epochs=2, batch_size=8)
    layer, moved = result.parameters["dense_0"], result.parameters["batch_normalisation_0"]
    y = data.train_inputs @ layer["weight"] + layer["bias"]
    kept = 0.75**2
    np.testing.assert_allclose(moved["mean"], (1 - kept) * y.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(moved["variance"], kept + (1 - kept) * y.var(0), rtol=1e-4)
    x = data.test_inputs @ layer["weight"] + layer["bias"]
    guess = result.predict(data.test_inputs)
    np.testing.assert_allclose(guess, (x - moved["mean"]) / np.sqrt(moved["variance"] + 0.5), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(guess[:1], result.predict(data.test_inputs[:1]), rtol=1e-6)


def test_dropout_drops_while_training_and_predicts_without():
    x = np.ones((200, 5))
    model = (
        layers.dropout((5,), 0.5) >> layers.probe("h", vector(5)) >> layers.linear(5, 1) >> layers.probe("y", vector(1))
    )
    learner = cl.supervised(model, losses.mean_squared_error, optimisers.gd(0.0))
    result = cl.fit(
        learner,
        Data(x, np.zeros((200, 1)), x[:3], np.zeros((3, 1))),
        epochs=2,
        batch_size=100,
        watch={"h": lambda h: (h == 0).mean(), "y": lambda y: y.shape[1]},
    )
    assert result.history.watched["y"] == [1.0, 1.0]
    dropped = result.history.watched["h"]
    assert all(0.4 < share < 0.6 for share in dropped)
    assert dropped[0] != dropped[1]
    first = result.predict(x[:3])
    np.testing.assert_array_equal(first, result.predict(x[:3]))
    np.testing.assert_allclose(first, x[:3] @ result.parameters["linear_0"]["weight"], rtol=1e-6)


@pytest.mark.parametrize("rows", [511, 513, 1100])
def test_many_rows_are_evaluated_in_parts(rows):
    data = toy(rows=rows)
    learner = noisy_learner()
    run = running.Run(learner, Jax("float64"), 0)
    start = cl.fit(learner, toy(), epochs=1, batch_size=5, precision="float64")
    x, y = data.train_inputs.astype(float), data.train_targets.astype(float)
    loss, right = run.evaluate(start.state, (x,), (y,))
    guess = start.predict(x)
    log = guess - np.log(np.exp(guess).sum(axis=1, keepdims=True))
    assert loss == pytest.approx(-(y * log).sum(1).mean(), rel=1e-9)
    assert right == pytest.approx(100 * np.mean(guess.argmax(1) == y.argmax(1)))
    whole = np.concatenate([start.predict(x[k : k + 7]) for k in range(0, rows, 7)])
    np.testing.assert_allclose(guess, whole, rtol=1e-12)


# Metrics and pictures


@pytest.mark.parametrize(
    ("name", "options"),
    [("f1_score", {"average": "macro"}), ("accuracy_score", {}), ("confusion_matrix", {"labels": [0, 1, 2]})],
)
def test_metrics_are_those_of_sklearn(name, options):
    data = datasets.iris()
    learner = cl.supervised(layers.dense(4, 3), losses.softmax_cross_entropy, optimisers.adam(0.05))
    result = cl.fit(learner, data, epochs=3, batch_size=20)
    for x, y in ((data.test_inputs, data.test_targets), (data.train_inputs, data.train_targets)):
        expected = getattr(metrics, name)(y.argmax(1), result.predict(x).argmax(1), **options)
        np.testing.assert_array_equal(result.metric(name, x, y, **options), expected)
    expected = getattr(metrics, name)(
        data.test_targets.argmax(1), result.predict(data.test_inputs).argmax(1), **options
    )
    np.testing.assert_array_equal(result.metric(name, **options), expected)


def test_metrics_of_numbers_and_of_class_numbers():
    x = np.arange(4.0)
    result = cl.fit(factor(2.0), Data(x, x, x, x), epochs=0, batch_size=2)
    assert result.metric("mean_squared_error") == pytest.approx(np.mean(x**2))
    assert result.metric("max_error", x, 2 * x + 5) == pytest.approx(5.0)
    learner = cl.supervised(layers.dense(3, 2), losses.label_cross_entropy, optimisers.gd(0.1))
    data = toy()
    labels = data.train_targets.argmax(1)
    numbered = cl.fit(learner, Data(data.train_inputs, labels, data.train_inputs, labels), epochs=1, batch_size=5)
    assert numbered.metric("accuracy_score") == pytest.approx(numbered.test_accuracy / 100)
    with pytest.raises(UnknownNameError, match=r"sklearn\.metrics has no 'f1_scor': did you mean 'f1_score'"):
        result.metric("f1_scor")


def pixels(path):
    from matplotlib.image import imread

    return imread(path)[:, :, :3]


def test_a_picture_of_the_history_shows_its_curves(tmp_path):
    history = History([3.0, 2.0, 1.0], [10.0, 20.0, 30.0], [4.0, 3.0, 2.5], [5.0, 6.0, 7.0], {"h": [1.0, 2.0, 1.5]})
    figure = history.plot(tmp_path / "a.png")
    lines = {
        axis.get_ylabel(): {line.get_label(): list(line.get_ydata()) for line in axis.lines} for axis in figure.axes
    }
    assert lines == {
        "loss": {"training": history.loss, "validation": history.validation_loss},
        "accuracy, %": {"training": history.accuracy, "validation": history.validation_accuracy},
        "watched": history.watched,
    }
    assert list(figure.axes[0].lines[0].get_xdata()) == [1, 2, 3]
    first = pixels(tmp_path / "a.png")
    coloured = np.ptp(first, axis=2) > 0.2
    assert coloured.mean() > 0.002
    history.loss[1] = 9.0
    history.plot(tmp_path / "b.png")
    assert (pixels(tmp_path / "b.png") != first).any()


def test_a_picture_of_an_empty_history_and_of_a_run(tmp_path):
    assert [len(axis.lines) for axis in History().plot().axes] == [0, 0]
    result = cl.fit(linear_learner(), toy(), epochs=2, batch_size=5)
    assert list(result.history.plot().axes[0].lines[0].get_ydata()) == result.history.loss


# Numbers that are not finite


def logarithm():
    """x -> log(w x + 1): from w = 1, a row below -1 has no logarithm."""
    w = cl.Parameter("w", ONE, Filled(1.0))
    model = cl.parametrised("shifted", {"w": w}, ONE, lambda w, x: functions.log(w * x + 1.0))
    return cl.supervised(model, losses.quadratic, optimisers.gd(0.01))


def root():
    """x -> sqrt(w x): at x = 0 the value is 0, and its derivative is not finite."""
    w = cl.Parameter("w", ONE, Filled(1.0))
    model = cl.parametrised("rooted", {"w": w}, ONE, lambda w, x: functions.sqrt(w * x))
    return cl.supervised(model, losses.quadratic, optimisers.gd(0.01))


def with_a_bad_row(value, row=11, rows=24):
    x = np.linspace(0.5, 1.5, rows)
    y = np.zeros(rows)
    x[row] = value
    return Data(x, y, x[:0], y[:0])


def failing(learner, data, **settings):
    with pytest.raises(NotFiniteError) as caught:
        cl.fit(learner, data, **{"epochs": 3, "batch_size": 2, "shuffle": False} | settings)
    return caught.value


SOURCES = [{"resident": True}, {"resident": False}, {"stream": True}]


def sourced(data, stream=False, **settings):
    """The data as rows or as a stream, which has no row numbers, and the settings of fit that remain."""
    return (cl.Stream(in_batches(data, 2)), {"batch_size": None}) if stream else (data, settings)


@pytest.mark.parametrize("settings", SOURCES)
@pytest.mark.parametrize("pace", [64, 2, 1])
def test_a_logarithm_of_a_negative_number_is_named(monkeypatch, settings, pace):
    paced(monkeypatch, [pace] * 99)
    monkeypatch.setattr(Pace.__init__, "__defaults__", (pace,))
    data, more = sourced(with_a_bad_row(-5.0), **settings)
    error = failing(logarithm(), data, **more)
    rows = "" if "stream" in settings else ", rows 10, 11"
    assert f"the loss is nan at step 5 (epoch 0{rows}): lower the learning rate" in str(error)
    assert "; the first node to become non-finite is 'log' (" in str(error)
    assert " of the step, forward), giving Space((2,), REAL)" in str(error)
    assert (error.step, error.epoch, error.result.steps) == (5, 0, 5)
    before = with_a_bad_row(1.0)
    before = Data(before.train_inputs[:10], before.train_targets[:10], before.test_inputs, before.test_targets)
    good = cl.fit(logarithm(), before, epochs=1, batch_size=2, shuffle=False)
    assert bits(error.result.state) == bits(good.state)


@pytest.mark.parametrize("settings", SOURCES)
def test_a_square_root_at_zero_is_named_with_the_update_that_it_spoilt(settings):
    """The loss of step 5 is a number; what it leaves is not, and the loss of step 6 shows it."""
    data, more = sourced(with_a_bad_row(0.0), **settings)
    error = failing(root(), data, **more)
    rows = "" if "stream" in settings else ", rows 10, 11"
    assert f"the loss is nan at step 6 (epoch 0, after the update of step 5{rows})" in str(error)
    assert "of the step, backward, or in the update)" in str(error)
    assert error.result.steps == 5
    assert np.isfinite(np.asarray(error.result.state[0])).all()


def test_a_square_root_at_zero_in_the_last_step():
    error = failing(root(), with_a_bad_row(0.0, row=23))
    assert "the parameters are not finite after step 11 (epoch 0, rows 22, 23)" in str(error)
    assert "backward, or in the update" in str(error)
    assert error.result.steps == 11


def test_a_bad_row_in_a_later_epoch_and_a_later_portion(monkeypatch):
    paced(monkeypatch, [4] * 99)
    monkeypatch.setattr(Pace.__init__, "__defaults__", (4,))
    data = with_a_bad_row(1.0)

    def batches(epoch):
        return in_batches(data if epoch < 2 else with_a_bad_row(-5.0, row=20), 2)(epoch)

    error = failing(logarithm(), cl.Stream(batches), batch_size=None)
    assert "the loss is nan at step 34 (epoch 2)" in str(error)
    assert (error.step, error.epoch, error.result.steps) == (34, 2, 34)
    assert error.result.history.epochs == 2


def slots_that_overflow():
    """A learner whose slot overflows some steps before its loss does: Adam squares what comes back."""
    w = cl.Parameter("w", ONE, Filled(1.0))
    model = cl.parametrised("factor", {"w": w}, ONE, lambda w, x: w * x)
    return cl.supervised(model, losses.quadratic, optimisers.adam(0.01))


def test_the_state_kept_is_finite_where_a_slot_was_not_for_some_steps():
    """The gradient 1e30 of row 2 overflows the slot, nothing else; the row of NaN comes three steps later."""
    x = np.ones(10)
    x[2], x[5] = 1e15, np.nan
    y = np.zeros(10)
    error = failing(slots_that_overflow(), Data(x, y, x[:0], y[:0]), batch_size=1)
    assert all(np.isfinite(np.asarray(v)).all() for v in error.result.state)
    assert error.result.steps == 2
    assert "the loss is nan at step 5 (epoch 0, after the update of step 2, rows 2)" in str(error)


def test_the_state_that_was_kept_goes_on_from_the_right_row(tmp_path):
    """A run that failed in the middle of an epoch is taken up with mended rows: no row is trained on twice."""
    bad, good = with_a_bad_row(-5.0), with_a_bad_row(1.0)
    settings = {"epochs": 2, "batch_size": 2, "checkpoint": Checkpoints(tmp_path)}
    with pytest.raises(NotFiniteError, match=r"; the last good state is kept in .*step-\d+.safetensors"):
        cl.fit(logarithm(), bad, **settings)
    resumed = cl.fit(logarithm(), good, **settings, resume=True)
    whole = cl.fit(logarithm(), good, epochs=2, batch_size=2)
    same(whole, resumed)


def test_the_exact_backend_has_no_numbers_that_are_not_finite():
    data = datasets.iris_sorted(2).binarised()
    learner = cl.supervised(layers.lookup_table(4, 2), losses.exclusive_or, optimisers.reverse_derivative_ascent())
    runs = [
        cl.fit(learner, data, epochs=2, batch_size=1, backend=backend, validation=0.2) for backend in (Jax(), Exact())
    ]
    assert [np.asarray(v, int).tolist() for v in runs[0].state] == [np.asarray(v, int).tolist() for v in runs[1].state]
    assert vars(runs[0].history) == vars(runs[1].history)


def test_numpy_numbers_for_settings():
    data = toy()
    numbers = {"epochs": np.int64(2), "batch_size": np.int32(4), "seed": np.int64(3)}
    same(cl.fit(linear_learner(), data, **numbers), cl.fit(linear_learner(), data, epochs=2, batch_size=4, seed=3))


def test_a_result_can_be_copied_with_another_state():
    result = cl.fit(linear_learner(), toy(), epochs=1, batch_size=5)
    first = result.parameters["dense_0"]["weight"]
    other = replace(result, state=tuple(2 * v for v in result.state))
    np.testing.assert_allclose(other.parameters["dense_0"]["weight"], 2 * first, rtol=1e-6)


def test_a_probe_of_two_wires_gives_them_in_order():
    x, z = np.random.default_rng(0).normal(size=(2, 16, 3))
    two = cl.Space(3, cl.REAL)
    model = (layers.dense(3, 3) @ layers.dense(3, 3, "tanh")) >> layers.probe("both", (two, two))
    model = model >> cl.add(two) >> layers.dropout((3,), 0.5) >> layers.dense(3, 1)
    data = cl.Data((x, z), x[:, :1], (x[:1], z[:1]), x[:1, :1])
    learner = cl.supervised(model, losses.quadratic, optimisers.gd(0.0))
    watch = {"both": lambda a, b: (b - 2 * a).mean(), "both'": lambda a, b: abs(a - b).max() + (a == 0).all()}
    result = cl.fit(learner, data, epochs=1, batch_size=16, watch=watch)
    p, q = (result.parameters[name] for name in ("dense_0", "dense_1"))
    wanted = np.tanh(z @ q["weight"] + q["bias"]) - 2 * (x @ p["weight"] + p["bias"])
    np.testing.assert_allclose(result.history.watched["both"], [wanted.mean()], rtol=1e-4)
    np.testing.assert_allclose(result.history.watched["both'"], [0.0], atol=1e-7)
