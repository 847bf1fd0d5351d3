"""The way to an orderly stop: signals that ask for it, and waits that end in time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import structlog

log = structlog.get_logger("stopping")

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Service manager, keyboard, and a terminal that went away; without a terminal the last one asks for a reload."""


class StopSignals:
    """The first signal asks for an orderly stop, the second says that settling must not be waited for."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.asked_again = asyncio.Event()

    def ask(self) -> None:
        """Take one signal."""
        (self.asked_again if self.asked.is_set() else self.asked).set()


@contextmanager
def stop_signals(reload: Callable[[], None] | None = None) -> Iterator[StopSignals]:
    """Listen to the signals that ask for a stop while the block runs.

    Args:
        reload: What SIGHUP asks for where no terminal can go away, as under a service manager.
    """
    stop = StopSignals()
    loop = asyncio.get_running_loop()
    numbers = [number for number in _SIGNALS if not _is_hushed(number)]
    for number in numbers:
        is_reload = number is signal.SIGHUP and reload is not None and not _has_terminal()
        loop.add_signal_handler(number, reload if is_reload and reload is not None else stop.ask)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _is_hushed(number: signal.Signals) -> bool:
    """Whether whoever started us wants the terminal's end to be ignored, as `nohup` does."""
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


def _has_terminal() -> bool:
    """Whether a terminal controls this process."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


async def wait_first(one: asyncio.Event, other: asyncio.Event) -> None:
    """Wait until either is set."""
    async with asyncio.TaskGroup() as waiters:
        waiting = {waiters.create_task(each.wait(), name="stop waiter") for each in (one, other)}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()


async def run_stage(stage: str, work: Awaitable[None], *, deadline_s: float) -> None:
    """Give a stage of start or stop its time and no more; one that needs more is named in the log."""
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline_s):
            await work
            return
    log.error("a stage ran out of time", stage=stage, seconds=deadline_s)
