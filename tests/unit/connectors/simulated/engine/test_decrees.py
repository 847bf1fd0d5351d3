"""Decisions of the venue: bans on new positions, and other ways of marking."""

from __future__ import annotations

import pytest

from connectors.simulated.engine.inputs import RestrictMarket, SetMarkMethod
from tests.unit.connectors.simulated.engine.desk import Desk, number, prices

BAN = "Instrument is in reduce only mode"


def test_reduce_only_market_takes_what_shrinks() -> None:
    """Under a ban: no order that grows, turns or opens a position; smaller and ReduceOnly ones pass; then lifted."""
    desk = Desk()
    desk.place(10_000, ord_type="Market")
    desk.apply(RestrictMarket(symbol="XBTUSD"))
    for quantity in (100, -10_100):
        assert desk.refusal(lambda q=quantity: desk.place(q, ord_type="Market")).message == BAN
    assert desk.place(-5_000, ord_type="Market")["ordStatus"] == "Filled"
    assert desk.place(-9_000, price=60_000, exec_inst="ReduceOnly")["ordStatus"] == "New"
    assert desk.stop(45_000)["ordStatus"] == "New"
    assert desk.place(100, symbol="XBTH27", ord_type="Market")["ordStatus"] == "Filled"
    desk.apply(RestrictMarket(symbol="XBTUSD", reduce_only=False))
    assert desk.place(100, ord_type="Market")["ordStatus"] == "Filled"


def test_reduce_only_market_lets_older_orders_grow_nothing() -> None:
    """An order of before the ban can not be made larger, and a stop of before does not open what it was to open."""
    desk = Desk()
    order, stop = desk.place(1_000, price=49_000), desk.place(1_000, stop_px=50_500, ord_type="Stop")
    desk.apply(RestrictMarket(symbol="XBTUSD"))
    assert desk.refusal(lambda: desk.amend(order, order_qty=2_000)).message == BAN
    assert desk.amend(order, order_qty=500)["orderQty"] == 500
    desk.move(prices(mark=50_600))
    assert (desk.order(stop)["ordStatus"], desk.order(stop)["ordRejReason"]) == ("Rejected", BAN)
    assert desk.position()["currentQty"] == 0


@pytest.mark.parametrize(
    ("method", "mark"), [("FairPrice", 50_000), ("LastPrice", 51_000), ("IndicativeSettlePrice", 52_000)]
)
def test_mark_methods(method: str, mark: int) -> None:
    """The mark is the tape's, the last or the index price, and the instrument row says which."""
    desk = Desk()
    desk.apply(SetMarkMethod(symbol="XBTUSD", method=method))
    desk.move(prices(mark=50_000, last=51_000, index=52_000))
    row = next(row for row in desk.exchange.instrument_rows() if row["symbol"] == "XBTUSD")
    assert (row["markPrice"], row["markMethod"]) == (mark, method)


def test_last_price_marking_liquidates_on_the_last_price() -> None:
    """The wick that fair marking ignores takes the position when the last price is the mark."""
    desk = Desk()
    desk.leverage(25)
    desk.place(100_000, ord_type="Market")
    wick = prices(mark=50_000, last=47_000, index=50_000)
    desk.move(wick)
    assert number(desk.position()["currentQty"]) == 100_000
    desk.apply(SetMarkMethod(symbol="XBTUSD", method="LastPrice"))
    desk.move(wick)
    assert desk.position()["currentQty"] == 0


def test_unknown_symbols_and_methods_are_refused() -> None:
    """Neither changes anything."""
    desk = Desk()
    assert desk.refusal(lambda: desk.apply(RestrictMarket(symbol="NOPE"))).message == "Invalid symbol"
    assert desk.refusal(lambda: desk.apply(SetMarkMethod(symbol="XBTUSD", method="Guess"))).message
