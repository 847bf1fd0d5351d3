"""What happened, on both clocks: for the control API, the demo's tables and its charts.

Why: frames and rows carry protocol time only; a report has to say where on the tape an order was
confirmed or a position was liquidated.

Units: `at_ms` protocol time, `tape_ms` time of the tape, both milliseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.inputs import SymbolPrices

_NO_ORDER = "00000000-0000-0000-0000-000000000000"
_KINDS = {
    "New": "confirmed",
    "Trade": "fill",
    "TriggeredOrActivatedBySystem": "trigger",
    "Canceled": "cancel",
    "Replaced": "amend",
    "Rejected": "reject",
    "Funding": "funding",
    "Settlement": "settlement",
    "Liquidation": "liquidation",
    "Bankruptcy": "liquidation",
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an account.

    Attributes:
        sequence: Counts from 1 without holes.
        kind: `confirmed`, `fill`, `trigger`, `cancel`, `amend`, `reject`, `liquidation`, `funding`, ...
        row: The execution row.
    """

    sequence: int
    kind: str
    at_ms: int
    tape_ms: int | None
    account: int | None
    row: Row


class PricePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of one step of the tape."""

    at_ms: int
    tape_ms: int
    mark: dict[str, Decimal]
    last: dict[str, Decimal]
    index: dict[str, Decimal]


class History:
    """Everything since the exchange was first started."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._prices: list[PricePoint] = []

    def note_changes(self, changes: Iterable[Change], *, at_ms: int, tape_ms: int | None) -> None:
        """Keep the executions among the changes."""
        for change in changes:
            if change.table == "execution":
                event = Event(
                    sequence=len(self._events) + 1,
                    kind=_kind(change.row),
                    at_ms=at_ms,
                    tape_ms=tape_ms,
                    account=change.account,
                    row=change.row,
                )
                self._events.append(event)

    def note_prices(self, prices: Sequence[SymbolPrices], *, at_ms: int, tape_ms: int) -> None:
        """Keep one step of the tape."""
        point = PricePoint(
            at_ms=at_ms,
            tape_ms=tape_ms,
            mark={one.symbol: one.mark for one in prices},
            last={one.symbol: one.last for one in prices},
            index={one.symbol: one.index for one in prices},
        )
        self._prices.append(point)

    def events(
        self, *, since: int = 0, conditions: Mapping[str, object] | None = None, count: int = 1_000
    ) -> list[Event]:
        """Return the events after sequence number `since` whose fields equal the conditions."""
        wanted = conditions or {}
        found = (
            event
            for event in self._events[max(0, since) :]
            if all(getattr(event, name) == value for name, value in wanted.items())
        )
        return [event for event, _ in zip(found, range(count), strict=False)]

    def last_sequence(self) -> int:
        """Return the sequence number of the latest event, 0 before the first."""
        return len(self._events)

    def prices(self, *, since: int = 0, points: int | None = None) -> tuple[list[PricePoint], int]:
        """Return the steps from index `since` on and the index to ask for next.

        Args:
            since: Steps to leave out at the front.
            points: About how many to return; those between are left out, the last never is.
        """
        found = self._prices[max(0, since) :]
        stride = max(1, -(-len(found) // points)) if points else 1
        thinned = found[::stride]
        if found and thinned[-1] is not found[-1]:
            thinned.append(found[-1])
        return thinned, len(self._prices)


def _kind(row: Row) -> str:
    if row.get("execType") == "Trade" and row.get("orderID") == _NO_ORDER:
        return "liquidation"
    return _KINDS.get(str(row.get("execType")), "other")
