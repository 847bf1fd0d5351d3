"""What is remembered of the guard's strongest means: latches, closing, corrections and the ladder's steps.

These are values of `GuardState`; what is done with them stands in `latches.py`, `flatten.py`, `corrections.py` and
`ladder.py`. They survive `msgspec.to_builtins` and `msgspec.convert`, so they survive a restart.

Units: times `int` nanoseconds since 1970 UTC, 0 for "never"; money `int` minor units of the settlement currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from config.modes import Lift
from daemon.core.operator_requests import OperatorRequest


class LatchKind(Enum):
    """What holds while a latch does."""

    FREEZE = "freeze"
    """Others' orders that may add exposure are cancelled as they appear."""
    FLATTEN = "flatten"
    """The same, and positions are closed and kept closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Latch:
    """Something that holds, through restarts, until it is lifted."""

    name: str
    """Who set it: "operator", "ladder", or the name of a rule. The name to lift it by."""
    kind: LatchKind
    symbols: tuple[str, ...] = ()
    """What it is about; empty: the whole account."""
    text: str
    """The cause, for people."""
    since_ns: int
    lift: Lift = Lift.OPERATOR
    day_ends_ns: int = 0
    """With NEXT_DAY: when it lifts by itself."""
    cancelled: int = 0
    """Orders of others that were cancelled for it."""
    read_ns: int = 0
    """FLATTEN: the newest picture that showed everything flat and nothing under way; 0: none since the last change."""
    clean_reads: int = 0
    """FLATTEN: how many such pictures in a row; two prove it."""
    proven_ns: int = 0
    """FLATTEN: since when flat is proved; 0 while it is not."""
    stuck_from_ns: int = 0
    """FLATTEN: since when it is at work without having come to its end; 0 once it has."""

    def concerns(self, symbol: str) -> bool:
        """Whether the latch is about a symbol."""
        return not self.symbols or symbol in self.symbols


@dataclass(frozen=True, kw_only=True, slots=True)
class FrozenOrder:
    """An order of somebody that is to go, while a latch holds."""

    symbol: str
    seen_ns: int
    """Since when it is to go."""
    asked_ns: int = 0
    """When its cancel was last asked for; 0: not yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Freezing:
    """The pace of the cancels: a burst, then one request every two seconds."""

    sent_ns: int = 0
    earned_ns: int = 0
    """Where the requests so far would have come to at the steady pace; a burst runs ahead of it."""
    retry_at_ns: int = 0
    pause_ns: int = 0
    refusal: str = ""
    """What stood in the way of the last request; empty if nothing did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """How the closing of one symbol goes while a FLATTEN latch holds."""

    since_ns: int
    """When the present position was first to be closed."""
    due_ns: int
    """Not before: a position that comes again and again is closed after a pause that grows."""
    sent_quantity: int = 0
    """What the position was when the last close left; 0: none left for this position."""
    has_moved: bool = False
    """Rows show that the last close had an effect."""
    tries: int = 0
    """Closes in a row that changed nothing."""
    refusal: str = ""
    """What stood in the way of the last close; empty once one had an effect."""
    rounds: int = 0
    """How often a position was found open under the latch."""
    mark_price: Decimal | None = None
    """When the last close left, or else when the round began: what the cost is measured against."""
    contracts: int = 0
    """Closed so far by our own orders, in all rounds."""
    fees_sat: int = 0
    slippage_sat: int = 0
    """Lost against `mark_price` by our own closes, fees left out; below 0: gained."""


class CorrectionKind(Enum):
    """What a correction changes about a position without trading."""

    MARGIN = "margin"
    LEVERAGE = "leverage"
    ISOLATE = "isolate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """The last change of a position's margin, leverage or mode that was asked for: one at a time per symbol."""

    kind: CorrectionKind
    command_id: int
    is_open: bool
    """The venue has not answered, or the rows do not show it yet."""
    is_answered: bool = False
    """The venue said that it was carried out."""
    is_unknown: bool = False
    """Nobody knows whether it was carried out: the position is read before anything is repeated (P5)."""
    sent_ns: int
    amount_sat: int = 0
    """MARGIN: what is moved to the position."""
    margin_before_sat: int = 0
    """MARGIN: what the position had."""
    leverage: Decimal = Decimal(0)
    """LEVERAGE: what is asked for."""
    retry_at_ns: int = 0
    pause_ns: int = 0
    refusal: str = ""
    """Why the last one was not carried out; empty if it was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MarginBudget:
    """What was added to isolated positions of one currency within one day."""

    day: int
    """Days since 1970, UTC."""
    spent_sat: int


class PauseKind(Enum):
    """How much a pause keeps back."""

    PAUSE = "pause"
    """What the guard would do of its own; what people ask for is done."""
    SHADOW = "shadow"
    """Everything: what would be done is said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A time in which the guard sends nothing of its own."""

    kind: PauseKind
    who: str
    since_ns: int
    until_ns: int
    told_ns: int
    """When people were last told."""
    stops: tuple[str, ...] = ()
    """Symbols whose stop a person gave a price since it began."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request of an operator that was carried out: the same id with the same content is a repeat of it."""

    at_ns: int
    request: OperatorRequest
