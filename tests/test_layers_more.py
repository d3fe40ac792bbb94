"""Layers against Equinox, jax.lax and functions written by hand: convolutions, pools, attention, cells, structure."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import ACTIVATIONS_OF_JAX, VECTORS, close, real, running

import catlearn as cl
from catlearn import functions as F
from catlearn import layers
from catlearn.errors import CompositionError, OperationError, UnknownNameError
from catlearn.functors import Jax
from catlearn.generators.probe import Probe, probes
from catlearn.generators.scan import Scan
from catlearn.para import Para, parametrised
from catlearn.parameters import Filled, GlorotUniform, HeNormal, Normal, Parameter
from catlearn.semirings import INTEGERS, KEYS, TRIVIAL, Discrete
from catlearn.space import Space

R = cl.reverse_derivative
FEW = settings(max_examples=4, deadline=None)
seeds = st.integers(0, 2**32 - 1)
KEY = Space((), KEYS)


def drawn(spaces, seed=0, scale=1.0):
    """A random point: numbers, labels, random keys, and the one change of what is discrete."""
    generator = np.random.default_rng(seed)

    def one(space):
        if space.carrier == KEYS:
            made = jax.random.key(int(generator.integers(100)))
            return jax.random.split(made, space.shape) if space.shape else made
        if space.carrier == TRIVIAL:
            return np.zeros(space.shape, int)
        if isinstance(space.carrier, Discrete):
            return generator.integers(0, space.carrier.size, space.shape)
        return scale * generator.normal(size=space.shape)

    return [one(space) for space in spaces]


def both_by_jax(function):
    """The value and the cotangents, compiled."""

    def both(d, *xs):
        value, pull = jax.vjp(function, *xs)
        return value, pull(d)

    return jax.jit(both)


def is_reference(diagram, function, seed=0, tolerance=1e-9, scale=1.0):
    """The diagram's value and reverse derivative are those of the function, by jax.vjp with a random cotangent."""
    *values, d = drawn((*diagram.dom, *diagram.cod), seed, scale)
    moving = [k for k, space in enumerate(diagram.dom) if space.changes == space]

    def moved(*xs):
        full = list(values)
        for k, x in zip(moving, xs, strict=True):
            full[k] = x
        return function(*full)

    with jax.enable_x64(True):
        value, back = both_by_jax(moved)(jnp.asarray(d), *(jnp.asarray(values[k]) for k in moving))
    close(running(diagram)(*values), [value], tolerance)
    found = running(R(diagram))(*values, d)
    close([found[k] for k in moving], back, tolerance)


def same_diagrams(left, right, seed=0, tolerance=1e-9):
    """Two diagrams of one type have the same value and reverse derivative."""
    assert (left.dom, left.cod) == (right.dom, right.cod)
    for f, g in ((left, right), (R(left), R(right))):
        values = drawn(f.dom, seed)
        close(running(f)(*values), running(g)(*values), tolerance)


# Convolutions and pools


@pytest.mark.parametrize(
    ("shape", "channels", "kernel", "more"),
    [
        ((9, 2), 3, 3, {}),
        ((9, 2), 4, 2, {"stride": 2, "padding": "valid", "groups": 2}),
        ((6, 5, 2), 2, (3, 2), {"padding": 1, "dilation": (2, 1)}),
        ((6, 5, 4), 2, 3, {"padding": [(2, 0), (0, 1)], "stride": (2, 1), "groups": 2, "bias": False}),
        ((3, 4, 3, 1), 2, 2, {}),
    ],
    ids=str,
)
def test_conv_and_its_reverse_are_those_of_equinox(shape, channels, kernel, more):
    axes = len(shape) - 1
    model = layers.conv(shape, channels, kernel, "tanh", **more)
    padding = more.get("padding", "same")
    theirs = eqx.nn.Conv(
        axes,
        shape[-1],
        channels,
        kernel,
        stride=more.get("stride", 1),
        padding={"same": "SAME", "valid": "VALID"}.get(str(padding), padding),
        dilation=more.get("dilation", 1),
        groups=more.get("groups", 1),
        use_bias=more.get("bias", True),
        key=jax.random.key(0),
    )
    has_bias = more.get("bias", True)
    assert model.names == (("conv_0.bias",) if has_bias else ()) + ("conv_0.weight",)

    def reference(*values):
        *b, w, x = values
        weight = jnp.transpose(w, (axes + 1, axes, *range(axes)))
        layer = eqx.tree_at(lambda m: m.weight, theirs, weight)
        if has_bias:
            layer = eqx.tree_at(lambda m: m.bias, layer, b[0].reshape(-1, *[1] * axes))
        return jnp.tanh(jnp.moveaxis(layer(jnp.moveaxis(x, -1, 0)), 0, -1))

    is_reference(model.diagram, reference)


def test_conv1d_and_conv2d_are_conv():
    assert layers.conv1d((7, 2), 3, 2, "relu", stride=2) == layers.conv((7, 2), 3, 2, "relu", stride=2)
    assert layers.conv2d((5, 6, 1), 2, padding="valid") == layers.conv((5, 6, 1), 2, padding="valid")
    for layer, shape, text in (
        (layers.conv1d, (5, 6, 1), "conv1d needs a shape of 1 lengths"),
        (layers.conv2d, (5, 1), "conv2d needs a shape of 2 lengths"),
    ):
        with pytest.raises(OperationError, match=text):
            layer(shape, 2)


