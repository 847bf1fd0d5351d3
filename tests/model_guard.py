"""A guard as the venue of `model_venue.py` holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from daemon.core.commands import Command
from daemon.core.state import GuardState


@dataclass
class Guard:
    """One guard at the venue: its state, and what the test observed of it."""

    state: GuardState
    name: int
    timer: int = 0
    alive_since: int = 0
    streams_up: bool = False
    commands: list[Command] = field(default_factory=list)
    is_out: bool = False
