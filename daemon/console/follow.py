"""`seawall tail`: the newest records of the journal, and with --follow those that come, without a gap between."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Final

import msgspec

from daemon.console.paint import Paint, paint_for, plain
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.inputs import socket_of
from daemon.shell.control.client import DaemonUnreachable, call, open_stream

_SILENT_FOR_S: Final = 30.0
"""The guard says something every ten seconds."""
_LONGEST: Final = 200

Record = Mapping[str, Any]


def tail(options: argparse.Namespace) -> int:
    """Show records until there are no more, or until Ctrl-C.

    Raises:
        CommandFailed: If no daemon answers, or the connection ends.
    """
    path = options.socket or socket_of(options.config)
    paint = paint_for(sys.stdout)
    try:
        if not options.follow:
            _write(_newest(path, options), options, paint, after=-1)
            return ExitCode.OK
        _follow(path, options, paint)
    except (DaemonUnreachable, OSError, HTTPException) as error:
        raise CommandFailed(f"the daemon is gone: {error}", ExitCode.VENUE_UNREACHABLE) from error
    except KeyboardInterrupt:
        return ExitCode.OK
    raise CommandFailed("the daemon ended the stream", ExitCode.VENUE_UNREACHABLE)


def _newest(path: Path, options: argparse.Namespace) -> list[Record]:
    every = "&every=true" if options.every else ""
    status, answer = call(path, "GET", f"/v1/journal?last={options.last}{every}")
    if status != 200:
        raise CommandFailed(str(answer.get("error", f"the daemon answered {status}")), ExitCode.REFUSED)
    found: list[Record] = answer["records"]
    return found


def _follow(path: Path, options: argparse.Namespace, paint: Paint) -> None:
    """Listen first and read then, so that nothing falls between; what both tell is shown once."""
    every = "?every=true" if options.every else ""
    connection, response = open_stream(path, f"/v1/events{every}", timeout_s=_SILENT_FOR_S)
    try:
        if response.status != 200:
            raise CommandFailed(_words_of(response), ExitCode.REFUSED)
        shown = _write(_newest(path, options), options, paint, after=-1)
        for record in _records(response):
            shown = _write([record], options, paint, after=shown)
    finally:
        connection.close()


def _words_of(response: HTTPResponse) -> str:
    return str(msgspec.json.decode(response.read(65_536)).get("error", "refused"))


def _records(response: HTTPResponse) -> Iterator[Record]:
    while line := response.readline(4 * 1024 * 1024):
        if line.startswith(b"event: dropped"):
            return
        if line.startswith(b"data: "):
            yield msgspec.json.decode(line[6:])


def _write(records: list[Record], options: argparse.Namespace, paint: Paint, *, after: int) -> int:
    """Write those with a number above `after`; return the highest number."""
    for record in records:
        if record["seq"] <= after:
            continue
        after = record["seq"]
        line = msgspec.json.encode(record).decode() if options.as_json else in_words(record, paint)
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    return after


def in_words(record: Record, paint: Paint) -> str:
    """Return one record on one line: number, time, name, and what stands in it."""
    body = dict(record["body"])
    at_ns = body.pop("at_ns", None)
    at = "" if at_ns is None else f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%H:%M:%S.%f}"[:-3]
    style = "cyan" if record["kind"] == "command" else "dim"
    said = str(body.pop("text", ""))
    rest = " ".join(f"{name}={_value(value)}" for name, value in body.items() if value not in ("", None, [], {}))
    words = plain(f"{said} {rest}".strip())
    short = words if len(words) <= _LONGEST else words[: _LONGEST - 3] + "..."
    return f"{record['seq']:>8} {at:<12} {paint.style(record['name'], style)} {short}"


def _value(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
