"""The catalogue: every fault the embedded exchange can have.

Why: one place to read what can go wrong, and the only one to add a row to; the effect stands beside
its kin in `engine.faulty_prices`, `engine.faulty_orders` or `server.faults` (requests, frames, rows).

Source of the behaviours: www.bitmex.com/app/restAPI, www.bitmex.com/app/wsAPI, the venue's outage notes of
2018 to 2021, and clients' captures; see `docs/venue-facts.md`.
"""

from __future__ import annotations

from collections.abc import Mapping

from connectors.simulated.engine.faults.kinds import FaultKind, Parameter, Place, flag, number, whole, word
from connectors.simulated.engine.refusals import Refused

_CLOSE = "the connection closes, is reset, or stays open in silence"
_LATE = whole("ms", 3_000, "delay", most=600_000)
_WHERE = word("where", "both", "in REST answers, on the stream, or both", "both", "rest", "stream")


def _rest(name: str, meaning: str, *parameters: Parameter) -> FaultKind:
    return FaultKind(name=name, place=Place.REST, meaning=meaning, parameters=parameters)


def _keys(name: str, meaning: str, *parameters: Parameter) -> FaultKind:
    return FaultKind(name=name, place=Place.KEYS, meaning=meaning, parameters=parameters)


def _stream(name: str, meaning: str, *parameters: Parameter, count: int | None = None) -> FaultKind:
    return FaultKind(name=name, place=Place.STREAM, meaning=meaning, parameters=parameters, count=count)


def _engine(name: str, meaning: str, *parameters: Parameter, is_act: bool = False) -> FaultKind:
    return FaultKind(name=name, place=Place.ENGINE, meaning=meaning, parameters=parameters, is_act=is_act)


def _tape(name: str, meaning: str, *parameters: Parameter, count: int | None = None) -> FaultKind:
    return FaultKind(name=name, place=Place.TAPE, meaning=meaning, parameters=parameters, count=count)


