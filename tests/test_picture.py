"""Pictures: their structure, read from the XML, is that of the diagram, and their geometry has no faults."""

import re
from collections import Counter, defaultdict
from itertools import combinations, pairwise, permutations, product
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from strategies import bit_circuits, circuits, smooth_diagrams

import catlearn as cl
from catlearn import layers, losses, optimisers
from catlearn.errors import InputError, ModelFileError, OperationError
from catlearn.functors.functor import Functor
from catlearn.functors.gate_picture import gate_kind, gates, look_of
from catlearn.functors.picture import looks, picture
from catlearn.functors.summary_picture import folded
from catlearn.generators.arithmetic import Add
from catlearn.layout import Graph, Node, Ranks, _increasing
from catlearn.model_file import Source
from catlearn.netlist import Netlist, Port, evaluate
from catlearn.pictures import draw_model, step_picture
from catlearn.svg import Look, text_width

SVG = "{http://www.w3.org/2000/svg}"
BIT, REAL = cl.Space((), cl.Z2), cl.Space((), cl.REAL)
EDGE = 0.05


class Drawing:
    """What stands in a picture: nodes by number, wires, and texts with the rectangles that they fill."""

    def __init__(self, text):
        self.root = ElementTree.fromstring(text)
        self.size = tuple(map(float, self.root.get("viewBox").split()[2:]))
        self.bounds, self.kinds, self.words, self.titles = {}, {}, {}, {}
        for group in self._of("node"):
            number = int(group.get("data-node"))
            x, y, width, height = map(float, group.get("data-bounds").split())
            self.bounds[number] = (x, y, x + width, y + height)
            self.kinds[number] = group.get("data-kind")
            self.words[number] = [e.text for e in group.findall(f"{SVG}text")]
            self.titles[number] = group.find(f"{SVG}title").text
        self.wires = [group for group in self._of("wire") if group.get("data-from")]
        self.reads = {
            tuple(map(int, target.split("."))): tuple(map(int, wire.get("data-from").split(".")))
            for wire in self.wires
            for target in wire.get("data-to").split()
        }

    def _of(self, kind):
        return [group for group in self.root.iter(f"{SVG}g") if group.get("class") == kind]

    def texts(self, kind):
        return [e for e in self.root.iter(f"{SVG}text") if e.get("class") == kind]

    @property
    def caption(self):
        return " ".join(e.text for e in self.texts("caption"))

    def numbers(self, kind):
        return [k for k, own in self.kinds.items() if own == kind]

    def count(self, kind):
        return sum(e.get("class") == kind for e in self.root.iter())


def rectangle(text):
    """Where a text stands, by its anchor."""
    size = float(text.get("font-size"))
    width, x, y = text_width(text.text, size), float(text.get("x")), float(text.get("y"))
    left = {"start": x, "middle": x - width / 2, "end": x - width}[text.get("text-anchor")]
    return left, y - 0.8 * size, left + width, y + 0.2 * size


def meets(a, b, slack=EDGE):
    return a[0] < b[2] - slack and b[0] < a[2] - slack and a[1] < b[3] - slack and b[1] < a[3] - slack


def inside(a, b, slack=EDGE):
    return a[0] >= b[0] - slack and a[1] >= b[1] - slack and a[2] <= b[2] + slack and a[3] <= b[3] + slack


def strokes(path):
    """The curves of a path, each as its points at 21 places; only M, L and C are written."""
    at, found = None, []
    for order, text in re.findall("([MLC])([^MLC]*)", path):
        numbers = [float(x) for x in text.split()]
        points = np.array(numbers).reshape(-1, 2)
        if order != "M":
            b, c = (points[0], points[1]) if order == "C" else (at, points[-1])
            t = np.linspace(0, 1, 21)[:, None]
            found.append((1 - t) ** 3 * at + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * points[-1])
        at = points[-1]
    return found


def on_edge(point, box, kind):
    """Whether a point is on the border of a node; a gate is entered at its body, behind a bubble and a hollow."""
    x, y = point
    deep = 10 + EDGE if kind in ("and", "or", "xor") else EDGE
    within = box[0] - EDGE <= x <= box[2] + EDGE and box[1] - EDGE <= y <= box[3] + EDGE
    return within and (abs(x - box[0]) <= deep or min(abs(x - box[2]), abs(y - box[1]), abs(y - box[3])) <= EDGE)


