"""What a scenario file may say: every table, every key, with its sort, its default and its meaning.

Why: the reader, the reference in `docs/scenarios.md` and the error messages all come from this one list, so
none of them can promise what another does not keep.

Units: as each key says; `moment` is a date and time (UTC) or a time since the start such as `"1h30m"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Sort(Enum):
    """What a value is, in the words of the error messages."""

    TEXT = "a text"
    WHOLE = "a whole number"
    PRICE = "a price above zero"
    NUMBER = "a number"
    FLAG = "true or false"
    TIME = "a date and time such as 2020-03-12T10:00:00Z"
    MOMENT = 'a time since the start such as "1h30m", or a date and time'
    TEXTS = 'a list of texts such as ["order"]'
    AMOUNTS = "a table of whole minor units such as { XBt = 100000000 }"
    POINTS = 'a list of [moment, price] such as [["0m", 7950], ["45m", 7700.5]]'


class Need(Enum):
    """Whether a key has to be there."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One key; `default` is a value, or says whether it is needed."""

    name: str
    sort: Sort
    default: object
    meaning: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSpec:
    """One table of the file.

    Attributes:
        name: As it is written, with the tables it stands in.
        is_list: Written `[[name]]`, as often as wanted.
        meaning: What it is for.
        fields: Its keys.
        is_open: Takes further keys (the parameters of a fault).
    """

    name: str
    is_list: bool
    meaning: str
    fields: tuple[Field, ...]
    is_open: bool = False


def _field(name: str, sort: Sort, default: object, meaning: str) -> Field:
    return Field(name=name, sort=sort, default=default, meaning=meaning)


_REQUIRED, _OPTIONAL = Need.REQUIRED, Need.OPTIONAL
_AT = _field("at", Sort.MOMENT, "0s", "when")
_ACCOUNT = _field("account", Sort.TEXT, _REQUIRED, "name of an account of this file")
_SYMBOL = _field("symbol", Sort.TEXT, _REQUIRED, "the contract")
_SYMBOLS = _field("symbol", Sort.TEXT, _REQUIRED, "the contract; `*` for all")


def _list(name: str, meaning: str, *fields: Field, is_open: bool = False) -> TableSpec:
    return TableSpec(name=name, is_list=True, meaning=meaning, fields=fields, is_open=is_open)


def _one(name: str, meaning: str, *fields: Field) -> TableSpec:
    return TableSpec(name=name, is_list=False, meaning=meaning, fields=fields)


