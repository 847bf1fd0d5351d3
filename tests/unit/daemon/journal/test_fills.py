"""Many fills of one order as one line of `seawall explain`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connectors.vocabulary import Execution, ExecutionKind, OrderStatus
from daemon.core.events import Event, ExecutionSeen, OrderSeen, Source
from daemon.journal.fills import fills_of
from daemon.journal.screen import entry_lines
from daemon.journal.trail import Entry, entry_of_event, folded
from daemon.journal.words import event_words
from tests.fakes import START_NS, a_resting_stop

STOP = a_resting_stop("sw-1-XBTUSD-L-s1")


def an_order(filled: int, status: OrderStatus = OrderStatus.PARTIALLY_FILLED) -> OrderSeen:
    """The stop's row when so much was filled."""
    order = replace(STOP, status=status, filled_quantity=filled, is_triggered=True)
    return OrderSeen(at_ns=START_NS, order=order, source=Source.STREAM)


def a_fill(quantity: int, price: int, order_id: str = STOP.order_id) -> ExecutionSeen:
    """One execution of it, or of another."""
    row = Execution(
        execution_id=f"e{price}",
        order_id=order_id,
        client_order_id=STOP.client_order_id,
        account=STOP.account,
        symbol=STOP.symbol,
        kind=ExecutionKind.TRADE,
        side=STOP.side,
        quantity=quantity,
        price=Decimal(price),
    )
    return ExecutionSeen(at_ns=START_NS + price, execution=row)


def an_entry(seq: int, event: Event) -> Entry:
    """As it stands on the screen."""
    return entry_of_event(seq, event, event_words(event))


def test_a_stop_that_is_filled_in_parts_is_one_line_with_the_sum_and_the_prices() -> None:
    """At night nobody counts a hundred rows: how much, between which prices, and whether that was all of it."""
    events = [an_order(300), a_fill(300, 57_990), an_order(1_000, OrderStatus.FILLED), a_fill(700, 57_950)]
    one = an_entry(10, events[0])
    for seq, event in enumerate(events[1:], start=11):
        found = folded(one, an_entry(seq, event))
        assert found is not None
        one = found
    (line,) = entry_lines([one], START_NS)
    expected = (
        f"filled: sell 1000 {STOP.symbol} in 2 executions, 57990 to 57950; the order stands filled (1000 of 1000)"
    )
    assert expected in line
    assert "records 10 to 13" in line


def test_fills_of_another_order_and_other_news_are_lines_of_their_own() -> None:
    """Two stops that fire together are not one sale."""
    first = an_entry(1, a_fill(300, 57_990))
    assert folded(first, an_entry(2, a_fill(300, 57_980, order_id="another"))) is None
    assert folded(first, an_entry(2, OrderSeen(at_ns=START_NS, order=STOP, source=Source.STREAM))) is None
    assert fills_of(1, OrderSeen(at_ns=START_NS, order=STOP, source=Source.STREAM)) is None


def test_one_fill_keeps_its_own_words() -> None:
    """A single execution, with the order's row beside it, needs no sum."""
    one = folded(an_entry(1, an_order(300)), an_entry(2, a_fill(300, 57_990)))
    assert one is not None
    assert one.words == f"execution: trade sell 300 {STOP.symbol} at 57990"