def check_wire(wire, bounds, kinds):
    curves = strokes(wire.find(f"{SVG}path").get("d"))
    touched = [point for curve in curves for point in (curve[0], curve[-1])]
    ends = [tuple(np.round(point, 1)) for point in touched]
    joined = defaultdict(set)
    for curve in curves:
        a, b = (tuple(np.round(point, 1)) for point in (curve[0], curve[-1]))
        joined[a].add(b)
        joined[b].add(a)
    reached, agenda = set(), ends[:1]
    while agenda:
        point = agenda.pop()
        if point not in reached:
            reached.add(point)
            agenda.extend(joined[point])
    assert reached == set(ends), "the pieces of a wire hang together"
    own = [int(wire.get("data-from").split(".")[0])] + [int(t.split(".")[0]) for t in wire.get("data-to").split()]
    for number in own:
        assert any(on_edge(end, bounds[number], kinds[number]) for end in touched), f"a wire reaches node {number}"
    for number, box in bounds.items():
        for curve in curves if number not in own else []:
            assert not any(meets((x, y, x, y), box, 0.3) for x, y in curve), f"a wire runs over node {number}"
    return curves


def check_geometry(text):
    drawing = Drawing(text)
    page = (0, 0, *drawing.size)
    for a, b in combinations(drawing.bounds.values(), 2):
        assert not meets(a, b)
    for group in drawing._of("node"):
        box = drawing.bounds[int(group.get("data-node"))]
        assert inside(box, page)
        for words in group.findall(f"{SVG}text"):
            assert inside(rectangle(words), box, 3 if group.get("data-kind") == "parameter" else EDGE)
    points = [p for wire in drawing.wires for curve in check_wire(wire, drawing.bounds, drawing.kinds) for p in curve]
    assert all(inside((x, y, x, y), page) for x, y in points)
    for kind in ("label", "caption", "times"):
        for words in drawing.texts(kind):
            assert inside(rectangle(words), page)
            assert not any(meets(rectangle(words), box) for box in drawing.bounds.values())
    for a, b in combinations([rectangle(e) for kind in ("label", "caption") for e in drawing.texts(kind)], 2):
        assert not meets(a, b)
    return drawing


def check_structure(drawing, diagram, parameters=0):
    """Every entry of every node, and every output, reads what the diagram says."""
    given_, first = len(diagram.dom), {}
    wire_of = {k: (k, 0) for k in range(given_)}
    for j, (_, inputs, outputs) in enumerate(diagram.nodes):
        first[j] = given_ + j
        for place, wire in enumerate(inputs):
            assert drawing.reads[given_ + j, place] == wire_of[wire]
        wire_of.update({wire: (given_ + j, k) for k, wire in enumerate(outputs)})
    start = given_ + len(diagram.nodes)
    for k, wire in enumerate(diagram.outputs):
        assert drawing.reads[start + k, 0] == wire_of[wire]
    assert len(drawing.reads) == len(diagram.outputs) + sum(len(inputs) for _, inputs, _ in diagram.nodes)
    kinds = Counter(drawing.kinds.values())
    assert (kinds["parameter"], kinds["input"]) == (parameters, given_ - parameters)
    assert kinds["output"] == len(diagram.outputs)
    read = Counter(wire for _, inputs, _ in diagram.nodes for wire in inputs) + Counter(diagram.outputs)
    assert drawing.count("discard") == sum(read[wire] == 0 for wire in wire_of)
    assert bool(drawing.count("copy")) == any(read[wire] > 1 for wire in wire_of)


@st.composite
def smooth(draw):
    """A smooth diagram; draws that apply an operation to a vector too short for it are thrown away."""
    try:
        return draw(smooth_diagrams(gates=8))
    except OperationError:
        reject()


@settings(max_examples=40, deadline=None)
@given(st.one_of(circuits(cl.Z2, gates=12), bit_circuits(gates=10), smooth()))
def test_random_diagrams_are_drawn_as_they_are(diagram):
    drawing = check_geometry(picture(diagram, limit=1000))
    check_structure(drawing, diagram)
    spaces = [*diagram.dom, *(space for generator, _, _ in diagram.nodes for space in generator.cod)]
    assert [wire.find(f"{SVG}title").text for wire in drawing.wires] == [str(space) for space in spaces]


