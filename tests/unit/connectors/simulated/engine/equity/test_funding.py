"""Funding exchanges at the eight-hour marks of the tape, and the bookings with them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.contracts import XBTH27, XBTUSD
from connectors.simulated.engine.equity.funding import HOUR_MS, bounded_rate, interest, next_exchange_ms, premium_now
from connectors.simulated.engine.rows import iso
from tests.unit.connectors.simulated.engine.desk import TAPE_MS, Desk, number, prices

FIRST = TAPE_MS + 4 * HOUR_MS


def test_exchanges_stand_at_four_twelve_and_twenty() -> None:
    """Times of day map to the next of 04:00, 12:00, 20:00 UTC; a mark maps to the one after."""
    hours = {0: 4, 3: 4, 4: 12, 11: 12, 12: 20, 20: 28, 23: 28}
    for now, then in hours.items():
        assert next_exchange_ms(TAPE_MS + now * HOUR_MS) == TAPE_MS + then * HOUR_MS


@pytest.mark.parametrize(
    ("premium", "rate"),
    [("0", "0.0001"), ("0.0004", "0.0001"), ("0.002", "0.0015"), ("-0.002", "-0.0015"), ("0.05", "0.00375")],
)
def test_rate_follows_the_premium_within_bounds(premium: str, rate: str) -> None:
    """Small premiums give the interest, larger ones the premium less the damper, up to the cap."""
    assert bounded_rate(XBTUSD, Decimal(premium), Decimal(rate)) == Decimal(rate)


@pytest.mark.parametrize(("premium", "rate"), [("0.05", "0.00285"), ("-0.05", "-0.00465"), ("0", "0.0001")])
def test_rate_changes_by_no_more_than_its_cap(premium: str, rate: str) -> None:
    """From one exchange to the next: at most three quarters of the maintenance margin, whatever the premium."""
    wide = replace(XBTUSD, init_margin=Decimal("0.05"))
    assert bounded_rate(wide, Decimal(premium), Decimal("-0.0009")) == Decimal(rate)


def test_premium_is_what_the_book_stands_beyond_the_mark() -> None:
    """The mark within the spread: the present rate stays; bid or ask beyond it add their distance over the index."""
    desk = Desk()
    market = desk.exchange.world.markets["XBTUSD"]
    for last, beyond in ((50_000, 0), (50_100, "99.5"), (49_900, "-99.5")):
        desk.move(prices(mark=50_000, last=last))
        assert premium_now(market) == Decimal(beyond) / 50_000 + market.funding_rate


def test_interest_of_a_contract() -> None:
    """Quote less base rate of a day, in three parts; the venue's 0.01 % for the major coins."""
    assert interest(XBTUSD) == Decimal("0.0001")
    assert interest(replace(XBTUSD, funding_quote_rate=Decimal("0.0003"))) == 0


def test_longs_pay_and_shorts_receive() -> None:
    """At the mark: a Funding execution without order or side, the same amount on both sides."""
    for sign in (1, -1):
        desk = Desk()
        desk.place(sign * 100_000, ord_type="Market")
        before = number(desk.margin()["walletBalance"])
        desk.move(prices(mark=50_000, funding_rate="0.001"))
        desk.move(prices(mark=50_000), tape_ms=FIRST)
        paid = sign * 200_000
        execution = desk.executions()[-1]
        assert (execution["execType"], execution["execComm"]) == ("Funding", paid)
        assert (execution["side"], execution["timeInForce"]) == (None, "AtTheClose")
        assert execution["commission"] == Decimal("0.001") * sign
        assert before - number(desk.margin()["walletBalance"]) == paid
        assert desk.exchange.money_is_conserved()


def test_each_mark_is_charged_once_and_dated_futures_never() -> None:
    """Steps after the mark charge nothing more; the future has no funding at all."""
    desk = Desk()
    desk.place(100_000, ord_type="Market")
    desk.place(100_000, ord_type="Market", symbol="XBTH27")
    for tape_ms in (FIRST - 1, FIRST, FIRST + 1, FIRST + 1000):
        desk.move(prices(mark=50_000), tape_ms=tape_ms)
    kinds = [(e["symbol"], e["execType"]) for e in desk.executions() if e["execType"] == "Funding"]
    assert kinds == [("XBTUSD", "Funding")]
    assert [row["symbol"] for row in desk.exchange.funding_rows()] == ["XBTUSD", "XBTUSDT", "ETHUSD"]
    instrument = next(r for r in desk.exchange.instrument_rows() if r["symbol"] == XBTH27.symbol)
    assert instrument["fundingRate"] is None


