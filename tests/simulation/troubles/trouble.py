"""One kind of trouble, and the few words that all of them use.

Why: a trouble is a row of the catalogue: a name, the row of the list it stands for, and a function that does it for a
while and puts everything back. Its randomness comes from the `Random` it is handed and from nowhere else, so leaving
out one item of an agenda changes no other.

A `cast` is cancelled when its time is over: whatever it changed it puts back in a `finally`, without awaiting there.

Units: seconds of virtual time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import TypeAlias

from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene

Cast: TypeAlias = Callable[[Scene, SimGuard, Random], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """A kind of trouble."""

    name: str
    listed: str
    """The row of `listed.LISTED` it stands for; "" for what nobody listed."""
    cast: Cast
    weight: int = 1
    """How often it is drawn, beside the others."""
    is_scripted: bool = False
    """Never drawn among the troubles: it has its own place in the agenda, or only in fixed scenes."""
    from_seed: int = 0
    """Worlds of lower seeds do not know it: they stay what they were before it was thought of."""
    hinders: bool = True
    """The guard cannot be held to what needs a working world while this lasts. Otherwise the cast itself calls
    `scene.promises.disturb()` when the guard has something to answer."""
    is_fault: bool = True
    """It counts as a fault where density is reported; what bots and people do does not."""


def some_s(random: Random, least: float, most: float) -> float:
    """Draw a time, short ones as likely as long ones."""
    return exp(random.uniform(log(least), log(most)))


def either_sign(random: Random) -> int:
    """Draw +1 or -1."""
    return random.choice((-1, 1))
