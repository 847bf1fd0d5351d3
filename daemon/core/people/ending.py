"""What the end of a trouble says: how long it was, how it ended, and for which positions.

A trouble is over when it no longer stands, and that is not always good: a position that the venue liquidated is near
liquidation no more. So the end of what was told about positions says what became of each.

Units: room in percent of the mark price.
"""

from __future__ import annotations

from daemon.core.alerts import percent
from daemon.core.draft import Draft
from daemon.core.margin.liquidation import room_percent
from daemon.core.market.marks import usable_mark
from daemon.core.memory.alert_book import Group
from daemon.core.people import words
from daemon.core.people.advice import AFTER_LIQUIDATION, NOTHING
from daemon.core.people.spans import span


def text(draft: Draft, group: Group, over_ns: int) -> str:
    """What happened, in one line."""
    lasted = span(max(0, over_ns - group.since_ns))
    what = words.TITLES.get(group.key, group.key)
    count = words.counted(group.told_count, "fact")
    return " ".join((f"Over after {lasted}: {what}, {count}.", *_fates(draft, group)))


def you_can(group: Group) -> str:
    """What a person can do now."""
    return AFTER_LIQUIDATION if group.liquidated else NOTHING


def _fates(draft: Draft, group: Group) -> list[str]:
    """What became of each position that was named, the liquidated first."""
    if group.key not in {"distance", "cover"}:
        return [f"It was about {', '.join(group.told_symbols)}."] if group.told_symbols else []
    others = [symbol for symbol in group.told_symbols if symbol not in group.liquidated]
    return [
        *(f"{symbol} was liquidated by the venue." for symbol in group.liquidated),
        *(_fate(draft, symbol) for symbol in others),
    ]


def _fate(draft: Draft, symbol: str) -> str:
    guarded, mark = draft.positions.get(symbol), usable_mark(draft, symbol)
    side = None if guarded is None else guarded.position.side
    if guarded is None or side is None:
        return f"{symbol} is flat."
    cover = "its whole quantity is covered by resting stops" if guarded.covered_ns else "no stop covers all of it"
    liquidation = guarded.liquidation.price
    room = None if mark is None or liquidation is None else room_percent(side, mark.price, liquidation)
    far = "" if room is None else f", {percent(room)} from its liquidation price"
    return f"{symbol} {guarded.position.quantity:+d} is open{far}; {cover}."
