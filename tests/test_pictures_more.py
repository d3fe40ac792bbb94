"""Pictures of bodies, lenses, learners, schemas and causal maps, and their formats: by structure and geometry."""

import re
import sys
from collections import Counter
from itertools import combinations, pairwise, permutations, product
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import bit_circuits, circuits

import catlearn as cl
from catlearn import functions, layers, losses, optimisers
from catlearn.errors import CompositionError, InputError, MissingExtraError, OperationError
from catlearn.functors.functor import Functor
from catlearn.functors.lens_picture import primed
from catlearn.functors.lens_rows import composite
from catlearn.functors.nested_picture import Body, bodies
from catlearn.functors.picture import picture
from catlearn.functors.schema_picture import schema
from catlearn.generators.batching import Map
from catlearn.generators.fixed_point import fixed_point
from catlearn.generators.scan import Scan, scan
from catlearn.layout import Graph, Node, Ranks
from catlearn.lens import Lens, Sides
from catlearn.netlist import Netlist, Port
from catlearn.optic import Optic
from catlearn.pictures import draw_model, save
from catlearn.scene import Path as Outline
from catlearn.scene import Words, scene
from catlearn.svg import PORT_LINE, text_width
from catlearn.systems.causal import stateful
from catlearn.systems.schema import Schema
from catlearn.tikz import escaped, standalone, tikz

SVG = "{http://www.w3.org/2000/svg}"
BIT, REAL = cl.Space((), cl.Z2), cl.Space((), cl.REAL)
EDGE = 0.05


class Drawing:
    """The groups of a picture, with the bounds of its nodes by their numbers, such as "2" and "2/0" inside it."""

    def __init__(self, text):
        self.root = ElementTree.fromstring(text)
        self.size = tuple(map(float, self.root.get("viewBox").split()[2:]))
        self.nodes = {group.get("data-node"): group for group in self.of("node")}
        self.bounds = {}
        for number, group in self.nodes.items():
            x, y, width, height = map(float, group.get("data-bounds").split())
            self.bounds[number] = (x, y, x + width, y + height)
        self.kinds = {number: group.get("data-kind") for number, group in self.nodes.items()}
        self.reads = {
            target: wire.get("data-from") for wire in self.of("wire") for target in wire.get("data-to", "").split()
        }

    def of(self, kind):
        return [group for group in self.root.iter(f"{SVG}g") if group.get("class") == kind]

    def words(self, number):
        return [text.text for text in self.nodes[number].findall(f"{SVG}text")]

    def numbers(self, kind):
        return [number for number, own in self.kinds.items() if own == kind]

    def pins(self, side, way):
        return [pin for pin in self.of("pin") if (pin.get("data-side"), pin.get("data-way")) == (side, way)]


def points(group):
    """The starts and ends of the pieces of a group's first path, and all its points."""
    return np.array([float(x) for x in re.findall(r"-?[\d.]+", group.find(f"{SVG}path").get("d"))]).reshape(-1, 2)


def meets(a, b):
    return a[0] < b[2] - EDGE and b[0] < a[2] - EDGE and a[1] < b[3] - EDGE and b[1] < a[3] - EDGE


def inside(a, b):
    return a[0] >= b[0] - EDGE and a[1] >= b[1] - EDGE and a[2] <= b[2] + EDGE and a[3] <= b[3] + EDGE


def rectangle(text):
    size = float(text.get("font-size"))
    width, x, y = text_width(text.text, size), float(text.get("x")), float(text.get("y"))
    left = {"start": x, "middle": x - width / 2, "end": x - width}[text.get("text-anchor")]
    return left, y - 0.8 * size, left + width, y + 0.2 * size


def parent(number):
    return number.rpartition("/")[0]


def check(text):
    """Everything is on the page, what is nested in its frame, a text in its box, and neighbours do not overlap."""
    drawing = Drawing(text)
    page = (0, 0, *drawing.size)
    for number, box in drawing.bounds.items():
        assert inside(box, page)
        if parent(number) in drawing.bounds:
            assert inside(box, drawing.bounds[parent(number)])
        for words in drawing.nodes[number].findall(f"{SVG}text"):
            slack = 3 if drawing.kinds[number] == "parameter" else 0
            a, b, c, d = box
            assert inside(rectangle(words), (a - slack, b - slack, c + slack, d + slack))
    for one, two in combinations(drawing.bounds, 2):
        if parent(one) == parent(two):
            assert not meets(drawing.bounds[one], drawing.bounds[two])
    for wire in drawing.of("wire") + drawing.of("loop"):
        check_ends(drawing, wire)
    for words in drawing.root.iter(f"{SVG}text"):
        assert inside(rectangle(words), page)
    for shape in drawing.root.iter(f"{SVG}path"):
        numbers = [float(x) for x in re.findall(r"-?[\d.]+", shape.get("d"))]
        assert all(-EDGE <= x <= page[2] + EDGE for x in numbers[::2])
        assert all(-EDGE <= y <= page[3] + EDGE for y in numbers[1::2])
    return drawing


def check_ends(drawing, wire):
    """A wire begins and ends on the borders of what it joins; a gate's is behind its bubble and its hollow."""
    for end in f"{wire.get('data-from', '')} {wire.get('data-to', '')}".split():
        a, b, c, d = drawing.bounds[end.split(".")[0]]
        deep = 10 if drawing.kinds[end.split(".")[0]] in ("and", "or", "xor", "buffer") else 0.1
        deep = c - a if wire.get("class") == "loop" else deep  # which ends within a port
        assert any(
            a - 0.1 <= x <= c + 0.1
            and b - 0.1 <= y <= d + 0.1
            and (min(abs(x - a), abs(x - c)) <= deep or min(abs(y - b), abs(y - d)) <= 0.1)
            for x, y in points(wire)
        )


