"""All that the guard knows, as one frozen value.

Why: `step(state, event)` is the only place where the guard's knowledge changes, so a journal of events rebuilds it
and a checkpoint of it can be compared. Mappings are never changed in place: a step copies those that it touches.

Values that change all the time and have many fields have no slots, so that a copy costs little (`altered.py`).

The value survives `msgspec.to_builtins` and `msgspec.convert` (keys are strings or integers, no untagged unions).

Units: prices `Decimal`, quantities `int` contracts, times `int` nanoseconds since 1970 UTC; 0 stands for "never".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum

from config.policy import Policy, Tier
from connectors.vocabulary import Instrument, Insurance, Margin, Position, Wallet
from daemon.core.degraded import Degraded
from daemon.core.events import FeedName
from daemon.core.ledger import Ledger
from daemon.core.margin.confidence import Confidence
from daemon.core.memory.alert_book import AlertBook
from daemon.core.memory.bot_standing import Bot, Listening
from daemon.core.memory.episode import Episode, Former, Shadow
from daemon.core.memory.interventions import (
    Asked,
    Closing,
    Correction,
    Freezing,
    FrozenOrder,
    Latch,
    MarginBudget,
    Pause,
)
from daemon.core.memory.rule_facts import Addition, DayBook, RuleStanding
from daemon.core.memory.surroundings import ForcedOrder, SpreadSample
from daemon.core.memory.under_way import Bracket, Pending, Unproved, Write
from daemon.core.memory.witnesses import KnownOrder, Witness
from daemon.core.mode import Mode
from daemon.core.volatility import Volatility


class Standing(Enum):
    """What is known of a position's liquidation price."""

    UNKNOWN = "unknown"
    IN_RANGE = "in_range"
    NOT_IN_RANGE = "no_liquidation_in_range"
    """Our own computation confirms that no price can liquidate it."""


