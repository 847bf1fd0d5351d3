"""Where alerts come in: the log gets each at once, the outbox keeps it for the channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from config.alerting import LOG_ONLY, RouteSettings
from daemon.core.commands import Notify, RaiseAlert
from daemon.shell.alerts.heartbeat import Heartbeat
from daemon.shell.alerts.log import write_alert
from daemon.shell.alerts.message import Alert, alert_from, alert_of
from daemon.shell.alerts.outbox import AlertOutbox
from daemon.shell.alerts.post import Post
from daemon.shell.alerts.trail import Trail
from daemon.shell.alerts.troubles import Troubles
from daemon.shell.clock import Clock


class AlertDesk:
    """Takes what the core wants said to people."""

    def __init__(
        self,
        *,
        clock: Clock,
        outbox: AlertOutbox | None,
        trail: Trail | None = None,
        troubles: Troubles | None = None,
        pings: Post | None = None,
        routes: RouteSettings | None = None,
    ) -> None:
        self._clock = clock
        self._outbox = outbox
        self._routes = routes or RouteSettings()
        self.trail = trail
        """What the charts are drawn from, where a channel takes pictures."""
        self.troubles = troubles or Troubles()
        """What still stands, for channels that are told so."""
        self.pings = pings
        """The way to the service that notices silence."""
        self.heartbeat: Heartbeat | None = None
        self.account = 0
        """Set as soon as the venue told it."""
        self.raised = 0
        """Facts said in the log."""
        self.told = 0
        """Messages for people."""

    @property
    def figures(self) -> dict[str, object]:
        """Counters for the status."""
        figures: dict[str, object] = {"raised": self.raised, "told": self.told}
        if self._outbox is not None:
            figures |= self._outbox.figures
        if self.heartbeat is not None:
            figures["heartbeat"] = self.heartbeat.figures
        return figures

    def note(self, command: RaiseAlert) -> Alert:
        """Say a fact of the core in the log. People hear of it by `notify`, when the core says so."""
        alert = alert_of(command, account=self.account, raised_ns=self._clock.now_ns())
        self.raised += 1
        write_alert(alert)
        if self.trail is not None:
            self.trail.note(alert)
        return alert

    def raise_alert(self, command: RaiseAlert) -> None:
        """Say what the process itself has to say, before there is a core or beside it: to the log, and to people."""
        alert = self.note(command)
        if self._outbox is not None:
            self._outbox.put_nowait(alert)

    def notify(self, notice: Notify) -> None:
        """Leave a message of the core for delivery, by the way of its level."""
        alert = alert_from(notice, account=self.account, raised_ns=self._clock.now_ns())
        self.told += 1
        names = self._ways(notice)
        if self._outbox is not None and names != (LOG_ONLY,):
            self._outbox.put_nowait(alert, names)

    def _ways(self, notice: Notify) -> tuple[str, ...]:
        """The channels that a message goes to: empty for all, `LOG_ONLY` alone for none."""
        ways = [self._routes.of(level) for level in (notice.route, *notice.also)]
        if () in ways:
            return ()
        names = tuple(dict.fromkeys(name for way in ways for name in way if name != LOG_ONLY))
        return names or (LOG_ONLY,)

    def deliver_after(self, wait_durable: Callable[[float], bool]) -> None:
        """Let people hear of what the journal has on disk (see `AlertOutbox.deliver_after`)."""
        if self._outbox is not None:
            self._outbox.deliver_after(wait_durable)

    async def restore(self, journalled: Sequence[tuple[int, Notify]]) -> None:
        """Bring back what an earlier process could not deliver. Each comes with the time at which it was raised."""
        if self._outbox is not None:
            await self._outbox.restore(
                (alert_from(notice, account=self.account, raised_ns=at_ns), self._ways(notice))
                for at_ns, notice in journalled
                if self._ways(notice) != (LOG_ONLY,)
            )

    async def wait_delivered(self) -> None:
        """Wait until nothing is left to deliver. The caller sets the deadline."""
        if self._outbox is not None:
            await self._outbox.wait_empty()

    async def wait_saved(self) -> None:
        """Wait until the next process would know all that is left to deliver. The caller sets the deadline."""
        if self._outbox is not None:
            await self._outbox.wait_saved()
