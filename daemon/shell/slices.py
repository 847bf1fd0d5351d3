"""Long work in slices: what holds the loop for long is made a piece at a time, and the loop has its turn in between.

Why: the loop that answers questions also protects. A generator that yields where it can be left says where its slices
end; whoever needs the result at once runs through it, and the loop's own callers let others go first between two.

Units: seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Slices: TypeAlias = Generator[None, None, T]
"""Work that can be left wherever it yields, and returns its result."""


def at_once(slices: Slices[T]) -> T:
    """Return the result of all slices, without a pause."""
    while True:
        try:
            next(slices)
        except StopIteration as ended:
            result: T = ended.value
            return result


async def in_turns(slices: Slices[T], *, work: Callable[[], float]) -> tuple[T, float]:
    """Return the result, made slice by slice with the loop's other work in between, and what it cost in seconds.

    Args:
        slices: What is to be made.
        work: Says how long this thread has worked.
    """
    cost_s = 0.0
    while True:
        begun_s = work()
        try:
            next(slices)
        except StopIteration as ended:
            return ended.value, cost_s + work() - begun_s
        cost_s += work() - begun_s
        await asyncio.sleep(0)
