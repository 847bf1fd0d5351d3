"""How long each bar of the tape lasts in real time.

Why: history is played faster than it was, yet a guard that talks over real sockets must have time
to answer where it matters. So real time follows movement, not the calendar: a minute in which the
price moved by `VIOLENT_MOVE` or more is never shorter than a floor, a large multiple of a round trip
over loopback (5 to 20 ms), at any speed; quiet minutes shrink.

Three paces:
- `fit`: the whole tape in a budget. Floors come first (lowered down to `HARD_FLOOR_MS` when there
  are too many for the budget), the rest is shared out in proportion to the way the price travels.
  When even the hard floors exceed the budget, they win and the tape takes longer.
- `speed`: tape time divided by a factor, floors still hold.
- `max`: the lowest floors only; quiet bars take no time at all.

The pace also sets how fine the tape is: enough points that prices keep coming every `POINT_MS` of
real time, so that a tape at real time does not look like a silent feed.

Units: real and tape times in milliseconds, moves as natural logs of price ratios.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from math import ceil
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from collections.abc import Sequence

VIOLENT_MOVE = 0.005
FLOOR_MS = 120.0  # of a violent minute
HARD_FLOOR_MS = 40.0  # below which no budget lowers it
FLOOR_SHARE = 0.8  # of a budget that lowered floors may take
TRAVEL_PER_FLOOR = 0.02  # a bar that travels further needs proportionally more time
DEFAULT_BUDGET_S = 75.0
POINT_MS = 100.0
FEWEST_POINTS, MOST_POINTS = 5, 300  # a minute
_QUIET_TRAVEL = 0.0003  # what a minute without movement weighs
_TEXT = re.compile(r"(?P<word>fit|max)|fit:(?P<budget>\d+(\.\d+)?)|(?P<factor>\d+(\.\d+)?)x?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """What pacing needs to know of one bar."""

    duration_ms: int
    move: float  # widest ratio inside the bar, or the jump into it
    travel: float  # length of the whole way

    @property
    def is_violent(self) -> bool:
        """Whether the bar's real time has a floor."""
        return self.move >= VIOLENT_MOVE

    @property
    def stretch(self) -> float:
        """How many floors the bar's way is worth: one, or more for a very long way."""
        return max(1.0, self.travel / TRAVEL_PER_FLOOR)

    @property
    def weight(self) -> float:
        """The bar's part in what is shared out."""
        return self.travel + _QUIET_TRAVEL * self.duration_ms / 60_000


class PaceKind(Enum):
    """The three paces."""

    FIT = "fit"
    SPEED = "speed"
    MAX = "max"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """A chosen pace; make one with `fit`, `at_speed`, `fastest` or `parse_pace`."""

    kind: PaceKind
    budget_ms: float = 0.0
    speed: float = 1.0
    floor_ms: float = FLOOR_MS
    fewest: int = FEWEST_POINTS  # a minute

    @classmethod
    def fit(cls, budget_s: float = DEFAULT_BUDGET_S) -> Pace:
        """Play the whole tape within a budget of real seconds."""
        return cls(kind=PaceKind.FIT, budget_ms=budget_s * 1000)

    @classmethod
    def at_speed(cls, speed: float) -> Pace:
        """Play `speed` times as fast as it happened, violent minutes not below their floor."""
        return cls(kind=PaceKind.SPEED, speed=speed)

    @classmethod
    def fastest(cls, *, fewest: int = FEWEST_POINTS) -> Pace:
        """Play without waiting, but for the lowest floors of violent minutes.

        Args:
            fewest: Least number of points a minute, where nobody needs prices to keep coming.
        """
        return cls(kind=PaceKind.MAX, floor_ms=HARD_FLOOR_MS, fewest=fewest)

    def bar_ms(self, motion: Motion) -> float:
        """Return a bar's real time, for the paces that look at one bar at a time.

        Raises:
            ValueError: If the pace is `fit`, which needs the whole tape.
        """
        floor = self.floor_ms * motion.stretch if motion.is_violent else 0.0
        match self.kind:
            case PaceKind.SPEED:
                return max(motion.duration_ms / self.speed, floor)
            case PaceKind.MAX:
                return floor
            case PaceKind.FIT:
                raise ValueError("a budget needs a tape that ends")
            case _:
                assert_never(self.kind)

    def points_per_minute(self, tape_ms: int | None) -> int:
        """Return the least number of points a minute of the tape needs, given the tape's length."""
        minute_ms = 0.0
        if self.kind is PaceKind.SPEED:
            minute_ms = 60_000 / self.speed
        elif self.kind is PaceKind.FIT and tape_ms:
            minute_ms = 60_000 * self.budget_ms / tape_ms
        return min(max(ceil(minute_ms / POINT_MS), self.fewest), MOST_POINTS)


def parse_pace(text: str) -> Pace:
    """Return the pace an option names: `fit`, `fit:60` (seconds), `max`, or a factor such as `60`.

    Raises:
        ValueError: If the text is none of these, in one line that says what is.
    """
    match = _TEXT.fullmatch(text.strip().lower())
    if match and match["word"]:
        return Pace.fastest() if match["word"] == "max" else Pace.fit()
    if match and match["budget"] and float(match["budget"]):
        return Pace.fit(float(match["budget"]))
    if match and match["factor"] and float(match["factor"]):
        return Pace.at_speed(float(match["factor"]))
    raise ValueError(f"{text!r} is no speed; write a factor such as 60, or max, or fit:75 (seconds)")


def fit_times(motions: Sequence[Motion], budget_ms: float, floor_ms: float) -> list[float]:
    """Return every bar's real time so that all together last as long as the budget.

    Longer only when the hard floors of the violent bars alone exceed it.
    """
    violent = sum(motion.is_violent for motion in motions)
    affordable = FLOOR_SHARE * budget_ms / max(1, violent)
    floor = min(floor_ms, max(affordable, HARD_FLOOR_MS))
    rest = max(0.0, budget_ms - violent * floor)
    share = rest / sum(motion.weight for motion in motions)
    return [(floor if motion.is_violent else 0.0) + share * motion.weight for motion in motions]
