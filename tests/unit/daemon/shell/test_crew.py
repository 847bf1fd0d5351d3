"""Vital parts end the process, helpful ones never do."""

from __future__ import annotations

import asyncio

import pytest

from daemon.shell import crew as crew_module
from daemon.shell.crew import Crew, VitalPartEnded


async def _returns() -> None:
    return


async def _fails() -> None:
    raise OSError("no socket")


async def _runs(crew_of_one: Crew) -> None:
    crew_of_one.vital("market data", _returns())


async def test_a_vital_part_that_ends_ends_everything() -> None:
    """Even a quiet end is an end: a guard without its eyes must not go on."""
    with pytest.raises(ExceptionGroup) as ended:
        async with asyncio.TaskGroup() as tasks:
            await _runs(Crew(tasks))
    assert isinstance(ended.value.exceptions[0], VitalPartEnded)


async def test_a_helpful_part_is_restarted_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A status page that cannot be served is tried a bounded number of times, and nothing else notices."""
    monkeypatch.setattr(crew_module, "MOST_RESTARTS", 3)
    attempts: list[int] = []

    async def part() -> None:
        attempts.append(1)
        await _fails()

    async with asyncio.TaskGroup() as tasks:
        Crew(tasks, first_pause_s=0.001).helpful("status", part)
    assert len(attempts) == 4


async def test_failures_far_apart_are_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that runs well for a while after each failure is started again as often as the guard lives."""
    monkeypatch.setattr(crew_module, "MOST_RESTARTS", 3)
    monkeypatch.setattr(crew_module, "WELL_AFTER_S", -1.0)
    often = asyncio.Event()
    attempts: list[int] = []

    async def part() -> None:
        attempts.append(1)
        if len(attempts) > 10:
            often.set()
        await _fails()

    async with asyncio.TaskGroup() as tasks:
        crew = Crew(tasks, first_pause_s=0.001)
        crew.helpful("alerts", part)
        await often.wait()
        crew.dismiss()


async def test_dismissed_everything_ends_quietly() -> None:
    """An orderly stop cancels what still runs, and the group ends without an error."""
    ended: list[str] = []

    async def wait_for_ever(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    async with asyncio.TaskGroup() as tasks:
        crew = Crew(tasks)
        crew.vital("eyes", wait_for_ever("eyes"))
        crew.helpful("ears", lambda: wait_for_ever("ears"))
        await asyncio.sleep(0)
        crew.dismiss()
    assert sorted(ended) == ["ears", "eyes"]
