"""Where the ladder's step "tighten" moved the stop: kept for the rest of the episode.

Why a rule: then nothing but the rules ever moves a stop, and alerts and status name who spoke.

Units: prices in quote currency.
"""

from __future__ import annotations

from typing import Final

from config.modes import RuleMode
from daemon.core.stop_rules.proposal import Proposal, Rule, RuleInput, Word, shown

NAME: Final = "tightened"


def propose(given: RuleInput) -> Word:
    """The place that the ladder asked for, or nothing."""
    if given.tightened is None:
        return None
    return Proposal(rule=NAME, price=given.tightened, why=f"{shown(given.tightened)} by the ladder")


RULE: Final = Rule(name=NAME, mode=lambda _policy: RuleMode.ON, propose=propose)
