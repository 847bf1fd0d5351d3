"""What a run saw, as frozen values: all figures and pictures are made from these.

Units: `at_ms` milliseconds of the history played since 1970 UTC; prices as floats on the exchange's scale (divide by
`scale` for the file's own); money in satoshi.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from daemon.backtest.plan import Lane


class Ending(Enum):
    """How a position ended."""

    LIQUIDATED = "liquidated"
    STOPPED = "stopped"
    """A stop of the guard."""
    CUT = "cut"
    """A market order of the guard: reduced, trimmed or flattened."""
    TOOK_PROFIT = "took_profit"
    CLOSED = "closed"
    """By the bot, when the round's time was over."""
    DELEVERAGED = "deleveraged"
    """By the exchange, to make up for somebody else's bankrupt position."""


class Cause(Enum):
    """Why a guarded position was liquidated all the same."""

    NOTHING_TRADED = "nothing_traded"
    """Nothing was traded between the mark's arrival at the stop and the takeover, or only beyond its price."""
    THIN_BOOK = "thin_book"
    """The guard closed a part; the book held no more before the takeover."""
    NOT_STOPPED = "not_stopped"
    """Neither: a stop could have filled, and none did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """How a position came back to zero."""

    at_ms: int
    """Of its last fill."""
    price: float
    """Average of all fills that closed it."""
    ending: Ending
    """Of the last fill; LIQUIDATED if the exchange took any part of it."""
    rule: str = ""
    """Which rule the stop followed, or asked for the cut; empty where nobody of the guard was involved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Half:
    """One account's part in a round."""

    entry_price: float
    """Average of the fills that opened it."""
    exit: Exit | None
    """None: still open when the history ended; valued at the last mark."""
    result_sat: int
    """Equity at the end of the round less equity at its start; fees and funding included."""
    fees_sat: int
    funding_sat: int
    """Above 0: paid."""
    cuts: int = 0
    """Fills of market orders of the guard, partial ones included."""
    closed_by_guard: int = 0
    """Contracts that orders of the guard closed."""
    liquidated: int = 0
    """Contracts that the liquidator closed or took over; also where the rest of the position lived on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One position on both accounts of a lane."""

    lane: int
    number: int
    opened_ms: int
    ended_ms: int
    quantity: int
    liquidation_price: float | None
    """As the exchange showed it to the unguarded account at entry."""
    guarded: Half
    unguarded: Half
    protected_after_ms: int | None
    """From the entry's fill until the cover was confirmed resting; None: never."""
    cause: Cause | None = None
    """Why the guarded account was liquidated all the same; None: it was not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One alert of a guard about rules in shadow, the ladder or latches; all others are counted only."""

    at_ms: int
    lane: int
    severity: str
    topic: str
    state: str
    text: str
    mark: float | None = None
    """What the mark was then."""
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """Where stop and liquidation of a guarded position stood from a time on; None: nowhere."""

    at_ms: int
    stop: float | None
    liquidation: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """Marks of a stretch of the history."""

    at_ms: int
    first: float
    low: float
    high: float
    last: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LaneRecord:
    """All that became of a lane."""

    lane: Lane
    rounds: tuple[Round, ...]
    levels: tuple[Level, ...]
    equity: tuple[tuple[int, int, int], ...]
    """(at_ms, guarded, unguarded): profit and loss so far, what was put in or taken out left aside."""
    open_ms: int
    """How long the guarded account held a position."""
    covered_ms: int
    """Of it with the whole quantity covered by confirmed stops."""
    requests: dict[str, int]
    refused_requests: dict[int, int]
    held_back: int
    decisions: int
    unsafe: tuple[str, ...]
    """Orders of the guard that could have added danger, in words; empty when all is well."""
    problem: str = ""
    """Why the last entry was refused, in the exchange's words; empty when none was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """Everything one run saw."""

    source: str
    mark_source: str
    notes: tuple[str, ...]
    """What was done to the candles: holes bridged, rows sorted, prices scaled."""
    scale: float
    """Prices here are those of the file times this."""
    start_ms: int
    end_ms: int
    steps: int
    observes: bool
    """The policy only watches: nothing was ever sent."""
    lanes: tuple[LaneRecord, ...]
    told: tuple[Told, ...]
    told_count: dict[str, int] = field(default_factory=dict)
    """All alerts by "severity topic state", also those beyond what is kept."""
    prices: tuple[Bucket, ...] = ()