class Need(Enum):
    """What kind of cover a position asks for."""

    NOTHING = "nothing"
    """Flat, or no liquidation in range."""
    STOP = "stop"
    UNKNOWN = "unknown"
    """No liquidation price, so no trigger can be worked out."""
    WORTHLESS = "worthless"
    """No room is left for a stop between mark and liquidation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A mark price and when it was taken in."""

    price: Decimal
    at_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Liquidation:
    """Where a position is liquidated, after venue's and our own figures were weighed."""

    standing: Standing = Standing.UNKNOWN
    price: Decimal | None = None
    """The nearer to the mark of the venue's price, ours and the account's common failure."""
    disagrees: bool = False
    """The two figures differ by more than the tolerance, or one source alone names what nobody bears out."""
    alone: Decimal | None = None
    """The nearest price, if one source alone names it: it may move a stop, and closes nothing at the market."""
    confidence: Confidence | None = None
    """How our own figure is known; None where there is none."""
    text: str = ""
    """What the figures were, for people."""

    @property
    def is_sure(self) -> bool:
        """Whether a second source bears the price out, or our own computation alone suffices for it."""
        return self.alone is None or self.alone != self.price


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """Everything about one position, from the first row until some time after it went flat."""

    position: Position
    """The newest believed row."""
    taken_ns: int
    sized_ns: int = 0
    """When a believed row first showed the present quantity."""
    stream: Witness | None = None
    query: Witness | None = None
    known_ns: int = 0
    """When this episode (flat to flat, or turn to turn) became known."""
    flat_ns: int = 0
    """Since when it is flat; 0 while it is open."""
    turned_ns: int = 0
    """When the present direction (or flatness) was first witnessed, on the clock of the witness."""
    placed_ns: int = 0
    """When a stop was last placed."""
    is_from_start: bool = False
    """Known since before the guard was first whole (or a policy change): a breach alerts rather than reduces."""
    in_breach: bool = False
    """First seen through its trigger; a nearest valid stop stands in until the mark comes back."""
    liquidation: Liquidation = field(default_factory=Liquidation)
    common_price: Decimal | None = None
    """Its mark price when all marks move so far that the account fails (cross, two positions or more)."""
    ruled: Decimal | None = None
    """The trigger that the stop rules ask for, before the ratchet."""
    ruled_by: str = ""
    """The rule that brought the stop to where it belongs."""
    ruled_why: str = ""
    """Its reason in one clause."""
    episode: Episode = field(default_factory=Episode)
    """What the stop rules remember since it opened."""
    exit_ns: int = 0
    """Since when a rule asks for it to be closed."""
    shadows: tuple[Shadow, ...] = ()
    """Where rules in shadow would have put the stop."""
    bracket: Bracket = field(default_factory=Bracket)
    silences: tuple[str, ...] = ()
    """Rules that are on and cannot speak, with the reason."""
    silent_ns: int = 0
    """Since when there are any."""
    need: Need = Need.NOTHING
    ratchet: Decimal | None = None
    """Tightest trigger of ours confirmed in this episode (P3)."""
    former: Former | None = None
    """What it turned round from, if that was told; None after it was flat."""
    covered_ns: int = 0
    """Since when the whole quantity is covered; 0 while it is not."""
    uncovered_ns: int = 0
    """Since when it is not; 0 while it is."""
    was_covered: bool = False
    """Covered at least once in this episode: that was told."""
    protected_by: tuple[str, ...] = ()
    """Order ids of the resting stops that together cover it now (read with `protection.proof`); empty while naked."""
    naked_told_ns: int = 0
    """When it was last said, critically, that it is still naked; 0 while it is not."""
    disagrees_ns: int = 0
    """Since when the two liquidation figures differ in the alarming direction."""
    denied_ns: int = 0
    """Since when the margin row denies that it is flat (see `flatness.py`); 0 while it does not."""
    disputed_ns: int = 0
    """Since when REST reads say that it is flat and the stream says that it is open; 0 while they agree."""
    write: Write | None = None
    """Place, amend or cancel of a stop; one at a time."""
    reduce: Write | None = None
    """Reduction at the market; one at a time."""
    retry_at_ns: int = 0
    pause_ns: int = 0
    reduce_at_ns: int = 0
    reduce_pause_ns: int = 0
    reduced_ns: int = 0
    """When a reduction of this episode was last carried out."""
    through_ns: int = 0
    """Since when the mark is beyond the wanted trigger."""
    fired_ns: int = 0
    """When our stop was seen triggered."""
    cut_off_ns: int = 0
    """When the venue was seen to have cancelled what the stop that fired could not fill: nothing of it is at work."""
    reductions: int = 0
    """Reductions at the market asked for in this episode."""
    was_liquidated: bool = False
    was_told_out: bool = False
    """That it went flat by our doing was told."""
    tier: Tier = Tier.CALM
    tier_told: Tier = Tier.CALM
    """What was told last, of this position or of the one before it."""
    tier_told_ns: int = 0
    degraded: tuple[Degraded, ...] = ()
    refusal: str = ""
    """Who refused cover last, the venue or our own check, and in which words; empty once covered."""
    unamendable: str = ""
    """The stop that the venue refused to change last: another is tried beside it."""
    vanishings: int = 0
    """How often its stop disappeared without firing, each time within a minute of the one before."""
    vanished_ns: int = 0
    """When it last did."""
    observed: str = ""
    """What was last said: while observing, what would be done; else "vanished" until the stop put back is confirmed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """One stream, from event times alone."""

    is_live: bool = False
    since_ns: int = 0
    """Live or lost since."""
    reason: str = "not connected yet"
    age_ns: int = 0
    """Age of the last sign of life at the last health tick."""
    doubted: tuple[tuple[str, str], ...] = ()
    """Tables that cannot be believed at present, each with the reason."""
    unreadable: int = 0
    """Frames that could not be understood since the process started."""
    data_age_ns: int = 0
    """Age of the last frame that is no pong, at the last health tick."""
    mute: tuple[str, ...] = ()
    """Topics that kept something back, as reads show (see `mute.py`)."""
    mute_ns: int = 0
    """Since when there are any."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """How well the guard can see and act."""

    market: Feed = field(default_factory=Feed)
    account: Feed = field(default_factory=Feed)
    loop_lag_ns: int = 0
    clock_skew_ns: int = 0
    is_journal_ok: bool = True
    last_tick_ns: int = 0
    zone_offset_s: int = 0
    """Clocks of the quiet hours' time zone less UTC."""
    misconfigured: str = ""
    """The venue's words, until a request succeeds again."""
    unsent_ns: int = 0
    """Since when requests are not carried out, for want of budget or connection."""
    unsent_text: str = ""
    is_limited: bool = False
    """The last one was for want of budget."""

    def feed(self, name: FeedName) -> Feed:
        """The named stream."""
        return self.market if name is FeedName.MARKET else self.account


