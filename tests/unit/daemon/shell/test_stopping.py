"""What asks for an orderly stop, and stages that end in time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import LogCapture

from daemon.shell import stopping
from daemon.shell.stopping import run_stage, stop_signals, wait_first


@pytest.fixture
def hushed() -> Iterator[None]:
    """Started by `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_each_signal_asks_once_and_again(number: signal.Signals) -> None:
    """The second one says that settling must not be waited for."""
    with stop_signals() as stop:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.asked.wait(), 5)
        assert not stop.asked_again.is_set()
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.asked_again.wait(), 5)


@pytest.mark.usefixtures("hushed")
async def test_nohup_is_respected() -> None:
    """The terminal goes away from a guard that was started to outlive it: it guards on."""
    with stop_signals() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.asked.wait(), 5)
        assert not stop.asked_again.is_set()


@pytest.mark.parametrize("which", [0, 1])
async def test_whichever_comes_first_is_enough(which: int) -> None:
    """Settled, or asked again."""
    events = (asyncio.Event(), asyncio.Event())
    events[which].set()
    await asyncio.wait_for(wait_first(*events), 5)
    assert [each.is_set() for each in events] == [which == 0, which == 1]


async def test_a_stage_that_hangs_is_named_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not answer must not keep the process from ending."""
    # A logger of its own: what other tests left of the log set-up, or still say from a thread, does not matter.
    lines = LogCapture()
    monkeypatch.setattr(stopping, "log", structlog.wrap_logger(None, processors=[lines]))

    async def hang() -> None:
        await asyncio.Event().wait()

    await run_stage("close journal", hang(), deadline_s=0.01)
    assert [line["stage"] for line in lines.entries] == ["close journal"]
