"""A failure made small: delta debugging over the items of an agenda.

Why: a world fails with fifty things done to it, of which two matter. Items are left out, by halves and then ever
finer parts, as long as the same promise breaks. An item's randomness is its own, so what is left does the same as
before; what changes is only what follows from the others being gone.

Units: seconds of real time for the limit; items by their numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.simulation.plans import Plan
from tests.simulation.world import Report, live_through

AS_LONG_S = 60.0
"""Trying stops after this long; what was reached by then is told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One world, and what broke in it."""

    plan: Plan
    report: Report
    error: str = ""
    """What a guard, or the world, raised."""

    @property
    def promises(self) -> frozenset[str]:
        """What broke, by name."""
        raised = {"core"} if self.error else set()
        return frozenset({violation.promise for violation in self.report.violations} | raised)

    @property
    def at_s(self) -> float:
        """When the first promise broke; the end of the world if none did."""
        return self.report.violations[0].at_s if self.report.violations else self.report.virtual_s

    @property
    def first(self) -> str:
        """The first thing that broke, in words."""
        return str(self.report.violations[0]) if self.report.violations else self.error

    @property
    def first_promise(self) -> str:
        """The promise that broke first, "" if none did."""
        if self.report.violations:
            return self.report.violations[0].promise
        return "core" if self.error else ""


def attempt(plan: Plan, show: Callable[[str], None] | None = None, *, enough: str = "") -> Attempt:
    """Live one world through, or until the promise `enough` breaks; whatever it raises is a finding, too."""
    report, error = live_through(plan, show=show, enough=enough)
    return Attempt(plan=plan, report=report, error="" if error is None else _words(error))


def _words(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def shrink(failed: Attempt, *, as_long_s: float = AS_LONG_S) -> Attempt:
    """Return the smallest failure of the same promise that is found in time; at worst the one that came in."""
    until_s = time.monotonic() + as_long_s
    best = failed
    numbers = [item.number for item in failed.report.agenda]

    def fails(numbers: Sequence[int]) -> bool:
        nonlocal best
        if time.monotonic() > until_s:
            return False
        tried = attempt(replace(failed.plan, only=frozenset(numbers)), enough=failed.first_promise)
        if failed.first_promise not in tried.promises:
            return False
        best = tried
        return True

    before = [item.number for item in failed.report.agenda if item.at_s <= failed.at_s]
    smallest(before if len(before) < len(numbers) and fails(before) else numbers, fails)
    return best


def smallest(numbers: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """Return numbers of which none can be left out, such that it still fails.

    Zeller's minimizing delta debugging, with complements only, and the empty list first.
    """
    left = list(numbers)
    if not left or fails([]):
        return []
    parts = 2
    while len(left) > 1:
        size = -(-len(left) // parts)
        for start in range(0, len(left), size):
            rest = left[:start] + left[start + size :]
            if rest and fails(rest):
                left, parts = rest, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(left), parts * 2)
    return left
