"""What `catlearn export` does: from a model file or a saved learner to a circuit's text, and what Yosys makes of it.

The circuit is simplified by function, for it will not be differentiated any more; `--report` proves the two equal.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catlearn.errors import InputError, ModelFileError, UnknownNameError, nearest
from catlearn.model_file import Source, check_folder, learner_of, train_model

if TYPE_CHECKING:
    from catlearn.learner import Learner
    from catlearn.netlist import Netlist
    from catlearn.result import Result

__all__ = ["form_named", "netlists", "read", "report", "write"]

FORMS = ("verilog", "blif", "c")


def form_named(name: str, pipeline: int = 0) -> Callable[[Netlist, str], str]:
    """The printer of that name; raises `UnknownNameError`, or `InputError` for ranks of registers in another form."""
    if name not in FORMS:
        raise UnknownNameError(f"no form is called {name!r}: {nearest(name, FORMS)}")
    if pipeline and name != "verilog":
        raise InputError(f"--pipeline is for verilog; got --to {name}")
    from catlearn import hardware

    if pipeline:
        return lambda netlist, module: hardware.verilog(netlist, module, pipeline)
    return {"verilog": hardware.verilog, "blif": hardware.blif, "c": hardware.c}[name]


def read(model: Path, replacements: Mapping[str, str], data_dir: Path | None, untrained: bool) -> Result | Learner:
    """The learner of a model file, trained unless it is to be `untrained`, or the result in a saved file.

    Raises `ModelFileError` for constants given with a saved learner.
    """
    if model.suffix != ".py" and model.is_file():
        from catlearn.checkpoints import load

        if replacements:
            raise ModelFileError(f"--set replaces constants of a model file; {model} is a saved learner")
        return load(model)
    if data_dir is not None:
        check_folder(data_dir, "--data-dir")
    source = Source.read(model)
    source.replace(replacements)
    with source.importable() as module:
        source.run(module)
        if untrained:
            return learner_of(source, vars(module))
        return train_model(source, vars(module), (None, None, None), {}, data_dir)[1]


def netlists(thing: Result | Learner, learner: bool, output: str) -> tuple[Netlist, Netlist]:
    """The circuit of a model, or of its learner, as it was trained, and simplified."""
    from catlearn.exporting import circuit_of
    from catlearn.simplification import simplified

    whole = circuit_of(thing, learner=learner, output=output)
    return whole, simplified(whole)


def write(path: Path, text: str) -> None:
    """Write a text whole or not at all; raises `ModelFileError` where it cannot be written."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        raise ModelFileError(f"cannot write {path}: {error.strerror or error}") from error


def report(whole: Netlist, exported: Netlist) -> str:
    """What was exported, its gates and tables after synthesis by Yosys, and whether it is proved equal to `whole`."""
    from catlearn.hardware import equivalent, synthesise

    found = synthesise(exported, lut=6)
    verdict = equivalent(whole, exported)
    said = "proved equal to the circuit before simplification" if verdict is True else f"NOT equal: {verdict}"
    rows: list[tuple[str, Any]] = [
        ("as trained", whole),
        ("exported", exported),
        ("after synthesis", found),
        ("equivalence", said),
    ]
    return "\n".join(f"{name:<16} {value}" for name, value in rows)
