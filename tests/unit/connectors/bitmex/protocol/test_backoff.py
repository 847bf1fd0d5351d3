"""The pauses between connections."""

from __future__ import annotations

import pytest

from connectors.bitmex.protocol.backoff import Backoff


def test_delays_grow_to_the_cap() -> None:
    """Each failed attempt doubles the ceiling, up to the cap."""
    backoff = Backoff(first_s=0.2, cap_s=1.0)
    assert [round(backoff.next_delay_s(jitter=1.0), 3) for _ in range(5)] == [0.2, 0.4, 0.8, 1.0, 1.0]


def test_jitter_spreads_the_upper_half() -> None:
    """Two clients that lost the venue together do not come back together."""
    assert Backoff(first_s=1.0, cap_s=1.0).next_delay_s(jitter=0.0) == 0.5
    assert Backoff(first_s=1.0, cap_s=1.0).next_delay_s(jitter=0.5) == 0.75


def test_only_a_connection_that_lasted_resets_the_growth() -> None:
    """Live for a moment is no success: a flapping venue is not hammered."""
    backoff = Backoff(first_s=0.2, cap_s=10.0)
    backoff.next_delay_s(jitter=1.0)
    assert backoff.next_delay_s(jitter=1.0, live_for_s=1.0) == pytest.approx(0.4)
    assert backoff.next_delay_s(jitter=1.0, live_for_s=60.0) == pytest.approx(0.2)


def test_the_venue_s_wish_is_the_least() -> None:
    """A ban or a refused sign-in keeps away longer than the cap."""
    assert Backoff(first_s=0.2, cap_s=1.0).next_delay_s(jitter=0.0, at_least_s=600.0) == 600.0


@pytest.mark.parametrize(("left", "delay_s"), [(None, 0.2), (719, 0.2), (20, 0.2), (19, 3.0), (10, 30.0), (0, 60.0)])
def test_scarce_connections_slow_down(left: int | None, delay_s: float) -> None:
    """The welcome frame says how many connections the hour still has; below twenty each is spared."""
    delay = Backoff(first_s=0.2, cap_s=1.0).next_delay_s(jitter=1.0, connections_left=left)
    assert delay == pytest.approx(delay_s)
