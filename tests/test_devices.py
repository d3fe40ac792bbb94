"""Several devices and several processes: the same training as on one device, each in a process of its own.

This file is also the program that those processes run: `python test_devices.py NAME FOLDER ..` calls the function NAME.
"""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import catlearn as cl
from catlearn import layers, losses, optimisers
from catlearn.datasets import Data
from catlearn.errors import OperationError
from catlearn.running import Devices

ROOT = Path(__file__).resolve().parents[1]


def rows(count=64, shape=(8,)):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(count, *shape)).astype("float32")
    y = np.eye(3, dtype="float32")[generator.integers(0, 3, count)]
    return Data(x, y, x[:10], y[:10])


def dense(optimiser=None, loss=losses.softmax_cross_entropy):
    return cl.supervised(layers.dense(8, 16, "tanh") >> layers.dense(16, 3), loss, optimiser or optimisers.adam(0.01))


def mesh(*shape, names=("data", "model")):
    import jax
    from jax.sharding import Mesh

    devices = np.array(jax.devices()[: int(np.prod(shape))])
    return Mesh(devices.reshape(shape), names[: len(shape)])


def close(one, other):
    """Equal up to the order of sums: states, histories and predictions."""
    for mine, theirs in zip(one.state, other.state, strict=True):
        np.testing.assert_allclose(np.asarray(mine), np.asarray(theirs), rtol=0, atol=1e-5)
    for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(getattr(one.history, name), getattr(other.history, name), rtol=1e-5)
    x = one.data.test_inputs
    np.testing.assert_allclose(one.predict(x), other.predict(x), rtol=0, atol=1e-5)


# What the processes do


def eight_as_one(folder):
    import jax

    assert len(jax.devices()) == 8
    pictures = (
        layers.conv((6, 6, 1), 3, 3, "relu")
        >> layers.batch_normalisation((6, 6, 3))
        >> layers.flatten((6, 6, 3))
        >> layers.dropout((108,), 0.2)
        >> layers.dense(108, 3)
    )
    cases = [
        (dense, rows(), {}),
        (dense, rows(70), {"drop_last": True, "resident": False, "validation": 0.05}),
        (lambda: dense(optimisers.gd(0.1), losses.mean_squared_error + losses.l2(0.1)), rows(), {"shuffle": False}),
        (
            lambda: cl.supervised(pictures, losses.softmax_cross_entropy, optimisers.gd(0.01)),
            rows(32, (6, 6, 1)),
            {"seed": 1},
        ),
    ]
    for make, data, settings in cases:
        settings = {"epochs": 2, "batch_size": 16, **settings}
        alone = cl.fit(make(), data, **settings)
        together = cl.fit(make(), data, mesh=mesh(8), **settings)
        close(alone, together)
        assert all(len(value.sharding.device_set) == 8 for value in together.state)
        assert all(value.is_fully_replicated for value in together.state)


def parameters_cut(folder):
    """The weight of the first layer and its two slots lie in two parts, everything else on every device."""
    from jax.sharding import PartitionSpec

    data = rows()
    spec = PartitionSpec(None, "model")
    alone = cl.fit(dense(), data, epochs=2, batch_size=16)
    cut = cl.fit(
        dense(), data, epochs=2, batch_size=16, mesh=mesh(4, 2), sharding={"dense_0.w*": spec}, checkpoint=folder
    )
    close(alone, cut)
    np.testing.assert_allclose(cut.parameters["dense_0"]["weight"], alone.parameters["dense_0"]["weight"], atol=1e-5)
    specs = [value.sharding.spec for value in cut.state]
    owners = cut.learner.state_owners
    assert [owner for owner, found in zip(owners, specs, strict=True) if found == spec] == ["dense_0.weight"] * 3
    for owner, value in zip(owners, cut.state, strict=True):
        shape = value.addressable_shards[0].data.shape
        assert shape == ((8, 8) if owner == "dense_0.weight" else value.shape)
        assert value.is_fully_replicated == (owner != "dense_0.weight")
    resumed = cl.fit(dense(), data, epochs=3, batch_size=16, checkpoint=folder, resume=True)
    close(cl.fit(dense(), data, epochs=3, batch_size=16), resumed)


