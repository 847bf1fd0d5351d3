"""The last part of a step: what was raised in it is taken into the book, and what is due is told.

Why last: a thousand positions that one event brings near liquidation are one message, and a message tells what the step
did. While nothing was raised and nothing is due it costs one comparison and a look at the step's commands.
"""

from __future__ import annotations

from dataclasses import replace

from config.alerting import BY_RANK
from daemon.core.altered import altered
from daemon.core.commands import Exit, Notify, RaiseAlert
from daemon.core.draft import Draft
from daemon.core.memory.alert_book import MOST_SYMBOLS, Group, Pages
from daemon.core.mode import Mode
from daemon.core.people import gathering, telling
from daemon.core.people.notice import most_exposed, notice_of, symbols_of
from daemon.core.people.telling import Cause, Telling


def settle(draft: Draft) -> None:
    """Take in what was raised in this step, and tell what is due."""
    raised = [command for command in draft.commands if type(command) is RaiseAlert] if draft.commands else []
    is_last = draft.mode is Mode.STOPPED
    due_ns = draft.people.due_ns
    if not raised and not (due_ns and (is_last or draft.now_ns >= due_ns)):
        return
    pages = Pages(draft.people)
    for alert in raised:
        gathering.take(pages, draft.policy.alerting, alert, draft.now_ns)
    _forget_silences(pages, draft.now_ns)
    pages.inhibited = 0
    for key, group in list(pages.groups.items()):
        if is_last or draft.now_ns >= group.due_ns:
            _look(draft, pages, key, is_last=is_last)
    draft.people = pages.closed()


def _forget_silences(pages: Pages, now_ns: int) -> None:
    for name, silence in list(pages.silences.items()):
        if now_ns >= silence.until_ns:
            del pages.silences[name]


def _look(draft: Draft, pages: Pages, key: str, *, is_last: bool) -> None:
    told = telling.look(draft, pages, pages.groups[key], is_last=is_last)
    if told is not None:
        _tell(draft, pages, told)
    if key not in pages.groups:
        return
    if not any(fact.group == key for fact in pages.facts.values()):
        del pages.groups[key]
        return
    group = pages.groups[key]
    pages.groups[key] = altered(group, due_ns=_due_ns(draft, pages, group))


def _due_ns(draft: Draft, pages: Pages, group: Group) -> int:
    """When to look again: as soon as news is gathered, and every few seconds anyhow."""
    look_ns = draft.now_ns + telling.LOOK_NS
    policy = draft.policy.alerting
    fresh = [
        gathering.news_due_ns(policy, group, BY_RANK[fact.rank], fact.since_ns)
        for fact in pages.facts.values()
        if fact.group == group.key and fact.rank > fact.told_rank
    ]
    return min([look_ns, *(due_ns for due_ns in fresh if due_ns > draft.now_ns)])


def _tell(draft: Draft, pages: Pages, told: Telling) -> None:
    group = told.group
    if told.cause is Cause.RESOLVED:
        pages.messages += 1
        _say(draft, notice_of(draft, told, pages.messages))
        del pages.groups[group.key]
        return
    if told.cause is Cause.ESCALATION:
        group = altered(group, escalation=group.escalation + 1, escalated_ns=draft.now_ns)
    pages.messages += 1
    notice = notice_of(draft, _with_group(told, group), pages.messages)
    _say(draft, notice)
    for name, fact in told.facts:
        if fact.told_rank < fact.rank:
            pages.facts[name] = altered(fact, told_rank=fact.rank)
    heard = tuple(dict.fromkeys((*group.heard, notice.route)))
    pages.groups[group.key] = altered(_after(draft, told, group), heard=heard)


def _say(draft: Draft, notice: Notify) -> None:
    """Hand a message over; the end of the process stays the last thing that is asked for."""
    at = len(draft.commands) - (bool(draft.commands) and isinstance(draft.commands[-1], Exit))
    draft.commands.insert(at, notice)


def _with_group(told: Telling, group: Group) -> Telling:
    return replace(told, group=group)


def _after(draft: Draft, told: Telling, group: Group) -> Group:
    """What the group remembers of the message. News ends an acknowledgement, and its escalation begins anew."""
    is_worse = told.cause is Cause.NEWS and bool(group.acknowledged_ns)
    symbols = symbols_of(fact for _, fact in most_exposed(draft, told))
    unheard_ns = draft.now_ns if is_worse or not group.unheard_ns else group.unheard_ns
    return altered(
        group,
        told_ns=draft.now_ns,
        told_rank=told.rank,
        told_count=len(told.facts),
        told_symbols=symbols[:MOST_SYMBOLS],
        told_others=max(0, len(symbols) - 1),
        messages=group.messages + 1,
        has_stood=group.has_stood or any(not fact.is_event for _, fact in told.facts),
        unheard_ns=unheard_ns,
        escalation=0 if is_worse else group.escalation,
        escalated_ns=0 if is_worse else group.escalated_ns,
        acknowledged_by="" if is_worse else group.acknowledged_by,
        acknowledged_ns=0 if is_worse else group.acknowledged_ns,
        comment="" if is_worse else group.comment,
        dropped=0,
    )
