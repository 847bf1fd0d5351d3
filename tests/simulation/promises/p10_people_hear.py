"""P10: people hear early, once for each cause, and again if nobody acts.

- Early: a position that has been near liquidation for `TELL_S`, by the exchange's own mark and liquidation price, has
  been told as that tier or a worse one.
- Once: a named state that lasts is told when it begins, not again until it has ended; a tier that flaps is not told
  over and over; and whatever the cause, no guard says more than `TALKATIVE` things in a minute.
- What people get is a message for each cause, not one for each fact: see `messages.py`.
- Again: a tier from WARN on that lasts is said again, no sooner than the setting says, and not much later.

Units: seconds of virtual time, rooms in percent of the mark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf
from typing import Final

from config.policy import Tier, TierPolicy
from daemon.core.commands import Command, Notify, RaiseAlert
from daemon.core.events import Event, OperatorAsked, Started
from daemon.core.reasons import Reason
from tests.simulation.promises.book import Holding, Key
from tests.simulation.promises.ground import WHOLE_AGAIN_S, Ground, GuardFacts, Promise
from tests.simulation.promises.messages import Messages

TALKATIVE: Final = 120
"""More alerts than this from one guard within a minute are a flood."""
FLAPPING: Final = 8
"""A tier of one symbol told more often than this within a minute flaps: hysteresis is there to prevent that. A position
that is opened, closed and opened again may be told each time."""
TELL_S: Final = 6.0
"""The mark is compared with its band at every frame; a liquidation price that only prices move is told every few
seconds."""
TURNED_S: Final = 12.0
"""A position that is turned round again and again is told anew after fifteen seconds."""
CLEARLY: Final = Decimal("0.95")
"""The exchange's figures and the guard's may round apart; what is clearly inside a bound is inside for both."""
REPEAT_SLACK_S: Final = 15.0
RANKS: Final = {tier.value: tier.severity for tier in Tier}


@dataclass(slots=True)
class _Heard:
    """What one guard has told."""

    minute: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    """Within this minute."""
    lasting: set[tuple[str, str]] = field(default_factory=set)
    """Degraded states that began and did not end."""
    tiers: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By symbol: the worst tier told since the last CALM, and when a tier was last told."""


