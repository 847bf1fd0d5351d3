"""What can be wrong with one guard's way to the exchange, drawn from a seed.

Why: the faults of a network are few (late, lost on the way there, lost on the way back, twice, never) and everything
else follows from when they strike. A `Line` is the state of one guard's network; whoever sends anything asks it.

Units: seconds of virtual time, probabilities from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from random import Random


class RequestFate(Enum):
    """What becomes of one request."""

    ANSWERED = "answered"
    UNREACHABLE = "unreachable"
    """No connection: known not to have been sent."""
    LOST = "lost"
    """Gone on the way there; the sender waits for an answer in vain."""
    REPLY_LOST = "reply_lost"
    """Carried out, and the answer is lost at once."""
    REPLY_SILENT = "reply_silent"
    """Carried out, and the answer never comes."""
    DELAYED = "delayed"
    """Carried out, but only after the sender may have given up."""
    OVERLOADED = "overloaded"
    """Refused at the door: 503 with the venue's overload text."""
    BROKEN = "broken"
    """500: nobody knows whether it was carried out; it was."""
    REFUSED = "refused"
    """400: the venue will not have it."""


@dataclass(slots=True)
class Weather:
    """How bad it is now. All zeros is a fine day."""

    request_fates: dict[RequestFate, float] = field(default_factory=dict)
    refused_verbs: frozenset[str] = frozenset({"POST", "PUT", "DELETE"})
    """REFUSED and BROKEN strike these only."""
    latency_s: tuple[float, float] = (0.01, 0.06)
    stream_latency_s: tuple[float, float] = (0.005, 0.03)
    repeat_frames: float = 0.0
    """Probability that a private frame arrives twice."""
    is_down: bool = False
    """Nothing gets through, neither way."""
    are_streams_down: bool = False
    """No stream can be opened; requests get through. Those that are open have to be hung up."""
    silent_feeds: frozenset[str] = frozenset()
    """Tables whose frames are swallowed on a stream that seems alive: "private" or "public" for a whole stream."""


@dataclass(slots=True)
class Line:
    """One guard's network, from now until its end."""

    random: Random
    now_s: Callable[[], float]
    weather: Weather = field(default_factory=Weather)
    is_cut: bool = False
    """The process is dead: what it would still send never leaves."""

    def fate(self, verb: str) -> RequestFate:
        """What becomes of the next request."""
        if self.weather.is_down:
            return RequestFate.UNREACHABLE
        drawn = self.random.random()
        for fate, share in self.weather.request_fates.items():
            if fate in {RequestFate.REFUSED, RequestFate.BROKEN} and verb not in self.weather.refused_verbs:
                continue
            drawn -= share
            if drawn < 0:
                return fate
        return RequestFate.ANSWERED

    def latency_s(self) -> float:
        """One way of a request."""
        return self.random.uniform(*self.weather.latency_s)

    def stream_latency_s(self) -> float:
        """One way of a frame."""
        return self.random.uniform(*self.weather.stream_latency_s)

    def is_repeated(self) -> bool:
        """Whether this frame arrives twice."""
        share = self.weather.repeat_frames
        return share > 0 and self.random.random() < share
