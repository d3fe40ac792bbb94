"""Pictures of models, circuits and learners, in files.

A learner's training step is drawn as it is wired: the optimiser's get, the model and the loss forward, the cap, the
reverse derivatives backward, and the optimiser's put (LEARNER.supervised).

>>> from catlearn import layers, losses, optimisers, supervised
>>> learner = supervised(layers.dense(4, 3), losses.mean_squared_error, optimisers.adam())
>>> "R[model]" in step_picture(learner)
True
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catlearn.errors import InputError, OperationError, nearest
from catlearn.functors.picture import LIMIT, picture, shown
from catlearn.functors.summary_picture import Row, folded, layer_rows
from catlearn.layout import End, Graph
from catlearn.model_file import Source, learner_of
from catlearn.space import Object, changes
from catlearn.svg import SMALL, Label, Look, drawn, shaped, shortened, text_width

if TYPE_CHECKING:
    from catlearn.learner import Learner

__all__ = ["ENDINGS", "KINDS", "draw_model", "ending_of", "layer_lines", "save", "step_picture", "write"]

KINDS = ("model", "gates", "lenses", "step", "step-gates")
ENDINGS = (".svg", ".png", ".pdf", ".tikz", ".tex")
MOST_LINES = 6


def save(thing: Any, path: Path | str, *, scale: float = 2.0, **options: Any) -> None:
    """Write the picture of a thing to a file: what `picture` draws of it with those options, or its SVG text.

    The file's ending says how: .svg, .png (`scale` pixels for one of the SVG's) and .pdf, which need matplotlib, .tikz,
    a tikzpicture for a document that uses tikz, and .tex, a document of its own.

    Raises `InputError` for another ending, or a file that cannot be written, and what `picture` raises.

    >>> import tempfile
    >>> from catlearn.diagram import identity
    >>> place = Path(tempfile.mkdtemp()) / "nothing.tex"
    >>> save(identity(), place, title="nothing")
    >>> place.read_text().splitlines()[0]
    '% nothing'
    """
    ending_of(path)
    write(thing if isinstance(thing, str) else picture(thing, **options), path, scale)


def ending_of(path: Path | str) -> str:
    """The ending of a file that a picture can be written to; raises `InputError` for another."""
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise InputError(
            f"a picture is written as SVG, PNG, PDF or TikZ: name a file that ends in {', '.join(ENDINGS)}; "
            f"got {str(path)!r}"
        )
    return ending


def write(svg: str, path: Path | str, scale: float = 2.0) -> None:
    """Write a picture's SVG text to a file, in the form that its ending says; see `save`."""
    ending = ending_of(path)
    if ending in (".png", ".pdf"):
        from catlearn.raster import image

        content = image(svg, ending[1:], scale)
    else:
        from catlearn.tikz import standalone, tikz

        content = (svg if ending == ".svg" else tikz(svg) if ending == ".tikz" else standalone(svg)).encode()
    file = Path(path)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error


def draw_model(thing: Any, path: Path | str, *, kind: str = "model", limit: int = LIMIT, title: str = "") -> None:
    """Write the picture of a thing to a file, in the form that the file's ending says; see `save`.

    Of a model file, a learner or a result, `kind` says what is drawn: its "model" with the parameters from above, the
    "gates" of its circuit, the learner as "lenses", the training "step" as it is wired, or the "step-gates" of the
    circuit that trains itself. Gates are those of the values of a result, of the starting values of a learner. What has
    more than `limit` nodes is summarised. A model file has its own title, if none is given.

    Raises `InputError` for a path of another ending, or that cannot be written, and for an unknown kind;
    `OperationError` for what has no picture of that kind; `ModelFileError` where the file goes wrong.
    """
    ending_of(path)
    write(_text(thing, kind, limit, title), path)


