"""Accuracy of a model file over several seeds, beside the gates that the circuit needs.

    python benchmarks/accuracy.py models/digits_circuit.py --seeds 10
    python benchmarks/accuracy.py models/mnist_circuit.py --seeds 3 --data-dir FOLDER --set SUBSET=all
    python benchmarks/accuracy.py models/monk.py --seeds 10 --data-dir FOLDER --vary PROBLEM 1 2 3
    python benchmarks/accuracy.py models/mnist_circuit.py --data-dir FOLDER --gates --vary TABLES 500 1000 2000 4000

Each seed is a run of the model file in this process, with `--set SEED=..`; for each value of `--vary` the test
accuracies' mean and spread are printed. `--gates` counts two-input gates of the first circuit, simplified and cut into
them by catlearn, and with `--yosys` after synthesis. A file's settings must not have been chosen on the test rows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from catlearn import export_command
from catlearn.model_file import name_and_value
from catlearn.result import Result


def gates(result: Result, yosys: bool) -> str:
    from catlearn.hardware import synthesise
    from catlearn.simplification import gate_count

    netlist = export_command.netlists(result, False, "counts")[1]
    told = f"; {gate_count(netlist):,} gates of two inputs"
    return f"{told}; by Yosys {synthesise(netlist, lut=6)}" if yosys else told


def measure(given: argparse.Namespace, constants: dict[str, str]) -> str:
    accuracies, seconds, told = [], [], ""
    for seed in range(given.seeds):
        result = export_command.read(given.model, {**constants, "SEED": str(seed)}, given.data_dir, False)
        assert isinstance(result, Result)
        accuracies.append(result.test_accuracy)
        seconds.append(result.seconds)
        if given.gates and seed == 0:
            told = gates(result, given.yosys)
    spread = np.std(accuracies, ddof=1) if len(accuracies) > 1 else 0.0
    runs = " ".join(f"{value:.2f}" for value in accuracies)
    return f"{np.mean(accuracies):.2f} +- {spread:.2f} % of {runs}; {np.median(seconds):.0f} s each{told}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--vary", nargs="+", default=["SEED", "0"], metavar="NAME VALUE..")
    parser.add_argument("--gates", action="store_true")
    parser.add_argument("--yosys", action="store_true")
    given = parser.parse_args()
    constants = dict(name_and_value(text) for text in given.set)
    name, *values = given.vary
    for value in values:
        print(f"{given.model.stem} {' '.join(given.set)} {name}={value}: ", end="", flush=True)
        print(measure(given, {**constants, name: value}), flush=True)


if __name__ == "__main__":
    main()
