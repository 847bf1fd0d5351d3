"""The figures of the guard as a whole: from a snapshot to samples, metric by metric. It only reads.

What is not known gives no sample. Where a series has one of several states, each state has a sample, 0 or 1.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from config.modes import RuleMode
from daemon.core.account_rules import RULES
from daemon.core.degraded import Degraded
from daemon.core.ledger import StreamFacts
from daemon.core.memory.orders import WriteKind
from daemon.core.mode import Mode
from daemon.core.state import Feed, GuardState, SwitchState
from daemon.shell.metrics import catalogue as c
from daemon.shell.metrics.catalogue import Metric
from daemon.shell.metrics.histogram import Reading
from daemon.shell.metrics.meter import Counts
from daemon.shell.metrics.snapshot import JournalFigures, Running, Snapshot
from daemon.shell.words import Outcome

WAITING: Final = "waiting_for_venue"
"""The mode before there is a core."""
_PICTURES: Final = "read_picture"
_ENDS: Final = ("delivered", "lost", "replaced")


class Sample(NamedTuple):
    """One value of one series, or one histogram."""

    metric: Metric
    labels: tuple[str, ...]
    value: float | Reading


def of_guard(snapshot: Snapshot) -> Iterator[Sample]:
    """Everything but what is told position by position."""
    python = platform.python_version()
    yield Sample(c.BUILD_INFO, (snapshot.version, python, snapshot.venue), 1)
    yield Sample(c.START_TIME, (), snapshot.started_ns / 1e9)
    running = snapshot.running
    mode = WAITING if running is None else running.state.mode.value
    for name in (WAITING, *(each.value for each in Mode)):
        yield Sample(c.MODE, (name,), name == mode)
    yield from _of_alerts(snapshot.alerts)
    for figure, result in (("reloads", "done"), ("refused", "refused")):
        if figure in snapshot.reloads:
            yield Sample(c.RELOADS, (result,), float(str(snapshot.reloads[figure])))
    if running is not None:
        for part in _PARTS:
            yield from part(running, snapshot.now_ns)
    if snapshot.counts is not None:
        yield from _of_counts(snapshot.counts)


# ---------------------------------------------------------------------- parts of an open guard


def _of_core(running: Running, now_ns: int) -> Iterator[Sample]:
    state = running.state
    if state.mode_since_ns:
        yield Sample(c.MODE_AGE, (), _age_s(state.mode_since_ns, now_ns))
    yield Sample(c.OBSERVING, (), state.policy.observe)
    if state.pause is not None:
        yield Sample(c.PAUSE_LEFT, (state.pause.kind.value,), max(0, state.pause.until_ns - now_ns) / 1e9)
    yield Sample(c.LATCHES, (), len(state.latches))
    held = {*state.degraded}
    for guarded in state.positions.values():
        if guarded.degraded:
            held.update(each.value for each in guarded.degraded)
    for each in Degraded:
        yield Sample(c.DEGRADED, (each.value,), each.value in held)
    yield Sample(c.IN_FLIGHT, (), len(state.pending))
    yield Sample(c.CLOCK_SKEW, (), state.health.clock_skew_ns / 1e9)
    yield Sample(c.LOOP_LAG_NOW, (), state.health.loop_lag_ns / 1e9)
    if state.pictures.taken_ns:
        yield Sample(c.PICTURE_AGE, (), _age_s(state.pictures.taken_ns, now_ns))


def _of_rules_and_bots(running: Running, now_ns: int) -> Iterator[Sample]:
    state = running.state
    standing = [each.rule for each in state.rules.values() if not each.ended_ns]
    for rule in RULES:
        if getattr(state.policy.account, rule.name).mode is not RuleMode.OFF:
            yield Sample(c.RULE_BROKEN, (rule.name,), standing.count(rule.name))
    for name in sorted(state.policy.bots):
        bot = state.bots.get(name)
        yield Sample(c.BOT_SILENT, (name,), bot is not None and bot.is_silent)
        if bot is not None and bot.heard_ns:
            yield Sample(c.BOT_AGE, (name,), _age_s(bot.heard_ns, now_ns))


def _of_feeds(running: Running, now_ns: int) -> Iterator[Sample]:
    health = running.state.health
    feeds: tuple[tuple[str, Feed, StreamFacts], ...] = (
        ("market", health.market, running.market),
        ("account", health.account, running.account),
    )
    for name, feed, facts in feeds:
        yield Sample(c.FEED_LIVE, (name,), running.live[name])
        yield Sample(c.UNREADABLE, (name,), feed.unreadable)
        for sign, at_ns in (("data", facts.data_ns), ("pong", facts.pong_ns)):
            if at_ns:
                yield Sample(c.FEED_AGE, (name, sign), _age_s(at_ns, now_ns))
        for topic, told_ns in facts.topics.items():
            yield Sample(c.TOPIC_AGE, (name, topic), _age_s(told_ns, now_ns))
    yield Sample(c.MARKS_RECEIVED, (), running.marks_received)
    yield Sample(c.MARKS_TOLD, (), running.marks_told)


def _of_requests(running: Running, now_ns: int) -> Iterator[Sample]:
    state = running.state
    kinds = [each.kind for each in state.unproved.values()]
    for kind in WriteKind:
        yield Sample(c.UNPROVED, (kind.value,), kinds.count(kind))
    if kinds:
        oldest_ns = min(each.first_ns for each in state.unproved.values())
        yield Sample(c.UNPROVED_AGE, (), _age_s(oldest_ns, now_ns))
    yield from _of_switch(state, now_ns)
    budget = state.ledger.budget
    if budget is not None:
        paused_s = max(0, budget.paused_until_ns - now_ns) / 1e9
        yield Sample(c.BUDGET_LEFT, (), budget.tokens)
        yield Sample(c.BUDGET_CAPACITY, (), budget.capacity)
        yield Sample(c.BUDGET_RESERVE, (), budget.reserve)
        yield Sample(c.BUDGET_PAUSED, (), paused_s)
        yield Sample(c.BUDGET_BANNED, (), budget.is_banned and paused_s > 0)


def _of_switch(state: GuardState, now_ns: int) -> Iterator[Sample]:
    for each in SwitchState:
        yield Sample(c.SWITCH_STATE, (each.value,), state.switch.state is each)
    if state.switch.state is SwitchState.ARMED and state.switch.expires_ns:
        yield Sample(c.SWITCH_COUNTDOWN, (), (state.switch.expires_ns - now_ns) / 1e9)


def _of_people(running: Running, _now_ns: int) -> Iterator[Sample]:
    book = running.state.people
    yield Sample(c.MESSAGES, (), book.messages)
    yield Sample(c.FACTS, (), len(book.facts))
    yield Sample(c.INHIBITED, (), book.inhibited)
    yield Sample(c.FACTS_DROPPED, (), book.dropped)
    yield Sample(c.SILENCES, (), len(book.silences))


def _of_journal(running: Running, _now_ns: int) -> Iterator[Sample]:
    journal: JournalFigures = running.journal
    yield Sample(c.JOURNAL_RECORDS, (), journal.records)
    yield Sample(c.JOURNAL_OK, (), journal.is_ok)
    yield Sample(c.JOURNAL_WAITING, (), journal.waiting)
    yield Sample(c.JOURNAL_LAG, (), journal.lag_s)


_Part = Callable[[Running, int], Iterable[Sample]]
_PARTS: Final[tuple[_Part, ...]] = (
    _of_core,
    _of_rules_and_bots,
    _of_feeds,
    _of_requests,
    _of_journal,
    _of_people,
)

# ---------------------------------------------------------------------- what was counted, and who was told


def _of_counts(counts: Counts) -> Iterator[Sample]:
    for event, count in counts.events.items():
        yield Sample(c.EVENTS, (event,), count)
    for (command, outcome), count in counts.requests.items():
        yield Sample(c.REQUESTS, (command, outcome.value), count)
    for outcome in Outcome:
        yield Sample(c.RECONCILIATIONS, (outcome.value,), counts.requests[_PICTURES, outcome])
    for errand, reading in counts.request_times.items():
        yield Sample(c.REQUEST_TIME, (errand.value,), reading)
    for trigger, reading in counts.tick_to_command.items():
        yield Sample(c.TICK_TO_COMMAND, (trigger.value,), reading)
    yield Sample(c.LOOP_LAG, (), counts.loop_lag)
    yield Sample(c.TO_PROTECTION, (), counts.to_protection)
    yield Sample(c.NAKED_TOTAL, (), counts.naked_s)


def _of_alerts(figures: Mapping[str, Any]) -> Iterator[Sample]:
    """Samples of the figures that the desk has for the status, which has no numbers for what is not set up."""
    if "raised" in figures:
        yield Sample(c.ALERTS, (), figures["raised"])
    for channel, each in sorted(figures.get("channels", {}).items()):
        yield Sample(c.ALERTS_WAITING, (channel,), each["waiting"])
        for end in _ENDS:
            yield Sample(c.DELIVERIES, (channel, end), each[end])
        yield Sample(c.ATTEMPTS_FAILED, (channel,), each["failed"])
        yield Sample(c.HANDED_OVER, (channel,), each["handed_over"])
    pings = figures.get("heartbeat")
    if pings is not None:
        for figure, result in (("successes", "success"), ("fails", "fail"), ("undelivered", "undelivered")):
            yield Sample(c.PINGS, (result,), pings[figure])


def _age_s(at_ns: int, now_ns: int) -> float:
    return max(0, now_ns - at_ns) / 1e9