@dataclass(frozen=True, kw_only=True, slots=True)
class Pictures:
    """REST reads of the whole account."""

    wanted_ns: int = 0
    """A picture asked at or after this time is wanted; 0: none is."""
    reason: str = ""
    command_id: int | None = None
    asked_ns: int = 0
    """When the one in flight was asked."""
    taken_ns: int = 0
    """`asked_ns` of the newest picture folded in."""
    margins: tuple[Margin, ...] = ()
    """The margin rows of that one, newer or older than the stream's: a second witness of equity."""
    answered_ns: int = 0
    retry_at_ns: int = 0
    pause_ns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Renewal:
    """When the account stream was last opened anew over a dispute, and how long to wait before the next time."""

    asked_ns: int = 0
    pause_ns: int = 0


class SwitchState(Enum):
    """What the guard knows of the account's dead man's switch."""

    UNKNOWN = "unknown"
    ARMED = "armed"
    DISARMED = "disarmed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """The dead man's switch, as last confirmed."""

    state: SwitchState = SwitchState.UNKNOWN
    command_id: int | None = None
    is_feed: bool = False
    """The last request about it by this process was a feed."""
    sent_ns: int = 0
    """When the last request about it left the core."""
    confirmed_ns: int = 0
    expires_ns: int = 0
    """When the countdown ends at the earliest, while armed."""
    retry_at_ns: int = 0
    problem: str = ""
    """Why the last request is not confirmed; empty when it is."""
    is_settled: bool = False
    """Nothing is left to do about it in the orderly stop."""
    clearing_ns: int = 0
    """Since when a blind guard takes away what may add exposure, before the countdown does (see `exposure.py`)."""
    told: SwitchState = SwitchState.UNKNOWN
    """What people were last told."""
    told_ns: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """The bounds last handed to the shell for one symbol."""

    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, kw_only=True)
