"""How long `import catlearn` takes beside `import numpy`, and that it loads none of the heavy libraries.

Each import runs in a Python of its own under `-X importtime`, the two in turn; what is printed is the median
[least, greatest] of the ratio of the cumulative times, catlearn (which imports numpy itself) to numpy. All modules are
compiled beforehand, into a folder that is removed afterwards. Then it prints which of jax, sympy, typer, rich, sklearn
and optax are loaded by `import catlearn`, and by its lighter rooms.

Run with `python benchmarks/import_time.py`, or `python benchmarks/import_time.py --repeats 41` for more repeats.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from statistics import median

HEAVY = ("jax", "sympy", "typer", "rich", "sklearn", "optax")
STATEMENTS = ("import catlearn", "from catlearn import layers, losses, optimisers, datasets")


def environment(folder: str) -> dict[str, str]:
    """The environment of a Python that keeps its compiled modules in that folder."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": folder}


def milliseconds(package: str, folder: str) -> float:
    """The cumulative time of importing a package in a fresh Python whose compiled modules are in that folder."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {package}"]
    report = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(folder)).stderr
    for line in report.splitlines():
        _, cumulative, name = line.rpartition("import time:")[2].split("|")
        if name.strip() == package:
            return int(cumulative) / 1000
    raise ValueError(f"{package} is not in the report of -X importtime")


def loaded(statement: str) -> list[str]:
    """Which of the heavy libraries a fresh Python has loaded after that statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return list(json.loads(output))


def summary(values: Sequence[float], digits: int) -> str:
    """The median [least, greatest]."""
    return f"{median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=21, help="how often each import is timed")
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        milliseconds("catlearn", folder)  # the first time compiles
        times = [(milliseconds("catlearn", folder), milliseconds("numpy", folder)) for _ in range(repeats)]
    print(f"{'import catlearn, ms':28}{summary([ours for ours, _ in times], 1):>26}")
    print(f"{'import numpy, ms':28}{summary([numpy for _, numpy in times], 1):>26}")
    print(f"{'ratio':28}{summary([ours / numpy for ours, numpy in times], 3):>26}")
    for statement in STATEMENTS:
        print(f"heavy libraries loaded by `{statement}`: {', '.join(loaded(statement)) or 'none'}")


if __name__ == "__main__":
    main()
