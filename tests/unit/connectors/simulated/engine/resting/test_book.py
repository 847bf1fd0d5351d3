"""The book by itself: queues, displayed and hidden parts, leaving it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.engine.resting.book import Book, rebuilt, resting_price
from connectors.simulated.engine.resting.orders import Instructions, Order, OrdType, Side


def an_order(number: int, price: object, quantity: int = 100, side: Side = Side.BUY, shows: int | None = None) -> Order:
    """Return a limit order, the `number`-th of its market."""
    return Order(
        account=1,
        contract=XBTUSD,
        side=side,
        ord_type=OrdType.LIMIT,
        quantity=quantity,
        is_whole=False,
        price=None if price is None else Decimal(str(price)),
        stop_px=None,
        time_in_force="GoodTillCancel",
        instructions=Instructions(),
        display_quantity=shows,
        order_id=f"order-{number}",
        sequence=number,
        leaves=quantity,
    )


def a_book(*orders: Order) -> Book:
    """Return a book in which the orders rest."""
    book = Book()
    for order in orders:
        book.rest(order)
    return book


def test_best_first_and_oldest_first_on_both_sides() -> None:
    """Bids fall, asks rise, and at one price the queue is by age."""
    bids = [an_order(1, 100), an_order(2, 101), an_order(3, 101), an_order(4, 99)]
    asks = [an_order(5, 103, side=Side.SELL), an_order(6, 102, side=Side.SELL)]
    book = a_book(*bids, *asks)
    assert [order.sequence for order in book.bids] == [2, 3, 1, 4]
    assert [order.sequence for order in book.asks] == [6, 5]
    assert (book.bids.best, book.asks.best) == (101, 102)


def test_leaving_takes_the_empty_price_along() -> None:
    """The last one to leave a price takes it off the ladder; leaving twice does nothing."""
    first, second = an_order(1, 100), an_order(2, 100)
    book = a_book(first, second)
    assert book.remove(first)
    assert not book.remove(first)
    assert not book.holds(first)
    assert book.holds(second)
    assert book.bids.prices == [100]
    assert book.remove(second)
    assert (book.bids.prices, book.bids.levels, book.bids.best) == ([], {}, None)


def test_displayed_parts_go_before_hidden_ones() -> None:
    """An iceberg and a hidden order come after everything displayed at their price, not after the next price."""
    iceberg, hidden, plain = an_order(1, 100, 500, shows=200), an_order(2, 100, 300, shows=0), an_order(3, 100)
    book = a_book(iceberg, hidden, plain, an_order(4, 99))
    found = [(offer.order.sequence, offer.quantity, offer.is_dark) for offer in book.bids.offers()]
    assert found == [(1, 200, False), (3, 100, False), (1, 300, True), (2, 300, True), (4, 100, False)]
    assert list(book.bids.displayed()) == [(100, 300), (99, 100)]


def test_a_price_with_hidden_orders_only_is_not_displayed() -> None:
    """It is the best price, and nobody sees it."""
    book = a_book(an_order(1, 100, shows=0), an_order(2, 99))
    assert book.bids.best == 100
    assert list(book.bids.displayed()) == [(99, 100)]


def test_a_book_can_be_rebuilt_from_its_orders() -> None:
    """Age alone gives the queues back, in whatever order the orders come."""
    orders = [an_order(number, 100 + number % 2) for number in range(6)]
    book = a_book(*orders)
    assert list(rebuilt(reversed(orders)).bids) == list(book.bids)


def test_an_order_without_a_limit_has_no_place() -> None:
    """A market order cannot rest, and is not found in a book."""
    order = an_order(1, None)
    with pytest.raises(ValueError, match="limit"):
        resting_price(order)
    assert not Book().holds(order)
    assert not Book().remove(order)
