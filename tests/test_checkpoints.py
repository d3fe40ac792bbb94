"""Checkpoints: a run taken up again gives the bits of one never interrupted, and damaged files are passed by."""

import builtins
import json
import os
import runpy
import signal
import stat
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import jax
import numpy as np
import optax
import pytest
from jax.experimental.compilation_cache import compilation_cache
from safetensors.numpy import load_file, save_file

import catlearn as cl
from catlearn import checkpoints, datasets, layers, losses, optimisers
from catlearn.checkpoints import Checkpoints, CheckpointWarning
from catlearn.datasets import Data
from catlearn.errors import CheckpointError, Interrupted, MissingExtraError
from catlearn.feeding import Pace
from catlearn.functors import Exact, Jax
from catlearn.interop.optax import from_optax
from catlearn.parameters import Filled

ROOT = Path(__file__).resolve().parents[1]
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


def toy(rows=22, test_rows=4):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows + test_rows, 3)).astype("float32")
    y = np.eye(2, dtype="float32")[(x.sum(1) > 0).astype(int)]
    return Data(x[:rows], y[:rows], x[rows:], y[rows:])


def linear_learner(optimiser=None, outputs=2):
    return cl.supervised(layers.dense(3, outputs), losses.mean_squared_error, optimiser or optimisers.gd(0.05))


def noisy_learner():
    """Everything that a run can depend on: random keys, running statistics, slots and a counter."""
    model = layers.batch_normalisation((3,)) >> layers.dropout((3,), 0.3) >> layers.probe("h", cl.Space(3, cl.REAL))
    return cl.supervised(model >> layers.dense(3, 2), losses.softmax_cross_entropy, optimisers.adam(0.02))


def factor():
    """w goes to 10 while the held-out row wants 3: the best epoch is number 2."""
    model = cl.parametrised("factor", {"w": cl.Parameter("w", ONE, Filled(0.0))}, ONE, lambda w, x: w * x)
    return cl.supervised(model, losses.quadratic, optimisers.gd(0.1))


def circuit(rule=None):
    return cl.supervised(layers.lookup_table(4, 2), losses.exclusive_or, rule or optimisers.reverse_derivative_ascent())


def bits(state):
    return [(np.asarray(value).dtype.name, np.asarray(value).tolist(), np.asarray(value).shape) for value in state]


def same(one, other):
    """The two runs agree to the last bit, in their state, their history, and where they stand."""
    assert bits(one.state) == bits(other.state)
    assert vars(one.history) == vars(other.history)
    assert (one.steps, one.stopped) == (other.steps, other.stopped)


ONE_ROW = np.ones(1)
RUNS = {
    "keys, statistics and slots": (
        noisy_learner,
        toy,
        {"batch_size": 4, "seed": 3, "watch": {"h": lambda h: h.mean()}},
    ),
    "rows on the host": (linear_learner, toy, {"batch_size": 4, "resident": False, "drop_last": True}),
    "rows held out": (linear_learner, toy, {"batch_size": 4, "validation": 0.2}),
    "float64": (lambda: linear_learner(optimisers.adam()), toy, {"batch_size": 4, "precision": "float64"}),
    "bfloat16": (lambda: linear_learner(optimisers.adam()), toy, {"batch_size": 4, "precision": "bfloat16"}),
    "exact": (circuit, lambda: datasets.iris_sorted(2).binarised(), {"batch_size": 3, "backend": Exact()}),
    "bits": (circuit, lambda: datasets.iris_sorted(2).binarised(), {"batch_size": 3, "backend": Jax()}),
    "the best epoch": (
        factor,
        lambda: Data(ONE_ROW, 10 * ONE_ROW, ONE_ROW, ONE_ROW),
        {"batch_size": 1, "validation": (ONE_ROW, 3 * ONE_ROW), "keep_best": True, "patience": 4},
    ),
}