@settings(max_examples=15, deadline=None)
@given(circuits(cl.Z2, inputs=2, gates=5))
def test_reverse_derivatives_are_drawn_as_they_are(diagram):
    back = cl.reverse_derivative(diagram)
    check_structure(check_geometry(picture(back, limit=1000)), back)


@settings(max_examples=25, deadline=None)
@given(circuits(cl.Z2, inputs=4, gates=10), st.integers(0, 4))
def test_parameters_come_from_above(diagram, count):
    model = cl.Para((BIT,) * count, (BIT,) * (4 - count), diagram)
    drawing = check_geometry(picture(model, limit=1000))
    check_structure(drawing, diagram, count)
    flags = [drawing.bounds[k] for k in drawing.numbers("parameter")]
    others = [box for k, box in drawing.bounds.items() if drawing.kinds[k] != "parameter"]
    assert all(flag[3] <= box[1] + EDGE for flag in flags for box in others)


def test_a_half_adder():
    half = cl.trace((BIT, BIT), lambda x, y: (x + y, x * y))
    drawing = check_geometry(picture(half, inputs=["a", "b"], outputs=["sum", "carry"], title="half"))
    assert [drawing.words[k] for k in range(6)] == [["a"], ["b"], ["+"], ["×"], ["sum"], ["carry"]]  # noqa: RUF001
    assert drawing.count("copy") == 2
    assert drawing.root.find(f"{SVG}title").text == "half"
    assert drawing.root.find(f"{SVG}rect").get("fill") == "white"


def test_a_dense_layer():
    model = layers.dense(4, 3, "sigmoid") >> layers.dense(3, 2)
    drawing = check_geometry(picture(model))
    check_structure(drawing, model.diagram, 4)
    found = [drawing.words[k][0].split()[0] for k in drawing.numbers("parameter")]
    assert found == list(model.names)
    for k in drawing.numbers("parameter"):
        (reader,) = [target for target, source in drawing.reads.items() if source == (k, 0)]
        (wire,) = [w for w in drawing.wires if w.get("data-from") == f"{k}.0"]
        end = strokes(wire.find(f"{SVG}path").get("d"))[-1][-1]
        assert end[1] == pytest.approx(drawing.bounds[reader[0]][1])  # the top side
    assert {"REAL 4", "REAL 3", "REAL 2"} <= {e.text for e in drawing.texts("label")}


def test_a_parameter_that_is_copied_enters_from_the_left():
    model = cl.parametrised("square", {"p": REAL}, REAL, lambda p, x: (p * x, cl.functions.sin(p)))
    drawing = check_geometry(picture(model))
    (wire,) = [w for w in drawing.wires if w.get("data-from") == "0.0"]
    assert wire.get("data-to") == "2.0 3.0"
    ends = {tuple(np.round(curve[-1], 1)) for curve in strokes(wire.find(f"{SVG}path").get("d"))}
    for number in (2, 3):
        left, top, _, bottom = drawing.bounds[number]
        assert any(abs(x - left) < EDGE * 2 and top < y < bottom for x, y in ends)


def test_corners():
    assert check_geometry(picture(cl.identity())).kinds == {}
    assert check_geometry(picture(cl.discard((BIT, BIT)))).count("discard") == 2
    for diagram in (cl.copy(BIT), cl.swap(BIT, REAL), cl.identity(BIT), cl.wiring(BIT, [0] * 5)):
        check_structure(check_geometry(picture(diagram)), diagram)
    constant = cl.trace((), lambda: cl.functions.constant(BIT, 1))
    check_structure(check_geometry(picture(constant)), constant)
    unused = cl.parametrised("layer", {"p": BIT, "q": BIT}, BIT, lambda p, q, x: x)
    check_structure(check_geometry(picture(unused)), unused.diagram, 2)
    many = cl.parametrised("many", {f"p{k}": BIT for k in range(9)}, BIT, lambda *w: sum(w[1:], w[0] * w[0]) + w[0])
    check_structure(check_geometry(picture(many)), many.diagram, 9)


def test_a_constant_is_round_and_stands_before_its_reader():
    diagram = cl.trace(REAL, lambda x: cl.functions.exp(cl.functions.sin(cl.functions.sin(x))) + 2.5)
    drawing = check_geometry(picture(diagram))
    (constant,) = drawing.numbers("round")
    assert drawing.words[constant] == ["2.5"]
    assert drawing.bounds[constant][0] > 200


