"""The answer to a feed of the dead man's switch, checked.

Why: the timer cancels every order of the account. A library known to divide by a thousand wipes the book at once, so
the answer has to say what was asked: `cancelTime` minus `now` is the time-out. What the venue answers to 0 is not
documented; nothing, null, "" and 0 all mean disarmed.

Source: www.bitmex.com/api/explorer, `POST /order/cancelAllAfter`.
"""

from __future__ import annotations

from typing import Final

from connectors.bitmex.protocol.numbers import MalformedRow, Row, time_ns
from connectors.errors import Rejected
from connectors.ports import SwitchReceipt

TOLERANCE_NS: Final = 250_000_000
_NS_PER_MS: Final = 1_000_000


def switch_receipt(row: Row, *, timeout_ms: int) -> SwitchReceipt:
    """Return the venue's answer as a value.

    Raises:
        MalformedRow: If the times cannot be read.
        Rejected: If the venue armed something else than what was asked.
    """
    now_ns = time_ns(row, "now")
    if now_ns == 0:
        raise MalformedRow("now is missing")
    cancel_ns = None if row.get("cancelTime") == 0 else time_ns(row, "cancelTime") or None
    if timeout_ms == 0:
        return _disarmed(now_ns, cancel_ns)
    if cancel_ns is None:
        raise Rejected(f"the switch was to be armed for {timeout_ms} ms, and the venue names no cancel time")
    armed_ns = cancel_ns - now_ns
    if abs(armed_ns - timeout_ms * _NS_PER_MS) > TOLERANCE_NS:
        raise Rejected(f"the switch was to be armed for {timeout_ms} ms, the venue armed {armed_ns // _NS_PER_MS} ms")
    return SwitchReceipt(now_ns=now_ns, cancel_time_ns=cancel_ns)


def _disarmed(now_ns: int, cancel_ns: int | None) -> SwitchReceipt:
    if cancel_ns is not None and cancel_ns > now_ns + TOLERANCE_NS:
        raise Rejected("the switch was to be disarmed, and the venue still names a cancel time")
    return SwitchReceipt(now_ns=now_ns, cancel_time_ns=None)
