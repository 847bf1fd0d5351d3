"""`seawall status --watch`: the live view, drawn anew each second on a terminal; elsewhere one status after another.

Without flicker: the screen is never cleared, each line is written over the one that was there. Ctrl-C ends it, and the
terminal is as it was before.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec

from daemon.console.paint import Paint, cropped, is_live_terminal, paint_for
from daemon.console.view import lines_of
from daemon.shell.control.client import DaemonUnreachable, ask, ask_status
from daemon.status import in_words

EVERY_S: Final = 1.0
TIMEOUT_S: Final = 3.0
_SMALLEST: Final = (20, 5)
_OPEN, _CLOSE = "\x1b[?1049h\x1b[?25l\x1b[H", "\x1b[?25h\x1b[?1049l"
"""The second screen, its cursor hidden; and back."""


def watch(path: Path, *, as_json: bool, output: TextIO | None = None) -> None:
    """Show the guard behind a control socket until Ctrl-C.

    Args:
        path: The socket.
        as_json: One JSON object a line instead, for programs.
        output: Where; standard output if left out.
    """
    out = output or sys.stdout
    with suppress(KeyboardInterrupt):
        if as_json or not is_live_terminal(out):
            _write_on(path, out, as_json=as_json)
        else:
            _draw_on(path, out)


class Seen:
    """The newest that was heard of a guard, and why there is nothing newer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.status: dict[str, Any] = {}
        self.alerts: tuple[dict[str, Any], ...] = ()
        self.problem = ""

    def look(self) -> None:
        """Ask once; what was heard before is kept."""
        try:
            self.status = ask_status(self._path, timeout_s=TIMEOUT_S)
            code, body = ask(self._path, "/v1/alerts", timeout_s=TIMEOUT_S)
            if code == 200:
                self.alerts = tuple(msgspec.json.decode(body)["alerts"])
            self.problem = ""
        except DaemonUnreachable as error:
            self.problem = str(error)


# ------------------------------------------------------------------ a terminal


def _draw_on(path: Path, out: TextIO) -> None:
    seen, paint = Seen(path), paint_for(out)
    with _screen(out), _resizing() as was_resized:
        while True:
            seen.look()
            due_s = time.monotonic() + EVERY_S
            _draw(seen, paint, out)
            while (left_s := due_s - time.monotonic()) > 0:
                if was_resized(left_s):
                    _draw(seen, paint, out)


def _draw(seen: Seen, paint: Paint, out: TextIO) -> None:
    size = shutil.get_terminal_size()
    columns, rows = max(_SMALLEST[0], size.columns), max(_SMALLEST[1], size.lines)
    out.write(frame(seen, paint, columns=columns, rows=rows))
    out.flush()


def frame(seen: Seen, paint: Paint, *, columns: int, rows: int) -> str:
    """Return what draws one picture over the one before: never a cleared screen, never a line too many."""
    lines = lines_of(seen.status, paint, width=columns, problem=seen.problem, alerts=seen.alerts)
    room = rows - 1
    if len(lines) > room:
        left = len(lines) - room + 1
        lines = [*lines[: room - 1], paint.style(f"... {left} more lines: make the window higher", "dim")]
    foot = paint.style(f"{time.strftime('%H:%M:%S', time.gmtime())} UTC   Ctrl-C ends", "dim")
    lines += [""] * (room - len(lines)) + [foot]
    return "\x1b[H" + "\r\n".join(f"{cropped(line, columns)}\x1b[K" for line in lines) + "\x1b[J"


@contextmanager
def _screen(out: TextIO) -> Iterator[None]:
    """Take the terminal's second screen, and give the first one back whatever happens."""
    ends = {each: signal.signal(each, _interrupt) for each in (signal.SIGTERM, signal.SIGHUP)}
    out.write(_OPEN)
    try:
        yield
    finally:
        out.write(_CLOSE)
        out.flush()
        for each, before in ends.items():
            signal.signal(each, before)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _resizing() -> Iterator[Callable[[float], bool]]:
    """Yield what waits for so many seconds, or less long if the window changes its size; True if it did."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before_wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = signal.signal(signal.SIGWINCH, lambda *_: None)
    try:
        yield lambda seconds: _is_told(reading, seconds)
    finally:
        signal.signal(signal.SIGWINCH, before)
        signal.set_wakeup_fd(before_wakeup)
        os.close(reading)
        os.close(writing)


def _is_told(reading: int, seconds: float) -> bool:
    import select  # noqa: PLC0415 - of the live view alone

    told, _, _ = select.select([reading], [], [], seconds)
    if told:
        os.read(reading, 4_096)
    return bool(told)


# ------------------------------------------------------------------ anything else


def _write_on(path: Path, out: TextIO, *, as_json: bool) -> None:
    seen = Seen(path)
    while True:
        seen.look()
        if as_json:
            told = {"error": seen.problem} if seen.problem else seen.status
            out.write(msgspec.json.encode(told).decode() + "\n")
        else:
            words = f"NO ANSWER: {seen.problem}" if seen.problem else in_words(seen.status)
            out.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC\n{words}\n")
        out.flush()
        time.sleep(EVERY_S)
