"""Linked orders: cancelled, cut, held and released by one another."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.simulated.engine.changes import Row
from tests.unit.connectors.simulated.engine.desk import ALICE, BOB, Desk, prices

CANCELS, TRIGGERS = "OneCancelsTheOther", "OneTriggersTheOther"
UPDATES, PROPORTIONAL = "OneUpdatesTheOtherAbsolute", "OneUpdatesTheOtherProportional"


class LinkedDesk(Desk):
    """A desk where linked orders work and the tape brings no liquidity near."""

    def __init__(self, **switches: Any) -> None:
        super().__init__(linked_orders=True, **switches)
        self.move(prices(half_spread=100))

    def linked(self, kind: str, quantity: int, link: str = "pair", **fields: Any) -> Row:
        """Place an order with others of its link."""
        return self.place(quantity, contingency_type=kind, cl_ord_link_id=link, **fields)

    def statuses(self, *orders: Row) -> list[object]:
        """Return the states of orders now."""
        return [self.order(order)["ordStatus"] for order in orders]


def test_refused_where_the_venue_has_none() -> None:
    """The default: as since November 2018, whatever the kind."""
    desk = Desk()
    for kind in (CANCELS, TRIGGERS, UPDATES, PROPORTIONAL):
        refused = desk.refusal(
            lambda kind=kind: desk.place(100, price=49_000, contingency_type=kind, cl_ord_link_id="a")
        )
        assert refused.message == "Unsupported contingencyType"
    assert desk.place(100, price=49_000, cl_ord_link_id="a")["clOrdLinkID"] == "a"


def test_refusals_where_it_has() -> None:
    """An unknown kind, no link, and the eleventh of a contract."""
    desk = LinkedDesk()
    assert desk.refusal(lambda: desk.linked("Both", 100, price=49_000)).message == "Unsupported contingencyType"
    refused = desk.refusal(lambda: desk.linked(CANCELS, 100, link="", price=49_000))
    assert refused.message == "Invalid clOrdLinkID for contingencyType"
    for number in range(10):
        desk.linked(CANCELS, 100, link=f"l{number}", price=49_000)
    assert desk.refusal(lambda: desk.linked(CANCELS, 100, price=49_000)).message == "Too many contingent orders"


def test_one_fills_in_part_and_the_other_goes() -> None:
    """OCO: the first fill is enough; other links and other accounts are left alone."""
    desk = LinkedDesk()
    buy, other = desk.linked(CANCELS, 500, price=49_990), desk.linked(CANCELS, 500, price=49_000)
    apart = desk.linked(CANCELS, 500, link="apart", price=49_000)
    assert buy["contingencyType"] == CANCELS
    desk.place(-100, account=BOB, ord_type="Market")
    assert desk.statuses(buy, other, apart) == ["PartiallyFilled", "Canceled", "New"]


def test_a_stop_that_fires_cancels_the_take_profit() -> None:
    """OCO: meeting the trigger price is enough, and the limit order does not fill as well."""
    desk = LinkedDesk()
    desk.place(1_000, ord_type="Market")
    target = desk.linked(CANCELS, -1_000, price=51_000, exec_inst="ReduceOnly")
    stop = desk.linked(CANCELS, -1_000, stop_px=49_000, ord_type="Stop", exec_inst="MarkPrice,ReduceOnly")
    desk.move(prices(mark=48_900, half_spread=100))
    assert desk.statuses(target, stop) == ["Canceled", "Filled"]
    assert desk.position()["currentQty"] == 0


def test_cut_by_what_the_other_fills() -> None:
    """OUO absolute: down by the filled contracts, and gone when nothing is left."""
    desk = LinkedDesk()
    first, second = desk.linked(UPDATES, 500, price=49_990), desk.linked(UPDATES, 300, price=49_000)
    desk.place(-200, account=BOB, ord_type="Market")
    row = desk.order(second)
    assert (row["orderQty"], row["leavesQty"]) == (100, 100)
    assert str(row["text"]).startswith("Amended orderQty: Order had contingencyType of OneUpdatesTheOther")
    desk.place(-300, account=BOB, ord_type="Market")
    assert desk.statuses(first, second) == ["Filled", "Canceled"]


def test_cut_in_proportion() -> None:
    """OUO proportional: half filled leaves half of the other."""
    desk = LinkedDesk()
    desk.linked(PROPORTIONAL, 1_000, price=49_990)
    other = desk.linked(PROPORTIONAL, 400, price=49_000)
    desk.place(-500, account=BOB, ord_type="Market")
    assert desk.order(other)["leavesQty"] == 200


def test_a_bracket_comes_alive_when_its_entry_has_filled() -> None:
    """OTO with two legs: held, not working, not triggered; then released together, and one cancels the other."""
    desk = LinkedDesk()
    entry = desk.linked(TRIGGERS, 1_000, price=49_990)
    target = desk.linked(CANCELS, -1_000, price=51_000, exec_inst="ReduceOnly")
    stop = desk.linked(CANCELS, -1_000, stop_px=49_000, ord_type="Stop", exec_inst="ReduceOnly")
    assert [(row["ordStatus"], row["workingIndicator"], row["triggered"]) for row in (target, stop)] == [
        ("New", False, None),
        ("New", False, None),
    ]
    desk.place(-400, account=BOB, ord_type="Market")
    assert desk.order(target)["workingIndicator"] is False
    desk.place(-600, account=BOB, ord_type="Market")
    assert desk.order(entry)["ordStatus"] == "Filled"
    assert (desk.order(target)["triggered"], desk.order(target)["workingIndicator"]) == ("Triggered", True)
    desk.move(prices(mark=48_900, half_spread=100))
    assert desk.statuses(target, stop) == ["Canceled", "Filled"]


def test_what_waits_for_an_entry_goes_with_it() -> None:
    """OTO: the entry is cancelled, so are the orders behind it."""
    desk = LinkedDesk()
    entry = desk.linked(TRIGGERS, 1_000, price=49_990)
    behind = desk.place(-1_000, price=51_000, cl_ord_link_id="pair")
    desk.cancel(entry["orderID"])
    assert desk.statuses(entry, behind) == ["Canceled", "Canceled"]


@pytest.mark.parametrize("price", [49_000, 51_000])
def test_a_held_order_can_be_amended_and_does_not_trade(price: int) -> None:
    """Also across the market; it trades when it is released."""
    desk = LinkedDesk()
    desk.linked(TRIGGERS, 1_000, price=49_990)
    behind = desk.place(100, price=49_500, cl_ord_link_id="pair")
    assert desk.amend(behind, price=price)["ordStatus"] == "New"
    desk.place(-1_000, account=BOB, ord_type="Market")
    assert desk.order(behind)["ordStatus"] == ("New" if price == 49_000 else "Filled")


def test_what_waits_goes_also_when_the_input_of_that_instant_is_refused() -> None:
    """The dead man's switch ends the entry; the request that brought the time along is refused, the leg goes anyway."""
    desk = LinkedDesk()
    desk.arm(1_000)
    desk.linked(TRIGGERS, 1_000, price=49_990)
    behind = desk.place(-1_000, price=51_000, cl_ord_link_id="pair", account=ALICE)
    desk.at_ms += 1_000
    desk.refusal(lambda: desk.place(150, price=49_000))
    assert desk.order(behind)["ordStatus"] == "Canceled"
