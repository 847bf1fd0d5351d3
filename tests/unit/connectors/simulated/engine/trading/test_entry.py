"""Placing, cancelling and the dead man's switch of the embedded exchange."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.holdings.ledger import PositionState
from connectors.simulated.engine.inputs import CancelOrders, OpenAccount, PassTime, PlaceOrder
from connectors.simulated.engine.switches import ClientIdReuse
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, START_MS, XBT, Desk, prices


def test_market_order_fills_and_shows_the_final_state() -> None:
    """A market buy: answered Filled at the ask, executions New and Trade, position there."""
    desk = Desk()
    row = desk.place(1000, ord_type="Market")
    assert (row["ordStatus"], row["avgPx"], row["leavesQty"]) == ("Filled", Decimal("50000.5"), 0)
    assert [e["execType"] for e in desk.executions()] == ["New", "Trade"]
    assert desk.position()["currentQty"] == 1000


def test_price_alone_makes_a_limit_order_and_a_negative_quantity_sells() -> None:
    """The venue's defaults: type from the prices sent, side from the sign."""
    desk = Desk()
    row = desk.place(-100, price=51_000)
    assert (row["ordType"], row["side"], row["orderQty"]) == ("Limit", "Sell", 100)
    assert (row["ordStatus"], row["workingIndicator"]) == ("New", True)
    assert desk.place(-100, stop_px=49_000)["ordType"] == "Stop"
    assert desk.place(-100, stop_px=49_000, price=48_900)["ordType"] == "StopLimit"


def test_float_noise_counts_as_the_tick() -> None:
    """A price through a binary float is taken as the multiple of the tick it means."""
    desk = Desk()
    row = desk.place(100, price="44047.299999999996")
    assert row["price"] == Decimal("44047.3")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"quantity": 100, "symbol": "NOPE"}, "Invalid symbol"),
        ({"quantity": None}, "Invalid orderQty"),
        ({"quantity": 0}, "Invalid orderQty"),
        ({"quantity": 150}, "Order quantity must be a multiple of lot size: 100"),
        ({"quantity": 10_000_100}, "Invalid orderQty"),
        ({"quantity": 100, "price": "50000.05"}, "Invalid price tickSize"),
        ({"quantity": 100, "price": -1}, "Invalid price"),
        ({"quantity": 100, "price": 2_000_000}, "Invalid price"),
        ({"quantity": 100, "ord_type": "Limit"}, "Invalid price"),
        ({"quantity": 100, "ord_type": "Stop"}, "Invalid stopPx for ordType"),
        ({"quantity": 100, "stop_px": "49000.01"}, "Invalid stopPx tickSize"),
        ({"quantity": 100, "price": 5, "ord_type": "Limit", "stop_px": 5}, "Invalid stopPx for ordType"),
        ({"quantity": 100, "ord_type": "Bracket"}, "Unsupported ordType"),
        ({"quantity": 100, "exec_inst": "Sideways"}, "Invalid execInst"),
        ({"quantity": 100, "exec_inst": "AllOrNone"}, "Unsupported execInst"),
        ({"quantity": 100, "stop_px": 4, "exec_inst": "MarkPrice,LastPrice"}, "Invalid execInst"),
        ({"quantity": 100, "exec_inst": "MarkPrice"}, "Invalid ordType for execInst"),
        ({"quantity": 100, "exec_inst": "ParticipateDoNotInitiate"}, "Invalid ordType for execInst"),
        (
            {
                "quantity": 100,
                "price": 49_000,
                "exec_inst": "ParticipateDoNotInitiate",
                "time_in_force": "ImmediateOrCancel",
            },
            "Invalid ordType or timeInForce for execInst",
        ),
        ({"quantity": 100, "time_in_force": "Whenever"}, "Unsupported timeInForce"),
        ({"quantity": 100, "side": "Hold"}, "Invalid side"),
        ({"quantity": None, "stop_px": 49_000, "exec_inst": "Close"}, "Invalid side"),
        ({"quantity": 100, "cl_ord_id": "x" * 37}, "Invalid clOrdID"),
        ({"quantity": 100, "display_qty": 200, "price": 4}, "Invalid displayQty"),
        ({"quantity": 100, "peg_price_type": "LastPeg"}, "Unsupported pegPriceType"),
        ({"quantity": 100, "contingency_type": "OneCancelsTheOther"}, "Unsupported contingencyType"),
    ],
)
def test_invalid_requests_are_refused_with_the_venues_text(fields: dict[str, object], text: str) -> None:
    """Each kind of invalid order: 400, BitMEX's text, and no order is left behind."""
    desk = Desk()
    refused = desk.refusal(lambda: desk.place(**fields))  # type: ignore[arg-type]
    assert (refused.status, refused.message) == (400, text)
    assert desk.exchange.order_rows(ALICE) == []


