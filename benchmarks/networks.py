"""What a training step costs beside hand-written JAX with optax: the Iris network, a convolutional one, a transformer.

A step takes the state through one batch; both sides give the new state and the loss, in the same dtype, nothing is
donated. For each network the table has the ratio of the flops that XLA counts for one step, and the ratio of the times,
run in turn: the median [least, greatest]. On Iris the times are those of 3,000 steps of one row each in a scan. The
convolutional network (28 x 28 images, batch 64) meets these peers:

- by hand, same forms: written by hand with the forms that catlearn uses, each with its own reverse (custom_vjp);
- by hand, im2col: windows as a matrix, pooling by reshape and maximum, differentiated by jax.value_and_grad;
- by hand, XLA's convolution: lax.conv_general_dilated and lax.reduce_window;
- equinox: its own layers, with optax.

The transformer (4 blocks, width 128, 64 places, batch 16) meets the same written by hand. A small convolution is bound
by memory: the gain over im2col comes from windows that stay in the cache, and falls with the batch and with an
allocator that keeps its pages (see the README).

Run with `python benchmarks/networks.py`; needs optax and equinox. `taskset -c 0` measures one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from overhead import Pair, Side, catlearn_optimiser, hand_optimiser, summary, time_ratios

import catlearn as cl
from catlearn import datasets, layers, losses
from catlearn.functors import Jax

BATCH = 64
LENGTH, WIDTH, HEADS, BLOCKS, LETTERS, SEQUENCES = 64, 128, 4, 4, 64, 16


def convolutional() -> cl.Para:
    """conv 32, pool, conv 64, pool, dense 128, dense 10."""
    return layers.chain(
        cl.Space((28, 28, 1), cl.REAL),
        partial(layers.conv, channels=32, activation="relu"),
        layers.max_pool,
        partial(layers.conv, channels=64, activation="relu"),
        layers.max_pool,
        layers.flatten,
        lambda shape: layers.dense(*shape, 128, "relu"),
        lambda shape: layers.dense(*shape, 10),
    )


def transformer() -> cl.Para:
    """An embedding, learnt positions, 4 causal blocks, a normalisation, and scores for the next letter."""
    model = layers.embedding(LETTERS, WIDTH, LENGTH) >> layers.positions(LENGTH, WIDTH)
    for _ in range(BLOCKS):
        model = model >> layers.transformer_block(LENGTH, WIDTH, HEADS, causal=True)
    return model >> layers.layer_normalisation((LENGTH, WIDTH)) >> layers.each(layers.dense(WIDTH, LETTERS), LENGTH)


def ours(model: cl.Para, x: Any, y: Any, rule: str = "adam") -> tuple[Side, cl.Learner, tuple[Any, ...]]:
    """The training step as `fit` runs it, its learner and its starting state."""
    learner = cl.supervised(model, losses.label_cross_entropy, catlearn_optimiser(rule))
    backend = Jax()
    whole = backend.prepare(learner.monitored(len(x)).select(range(len(learner.state) + 1)))
    state = tuple(backend.accept(s, v, "the state") for s, v in zip(learner.state, learner.initial(0), strict=True))
    settings = tuple(jnp.float32(value) for value in learner.hyperparameters.values())

    def step(state: Any, x: Any, y: Any, settings: Any) -> Any:
        *new, loss = backend.interpret(whole, (*state, y, x, *settings))
        return tuple(new), loss.mean()

    def read(result: Any) -> list[Any]:
        return jax.tree.leaves((tree_of(learner, result[0]), result[1]))

    return Side(step, (state, x, y, settings), read), learner, state


def tree_of(learner: cl.Learner, state: tuple[Any, ...]) -> dict[str, Any]:
    """The parameters at the end of a state, by layer and name."""
    return learner.model.tree(state[-len(learner.model.parameter) :])


def by_hand(predict: Callable[[Any, Any], Any], parameters: Any, x: Any, y: Any, name: str = "adam") -> Side:
    """The training step of a function written by hand."""
    rule = hand_optimiser(name)

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(predict(parameters, x), y).mean()

    def step(parameters: Any, stored: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(parameters, x, y)
        updates, stored = rule.update(gradient, stored, parameters)
        return optax.apply_updates(parameters, updates), stored, value

    def read(result: Any) -> list[Any]:
        return jax.tree.leaves((result[0], result[2]))

    return Side(step, (parameters, rule.init(parameters), x, y), read)


Form = Callable[..., Any]


def hand_convolutional(conv: Form, pool: Form) -> Callable[[Any, Any], Any]:
    """The convolutional network by hand, given how it convolves and pools."""

    def predict(p: Any, x: Any) -> Any:
        for name in ("conv_0", "conv_1"):
            x = pool(jax.nn.relu(conv(x, p[name]["weight"]) + p[name]["bias"]))
        x = x.reshape(len(x), -1)
        x = jax.nn.relu(x @ p["dense_0"]["weight"] + p["dense_0"]["bias"])
        return x @ p["dense_1"]["weight"] + p["dense_1"]["bias"]

    return predict


def slices(x: Any, k: int = 3) -> list[Any]:
    """The k x k shifted copies of a padded image."""
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    h, w = x.shape[1] - k + 1, x.shape[2] - k + 1
    return [x[:, i : i + h, j : j + w] for i in range(k) for j in range(k)]


def im2col(x: Any, w: Any) -> Any:
    """The convolution as one product of matrices."""
    return jnp.concatenate(slices(x), axis=-1) @ w.reshape(-1, w.shape[-1])


def xla_conv(x: Any, w: Any) -> Any:
    """XLA's own convolution."""
    return jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def reshape_pool(x: Any) -> Any:
    """The maximum over windows that are axes of a reshape."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).max((2, 4))


def xla_pool(x: Any) -> Any:
    """XLA's own reduction of windows."""
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def parts(x: Any, channels: int, places: int) -> int:
    """How many samples at a time keep their windows within 2 MiB."""
    count = len(x)
    each = places * 9 * channels * 4
    return max(n for n in range(1, count + 1) if count % n == 0 and (n == 1 or n * each <= 2**21))


