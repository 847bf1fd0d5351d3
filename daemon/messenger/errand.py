"""One message to one address through Apprise. Runs in a fork of its own, which may hang or die.

The only module that knows Apprise. What the library says about a failure is passed on without any part of the address.
"""

from __future__ import annotations

import logging

import apprise
from apprise.attachment.memory import AttachMemory

from daemon.messenger.chart import draw
from daemon.messenger.wire import Answer, Errand, without_address

_LONGEST_WHY = 300
_KINDS = {
    "info": apprise.NotifyType.INFO,
    "success": apprise.NotifyType.SUCCESS,
    "warning": apprise.NotifyType.WARNING,
    "failure": apprise.NotifyType.FAILURE,
}


class _Said(logging.Handler):
    """Keeps what the library complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one complaint."""
        self.lines = [*self.lines[-2:], record.getMessage()]


def warm_up() -> None:
    """Load the plug-ins once, so that no fork has to."""
    apprise.Apprise().add("json://127.0.0.1:9/")


def run_errand(errand: Errand) -> Answer:
    """Deliver one message."""
    said = _Said()
    logging.getLogger("apprise").addHandler(said)
    asset = apprise.AppriseAsset(app_id="Seawall", app_desc="Seawall", async_mode=False, secure_logging=True)
    service = apprise.Apprise.instantiate(errand.address, asset=asset)
    if service is None:
        return Answer(number=errand.number, is_refused=True, why="Apprise does not understand the address")
    picture, trouble = _picture(errand, takes=bool(service.attachment_support))
    everybody = apprise.Apprise(asset=asset)
    everybody.add(service)
    is_delivered = everybody.notify(
        body=errand.text,
        title=errand.title,
        notify_type=_KINDS[errand.kind],
        body_format=apprise.NotifyFormat.TEXT,
        attach=picture,
    )
    why = trouble if is_delivered else " / ".join(said.lines) or "the service did not take it"
    return Answer(
        number=errand.number,
        is_delivered=bool(is_delivered),
        why=without_address(why, errand.address)[:_LONGEST_WHY],
        has_picture=picture is not None,
    )


def _picture(errand: Errand, *, takes: bool) -> tuple[AttachMemory | None, str]:
    """Draw the chart, if there is one and the service takes pictures. A message goes without rather than not at all."""
    if errand.chart is None or not takes:
        return None, ""
    try:
        content = draw(errand.chart)
        return AttachMemory(content=content, name="seawall.png", mimetype="image/png"), ""  # type: ignore[no-untyped-call]
    except (OSError, ValueError, ArithmeticError) as error:
        return None, f"the chart could not be drawn: {type(error).__name__}"
