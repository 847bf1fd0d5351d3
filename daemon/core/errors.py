"""What the core may raise: nothing but the news that it contradicts itself.

Why: a guard that acts on figures it knows to be wrong does harm, so `InvariantBroken` is never caught and ends the
process; the restart rebuilds the view from the venue. Bad or strange input is never a reason to raise: it becomes a
named degraded state.
"""

from __future__ import annotations


class InvariantBroken(Exception):
    """The core found itself in a state that its own rules exclude."""
