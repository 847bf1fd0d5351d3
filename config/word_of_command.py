"""One word from a command: a password store, a vault's client, a smart card. Bounded in time and in what it may say.

Why so careful: the command is somebody else's program and holds the secret in its hands. It is started without a shell
(who wants one writes `["sh", "-c", "..."]`), in a session of its own, so that a time-out ends its children as well; no
more than a few kilobytes are read; and what it writes to standard error is thrown away, since tools put what they were
asked for into their complaints. Its own key and secret variables are kept from it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event, Timer
from typing import IO, Final

LONGEST_BYTES: Final = 4_096
_KEPT_FROM_IT: Final = frozenset({"SEAWALL_KEY", "SEAWALL_SECRET"})


class CommandGaveNothing(Exception):
    """The command cannot be used. The text names the program and what became of it, and none of its words."""


def output_of(command: tuple[str, ...], *, timeout_s: float, environ: Mapping[str, str] = os.environ) -> str:
    """Run a command and return what it says on standard output, without blanks around it.

    Raises:
        CommandGaveNothing: If it cannot be started, fails, takes too long or says too much.
    """
    name = Path(command[0]).name
    environment = {each: value for each, value in environ.items() if each not in _KEPT_FROM_IT}
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator's own words, and no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its words hold a NUL"
        raise CommandGaveNothing(f"the command {name} cannot be started: {why}") from error
    is_late = Event()
    late = Timer(timeout_s, _end_late, (process, is_late))
    late.start()
    try:
        said = _read(process.stdout)
        code = process.wait() if len(said) <= LONGEST_BYTES else _end(process)
    finally:
        late.cancel()
        _end(process)
    return _word(name, said, code, timeout_s if is_late.is_set() else None)


def _read(output: IO[bytes] | None) -> bytes:
    if output is None:
        return b""
    with output:
        return output.read(LONGEST_BYTES + 1)


def _word(name: str, said: bytes, code: int, late_s: float | None) -> str:
    if late_s is not None:
        raise CommandGaveNothing(f"the command {name} took longer than {late_s:g} s and was ended")
    if len(said) > LONGEST_BYTES:
        raise CommandGaveNothing(f"the command {name} says more than {LONGEST_BYTES} bytes, which is no key")
    if code:
        what = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        raise CommandGaveNothing(f"the command {name} {what}; run it by hand to see what it complains of")
    try:
        return said.decode().strip()
    except UnicodeDecodeError as error:
        raise CommandGaveNothing(f"what the command {name} says is not text") from error


def _end_late(process: subprocess.Popen[bytes], is_late: Event) -> None:
    is_late.set()
    _end(process)


def _end(process: subprocess.Popen[bytes]) -> int:
    """End a command and everything that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
