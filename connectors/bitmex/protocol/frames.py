"""Raw WebSocket frames to named kinds.

Why: the venue's answers are told apart by which members they have, and errors come in several shapes. This is the one
place that knows them. Numbers are decoded exactly.

Source: www.bitmex.com/app/wsAPI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from connectors.bitmex.protocol.numbers import Row
from connectors.bitmex.protocol.refusals import LONGEST_PAUSE_S, plain_reason
from connectors.bitmex.protocol.tables import Action

PING = b"ping"
PONG = b"pong"

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_ACTIONS = {action.value: action for action in Action}


class MalformedFrame(ValueError):
    """A frame that is not the protocol's. The text never quotes it."""


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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        raise MalformedFrame("a frame is not JSON") from None
    if not isinstance(decoded, dict):
        raise MalformedFrame("a frame is not a JSON object")
    if "table" in decoded:
        return _table_frame(decoded)
    return _answer(decoded)


def _table_frame(decoded: dict[str, object]) -> TableFrame:
    table, action, rows = decoded["table"], _ACTIONS.get(str(decoded.get("action"))), decoded.get("data")
    if not isinstance(table, str) or action is None or not isinstance(rows, list):
        raise MalformedFrame("a table frame lacks its table, action or data")
    if not all(isinstance(row, dict) for row in rows):
        raise MalformedFrame(f"a row of {plain_reason(table)} is not an object")
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
    is_number = isinstance(told, int | Decimal) and not isinstance(told, bool)
    return Refused(
        status=_status(decoded),
        reason=plain_reason(error) if isinstance(error, str) else "an error without a text",
        operation=operation,
        topics=_topics(arguments) if operation == "subscribe" else (),
        timeout_ms=_whole(arguments) if operation == "cancelAllAfter" else None,
        retry_after_s=min(max(float(told), 0.1), LONGEST_PAUSE_S) if is_number and told is not None else None,
    )


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
