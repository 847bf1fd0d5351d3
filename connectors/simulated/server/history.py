"""What happened, on both clocks: for the control API, the demo's tables and its charts.

Why: frames and rows carry protocol time only; a report has to say where on the tape an order was
confirmed or a position was liquidated.

Units: `at_ms` protocol time, `tape_ms` time of the tape, both milliseconds since 1970 UTC.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

import msgspec

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.inputs import SymbolPrices

_KEPT_EVENTS = 10_000
_KEPT_PRICES = 120_000  # of one contract at one step each
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


def _recent_events() -> deque[Event]:
    return deque(maxlen=_KEPT_EVENTS)


@dataclass(kw_only=True, slots=True)
class History:
    """What happened since the exchange was first started, within bounds.

    The latest events are kept. Of the prices all steps are kept up to a number; beyond it every
    second one of the older half goes, so the whole tape stays there, coarser the longer ago.
    Numbers to ask from count everything that happened, so a reader that keeps up misses nothing,
    also when the state directory was compacted or the exchange started again in between.

    Attributes:
        recent: The latest events.
        event_count: Events there have been.
        kept_prices: Prices to keep, those of each contract counted.
        steps: The kept steps of the tape.
        numbers: Which steps these are, counted from 0.
        step_count: Steps there have been.
    """

    recent: deque[Event] = field(default_factory=_recent_events)
    event_count: int = 0
    kept_prices: int = _KEPT_PRICES
    steps: list[PricePoint] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    step_count: int = 0

    def note_changes(self, changes: Iterable[Change], *, at_ms: int, tape_ms: int | None) -> None:
        """Keep the executions among the changes."""
        for change in changes:
            if change.table == "execution":
                self.event_count += 1
                event = Event(
                    sequence=self.event_count,
                    kind=_kind(change.row),
                    at_ms=at_ms,
                    tape_ms=tape_ms,
                    account=change.account,
                    row=change.row,
                )
                self.recent.append(event)

    def note_prices(self, prices: Sequence[SymbolPrices], *, at_ms: int, tape_ms: int) -> None:
        """Keep one step of the tape."""
        point = PricePoint(
            at_ms=at_ms,
            tape_ms=tape_ms,
            mark={one.symbol: one.mark for one in prices},
            last={one.symbol: one.last for one in prices},
            index={one.symbol: one.index for one in prices},
        )
        self.steps.append(point)
        self.numbers.append(self.step_count)
        self.step_count += 1
        if len(self.steps) * max(1, len(prices)) > self.kept_prices:
            half = len(self.steps) // 2
            del self.steps[1:half:2], self.numbers[1:half:2]

    def events(
        self, *, since: int = 0, conditions: Mapping[str, object] | None = None, count: int = 1_000
    ) -> list[Event]:
        """Return the kept events after sequence number `since` whose fields equal the conditions."""
        wanted = conditions or {}
        forgotten = self.event_count - len(self.recent)
        found = (
            event
            for event in islice(self.recent, max(0, since - forgotten), None)
            if all(getattr(event, name) == value for name, value in wanted.items())
        )
        return [event for event, _ in zip(found, range(count), strict=False)]

    def last_sequence(self) -> int:
        """Return the sequence number of the latest event, 0 before the first."""
        return self.event_count

    def prices(self, *, since: int = 0, points: int | None = None) -> tuple[list[PricePoint], int]:
        """Return the kept steps from number `since` on and the number to ask for next.

        Args:
            since: Number of the first step wanted.
            points: About how many to return; those between are left out, the last never is.
        """
        found = self.steps[bisect_left(self.numbers, since) :]
        stride = max(1, -(-len(found) // points)) if points else 1
        thinned = found[::stride]
        if found and thinned[-1] is not found[-1]:
            thinned.append(found[-1])
        return thinned, self.step_count


def _kind(row: Row) -> str:
    if row.get("execType") == "Trade" and row.get("orderID") == _NO_ORDER:
        return "liquidation"
    return _KINDS.get(str(row.get("execType")), "other")