def one_all_reduce(folder):
    """All that the devices say to each other in a step is one sum: gradients, loss and right predictions together."""
    import jax

    from catlearn.feeding import Pace, Resident
    from catlearn.functors import Jax
    from catlearn.running import Devices, Run

    data = rows()
    run = Run(dense(), Jax(), 0, devices=Devices(mesh(8)))
    run.columns = run.place((data.train_inputs, data.train_targets))
    portion = next(Resident(np.arange(64), 16, 0, True, False).portions(0, 0, Pace()))
    arguments = (run.initial(), run.place(portion.items), np.int32(4), np.int32(0), run.columns, run.settings)
    text = jax.jit(run.loop(16, True)).lower(*arguments).compile().as_text()
    spoken = re.findall(r"= .* (all-[a-z-]+|collective-[a-z-]+|reduce-scatter[a-z-]*)\(", text)
    assert spoken == ["all-reduce"], spoken
    (shapes,) = re.findall(r"= (.*) all-reduce\(", text)
    for shape in ("f32[8,16]", "f32[16]", "f32[16,3]", "f32[3]"):
        assert shape in shapes, shapes


def refused(folder):
    import jax
    from jax.sharding import PartitionSpec

    from catlearn.errors import DataError, NotFiniteError, OperationError, UnknownNameError
    from catlearn.functors import Exact

    def refuses(error, message, learner=None, data=None, **settings):
        with pytest.raises(error, match=message):
            cl.fit(learner or dense(), data or rows(), **{"epochs": 1, "batch_size": 16, "mesh": mesh(8)} | settings)

    uneven = r"a batch of 12 rows cannot be cut evenly over 8 devices \(axis 'data' .*drop_last=True"
    refuses(DataError, uneven, batch_size=12)
    refuses(DataError, "a batch of 6 rows cannot be cut evenly over 8 devices", data=rows(70))
    x, y = rows().train_inputs, rows().train_targets
    refuses(DataError, "a batch of 9 rows", data=cl.Stream(lambda epoch: [(x[:9], y[:9])]))
    half = {"mesh": mesh(4, 2), "batch_size": 12, "drop_last": True}
    assert cl.fit(dense(), rows(), epochs=1, **half).steps == 5
    names = {"dense_1.wait": PartitionSpec("data")}
    refuses(UnknownNameError, "no parameter fits 'dense_1.wait': did you mean 'dense_1.weight'", sharding=names)
    refuses(OperationError, r"mesh takes a jax.sharding.Mesh.*; got '8'", mesh="8")
    refuses(OperationError, r"mesh takes a jax.sharding.Mesh", mesh=jax.devices())
    refuses(OperationError, "give mesh too", mesh=None, sharding={"*": PartitionSpec()})
    bits = cl.supervised(layers.lookup_table(4, 2), losses.exclusive_or, optimisers.ga())
    zeros = np.zeros((16, 4), int)
    table = Data(zeros, zeros[:, :2], zeros, zeros[:, :2])
    refuses(OperationError, r"a mesh of devices needs functors.Jax\(\)", bits, table, backend=Exact())
    poisoned = rows()
    poisoned.train_inputs[33] = np.nan
    cut = {"dense_0.weight": PartitionSpec(None, "data")}
    for sharding in ({}, cut):
        with pytest.raises(NotFiniteError, match="the first node to become non-finite is") as caught:
            cl.fit(dense(), poisoned, epochs=1, batch_size=16, shuffle=False, mesh=mesh(8), sharding=sharding)
        assert "at step 2 (epoch 0, rows 32, 33, 34" in str(caught.value)
        assert all(np.isfinite(np.asarray(value)).all() for value in caught.value.result.state)


def fewer_devices(folder):
    """A run of eight devices goes on with one and with four."""
    from catlearn.checkpoints import Checkpoints

    data = rows()
    settings = {"epochs": 3, "batch_size": 16}
    whole = cl.fit(dense(), data, **settings)
    for count in (1, 4):
        kept = Checkpoints(Path(folder) / str(count))
        cl.fit(dense(), data, epochs=2, batch_size=16, mesh=mesh(8), checkpoint=kept)
        more = {} if count == 1 else {"mesh": mesh(count)}
        resumed = cl.fit(dense(), data, **settings, checkpoint=kept, resume=True, **more)
        assert resumed.history.epochs == 3
        assert all(len(value.sharding.device_set) == count for value in resumed.state)
        close(whole, resumed)


