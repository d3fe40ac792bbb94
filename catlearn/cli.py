"""The command line: `catlearn train MODEL.py` trains the learner that a model file defines.

Flags override the file's own settings, and `--set` its upper-case constants; see `catlearn.model_file`.
"""

from __future__ import annotations

import json
import math
import sys
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catlearn._version import __version__
from catlearn.errors import CatlearnError, Interrupted
from catlearn.model_file import (
    DATA_VARIABLE,
    DEFAULT_BATCH_SIZE,
    DEFAULT_EPOCHS,
    DEFAULT_SEED,
    Settings,
    Source,
    check_folder,
    described,
    finish,
    name_and_value,
    train_model,
)

if TYPE_CHECKING:
    from catlearn.training import Result

__all__ = ["app", "main"]


_TRAIN_HELP = f"""Train the learner of a model file, and say how well it does.

A model file is ordinary Python. It defines `learner`, as supervised(model, loss, optimiser) gives it, and either `data`
or a function load(data_dir) that returns the data. It may define `epochs` (else {DEFAULT_EPOCHS}), `batch_size`
(else {DEFAULT_BATCH_SIZE}, or all rows where there are fewer), `seed` (else {DEFAULT_SEED}) and `shuffle` (else True),
further settings of `fit` as a dictionary `options`, and a function finish(result) that is called at the end. The
options below override the file.

A schedule that a file makes of its own constant EPOCHS follows --set EPOCHS=N, not --epochs N.

Example: catlearn train models/iris.py --epochs 50 --set HIDDEN=8
"""

DataDir = Annotated[
    Path | None, typer.Option(metavar="DIR", help=f"The folder handed to load(data_dir); else ${DATA_VARIABLE}.")
]
Constants = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Replace an upper-case constant of the file; repeatable."),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

app = typer.Typer(
    name="catlearn",
    help="Models, losses, optimisers and training steps as morphisms that compose.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line; the process exits with 0, 1 for an error, 2 for wrong usage, or 130 when interrupted."""
    app(prog_name="catlearn")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"catlearn {__version__}")
        raise typer.Exit


@app.callback()
def _catlearn(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    # Without a callback Typer would make a single command the whole program, and `train` would not be a word of it.
    pass


@app.command(help=_TRAIN_HELP)
def train(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="The model file, such as models/iris.py.", show_default=False)
    ],
    epochs: Annotated[int | None, typer.Option(min=0, metavar="N", help="How often to go through the rows.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, metavar="N", help="Rows in one step.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Fixes the starting parameters, the order and random keys.")
    ] = None,
    data_dir: DataDir = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="float32, float64, or bfloat16 for the model.", show_default=False),
    ] = None,
    validation: Annotated[
        float | None, typer.Option(metavar="SHARE", help="The share of the training rows to hold out.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after N epochs without a better loss.")
    ] = None,
    keep_best: Annotated[bool, typer.Option("--keep-best", help="End with the state of the best epoch.")] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the run in this folder, also when interrupted.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint of that folder.")] = False,
    devices: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Cut every batch over that many devices.")
    ] = None,
    save: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the trained learner to a file.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the losses and accuracies.")] = None,
    constants: Constants = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    debug: Debug = False,
) -> None:
    """Train the learner of the model file `model` and print what came out.

    The other arguments are the command's options; `constants` are texts NAME=VALUE. Raises `typer.Exit` with status 1
    after printing an error, and with 130 when interrupted; `typer.BadParameter` for a text that is not NAME=VALUE.
    """
    replacements = dict(name_and_value(text) for text in constants or ())
    given = {
        "precision": precision,
        "validation": validation,
        "patience": patience,
        "keep_best": keep_best or None,
        "checkpoint": checkpoint,
        "resume": resume or None,
        "mesh": devices,
    }
    more = {name: value for name, value in given.items() if value is not None}
    with _reported(debug):
        with _kept_from_stdout() if as_json else nullcontext():
            if data_dir is not None:
                check_folder(data_dir, "--data-dir")
            source = Source.read(model)
            source.replace(replacements)
            with source.importable() as module:
                source.run(module)
                numbers = (epochs, batch_size, seed)
                title = "" if as_json else source.title
                settings, result = train_model(
                    source, vars(module), numbers, more, data_dir, lambda: typer.echo(title) if title else None
                )
                finish(source, vars(module), result)
                if plot is not None:
                    result.history.plot(plot)
                if save is not None:
                    result.save(save)
                text = _as_json(settings, result) if as_json else _as_lines(result)
        typer.echo(text)


