"""What a demo run saw, as frozen values: the verdict, the table, the report and `--json` are all made from these.

Pure. `tape_ms` is the time on the tape (history), `at_ms` the protocol clock (real time); both milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from connectors.vocabulary import Side


@dataclass(frozen=True, kw_only=True, slots=True)
class PricePoint:
    """Mark and last price of one symbol at one step of the tape."""

    tape_ms: int
    mark: float
    last: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StopFact:
    """A stop of the guard as the order stream told it: confirmed resting, moved, or fired."""

    at_ms: int
    tape_ms: int
    symbol: str
    client_order_id: str
    what: str
    """"resting", "triggered", "filled" or "canceled"."""
    stop_price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """How one position of one account ended."""

    tape_ms: int
    symbol: str
    is_liquidation: bool
    price: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertFact:
    """One alert as it reached the webhook."""

    at_ms: int
    tape_ms: int
    severity: str
    topic: str
    state: str
    symbol: str
    text: str
    symbols: tuple[str, ...] = ()
    """All that it tells of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRecord:
    """One account from the first candle to the last."""

    name: str
    account: int
    equity_start_sat: int
    """XBt, the USDT wallet converted at the mark of the moment."""
    equity_end_sat: int
    exits: tuple[Exit, ...]

    @property
    def kept_share(self) -> float:
        """What is left of the equity at the start; 0 for an account that had none."""
        return self.equity_end_sat / self.equity_start_sat if self.equity_start_sat else 0.0

    @property
    def liquidations(self) -> int:
        """Positions that the exchange took."""
        return sum(1 for exit_ in self.exits if exit_.is_liquidation)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldPosition:
    """A position both accounts opened at the first candle."""

    symbol: str
    side: Side
    title: str
    quantity: int
    entry_price: Decimal
    liquidation_price: Decimal | None
    opened_tape_ms: int
    opened_at_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """Everything one run saw."""

    source: str
    """The tape in words: a scenario and its seed, or a file and its day."""
    mark_source: str
    tape_start_ms: int
    tape_end_ms: int
    seconds: float
    guarded: AccountRecord
    unguarded: AccountRecord
    positions: tuple[HeldPosition, ...]
    stops: tuple[StopFact, ...]
    alerts: tuple[AlertFact, ...]
    prices: dict[str, tuple[PricePoint, ...]]
    unsafe: tuple[str, ...]
    """Orders of the guard's key that could have added danger, in words; empty when all is well."""
    restarts: dict[str, int]
    """How often each child process had to be started again."""


class Verdict(Enum):
    """How a run ended; the value is the exit code."""

    SAVED = 0
    LIQUIDATED = 10
    INCONCLUSIVE = 11
    COVER_LATE_OR_UNSAFE = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class StopSummary:
    """One guarded position's cover, from first confirmation to its end."""

    symbol: str
    title: str
    client_order_id: str
    stop_price: Decimal | None
    confirmed_at_ms: int | None
    confirmed_tape_ms: int | None
    confirmed_after_ms: int | None
    """Real milliseconds from the fill of the entry to the stop resting."""
    crossed_tape_ms: int | None
    """When the mark first passed the trigger in force; None if it never did."""
    triggered_tape_ms: int | None

    @property
    def is_in_time(self) -> bool:
        """Whether the cover was confirmed before the mark first passed its trigger."""
        if self.confirmed_tape_ms is None:
            return False
        return self.crossed_tape_ms is None or self.confirmed_tape_ms <= self.crossed_tape_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """The judged run."""

    record: RunRecord
    verdict: Verdict
    reasons: tuple[str, ...]
    stops: tuple[StopSummary, ...]