def _text(thing: Any, kind: str, limit: int, title: str) -> str:
    from catlearn.learner import Learner
    from catlearn.result import Result

    if kind not in KINDS:
        raise InputError(f"no picture is called {kind!r}: {nearest(kind, KINDS)}")
    if isinstance(thing, Source):
        title = title or thing.title
        with thing.importable() as module:
            thing.run(module)
            thing = learner_of(thing, vars(module))
    if not isinstance(thing, (Learner, Result)):
        if kind != "model":
            raise OperationError(f"the {kind} are drawn of a learner or a result; got {type(thing).__name__}")
        return picture(thing, title=title, limit=limit)
    learner = thing.learner if isinstance(thing, Result) else thing
    if kind == "model":
        return picture(learner.model, title=title, limit=limit)
    if kind == "lenses":
        return picture(learner, title=title)
    if kind == "step":
        return step_picture(learner, title)
    from catlearn.exporting import circuit_of

    return picture(circuit_of(thing, learner=kind == "step-gates"), title=title, limit=limit)


def _label(spaces: Object) -> tuple[Label, float]:
    words = ", ".join(map(shown, spaces)) or "1"
    short = words if len(words) <= 20 else f"{len(spaces)} wires"
    return Label(short, ", ".join(map(str, spaces)) or "nothing"), text_width(short, SMALL)


def layer_lines(rows: Sequence[Row]) -> list[str]:
    """A line for each part of a model, of the rows of its layers, with how often it comes."""
    lines = []
    for times, part in folded([row.title for row in rows]):
        if times == 1:
            lines += [shortened(title, 24) for title in part]
        else:
            lines.append(f"{shortened(', '.join(part), 24)} \N{MULTIPLICATION SIGN} {times}")
    more = len(lines) - MOST_LINES + 1
    return lines if more <= 1 else [*lines[: MOST_LINES - 1], f"and {more} more"]


def step_picture(learner: Learner, title: str = "") -> str:
    """The SVG text of a learner's step: a summary, a box a part; each wire stands for an object."""
    graph, model = Graph(), learner.model
    state, labels = learner.state, learner.loss.labels(model.cod)
    losses = learner.loss.para(model.cod).cod

    def outside(name: str, spaces: Object) -> End:
        return graph.add(shaped(Look("input", (name,), f"input {name}"), 0, 1), [_label(spaces)]), 0

    def box(lines: Sequence[str], reads: Sequence[End], gives: Object, about: str) -> End:
        node = graph.add(shaped(Look("box", tuple(lines), about), len(reads), 1), [_label(gives)])
        for k, end in enumerate(reads):
            graph.join(end, (node, k))
        return node, 0

    stored = outside("state", state)
    labelled = outside("label", labels)
    given = outside("input", model.dom)
    optimiser = shortened(learner.optimiser.name, 24)
    loss = shortened(learner.loss.name, 24)
    parameters = box([optimiser, "get"], [stored], model.parameter, "what the model is evaluated at")
    predicted = box(["model", *layer_lines(layer_rows(model))], [parameters, given], model.cod, "the model, forward")
    lost = box([loss], [labelled, predicted], losses, "the loss, forward")
    capped = box([shortened(f"cap {learner.cap.name}", 24)], [lost], changes(losses), "the cotangent of the loss")
    back = box([f"R[{loss}]"], [labelled, predicted, capped], changes(model.cod), "the loss, backward")
    change = box(["R[model]"], [parameters, given, back], changes(model.parameter), "the model, backward")
    after = box([optimiser, "put"], [stored, change], state, "the update of what is stored")
    end = graph.add(shaped(Look("output", ("state",), "the state after the step"), 1, 0))
    graph.join(after, (end, 0))
    learnt = sum(p.space.size for p in model.parameters if p.role == "parameter")
    caption = (
        f"A summary of a training step: {learnt:,} entries learnt; hyper-parameters: "
        f"{shortened(', '.join(learner.hyperparameters) or 'none', 60)}."
    )
    return drawn(graph, title or caption, caption)
