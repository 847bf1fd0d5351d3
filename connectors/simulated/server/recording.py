"""Recordings: everything that went through the venue's port, one JSON line each, with its time.

Why: a program that misbehaves is understood from what it sent and what it was told, and a recorded
session can be compared with the next one.

`recorded_app` sees what passes; here it becomes lines. Secrets are hidden before a line is made.
Lines are written by the batch, so a killed process loses at most the last second. When the disk
refuses, recording stops and says so; the exchange goes on.

Units: `at_ms` real time in milliseconds since 1970 UTC.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import structlog

from connectors.simulated.server.clock import Clock
from connectors.simulated.server.redaction import Redaction

_BATCH_BYTES = 64 * 1024
_FLUSH_S = 1.0
_PRIVATE_FILE = 0o600
_log = structlog.get_logger()


class NotRecorded(Exception):
    """The recording cannot be begun; the text is one line."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that passed.

    Attributes:
        at_ms: When.
        link: Number of the request or connection; everything of it has the same.
        kind: `request`, `answer`, `open`, `in` (from the client), `out` (to the client), `close`.
        verb: Of a request.
        path: With its query, as sent.
        status: Of an answer; none was sent if there is none.
        code: Of a closed connection.
        headers: Of a request, an answer, a hand-shake.
        text: Body or message.
    """

    at_ms: int
    link: int
    kind: str
    verb: str = ""
    path: str = ""
    status: int | None = None
    code: int | None = None
    headers: dict[str, str] = {}
    text: str = ""


class Recorder:
    """Writes one recording.

    Attributes:
        stopped_by: Why nothing is written any more, None while it is.
    """

    def __init__(self, path: Path, *, clock: Clock, redaction: Redaction) -> None:
        """Begin a recording.

        Args:
            path: Where; must not be there yet, so that no recording is ever written over.
            clock: Real time.
            redaction: What to hide.

        Raises:
            NotRecorded: If the file is there already or cannot be made.
        """
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE_FILE)
        except FileExistsError as error:
            raise NotRecorded(f"recording {path}: is there already and is not written over; name a new file") from error
        except OSError as error:
            raise NotRecorded(f"recording {path}: {error.strerror}") from error
        self._path = path
        self._clock = clock
        self._redaction = redaction
        self._batch = bytearray()
        self._encoder = msgspec.json.Encoder()
        self.stopped_by: str | None = None

    def note(
        self,
        kind: str,
        link: int,
        *,
        verb: str = "",
        path: str = "",
        status: int | None = None,
        code: int | None = None,
        headers: Iterable[tuple[bytes, bytes]] = (),
        text: bytes | bytearray | str = "",
    ) -> None:
        """Record one thing, without its secrets; the fields are those of `Line`."""
        if self.stopped_by is not None:
            return
        line = Line(
            at_ms=self._clock(),
            link=link,
            kind=kind,
            verb=verb,
            path=self._redaction.text(path),
            status=status,
            code=code,
            headers=self._redaction.headers(headers),
            text=self._redaction.text(text if isinstance(text, str) else text.decode(errors="backslashreplace")),
        )
        self._batch += self._encoder.encode(line) + b"\n"
        if len(self._batch) >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered; if the disk refuses, stop."""
        try:
            while self._batch:
                del self._batch[: os.write(self._file, self._batch)]
        except OSError as error:
            self.stopped_by = error.strerror
            self._batch.clear()
            _log.error("recording stopped", file=str(self._path), reason=error.strerror)

    def close(self) -> None:
        """Write the rest and close the file."""
        if self.stopped_by is None:
            self.flush()
        os.close(self._file)


async def run_flushing(recorder: Recorder) -> None:
    """Write what has gathered once a second, until cancelled."""
    while True:
        await asyncio.sleep(_FLUSH_S)
        recorder.flush()


def read_recording(path: Path) -> Iterator[Line]:
    """Yield the lines of a recording; a last one that was torn when its process was killed is left out.

    Raises:
        NotRecorded: If the file cannot be read or is no recording.
    """
    decoder = msgspec.json.Decoder(Line)
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.endswith(b"\n"):
                    yield _decoded(decoder, line, f"recording {path}, line {number}")
    except OSError as error:
        raise NotRecorded(f"recording {path}: {error.strerror}") from error


def _decoded(decoder: msgspec.json.Decoder[Line], line: bytes, place: str) -> Line:
    try:
        return decoder.decode(line)
    except msgspec.DecodeError as error:
        raise NotRecorded(f"{place}: not a line of a recording") from error
