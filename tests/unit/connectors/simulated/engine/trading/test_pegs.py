"""Pegged limits and trailing stops: where they start, how they follow, what they refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.inputs import PlaceOrder
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, Desk, prices


def trail(desk: Desk, offset: object, side: str = "Sell", **fields: Any) -> Row:
    """Place a stop of 1,000 contracts that trails the mark."""
    fields = {"ord_type": "Stop", "exec_inst": "MarkPrice,ReduceOnly"} | fields
    return desk.place(
        1_000, side=side, peg_price_type="TrailingStopPeg", peg_offset_value=Decimal(str(offset)), **fields
    )


def long_desk() -> Desk:
    """Return a desk whose first account is long 1,000."""
    desk = Desk()
    desk.place(1_000, ord_type="Market")
    return desk


def test_it_starts_at_its_distance_and_says_what_it_is() -> None:
    """No stop price is sent: it is the mark and the offset; peg type and offset stand on the row."""
    row = trail(long_desk(), -500)
    assert (row["stopPx"], row["pegOffsetValue"], row["pegPriceType"]) == (49_500, -500, "TrailingStopPeg")
    assert (row["ordType"], row["ordStatus"], row["workingIndicator"]) == ("Stop", "New", False)


def test_it_follows_up_never_down_and_fires() -> None:
    """Up with the mark, still on the way back, and through it the position is sold."""
    desk = long_desk()
    stop = trail(desk, -500)
    updates = [change.row["stopPx"] for change in desk.move(prices(mark=51_000)) if change.table == "order"]
    assert updates == [50_500]
    desk.move(prices(mark=50_700))
    assert desk.order(stop)["stopPx"] == 50_500
    desk.move(prices(mark=50_500))
    assert (desk.order(stop)["ordStatus"], desk.position()["currentQty"]) == ("Filled", 0)


def test_a_buy_stop_follows_down() -> None:
    """A short is covered the other way round."""
    desk = Desk()
    desk.place(-1_000, ord_type="Market")
    stop = trail(desk, 500, side="Buy")
    desk.move(prices(mark=49_000))
    assert desk.order(stop)["stopPx"] == 49_500
    desk.move(prices(mark=49_400))
    assert desk.order(stop)["stopPx"] == 49_500


def test_it_ignores_small_moves_and_rests_a_second() -> None:
    """A tenth of a percent is too little; half a second after a move is too soon."""
    desk = long_desk()
    stop = trail(desk, -500)
    desk.move(prices(mark=50_050))
    assert desk.order(stop)["stopPx"] == 49_500
    desk.move(prices(mark=50_100))
    assert desk.order(stop)["stopPx"] == 49_600
    desk.at_ms -= 500
    desk.move(prices(mark=51_000))
    assert desk.order(stop)["stopPx"] == 49_600


def test_amending_the_distance() -> None:
    """Another offset counts from the price now; an order that does not trail has none to amend."""
    desk = long_desk()
    stop = trail(desk, -500)
    row = desk.amend(stop, peg_offset_value=Decimal(-1_000))
    assert (row["stopPx"], row["pegOffsetValue"]) == (49_000, -1_000)
    assert row["text"] == "Amended stopPx pegOffsetValue\nSubmitted via API."
    plain = desk.stop(40_000)
    refused = desk.refusal(lambda: desk.amend(plain, peg_offset_value=Decimal(-1_000)))
    assert refused.message == "Invalid pegOffsetValue for pegPriceType"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"peg_offset_value": Decimal(500)}, "Invalid pegOffsetValue for pegPriceType"),
        ({"peg_offset_value": Decimal(0)}, "Invalid pegOffsetValue for pegPriceType"),
        ({"peg_offset_value": Decimal(-60_000)}, "Invalid pegOffsetValue for pegPriceType"),
        ({"peg_offset_value": None}, "Invalid pegOffsetValue for pegPriceType"),
        ({"peg_offset_value": Decimal("-0.03")}, "Invalid pegOffsetValue tickSize"),
        ({"ord_type": "Limit", "price": Decimal(50_000)}, "Invalid pegPriceType for ordType"),
        ({"peg_price_type": "LastPeg"}, "Unsupported pegPriceType"),
        ({"peg_price_type": "PrimaryPeg"}, "Invalid pegPriceType for ordType"),
        ({"ord_type": "MarketIfTouched"}, "Invalid pegOffsetValue for pegPriceType"),
    ],
)
def test_refusals(fields: dict[str, Any], message: str) -> None:
    """Wrong sign, nothing, more than the price, off the tick, a type that does not wait, another peg."""
    wanted: dict[str, Any] = {
        "account": ALICE,
        "symbol": "XBTUSD",
        "side": "Sell",
        "order_qty": 1_000,
        "ord_type": "Stop",
        "peg_price_type": "TrailingStopPeg",
        "peg_offset_value": Decimal(-500),
    } | fields
    desk = long_desk()
    assert desk.refusal(lambda: desk.apply(PlaceOrder(**wanted))).message == message


@pytest.mark.parametrize(
    ("side", "peg", "offset", "price", "status"),
    [
        ("Buy", "PrimaryPeg", -10, "49989.5", "New"),
        ("Sell", "PrimaryPeg", 10, "50010.5", "New"),
        ("Buy", "MarketPeg", -20, "49980.5", "New"),
        ("Buy", "MarketPeg", 0, "50000.5", "Filled"),
        ("Sell", "MarketPeg", 0, "49999.5", "Filled"),
    ],
)
def test_pegged_limit_is_set_by_the_touch_once(side: str, peg: str, offset: int, price: str, status: str) -> None:
    """Own side or the other, plus the offset; it does not follow the market."""
    desk = Desk()
    row = desk.place(100, side=side, peg_price_type=peg, peg_offset_value=Decimal(offset), exec_inst="Fixed")
    assert (row["ordType"], row["price"], row["ordStatus"]) == ("Pegged", Decimal(price), status)
    assert (row["pegPriceType"], row["pegOffsetValue"]) == (peg, offset)
    desk.move(prices(mark=50_005))
    assert desk.order(row)["price"] == Decimal(price)


def test_pegged_limit_follows_a_displayed_order() -> None:
    """A better bid of another account is the touch."""
    desk = Desk()
    desk.place(100, account=BOB, price="49999.9")
    row = desk.place(100, side="Buy", peg_price_type="PrimaryPeg", peg_offset_value=Decimal(0), exec_inst="Fixed")
    assert row["price"] == Decimal("49999.9")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"exec_inst": ""}, "Invalid ordType for execInst"),
        ({"peg_offset_value": None}, "Invalid pegOffsetValue for pegPriceType"),
        ({"peg_offset_value": Decimal("0.03")}, "Invalid pegOffsetValue tickSize"),
        ({"peg_offset_value": Decimal(-60_000)}, "Invalid price"),
        ({"price": Decimal(49_000), "ord_type": "Pegged"}, "Invalid price"),
        ({"peg_price_type": "MidPricePeg"}, "Unsupported pegPriceType"),
        ({"peg_price_type": "TrailingStopPeg"}, "Invalid pegPriceType for ordType"),
        ({"peg_price_type": None, "ord_type": "Pegged"}, "Invalid pegOffsetValue for pegPriceType"),
        ({"peg_price_type": None, "peg_offset_value": None, "ord_type": "Pegged"}, "Invalid pegPriceType for ordType"),
    ],
)
def test_refusals_of_pegged_limits(fields: dict[str, Any], message: str) -> None:
    """Not Fixed, no offset, off the tick, no price left, a price of one's own, pegs that are no more or for stops."""
    wanted: dict[str, Any] = {
        "account": ALICE,
        "symbol": "XBTUSD",
        "side": "Buy",
        "order_qty": 1_000,
        "peg_price_type": "PrimaryPeg",
        "peg_offset_value": Decimal(-5),
        "exec_inst": "Fixed",
    } | fields
    desk = Desk()
    assert desk.refusal(lambda: desk.apply(PlaceOrder(**wanted))).message == message
