"""What a session tells its user, as values.

Why: the session does no I/O and calls nobody; whoever feeds it takes these out and acts on them.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.bitmex.protocol.frames import SwitchAnswer, TableFrame, Unread, Welcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """Every wanted topic has had its partial."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """The connection is over. `at_least_s` is how long to stay away."""

    reason: str
    at_least_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicRefused:
    """A topic that the venue will not give; the others go on."""

    topic: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtraTopic:
    """An extra topic has had its partial, or is missing: `problem` says why, and is empty when it is there."""

    topic: str
    problem: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchRefused:
    """The venue refused to feed the dead man's switch."""

    status: int | None
    reason: str
    timeout_ms: int | None
    retry_after_s: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """A frame was not the protocol's; what it casts doubt on follows as `Doubted`."""

    why: Unread
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubted:
    """A table cannot be believed until it is `Whole`: its rows are to be forgotten."""

    table: str
    reason: str
    is_extra: bool = False
    """The user can do without it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Whole:
    """Every topic of a doubted table has had a fresh partial."""

    table: str
    is_extra: bool = False


Event = (
    Live
    | Lost
    | Welcome
    | TableFrame
    | TopicRefused
    | ExtraTopic
    | SwitchAnswer
    | SwitchRefused
    | Unreadable
    | Doubted
    | Whole
)