POOLS = [
    ((6, 4, 2), {}),  # windows that tile the input
    ((7, 5, 2), {"window": 3, "stride": 2}),
    ((7, 5, 2), {"window": (3, 2), "stride": (1, 2), "padding": 1}),
    ((5, 4, 1), {"window": 3, "stride": 2, "padding": "same"}),
    ((5, 3), {"window": 2, "padding": [(0, 1)]}),
    ((4, 1), {"window": 4}),
    ((1, 2), {"window": 1}),
]


def reduced(x, frames, start, operation):
    """XLA's window reduction over all axes but the last."""
    return jax.lax.reduce_window(
        x,
        start,
        operation,
        (*(f.kernel for f in frames), 1),
        (*(f.stride for f in frames), 1),
        [*((f.before, f.after) for f in frames), (0, 0)],
    )


def frames_of_pool(shape, window=2, stride=None, padding="valid"):
    from catlearn.generators.windows import frames_of

    return frames_of(shape[:-1], window, window if stride is None else stride, padding)


@pytest.mark.parametrize(("shape", "arguments"), POOLS, ids=str)
def test_max_pool_is_that_of_xla_and_padding_never_wins(shape, arguments):
    frames = frames_of_pool(shape, **arguments)
    model = layers.max_pool(shape, **arguments).diagram
    is_reference(model, lambda x: reduced(x, frames, -jnp.inf, jax.lax.max))
    below = -1.0 - np.abs(drawn(model.dom, 1)[0])
    assert running(model)(below)[0].max() < 0


@pytest.mark.parametrize(("shape", "arguments"), POOLS, ids=str)
def test_average_pool_counts_only_what_is_inside(shape, arguments):
    frames = frames_of_pool(shape, **arguments)
    model = layers.average_pool(shape, **arguments).diagram

    def reference(x):
        count = reduced(jnp.ones_like(x), frames, 0.0, jax.lax.add)
        return reduced(x, frames, 0.0, jax.lax.add) / count

    is_reference(model, reference)
    close(running(model)(np.full(shape, 3.0)), [np.full(model.cod[0].shape, 3.0)])


@pytest.mark.parametrize(
    ("ours", "theirs"), [(layers.max_pool, eqx.nn.MaxPool2d), (layers.average_pool, eqx.nn.AvgPool2d)]
)
def test_pools_are_those_of_equinox(ours, theirs):
    x = drawn((real(7, 6, 3),), 2)[0].astype("float32")
    for window, stride in ((2, 2), (3, 2)):
        expected = jnp.moveaxis(theirs(window, stride)(jnp.moveaxis(x, -1, 0)), 0, -1)
        np.testing.assert_allclose(ours((7, 6, 3), window, stride).diagram(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("arguments", [{}, {"window": 3, "stride": 1}], ids=str)
def test_SMOOTH_kink_a_tie_in_a_pool_goes_to_the_first_of_its_window(arguments):
    model = layers.max_pool((4, 4, 1), **arguments).diagram
    frames = frames_of_pool((4, 4, 1), **arguments)
    d = drawn(model.cod, 3)[0]
    expected = np.zeros((4, 4, 1))
    for at in np.ndindex(*(f.count for f in frames)):
        expected[tuple(o * f.stride for o, f in zip(at, frames, strict=True))] += d[at]
    close(running(R(model))(np.ones((4, 4, 1)), d), [expected])


@pytest.mark.parametrize("pool", [layers.max_pool, layers.average_pool])
def test_pools_in_batches_are_those_of_each(pool):
    model = pool((5, 4, 2), 3, 2, "same")
    many = model.batch(3).diagram
    x, d = drawn((*many.dom, *many.cod), 4)
    one, back = running(model.diagram), running(R(model.diagram))
    close(running(many)(x), [np.stack([one(part)[0] for part in x])])
    close(running(R(many))(x, d), [np.stack([back(a, b)[0] for a, b in zip(x, d, strict=True)])])


@pytest.mark.parametrize("pool", [layers.max_pool, layers.average_pool])
def test_a_window_of_padding_alone_is_refused(pool):
    with pytest.raises(OperationError, match="padding"):
        pool((4, 1), 2, padding=2)


def test_global_average_pool_is_the_mean_of_each_channel():
    is_reference(layers.global_average_pool((3, 4, 2)).diagram, lambda x: x.mean((0, 1)))
    is_reference(layers.global_average_pool((3,)).diagram, lambda x: x)
    with pytest.raises(OperationError, match="a mean needs at least one entry"):
        layers.global_average_pool((0, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((5,), 2), r"a convolution needs a shape \(lengths, channels\); got \(5,\)"),
        (((5, 2), 0), "channels must be a positive integer; got 0"),
        (((5, 2), True), "channels must be a positive integer; got True"),
        (((5, 2), 2.0), r"channels must be a positive integer; got 2\.0"),
        (((5, 4), 4, 3, "identity", 3), "3 groups must divide the 4 channels in and the 4 out"),
        (((5, 4), 2, 3, "identity", 4), "4 groups must divide the 4 channels in and the 2 out"),
        (((5, 4), 2, 3, "identity", 0), "groups must be a positive integer; got 0"),
        (((5, 5, 1), 2, (3,)), "convolve needs x of shape"),
        (((5, 5, 1), 2, 0), "the kernel of a window must be an integer of at least 1; got 0"),
        (((5, -5, 1), 2), "a shape is a tuple of non-negative integers"),
    ],
)
def test_conv_says_what_does_not_fit(arguments, message):
    *arguments, groups = arguments if len(arguments) == 5 else (*arguments, 1)
    with pytest.raises(OperationError, match=message):
        layers.conv(*arguments, groups=groups)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"padding": "full"}, "the padding is 'valid', 'same' or numbers; got 'full'"),
        ({"padding": -1}, "the before of a window must be an integer of at least 0; got -1"),
        ({"stride": 0}, "the stride of a window must be an integer of at least 1; got 0"),
        ({"dilation": (1, 1)}, "the dilation needs one number, or one for each of 1 axes"),
        ({"kernel": 6, "padding": "valid"}, "a window of 6 entries does not fit an axis of 5"),
    ],
)
def test_conv_says_which_number_of_its_windows_is_wrong(more, message):
    with pytest.raises(OperationError, match=message):
        layers.conv((5, 2), 2, **more)
    with pytest.raises(UnknownNameError, match="did you mean 'relu'"):
        layers.conv((5, 2), 2, activation="relo")


