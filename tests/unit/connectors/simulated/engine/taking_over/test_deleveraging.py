"""Auto-deleveraging: who gives way, in which order, at which price, and how it shows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.inputs import OpenAccount, SetLeverage
from connectors.simulated.engine.taking_over.deleveraging import queue, score
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, XBT, Desk, number, prices, tables

CAROL = 3
CRASH = prices(mark=47_000)
NO_ORDER = "00000000-0000-0000-0000-000000000000"


def crowd(bob: int = -60_000, carol: int = -60_000, **switches: object) -> Desk:
    """Return a desk without a fund: Alice long 25x, Bob short 20x and Carol short 5x against the market."""
    desk = Desk(insurance_fund={}, **switches)
    desk.apply(OpenAccount(account=CAROL, balances={"XBt": XBT}))
    for number_, quantity, leverage in ((ALICE, 100_000, 25), (BOB, bob, 20), (CAROL, carol, 5)):
        desk.apply(SetLeverage(account=number_, symbol="XBTUSD", leverage=Decimal(leverage)))
        if quantity:
            desk.place(quantity, account=number_, ord_type="Market")
    return desk


def crash(desk: Desk) -> None:
    """Let the mark fall far beyond Alice's bankruptcy price until nothing is left of her position."""
    for _ in range(3):
        desk.move(CRASH)
        assert desk.exchange.money_is_conserved()
    assert desk.exchange.liquidation_rows() == []


def test_score_multiplies_in_profit_and_divides_in_loss() -> None:
    """Twice the leverage doubles the rank of a gain and halves that of a loss."""
    gain = [score(mark_value=1000, cost=900, pnl=100, equity=equity) for equity in (100, 50)]
    loss = [score(mark_value=1000, cost=1100, pnl=-100, equity=equity) for equity in (100, 50)]
    assert gain[1] == 2 * gain[0] > 0
    assert 0 > loss[1] * 2 == pytest.approx(loss[0])


def test_queue_puts_profit_and_leverage_first() -> None:
    """Same profit, more leverage: Bob before Carol; the longs have a queue of their own."""
    desk = crowd()
    desk.move(prices(mark=49_500))
    world = desk.exchange.world
    assert [each.account.number for each in queue(world, "XBTUSD", -1)] == [BOB, CAROL]
    assert [each.account.number for each in queue(world, "XBTUSD", 1)] == [ALICE]


def test_accounts_give_way_in_order_at_the_bankruptcy_price() -> None:
    """100,000 to hand on: Bob's 60,000 whole, 40,000 of Carol's; both at Alice's bankruptcy price."""
    desk = crowd()
    bankrupt = desk.position()["bankruptPrice"]
    crash(desk)
    assert desk.position(account=BOB)["currentQty"] == 0
    assert desk.position(account=CAROL)["currentQty"] == -20_000
    for account, size in ((BOB, 60_000), (CAROL, 40_000)):
        row = desk.executions(account)[-1]
        assert (row["text"], row["lastPx"], row["lastQty"], row["side"]) == ("Deleverage", bankrupt, size, "Buy")
        assert (row["execType"], row["orderID"]) == ("Trade", NO_ORDER)
        assert (row["lastLiquidityInd"], row["timeInForce"]) == ("AddedLiquidity", "GoodTillCancel")
        assert row["tradePublishIndicator"] == "PublishTrade"


def test_orders_of_the_contract_go_and_the_state_is_shown() -> None:
    """Bob loses his orders in XBTUSD and no others; his row says Deleverage, then is flat."""
    desk = crowd()
    limit = desk.place(-100, account=BOB, price=52_000)
    stop = desk.stop(55_000, side="Buy", account=BOB)
    other = desk.place(100, account=BOB, price=40_000, symbol="XBTH27")
    desk.move(CRASH)
    desk.move(CRASH)
    changes = desk.move(CRASH)
    bobs = [change for change in changes if change.account == BOB]
    assert tables(bobs)[:5] == ["order", "execution", "order", "execution", "position"]
    assert [c.row["posState"] for c in bobs if c.table == "position"] == ["Deleverage", None]
    for row in (limit, stop):
        assert desk.order(row)["ordStatus"] == "Canceled"
    assert desk.order(other)["ordStatus"] == "New"


def test_provider_takes_what_nobody_else_can() -> None:
    """Only 30,000 short among the accounts: they give way, the modelled side takes the other 70,000."""
    desk = crowd(bob=-30_000, carol=0)
    crash(desk)
    assert desk.position(account=BOB)["currentQty"] == 0


def test_nobody_is_deleveraged_into_a_liquidation_of_his_own() -> None:
    """A short opened after the crash could not bear Alice's bankruptcy price: it is passed over."""
    desk = crowd(bob=0, carol=0)
    desk.move(CRASH)
    desk.leverage(50, account=BOB)
    desk.place(-60_000, account=BOB, ord_type="Market")
    held = desk.position(account=BOB)["currentQty"]
    crash(desk)
    assert desk.position(account=BOB)["currentQty"] == held == -60_000
    assert number(desk.margin(account=BOB)["walletBalance"]) > 0


def test_percentile_is_the_place_among_the_others_of_the_side() -> None:
    """Bob, more leveraged, stands at the front of the shorts; Alice, alone long, is compared with fixed bounds."""
    desk = crowd()
    desk.at_ms += 60_000
    desk.move(prices(mark=49_500))
    shown = {account: desk.position(account=account)["deleveragePercentile"] for account in (ALICE, BOB, CAROL)}
    assert shown == {ALICE: Decimal("0.2"), BOB: 1, CAROL: Decimal("0.6")}
    desk.place(60_000, account=BOB, ord_type="Market")
    assert desk.position(account=BOB)["deleveragePercentile"] is None


def test_places_are_renewed_once_a_minute() -> None:
    """Within the minute a place stays; in the next one it follows the scores."""
    desk = crowd()
    world = desk.exchange.world
    desk.at_ms += 60_000
    desk.move(prices(mark=49_500))
    minute = world.ranked_minute
    desk.move(prices(mark=49_400))
    assert world.ranked_minute == minute
    desk.at_ms += 60_000
    desk.move(prices(mark=49_400))
    assert world.ranked_minute == minute + 1
