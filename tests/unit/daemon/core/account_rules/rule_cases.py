"""An account with safe defaults, for the tests of the account rules: name only what a test is about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from config.account_rules import AccountPolicy
from config.modes import Action, RuleMode
from config.policy import Policy
from connectors.vocabulary import Instrument, Margin, Position, Wallet
from daemon.core.account_rules import RULES
from daemon.core.account_rules.verdict import AccountView, Level, Verdict, account_view
from daemon.core.commands import RaiseAlert
from daemon.core.draft import Draft
from daemon.core.judging import rulebook
from daemon.core.restraint import latches
from daemon.core.state import Feed, Guarded, GuardState, Mark, Need, Pictures, initial_state
from tests.builders import ACCOUNT, SECOND, START_NS, a_margin, a_position, an_instrument

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


class Ruled:
    """The rulebook second by second, on a state that the test writes."""

    def __init__(self, state: GuardState, *, is_read: bool = True) -> None:
        self.state = state
        self.said: list[RaiseAlert] = []
        self.is_read = is_read
        """A read that a deed waits for is answered within the same second, and shows nothing new."""

    def tick(self, seconds: int = 1, **changes: Any) -> list[RaiseAlert]:
        """Let time pass, change what is known, judge; what was told."""
        now_ns = self.state.now_ns + seconds * SECOND
        fresh = {name: replace(each, at_ns=now_ns) for name, each in self.state.marks.items()}
        self.state = replace(self.state, **({"marks": fresh} | changes))
        told = self._judge(now_ns)
        pictures = self.state.pictures
        if self.is_read and self._is_waiting() and pictures.wanted_ns > pictures.taken_ns:
            self.state = replace(self.state, pictures=replace(pictures, taken_ns=pictures.wanted_ns))
            told += self._judge(now_ns)
        self.said += told
        return told

    def _judge(self, now_ns: int) -> list[RaiseAlert]:
        draft = Draft(self.state, now_ns)
        rulebook.judge(draft)
        self.state = draft.finish()
        return [each for each in draft.commands if isinstance(each, RaiseAlert)]

    def _is_waiting(self) -> bool:
        sure = {rule.name for rule in RULES if rule.is_sure}
        standing = (each for each in self.state.rules.values() if each.rule not in sure and not each.ended_ns)
        return any(each.action is not Action.ALERT and each.mode is RuleMode.ON for each in standing)

    def margin(self, **changes: Any) -> list[RaiseAlert]:
        """A newer margin row, and the next second."""
        row = replace(self.state.margins["USDt"], timestamp_ns=self.state.now_ns + SECOND, **changes)
        return self.tick(margins=self.state.margins | {row.currency: row})

    def wallet(self, transfers_sat: int | None, amount_sat: int | None) -> list[RaiseAlert]:
        """A wallet row, and the next second."""
        row = Wallet(account=ACCOUNT, currency="USDt", transfers_sat=transfers_sat, amount_sat=amount_sat)
        return self.tick(wallets={"USDt": row})

    def lift(self, name: str) -> list[RaiseAlert]:
        """A person lifts a latch; the rules are judged at once."""
        draft = Draft(self.state, self.state.now_ns)
        latches.lift(draft, name, "ann")
        rulebook.judge(draft)
        self.state = draft.finish()
        return [each for each in draft.commands if isinstance(each, RaiseAlert)]

    def restart(self) -> None:
        """The process is killed and comes back from its checkpoint."""
        self.state = msgspec.convert(msgspec.json.decode(msgspec.json.encode(self.state)), GuardState, strict=False)


def an_account(**rules: Any) -> Policy:
    """A policy with these account rules; all others are off."""
    off = {each.name: replace(getattr(AccountPolicy(), each.name), mode=RuleMode.OFF) for each in RULES}
    return Policy(account=AccountPolicy(**(off | rules)))


def topics(told: Iterable[RaiseAlert]) -> list[tuple[str, str]]:
    """Topic and state of what was told."""
    return [(each.topic, each.state) for each in told]