def test_drawings_are_deterministic():
    model = layers.dense(4, 3, "sigmoid")
    assert picture(model) == picture(layers.dense(4, 3, "sigmoid"))


def test_names_are_escaped():
    drawing = Drawing(picture(cl.identity(BIT), inputs=["<a & 'b'>"], outputs=["\x00]]>"], title='"<'))
    assert drawing.words == {0: ["<a & 'b'>"], 1: ["?]]>"]}


def test_ones_own_looks():
    own = Functor("own", extends=looks)
    own.on(Add)(lambda generator: Look("round", ("sum",)))
    half = cl.trace((BIT, BIT), lambda x, y: (x + y, x * y))
    drawing = check_geometry(picture(half, looks=own))
    assert drawing.words[drawing.numbers("round")[0]] == ["sum"]
    check_structure(drawing, half)


def test_diagrams_models_and_netlists_show_themselves_in_notebooks():
    model = layers.dense(2, 1)
    for thing in (model, model.diagram, half_adder(), model.lens(), model.lens().morphism):
        assert thing._repr_svg_() == picture(thing)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: picture(3), OperationError, "made of a diagram, .* got int"),
        (lambda: picture(cl.identity(BIT), inputs=[]), InputError, "1 names of inputs, one a wire; got 0"),
        (lambda: picture(cl.identity(BIT), outputs=["a", "b"]), InputError, "1 names of outputs, one a wire; got 2"),
    ],
)
def test_what_cannot_be_drawn(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Order and heights


def crossings(layers_, nets):
    """Pairs of wires between two ranks that cross, all orders tried on the middle."""
    place = [{e: k for k, e in enumerate(layer)} for layer in layers_]
    found = 0
    for rank in range(len(layers_) - 1):
        ends = [(place[rank][a], place[rank + 1][b]) for a, b in nets if a in place[rank] and b in place[rank + 1]]
        found += sum((a < c and b > d) or (a > c and b < d) for (a, b), (c, d) in combinations(ends, 2))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_the_order_has_no_more_crossings_than_the_best_but_for_a_few(seed):
    random = np.random.default_rng(seed)
    graph = Graph()
    first = [graph.add(Node(10, 10, (), ((10, 5),), "first")) for _ in range(4)]
    middle = [graph.add(Node(10, 10, ((0, 5),), ((10, 5),))) for _ in range(5)]
    last = [graph.add(Node(10, 10, ((0, 5),), (), "last")) for _ in range(5)]
    nets = [(int(random.choice(first)), node) for node in middle]
    nets += [(source, target) for source, target in zip(random.permutation(middle).tolist(), last, strict=True)]
    for source, target in nets:
        graph.join((source, 0), (target, 0))
    ranks = Ranks(graph)
    assert (ranks.layers[0], ranks.layers[2]) == (first, last)
    assert ranks.crossings() == crossings(ranks.layers, nets)
    best = min(crossings([first, order, last], nets) for order in permutations(middle))
    assert ranks.crossings() <= best + 1


def test_neighbours_are_exchanged_where_sweeps_stand_still(monkeypatch):
    monkeypatch.setattr(Ranks, "_sort", lambda ranks, rank, forward: None)
    graph = Graph()
    first = [graph.add(Node(10, 10, (), ((10, 5),), "first")) for _ in range(3)]
    middle = [graph.add(Node(10, 10, ((0, 5),), ((10, 5),))) for _ in range(3)]
    for source, target in zip(first, reversed(middle), strict=True):
        graph.join((source, 0), (target, 0))
    ranks = Ranks(graph)
    assert (ranks.layers[1], ranks.crossings()) == (middle[::-1], 0)


def test_what_is_planar_has_no_crossing():
    chain = cl.trace(REAL, lambda x: cl.functions.sin(cl.functions.exp(x)))
    pair = cl.trace((REAL, REAL), lambda x, y: x * y)
    planar = (chain @ pair @ chain @ pair) >> (pair @ pair) >> pair
    lines = [s for wire in Drawing(picture(planar)).wires for s in strokes(wire.find(f"{SVG}path").get("d"))]
    for one, two in combinations(lines, 2):
        low, high = max(one[0][0], two[0][0]), min(one[-1][0], two[-1][0])
        if high - low > 1:
            ys = [np.interp([low, high], s[:, 0], s[:, 1]) for s in (one, two)]
            assert (ys[0][0] - ys[1][0]) * (ys[0][1] - ys[1][1]) >= -1e-6


@pytest.mark.parametrize("seed", range(10))
def test_the_nearest_increasing_numbers(seed):
    regression = pytest.importorskip("sklearn.isotonic")
    random = np.random.default_rng(seed)
    wanted, weights = random.normal(size=(seed,)), random.uniform(0.1, 4, size=(seed,))
    found = _increasing(wanted.tolist(), weights.tolist())
    if seed:
        assert found == pytest.approx(regression.isotonic_regression(wanted, sample_weight=weights))
    else:
        assert found == []


# Gates

NAMES = {
    "and": lambda x, y: x & y,
    "nand": lambda x, y: 1 - (x & y),
    "or": lambda x, y: x | y,
    "nor": lambda x, y: 1 - (x | y),
    "xor": lambda x, y: x ^ y,
    "xnor": lambda x, y: 1 - (x ^ y),
    "x and not y": lambda x, y: x & (1 - y),
    "not x and y": lambda x, y: (1 - x) & y,
    "x or not y": lambda x, y: x | (1 - y),
    "not x or y": lambda x, y: (1 - x) | y,
    "x": lambda x, y: x,
    "y": lambda x, y: y,
    "not x": lambda x, y: 1 - x,
    "not y": lambda x, y: 1 - y,
    "false": lambda x, y: 0,
    "true": lambda x, y: 1,
}
BODIES = {"and": lambda x, y: x & y, "or": lambda x, y: x | y, "xor": lambda x, y: x ^ y}


def table_of(function, arity=2):
    return sum(function(*((a >> k) & 1 for k in range(arity))) << a for a in range(2**arity))


def half_adder():
    return Netlist((Port("x", 2),), [[2, 3], [2, 3]], [0b0110, 0b1000], [2, 2], [4, 5], (Port("sum", 1, 2),))


@pytest.mark.parametrize("name", NAMES)
def test_a_gate_is_drawn_as_what_it_computes(name):
    table = table_of(NAMES[name])
    look = look_of(table, 2)
    assert gate_kind(table, 2) == name
    if look.kind in BODIES:

        def drawn(x, y):
            bits = [1 - bit if k in look.bubbles else bit for k, bit in enumerate((x, y))]
            return BODIES[look.kind](*bits) ^ look.inverted

        assert table_of(drawn) == table
    else:
        assert (look.kind, look.lines) == ("box", (name,))


def test_a_bubble_is_where_the_wire_ends():
    for table, first, second in ((0b0010, 6, 0), (0b0100, 0, 6), (0b1011, 10, 0), (0b1000, 0, 0)):
        net = Netlist((Port("x", 2),), [[2, 3]], [table], [2], [4], (Port("y", 1),))
        drawing = check_geometry(gates(net))
        ends = [strokes(wire.find(f"{SVG}path").get("d"))[-1][-1] for wire in drawing.wires[:2]]
        assert [round(x - drawing.bounds[2][0]) for x, _ in ends] == [first, second]


@pytest.mark.parametrize(
    ("table", "arity", "kind"),
    [
        (1, 0, "1"),
        (0, 0, "0"),
        (1, 1, "not"),
        (2, 1, "buffer"),
        (0xE8, 3, "0xE8"),
        (0x8, 3, "0x08"),
        (1, 6, f"0x{1:016X}"),
    ],
)
def test_other_tables_have_their_number(table, arity, kind):
    assert gate_kind(table, arity) == kind
    assert look_of(table, arity).kind == {0: "round", 1: "buffer"}.get(arity, "box")


def random_netlist(seed, inputs=5, size=14):
    random = np.random.default_rng(seed)
    arity = random.choice([0, 1, 2, 2, 2, 3, 4], size=size)
    wiring = [[int(random.integers(2 + inputs + g)) for _ in range(6)] for g in range(size)]
    tables = [int(random.integers(2**2 ** int(k))) for k in arity]
    outputs = random.integers(2 + inputs + size, size=4)
    return Netlist((Port("x", inputs),), wiring, tables, arity, outputs, (Port("y", 2, 2),))


def value(drawing, end, inputs, tables):
    """What an end of a drawn circuit carries, computed from the drawing alone but for tables that are boxes."""
    number, kind = end[0], drawing.kinds[end[0]]
    if kind == "input":
        return inputs[int(re.search(r"\d+", drawing.words[number][0]).group())]
    if kind == "round":
        return int(drawing.words[number][0])
    reads = sorted(target[1] for target in drawing.reads if target[0] == number)
    bits = [value(drawing, drawing.reads[number, k], inputs, tables) for k in reads]
    title = drawing.titles[number]
    if title in ("not", "buffer"):
        return 1 - bits[0] if title == "not" else bits[0]
    if title.startswith("0x"):
        return int(title.split(",")[0], 16) >> sum(bit << k for k, bit in enumerate(bits)) & 1
    return NAMES[title](*(bits if len(bits) == 2 else [bits[0], 0]))


@pytest.mark.parametrize("seed", range(8))
def test_a_drawn_netlist_computes_what_the_netlist_does(seed):
    netlist = random_netlist(seed)
    drawing = check_geometry(gates(netlist))
    outputs = drawing.numbers("output")
    assert [drawing.words[k][0] for k in outputs] == ["y[0].0", "y[0].1", "y[1].0", "y[1].1"]
    rows = np.array(list(product((0, 1), repeat=5)))[::3]
    for row, wanted in zip(rows, evaluate(netlist, rows), strict=True):
        assert [value(drawing, drawing.reads[k, 0], row.tolist(), None) for k in outputs] == wanted.tolist()


def test_a_sequential_netlist_says_so():
    toggle = Netlist((Port("q", 1),), [[2]], [1], [1], [3], (Port("q_next", 1),), 1, np.zeros(1))
    drawing = check_geometry(gates(toggle))
    assert "registers: q" in drawing.caption
    assert drawing.titles[0] == "register q"


def test_a_large_netlist_is_its_levels():
    netlist = random_netlist(0, inputs=20, size=300)
    drawing = check_geometry(picture(netlist))
    assert "summary by levels" in drawing.caption
    assert set(drawing.kinds.values()) == {"row"}
    heads = [drawing.words[k][0] for k in sorted(drawing.words)]
    assert (heads[0], heads[-1]) == ("inputs", "outputs")
    assert sum(int(re.search(r": (\d+) gate", head).group(1)) for head in heads[1:-1]) == 300
    ands = sum(k == 2 and t == 8 for k, t in zip(netlist.arity, netlist.tables, strict=True))
    lines = [line for k in drawing.words for line in drawing.words[k][1:]]
    assert all("more" not in line for line in lines) or ands >= sum(
        int(line.split()[0]) for line in lines if line.endswith(" and")
    )


# Summaries


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=14))
def test_folding_loses_nothing(items):
    parts = folded(items)
    assert [x for times, part in parts for _ in range(times) for x in part] == items
    assert all(times > 1 or other > 1 for (times, _), (other, _) in pairwise(parts))


