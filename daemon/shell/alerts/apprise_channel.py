"""The Apprise channel: chats, mail, pagers, through the messenger (see `messenger.py`)."""

from __future__ import annotations

from collections.abc import Callable

from config.credentials import Secret
from daemon.core.commands import Severity
from daemon.messenger.wire import Chart, without_address
from daemon.shell.alerts.channel import Channel, NotDelivered
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.messenger import Messenger
from daemon.shell.alerts.words import text_of, title_of

_KINDS = {Severity.NOTE: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


class AppriseChannel(Channel):
    """Delivers alerts to one address that Apprise knows."""

    def __init__(
        self,
        address: Secret,
        messenger: Messenger,
        *,
        timeout_s: float,
        picture: Callable[[Alert], Chart | None] | None = None,
    ) -> None:
        self._address = address
        self._messenger = messenger
        self._timeout_s = timeout_s
        self._picture = picture
        self._failed_with_picture = ""
        """The id of an alert that did not arrive with its picture: it goes without one the next time."""

    async def deliver(self, alert: Alert) -> None:
        """Have one alert delivered."""
        chart = self._chart(alert)
        answer = await self._messenger.run_errand(
            self._address.reveal(),
            title=title_of(alert),
            text=text_of(alert),
            kind="success" if alert.is_resolved else _KINDS[alert.severity],
            timeout_s=self._timeout_s,
            chart=chart,
        )
        if not answer.is_delivered:  # nothing it says is about this very alert: somebody may mend it
            raise NotDelivered(without_address(answer.why, self._address.reveal()))
        self._failed_with_picture = ""

    def _chart(self, alert: Alert) -> Chart | None:
        if self._picture is None or alert.alert_id == self._failed_with_picture:
            return None
        chart = self._picture(alert)
        if chart is not None:
            self._failed_with_picture = alert.alert_id
        return chart
