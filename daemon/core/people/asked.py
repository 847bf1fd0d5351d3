"""What people do with what they were told: acknowledge, silence, end a silence.

An acknowledgement is for what stands at that moment, as bad as it is then; anything new or worse ends it. A silence
names what it is about, for how long and why; it never holds an emergency.
"""

from __future__ import annotations

from typing import Final, assert_never

from daemon.core.altered import altered
from daemon.core.draft import Draft
from daemon.core.memory.alert_book import MOST_SILENCES, Pages, Silence
from daemon.core.operator_requests import AcknowledgeAsked, SilenceAsked, UnsilenceAsked
from daemon.core.state import GuardState

SHORTEST_S: Final = 60
LONGEST_S: Final = 7 * 86_400
LONGEST_WORDS: Final = 500
_NS: Final = 10**9

PeopleRequest = AcknowledgeAsked | SilenceAsked | UnsilenceAsked


def acknowledge_refusal(state: GuardState, key: str, comment: str) -> str:
    """Why nothing can be acknowledged; empty if it can."""
    if len(comment) > LONGEST_WORDS:
        return f"a comment has at most {LONGEST_WORDS} characters"
    known = sorted(state.people.groups)
    if not known:
        return "nothing stands that could be acknowledged"
    if key and key not in state.people.groups:
        return f"no alert is called {key}; there are {', '.join(known)}"
    return ""


def silence_refusal(state: GuardState, length_s: int, comment: str, patterns: tuple[str, ...]) -> str:
    """Why a silence cannot be set; empty if it can."""
    if not SHORTEST_S <= length_s <= LONGEST_S:
        return f"a silence lasts from {SHORTEST_S} s to {LONGEST_S} s"
    if not comment.strip():
        return "say why, for whoever comes next: a silence has a comment"
    if any(len(text) > LONGEST_WORDS for text in (comment, *patterns)):
        return f"comment and patterns have at most {LONGEST_WORDS} characters each"
    if len(state.people.silences) >= MOST_SILENCES:
        return f"there are {MOST_SILENCES} silences already; end one first"
    return ""


def unsilence_refusal(state: GuardState, name: str) -> str:
    """Why a silence cannot be ended; empty if it can."""
    known = sorted(state.people.silences)
    if not known:
        return "nothing is silenced"
    return "" if not name or name in known else f"no silence is called {name}; there are {', '.join(known)}"


def acknowledge(draft: Draft, key: str, who: str, comment: str) -> None:
    """Take on what stands in one group, or in all."""
    pages = Pages(draft.people)
    for each in [key] if key else list(pages.groups):
        group = pages.groups.get(each)
        if group is not None:
            pages.groups[each] = altered(
                group,
                acknowledged_by=who,
                acknowledged_ns=draft.now_ns,
                comment=comment,
                unheard_ns=0,
                escalation=0,
                escalated_ns=0,
            )
    for name, fact in pages.facts.items():
        if not key or fact.group == key:
            pages.facts[name] = altered(fact, acknowledged_rank=fact.level.rank, acknowledged_ns=draft.now_ns)
    draft.people = pages.closed()


def silence(draft: Draft, silence_for_s: int, comment: str, who: str, patterns: tuple[str, str, str]) -> None:
    """Set a silence; `patterns` are those of topic, state and symbol."""
    pages = Pages(draft.people)
    if len(pages.silences) >= MOST_SILENCES:
        return
    topic, state, symbol = patterns
    name = f"s{pages.next_silence}"
    pages.next_silence += 1
    pages.silences[name] = Silence(
        name=name,
        topic=topic,
        state=state,
        symbol=symbol,
        since_ns=draft.now_ns,
        until_ns=draft.now_ns + silence_for_s * _NS,
        comment=comment,
        who=who,
    )
    draft.people = pages.closed()


def unsilence(draft: Draft, name: str) -> None:
    """End one silence, or all."""
    pages = Pages(draft.people)
    for each in [name] if name else list(pages.silences):
        pages.silences.pop(each, None)
    draft.people = pages.closed()


def refusal(state: GuardState, request: PeopleRequest) -> str:
    """Why a request cannot be carried out; empty if it can."""
    match request:
        case AcknowledgeAsked(key=key, comment=comment):
            return acknowledge_refusal(state, key, comment)
        case SilenceAsked(seconds=length_s, comment=comment):
            return silence_refusal(state, length_s, comment, _patterns(request))
        case UnsilenceAsked(name=name):
            return unsilence_refusal(state, name)
        case _:
            assert_never(request)


def carry_out(draft: Draft, request: PeopleRequest, who: str) -> None:
    """Do what was asked for."""
    match request:
        case AcknowledgeAsked(key=key, comment=comment):
            acknowledge(draft, key, who, comment)
        case SilenceAsked(seconds=length_s, comment=comment):
            silence(draft, length_s, comment, who, _patterns(request))
        case UnsilenceAsked(name=name):
            unsilence(draft, name)
        case _:
            assert_never(request)


def outcome(state: GuardState, request: PeopleRequest) -> str:
    """What holds after it, in one sentence."""
    match request:
        case AcknowledgeAsked(key=key):
            what = key or ", ".join(sorted(state.people.groups)) or "nothing"
            return f"acknowledged: {what}; it is not repeated until something gets worse"
        case SilenceAsked(seconds=length_s):
            name = next(reversed(state.people.silences), "")
            return f"silence {name} holds for {length_s} s: emergencies are told all the same"
        case UnsilenceAsked():
            rest = ", ".join(state.people.silences)
            return f"still silenced: {rest}" if rest else "nothing is silenced"
        case _:
            assert_never(request)


def _patterns(request: SilenceAsked) -> tuple[str, str, str]:
    return request.topic, request.state, request.symbol