def test_a_large_model_is_its_layers():
    many = layers.chain(
        cl.Space(4, cl.REAL), layers.dense(4, 8), *[layers.dense(8, 8, "relu")] * 30, layers.dense(8, 2)
    )
    drawing = check_geometry(picture(many))
    assert "summary by layers: 32 layers" in drawing.caption
    assert [drawing.words[k][0] for k in range(5)] == ["input", "dense", "dense", "dense", "output"]
    assert drawing.words[2][1:] == ["bias: REAL 8", "weight: REAL 8×8"]  # noqa: RUF001
    (frame,) = drawing._of("repeated")
    assert frame.get("data-times") == "30"
    assert f"{4 * 8 + 8 + 30 * 72 + 18:,} entries" in drawing.caption
    assert "summary" not in check_geometry(picture(many, limit=1000)).caption


def test_a_large_diagram_is_its_levels():
    diagram = cl.trace(REAL, lambda x: [x := cl.functions.sin(x * x) for _ in range(50)][-1])
    drawing = check_geometry(picture(diagram))
    assert "100 nodes, 100 levels deep" in drawing.caption
    heads = [drawing.words[k][0] for k in sorted(drawing.words)][1:-1]
    assert len(heads) <= 24
    assert sum(int(re.search(r": (\d+) node", head).group(1)) for head in heads) == 100


