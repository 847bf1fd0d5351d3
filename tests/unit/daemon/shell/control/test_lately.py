"""However many ask, describing takes a bounded part of the loop."""

from __future__ import annotations

from daemon.shell.control.lately import REST_FACTOR, Lately

COST_S = 0.1


class Costly:
    """A description of a thousand positions, on a clock of its own."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.worked_s = 0.0
        self.made = 0

    def make(self) -> dict[str, object]:
        self.made += 1
        self.now_s += COST_S
        self.worked_s += COST_S
        return {"made": self.made}


def test_a_crowd_that_polls_takes_a_quarter_of_the_loop_at_most() -> None:
    """P2: a thousand positions and callers without end delay no stop by more than one description."""
    costly = Costly()
    lately = Lately(costly.make, clock=lambda: costly.now_s, work=lambda: costly.worked_s)
    while costly.now_s < 60:
        lately()
        costly.now_s += 0.001
    assert costly.worked_s <= costly.now_s / (1 + REST_FACTOR) + COST_S


def test_what_costs_nothing_is_always_new() -> None:
    """And a guard that was waited for by another program does not look old for it."""
    costly = Costly()
    lately = Lately(costly.make, clock=lambda: costly.now_s, work=lambda: 0.0)
    assert [lately()["made"], lately()["made"]] == [1, 2]
