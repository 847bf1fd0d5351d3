"""What rules share: levels, words and the view of the account."""

from __future__ import annotations

from decimal import Decimal

import pytest

from daemon.core.account_rules.verdict import Level, account_view, money, plain, share, standing
from daemon.core.state import Feed
from tests.builders import START_NS, a_margin, a_position, an_instrument
from tests.unit.daemon.core.account_rules.rule_cases import a_guarded, a_state, a_view


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (123_456_789, "XBt", "1.23456789 XBT"),
        (-50_000, "XBt", "-0.0005 XBT"),
        (0, "XBt", "0 XBT"),
        (12_345_678, "USDt", "12.35 USDT"),
        (7, "Gwei", "7 Gwei"),
    ],
)
def test_money_is_told_in_units_that_people_know(amount: int, currency: str, words: str) -> None:
    """Minor units become coins; a currency without a known unit stays as it is."""
    assert money(amount, currency) == words


def test_limits_are_told_as_they_were_set() -> None:
    """No exponents, no zeros at the end."""
    assert [plain(Decimal(text)) for text in ("25", "0.50", "100", "1E+2")] == ["25", "0.5", "100", "100"]


def test_levels_at_and_around_the_limit() -> None:
    """The limit itself belongs to one side or the other; 5 % before it a breach is over."""
    for figure, at_limit, expected in (
        (100, True, Level.OVER),
        (100, False, Level.NEAR),
        (101, False, Level.OVER),
        (96, True, Level.NEAR),
        (95, True, None),
    ):
        assert standing(Decimal(figure), Decimal(100), at_limit=at_limit) is expected
    assert share(5, 0) == 500


def test_the_view_holds_what_may_decide_and_nothing_else() -> None:
    """Flat positions, stale marks, contracts without sense and mixed balances are left out or unknown."""
    view = a_view(
        a_guarded(),
        a_guarded(a_position(0, "ETHUSDT")),
        a_guarded(a_position(10, "ODD")),
        instruments=[an_instrument(), an_instrument("ETHUSDT"), an_instrument("ODD", multiplier=0)],
        margins=[a_margin(is_multi_asset=True), a_margin(currency="XBt")],
    )
    assert {each.symbol: each.worth_sat for each in view.held} == {"XBTUSDT": 100_000, "ODD": None}
    assert dict(view.equities) == {"XBt": 1_000_000}
    stale = a_state(a_guarded(), now_ns=START_NS + 61 * 10**9)
    dead = a_state(a_guarded(), health=type(stale.health)(market=Feed(), account=stale.health.account))
    for state in (stale, dead):
        assert account_view(state).held[0].mark is None


def test_a_newer_row_of_the_position_tells_the_mark() -> None:
    """Inside its band the core's mark is up to ten seconds old; a row that came since is nearer to the truth."""
    for mark, taken_ns, expected in ((980, START_NS + 1, 980), (980, START_NS - 1, 1000), (0, START_NS + 1, 1000)):
        guarded = a_guarded(a_position(mark_price=Decimal(mark)), taken_ns=taken_ns)
        assert a_view(guarded).held[0].mark == expected
    assert a_view(a_guarded(a_position(mark_price=Decimal(980))), mark=None).held[0].mark is None