@pytest.fixture
def interrupt(monkeypatch):
    """Let a run have portions of two steps, and a signal come after some of them."""

    def after(portions, number=signal.SIGINT):
        left = iter(range(portions - 1, -1, -1))

        def took(self, seconds):
            if next(left, None) == 0:
                os.kill(os.getpid(), number)
            self.steps = 2

        monkeypatch.setattr(Pace.__init__, "__defaults__", (2,))
        monkeypatch.setattr(Pace, "took", took)

    return after


@pytest.mark.parametrize("name", RUNS)
def test_a_run_taken_up_twice_gives_the_bits_of_one_run(name, tmp_path, interrupt):
    """Once after a whole number of epochs, then in the middle of one (for one step an epoch, at its end)."""
    make, data, settings = RUNS[name]
    data = data()
    epochs = 9 if name == "the best epoch" else 4
    whole = cl.fit(make(), data, epochs=epochs, **settings)
    cl.fit(make(), data, epochs=1, checkpoint=tmp_path, **settings)
    portions = 2
    interrupt(portions)
    with pytest.raises(Interrupted) as caught:
        cl.fit(make(), data, epochs=epochs, checkpoint=tmp_path, resume=True, **settings)
    assert caught.value.path.exists()
    assert 0 < caught.value.result.steps < whole.steps
    resumed = cl.fit(make(), data, epochs=epochs, checkpoint=tmp_path, resume=True, **settings)
    same(whole, resumed)
    assert resumed.seconds > caught.value.result.seconds


def test_the_state_of_early_stopping_is_kept(tmp_path):
    """The best epoch came before the run was cut; what it left is known after."""
    make, data, settings = RUNS["the best epoch"]
    cl.fit(make(), data(), epochs=5, checkpoint=tmp_path, **settings)
    resumed = cl.fit(make(), data(), epochs=50, checkpoint=tmp_path, resume=True, **settings)
    assert resumed.stopped == "no better loss than that of epoch 2 in 4 epochs"
    assert float(resumed.state[0]) == pytest.approx(10 * (1 - 0.9**3))
    again = cl.fit(make(), data(), epochs=50, checkpoint=tmp_path, resume=True, **settings)
    same(resumed, again)


def test_a_stream_is_taken_up_in_the_middle(tmp_path, interrupt):
    data = toy()

    def batches(epoch):
        order = np.random.default_rng(epoch).permutation(20).reshape(5, 4)
        return ((data.train_inputs[rows], data.train_targets[rows]) for rows in order)

    whole = cl.fit(noisy_learner(), cl.Stream(batches), epochs=3)
    interrupt(4)
    with pytest.raises(Interrupted, match=r"after step 7 \(epoch 1\)"):
        cl.fit(noisy_learner(), cl.Stream(batches), epochs=3, checkpoint=tmp_path)
    same(whole, cl.fit(noisy_learner(), cl.Stream(batches), epochs=3, checkpoint=tmp_path, resume=True))


# Signals


def test_a_signal_in_the_last_portion_ends_the_run_too(tmp_path, interrupt):
    """Its epoch is not finished, and a run taken up finishes it."""
    data = toy(rows=20)
    whole = cl.fit(linear_learner(), data, epochs=1, batch_size=5)
    interrupt(2, signal.SIGTERM)
    with pytest.raises(Interrupted) as caught:
        cl.fit(linear_learner(), data, epochs=1, batch_size=5, checkpoint=tmp_path)
    assert caught.value.signal == signal.SIGTERM
    assert caught.value.result.steps == 4
    same(whole, cl.fit(linear_learner(), data, epochs=1, batch_size=5, checkpoint=tmp_path, resume=True))


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_signal_between_epochs_is_not_lost(tmp_path, epoch):
    def callback(event):
        if event.epoch == epoch:
            os.kill(os.getpid(), signal.SIGTERM)

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Interrupted, match=rf"stopped by SIGTERM after step {4 * (epoch + 1)} "):
        cl.fit(linear_learner(), toy(rows=20), epochs=2, batch_size=5, checkpoint=tmp_path, callbacks=[callback])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    whole = cl.fit(linear_learner(), toy(rows=20), epochs=2, batch_size=5)
    same(whole, cl.fit(linear_learner(), toy(rows=20), epochs=2, batch_size=5, checkpoint=tmp_path, resume=True))


