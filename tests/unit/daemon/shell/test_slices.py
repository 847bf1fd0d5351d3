"""Long work gives way: the loop has its turn between two slices, and the cost is that of the slices alone."""

from __future__ import annotations

import asyncio

from daemon.shell.slices import Slices, at_once, in_turns


def counting(until: int, seen: list[str]) -> Slices[int]:
    """Work of so many slices, written down."""
    for number in range(until):
        seen.append(f"slice {number}")
        yield
    return until


def test_whoever_needs_it_at_once_gets_the_whole() -> None:
    """Every slice is made, in order, and the result is what the work returns."""
    seen: list[str] = []
    assert at_once(counting(3, seen)) == 3
    assert seen == ["slice 0", "slice 1", "slice 2"]


async def test_the_loop_has_its_turn_between_two_slices() -> None:
    """P2: a stop that is due while a long answer is made waits for one slice of it, not for all."""
    seen: list[str] = []
    making = asyncio.create_task(in_turns(counting(4, seen), work=lambda: float(len(seen))))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(seen.append, "a stop")
    made, _cost_s = await making
    assert made == 4
    assert seen.index("a stop") < seen.index("slice 3")


async def test_what_others_do_between_two_slices_is_not_its_cost() -> None:
    """Four slices of a second each cost four, however long others worked meanwhile."""
    worked = [0.0]

    def costly() -> Slices[None]:
        for _ in range(4):
            worked[0] += 1
            asyncio.get_running_loop().call_soon(lambda: worked.__setitem__(0, worked[0] + 60))
            yield

    assert await in_turns(costly(), work=lambda: worked[0]) == (None, 4.0)
    assert worked[0] > 60
