"""Prices too far from the market: slips of a finger, and price limits."""

from __future__ import annotations

import pytest

from tests.unit.connectors.simulated.engine.desk import Desk, prices


def test_a_market_order_goes_five_percent_and_no_further() -> None:
    """With the best ask at 51,000 a buyer gets up to 53,550; the rest is cancelled in the venue's words."""
    desk = Desk()
    desk.move(prices(half_spread=1_000, depth=100))
    row = desk.place(500, ord_type="Market")
    assert (row["cumQty"], row["ordStatus"]) == (300, "Canceled")
    assert str(row["text"]).startswith("Canceled: Order had ordType of Market")


def test_the_touch_counts_where_it_is_worse_than_the_mark() -> None:
    """A seller far below the mark still trades at the touch."""
    desk = Desk()
    desk.move(prices(mark=50_000, last=45_000))
    assert desk.place(-100, ord_type="Market")["ordStatus"] == "Filled"


def test_a_market_order_without_the_rule_takes_the_whole_book() -> None:
    """The switch off: as far as levels go."""
    desk = Desk(fat_finger_protection=False)
    desk.move(prices(half_spread=1_000, depth=100))
    assert desk.place(500, ord_type="Market")["ordStatus"] == "Filled"


@pytest.mark.parametrize(("quantity", "price"), [(200, 53_000), (-200, 47_000)])
def test_a_large_limit_order_far_beyond_the_market_is_refused(quantity: int, price: int) -> None:
    """More than 5 % through the market and more than the touch holds; either alone passes."""
    desk = Desk()
    desk.move(prices(depth=100))
    assert desk.refusal(lambda: desk.place(quantity, price=price)).message == "Invalid price"
    assert desk.place(quantity // 2, price=price)["ordStatus"] == "Filled"
    assert desk.place(quantity, price=50_000 + (price - 50_000) // 2)["cumQty"] == abs(quantity)


def test_amending_into_a_slip_is_refused() -> None:
    """The amendment is checked like a new order, and the order stays."""
    desk = Desk()
    desk.move(prices(depth=100))
    order = desk.place(500, price=49_000)
    assert desk.refusal(lambda: desk.amend(order, price=53_000)).message == "Invalid price"
    assert desk.order(order)["price"] == 49_000


def test_price_limits_of_a_contract() -> None:
    """No order beyond limitUpPrice or limitDownPrice, waiting ones included."""
    desk = Desk()
    desk.move(prices(limit_down=49_000, limit_up=51_000))
    assert desk.refusal(lambda: desk.place(100, price=48_999)).message == "Price less than limitDownPrice"
    assert desk.refusal(lambda: desk.place(-100, price=51_001)).message == "Price greater than limitUpPrice"
    refused = desk.refusal(lambda: desk.place(100, price=51_001, stop_px=50_500))
    assert refused.message == "Price greater than limitUpPrice"
    assert desk.place(100, price=49_000)["ordStatus"] == "New"
