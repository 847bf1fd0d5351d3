"""What comes next and what can be done, for everything that people are told of."""

from __future__ import annotations

import pytest

from daemon.core.commands import Severity
from daemon.core.degraded import Degraded
from daemon.core.people.advice import GENERAL, GROUPS, STATES, advice_of
from daemon.core.people.kinds import kind_of
from daemon.core.people.words import TITLES
from tests.unit.daemon.core.people.listener import alert


def test_every_group_has_a_title_and_advice() -> None:
    """P12: none is told with the words of another."""
    assert GROUPS.keys() == TITLES.keys()


@pytest.mark.parametrize("state", Degraded)
def test_every_degraded_state_is_told_with_words_of_its_own_or_of_its_group(state: Degraded) -> None:
    """P12: who reads of it is told what comes next and what to do."""
    group = kind_of(alert("degraded", state.value, severity=Severity.WARNING)).group
    advice = advice_of(group, state.value)
    assert advice is not GENERAL
    assert advice.will.endswith(".")
    assert advice.you_can.endswith(".")


@pytest.mark.parametrize("state", [Degraded.CLOCK_SKEW, Degraded.JOURNAL_FAILED, Degraded.LOOP_STALLED])
def test_what_is_no_matter_of_requests_is_not_told_as_one(state: Degraded) -> None:
    """P12: nobody is sent to slow down bots for a clock that is wrong."""
    assert advice_of("means", state.value) == STATES[state]
    assert "bots" not in advice_of("means", state.value).you_can
