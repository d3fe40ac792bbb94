"""Running what was exported: Verilog in Icarus, C as a compiled library. Both give what `evaluate` gives."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catlearn.errors import InputError
from catlearn.hardware.c import c
from catlearn.hardware.tools import ToolError, compiler, icarus, run
from catlearn.hardware.verilog import CLOCK, RESET, port_names, verilog
from catlearn.netlist import Netlist

__all__ = ["CompiledCircuit", "compile_c", "simulate"]

SECONDS = 600.0


def _rows(netlist: Netlist, rows: Sequence[Any] | np.ndarray) -> np.ndarray:
    """The rows as bits, one column for each input bit that is no register."""
    given, width = np.asarray(rows), netlist.input_bits - netlist.state_bits
    if given.ndim != 2 or given.shape[1] != width:
        raise InputError(f"the circuit takes rows of {width} bits; got shape {given.shape}")
    if given.size and not ((given == 0) | (given == 1)).all():
        raise InputError("the circuit takes bits, 0 or 1")
    return given.astype(np.uint8)


def simulate(
    netlist: Netlist, rows: Sequence[Any] | np.ndarray, pipeline: int = 0, seconds: float = SECONDS
) -> np.ndarray:
    """The output bits (rows, bits out) of the netlist's Verilog in Icarus Verilog.

    A combinational netlist takes each row alone, also with `pipeline` ranks of registers, one row a clock. A
    sequential one starts from its initial state and takes a row, without the registers, at each clock; its outputs
    are those of `evaluate` on state and row, the next state first.

    Raises `InputError` for other rows, `MissingExtraError` without Icarus, `ToolError` where it fails.
    """
    given = _rows(netlist, rows)
    count = netlist.outputs.size
    if not len(given) or not count:
        return np.zeros((len(given), count), np.uint8)
    iverilog, vvp = icarus()
    with tempfile.TemporaryDirectory(prefix="catlearn") as name:
        folder = Path(name)
        (folder / "circuit.v").write_text(verilog(netlist, "circuit", pipeline))
        (folder / "bench.v").write_text(_bench(netlist, len(given), pipeline))
        texts = ("".join(map(str, row)) or "0" for row in given[:, ::-1].tolist())
        (folder / "rows.txt").write_text("\n".join(texts) + "\n")
        run([iverilog, "-g2001", "-o", "bench", "bench.v", "circuit.v"], folder, seconds)
        said = run([vvp, "-n", "bench"], folder, seconds)
        target = folder / "out.txt"
        lines = target.read_text().split() if target.exists() else []
    if len(lines) != len(given) or any(set(line) - {"0", "1"} for line in lines):
        raise ToolError(f"Icarus gave {len(lines)} rows of outputs for {len(given)}, or unknown bits: {said[-300:]}")
    return np.array([[*line] for line in lines]).astype(np.uint8)[:, ::-1]


def _bench(netlist: Netlist, rows: int, pipeline: int) -> str:
    """A test bench that reads a row of inputs a line and writes a row of outputs a line."""
    inputs, results = port_names(netlist)
    held, sequential = netlist.registers, netlist.registers > 0
    width = max(1, netlist.input_bits - netlist.state_bits)
    ports, place = [], 0
    for port, label in zip(netlist.inputs[held:], inputs[held:], strict=True):
        ports += [f".{label}(row[{place + port.bits - 1}:{place}])"] if port.bits else []
        place += port.bits
    shown = [
        *zip(netlist.inputs[:held], inputs, strict=False),
        *zip(netlist.results[held:], results[held:], strict=True),
    ]
    clocks = [f".{CLOCK}({CLOCK})"] * (sequential or pipeline > 0) + [f".{RESET}({RESET})"] * sequential
    shown = [(port, label) for port, label in shown if port.bits]
    total, place = netlist.outputs.size, 0
    wires = []
    for port, label in shown:
        wires.append(f".{label}(out[{place + port.bits - 1}:{place}])")
        place += port.bits
    state = netlist.state_bits
    # The outputs stand before the clock's edge and the next state after it, so they are taken at two times.
    parts = ["out"] if not state else ["out"] if total == state else [f"out[{state - 1}:0]"]
    step = {
        (False, False): '#1 $fdisplay(file, "%b", out);',
        (False, True): f'#1 if (k >= {pipeline}) $fdisplay(file, "%b", out); #1 {CLOCK} = 1; #1 {CLOCK} = 0;',
        (
            True,
            False,
        ): f'#1 before = out; {CLOCK} = 1; #1 {CLOCK} = 0; $fwrite(file, "%b", before[{total - 1}:{state}]);'
        f' $fdisplay(file, "%b", {parts[0]});',
    }[sequential, pipeline > 0]
    if sequential and total == state:
        step = f'#1 {CLOCK} = 1; #1 {CLOCK} = 0; $fdisplay(file, "%b", out);'
    if sequential and not state:
        step = f'#1 $fdisplay(file, "%b", out); {CLOCK} = 1; #1 {CLOCK} = 0;'
    start = f"{RESET} = 1; #1 {CLOCK} = 1; #1 {CLOCK} = 0; {RESET} = 0;" if sequential else ""
    return f"""module bench;
  reg [{width - 1}:0] row, rows [0:{rows - 1}];
  reg {CLOCK}, {RESET};
  wire [{total - 1}:0] out;
  reg [{total - 1}:0] before;
  integer k, file;
  circuit circuit({", ".join([*clocks, *ports, *wires])});
  initial begin
    $readmemb("rows.txt", rows);
    file = $fopen("out.txt", "w");
    {CLOCK} = 0; {start}
    for (k = 0; k < {rows + pipeline}; k = k + 1) begin
      row = rows[k < {rows} ? k : {rows - 1}];
      {step}
    end
    $fclose(file);
    $finish;
  end
