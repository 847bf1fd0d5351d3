"""What the fixed worlds are worth: every trouble on the list is there and bites, every promise is really asked."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.parade import all_fixed, groups, shown, shown_again
from tests.simulation.test_seeds import words
from tests.simulation.troubles import TROUBLES
from tests.simulation.troubles.listed import LISTED


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", groups())
def test_promises_hold_while_troubles_pass_by(name: str) -> None:
    """P1 to P12: a few kinds of trouble, each cast on purpose, one after another."""
    played = shown(name)
    assert not played.promises, words(played)


def test_every_row_of_the_list_has_a_trouble() -> None:
    """Nothing on the list of what goes wrong is left without a trouble, and no trouble claims a row of its own."""
    claimed = {trouble.listed for trouble in TROUBLES.values()}
    assert set(LISTED) <= claimed
    assert claimed <= {*LISTED, ""}
    assert all(name == trouble.name for name, trouble in TROUBLES.items())


@pytest.mark.timeout(240)
def test_every_row_of_the_list_bites_in_the_fixed_worlds() -> None:
    """Every listed fault is hit: not only tried, but really there (a reply really lost, a stop really asleep)."""
    bitten = {TROUBLES[name].listed for played in all_fixed() for name in played.report.hits}
    missed = [row for row in LISTED if row not in bitten and not _bites_elsewhere(row)]
    assert not missed, f"nothing of this happened: {missed}"


def _bites_elsewhere(row: str) -> bool:
    """Whether a row bites in a world of its own; whether one seed gives it the occasion is chance."""
    for name in (each.name for each in TROUBLES.values() if each.listed == row):
        for played in shown_again(name):
            assert not played.promises, words(played)
            if played.report.hits[name]:
                return True
    return False


@pytest.mark.timeout(240)
def test_every_promise_is_asked_in_the_fixed_worlds() -> None:
    """P1 to P12: what a promise is about happens in the fixed worlds; a promise never put to the test is not proved."""
    checked = Counter[str]()
    for played in all_fixed():
        checked.update(played.report.checked)
    assert {f"P{number}" for number in range(1, 13)} | {"life of a stop", "whole again"} == set(checked)
    assert all(checked.values()), f"never asked: {sorted(name for name, count in checked.items() if not count)}"
