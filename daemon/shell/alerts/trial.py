"""A test message through a channel, and what became of it: for `seawall alert test`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from daemon.core.commands import Severity
from daemon.messenger.wire import Chart, Mark, Track
from daemon.shell.alerts.channel import DeliveryRefused, NotDelivered
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.worker import Outlet

_POINTS: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """How one channel did."""

    name: str
    kind: str
    problem: str | None
    """Why the message did not arrive; None: it did."""
    took_s: float


async def try_outlets(outlets: Sequence[Outlet], *, now_ns: int) -> list[Trial]:
    """Send a test message through each channel, all at once: none waits for another, each has its own time-out.

    Fallbacks are left alone: each channel is asked about itself.
    """
    trials: dict[str, Trial] = {}
    async with asyncio.TaskGroup() as tasks:
        for outlet in outlets:
            tasks.create_task(_try(outlet, now_ns, trials), name=f"test of {outlet.name}")
    return [trials[outlet.name] for outlet in outlets]


async def _try(outlet: Outlet, now_ns: int, trials: dict[str, Trial]) -> None:
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    problem: str | None = None
    try:
        async with asyncio.timeout(outlet.timeout_s):
            await outlet.channel.deliver(sample_alert(outlet.name, now_ns))
    except (DeliveryRefused, NotDelivered) as failure:
        problem = str(failure)
    except TimeoutError:
        problem = f"no answer within {outlet.timeout_s:g} s"
    trials[outlet.name] = Trial(
        name=outlet.name, kind=outlet.kind, problem=problem, took_s=round(loop.time() - begun_s, 3)
    )


def sample_alert(name: str, now_ns: int) -> Alert:
    """Return the message that is sent."""
    return Alert(
        alert_id=f"test:{name}:{now_ns}",
        severity=Severity.WARNING,
        topic="test",
        state="test",
        symbol="",
        title=f"Test of the alert channel {name}",
        text="This is a test, asked for with `seawall alert test`. Nothing happened to any position.",
        did="It sent this message.",
        you_can="Nothing has to be done: what you read here has arrived.",
        reason="operator",
        account=0,
        raised_ns=now_ns,
    )


def sample_chart(now_ns: int) -> Chart:
    """Return a made-up picture, so that it is seen whether pictures arrive."""
    now_s = now_ns / 1e9
    times_s = tuple(now_s - 5.0 * (_POINTS - 1 - number) for number in range(_POINTS))
    prices = tuple(100.0 - abs(number - 40) ** 1.5 / 40 for number in range(_POINTS))
    tracks = (
        Track(name="mark", prices=prices),
        Track(name="stop", prices=tuple(None if number < 10 else 94.0 for number in range(_POINTS))),
        Track(name="liquidation", prices=(92.0,) * _POINTS),
    )
    return Chart(
        title="a test: no real prices",
        times_s=times_s,
        tracks=tracks,
        marks=(Mark(at_s=times_s[10], text="a stop was placed (in this picture only)"),),
    )