def test_client_id_is_burnt_for_ever_by_default() -> None:
    """A finished order's id comes again: refused, or by switch only while it is open."""
    desk = Desk()
    desk.place(100, ord_type="Market", cl_ord_id="mine")
    refused = desk.refusal(lambda: desk.place(100, ord_type="Market", cl_ord_id="mine"))
    assert refused.message == "Duplicate clOrdID"
    lenient = Desk(client_id_reuse=ClientIdReuse.WHEN_CLOSED)
    lenient.place(100, ord_type="Market", cl_ord_id="mine")
    lenient.place(100, price=40_000, cl_ord_id="mine")
    assert lenient.refusal(lambda: lenient.place(100, price=1, cl_ord_id="mine")).message == "Duplicate clOrdID"


def test_ten_stops_and_two_hundred_orders_a_symbol() -> None:
    """The eleventh waiting stop and the 201st open order of a symbol are refused; other symbols are not."""
    desk = Desk()
    for count in range(10):
        desk.place(-100, stop_px=40_000 - count)
    assert desk.refusal(lambda: desk.place(-100, stop_px=30_000)).message == "Too many stop orders"
    desk.place(-100, stop_px=30_000, symbol="XBTH27")
    for count in range(190):
        desk.place(100, price=20_000 - count)
    assert desk.refusal(lambda: desk.place(100, price=10_000)).message == "Too many open orders"


def test_how_many_orders_a_symbol_takes_is_a_switch() -> None:
    """Two orders and one stop, where that is what was chosen."""
    desk = Desk(max_open_orders=2, max_stop_orders=1)
    desk.place(-100, stop_px=40_000)
    assert desk.refusal(lambda: desk.place(-100, stop_px=30_000)).message == "Too many stop orders"
    desk.place(100, price=20_000)
    assert desk.refusal(lambda: desk.place(100, price=10_000)).message == "Too many open orders"