endmodule
"""


class CompiledCircuit:
    """A netlist's C, compiled and loaded; called on rows it gives what `simulate` gives."""

    def __init__(self, netlist: Netlist, library: ctypes.CDLL) -> None:
        self.netlist = netlist
        self._library = library

    def __call__(self, rows: Sequence[Any] | np.ndarray) -> np.ndarray:
        """The output bits (rows, bits out); of a sequential netlist step by step from the initial state."""
        given = _rows(self.netlist, rows)
        return self._steps(given) if self.netlist.registers else self._samples(given)

    def _samples(self, rows: np.ndarray) -> np.ndarray:
        blocks = -(-len(rows) // 64)
        padded = np.zeros((blocks * 64, rows.shape[1]), np.uint8)
        padded[: len(rows)] = rows
        words = np.packbits(padded.reshape(blocks, 64, rows.shape[1]), axis=1, bitorder="little")
        inputs = (
            np.ascontiguousarray(words.transpose(0, 2, 1)).view("<u8").reshape(blocks, rows.shape[1]).astype(np.uint64)
        )
        outputs = np.zeros((blocks, self.netlist.outputs.size), np.uint64)
        for block in range(blocks):
            self._library.circuit(_pointer(inputs[block]), _pointer(outputs[block]))
        bits = outputs[:, None, :] >> np.arange(64, dtype=np.uint64)[None, :, None] & np.uint64(1)
        return bits.reshape(blocks * 64, outputs.shape[1])[: len(rows)].astype(np.uint8)

    def _steps(self, rows: np.ndarray) -> np.ndarray:
        held = self.netlist.state_bits
        state = np.zeros(held, np.uint64)
        self._library.circuit_reset(_pointer(state))
        result = np.zeros((len(rows), self.netlist.outputs.size), np.uint8)
        out = np.zeros(self.netlist.outputs.size - held, np.uint64)
        for step, row in enumerate(rows.astype(np.uint64)):
            self._library.circuit_step(_pointer(state), _pointer(row), _pointer(out))
            result[step] = np.concatenate([state, out]) & np.uint64(1)
        return result


def _pointer(array: np.ndarray) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_uint64))


def compile_c(netlist: Netlist, seconds: float = SECONDS) -> CompiledCircuit:
    """The netlist's C, compiled without a warning and loaded.

    Raises `MissingExtraError` without a compiler, `ToolError` where it fails.
    """
    command = [compiler(), "-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"]
    with tempfile.TemporaryDirectory(prefix="catlearn") as name:
        folder = Path(name)
        (folder / "circuit.c").write_text(c(netlist, "circuit"))
        run([*command, "-o", "circuit.so", "circuit.c"], folder, seconds)
        return CompiledCircuit(netlist, ctypes.CDLL(str(folder / "circuit.so")))
