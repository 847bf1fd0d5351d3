"""The list of deliberate breaks fits the code it breaks; whether each is noticed is what `make mutants` finds out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import MisplacedMutant, Mutant

REPOSITORY = Path(__file__).resolve().parents[2]
PROMISES = {f"P{number}" for number in range(1, 13)}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_a_mutant_fits_the_code_and_is_code(mutant: Mutant) -> None:
    """Its text stands in its file exactly once, the broken file is still Python, and its tests exist."""
    ast.parse(mutant.mutated(REPOSITORY))
    for named in mutant.caught_by:
        assert (REPOSITORY / named.partition("::")[0]).exists(), f"{mutant.name} names {named}, which is not there"


def test_every_promise_is_broken_in_some_way_and_names_are_unique() -> None:
    """P1 to P12: no promise goes without a deliberate break, and there are at least twenty-five of them."""
    names = [each.name for each in MUTANTS]
    assert len(set(names)) == len(names) >= 25
    assert {each.promise for each in MUTANTS} == PROMISES


def test_a_mutant_whose_text_is_gone_says_so() -> None:
    """A list that no longer fits the code fails loudly instead of testing nothing."""
    lost = Mutant(
        name="lost", promise="P1", what="", path="daemon/cli.py", before="no such text", after="", caught_by=()
    )
    with pytest.raises(MisplacedMutant, match="lost: its text is 0 times"):
        lost.mutated(REPOSITORY)
    idle = Mutant(
        name="idle", promise="P1", what="", path="daemon/__init__.py", before='"""', after='"""', caught_by=()
    )
    with pytest.raises(MisplacedMutant):
        idle.mutated(REPOSITORY)
