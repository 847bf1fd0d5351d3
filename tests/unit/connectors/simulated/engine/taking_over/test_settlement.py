"""The end of contracts: by the calendar, by decree, and who can not bear the price."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from connectors.simulated.engine.contracts import XBTH27
from connectors.simulated.engine.inputs import PassTime, SettleContract
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, Desk, number, prices

EXPIRY_MS = round(datetime.fromisoformat(str(XBTH27.expiry)).timestamp() * 1000)
MINUTE_MS = 60_000
NO_ORDER = "00000000-0000-0000-0000-000000000000"


def holding_desk() -> Desk:
    """Return a desk with a long of Alice, a short of Bob, and an order and a stop of Alice in the future."""
    desk = Desk()
    desk.place(10_000, ord_type="Market", symbol="XBTH27")
    desk.place(-20_000, ord_type="Market", symbol="XBTH27", account=BOB)
    desk.place(100, price=40_000, symbol="XBTH27")
    desk.stop(30_000, symbol="XBTH27")
    return desk


def settle(desk: Desk, symbol: str = "XBTH27", price: object = None) -> None:
    """Settle a contract by input."""
    desk.apply(SettleContract(symbol=symbol, price=None if price is None else Decimal(str(price))))


def instrument(desk: Desk, symbol: str) -> dict[str, object]:
    """Return an instrument's row."""
    return next(row for row in desk.exchange.instrument_rows() if row["symbol"] == symbol)


def test_rows_of_a_settlement() -> None:
    """Orders go, positions close by executions without side or order, the row of the table says the price."""
    desk = holding_desk()
    desk.exchange.take_changes()
    settle(desk, price=52_000)
    changes = desk.exchange.take_changes()
    for account in (ALICE, BOB):
        assert desk.position("XBTH27", account)["currentQty"] == 0
        row = desk.executions(account)[-1]
        assert (row["execType"], row["text"], row["lastPx"]) == ("Settlement", "Settlement", 52_000)
        assert (row["side"], row["orderID"], row["timeInForce"]) == (None, NO_ORDER, "AtTheClose")
    assert all(row["ordStatus"] in {"Filled", "Canceled"} for row in desk.exchange.order_rows(ALICE))
    (row,) = desk.exchange.settlement_rows()
    assert (row["symbol"], row["settlementType"], row["settledPrice"]) == ("XBTH27", "Settlement", 52_000)
    assert [c.row for c in changes if c.table == "settlement"] == [row]
    assert instrument(desk, "XBTH27")["state"] == "Settled"
    assert desk.exchange.money_is_conserved()
    assert not any(desk.exchange.world.house.provider_quantity[symbol] for symbol in ("XBTH27",))


def test_result_is_the_value_at_the_price_and_booked_at_once() -> None:
    """A long of 10,000 from 50,500.5 to 52,000: the difference of the values, in the wallet's amount."""
    desk = Desk()
    desk.place(10_000, ord_type="Market", symbol="XBTH27")
    entry = number(desk.position("XBTH27")["unrealisedCost"])
    before = number(desk.margin()["walletBalance"])
    settle(desk, price=52_000)
    won = XBTH27.signed_cost(10_000, Decimal(52_000)) - entry
    margin = desk.margin()
    assert won > 0
    assert margin["amount"] == margin["walletBalance"] == before + won
    assert desk.exchange.wallet_history_rows(ALICE)[-1]["transactType"] == "RealisedPNL"


def test_expiry_settles_at_the_mean_index_of_thirty_minutes() -> None:
    """Forty minutes of rising index before the expiry: the mean of the last thirty counts."""
    desk = holding_desk()
    for minute in range(40):
        desk.at_ms = EXPIRY_MS - (40 - minute) * MINUTE_MS - 1000
        desk.move(prices("XBTH27", 50_500, index=50_000 + minute))
    desk.at_ms = EXPIRY_MS - 1
    desk.apply(PassTime())
    assert desk.exchange.settlement_rows() == []
    desk.at_ms = EXPIRY_MS
    desk.apply(PassTime())
    (row,) = desk.exchange.settlement_rows()
    assert row["settledPrice"] == Decimal("50024.5")  # minutes 10 to 39
    assert desk.position("XBTH27")["currentQty"] == 0


def test_settled_contract_takes_neither_orders_nor_prices() -> None:
    """After the end: `Instrument expired`, prices are ignored, a second settlement is refused."""
    desk = holding_desk()
    settle(desk)
    assert desk.refusal(lambda: desk.place(100, price=40_000, symbol="XBTH27")).message == "Instrument expired"
    desk.move(prices("XBTH27", 60_000))
    assert desk.exchange.world.markets["XBTH27"].mark == 50_500
    assert desk.refusal(lambda: settle(desk)).message == "Instrument expired"


@pytest.mark.parametrize(("symbol", "price"), [("NOPE", 1), ("XBTUSD", 0), ("XBTUSD", "NaN"), ("XBTUSD", 10**7)])
def test_settlement_that_cannot_be(symbol: str, price: object) -> None:
    """An unknown contract or a price that is none changes nothing."""
    desk = holding_desk()
    desk.refusal(lambda: settle(desk, symbol, price))
    assert desk.exchange.settlement_rows() == []


def test_whoever_cannot_bear_the_price_is_liquidated_before() -> None:
    """A settlement far below a 25x long's bankruptcy price costs its margin and no more."""
    desk = Desk()
    desk.leverage(25)
    desk.place(100_000, ord_type="Market")
    desk.place(10_000, account=BOB, ord_type="Market")
    bankrupt = desk.position()["bankruptPrice"]
    settle(desk, "XBTUSD", 30_000)
    row = desk.executions()[-1]
    assert (row["text"], row["lastPx"]) == ("Liquidation", bankrupt)
    assert desk.executions(BOB)[-1]["text"] == "Settlement"
    assert number(desk.margin()["walletBalance"]) > 0
    assert desk.exchange.liquidation_rows() == []
    assert desk.exchange.money_is_conserved()


def test_empty_fund_at_settlement_lets_the_other_side_give_way() -> None:
    """With nothing in the fund the opposing account closes at the bankruptcy price, not at the settlement's."""
    desk = Desk(insurance_fund={})
    desk.leverage(25)
    desk.place(100_000, ord_type="Market")
    desk.place(-50_000, account=BOB, ord_type="Market")
    bankrupt = desk.position()["bankruptPrice"]
    settle(desk, "XBTUSD", 30_000)
    row = desk.executions(BOB)[-1]
    assert (row["text"], row["lastPx"]) == ("Deleverage", bankrupt)
    assert desk.exchange.money_is_conserved()


def test_wind_down_of_the_whole_venue() -> None:
    """Every contract settled in turn, perpetuals too: nobody holds anything, all money is in wallets."""
    desk = holding_desk()
    desk.place(10_000, ord_type="Market")
    desk.place(1_000, ord_type="Market", symbol="ETHUSD")
    desk.place(1_000, ord_type="Market", symbol="XBTUSDT", account=BOB)
    for symbol in ("XBTUSD", "XBTUSDT", "ETHUSD", "XBTH27"):
        settle(desk, symbol)
        assert desk.exchange.money_is_conserved()
    for account in (ALICE, BOB):
        assert not any(row["currentQty"] for row in desk.exchange.position_rows(account))
        for row in desk.exchange.margin_rows(account):
            assert row["availableMargin"] == row["walletBalance"] == row["amount"]
    assert not any(desk.exchange.world.house.provider_quantity.values())
