"""The guard's side of the messenger: one child process, killed when it does not answer, started again after a pause.

Nothing of the guard's keys is in its environment, addresses travel over its standard input, and of what it writes on
standard error a little is kept, for a log line should it die. See `daemon.messenger` for the other side.

Units: seconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec
import structlog

from daemon.messenger.wire import LONGEST_LINE, Answer, Chart, Errand, without_address
from daemon.shell.alerts.channel import NotDelivered

START_WITHIN_S = 20.0
"""Interpreter and library, on a machine under load."""
END_WITHIN_S = 2.0
GRACE_S = 2.0
"""The messenger ends a message at its time-out by itself; if not even that is heard, it hangs."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
UNUSABLE_PAUSE_S = 600.0
"""A package that is missing does not come by itself."""
WELL_AFTER_S = 60.0
_KEPT_BYTES = 2_000
_CHUNK = 4_096
_KEPT_FROM_IT = ("SEAWALL_", "NOTIFY_SOCKET", "WATCHDOG_", "CREDENTIALS_DIRECTORY", "LISTEN_")
"""Variables whose names begin so are the guard's own."""

log = structlog.get_logger("messenger")


def command() -> tuple[str, ...]:
    """Return how the messenger is started; no folder but those of the installation is searched for it."""
    return (sys.executable, "-P", "-m", "daemon.messenger")


class Messenger:
    """Runs errands in a process of their own."""

    def __init__(
        self, *, command: Callable[[], tuple[str, ...]] = command, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._command = command
        self._environ = {name: value for name, value in environ.items() if not name.startswith(_KEPT_FROM_IT)}
        self._process: asyncio.subprocess.Process | None = None
        self._is_ready = asyncio.Event()
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._addresses: set[str] = set()
        self._number = 0
        self._last_words: deque[bytes] = deque()
        self.problem = ""
        """Why it does not run, in one line."""
        self.starts = 0

    # ------------------------------------------------------------ errands

    async def run_errand(
        self, address: str, *, title: str, text: str, kind: str, timeout_s: float, chart: Chart | None = None
    ) -> Answer:
        """Have one message delivered.

        Raises:
            NotDelivered: If the messenger does not run, or does not answer.
        """
        self._addresses.add(address)
        self._number += 1
        errand = Errand(
            number=self._number, address=address, title=title, text=text, kind=kind, timeout_s=timeout_s, chart=chart
        )
        line = msgspec.json.encode(errand) + b"\n"
        if len(line) > LONGEST_LINE:
            raise NotDelivered("the message is too long")
        await self._wait_ready(timeout_s)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[errand.number] = answer
        try:
            async with asyncio.timeout(timeout_s + GRACE_S):
                await self._write(line)
                return await answer
        except TimeoutError as error:
            log.error("the messenger does not answer and is killed")  # noqa: TRY400 - one line, and no address in it
            self.kill()
            raise NotDelivered("the messenger did not answer and was killed") from error
        finally:
            self._answers.pop(errand.number, None)

    async def _wait_ready(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._is_ready.wait()
        except TimeoutError as error:
            raise NotDelivered(f"the messenger does not run: {self.problem or 'it is being started'}") from error

    async def _write(self, line: bytes) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise NotDelivered("the messenger does not run")
        try:
            process.stdin.write(line)
            await process.stdin.drain()
        except (OSError, RuntimeError) as error:
            raise NotDelivered("the messenger ended") from error

    # ------------------------------------------------------------ the process

    async def run(self) -> None:
        """Keep a messenger running, until cancelled."""
        loop, ended = asyncio.get_running_loop(), 0
        while True:
            started_s = loop.time()
            is_usable = await self._live_once()
            ended = 1 if loop.time() - started_s > WELL_AFTER_S else ended + 1
            pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (ended - 1)) if is_usable else UNUSABLE_PAUSE_S
            await asyncio.sleep(pause_s)

    async def _live_once(self) -> bool:
        """Start it and listen to it until it ends; return whether starting it again makes sense."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environ,
                limit=LONGEST_LINE,
                start_new_session=True,  # so that it can be killed with all that it started
            )
        except OSError as error:
            self.problem = f"it cannot be started: {error.strerror}"
            log.error("the messenger cannot be started", why=error.strerror)  # noqa: TRY400 - one line
            return True
        self._process, self.starts = process, self.starts + 1
        self._last_words.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                errors = tasks.create_task(self._keep_last_words(process), name="messenger's errors")
                is_usable = await self._listen(process)
                errors.cancel()
        finally:
            self.kill()
            self._forget()
            with suppress(TimeoutError):
                async with asyncio.timeout(END_WITHIN_S):
                    await process.wait()
        if is_usable:
            self.problem = f"it ended ({_how(process.returncode)})"
            log.warning("the messenger ended", how=_how(process.returncode), last_words=self._words())
        return is_usable

    async def _listen(self, process: asyncio.subprocess.Process) -> bool:
        """Pass answers on until it ends, breaks the rules, or says that it cannot work."""
        assert process.stdout is not None  # noqa: S101 - asked for as a pipe
        deadline = asyncio.timeout(START_WITHIN_S)
        with suppress(TimeoutError, ValueError, msgspec.MsgspecError):  # whatever it is, it ends the process
            async with deadline:
                while line := await process.stdout.readline():
                    answer = msgspec.json.decode(line, type=Answer)
                    if answer.number == 0 and answer.is_refused:
                        self.problem = answer.why
                        log.error("the messenger cannot work", why=answer.why)
                        return False
                    if answer.number == 0:
                        deadline.reschedule(None)
                        self.problem = ""
                        self._is_ready.set()
                    elif (waiting := self._answers.get(answer.number)) is not None and not waiting.done():
                        waiting.set_result(answer)
        return True

    async def _keep_last_words(self, process: asyncio.subprocess.Process) -> None:
        """Read whatever it writes on standard error, and keep the end of it."""
        assert process.stderr is not None  # noqa: S101 - asked for as a pipe
        while chunk := await process.stderr.read(_CHUNK):
            self._last_words.append(chunk)
            while sum(map(len, self._last_words)) > _KEPT_BYTES and len(self._last_words) > 1:
                self._last_words.popleft()

    def _words(self) -> str:
        words = b"".join(self._last_words)[-_KEPT_BYTES:].decode(errors="replace")
        for address in self._addresses:
            words = without_address(words, address)
        return words.strip()

    def kill(self) -> None:
        """End it at once, with everything that it started."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _forget(self) -> None:
        """Whoever waits for an answer is told that none will come."""
        self._process = None
        self._is_ready.clear()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(NotDelivered("the messenger ended"))


def _how(code: int | None) -> str:
    if code is None:
        return "killed"
    return f"signal {-code}" if code < 0 else f"exit code {code}"