def check_reads(drawing, diagram, before, sources, first=0):
    """Every entry reads what the diagram says: nodes in order from `first` on, inputs at the ends `sources`."""
    ends = dict(enumerate(sources))
    for j, (_, inputs, outputs) in enumerate(diagram.nodes):
        for place, wire in enumerate(inputs):
            assert drawing.reads[f"{before}{first + j}.{place}"] == ends[wire]
        ends.update({wire: f"{before}{first + j}.{k}" for k, wire in enumerate(outputs)})
    return [ends[wire] for wire in diagram.outputs]


# Bodies

random_bodies = st.tuples(circuits(cl.Z2, inputs=4, outputs=4, gates=6), st.integers(0, 2), st.integers(0, 2))


@settings(max_examples=25, deadline=None)
@given(random_bodies)
def test_a_scan_shows_its_body(drawn):
    body, shared, states = drawn
    generator = Scan(body, 5, shared, states)
    drawing = check(picture(generator.diagram))
    (frame,) = drawing.numbers("frame")
    assert frame == "4"  # after the inputs
    assert [f"4.{k}" for k in range(4)] == [target for target in drawing.reads if target.startswith("4.")]
    order = [*range(shared, shared + states), *(k for k in range(4) if not shared <= k < shared + states)]
    place = {k: f"4/{order.index(k)}.0" for k in range(4)}
    outputs = check_reads(drawing, body, "4/", [place[k] for k in range(4)], first=4)
    start = 4 + len(body.nodes)
    assert [drawing.reads[f"4/{start + k}.0"] for k in range(4)] == outputs
    loops = drawing.of("loop")
    assert [(x.get("data-from"), x.get("data-to")) for x in loops] == [
        (f"4/{start + k}.0", f"4/{k}.0") for k in range(states)
    ]
    for loop in loops:  # from right to left, over the body, and ending in an arrow
        way = points(loop)
        assert way[0][0] > way[-1][0]
        assert way[:, 1].min() < min(box[1] for number, box in drawing.bounds.items() if parent(number) == "4")
        assert loop.find(f"{SVG}path[@class='arrow']") is not None


def test_wires_meet_a_frame_where_they_go_on_inside():
    body = cl.trace((REAL,) * 4, lambda v, w, s, x: (functions.sin(s * x), s * w * v))
    drawing = check(picture(Scan(body, 5, 2, 1).diagram))
    (frame,) = drawing.numbers("frame")
    left, _, right, _ = drawing.bounds[frame]
    ports = [drawing.bounds[number] for number in drawing.numbers("port")]
    heights = [box[1] + PORT_LINE for box in ports]
    assert all(abs(box[0] - left) < EDGE for box in ports[:4])
    assert all(abs(box[2] - right) < EDGE for box in ports[4:])
    order = [2, 0, 1, 3]  # the state stands first
    for wire in drawing.of("wire"):
        source, target = wire.get("data-from"), wire.get("data-to")
        if target.startswith(f"{frame}."):
            x, y = points(wire)[-1]
            assert (x, y) == pytest.approx((left, heights[order.index(int(target[-1]))]), abs=EDGE)
        if source.startswith(f"{frame}."):
            assert tuple(points(wire)[0]) == pytest.approx((right, heights[4 + int(source[-1])]), abs=EDGE)


def test_roles_are_written_at_the_ports():
    body = cl.trace((REAL,) * 4, lambda w, s, x, y: (s * w, x * y))
    drawing = check(picture(Scan(body, 5, 1, 1, backward=True).diagram))
    roles = [drawing.words(n)[0] for n in drawing.numbers("port")]
    assert roles == ["state", "shared", "item 0", "item 1", "state", "emitted"]
    assert drawing.words(drawing.numbers("frame")[0]) == ["scan × 5, last item first"]  # noqa: RUF001


def test_a_map_is_a_stack():
    body = cl.trace((REAL, REAL), lambda x, y: functions.sin(x) * y)
    drawing = check(picture(Map(body, 4, (True, False)).diagram))
    (frame,) = drawing.numbers("frame")
    assert len(drawing.nodes[frame].findall(f"{SVG}rect")) == 3
    assert [drawing.words(n)[0] for n in drawing.numbers("port")] == ["item", "shared", "item"]
    assert drawing.of("loop") == []


def test_a_fixed_point_goes_round():
    body = cl.trace((REAL, REAL), lambda p, x: 0.5 * x + p)
    drawing = check(picture(fixed_point(body)))
    assert drawing.words(drawing.numbers("frame")[0]) == ["until it is fixed"]
    assert len(drawing.of("loop")) == 1


def nested(depth):
    body = cl.trace((REAL, REAL), lambda s, x: (s + x, s * x))
    for _ in range(depth - 1):
        inner = scan(body, 3)
        body = cl.trace((inner.dom), lambda s, x, inner=inner: inner(s, x))
    return scan(body, 3)


def test_bodies_are_opened_to_a_depth():
    assert [len(check(picture(nested(k))).numbers("frame")) for k in (1, 2, 3)] == [1, 2, 2]
    drawing = Drawing(picture(nested(3)))
    assert sum("scan" in " ".join(drawing.words(n)) for n in drawing.numbers("box")) == 1


