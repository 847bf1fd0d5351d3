"""Amendments of open orders."""

from __future__ import annotations

import pytest

from connectors.simulated.engine.inputs import AmendOrder
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, Desk, prices


def test_stop_moves_and_keeps_its_id() -> None:
    """A protective stop is amended upwards: same id, Replaced on the executions, fires at the new price."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    stop = desk.stop(49_000)
    row = desk.amend(stop, stop_px=49_500)
    assert (row["orderID"], row["stopPx"]) == (stop["orderID"], 49_500)
    assert row["text"] == "Amended stopPx\nSubmitted via API."
    assert desk.executions()[-1]["execType"] == "Replaced"
    desk.move(prices(mark=49_500))
    assert desk.order(stop)["ordStatus"] == "Filled"


def test_stop_amended_beyond_the_mark_fires_at_once() -> None:
    """The new trigger is crossed already: done in the same step, or refused by switch with the old stop kept."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    stop = desk.stop(49_000)
    assert desk.amend(stop, stop_px=50_500)["ordStatus"] == "Filled"
    strict = Desk(refuse_crossed_stops=True)
    strict.place(1000, ord_type="Market")
    stop = strict.stop(49_000)
    assert strict.refusal(lambda: strict.amend(stop, stop_px=50_500)).message == "Invalid stopPx for ordType"
    assert strict.order(stop)["stopPx"] == 49_000


def test_limit_amended_across_the_spread_trades() -> None:
    """A resting buy moved above the ask fills there."""
    desk = Desk()
    order = desk.place(1000, price=49_000)
    assert desk.amend(order, price=50_100)["ordStatus"] == "Filled"
    assert desk.position()["currentQty"] == 1000


def test_quantity_and_price_together() -> None:
    """Both columns are named in the text, the margin follows."""
    desk = Desk()
    order = desk.place(1000, price=49_000)
    row = desk.amend(order, order_qty=2000, price=48_000)
    assert (row["orderQty"], row["leavesQty"], row["price"]) == (2000, 2000, 48_000)
    assert row["text"] == "Amended orderQty price\nSubmitted via API."


def test_client_id_can_be_replaced() -> None:
    """By origClOrdID with a new clOrdID: both ids are used up, the new one names the order."""
    desk = Desk()
    desk.place(1000, price=49_000, cl_ord_id="one")
    desk.apply(AmendOrder(account=ALICE, orig_cl_ord_id="one", cl_ord_id="two", order_qty=500))
    refused = desk.refusal(lambda: desk.place(100, price=1, cl_ord_id="two"))
    assert refused.message == "Duplicate clOrdID"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "Invalid amend: orderQty, leavesQty, price, stopPx unchanged"),
        ({"price": 49_000}, "Invalid amend: orderQty, leavesQty, price, stopPx unchanged"),
        ({"price": "49000.01"}, "Invalid price tickSize"),
        ({"stop_px": 49_000}, "Invalid stopPx for ordType"),
        ({"order_qty": 150}, "Order quantity must be a multiple of lot size: 100"),
        ({"leaves_qty": 0}, "Invalid leavesQty"),
        ({"leaves_qty": 150}, "Invalid leavesQty for lotSize"),
        ({"leaves_qty": 100_000_000}, "Invalid leavesQty"),
        ({"order_qty": 100, "leaves_qty": 100}, "Invalid orderQty or leavesQty"),
        ({"order_qty": 9_000_000}, "Account has insufficient Available Balance"),
    ],
)
def test_invalid_amendments_change_nothing(fields: dict[str, object], text: str) -> None:
    """Each refusal has the venue's text, and the order stays as it was."""
    desk = Desk()
    order = desk.place(1000, price=49_000)
    assert desk.refusal(lambda: desk.amend(order, **fields)).message.startswith(text)
    assert desk.order(order) == order


def test_finished_and_unknown_orders() -> None:
    """A filled order names its state; unknown ids of either kind have texts of their own."""
    desk = Desk()
    done = desk.place(1000, ord_type="Market")
    assert desk.refusal(lambda: desk.amend(done, order_qty=2000)).message == "Invalid ordStatus: Filled"
    assert desk.refusal(lambda: desk.amend({"orderID": "none"}, order_qty=1)).message == "Invalid orderID"
    call = AmendOrder(account=ALICE, orig_cl_ord_id="none", order_qty=1)
    assert desk.refusal(lambda: desk.apply(call)).message == "Invalid origClOrdID"
    nameless = AmendOrder(account=ALICE, order_qty=1)
    assert desk.refusal(lambda: desk.apply(nameless)).message == "orderID or origClOrdID must be sent."


