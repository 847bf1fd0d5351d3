"""Where alerts come in: the log gets each at once, the outbox keeps it for the webhook."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from daemon.core.commands import RaiseAlert
from daemon.shell.alerts.log import write_alert
from daemon.shell.alerts.message import alert_of
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.clock import Clock


class AlertDesk:
    """Takes what the core wants said to people."""

    def __init__(self, *, clock: Clock, outbox: AlertOutbox | None) -> None:
        self._clock = clock
        self._outbox = outbox
        self.account = 0
        """Set as soon as the venue told it."""
        self.raised = 0

    @property
    def figures(self) -> dict[str, int]:
        """Counters for the status."""
        if self._outbox is None:
            return {"raised": self.raised}
        return {
            "raised": self.raised,
            "waiting": self._outbox.waiting,
            "delivered": self._outbox.delivered,
            "lost": self._outbox.lost,
        }

    def raise_alert(self, command: RaiseAlert) -> None:
        """Say it in the log and leave it for delivery."""
        alert = alert_of(command, account=self.account, raised_ns=self._clock.now_ns())
        self.raised += 1
        write_alert(alert)
        if self._outbox is not None:
            self._outbox.put_nowait(alert)

    def deliver_after(self, wait_durable: Callable[[float], bool]) -> None:
        """Let people hear of what the journal has on disk (see `AlertOutbox.deliver_after`)."""
        if self._outbox is not None:
            self._outbox.deliver_after(wait_durable)

    async def restore(self, journalled: Sequence[tuple[int, RaiseAlert]]) -> None:
        """Bring back what an earlier process could not deliver. Each comes with the time at which it was raised."""
        if self._outbox is not None:
            await self._outbox.restore(
                alert_of(command, account=self.account, raised_ns=at_ns) for at_ns, command in journalled
            )

    async def wait_delivered(self) -> None:
        """Wait until nothing is left to deliver. The caller sets the deadline."""
        if self._outbox is not None:
            await self._outbox.wait_empty()
