"""Time stop: a position that has not gained enough after a while is given up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config.modes import RuleMode
from config.policy import StopPolicy, TimeStopPolicy
from config.stop_rules import TimeStopAction
from connectors.vocabulary import Side
from daemon.core.stop_rules import Silence
from daemon.core.stop_rules.time_stop import RULE
from tests.builders import START_NS
from tests.unit.daemon.core.stop_rules.rule_cases import HOUR, a_case, said

D = Decimal
LATE = START_NS + 24 * HOUR


def policy(action: TimeStopAction = TimeStopAction.CLOSE) -> StopPolicy:
    """After a day without half a percent."""
    return StopPolicy(time_stop=TimeStopPolicy(mode=RuleMode.ON, action=action))


def test_not_a_moment_before_its_time() -> None:
    """Silent for a day, then it asks for the exit."""
    assert RULE.propose(a_case(stop=policy(), now_ns=LATE - 1)) is None
    word = said(RULE, a_case(stop=policy(), now_ns=LATE))
    assert word.price is None
    assert word.why == "open for 24 h without a gain of 0.5 %"


@pytest.mark.parametrize(("side", "mark"), [(Side.LONG, "1005"), (Side.SHORT, "995")])
def test_a_winner_is_left_alone(side: Side, mark: str) -> None:
    """Enough gain, at the bound exactly, keeps the position."""
    assert RULE.propose(a_case(side, policy(), now_ns=LATE, mark=D(mark))) is None
    worse = D(mark) - side.sign * D("0.5")
    assert said(RULE, a_case(side, policy(), now_ns=LATE, mark=worse)).price is None


def test_break_even_instead_where_the_mark_allows_it() -> None:
    """Beyond entry and fees a stop rests there; else there is nothing left but to close."""
    stop = policy(TimeStopAction.BREAK_EVEN)
    assert said(RULE, a_case(stop=stop, now_ns=LATE, mark=D(1004))).price == D("1002.5")
    assert said(RULE, a_case(stop=stop, now_ns=LATE, mark=D(1001))).price is None


def test_a_stale_mark_decides_nothing() -> None:
    """P6: what is not seen cannot be said to have gained nothing."""
    assert RULE.propose(a_case(stop=policy(), now_ns=LATE, mark=None)) is None


def test_after_its_time_it_wants_to_hear_of_the_gain() -> None:
    """The mark that parts enough from too little, once the time is over."""
    assert list(RULE.marks(a_case(stop=policy()))) == []
    assert list(RULE.marks(a_case(stop=policy(), now_ns=LATE))) == [D(1005)]


def test_without_an_entry_price_it_says_so() -> None:
    """P12: silence with a reason."""
    assert isinstance(RULE.propose(a_case(stop=policy(), now_ns=LATE, entry_price=None)), Silence)