def test_a_large_body_is_not_opened_and_many_states_do_not_loop():
    long = cl.trace((REAL, REAL), lambda s, x: [s := functions.sin(s * x) for _ in range(20)][-1])
    assert check(picture(scan(long, 3))).numbers("frame") == []
    many = cl.trace((REAL,) * 5, lambda *s: s)
    assert check(picture(scan(many, 3, 0, 4))).of("loop") == []
    assert len(check(picture(scan(many, 3, 0, 3))).of("loop")) == 3


def test_empty_bodies():
    check(picture(scan(cl.identity(), 0, 0, 0)))
    check(picture(scan(cl.identity(REAL), 3)))
    check(picture(Map(cl.trace((), lambda: functions.constant(REAL, 1.0)), 3, ()).diagram))


def test_parameters_reach_a_frame_and_the_reverse_derivative_of_a_scan_is_drawn():
    body = cl.trace((REAL, REAL, REAL), lambda w, s, x: functions.sin(w * s + x))
    model = cl.parametrised("run", {"w": REAL}, (REAL, REAL.batch(5)), lambda *wires: scan(body, 5, 1)(*wires))
    drawing = check(picture(model))
    (frame,), (parameter,) = drawing.numbers("frame"), drawing.numbers("parameter")
    assert drawing.reads[f"{frame}.0"] == f"{parameter}.0"
    back = check(picture(cl.reverse_derivative(scan(body, 5, 1))))
    assert len(back.numbers("frame")) == 2
    titles = [back.words(n)[0] for n in back.numbers("frame")]
    assert [title.endswith("last item first") for title in titles] == [False, True]


def test_ones_own_body(monkeypatch):
    own = Functor("own", extends=bodies)

    @own.on(type(cl.trace(REAL, functions.sin).nodes[0][0]))
    def sine(generator):
        return Body("inside", cl.trace(REAL, lambda x: x * x), ("",), ("",))

    monkeypatch.setattr(bodies, "rules", own.rules)
    drawing = check(picture(cl.trace(REAL, functions.sin)))
    assert drawing.words(drawing.numbers("frame")[0]) == ["inside"]


# Lenses


def check_lens(drawing, forward, backward, kept, names=("get", "put")):
    """Both directions: what goes where, and that each reads what its diagram says."""
    box = drawing.root.find(f"{SVG}rect[@class='lens']")
    x, y, w, h = (float(box.get(name)) for name in ("x", "y", "width", "height"))
    frame = (x, y, x + w, y + h)
    assert all(inside(bounds, (x - EDGE, y, x + w + EDGE, y + h)) for bounds in drawing.bounds.values())
    own = [
        [b for n, b in drawing.bounds.items() if n.startswith(f"{name}/") and drawing.kinds[n] != "pin"]
        for name in names
    ]
    assert all(above[3] <= below[1] for above in own[0] for below in own[1])
    read = {wire for _, inputs, _ in backward.nodes for wire in inputs} | set(backward.outputs)
    residual = drawing.of("residual")
    assert [int(wire.get("data-wire")) for wire in residual] == sorted(k for k in read if k < kept)
    boxes = [box for number, box in drawing.bounds.items() if drawing.kinds[number] != "pin"]
    for wire in residual + drawing.of("pin"):  # level and upright lines, which pass no box
        for (a, b), (c, d) in pairwise(points(wire)):
            line = (min(a, c), min(b, d), max(a, c), max(b, d))
            assert not any(meets((line[0] - 0.2, line[1] - 0.2, line[2] + 0.2, line[3] + 0.2), box) for box in boxes)
    for wire in residual:
        assert tuple(points(wire)[-1]) in {(round(b[0], 2), round(b[1], 2)) for n, b in drawing.bounds.items()}
    for pin in drawing.of("pin"):
        way, side = points(pin), pin.get("data-side")
        line = {"left": way[:, 0].min() < x, "right": way[:, 0].max() > x + w, "top": way[:, 1].min() < y}[side]
        assert line, "a pin reaches out of the frame"
        arrow = pin.find(f"{SVG}path[@class='arrow']").get("d")
        (a, b), tip, (c, d) = np.array([float(v) for v in re.findall(r"-?[\d.]+", arrow)]).reshape(-1, 2)
        back = np.array([(a + c) / 2, (b + d) / 2])
        towards = tip - back
        inwards = {"left": towards[0], "right": -towards[0], "top": towards[1]}[side] > 0
        assert inwards == ((pin.get("data-way") == "forward") != (side == "right"))
    return frame


def counts(drawing):
    return {(s, w): len(drawing.pins(s, w)) for s in ("left", "right", "top") for w in ("forward", "backward")}


@settings(max_examples=30, deadline=None)
@given(circuits(cl.Z2, inputs=3, outputs=2, gates=5))
def test_lenses_have_both_directions(diagram):
    lens = Lens.of(diagram)
    drawing = check(picture(lens, limit=1000))
    check_lens(drawing, lens.get, lens.put, 3)
    assert counts(drawing) == {
        ("left", "forward"): 3, ("left", "backward"): 3, ("right", "forward"): 2, ("right", "backward"): 2,
        ("top", "forward"): 0, ("top", "backward"): 0,
    }  # fmt: skip
    check_reads(drawing, lens.get, "get/", [f"get/{k}.0" for k in range(3)], first=3)
    kept = sorted(k for k in {w for _, ins, _ in lens.put.nodes for w in ins} | set(lens.put.outputs) if k < 3)
    sources = {**{3 + k: f"put/{k}.0" for k in range(2)}, **{k: f"put/{2 + j}.0" for j, k in enumerate(kept)}}
    outputs = check_reads(drawing, lens.put, "put/", [sources.get(k) for k in range(5)], first=2 + len(kept))
    end = 2 + len(kept) + len(lens.put.nodes)
    assert [drawing.reads[f"put/{end + k}.0"] for k in range(3)] == outputs