def test_many_wires_are_summarised_too():
    assert "summary" in check_geometry(picture(cl.identity((BIT,) * 61))).caption
    assert len(check_geometry(picture(cl.identity((BIT,) * 60))).wires) == 60


@pytest.mark.parametrize("optimiser", [optimisers.adam(), optimisers.reverse_derivative_ascent()])
def test_a_step_is_drawn_as_it_is_wired(optimiser):
    adam = optimiser.name != "ga"
    model = layers.dense(3, 2) if adam else layers.lookup_table(2, 1)
    learner = cl.supervised(model, losses.mean_squared_error if adam else losses.exclusive_or, optimiser)
    drawing = check_geometry(step_picture(learner, "a step"))
    assert "summary of a training step" in drawing.caption

    def sources(name):
        (node,) = [k for k, words in drawing.words.items() if words and " ".join(words).startswith(name)]
        return [drawing.reads[node, k][0] for k in range(sum(target[0] == node for target in drawing.reads))]

    state, label, given_, get, forward, loss, cap, back_loss, back, put = range(10)
    name = learner.loss.name
    assert sources(f"{optimiser.name} get") == [state]
    assert sources("model") == [get, given_]
    assert sources(name) == [label, forward]
    assert sources("cap") == [loss]
    assert sources(f"R[{name}]") == [label, forward, cap]
    assert sources("R[model]") == [get, given_, back_loss]
    assert sources(f"{optimiser.name} put") == [state, back]
    assert drawing.reads[put + 1, 0] == (put, 0)