class PeopleHear(Promise):
    """Listens to what people are told."""

    name = "P10"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._heard: dict[str, _Heard] = {}
        self._messages: dict[str, Messages] = {}
        self._near_s: dict[tuple[str, str], tuple[int, float]] = {}
        """By guard and symbol: the tier that the exchange's figures say, and since when."""

    def _of(self, facts: GuardFacts) -> _Heard:
        return self._heard.setdefault(facts.guard.name, _Heard())

    # ------------------------------------------------------------ what is told

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """Take what is told."""
        for command in commands:
            if isinstance(command, Notify):
                self._note(facts, self._messages_of(facts).told(facts, command, self._now_s))
            if isinstance(command, RaiseAlert):
                self.checked += 1
                self._messages_of(facts).raised(command, self._now_s)
                self._count(facts, command)
                if command.topic == "degraded":
                    self._take_degraded(facts, command)
                elif command.topic == "tier":
                    self._take_tier(facts, command)

    def _messages_of(self, facts: GuardFacts) -> Messages:
        return self._messages.setdefault(facts.guard.name, Messages())

    def _note(self, facts: GuardFacts, wrong: str) -> None:
        self.checked += 1
        if wrong:
            self._broken(f"{facts.guard.name}: {wrong}")

    def _count(self, facts: GuardFacts, alert: RaiseAlert) -> None:
        heard, minute = self._of(facts), int(self._now_s // 60)
        if minute != heard.minute:
            heard.minute, heard.alerts = minute, Counter()
        name = f"{alert.topic} {alert.state} {alert.symbol}"
        heard.alerts[name] += 1
        total, counts = heard.alerts.total(), self._ground.counts
        counts["most alerts a minute"] = max(counts["most alerts a minute"], total)
        if total == TALKATIVE:
            self._broken(f"{facts.guard.name} says {TALKATIVE} things in a minute: {heard.alerts.most_common(4)}")
        if alert.topic == "tier" and heard.alerts[name] == FLAPPING:
            self._broken(f"{facts.guard.name} says {name!r} {FLAPPING} times in a minute")

    def _take_degraded(self, facts: GuardFacts, alert: RaiseAlert) -> None:
        heard, name = self._of(facts), (alert.state, alert.symbol)
        if dict(alert.facts).get("phase") == "ended":
            heard.lasting.discard(name)
        elif name in heard.lasting:
            self._broken(f"{facts.guard.name} says a second time that {' '.join(name)} has begun")
        else:
            heard.lasting.add(name)

    def _take_tier(self, facts: GuardFacts, alert: RaiseAlert) -> None:
        heard, rank = self._of(facts), RANKS[alert.state]
        worst, told_s = heard.tiers.get(alert.symbol, (0, -inf))
        if alert.reason is Reason.TIER_REPEATED:
            self._check_repeat(facts, alert, told_s)
        heard.tiers[alert.symbol] = (rank if rank == 0 else max(worst, rank), self._now_s)

    def _check_repeat(self, facts: GuardFacts, alert: RaiseAlert, told_s: float) -> None:
        least_s = float(facts.policy.tiers.repeat_after_s)
        if self._now_s - told_s < least_s - 1 and not facts.guard.clock.is_just_set(least_s):
            self._broken(
                f"{alert.state} of {alert.symbol} is repeated after {self._now_s - told_s:.1f} s of {least_s:.0f}"
            )

    def on_event(self, facts: GuardFacts, event: Event) -> None:
        """What a new process has forgotten it may say again, and has to; what it remembers it has told."""
        if isinstance(event, OperatorAsked):
            self._messages_of(facts).asked(event.request, self._now_s)
        if not isinstance(event, Started):
            return
        heard, state = self._of(facts), facts.guard.state
        heard.lasting &= facts.active
        self._messages_of(facts).restarted(facts)
        positions = {} if state is None else state.positions
        for symbol in list(heard.tiers):
            if symbol not in positions or positions[symbol].tier is Tier.CALM:
                del heard.tiers[symbol]

    # ------------------------------------------------------------ what ought to have been told

    def on_second(self, *, is_strict: bool) -> None:
        """Hold what was told against the exchange's own figures."""
        for facts in self._ground.guards.values():
            self._note(facts, self._messages_of(facts).late(facts, self._now_s))
            for key, held in self._book.held():
                if key[0] == facts.guard.account:
                    self._judge(facts, key, held)

    def _judge(self, facts: GuardFacts, key: Key, held: Holding) -> None:
        name = (facts.guard.name, key[1])
        rank = tier_rank(facts.policy.tiers, held)
        # An unreadable table is asked for again after half a minute at most: people know meanwhile that it cannot see.
        is_blind = facts.free_s < WHOLE_AGAIN_S or self._ground.calm_s < 0 or facts.says("table_doubted")
        if not rank or is_blind or key[1] in self._firing(key):
            self._near_s.pop(name, None)
            return
        known, since_s = self._near_s.get(name, (0, self._now_s))
        if known == 0 or rank < known:
            self._near_s[name] = (rank, self._now_s if known == 0 else since_s)
        since_s = max(self._near_s[name][1], self._ground.quiet_since_s, held.since_s, held.episode_s + TURNED_S)
        self.checked += 1
        worst, _ = self._of(facts).tiers.get(key[1], (0, -inf))
        if worst < self._near_s[name][0] and self._now_s - since_s > TELL_S:
            self._near_s.pop(name)
            self._broken(
                f"{key[1]} ({held.quantity}, mark {held.mark}, liquidation {held.liquidation}) was never told as near"
                f" as it is ({rank}, told {worst}) by {facts.guard.name}"
            )

    def _firing(self, key: Key) -> set[str]:
        """Symbols of which a stop has fired and not filled: nothing is judged until it has."""
        return {str(row["symbol"]) for row in self._book.of(key) if row["triggered"]}


def tier_rank(policy: TierPolicy, held: Holding) -> int:
    """Return how near liquidation a position clearly is, by percent alone; 0 for calm."""
    if not held.can_be_liquidated or held.mark is None or held.liquidation is None:
        return 0
    sign = 1 if held.quantity > 0 else -1
    room = sign * (held.mark - held.liquidation) / held.mark * 100
    bounds = (policy.watch_percent, policy.warn_percent, policy.critical_percent, policy.emergency_percent)
    return sum(room < bound * CLEARLY for bound in bounds)
