"""The demo's child processes: started, started again when they die, and stopped in order.

Why: exchange and daemon run as separate processes, exactly as a user would run them, so either may be killed at any
moment of the demo. This file plays the part that systemd plays in production.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from daemon.exit_codes import ExitCode

MOST_RESTARTS = 20
"""More deaths than this in one demo mean that the program is broken, not unlucky."""
RESTART_PAUSE_S = 0.1
STOP_WITHIN_S = 10.0
PR_SET_PDEATHSIG = 1
"""Of Linux's prctl(2)."""


class ChildFailed(Exception):
    """A child process ended in a way that starting it again cannot mend. The text is its own last words."""

    def __init__(self, words: str, code: ExitCode = ExitCode.BROKEN) -> None:
        super().__init__(words)
        self.code = code


def _end_with_parent() -> None:
    """In the child: have Linux send SIGTERM when the demo is gone, even by `kill -9`. Elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One supervised process of `python -m daemon ...`.

    Args:
        name: For messages: "exchange" or "daemon".
        arguments: Called before every start, since a restart may need other arguments (the port that was taken).
        log: File that standard error goes to, and standard output from the second line on.
        final_codes: Exit codes that mean bad settings or input: never started again.
        environment: Variables on top of ours.
    """

    def __init__(
        self,
        name: str,
        arguments: Callable[[], Sequence[str]],
        *,
        log: Path,
        final_codes: frozenset[ExitCode] = frozenset(),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.restarts = 0
        self._arguments = arguments
        self._log = log
        self._final_codes = final_codes
        self._environment = {**os.environ, **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._first_line: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._stopping = False

    async def first_line(self) -> bytes:
        """Wait for the first line of standard output of the first start."""
        return await asyncio.shield(self._first_line)

    async def run(self) -> None:
        """Keep the process running until `stop` was called.

        Raises:
            ChildFailed: If it ended with a final code or died more often than MOST_RESTARTS.
        """
        while not self._stopping:
            code = await self._run_once()
            if self._stopping:
                return
            if code in self._final_codes or self.restarts >= MOST_RESTARTS:
                final = ExitCode(code) if code in self._final_codes else ExitCode.BROKEN
                raise ChildFailed(f"the {self.name} ended with code {code}: {self._last_words()}", final)
            self.restarts += 1
            await asyncio.sleep(RESTART_PAUSE_S)

    async def stop(self) -> None:
        """Ask the process to end, and kill it if it does not within STOP_WITHIN_S."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            self.kill()

    def kill(self) -> None:
        """End the process at once, if it is there."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _run_once(self) -> int:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "daemon",
                *self._arguments(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._environment,
                preexec_fn=_end_with_parent,
                limit=1 << 20,
            )
            self._process = process
            if process.stdout is not None:
                async for line in process.stdout:
                    log.write(line)
                    log.flush()
                    if not self._first_line.done():
                        self._first_line.set_result(line)
            return await process.wait()

    def _last_words(self) -> str:
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"