def test_unaffordable_order_names_the_missing_margin() -> None:
    """More than the balance can carry: CodedHTTPError 19000 with the margin of the order."""
    desk = Desk()
    refused = desk.refusal(lambda: desk.place(6_000_000, price=50_000))
    assert refused.name == "CodedHTTPError"
    assert refused.details == "19000"
    cost = 6_000_000 * 100_000_000 // 50_000
    required = -(-cost * 11005 // 1_000_000)  # 1 % and 0.05 % * 2.01
    assert refused.message == f"Account has insufficient Available Balance, {required} XBt required"


def test_account_without_the_currency() -> None:
    """A contract in a currency the account never held is refused."""
    desk = Desk()
    desk.apply(OpenAccount(account=9, balances={"XBt": 1}))
    refused = desk.refusal(lambda: desk.place(100, account=9, symbol="XBTUSDT"))
    assert refused.message == "Account has no USDt"


def test_post_only_order_that_would_take_is_cancelled_not_refused() -> None:
    """A crossing post-only order: HTTP 200 and a Canceled row with the reason."""
    row = Desk().place(100, price=51_000, exec_inst="ParticipateDoNotInitiate")
    assert row["ordStatus"] == "Canceled"
    assert str(row["text"]).startswith("Canceled: Order had execInst of ParticipateDoNotInitiate")


def test_post_only_order_that_would_take_is_never_new_on_the_order_table() -> None:
    """One row on `order`, Canceled; the executions tell both. A post-only order that rests is New first."""
    desk = Desk()
    desk.exchange.take_changes()

    def told() -> list[tuple[str, object]]:
        changes = desk.exchange.take_changes()
        return [(c.table, c.row["ordStatus"]) for c in changes if c.table in {"order", "execution"}]

    desk.place(100, price=51_000, exec_inst="ParticipateDoNotInitiate")
    assert told() == [("execution", "New"), ("order", "Canceled"), ("execution", "Canceled")]
    desk.place(100, price=49_000, exec_inst="ParticipateDoNotInitiate")
    assert told() == [("order", "New"), ("execution", "New"), ("order", "New")]


def test_reduce_only_with_nothing_to_reduce_is_cancelled_not_refused() -> None:
    """ReduceOnly and Close on a flat account, and on the wrong side: 200 with a Canceled row."""
    desk = Desk()
    flat = desk.place(100, side="Sell", exec_inst="ReduceOnly")
    assert flat["ordStatus"] == "Canceled"
    assert "current position is 0" in str(flat["text"])
    assert desk.place(exec_inst="Close")["ordStatus"] == "Canceled"
    desk.place(1000, ord_type="Market")
    wrong = desk.place(100, side="Buy", exec_inst="ReduceOnly")
    assert "execInst of ReduceOnly and side of Buy but current position is 1000" in str(wrong["text"])


def test_close_without_anything_closes_at_market() -> None:
    """Close with neither quantity, price, type nor side: the whole position at market."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    row = desk.place(exec_inst="Close")
    assert (row["ordStatus"], row["side"], row["cumQty"]) == ("Filled", "Sell", 1000)
    assert desk.position()["currentQty"] == 0


def test_fill_or_kill_and_immediate_or_cancel() -> None:
    """A thin book: FillOrKill does nothing, ImmediateOrCancel takes what is there."""
    desk = Desk()
    desk.move(prices(depth=100))
    killed = desk.place(1000, price="50000.5", time_in_force="FillOrKill")
    assert (killed["ordStatus"], killed["cumQty"]) == ("Canceled", 0)
    partly = desk.place(1000, price="50000.5", time_in_force="ImmediateOrCancel")
    assert (partly["ordStatus"], partly["cumQty"]) == ("Canceled", 100)


def test_cancel_answers_row_by_row() -> None:
    """An open, a finished and an unknown id in one cancel: three rows, two with an error."""
    desk = Desk()
    resting = desk.place(100, price=40_000)
    done = desk.place(100, ord_type="Market")
    rows = desk.cancel(resting["orderID"], done["orderID"], "no-such-order")
    assert rows[0]["ordStatus"] == "Canceled"
    assert rows[0]["text"] == "Canceled\nCanceled via API."
    assert rows[1]["error"] == "Unable to cancel order due to existing state: Filled"
    assert rows[2] == {
        "account": ALICE,
        "error": "Unable to cancel order",
        "orderID": "no-such-order",
        "timestamp": rows[2]["timestamp"],
        "transactTime": rows[2]["transactTime"],
        "workingIndicator": False,
    }
    strict = Desk(unknown_cancel_is_404=True)
    assert strict.refusal(lambda: strict.cancel("no-such-order")).status == 404


def test_cancel_by_client_id_belongs_to_the_account() -> None:
    """Another account's order can not be cancelled, by either id."""
    desk = Desk()
    placed = desk.place(100, price=40_000, cl_ord_id="mine")
    assert "error" in desk.cancel(placed["orderID"], account=BOB)[0]
    assert "error" in desk.apply(CancelOrders(account=BOB, cl_ord_ids=("mine",)))[0]
    assert desk.apply(CancelOrders(account=ALICE, cl_ord_ids=("mine",)))[0]["ordStatus"] == "Canceled"


def test_cancel_all_takes_waiting_stops_and_keeps_to_its_symbol() -> None:
    """Cancel all of one symbol leaves the others; cancel all takes stops as well."""
    desk = Desk()
    desk.place(-100, stop_px=40_000)
    desk.place(100, price=40_000)
    other = desk.place(100, price=40_000, symbol="XBTH27")
    assert len(desk.cancel_all(symbol="XBTUSD")) == 2
    assert [row["orderID"] for row in desk.cancel_all()] == [other["orderID"]]


def test_dead_mans_switch_takes_the_stops_along() -> None:
    """The timer runs out (P6): every order of every symbol goes, waiting stops too, of this account only."""
    desk = Desk()
    reply = desk.arm(60_000)
    assert reply["now"] != reply["cancelTime"]
    stop = desk.place(-100, stop_px=40_000)
    limit = desk.place(100, price=40_000, symbol="XBTH27")
    others = desk.place(100, price=40_000, account=BOB)
    assert desk.exchange.next_timer_ms() == START_MS + 60_000
    desk.at_ms += 59_999
    desk.apply(PassTime())
    assert desk.order(stop)["ordStatus"] == "New"
    desk.at_ms += 1
    desk.apply(PassTime())
    assert {desk.order(row)["ordStatus"] for row in (stop, limit)} == {"Canceled"}
    assert desk.order(others)["ordStatus"] == "New"
    assert desk.exchange.next_timer_ms() is None


def test_dead_mans_switch_is_replaced_and_switched_off() -> None:
    """A second feed replaces the timer, zero switches it off and answers no cancel time."""
    desk = Desk()
    desk.arm(1_000)
    desk.arm(60_000)
    stop = desk.place(-100, stop_px=40_000)
    desk.at_ms += 2_000
    desk.apply(PassTime())
    assert desk.order(stop)["ordStatus"] == "New"
    assert desk.arm(0)["cancelTime"] is None
    desk.at_ms += 600_000
    desk.apply(PassTime())
    assert desk.order(stop)["ordStatus"] == "New"


def test_halted_market_takes_no_orders_but_cancels() -> None:
    """While the contract is halted: orders are refused, cancels work, stops wait."""
    desk = Desk()
    stop = desk.place(-100, stop_px=49_000)
    desk.move(prices(mark=48_000, halted=True))
    assert desk.refusal(lambda: desk.place(100)).message == "Market is not open"
    assert desk.order(stop)["triggered"] is None
    assert desk.cancel(stop["orderID"])[0]["ordStatus"] == "Canceled"


def test_before_the_first_price_nothing_trades() -> None:
    """An exchange whose tape has not begun refuses orders."""
    desk = Desk()
    desk.exchange = Exchange()
    desk.apply(OpenAccount(account=ALICE, balances={"XBt": XBT}))
    refused = desk.refusal(lambda: desk.apply(PlaceOrder(account=ALICE, symbol="XBTUSD", order_qty=100)))
    assert refused.message == "Instrument has no mark price"


def test_day_order_ends_at_midnight_utc() -> None:
    """The timer is visible, fires at 00:00 UTC of the protocol clock, and takes waiting stops of the day along."""
    desk = Desk()
    order = desk.place(100, price=40_000, time_in_force="Day")
    stop = desk.place(-100, stop_px=40_000, time_in_force="Day")
    stays = desk.place(100, price=40_000)
    midnight = (START_MS // 86_400_000 + 1) * 86_400_000
    assert desk.exchange.next_timer_ms() == midnight
    desk.at_ms = midnight - 1
    desk.apply(PassTime())
    assert desk.order(order)["ordStatus"] == "New"
    desk.at_ms = midnight
    desk.apply(PassTime())
    assert [desk.order(row)["ordStatus"] for row in (order, stop, stays)] == ["Canceled", "Canceled", "New"]
    assert str(desk.order(order)["text"]).startswith("Canceled: Order had timeInForce of Day")
    assert desk.exchange.next_timer_ms() is None


def test_a_finished_day_order_leaves_no_timer() -> None:
    """Filled or cancelled before midnight: nothing is due any more."""
    desk = Desk()
    desk.place(100, ord_type="Market", time_in_force="Day")
    desk.cancel(desk.place(100, price=40_000, time_in_force="Day")["orderID"])
    assert desk.exchange.next_timer_ms() is None


def test_answers_can_be_pending() -> None:
    """The switch on: the answer says that the request is on its way, the stream and a query say what became of it."""
    desk = Desk(pending_answers=True)
    bought = desk.place(100, ord_type="Market")
    assert (bought["ordStatus"], bought["cumQty"], bought["leavesQty"]) == ("PendingNew", 0, 100)
    assert desk.order(bought)["ordStatus"] == "Filled"
    resting = desk.place(100, price=40_000)
    assert desk.amend(resting, price=41_000)["ordStatus"] == "PendingReplace"
    assert desk.cancel(resting["orderID"])[0]["ordStatus"] == "PendingCancel"
    assert desk.order(resting)["ordStatus"] == "Canceled"
    assert "PendingNew" not in {row["ordStatus"] for row in desk.executions()}


def test_failed_cancel_shows_on_the_executions() -> None:
    """A finished order and an unknown id: CancelReject rows that speak of the request and name no symbol."""
    desk = Desk()
    done = desk.place(100, ord_type="Market", cl_ord_id="mine")
    desk.cancel(done["orderID"], "no-such-order")
    finished, unknown = desk.executions()[-2:]
    assert finished["text"] == finished["ordRejReason"] == "Unable to cancel order due to existing state: Filled"
    assert (finished["orderID"], finished["clOrdID"]) == (done["orderID"], "mine")
    assert (unknown["orderID"], unknown["ordRejReason"], unknown["text"]) == (
        "no-such-order",
        "Invalid orderID",
        "Invalid orderID",
    )
    for row in (finished, unknown):
        assert (row["execType"], row["ordStatus"], row["workingIndicator"]) == ("CancelReject", "Rejected", False)
        assert row["symbol"] is row["side"] is None
    assert desk.order(done)["ordStatus"] == "Filled"


def test_failed_requests_can_leave_the_executions_alone() -> None:
    """The switch off: no row at all."""
    desk = Desk(reject_executions=False)
    desk.cancel("no-such-order")
    desk.refusal(lambda: desk.amend({"orderID": "none"}, order_qty=100))
    assert desk.executions() == []


def test_position_in_liquidation_takes_no_orders() -> None:
    """While the liquidator has the position, new orders and amendments are refused; cancels work."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    resting = desk.place(100, price=40_000)
    desk.exchange.world.accounts[ALICE].positions["XBTUSD"].state = PositionState.LIQUIDATION
    assert desk.refusal(lambda: desk.place(100, price=40_000)).message == "Position is in liquidation"
    assert desk.refusal(lambda: desk.amend(resting, price=41_000)).message == "Position is in liquidation"
    assert desk.cancel(resting["orderID"])[0]["ordStatus"] == "Canceled"


@pytest.mark.parametrize(
    ("shows", "text"), [(-100, "Invalid displayQty"), (50, "Invalid displayQty"), (2_000, "Invalid displayQty")]
)
def test_display_quantity_is_whole_lots_and_no_more_than_the_order(shows: int, text: str) -> None:
    """Below zero, half a lot, more than there is."""
    desk = Desk()
    assert desk.refusal(lambda: desk.place(1_000, price=49_000, display_qty=shows)).message == text
