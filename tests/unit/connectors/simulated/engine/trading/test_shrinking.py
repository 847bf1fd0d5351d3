"""ReduceOnly and Close orders while the position changes under them."""

from __future__ import annotations

from tests.unit.connectors.simulated.engine.desk import Desk, prices


def test_resting_reduce_only_orders_are_cut_least_aggressive_first() -> None:
    """A long of 1000 with two take-profits of 600: the farther one is cut to 400, then goes with the position."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    far = desk.place(-600, price=52_000, exec_inst="ReduceOnly")
    near = desk.place(-600, price=51_000, exec_inst="ReduceOnly")
    desk.place(-100, ord_type="Market")
    assert (desk.order(near)["leavesQty"], desk.order(far)["leavesQty"]) == (600, 300)
    desk.place(-400, ord_type="Market")
    assert (desk.order(near)["leavesQty"], desk.order(far)["ordStatus"]) == (500, "Canceled")
    desk.place(-500, ord_type="Market")
    assert "current position is 0" in str(desk.order(near)["text"])


def test_reduce_only_never_flips() -> None:
    """Reduce-only for more than the position stops at flat."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    row = desk.place(-5000, ord_type="Market", exec_inst="ReduceOnly")
    assert (row["ordStatus"], row["cumQty"]) == ("Filled", 1000)
    assert desk.position()["currentQty"] == 0


def test_flip_cancels_reduce_only_orders_of_the_old_side() -> None:
    """Long to short in one order: the old take-profit would now add, so it goes."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    profit = desk.place(-1000, price=52_000, exec_inst="ReduceOnly")
    desk.place(-2000, ord_type="Market")
    assert desk.position()["currentQty"] == -1000
    assert desk.order(profit)["ordStatus"] == "Canceled"


def test_triggered_close_stop_follows_the_size_and_makes_room() -> None:
    """The position has grown and a bot's limit rests on the side: all is sold, the limit goes."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    stop = desk.stop(49_000)
    desk.place(2000, ord_type="Market")
    profit = desk.place(-1000, price=52_000)
    entry = desk.place(1000, price=40_000)
    assert desk.order(profit)["ordStatus"] == "New"
    desk.move(prices(mark=49_000))
    assert desk.order(stop)["cumQty"] == 3000
    assert desk.order(profit)["ordStatus"] == "Canceled"
    assert desk.order(entry)["ordStatus"] == "New"
    assert desk.position()["currentQty"] == 0


def test_close_with_a_quantity_leaves_room_for_others() -> None:
    """Close of half with a limit on the other half: together no more than the position, nothing goes."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    profit = desk.place(-500, price=52_000)
    desk.place(500, side="Sell", ord_type="Market", exec_inst="Close")
    assert desk.order(profit)["ordStatus"] == "New"
    assert desk.position()["currentQty"] == 500


def test_two_stops_of_the_whole_position_do_not_sell_twice() -> None:
    """Guard and bot both hold a Close stop: the second finds nothing and is cancelled."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    first, second = desk.stop(49_000), desk.stop(49_000)
    desk.move(prices(mark=48_900))
    assert (desk.order(first)["ordStatus"], desk.order(second)["ordStatus"]) == ("Filled", "Canceled")
    assert desk.position()["currentQty"] == 0


def test_an_order_that_is_cut_often_says_so_once() -> None:
    """A bot that trims its position all day must not make the take-profit's text grow."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    profit = desk.place(-1000, price=52_000, exec_inst="ReduceOnly")
    for _ in range(5):
        desk.place(-100, ord_type="Market")
    row = desk.order(profit)
    assert row["leavesQty"] == 500
    assert str(row["text"]).count("Amended orderQty") == 1