def test_realised_result_is_booked_at_the_mark() -> None:
    """The session's result moves from realisedPnl to amount; the wallet balance stays."""
    desk = Desk()
    desk.place(100_000, ord_type="Market")
    desk.place(-50_000, ord_type="Market")
    desk.move(prices(mark=50_000, funding_rate="0.0001"))
    balance = number(desk.margin()["walletBalance"]) - 10_000
    changes = desk.move(prices(mark=50_000), tape_ms=FIRST)
    margin, position = desk.margin(), desk.position()
    assert margin["realisedPnl"] == position["realisedPnl"] == 0
    assert margin["amount"] == margin["walletBalance"] == balance
    assert number(position["rebalancedPnl"]) < 0
    assert "wallet" in [change.table for change in changes]
    assert desk.exchange.wallet_history_rows(1)[-1]["transactType"] == "RealisedPNL"


def test_break_even_does_not_move_with_a_booking() -> None:
    """Fees already booked still belong to the position's result."""
    desk = Desk()
    desk.place(100_000, ord_type="Market")
    desk.move(prices(mark=50_000, funding_rate="0"))
    before = desk.position()["breakEvenPrice"]
    desk.move(prices(mark=50_000), tape_ms=FIRST)
    assert desk.position()["breakEvenPrice"] == before


def test_funding_to_be_paid_counts_as_maintenance() -> None:
    """A rate against the long brings its liquidation price nearer; one in its favour does not move it."""
    edges = {}
    for rate in ("-0.002", "0", "0.002"):
        desk = Desk()
        desk.leverage(20)
        desk.place(100_000, ord_type="Market")
        desk.move(prices(mark=50_000, funding_rate=rate))
        edges[rate] = number(desk.position()["liquidationPrice"])
    assert edges["-0.002"] == edges["0"] < edges["0.002"]


def test_funding_in_maintenance_is_a_switch() -> None:
    """Switched off, what the next exchange will cost leaves maintenance and liquidation price alone."""
    found = {}
    for is_on in (True, False):
        desk = Desk(funding_in_maintenance=is_on)
        desk.leverage(20)
        desk.place(100_000, ord_type="Market")
        desk.move(prices(mark=50_000, funding_rate="0"))
        before = desk.position()
        desk.move(prices(mark=50_000, funding_rate="0.002"))
        found[is_on] = [desk.position()[name] == before[name] for name in ("posMaint", "liquidationPrice")]
    assert found == {True: [False, False], False: [True, True]}


def test_isolated_payment_is_made_good_while_the_account_can() -> None:
    """With free margin the isolated margin stays; without, it shrinks and liquidation comes nearer."""
    desk = Desk()
    desk.leverage(20)
    desk.place(100_000, ord_type="Market")
    edge = desk.position()["liquidationPrice"]
    desk.move(prices(mark=50_000, funding_rate="0.001"))
    held = desk.position()["posMargin"]
    desk.move(prices(mark=50_000, funding_rate="0"), tape_ms=FIRST)
    assert desk.position()["posLoss"] == desk.position()["posCross"] == 200_000
    assert number(desk.position()["posMargin"]) - number(held) in (0, 100)  # fee on the added margin
    # The rate of the next exchange is 0 instead of 0.0001 now: 5 dollars, in the holder's favour.
    assert 0 <= number(edge) - number(desk.position()["liquidationPrice"]) < 6


def test_shown_funding_time_lies_ahead_on_the_protocol_clock() -> None:
    """An old tape still announces its next funding in the client's future."""
    desk = Desk()
    row = next(r for r in desk.exchange.instrument_rows() if r["symbol"] == "XBTUSD")
    assert str(row["fundingTimestamp"]) > str(row["timestamp"])


def test_funding_by_the_protocol_clock_has_the_stamps_of_the_venue() -> None:
    """At 04, 12 and 20 UTC whatever the tape's time is; once after an absence, and never for nothing."""
    desk = Desk(funding_by_protocol_clock=True)
    desk.place(100_000, ord_type="Market")
    first = next_exchange_ms(desk.at_ms)
    assert shown(desk) == iso(first)
    desk.at_ms = first - 1_500
    assert not fundings(desk.move(prices(mark=50_000)))
    assert fundings(desk.move(prices(mark=50_000))) == [iso(first)]
    assert [row["timestamp"] for row in desk.executions() if row["execType"] == "Funding"] == [iso(first)]
    assert shown(desk) == iso(first + 8 * HOUR_MS)
    desk.at_ms = first + 30 * HOUR_MS
    assert fundings(desk.move(prices(mark=50_000), tape_ms=desk.tape_ms + 1)) == [iso(first + 24 * HOUR_MS)]
    assert desk.exchange.money_is_conserved()


def shown(desk: Desk) -> object:
    """Return the next funding of XBTUSD."""
    return next(row for row in desk.exchange.instrument_rows() if row["symbol"] == "XBTUSD")["fundingTimestamp"]


def fundings(changes: list[Change]) -> list[object]:
    """Return the stamps of the exchanges of XBTUSD among some changes."""
    return [one.row["timestamp"] for one in changes if one.table == "funding" and one.row["symbol"] == "XBTUSD"]