@app.command()
def laws(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A file that defines what to check.", show_default=False)
    ] = None,
    categories: Annotated[
        list[str] | None, typer.Option("--category", metavar="NAME", help="A shipped category; repeatable.")
    ] = None,
    identifiers: Annotated[list[str] | None, typer.Option("--law", metavar="ID", help="A law; repeatable.")] = None,
    examples: Annotated[int, typer.Option(min=1, metavar="N", help="Random examples for each law.")] = 25,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Processes for the shipped categories.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    debug: Debug = False,
) -> None:
    """Check categorical laws on the shipped categories, or on what a file defines.

    A file defines categories, semirings, generators, diagrams, lenses, losses or optimisers at its top level. The exit
    status is 1 if anything is not as declared.
    """
    with _reported(debug):
        from catlearn.laws import command

        chosen = command.chosen_laws(identifiers or [])
        defined = None
        with _kept_from_stdout():
            if file is not None:
                source = Source.read(file)
                with source.importable() as module:
                    source.run(module)
                    defined = command.things_in(vars(module), file)
            reports = command.run(command.chosen_things(categories or [], defined), chosen, examples, jobs)
        typer.echo(command.as_json(reports) if as_json else command.as_table(reports))
    if any(report.wrong for _, report in reports):
        raise typer.Exit(1)


@app.command()
def export(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model file, or a saved learner.", show_default=False)
    ],
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="verilog, blif or c.")] = "verilog",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="The file to write; else standard output.")
    ] = None,
    learner: Annotated[
        bool, typer.Option("--learner", help="The circuit that trains itself: registers, one step a clock.")
    ] = False,
    result: Annotated[str, typer.Option("--result", metavar="NAME", help="counts, or class: the largest.")] = "counts",
    untrained: Annotated[bool, typer.Option("--untrained", help="Do not train a model file first.")] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Print gates and tables after synthesis by Yosys, and prove it equal.")
    ] = False,
    pipeline: Annotated[int, typer.Option(min=0, metavar="N", help="Ranks of registers in Verilog.")] = 0,
    name: Annotated[str, typer.Option(metavar="NAME", help="The name of the module or function.")] = "circuit",
    data_dir: DataDir = None,
    constants: Constants = None,
    debug: Debug = False,
) -> None:
    """Write a trained circuit, or its learner, as Verilog, BLIF or C.

    A model file is trained first, by its own settings; a saved learner is exported as it is. A file that defines
    netlist(result) is exported as the circuit that this returns, such as sequential logic.
    """
    replacements = dict(name_and_value(text) for text in constants or ())
    with _reported(debug):
        from catlearn import export_command

        order = export_command.Order(to, output, learner, result, report, pipeline, name)
        with _kept_from_stdout():
            thing = export_command.circuit_or_learner(model, replacements, data_dir, untrained, own=not learner)
            whole, netlist = export_command.netlists(thing, learner, result)
            text = order.text(netlist)
        if output is not None:
            export_command.write(output, text)
        else:
            typer.echo(text, nl=False)
        for line in order.rows(thing, whole, netlist) if report else ():
            typer.echo(line, err=output is None)


