"""What the status says of distances, funding and the account as a whole."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from config.policy import Policy, TierPolicy
from connectors.vocabulary import Position
from daemon.core import events as e
from daemon.shell.status import describe_state
from daemon.shell.status_lines import account_line, position_lines
from daemon.status import in_words
from tests.builders import SECOND, a_margin, a_position, an_instrument
from tests.driven import Driven

D = Decimal
HOUR_NS = 3600 * SECOND


def described(guard: Driven) -> dict[str, Any]:
    """As `seawall status --json` gets it."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(describe_state(guard.state, now_ns=guard.now)))
    return found


def holding(samples: int = 60, **changes: Any) -> Driven:
    """A covered long, its market watched for so many samples."""
    guard = Driven(Policy(tiers=TierPolicy(watch_volatility=D(12)))).up()
    contract = an_instrument(
        funding_rate=D("0.0001"), funding_at_ns=1_700_006_400 * SECOND, funding_interval_ns=8 * HOUR_NS
    )
    guard.give(e.InstrumentSeen(at_ns=guard.now, instrument=contract))
    guard.position(a_position(**changes))
    guard.rest()
    for number in range(samples):
        guard.now += 10 * SECOND
        guard.mark("1000" if number % 2 else "1000.5")
    return guard


def two_cross() -> Driven:
    """Two cross longs of one currency, one three times the other, on a small balance."""
    guard = Driven()
    guard.start()
    guard.connect(instruments=[an_instrument("XBTUSDT"), an_instrument("ETHUSDT", reference_symbol=".BETH")])
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(wallet_balance_sat=60_000, margin_balance_sat=60_000)))
    guard.position(a_cross(300, "XBTUSDT"))
    guard.position(a_cross(100, "ETHUSDT"))
    return guard


def a_cross(quantity: int, symbol: str) -> Position:
    """A cross position from 1000 with its cost and maintenance."""
    cost, locked = 1_000 * quantity, 5 * quantity
    return a_position(
        quantity,
        symbol,
        is_cross=True,
        liquidation_price=D(805),
        cost_sat=cost,
        unrealised_cost_sat=cost,
        margin_sat=locked,
        maintenance_sat=locked,
        locked_sat=locked,
    )


def test_the_room_is_told_in_three_units() -> None:
    """P10: percent, hourly volatilities and the probability of touching, with what made the tier."""
    (position,) = described(holding())["positions"]
    assert position["room_percent"] == "10.00"
    assert 9 < float(position["room_volatilities"]) < 12
    assert 0 < float(position["touch_probability"]) < 0.01
    assert position["tier"] == "watch"
    assert position["tier_by"] == "volatility"
    assert 0.8 < float(position["volatility"]["hourly_percent"]) < 1.2
    assert position["volatility"]["largest_gap_percent"] == "0.0159"


def test_a_warm_up_is_said_and_does_not_look_like_calm() -> None:
    """P12: too few moves yet: no figure at all, and the text says how far it is."""
    (position,) = described(holding(samples=10))["positions"]
    assert position["room_volatilities"] is None
    assert position["touch_probability"] is None
    assert position["volatility"]["hourly_percent"] is None
    (line, *_) = position_lines(position)
    assert line == "XBTUSDT: volatility is not known yet (10 of 30 moves); percent bounds decide"


def test_funding_and_the_rank_are_told() -> None:
    """A long pays a hundredth of a percent of its worth; rank 4 of 5 is near the front of the queue."""
    (position,) = described(holding(adl_rank=4))["positions"]
    assert position["funding"] == {
        "at": "2023-11-15T00:00:00+00:00",
        "rate": "0.0001",
        "payment_sat": 10,
        "a_day_sat": 30,
        "currency": "USDt",
    }
    lines = list(position_lines(position))
    assert lines[1].startswith("XBTUSDT: pays 0.00001 USDT in funding at 2023-11-15T00:00:00")
    assert lines[2].startswith("XBTUSDT: auto-deleveraging rank 4 of 5, among the first")
    (short,) = described(holding(quantity=-100, adl_rank=1, liquidation_price=D(1100)))["positions"]
    assert short["funding"]["payment_sat"] < 0
    assert "receives" in list(position_lines(short))[1]


def test_a_contract_without_funding_says_nothing_of_it() -> None:
    """A dated contract, or one whose figures are not known."""
    guard = Driven().up()
    guard.position(a_position())
    (position,) = described(guard)["positions"]
    assert position["funding"] is None
    assert position["adl_rank"] is None


def test_the_account_is_told_by_its_common_move() -> None:
    """Cross margin: the fall of all marks at which everything fails, and who brings it there."""
    found = described(two_cross())
    (account,) = found["accounts"]
    assert account["currency"] == "USDt"
    assert -15 < float(account["fails_down_percent"]) < -14
    assert account["fails_up_percent"] is None
    assert [each["symbol"] for each in account["contributions"]] == ["XBTUSDT", "ETHUSDT"]
    assert account["contributions"][0]["share"] == "0.75"
    line = account_line(account)
    assert line.startswith("USDt cross: fails when its marks fall 14.")
    assert line.endswith("% together; most of it by XBTUSDT (75 %)")
    for position in found["positions"]:
        # Prices are put on the tick toward the mark, so the position's own figure is a little nearer.
        assert 0 <= float(position["common_move_percent"]) - float(account["fails_down_percent"]) < 0.06


def test_an_account_that_cannot_be_worked_out_says_why() -> None:
    """P12: several currencies as one margin; and an account without cross positions has no line at all."""
    guard = two_cross()
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(is_multi_asset=True)))
    (account,) = described(guard)["accounts"]
    assert "not known" in account_line(account)
    assert described(holding())["accounts"] == []


def test_the_words_below_the_table_are_shown_to_people() -> None:
    """`seawall status`: three units in the table, a line per position and one per account below it."""
    text = in_words({"version": "1", "venue": "embedded", "uptime_s": 12.0, **described(two_cross())})
    assert "room %" in text
    assert "volatilities" in text
    assert "touch in 1 h" in text
    assert "ETHUSDT: volatility is not known yet" in text
    assert "USDt cross: fails when its marks fall" in text


def test_an_account_that_nothing_can_bring_down_says_so() -> None:
    """No fall and no rise in range."""
    account = {"currency": "XBt", "fails_down_percent": None, "fails_up_percent": None, "contributions": []}
    assert account_line(account) == "XBt cross: no common move of its marks makes it fail"
