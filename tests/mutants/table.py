"""The table: every mutant, and those that no law kills yet."""

from __future__ import annotations

from dataclasses import replace

from mutants.carriers import CARRIERS
from mutants.extension import EXTENSION
from mutants.generators import GENERATORS
from mutants.killers import KILLERS
from mutants.patching import Mutant
from mutants.systems_backward import SYSTEMS_BACKWARD
from mutants.systems_causal import SYSTEMS_CAUSAL
from mutants.systems_learn import SYSTEMS_LEARN
from mutants.systems_modes import SYSTEMS_MODES
from mutants.systems_schema import SYSTEMS_SCHEMA
from mutants.systems_smoothing import SYSTEMS_SMOOTHING
from mutants.training import TRAINING, UNSEEN
from mutants.votes import VOTES
from mutants.wiring import WIRING

__all__ = ["ALL", "BY_NAME", "MUTANTS", "SURVIVORS"]

SYSTEMS: tuple[Mutant, ...] = (
    *SYSTEMS_LEARN,
    *SYSTEMS_CAUSAL,
    *SYSTEMS_MODES,
    *SYSTEMS_SCHEMA,
    *SYSTEMS_SMOOTHING,
    *SYSTEMS_BACKWARD,
)
ROWS: tuple[Mutant, ...] = (*GENERATORS, *EXTENSION, *WIRING, *TRAINING, *CARRIERS, *UNSEEN, *VOTES, *SYSTEMS)
ALL: tuple[Mutant, ...] = tuple(replace(mutant, killers=KILLERS.get(mutant.name, ())) for mutant in ROWS)
SURVIVORS: tuple[Mutant, ...] = tuple(mutant for mutant in ALL if not mutant.killers)
MUTANTS: tuple[Mutant, ...] = tuple(mutant for mutant in ALL if mutant.killers)
BY_NAME: dict[str, Mutant] = {mutant.name: mutant for mutant in ALL}
