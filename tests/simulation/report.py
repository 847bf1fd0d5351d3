"""What came of one world, and how it is told.

Units: seconds, virtual and real as the names say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.simulation.agenda import Item
from tests.simulation.promises import Violation
from tests.simulation.tracing import Density


@dataclass(kw_only=True, slots=True)
class Report:
    """What came of it."""

    seed: int
    violations: list[Violation]
    counts: Counter[str]
    checked: Counter[str]
    """How often each promise's precondition was true."""
    cast: Counter[str]
    hits: Counter[str]
    acts: int
    density: Density
    agenda: tuple[Item, ...]
    before_failure: list[str]
    """What happened right before the first broken promise."""
    virtual_s: float
    real_s: float
    log: list[str]

    def __str__(self) -> str:
        speed = self.virtual_s / max(self.real_s, 1e-9)
        lines = [
            (
                f"seed {self.seed}: {self.virtual_s / 60:.1f} min in {self.real_s:.1f} s ({speed:.0f} times as fast),"
                f" {len(self.agenda)} items, {dict(self.hits)}"
            ),
            f"  {self.density}",
            f"  {dict(self.counts)}",
            f"  checked: {dict(self.checked)}",
            *(f"  BROKEN {violation}" for violation in self.violations),
            *(f"  {line}" for line in self.before_failure),
        ]
        return "\n".join(lines)
