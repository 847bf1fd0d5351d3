"""The life of a stop: one that does not fire though the mark is beyond it, and one that fired and left something over.

The guard does not wait: it reduces at the market, asks, reduces again, and says so. Judged at the exchange while the
guard itself had no trouble: whether the position is smaller, gone, covered anew, or people were told.

Units: seconds of virtual time, prices `Decimal`, quantities contracts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connectors.simulated.engine.changes import Change, Row
from tests.simulation.promises.book import Holding, Key, is_ours, key_of
from tests.simulation.promises.ground import WHOLE_AGAIN_S, Ground, GuardFacts, Promise
from tests.simulation.promises.stop_rows import is_resting_stop

STUCK_S: Final = 10.0
"""Beyond the setting: the mark is told every ten seconds while it stays in its band, then a request and a retry."""
LEFT_S: Final = 12.0
"""Beyond the setting: ask, reduce, and reduce again."""
BEYOND: Final = Decimal("0.0005")
"""The venue may or may not fire at equality; beyond this share of the trigger there is no doubt."""


@dataclass(slots=True)
class _Case:
    """Something that ought not to last."""

    since_s: float
    quantity: int


class StopLife(Promise):
    """Follows our stops from the moment at which they should fire."""

    name = "life of a stop"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._stuck: dict[str, _Case] = {}
        """By the venue's id of the stop."""
        self._fired: dict[Key, _Case] = {}

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Notice a stop that fires."""
        for change in changes:
            if change.table == "order" and is_ours(change.row) and change.row["ordType"] == "Stop":
                self._take_stop(change.row)

    def _take_stop(self, row: Row) -> None:
        key = key_of(row)
        if row["triggered"] and key not in self._fired:
            self._fired[key] = _Case(self._now_s, self._book.size(key))

    def on_second(self, *, is_strict: bool) -> None:
        """Neither lasts."""
        self._judge_stuck()
        self._judge_fired()

    def _judge_stuck(self) -> None:
        late = {name: row for name, row in self._book.orders.items() if self._is_late(row)}
        for name in [name for name in self._stuck if name not in late]:
            del self._stuck[name]
        for name, row in late.items():
            key = key_of(row)
            held = self._book.holding(key)
            case = self._stuck.get(name)
            if case is None or abs(held.quantity) < abs(case.quantity) or held.since_s > case.since_s:
                self._stuck[name] = _Case(self._now_s, held.quantity)
            else:
                self.checked += 1
                self._judge(key, held, case, STUCK_S, f"{row['clOrdID']} at {row['stopPx']} has not fired")

    def _is_late(self, row: Row) -> bool:
        """Whether this is a resting stop of ours that the mark is clearly beyond."""
        if not is_ours(row) or not is_resting_stop(row):
            return False
        held = self._book.holding(key_of(row))
        trigger = Decimal(str(row["stopPx"]))
        if held.mark is None or not held.quantity or (held.quantity > 0) is not (row["side"] == "Sell"):
            return False
        return held.mark < trigger * (1 - BEYOND) if held.quantity > 0 else held.mark > trigger * (1 + BEYOND)

    def _judge_fired(self) -> None:
        for key, case in list(self._fired.items()):
            held = self._book.holding(key)
            is_over = not held.quantity or held.quantity * case.quantity < 0 or held.episode_s > case.since_s
            if is_over or abs(held.quantity) > abs(case.quantity) or self._book.is_covered(key, held):
                del self._fired[key]
                continue
            self.checked += 1
            if abs(held.quantity) < abs(case.quantity):
                self._fired[key] = _Case(self._now_s, held.quantity)
            else:
                self._judge(key, held, case, LEFT_S, "a stop has fired")

    def _judge(self, key: Key, held: Holding, case: _Case, slack_s: float, what: str) -> None:
        guards = [facts for facts in self._ground.guards_of(key[0]) if facts.free_s > WHOLE_AGAIN_S]
        if not guards or not self._ground.is_judged(key[0]) or held.liquidation is None:
            return
        patience_s = float(guards[0].policy.stop.stuck_after_s) + slack_s
        lasts_s = self._now_s - max(case.since_s, min(self._ground.quiet_since_s, self._now_s))
        if lasts_s < patience_s or any(self._has_told(facts, key[1]) for facts in guards):
            return
        case.since_s = self._now_s
        self._broken(f"{what}, the mark is {held.mark}, and {key[1]} ({held.quantity}) is left as it is")

    def _has_told(self, facts: GuardFacts, symbol: str) -> bool:
        """Whether people know that something about this position, or the whole account, is not as it should be."""
        return any(name in {"", symbol} for _, name in facts.active)
