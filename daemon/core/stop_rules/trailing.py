"""Follow the best mark since the position opened, at a distance.

Why in steps: each amend costs a request of the account that the bots live on. The best mark counts in steps of
`step_percent` of the entry price, and a distance by volatility is put up to the same grid, so between two steps the
trigger does not move at all. The best mark is one that two marks in a row have reached: a single bad print drags no
stop into the market (`stop_facts.py`).

The entry price counts as a mark, so the rule protects from the opening on where `activate_percent` is 0.

Units: prices in quote currency, not yet on the tick grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from daemon.core.stop_rules.proposal import PERCENT, Proposal, Rule, RuleInput, Silence, Word, shown

NAME: Final = "trailing"


def distance_percent(given: RuleInput) -> Decimal:
    """The distance kept, in percent of the best mark: the wider of the two, by volatility in whole steps."""
    policy = given.policy.trailing
    if policy.distance_volatility is None or given.hourly_percent is None:
        return policy.distance_percent
    by_volatility = policy.distance_volatility * given.hourly_percent
    steps = (by_volatility / policy.step_percent).to_integral_value(rounding=ROUND_CEILING)
    return max(policy.distance_percent, steps * policy.step_percent)


def steps_gained(given: RuleInput) -> Decimal | None:
    """Whole steps between the entry price and the best mark."""
    gain = given.gain_percent(given.best)
    if gain is None:
        return None
    return (gain / given.policy.trailing.step_percent).to_integral_value(rounding=ROUND_FLOOR)


def propose(given: RuleInput) -> Word:
    """The best mark in whole steps, less the distance; nothing before the position has gained enough."""
    policy, steps = given.policy.trailing, steps_gained(given)
    if steps is None:
        return Silence(rule=NAME, why="the entry price is unknown")
    gain = given.gain_percent(given.best)
    if gain is None or gain < policy.activate_percent:
        return None
    best = given.at_gain(steps * policy.step_percent)
    kept = distance_percent(given)
    if best is None or kept >= PERCENT:
        return None
    price = best * (1 - given.side.sign * kept / PERCENT)
    return Proposal(rule=NAME, price=price, why=f"{shown(kept)} % behind the best mark of {shown(best)}")


def marks(given: RuleInput) -> Iterator[Decimal]:
    """The mark at which the next step is reached, or the rule begins to speak."""
    policy, steps, gain = given.policy.trailing, steps_gained(given), given.gain_percent(given.best)
    if steps is None or gain is None:
        return
    next_gain = policy.activate_percent if gain < policy.activate_percent else (steps + 1) * policy.step_percent
    price = given.at_gain(next_gain)
    if price is not None:
        yield price


RULE: Final = Rule(name=NAME, mode=lambda policy: policy.trailing.mode, propose=propose, marks=marks)
