"""A histogram that costs an addition."""

from __future__ import annotations

from daemon.shell.metrics.histogram import Histogram


def test_a_bound_belongs_to_its_bucket() -> None:
    """Values at, below and above the bounds: counts rise from bound to bound, and the last holds all."""
    histogram = Histogram((1.0, 2.5))
    for value in (0.5, 1.0, 2.0, 9.0):
        histogram.observe(value)
    assert histogram.read() == ((("1.0", 2), ("2.5", 3), ("+Inf", 4)), 12.5)


def test_what_was_read_does_not_change() -> None:
    """A page that is rendered slowly stays consistent while counting goes on."""
    histogram = Histogram((1.0,))
    before = histogram.read()
    histogram.observe(3.0)
    assert before == ((("1.0", 0), ("+Inf", 0)), 0.0)