@app.command()
def draw(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model file, or a saved learner.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="The file to write: .svg, .png, .pdf, .tikz or .tex."),
    ],
    kind: Annotated[
        str, typer.Option("--as", metavar="KIND", help="model, gates, lenses, step, or step-gates.")
    ] = "model",
    trained: Annotated[bool, typer.Option("--trained", help="Train first, by the file's own settings.")] = False,
    data_dir: DataDir = None,
    constants: Constants = None,
    debug: Debug = False,
) -> None:
    """Draw a model, its gates, its lenses or its training step: all of a small one, a summary of a large one."""
    replacements = dict(name_and_value(text) for text in constants or ())
    with _reported(debug):
        from catlearn import export_command
        from catlearn.pictures import draw_model, ending_of

        export_command.check_place(output)
        ending_of(output)
        with _kept_from_stdout():
            draw_model(export_command.read(model, replacements, data_dir, not trained), output, kind=kind)
        typer.echo(f"wrote {output}")


@app.command("prove")
def prove_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME...", help="Proofs, such as induction_step; all if none is given."),
    ] = None,
    directory: Annotated[Path | None, typer.Option("--dir", metavar="DIR", help="The folder of the proofs.")] = None,
    parts: Annotated[bool, typer.Option("--parts", help="Show each part that was proved.")] = False,
    coq: Annotated[bool, typer.Option("--coq", help="Build the Coq development and print its assumptions.")] = False,
    debug: Debug = False,
) -> None:
    """Run the machine proofs: each prints its theorem, its method, its exact scope and its time.

    The proofs are in the folder proofs/ of a clone. The exit status is 1 if one fails.
    """
    with _reported(debug):
        from catlearn import proving

        place = directory or proving.home()
        if coq:
            typer.echo(proving.check_coq(place))
            return
        outcomes = [proving.run(proof) for proof in proving.find(place, names or [])]
        typer.echo(proving.as_table(outcomes, lines=parts))
    if any(outcome.failure for outcome in outcomes):
        raise typer.Exit(1)


# Reporting


@contextmanager
def _reported(debug: bool) -> Iterator[None]:
    """Turn what goes wrong inside into one message on stderr and an exit status."""
    try:
        yield
    except Interrupted as stopped:
        typer.echo(str(stopped), err=True)
        raise typer.Exit(128 + stopped.signal) from None
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(130) from None
    except Exception as error:
        if debug:
            typer.echo("".join(traceback.format_exception(error)), err=True, nl=False)
        message = str(error) if isinstance(error, CatlearnError) else described(error)
        typer.echo(f"error: {message}", err=True)
        raise typer.Exit(1) from None


def _kept_from_stdout() -> AbstractContextManager[Any]:
    # A model file may print, and a program that reads the JSON must not meet that.
    return redirect_stdout(sys.stderr)


def _as_json(settings: Settings, result: Result) -> str:
    values: dict[str, int | float | None] = {
        "train_accuracy": _finite(result.train_accuracy),
        "test_accuracy": _finite(result.test_accuracy),
        "steps": result.steps,
        "seconds": result.seconds,
        "parameters": _count(result),
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "seed": settings.seed,
        "loss": _finite(result.history.loss[-1] if result.history.loss else None),
    }
    return json.dumps(values, allow_nan=False)


def _as_lines(result: Result) -> str:
    rows = [
        ("parameters", str(_count(result))),
        ("steps", str(result.steps)),
        ("seconds", f"{result.seconds:.1f}"),
        ("train accuracy", _per_cent(result.train_accuracy)),
        ("test accuracy", _per_cent(result.test_accuracy)),
    ]
    return "\n".join(f"{name:<15} {value}" for name, value in rows)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _per_cent(value: float | None) -> str:
    return "none" if _finite(value) is None else f"{value:.1f} %"


def _count(result: Result) -> int:
    return sum(int(array.size) for layer in result.parameters.values() for array in layer.values())


if __name__ == "__main__":
    main()