# Attention


def attention_by_hand(heads, causal, p, x):
    """Head by head and query by query."""
    length, width = x.shape
    size = width // heads
    q, k, v = (x @ p[f"{name}_weight"] + p[f"{name}_bias"] for name in ("query", "key", "value"))
    rows = []
    for t in range(length):
        seen = t + 1 if causal else length
        parts = []
        for h in range(heads):
            own = slice(h * size, (h + 1) * size)
            scores = jnp.stack([q[t, own] @ k[s, own] for s in range(seen)]) / size**0.5
            weights = jnp.exp(scores - scores.max())
            parts.append((weights / weights.sum()) @ v[:seen, own])
        rows.append(jnp.concatenate(parts))
    return jnp.stack(rows) @ p["output_weight"] + p["output_bias"]


def by_name(names, function):
    short = [name.split(".", 1)[1] for name in names]
    assert len(set(short)) == len(short)
    return lambda *values: function(dict(zip(short, values[:-1], strict=True)), values[-1])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("length", "width", "heads"), [(3, 4, 2), (1, 2, 1)], ids=str)
def test_attention_and_the_gradient_of_every_parameter_are_those_by_hand(length, width, heads, causal):
    model = layers.attention(length, width, heads, causal=causal)
    is_reference(model.diagram, by_name(model.names, partial(attention_by_hand, heads, causal)), tolerance=1e-8)


def block_by_hand(heads, causal, activation, p, x):
    def norm(k, x):
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        name = f"layer_normalisation_{k}"
        return (x - mean) / jnp.sqrt(variance + 1e-5) * p[f"{name}.scale"] + p[f"{name}.shift"]

    x = x + attention_by_hand(heads, causal, p, norm(0, x))
    hidden = activation(norm(1, x) @ p["dense_0.weight"] + p["dense_0.bias"])
    return x + hidden @ p["dense_1.weight"] + p["dense_1.bias"]


@pytest.mark.parametrize("causal", [False, True])
def test_the_transformer_block_and_the_gradient_of_every_parameter_are_those_by_hand(causal):
    model = layers.transformer_block(2, 4, 2, hidden=5, causal=causal)
    reference = partial(block_by_hand, 2, causal, partial(jax.nn.gelu, approximate=False))
    is_reference(model.diagram, by_name(model.names, reference), tolerance=1e-7)
    assert model.initial()[model.index("transformer_block_0.dense_1.weight")].shape == (5, 4)


def test_the_hidden_width_is_four_times_the_width_unless_given_and_the_activation_is_that_named():
    model = layers.transformer_block(2, 3, 1, activation="relu")
    assert model.parameter[model.index("transformer_block_0.dense_0.weight")].shape == (3, 12)
    reference = partial(block_by_hand, 1, False, jax.nn.relu)
    is_reference(model.diagram, by_name(model.names, reference), tolerance=1e-7)


@pytest.mark.parametrize("layer", [layers.attention, layers.transformer_block])
def test_with_causal_a_later_position_never_changes_an_earlier_output(layer):
    length = 5
    model = layer(length, 4, 2, causal=True)
    *parameters, x = drawn(model.diagram.dom, 5)
    run = running(model.diagram)
    before = run(*parameters, x)[0]
    for t in range(1, length):
        other = x.copy()
        other[t:] += drawn((real(length - t, 4),), t, 100.0)[0]
        after = run(*parameters, other)[0]
        np.testing.assert_array_equal(after[:t], before[:t])
        assert np.abs(after[t:] - before[t:]).min() > 0
    d = drawn((real(length, 4),), 6)[0]
    d[2:] = 0
    assert not running(R(model.diagram))(*parameters, x, d)[-1][2:].any()


def test_without_causal_attention_moves_with_its_positions():
    model = layers.attention(4, 4, 2)
    *parameters, x = drawn(model.diagram.dom, 7)
    run = running(model.diagram)
    order = [2, 0, 3, 1]
    close([run(*parameters, x[order])[0]], [run(*parameters, x)[0][order]])


def test_causal_in_low_precision_beyond_256_positions():
    model = layers.attention(300, 2, 1, causal=True)
    *parameters, x = drawn(model.diagram.dom, 8)
    other = x.copy()
    other[257:] += 5.0
    run = Jax("bfloat16")(model.diagram)
    np.testing.assert_array_equal(np.asarray(run(*parameters, x))[:257], np.asarray(run(*parameters, other))[:257])


@pytest.mark.parametrize("heads", [0, -1, 3])
def test_the_heads_divide_the_width(heads):
    with pytest.raises(OperationError, match=f"heads that divide it, all positive; .* {heads} heads"):
        layers.attention(3, 4, heads)
    with pytest.raises(OperationError, match="heads that divide it"):
        layers.transformer_block(3, 4, heads)


def test_attention_needs_a_positive_width():
    with pytest.raises(OperationError, match="width"):
        layers.attention(3, 0, 1)


