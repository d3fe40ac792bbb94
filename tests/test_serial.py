"""Writing and reading: what is read is equal to what was written, and a damaged file is told and not run."""

import copy
import importlib
import inspect
import itertools
import json
import math
import pkgutil
import random
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

import jax.numpy as jnp
import numpy as np
import optax
import pytest
import strategies
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import catlearn as cl
from catlearn import functions as F
from catlearn import generators, laws, layers, losses, optimisers, parameters, serial
from catlearn.assignment import by_name
from catlearn.builder import Builder
from catlearn.diagram import Generator
from catlearn.errors import CatlearnError, OperationError
from catlearn.functors import Jax
from catlearn.generators.arithmetic import Add, Constant
from catlearn.generators.batching import Map
from catlearn.generators.counting import clamp, dither, popcount, positive, scaled, shares
from catlearn.generators.fixed_point import fixed_point
from catlearn.generators.inversion import inverse, log_determinant
from catlearn.generators.opaque import JaxFunction
from catlearn.generators.surrogate import Surrogate
from catlearn.interop.optax import from_optax
from catlearn.laws import strategies as drawing
from catlearn.registry import DATA
from catlearn.serial import SerialError, decode, describe_difference, encode, register
from catlearn.transformations import Wiring

FEW = settings(max_examples=25, deadline=None)
x, v = cl.Space((), cl.REAL), cl.Space(3, cl.REAL)


def text(encoded):
    return json.dumps(encoded, allow_nan=False)


def through(thing):
    """What comes back through text; writing it again gives the same text."""
    encoded = encode(thing)
    back = decode(json.loads(text(encoded)))
    assert text(encode(back)) == text(encoded)
    return back


# values


floats = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack(">d", struct.pack(">Q", bits))[0])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | floats | st.text()
values = st.recursive(scalars, lambda v: st.lists(v).map(tuple) | st.dictionaries(st.text(), v), max_leaves=12)


def same(left, right):
    """Equal, of one type, and floats by their bits."""
    assert type(left) is type(right)
    if isinstance(left, float):
        return struct.pack(">d", left) == struct.pack(">d", right)
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return left == right


@given(values)
def test_values_come_back(value):
    assert same(through(value), value)


@pytest.mark.parametrize("value", [-0.0, math.inf, -math.inf, math.nan, 5e-324, 2**63, -(2**200), 1, 1.0, True])
def test_numbers_keep_every_bit(value):
    assert same(through((value, {"a": value})), (value, {"a": value}))


@pytest.mark.parametrize("dtype", ["float32", "float64", ">f8", "float16", "int8", "uint64", "bool", "complex64"])
def test_arrays_come_back(dtype):
    array = np.random.default_rng(0).normal(size=(2, 0, 3) if dtype == "int8" else (2, 3)).astype(dtype)
    back = through({"array": array, "one": array.reshape(-1)[:1].sum()})
    np.testing.assert_array_equal(back["array"], array)
    assert back["array"].dtype == array.dtype.newbyteorder("=")
    assert isinstance(back["one"], np.generic)


@pytest.mark.parametrize("wrong", [[1], {1}, {1: 2}, object(), np.array(["a"]), np.array([None]), b"a", range(2)])
def test_what_has_no_form_is_refused(wrong):
    with pytest.raises(SerialError):
        encode((wrong,))


def test_what_is_nested_too_deeply_is_refused():
    deep = ()
    for _ in range(100_000):
        deep = (deep,)
    with pytest.raises(SerialError, match="too deeply"):
        encode(deep)
    nested = encode(())
    for _ in range(100_000):
        nested["value"] = [nested["value"]]
    for read in (decode, lambda encoded: describe_difference(encoded, nested)):
        with pytest.raises(SerialError, match="too deeply"):
            read(nested)


# carriers, spaces, diagrams


CARRIERS = [cl.REAL, cl.INTEGERS, cl.Z2, cl.BITS, cl.KEYS, cl.TRIVIAL, cl.DISCRETE, cl.Discrete(5), cl.Modular(6)]
CARRIERS += [cl.NATURALS, cl.BOOLEAN, cl.MIN_PLUS, cl.Saturating(4)]


@pytest.mark.parametrize("carrier", CARRIERS, ids=str)
def test_carriers_and_spaces_come_back(carrier):
    assert through(carrier) == carrier
    assert through(cl.Space((2, 0, 3), carrier)) == cl.Space((2, 0, 3), carrier)


