"""What latches allow, read off the exchange and from what people were told: the promises' own opinion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from connectors.simulated.engine.changes import Row
from daemon.core.commands import RaiseAlert

_OURS = "sw-"


def note_latch(latches: dict[str, str], alert: RaiseAlert) -> None:
    """Remember what people were told that holds: the name, and "freeze" or "flatten"."""
    name = dict(alert.facts).get("latch", "")
    if alert.topic == "latch" and alert.state in {"freeze", "flatten"}:
        latches[name] = alert.state
    elif alert.topic == "latch" and alert.state == "held":
        latches[name] = alert.text.partition(": ")[2].split()[0]
    elif alert.topic == "latch" and alert.state == "lifted":
        latches.pop(name, None)


def latched_cancel_faults(
    orders: Mapping[str, Row], order_ids: Sequence[str], kinds: set[str], size_of: Callable[[tuple[int, str]], int]
) -> Iterator[str]:
    """Name what a cancel of many must not name: anything without a latch, ours, and what only shrinks.

    The one exception: the stops that are left over on a symbol that is flat, under a flatten.
    """
    for row in [orders[order_id] for order_id in order_ids if order_id in orders]:
        words = str(row["execInst"]).split(",")
        shrinks = "ReduceOnly" in words or "Close" in words
        is_flat = not size_of((int(str(row["account"])), str(row["symbol"])))
        is_left_over = "flatten" in kinds and is_flat and str(row["ordType"]).startswith("Stop")
        if not kinds or str(row["clOrdID"]).startswith(_OURS) or (shrinks and not is_left_over):
            yield f"cancels {row['clOrdID'] or row['orderID']} ({row['execInst']}) while {kinds or 'nothing'} holds"
