"""C of a netlist: C99 without dependencies, 64 samples at once, one in each bit of a word.

`void NAME(const uint64_t *in, uint64_t *out)` takes a word for each input bit and gives one for each output bit. A
sequential netlist becomes `NAME_reset(uint64_t *state)` and `NAME_step(uint64_t *state, const uint64_t *in, uint64_t
*out)`, 64 machines side by side; `in` and `out` then leave the registers out. Words of a net that is read no more are
used again, and functions are short, so that any compiler takes them in time linear in the gates.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from catlearn.hardware.names import checked
from catlearn.hardware.tables import expression
from catlearn.netlist import FALSE, TRUE, Netlist

__all__ = ["c"]

CHOICE = "({0} & {2}) | (~{0} & {1})"
CONSTANTS = ("UINT64_C(0)", "~UINT64_C(0)")
PART = 50
ON_STACK = 1 << 15


def _places(netlist: Netlist) -> tuple[list[int], int]:
    """The word in which each gate's net is kept, and how many words there are."""
    last = np.arange(netlist.nets)
    readers = np.arange(netlist.first, netlist.nets)
    for place in range(netlist.wiring.shape[1]):
        reads = netlist.arity > place
        np.maximum.at(last, netlist.wiring[reads, place], readers[reads])
    last[netlist.outputs] = netlist.nets
    ends: dict[int, list[int]] = {}
    for net in range(netlist.first, netlist.nets):
        ends.setdefault(int(last[net]), []).append(net)
    places, free, words = [0] * netlist.nets, list[int](), 0
    for net in range(netlist.first, netlist.nets):
        free += [places[ended] for ended in ends.get(net, ()) if ended != net]
        if free:
            places[net] = free.pop()
        else:
            places[net], words = words, words + 1
        if last[net] == net:
            free.append(places[net])
    return places, words


def c(netlist: Netlist, name: str = "circuit") -> str:
    """The netlist as C functions that are called `name`, or `name`_step and `name`_reset.

    Raises `InputError` for a name that is none.
    """
    checked(name)
    places, words = _places(netlist)
    held = netlist.state_bits
    inputs = [f"state[{i}]" for i in range(held)] + [f"in[{i}]" for i in range(netlist.input_bits - held)]
    nets = [*CONSTANTS, *inputs, *(f"w[{place}]" for place in places[netlist.first :])]
    read, passed = ("const uint64_t *state, const uint64_t *in", "state, in") if held else ("const uint64_t *in", "in")
    gates = list(_assignments(netlist, nets))
    lines = [f"/* {netlist} */", "#include <stdint.h>", ""]
    parts = range(0, len(gates), PART)
    for number, start in enumerate(parts):
        lines.append(f"static void {name}_part_{number}({read}, uint64_t *w) {{")
        lines += ["  (void)state;"] * bool(held) + ["  (void)in;", *gates[start : start + PART], "}", ""]
    if parts:
        # Called through an array they are not put into one function again, which takes compilers far longer.
        lines.append(f"static void (*const {name}_parts[{len(parts)}])({read}, uint64_t *w) = {{")
        lines += [*(f"  {name}_part_{number}," for number in range(len(parts))), "};", ""]
    sequential = netlist.registers > 0
    if sequential:
        lines += [*_reset(netlist, name), ""]
    state = "uint64_t *state, " if sequential else ""
    lines.append(f"void {name}{'_step' * sequential}({state}const uint64_t *in, uint64_t *out) {{")
    if words:
        lines.append(f"  {'static ' * (words > ON_STACK)}uint64_t w[{words}];")
    if held:
        lines.append(f"  uint64_t next[{held}];")
    lines += ["  (void)state;"] * sequential + ["  (void)in;", "  (void)out;"]
    if parts:
        lines.append(f"  for (int i = 0; i < {len(parts)}; i++) {name}_parts[i]({passed}, w);")
    for place, net in enumerate(netlist.outputs.tolist()):
        target = f"next[{place}]" if place < held else f"out[{place - held}]"
        lines.append(f"  {target} = {nets[net]};")
    if held:
        lines.append(f"  for (int i = 0; i < {held}; i++) state[i] = next[i];")
    return "\n".join([*lines, "}", ""])


def _assignments(netlist: Netlist, nets: list[str]) -> Iterator[str]:
    """A line for each gate."""
    gates = zip(netlist.wiring.tolist(), netlist.tables.tolist(), netlist.arity.tolist(), strict=True)
    for net, (wiring, table, arity) in enumerate(gates, netlist.first):
        value = expression(table, arity, [nets[k] for k in wiring], (CONSTANTS[FALSE], CONSTANTS[TRUE]), CHOICE)
        yield f"  {nets[net]} = {value};"


def _reset(netlist: Netlist, name: str) -> Iterator[str]:
    """The function that puts the initial state in."""
    yield f"void {name}_reset(uint64_t *state) {{"
    yield "  (void)state;"
    for place, bit in enumerate(np.asarray(netlist.initial).tolist()):
        yield f"  state[{place}] = {CONSTANTS[bit]};"
    yield "}"
