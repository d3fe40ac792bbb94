"""The whole table: which laws kill which mutant, and what each law alone kills.

python tests/mutants/run.py [--only NAME] [--without LAW] [--jobs N] [--examples N] [--all-laws]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("JAX_PLATFORMS", "cpu")
warnings.simplefilter("ignore")

from mutants.patching import Mutant, Outcome, catalogue, outcomes  # noqa: E402
from mutants.table import ALL, BY_NAME  # noqa: E402

KILLER_EXAMPLES = 400
"""How many examples a recorded killer gets; it stops at the first that shows the difference."""


def judge(name: str, examples: int) -> tuple[str, list[Outcome], float]:
    """What all laws say of a mutant; the recorded killers get as many examples as they were recorded with."""
    mutant, started = BY_NAME[name], time.perf_counter()
    found = outcomes(mutant, mutant.killers, KILLER_EXAMPLES)
    others = set(catalogue()) - set(mutant.killers)
    found += outcomes(mutant, others, examples)
    return name, found, time.perf_counter() - started


def show(results: dict[str, list[Outcome]], every: bool) -> None:
    """The rows of the table."""
    for name, found in results.items():
        killers = list(dict.fromkeys(o.law for o in found if o.verdict == "killed"))
        crashed = list(dict.fromkeys(o.law for o in found if o.verdict == "crashed"))
        shown = killers if every else killers[:6] + ([f"and {len(killers) - 6} more"] if len(killers) > 6 else [])
        note = f"   (crashed: {', '.join(crashed[:4])}{'..' if len(crashed) > 4 else ''})" if crashed else ""
        print(f"{BY_NAME[name].family:12} {name:50} {', '.join(shown) or 'SURVIVES'}{note}")


def summary(kills: dict[str, set[str]], without: str | None) -> list[str]:
    """Prints the totals; returns the survivors."""
    survivors = [name for name, killers in kills.items() if not killers]
    used = set().union(*kills.values()) if kills else set()
    print(f"\n{len(kills)} mutants, {len(kills) - len(survivors)} killed by {len(used)} laws")
    alone: dict[str, list[str]] = {}
    for name, killers in kills.items():
        if len(killers) == 1:
            alone.setdefault(*killers, []).append(name)
    print("\nkilled by one law alone:")
    for law, names in sorted(alone.items(), key=lambda item: -len(item[1])):
        print(f"  {law}: {'; '.join(names)}")
    idle = [name for name in catalogue() if name not in used and name != without]
    print(f"\n{len(idle)} laws kill nothing: {', '.join(idle)}")
    print(f"\n{len(survivors)} survive{f' without {without}' if without else ''}: {'; '.join(survivors) or 'none'}")
    return survivors


def main(arguments: list[str] | None = None) -> int:
    """Run the table; the exit status is 1 if a mutant survives that is not known to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="mutants whose name or family contains this")
    parser.add_argument("--without", metavar="LAW", help="leave that law out")
    parser.add_argument("--all-laws", action="store_true", help="print every law that kills a mutant")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--examples", type=int, default=8, help="for laws that are not recorded as killers")
    given = parser.parse_args(arguments)
    chosen: list[Mutant] = [m for m in ALL if not given.only or given.only in m.name or given.only in m.family]
    makers = list(dict.fromkeys(make for mutant in chosen for make in mutant.categories))
    started = time.perf_counter()
    results: dict[str, list[Outcome]] = {}
    with ProcessPoolExecutor(given.jobs, mp_context=get_context("spawn")) as pool:
        futures: list[Any] = [pool.submit(judge, mutant.name, given.examples) for mutant in chosen]
        for future in futures:
            name, found, _ = future.result()
            results[name] = [o for o in found if o.law != given.without]
    show(results, given.all_laws)
    kills = {name: {o.law for o in found if o.verdict == "killed"} for name, found in results.items()}
    survivors = summary(kills, given.without)
    print(f"{len(makers)} categories, {time.perf_counter() - started:.0f} seconds")
    return 1 if any(BY_NAME[name].killers for name in survivors) else 0


if __name__ == "__main__":
    sys.exit(main())
