"""However many ask, describing takes a bounded part of the loop."""

from __future__ import annotations

import asyncio

import pytest

from daemon.shell.control.lately import REST_FACTOR, Lately, LatelyInTurns
from daemon.shell.slices import Slices

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


class CostlyInTurns(Costly):
    """The same in ten slices."""

    def slices(self) -> Slices[dict[str, object]]:
        """Each takes a tenth; whoever drives it may leave after each."""
        self.made += 1
        made = self.made
        for _ in range(10):
            self.now_s += COST_S / 10
            self.worked_s += COST_S / 10
            yield
        return {"made": made}

    def lately(self) -> LatelyInTurns:
        """What callers ask."""
        return LatelyInTurns(self.slices, clock=lambda: self.now_s, work=lambda: self.worked_s)


async def test_a_crowd_waits_for_one_description_together() -> None:
    """However many ask while it is made: one is made, and it rests afterwards for what all its slices took."""
    costly = CostlyInTurns()
    lately = costly.lately()
    answers = await asyncio.gather(*(lately() for _ in range(50)))
    assert [answer["made"] for answer in answers] == [1] * 50
    costly.now_s += REST_FACTOR * COST_S * 0.9
    assert (await lately())["made"] == 1
    costly.now_s += REST_FACTOR * COST_S * 0.2
    assert (await lately())["made"] == 2


async def test_one_who_hangs_up_takes_nothing_from_the_others() -> None:
    """What was being made for one who left is made for the next who waits."""
    costly = CostlyInTurns()
    lately = costly.lately()
    gone, stays = asyncio.create_task(lately()), asyncio.create_task(lately())
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays)["made"] == 2
    assert gone.cancelled()


async def test_what_fails_once_is_tried_anew() -> None:
    """A description that broke is not kept for those who ask later."""
    costly = CostlyInTurns()

    def breaks() -> Slices[dict[str, object]]:
        if costly.made:
            return (yield from costly.slices())
        costly.made += 1
        raise ValueError("torn")

    lately = LatelyInTurns(breaks, clock=lambda: costly.now_s, work=lambda: costly.worked_s)
    with pytest.raises(ValueError, match="torn"):
        await lately()
    assert (await lately())["made"] == 2
