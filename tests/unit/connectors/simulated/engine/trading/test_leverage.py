"""Leverage, margin mode, added margin and risk limits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.inputs import (
    Deposit,
    Isolate,
    SetCrossLeverage,
    SetRiskLimit,
    SettleContract,
    TransferMargin,
)
from tests.unit.connectors.simulated.engine.desk import ALICE, XBT, Desk, number, prices


def test_setting_a_leverage_isolates_and_zero_goes_back_to_cross() -> None:
    """The leverage endpoint: isolated at 10x, then cross at 0, with the rows of each."""
    desk = Desk()
    desk.place(100_000, ord_type="Market")
    cross = desk.position()
    assert (cross["crossMargin"], cross["leverage"], cross["posInit"]) == (True, 100, 0)
    assert cross["posMargin"] == cross["posMaint"] == cross["maintMargin"]
    isolated = desk.leverage(10)
    assert (isolated["crossMargin"], isolated["leverage"]) == (False, 10)
    assert isolated["initMarginReq"] == Decimal("0.1")
    assert number(isolated["liquidationPrice"]) > number(cross["liquidationPrice"])
    assert desk.leverage(0)["crossMargin"] is True
    assert desk.position()["liquidationPrice"] == cross["liquidationPrice"]


@pytest.mark.parametrize(
    ("leverage", "text"),
    [(101, "Cannot exceed the maximum entry leverage"), ("0.001", "Invalid leverage"), (-1, "Invalid leverage")],
)
def test_leverage_out_of_range(leverage: object, text: str) -> None:
    """Too much, too little or negative leverage is refused."""
    desk = Desk()
    assert desk.refusal(lambda: desk.leverage(leverage)).message == text


def test_lower_leverage_that_costs_too_much_is_refused_and_changes_nothing() -> None:
    """1x of a position larger than the balance: insufficient balance, the row stays."""
    desk = Desk()
    desk.leverage(25)
    desk.place(200_000, ord_type="Market")
    before = desk.position()
    refused = desk.refusal(lambda: desk.leverage(1))
    assert refused.message.startswith("Account has insufficient Available Balance")
    assert desk.position() == before


def test_isolating_a_losing_position_makes_its_loss_good() -> None:
    """From cross to 100x isolated while in loss: the loss is added as margin, so it survives."""
    desk = Desk()
    desk.place(100_000, ord_type="Market")
    desk.move(prices(mark=48_000))
    row = desk.leverage(50)
    assert row["posCross"] == -number(row["unrealisedPnl"])
    assert number(row["liquidationPrice"]) < 48_000


def test_margin_added_by_hand_moves_the_liquidation_price_away() -> None:
    """Transfer in: liquidation further off; out again: back; more than was added: refused."""
    desk = Desk()
    desk.leverage(25)
    desk.place(100_000, ord_type="Market")
    edge = number(desk.position()["liquidationPrice"])
    available = number(desk.margin()["availableMargin"])
    desk.apply(TransferMargin(account=ALICE, symbol="XBTUSD", amount=5_000_000))
    assert number(desk.position()["liquidationPrice"]) < edge
    moved = available - number(desk.margin()["availableMargin"])
    assert moved == 5_000_000 + 2_500  # and the fee reserve on it
    desk.apply(TransferMargin(account=ALICE, symbol="XBTUSD", amount=-5_000_000))
    assert number(desk.position()["liquidationPrice"]) == edge
    refused = desk.refusal(lambda: desk.apply(TransferMargin(account=ALICE, symbol="XBTUSD", amount=-1)))
    assert refused.message == "Position has insufficient isolated margin"


def test_transfers_need_an_isolated_open_position() -> None:
    """Cross or flat positions take no transfers; more than the free margin is refused."""
    desk = Desk()

    def transfer(amount: int) -> str:
        call = TransferMargin(account=ALICE, symbol="XBTUSD", amount=amount)
        return desk.refusal(lambda: desk.apply(call)).message

    assert transfer(1) == "Position has cross margin enabled"
    desk.leverage(10)
    assert transfer(1) == "Invalid amount for isolated margin transfer"
    desk.place(1_000, ord_type="Market")
    assert transfer(XBT).startswith("Account has insufficient Available Balance")


def test_isolate_endpoint_keeps_the_leverage_in_force() -> None:
    """Isolate on an open cross position and back."""
    desk = Desk()
    desk.place(10_000, ord_type="Market")
    row = desk.apply(Isolate(account=ALICE, symbol="XBTUSD"))
    assert (row["crossMargin"], row["leverage"]) == (False, 100)
    assert desk.apply(Isolate(account=ALICE, symbol="XBTUSD", enabled=False))["crossMargin"] is True


def test_cross_leverage_raises_the_margin_of_orders_only() -> None:
    """At 10x cross: open orders reserve a tenth, the position still locks maintenance."""
    desk = Desk()
    desk.place(100_000, ord_type="Market")
    locked = desk.position()["posMaint"]
    desk.place(100_000, price=40_000)
    reserved = number(desk.position()["initMargin"])
    row = desk.apply(SetCrossLeverage(account=ALICE, symbol="XBTUSD", leverage=Decimal(10)))
    assert (row["crossMargin"], row["posMaint"]) == (True, locked)
    assert number(row["initMargin"]) > 9 * reserved


def test_risk_limit_raises_both_rates() -> None:
    """Two steps above the base: maintenance three times the base, leverage capped accordingly."""
    desk = Desk()
    row = desk.apply(SetRiskLimit(account=ALICE, symbol="XBTUSD", risk_limit=50_000_000_000))
    assert (row["initMarginReq"], row["maintMarginReq"]) == (Decimal("0.02"), Decimal("0.015"))
    assert row["leverage"] == 50
    assert desk.refusal(lambda: desk.leverage(60)).message == "Cannot exceed the maximum entry leverage"


def test_money_leaves_only_while_it_is_free() -> None:
    """A withdrawal larger than the free margin is refused; a deposit arrives on the wallet."""
    desk = Desk()
    desk.place(1_000_000, ord_type="Market")
    refused = desk.refusal(lambda: desk.apply(Deposit(account=ALICE, currency="XBt", amount=-XBT)))
    assert refused.message == "Insufficient withdrawable balance"
    before = number(desk.margin()["walletBalance"])
    desk.apply(Deposit(account=ALICE, currency="XBt", amount=XBT))
    assert number(desk.margin()["walletBalance"]) == before + XBT
    assert desk.exchange.money_is_conserved()


def test_risk_limit_counts_orders_and_their_margin() -> None:
    """A limit below position and orders together, or one whose rates the balance can not bear, is refused."""
    desk = Desk()
    desk.place(4_000_000, price=49_000)
    small = SetRiskLimit(account=ALICE, symbol="XBTUSD", risk_limit=8_000_000_000)
    refused = desk.refusal(lambda: desk.apply(small))
    assert refused.message == "Value of position and orders exceeds position Risk Limit"
    before = desk.position()
    large = SetRiskLimit(account=ALICE, symbol="XBTUSD", risk_limit=50_000_000_000)
    assert desk.refusal(lambda: desk.apply(large)).message.startswith("Account has insufficient Available Balance")
    assert desk.position() == before


def test_nothing_is_changed_in_liquidation_or_after_the_end() -> None:
    """A position that is being liquidated, and a contract that has settled, take no other margin mode."""
    desk = Desk(liquidation_delay_ms=5_000)
    desk.leverage(25)
    desk.place(100_000, ord_type="Market")
    desk.move(prices(mark=48_000))
    transfer = TransferMargin(account=ALICE, symbol="XBTUSD", amount=1_000_000)
    for call in (lambda: desk.leverage(5), lambda: desk.apply(transfer)):
        assert desk.refusal(call).message == "Position is in liquidation"
    desk.apply(SettleContract(symbol="XBTH27"))
    assert desk.refusal(lambda: desk.leverage(5, "XBTH27")).message == "Instrument expired"


def test_margin_that_keeps_a_position_alive_stays() -> None:
    """Below the price it would have been liquidated at without: nothing can be taken out, nothing has changed."""
    desk = Desk()
    desk.leverage(10)
    desk.place(100_000, ord_type="Market")
    desk.apply(TransferMargin(account=ALICE, symbol="XBTUSD", amount=20_000_000))
    desk.move(prices(mark=45_000))
    before = desk.exchange.save()
    taking = TransferMargin(account=ALICE, symbol="XBTUSD", amount=-20_000_000)
    assert desk.refusal(lambda: desk.apply(taking)).message == "Cannot exceed the maximum effective leverage"
    assert desk.exchange.save() == before


@pytest.mark.parametrize("amount", [10**18, 10**40, -(10**40)])
def test_absurd_amounts_are_refused_like_others(amount: int) -> None:
    """However many digits a client sends: a refusal, and nothing has changed."""
    desk = Desk()
    desk.leverage(10)
    desk.place(1_000, ord_type="Market")
    before = desk.exchange.save()
    for request in (
        TransferMargin(account=ALICE, symbol="XBTUSD", amount=amount),
        SetRiskLimit(account=ALICE, symbol="XBTUSD", risk_limit=amount),
        Deposit(account=ALICE, currency="XBt", amount=-abs(amount)),
    ):
        desk.refusal(lambda request=request: desk.apply(request))
    assert desk.exchange.save() == before
