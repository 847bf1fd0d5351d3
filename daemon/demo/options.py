"""What a demo run was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoOptions:
    """One run. `since` and `until` are texts as typed: dates or times, UTC."""

    scenario: str = "crash"
    candles: Path | None = None
    since: str | None = None
    until: str | None = None
    seed: int = 1
    speed: str | None = None
    keep: Path | None = None
    """Folder that keeps journals, logs, settings and the report; None: a temporary one, only the report stays."""
    report: Path | None = None
    as_json: bool = False
    plain: bool = False

    @property
    def tape_arguments(self) -> list[str]:
        """The same choice, as arguments of `seawall exchange`."""
        chosen = ["--seed", str(self.seed)]
        if self.candles is None:
            chosen += ["--scenario", self.scenario]
        else:
            chosen += ["--candles", str(self.candles), "--pick-day"]
        for option, value in (("--from", self.since), ("--to", self.until), ("--speed", self.speed)):
            if value is not None:
                chosen += [option, value]
        return chosen