@settings(max_examples=20, deadline=None)
@given(circuits(cl.Z2, inputs=4, outputs=1, gates=5), st.integers(0, 4))
def test_the_parameters_of_a_lens_come_from_above(diagram, count):
    model = cl.Para((BIT,) * count, (BIT,) * (4 - count), diagram).lens()
    drawing = check(picture(model, limit=1000))
    check_lens(drawing, model.morphism.get, model.morphism.put, 4)
    found = counts(drawing)
    assert (found["top", "forward"], found["top", "backward"]) == (count, count)
    assert (found["left", "forward"], found["left", "backward"]) == (4 - count, 4 - count)
    words = [rectangle(pin.find(f"{SVG}text")) for way in ("forward", "backward") for pin in drawing.pins("top", way)]
    assert not any(meets(a, b) for a, b in combinations(words, 2))


@settings(max_examples=15, deadline=None)
@given(bit_circuits(gates=5))
def test_lenses_over_bits_are_drawn(diagram):
    drawing = check(picture(Lens.of(diagram), limit=1000))
    assert len(drawing.pins("left", "forward")) == len(diagram.dom)


def test_wires_backward_run_to_the_left():
    drawing = check(picture(Lens.of(cl.trace(REAL, lambda x: functions.sin(functions.exp(x))))))
    for wire in drawing.of("wire"):
        way = points(wire)
        forward = wire.get("data-from").startswith("get/")
        if drawing.kinds[wire.get("data-from").split(".")[0]] != "pin":
            assert (way[-1][0] > way[0][0]) == forward


def test_frames_in_a_put_run_to_the_left():
    body = cl.trace((REAL, REAL, REAL), lambda w, s, x: functions.sin(w * s + x))
    drawing = check(picture(Lens.of(scan(body, 5, 1))))
    frames = drawing.numbers("frame")
    assert [frame.split("/")[0] for frame in frames] == ["get", "put", "put"]
    for loop in drawing.of("loop"):
        way = points(loop)
        assert (way[-1][0] < way[0][0]) == loop.get("data-from").startswith("get/")
    for number in drawing.numbers("port"):
        left, _, right, _ = drawing.bounds[number]
        border = drawing.bounds[parent(number)]
        assert min(abs(left - border[0]), abs(right - border[2])) < EDGE
    double = cl.trace(
        (REAL.batch(4), REAL), lambda x, y: Map(cl.trace((REAL, REAL), wave), 4, (True, False)).diagram(x, y)
    )
    check(picture(Lens(cl.identity(REAL.batch(4)), double)))


def wave(x, y):
    return functions.sin(x) * y


@settings(max_examples=15, deadline=None)
@given(circuits(cl.Z2, inputs=2, outputs=1, gates=4))
def test_optics_keep_their_residual(diagram):
    optic = Optic.of(Lens.of(diagram)) >> Optic.of(Lens.of(cl.trace(BIT, lambda x: x * x)))
    drawing = check(picture(optic, limit=1000))
    check_lens(drawing, optic.forward, optic.backward, 3, ("forward", "backward"))
    assert optic._repr_svg_() == picture(optic)


def test_lenses_without_wires_and_identities():
    assert counts(check(picture(Lens.identity())))["left", "forward"] == 0
    check(picture(Lens.identity((REAL, BIT))))
    drawing = check(picture(Lens(cl.discard(REAL), cl.identity(REAL))))
    assert len(drawing.of("residual")) == 1
    check(picture(Lens.swap(Sides.of(REAL), Sides.of(BIT))))
    unused = cl.parametrised("layer", {"p": BIT, "q": BIT}, BIT, lambda p, q, x: x * q).lens()
    check(picture(unused))


def test_names_of_changes():
    assert primed(["a", "b"], (REAL, BIT), (REAL, BIT)) == ["a′", "b′"]  # noqa: RUF001
    bits = cl.Space((), cl.BITS)
    assert primed(["a", "b"], (REAL, bits), (cl.Space((), cl.INTEGERS),)) == ["b′"]  # noqa: RUF001
    assert primed(["a"], (REAL,), (BIT,)) == ["d"]
    assert primed(["a"], (REAL,), (BIT, BIT)) == ["d0", "d1"]
    drawing = Drawing(picture(Lens.identity(REAL), inputs=["a"], outputs=["b"], labels=False))
    words = [pin.find(f"{SVG}text").text for pin in drawing.of("pin")]
    assert words == ["a", "a′", "b", "b′"]  # noqa: RUF001


def test_labels_can_be_left_out():
    lens = layers.dense(2, 2).lens()
    assert "REAL" in "".join(t.text for t in Drawing(picture(lens)).root.iter(f"{SVG}text"))
    bare = check(picture(lens, labels=False))
    assert "REAL" not in "".join(t.text for t in bare.root.iter(f"{SVG}text"))
    assert bare.size[0] < Drawing(picture(lens)).size[0]
    assert not [t for t in Drawing(picture(layers.dense(2, 2), labels=False)).root.iter() if t.get("class") == "label"]


