"""The index of identifiers: complete, true, and the page made from it up to date."""

import re
from pathlib import Path

import pytest

from catlearn import proving
from catlearn.laws import CATALOGUE, CATEGORIES
from catlearn.laws.index import COQ, ELSEWHERE, SPECIFIED, as_markdown, entries

ROOT = Path(__file__).parent.parent
PROOFS = {proof.name: proof.laws for proof in proving.find(ROOT / "proofs")}
LAWS = {law.identifier for law in CATALOGUE}


def test_every_identifier_is_a_law_or_said_where_it_is():
    assert len(SPECIFIED) == len(set(SPECIFIED)) >= 145
    assert [name for name in SPECIFIED if name not in LAWS and name not in ELSEWHERE] == []
    assert not LAWS & set(ELSEWHERE)


def test_an_entry_for_each():
    assert {entry.identifier for entry in entries(PROOFS)} == LAWS | set(ELSEWHERE)
    assert all(entry.statement and entry.where for entry in entries(PROOFS))


@pytest.mark.parametrize("identifier", ELSEWHERE)
def test_what_is_said_to_be_elsewhere_is_there(identifier):
    """Tests, proofs, laws and categories that the index names exist."""
    where = ELSEWHERE[identifier][1]
    for file, name in re.findall(r"(\w+\.py)::(\w+)", where):
        assert f"def {name}(" in (ROOT / "tests" / file).read_text()
    for names in re.findall(r"proofs? ((?:\w+(?:, | and )?)+)", where):
        for name in re.split(r", | and ", names):
            assert name in PROOFS
    for names in re.findall(r"(?:category|categories) ((?:\w+(?:, | and )?)+)", where):
        named = [word for word in re.split(r", | and | ", names) if word in CATEGORIES]
        assert named
    for name in re.findall(r"proofs/coq/\w+\.v", where):
        assert (ROOT / name).exists()
    assert re.search(r"::|proof|categor|laws? |not |how the laws", where)


def test_the_laws_of_proofs_are_laws():
    for name, about in PROOFS.items():
        assert set(about) <= LAWS | set(ELSEWHERE), name
    for file, about in COQ.items():
        assert set(about) <= LAWS | set(ELSEWHERE), file
        assert (ROOT / file).exists()


def test_the_page_is_up_to_date():
    """If not: python -m catlearn.laws.index > docs/laws.md"""
    assert (ROOT / "docs" / "laws.md").read_text() == as_markdown(PROOFS)
