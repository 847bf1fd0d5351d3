"""How long messages are under way."""

from __future__ import annotations

from daemon.backtest.latency import NS_PER_MS, Latency


def test_delays_lie_around_the_mean_and_repeat_with_the_seed() -> None:
    """Half to one and a half of the mean, the same for the same seed, others for another."""
    drawn = [Latency(50, 7).draw_ns() for _ in range(2)]
    many = Latency(50, 7)
    delays = [many.draw_ns() for _ in range(2_000)]
    assert drawn[0] == drawn[1] == delays[0]
    assert all(25 * NS_PER_MS <= delay <= 75 * NS_PER_MS for delay in delays)
    assert 48 * NS_PER_MS < sum(delays) / len(delays) < 52 * NS_PER_MS
    assert [Latency(50, 8).draw_ns()] != delays[:1]


def test_no_latency_is_none() -> None:
    """A mean of zero delays nothing."""
    assert Latency(0, 1).draw_ns() == 0