@pytest.mark.parametrize(
    ("change", "keeps_its_place"),
    [
        ({"order_qty": 300}, True),
        ({"leaves_qty": 400}, True),
        ({"order_qty": 800}, False),
        ({"price": "50000.3"}, False),
    ],
)
def test_only_shrinking_keeps_the_place_in_the_queue(change: dict[str, object], keeps_its_place: bool) -> None:
    """Less quantity: still first. More, or another price and back: behind whoever came meanwhile."""
    desk = Desk()
    first, second = desk.place(-500, price="50000.2"), desk.place(-500, price="50000.2")
    desk.amend(first, **change)
    if "price" in change:
        desk.amend(first, price="50000.2")
    desk.place(100, account=BOB, price="50000.2")
    assert (desk.order(first)["cumQty"] == 100) is keeps_its_place
    assert (desk.order(second)["cumQty"] == 0) is keeps_its_place


def test_filled_order_lives_again_within_a_minute() -> None:
    """`leavesQty` on a filled limit order: PartiallyFilled and resting once more, and it fills again."""
    desk = Desk()
    order = desk.place(100, price=50_001, cl_ord_id="again", time_in_force="Day")
    assert (order["ordStatus"], desk.exchange.next_timer_ms()) == ("Filled", None)
    desk.move(prices(mark=51_000), tape_ms=None)
    desk.at_ms += 58_000
    row = desk.amend(order, leaves_qty=200)
    assert (row["ordStatus"], row["orderQty"], row["leavesQty"], row["cumQty"]) == ("PartiallyFilled", 300, 200, 100)
    assert row["workingIndicator"] is True
    assert desk.exchange.next_timer_ms() is not None
    desk.move(prices(mark=50_000))
    assert (desk.order(order)["ordStatus"], desk.order(order)["cumQty"]) == ("Filled", 300)
    assert desk.position()["currentQty"] == 300


def test_filled_order_is_final_after_a_minute_and_other_states_at_once() -> None:
    """61 s after the fill, a filled market order, a cancelled order, or another quantity field: refused by state."""
    desk = Desk()
    order, market = desk.place(100, price=50_001), desk.place(100, ord_type="Market")
    assert desk.refusal(lambda: desk.amend(order, order_qty=200)).message == "Invalid ordStatus: Filled"
    assert desk.refusal(lambda: desk.amend(market, leaves_qty=100)).message == "Invalid ordStatus: Filled"
    canceled = desk.cancel(desk.place(100, price=49_000)["orderID"])[0]
    assert desk.refusal(lambda: desk.amend(canceled, leaves_qty=100)).message == "Invalid ordStatus: Canceled"
    desk.at_ms += 60_001
    assert desk.refusal(lambda: desk.amend(order, leaves_qty=100)).message == "Invalid ordStatus: Filled"


def test_revived_reduce_only_order_shrinks_what_is_there() -> None:
    """It is fitted to the position like a new one, so it cannot turn it round."""
    desk = Desk()
    desk.place(1_000, ord_type="Market")
    order = desk.place(-400, price=49_000, exec_inst="ReduceOnly")
    assert order["ordStatus"] == "Filled"
    assert desk.amend(order, leaves_qty=5_000)["cumQty"] == 1_000
    assert desk.position()["currentQty"] == 0


def test_failed_amendment_shows_on_the_executions() -> None:
    """AmendReject with the text of the refusal; the order keeps its own state."""
    desk = Desk()
    order = desk.place(1_000, price=49_000)
    desk.refusal(lambda: desk.amend(order, price="49000.01"))
    row = desk.executions()[-1]
    assert (row["execType"], row["ordStatus"], row["orderID"]) == ("AmendReject", "Rejected", order["orderID"])
    assert row["text"] == row["ordRejReason"] == "Invalid price tickSize"
    assert desk.order(order)["ordStatus"] == "New"


def test_text_tells_all_that_was_amended() -> None:
    """Both columns by their names, then the words of the request before."""
    desk = Desk()
    row = desk.amend(desk.place(1_000, price=49_000), order_qty=500, price=49_100)
    assert row["text"] == "Amended orderQty price\nSubmitted via API."


def test_a_reduce_only_order_amended_beyond_the_position_is_cut_in_all_its_rows() -> None:
    """The answer, the stream and the order itself say what is left of it."""
    desk = Desk()
    desk.place(500, ord_type="Market")
    order = desk.place(-200, price=50_100, exec_inst="ReduceOnly")
    desk.exchange.take_changes()
    answer = desk.amend(order, order_qty=900)
    rows = [change.row for change in desk.exchange.take_changes() if change.table in ("order", "execution")]
    assert {(row["orderQty"], row["leavesQty"]) for row in (answer, *rows)} == {(500, 500)}
