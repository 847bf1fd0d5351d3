"""A mark that stands still beside a moving market is said; a quiet market is not."""

from __future__ import annotations

from decimal import Decimal

from config.policy import HealthPolicy, Policy
from connectors.vocabulary import Quote
from daemon.core import events as e
from daemon.core.degraded import Degraded
from daemon.core.market.frozen import frozen_ns
from tests.builders import SECOND, a_position
from tests.driven import Driven

FROZEN = Degraded.MARK_FROZEN
MINUTES = 6


def holding(policy: Policy | None = None) -> Driven:
    """A covered long at a mark of 1000."""
    guard = Driven(policy).up()
    guard.position(a_position())
    guard.rest()
    return guard


def ten_seconds(guard: Driven, mark: str, middle: str | None) -> None:
    """The next sample of the book, and the mark told again."""
    guard.now += 10 * SECOND
    if middle is not None:
        quote = Quote(symbol="XBTUSDT", bid=Decimal(middle) - 1, ask=Decimal(middle) + 1)
        guard.give(e.SpreadSeen(at_ns=guard.now, quote=quote))
    guard.mark(mark)
    guard.tick()


def told(guard: Driven) -> list[str]:
    """When it began and ended."""
    return [dict(alert.facts)["phase"] for alert in guard.alerts(FROZEN.value)]


def test_a_mark_that_stands_while_the_book_moves_is_told_once_and_its_end_too() -> None:
    """P12: five minutes at exactly one price while bid and ask fall; then the mark wakes."""
    guard = holding()
    for number in range(MINUTES * 6):
        ten_seconds(guard, "1000", str(1000 - number))
    assert told(guard) == ["began"]
    assert FROZEN in guard.guarded().degraded
    assert "has not moved for 300" in guard.alerts(FROZEN.value)[0].text
    ten_seconds(guard, "960", "960")
    assert told(guard) == ["began", "ended"]


def test_it_lasts_until_the_mark_moves() -> None:
    """The book becomes quiet again: the mark is no less frozen for that."""
    guard = holding()
    for number in range(MINUTES * 6):
        ten_seconds(guard, "1000", str(1000 - number))
    for _ in range(MINUTES * 6):
        ten_seconds(guard, "1000", "960")
    assert told(guard) == ["began"]


def test_a_quiet_market_is_not_a_frozen_mark() -> None:
    """An hour in which neither moves, nor the book by more than a hair."""
    guard = holding()
    for number in range(360):
        ten_seconds(guard, "1000", "1000.2" if number % 2 else "1000")
    assert told(guard) == []


def test_without_a_book_nothing_is_claimed() -> None:
    """No samples of bid and ask: standing still proves nothing."""
    guard = holding()
    for _ in range(MINUTES * 6):
        ten_seconds(guard, "1000", None)
    assert frozen_ns(guard.state, "XBTUSDT") >= 300 * SECOND
    assert told(guard) == []


def test_a_one_sided_book_is_no_evidence() -> None:
    """Bid or ask is missing, or they make no sense together."""
    guard = holding()
    for number in range(MINUTES * 6):
        bid, ask = (Decimal(1000 - number), None) if number % 2 else (Decimal(1000), Decimal(900 - number))
        guard.give(e.SpreadSeen(at_ns=guard.now, quote=Quote(symbol="XBTUSDT", bid=bid, ask=ask)))
        ten_seconds(guard, "1000", None)
    assert told(guard) == []


def test_a_dead_stream_is_not_a_frozen_mark() -> None:
    """The market stream was away: what stood still was the line; the time counts from its return."""
    guard = holding()
    for number in range(24):
        ten_seconds(guard, "1000", str(1000 - number))
    guard.give(e.FeedLost(at_ns=guard.now, feed=e.FeedName.MARKET, reason="closed"))
    guard.now += 600 * SECOND
    guard.give(e.FeedLive(at_ns=guard.now, feed=e.FeedName.MARKET))
    for number in range(24):
        ten_seconds(guard, "1000", str(1000 - number))
    assert told(guard) == []


def test_the_time_is_a_setting() -> None:
    """A minute is enough where the settings say so."""
    guard = holding(Policy(health=HealthPolicy(mark_frozen_after_s=Decimal(60))))
    for number in range(8):
        ten_seconds(guard, "1000", str(1000 - number))
    assert told(guard) == ["began"]