def test_a_large_lens_is_one_box():
    model = layers.chain(cl.Space(4, cl.REAL), *[layers.dense(4, 4, "tanh")] * 20).lens()
    drawing = check(picture(model))
    (box,) = drawing.numbers("lens")
    assert drawing.words(box)[1:] == [f"{w}: {len(d.nodes):,} nodes" for w, d in
                                      (("forward", model.morphism.get), ("backward", model.morphism.put))]  # fmt: skip
    assert Counter(w.get("data-way") for w in drawing.of("wire")) == {"forward": 3, "backward": 3}
    check(picture(Optic.of(model.morphism)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: picture(Lens.identity(REAL), inputs=[]), "1 names of inputs, one a wire; got 0"),
        (lambda: picture(Lens.identity(REAL), outputs=["a", "b"]), "1 names of outputs, one a wire; got 2"),
        (lambda: picture([]), "at least one part, with a name each; got 0 parts"),
        (lambda: composite([Lens.identity(REAL)], ["a", "b"]), "got 1 parts and 2 names"),
    ],
)
def test_wrong_numbers_of_names(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_composites_are_checked():
    square = Lens.of(cl.trace(REAL, lambda x: x * x))
    with pytest.raises(CompositionError, match=r"f0 ends in .*, and f1 begins in"):
        picture([square, Lens.identity(BIT)])
    with pytest.raises(OperationError, match="has lenses, parametrised lenses and optics; got 3"):
        picture([square, 3])
    with pytest.raises(OperationError, match=r"got <|got Para|lenses, parametrised"):
        picture([layers.dense(2, 2)])


def test_a_composite_is_a_row():
    parts = {"one": layers.dense(4, 3).lens(), "two": Lens.of(cl.trace(cl.Space(3, cl.REAL), lambda x: x * x))}
    drawing = check(picture(parts))
    assert [drawing.words(n) for n in drawing.numbers("lens")] == [["one"], ["two"]]
    ways = Counter(wire.get("data-way") for wire in drawing.of("wire"))
    assert ways == {"forward": 4, "backward": 4}  # before, between, after, and the parameters
    for wire in drawing.of("wire"):
        (a, b), (c, d) = points(wire)
        assert (c > a or d > b) == (wire.get("data-way") == "forward")
    bare = check(picture(list(parts.values())))
    assert [bare.words(n) for n in bare.numbers("lens")] == [["f0"], ["f1"]]
    optics = [Optic.of(part if isinstance(part, Lens) else part.morphism) for part in parts.values()]
    check(picture(optics[1:]))


@pytest.mark.parametrize("optimiser", [optimisers.adam(), optimisers.gd(0.1), optimisers.ga()])
def test_a_learner_is_lenses(optimiser):
    model = layers.dense(4, 5, "tanh") >> layers.dense(5, 3)
    learner = cl.supervised(model, losses.mean_squared_error, optimiser)
    drawing = check(picture(learner))
    boxes = {drawing.words(n)[0]: drawing.bounds[n] for n in drawing.numbers("lens")}
    name, loss = optimiser.name, learner.loss.name
    assert list(boxes) == ["model", name, loss, "cap constant -1"]
    assert boxes[name][3] < boxes["model"][1], "the optimiser stands on the model"
    assert boxes["model"][2] < boxes[loss][0] < boxes["cap constant -1"][0]
    discards = [e for e in drawing.root.iter() if e.get("class") == "discard"]
    assert len(discards) == 2  # the change of the input, and that of the label
    words = {e.text for e in drawing.root.iter(f"{SVG}text")}
    assert {"label", "state", "next state", "4 parameters", "their changes"} <= words
    assert ("settings" in words) == bool(learner.hyperparameters)


def test_a_learner_of_circuits_is_drawn():
    learner = cl.supervised(layers.lookup_table(2, 1), losses.exclusive_or, optimisers.reverse_derivative_ascent())
    check(picture(learner))
    draw = cl.supervised(cl.identity(REAL), losses.mean_squared_error, optimisers.gd(0.1))
    assert len(check(picture(draw)).numbers("lens")) == 3  # no parameter, no optimiser


# Order


def crossed(order, ends):
    """Crossings of the wires from a fixed rank into one of that order, by the places where they start."""
    wires = [(start, place + height / 100) for place, node in enumerate(order) for start, height in ends[node]]
    return sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(wires, 2))


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("seed", range(15))
def test_no_order_of_a_rank_is_better(seed, alike):
    """Nodes that read two of five wires each; all orders, and all exchanges of entries that are alike, are tried."""
    random = np.random.default_rng(seed)
    graph = Graph()
    first = [graph.add(Node(10, 10, (), ((10, 5),), "first")) for _ in range(5)]
    middle = [graph.add(Node(10, 20, ((0, 5), (0, 15)), (), "", None, alike)) for _ in range(6)]
    reads = {node: random.choice(first, 2, replace=False).tolist() for node in middle}
    for node, sources in reads.items():
        for k, source in enumerate(sources):
            graph.join((source, 0), (node, k))
    ranks = Ranks(graph)
    ends = {node: list(zip(sorted(some) if alike else some, (5, 15), strict=True)) for node, some in reads.items()}
    assert ranks.crossings() == crossed(ranks.layers[1], ends)
    assert ranks.crossings() == min(crossed(order, ends) for order in permutations(middle))
    for node, sources in reads.items():  # each entry still has its own wire
        heights = [y for _, y in graph.nodes[node].entries]
        assert (heights == [5, 15]) == (not alike or sources == sorted(sources))