def test_a_second_interruption_ends_the_run_at_once(tmp_path):
    def callback(event):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the run went on")

    with pytest.raises(KeyboardInterrupt) as caught:
        cl.fit(linear_learner(), toy(), epochs=2, batch_size=5, checkpoint=tmp_path, callbacks=[callback])
    assert not isinstance(caught.value, Interrupted)


def test_without_a_folder_signals_are_as_they_were():
    handlers = []
    cl.fit(
        linear_learner(),
        toy(),
        epochs=1,
        batch_size=5,
        callbacks=[lambda event: handlers.append(signal.getsignal(signal.SIGINT))],
    )
    assert handlers == [signal.getsignal(signal.SIGINT)]


def test_a_run_in_a_thread_keeps_its_checkpoints(tmp_path):
    results = []
    worker = threading.Thread(
        target=lambda: results.append(cl.fit(linear_learner(), toy(), epochs=2, batch_size=5, checkpoint=tmp_path))
    )
    worker.start()
    worker.join()
    same(results[0], cl.fit(linear_learner(), toy(), epochs=2, batch_size=5, checkpoint=tmp_path, resume=True))


MODEL = """
import os, signal
import numpy as np
from catlearn import Stream, layers, losses, optimisers, supervised

learner = supervised(layers.dense(3, 2), losses.mean_squared_error, optimisers.adam(0.01))
epochs, batch_size = 2, 20


def batches(epoch):
    for k in range(20):
        generator = np.random.default_rng([epoch, k])
        if (epoch, k) == (1, 7) and os.environ.get("SIGNAL"):
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
        yield generator.normal(size=(4, 3)), generator.normal(size=(4, 2))


data = Stream(batches)
"""


def process(*arguments, **more):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, env=environment, check=False, timeout=90
    )


def test_a_process_that_is_interrupted(tmp_path):
    model = tmp_path / "model.py"
    model.write_text(MODEL)
    made = runpy.run_path(str(model))
    whole = cl.fit(made["learner"], made["data"], epochs=2)
    for number in (signal.SIGINT, signal.SIGTERM):
        folder = tmp_path / number.name
        done = process("-m", "catlearn.cli", "train", model, "--checkpoint", folder, SIGNAL=str(int(number)))
        assert (done.returncode, done.stdout) == (128 + number, "")
        (newest, *_) = Checkpoints(folder).paths()
        steps = int(newest.stem.removeprefix("step-"))
        assert 20 < steps <= 40
        assert done.stderr == (
            f"stopped by {number.name} after step {steps} (epoch 1); the run is kept in {newest}: "
            "go on with resume=True, or --resume\n"
        )
        settings = {"epochs": 2, "batch_size": 20, "checkpoint": folder, "resume": True}
        same(whole, cl.fit(made["learner"], made["data"], **settings))


# Other runs


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (lambda: linear_learner(outputs=2), {"batch_size": 5}, "batch_size = 4 and this run has 5"),
        (linear_learner, {"seed": 1}, "seed = 0 and this run has 1"),
        (linear_learner, {"shuffle": False}, "shuffle = True and this run has False"),
        (linear_learner, {"drop_last": True}, "drop_last = False and this run has True"),
        (linear_learner, {"validation": 0.25}, "validation = False and this run has 0.25"),
        (linear_learner, {"keep_best": True}, "keep_best = False and this run has True"),
        (linear_learner, {"precision": "float64"}, r"backend = \"Jax\('float32'\)\" and this run has"),
        (
            linear_learner,
            {"precision": "bfloat16"},
            r"is of another learner than this one: model, node 0 .*: Contract.* and Lower",
        ),
        (
            lambda: linear_learner(optimisers.gd(0.1)),
            {},
            r"another learner than this one: optimiser, context 0 \(learning_rate\), start: 0.05 and 0.1",
        ),
        (
            lambda: linear_learner(optimisers.adam()),
            {},
            "another learner than this one: optimiser, name: 'gd' and 'adam'",
        ),
        (
            lambda: cl.supervised(layers.dense(3, 2), losses.quadratic, optimisers.gd(0.05)),
            {},
            "another learner than this one: loss, name: 'mean squared error' and 'quadratic'",
        ),
        (
            lambda: cl.supervised(layers.dense(3, 2, "tanh"), losses.mean_squared_error, optimisers.gd(0.05)),
            {},
            "another learner than this one: model, nodes: .* of them",
        ),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, make, settings, message):
    kept = {"batch_size": 4, "epochs": 1, "checkpoint": tmp_path}
    cl.fit(linear_learner(), toy(), **kept)
    (path,) = tmp_path.iterdir()
    with pytest.raises(CheckpointError, match=message) as caught:
        cl.fit(make(), toy(), **{**kept, **settings}, resume=True)
    assert str(path) in str(caught.value)


