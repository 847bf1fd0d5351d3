"""`seawall status` in words, and the daemon's own picture behind it."""

from __future__ import annotations

import msgspec

from daemon.core.events import FeedLost, FeedName
from daemon.core.step import step
from daemon.shell.status import describe_state, headline
from daemon.status import in_words
from tests.fakes import SECOND_NS, START_NS, SYMBOL
from tests.lives import Life, a_life, opening, ticking

FRAME = {"version": "1", "venue": "embedded", "uptime_s": 12.0}


def test_a_covered_position_is_shown_with_its_figures() -> None:
    """Mark, liquidation price, room, stop and since when it is covered; all of it fits into JSON."""
    state = Life().play(opening()).play(ticking(range(2, 8))).state
    described = describe_state(state, now_ns=START_NS + 8 * SECOND_NS)
    (position,) = described["positions"]  # type: ignore[misc]
    assert position["symbol"] == SYMBOL
    assert position["mark_price"] == "60000.5"
    assert position["covered_since"] is not None
    assert float(position["room_percent"]) > 0
    assert position["stops"][0]["ours"]
    text = in_words({**FRAME, **msgspec.json.decode(msgspec.json.encode(described))})
    assert SYMBOL in text
    assert "may be old" not in text
    assert str(position["stop_trigger"]) in text


def test_the_headline_counts_covers_and_names_troubles() -> None:
    """One line for the service manager."""
    life = a_life()
    assert "positions covered" in headline(life.state)
    lost = FeedLost(at_ns=START_NS + 20 * SECOND_NS, feed=FeedName.MARKET, reason="closed")
    state = step(life.state, lost).state
    assert headline(state).startswith("blind")
    assert "blind_market" in headline(state)
    text = in_words({**FRAME, **describe_state(state, now_ns=START_NS + 21 * SECOND_NS)})
    assert "market lost (closed)" in text
    assert "degraded: blind_market" in text
    assert "may be old" in text


def test_a_daemon_that_waits_for_the_venue_is_shown() -> None:
    """P12: there is no state yet; that must neither fail nor look as if all were well."""
    text = in_words({**FRAME, "mode": "waiting_for_venue"})
    assert "waiting_for_venue" in text
    assert "no open positions" not in text