class GuardState:
    """The guard of one account."""

    account: int
    policy: Policy
    now_ns: int = 0
    mode: Mode = Mode.STARTING
    mode_since_ns: int = 0
    unguarded_ns: int = 0
    """Since when it does not guard, through all changes of mode; 0 while it does."""
    started_ns: int = 0
    stop_asked_ns: int = 0
    was_whole: bool = False
    """The first picture since the start has been taken in: what opens from now on was not there at start."""
    orders_known: bool = False
    """The open orders were listed since the start: before that, a stop may rest that is not known yet."""
    positions_listed_ns: int = 0
    """When the account stream last listed the whole position table; 0 while it is down."""
    next_command_id: int = 1
    health: Health = field(default_factory=Health)
    ledger: Ledger = field(default_factory=Ledger)
    pictures: Pictures = field(default_factory=Pictures)
    switch: Switch = field(default_factory=Switch)
    renewal: Renewal = field(default_factory=Renewal)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    volatility: dict[str, Volatility] = field(default_factory=dict)
    """By symbol, of all whose marks were told."""
    margins: dict[str, Margin] = field(default_factory=dict)
    """By settlement currency."""
    wallets: dict[str, Wallet] = field(default_factory=dict)
    """Deposits, withdrawals and transfers, by currency."""
    insurance: dict[str, tuple[Insurance, ...]] = field(default_factory=dict)
    """The venue's insurance fund by currency: its latest publications, oldest first."""
    liquidations: dict[str, ForcedOrder] = field(default_factory=dict)
    """Liquidations of others in symbols held, by order id, oldest first: the last hour's, at most some hundreds."""
    spreads: dict[str, tuple[SpreadSample, ...]] = field(default_factory=dict)
    """Bid-ask samples of the last minute or so by symbol, oldest first (read with `inputs_seen.widest_spread`)."""
    missing_topics: dict[str, str] = field(default_factory=dict)
    """Topics the guard can do without and lacks, and why: a rule that needs one cannot judge."""
    positions: dict[str, Guarded] = field(default_factory=dict)
    """By symbol (one-way positions only)."""
    hedged: dict[str, int] = field(default_factory=dict)
    """Rows of hedge mode by symbol and strategy, with their size: refused by name."""
    orders: dict[str, dict[str, KnownOrder]] = field(default_factory=dict)
    """Open orders by symbol and order id."""
    adding: dict[str, int] = field(default_factory=dict)
    """How many open orders of a symbol may add exposure."""
    finished: dict[str, int] = field(default_factory=dict)
    """Orders that ended lately and when that was seen: an older picture must not bring them back."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Highest number used per series of client order ids (see `ids.py`)."""
    pending: dict[int, Pending] = field(default_factory=dict)
    """Requests in flight by command id."""
    asking: dict[str, int] = field(default_factory=dict)
    """Symbol to the command id of the question about its orders that is in flight; below 0: paused until that time."""
    in_vain: dict[str, int] = field(default_factory=dict)
    """Symbol to the pause, in ns, after the last of several questions about its orders that got no answer."""
    unproved: dict[str, Unproved] = field(default_factory=dict)
    """Requests of ours that may still take effect, by kind and order (see `outcomes.py`)."""
    named: dict[str, int] = field(default_factory=dict)
    """Symbols whose orders of others were named, and when (see `foreign.py`)."""
    cancels: dict[str, int] = field(default_factory=dict)
    """Orders of others whose cancel was asked for, and when that was last asked or answered."""
    latches: dict[str, Latch] = field(default_factory=dict)
    """By name. While any holds, what may add exposure is cancelled as it appears."""
    frozen_orders: dict[str, FrozenOrder] = field(default_factory=dict)
    """Others' orders that are to go for a latch, by order id."""
    freezing: Freezing = field(default_factory=Freezing)
    closings: dict[str, Closing] = field(default_factory=dict)
    """Symbols that are being closed, or were, while a FLATTEN latch holds."""
    corrections: dict[str, Correction] = field(default_factory=dict)
    """By symbol."""
    margin_budgets: dict[str, MarginBudget] = field(default_factory=dict)
    """By settlement currency."""
    climbed: dict[str, int] = field(default_factory=dict)
    """Steps of the ladder taken in the present tier, as "symbol:tier:step", and when last."""
    rules: dict[str, RuleStanding] = field(default_factory=dict)
    """Breaches of account rules that stand, or were over a short time ago, as "rule" or "rule:subject"."""
    unjudged: dict[str, str] = field(default_factory=dict)
    """Rules that cannot judge at the moment, and why; "*": none can."""
    unjudged_ns: dict[str, int] = field(default_factory=dict)
    """Since when, by the same names."""
    day_books: dict[str, DayBook] = field(default_factory=dict)
    """By settlement currency."""
    additions: dict[str, Addition] = field(default_factory=dict)
    """By symbol: positions that were added to in loss."""
    filled: dict[str, int] = field(default_factory=dict)
    """Orders of others that were filled within the hour, and when that was first seen; at most one over the limit."""
    bots: dict[str, Bot] = field(default_factory=dict)
    """Those of the settings, by name."""
    listening: Listening = field(default_factory=Listening)
    """How well they can be heard."""
    pause: Pause | None = None
    """While it lasts nothing is sent but what a person asks for."""
    people: AlertBook = field(default_factory=AlertBook)
    """What people were told, acknowledged and silenced."""
    operator_ids: dict[str, Asked] = field(default_factory=dict)
    """Requests of operators that were carried out, by request id: a repeat changes nothing."""
    stale_currencies: dict[str, int] = field(default_factory=dict)
    """Currencies whose common move has to be worked out again, and since when."""
    degraded: dict[str, int] = field(default_factory=dict)
    """Degraded states of the account (values of `Degraded`), and since when."""
    wakes: dict[str, int] = field(default_factory=dict)
    """Deadlines by what is due: a symbol, or "*" for the account."""
    bands: dict[str, Band] = field(default_factory=dict)
    timer_ns: int = 0
    """When the shell was last asked to wake the core; 0: not asked."""


def initial_state(account: int, policy: Policy) -> GuardState:
    """The state of a guard that knows nothing yet."""
    return GuardState(account=account, policy=policy)


def decided_by_people_and_rules(state: GuardState) -> GuardState:
    """What no question to the venue can bring back: latches, budgets, the day's books, who asked for what.

    Everything else is forgotten, as by a guard that knows nothing yet: it is asked for again.
    """
    return GuardState(
        account=state.account,
        policy=state.policy,
        now_ns=state.now_ns,
        next_command_id=state.next_command_id,
        latches=state.latches,
        margin_budgets=state.margin_budgets,
        day_books=state.day_books,
        operator_ids=state.operator_ids,
        pause=state.pause,
        people=state.people,
    )


def with_policy(state: GuardState, policy: Policy) -> GuardState:
    """The same knowledge under another policy (after a restart with changed settings).

    Ratchets stay, so no stop loosens (P3); positions count as known from the start, so a breach under the new policy
    alerts unless the policy says otherwise. An equal policy changes nothing.
    """
    return state if policy == state.policy else under_policy(state, policy)


def under_policy(state: GuardState, policy: Policy) -> GuardState:
    """The same, whatever the policy was."""
    positions = {symbol: _from_start(each) for symbol, each in state.positions.items()}
    return replace(state, policy=policy, positions=positions)


def _from_start(guarded: Guarded) -> Guarded:
    return replace(guarded, is_from_start=True, ruled=None, episode=replace(guarded.episode, is_from_start=True))
