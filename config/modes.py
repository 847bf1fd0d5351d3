"""What every rule shares: whether it acts, and how strongly an account rule may.

Pure: no input or output, importable by the core.
"""

from __future__ import annotations

from enum import Enum


class RuleMode(Enum):
    """Whether a rule counts.

    ON acts. SHADOW says what it would do, and does nothing. OFF is not even worked out.
    """

    ON = "on"
    SHADOW = "shadow"
    OFF = "off"


class Action(Enum):
    """What an account rule does about a breach, from the gentlest to the strongest; each includes an alert."""

    ALERT = "alert"
    FREEZE = "freeze"
    """Cancel the orders that may add exposure, and every new one, until lifted."""
    CORRECT = "correct"
    """Bring the thing itself back within the rule: a lower leverage, isolated margin, the excess reduced away."""
    FLATTEN = "flatten"
    """Close everything the rule is about and keep it closed, latched until an operator lifts it."""


class Lift(Enum):
    """What ends a freeze."""

    OPERATOR = "operator"
    """Only a person (`seawall lift`)."""
    NEXT_DAY = "next_day"
    """The next day of the account's calendar, or a person before that."""
    CLEARED = "cleared"
    """The breach is over, or a person before that."""
