"""The stress test of any account: order of events, and a balance that adds up to the unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.stress.account import Happening, Stress, Walk
from daemon.stress.file import account_of
from daemon.stress.moves import stress
from daemon.stress.page import page_html
from daemon.stress.words import as_fields, in_words
from daemon.wire_rows import RowsUnusable

MARKS = {"XBTUSD": 60_000, "ETHUSD": 3_000, "XBTUSDT": 60_000, "XRPUSD": Decimal("0.5")}
SIZES = {"XBTUSD": 100, "ETHUSD": 1, "XBTUSDT": 100, "XRPUSD": 1}
CURRENCIES = {"XBTUSDT": "USDt"}


@st.composite
def positions(draw: st.DrawFn, symbol: str) -> dict[str, Any]:
    """A long or short, isolated or cross, opened within five percent of the mark."""
    lots = draw(st.integers(-3_000, 3_000).filter(bool))
    near = Decimal(draw(st.integers(950, 1050))) / 1000
    row = {"symbol": symbol, "currentQty": lots * SIZES[symbol], "avgEntryPrice": MARKS[symbol] * near}
    if draw(st.booleans()):
        return {**row, "crossMargin": True}
    return {**row, "leverage": draw(st.sampled_from([1, 2, 5, 10, 25]))}


@st.composite
def orders(draw: st.DrawFn, symbol: str) -> dict[str, Any]:
    """A stop or a reduce-only limit order anywhere within thirty percent."""
    price = MARKS[symbol] * Decimal(draw(st.integers(700, 1300))) / 1000
    side = draw(st.sampled_from(["Buy", "Sell"]))
    row = {"symbol": symbol, "side": side, "orderQty": draw(st.integers(1, 400_000)), "execInst": "ReduceOnly"}
    if draw(st.booleans()):
        return {**row, "ordType": "Limit", "price": price}
    return {**row, "ordType": "Stop", "stopPx": price, "execInst": "MarkPrice,ReduceOnly"}


@st.composite
def accounts(draw: st.DrawFn) -> Stress | None:
    """The stress test of an account with up to four positions, or none if the exchange would not have taken it."""
    symbols = draw(st.lists(st.sampled_from(sorted(MARKS)), min_size=1, max_size=4, unique=True))
    document = {
        "positions": [draw(positions(symbol)) for symbol in symbols],
        "orders": [draw(orders(symbol)) for symbol in draw(st.lists(st.sampled_from(symbols), max_size=6))],
        "margins": [
            {"currency": "XBt", "walletBalance": draw(st.integers(0, 10**10))},
            {"currency": "USDt", "walletBalance": draw(st.integers(0, 10**12))},
        ],
        "marks": MARKS,
    }
    try:
        account = account_of(document, "any")
    except RowsUnusable:
        return None
    return stress(account, step_percent=Decimal(10), slippage_percent=Decimal("0.1"))


@settings(max_examples=50, deadline=None)
@given(accounts())
def test_every_unit_is_accounted_for(found: Stress | None) -> None:
    """Equity is wallet plus what open positions won; the wallet is today's plus everything realised on the way."""
    if found is None:
        return
    for walk in (found.down, found.up, found.bare_down, found.bare_up):
        last = walk.points[-1]
        for currency, margin in found.account.rows.margins.items():
            realised = sum(event.result_sat for event in walk.events if event.currency == currency)
            open_ = sum(p.unrealised_pnl_sat for p in last.positions.values() if p.currency == currency)
            assert last.equity[currency] == margin.wallet_balance_sat + realised + open_


@settings(max_examples=50, deadline=None)
@given(accounts())
def test_events_come_in_order_and_end(found: Stress | None) -> None:
    """Outward only; a position that is gone does not come back; without orders nothing but liquidations happen."""
    if found is None:
        return
    for walk in (found.down, found.up):
        check_order(walk)
        assert [point.move for point in walk.points] == sorted((p.move for p in walk.points), key=abs)
    for walk in (found.bare_down, found.bare_up):
        assert {event.kind for event in walk.events} <= {Happening.LIQUIDATION, Happening.ACCOUNT_FAILURE}
        symbols = [event.symbol for event in walk.events]
        assert len(symbols) == len(set(symbols))


def check_order(walk: Walk) -> None:
    """Events by distance; each closes what the one before left."""
    assert [event.move for event in walk.events] == sorted((event.move for event in walk.events), key=abs)
    left: dict[str, int] = {}
    for event in walk.events:
        before = left.get(event.symbol, event.contracts + event.left)
        assert event.contracts + event.left == before
        assert abs(event.left) < abs(before)
        left[event.symbol] = event.left


@settings(max_examples=15, deadline=None)
@given(accounts())
def test_every_result_can_be_told_and_drawn(found: Stress | None) -> None:
    """Words, fields and the page of any result."""
    if found is not None:
        assert in_words(found)
        assert as_fields(found)
        assert page_html(found).endswith("</html>\n")
