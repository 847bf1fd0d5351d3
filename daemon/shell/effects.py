"""Where commands go that the venue never sees: timer, price bands, streams, people."""

from __future__ import annotations

from connectors.ports import DropCopy
from daemon.core.commands import Notify, RaiseAlert, SetBand
from daemon.shell.alerts.desk import AlertDesk
from daemon.shell.inbox import Inbox
from daemon.shell.timers import Timer


class LocalEffects:
    """The executor's local half."""

    def __init__(self, *, timer: Timer, inbox: Inbox, desk: AlertDesk, drop_copy: DropCopy) -> None:
        self._timer = timer
        self._inbox = inbox
        self._desk = desk
        self._drop_copy = drop_copy

    def set_timer(self, at_ns: int) -> None:
        """Wake the core at this time."""
        self._timer.set_nowait(at_ns)

    def set_band(self, command: SetBand) -> None:
        """Put a price band in force."""
        self._inbox.set_band(command)

    def clear_band(self, symbol: str) -> None:
        """Drop a price band."""
        self._inbox.clear_band(symbol)

    def renew_account_stream(self) -> None:
        """Open the account stream anew."""
        self._drop_copy.renew("its tables are in doubt")

    def raise_alert(self, alert: RaiseAlert) -> None:
        """Say a fact in the log; people hear of it by what the core makes of it."""
        self._desk.note(alert)

    def notify(self, notice: Notify) -> None:
        """Tell people."""
        self._desk.notify(notice)
