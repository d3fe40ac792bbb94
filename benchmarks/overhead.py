"""What a diagram costs beside the same computation written by hand in JAX.

Two tables. The first has the ratio (diagram : by hand) of the flops and of the bytes accessed that XLA counts for one
compiled training step of dense networks, for the generator Map with its reverse derivative, and for a recurrent Scan
with its reverse derivative (XLA counts the body of a scan once, on both sides). The second has the ratio of the times
of whole epochs: the loop that `fit` compiles, against `jax.lax.scan` over the same batches in the same order of a step
written with `jax.value_and_grad` and optax. `fit` reports losses and right predictions, so that by hand there is one
epoch that does just that, and a bare one that gives the losses only. The sides run in turn, and what is printed is the
median [least, greatest] over the repeats of the ratio.

Run with `python benchmarks/overhead.py`, or `python benchmarks/overhead.py --repeats 15` for more repeats; needs optax.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import catlearn as cl
from catlearn import datasets, layers, losses, optimisers
from catlearn.feeding import Pace, Resident
from catlearn.functors import Jax
from catlearn.generators.batching import Map
from catlearn.running import Run

DEPTHS = (1, 4, 16)
OPTIMISERS = ("gd", "adam")
WIDTH, BATCH, LENGTH = 128, 64, 32
STEPS = 16  # of an epoch
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "identity": lambda x: x,
}

Arrays = list[Any]


@dataclass(frozen=True)
class Side:
    """A function to be compiled, its arguments, and how its result is read as a list of arrays to be compared."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    read: Callable[[Any], Arrays] = jax.tree.leaves

    def result(self) -> Arrays:
        """The arrays that it computes, compiled."""
        return self.read(jax.jit(self.function)(*self.arguments))

    def cost(self) -> tuple[float, float]:
        """The flops and the bytes accessed of the compiled function, as XLA counts them."""
        analysis = jax.jit(self.function).lower(*self.arguments).compile().cost_analysis()
        return analysis["flops"], analysis["bytes accessed"]


@dataclass(frozen=True)
class Pair:
    """One computation twice: as a diagram under the functor into JAX, and written by hand."""

    name: str
    diagram: Side
    by_hand: Side

    def ratios(self) -> tuple[float, float]:
        """The ratio (diagram : by hand) of the flops, and that of the bytes accessed."""
        ours, theirs = self.diagram.cost(), self.by_hand.cost()
        return ours[0] / theirs[0], ours[1] / theirs[1]


def dense_network(sizes: Sequence[int], activations: Sequence[str]) -> cl.Para:
    """Dense layers one after another, with those activations."""
    model = layers.dense(sizes[0], sizes[1], activations[0])
    for inputs, outputs, activation in zip(sizes[1:], sizes[2:], activations[1:], strict=False):
        model = model >> layers.dense(inputs, outputs, activation)
    return model


def hand_network(activations: Sequence[str]) -> Callable[[Any, Any], Any]:
    """The same network by hand: parameters is a list of layers, the first one first."""

    def predict(parameters: Any, x: Any) -> Any:
        for layer, activation in zip(parameters, activations, strict=True):
            x = ACTIVATIONS[activation](x @ layer["weight"] + layer["bias"])
        return x

    return predict


def hand_step(activations: Sequence[str], optimiser: str) -> Callable[..., Any]:
    """The training step by hand: (parameters, optax's state, x, y) -> both anew, the loss and the predictions."""
    predict, rule = hand_network(activations), hand_optimiser(optimiser)

    def loss(parameters: Any, x: Any, y: Any) -> tuple[Any, Any]:
        guesses = predict(parameters, x)
        return jnp.mean((guesses - y) ** 2), guesses

    def step(parameters: Any, stored: Any, x: Any, y: Any) -> tuple[Any, Any, Any, Any]:
        (value, guesses), gradient = jax.value_and_grad(loss, has_aux=True)(parameters, x, y)
        updates, stored = rule.update(gradient, stored, parameters)
        return optax.apply_updates(parameters, updates), stored, value, guesses

    return step


