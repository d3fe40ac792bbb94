"""Accuracy of a model file over several seeds: the test accuracy of each, their mean and spread, and the time.

    python benchmarks/accuracy.py models/digits_circuit.py --seeds 10
    python benchmarks/accuracy.py models/mnist_circuit.py --seeds 3 --data-dir FOLDER --set SUBSET=all
    python benchmarks/accuracy.py models/monk.py --seeds 10 --data-dir FOLDER --set PROBLEM=2 --gates

Each seed is a run of `catlearn train` in this process, with `--set SEED=..`. `--gates` also prints what Yosys makes of
the first circuit; a file's own settings must not have been chosen on the rows that this reads.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from catlearn import export_command
from catlearn.model_file import name_and_value


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--gates", action="store_true", help="gates after synthesis by Yosys")
    given = parser.parse_args()
    constants = dict(name_and_value(text) for text in given.set)
    accuracies = []
    for seed in range(given.seeds):
        result = export_command.read(given.model, {**constants, "SEED": str(seed)}, given.data_dir, False)
        accuracies.append(result.test_accuracy)
        print(f"seed {seed}: {result.test_accuracy:.2f} % in {result.seconds:.1f} s", flush=True)
        if given.gates and seed == 0:
            from catlearn.hardware import synthesise

            print(synthesise(export_command.netlists(result, False, "counts")[1], lut=6), flush=True)
    spread = np.std(accuracies, ddof=1) if len(accuracies) > 1 else 0.0
    print(f"{given.model.stem} {' '.join(given.set)}: {np.mean(accuracies):.2f} +- {spread:.2f} %, {given.seeds} seeds")


if __name__ == "__main__":
    main()
