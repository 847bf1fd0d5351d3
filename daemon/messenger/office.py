"""The messenger's one loop: errands in over standard input, one fork each, answers out over standard output.

Why a fork for each message: services are spoken to through a library of a hundred plug-ins, and somebody else's
computer. A fork that hangs is killed at the message's own time-out, one that crashes or leaks takes only itself along,
and what a plug-in prints goes to standard error, which the guard keeps a little of. This process itself runs nothing
that could block: it waits for pipes. When the guard is gone (end of input), so are all forks.

Units: seconds of the steady clock.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import selectors
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import NoReturn

import msgspec

from daemon.messenger.wire import LONGEST_LINE, Answer, Errand

NEEDED = ("apprise", "PIL")
_CHUNK = 65_536
_GRACE_CPU_S = 5
"""A fork that spins is ended by the kernel even if nobody else does."""


def main() -> int:
    """Serve until standard input ends.

    A service manager that stops the guard signals all of its processes at once. What the guard says last still has to
    be delivered, so only the guard ends this one.
    """
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever anything prints is no answer
    missing = missing_packages()
    if missing:
        why = f"{' and '.join(missing)} is not installed: pip install 'seawall[alerts]'"
        _write(answers, Answer(number=0, is_refused=True, why=why))
        return 1
    from daemon.messenger.errand import warm_up  # noqa: PLC0415 - imports the library, once it is known to be there

    warm_up()
    _write(answers, Answer(number=0, is_delivered=True))
    Office(answers).serve()
    return 0


def missing_packages() -> list[str]:
    """Return the packages that this program needs and does not find."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


@dataclass(kw_only=True, slots=True)
class _Fork:
    """One message on its way."""

    errand: Errand
    process: int
    pipe: int
    due_s: float
    said: bytearray = field(default_factory=bytearray)


class Office:
    """Sends forks out and collects what they say."""

    def __init__(self, answers: int, orders: int = 0) -> None:
        self._answers = answers
        self._orders = orders
        self._unread = bytearray()
        self._selector = selectors.DefaultSelector()
        self._forks: dict[int, _Fork] = {}
        self._is_open = True

    def serve(self) -> None:
        """Work until the input ends; then end every fork."""
        self._selector.register(self._orders, selectors.EVENT_READ)
        while self._is_open:
            for key, _ in self._selector.select(self._next_due_s()):
                if key.fd == self._orders:
                    self._read_orders()
                else:
                    self._read_fork(self._forks[key.fd])
            self._end_late_ones()
        for fork in tuple(self._forks.values()):
            self._finish(fork, None)

    def _next_due_s(self) -> float | None:
        if not self._forks:
            return None
        return max(0.0, min(fork.due_s for fork in self._forks.values()) - time.monotonic())

    def _read_orders(self) -> None:
        chunk = os.read(self._orders, _CHUNK)
        self._unread += chunk
        self._is_open = bool(chunk) and len(self._unread) <= LONGEST_LINE
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            self._send_out(msgspec.json.decode(line, type=Errand))

    def _send_out(self, errand: Errand) -> None:
        ours, theirs = os.pipe()
        process = os.fork()
        if process == 0:
            self._run_fork(errand, theirs)
        os.close(theirs)
        due_s = time.monotonic() + errand.timeout_s
        self._forks[ours] = _Fork(errand=errand, process=process, pipe=ours, due_s=due_s)
        self._selector.register(ours, selectors.EVENT_READ)

    def _run_fork(self, errand: Errand, answer: int) -> NoReturn:
        """Be the fork: run one errand, say what became of it, and end without any farewell of the interpreter."""
        try:
            for each in (self._answers, self._orders, *self._forks):
                os.close(each)
            os.open(os.devnull, os.O_RDONLY)  # takes the number of standard input
            cpu_s = int(errand.timeout_s) + _GRACE_CPU_S
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
            from daemon.messenger.errand import run_errand  # noqa: PLC0415 - loaded long ago, by `warm_up`

            _write(answer, run_errand(errand))
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything; its words may hold the address
            _write(answer, Answer(number=errand.number, why=f"failed with {type(error).__name__}"))
        finally:
            sys.stderr.flush()
            os._exit(0)

    def _read_fork(self, fork: _Fork) -> None:
        chunk = os.read(fork.pipe, _CHUNK)
        fork.said += chunk
        if not chunk:
            self._finish(fork, "the delivery crashed")
        elif fork.said.endswith(b"\n"):
            self._finish(fork, None, said=bytes(fork.said))
        elif len(fork.said) > LONGEST_LINE:
            self._finish(fork, "the delivery talks without end")

    def _end_late_ones(self) -> None:
        now_s = time.monotonic()
        for fork in [fork for fork in self._forks.values() if fork.due_s <= now_s]:
            self._finish(fork, f"no answer within {fork.errand.timeout_s:g} s")

    def _finish(self, fork: _Fork, why: str | None, *, said: bytes = b"") -> None:
        """End a fork for good and pass on what it said, or why it did not."""
        self._selector.unregister(fork.pipe)
        del self._forks[fork.pipe]
        os.close(fork.pipe)
        os.kill(fork.process, signal.SIGKILL)
        _, status = os.waitpid(fork.process, 0)
        if why is not None:
            ended = f" (signal {os.WTERMSIG(status)})" if "crashed" in why and os.WIFSIGNALED(status) else ""
            _write(self._answers, Answer(number=fork.errand.number, why=why + ended))
        elif said:
            _write_all(self._answers, said)


def _write(file: int, answer: Answer) -> None:
    _write_all(file, msgspec.json.encode(answer) + b"\n")


def _write_all(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]
