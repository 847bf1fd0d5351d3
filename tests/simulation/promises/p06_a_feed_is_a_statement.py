"""P6 and the modes of the dead man's switch: fed while the guard can see and act, and only then.

Judged by what reached the guard (frames, ticks), by the clock of its machine, and by the one timer at the exchange.

- A feed is decided on: the streams are live, market data came lately, loop and clock are in order, nothing is refused.
- A feed leaves: it asks for the time-out of the settings; in `off` and while observing nothing is ever written; in
  `auto` an order that may add exposure is open, or was a moment ago.
- A second passes in calm: with such an order open (or in `always`) it is fed in time; without one, `auto`
  leaves it off, unless somebody else armed it, which nobody can read.

Units: seconds of virtual time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Final

from config.policy import SwitchMode
from connectors.ports import Feed
from connectors.simulated.engine.changes import Change
from daemon.core.commands import Command, FeedSwitch
from tests.simulation.promises.book import adds_exposure, key_of
from tests.simulation.promises.ground import WHOLE_AGAIN_S, Ground, GuardFacts, Promise
from tests.simulation.requests import Sent

CLOCK_KNOWN_S: Final = 80.0
"""The venue's clock is read once a minute, again ten seconds after a failure, and the answer takes its time."""
DATA_LATE_S: Final = 3.0
"""Beyond the setting for a stale feed: the tick that notices comes once a second, a slow line has four seconds."""
JUST_GONE_S: Final = 15.0
"""An order that is gone is known to be gone after this: a stream that has to be renewed takes so long."""
STOOD_S: Final = 5.0
"""An order that stood for so long in calm is known to every guard, and what follows from it has been done."""
FEED_SLACK_S: Final = 5.0
"""A feed may be so late: its request is tried again after a second, and answers take up to three."""
SWITCH_VERB: Final = "cancelAllAfter"
SWITCH_PATH: Final = f"/order/{SWITCH_VERB}"


