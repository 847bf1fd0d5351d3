"""What a check says: all is well, something to know, or something to mend; and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from daemon.exit_codes import ExitCode


class Standing(Enum):
    """How one check ended."""

    OK = "ok"
    ADVICE = "advice"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the answer."""

    name: str
    standing: Standing
    text: str
    """What was found and, unless all is well, what to do."""
    code: ExitCode = ExitCode.OK
    """What the command exits with if this is the first problem."""


def ok(name: str, text: str) -> Finding:
    """Return a good finding."""
    return Finding(name=name, standing=Standing.OK, text=text)


def advice(name: str, text: str) -> Finding:
    """Return a finding that does not keep the guard from working."""
    return Finding(name=name, standing=Standing.ADVICE, text=text)


def problem(name: str, text: str, code: ExitCode) -> Finding:
    """Return a finding that has to be mended first."""
    return Finding(name=name, standing=Standing.PROBLEM, text=text, code=code)
