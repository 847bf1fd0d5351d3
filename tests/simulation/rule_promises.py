"""The promises that came with the rules: what policy allows to leave at all, latches, corrections, take-profit orders.

Why apart: `promises.py` judges stops and cover. This judges what rules, the ladder and people may do beside them, off
the exchange and off what people were told.

Units: seconds of virtual time, prices `Decimal`, quantities contracts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from config.ladder import Step
from config.modes import Action, Lift, RuleMode
from config.policy import AccountPolicy, Policy
from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.exchange import Exchange
from daemon.core.commands import Command, RaiseAlert
from daemon.core.events import Event, OperatorAsked
from daemon.core.interventions import Latch, LatchKind
from daemon.core.operator_requests import FlattenAsked, FreezeAsked, LiftLatch
from tests.simulation.requests import Sent

if TYPE_CHECKING:
    from tests.simulation.guard_life import SimGuard

TOO_MUCH_S = 12.0
"""P4: so long after a change of size may take-profit orders hold more than the position, if nothing else is wrong."""
RACE_S = 3.0
"""What changed so shortly before a correction arrives may not have been known when it was worked out."""
OPERATORS = {"operator": LatchKind.FREEZE, "operator-flatten": LatchKind.FLATTEN}
LADDER = {"ladder": LatchKind.FREEZE, "ladder-flatten": LatchKind.FLATTEN}
TALKATIVE = 120
"""P10: more alerts than this from one guard within a minute are a flood."""

Broken = Callable[[str, str], None]


@dataclass(slots=True)
class _Known:
    """What is known of one guard."""

    policy: Policy
    latches: dict[str, Latch] = field(default_factory=dict)
    """What its state held when it was last looked at."""
    lifted: dict[str, str] = field(default_factory=dict)
    """What it said was lifted since then, and by whom."""
    may_lift: set[str] = field(default_factory=set)
    """What a person asked it to lift, "" for all, since the last look."""
    asked: set[LatchKind] = field(default_factory=set)
    """What kinds of latch a person asked for, ever."""
    minute: int = 0
    alerts: Counter[str] = field(default_factory=Counter)


class RulePromises:
    """Checks, and tells `broken` what did not hold."""

    def __init__(self, exchange: Exchange, now_s: Callable[[], float], broken: Broken) -> None:
        self._exchange = exchange
        self._now_s = now_s
        self._broken = broken
        self._known: dict[str, _Known] = {}
        self._too_much_s: dict[tuple[int, str], float] = {}
        self._changed_s = 0.0
        self.counts: Counter[str] = Counter()

    def note_change(self) -> None:
        """Somebody changed something about the account."""
        self._changed_s = self._now_s()

    def _of(self, guard: SimGuard) -> _Known:
        return self._known.setdefault(guard.name, _Known(guard.policy))

    # ------------------------------------------------------------ what may leave

    def check_leaving(self, sent: Sent) -> None:
        """Hold a write against the policy: what no rule is on for does not happen."""
        known = self._known.get(sent.guard)
        if known is None:
            return
        if known.policy.observe:
            self._broken("P1", f"an observing guard sends {sent.verb} {sent.path} {sent.body!r}")
        name = sent.path.rpartition("/")[2]
        if name in {"transferMargin", "leverage", "isolate"} and not _allows(known.policy, name):
            self._broken("P1", f"{sent.path}, which no rule that is on asks for: {sent.body!r}")
        body = json.loads(sent.body or b"{}")
        if name == "order" and body.get("ordType") == "Limit" and known.policy.take_profit.mode is not RuleMode.ON:
            self._broken("P1", f"a take-profit order while the rule is {known.policy.take_profit.mode.value}: {body}")

    # ------------------------------------------------------------ corrections

    def before_arrival(self, path: str, body: bytes, quiet_since_s: float) -> Callable[[], None] | None:
        """Look at every liquidation right before a correction is carried out; call the answer right after."""
        if path.rpartition("/")[2] not in {"transferMargin", "leverage", "isolate"}:
            return None
        before = self._liquidations()
        is_calm = self._now_s() - max(quiet_since_s, self._changed_s) > RACE_S

        def compare() -> None:
            self.counts["corrections"] += 1
            for key, (quantity, price) in self._liquidations().items():
                was = before.get(key, (quantity, None))[1]
                if not _is_nearer(quantity, was, price):
                    continue
                self.counts["corrections that brought a liquidation nearer"] += 1
                if is_calm:
                    self._broken("P1", f"{path} {body!r} brings liquidation of {key[1]} from {was} to {price}")

        return compare

    def _liquidations(self) -> dict[tuple[int, str], tuple[int, Decimal | None]]:
        found = {}
        for account in self._exchange.accounts():
            for row in self._exchange.position_rows(account):
                quantity, price = int(str(row["currentQty"] or 0)), row["liquidationPrice"]
                if quantity:
                    found[(account, str(row["symbol"]))] = (quantity, None if price is None else Decimal(str(price)))
        return found

    # ------------------------------------------------------------ latches

    def on_event(self, guard: SimGuard, event: Event) -> None:
        """Learn what a person asked for."""
        known = self._of(guard)
        if not isinstance(event, OperatorAsked):
            return
        match event.request:
            case LiftLatch(name=name):
                known.may_lift.add(name)
            case FlattenAsked():
                known.asked.add(LatchKind.FLATTEN)
            case FreezeAsked():
                known.asked.add(LatchKind.FREEZE)
            case _:
                pass

    def on_commands(self, guard: SimGuard, commands: Sequence[Command]) -> None:
        """Learn what a guard told of latches."""
        known = self._of(guard)
        for command in commands:
            if not isinstance(command, RaiseAlert):
                continue
            self._count_alert(guard, known, command)
            if command.topic == "latch" and command.state == "lifted":
                facts = dict(command.facts)
                known.lifted[facts["latch"]] = facts["who"]

    def _count_alert(self, guard: SimGuard, known: _Known, alert: RaiseAlert) -> None:
        minute = int(self._now_s() // 60)
        if minute != known.minute:
            known.minute, known.alerts = minute, Counter()
        known.alerts[f"{alert.topic} {alert.state}"] += 1
        total = known.alerts.total()
        self.counts["most alerts a minute"] = max(self.counts["most alerts a minute"], total)
        if total == TALKATIVE:
            self._broken("P10", f"{guard.name} says {TALKATIVE} things in a minute: {known.alerts.most_common(4)}")

    def forget(self, guard: SimGuard) -> None:
        """Its journal, or the end of it, was taken away."""
        self._of(guard).latches = {}

    def look(self, guard: SimGuard) -> None:
        """Compare its latches with those it had: what is gone was lifted by somebody who may, and told."""
        state, known = guard.state, self._of(guard)
        if state is None:
            return
        for name, latch in known.latches.items():
            if name not in state.latches or state.latches[name].since_ns > latch.since_ns:
                self._check_lift(guard, known, latch)
        for name, latch in state.latches.items():
            if name not in known.latches:
                self._check_cause(guard, known, latch)
        known.latches = dict(state.latches)
        known.lifted, known.may_lift = {}, set()

    def _check_lift(self, guard: SimGuard, known: _Known, latch: Latch) -> None:
        who = known.lifted.get(latch.name)
        becomes_flatten = guard.state is not None and latch.name in guard.state.latches
        if becomes_flatten and (who is None):
            return
        if who is None:
            self._broken("P7", f"{guard.name}: {latch.kind.value} {latch.name} is gone, and nobody was told")
        elif not known.may_lift & {"", latch.name}:
            by_itself = latch.kind is LatchKind.FREEZE and latch.lift is not Lift.OPERATOR
            if not by_itself:
                self._broken("P7", f"{guard.name}: {latch.kind.value} {latch.name} lifts by itself ({who})")

    def _check_cause(self, guard: SimGuard, known: _Known, latch: Latch) -> None:
        if latch.name in OPERATORS:
            is_meant = latch.kind in known.asked
        elif latch.name in LADDER:
            step = Step.FLATTEN if latch.kind is LatchKind.FLATTEN else Step.FREEZE
            is_meant = known.policy.ladder.mode is RuleMode.ON and step in _steps(known.policy)
        else:
            rule = getattr(known.policy.account, latch.name.partition(":")[0], None)
            action = Action.FLATTEN if latch.kind is LatchKind.FLATTEN else Action.FREEZE
            is_meant = rule is not None and rule.mode is RuleMode.ON and rule.action is action
        if not is_meant:
            self._broken("P1", f"{guard.name}: {latch.kind.value} {latch.name} holds, which nobody asked for")

    # ------------------------------------------------------------ take-profit

    def count_takes(self, orders: Mapping[str, Row], sizes: Mapping[tuple[int, str], int], calm_since_s: float) -> None:
        """P4: take-profit orders together never hold more than the position, but for a moment after it shrank."""
        sums: Counter[tuple[int, str]] = Counter()
        for row in orders.values():
            if str(row["clOrdID"]).startswith("sw-") and row["ordType"] == "Limit":
                sums[int(str(row["account"])), str(row["symbol"])] += int(str(row["leavesQty"] or 0))
                self.counts["most take-profit orders"] = max(self.counts["most take-profit orders"], len(sums))
        for key in [key for key in self._too_much_s if sums[key] <= abs(sizes.get(key, 0))]:
            del self._too_much_s[key]
        for key, together in sums.items():
            held = abs(sizes.get(key, 0))
            if together <= held:
                continue
            since_s = max(self._too_much_s.setdefault(key, self._now_s()), calm_since_s)
            if self._now_s() - since_s > TOO_MUCH_S:
                self._broken("P4", f"take-profit orders for {together} of {key[1]}, of which {held} are held")
                self._too_much_s[key] = self._now_s()


def _steps(policy: Policy) -> set[Step]:
    ladder = policy.ladder
    return {*ladder.watch, *ladder.warn, *ladder.critical, *ladder.emergency}


def _allows(policy: Policy, name: str) -> bool:
    account: AccountPolicy = policy.account
    match name:
        case "transferMargin":
            return policy.ladder.mode is RuleMode.ON and Step.ADD_MARGIN in _steps(policy)
        case "leverage":
            rule = account.leverage_cap
        case _:
            rule = account.isolated_only  # type: ignore[assignment]  # both are account rules
    return rule.mode is RuleMode.ON and rule.action is Action.CORRECT


def _is_nearer(quantity: int, before: Decimal | None, after: Decimal | None) -> bool:
    """By more than a hundred-thousandth: the venue rounds."""
    if after is None or before == after:
        return False
    if before is None:
        return True
    slack = before / 100_000
    return after > before + slack if quantity > 0 else after < before - slack