@pytest.mark.parametrize("seed", range(10))
def test_no_node_has_a_better_place_in_its_rank(seed):
    random = np.random.default_rng(seed)
    graph = Graph()
    ranks = [[graph.add(Node(10, 10, (), ((10, 5),), "first")) for _ in range(4)]]
    for _ in range(4):
        nodes = [graph.add(Node(10, 20, ((0, 5), (0, 15)), ((10, 10),))) for _ in range(6)]
        for node in nodes:
            for k in range(2):
                graph.join((int(random.choice(ranks[-1])), 0), (node, k))
        ranks.append(nodes)
    found = Ranks(graph)
    least = found.crossings()
    for rank, layer in enumerate(found.layers):
        for element, place in product(layer if rank else [], range(len(layer))):
            others = [e for e in layer if e != element]
            found.layers[rank] = [*others[:place], element, *others[place:]]
            assert found.crossings() >= least
        found.layers[rank] = layer


def test_factors_change_places_but_not_minuend_and_subtrahend():
    for operation, crossed in ((lambda x, y: y * x, False), (lambda x, y: y + x, False), (lambda x, y: y - x, True)):
        drawing = Drawing(picture(cl.trace((REAL, REAL), operation)))
        ends = {w.get("data-from"): points(w)[-1][1] for w in drawing.of("wire")}
        assert (ends["0.0"] > ends["1.0"]) == crossed


# Schemas


def test_a_schema_is_drawn():
    cycle = Schema({"f": ("X", "Y"), "g": ("Y", "X")}, ["f ; g = X", "g ; f = Y"])
    drawing = check(picture(cycle))
    assert [drawing.words(n) for n in drawing.nodes] == [["X"], ["Y"]]
    edges = {e.find(f"{SVG}text").text: (e.get("data-from"), e.get("data-to")) for e in drawing.of("edge")}
    assert edges == {"f": ("X", "Y"), "g": ("Y", "X")}
    texts = [t.text for t in drawing.root.iter(f"{SVG}text") if t.get("class") == "equation"]
    assert texts == ["f ; g = X", "g ; f = Y"]
    plain = SimpleNamespace(objects=cycle.objects, edges=cycle.edges, equations=cycle.equations)
    assert picture(plain) == picture(cycle)


