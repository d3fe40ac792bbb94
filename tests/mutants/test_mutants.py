"""Every mutant is killed by the laws recorded for it; without its patches those laws hold."""

import pytest

from catlearn import laws
from mutants.patching import catalogue, outcomes, patched, verdict
from mutants.table import ALL, MUTANTS, SURVIVORS

FAMILIES = {
    "generators", "elementwise", "indexing", "loops", "discrete", "R", "D", "dagger", "diagrams", "lenses", "optics",
    "Para", "optimisers", "losses", "caps", "learners", "semirings", "votes",
    "learn", "moore", "causal", "delayed", "modes", "schemas", "smoothing", "backward",
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_recorded_laws_kill(mutant):
    found = outcomes(mutant, mutant.killers, examples=400)  # it stops at the first that shows the difference
    assert {o.law for o in found if o.verdict == "killed"} == set(mutant.killers), found


HOMES = {
    make: {n for m in MUTANTS if make in m.categories for n in m.killers} for m in MUTANTS for make in m.categories
}


@pytest.mark.parametrize("make", HOMES, ids=lambda make: make().name)
def test_without_patches_they_hold(make):
    category, known = make(), catalogue()
    chosen = [known[name] for name in sorted(HOMES[make]) if laws.applicable(known[name], category)]
    assert [o for o in (verdict(law, category, 15) for law in chosen) if o.verdict != "holds"] == []


def test_the_table_is_in_order():
    names = [mutant.name for mutant in ALL]
    assert len(MUTANTS) >= 80
    assert len(set(names)) == len(names)
    assert {mutant.family for mutant in ALL} == FAMILIES
    assert {name for mutant in ALL for name in mutant.killers} <= {law.identifier for law in laws.CATALOGUE}
    assert len(MUTANTS) + len(SURVIVORS) == len(ALL)
    assert not any(mutant.killers for mutant in SURVIVORS)


def _state(mutant):
    return [
        owner[name] if isinstance(owner, dict) else vars(owner).get(name, getattr(owner, name, None))
        for owner, name, _ in mutant.patches
    ]


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_patches_come_off(family):
    for mutant in ALL:
        if mutant.family == family:
            before = _state(mutant)
            with pytest.raises(ZeroDivisionError), patched(mutant.patches):
                raise ZeroDivisionError
            assert all(x is y for x, y in zip(before, _state(mutant), strict=True)), mutant.name
