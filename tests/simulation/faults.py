"""What can be wrong with one guard's way to the exchange, drawn from a seed.

Why: the faults of a network are few (late, lost on the way there, lost on the way back, twice, cut, never) and
everything else follows from when they strike. A `Line` is the state of one guard's network; whoever sends anything asks
it. A `Blight` is one spell on requests: several may lie on a line at once, and each tells when it really bit.

Units: seconds of virtual time, probabilities from 0 to 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
    RESET = "reset"
    """Gone on the way there, and the connection breaks."""
    REPLY_LOST = "reply_lost"
    """Carried out, and the answer is lost at once."""
    REPLY_SILENT = "reply_silent"
    """Carried out, and the answer never comes."""
    REPLY_LATE = "reply_late"
    """Carried out at once; the answer takes its time, or comes after the sender has given up."""
    REPLY_TORN = "reply_torn"
    """Carried out, and the connection breaks at some byte of the answer's body."""
    REPLY_SHORT = "reply_short"
    """Carried out, and a body of no stated length ends at some byte, as if it were whole."""
    REPLY_GARBLED = "reply_garbled"
    """Carried out, and the answer is a page of somebody in between."""
    DELAYED = "delayed"
    """Carried out, but only after the sender may have given up."""
    TWICE = "twice"
    """Somebody in between sends it twice; one of the two answers comes back."""
    ECHOED = "echoed"
    """Answered, and the answer comes once more: on that connection it is taken for the next request's."""
    OVERLOADED = "overloaded"
    """Refused at the door: 503 with the venue's overload text."""
    OVERLOADED_DONE = "overloaded_done"
    """503 with the overload text, and it was carried out all the same."""
    MAINTENANCE = "maintenance"
    """503 with the venue's maintenance text, not carried out."""
    GATEWAY = "gateway"
    """A page of a gateway with some 5xx: not carried out."""
    GATEWAY_DONE = "gateway_done"
    """A page of a gateway with some 5xx: carried out."""
    BROKEN = "broken"
    """500: nobody knows whether it was carried out; it was."""
    LIMITED = "limited"
    """429 with `Retry-After`."""
    LIMITED_BARE = "limited_bare"
    """429 that does not say for how long, neither in a header nor in its text."""
    FORBIDDEN = "forbidden"
    """A page of 403, as a banned address gets it."""
    REFUSED = "refused"
    """400: the venue will not have it."""


EVERY_VERB = frozenset({"GET", "POST", "PUT", "DELETE"})
WRITES = frozenset({"POST", "PUT", "DELETE"})
_FOR_EVER = 1_000_000


def _untold(_fate: RequestFate) -> None:
    """Nobody wants to know."""


@dataclass(eq=False, kw_only=True, slots=True)
class Blight:
    """One spell on the requests of a line, with a randomness of its own."""

    fates: Mapping[RequestFate, float]
    random: Random
    on_bite: Callable[[RequestFate], None] = _untold
    """Called when a fate has really been met."""
    verbs: frozenset[str] = EVERY_VERB
    path: str = ""
    """How the paths end that it is about."""
    most: int = _FOR_EVER
    """So many requests are struck, then it is over."""
    late_s: tuple[float, float] = (0.5, 9.0)
    """How late what is late comes."""

    def strikes(self, verb: str, path: str) -> RequestFate | None:
        """Return what becomes of a request; None if this spell leaves it alone."""
        if not self.most or verb not in self.verbs or not path.endswith(self.path):
            return None
        drawn = self.random.random()
        for fate, share in self.fates.items():
            drawn -= share
            if drawn < 0:
                self.most -= 1
                return fate
        return None


@dataclass(frozen=True, slots=True)
class Stroke:
    """What becomes of one request, and what is still to be drawn about it."""

    fate: RequestFate
    random: Random
    late_s: tuple[float, float] = (0.5, 9.0)
    on_bite: Callable[[RequestFate], None] = _untold

    def bite(self) -> None:
        """It has really happened."""
        self.on_bite(self.fate)


@dataclass(slots=True)
class Weather:
    """How bad it is now. All zeros is a fine day."""

    request_fates: dict[RequestFate, float] = field(default_factory=dict)
    refused_verbs: frozenset[str] = WRITES
    """REFUSED and BROKEN of `request_fates` strike these only."""
    blights: list[Blight] = field(default_factory=list)
    """Asked before `request_fates`, in the order in which they came."""
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


class LineWitness:
    """Who wants to know what a guard is told, and what it says."""

    __slots__ = ()

    def frame_arrived(self, table: str) -> None:
        """A frame of a stream reached the guard; "" for one that is about no table."""

    def spoken(self, text: str) -> Callable[[], None] | None:
        """A frame of the guard is about to be taken by the exchange; what is returned is called right after."""

    def answered(self, verb: str, path: str, query: str, status: int, headers: Mapping[str, str]) -> None:
        """An answer to a request was handed to the guard."""


_NOBODY = LineWitness()


@dataclass(slots=True)
class Line:
    """One guard's network, from now until its end."""

    random: Random
    now_s: Callable[[], float]
    weather: Weather = field(default_factory=Weather)
    frames: int = 0
    """So many frames arrived."""
    swallowed: int = 0
    """So many frames were swallowed on a stream that seemed alive."""
    repeated: int = 0
    """So many frames came twice."""
    statuses: Counter[int] = field(default_factory=Counter)
    """How often a request, or a hand-shake, was answered with which status."""
    is_cut: bool = False
    """The process is dead: what it would still send never leaves."""
    told: LineWitness = _NOBODY

    def stroke(self, verb: str, path: str) -> Stroke:
        """Return what becomes of the next request."""
        if self.weather.is_down:
            return Stroke(RequestFate.UNREACHABLE, self.random)
        for blight in self.weather.blights:
            fate = blight.strikes(verb, path)
            if fate is not None:
                return Stroke(fate, blight.random, blight.late_s, blight.on_bite)
        return Stroke(self._fate(verb), self.random)

    def _fate(self, verb: str) -> RequestFate:
        drawn = self.random.random()
        for fate, share in self.weather.request_fates.items():
            if fate in {RequestFate.REFUSED, RequestFate.BROKEN} and verb not in self.weather.refused_verbs:
                continue
            drawn -= share
            if drawn < 0:
                return fate
        return RequestFate.ANSWERED

    @contextmanager
    def blighted(self, blight: Blight) -> Iterator[None]:
        """Let a spell lie on this line for a while."""
        self.weather.blights.append(blight)
        try:
            yield
        finally:
            if blight in self.weather.blights:
                self.weather.blights.remove(blight)

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