def bezier(edge):
    a, b, c, d = points(edge)
    t = np.linspace(0, 1, 41)[:, None]
    return (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d


@pytest.mark.parametrize("seed", range(12))
def test_edges_bend_apart(seed):
    random = np.random.default_rng(seed)
    names = "ABCDE"[: random.integers(1, 6)]
    edges = [(f"e{k}", *random.choice(list(names), 2).tolist()) for k in range(int(random.integers(0, 8)))]
    drawing = check(schema(names, edges, ["e0 = e1"] * (seed % 3)))
    centres = {drawing.words(n)[0]: (np.array(b[:2]) + b[2:]) / 2 for n, b in drawing.bounds.items()}
    radii = {drawing.words(n)[0]: (b[2] - b[0]) / 2 for n, b in drawing.bounds.items()}
    found = drawing.of("edge")
    for edge in found:  # from the border of one to the border of the other, and through no third
        way = bezier(edge)
        for end, name, most in ((way[0], edge.get("data-from"), 0.1), (way[-1], edge.get("data-to"), 2.1)):
            assert 0 <= np.linalg.norm(end - centres[name]) - radii[name] + 0.05 <= most + 0.1
        assert edge.find(f"{SVG}path[@class='arrow']") is not None
    for one, two in combinations(found, 2):
        if {one.get("data-from"), one.get("data-to")} == {two.get("data-from"), two.get("data-to")}:
            middle = np.linalg.norm(bezier(one)[20] - bezier(two), axis=1).min()
            assert middle > 12, "edges between the same two lie apart"
    labels = [rectangle(e.find(f"{SVG}text")) for e in found]
    assert not any(meets(a, b) for a, b in combinations(labels, 2))


@pytest.mark.parametrize(
    ("objects", "edges", "message"),
    [
        (["A", "A"], [], "different names; got"),
        (["A"], [("f", "A", "B")], r"both among the objects \['A'\]; got"),
        (["A"], [("f", "A")], "an edge is .name, source, target."),
    ],
)
def test_schemas_are_checked(objects, edges, message):
    with pytest.raises(InputError, match=message):
        schema(objects, edges)


def test_schemas_without_edges_or_objects():
    assert check(schema(["A"], [])).of("edge") == []
    check(schema([], []))
    check(schema(["<A & B>"], [("<f>", "<A & B>", "<A & B>")]))


# Causal maps


@settings(max_examples=15, deadline=None)
@given(circuits(cl.Z2, inputs=4, outputs=4, gates=5), st.integers(0, 3))
def test_a_causal_map_feeds_its_states_back(step, states):
    whole = stateful(step, [k % 2 for k in range(states)])
    drawing = check(picture(whole))
    step_node = str(4 - states)
    assert drawing.kinds[step_node] == "frame"
    delays = [n for n in drawing.nodes if drawing.words(n)[:1] == ["delay"]]
    assert sorted(drawing.words(n)[1] for n in delays) == sorted(f"from {k % 2}" for k in range(states))
    inputs = 4 - states
    order = [*range(states, 4), *range(states)]  # inputs and outputs stand over the states
    inner = cl.wiring((BIT,) * 4, [order.index(k) for k in range(4)]) >> step.select(order)
    outputs = check_reads(drawing, inner, f"{step_node}/", [f"{step_node}/{k}.0" for k in range(4)], first=4)
    last = 4 + len(inner.nodes)
    assert [drawing.reads[f"{step_node}/{last + k}.0"] for k in range(4)] == outputs
    assert Counter(
        w.get("data-from") for w in drawing.of("wire") if w.get("data-from").startswith(f"{step_node}.")
    ) == {f"{step_node}.{k}": 1 for k in range(4)}
    for k in range(states):
        delay = drawing.reads[f"{step_node}.{inputs + k}"].split(".")[0]
        assert drawing.reads[f"{delay}.0"] == f"{step_node}.{inputs + k}"  # there are as many outputs as inputs
        assert drawing.words(delay) == ["delay", f"from {k % 2}"]
        assert drawing.bounds[delay][1] > drawing.bounds[step_node][3], "the way back is below"
    for wire in drawing.of("wire"):
        if wire.get("data-from").split(".")[0] in delays:  # it ends at the step's left side
            assert abs(points(wire)[-1][0] - drawing.bounds[step_node][0]) < EDGE


def test_causal_maps_with_parameters_learnt_starts_and_large_steps():
    start = cl.parametrised("start", {"s": cl.Space(5, cl.REAL)}, (), lambda s: s)
    drawing = check(picture(stateful(layers.tanh_cell(3, 5), start)))
    assert "from learnt" in {w for n in drawing.nodes for w in drawing.words(n)}
    assert len(drawing.numbers("input")) == 1 + len(layers.tanh_cell(3, 5).names) + 1
    long = cl.trace((REAL, REAL), lambda s, x: ([s := functions.sin(s * x) for _ in range(20)][-1], s))
    assert check(picture(stateful(long, [0.0]))).numbers("frame") == []
    with pytest.raises(InputError, match="1 names of inputs, one a wire; got 2"):
        picture(stateful(long, [0.0]), inputs=["a", "b"])


def test_a_causal_map_that_settles_late_says_so():
    from catlearn.systems.causal import delay

    text = picture(delay(cl.trace(BIT, lambda x: x * x)))
    assert "The step from time 1 on." in text


# Formats

THINGS = {
    "diagram": lambda: layers.dense(4, 3, "sigmoid"),
    "lens": lambda: layers.dense(4, 3).lens(),
    "scan": lambda: scan(cl.trace((REAL, REAL), lambda s, x: (s * x, s + x)), 5),
    "gates": lambda: Netlist(
        (Port("x", 2),), [[2, 3]] * 5, [8, 14, 9, 7, 2], [2] * 5, [4, 5, 6, 7, 8], (Port("y_1", 5),)
    ),
    "schema": lambda: Schema({"f": ("X", "Y"), "g": ("Y", "X")}, ["f ; g = X"]),
    "summary": lambda: layers.chain(cl.Space(4, cl.REAL), *[layers.dense(4, 4)] * 40),
}


@pytest.mark.parametrize("name", THINGS)
def test_a_scene_has_all_that_is_drawn(name):
    text = picture(THINGS[name]())
    found = scene(text)
    drawn = [
        e for e in ElementTree.fromstring(text).iter() if e.tag.rpartition("}")[2] in ("rect", "circle", "path", "text")
    ]
    assert len(found.items) == len(drawn) - 1  # without the ground
    assert Counter(type(item) for item in found.items)[Words] == sum(e.tag.endswith("text") for e in drawn)
    for item in found.items:
        for _, some in item.segments if isinstance(item, Outline) else [("", (item.at,))]:
            assert all(-1 <= x <= found.width + 1 and -1 <= y <= found.height + 1 for x, y in some)


def test_a_quadratic_curve_is_the_same_cubic():
    """The outlines of gates have them."""
    path = '<path d="M1 2Q3 9 8 4"/>'
    (item,) = scene(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{path}</svg>').items
    (_, (a,)), (_, (b, c, d)) = item.segments
    t = np.linspace(0, 1, 9)[:, None]
    a, b, c, d = map(np.array, (a, b, c, d))
    cubic = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d
    assert cubic == pytest.approx((1 - t) ** 2 * a + 2 * t * (1 - t) * np.array((3, 9)) + t * t * d)


@pytest.mark.parametrize("name", THINGS)
def test_a_png_is_the_same_picture(name, tmp_path):
    pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    text = picture(THINGS[name]())
    save(text, tmp_path / "a.png", scale=2.0)
    pixels = imread(tmp_path / "a.png")[..., :3]
    found = scene(text)
    assert abs(pixels.shape[1] - 2 * found.width) <= 2
    assert abs(pixels.shape[0] - 2 * found.height) <= 2
    ink = (pixels < 0.85).any(axis=-1)
    for item in found.items:
        if isinstance(item, Outline) and item.stroke:
            x, y = item.segments[0][1][0]
            column, row = round(2 * x), round(2 * y)
            assert ink[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4].any(), "a line begins there"
    margin = [ink[:6], ink[-6:], ink[:, :6], ink[:, -6:]]
    assert not any(side.any() for side in margin)


def test_a_pdf_is_written(tmp_path):
    pytest.importorskip("matplotlib")
    save(layers.dense(2, 1), tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert content.rstrip().endswith(b"%%EOF")
    save(layers.dense(2, 1), tmp_path / "b.pdf")
    assert (tmp_path / "b.pdf").read_bytes() == content


@pytest.mark.parametrize("name", THINGS)
def test_tikz_has_a_path_or_a_node_for_each_item(name):
    text = picture(THINGS[name]())
    code, found = tikz(text), scene(text)
    lines = code.splitlines()
    kinds = Counter(line.split("[")[0] for line in lines)
    assert kinds["\\path"] == sum(isinstance(item, Outline) for item in found.items)
    assert kinds["\\node"] == sum(isinstance(item, Words) for item in found.items)
    assert all(line.endswith(";") for line in lines if line.startswith(("\\path", "\\node")))
    for line, item in zip([line for line in lines if line.startswith(("\\path", "\\node"))], found.items, strict=True):
        if isinstance(item, Words):
            anchor = {"start": "base west", "middle": "base", "end": "base east"}[item.anchor]
            assert f"anchor={anchor}," in line
            at = [item.at]
        else:
            orders = [order for order, _ in item.segments]
            counts = [line.count(word) for word in (" -- (", " .. controls ", " -- cycle")]
            assert counts == [orders.count(order) for order in "LCZ"]
            at = [point for _, some in item.segments for point in some]
        written = np.array(
            [[float(x) for x in pair.split(",")] for pair in re.findall(r"\((-?[\d.]+,-?[\d.]+)\)", line)]
        )
        assert written[: len(at)] == pytest.approx(np.array(at), abs=0.006)
    bare = re.sub(r"\\[{}]", "", code)
    depth = np.cumsum([(c == "{") - (c == "}") for c in bare])
    assert (depth.min(), depth[-1]) == (0, 0)
    assert code.isascii()
    used = set(re.findall(r"(?:draw|fill|text)=(\w+)", code))
    assert used == set(re.findall(r"\\definecolor\{(\w+)\}", code))
    whole = standalone(text)
    assert whole.count("\\begin{") == whole.count("\\end{") == 2
    assert code in whole


def test_tikz_escapes():
    assert escaped("a_b % & # $ {x} ~ ^ \\") == (
        r"a\_b \% \& \# \$ \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )
    assert escaped("αΓλο") == r"$\alpha$$\Gamma$$\lambda$o"
    assert escaped("Α水\x07é") == "??" + "?é"
    assert r"\_next" in tikz(picture(cl.identity(BIT), inputs=["q_next"]))


def test_files_by_their_endings(tmp_path):
    model = layers.dense(2, 1)
    for ending, head in ((".svg", "<svg"), (".tikz", "\\definecolor"), (".tex", "% "), (".SVG", "<svg")):
        save(model, tmp_path / f"a{ending}")
        assert (tmp_path / f"a{ending}").read_text(encoding="utf-8").startswith(head)
        draw_model(model, tmp_path / f"b{ending}")
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
    learner = cl.supervised(model, losses.mean_squared_error, optimisers.gd(0.1))
    draw_model(learner, tmp_path / "c.svg", kind="lenses")
    assert (tmp_path / "c.svg").read_text(encoding="utf-8") == picture(learner)


def test_bad_files(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"ends in .svg, .png, .pdf, .tikz, .tex; got 'a.gif'"):
        save(cl.identity(BIT), "a.gif")
    with pytest.raises(InputError, match="cannot write"):
        save(cl.identity(BIT), tmp_path / "no" / "a.tex")
    for text in ("hello", "<svg/>"):
        with pytest.raises(InputError, match="the SVG text that catlearn's `picture` gives"):
            save(text, tmp_path / "a.tikz")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"picture as PNG needs matplotlib.*categorical-learning\[plot\]"):
        save(cl.identity(BIT), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


# The gallery


def test_the_gallery_is_as_the_example_draws_it(tmp_path, capsys):
    import importlib.util

    root = Path(__file__).parents[1]
    spec = importlib.util.spec_from_file_location("gallery", root / "examples" / "gallery.py")
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    gallery.main(tmp_path)
    assert len(capsys.readouterr().out.splitlines()) == len(gallery.PICTURES)
    page = (root / "docs" / "gallery.md").read_text(encoding="utf-8")
    for name in gallery.PICTURES:
        assert f"](gallery/{name}.svg)" in page
        new, kept = (
            (folder / f"{name}.svg").read_text(encoding="utf-8") for folder in (tmp_path, root / "docs" / "gallery")
        )
        one, two = check(new), Drawing(kept)
        assert (one.kinds, one.reads) == (two.kinds, two.reads)
        assert [t.text for t in one.root.iter(f"{SVG}text")] == [t.text for t in two.root.iter(f"{SVG}text")]
        assert len(kept) < 150_000


def test_adams_lens_in_the_gallery_is_adam():
    text = (Path(__file__).parents[1] / "docs" / "gallery" / "adam.svg").read_text(encoding="utf-8")
    drawing = Drawing(text)
    put = optimisers.adam().lens(REAL).put
    boxes = [n for n in drawing.numbers("box") + drawing.numbers("round") if n.startswith("put/")]
    assert len(boxes) == len(put.nodes)
    assert len(drawing.pins("top", "forward")) == 4
    assert [n for n in drawing.nodes if n.startswith("get/") and drawing.kinds[n] != "pin"] == []


def test_notebooks_show_learners_schemas_and_causal_maps():
    from catlearn.systems.delayed_trace import register
    from catlearn.systems.schema import Schema

    learner = cl.supervised(layers.dense(2, 2), losses.mean_squared_error, optimisers.adam())
    for thing in (learner, Schema({"f": ("X", "Y")}, ["f = f"]), register(cl.Space((), cl.Z2))):
        assert thing._repr_svg_() == picture(thing)
        assert picture(thing).startswith("<svg")
