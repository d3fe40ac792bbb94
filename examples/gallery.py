"""The pictures of docs/gallery.md: the library's main constructions, each drawn from the thing itself.

    python examples/gallery.py [FOLDER]

Writes them as SVG, and says how large each is and how high its smallest letters are on a page of 900 pixels; a picture
whose letters were under nine pixels there would be an error.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import catlearn as cl
from catlearn import functions, layers, losses, optimisers
from catlearn.diagram import identity, wiring
from catlearn.functors.netlists import lower
from catlearn.functors.picture import picture
from catlearn.generators.scan import scan
from catlearn.lens import Lens, Sides
from catlearn.parameters import Parameter, Signature
from catlearn.pictures import save
from catlearn.simplification import simplified
from catlearn.systems.causal import stateful
from catlearn.systems.schema import Schema

PAGE, LEAST = 900, 9.0
NUMBER, BIT = cl.Space((), cl.REAL), cl.Space((), cl.Z2)


def dense_layer() -> str:
    """A dense layer: x goes from left to right, weight and bias come from above."""
    return picture(layers.dense(4, 3, "sigmoid"))


def dense_lens() -> str:
    """The same layer as a lens."""
    return picture(layers.dense(4, 3).lens())


def supervised_learner() -> str:
    """Two layers, a loss, a cap, and Adam on top."""
    model = layers.dense(4, 20, "sigmoid") >> layers.dense(20, 3)
    return picture(cl.supervised(model, losses.softmax_cross_entropy, optimisers.adam()))


def adam() -> str:
    """Adam's lens on one parameter: what is stored at the left, its settings from above."""
    optimiser = optimisers.adam()
    wires, lens = optimiser.context(NUMBER), optimiser.lens(NUMBER)
    settings = [k for k, wire in enumerate(wires) if not wire.stored]
    stored = [k for k, wire in enumerate(wires) if wire.stored] + [len(wires)]
    order = [*settings, *stored]
    dom = tuple(lens.dom.forward[k] for k in order)
    sort = wiring(dom, [order.index(k) for k in range(len(order))])
    sorted_ = Lens(sort >> lens.get, (sort @ identity(lens.cod.backward)) >> lens.put)
    parameters = tuple(Parameter(wires[k].name, wires[k].space) for k in settings)
    count = len(settings)
    whole = cl.Para(
        Sides(dom[:count], ()),
        Sides(dom[count:], lens.dom.backward),
        sorted_,
        Signature.layer(parameters, "adam", dom[count:], lens.cod.forward),
    )
    return picture(whole, inputs=["steps", "m", "v", "p"], outputs=["p"], labels=False, title="Adam's lens")


def table() -> str:
    """A look-up table of two inputs over Z2, as gates."""
    whole = lower(layers.lookup_table(2, 1).diagram, names=["table", "x"], results=["y"])
    return picture(simplified(whole))


def table_backward() -> str:
    """Its reverse derivative, as gates."""
    back = cl.reverse_derivative(layers.lookup_table(2, 1).diagram)
    return picture(simplified(lower(back, names=["table", "x", "dy"], results=["dtable", "dx"])))


def delayed_trace() -> str:
    """A causal map: two bits of state, each fed back through a delay."""

    @cl.diagram(BIT, BIT, BIT)
    def step(parity, last, x):
        return parity + x, x, (parity + x) * last

    return picture(stateful(step, [0, 1]), inputs=["x"], outputs=["y"])


def cycle() -> str:
    """CycleGAN's schema."""
    return picture(Schema({"f": ("X", "Y"), "g": ("Y", "X")}, ["f ; g = X", "g ; f = Y"]), title="CycleGAN's schema")


def recurrence() -> str:
    """A recurrent network along a sequence: one Scan, with its body inside."""
    state, item = cl.Space(3, cl.REAL), cl.Space(2, cl.REAL)
    weights = {"across": cl.Space((3, 3), cl.REAL), "inwards": cl.Space((2, 3), cl.REAL)}

    def body(across, inwards, s, x):
        after = functions.tanh(s @ across + x @ inwards)
        return after, after

    whole = scan(cl.trace((*weights.values(), state, item), body), 5, shared=2)
    model = cl.parametrised("network", weights, (state, item.batch(5)), lambda *wires: whole(*wires))
    return picture(model, inputs=["start", "word"], outputs=["end", "states"])


def composite() -> str:
    """Lenses composed: a box each."""
    first, second = layers.dense(4, 3, "tanh").lens(), layers.dense(3, 2).lens()
    square = cl.Lens.of(cl.trace(cl.Space(2, cl.REAL), lambda x: x * x))
    return picture({"layer 1": first, "layer 2": second, "square": square})


PICTURES: dict[str, Callable[[], str]] = {
    "dense": dense_layer,
    "dense_lens": dense_lens,
    "composite": composite,
    "learner": supervised_learner,
    "adam": adam,
    "table": table,
    "table_backward": table_backward,
    "delayed_trace": delayed_trace,
    "cyclegan": cycle,
    "scan": recurrence,
}


def smallest(svg: str) -> float:
    """The height of the smallest letters on a page, which a picture is not stretched to fill."""
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)]
    return min(sizes) * min(1.0, PAGE / width)


def main(folder: Path) -> None:
    """Draw them all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        start = time.perf_counter()
        svg = draw()
        seconds = time.perf_counter() - start
        width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()
        letters = smallest(svg)
        size = f"{width} x {height}, {len(svg) / 1000:.0f} kB"
        print(f"{name}.svg: {size}, letters of at least {letters:.1f} pixels, {seconds:.1f} s")
        assert letters >= LEAST, f"{name} cannot be read on a page of {PAGE} pixels"
        save(svg, folder / f"{name}.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "gallery")