def test_a_checkpoint_of_other_rows_or_probes_is_refused(tmp_path):
    kept = {"batch_size": 4, "epochs": 1, "checkpoint": tmp_path}
    cl.fit(noisy_learner(), toy(), **kept)
    with pytest.raises(
        CheckpointError, match="training rows = 22 and this run has 21: give the same, or another folder"
    ):
        cl.fit(noisy_learner(), toy(rows=21), **kept, resume=True)
    with pytest.raises(CheckpointError, match=r"watched = \[\] and this run has \['h'\]"):
        cl.fit(noisy_learner(), toy(), **kept, resume=True, watch={"h": lambda h: h.mean()})


def test_resume_needs_a_folder_and_an_empty_one_starts_anew(tmp_path):
    with pytest.raises(CheckpointError, match="resume=True needs the folder"):
        cl.fit(linear_learner(), toy(), epochs=1, batch_size=4, resume=True)
    new = cl.fit(linear_learner(), toy(), epochs=1, batch_size=4, checkpoint=tmp_path / "a" / "b", resume=True)
    same(new, cl.fit(linear_learner(), toy(), epochs=1, batch_size=4))
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["step-000000006.safetensors"]


def test_a_rate_may_be_changed_when_a_run_is_taken_up(tmp_path):
    kept = {"batch_size": 4, "checkpoint": tmp_path}
    first = cl.fit(linear_learner(), toy(), epochs=1, **kept)
    still = cl.fit(linear_learner(), toy(), epochs=2, **kept, resume=True, hyperparameters={"learning_rate": 0.0})
    assert bits(first.state) == bits(still.state)
    assert still.history.epochs == 2


# Files


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_which_checkpoints_are_kept(tmp_path):
    """22 rows in batches of 4 are 6 steps an epoch; the last epoch is kept though 3 does not divide it."""
    every = Checkpoints(tmp_path / "every", every=3, keep=2)
    cl.fit(linear_learner(), toy(), epochs=10, batch_size=4, checkpoint=every)
    assert names(every.folder) == [f"step-{6 * epochs:09d}.safetensors" for epochs in (9, 10)]
    cl.fit(linear_learner(), toy(), epochs=5, batch_size=4, checkpoint=Checkpoints(tmp_path / "b", every=3, keep=9))
    assert names(tmp_path / "b") == [f"step-{6 * epochs:09d}.safetensors" for epochs in (3, 5)]
    (tmp_path / "b" / "step-000000001.txt").write_text("kept")
    (tmp_path / "b" / "step-x.safetensors").write_text("kept")
    more = Checkpoints(str(tmp_path / "b"), keep=1)
    cl.fit(linear_learner(), toy(), epochs=6, batch_size=4, checkpoint=more, resume=True)
    assert names(tmp_path / "b") == ["step-000000001.txt", "step-000000036.safetensors", "step-x.safetensors"]


@pytest.mark.parametrize("wrong", [{"every": 0}, {"keep": 0}, {"every": True}, {"keep": 1.5}])
def test_numbers_that_cannot_be(tmp_path, wrong):
    (name,) = wrong
    with pytest.raises(CheckpointError, match=f"{name} must be an integer of at least 1"):
        Checkpoints(tmp_path, **wrong)