def test_dropout_in_a_block_acts_while_training_only():
    model, plain = layers.transformer_block(3, 4, 2, dropout=0.5), layers.transformer_block(3, 4, 2)
    roles = [p.role for p in model.parameters]
    assert roles.count("auxiliary") == 2
    assert model.evaluation() == plain
    assert len(model.evaluation().names) == len(plain.names)
    *values, x = drawn(model.diagram.dom, 9)
    first, again = running(model.diagram)(*values, x)[0], running(model.diagram)(*values, x)[0]
    moved = [jax.random.key(99) if role == "auxiliary" else v for role, v in zip(roles, values, strict=True)]
    close([first], [again])
    assert not np.allclose(first, running(model.diagram)(*moved, x)[0])


@FEW
@given(seeds)
def test_embedding_and_positions_and_their_reverse(seed):
    model = layers.embedding(5, 3, 4) >> layers.positions(4, 3)
    assert model.dom == (Space(4, Discrete(5)),)
    assert model.names == ("positions_0.table", "embedding_0.table")
    is_reference(model.diagram, lambda p, t, x: t[x] + p, seed)


def test_an_embedding_of_repeated_labels_collects_all_cotangents_in_a_batch():
    many = layers.embedding(3, 2, 4).batch(2).diagram
    table, _, d = drawn((*many.dom, *many.cod), 1)
    at = np.array([[0, 0, 2, 0], [2, 2, 2, 2]])
    to_table = running(R(many))(table, at, d)[0]
    close([to_table], [np.stack([d[at == k].sum(0) for k in range(3)])])


# Cells


def by_equinox(kind, inputs, hidden, values):
    """Equinox's cell with our weights, which are the transposes of its own."""
    cell = getattr(eqx.nn, kind)(inputs, hidden, key=jax.random.key(0))
    w, u, b, *rest = values
    cell = eqx.tree_at(lambda m: (m.weight_ih, m.weight_hh, m.bias), cell, (w.T, u.T, b))
    return eqx.tree_at(lambda m: m.bias_n, cell, rest[0]) if rest else cell


def tanh_by_hand(w, u, b, xs):
    def step(h, x):
        h = jnp.tanh(x @ w + h @ u + b)
        return h, h

    return jax.lax.scan(step, jnp.zeros(u.shape[0]), xs)[1]


def gru_by_equinox(w, u, b, rest, xs):
    cell = by_equinox("GRUCell", w.shape[0], u.shape[0], (w, u, b, rest))

    def step(h, x):
        h = cell(x, h)
        return h, h

    return jax.lax.scan(step, jnp.zeros(u.shape[0]), xs)[1]


def lstm_by_equinox(w, u, b, xs):
    cell = by_equinox("LSTMCell", w.shape[0], u.shape[0], (w, u, b))

    def step(state, x):
        state = cell(x, state)
        return state, state[0]

    return jax.lax.scan(step, (jnp.zeros(u.shape[0]),) * 2, xs)[1]


CELLS = {
    "tanh_cell": (layers.tanh_cell, tanh_by_hand),
    "gru_cell": (layers.gru_cell, gru_by_equinox),
    "lstm_cell": (layers.lstm_cell, lstm_by_equinox),
}


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("length", [1, 4])
@pytest.mark.parametrize("name", CELLS)
def test_ST_BPTT_a_cell_along_a_sequence_is_that_of_equinox_and_so_are_its_gradients(name, length, last):
    cell, reference = CELLS[name]
    model = layers.recurrent(cell(2, 3), length, last=last)
    assert model.names == tuple(f"{name}_0.{p.name}" for p in cell(2, 3).parameters)
    assert model.cod == ((real(3),) if last else (real(length, 3),))
    is_reference(model.diagram, (lambda *v: reference(*v)[-1]) if last else reference)


def test_ST_BPTT_a_sequence_in_a_batch_sums_the_gradients_of_the_weights():
    model = layers.recurrent(layers.gru_cell(2, 2), 3)
    many = model.batch(4).diagram
    is_reference(many, lambda *v: jax.vmap(gru_by_equinox, (None,) * 4 + (0,))(*v))


def test_recurrent_layers_stack_and_the_first_takes_more_than_one_input():
    two = layers.recurrent(layers.tanh_cell(2, 3), 4) >> layers.recurrent(layers.lstm_cell(3, 2), 4, last=True)
    assert two.names[0].startswith("lstm_cell_0.")
    is_reference(two.diagram, lambda w, u, b, v, t, c, x: lstm_by_equinox(w, u, b, tanh_by_hand(v, t, c, x))[-1])
    joined = parametrised("sum", {}, (real(2), real(2), real(2)), lambda h, x, y: (h + x * y, h * x))
    whole = layers.recurrent(joined, 3).diagram
    assert whole.dom == (real(3, 2), real(3, 2))
    x, y = drawn(whole.dom, 2)
    sums = np.cumsum(np.concatenate([np.zeros((1, 2)), x * y])[:-1], axis=0)
    close(running(whole)(x, y), [sums * x])


@pytest.mark.parametrize(
    "cell",
    [
        layers.dense(2, 3) >> cl.discard(real(3)),
        Para.of(cl.trace((real(2), real(3)), lambda h, x: (x, x))),
        Para.of(cl.trace(real(2), lambda h: (h, h))),
    ],
    ids=["nothing given out", "another state", "no input"],
)
def test_a_cell_maps_state_and_input_to_state_and_output(cell):
    with pytest.raises(CompositionError, match=r"a cell maps \(state, input\) to \(state, output\); got"):
        layers.recurrent(cell, 3)


