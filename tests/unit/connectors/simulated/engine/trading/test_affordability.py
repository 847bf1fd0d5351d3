"""What an account can pay for, and prices at which it would be gone before the order trades."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.inputs import OpenAccount, SetCrossLeverage, SetRiskLimit
from tests.unit.connectors.simulated.engine.desk import ALICE, XBT, Desk, number, prices


@pytest.mark.parametrize(
    ("quantity", "side", "text"),
    [
        (100_000, "Buy", "Order price is below the liquidation price of current long position"),
        (-100_000, "Sell", "Order price is above the liquidation price of current short position"),
    ],
)
def test_adding_where_the_position_would_be_gone_is_refused(quantity: int, side: str, text: str) -> None:
    """One step past the liquidation price of a 10x position; before it, and with the switch off, it passes."""
    desk, lenient = Desk(), Desk(refuse_beyond_liquidation=False)
    for one in (desk, lenient):
        one.leverage(10)
        one.place(quantity, ord_type="Market")
    edge = number(desk.position()["liquidationPrice"])
    past, before = (edge - 10, edge + 10) if side == "Buy" else (edge + 10, edge - 10)
    assert desk.refusal(lambda: desk.place(100, side=side, price=past)).message == text
    assert desk.place(100, side=side, price=before)["ordStatus"] == "New"
    assert lenient.place(100, side=side, price=past)["ordStatus"] == "New"


def test_closing_orders_may_stand_anywhere() -> None:
    """A sale of a long far below its liquidation price is a market order by another name."""
    desk = Desk()
    desk.leverage(10)
    desk.place(100_000, ord_type="Market")
    assert desk.place(-1_000, price=48_000)["ordStatus"] == "Filled"


def test_amending_down_frees_margin() -> None:
    """Half the order reserves half the margin."""
    desk = Desk()
    order = desk.place(10_000, price=49_000)
    before = number(desk.margin()["initMargin"])
    desk.amend(order, order_qty=5_000)
    assert number(desk.margin()["initMargin"]) * 2 == pytest.approx(before, abs=2)


def test_lot_values_follow_the_price() -> None:
    """What is remembered of one price is not used for another."""
    desk = Desk()
    order = desk.place(10_000, price=40_000)
    first = number(desk.position()["openOrderBuyCost"])
    desk.amend(order, price=20_000)
    assert number(desk.position()["openOrderBuyCost"]) == 2 * first
    desk.move(prices(mark=19_000))
    assert number(desk.position()["openOrderBuyCost"]) == 0


@pytest.mark.parametrize("fields", [{"ord_type": "StopLimit"}, {"ord_type": "LimitIfTouched"}])
def test_a_released_limit_needs_its_margin_once(fields: dict[str, str]) -> None:
    """An order of 60 % of the account passes when its trigger is met; one of 120 % does not."""
    desk = Desk()
    desk.apply(SetCrossLeverage(account=ALICE, symbol="XBTUSD", leverage=Decimal(1)))
    trigger = 50_100 if fields["ord_type"] == "StopLimit" else 50_200
    small = desk.place(30_000, stop_px=trigger, price=49_900, **fields)
    desk.move(prices(mark=50_150))
    assert (desk.order(small)["ordStatus"], desk.order(small)["workingIndicator"]) == ("New", True)
    large = desk.place(60_000, stop_px=50_160, price=49_900, ord_type="StopLimit")
    desk.move(prices(mark=50_170))
    assert desk.order(large)["ordStatus"] == "Rejected"


def test_an_account_has_a_risk_limit_of_its_own() -> None:
    """4,000 XBT in one contract and 5,600 in another pass, beyond 10,000 nothing does; dollars count apart."""
    desk = Desk()
    desk.apply(OpenAccount(account=3, balances={"XBt": 50_000 * XBT, "USDt": 10**14}))
    for symbol in ("XBTUSD", "XBTH27"):
        desk.apply(SetRiskLimit(account=3, symbol=symbol, risk_limit=9_000 * XBT))
    for _ in range(20):
        desk.place(10_000_000, account=3, price=49_900)
    for _ in range(35):
        assert desk.place(8_000_000, account=3, price=49_900, symbol="XBTH27")["ordStatus"] == "New"
    refused = desk.refusal(lambda: [desk.place(10_000_000, account=3, price=49_900, symbol="XBTH27") for _ in range(9)])
    assert refused.message == "Value of positions and orders exceeds account Risk Limit"
    assert desk.place(100, account=3, price=49_900, symbol="XBTUSDT")["ordStatus"] == "New"
    assert desk.exchange.margin_rows(3)[0]["riskValue"] <= desk.exchange.margin_rows(3)[0]["riskLimit"]
