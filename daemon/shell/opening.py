"""Before anything else: who are we at this venue, and may this key be used?

Why: a key that may withdraw is refused before the first order, and every client order id carries the account. A venue
that is away is no error: the guard keeps asking, tells the service manager so, and tells people once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from config.model import Settings
from connectors.errors import Misconfigured, Rejected, VenueError
from connectors.ports import OrderEntry
from daemon.core.commands import RaiseAlert, Severity
from daemon.core.reasons import Reason
from daemon.shell.clock import Clock
from daemon.shell.key_rights import KeyRefused, objection, refusal_in_words
from daemon.shell.watchdog import ServiceNotifier

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
TELL_PEOPLE_AFTER = 4
"""Failed attempts in a row after which people hear that nobody is guarding yet: some seconds."""

log = structlog.get_logger("opening")

T = TypeVar("T")


class Opening:
    """Asks until the venue answers."""

    def __init__(
        self,
        *,
        orders: OrderEntry,
        settings: Settings,
        clock: Clock,
        notifier: ServiceNotifier,
        raise_alert: Callable[[RaiseAlert], None],
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._orders = orders
        self._settings = settings
        self._clock = clock
        self._notifier = notifier
        self._raise_alert = raise_alert
        self._first_pause_s = first_pause_s
        self._failures = 0

    async def wait_account(self) -> int:
        """Return the account that the key belongs to, once its rights are known to be acceptable.

        Raises:
            KeyRefused: If the key is wrong or its rights are.
        """
        rights = await self._ask(self._orders.key_rights)
        refused = objection(rights, self._settings)
        if refused is not None:
            raise KeyRefused(refused)
        account = rights.account if rights.account is not None else await self._account_of_picture()
        if self._failures:
            log.info("the venue answers", failures=self._failures)
        return account

    async def _account_of_picture(self) -> int:
        picture = await self._ask(self._orders.picture)
        rows = [*(margin.account for margin in picture.margins), *(each.key.account for each in picture.positions)]
        if not rows:
            raise KeyRefused("the exchange shows no account behind this API key")
        return rows[0]

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await question()
            except (Misconfigured, Rejected) as error:
                raise KeyRefused(refusal_in_words(error.reason)) from error
            except VenueError as error:
                await self._wait(error.reason)

    async def _wait(self, reason: str) -> None:
        self._failures += 1
        if self._failures == 1:
            log.warning("the venue does not answer; asking on", why=reason)
        if self._failures == TELL_PEOPLE_AFTER:
            self._tell_people(reason)
        self._notifier.waiting(f"nothing is guarded: waiting for the exchange, which does not answer ({reason})")
        await asyncio.sleep(min(LONGEST_PAUSE_S, self._first_pause_s * 2.0 ** min(self._failures, 10)))

    def _tell_people(self, reason: str) -> None:
        self._raise_alert(
            RaiseAlert(
                reason=Reason.DEGRADED,
                alert_id=f"mode:waiting_for_venue::{self._clock.now_ns()}",
                severity=Severity.CRITICAL,
                topic="mode",
                state="waiting_for_venue",
                symbol="",
                text=f"The guard has started and cannot reach the exchange ({reason}); it guards nothing until it can.",
            )
        )
