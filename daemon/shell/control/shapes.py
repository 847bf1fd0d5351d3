"""What goes over the control API, as types: requests are read by them, and the OpenAPI document is made from them.

Prices are text, exactly as decided on; times are ISO 8601 in UTC; durations are seconds.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from daemon.core.people.asked import LONGEST_S as LONGEST_SILENCE_S
from daemon.core.people.asked import SHORTEST_S as SHORTEST_SILENCE_S
from daemon.core.restraint.pausing import LONGEST_S

Symbol = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_:.\-]+$")]
Name = Annotated[str, Meta(min_length=1, max_length=80)]
Price = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"^([0-9]{0,12}[1-9][0-9]{0,12}(\.[0-9]{1,12})?|0\.[0-9]{0,11}[1-9][0-9]{0,11})$",
        description="a decimal, as text",
    ),
]
PauseSeconds = Annotated[float, Meta(ge=1, le=LONGEST_S)]
"""A number, since JSON does not tell 60 from 60.0; what is begun of a second counts whole."""


class Asks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body or a query; what it does not know it refuses."""


class Nothing(Asks, frozen=True, kw_only=True):
    """No parameters."""


# ------------------------------------------------------------------ queries


class HaltQuery(Asks, frozen=True, kw_only=True):
    """For whom the halt flag is asked."""

    symbol: str | None = None
    """Leave out what only concerns other symbols."""
    bot: str | None = None
    """Who asks: a name of the settings."""


class JournalQuery(Asks, frozen=True, kw_only=True):
    """Which records of the journal."""

    last: Annotated[int, Meta(ge=1, le=1_000)] = 50
    """So many of the newest at most."""
    every: bool = False
    """Marks, ticks and checkpoints too, which otherwise are left out."""


class EventsQuery(Asks, frozen=True, kw_only=True):
    """Which records to follow."""

    every: bool = False
    """Marks and ticks too, which otherwise are left out."""


# ------------------------------------------------------------------ bodies


class LiftBody(Asks, frozen=True, kw_only=True):
    """End a latch."""

    name: Annotated[str, Meta(max_length=80)] = ""
    """Of one latch; empty: all of them."""


class FlattenBody(Asks, frozen=True, kw_only=True):
    """Close at the market, and keep closed until lifted."""

    symbols: Annotated[list[Symbol], Meta(min_length=1, max_length=100)] | None = None
    """Left out: every position of the account. An empty list is refused: whoever meant some found none."""


class SetStopBody(Asks, frozen=True, kw_only=True):
    """Give a position's stop a price."""

    symbol: Symbol
    price: Price
    may_loosen: bool = False
    """The stop may move away from the mark."""


class ClearStopBody(Asks, frozen=True, kw_only=True):
    """Forget the price that was given."""

    symbol: Symbol


class PauseBody(Asks, frozen=True, kw_only=True):
    """Act on nothing of its own for a time."""

    seconds: PauseSeconds = 600
    """Then it ends by itself."""


class ReloadBody(Asks, frozen=True, kw_only=True):
    """Read the settings anew."""

    may_loosen: bool = False
    """Stops may go back to where the new policy wants them."""


class AcknowledgeBody(Asks, frozen=True, kw_only=True):
    """Take on what stands."""

    key: Annotated[str, Meta(max_length=80)] = ""
    """Of one group of alerts; empty: all of them."""
    comment: Annotated[str, Meta(max_length=400)] = ""


class SilenceBody(Asks, frozen=True, kw_only=True):
    """Do not tell of some facts for a time; an emergency is told all the same."""

    seconds: Annotated[float, Meta(ge=SHORTEST_SILENCE_S, le=LONGEST_SILENCE_S)]
    comment: Annotated[str, Meta(min_length=1, max_length=400, pattern=r"[0-9A-Za-z]")]
    """Why, for whoever comes next."""
    topic: Annotated[str, Meta(max_length=80)] = ""
    state: Annotated[str, Meta(max_length=80)] = ""
    symbol: Annotated[str, Meta(max_length=80)] = ""
    """Each exact, or a pattern with `*`; empty: any."""