def test_a_folder_that_is_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(CheckpointError, match=r"checkpoints are kept in a folder; .*file is a file"):
        cl.fit(linear_learner(), toy(), epochs=1, batch_size=4, checkpoint=path)
    result = cl.fit(linear_learner(), toy(), epochs=0, batch_size=4)
    with pytest.raises(CheckpointError, match="could not be written"):
        result.save(path / "model.safetensors")
    assert path.read_text() == "mine"
    with pytest.raises(CheckpointError, match="could not be written"):
        result.save(tmp_path)
    assert names(tmp_path) == ["file"]


def test_a_file_that_cannot_be_moved_into_place(tmp_path, monkeypatch):
    result = cl.fit(linear_learner(), toy(), epochs=0, batch_size=4)
    path = result.save(tmp_path / "model.safetensors")
    before = path.read_bytes()

    def refused(*places):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(CheckpointError, match=r"could not be written: Permission denied; what was there before"):
        result.save(path)
    assert (names(tmp_path), path.read_bytes()) == (["model.safetensors"], before)


def test_others_may_read_a_file_as_the_mask_says(tmp_path):
    result = cl.fit(linear_learner(), toy(), epochs=0, batch_size=4)
    before = os.umask(0o027)
    try:
        path = result.save(tmp_path / "model.safetensors")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