def test_a_sequence_has_a_length():
    with pytest.raises(CompositionError, match="the length of a scan must be an integer of at least 0; got -1"):
        layers.recurrent(layers.tanh_cell(2, 3), -1)
    with pytest.raises(OperationError, match="index -1 is outside axis 0"):
        layers.recurrent(layers.tanh_cell(2, 3), 0, last=True)
    assert layers.recurrent(layers.tanh_cell(2, 3), 0).cod == (real(0, 3),)


# Repetition


def unrolled(layer, *counts):
    """The layers one after another, each reading its own rows of the stacked parameters; keys are split."""
    stacked = [
        space if space.carrier == KEYS else Space((*counts, *space.shape), space.carrier) for space in layer.parameter
    ]

    def run(*wires):
        def part(wire, at):
            for place, count in zip(at, counts, strict=True):
                wire = F.split_key(wire, count)[place] if wire.space.carrier == KEYS else wire[place]
            return wire

        parameters, state = wires[: len(stacked)], wires[len(stacked) :]
        for at in np.ndindex(*counts):
            state = layer.diagram(*(part(wire, at) for wire in parameters), *state)
            state = state if isinstance(state, tuple) else (state,)
        return state

    return Para(tuple(stacked), layer.dom, cl.trace((*stacked, *layer.dom), run), layer.signature)


REPEATED = {
    "dense": layers.dense(2, 2, "tanh"),
    "residual": layers.residual(layers.dense(2, 3, "sin") >> layers.dense(3, 2)),
    "dropout": layers.dense(2, 2, "tanh") >> layers.dropout(2, 0.5) >> layers.dropout(2, 0.3),
    "batch": layers.dense(2, 2) >> layers.batch_normalisation(2, rate=0.3) >> layers.dropout(2, 0.4),
}


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("name", REPEATED)
def test_repeat_is_the_layers_one_after_another_with_parameters_of_their_own(name, count):
    layer = REPEATED[name]
    repeated = layers.repeat(layer, count)
    assert [type(g) for g, _, _ in repeated.diagram.nodes].count(Scan) == 1
    one = unrolled(layer, count)
    if name == "batch":
        same_diagrams(repeated.batch(4).diagram, one.batch(4).diagram, 1, 1e-7)
    else:
        same_diagrams(repeated.diagram, one.diagram, 1)


def test_repeat_is_the_composite_in_the_category():
    """With >> and not a trace: the parameters of the last layer come first."""
    layer = layers.dense(2, 2, "tanh")
    composite = layer >> layer >> layer
    b, w, x, d = drawn((*layers.repeat(layer, 3).diagram.dom, real(2)), 2)
    apart = [part for k in (2, 1, 0) for part in (b[k], w[k])]
    repeated = layers.repeat(layer, 3).diagram
    close(running(repeated)(b, w, x), running(composite.diagram)(*apart, x))
    *back, to_x = running(R(composite.diagram))(*apart, x, d)
    expected = np.stack(back[0::2][::-1]), np.stack(back[1::2][::-1]), to_x
    close(running(R(repeated))(b, w, x, d), expected)


def test_repeat_in_repeat_is_all_of_them_in_a_row():
    layer = layers.dense(2, 2, "tanh") >> layers.dropout(2, 0.3)
    nested = layers.repeat(layers.repeat(layer, 2), 3)
    assert [p.space.shape for p in nested.parameters] == [(), (3, 2, 2), (3, 2, 2, 2)]
    same_diagrams(nested.diagram, unrolled(layer, 3, 2).diagram, 3)


def test_repeat_in_batches_is_each_sample_with_a_key_of_its_own():
    layer = REPEATED["dropout"]
    many, one = layers.repeat(layer, 2).batch(3).diagram, unrolled(layer, 2).batch(3).diagram
    assert [space.shape for space in many.dom[:2]] == [(3,), (3,)]
    same_diagrams(many, one, 4)


def test_RD_7_the_second_derivative_of_repeat_is_that_of_the_layers():
    layer = layers.dense(2, 2, "tanh")
    same_diagrams(R(layers.repeat(layer, 3).diagram), R(unrolled(layer, 3).diagram), 5, 1e-8)


def test_repeat_of_a_layer_on_two_wires():
    layer = layers.dense(2, 2, "tanh") @ layers.linear(1, 1)
    both = layer >> cl.trace((real(2), real(1)), lambda x, y: (x * y[0], y))
    repeated = layers.repeat(both, 3)
    assert repeated.cod == (real(2), real(1))
    left, right = repeated.diagram, unrolled(both, 3).diagram
    values = drawn((*left.dom, *left.cod), 6)
    close(running(R(left))(*values), running(R(right))(*values))


def test_the_evaluation_form_of_repeat_is_that_of_its_layers():
    layer = REPEATED["batch"]
    after, one = layers.repeat(layer, 3).evaluation(), unrolled(layer.evaluation(), 3)
    values = drawn(one.diagram.dom, 7)
    values[one.parameter.index(real(3, 2))] = np.abs(values[one.parameter.index(real(3, 2))]) + 0.1
    names = [p.name for p in layer.evaluation().parameters]
    values[names.index("variance")] = np.abs(values[names.index("variance")]) + 0.5
    keys = [jax.random.key(0)] * (len(after.parameter) - len(one.parameter))
    close(running(after.diagram)(*keys, *values), running(one.diagram)(*values), 1e-8)


