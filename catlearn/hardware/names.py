"""Names that Verilog, BLIF and C accept, each one different.

>>> legal(["x", "x", "image bits", "wire", "n3", "2nd"])
['x', 'x_2', 'image_bits', 'wire_', 'n3_', '_2nd']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from catlearn.errors import InputError

__all__ = ["checked", "legal"]

_VERILOG = """always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default
defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify
endtable endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include initial
inout input instance integer join large liblist library localparam macromodule medium module nand negedge nmos nor
noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup
pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1
scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task time tran tranif0
tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor"""
_SYSTEM_VERILOG = """alias assert assume before bind bins bit break byte chandle class clocking const constraint context
continue cover cross dist do endclass endclocking endgroup endinterface endpackage endprogram endproperty endsequence
enum expect export extends extern final foreach forkjoin global iff import inside int interface intersect logic
longint matches modport new null package packed priority program property protected pure rand randc return sequence
shortint solve static string struct super tagged this throughout timeprecision timeunit type typedef union unique var
virtual void with within"""
_C = """auto char double enum float goto inline int long main register restrict short sizeof struct switch typedef
volatile uint64_t memcpy"""
RESERVED = frozenset(f"{_VERILOG} {_SYSTEM_VERILOG} {_C}".split())


def legal(names: Iterable[str], taken: Sequence[str] = ()) -> list[str]:
    """The names made legal: other characters become _, and a reserved, inner (n and digits) or used name changes."""
    used, result = set(taken), []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        plain = f"{plain}_" if plain in RESERVED or re.fullmatch(r"n\d+", plain) else plain
        chosen, number = plain, 1
        while chosen in used:
            number += 1
            chosen = f"{plain}_{number}"
        used.add(chosen)
        result.append(chosen)
    return result


def checked(name: str) -> str:
    """The name of a module or function, as it was given.

    Raises `InputError` for one that is no identifier, or a reserved word of Verilog or C.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name in RESERVED:
        raise InputError(
            f"{name!r} cannot name a circuit: take letters, digits and _, no digit first, and no word of Verilog or C"
        )
    return name