def test_the_carriers_of_the_library_are_themselves_again():
    assert all(through(carrier) is carrier for carrier in (cl.REAL, cl.Z2, cl.BITS, cl.MIN_PLUS, cl.DISCRETE))


register("a saturating carrier of the tests", strategies.Saturating)
register("a tropical carrier of the tests", strategies.Tropical)


@given(st.data())
def test_circuits_come_back(data):
    f = data.draw(strategies.circuits(data.draw(st.sampled_from(strategies.SEMIRINGS))))
    assert through(f) == f


@given(strategies.bit_circuits())
def test_bit_circuits_come_back(f):
    for g in (f, cl.reverse_derivative(f)):
        assert through(g) == g


@st.composite
def smooth_diagrams(draw):
    try:
        return draw(strategies.smooth_diagrams())
    except OperationError:  # it sometimes broadcasts to a shape that does not end in the vector's
        assume(False)


@given(smooth_diagrams())
def test_smooth_diagrams_come_back(f):
    for g in (f, cl.reverse_derivative(f), cl.batch(f, 3), cl.reverse_derivative(cl.batch(f, 3))):
        assert through(g) == g


@FEW
@given(st.data())
def test_diagrams_of_the_laws_categories_come_back(data):
    category = laws.CATEGORIES[data.draw(st.sampled_from(sorted(laws.CATEGORIES)))]
    dom, cod = (data.draw(drawing.objects(category)) for _ in range(2))
    f = data.draw(drawing.diagrams(category, dom, cod))
    encoded = encode(f, opaque="name")
    if "opaque" in text(encoded):
        with pytest.raises(SerialError):
            decode(encoded)
    else:
        assert through(f) == f


def test_a_long_chain_is_written_once_a_node_and_its_generators_once():
    builder = Builder((v, v))
    wire = 0
    for _ in range(10_000):
        wire = builder.apply(Add(v), (wire, 1))[0]
    chain = builder.finish([wire])
    assert through(chain) == chain
    assert len(encode(chain)["table"]) == 4


def test_deeply_shared_bodies_do_not_explode():
    body = cl.trace(x, lambda a: a * 2.0)
    for _ in range(40):
        once = Map(body, 1, (True,)).diagram
        back = cl.trace(x, lambda a, once=once: F.sum(once(F.reshape(a, (1,)))) + F.sum(once(F.reshape(a * a, (1,)))))
        body = back
    encoded = encode(body)
    assert len(text(encoded)) < 100_000
    assert text(encode(decode(encoded))) == text(encoded)


def test_equal_constants_of_other_bits_stay_apart():
    plus, minus = Constant(x, 0.0), Constant(x, -0.0)
    back = through((plus, minus))
    assert [math.copysign(1.0, c.value) for c in back] == [1.0, -1.0]


# generators