class UnsilenceBody(Asks, frozen=True, kw_only=True):
    """End a silence."""

    name: Annotated[str, Meta(max_length=80)] = ""
    """Of one; empty: all of them."""


# ------------------------------------------------------------------ answers


class Problem(Struct, frozen=True, kw_only=True):
    """Why it was not done, in words."""

    error: str
    problems: list[str] = msgspec.field(default_factory=list)
    """Each of several."""


class Done(Struct, frozen=True, kw_only=True):
    """A request was carried out."""

    done: str
    """What holds now, in one sentence."""
    who: str
    is_repeat: bool = False
    """The same request was carried out before; this time nothing was done."""
    on_disk: bool = True
    """The journal has it: a restart knows it too."""
    changes: list[str] = msgspec.field(default_factory=list)
    """What a reload changed."""
    warnings: list[str] = msgspec.field(default_factory=list)
    """What in the settings of a reload cannot work; `seawall check` says more."""


class Heard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bot's sign of life was taken."""

    bot: str
    heard: bool
    was_silent: bool
    halted: bool
    """Add no exposure now; `GET /v1/halt` says why."""


class HaltReason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reason not to add exposure."""

    kind: str
    name: str
    text: str
    symbols: list[str]
    since: str | None
    for_s: float | None


class HaltFlag(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether to stop adding exposure, and why."""

    halted: bool
    since: str | None
    symbols: list[str]
    whole_account: bool
    reasons: list[HaltReason]
    at: str
    age_s: float | None
    """How long ago the guard looked at itself."""
    account: int | None = None
    mode: str | None = None
    observe: bool | None = None


class Health(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether it guards."""

    guarding: bool
    mode: str
    age_s: float
    account: int | None = None
    market_live: bool | None = None
    account_live: bool | None = None
    journal_ok: bool | None = None
    degraded: list[str] = msgspec.field(default_factory=list)


class Bots(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How each bot stands."""

    bots: list[dict[str, Any]]


class State(Struct, frozen=True, kw_only=True):
    """All that `seawall status` shows; more fields may come."""

    version: str
    process: int
    venue: str
    uptime_s: float
    mode: str
    account: int | None = None
    observe: bool | None = None
    positions: list[dict[str, Any]] = msgspec.field(default_factory=list)
    switch: dict[str, Any] = msgspec.field(default_factory=dict)
    degraded: list[dict[str, Any]] = msgspec.field(default_factory=list)
    latches: list[dict[str, Any]] = msgspec.field(default_factory=list)
    pause: dict[str, Any] | None = None


class Positions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open positions."""

    mode: str
    positions: list[dict[str, Any]]


class Proof(Struct, frozen=True, kw_only=True):
    """What protects one position, and what bears it out."""

    symbol: str
    quantity: int
    cover: str
    """What it needs: "stop", "nothing" (no price in range liquidates it), "unknown", "worthless" (no room for one)."""
    covered_since: str | None
    """Null without a confirmed stop; alarming unless it needs nothing."""
    stops: list[dict[str, Any]]
    protection: Any
    degraded: list[str]


class Protection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The proofs of every open position."""

    mode: str
    protection: list[Proof]


class OrderRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One open order."""

    symbol: str
    order_id: str
    client_order_id: str
    side: str
    kind: str
    status: str
    quantity: int | None
    leaves_quantity: int
    price: str | None
    stop_price: str | None
    reduce_only: bool
    """It can only shrink a position."""
    close: bool
    """It follows the size of the position."""
    triggered: bool
    whose: str
    """"guard", a bot's name, or "other"."""
    may_add: bool
    """It may add exposure."""
    is_confirmed: bool


class Orders(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open orders of the account."""

    mode: str
    orders: list[OrderRow]


class Alerts(Struct, frozen=True, kw_only=True):
    """What people were told, and what holds."""

    alerts: list[dict[str, Any]]
    silences: list[dict[str, Any]]
    deliveries: dict[str, Any]


class Silences(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept quiet, by whom and until when."""

    silences: list[dict[str, Any]]


class JournalRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One record of the journal."""

    seq: int
    kind: str
    name: str
    body: dict[str, Any]


class JournalTail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest records, oldest first."""

    records: list[JournalRow]
