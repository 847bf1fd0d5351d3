"""Quiet hours: around announced events (a rate decision, a hard fork) no new exposure is wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from config.account_rules import QuietHoursPolicy, moments_ns
from daemon.core.account_rules.verdict import AccountView, Level, Rule, Verdict, plain

_MINUTE_NS: Final = 60 * 10**9


def judge(view: AccountView, policy: QuietHoursPolicy) -> tuple[Verdict, ...]:
    """Say whether an event is near. Both ends of its window belong to it."""
    before_ns, after_ns = int(policy.before_minutes * _MINUTE_NS), int(policy.after_minutes * _MINUTE_NS)
    for at_ns in moments_ns(policy.events_utc):
        if at_ns - before_ns <= view.now_ns <= at_ns + after_ns:
            return (_verdict(at_ns, at_ns + after_ns, policy),)
    return ()


RULE: Final = Rule(name="quiet_hours", judge=judge, is_sure=True)


def _verdict(at_ns: int, until_ns: int, policy: QuietHoursPolicy) -> Verdict:
    return Verdict(
        level=Level.OVER,
        text=f"quiet hours around the event at {_moment(at_ns)}, from {plain(policy.before_minutes)} minutes before to"
        f" {plain(policy.after_minutes)} minutes after, until {_moment(until_ns)}",
        advice="open nothing before that",
        facts=(("event", _moment(at_ns)), ("until", _moment(until_ns))),
    )


def _moment(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // 10**9, UTC):%Y-%m-%d %H:%M} UTC"