def zoo():
    """Diagrams in which, with their derivatives and batches, every generator of the library stands."""
    bit, number, label, key = (cl.Space((), c) for c in (cl.BITS, cl.INTEGERS, cl.Discrete(3), cl.KEYS))
    image, count, two = cl.Space((6, 2), cl.REAL), cl.Space((), cl.DISCRETE), cl.Space((), cl.Discrete(2))
    yield cl.trace((v, v), lambda a, b: (a + b) * a / b - F.power(b, 3) + F.maximum(a, -b))
    yield cl.trace((v, v), lambda a, b: F.power(a, b))
    yield cl.trace(v, lambda a: F.softmax(a) + F.tanh(a))
    yield cl.trace((bit, bit), lambda a, b: F.include(F.xor(F.invert(a), a * b)))
    yield cl.trace(count, lambda n: F.real(F.successor(n)))
    yield cl.trace(label, F.one_hot)
    yield cl.trace(v, lambda a: F.concatenate([F.gather(a, [2, 0, 0]), a[1:]]))
    yield cl.trace(image, lambda a: F.reshape(F.transpose(a), (12,)))
    yield cl.trace((cl.Space((3, 2), cl.REAL), label), F.lookup)
    yield cl.trace((two, v, v), F.select)
    yield cl.trace(image, lambda a: F.maximum_over(a, (0,)))
    yield cl.trace(count, lambda n: F.divides(3, n))
    yield cl.trace(image, lambda a: F.windows(a, 3))
    yield cl.trace(key, lambda k: (F.bernoulli(k, (2,), 0.5), F.normal(k, (2,)), F.split_key(k, 2)))
    yield layers.dropout(3, 0.5).diagram
    yield layers.random_shift((6, 2)).diagram
    yield layers.conv((6, 2), 3, stride=2).diagram
    yield cl.trace((count, count), lambda m, n: F.divides(2, F.since(3, m)))
    yield cl.trace((label, label), F.less)
    yield layers.batch_normalisation(3).diagram
    yield layers.probe("middle", v)
    yield cl.scan(cl.trace((v, v, v), lambda w, s, a: (s * w + a, F.sin(s))), 4, shared=1)
    yield cl.trace(cl.Space((2, 2), cl.REAL), lambda x: (inverse(x), log_determinant(x)))
    yield fixed_point(cl.trace((v, v), lambda p, s: 0.3 * F.sin(s) + p))
    yield cl.clip_change(v, 1.0)
    yield Map(cl.from_jax(jnp.sin, x, x), 2, (True,)).diagram
    yield cl.trace((number, number), lambda a, b: a * b - a)
    yield cl.trace((number, number), F.compare)
    yield cl.trace((number, number), lambda a, b: F.compare(a, b, "copy"))
    yield layers.pseudo_linear(3).diagram
    flags = cl.Space((3, 4), cl.BITS)
    yield layers.table_conv((3, 4), 2, arity=2, patch=2).diagram
    yield layers.table_layer(12, 3, arity=2).diagram >> layers.group_sum(3, 1)
    yield layers.or_pool((2, 2, 1)) >> layers.rescale_votes((1, 1, 1), 4)
    yield layers.select_wires(4, 2, 4).diagram
    yield cl.trace((flags, count), lambda f, n: scaled(clamp(popcount(f), 3 + F.sum(popcount(f))), F.sum(popcount(f)),
                                                       dither(n, (3,), 4), 4))  # fmt: skip
    yield cl.trace(flags, lambda f: positive(shares(popcount(f), 16, 2.0)))


register("jax.numpy.sin", jnp.sin)


def grown(f):
    """The diagram, its derivatives and its batch, as far as it has them."""
    yield f
    for make in (cl.reverse_derivative, lambda g: cl.reverse_derivative(cl.reverse_derivative(g))):
        yield make(f)
    for size in (2, 3):
        try:
            yield cl.batch(f, size)
            yield cl.reverse_derivative(cl.batch(f, size))
        except OperationError:
            pass


@cache
def population():
    """A generator of each class in the zoo."""
    found, agenda, seen = {}, [g for f in zoo() for g in grown(f)], set()
    while agenda:
        f = agenda.pop()
        for generator, _, _ in () if id(f) in seen else f.nodes:
            found.setdefault(type(generator), []).append(generator)
            parts = (*vars(generator).values(), generator.prepared())
            agenda += [part for part in parts if isinstance(part, cl.Diagram)]
        seen.add(id(f))
    return found


CANDIDATES = {
    "Space": [
        v,
        x,
        cl.Space((4, 2), cl.REAL),
        cl.Space(3, cl.BITS),
        cl.Space((), cl.DISCRETE),
        cl.Space(2, cl.Discrete(3)),
    ],
    "Carrier": [cl.REAL, cl.INTEGERS],
    "int": [2, 1, 0],
    "float": [0.5],
    "bool": [True],
    "str": ["label"],
    "tuple[int, ...]": [(2,), (0,), ()],
}


def made_up(kind):
    """Some generator of a class, for those that the zoo does not hold: fields of small values until one fits."""
    kinds = [str(entry.annotation) for name, entry in inspect.signature(kind).parameters.items()]
    for chosen in itertools.product(*(CANDIDATES.get(name, [None]) for name in kinds)):
        try:
            generator = kind(*chosen)
            if isinstance(generator.dom, tuple) and isinstance(generator.cod, tuple):
                return generator
        except Exception:  # a combination that the class refuses
            continue
    return None


def classes():
    modules = [m.name for m in pkgutil.iter_modules(generators.__path__, "catlearn.generators.")]
    for module in map(importlib.import_module, modules):
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, Generator) and kind.__module__ == module.__name__:
                yield kind


