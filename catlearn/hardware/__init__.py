"""Netlists to hardware and back: Verilog, BLIF and C, and the tools that simulate, synthesise and compare."""

from __future__ import annotations

# All at once: loaded later, the modules verilog, blif and c would take the places of the functions of their names.
from catlearn.hardware.blif import blif, read_blif
from catlearn.hardware.c import c
from catlearn.hardware.importing import from_function, from_truth_table
from catlearn.hardware.pipeline import Pipeline, pipelined
from catlearn.hardware.simulation import CompiledCircuit, compile_c, simulate
from catlearn.hardware.synthesis import Difference, Synthesis, equivalent, synthesise
from catlearn.hardware.tools import ToolError
from catlearn.hardware.verilog import verilog

__all__ = [
    "CompiledCircuit",
    "Difference",
    "Pipeline",
    "Synthesis",
    "ToolError",
    "blif",
    "c",
    "compile_c",
    "equivalent",
    "from_function",
    "from_truth_table",
    "pipelined",
    "read_blif",
    "simulate",
    "synthesise",
    "verilog",
]