# Files

MODEL = '''"""A small model."""
from catlearn import layers, losses, optimisers, supervised
SIZE = 3
learner = supervised(layers.dense(SIZE, 2), losses.mean_squared_error, optimisers.adam())
'''


def test_a_model_file_is_drawn(tmp_path):
    path, out = tmp_path / "model.py", tmp_path / "model.svg"
    path.write_text(MODEL)
    source = Source.read(path)
    source.replace({"SIZE": "5"})
    draw_model(source, out)
    drawing = check_geometry(out.read_text(encoding="utf-8"))
    assert drawing.root.find(f"{SVG}title").text == "A small model."
    assert "REAL 5" in {e.text for e in drawing.texts("label")}
    draw_model(Source.read(path), out, kind="step")
    assert "training step" in out.read_text(encoding="utf-8")


def test_the_gates_of_a_learner_are_drawn(tmp_path):
    from catlearn.exporting import circuit_of

    learner = cl.supervised(layers.lookup_table(2, 1), losses.exclusive_or, optimisers.reverse_derivative_ascent())
    for kind, step in (("gates", False), ("step-gates", True)):
        draw_model(learner, tmp_path / "a.svg", kind=kind)
        assert (tmp_path / "a.svg").read_text(encoding="utf-8") == picture(circuit_of(learner, learner=step))


@pytest.mark.parametrize(
    ("thing", "name", "kind", "error", "message"),
    [
        (cl.identity(BIT), "a.gif", "model", InputError, "ends in .svg, .png, .pdf, .tikz, .tex; got"),
        (cl.identity(BIT), "no/a.svg", "model", InputError, "cannot write .*No such file"),
        (cl.identity(BIT), "a.svg", "mode", InputError, "did you mean 'model'"),
        (cl.identity(BIT), "a.svg", "gates", OperationError, "drawn of a learner or a result; got Diagram"),
        (None, "a.svg", "model", OperationError, "got NoneType"),
    ],
)
def test_what_cannot_be_written(tmp_path, thing, name, kind, error, message):
    with pytest.raises(error, match=message):
        draw_model(thing, tmp_path / name, kind=kind)
    assert not (tmp_path / name).exists()


def test_a_model_file_without_a_learner_is_refused(tmp_path):
    path = Path(tmp_path) / "model.py"
    path.write_text("x = 1\n")
    with pytest.raises(ModelFileError, match="defines no learner"):
        draw_model(Source.read(path), tmp_path / "a.svg")


def test_a_smooth_learner_has_no_gates(tmp_path):
    learner = cl.supervised(layers.dense(2, 1), losses.mean_squared_error, optimisers.adam())
    with pytest.raises(OperationError, match=r"no bits|no meaning in hardware"):
        draw_model(learner, tmp_path / "a.svg", kind="gates")