@pytest.mark.parametrize(
    "model",
    [
        layers.repeat(REPEATED["dropout"], 3),
        layers.recurrent(
            parametrised("split", {}, (real(2), real(2)), lambda h, x: (h, h + x))
            >> (Para.of(cl.identity(real(2))) @ layers.dropout(2)),
            3,
        ),
    ],
    ids=["repeat", "recurrent"],
)
def test_keys_inside_a_scan_are_no_parameters_after_training(model):
    assert "auxiliary" not in {p.role for p in model.evaluation().parameters}


def test_repeat_starts_every_layer_as_it_starts_one():
    repeated = layers.repeat(layers.dense(40, 40, initialise=HeNormal()), 3)
    bias, weight = repeated.initial(0)
    assert bias.shape == (3, 40)
    assert not bias.any()
    assert weight.std(axis=(1, 2)) == pytest.approx(np.full(3, (2 / 40) ** 0.5), rel=0.1)
    assert not np.allclose(weight[0], weight[1])
    assert layers.repeat(layers.dense(2, 2), 0).initial(0)[1].shape == (0, 2, 2)


@pytest.mark.parametrize("count", [-1, True, 2.0, "3"])
def test_repeat_needs_a_number_of_times(count):
    with pytest.raises(OperationError, match="repeat needs a number of times, an integer of at least 0; got"):
        layers.repeat(layers.dense(2, 2), count)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda layer: layers.repeat(layer, 2), "a repeated layer ends where it starts"),
        (layers.residual, "a residual layer ends where it starts"),
    ],
    ids=["repeat", "residual"],
)
def test_layers_in_a_row_or_beside_the_identity_end_where_they_start(make, text):
    with pytest.raises(CompositionError, match=rf"{text}.*wire 0 is Space\(\(2,\), REAL\) on one side"):
        make(layers.dense(2, 3))


def test_a_diagram_can_be_repeated_as_it_can_be_taken_beside_the_identity():
    repeated = layers.repeat(layers.activation("tanh", real(2)), 2)
    x = drawn((real(2),), 8)[0]
    close(running(repeated.diagram)(x), [np.tanh(np.tanh(x))])


# Each, residual, chain, shapes, probes


def test_PARA_tie_each_is_the_layer_at_every_position_with_one_parameter():
    layer = layers.dense(2, 3, "tanh")
    model = layers.each(layer, 4)
    assert (model.names, model.dom, model.cod) == (layer.names, (real(4, 2),), (real(4, 3),))
    is_reference(model.diagram, lambda b, w, x: jnp.stack([jnp.tanh(row @ w + b) for row in x]))
    nested = layers.each(layers.each(layer, 2), 3)
    is_reference(nested.diagram, lambda b, w, x: jnp.tanh(x @ w + b))
    assert [row.cod for row in nested.summary().rows] == [(real(3, 2, 3),)]


def test_each_splits_a_key_for_its_positions_and_in_a_batch_for_those_of_each_sample():
    model = layers.each(layers.dropout(6, 0.5), 4)
    assert model.parameter == (KEY,)
    key = jax.random.key(3)
    mask = running(model.diagram)(key, np.ones((4, 6)))[0]
    one = running(layers.dropout(6, 0.5).diagram)
    close([mask], [np.stack([one(k, np.ones(6))[0] for k in jax.random.split(key, 4)])])
    keys = jax.random.split(key, 2)
    both = running(model.batch(2).diagram)(keys, np.ones((2, 4, 6)))[0]
    close([both], [np.stack([running(model.diagram)(k, np.ones((4, 6)))[0] for k in keys])])
    assert not model.evaluation().parameter
    assert layers.each(layers.activation("sin", real(2)), 3).cod == (real(3, 2),)


def test_residual_and_its_reverse_with_the_layer_used_twice():
    layer = layers.dense(2, 2, "tanh")
    twice = (layers.residual(layer) >> layers.residual(layer)).tie(
        ["dense_0.weight", "dense_1.weight"], ["dense_0.bias", "dense_1.bias"]
    )
    assert set(twice.names) == {"dense_0.weight", "dense_0.bias"}

    def reference(b, w, x):
        x = x + jnp.tanh(x @ w + b)
        return x + jnp.tanh(x @ w + b)

    assert twice.names == ("dense_0.bias", "dense_0.weight")
    is_reference(twice.diagram, reference)


def test_residual_of_a_diagram_on_two_wires():
    swapped = cl.trace((real(2), real(2)), lambda x, y: (F.sin(y), x * y))
    whole = layers.residual(swapped).diagram
    x, y, d, e = drawn((*whole.dom, *whole.cod), 10)
    close(running(whole)(x, y), (x + np.sin(y), y + x * y))
    close(running(R(whole))(x, y, d, e), (d + y * e, e + np.cos(y) * d + x * e))


def test_chain_gives_each_layer_the_shape_before_it():
    model = layers.chain(
        real(8, 8, 1),
        partial(layers.conv, channels=2, stride=2),
        layers.max_pool,
        layers.flatten,
        lambda shape: layers.dense(*shape, 3),
        layers.activation("tanh", real(3)),
    )
    by_hand = layers.conv((8, 8, 1), 2, stride=2) >> layers.max_pool((4, 4, 2)) >> layers.flatten((2, 2, 2))
    by_hand = by_hand >> layers.dense(8, 3) >> layers.activation("tanh", real(3))
    assert model == by_hand
    assert model.names == by_hand.names
    assert layers.chain(real(3)).diagram == cl.identity(real(3))
    with pytest.raises(CompositionError, match="a layer given by a shape needs one wire before it; there are"):
        layers.chain((real(2), real(2)), layers.flatten)
    with pytest.raises(CompositionError, match="cannot compose"):
        layers.chain(real(3), layers.dense(2, 2))


