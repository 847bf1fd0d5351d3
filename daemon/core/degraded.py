"""The named ways in which the guard can do less than it promises (P12).

Each is told once when it begins and once when it ends, and stands in the status while it lasts. The value of a member
is its name in alerts, journal and status and never changes.
"""

from __future__ import annotations

from enum import Enum


class Degraded(Enum):
    """One named degraded state, of the account or of one position."""

    BLIND_MARKET = "blind_market"
    """No fresh mark prices: of the feed as a whole, or of one symbol."""
    BLIND_ACCOUNT = "blind_account"
    """No fresh account stream."""
    LOOP_STALLED = "loop_stalled"
    """The process itself was held up."""
    CLOCK_SKEW = "clock_skew"
    """Our clock and the venue's differ by more than the limit."""
    MARK_FROZEN = "mark_frozen"
    """A mark that has not moved at all for long, beside a market that has."""
    UNCOVERED = "uncovered"
    """A position's stop is not confirmed resting within the stated time."""
    LIQUIDATION_UNKNOWN = "liquidation_unknown"
    """Neither the venue nor our own computation gives a liquidation price."""
    LIQUIDATION_DISAGREES = "liquidation_disagrees"
    """Our liquidation price is safer than the venue's by more than the tolerance."""
    POSITION_DISPUTED = "position_disputed"
    """REST reads say that a position is flat, and the account stream says that it is open."""
    COVER_REFUSED = "cover_refused"
    """The venue, or our own check before the wire, refuses the protective stop."""
    STOP_WORTHLESS = "stop_worthless"
    """No room between mark and liquidation for a stop that would help."""
    RULE_SILENT = "rule_silent"
    """A stop rule that is on lacks a figure and says nothing of a position."""
    RULE_UNJUDGED = "rule_unjudged"
    """An account rule that is on has lacked a figure for a minute: its limit holds nobody."""
    STOPS_CROWDED = "stops_crowded"
    """Eight or more of the ten stops that the venue allows on a symbol are in use."""
    SWITCH_UNCONFIRMED = "switch_unconfirmed"
    """The dead man's switch was not confirmed as asked."""
    SWITCH_UNFED = "switch_unfed"
    """The switch ought to be fed and is not, because the guard cannot see or act."""
    JOURNAL_FAILED = "journal_failed"
    """The journal cannot be written."""
    MISCONFIGURED = "misconfigured"
    """The venue refuses requests until a person mends something."""
    HEDGE_MODE = "hedge_mode"
    """The account holds hedge-mode positions, which are not supported."""
    BUDGET_EMPTY = "budget_empty"
    """Requests are not sent: no budget left, or the venue refuses more of them (rate limit, ban)."""
    VENUE_UNREACHABLE = "venue_unreachable"
    """Requests do not get through: no connection, no answer to reads, or the venue is overloaded."""
    PICTURE_OVERDUE = "picture_overdue"
    """The account could not be read over REST for too long."""
    FLATTEN_STUCK = "flatten_stuck"
    """A flatten has been at work for long and has not come to its end."""
    FREEZE_STUCK = "freeze_stuck"
    """A freeze holds, and an order that may add exposure has stood for long all the same."""