TOP = _one(
    "",
    "Keys before the first table.",
    _field("title", Sort.TEXT, _REQUIRED, "one line for people"),
    _field("start", Sort.TIME, _REQUIRED, "time on the tape at which it begins"),
    _field("end", Sort.MOMENT, _OPTIONAL, "when it ends; the last point if left out, needed with `candles`"),
    _field("speed", Sort.TEXT, "fit:75", "pace unless `--speed` says otherwise: a factor, `fit:SECONDS`, `max`"),
)
_SPECS = (
    _one(
        "price",
        "XBTUSD's last price; marks, indices and the other contracts follow it as on any tape.",
        _field("points", Sort.POINTS, _OPTIONAL, "corners of the way; two at one moment are a jump"),
        _field("candles", Sort.TEXT, _OPTIONAL, "a candle file instead, from this file's folder"),
        _field("noise", Sort.NUMBER, "0.0005", "how far it strays from the line between points, as a share"),
    ),
    _list(
        "path",
        "Another contract's own way, instead of following XBTUSD; mark and index keep their distance.",
        _SYMBOL,
        _field("points", Sort.POINTS, _REQUIRED, "corners of the way"),
    ),
    _list(
        "halt",
        "Trading stands still everywhere, in whole minutes; index and mark walk on to where it resumes.",
        _field("from", Sort.MOMENT, _REQUIRED, "first moment"),
        _field("until", Sort.MOMENT, _REQUIRED, "first moment after it"),
    ),
    _one(
        "liquidity",
        "How deep the modelled book is, all the time.",
        _field("depth_percent", Sort.NUMBER, "100", "of each level's usual size"),
        _field("spread_times", Sort.NUMBER, "1", "how much wider levels stand than usual"),
    ),
    _list(
        "account",
        "An account. Without any there is one with the usual balances.",
        _field("name", Sort.TEXT, _REQUIRED, "what this file calls it; numbers count from 100001 in order"),
        _field("balances", Sort.AMOUNTS, _OPTIONAL, "opening balances; one XBT and 100,000 USDT if left out"),
    ),
    _list(
        "account.key",
        "A key of the account above, besides those every account has.",
        _field("name", Sort.TEXT, "scenario", "what its owner calls it"),
        _field("key", Sort.TEXT, _REQUIRED, "its id"),
        _field("secret", Sort.TEXT, _REQUIRED, "its secret; good for nothing but this exchange"),
        _field(
            "permissions", Sort.TEXTS, _OPTIONAL, "`order`, `orderCancel`, `withdraw`; it may read only if left out"
        ),
        _field("cidrs", Sort.TEXTS, _OPTIONAL, "networks it may be used from"),
        _field("enabled", Sort.FLAG, True, "whether it may be used at all"),
    ),
    _list(
        "account.position",
        "A position the account above holds from the start.",
        _SYMBOL,
        _field("quantity", Sort.WHOLE, _REQUIRED, "contracts, below zero for short"),
        _field("price", Sort.PRICE, _OPTIONAL, "entry price; the mark if left out"),
        _field("leverage", Sort.NUMBER, _OPTIONAL, "isolates it at this leverage; cross if left out"),
    ),
    _list(
        "order",
        "An order, as its owner would place it.",
        _AT,
        _ACCOUNT,
        _SYMBOL,
        _field("side", Sort.TEXT, _OPTIONAL, "`Buy` or `Sell`"),
        _field("quantity", Sort.WHOLE, _OPTIONAL, "contracts"),
        _field("price", Sort.PRICE, _OPTIONAL, "limit"),
        _field("stop_price", Sort.PRICE, _OPTIONAL, "trigger"),
        _field("type", Sort.TEXT, _OPTIONAL, "`ordType`; follows from the prices if left out"),
        _field("instructions", Sort.TEXTS, _OPTIONAL, "`execInst`, such as `Close`"),
        _field("time_in_force", Sort.TEXT, _OPTIONAL, "`timeInForce`"),
        _field("client_id", Sort.TEXT, "", "`clOrdID`"),
        _field("text", Sort.TEXT, "", "its text"),
    ),
    _list(
        "deposit",
        "Money that comes or, below zero, goes.",
        _AT,
        _ACCOUNT,
        _field("currency", Sort.TEXT, _REQUIRED, "such as `XBt`"),
        _field("amount", Sort.WHOLE, _REQUIRED, "minor units"),
    ),
    _list(
        "fault",
        "Something goes wrong. Further keys are its parameters; `seawall exchange fault list` shows all faults.",
        _field("name", Sort.TEXT, _REQUIRED, "which fault"),
        _AT,
        _field("until", Sort.MOMENT, _OPTIONAL, "when it is over; never if left out"),
        _field("account", Sort.TEXT, _OPTIONAL, "whom it meets: name of an account of this file"),
        _field("verb", Sort.TEXT, _OPTIONAL, "which requests: `GET`, `POST`, ..."),
        _field("path", Sort.TEXT, _OPTIONAL, "which requests: `/order`, `/order*`"),
        _field("operation", Sort.TEXT, _OPTIONAL, "which requests: `Order.new`, `Order.*`"),
        _field("table", Sort.TEXT, _OPTIONAL, "which frames"),
        _field("symbol", Sort.TEXT, _OPTIONAL, "which contract"),
        _field("count", Sort.WHOLE, _OPTIONAL, "how often it bites"),
        _field("probability", Sort.NUMBER, "1", "its chance each time, from 0 to 1"),
        is_open=True,
    ),
    _list(
        "announcement",
        "The venue announces something.",
        _AT,
        _field("title", Sort.TEXT, _REQUIRED, "headline"),
        _field("content", Sort.TEXT, "", "text"),
        _field("link", Sort.TEXT, "", "where to read more"),
        _field("urgent", Sort.FLAG, False, "shown as urgent"),
    ),
    _list(
        "restriction",
        "The venue takes only orders that shrink positions in a contract, or all again.",
        _AT,
        _SYMBOLS,
        _field("reduce_only", Sort.FLAG, True, "false ends it"),
    ),
    _list(
        "settlement",
        "The venue ends a contract: orders go, positions close.",
        _AT,
        _SYMBOLS,
        _field("price", Sort.PRICE, _OPTIONAL, "settlement price; the mean index if left out"),
    ),
    _list(
        "expect",
        "What should be so by then. Each is told in `GET /state` of the control API as met or not.",
        _AT,
        _ACCOUNT,
        _field("symbol", Sort.TEXT, "XBTUSD", "the contract"),
        _field("quantity", Sort.WHOLE, _OPTIONAL, "contracts held, signed"),
        _field("open_orders", Sort.WHOLE, _OPTIONAL, "number of open orders"),
    ),
)
TABLES: Mapping[str, TableSpec] = {spec.name: spec for spec in _SPECS}
