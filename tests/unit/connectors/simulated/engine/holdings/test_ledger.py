"""Positions in the books: fills, partial closes, flips, bookings."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial

import pytest

from connectors.simulated.engine.contracts import ETHUSD, XBTUSD, XBTUSDT, Contract
from connectors.simulated.engine.holdings import ledger
from connectors.simulated.engine.holdings.ledger import Position
from connectors.simulated.engine.inputs import AmendOrder
from tests.unit.connectors.simulated.engine.desk import ALICE, Desk

FEE = Decimal("0.0005")


def a_position(contract: Contract = XBTUSD, **fields: int) -> Position:
    """Return a position, flat unless fields say otherwise."""
    return Position(account=1, contract=contract, leverage=Decimal(10), risk_limit=contract.risk_limit, **fields)


def test_partial_close_of_a_real_short() -> None:
    """A recorded short of 1656 buys back 10: cost, added margin, fee and result to the unit."""
    one_lot = replace(XBTUSD, lot_size=1, tick_size=Decimal("0.5"))
    position = a_position(
        one_lot,
        quantity=-1656,
        current_cost=46_512_552,
        current_comm=576_024,
        unrealised_cost=46_464_048,
        pos_cross=478_934,
        pos_loss=478_934,
    )
    cost, fee = position.fill(10, Decimal(3581), Decimal("0.00075"))
    assert (cost, fee) == (-279_250, 209)
    assert (position.quantity, position.unrealised_cost) == (-1646, 46_183_468)
    assert (position.current_cost, position.realised_cost) == (46_233_302, 49_834)
    assert position.pos_cross == position.pos_loss == 476_042
    assert position.realised_pnl == -626_067


def test_cost_signs_of_the_three_kinds() -> None:
    """Inverse buys cost negative, linear and quanto buys positive; profit has one sign for all."""
    for contract, price, up in ((XBTUSD, 50_000, 51_000), (XBTUSDT, 50_000, 51_000), (ETHUSD, 3_000, 3_100)):
        position = a_position(contract)
        cost, _ = position.fill(1000, Decimal(price), FEE)
        assert (cost < 0) is (contract is XBTUSD)
        assert position.unrealised_pnl(Decimal(up)) > 0
        position.fill(-2000, Decimal(price), FEE)
        assert position.quantity == -1000
        assert position.unrealised_pnl(Decimal(up)) < 0


def test_round_trip_realises_exactly_the_difference() -> None:
    """Buy and sell at the same price: the result is the two fees, nothing is left over."""
    position = a_position()
    fees = [position.fill(quantity, Decimal(50_000), FEE)[1] for quantity in (700, 300, -400, -600)]
    assert position.quantity == position.unrealised_cost == position.realised_cost == 0
    assert position.realised_pnl == -sum(fees)
    assert position.prev_realised_pnl == -sum(fees)
    assert position.realised_pnl + position.rebalanced_pnl == 0


def test_flip_starts_a_new_position() -> None:
    """Selling twice the long opens a short at the new price only."""
    position = a_position()
    position.fill(1000, Decimal(50_000), FEE)
    position.fill(-2000, Decimal(40_000), FEE)
    assert position.quantity == -1000
    assert position.unrealised_cost == XBTUSD.signed_cost(-1000, Decimal(40_000))
    assert position.prev_realised_pnl < 0


def test_booking_moves_the_result_and_keeps_the_open_part() -> None:
    """After a booking nothing is realised any more, what is open is untouched."""
    position = a_position()
    position.fill(1000, Decimal(50_000), FEE)
    position.fill(-500, Decimal(51_000), FEE)
    realised, open_cost = position.realised_pnl, position.unrealised_cost
    assert position.book() == realised
    assert (position.realised_pnl, position.rebalanced_pnl) == (0, realised)
    assert (position.unrealised_cost, position.current_cost) == (open_cost, open_cost)


def test_an_account_forgets_the_oldest_finished_orders_but_not_their_client_ids(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Finished orders and executions are bounded; open orders stay, and a used clOrdID stays refused."""
    monkeypatch.setattr(ledger, "KEPT_FINISHED_ORDERS", 3)
    monkeypatch.setattr(ledger, "KEPT_EXECUTIONS", 5)
    desk = Desk()
    resting = desk.place(100, price=40_000, cl_ord_id="stays")
    renamed = desk.place(100, price=41_000, cl_ord_id="a0")
    desk.apply(AmendOrder(account=ALICE, orig_cl_ord_id="a0", cl_ord_id="a1", price=Decimal(41_001)))
    desk.cancel(renamed["orderID"])
    ended = [desk.cancel(desk.place(100, price=40_000, cl_ord_id=f"b{n}")["orderID"])[0] for n in range(3)]
    shown = [row["orderID"] for row in desk.exchange.order_rows(ALICE)]
    assert shown == [resting["orderID"], *(row["orderID"] for row in ended)]
    assert len(desk.executions()) == 5
    for used in ("a0", "a1", "b0", "stays"):
        assert desk.refusal(partial(desk.place, 100, price=40_000, cl_ord_id=used)).message == "Duplicate clOrdID"
    assert desk.cancel(renamed["orderID"])[0]["error"] == "Unable to cancel order"
