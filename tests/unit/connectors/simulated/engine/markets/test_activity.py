"""What a market did in a day and in a session."""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.markets.activity import SESSION_MS, SPAN_MS, SPANS, Activity, Turnover

DAY_MS = SPAN_MS * SPANS


def moved(activity: Activity, price: int, at_ms: int) -> None:
    """Let the market move to a price."""
    one = Decimal(price)
    activity.note_prices(low=one, high=one, last=one, mark=one, at_ms=at_ms)


def traded(activity: Activity, price: int, volume: int, at_ms: int) -> None:
    """Let contracts of a dollar change hands."""
    home = Decimal(volume) / price
    sums = Turnover(volume=volume, value=volume * 1_000, home=home, foreign=Decimal(volume))
    activity.note_trade(Decimal(price), sums, at_ms=at_ms)


def test_extremes_and_first_price_of_a_day() -> None:
    """High and low are of all spans; the first price is the oldest still counted."""
    activity = Activity()
    for place, price in enumerate((100, 120, 90, 110)):
        moved(activity, price, place * SPAN_MS)
    assert (activity.first, activity.high, activity.low) == (100, 120, 90)


def test_what_is_a_day_old_no_longer_counts() -> None:
    """Volume, extremes and the first price move on with the day; the total stays."""
    activity = Activity()
    traded(activity, 120, 600, 0)
    moved(activity, 100, SPAN_MS)
    traded(activity, 100, 300, DAY_MS + 1)
    assert (activity.traded.volume, activity.traded.value, activity.total_volume) == (300, 300_000, 900)
    assert (activity.high, activity.first) == (100, 120)
    assert activity.traded.home == 3


def test_average_price_by_volume() -> None:
    """Foreign over home; none without trades."""
    activity = Activity()
    assert activity.vwap is None
    traded(activity, 50, 100, 0)
    traded(activity, 100, 100, 1)
    assert activity.vwap is not None
    assert round(activity.vwap, 4) == Decimal("66.6667")


def test_sessions_last_an_hour() -> None:
    """A new session remembers the mark and the totals it began with."""
    activity = Activity()
    moved(activity, 100, 0)
    traded(activity, 100, 500, 1)
    assert (activity.opening_ms, activity.volume_before) == (0, 0)
    moved(activity, 101, SESSION_MS + 5)
    assert (activity.opening_ms, activity.volume_before, activity.session_close) == (SESSION_MS, 500, 101)