FULL_DISK = """
import resource, signal, sys
import numpy as np
import catlearn as cl
from catlearn import layers, losses, optimisers

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
x = np.ones((4, 3))
data = cl.Data(x, x[:, :2], x, x[:, :2])
make = lambda: cl.supervised(layers.dense(3, 2), losses.mean_squared_error, optimisers.gd(0.1))
cl.fit(make(), data, epochs=1, batch_size=2, checkpoint=sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    cl.fit(make(), data, epochs=2, batch_size=2, checkpoint=sys.argv[1], resume=True)
except cl.CatlearnError as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk(tmp_path):
    done = process("-c", FULL_DISK, tmp_path / "kept")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"CheckpointError {tmp_path / 'kept'}/step-000000004.safetensors (")
    assert "could not be written: File too large; what was there before is untouched. Free some space" in done.stdout
    assert names(tmp_path / "kept") == ["step-000000002.safetensors"]
    assert cl.load(tmp_path / "kept" / "step-000000002.safetensors").steps == 2


# Damage


@pytest.fixture
def kept(tmp_path):
    """The checkpoints of three epochs, the newest first."""
    cl.fit(linear_learner(), toy(), epochs=3, batch_size=4, checkpoint=tmp_path)
    return Checkpoints(tmp_path).paths()


def resumed(folder, epochs=4):
    return cl.fit(linear_learner(), toy(), epochs=epochs, batch_size=4, checkpoint=folder, resume=True)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 100, -100, -1])
def test_after_a_cut_file_the_one_before_is_used(kept, length):
    newest, before, _ = kept
    newest.write_bytes(newest.read_bytes()[:length])
    with pytest.raises(CheckpointError, match="cannot be read, it is cut off, damaged or no checkpoint"):
        cl.load(newest)
    with pytest.warns(CheckpointWarning, match=f"the one before it, {before}, is used"):
        again = resumed(newest.parent)
    same(again, cl.fit(linear_learner(), toy(), epochs=4, batch_size=4))


def test_after_two_cut_files_the_third_is_used_and_after_three_none(kept):
    for path in kept[:2]:
        path.write_bytes(b"")
    with pytest.warns(CheckpointWarning) as seen:
        same(resumed(kept[0].parent), cl.fit(linear_learner(), toy(), epochs=4, batch_size=4))
    assert len(seen) == 2
    for path in Checkpoints(kept[0].parent).paths():
        path.write_bytes(b"nothing")
    with pytest.warns(CheckpointWarning), pytest.raises(CheckpointError, match="cannot be read"):
        resumed(kept[0].parent)


def test_every_damaged_byte_is_noticed(tmp_path):
    """In the header and in the arrays: no other error, and no other result."""
    whole = cl.fit(linear_learner(), toy(), epochs=1, batch_size=4)
    content = whole.save(tmp_path / "whole").read_bytes()
    generator = np.random.default_rng(0)
    path = tmp_path / "damaged"
    refused = 0
    header = 8 + int.from_bytes(content[:8], "little")
    places = [*range(24), *range(len(content) - 32, len(content)), *generator.integers(0, header, 300)]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= int(generator.integers(1, 256))
        path.write_bytes(changed)
        try:
            found = cl.load(path)
        except CheckpointError:
            refused += 1
        else:  # the blanks that fill the header up mean nothing
            assert bits(found.state) == bits(whole.state)
            assert vars(found.history) == vars(whole.history)
    assert refused > len(places) - 5


def test_random_bytes_in_the_header(tmp_path):
    content = cl.fit(linear_learner(), toy(), epochs=0, batch_size=4).save(tmp_path / "whole").read_bytes()
    generator = np.random.default_rng(1)
    header = 8 + int.from_bytes(content[:8], "little")
    for _ in range(200):
        changed = bytearray(content)
        start = int(generator.integers(0, header))
        count = int(generator.integers(1, 40))
        changed[start : start + count] = generator.bytes(min(count, header - start))
        (tmp_path / "damaged").write_bytes(changed)
        with pytest.raises(CheckpointError):
            cl.load(tmp_path / "damaged")


def test_a_file_of_something_else(tmp_path):
    save_file({"a": np.zeros(3)}, tmp_path / "arrays")
    with pytest.raises(CheckpointError, match="is a file of arrays, but no checkpoint of catlearn"):
        cl.load(tmp_path / "arrays")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(CheckpointError, match="cannot be read"):
        cl.load(tmp_path / "text")
    with pytest.raises(CheckpointError, match=r"there is no file .*missing"):
        cl.load(tmp_path / "missing")
    with pytest.raises(CheckpointError, match="cannot be read"):
        cl.load(tmp_path)


def test_a_file_of_another_version(tmp_path, monkeypatch):
    result = cl.fit(linear_learner(), toy(), epochs=0, batch_size=4)
    monkeypatch.setattr(checkpoints, "VERSION", checkpoints.VERSION + 1)
    path = result.save(tmp_path / "a")
    monkeypatch.undo()
    with pytest.raises(
        CheckpointError, match="has version 2 of the format and this catlearn reads 1: use the catlearn"
    ):
        cl.load(path)


# Saving and loading


RESULTS = {
    "keys, statistics and slots": (noisy_learner, toy, {"batch_size": 4, "seed": 3}),
    "float64": (linear_learner, toy, {"batch_size": 4, "precision": "float64"}),
    "bfloat16": (linear_learner, toy, {"batch_size": 4, "precision": "bfloat16"}),
    "bfloat16 throughout": (linear_learner, toy, {"batch_size": 4, "backend": Jax("bfloat16")}),
    "exact": (circuit, lambda: datasets.iris_sorted(2).binarised(), {"batch_size": 3, "backend": Exact()}),
    "another rate": (
        lambda: linear_learner(optimisers.nesterov(0.1)),
        toy,
        {"batch_size": 4, "hyperparameters": {"decay": 0.3}},
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_that_was_saved_is_the_same_when_loaded(name, tmp_path):
    make, data, settings = RESULTS[name]
    data = data()
    result = cl.fit(make(), data, epochs=2, **settings)
    path = result.save(str(tmp_path / "models" / "a.safetensors"))
    assert path == tmp_path / "models" / "a.safetensors"
    for learner in (None, make(), result.learner):
        found = cl.load(path, learner=learner, data=data)
        assert bits(found.state) == bits(result.state)
        assert vars(found.history) == vars(result.history)
        assert (found.steps, found.seed, found.seconds) == (result.steps, result.seed, result.seconds)
        assert repr(found.backend) == repr(result.backend)
        np.testing.assert_array_equal(found.predict(data.test_inputs), result.predict(data.test_inputs))
        assert found.test_accuracy == result.test_accuracy
    assert cl.load(path).test_accuracy is None


def test_integers_of_any_size_are_kept(tmp_path):
    table = layers.lookup_table(1, 1, carrier=cl.INTEGERS)
    learner = cl.supervised(table, losses.difference, optimisers.ga())
    x = np.array([[0], [1]], object)
    y = np.array([[10**30], [-(10**25)]], object)
    data = Data(x, y, x, y)
    result = cl.fit(learner, data, epochs=1, batch_size=1, backend=Exact())
    found = cl.load(result.save(tmp_path / "a"))
    assert [int(v) for v in found.state[0].flat] == [10**30, -(10**25)]


def test_a_learner_of_optax_is_to_be_given(tmp_path):
    def make(rate=0.01):
        return cl.supervised(layers.dense(3, 2), losses.mean_squared_error, from_optax(optax.adam(rate)))

    settings = {"batch_size": 4, "checkpoint": tmp_path / "run"}
    result = cl.fit(make(), toy(), epochs=2, **settings)
    path = result.save(tmp_path / "a")
    with pytest.raises(CheckpointError, match=r"the learner in .* cannot be made: .*load\(path, learner=..\)"):
        cl.load(path)
    found = cl.load(path, learner=make())
    assert bits(found.state) == bits(result.state)
    np.testing.assert_array_equal(found.predict(toy().test_inputs), result.predict(toy().test_inputs))
    whole = cl.fit(make(), toy(), epochs=3, batch_size=4)
    same(whole, cl.fit(make(), toy(), epochs=3, **settings, resume=True))


def test_a_file_of_another_learner(tmp_path):
    path = cl.fit(linear_learner(), toy(), epochs=0, batch_size=4).save(tmp_path / "a")
    with pytest.raises(CheckpointError, match=r"of another learner than this one: parameters, dense_0.bias, space"):
        cl.load(path, learner=linear_learner(outputs=3))


FRESH = """
import sys
import numpy as np
import catlearn as cl

