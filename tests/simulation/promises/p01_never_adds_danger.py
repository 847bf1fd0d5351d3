"""P1: every order of ours only shrinks, nothing of others is touched, and no request brings a liquidation nearer.

Judged at the wire as a request leaves, and at the exchange by what it does there.

Units: seconds of virtual time, prices `Decimal`, quantities contracts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import inf
from typing import Final

from config.ladder import Step
from config.modes import Action, RuleMode
from config.policy import AccountPolicy, Policy, SwitchMode
from connectors.simulated.engine.changes import Change, Row
from daemon.core.events import Event, PolicyChanged, Source
from daemon.core.memory.interventions import PauseKind
from tests.simulation.promises.book import OURS, Key, adds_exposure, is_ours, key_of, traded_by
from tests.simulation.promises.ground import Ground, GuardFacts, Promise
from tests.simulation.promises.latch_rules import latched_cancel_faults
from tests.simulation.promises.sightings import is_correction
from tests.simulation.promises.stop_rows import protects
from tests.simulation.requests import Sent

SETTLED_S = 5.0
"""A position that has stood so long is known to a guard that sees."""
RACE_S = 3.0
"""What changed so shortly before a correction arrives may not have been known when it was worked out."""
CORRECTIONS = frozenset({"transferMargin", "leverage", "isolate"})

Liquidations = dict[Key, tuple[int, Decimal | None]]

JUST_PAUSED_NS: Final = 2 * 10**9
"""What left just before the pause may still be on its way."""


class NeverAddsDanger(Promise):
    """Checks every request and every fill of ours."""

    name = "P1"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._reloaded_s: dict[str, float] = {}
        """When each guard took in other settings."""

    # ------------------------------------------------------------ what happened at the exchange

    def before_changes(self, changes: Sequence[Change]) -> None:
        """A fill of ours may only shrink what was there."""
        sizes: dict[Key, int] = {}
        for change in changes:
            if change.table == "execution" and (traded := traded_by(change.row)):
                key = key_of(change.row)
                before = sizes.get(key, self._book.size(key))
                sizes[key] = before + traded
                if str(change.row["clOrdID"]).startswith(OURS):
                    self._check_fill(change.row, before, before + traded)

    def _check_fill(self, row: Row, before: int, after: int) -> None:
        self.checked += 1
        self._ground.counts["our fills"] += 1
        if abs(after) > abs(before) or before * after < 0:
            self._broken(f"our order {row['clOrdID']} took {row['symbol']} from {before} to {after}")

    def on_arrival(self, path: str, body: bytes) -> Callable[[], None] | None:
        """Look right before a request is carried out; call the answer right after."""
        name = path.rpartition("/")[2]
        if name in CORRECTIONS:
            return self._compare_liquidations(path, body)
        return self._compare_cover(path, body) if name == "order" and body else None

    def _compare_liquidations(self, path: str, body: bytes) -> Callable[[], None]:
        before, counts = self._liquidations(), self._ground.counts
        is_calm = self._now_s - max(self._ground.quiet_since_s, self._book.changed_s) > RACE_S

        def compare() -> None:
            counts["corrections"] += 1
            self.checked += 1
            for key, (quantity, price) in self._liquidations().items():
                was = before.get(key, (quantity, None))[1]
                if not is_nearer(quantity, was, price):
                    continue
                counts["corrections that brought a liquidation nearer"] += 1
                if is_calm:
                    self._broken(f"{path} {body!r} brings liquidation of {key[1]} from {was} to {price}")

        return compare

    def _liquidations(self) -> Liquidations:
        found: Liquidations = {}
        for account in self._ground.exchange.accounts():
            for row in self._ground.exchange.position_rows(account):
                quantity, price = int(str(row["currentQty"] or 0)), row["liquidationPrice"]
                if quantity:
                    found[key_of(row)] = (quantity, None if price is None else Decimal(str(price)))
        return found

    def _compare_cover(self, path: str, body: bytes) -> Callable[[], None]:
        """No request of ours ends a cover, unless somebody else changed something after it was decided on."""
        book, sent_s = self._book, self._ground.sent_s.get((path, body), self._now_s)
        named = json.loads(body).get("orderID", [])
        ours = {named} if isinstance(named, str) else set(named)
        covered = [
            (key, held.quantity, self._protecting(key, held.quantity))
            for key, held in book.held()
            if book.foreign_s.get(key, 0.0) < sent_s - SETTLED_S
            and book.is_covered(key, held)
            and not self._ground.is_misled(key)
        ]

        def compare() -> None:
            for key, quantity, stops in covered:
                held = book.holding(key)
                self.checked += 1
                gone_otherwise = stops - self._protecting(key, quantity) - ours
                if held.quantity == quantity and not gone_otherwise and not book.is_covered(key, held):
                    self._broken(f"{body!r} leaves {key[1]} ({quantity}) without cover; {book.stops_text(key)}")

        return compare

    def _protecting(self, key: Key, quantity: int) -> set[str]:
        return {str(row["orderID"]) for row in self._book.of(key) if protects(row, quantity)}

    # ------------------------------------------------------------ what leaves

    def on_sent(self, facts: GuardFacts | None, sent: Sent, body: Mapping[str, object]) -> None:
        """Hold a write against what may leave at all, and against the policy."""
        if sent.verb == "GET":
            return
        self.checked += 1
        if facts is not None:
            self.check_leaving(self._policy_for(facts), sent, body)
            self._check_paused(facts, sent, body)
        if sent.path.endswith("/order/cancelAllAfter") or is_correction(sent.path, dict(body)):
            return
        if not sent.path.endswith("/order"):
            self._broken(f"{sent.verb} {sent.path}: no such request is ours to make: {body}")
        elif isinstance(many := body.get("orderID"), list):
            kinds = set() if facts is None else set(facts.latches.values())
            if facts is not None and not kinds:
                many = [order_id for order_id in many if not self._is_of_silent_bot(facts, str(order_id))]
            for text in latched_cancel_faults(self._book.orders, many, kinds, self._size_for(facts)):
                self._broken(text)
        else:
            self._check_order(facts, sent, body)

    def on_event(self, facts: GuardFacts, event: Event) -> None:
        """Remember when each guard changed its policy."""
        if isinstance(event, PolicyChanged):
            self._reloaded_s[facts.guard.name] = self._now_s

    def _policy_for(self, facts: GuardFacts) -> tuple[Policy, ...]:
        """Those that may have asked for what leaves: it was decided, and let pass, before it waited to be sent."""
        is_new = self._now_s - self._reloaded_s.get(facts.guard.name, -inf) < RACE_S
        return (facts.policy, *facts.guard.former_policies[-1:]) if is_new else (facts.policy,)

    def _size_for(self, facts: GuardFacts | None) -> Callable[[Key], int]:
        """The size that a cancel may have been decided on: what nobody has told the guard yet, was flat to it."""

        def size(key: Key) -> int:
            held = self._book.holding(key)
            told = [] if facts is None else [facts.told_sizes.get((source, key[1]), 0) for source in Source]
            is_news = self._now_s - held.opened_s < RACE_S and not any(told)
            return 0 if is_news else held.quantity

        return size

    def _check_paused(self, facts: GuardFacts, sent: Sent, body: Mapping[str, object]) -> None:
        """While a person has it paused, only what a person asked for leaves, and the disarming of the switch."""
        state = facts.guard.state
        pause = None if state is None else state.pause
        if pause is None or state is None or state.now_ns - pause.since_ns < JUST_PAUSED_NS:
            return
        is_disarm = sent.path.endswith("/order/cancelAllAfter") and str(body.get("timeout")) == "0"
        is_asked = bool({"operator", "operator-flatten"} & state.latches.keys() or pause.stops)
        if not is_disarm and (pause.kind is PauseKind.SHADOW or not is_asked):
            self._broken(f"a guard in {pause.kind.value} sends {sent.verb} {sent.path} {sent.body!r}")

    def check_leaving(self, policies: Sequence[Policy], sent: Sent, body: Mapping[str, object]) -> None:
        """What no rule is on for, under none of these policies, does not happen."""
        wrongs = [_unasked(policy, sent, body) for policy in policies]
        if all(wrongs):
            for each in wrongs[0]:
                self._broken(each)

    def _check_order(self, facts: GuardFacts | None, sent: Sent, body: Mapping[str, object]) -> None:
        match sent.verb:
            case "POST":
                self._check_placement(body)
            case "PUT":
                self._check_is_ours(body)
            case "DELETE":
                name = str(body["orderID"])
                if facts is None or not (self._is_clearing(facts, name) or self._is_of_silent_bot(facts, name)):
                    self._check_is_ours(body)
                self._check_cancel(str(body["orderID"]))
            case _:
                self._broken(f"{sent.verb} {sent.path}")

    def _check_placement(self, body: Mapping[str, object]) -> None:
        words = str(body.get("execInst", "")).split(",")
        is_restrained = "ReduceOnly" in words or "Close" in words
        is_stop = body.get("ordType") == "Stop" and "MarkPrice" in words
        is_take = body.get("ordType") == "Limit" and "ReduceOnly" in words
        if not is_restrained or not (is_stop or is_take or body.get("ordType") == "Market"):
            self._broken(f"an order that could add danger: {body}")
        if not str(body.get("clOrdID", "")).startswith(OURS):
            self._ground.broken("P4", f"an order without our id: {body}")

    def _check_is_ours(self, body: Mapping[str, object]) -> None:
        row = self._book.known.get(str(body.get("orderID")))
        if row is None or not is_ours(row) or "leavesQty" in body:
            self._broken(f"touches what is not ours ({row and row['clOrdID']!r}): {body}")

    def _is_of_silent_bot(self, facts: GuardFacts, order_id: str) -> bool:
        """Whether an order may add exposure, and people were told of a silence that takes it away."""
        row = self._book.known.get(order_id)
        return row is not None and adds_exposure(row) and facts.may_cancel_of_bot(str(row["clOrdID"]))

    def _is_clearing(self, facts: GuardFacts, order_id: str) -> bool:
        """The one exception: the switch is armed and was not fed for a while, and the order may add exposure.

        A blind guard cannot know that the time-out of some other client has ended the countdown before its own does,
        nor, when its clock has been set meanwhile, how much of it is over.
        """
        row, switch = self._book.known.get(order_id), facts.policy.switch
        if row is None or switch.mode is not SwitchMode.AUTO:
            return False
        unfed_s = float(switch.timeout_s) / 2 - 1
        idle_s = self._now_s - facts.counted_s
        if self._ground.exchange.next_timer_ms() is None and idle_s > 2 * (unfed_s + 1):
            return False
        return adds_exposure(row) and (idle_s >= unfed_s or facts.guard.clock.is_just_set(idle_s))

    def _check_cancel(self, order_id: str) -> None:
        row = self._book.orders.get(order_id)
        if row is None:
            return
        key = key_of(row)
        held = self._book.holding(key)
        quantity = held.quantity
        if not quantity or not protects(row, quantity) or self._now_s - held.since_s < SETTLED_S:
            return
        covers = self._book.covers
        if self._ground.is_misled(key):
            return
        if covers(key, quantity, None) and not covers(key, quantity, None, without=order_id):
            self._broken(f"the cancel of {row['clOrdID']} uncovers {key[1]} ({quantity})")


def body_of(sent: Sent) -> dict[str, object]:
    """Return what a request says; empty for a read."""
    if sent.verb == "GET" or not sent.body:
        return {}
    decoded: dict[str, object] = json.loads(sent.body)
    return decoded


def steps_of(policy: Policy) -> set[Step]:
    """Return every step that the ladder takes somewhere."""
    ladder = policy.ladder
    return {*ladder.watch, *ladder.warn, *ladder.critical, *ladder.emergency}


def _allows(policy: Policy, name: str) -> bool:
    account: AccountPolicy = policy.account
    match name:
        case "transferMargin":
            return policy.ladder.mode is RuleMode.ON and Step.ADD_MARGIN in steps_of(policy)
        case "leverage":
            return account.leverage_cap.mode is RuleMode.ON and account.leverage_cap.action is Action.CORRECT
        case _:
            return account.isolated_only.mode is RuleMode.ON and account.isolated_only.action is Action.CORRECT


def is_nearer(quantity: int, before: Decimal | None, after: Decimal | None) -> bool:
    """Return whether a liquidation price came nearer by more than a hundred-thousandth: the venue rounds."""
    if after is None or before == after:
        return False
    if before is None:
        return True
    slack = before / 100_000
    return after > before + slack if quantity > 0 else after < before - slack


def _unasked(policy: Policy, sent: Sent, body: Mapping[str, object]) -> list[str]:
    """What of a write this policy does not ask for."""
    found = []
    if policy.observe:
        found.append(f"an observing guard sends {sent.verb} {sent.path} {sent.body!r}")
    name = sent.path.rpartition("/")[2]
    if name in CORRECTIONS and not _allows(policy, name):
        found.append(f"{sent.path}, which no rule that is on asks for: {sent.body!r}")
    if name == "order" and body.get("ordType") == "Limit" and policy.take_profit.mode is not RuleMode.ON:
        found.append(f"a take-profit order while the rule is {policy.take_profit.mode.value}: {body}")
    return found
