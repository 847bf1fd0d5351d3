"""Where alerts come in: the log gets each at once, the outbox keeps it for the channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from daemon.core.commands import RaiseAlert
from daemon.shell.alerts.heartbeat import Heartbeat
from daemon.shell.alerts.log import write_alert
from daemon.shell.alerts.message import alert_of
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.alerts.post import Post
from daemon.shell.alerts.trail import Trail
from daemon.shell.clock import Clock


class AlertDesk:
    """Takes what the core wants said to people."""

    def __init__(
        self, *, clock: Clock, outbox: AlertOutbox | None, trail: Trail | None = None, pings: Post | None = None
    ) -> None:
        self._clock = clock
        self._outbox = outbox
        self.trail = trail
        """What the charts are drawn from, where a channel takes pictures."""
        self.pings = pings
        """The way to the service that notices silence."""
        self.heartbeat: Heartbeat | None = None
        self.account = 0
        """Set as soon as the venue told it."""
        self.raised = 0

    @property
    def figures(self) -> dict[str, object]:
        """Counters for the status."""
        figures: dict[str, object] = {"raised": self.raised}
        if self._outbox is not None:
            figures |= self._outbox.figures
        if self.heartbeat is not None:
            figures["heartbeat"] = self.heartbeat.figures
        return figures

    def raise_alert(self, command: RaiseAlert) -> None:
        """Say it in the log and leave it for delivery."""
        alert = alert_of(command, account=self.account, raised_ns=self._clock.now_ns())
        self.raised += 1
        write_alert(alert)
        if self.trail is not None:
            self.trail.note(alert)
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
