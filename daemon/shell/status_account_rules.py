"""What the status says of the account rules: which are broken, since when, and which cannot judge and why.

It only reads. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from config.modes import RuleMode
from daemon.core.account_rules import RULES
from daemon.core.judging.unjudged import EVERY_RULE
from daemon.core.state import GuardState


def describe_account_rules(state: GuardState) -> list[dict[str, object]]:
    """Return every rule that is not off, in the order of the settings."""
    return [_rule(state, each.name) for each in RULES if _policy(state, each.name).mode is not RuleMode.OFF]


def _policy(state: GuardState, name: str) -> Any:  # noqa: ANN401 - one type per rule
    return getattr(state.policy.account, name)


def _rule(state: GuardState, name: str) -> dict[str, object]:
    policy = _policy(state, name)
    standing = [
        {
            "subject": each.subject or "account",
            "since": _moment(each.since_ns),
            "text": each.text,
            "latch": each.latch or None,
            "is_lifted": each.is_waived,
        }
        for each in state.rules.values()
        if each.rule == name and not each.ended_ns
    ]
    return {
        "rule": name,
        "mode": policy.mode.value,
        "action": policy.action.value,
        "broken": standing,
        "cannot_judge": state.unjudged.get(name) or state.unjudged.get(EVERY_RULE),
    }


def account_rule_lines(rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The same for people: a line for each breach and each rule that cannot judge; all of them at once are one line."""
    for rule in rules:
        shadow = " (shadow)" if rule["mode"] == RuleMode.SHADOW.value else ""
        for each in rule["broken"]:
            held = f"; latch {each['latch']}" if each["latch"] else ""
            yield f"rule {rule['rule']}{shadow} since {each['since']}: {each['text']}{held}"
    missing = {rule["rule"]: rule["cannot_judge"] for rule in rules if rule["cannot_judge"]}
    if len(missing) > 1 and len(missing) == len(rules) and len(set(missing.values())) == 1:
        yield f"rules cannot judge: {next(iter(missing.values()))}"
        return
    for name, why in missing.items():
        yield f"rule {name} cannot judge: {why}"


def _moment(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="seconds")
