"""Counting what bites outside the engine, over restarts too."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from connectors.simulated.engine.faults.board import FaultBoard
from connectors.simulated.engine.faults.kinds import Place
from connectors.simulated.engine.inputs import ClearFault, FaultBit, Input, SetFault
from connectors.simulated.server.faults.keeper import Keeper


class Desk:
    """A keeper over a board, with a clock that stands and a list of what the engine was told."""

    def __init__(self, board: FaultBoard | None = None) -> None:
        self.board = board or FaultBoard()
        self.told: list[Input] = []
        self.now_ms = 0
        self.keeper = Keeper(lambda: self.board, clock=lambda: self.now_ms, submit=self._submit)

    def _submit(self, value: Input) -> None:
        self.told.append(value)
        if isinstance(value, FaultBit):
            self.board.count_bite(value)

    def bites(self, verb: str = "POST") -> int:
        """How many faults bite a request."""
        return len(self.keeper.bites([Place.REST], lambda _: True, verb=verb))


async def test_a_limited_fault_is_told_to_the_engine_a_moment_later() -> None:
    """All bites of one turn are one input, because a bite may come in the middle of another."""
    desk = Desk()
    desk.board.set(SetFault(name="overload", count=3), at_ms=0)
    assert [desk.bites(), desk.bites(), desk.told] == [1, 1, []]
    await asyncio.sleep(0)
    assert desk.told == [FaultBit(number=1, hits=2)]


async def test_a_restart_goes_on_counting() -> None:
    """What the engine knows of is not given again."""
    before = Desk()
    before.board.set(SetFault(name="overload", count=3), at_ms=0)
    before.bites()
    await asyncio.sleep(0)
    after = Desk(before.board)
    assert [after.bites() for _ in range(3)] == [1, 1, 0]


def test_an_unlimited_fault_tells_nobody_and_is_counted_all_the_same() -> None:
    """The journal does not grow with what bites for ever."""
    desk = Desk()
    one = desk.board.set(SetFault(name="overload"), at_ms=0)
    assert [desk.bites() for _ in range(5)] == [1] * 5
    assert (desk.told, desk.keeper.hits(one)) == ([], 5)


def test_what_a_fault_is_not_about_is_not_counted() -> None:
    """Neither another verb nor what does not fit."""
    desk = Desk()
    one = desk.board.set(SetFault(name="overload", verb="POST"), at_ms=0)
    assert desk.bites("GET") == 0
    assert desk.keeper.bites([Place.REST], lambda _: False, verb="POST") == []
    assert desk.keeper.hits(one) == 0


def test_what_an_effect_remembers_ends_with_its_fault() -> None:
    """The next fault of the name begins with an empty memory."""
    desk = Desk()
    for _ in range(2):
        desk.board.set(SetFault(name="reads-stale"), at_ms=0)
        [bite] = desk.keeper.bites([Place.REST], lambda _: True)
        assert bite.memory == {}
        bite.memory["question"] = "answer"
        desk.board.clear(ClearFault())
    assert desk.keeper.is_quiet()


def test_time_and_chance_count_here_too() -> None:
    """A fault that is not on yet does not bite, and one without luck never."""
    desk = Desk()
    desk.board.set(SetFault(name="overload", delay_ms=10, duration_ms=10), at_ms=0)
    seen = []
    for desk.now_ms in (9, 10, 19, 20):
        seen.append(desk.bites())
    assert seen == [0, 1, 1, 0]
    assert len(desk.keeper.standing("overload")) == 0


async def test_chances_go_on_where_they_were() -> None:
    """A keeper that was loaded draws what the other one would have drawn next; what was told since counts too."""
    one, other = Desk(), Desk()
    for desk in (one, other):
        desk.board.set(SetFault(name="overload", probability=Decimal("0.5"), seed=3), at_ms=0)
    before = [one.bites() for _ in range(20)]
    assert before == [other.bites() for _ in range(20)]
    loaded = Desk(other.board)
    loaded.keeper.restore(other.keeper.counts())
    after = [one.bites() for _ in range(30)]
    assert after == [loaded.bites() for _ in range(30)]
    assert set(after) == {0, 1}
    assert loaded.keeper.counts() == one.keeper.counts()


async def test_what_was_told_after_a_snapshot_is_not_given_again() -> None:
    """The journal since a snapshot may know of more bites than the snapshot."""
    desk = Desk()
    desk.board.set(SetFault(name="overload", count=3), at_ms=0)
    desk.bites()
    await asyncio.sleep(0)
    kept = desk.keeper.counts()
    desk.bites()
    await asyncio.sleep(0)
    after = Desk(desk.board)
    after.keeper.restore(kept)
    assert [after.bites() for _ in range(3)] == [1, 0, 0]
