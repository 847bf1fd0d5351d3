"""The outside heartbeat: somebody elsewhere notices silence, and this is how it is broken.

Why: a guard that is dead, cut off or stuck cannot tell anybody. So a service outside expects a ping at regular times
and calls people when none comes. A ping of success is a statement: since the last one a decision cycle was completed
that saw and could act. Otherwise nothing is sent, or the word of failure at once, as the setting says.

It reads the state now and then and is read by nobody, so however slow the service is, nothing waits for it.

Units: seconds; times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import structlog

from config.channels import FailOn, HeartbeatSettings, PingMethod
from daemon.core.halt import HaltKind, halts
from daemon.core.mode import Mode
from daemon.core.state import GuardState
from daemon.shell.alerts.channel import DeliveryRefused, NotDelivered
from daemon.shell.clock import Clock

LOOK_EVERY_S = 1.0
FAIL_AGAIN_AFTER_S = 5.0
"""A guard that flaps does not ping more often than this."""
RETRY_AFTER_S = 10.0
_LONGEST_REASON = 300
_BLIND = frozenset({HaltKind.NOT_GUARDING, HaltKind.DEGRADED, HaltKind.STALE})
"""Reasons of the halt flag that keep the guard from seeing or acting; the others are decisions."""

_UNKNOWN = frozenset({Mode.STARTING, Mode.SYNCING, Mode.STOPPING, Mode.STOPPED})

log = structlog.get_logger("heartbeat")


class Standing(Enum):
    """What can be said about the guard."""

    WELL = "well"
    """It sees and acts."""
    HALTED = "halted"
    """It sees and acts, and wants no new exposure: a latch, a bot."""
    BLIND = "blind"
    """It does not see, cannot act, or has not looked lately."""
    UNKNOWN = "unknown"
    """It has only begun, or is being stopped: nothing can be said, and silence tells soon enough."""


class Ping(Enum):
    """What is sent."""

    SUCCESS = "success"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One look at the guard."""

    standing: Standing
    reason: str
    cycle_ns: int
    """When the newest decision cycle was completed."""


def look_at(state: GuardState, *, now_ns: int) -> Look:
    """Judge the guard by its own state."""
    cycle_ns = state.health.last_tick_ns
    reasons = halts(state, now_ns=now_ns)
    if not reasons:
        return Look(standing=Standing.WELL, reason="", cycle_ns=cycle_ns)
    words = "; ".join(each.text for each in reasons)[:_LONGEST_REASON]
    blind = any(each.kind in _BLIND for each in reasons)
    standing = Standing.UNKNOWN if state.mode in _UNKNOWN else Standing.BLIND if blind else Standing.HALTED
    return Look(standing=standing, reason=words, cycle_ns=cycle_ns)


def ping_for(look: Look, fail_on: FailOn, *, told_cycle_ns: int) -> Ping | None:
    """Return what may be said now; None: nothing, and silence tells.

    Args:
        look: The newest one.
        fail_on: The setting.
        told_cycle_ns: The decision cycle that the last success spoke of: none is told twice.
    """
    is_new = look.cycle_ns > told_cycle_ns
    match look.standing:
        case Standing.WELL:
            return Ping.SUCCESS if is_new else None
        case Standing.HALTED:
            if fail_on is FailOn.HALT:
                return Ping.FAIL
            return Ping.SUCCESS if is_new else None
        case Standing.BLIND:
            return None if fail_on is FailOn.NEVER else Ping.FAIL
        case Standing.UNKNOWN:
            return None


class Address(Protocol):
    """Where pings go."""

    async def send(
        self, content: bytes = b"", *, method: str = "POST", below: str = "", content_type: str = ""
    ) -> None:
        """Make one request, or raise `NotDelivered` or `DeliveryRefused`."""


class Heartbeat:
    """Pings, as a helpful task."""

    def __init__(
        self,
        settings: HeartbeatSettings,
        address: Address,
        *,
        clock: Clock,
        state: Callable[[], GuardState],
        headline: Callable[[], str],
    ) -> None:
        self._settings = settings
        self._address = address
        self._clock = clock
        self._state = state
        self._headline = headline
        self._told_cycle_ns = 0
        self._last: Ping | None = None
        self._last_s = float("-inf")
        self._next_try_s = float("-inf")
        self._failures = 0
        self._counts = {"successes": 0, "fails": 0, "undelivered": 0}
        self._problem = ""

    @property
    def figures(self) -> dict[str, object]:
        """Counters for status and metrics."""
        return {**self._counts, "last": None if self._last is None else self._last.value, "problem": self._problem}

    async def run(self) -> None:
        """Look and ping until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once, and ping if it is time."""
        look = look_at(self._state(), now_ns=self._clock.now_ns())
        ping = ping_for(look, self._settings.fail_on, told_cycle_ns=self._told_cycle_ns)
        now_s = asyncio.get_running_loop().time()
        if ping is not None and now_s >= max(self._next_try_s, self._due_s(ping)):
            await self._send(ping, look)

    def _due_s(self, ping: Ping) -> float:
        """The same again after the interval; another word at once, but not more often than is bearable."""
        return self._last_s + (self._settings.interval_s if ping is self._last else FAIL_AGAIN_AFTER_S)

    async def _send(self, ping: Ping, look: Look) -> None:
        method = self._settings.method
        words = (look.reason or self._headline()).encode() if method is PingMethod.POST else b""
        below = "/fail" if ping is Ping.FAIL else ""
        try:
            await self._address.send(words, method=method.value, below=below, content_type="text/plain; charset=utf-8")
        except (DeliveryRefused, NotDelivered) as failure:
            self._note_failure(str(failure))
            return
        if self._failures:
            log.info("the outside heartbeat is heard again", failures=self._failures)
        self._failures, self._problem = 0, ""
        self._last, self._last_s = ping, asyncio.get_running_loop().time()
        self._counts["successes" if ping is Ping.SUCCESS else "fails"] += 1
        if ping is Ping.SUCCESS:
            self._told_cycle_ns = look.cycle_ns

    def _note_failure(self, why: str) -> None:
        if not self._failures:
            log.warning("the outside heartbeat is not heard", why=why)
        self._failures += 1
        self._problem = why
        self._counts["undelivered"] += 1
        self._next_try_s = asyncio.get_running_loop().time() + min(RETRY_AFTER_S, self._settings.interval_s)
