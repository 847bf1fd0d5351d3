"""What is remembered of the bots, and of how well they could be heard.

These are values of `GuardState`; what is done with them stands in `bots.py`. They survive `msgspec.to_builtins` and
`msgspec.convert`, so a silence survives a restart.

Units: times `int` nanoseconds since 1970 UTC, 0 for "never"; durations `int` nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from daemon.core.events import HeardBy


@dataclass(frozen=True, kw_only=True, slots=True)
class Bot:
    """One bot, as it was last heard."""

    quiet_ns: int = 0
    """Time in which it could have been heard and was not, since it was heard or the process started."""
    heard_ns: int = 0
    """When it was last heard, by this process or one before; 0: never by any."""
    heard_by: HeardBy | None = None
    silent_ns: int = 0
    """Since when it is silent; 0 while it is not."""
    told_ns: int = 0
    """When people were last told that it fell silent."""
    is_told: bool = False
    """Its present silence was told."""
    silences: int = 0
    """How often it fell silent."""
    cancelled: int = 0
    """Orders cancelled for its present silence, or its last one."""

    @property
    def is_silent(self) -> bool:
        """Whether it is taken for dead."""
        return self.silent_ns != 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Listening:
    """How well bots can be heard at all."""

    tick_ns: int = 0
    """When that was last looked at; 0: not yet in this process."""
    deaf_ns: int = 0
    """Since when calls cannot be heard, the control API being down; 0 while they can."""
    deaf_text: str = ""
    """Why."""
