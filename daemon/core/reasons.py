"""Why the guard did something. Every command carries one; each has a heading in the runbook.

Pure. The value of a member is its name in journal, logs and metrics and never changes.
"""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """The one cause of one command."""

    COVER_MISSING = "cover_missing"
    """A position has no sufficient stop: none was placed yet, or the one there disappeared."""
    COVER_TOO_SMALL = "cover_too_small"
    """The position grew beyond the quantity of its stop."""
    COVER_TOO_FAR = "cover_too_far"
    """Policy now asks for a trigger nearer the mark."""
    COVER_WRONG = "cover_wrong"
    """Our own stop reads back otherwise than it was meant (side, trigger source, reduce-only)."""
    COVER_SURPLUS = "cover_surplus"
    """More than one of our stops rests: the best stays."""
    COVER_NEEDLESS = "cover_needless"
    """The position is flat, or turned round: its stop has nothing to protect."""
    THROUGH_TRIGGER = "through_trigger"
    """The mark was already beyond the wanted trigger: reduce at the market."""
    STOP_STUCK = "stop_stuck"
    """The mark is beyond a resting trigger and the stop has not fired."""
    STOP_INCOMPLETE = "stop_incomplete"
    """The stop fired and the position is not flat."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """A request got no answer: ask the venue before anything else."""
    CONFIRMATION_LATE = "confirmation_late"
    """A stop was accepted but the order stream has not confirmed it in time."""
    RECONCILE = "reconcile"
    """The slow cycle, a start or a reconnect: compare our view with the venue's."""
    DOUBT = "doubt"
    """Two sources disagree about a position: read again before acting."""
    SWITCH_FEED = "switch_feed"
    """The guard can see and act: feed the dead man's switch."""
    SWITCH_DISARM = "switch_disarm"
    """Nothing that may add exposure is open, or an orderly stop: the stops must outlive the guard."""
    EXPOSURE_UNWATCHED = "exposure_unwatched"
    """Blind for half of the countdown: what may add exposure goes by id, so that the switch need not take the stops."""
    STOPPING = "stopping"
    """An orderly stop was asked for."""
    TIER_CHANGED = "tier_changed"
    """The distance to liquidation crossed a bound."""
    TIER_REPEATED = "tier_repeated"
    """The same tier for long: said again."""
    DEGRADED = "degraded"
    """The guard can do less than it promises, and says so."""
    RECOVERED = "recovered"
    """A degraded state ended."""
    FACT = "fact"
    """Something that people want to know happened: a position covered, a stop fired, a position gone."""
