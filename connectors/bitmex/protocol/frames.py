"""Raw WebSocket frames to named kinds.

Why: the venue's answers are told apart by which members they have, and errors come in several shapes. This is the one
place that knows them. Numbers are decoded exactly.

Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

import msgspec

from connectors.bitmex.protocol.numbers import NOT_JSON, Row
from connectors.bitmex.protocol.refusals import LONGEST_PAUSE_S, plain_reason
from connectors.bitmex.protocol.tables import Action

PING = b"ping"
PONG = b"pong"

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_ACTIONS = {action.value: action for action in Action}


_TABLE_FIRST = re.compile(rb'\s*\{\s*"table"\s*:\s*"(\w{1,40})"')
"""How the venue begins a table frame: enough to tell the table of one that was cut."""


class Unread(Enum):
    """In which way a frame, or what it holds, could not be understood."""

    NOT_JSON = "not_json"
    NO_OBJECT = "no_object"
    NO_TABLE = "no_table"
    """It names a table, and lacks its action or rows, or has ones of the wrong kind."""
    ROW = "row"
    """A row has a cell that cannot be meant, or lacks one that it must have."""
    CHANGE = "change"
    """A change does not fit what its table knows."""


class MalformedFrame(ValueError):
    """A frame that is not the protocol's. The text never quotes it."""

    def __init__(self, reason: str, *, why: Unread = Unread.NOT_JSON, table: str = "") -> None:
        """Make the error; `table` is the one that the frame belongs to, empty when it does not tell."""
        super().__init__(reason)
        self.why = why
        self.table = table


@dataclass(frozen=True, kw_only=True, slots=True)
class Pong:
    """The answer to a ping."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Welcome:
    """The first frame. `connections_left` in this hour, None if it does not say."""

    connections_left: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFrame:
    """A partial of a table, or changes to it."""

    table: str
    action: Action
    rows: tuple[Row, ...]
    keys: tuple[str, ...] | None = None
    covered: Mapping[str, object] | None = None
    """The partial's filter; None if it has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Granted:
    """An operation succeeded. The echo of its arguments is not kept: that of a sign-in holds a signature."""

    operation: str
    topic: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """An operation, or the venue itself, reports an error."""

    status: int | None
    reason: str
    operation: str = ""
    topics: tuple[str, ...] = ()
    """Arguments of a refused subscription."""
    timeout_ms: int | None = None
    """Argument of a refused feed of the dead man's switch."""
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchAnswer:
    """The dead man's switch was fed. `row` holds `now` and `cancelTime`, unchecked."""

    row: Row = field(repr=False)
    timeout_ms: int | None
    """What was asked, if the answer repeats it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unremarkable:
    """A frame that asks for nothing: help, an unsubscription, something new."""


Frame = Pong | Welcome | TableFrame | Granted | Refused | SwitchAnswer | Unremarkable


def read_frame(raw: bytes) -> Frame:
    """Return what a frame is.

    Raises:
        MalformedFrame: If it is neither a pong nor a JSON object, or a table frame that lacks its parts.
    """
    if raw == PONG:
        return Pong()
    try:
        decoded = _decode(raw)
    except NOT_JSON:
        raise MalformedFrame("a frame is not JSON", table=_suspected_table(raw)) from None
    if not isinstance(decoded, dict):
        raise MalformedFrame("a frame is not a JSON object", why=Unread.NO_OBJECT)
    if "table" in decoded:
        return _table_frame(decoded)
    return _answer(decoded)


def _suspected_table(raw: bytes) -> str:
    begins = _TABLE_FIRST.match(raw)
    return "" if begins is None else begins[1].decode("ascii", "replace")


def _table_frame(decoded: dict[str, object]) -> TableFrame:
    table, action, rows = decoded["table"], _ACTIONS.get(str(decoded.get("action"))), decoded.get("data")
    if not isinstance(table, str) or action is None or not isinstance(rows, list):
        name = table if isinstance(table, str) else ""
        raise MalformedFrame("a table frame lacks its table, action or data", why=Unread.NO_TABLE, table=name)
    if not all(isinstance(row, dict) for row in rows):
        raise MalformedFrame(f"a row of {plain_reason(table)} is not an object", why=Unread.NO_TABLE, table=table)
    keys, covered = decoded.get("keys"), decoded.get("filter")
    return TableFrame(
        table=table,
        action=action,
        rows=tuple(rows),
        keys=tuple(str(key) for key in keys) if isinstance(keys, list) else None,
        covered=covered if isinstance(covered, dict) else None,
    )


def _answer(decoded: dict[str, object]) -> Frame:
    request = decoded.get("request")
    asked: dict[str, object] = request if isinstance(request, dict) else {}
    operation = str(asked.get("op", ""))
    if decoded.get("error") is not None or decoded.get("success") is False or _status(decoded) not in {None, 200}:
        return _refused(decoded, operation, asked.get("args"))
    if "cancelTime" in decoded or (operation == "cancelAllAfter" and "now" in decoded):
        return SwitchAnswer(row=decoded, timeout_ms=_whole(asked.get("args")))
    if decoded.get("success") is True:
        topic = decoded.get("subscribe")
        return Granted(operation=operation, topic=topic if isinstance(topic, str) else "")
    if "info" in decoded and "version" in decoded:
        return _welcome(decoded)
    return Unremarkable()


def _welcome(decoded: dict[str, object]) -> Welcome:
    limit = decoded.get("limit")
    return Welcome(connections_left=_whole(limit.get("remaining")) if isinstance(limit, dict) else None)


def _refused(decoded: dict[str, object], operation: str, arguments: object) -> Refused:
    error = decoded.get("error")
    if isinstance(error, dict):
        error = error.get("message")
    meta = decoded.get("meta")
    told = meta.get("retryAfter") if isinstance(meta, dict) else None
    return Refused(
        status=_status(decoded),
        reason=plain_reason(error) if isinstance(error, str) else "an error without a text",
        operation=operation,
        topics=_topics(arguments) if operation == "subscribe" else (),
        timeout_ms=_whole(arguments) if operation == "cancelAllAfter" else None,
        retry_after_s=_pause_s(told) if isinstance(told, int | Decimal) and not isinstance(told, bool) else None,
    )


def _pause_s(told: int | Decimal) -> float:
    """The pause that was asked for, within reason. Compared before it is a float: it may have hundreds of digits."""
    return float(min(max(told, Decimal("0.1")), Decimal(LONGEST_PAUSE_S)))


def _topics(arguments: object) -> tuple[str, ...]:
    """The echoed arguments may be one text or a list of them."""
    if isinstance(arguments, str):
        return (arguments,)
    return tuple(topic for topic in arguments if isinstance(topic, str)) if isinstance(arguments, list) else ()


def _status(decoded: dict[str, object]) -> int | None:
    return _whole(decoded.get("status"))


def _whole(cell: object) -> int | None:
    if isinstance(cell, list) and len(cell) == 1:
        cell = cell[0]
    return cell if isinstance(cell, int) and not isinstance(cell, bool) else None
