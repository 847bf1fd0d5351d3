"""Who sees everything that a guard decides and an account does, and keeps what the report needs.

Units: `at_ms` milliseconds of the history played; money in satoshi.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from connectors.simulated.engine.changes import Row
from daemon.backtest.record import Ending, Exit, Level, Told
from daemon.backtest.venue import SYMBOL
from daemon.core.commands import RaiseAlert, ReduceAtMarket
from daemon.core.memory.interventions import LatchKind
from daemon.core.state import Guarded, GuardState

GUARD_PREFIX: Final = "sw-"
BOT_PREFIX: Final = "bot-"
KEPT: Final = frozenset({"shadow", "ladder", "latch", "flatten"})
"""Topics of the alerts that are kept in full; all are counted."""
MOST_TOLD: Final = 20_000
MOST_LEVELS: Final = 100_000
NS_PER_MS: Final = 1_000_000


class Witness:
    """What one guard said and held, as it happens.

    Attributes:
        mark: The present one.
        told: Alerts of the topics in `KEPT`, the first `MOST_TOLD`.
        counted: All of them, by "severity topic state".
        levels: Where stop and liquidation stood.
        open_ms, covered_ms: How long a position was open, and covered by confirmed stops.
        covered_at_ms: When the present position's cover was first confirmed; None: not yet.
        rule: Which rule the present stop follows.
        cut_by: Who asked for the latest market order of the guard.
    """

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._seen: Guarded | None = None
        self._since_ms = 0
        self._was_open = self._was_covered = False
        self.mark: float | None = None
        self.told: list[Told] = []
        self.counted: Counter[str] = Counter()
        self.levels: list[Level] = []
        self.open_ms = self.covered_ms = 0
        self.covered_at_ms: int | None = None
        self.rule = ""
        self.cut_by = ""
        self.stop: float | None = None

    def saw_alert(self, alert: RaiseAlert, at_ns: int) -> None:
        """Keep an alert."""
        self.counted[f"{alert.severity.value} {alert.topic} {alert.state}"] += 1
        if alert.topic in KEPT and len(self.told) < MOST_TOLD:
            told = Told(
                at_ms=at_ns // NS_PER_MS,
                lane=self._lane,
                severity=alert.severity.value,
                topic=alert.topic,
                state=alert.state,
                text=alert.text,
                mark=self.mark,
                facts=tuple((str(name), str(value)) for name, value in alert.facts),
            )
            self.told.append(told)

    def saw_reduction(self, command: ReduceAtMarket, state: GuardState) -> None:
        """Note who asked for a market order: the latch that keeps the account flat, or the reason given."""
        flat = [name for name, latch in state.latches.items() if latch.kind is LatchKind.FLATTEN]
        self.cut_by = "+".join(sorted(flat)) or command.reason.value

    def saw_state(self, state: GuardState) -> None:
        """Look at the position after a decision; nothing is done while it is the same value."""
        guarded = state.positions.get(SYMBOL)
        if guarded is self._seen:
            return
        self._seen = guarded
        if guarded is not None:
            self._note(guarded, state.now_ns // NS_PER_MS)

    def _note(self, guarded: Guarded, now_ms: int) -> None:
        self.close_books(now_ms)
        self._was_open = guarded.position.quantity != 0
        self._was_covered = self._was_open and guarded.covered_ns > 0
        if self._was_covered and self.covered_at_ms is None:
            self.covered_at_ms = now_ms
        if self._was_covered:
            self.rule = str(getattr(guarded, "ruled_by", "") or "buffer")
        stop = float(guarded.ratchet) if self._was_covered and guarded.ratchet is not None else None
        nearest = guarded.liquidation.price if self._was_open else None
        level = Level(at_ms=now_ms, stop=stop, liquidation=None if nearest is None else float(nearest))
        self.stop = stop if stop is not None else self.stop
        before = self.levels[-1] if self.levels else None
        if before is None or (before.stop, before.liquidation) != (level.stop, level.liquidation):
            self.levels[MOST_LEVELS - 1 :] = [level]

    def close_books(self, now_ms: int) -> None:
        """Count the time up to now."""
        passed_ms = now_ms - self._since_ms if self._since_ms else 0
        self._since_ms = now_ms
        self.open_ms += passed_ms if self._was_open else 0
        self.covered_ms += passed_ms if self._was_covered else 0

    def forget_cover(self) -> None:
        """A new position begins: its cover is still to come."""
        self.covered_at_ms, self.stop = None, None


class AccountBook:
    """What happened to one account's position, from its execution rows.

    Attributes:
        quantity: Signed contracts.
        entry_price: Average of the fills that opened the latest position.
        last_price: Of the latest fill.
        fees_sat, funding_sat: Paid since the last `begin`.
        exit: How the latest position ended; None while it is open.
        cuts: Market orders of the guard that filled since then.
        closed_by_guard, liquidated: Contracts that the guard and the liquidator closed since then.
        unsafe: Orders of the guard that could have added danger.
    """

    def __init__(self, witness: Witness | None) -> None:
        self._witness = witness
        self.quantity = 0
        self.unsafe: list[str] = []
        self.begin()

    def begin(self) -> None:
        """A new round begins."""
        self.entry_price = self.last_price = 0.0
        self.fees_sat = self.funding_sat = self.cuts = self.closed_by_guard = self.liquidated = 0
        self._opening, self._closing = _Average(), _Average()
        self.exit: Exit | None = None

    def take(self, row: Row, at_ms: int) -> None:
        """Take one execution row."""
        match row["execType"]:
            case "Trade" | "Liquidation" | "Bankruptcy":
                self._fill(row, at_ms)
            case "Funding":
                self.funding_sat += _whole(row["execComm"])
            case "New":
                self._check_danger(row)
            case _:
                pass

    def _fill(self, row: Row, at_ms: int) -> None:
        signed = _whole(row["lastQty"]) if row["side"] == "Buy" else -_whole(row["lastQty"])
        self.fees_sat += _whole(row["execComm"])
        price = float(str(row["lastPx"]))
        self.last_price = price
        is_opening = self.quantity * signed >= 0
        self.quantity += signed
        if is_opening:
            self._opening.add(signed, price)
            self.entry_price = self._opening.price
            return
        self._closing.add(signed, price)
        ending = _ending(row)
        self.cuts += ending is Ending.CUT
        if ending is Ending.LIQUIDATED:
            self.liquidated += abs(signed)
        elif ending not in {Ending.CLOSED, Ending.DELEVERAGED}:
            self.closed_by_guard += abs(signed)
        if self.quantity == 0:
            whole = Ending.LIQUIDATED if self.liquidated else ending
            self.exit = Exit(at_ms=at_ms, price=self._closing.price, ending=whole, rule=self._rule(whole))

    def _rule(self, ending: Ending) -> str:
        if self._witness is None or ending not in {Ending.STOPPED, Ending.CUT}:
            return ""
        return self._witness.cut_by if ending is Ending.CUT else self._witness.rule

    def _check_danger(self, row: Row) -> None:
        """Hold an order of the guard against P1."""
        if not str(row.get("clOrdID") or "").startswith(GUARD_PREFIX):
            return
        words = str(row.get("execInst") or "").split(",")
        name = f"{row['clOrdID']} {row['side']} {row['ordType']}"
        if "ReduceOnly" not in words and "Close" not in words:
            self.unsafe.append(f"{name} is neither reduce-only nor close")
        if row["ordType"] == "Stop" and "MarkPrice" not in words:
            self.unsafe.append(f"{name} is not triggered by the mark price")


class _Average:
    """The average price of fills of an inverse contract: contracts over what they are worth in coin."""

    def __init__(self) -> None:
        self._contracts, self._worth = 0, 0.0
        self._only: float | None = None

    def add(self, contracts: int, price: float) -> None:
        """Take one fill."""
        self._only = price if not self._contracts or self._only == price else None
        self._contracts += abs(contracts)
        self._worth += abs(contracts) / price

    @property
    def price(self) -> float:
        """The average so far; of fills at one price, exactly that."""
        return round(self._contracts / self._worth, 4) if self._only is None else self._only


def _ending(row: Row) -> Ending:
    if row["execType"] != "Trade" or str(row.get("text") or "").startswith("Liquidation"):
        return Ending.LIQUIDATED
    if str(row.get("text") or "").startswith("Deleverage"):
        return Ending.DELEVERAGED
    if not str(row.get("clOrdID") or "").startswith(GUARD_PREFIX):
        return Ending.CLOSED
    match row["ordType"]:
        case "Stop":
            return Ending.STOPPED
        case "Limit":
            return Ending.TOOK_PROFIT
        case _:
            return Ending.CUT


def _whole(value: object) -> int:
    return int(str(value or 0))
