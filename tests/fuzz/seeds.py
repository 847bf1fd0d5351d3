"""What the fuzzer starts from: frames written by hand, and recorded ones where the recordings are at hand."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from daemon.core import events as e
from daemon.core.commands import SetTimer
from daemon.shell.records import encode_command, encode_event
from tests.unit.connectors.bitmex.bitmex_builders import (
    CANCEL_REJECT_ROW,
    EXECUTION_ROW,
    EXPIRED_TOKEN,
    INSTRUMENT_ROW,
    INSURANCE_ROW,
    LIQUIDATION_ROW,
    MARGIN_ROW,
    POSITION_ROW,
    STOP_ROW,
    WALLET_ROW,
    WELCOME,
    change,
    partial,
    raw,
)

ROOT: Final = Path(__file__).resolve().parents[2]
CORPUS: Final = Path(__file__).resolve().parent / "corpus"
_ROWS: Final = {
    "order": STOP_ROW,
    "position": POSITION_ROW,
    "margin": MARGIN_ROW,
    "execution": EXECUTION_ROW,
    "wallet": WALLET_ROW,
    "instrument": INSTRUMENT_ROW,
    "insurance": INSURANCE_ROW,
    "liquidation": LIQUIDATION_ROW,
}
_PUBLIC: Final = ("instrument", "insurance", "liquidation")
_ORDER_ID: Final = str(STOP_ROW["orderID"])
_MARK: Final = {"symbol": "XBTUSD", "markPrice": 97850.5, "bidPrice": 97850, "askPrice": 97850.5}
_RECORDED: Final = re.compile(rb"^[\d.]+: (.*)$")
_MOST_RECORDED: Final = 40


def _story(*frames: bytes) -> bytes:
    return b"\n".join(frames)


def _frames_of(tables: tuple[str, ...]) -> list[bytes]:
    told = [partial(table, [_ROWS[table]]) for table in tables]
    for action in ("insert", "update", "delete"):
        told += [change(table, action, _ROWS[table]) for table in tables]
    return told


_ACCOUNT: Final = [
    *_frames_of(("order", "position", "margin", "execution", "wallet")),
    change("order", "update", {"orderID": _ORDER_ID, "ordStatus": "Filled", "leavesQty": 0}),
    change("order", "update", {**CANCEL_REJECT_ROW, "orderID": _ORDER_ID}),
    change("position", "update", {**POSITION_ROW, "currentQty": -5, "liquidationPrice": 100000}),
    change("position", "update", {"account": 273093, "symbol": "XBTUSD", "strategy": "OneWay", "currentQty": 0}),
    raw({"now": "2024-01-01T00:00:00Z", "cancelTime": "2024-01-01T00:01:00Z", "request": {"op": "cancelAllAfter"}}),
    raw(EXPIRED_TOKEN),
    raw({"status": 429, "error": "slow", "meta": {"retryAfter": 1}, "request": {"op": "subscribe", "args": ["order"]}}),
    raw(WELCOME),
    b"pong",
    b"<html>busy</html>",
]
_MARKET: Final = [
    *_frames_of(_PUBLIC),
    change("instrument", "update", _MARK),
    change("instrument", "update", {"symbol": "XBTUSD", "fundingRate": 0.0002, "state": "Closed"}),
    change("instrument", "update", {**_MARK, "markPrice": 50000}),
    change("instrument", "update", {"symbol": "NEWUSD", "markPrice": 1}),
    raw(
        {"status": 400, "error": "Unknown or expired symbol", "request": {"op": "subscribe", "args": ["instrument:X"]}}
    ),
]
_REST: Final = [
    raw(STOP_ROW),
    raw([STOP_ROW, POSITION_ROW]),
    raw([MARGIN_ROW]),
    raw([{**EXECUTION_ROW, "error": "Not Found"}]),
    raw(INSTRUMENT_ROW),
    raw([WALLET_ROW, INSURANCE_ROW, LIQUIDATION_ROW]),
    raw([{"id": "k", "permissions": ["order"], "targetAccountId": 5, "secret": "s"}]),
    raw({"timestamp": 1731500000000}),
    b"Thu, 14 Nov 2024 07:03:58 GMT",
    b"[]",
]
_NUMBERS: Final = [
    b'{"a":44047.299999999996,"b":1e25,"c":"2024-11-24T23:33:19.034Z","d":null,"e":"","f":200.0,"g":-0.0}',
    b'[{"x":1},{"x":"1"},{"x":true},{"x":[1]},{"x":1e-26}]',
]
_REFUSED: Final = [
    b"\x01\x2c5\n" + raw({"error": {"message": "Rate limit exceeded, retry in 5 seconds.", "name": "RateLimitError"}}),
    b"\x01\x90\n" + raw({"error": {"message": "Duplicate clOrdID", "name": "HTTPError"}}),
    b"\x01\x91inf\n" + raw({"error": {"message": "This request has expired - `expires` is in the past."}}),
    b"\x01\xf7nan\n" + raw({"error": {"message": "The system is currently overloaded. Please try again later."}}),
    b"\x01\x93\n<html><body>403 Forbidden</body></html>",
]
_SWITCH: Final = [
    raw({"now": "2024-01-01T00:00:00.000Z", "cancelTime": "2024-01-01T00:01:00.000Z"}),
    raw({"now": "2024-01-01T00:00:00.000Z", "cancelTime": 0}),
    raw({"now": "2024-01-01T00:00:00.000Z", "cancelTime": None}),
]
_HEADERS: Final = [
    b"x-ratelimit-limit: 120\nx-ratelimit-remaining: 7\nx-ratelimit-limit-1s: 10\nx-ratelimit-remaining-1s: 0",
    b"x-ratelimit-limit: 99999999999\nx-ratelimit-remaining: -1\nx-ratelimit-limit: 0",
]
_JOURNAL: Final = [
    encode_event(1, e.TimerFired(at_ns=5))
    + encode_event(2, e.FeedLost(at_ns=6, feed=e.FeedName.MARKET, reason="reset"))
    + encode_command(3, SetTimer(at_ns=7)),
    encode_event(1, e.TimerFired(at_ns=5)) + encode_event(3, e.TimerFired(at_ns=5)),
]
_ALERT: Final = {
    "alert_id": "mode:guarding::5",
    "severity": "note",
    "topic": "mode",
    "state": "guarding",
    "symbol": "",
    "text": "Guarding.",
    "reason": "fact",
    "account": 7,
    "raised_ns": 5,
}
_OUTBOX: Final = [
    raw({"put": _ALERT}) + b"\n" + raw({"ended": "mode:guarding::5"}) + b"\n",
    raw({"ended": "other"}) + b"\n" + raw({"put": _ALERT}) + b"\n",
]
_ASKED: Final = [
    b"GET /v1/halt?bot=maker&symbol=XBTUSD",
    b"GET /v1/journal?last=3&every=true",
    b'POST /v1/lift?1\n{"name":"daily_loss"}',
    b'POST /v1/set-stop?2\n{"symbol":"XBTUSD","price":"58500.5","may_loosen":true}',
    b'POST /v1/flatten?3\n{"symbols":["XBTUSD"]}',
    b"POST /v1/bots/maker/heartbeat",
]
_SETTINGS: Final = [
    b'[venue]\nenvironment = "testnet"\n',
    b'[venue]\nenvironment = "testnet"\n[stop]\nbuffer_percent = 2.1\n[stop.trailing]\n[guard]\nobserve = true\n',
    b'[venue]\nenvironment = "testnet"\nrest_url = "http://[::1"\n[credentials]\nkey_file = "k"\nsecret_file = "s"\n',
    b'[venue]\nenvironment = "testnet"\n[bots.maker]\nid_prefix = "mm-"\n[control]\nenabled = true\n',
]
_WRITTEN: Final = {
    "account_stream": [*_ACCOUNT, _story(*_ACCOUNT[:8]), _story(*_ACCOUNT[8:])],
    "market_stream": [*_MARKET, _story(*_MARKET)],
    "mark_scanner": [*_MARKET[:6], *_MARKET[-5:]],
    "exact_numbers": _NUMBERS,
    "rest_answers": _REST,
    "refusals": _REFUSED,
    "switch_receipts": _SWITCH,
    "rate_limit_headers": _HEADERS,
    "journal_records": _JOURNAL,
    "control_requests": _ASKED,
    "alert_outbox": _OUTBOX,
    "frame_shapes": [*_ACCOUNT[:4], raw(EXPIRED_TOKEN), b"\xff\xfe"],
    "settings_file": _SETTINGS,
}


def written(target: str) -> list[bytes]:
    """Return the seeds of a target that stand here, and the profiles for the settings."""
    profiles = sorted((ROOT / "config" / "profiles").glob("*.toml")) if target == "settings_file" else []
    return [*_WRITTEN[target], *(path.read_bytes() for path in profiles)]


def regressions(target: str) -> dict[str, bytes]:
    """Return the inputs that once broke a target, by name."""
    folder = CORPUS / target
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))} if folder.is_dir() else {}


@lru_cache(maxsize=8)
def recorded(target: str, folder: Path) -> tuple[bytes, ...]:
    """Return recorded frames of a stream's tables, a few of each; nothing for other targets."""
    wanted = {"account_stream": set(_ROWS) - set(_PUBLIC), "market_stream": set(_PUBLIC)}.get(target)
    wanted = {"instrument"} if target == "mark_scanner" else wanted
    if not wanted or not folder.is_dir():
        return ()
    found: dict[tuple[str, str], list[bytes]] = {}
    for frame in _frames_in(folder):
        kind = _kind_of(frame)
        if kind[0] in wanted and len(frame) < 20_000 and len(found.setdefault(kind, [])) < _MOST_RECORDED:
            found[kind].append(frame)
    return tuple(frame for frames in found.values() for frame in frames)


def _frames_in(folder: Path) -> Iterator[bytes]:
    for path in sorted((folder / "ws").glob("bitmex-ws-*")):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in content.split(b"\n"):
            received = _RECORDED.match(line.strip())
            yield received.group(1) if received else line.strip()


def _kind_of(frame: bytes) -> tuple[str, str]:
    try:
        decoded = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", ""
    if not isinstance(decoded, dict):
        return "", ""
    return str(decoded.get("table")), str(decoded.get("action"))
