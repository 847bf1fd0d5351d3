"""What befalls frames: each fault of `stream` as a change to what a session says.

Why: the session asks one object before it says anything and says what that returns; it knows no
fault. What is held back comes later through the session itself.

Units: milliseconds of real time. Source: www.bitmex.com/app/wsAPI; clients' captures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from connectors.simulated.server.faults.keeper import Bite
from connectors.simulated.server.faults.rows import is_about_rows, rewritten
from connectors.simulated.server.json_text import dump, load
from connectors.simulated.server.messages import Action, Kind, Message, Target
from connectors.simulated.server.tables import TABLES

_ROWS = frozenset({Kind.PARTIAL, Kind.DELTA})
_UNKNOWN_TABLE = b'{"table":"seating","action":"insert","data":[{"seat":1,"timestamp":"2020-01-01T00:00:00.000Z"}]}'
_UNKNOWN_FIELD = "newColumn"
_GARBLED = "frame-garbled"
_NO_JSON = b"<html><body>upstream connect error</body></html>"
_MS_PER_S = 1_000
_NO_CLOSE_FRAME = 1006

Said = Sequence[Message]
Shown = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Effect:
    pass_on: Callable[[Bite, Target, Message], Said]
    fits: Callable[[Message], bool]


def is_about(bite: Bite, message: Message) -> bool:
    """Return whether a fault is about this message at all."""
    if bite.name in EFFECTS:
        return EFFECTS[bite.name].fits(message)
    return message.table is not None and is_about_rows(bite, table=message.table, where="stream")


def passed_on(bites: Sequence[Bite], session: Target, message: Message) -> Said:
    """Return what is to be said instead of a message, now. What makes a frame unreadable comes last of all."""
    said: Said = (message,)
    for bite in sorted(bites, key=lambda bite: bite.name == _GARBLED):
        effect = EFFECTS.get(bite.name)
        act = partial(_rewrite, bite) if effect is None else partial(effect.pass_on, bite)
        fits = _is_rows if effect is None else effect.fits  # what an earlier fault made of it may be no rows any more
        said = [out for one in said for out in (act(session, one) if fits(one) else (one,))]
    return said


def _is_rows(message: Message) -> bool:
    return message.kind in _ROWS


def _is_delta(message: Message) -> bool:
    return message.kind is Kind.DELTA


def _is_partial(message: Message) -> bool:
    return message.kind is Kind.PARTIAL


def _is_of_account(message: Message) -> bool:
    return message.kind is Kind.DELTA and message.account is not None


def _is_update(message: Message) -> bool:
    return message.action is Action.UPDATE


def _close(bite: Bite, session: Target, _message: Message) -> Said:
    session.hang_up(None if bite.parameters["mid_frame"] else bite.whole("code"))
    return ()


def _end(_bite: Bite, session: Target, _message: Message) -> Said:
    session.hang_up(_NO_CLOSE_FRAME)
    return ()


def _mute(bite: Bite, _session: Target, message: Message) -> Said:
    return (message,) if message.kind is Kind.PONG and bite.parameters["pongs"] else ()


def _drop(_bite: Bite, _session: Target, _message: Message) -> Said:
    return ()


def _twice(_bite: Bite, _session: Target, message: Message) -> Said:
    return (message, message)


def _late(bite: Bite, session: Target, message: Message) -> Said:
    asyncio.get_running_loop().call_later(bite.whole("ms") / _MS_PER_S, session.release, message)
    return ()


def _delta_first(_bite: Bite, _session: Target, message: Message) -> Said:
    partial_frame = load(message.payload)
    action = Action.UPDATE if partial_frame["keys"] else Action.INSERT
    delta = {"table": message.table, "action": action.value, "data": partial_frame["data"][:1]}
    return (replace(message, kind=Kind.DELTA, action=action, payload=dump(delta)), message)


def _without_keys(_bite: Bite, _session: Target, message: Message) -> Said:
    keys = TABLES[message.table or ""].keys
    return (_with_rows(message, lambda row: {name: cell for name, cell in row.items() if name not in keys}),)


def _with_unknown_field(_bite: Bite, _session: Target, message: Message) -> Said:
    return (_with_rows(message, lambda row: {**row, _UNKNOWN_FIELD: 1}),)


def _unknown_table_first(_bite: Bite, _session: Target, message: Message) -> Said:
    return (Message(kind=Kind.DELTA, payload=_UNKNOWN_TABLE, action=Action.INSERT), message)


def _garble(bite: Bite, _session: Target, message: Message) -> Said:
    half = message.payload[: len(message.payload) // 2]
    return (replace(message, payload=half if bite.text("form") == "half" else _NO_JSON),)


def _expire(_bite: Bite, session: Target, message: Message) -> Said:
    session.expire(None)
    return () if message.account is not None else (message,)


def _rewrite(bite: Bite, _session: Target, message: Message) -> Said:
    return (_with_rows(message, partial(rewritten, bite)),)


def _with_rows(message: Message, change: Callable[[Shown], Shown]) -> Message:
    frame = load(message.payload)
    return replace(message, payload=dump({**frame, "data": [change(row) for row in frame["data"]]}))


EFFECTS: Mapping[str, _Effect] = {
    "stream-closed": _Effect(_close, lambda _: True),
    "stream-mute": _Effect(_mute, lambda _: True),
    "partial-missing": _Effect(_drop, _is_partial),
    "partial-late": _Effect(_late, _is_partial),
    "delta-first": _Effect(_delta_first, _is_partial),
    "partial-twice": _Effect(_twice, _is_partial),
    "keys-missing": _Effect(_without_keys, _is_update),
    "field-unknown": _Effect(_with_unknown_field, _is_rows),
    "table-unknown": _Effect(_unknown_table_first, _is_rows),
    "frame-lost": _Effect(_drop, _is_delta),
    "frame-twice": _Effect(_twice, _is_delta),
    "frame-late": _Effect(_late, _is_delta),
    _GARBLED: _Effect(_garble, _is_rows),
    "tables-swapped": _Effect(_late, _is_of_account),
    "account-stalled": _Effect(_drop, _is_of_account),
    "session-expired": _Effect(_expire, _is_rows),
    "key-disabled": _Effect(_expire, _is_of_account),
    "banned": _Effect(_end, lambda _: True),
    "maintenance": _Effect(_end, lambda _: True),
}
