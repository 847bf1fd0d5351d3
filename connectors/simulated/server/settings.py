"""Settings of one embedded exchange, as a single frozen value.

Why: the command line, the demo and the tests all describe an exchange the same way, and a state
directory can tell whether it was written under the same settings.

Units: `_ms` are milliseconds of protocol time, `_bytes` bytes, balances are minor units of their
currency. Defaults of the doubtful points:
`docs/venue-facts.md`; limits: www.bitmex.com/app/restAPI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from connectors.simulated.engine.switches import Switches

HOST = "127.0.0.1"
_ONE_BITCOIN = 100_000_000  # satoshi
_HUNDRED_THOUSAND_TETHER = 100_000_000_000  # micro-USDT


class RowStyle(Enum):
    """How rows show columns without a value."""

    FULL = "full"  # as null: what most public clients need
    SPARSE = "sparse"  # left out: what the newest real rows look like


class ClockKind(Enum):
    """Whose time protocol time is."""

    REAL = "real"
    TAPE = "tape"  # moves with the tape's steps; signatures and request limits stay with real time


class ListingChoice(Enum):
    """What is listed."""

    MAJORS = "majors"  # XBTUSD, XBTUSDT, ETHUSD and XBTH27
    VENUE = "venue"  # everything the venue lists on the protocol's date


class PositionKeys(Enum):
    """What identifies a row of `position` on the stream."""

    STRATEGY = "account,symbol,strategy"  # since October 2025
    SYMBOL = "account,symbol"  # from 2022


class AnswerOrder(Enum):
    """Whether an account that listens hears of its own request by the answer or on the stream first."""

    EITHER = "either"  # now this way, now that, within a few milliseconds
    ANSWER_FIRST = "answer_first"
    STREAM_FIRST = "stream_first"


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimits:
    """The venue's request limits; `is_on=False` lets a harness send as it likes."""

    is_on: bool = True
    signed_per_minute: int = 120
    unsigned_per_minute: int = 30
    orders_per_second: int = 10
    connections_per_hour: int = 720
    connections_per_second: int = 0  # new ones of one address; 3 by one client's word, 0 for no such limit
    topics_per_minute: int = 1_200  # subscriptions of one session; the venue states none
    errors_per_session: int = 100  # answered with an error; one more ends the session
    ban_after_refusals: int = 20  # 429s within `ban_window_ms` that lead to a ban; 0 never bans for them
    ban_after_errors: int = 60  # other 4xx and 5xx within it; 0 never bans for them
    ban_window_ms: int = 10_000
    ban_ms: int = 60_000  # the venue says an hour; a test session should outlive it
    error_name: str = "RateLimitError"  # class in the body of a 429; `HTTPError` was seen, too


@dataclass(frozen=True, kw_only=True, slots=True)
class ExchangeSettings:
    """Everything that makes one embedded exchange differ from another.

    Attributes:
        port: REST and WebSocket port on loopback; 0 takes a free one.
        control_port: Port of the control API; 0 takes a free one.
        seed: Origin of all that looks random: the price path and the accounts' keys.
        scenario: Name of a built-in price history; ignored when `candles` is given.
        candles: Candle file to play instead.
        market: Recorded session or trades to play instead, as the market that they were.
        since: First time to play of the candle file, as `--from` takes it.
        until: Last time to play, as `--to` takes it.
        pick_day: Of a file longer than a day, without a range, play the most violent day only.
        speed: Pace of the tape as `--speed` takes it (a factor, `fit:SECONDS`, `max`); None for
            the tape's own.
        listing: What is listed; ignored when `instruments` is given.
        instruments: File of instruments to list instead: a reply of `GET /instrument`, or its CSV form.
        start_paused: Publish the first prices and wait for `POST /tape`.
        clock: Whose time rows are stamped with and timers run on.
        state_dir: Folder of snapshot and journal; None keeps nothing.
        compact_bytes: Length of the journal from which a snapshot takes its place.
        snapshot: Snapshot to begin with; None begins anew.
        record: File that everything on the venue's port is recorded to; None records nothing.
        accounts: Number of funded accounts.
        balances: Opening balances of each account, currency to minor units.
        account_balances: Those of the first accounts where they differ; None for the same.
        rows: How empty columns are written; full rows come with partials of the old form.
        position_keys: Keys of the `position` table on the stream.
        image_period_ms: How often partials of instruments, quotes, trades and books are ready; 0 for at once.
        tells_connections_left: Whether the welcome says how many connections are left; not since 30 March 2026.
        instrument_period_ms: How often a row of `instrument` is published, merged; the venue's 500, or 0 for each step.
        limits: Request limits.
        switches: The engine's choices.
        position_refresh_ms: How often rows that only prices moved are published; 0 for with each step of prices.
        heartbeat_ms: Longest silence of the market tables while the tape stands still.
        expired_status: HTTP status of a request whose `api-expires` has passed (401 or 400).
        bulk_orders: Whether `/order/bulk` exists; it has gone from the venue's own description.
        coded_errors: Whether an error that has a number is a `CodedHTTPError` with `details`, as since 2025,
            or a `ValidationError` without, as before.
        answer_order: Whether the answer to an order or the stream comes first.
        outbox_bytes: Unread bytes after which a slow WebSocket reader is dropped.
        body_bytes: Largest request body.
    """

    port: int = 0
    control_port: int = 0
    seed: int = 1
    scenario: str = "calm"
    candles: Path | None = None
    market: Path | None = None
    since: str | None = None
    until: str | None = None
    pick_day: bool = False
    speed: str | None = None
    listing: ListingChoice = ListingChoice.MAJORS
    instruments: Path | None = None
    start_paused: bool = False
    clock: ClockKind = ClockKind.REAL
    state_dir: Path | None = None
    compact_bytes: int = 4 * 1024 * 1024
    snapshot: Path | None = None
    record: Path | None = None
    accounts: int = 1
    balances: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({"XBt": _ONE_BITCOIN, "USDt": _HUNDRED_THOUSAND_TETHER})
    )
    account_balances: tuple[Mapping[str, int] | None, ...] = ()
    rows: RowStyle = RowStyle.FULL
    position_keys: PositionKeys = PositionKeys.STRATEGY
    image_period_ms: int = 2_500
    tells_connections_left: bool = True
    instrument_period_ms: int = 0
    limits: RateLimits = field(default_factory=RateLimits)
    switches: Switches = field(default_factory=Switches)
    position_refresh_ms: int = 5_000
    heartbeat_ms: int = 1_000
    expired_status: int = 401
    bulk_orders: bool = False
    coded_errors: bool = True
    answer_order: AnswerOrder = AnswerOrder.EITHER
    outbox_bytes: int = 16 * 1024 * 1024  # the whole books of all markets are four
    body_bytes: int = 64 * 1024