def together(folder, number, port):
    """One of two processes that train together; each compares what it has with a run of its own."""
    import jax

    jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(number))
    from jax.sharding import PartitionSpec

    folder = Path(folder)
    data = rows()
    assert jax.process_count() == 2
    alone = cl.fit(dense(), data, epochs=2, batch_size=16, validation=0.25)
    many = mesh(len(jax.devices()))
    settings = {"epochs": 2, "batch_size": 16, "validation": 0.25, "keep_best": True}
    cases = {
        "resident": {},
        "cut": {"sharding": {"dense_0.weight": PartitionSpec(None, "data")}, "resident": False},
    }
    for name, more in cases.items():
        kept = folder / number / name
        result = cl.fit(dense(), data, mesh=many, checkpoint=kept, **settings, **more)
        np.testing.assert_allclose(result.history.loss, alone.history.loss, rtol=1e-5)
        np.testing.assert_allclose(result.history.validation_loss, alone.history.validation_loss, rtol=1e-5)
        for layer, parameters in alone.parameters.items():
            for key, value in parameters.items():
                np.testing.assert_allclose(result.parameters[layer][key], value, rtol=0, atol=1e-5)
        np.testing.assert_allclose(result.predict(data.test_inputs), alone.predict(data.test_inputs), atol=1e-5)
        assert result.test_accuracy == alone.test_accuracy
        result.save(folder / number / f"{name}.safetensors")
        assert kept.exists() == (number == "0")
    # Both read the folder that the first one wrote.
    whole = cl.fit(dense(), data, **settings | {"epochs": 3})
    shared = {"checkpoint": folder / "0" / "cut", "resume": True, "mesh": many}
    resumed = cl.fit(dense(), data, **settings | {"epochs": 3}, **shared, **cases["cut"])
    assert resumed.history.epochs == 3
    np.testing.assert_allclose(resumed.history.loss, whole.history.loss, rtol=1e-5)
    np.savez(folder / f"{number}.npz", **{"/".join(k): v for k, v in flat(resumed.parameters).items()})


def flat(parameters):
    return {(layer, name): value for layer, part in parameters.items() for name, value in part.items()}


# The tests


def started(name, *arguments, devices, cache):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
        "JAX_COMPILATION_CACHE_DIR": str(cache),
    }
    return subprocess.Popen(
        [sys.executable, "-W", "error", __file__, name, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def ended(process):
    try:
        output, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert output.endswith("done\n"), output


@pytest.mark.parametrize("what", [eight_as_one, parameters_cut, one_all_reduce, refused, fewer_devices])
def test_eight_devices(what, tmp_path):
    ended(started(what.__name__, tmp_path / "kept", devices=8, cache=tmp_path / "cache"))


@pytest.mark.parametrize("devices", [1, 2])
def test_two_processes(tmp_path, devices):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pair = [started("together", tmp_path, n, port, devices=devices, cache=tmp_path / f"cache{n}") for n in (0, 1)]
    for process in pair:
        ended(process)
    first, second = (np.load(tmp_path / f"{n}.npz") for n in (0, 1))
    assert sorted(first) == ["dense_0/bias", "dense_0/weight", "dense_1/bias", "dense_1/weight"]
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    written = ["cut", "cut.safetensors", "resident", "resident.safetensors"]
    assert sorted(path.name for path in (tmp_path / "0").iterdir()) == written
    assert not (tmp_path / "1").exists()
    saved = cl.load(tmp_path / "0" / "cut.safetensors")
    assert (saved.steps, saved.parameters["dense_0"]["weight"].shape) == (6, (8, 16))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("done")


@pytest.mark.parametrize("count", [0, 1000])
def test_devices_that_are_not_there_are_refused(count):
    with pytest.raises(OperationError, match=f"{count} devices are asked for, and there are"):
        Devices(count)


def test_a_number_of_devices_is_a_mesh_of_the_first():
    assert Devices(1).mesh.shape == {"data": 1}