@pytest.mark.parametrize("kind", [*classes()], ids=lambda kind: kind.__qualname__)
def test_every_generator_comes_back(kind):
    found = population().get(kind) or [made_up(kind)]
    if found == [None] and kind.__subclasses__():
        return  # the base of others
    assert found != [None], f"put a diagram into the zoo in which a {kind.__name__} stands"
    for generator in found:
        assert through(generator) == generator
        assert through(generator.diagram) == generator.diagram


def test_what_is_read_computes_the_same():
    f = cl.trace((v, v), lambda a, b: F.sum(F.softmax(a) * F.tanh(b)) * a)
    arguments = [np.arange(3.0), np.ones(3)]
    np.testing.assert_array_equal(Jax()(through(f))(*arguments), Jax()(f)(*arguments))


# one's own


@register("a scaling of the tests")
@dataclass(frozen=True)
class Scaling(Generator):
    space: cl.Space
    factor: float = 2.0

    @property
    def dom(self):
        return (self.space,)

    @property
    def cod(self):
        return (self.space,)


@register("a scaling with a note")
@dataclass(frozen=True)
class Noted(Scaling):
    note: tuple[str, ...] = ()
    body: cl.Diagram | None = None


@dataclass(frozen=True)
class Unregistered(Scaling):
    pass


@register("one that makes up a field")
@dataclass(frozen=True)
class Doubled(Generator):
    half: int
    whole: int = field(init=False, default=0)

    def __post_init__(self):
        object.__setattr__(self, "whole", 2 * self.half)

    dom = cod = ()


@register("one that keeps something from its fields")
@dataclass(frozen=True)
class Hidden(Generator):
    shown: int
    kept: int = field(init=False, default=0)
    dom = cod = ()


@register("a function of the tests")
def shifted(value):
    return jnp.sin(value) + 1.0


def unregistered(value):
    return value * 2.0


def test_own_generators_keep_every_field():
    noted = Noted(v, 3, ("a", "b"), cl.trace(v, lambda a: a * a))
    assert through(noted) == noted
    assert type(through(noted).factor) is int
    assert through(Doubled(4)) == Doubled(4)


def test_a_generator_that_is_not_made_by_its_fields_is_refused():
    hidden = Hidden(3)
    assert through(hidden) == hidden
    object.__setattr__(hidden, "kept", 5)
    with pytest.raises(SerialError, match="alone"):
        encode(hidden)


def test_functions_with_a_name_come_back_with_their_derivatives_and_batches():
    f = cl.from_jax(shifted, x, x)
    for g in (f, cl.reverse_derivative(f), cl.reverse_derivative(cl.reverse_derivative(f)), cl.batch(f, 3)):
        assert through(g) == g
    assert through(f).nodes[0][0].function is shifted


def test_unregistered_things_are_told_with_the_generator():
    f = cl.from_jax(unregistered, x, x, "twice")
    for g, whose in ((f, "twice"), (cl.reverse_derivative(f), "R[twice]"), (cl.batch(f, 2), "twice x 2")):
        with pytest.raises(SerialError, match=r"unregistered.*register") as told:
            encode(g)
        assert f"'{whose}'" in str(told.value)
    with pytest.raises(SerialError, match=r"'unregistered' is of the class .*Unregistered.*register"):
        encode(Unregistered(v).diagram)
    start = parameters.Parameter("weight", v, lambda generator, space: np.zeros(3))
    with pytest.raises(SerialError, match=r"'weight' holds .*lambda.*register"):
        encode(start)
    with pytest.raises(SerialError, match="refuse"):
        encode(f, opaque="ignore")


def test_unregistered_things_can_be_written_by_name_and_not_read():
    encoded = encode(cl.from_jax(unregistered, x, x, "twice"), opaque="name")
    assert "unregistered" in text(encoded)
    with pytest.raises(SerialError, match="in Python"):
        decode(encoded)


def test_a_name_belongs_to_one_thing():
    assert register("a function of the tests", shifted) is shifted
    with pytest.raises(SerialError, match="taken"):
        register("a function of the tests", unregistered)
    for wrong in ("catlearn.losses:mine", 5):
        with pytest.raises(SerialError, match="name"):
            register(wrong, unregistered)
    with pytest.raises(SerialError, match="dataclass"):
        register("no dataclass", type("Plain", (), {}))