def hand_optimiser(name: str) -> Any:
    """optax's optimiser with the settings of `catlearn_optimiser`."""
    return optax.sgd(0.1) if name == "gd" else optax.adam(1e-3)


def catlearn_optimiser(name: str) -> Any:
    """catlearn's optimiser of that name."""
    return optimisers.gd(0.1) if name == "gd" else optimisers.adam(1e-3)


def learner_of(sizes: Sequence[int], activations: Sequence[str], optimiser: str) -> cl.Learner:
    """The learner of the dense network, with mean squared error."""
    return cl.supervised(dense_network(sizes, activations), losses.mean_squared_error, catlearn_optimiser(optimiser))


def hand_parameters(learner: cl.Learner, state: Sequence[Any]) -> list[dict[str, Any]]:
    """The parameters at the end of a learner's state as a list of layers, the first one first."""
    return list(learner.model.tree(state[-len(learner.model.parameter) :]).values())


def training_step(depth: int, optimiser: str) -> Pair:
    """One step of a dense network of that depth; both sides give back the new state and the loss."""
    activations = ["tanh"] * depth
    learner = learner_of([WIDTH] * (depth + 1), activations, optimiser)
    backend = Jax()
    whole = backend.prepare(learner.monitored(BATCH))
    stored = len(learner.state)
    state = tuple(backend.accept(s, v, "the state") for s, v in zip(learner.state, learner.initial(0), strict=True))
    settings = tuple(jnp.float32(value) for value in learner.hyperparameters.values())
    generator = np.random.default_rng(0)
    x, y = (jnp.asarray(generator.normal(size=(BATCH, WIDTH)), jnp.float32) for _ in range(2))
    y = 100 * y  # Adam's first step is ill-conditioned where a gradient is as small as its epsilon

    def ours(state: Any, x: Any, y: Any, settings: Any) -> tuple[Any, Any]:
        results = backend.interpret(whole, (*state, y, x, *settings))
        return results[:stored], results[stored].mean()

    def read(result: tuple[Any, Any]) -> Arrays:
        return jax.tree.leaves((hand_parameters(learner, result[0]), result[1]))

    def theirs(parameters: Any, stored: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
        return hand_step(activations, optimiser)(parameters, stored, x, y)[:3]

    parameters = hand_parameters(learner, state)
    begun = hand_optimiser(optimiser).init(parameters)
    return Pair(
        f"step, {depth} layers, {optimiser}",
        Side(ours, (state, x, y, settings), read),
        Side(theirs, (parameters, begun, x, y), lambda result: jax.tree.leaves((result[0], result[2]))),
    )


def side_of(diagram: cl.Diagram, arguments: Sequence[Any]) -> Side:
    """The diagram as the functor into JAX runs it."""
    backend = Jax()
    ready = backend.prepare(diagram)
    return Side(lambda *values: tuple(backend.interpret(ready, values)), tuple(arguments))


def arrays_of(shapes: Sequence[tuple[int, ...]], scale: float = 1.0) -> Arrays:
    """Arrays of normal numbers of those shapes, always the same."""
    generator = np.random.default_rng(1)
    return [jnp.asarray(scale * generator.normal(size=shape), jnp.float32) for shape in shapes]


def with_reverse(diagram: cl.Diagram) -> cl.Diagram:
    """A x B' -> B x A': a diagram together with its reverse derivative."""
    n = len(diagram.dom)
    back = cl.reverse_derivative(diagram)
    twice = cl.wiring(back.dom, [*range(n), *range(len(back.dom))])
    return twice >> (diagram @ back)


def maps() -> list[Pair]:
    """Map of a dense layer with shared parameters: its value, its reverse derivative, and both together."""
    layer = layers.dense(WIDTH, WIDTH, "tanh").morphism
    whole = Map(layer, BATCH, (False, False, True)).diagram
    bias, weight, x, change = arrays_of([(WIDTH,), (WIDTH, WIDTH), (BATCH, WIDTH), (BATCH, WIDTH)], 0.3)

    def one(bias: Any, weight: Any, x: Any) -> Any:
        return jnp.tanh(x @ weight + bias)

    mapped = jax.vmap(one, in_axes=(None, None, 0))

    def back(bias: Any, weight: Any, x: Any, change: Any) -> Any:
        return jax.vjp(mapped, bias, weight, x)[1](change)

    def both(bias: Any, weight: Any, x: Any, change: Any) -> Any:
        value, pull = jax.vjp(mapped, bias, weight, x)
        return value, pull(change)

    inputs, all_inputs = (bias, weight, x), (bias, weight, x, change)
    return [
        Pair("Map, value", side_of(whole, inputs), Side(mapped, inputs)),
        Pair("Map, reverse", side_of(cl.reverse_derivative(whole), all_inputs), Side(back, all_inputs)),
        Pair("Map, value and reverse", side_of(with_reverse(whole), all_inputs), Side(both, all_inputs)),
    ]


def recurrent_cell(states: cl.Space) -> cl.Diagram:
    """W x U x h x x -> h' x h', with h' = tanh(h W + x U)."""
    square = cl.Space((WIDTH, WIDTH), cl.REAL)

    @cl.diagram(square, square, states, states)
    def cell(w: Any, u: Any, h: Any, x: Any) -> tuple[Any, Any]:
        new = cl.functions.tanh(h @ w + x @ u)
        return new, new

    return cell


def scans() -> list[Pair]:
    """A recurrent network as a Scan, its value and its reverse derivative together: on one sequence, and on a batch."""
    return [recurrent((WIDTH,), "one sequence"), recurrent((BATCH, WIDTH), "a batch of them")]


def recurrent(shape: tuple[int, ...], name: str) -> Pair:
    """The Scan of the recurrent cell on states of that shape, with its reverse derivative."""
    whole = cl.scan(recurrent_cell(cl.Space(shape, cl.REAL)), LENGTH, shared=2, states=1)
    square, items = (WIDTH, WIDTH), (LENGTH, *shape)
    arguments = arrays_of([square, square, shape, items, shape, items], 0.1)

    def network(w: Any, u: Any, h: Any, xs: Any) -> Any:
        def cell(h: Any, x: Any) -> tuple[Any, Any]:
            new = jnp.tanh(h @ w + x @ u)
            return new, new

        return jax.lax.scan(cell, h, xs)

    def both(w: Any, u: Any, h: Any, xs: Any, *change: Any) -> Any:
        value, pull = jax.vjp(network, w, u, h, xs)
        return value, pull(change)

    return Pair(f"Scan and its reverse, {name}", side_of(with_reverse(whole), arguments), Side(both, tuple(arguments)))


@dataclass(frozen=True)
class Problem:
    """What the epochs are run on: a dense network with its optimiser, and data in batches of `size` rows."""

    name: str
    sizes: Sequence[int]
    activations: Sequence[str]
    optimiser: str
    data: cl.Data
    size: int
    epochs: int  # in one measurement

    def orders(self) -> list[np.ndarray]:
        """The order of the rows in each epoch."""
        return [np.random.default_rng([0, epoch]).permutation(self.data.rows) for epoch in range(self.epochs)]


def problems() -> list[Problem]:
    """The dense networks of each depth, and Iris one row a step."""
    generator = np.random.default_rng(2)
    x, y = (generator.normal(size=(BATCH * STEPS, WIDTH)).astype(np.float32) for _ in range(2))
    data = cl.Data(x, y, x[:1], y[:1])
    wide = [
        Problem(f"{d} layers, {o}", [WIDTH] * (d + 1), ["tanh"] * d, o, data, BATCH, max(2, 32 // d))
        for d in DEPTHS
        for o in OPTIMISERS
    ]
    iris = Problem("iris, one row a step", [4, 20, 3], ["sigmoid", "identity"], "gd", datasets.iris(), 1, 100)
    return [*wide, iris]


def fit_epochs(problem: Problem) -> Callable[[], np.ndarray]:
    """The epochs as `fit` runs them; the loss of every step."""
    learner = learner_of(problem.sizes, problem.activations, problem.optimiser)
    run, data = Run(learner, Jax(), 0), problem.data
    rows = Resident(np.arange(data.rows), problem.size, 0, True, False)
    run.columns = tuple(jnp.asarray(part, jnp.float32) for part in (data.train_inputs, data.train_targets))

    def epochs() -> np.ndarray:
        state, steps, values = run.initial(), 0, []
        for number in range(problem.epochs):
            for portion in rows.portions(number, 0, Pace(1024)):
                seen = run.steps(state, portion, steps)
                state, steps = seen.state, steps + portion.count
                values.append(seen.losses)
        return np.concatenate(values)

    return epochs


def hand_epochs(problem: Problem, *, count_right: bool) -> Callable[[], np.ndarray]:
    """The epochs by hand, with or without the number of right predictions of each step; the loss of every step."""
    learner = learner_of(problem.sizes, problem.activations, problem.optimiser)
    step = hand_step(problem.activations, problem.optimiser)
    data, orders = problem.data, problem.orders()
    x, y = (jnp.asarray(part, jnp.float32) for part in (data.train_inputs, data.train_targets))

    @jax.jit
    def epoch(parameters: Any, stored: Any, batches: Any, x: Any, y: Any) -> Any:
        def one(carried: Any, rows: Any) -> Any:
            parameters, stored, value, guesses = step(*carried, x[rows], y[rows])
            right = (jnp.argmax(y[rows], axis=1) == jnp.argmax(guesses, axis=1)).sum() if count_right else ()
            return (parameters, stored), (value, right)

        return jax.lax.scan(one, (parameters, stored), batches)

    def epochs() -> np.ndarray:
        parameters = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), hand_parameters(learner, learner.initial(0)))
        stored, seen = hand_optimiser(problem.optimiser).init(parameters), []
        for order in orders:
            batches = order.reshape(-1, problem.size).astype(np.int32)
            (parameters, stored), (values, right) = epoch(parameters, stored, batches, x, y)
            seen.append(np.asarray(values, float))
            jax.tree.map(np.asarray, right)
        return np.concatenate(seen)

    return epochs


def seconds(function: Callable[[], Any]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def time_ratios(functions: Sequence[Callable[[], Any]], repeats: int) -> list[list[float]]:
    """For each function but the first, the ratios of the first one's time to its time; all run in turn."""
    for function in functions:
        function()
    times = []
    for repeat in range(repeats):
        order = range(len(functions)) if repeat % 2 else reversed(range(len(functions)))
        measured = {k: seconds(functions[k]) for k in order}
        times.append([measured[k] for k in range(len(functions))])
    return [[row[0] / row[k] for row in times] for k in range(1, len(functions))]


def summary(values: Sequence[float]) -> str:
    """The median [least, greatest]."""
    return f"{median(values):.3f} [{min(values):.3f}, {max(values):.3f}]"


def pairs() -> list[Pair]:
    """Every computation whose cost is compared."""
    steps = [training_step(depth, optimiser) for depth in DEPTHS for optimiser in OPTIMISERS]
    return [*steps, *maps(), *scans()]


def print_costs() -> None:
    print(f"{'diagram : by hand':36}{'flops':>10}{'bytes':>10}")
    for pair in pairs():
        flops, accessed = pair.ratios()
        print(f"{pair.name:36}{flops:10.5f}{accessed:10.5f}", flush=True)


def print_times(repeats: int) -> None:
    print(f"\n{'epochs of fit : by hand':24}{'loss and right predictions':>30}{'loss only':>30}")
    for problem in problems():
        ours = fit_epochs(problem)
        by_hand = [hand_epochs(problem, count_right=flag) for flag in (True, False)]
        first, second = time_ratios([ours, *by_hand], repeats)
        print(f"{problem.name:24}{summary(first):>30}{summary(second):>30}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="how often each side is timed, at least 7")
    repeats = max(7, parser.parse_args().repeats)
    print_costs()
    print_times(repeats)


if __name__ == "__main__":
    main()
