"""The table: every mutant, and those that no law kills yet."""

from __future__ import annotations

from dataclasses import replace

from mutants.carriers import CARRIERS
from mutants.extension import EXTENSION
from mutants.generators import GENERATORS
from mutants.killers import KILLERS
from mutants.patching import Mutant
from mutants.training import TRAINING, UNSEEN
from mutants.votes import VOTES
from mutants.wiring import WIRING

__all__ = ["ALL", "BY_NAME", "MUTANTS", "SURVIVORS"]

ROWS: tuple[Mutant, ...] = (*GENERATORS, *EXTENSION, *WIRING, *TRAINING, *CARRIERS, *UNSEEN, *VOTES)
ALL: tuple[Mutant, ...] = tuple(replace(mutant, killers=KILLERS.get(mutant.name, ())) for mutant in ROWS)
SURVIVORS: tuple[Mutant, ...] = tuple(mutant for mutant in ALL if not mutant.killers)
MUTANTS: tuple[Mutant, ...] = tuple(mutant for mutant in ALL if mutant.killers)
BY_NAME: dict[str, Mutant] = {mutant.name: mutant for mutant in ALL}
