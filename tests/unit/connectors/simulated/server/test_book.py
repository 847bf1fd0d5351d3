"""Book topics: levels that come, change and go."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.changes import Row
from connectors.simulated.server.book import BookFeed, book_of_ten


def level(side: str, price: int, size: int = 100) -> Row:
    """Return one level of the book."""
    return {
        "symbol": "XBTUSD",
        "id": price,
        "side": side,
        "size": size,
        "price": Decimal(price),
        "timestamp": "2026-07-01T00:00:00.000Z",
        "transactTime": "2026-07-01T00:00:00.000Z",
    }


def book(middle: int, levels: int) -> list[Row]:
    """Return a book around a price, asks first and dearest first."""
    asks = [level("Sell", middle + number) for number in range(levels, 0, -1)]
    return asks + [level("Buy", middle - number) for number in range(1, levels + 1)]


class Market:
    """A book that tests move by hand."""

    def __init__(self) -> None:
        self.rows = book(100, 3)

    def read(self, symbol: str, depth: int) -> list[Row]:
        return self.rows


def test_only_followed_books_cost_anything() -> None:
    """Before somebody subscribes there are no frames."""
    market = Market()
    feed = BookFeed(market.read)
    assert feed.frames(["XBTUSD"]) == []
    assert len(feed.image("orderBookL2_25", "XBTUSD")) == 6
    market.rows = book(101, 3)
    assert feed.frames(["XBTUSD"])
    feed.forget_unfollowed(lambda *_: False)
    assert feed.frames(["XBTUSD"]) == []


def test_a_moved_book_in_deletes_updates_and_inserts() -> None:
    """Applied in order the frames turn the partial into the new book."""
    market = Market()
    feed = BookFeed(market.read)
    copy = {(row["id"], row["side"]): row for row in feed.image("orderBookL2", "XBTUSD")}  # type: ignore[index,call-overload]
    market.rows = [*book(101, 3)[:-1], level("Buy", 98, size=7)]
    for frame in feed.frames(["XBTUSD"]):
        for row in frame.rows:
            key = (row["id"], row["side"])  # type: ignore[index,call-overload]
            if frame.action.value == "delete":
                del copy[key]
            else:
                copy[key] = {**copy.get(key, {}), **row}  # type: ignore[dict-item]
    assert copy == {(row["id"], row["side"]): row for row in market.rows}


def test_ten_levels_a_side_best_first() -> None:
    """`orderBook10` has exactly ten levels a side of a deeper book."""
    ten = book_of_ten("XBTUSD", book(100, 25))
    assert ten["bids"] == [[Decimal(99 - number), 100] for number in range(10)]
    assert ten["asks"] == [[Decimal(101 + number), 100] for number in range(10)]


def test_no_row_of_ten_while_a_side_is_empty() -> None:
    """A halt: nothing is said until both sides are back, and the first row after an empty partial is inserted."""
    market = Market()
    feed, whole = BookFeed(market.read), market.rows
    market.rows = whole[:3]
    assert feed.image("orderBook10", "XBTUSD") == []
    assert feed.frames(["XBTUSD"]) == []
    market.rows = whole
    assert [frame.action.value for frame in feed.frames(["XBTUSD"]) + feed.frames(["XBTUSD"])] == ["insert", "update"]
    assert len(feed.image("orderBook10", "XBTUSD")) == 1
    market.rows = []
    assert feed.frames(["XBTUSD"]) == []
