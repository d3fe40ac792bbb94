"""Yosys: how many gates and look-up tables a circuit needs, and whether two circuits are equal.

Equality is decided on the two printed circuits, the first as Verilog and the second as BLIF, so that it also stands
for the printers. Their miter, which is 1 where they differ, is simplified by `abc` and then handed to a SAT solver.
Of sequential netlists with the same registers it is enough that they are equal as functions of state and inputs;
where they are not, or have other registers, temporal induction from the initial states decides.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from catlearn.errors import InputError, OperationError
from catlearn.hardware.blif import blif
from catlearn.hardware.tools import ToolError, yosys
from catlearn.hardware.verilog import verilog
from catlearn.netlist import Netlist, Port, evaluate

__all__ = ["Difference", "Synthesis", "equivalent", "synthesise"]

SECONDS = 600.0
TWO_INPUTS = ("AND", "NAND", "OR", "NOR", "XOR", "XNOR", "ANDNOT", "ORNOT")


@dataclass(frozen=True)
class Synthesis:
    """What a circuit needs: cells of each kind, gates of two inputs, inverters, registers; `tables` of `lut` inputs."""

    cells: dict[str, int]
    gates: int
    inverters: int
    registers: int
    lut: int | None = None
    tables: int | None = None

    def __str__(self) -> str:
        tables = f", or {self.tables} tables of {self.lut} inputs" if self.lut else ""
        held = f", {self.registers} registers" if self.registers else ""
        return f"{self.gates} gates of two inputs and {self.inverters} inverters{tables}{held}"


def synthesise(circuit: Netlist | str, lut: int | None = None, seconds: float = SECONDS) -> Synthesis:
    """What Yosys makes of a netlist, or of the text of a Verilog module: `abc` maps it to gates, and to tables.

    Raises `OperationError` for tables of other sizes than 2 to 8, `MissingExtraError` without Yosys, `ToolError`.
    """
    if lut is not None and not 2 <= lut <= 8:
        raise OperationError(f"tables have 2 to 8 inputs; got lut={lut!r}")
    script = [
        "read_verilog circuit.v; hierarchy -auto-top; proc; flatten; opt_expr; opt_clean; techmap; opt -fast",
        "design -save mapped",
        f"abc -g {','.join(TWO_INPUTS)}; opt_clean; tee -o gates.json stat -json",
    ]
    if lut is not None:
        script.append(f"design -load mapped; abc -lut {lut}; opt_clean; tee -o tables.json stat -json")
    with tempfile.TemporaryDirectory(prefix="catlearn") as name:
        folder = Path(name)
        (folder / "circuit.v").write_text(circuit if isinstance(circuit, str) else verilog(circuit))
        last = yosys("; ".join(script), folder, "tables.json" if lut else "gates.json", seconds)
        cells = _cells((folder / "gates.json").read_text())
    return Synthesis(
        cells,
        sum(count for kind, count in cells.items() if kind.strip("$_") in TWO_INPUTS),
        cells.get("$_NOT_", 0),
        sum(count for kind, count in cells.items() if "FF" in kind),
        lut,
        _cells(last).get("$lut", 0) if lut else None,
    )


def _cells(text: str) -> dict[str, int]:
    """The cells by kind of what `stat -json` wrote."""
    try:
        found = json.loads(text[text.index("{") :])["design"]["num_cells_by_type"]
    except (ValueError, KeyError):
        raise ToolError(f"Yosys wrote no statistics that can be read: {text[-300:]!r}") from None
    return {kind: int(count) for kind, count in found.items() if kind != "$scopeinfo"}


@dataclass(frozen=True, eq=False)
class Difference:
    """Where two circuits differ: rows of inputs, one a clock from the initial state, and the last outputs of both.

    It is false, so that `if equivalent(a, b)` reads as it should.
    """

    rows: np.ndarray
    left: np.ndarray
    right: np.ndarray

    def __bool__(self) -> bool:
        return False


def equivalent(left: Netlist, right: Netlist, steps: int = 20, seconds: float = SECONDS) -> Literal[True] | Difference:
    """True where Yosys proves two netlists equal, else a `Difference`, which both netlists were run on.

    Ports are matched in order. Of sequential netlists the outputs are compared, from the initial states on; `steps` is
    how far induction goes.

    Raises `OperationError` for other ports, `ToolError` where no proof and no difference was found.
    """
    if _shape(left) != _shape(right):
        raise OperationError(f"only circuits with the same inputs and outputs can be equal; got {left} and {right}")
    if not left.registers and not right.registers:
        return _combinational(left, right, seconds)
    if _registers(left) == _registers(right):
        free = [replace(netlist, registers=0, initial=None) for netlist in (left, right)]
        if _combinational(free[0], free[1], seconds) is True:
            return True
    return _sequential(left, right, steps, seconds)


def _shape(netlist: Netlist) -> tuple[int, int]:
    """The bits of inputs and outputs that are no registers."""
    return netlist.input_bits - netlist.state_bits, netlist.outputs.size - netlist.state_bits


def _registers(netlist: Netlist) -> list[int]:
    """The initial state, bit by bit."""
    return [] if netlist.initial is None else np.asarray(netlist.initial).tolist()


def _alike(netlist: Netlist) -> Netlist:
    """The netlist with one input port `x`, one output port `y`, and at most one register port `s`."""
    held, (inputs, outputs) = netlist.state_bits, _shape(netlist)
    registers = [Port("s", held)] if held else []
    following = [Port("s_next", held)] if held else []
    ports = (*registers, Port("x", inputs)), (*following, Port("y", outputs))
    return replace(netlist, inputs=ports[0], results=ports[1], registers=len(registers))


def _combinational(left: Netlist, right: Netlist, seconds: float) -> Literal[True] | Difference:
    script = (
        "read_verilog left.v; proc; read_blif -wideports right.blif; miter -equiv -flatten left right miter; "
        "hierarchy -top miter; flatten; opt_expr; opt_clean; techmap; opt -fast; abc -g AND; opt_clean; "
        "tee -o sat.txt sat -prove trigger 0 -show-inputs miter"
    )
    if not left.outputs.size:
        return True
    said = _compared(left, right, script, seconds)
    if "proof finished - no model found: SUCCESS" in said:
        return True
    if "proof finished - model found: FAIL" not in said:
        raise ToolError(f"Yosys found no proof and no difference: {said[-300:]}")
    return _checked(left, right, _values(said, 1, left.input_bits))


def _sequential(left: Netlist, right: Netlist, steps: int, seconds: float) -> Literal[True] | Difference:
    script = (
        "read_blif -wideports left.blif; read_blif -wideports right.blif; miter -equiv -flatten left right miter; "
        "hierarchy -top miter; flatten; opt_clean; "
        f"tee -o sat.txt sat -tempinduct -maxsteps {steps} -prove trigger 0 -show-inputs miter"
    )
    inputs, outputs = _shape(left)
    if not outputs:
        return True
    said = _compared(left, right, script, seconds)
    if "Induction step proven: SUCCESS" in said:
        return True
    length = re.findall(r"\[base case (\d+)\] Solving", said)
    if "model found for base case: FAIL" not in said or not length:
        raise ToolError(f"induction over {steps} steps found no proof and no difference: allow more with steps=")
    return _checked(left, right, _values(said, int(length[-1]), inputs))


def _compared(left: Netlist, right: Netlist, script: str, seconds: float) -> str:
    """What the SAT step of a script says on the two circuits."""
    with tempfile.TemporaryDirectory(prefix="catlearn") as name:
        folder = Path(name)
        (folder / "left.v").write_text(verilog(_alike(left), "left"))
        (folder / "left.blif").write_text(blif(_alike(left), "left"))
        (folder / "right.blif").write_text(blif(_alike(right), "right"))
        return yosys(script, folder, "sat.txt", seconds)


def _values(said: str, steps: int, width: int) -> np.ndarray:
    """The inputs in the table of a model, a row for each step; what does not matter is 0."""
    rows = np.zeros((steps, width), np.uint8)
    for time, bits in re.findall(r"^\s*(\d*)\s*\\in_x\s+\S+\s+\S+\s+([01x]+)\s*$", said, re.M):
        if not time or 1 <= int(time) <= steps:
            rows[int(time or 1) - 1] = [bit == "1" for bit in reversed(bits)]
    return rows


def _run(netlist: Netlist, rows: np.ndarray) -> np.ndarray:
    """The last outputs of a netlist, without its registers, after rows of inputs from the initial state."""
    state, held = np.asarray(_registers(netlist), np.uint8), netlist.state_bits
    for row in rows:
        out = evaluate(netlist, [np.concatenate([state, row])])[0]
        state = out[:held]
    return out[held:]


def _checked(left: Netlist, right: Netlist, rows: np.ndarray) -> Difference:
    """The difference, which evaluation by definition confirms."""
    both = _run(left, rows), _run(right, rows)
    if (both[0] == both[1]).all():
        raise InputError(
            f"Yosys says that the circuits differ on {rows.tolist()}, but they do not: a fault of catlearn"
        )
    return Difference(rows, *both)