_REST = (
    _rest(
        "request-lost",
        "the request never reaches the engine, and no answer comes",
        word("ending", "close", _CLOSE, "close", "reset", "hang"),
    ),
    _rest(
        "reply-lost",
        "the request takes effect, but its answer never comes",
        word("ending", "close", f"{_CLOSE}, or half of it comes", "close", "reset", "hang", "torn"),
    ),
    _rest("request-late", "the request reaches the engine late", _LATE),
    _rest("reply-late", "the request takes effect at once, its answer comes late", _LATE),
    _rest("request-twice", "the request takes effect twice; the first answer is given"),
    _rest("reply-twice", "the answer is sent twice on the connection"),
    _rest(
        "reply-garbled",
        "the request takes effect, its answer cannot be read",
        word("form", "html", "a page, or an empty body", "html", "empty"),
    ),
    _rest("overload", "503 `currently overloaded`: not executed; cancels, and Close without quantity, pass"),
    _rest(
        "gateway-error",
        "an answer from in front of the engine, executed or not",
        whole("status", 502, "HTTP status, such as 500 502 503 504 520 530", least=400, most=599),
        flag("executed", "whether the request took effect", default=False),
        word("form", "html", "a page of the load balancer, or an error in JSON", "html", "json"),
    ),
    _rest(
        "rate-limited",
        "429, whatever was sent before",
        whole("retry_after", 1, "seconds in `retry-after` and the text", least=0, most=100_000),
        flag("header", "whether `retry-after` is there", default=True),
    ),
    _rest("banned", "403 as an HTML page, for requests and hand-shakes; open sockets end"),
    _rest(
        "maintenance",
        "503 for everything, hand-shakes too; open sockets end",
        word("message", "The system is currently undergoing maintenance. Please try again later.", "its text"),
    ),
    _rest("pending-new", "order answers say PendingNew; the stream tells what became of it"),
    _rest("reads-stale", "a GET repeats what it answered first since the fault was set"),
    _rest("positions-missing", "GET /position is an empty list"),
    _rest(
        "handshake-refused", "the WebSocket hand-shake fails", whole("status", 503, "HTTP status", least=400, most=599)
    ),
)
_KEYS = (
    _keys("key-disabled", "401 `This key is disabled.`; account subscriptions end with 419"),
    _keys(
        "key-rights-changed",
        "403 for what the key may no longer do",
        word("rights", "read", "what is left: reading, or reading and cancelling", "read", "cancel"),
    ),
    _keys("address-refused", "403: this address is not on the key's list"),
    _keys("signature-refused", "401 `Signature not valid.`"),
    FaultKind(
        name="clock-skewed",
        place=Place.KEYS,
        meaning="the venue's clock is ahead (below zero: behind): signatures expire, server times are off",
        parameters=(whole("seconds", 60, "how far", least=-86_400, most=86_400),),
        is_for_all=True,
    ),
)
_STREAM = (
    _stream(
        "stream-closed",
        "sockets are closed at the next frame",
        whole("code", 1006, "close code; 1006 ends without one", least=1000, most=4999),
        flag("mid_frame", "end in the middle of a frame", default=False),
    ),
    _stream(
        "stream-mute",
        "the socket stays open and nothing comes",
        flag("pongs", "whether pings are still answered", default=True),
    ),
    _stream("partial-missing", "a subscription is confirmed, its partial never comes"),
    _stream("partial-late", "the partial comes late, deltas before it", _LATE),
    _stream("delta-first", "an update of the table comes before its partial"),
    _stream("partial-twice", "the partial comes a second time"),
    _stream("keys-missing", "an update comes without its key columns"),
    _stream("field-unknown", "rows carry a column nobody has heard of"),
    _stream("table-unknown", "a frame of a table nobody has heard of comes first", count=1),
    _stream("frame-lost", "a frame of rows never comes", count=1),
    _stream("frame-twice", "a frame of rows comes twice"),
    _stream("frame-late", "a frame of rows comes late, later ones before it", _LATE),
    _stream(
        "frame-garbled",
        "a frame cannot be read",
        word("form", "half", "half of it, or no JSON", "half", "text"),
        count=1,
    ),
    _stream(
        "tables-swapped",
        "an account frame comes after those of other tables that belong to the same event",
        whole("ms", 30, "how long it is held", most=600_000),
    ),
    _stream("account-stalled", "account tables stand still while the market goes on"),
    _stream("session-expired", "status 419: account subscriptions end, the socket stays", count=1),
    _stream("sign-in-lost", "a sign-in is confirmed, but the session has no account (zombie)"),
)
_ENGINE = (
    _engine("order-refused", "new orders are refused", word("message", "Invalid ordStatus", "text of the 400")),
    _engine(
        "stop-refused", "stop orders are refused", word("message", "Invalid stopPx for ordType", "text of the 400")
    ),
    _engine("amend-refused", "open orders are not changed", word("message", "Invalid amend", "text of the 400")),
    _engine("crossed-stop-refused", "a stop beyond its trigger is refused instead of fired"),
    _engine("order-rejected", "new orders end Rejected in a 200", word("reason", "Rejected by the venue", "its text")),
    _engine(
        "stop-cancelled",
        "waiting orders are accepted, then cancelled by the venue",
        whole("after_ms", 0, "age at which they go", most=86_400_000),
        word("text", "Canceled: Canceled by the venue", "text of the row"),
    ),
    _engine("stop-asleep", "a stop does not trigger although its price has passed"),
    _engine("stop-unfilled", "a stop triggers and is not filled"),
    _engine("switch-fired", "the dead man's switch fires now", is_act=True),
    _engine("switch-disarmed", "somebody else disarms the dead man's switch now", is_act=True),
    _engine("switch-asleep", "the dead man's switch runs out and nothing happens"),
    _engine(
        "new-positions-banned",
        "only orders that shrink a position are taken",
        word("message", "Account is restricted", "text of the 400"),
    ),
    FaultKind(
        name="fund-empty",
        place=Place.ENGINE,
        meaning="the insurance fund is taken to zero now",
        is_act=True,
        is_for_all=True,
    ),
    _engine(
        "contract-settled",
        "a contract ends now (every one without `symbol`): orders go, positions close",
        number("price", "", "settlement price, the mean index if empty"),
        is_act=True,
    ),
    _engine(
        "liquidation-price",
        "position rows show another liquidation price",
        word("value", "null", "null, a number such as 0 or 100000000"),
        _WHERE,
    ),
    _engine("mark-stale", "position rows show the mark price of when the fault was set", _WHERE),
    _engine(
        "sources-disagree",
        "position rows of one source show another quantity",
        word("where", "rest", "which source", "rest", "stream"),
        whole("quantity", 0, "what it shows", least=-(10**12)),
    ),
)
_TAPE = (
    _tape(
        "price-pinned",
        "prices are what is given here",
        number("mark", "", "mark price, as it comes if empty"),
        number("last", "", "last price, as it comes if empty"),
        number("index", "", "index price, as it comes if empty"),
    ),
    _tape(
        "price-moved",
        "prices are this much above (below) what the tape says",
        number("percent", "-5", "how far", least=-99, most=10_000),
        word("what", "all", "which price", "all", "mark", "last", "index"),
    ),
    _tape(
        "bad-print",
        "one step of prices is far off",
        number("percent", "-20", "how far", least=-99, most=10_000),
        word("what", "last", "which price", "last", "mark", "index"),
        count=1,
    ),
    _tape("mark-frozen", "the mark price stands still while the market moves"),
    _tape(
        "index-outage",
        "the index stands still",
        word("mark", "frozen", "the mark stands still too, or follows the last price", "frozen", "last"),
    ),
    _tape("trading-halt", "no order is taken or filled; mark and index move"),
    _tape(
        "book-thin",
        "liquidity goes",
        number("depth_percent", "5", "what is left of each level", most=100),
        number("spread_times", "10", "how much wider levels stand", least=1, most=10_000),
    ),
)
CATALOGUE: Mapping[str, FaultKind] = {one.name: one for one in (*_REST, *_KEYS, *_STREAM, *_ENGINE, *_TAPE)}


def kind_named(name: str) -> FaultKind:
    """Return a row of the catalogue.

    Raises:
        Refused: If there is none of this name; the text names near ones.
    """
    found = CATALOGUE.get(name)
    if found is None:
        words = set(name.split("-"))
        near = [one for one in CATALOGUE if words & set(one.split("-"))]
        hint = f"; near it are {', '.join(near)}" if near else "; `seawall exchange fault list` shows all"
        raise Refused(f"no fault {name!r}{hint}")
    return found