def test_a_name_that_is_not_registered_here_is_told():
    encoded = json.loads(text(encode(Scaling(v))).replace("a scaling of the tests", "a scaling of others"))
    with pytest.raises(SerialError, match="'a scaling of others': import the module"):
        decode(encoded)


NOT_DATA = [
    "os:system",
    "builtins:eval",
    "catlearn.training:fit",
    "catlearn.functors.jax:Jax",
    "catlearn.datasets:Data",
]
NOT_DATA += [
    "catlearn.diagram:Diagram",
    "catlearn.losses:_Cap",
    "catlearn.nothing:Here",
    "catlearn:Space",
    "catlearn.a b:c",
]
NOT_DATA += [
    "catlearn.generators.elementwise:Smooth",
    "catlearn.generators.batching:Diagram",
    "catlearn.losses:np.dtype",
]


@pytest.mark.parametrize("name", NOT_DATA)
def test_only_data_can_be_named(name):
    for entry in ({"class": name, "fields": {}}, {"name": name}):
        with pytest.raises(SerialError, match="registered"):
            decode({"version": 1, "table": [entry], "value": {"ref": 0}})


def test_the_list_of_data_is_of_dataclasses_that_are_there():
    for name in DATA:
        module, _, path = name.partition(":")
        assert path == "" or hasattr(importlib.import_module(module), path), name


# parameters, parametrised maps, lenses


INITIALISERS = [None, *(kind(0.25) for kind in (parameters.Filled, parameters.GlorotUniform, parameters.Normal))]
INITIALISERS += [parameters.RandomBits(0.5), parameters.Filled(np.float32(2.0)), parameters.Filled(np.arange(3.0))]


@pytest.mark.parametrize("start", INITIALISERS[:-1], ids=str)
def test_parameters_come_back(start):
    parameter = parameters.Parameter("weight", v, start, "frozen", "dense")
    assert through(parameter) == parameter


def test_an_initialiser_with_an_array_comes_back():
    np.testing.assert_array_equal(through(INITIALISERS[-1]).value, np.arange(3.0))