result = cl.load(sys.argv[1])
np.save(sys.argv[3], result.predict(np.load(sys.argv[2])))
print(result.history.loss, result.steps)
"""


def test_a_process_that_never_made_the_model_predicts_the_same(tmp_path):
    data = toy()
    result = cl.fit(noisy_learner(), data, epochs=2, batch_size=4)
    path = result.save(tmp_path / "a")
    np.save(tmp_path / "x.npy", data.test_inputs)
    done = process("-c", FRESH, path, tmp_path / "x.npy", tmp_path / "y.npy")
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), result.predict(data.test_inputs))
    assert done.stdout == f"{result.history.loss} {result.steps}\n"


def test_the_file_is_one_of_safetensors(tmp_path):
    """Any reader of that format finds the arrays."""
    result = cl.fit(linear_learner(), toy(), epochs=1, batch_size=4)
    path = result.save(tmp_path / "a")
    arrays = load_file(path)
    assert sorted(arrays) == ["state.0", "state.1"]
    np.testing.assert_array_equal(arrays["state.1"], result.state[1])
    header = json.loads(path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")])
    described = json.loads(header["__metadata__"]["catlearn"])
    assert (described["format"], described["version"], described["backend"]) == ("catlearn", 1, "jax:float32")
    assert described["hyperparameters"] == {"learning_rate": pytest.approx(0.05)}


def test_without_safetensors_the_error_says_what_to_install(tmp_path, monkeypatch):
    result = cl.fit(linear_learner(), toy(), epochs=0, batch_size=4)
    path = result.save(tmp_path / "a")
    real = builtins.__import__

    def without(name, *arguments, **more):
        if name.partition(".")[0] == "safetensors":
            raise ImportError(f"No module named {name}")
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    for call in (
        lambda: result.save(path),
        lambda: cl.load(path),
        lambda: cl.fit(linear_learner(), toy(), epochs=1, batch_size=4, checkpoint=tmp_path / "b"),
    ):
        with pytest.raises(
            MissingExtraError, match=r"needs safetensors.*pip install 'categorical-learning\[checkpoints\]'"
        ):
            call()
    assert not (tmp_path / "b").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cl.fit(linear_learner(), toy(), epochs=1, batch_size=4)