class FeedIsStatement(Promise):
    """Watches the switch from both ends."""

    name = "P6"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._adding_since_s: dict[int, float] = {}
        self._none_since_s: dict[int, float] = {}

    # ------------------------------------------------------------ what stands at the exchange

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Follow whether anything is open that may add exposure."""
        rows = [change.row for change in changes if change.table == "order" and adds_exposure(change.row)]
        if not rows:
            return
        self._count_adding()
        for account in {key_of(row)[0] for row in rows} & self._none_since_s.keys():
            self._none_since_s[account] = self._now_s  # it may have come and gone in the same moment

    def _count_adding(self) -> None:
        adding = {key_of(row)[0] for row in self._book.orders.values() if adds_exposure(row)}
        for account in self._ground.exchange.accounts():
            if account in adding:
                self._adding_since_s.setdefault(account, self._now_s)
                self._none_since_s.pop(account, None)
            else:
                self._none_since_s.setdefault(account, self._now_s)
                self._adding_since_s.pop(account, None)

    # ------------------------------------------------------------ a feed is decided on

    def on_commands(self, facts: GuardFacts, commands: Sequence[Command]) -> None:
        """Whoever decides to feed says that it can see and act."""
        for command in commands:
            if isinstance(command, FeedSwitch):
                self.checked += 1
                self._check_streams(facts)
                self._check_machine(facts)
                if facts.missing():
                    self._broken(f"the switch is fed while {sorted(facts.missing())} must be alive and is silent")
                if facts.says("misconfigured"):
                    self._broken("the switch is fed while the venue refuses the guard's requests")

    def _check_streams(self, facts: GuardFacts) -> None:
        inbox, limits = facts.guard.inbox, facts.policy.health
        if inbox is None:
            return
        stale_s = float(limits.stale_after_s)
        for feed in Feed:
            is_old = inbox.age_ns(feed) > (stale_s + 1) * 1e9 and not facts.guard.clock.is_just_set(20.0)
            if not inbox.is_live(feed) or is_old:
                self._broken(f"the switch is fed while the {feed.value} feed is not fresh")
        silent_s = self._now_s - facts.heard_s.get("instrument", inf)
        if silent_s > stale_s + DATA_LATE_S:
            self._broken(f"the switch is fed although no price has come for {silent_s:.1f} s")

    def _check_machine(self, facts: GuardFacts) -> None:
        limits, health, clock = facts.policy.health, facts.health, facts.guard.clock
        most_ns = float(limits.max_clock_skew_s) * 1e9
        if health is None or abs(health.clock_skew_ns) > most_ns:
            self._broken("the switch is fed with a clock that is off, or before anything is known of it")
        elif health.loop_lag_ns > float(limits.max_loop_lag_s) * 1e9:
            self._broken("the switch is fed while the loop is stalled")
        alive_s = self._now_s - facts.started_s
        is_known = not clock.is_just_set(CLOCK_KNOWN_S) and alive_s > CLOCK_KNOWN_S
        if is_known and abs(clock.offset_ns) > most_ns + 1e9:
            self._broken(
                f"the switch is fed {CLOCK_KNOWN_S:.0f} s after the clock was set {clock.offset_ns / 1e9:+.1f} s off"
            )

    # ------------------------------------------------------------ a feed leaves

    def on_sent(self, facts: GuardFacts | None, sent: Sent, body: Mapping[str, object]) -> None:
        """A write to the switch over REST."""
        if facts is not None and sent.path.endswith(SWITCH_PATH):
            self._check_written(facts, int(str(body.get("timeout", -1))))

    def on_spoken(self, facts: GuardFacts, text: str) -> None:
        """A write to the switch over the stream."""
        if SWITCH_VERB in text:
            self._check_written(facts, int(str(json.loads(text)["args"])))

    def _check_written(self, facts: GuardFacts, timeout_ms: int) -> None:
        policy = facts.policy
        self.checked += 1
        if policy.observe or policy.switch.mode is SwitchMode.OFF:
            self._broken(f"{facts.guard.name} writes the switch in mode {policy.switch.mode.value}")
        if timeout_ms not in {0, int(policy.switch.timeout_s * 1000)}:
            self._broken(f"the switch is fed with {timeout_ms} ms, where {policy.switch.timeout_s} s are set")
        gone_s = self._now_s - self._none_since_s.get(facts.guard.account, self._now_s)
        is_needless = policy.switch.mode is SwitchMode.AUTO and gone_s > JUST_GONE_S and facts.free_s > JUST_GONE_S
        if timeout_ms and is_needless:
            self._broken(f"the switch is armed although nothing that may add exposure was open for {gone_s:.0f} s")

    def on_arrival(self, path: str, body: bytes) -> Callable[[], None] | None:
        """Remember what the guards' own writes made of the timer."""
        return self.note_timer if path.endswith(SWITCH_PATH) else None

    def note_timer(self) -> None:
        """A write of a guard was carried out."""
        for account in self._ground.exchange.accounts():
            self._ground.set_by_guard[account] = self._timer(account)

    def _timer(self, account: int) -> int | None:
        return self._ground.exchange.world.accounts[account].cancel_at_ms

    # ------------------------------------------------------------ a second passes

    def on_second(self, *, is_strict: bool) -> None:
        """In calm the timer is what the mode says."""
        self._count_adding()
        for account in self._ground.exchange.accounts():
            self._judge_timer(account)

    def _judge_timer(self, account: int) -> None:
        ground = self._ground
        guards = [facts for facts in ground.guards_of(account) if facts.free_s > WHOLE_AGAIN_S]
        if ground.calm_s < WHOLE_AGAIN_S or not guards or guards[0].policy.observe:
            return
        policy = guards[0].policy.switch
        if policy.mode is SwitchMode.OFF or any(facts.active for facts in guards):
            return
        timer = self._timer(account)
        stood_s = self._now_s - self._adding_since_s.get(account, self._now_s)
        gone_s = self._now_s - self._none_since_s.get(account, self._now_s)
        if policy.mode is SwitchMode.ALWAYS or stood_s > STOOD_S:
            self.checked += 1
            unfed_s = self._now_s - max(facts.fed_s for facts in guards)
            if unfed_s > float(policy.interval_s) + FEED_SLACK_S:
                self._broken(f"all is well, and the switch was not fed for {unfed_s:.1f} s of {policy.timeout_s}")
        elif gone_s > JUST_GONE_S:
            self.checked += 1
            if timer is not None and timer == ground.set_by_guard.get(account):
                self._broken(
                    f"the switch is left armed although nothing that may add exposure was open for {gone_s:.0f} s"
                )
