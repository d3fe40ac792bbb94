"""Verilog of a netlist: one synthesisable module of Verilog-2001.

Each port is a bus; number j of a port of width w has the bits j w to j w + w - 1. A sequential netlist gets `clk` and
`reset` (synchronous, to the initial state), and its registers are outputs too, so that they can be watched; the ports
of their next values stay inside.

>>> from catlearn.netlist import Netlist, Port
>>> print(verilog(Netlist((Port("x", 2),), [[2, 3]], [0b0110], [2], [4], (Port("y", 1),)), "parity"))
// netlist of 1 gates, 2 bits in, 1 bits out
//   input x: 2 of 1 bit
//   output y: 1 of 1 bit
module parity(
  input [1:0] x,
  output [0:0] y
);
  reg n4;
  always @* begin
    n4 = x[0] ^ x[1];
  end
  assign y[0] = n4;
endmodule
<BLANKLINE>
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from catlearn.hardware.names import checked, legal
from catlearn.hardware.pipeline import pipelined
from catlearn.hardware.tables import expression
from catlearn.netlist import FALSE, TRUE, Netlist, Port

__all__ = ["CLOCK", "RESET", "port_names", "verilog"]

CLOCK, RESET = "clk", "reset"
BLOCK = 500


def port_names(netlist: Netlist) -> tuple[list[str], list[str]]:
    """The names of the inputs and of the results in Verilog, legal and all different."""
    names = legal([port.name for port in (*netlist.inputs, *netlist.results)], (CLOCK, RESET))
    return names[: len(netlist.inputs)], names[len(netlist.inputs) :]


def verilog(netlist: Netlist, name: str = "circuit", pipeline: int = 0) -> str:
    """The netlist as a module; with `pipeline`, cut by that many ranks of registers (see `pipelined`) and a `clk`.

    Raises `InputError` for a name that is none, `OperationError` for a pipeline through a sequential netlist.
    """
    checked(name)
    heading = [f"// {netlist}"]
    if pipeline:
        netlist, latency, depth = pipelined(netlist, pipeline)
        heading.append(f"// the results come {latency} clocks after the inputs; {depth} gates between two registers")
    inputs, results = port_names(netlist)
    held = netlist.registers
    lines = list(_gates(netlist, inputs))
    ports = [] if not held else [f"input {CLOCK}"] if pipeline else [f"input {CLOCK}", f"input {RESET}"]
    shown = [(p, n, "input") for p, n in zip(netlist.inputs[held:], inputs[held:], strict=True)]
    if not pipeline:
        shown += [(p, n, "output reg") for p, n in zip(netlist.inputs[:held], inputs[:held], strict=True)]
    shown += [(p, n, "output") for p, n in zip(netlist.results[held:], results[held:], strict=True)]
    for port, label, kind in shown:
        heading.append(f"//   {kind.split()[0]} {label}: {_described(port)}")
        ports += [f"{kind} {_range(port)} {label}"] if port.bits else []
    body = list(_registers(netlist, inputs, results, declared=not pipeline))
    listed = "\n  " + ",\n  ".join(ports) + "\n" if ports else ""
    return "\n".join([*heading, f"module {name}({listed});", *body, *lines, *_outputs(netlist, inputs, results)]) + (
        "\nendmodule\n"
    )


def _described(port: Port) -> str:
    """How many numbers, and how wide."""
    width = f"{port.width} bit{'s' * (port.width != 1)}"
    return f"{port.count} of {width}{', two' + chr(39) + 's complement' if port.signed else ''}"


def _range(port: Port) -> str:
    """The range of a bus."""
    return f"[{port.bits - 1}:0]"


def _nets(netlist: Netlist, inputs: list[str]) -> list[str]:
    """What each net is called."""
    bits = [f"{name}[{bit}]" for port, name in zip(netlist.inputs, inputs, strict=True) for bit in range(port.bits)]
    return ["1'b0", "1'b1", *bits, *(f"n{net}" for net in range(netlist.first, netlist.nets))]


def _gates(netlist: Netlist, inputs: list[str]) -> Iterator[str]:
    """The gates in blocks, each run through once when an input of it changes.

    A wire for each gate would make an event-driven simulator follow every glitch through the circuit, which took
    hundreds of times as long. What depends on no input never changes, so it would never run in a block.
    """
    nets = _nets(netlist, inputs)
    constants = nets[FALSE], nets[TRUE]
    varying = [False, False] + [True] * netlist.input_bits
    block: list[tuple[int, str]] = []
    gates = zip(netlist.wiring.tolist(), netlist.tables.tolist(), netlist.arity.tolist(), strict=True)
    for net, (wiring, table, arity) in enumerate(gates, netlist.first):
        value = expression(table, arity, [nets[read] for read in wiring], constants)
        varying.append(any(varying[read] for read in wiring[:arity]) and value not in constants)
        if varying[net]:
            block.append((net, value))
        else:
            yield f"  wire n{net} = {value};"
    for start in range(0, len(block), BLOCK):
        part = block[start : start + BLOCK]
        yield f"  reg {', '.join(f'n{net}' for net, _ in part)};"
        yield "  always @* begin"
        yield from (f"    n{net} = {value};" for net, value in part)
        yield "  end"


def _registers(netlist: Netlist, inputs: list[str], results: list[str], declared: bool) -> Iterator[str]:
    """The registers, their next values declared and not yet assigned; with a reset where they are declared ports."""
    start = 0
    for port, name, later in zip(netlist.inputs[: netlist.registers], inputs, results, strict=False):
        initial = np.asarray(netlist.initial)[start : start + port.bits]
        start += port.bits
        if not port.bits:
            continue
        yield f"  wire {_range(port)} {later};"
        if declared:
            value = "".join(map(str, initial[::-1]))
            yield f"  always @(posedge {CLOCK})\n    if ({RESET}) {name} <= {port.bits}'b{value};"
            yield f"    else {name} <= {later};"
        else:
            yield f"  reg {_range(port)} {name};\n  always @(posedge {CLOCK}) {name} <= {later};"


def _outputs(netlist: Netlist, inputs: list[str], results: list[str]) -> Iterator[str]:
    """The bits of the results, and of the next values of registers."""
    nets = _nets(netlist, inputs)
    places = [(name, bit) for port, name in zip(netlist.results, results, strict=True) for bit in range(port.bits)]
    for (name, bit), net in zip(places, netlist.outputs.tolist(), strict=True):
        yield f"  assign {name}[{bit}] = {nets[net]};"