def test_flatten_and_reshape_are_row_major_and_go_back():
    x, d = drawn((real(2, 3, 2), real(12)), 11)
    flat = layers.flatten((2, 3, 2))
    close(running(flat.diagram)(x), [x.ravel()])
    close(running(R(flat.diagram))(x, d), [d.reshape(2, 3, 2)])
    close(running(layers.reshape((2, 3, 2), (4, 3)).diagram)(x), [x.reshape(4, 3)])
    close(running(flat.batch(2).diagram)(np.stack([x, -x])), [np.stack([x.ravel(), -x.ravel()])])
    assert layers.flatten(()).cod == (real(1),)
    with pytest.raises(OperationError, match="cannot reshape"):
        layers.reshape((2, 3), (4,))


def test_a_probe_is_the_identity_by_a_name_and_its_reverse_has_a_name_too():
    seen = layers.probe("hidden", (real(2), Space(3, INTEGERS)))
    x, y = drawn((real(2),), 12)[0], np.arange(3)
    close(seen(x, y), (x.astype("float32"), y))
    assert probes(seen) == {"hidden": (2, 3)}
    model = layers.dense(2, 2, "tanh") >> layers.probe("hidden", real(2)) >> layers.dense(2, 1)
    plain = layers.dense(2, 2, "tanh") >> layers.dense(2, 1)
    same_diagrams(model.diagram, plain.diagram, 13)
    back = R(model.diagram)
    found = probes(back)
    assert set(found) == {"hidden", "hidden'"}
    values = drawn(back.dom, 14)
    *_, watched = running(back.observing(found["hidden'"]))(*values)
    close([watched], [values[1] @ values[-1]])
    assert set(probes(R(back))) >= {"hidden''"}
    assert set(probes(model.batch(3).diagram)) == {"hidden"}
    assert cl.batch(Probe(real(2), "a").diagram, 3) == Probe(real(3, 2), "a").diagram


# Activations

FAR = np.array([-1e4, -90.0, -20.5, -3.3, -0.7, -1e-3, 1e-3, 0.4, 2.5, 5.5, 6.5, 20.5, 90.0, 1e4])


