"""What the command line of `seawall backtest` asked for, as one frozen value that other processes can be given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class BacktestOptions:
    """What the command line asked for, as text where it still has to be checked."""

    candles: Path
    config: Path | None
    profile: str | None
    since: str | None
    until: str | None
    seed: int
    side: str
    leverage: str
    margin: str
    equity: str
    size: str
    hold_hours: str
    again_hours: str
    warm_up_minutes: int
    positions: Path | None
    latency_ms: int
    lift_hours: str
    pace: str
    changes: tuple[str, ...]
    grid: str | None
    jobs: int
    json: Path | None
    html: Path | None
    progress: str
