"""What a channel is, and how it says that an alert did not arrive."""

from __future__ import annotations

from daemon.shell.alerts.message import Alert


class NotDelivered(Exception):
    """The alert did not arrive; trying later may help.

    Args:
        why: One line without any part of an address.
        retry_after_s: What the other end asked for, in seconds; None: nothing.
    """

    def __init__(self, why: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class DeliveryRefused(Exception):
    """The receiver will not take this alert, now or later."""


class Channel:
    """Somewhere alerts can go. It may take as long as it likes: its worker ends the wait."""

    renew_every_s: float | None = None
    """Seconds after which `renew` is due again; None: a message delivered is done."""
    held: tuple[Alert, ...] = ()
    """What has to be renewed; kept in the outbox file, over restarts."""

    async def deliver(self, alert: Alert) -> None:
        """Deliver one alert.

        Raises:
            NotDelivered: It did not arrive, or nobody knows; it is tried again.
            DeliveryRefused: The receiver objects to this very alert.
        """
        raise NotImplementedError

    async def renew(self) -> None:
        """Say again what still holds.

        Raises:
            NotDelivered: It did not arrive.
        """

    def take_held(self, alerts: tuple[Alert, ...]) -> None:
        """Go on with what an earlier process held."""
