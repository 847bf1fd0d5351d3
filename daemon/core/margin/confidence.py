"""How far a figure of our own can be relied on.

Why: some of the venue's arithmetic is published and confirmed by real rows, some is stated only, and some is our
reading of it. A figure that nobody has confirmed may tighten a stop and raise an alarm, but never decides alone.

Source: docs/venue-facts.md says of each statement how it is known.
"""

from __future__ import annotations

from enum import Enum


class Confidence(Enum):
    """How a figure is known, the best first."""

    EXACT = "exact"
    """The arithmetic gives the venue's own figure, to the tick, on all real rows of this kind."""
    STATED = "stated"
    """The venue states it and no row contradicts it, or a part was rebuilt from other columns of the row."""
    DERIVED = "derived"
    """Follows from another price of the same row: not an opinion of its own."""
    COMPUTED = "computed"
    """Our reading of the rules, with no row behind it: shown, compared, never trusted alone."""

    @property
    def stands_alone(self) -> bool:
        """Whether a decision may rest on the figure without a second witness."""
        return self in {Confidence.EXACT, Confidence.STATED}


_ORDER = tuple(Confidence)


def weaker(one: Confidence, other: Confidence) -> Confidence:
    """Return the less reliable of two."""
    return max(one, other, key=_ORDER.index)
