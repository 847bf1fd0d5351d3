"""What one page is made from: references to what never changes, and copies of what does. Taken in one go, in the loop.

Times: nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daemon.core.ledger import StreamFacts
from daemon.core.state import GuardState
from daemon.shell.metrics.meter import Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalFigures:
    """How far the disk is behind."""

    records: int
    waiting: int
    lag_s: float
    is_ok: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """What an open guard knows."""

    state: GuardState
    market: StreamFacts
    account: StreamFacts
    live: Mapping[str, bool]
    """By feed."""
    marks_received: int
    marks_told: int
    journal: JournalFigures


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One moment of one guard."""

    now_ns: int
    version: str
    venue: str
    started_ns: int
    alerts: Mapping[str, object] = field(default_factory=dict)
    """Figures of the alert desk."""
    reloads: Mapping[str, object] = field(default_factory=dict)
    """Figures of the reloads of settings."""
    counts: Counts | None = None
    """None: counting broke."""
    running: Running | None = None
    """None while the guard waits for its venue."""