MODELS = {
    "dense": lambda: layers.dense(4, 3, "gelu") >> layers.dense(3, 3, "softmax"),
    "tied": lambda: (layers.linear(3, 3) >> layers.linear(3, 3)).tie(["linear_0.weight", "linear_1.weight"]),
    "frozen": lambda: (layers.dense(4, 3) >> layers.dense(3, 2)).freeze("dense_0.weight"),
    "table": lambda: layers.lookup_table(3, 2, initialise=parameters.RandomBits()),
    "beside": lambda: layers.dense(2, 2) @ layers.bias(3),
    "dropout": lambda: layers.dense(4, 3) >> layers.dropout(3, 0.5) >> layers.dense(3, 2),
    "normalised": lambda: layers.dense(4, 3) >> layers.batch_normalisation(3) >> layers.dense(3, 2),
    "recurrent": lambda: layers.recurrent(layers.tanh_cell(3, 2), 4),
    "convolution": lambda: layers.conv2d((6, 6, 2), 3, 3) >> layers.max_pool((6, 6, 3), 2),
    "repeated": lambda: layers.repeat(layers.dense(3, 3, "tanh"), 4),
    "attention": lambda: layers.transformer_block(4, 4, 2),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_come_back(name):
    model = MODELS[name]()
    back = through(model)
    assert back == model
    assert (back.names, back.parameters, back.dom, back.cod) == (model.names, model.parameters, model.dom, model.cod)
    for mine, other in zip(back.initial(3), model.initial(3), strict=True):
        np.testing.assert_array_equal(mine, other)
    lens = model.lens()
    assert through(lens) == lens
    assert through(lens.morphism) == lens.morphism


def test_wirings_come_back():
    wires = (Wiring("rate", x, 0.1, False), Wiring("rate", x, np.float32(0.1), False), Wiring("s", v, 0, True))
    assert through(wires) == wires


# damage


def damaged(value, rng):
    """A copy with one part replaced or taken out."""
    value = copy.deepcopy(value)
    places = []

    def walk(part):
        for key in list(part) if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ():
            places.append((part, key))
            walk(part[key])

    walk(value)
    part, key = rng.choice(places)
    if rng.random() < 0.4:
        del part[key]
    else:
        others = [p[k] for p, k in rng.sample(places, min(3, len(places)))]
        junk = [None, True, -1, 0, 3, 10**9, 1.5, "", "x", [], {}, [[]], {"ref": 0}, {"ref": 99}, {"float": "x"}, "<f8"]
        part[key] = copy.deepcopy(rng.choice([*junk, *others]))
    return value


SUBJECTS = {
    "values": lambda: (1, -0.0, math.nan, 2**100, {"a": np.arange(3.0), "b": np.float32(1)}),
    "smooth": lambda: cl.reverse_derivative(cl.batch(cl.trace((v, v), lambda a, b: F.softmax(a) * F.tanh(b)[0]), 2)),
    "scan": lambda: cl.scan(cl.trace((v, v), lambda s, a: (s + a, F.sin(s))), 4),
    "table": lambda: layers.lookup_table(2, 2),
    "surrogate": lambda: cl.clip_change(v, 1.0),
    "function": lambda: cl.reverse_derivative(cl.from_jax(shifted, x, x)),
    "convolution": lambda: layers.conv2d((5, 5, 2), 3, 3),
}


@pytest.mark.parametrize("name", SUBJECTS)
@settings(max_examples=150)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_damaged_file_is_told_or_is_that_of_something_else(name, seed):
    whole = encode(SUBJECTS[name]())
    wrong = damaged(whole, random.Random(seed))
    with suppress(SerialError):
        describe_difference(whole, wrong)
    try:
        back = decode(wrong)
    except SerialError:
        return
    text(encode(back))


@pytest.mark.parametrize(
    "wrong", [None, 5, [], {}, {"version": 2, "table": [], "value": 0}, {"version": 1, "value": 0}]
)
def test_what_was_not_written_by_this_is_told(wrong):
    for read in (decode, serial.decode_learner):
        with pytest.raises(SerialError):
            read(wrong)


@pytest.mark.parametrize("wires", [[2], [-1], ["0"], [True], 0, [0, 0], []])
def test_wires_that_are_not_there_are_told(wires):
    encoded = encode(cl.trace(x, lambda a: -a))
    (diagram,) = [entry for entry in encoded["table"] if "nodes" in entry]
    for node in diagram["nodes"]:
        node[1] = wires
    with pytest.raises(SerialError):
        decode(encoded)


# learners


COUNT = cl.Space((), cl.DISCRETE)
SCHEDULE = cl.trace(COUNT, lambda n: 0.1 / (1.0 + F.real(n)))


def dense():
    return layers.dense(4, 3, "tanh") >> layers.dense(3, 2)


def circuit():
    return layers.lookup_table(3, 2)


LEARNERS = {
    "gd": lambda: cl.supervised(dense(), losses.mean_squared_error, optimisers.gd(0.1)),
    "adam": lambda: cl.supervised(dense(), losses.softmax_cross_entropy, optimisers.adam(np.float32(0.01))),
    "nesterov": lambda: cl.supervised(dense(), losses.label_cross_entropy, optimisers.nesterov(0.1)),
    "adamw": lambda: cl.supervised(dense(), losses.sigmoid_cross_entropy, optimisers.adamw(0.1)),
    "schedule": lambda: cl.supervised(dense(), losses.quadratic, optimisers.momentum(SCHEDULE, 0.5)),
    "by name": lambda: cl.supervised(
        dense(), losses.quadratic, by_name({"dense_1": optimisers.adam(), "*": optimisers.gd(0.1)})
    ),
    "frozen": lambda: cl.supervised(dense().freeze("dense_1.bias"), losses.quadratic, optimisers.rmsprop(0.1)),
    "tied": lambda: cl.supervised(MODELS["tied"](), losses.dot, optimisers.adagrad(0.1)),
    "penalty": lambda: cl.supervised(
        dense(), 0.5 * (losses.quadratic + losses.l2(0.1) + losses.l1(0.2)), optimisers.gd(0.1)
    ),
    "sum": lambda: cl.supervised(dense(), losses.quadratic + 2.0 * losses.dot, optimisers.ga()),
    "cap": lambda: cl.supervised(dense(), losses.difference, optimisers.gd(0.1), losses.constant_cap(0.5)),
    "several": lambda: cl.supervised(layers.dense(2, 2) @ layers.bias(3), losses.quadratic, optimisers.gd(0.1)),
    "dreaming": lambda: cl.dreaming(dense(), losses.quadratic, optimisers.momentum(0.1)),
    "circuit": lambda: cl.supervised(circuit(), losses.exclusive_or, optimisers.reverse_derivative_ascent()),
    "dropout": lambda: cl.supervised(MODELS["dropout"](), losses.quadratic, optimisers.adam()),
    "normalised": lambda: cl.supervised(MODELS["normalised"](), losses.quadratic, optimisers.adam()),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_come_back(name):
    learner = LEARNERS[name]()
    encoded = serial.encode_learner(learner)
    back = serial.decode_learner(json.loads(text(encoded)))
    assert text(serial.encode_learner(back)) == text(encoded)
    assert back.model == learner.model
    assert back.hyperparameters == learner.hyperparameters
    assert back.context == learner.context
    for size in (None, 1, 4):
        if not (size is None and name == "normalised"):
            assert back.step(size) == learner.step(size)
            assert back.monitored(size) == learner.monitored(size)
        assert back.prediction(size) == learner.prediction(size)
    assert back.parameters_at() == learner.parameters_at()
    for mine, other in zip(back.initial(7), learner.initial(7), strict=True):
        np.testing.assert_array_equal(mine, other)
        assert np.asarray(mine).dtype == np.asarray(other).dtype
    rng = np.random.default_rng(0)
    label, guess = rng.integers(0, 2, (2, 5, *learner.model.cod[0].shape))
    if name == "nesterov":
        label = label[:, 0]
    np.testing.assert_array_equal(back.loss.correct(np, [label], [guess]), learner.loss.correct(np, [label], [guess]))


def test_a_learner_that_was_read_is_of_its_model_only():
    back = serial.decode_learner(serial.encode_learner(LEARNERS["penalty"]()))
    with pytest.raises(OperationError, match="read from a file"):
        cl.supervised(layers.dense(4, 3), back.loss, optimisers.gd(0.1))
    with pytest.raises(OperationError, match="read from a file"):
        cl.supervised(layers.dense(4, 3), losses.quadratic, back.optimiser)
    twice = cl.supervised(dense(), 2.0 * back.loss, back.optimiser).step(3)
    assert twice == cl.supervised(dense(), 2.0 * LEARNERS["penalty"]().loss, optimisers.gd(0.1)).step(3)


@register("a cap of the tests")
def halved(loss, weight):
    return loss * (-0.5 * weight)


def test_an_own_cap_is_written_by_its_name():
    cap = losses.Cap("halved", halved)
    learner = cl.supervised(dense(), losses.quadratic, optimisers.gd(0.1), cap)
    back = serial.decode_learner(serial.encode_learner(learner))
    assert back.cap == cap
    assert back.step(4) == learner.step(4)
    wrong = cl.supervised(dense(), losses.quadratic, optimisers.gd(0.1), losses.Cap("other", lambda loss, w: -loss * w))
    with pytest.raises(SerialError, match=r"'other' holds .*lambda"):
        serial.encode_learner(wrong)


def test_a_registered_cap_is_itself_again():
    cap = register("a cap that is registered itself", losses.Cap("mine", lambda loss, weight: loss * weight))
    assert through(cap) is cap
    assert through(losses.identity_cap) is losses.identity_cap
    assert through(losses.constant_cap(np.float32(2))).value == 2


def test_classes_that_may_do_more_are_refused():
    class Other(losses.Loss):
        pass

    loss = losses.quadratic
    learner = of(loss=Other(loss.name, loss.error, loss.cap, loss.matches))
    with pytest.raises(SerialError, match=r"the loss quadratic is of the class .*Other.*in Python"):
        serial.encode_learner(learner)
    named = serial.encode_learner(learner, opaque="name")
    assert "Other" in describe_difference(serial.encode_learner(of()), named)
    with pytest.raises(SerialError, match="Learner"):
        serial.encode_learner(learner.model)
    with pytest.raises(SerialError, match="not of a learner"):
        serial.decode_learner(encode(learner.model))


def test_opaque_learners_are_compared_and_not_read():
    def learner(model, rule):
        return serial.encode_learner(cl.supervised(model, losses.quadratic, from_optax(rule)), opaque="name")

    one = learner(dense(), optax.adam(0.1))
    text(one)
    assert describe_difference(one, learner(dense(), optax.adam(0.1))) is None
    assert describe_difference(one, learner(dense(), optax.sgd(0.1))) == "optimiser, context: 9 and 0 of them"
    with pytest.raises(SerialError, match="give it in Python"):
        serial.decode_learner(one)
    with pytest.raises(SerialError, match=r"'?optax'? .*FromOptax.*Python"):
        serial.encode_learner(cl.supervised(dense(), losses.quadratic, from_optax(optax.adam(0.1))))


@pytest.mark.parametrize("name", ["adam", "penalty", "circuit", "schedule"])
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_damaged_learner_is_told_or_is_another(name, seed):
    whole = encoded_learner(name)
    wrong = damaged(whole, random.Random(seed))
    with suppress(SerialError):
        describe_difference(whole, wrong)
    try:
        back = serial.decode_learner(wrong)
    except SerialError:
        return
    with suppress(CatlearnError):
        text(serial.encode_learner(back))


@cache
def encoded_learner(name):
    return serial.encode_learner(LEARNERS[name]())


def told(one, two):
    one, two = (serial.encode_learner(learner) for learner in (one, two))
    assert describe_difference(one, one) is None
    shuffled = json.loads(json.dumps(one, sort_keys=True))
    assert describe_difference(shuffled, one) is None
    assert describe_difference(shuffled, two).split(",")[0] == describe_difference(one, two).split(",")[0]
    return describe_difference(one, two)


def of(model=None, loss=losses.quadratic, optimiser=None, cap=None):
    return cl.supervised(model or dense(), loss, optimiser or optimisers.gd(0.1), cap)


def test_the_first_difference_is_told():
    base = of()
    wider = layers.dense(4, 5, "tanh") >> layers.dense(5, 2)
    assert told(base, of(wider)) == "parameters, dense_1.weight, space: Space((3, 2), REAL) and Space((5, 2), REAL)"
    assert told(base, of(layers.dense(4, 2))) == "parameters: 'dense_1.bias' and nothing"
    assert "role: parameter and frozen" in told(base, of(dense().freeze("dense_0.bias"))).replace("'", "")
    assert told(base, of(layers.dense(4, 3, "sigmoid") >> layers.dense(3, 2))).startswith("model, node 2 (tanh)")
    start = layers.dense(4, 3, "tanh", initialise=parameters.Normal(0.5)) >> layers.dense(3, 2)
    assert told(base, of(start)).endswith("initialise: GlorotUniform(gain=1.0) and Normal(deviation=0.5)")
    assert told(base, of(loss=losses.dot)) == "loss, name: 'quadratic' and 'dot'"
    assert told(base, of(loss=losses.quadratic + losses.l2(0.1))).startswith("loss, name: ")
    assert told(of(loss=losses.quadratic + losses.l2(0.1)), of(loss=losses.quadratic + losses.l2(0.2))) == (
        "loss, penalties 0 (l2), strength: 0.1 and 0.2"
    )
    assert told(base, of(cap=losses.constant_cap(1))).startswith("cap: ")
    assert told(base, of(optimiser=optimisers.adam())) == "optimiser, name: 'gd' and 'adam'"
    assert told(base, of(optimiser=optimisers.gd(0.2))) == "optimiser, context 0 (learning_rate), start: 0.1 and 0.2"


def test_differences_of_values_are_told():
    assert describe_difference(encode((1, 2)), encode((1, 3))) == "the value: (1, 2) and (1, 3)"
    assert describe_difference(encode(0.0), encode(-0.0)) == "the value: 0.0 and -0.0"
    assert describe_difference(encode({"a": 1}), encode({"b": 1})) == "the value: 'a' and 'b'"
    one, two = (cl.trace(x, lambda a, n=n: a * n) for n in (2.0, 3.0))
    assert describe_difference(encode(one), encode(two)) == "node 0 (2), value: 2.0 and 3.0"
    assert describe_difference(encode(one), encode(cl.identity(x))) == "nodes: 2 and 0 of them"


def test_surrogates_and_functions_hold_their_own():
    f = Surrogate("sign", cl.trace(v, F.sign), cl.trace((v, v), lambda a, d: d), True)
    assert through(f) == f
    g = JaxFunction(shifted, (v,), (v,), "shifted", ((0,),))
    assert through(g) == g