@pytest.mark.parametrize("name", sorted(layers.ACTIVATIONS))
def test_activations_and_their_reverse_are_those_of_jax_far_out_too(name):
    diagram = layers.activation(name, real(len(FAR)))
    d = drawn((real(len(FAR)),), 15)[0]
    with jax.enable_x64(True):
        value, pull = jax.vjp(ACTIVATIONS_OF_JAX[name], jnp.asarray(FAR))
        expected = (value, *pull(jnp.asarray(d)))
    close((*running(diagram)(FAR), *running(R(diagram))(FAR, d)), expected, 1e-9)
    low = (Jax()(diagram)(FAR), Jax()(R(diagram))(FAR, d))
    for ours, theirs in zip(low, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("name", sorted(set(layers.ACTIVATIONS) - set(VECTORS)))
def test_the_reverse_of_activations_is_their_slope(name):
    x = np.array([-7.3, -2.1, -0.6, 0.3, 0.9, 3.1, 5.7, 8.2])
    diagram, step = layers.activation(name, real(8)), 1e-6
    run = running(diagram)
    slope = (run(x + step)[0] - run(x - step)[0]) / (2 * step)
    d = drawn((real(8),), 16)[0]
    close(running(R(diagram))(x, d), [slope * d], 1e-7)


def test_elu_has_slope_one_at_zero_where_it_is_smooth():
    back = running(R(layers.activation("elu", real())))
    close(back(0.0, 3.0), [3.0])


@pytest.mark.parametrize(
    ("name", "precision", "x", "expected"),
    [
        ("hard_tanh", "float32", 1e8, 1.0),
        ("relu6", "float32", 1e10, 6.0),
        ("hard_tanh", "bfloat16", 300.0, 1.0),
        ("relu6", "bfloat16", 1e4, 6.0),
    ],
)
def test_activations_with_a_ceiling_stay_there(name, precision, x, expected):
    assert float(Jax(precision)(layers.activation(name, real()))(x)) == expected


def test_SMOOTH_kink_at_zero_relu_has_no_slope():
    for name, slope in (("relu", 0.0), ("softsign", 1.0), ("identity", 1.0)):
        close(running(R(layers.activation(name, real())))(0.0, 2.0), [2.0 * slope])


# Starting values, summaries, names


def test_GlorotUniform_counts_the_places_of_a_kernel_in_both_fans():
    generator = np.random.default_rng(0)
    for shape, fans in (((3, 3, 16, 8), 9 * 24), ((5, 4, 12), 5 * 16), ((40, 20), 60), ((300,), 600)):
        drawn_ = GlorotUniform()(generator, real(*shape))
        bound = (6 / fans) ** 0.5
        assert 0.97 * bound < np.abs(drawn_).max() <= bound
        assert drawn_.std() == pytest.approx(bound / 3**0.5, rel=0.1)
    assert np.abs(GlorotUniform(gain=10.0)(generator, real(3, 3))).max() > 1.0
    assert GlorotUniform()(generator, real(0, 3)).shape == (0, 3)


@pytest.mark.parametrize(("shape", "fan"), [((3, 3, 8, 32), 72), ((60, 40), 60), ((5, 6, 70), 30)], ids=str)
def test_HeNormal_and_Normal_have_the_deviation_of_their_fan(shape, fan):
    x = HeNormal()(np.random.default_rng(1), real(*shape))
    assert x.std() == pytest.approx((2 / fan) ** 0.5, rel=0.06)
    assert np.abs(x).max() > 2.5 * (2 / fan) ** 0.5
    y = Normal(0.02)(np.random.default_rng(2), real(*shape))
    assert y.std() == pytest.approx(0.02, rel=0.06)


def test_a_summary_counts_the_entries_of_each_layer():
    model = (
        layers.conv((8, 8, 1), 4, activation="relu")
        >> layers.batch_normalisation((8, 8, 4))
        >> layers.max_pool((8, 8, 4))
        >> layers.flatten((4, 4, 4))
        >> layers.dropout(64)
        >> layers.dense(64, 3).freeze()
    )
    summary = model.summary()
    assert [(row.name, row.size) for row in summary.rows] == [
        ("conv_0", 40),
        ("batch_normalisation_0", 16),
        ("max_pool_0", 0),
        ("reshape_0", 0),
        ("dropout_0", 0),
        ("dense_0", 195),
    ]
    assert (summary.size, summary.learnt) == (251, 48)
    lines = repr(summary).splitlines()
    assert lines[0].split() == ["layer", "gives", "parameters", "entries"]
    assert lines[2].split("  ")[0] == "conv_0"
    assert "8 x 8 x 4  bias 4, weight 3 x 3 x 1 x 4" in lines[2]
    assert "scale 4, shift 4, mean 4, and 1 more" in lines[3]
    assert lines[-1].split()[-1] == "251"
    assert "in all, 48 of them learnt" in lines[-1]
    assert len({len(line) for line in lines}) == 1


def test_a_summary_of_nothing_and_of_large_and_tied_layers():
    assert repr(Para.of(cl.identity(real(2))).summary()).splitlines()[-1].split()[-1] == "0"
    model = layers.dense(100, 100) >> layers.dense(100, 100)
    assert "10,100" in repr(model.summary())
    tied = model.tie(["dense_0.weight", "dense_1.weight"])
    assert tied.summary().size == 10_200
    scalar = parametrised("gain", {"factor": real()}, real(), lambda a, x: a * x).summary()
    assert "scalar" in repr(scalar).splitlines()[2]


def test_PARA_names_of_a_big_net_are_unique_readable_and_in_the_order_of_application():
    block = layers.transformer_block(4, 4, 2, dropout=0.1)
    model = layers.chain(
        Space(4, Discrete(9)),
        layers.embedding(9, 4, 4),
        layers.positions(4, 4),
        block,
        layers.repeat(block, 2),
        layers.repeat(layers.repeat(layers.residual(layers.conv((4, 4), 4) >> layers.dropout((4, 4))), 2), 2),
        layers.recurrent(layers.lstm_cell(4, 4), 4),
        layers.each(layers.dense(4, 4, "gelu") >> layers.layer_normalisation(4), 4),
        layers.flatten,
        layers.dense(16, 3),
    )
    names = model.names
    assert len(set(names)) == len(names) == len(model.parameter)
    assert all(not part.startswith("p") or part == "positions" for part in (n.split("_")[0] for n in names))
    for name in (
        "embedding_0.table",
        "transformer_block_0.query_weight",
        "repeat_0.layer_normalisation_1.scale",
        "repeat_1.weight",
        "lstm_cell_0.state_weight",
        "dense_0.weight",
        "dense_1.weight",
    ):
        assert name in names, name
    tree = model.tree(model.initial(0))
    assert list(tree)[:3] == ["embedding_0", "positions_0", "transformer_block_0"]
    for one, other in zip(model.leaves(tree), model.initial(0), strict=True):
        assert (one is None and other is None) or np.array_equal(one, other)


def test_PARA_names_in_a_layer_of_layers_are_unique():
    two = (layers.dense(2, 2) >> layers.dense(2, 2)).named("two")
    names = (two >> layers.dense(2, 2) >> layers.dense(2, 2)).named("all").names
    assert len(set(names)) == len(names)


def test_evaluation_keeps_a_key_that_is_still_read():
    noise = parametrised(
        "noise",
        {"key": Parameter("key", KEY, role="auxiliary")},
        real(2),
        lambda k, x: x + F.normal(k, (2,)),
    )
    after = (layers.dropout(2) >> noise).evaluation()
    assert after.names == ("noise_0.key",)
    assert (layers.dense(2, 2) >> noise).evaluation() == layers.dense(2, 2) >> noise


def test_freezing_a_model_leaves_its_random_keys():
    roles = [p.role for p in (layers.dense(2, 2) >> layers.dropout(2)).freeze().parameters]
    assert roles == ["auxiliary", "frozen", "frozen"]


def test_lowered_keeps_names_and_types():
    model = layers.conv((4, 1), 2) >> layers.flatten((4, 2)) >> layers.dense(8, 2)
    assert (model.lowered().names, model.lowered().dom, model.lowered().cod) == (model.names, model.dom, model.cod)
    values = drawn(model.diagram.dom, 17)
    close(running(model.lowered().diagram)(*values), running(model.diagram)(*values))


def test_starting_values_of_layers():
    assert Filled(0.5)(np.random.default_rng(0), real(2)).tolist() == [0.5, 0.5]
    model = layers.conv((5, 2), 3, initialise=Filled(0.25))
    assert [value.tolist() for value in model.initial()] == [[0.0] * 3, np.full((3, 2, 3), 0.25).tolist()]
    table = layers.embedding(500, 4, 2).initial(0)[0]
    assert table.std() == pytest.approx(0.02, rel=0.1)
    weights = dict(zip(layers.lstm_cell(30, 20).names, layers.lstm_cell(30, 20).initial(0), strict=True))
    assert not weights["lstm_cell_0.bias"].any()
    assert np.abs(weights["lstm_cell_0.input_weight"]).max() <= (6 / 110) ** 0.5