@jax.custom_vjp
def cached_conv(x: Any, w: Any) -> Any:
    """XLA's convolution forward; backward some samples at a time."""
    return xla_conv(x, w)


def _cached_back(kept: Any, d: Any) -> tuple[Any, Any]:
    x, w = kept
    count, h, wide, channels = x.shape
    size, out = parts(x, channels, h * wide), w.shape[-1]
    cut = lambda a: a.reshape(count // size, size, *a.shape[1:])  # noqa: E731

    def one(d: Any) -> Any:
        made = (d.reshape(-1, out) @ w.reshape(-1, out).T).reshape(*d.shape[:3], 9, channels)
        moved = [(1 - m // 3, m // 3 - 1, 1 - m % 3, m % 3 - 1) for m in range(9)]
        ends = [((0, 0, 0), (-a, -b, 0), (-c, -e, 0), (0, 0, 0)) for a, b, c, e in moved]
        return sum(jax.lax.pad(made[..., m, :], jnp.float32(0), end) for m, end in enumerate(ends))

    def add(total: Any, pair: Any) -> Any:
        seen = jnp.concatenate(slices(pair[0]), axis=-1).reshape(-1, 9 * channels)
        return total + pair[1].reshape(-1, out).T @ seen, None

    dw, _ = jax.lax.scan(add, jnp.zeros((out, 9 * channels)), (cut(x), cut(d)))
    return jax.lax.map(one, cut(d)).reshape(x.shape), dw.T.reshape(w.shape)


cached_conv.defvjp(lambda x, w: (xla_conv(x, w), (x, w)), _cached_back)


@jax.custom_vjp
def first_pool(x: Any) -> Any:
    """The maximum; backward to the first of the largest."""
    return reshape_pool(x)


def _first_back(x: Any, d: Any) -> tuple[Any]:
    entries = [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    best, place = entries[0], jnp.zeros(d.shape, jnp.int32)
    for number, entry in enumerate(entries[1:], 1):
        place, best = jnp.where(entry > best, number, place), jnp.maximum(best, entry)
    numbers = jnp.arange(4).reshape(1, 1, 2, 1, 2, 1)
    spread = lambda a: a[:, :, None, :, None]  # noqa: E731
    return (((spread(place) == numbers) * spread(d)).reshape(x.shape),)


first_pool.defvjp(lambda x: (reshape_pool(x), x), _first_back)


class EquinoxNetwork(eqx.Module):
    """The convolutional network of equinox's layers."""

    convs: list[eqx.nn.Conv2d]
    pool: eqx.nn.MaxPool2d
    denses: list[eqx.nn.Linear]

    def __init__(self, key: Any) -> None:
        keys = jax.random.split(key, 4)
        sizes = ((1, 32), (32, 64))
        self.convs = [eqx.nn.Conv2d(a, b, 3, padding=1, key=k) for (a, b), k in zip(sizes, keys[:2], strict=True)]
        self.pool = eqx.nn.MaxPool2d(2, 2)
        self.denses = [eqx.nn.Linear(3136, 128, key=keys[2]), eqx.nn.Linear(128, 10, key=keys[3])]

    def __call__(self, x: Any) -> Any:
        """The scores of one image."""
        for conv in self.convs:
            x = self.pool(jax.nn.relu(conv(x)))
        return self.denses[1](jax.nn.relu(self.denses[0](x.reshape(-1))))


def equinox_side(x: Any, y: Any) -> Side:
    """The training step of equinox's network."""
    network, static = eqx.partition(EquinoxNetwork(jax.random.key(0)), eqx.is_array)
    images = jnp.moveaxis(x, -1, 1)
    return by_hand(lambda p, x: jax.vmap(eqx.combine(p, static))(x), network, images, y)


def hand_transformer(p: Any, tokens: Any) -> Any:
    """The transformer by hand."""

    def normal(x: Any, q: Any) -> Any:
        x = x - x.mean(-1, keepdims=True)  # (x - mean) ** 2 and a quotient of whole arrays take 1.6 times as long
        over = 1 / jnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)
        return x * over * q["scale"] + q["shift"]

    def block(x: Any, q: Any) -> Any:
        def inner(name: str) -> dict[str, Any]:
            return {k.split(".")[1]: v for k, v in q.items() if k.startswith(name + ".")}

        y = normal(x, inner("layer_normalisation_0"))
        heads = [
            (y @ q[f"{n}_weight"] + q[f"{n}_bias"]).reshape(*y.shape[:2], HEADS, -1) for n in ("query", "key", "value")
        ]
        scores = jnp.einsum("bqhs,bkhs->bhqk", heads[0] / np.sqrt(WIDTH // HEADS), heads[1])
        scores = scores + jnp.where(jnp.tril(jnp.ones((LENGTH, LENGTH), bool)), 0.0, -1e30)
        mixed = jnp.einsum("bhqk,bkhs->bqhs", jax.nn.softmax(scores), heads[2]).reshape(y.shape)
        x = x + mixed @ q["output_weight"] + q["output_bias"]
        y = normal(x, inner("layer_normalisation_1"))
        first, second = inner("dense_0"), inner("dense_1")
        y = y @ first["weight"] + first["bias"]
        y = 0.5 * y * (1 + jax.lax.erf(y * 0.5**0.5))  # jax.nn.gelu has erfc, which is slower
        return x + y @ second["weight"] + second["bias"]

    x = p["embedding_0"]["table"][tokens] + p["positions_0"]["table"]
    for number in range(BLOCKS):
        x = block(x, p[f"transformer_block_{number}"])
    return normal(x, p["layer_normalisation_0"]) @ p["dense_0"]["weight"] + p["dense_0"]["bias"]


def conv_pairs(rule: str = "adam") -> list[Pair]:
    """The convolutional network with each of its peers."""
    generator = np.random.default_rng(0)
    x = jnp.asarray(generator.normal(size=(BATCH, 28, 28, 1)), jnp.float32)
    y = jnp.asarray(generator.integers(0, 10, BATCH), jnp.int32)
    side, learner, state = ours(convolutional(), x, y, rule)
    start = tree_of(learner, state)
    forms = {
        "by hand, same forms": (cached_conv, first_pool),
        "by hand, im2col": (im2col, reshape_pool),
        "by hand, XLA's convolution": (xla_conv, xla_pool),
    }
    hands = [Pair(n, side, by_hand(hand_convolutional(c, p), start, x, y, rule)) for n, (c, p) in forms.items()]
    return [*hands, Pair("equinox", side, equinox_side(x, y))]


def iris_pair() -> tuple[Pair, Pair]:
    """The Iris network, 4, 20 and 3 units, gradient descent: a step of one row, and 3,000 of them in a scan."""
    data = datasets.iris()
    model = layers.dense(4, 20, "sigmoid") >> layers.dense(20, 3)
    x, y = (jnp.asarray(part, jnp.float32)[:, None] for part in (data.train_inputs, data.train_targets))
    learner = cl.supervised(model, losses.mean_squared_error, catlearn_optimiser("gd"))
    backend = Jax()
    whole = backend.prepare(learner.monitored(1).select(range(len(learner.state) + 1)))
    state = tuple(backend.accept(s, v, "the state") for s, v in zip(learner.state, learner.initial(0), strict=True))

    def ours(state: Any, x: Any, y: Any, rate: Any) -> Any:
        *new, loss = backend.interpret(whole, (*state, y, x, rate))
        return tuple(new), loss.mean()

    def loss(p: Any, x: Any, y: Any) -> Any:
        hidden = jax.nn.sigmoid(x @ p["dense_0"]["weight"] + p["dense_0"]["bias"])
        return jnp.mean((hidden @ p["dense_1"]["weight"] + p["dense_1"]["bias"] - y) ** 2)

    rule = hand_optimiser("gd")

    def theirs(carried: Any, x: Any, y: Any) -> Any:
        parameters, stored = carried
        value, gradient = jax.value_and_grad(loss)(parameters, x, y)
        updates, stored = rule.update(gradient, stored, parameters)
        return (optax.apply_updates(parameters, updates), stored), value

    start = tree_of(learner, state)
    begun, rate = (start, rule.init(start)), jnp.float32(0.1)
    order = jnp.asarray(np.random.default_rng(0).integers(0, len(x), 3000), jnp.int32)

    def scanned(step: Callable[..., Any], *more: Any) -> Callable[..., Any]:
        return lambda state, x, y, order: jax.lax.scan(lambda s, k: step(s, x[k], y[k], *more), state, order)

    def read(result: Any) -> list[Any]:
        return jax.tree.leaves((tree_of(learner, result[0]), result[1]))

    def read_theirs(result: Any) -> list[Any]:
        return jax.tree.leaves((result[0][0], result[1]))

    one = Pair(
        "by hand",
        Side(ours, (state, x[0], y[0], rate), read),
        Side(theirs, (begun, x[0], y[0]), read_theirs),
    )
    many = Pair(
        "by hand",
        Side(lambda s, x, y, order, rate: scanned(ours, rate)(s, x, y, order), (state, x, y, order, rate), read),
        Side(scanned(theirs), (begun, x, y, order), read_theirs),
    )
    return one, many


def transformer_pairs(rule: str = "adam") -> list[Pair]:
    """The transformer and the same by hand."""
    generator = np.random.default_rng(0)
    x, y = (jnp.asarray(generator.integers(0, LETTERS, (SEQUENCES, LENGTH)), jnp.int32) for _ in range(2))
    side, learner, state = ours(transformer(), x, y, rule)
    return [Pair("by hand", side, by_hand(hand_transformer, tree_of(learner, state), x, y, rule))]


def running(side: Side) -> Callable[[], Any]:
    """One compiled step, waited for."""
    step = jax.jit(side.function)
    return lambda: jax.block_until_ready(step(*side.arguments))


def show(title: str, pairs: list[Pair], repeats: int, counted: list[Pair] | None = None) -> None:
    """Print the ratios of a network; the flops are those of `counted`, where given."""
    functions = [running(pairs[0].diagram), *(running(pair.by_hand) for pair in pairs)]
    times = time_ratios(functions, repeats)
    print(f"{title:40}{'flops':>10}{'time, median [least, greatest]':>34}")
    for pair, of, ratios in zip(pairs, counted or pairs, times, strict=True):
        print(f"  catlearn : {pair.name:27}{of.ratios()[0]:10.4f}{summary(ratios):>34}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=25, help="how often each side is timed")
    repeats = parser.parse_args().repeats
    one, many = iris_pair()
    show("Iris, one row a step", [many], repeats, [one])
    show("convolutional network", conv_pairs(), repeats)
    show("transformer", transformer_pairs(), repeats)


if __name__ == "__main__":
    main()
