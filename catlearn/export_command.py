"""What `catlearn export` does: from a model file or a saved learner to a circuit's text, and what Yosys makes of it.

The circuit is simplified by function, for it will not be differentiated any more; `--report` proves the two equal.
What can be wrong with the command is found before anything is trained.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catlearn.errors import CatlearnError, InputError, ModelFileError, OperationError, UnknownNameError, nearest
from catlearn.model_file import Source, check_folder, learner_of, train_model
from catlearn.netlist import Netlist

if TYPE_CHECKING:
    from catlearn.learner import Learner
    from catlearn.result import Result

__all__ = ["Order", "check_place", "circuit_or_learner", "netlists", "read", "write"]

FORMS = ("verilog", "blif", "c")
RESULTS = ("counts", "class")
LUT = 6


@dataclass(frozen=True)
class Order:
    """What is to be exported, how, and where to; the fields are the options of the command.

    Raises `UnknownNameError` for another form or result, `InputError` for a name that is none and for ranks of
    registers in another form, `OperationError` for those in a learner, `ModelFileError` for a place where no file can
    be, and `MissingExtraError` for a report without Yosys.
    """

    form: str = "verilog"
    output: Path | None = None
    learner: bool = False
    result: str = "counts"
    report: bool = False
    pipeline: int = 0
    name: str = "circuit"

    def __post_init__(self) -> None:
        from catlearn.hardware.names import checked
        from catlearn.hardware.tools import yosys_command

        if self.form not in FORMS:
            raise UnknownNameError(f"no form is called {self.form!r}: {nearest(self.form, FORMS)}")
        if self.result not in RESULTS:
            raise UnknownNameError(f"no result is called {self.result!r}: {nearest(self.result, RESULTS)}")
        if self.pipeline and self.form != "verilog":
            raise InputError(f"--pipeline is for verilog; got --to {self.form}")
        if self.pipeline and self.learner:
            raise OperationError("--learner cannot be pipelined: its next step needs the result of this one")
        checked(self.name)
        if self.output is not None:
            check_place(self.output)
        if self.report:
            yosys_command()

    def text(self, netlist: Netlist) -> str:
        """The netlist in the form that was asked for."""
        from catlearn import hardware

        if self.form == "verilog":
            return hardware.verilog(netlist, self.name, self.pipeline)
        return (hardware.blif if self.form == "blif" else hardware.c)(netlist, self.name)

    def rows(self, thing: Result | Learner | Netlist, whole: Netlist, exported: Netlist) -> Iterator[str]:
        """The lines of the report, each when it is known: accuracy, gates, what Yosys makes of them, and its proof.

        Raises `CatlearnError` at the end where the circuit is not the one before it was simplified.
        """
        from catlearn.hardware import equivalent, synthesise, verilog
        from catlearn.result import Result

        def row(name: str, value: object) -> str:
            return f"{name:<16} {value}"

        if isinstance(thing, Result) and thing.test_accuracy is not None:
            yield row("test accuracy", f"{thing.test_accuracy:.1f} %")
        yield row("as trained", whole)
        yield row("exported", exported)
        yield row("after synthesis", synthesise(verilog(exported, pipeline=self.pipeline), lut=LUT))
        verdict = equivalent(whole, exported)
        if verdict is not True:
            raise CatlearnError(
                f"the circuit that was exported is not the one before simplification: of {verdict.rows.tolist()} they "
                f"make {verdict.left.tolist()} and {verdict.right.tolist()}. Do not use it; this is a fault of catlearn"
            )
        yield row("equivalence", "proved equal to the circuit before simplification")


def read(model: Path, replacements: Mapping[str, str], data_dir: Path | None, untrained: bool) -> Result | Learner:
    """The learner of a model file, trained unless it is to be `untrained`, or the result in a saved file.

    Raises `ModelFileError` for constants, or a folder of data, given with a saved learner.
    """
    thing = circuit_or_learner(model, replacements, data_dir, untrained, own=False)
    assert not isinstance(thing, Netlist)
    return thing


def circuit_or_learner(
    model: Path, replacements: Mapping[str, str], data_dir: Path | None, untrained: bool, *, own: bool = True
) -> Result | Learner | Netlist:
    """What `read` gives; or with `own`, where a model file that is trained defines `netlist(result)`, what that gives.

    Raises `ModelFileError` where that is no netlist, and as `read` does.
    """
    if model.suffix != ".py" and model.is_file():
        from catlearn.checkpoints import load

        if replacements:
            raise ModelFileError(f"--set replaces constants of a model file; {model} is a saved learner")
        if data_dir is not None:
            raise ModelFileError(f"--data-dir is what a model file is trained on; {model} is a saved learner")
        return load(model)
    if data_dir is not None:
        check_folder(data_dir, "--data-dir")
    source = Source.read(model)
    source.replace(replacements)
    with source.importable() as module:
        source.run(module)
        if untrained:
            return learner_of(source, vars(module))
        result = train_model(source, vars(module), (None, None, None), {}, data_dir)[1]
        return _own(source, vars(module), result) if own and "netlist" in vars(module) else result


def _own(source: Source, names: Mapping[str, Any], result: Result) -> Netlist:
    """The circuit that a model file makes itself of what was trained."""
    if not callable(names["netlist"]):
        raise ModelFileError(f"netlist in {source.path} must be a function netlist(result); got {names['netlist']!r}")
    with source.blamed("netlist"):
        made = names["netlist"](result)
    if not isinstance(made, Netlist):
        raise ModelFileError(f"netlist(result) in {source.path} must return a catlearn.netlist.Netlist; got {made!r}")
    return made


def netlists(thing: Result | Learner | Netlist, learner: bool, output: str) -> tuple[Netlist, Netlist]:
    """The circuit of a model, or of its learner, as it was trained, or a circuit itself; and simplified."""
    from catlearn.exporting import circuit_of
    from catlearn.simplification import simplified

    whole = thing if isinstance(thing, Netlist) else circuit_of(thing, learner=learner, output=output)
    return whole, simplified(whole)


def check_place(path: Path) -> None:
    """Raise `ModelFileError` where no file can be written, without writing one."""
    if path.is_dir():
        raise ModelFileError(f"cannot write {path}: it is a folder, name a file in it")
    if not path.parent.is_dir():
        raise ModelFileError(f"cannot write {path}: there is no folder {path.parent}")
    if not os.access(path if path.exists() and not path.is_file() else path.resolve().parent, os.W_OK):
        raise ModelFileError(f"cannot write {path}: permission denied")


def write(path: Path, text: str) -> None:
    """Write a text whole or not at all; raises `ModelFileError` where it cannot be written."""
    # A device or a pipe takes the text itself, and the file that a link names takes it in the link's place.
    special = path.exists() and not path.is_file()
    target = path.resolve()
    place = path if special else target.with_name(f".{secrets.token_hex(8)}")
    try:
        with open(place, "w" if special else "x", encoding="utf-8") as file:
            file.write(text)
        if not special:
            os.replace(place, target)
    except OSError as error:
        raise ModelFileError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if not special:
            with contextlib.suppress(OSError):
                place.unlink()
