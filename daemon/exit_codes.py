"""What the exit code of a `seawall` command means. The one place where they are listed; `--help` prints this table.

Why: systemd, scripts and tests act on these numbers, so they never change their meaning.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command."""

    OK = 0
    USAGE = 2
    BAD_INPUT = 3
    CREDENTIALS = 4
    VENUE_UNREACHABLE = 5
    IN_USE = 6
    BROKEN = 7
    DIFFERENT = 8
    REFUSED = 9
    DEMO_LIQUIDATED = 10
    DEMO_INCONCLUSIVE = 11
    DEMO_LATE_OR_UNSAFE = 12
    DAMAGED = 13
    NOT_DELIVERED = 14
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "done, or stopped in good order",
    ExitCode.USAGE: "the command line cannot be understood",
    ExitCode.BAD_INPUT: "a settings file, input file or folder is wrong or missing",
    ExitCode.CREDENTIALS: "the API key is missing, refused, or has rights it must not have",
    ExitCode.VENUE_UNREACHABLE: "the exchange, or the running daemon, cannot be reached",
    ExitCode.IN_USE: "another instance or another program holds the state folder or the port",
    ExitCode.BROKEN: "an invariant broke or a vital part failed: the process ended rather than act on wrong numbers",
    ExitCode.DIFFERENT: "exchange compare: the two snapshots differ; replay: something else is decided now",
    ExitCode.REFUSED: "commands to a running daemon: it refused, or you did not confirm it",
    ExitCode.DEMO_LIQUIDATED: "demo, backtest: the guarded account was liquidated",
    ExitCode.DEMO_INCONCLUSIVE: "demo: inconclusive, the unguarded account survived too",
    ExitCode.DEMO_LATE_OR_UNSAFE: "demo, backtest: a cover came late, or an order could have added danger",
    ExitCode.DAMAGED: "journal, replay, explain: a record is damaged, missing or out of place",
    ExitCode.NOT_DELIVERED: "alert test: a channel did not take the message",
    ExitCode.INTERRUPTED: "interrupted from the keyboard",
}


class CommandFailed(Exception):
    """A command cannot go on, for a reason that one line explains. `main` prints the line and exits with `code`."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code
