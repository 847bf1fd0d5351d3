"""Worlds drawn from a seed: how many guards, how much trouble, under which policy, at an exchange of which habits.

Why: what is not known of the venue is a switch of the embedded exchange, and what an operator may choose is policy. The
promises hold under every combination, so every world draws one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from math import inf
from random import Random
from typing import Final

from config.policy import Policy
from connectors.simulated.engine.switches import ClientIdReuse, LiquidationStyle, Switches
from connectors.simulated.server.settings import RowStyle
from connectors.simulated.tape.tape import Tape
from tests.simulation.agenda import Item
from tests.simulation.policies import of_other_stops, policy_of

MINUTES = 5.0
REPLAYED_OF = 4
"""In sparse sweeps the journals of every so many-th seed are played again (P9); in dense ones those of all."""


_DIFFER_SHARE: Final = 0.3
"""Of the worlds with two guards."""


class Pace(Enum):
    """How fast things follow each other."""

    DENSE = "dense"
    """Something every few seconds, so that troubles meet."""
    SPARSE = "sparse"
    """Hours with a few troubles each, and time to become whole in between."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a world is like."""

    seed: int
    minutes: float = 5.0
    guards: int = 1
    policy: Policy = field(default_factory=Policy)
    other_policy: Policy | None = None
    """What every guard but the first begins with, where it is another: somebody forgot the second settings file."""
    switches: Switches = field(default_factory=Switches)
    rows: RowStyle = RowStyle.FULL
    act_every_s: float = 12.0
    """Mean time between the bot's acts; infinity for none."""
    ask_every_s: float = inf
    """Mean time between what a person asks for; infinity for nobody."""
    trouble_every_s: float = 15.0
    """Mean pause between two troubles of one chain."""
    troubles: int = 1
    """How many chains of trouble there are; 0 for a world without."""
    price_every_s: float = 1.0
    """How long a price stands."""
    is_replayed: bool = True
    """Whether P9 is asked: every journal is played again in the end."""
    accounts: int = 1
    tape: Tape | None = None
    """Prices to play instead of a walk."""
    items: tuple[Item, ...] | None = None
    """The agenda, where it is not drawn from the seed."""
    only: frozenset[int] | None = None
    """The numbers of the agenda's items that are carried out; None for all."""


def plan_of(seed: int, *, minutes: float = MINUTES, pace: Pace = Pace.DENSE) -> Plan:
    """Return the world of a seed."""
    drawn = Random(f"plan {seed}")  # noqa: S311 - a plan is a function of its seed
    plan = Plan(
        seed=seed,
        minutes=minutes,
        guards=drawn.choice((1, 1, 2)),
        troubles=drawn.choice((1, 2, 3)),
        policy=policy_of(drawn),
        switches=_switches(drawn),
        rows=drawn.choice(tuple(RowStyle)),
        ask_every_s=drawn.choice((20.0, 60.0, inf)),
    )
    if drawn.random() < _DIFFER_SHARE:
        plan = replace(plan, other_policy=of_other_stops(plan.policy, drawn))
    return _stretched(plan) if pace is Pace.SPARSE else plan


def _stretched(plan: Plan) -> Plan:
    """The same world with more time between things; a few of everything still happen in every hour."""
    return replace(
        plan,
        act_every_s=90.0,
        ask_every_s=plan.ask_every_s * 30,
        trouble_every_s=350.0 * plan.troubles,
        price_every_s=10.0,
        is_replayed=plan.seed % REPLAYED_OF == 0,
    )


def _switches(drawn: Random) -> Switches:
    def either() -> bool:
        return drawn.random() < 0.5

    return Switches(
        liquidation_first=either(),
        trigger_at_equality=either(),
        refuse_crossed_stops=either(),
        close_shows_quantity=either(),
        client_id_reuse=drawn.choice(tuple(ClientIdReuse)),
        liquidation_style=drawn.choice(tuple(LiquidationStyle)),
        funding_in_maintenance=either(),
        order_margin_in_liquidation=either(),
        unknown_cancel_is_404=either(),
    )
