"""An account with safe defaults, for the tests of the account rules: name only what a test is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from config.policy import Policy
from connectors.vocabulary import Instrument, Margin, Position
from daemon.core.account_rules.verdict import AccountView, Level, Verdict, account_view
from daemon.core.state import Feed, Guarded, GuardState, Mark, Need, Pictures, initial_state
from tests.builders import ACCOUNT, START_NS, a_margin, a_position, an_instrument

LIVE = Feed(is_live=True, since_ns=START_NS, reason="", age_ns=0)


def a_guarded(position: Position | None = None, **changes: Any) -> Guarded:
    """A position that is covered by a stop at 950."""
    base = Guarded(
        position=a_position() if position is None else position,
        taken_ns=START_NS,
        known_ns=START_NS,
        need=Need.STOP,
        ruled=Decimal(950),
        ratchet=Decimal(950),
        covered_ns=START_NS,
    )
    return replace(base, **changes)


def a_state(
    *guarded: Guarded,
    instruments: Iterable[Instrument] = (),
    margins: Iterable[Margin] = (),
    mark: str | int | None = 1000,
    policy: Policy | None = None,
    **changes: Any,
) -> GuardState:
    """Both streams live, the account read, one mark for every contract, a margin row of 1,000,000 USDt."""
    contracts = {each.symbol: each for each in (tuple(instruments) or (an_instrument(),))}
    base = initial_state(ACCOUNT, policy or Policy())
    state = replace(
        base,
        now_ns=START_NS,
        started_ns=START_NS,
        was_whole=True,
        orders_known=True,
        health=replace(base.health, market=LIVE, account=LIVE),
        pictures=Pictures(taken_ns=START_NS, asked_ns=START_NS, answered_ns=START_NS),
        instruments=contracts,
        marks={} if mark is None else {name: Mark(price=Decimal(mark), at_ns=START_NS) for name in contracts},
        margins={each.currency: each for each in (tuple(margins) or (a_margin(amount_sat=1_000_000),))},
        positions={each.position.key.symbol: each for each in guarded},
    )
    return replace(state, **changes)


def a_view(*guarded: Guarded, **changes: Any) -> AccountView:
    """The rules' view of `a_state`."""
    return account_view(a_state(*guarded, **changes))


def levels(verdicts: Iterable[Verdict]) -> dict[str, Level]:
    """Subject to level."""
    return {each.subject: each.level for each in verdicts}


def only(verdicts: tuple[Verdict, ...]) -> Verdict:
    """The one verdict there is."""
    (verdict,) = verdicts
    return verdict
