"""What a message says beside what happened: what the guard did, what it will do next, and what a person can do.

Sentences come from a table (`advice.py`), figures from the state: how many stops rest, which latches hold, how long a
pause or a countdown still lasts. Nothing is said that the state does not bear out at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from config.alerting import Level
from config.policy import SwitchMode
from daemon.core.draft import Draft
from daemon.core.memory.alert_book import Fact
from daemon.core.memory.interventions import Latch, LatchKind
from daemon.core.mode import Mode
from daemon.core.people.advice import AFTER_LIQUIDATION, NOTHING, advice_of
from daemon.core.people.spans import span
from daemon.core.restraint import quiet
from daemon.core.state import SwitchState

TITLES: Final = {
    "distance": "near liquidation",
    "cover": "stops in doubt",
    "sight": "the guard cannot see",
    "means": "the guard cannot act as it should",
    "switch": "dead man's switch",
    "latch": "frozen or being closed",
    "rule": "account rule broken",
    "bot": "bot silent",
    "operator": "an operator's doing",
    "position": "position changed",
    "notes": "notes",
}
_DEEDS: Final = {
    "operator": "What was asked was taken on, and stands in the journal with the name of who asked.",
    "notes": "What the text says; nothing else was needed.",
}
MOST_SAID: Final = 2
"""So many pieces of advice at most, of the worst that stands."""


def title(
    group: str, level: Level, count: int, symbol: str, others: int, *, is_resolved: bool, is_past: bool = False
) -> str:
    """One line, the loudest word first.

    Args:
        group: Which.
        level: The worst of what is told.
        count: Of the facts.
        symbol: The most exposed that they are about; empty: none.
        others: How many more symbols they are about.
        is_resolved: The group is over.
        is_past: All that is told now was over before anybody heard of it.

    Example:
        >>> title("distance", Level.CRITICAL, 12, "XBTUSD", 1, is_resolved=False)
        'CRITICAL: near liquidation, XBTUSD and 1 more'
        >>> title("sight", Level.WARN, 3, "", 0, is_resolved=False, is_past=True)
        'WARN, over by now: the guard cannot see, 3 facts'
        >>> title("distance", Level.CRITICAL, 1, "XBTUSD", 0, is_resolved=True)
        'OVER: near liquidation, XBTUSD'
    """
    word = "OVER" if is_resolved else level.value.upper() + (", over by now" if is_past else "")
    more = f" and {others} more" if others else ""
    where = f", {symbol}{more}" if symbol else (f", {count} facts" if count > 1 else "")
    return f"{word}: {TITLES.get(group, group)}{where}"


def counted(count: int, what: str) -> str:
    """A count with its noun.

    Example:
        >>> [counted(number, "order") for number in (0, 1, 2)]
        ['0 orders', '1 order', '2 orders']
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def did(draft: Draft, group: str, facts: Sequence[Fact], symbols: Sequence[str]) -> str:
    """What the guard has done about it, with figures."""
    if quiet.is_quiet(draft):
        own = "" if quiet.sends_nothing(draft) else " of its own"
        return f"Nothing{own} is sent: {quiet.words(draft)}; {_cover(draft, list(draft.positions))}."
    match group:
        case "distance" | "cover" | "position" if symbols:
            return _of_positions(draft, symbols)
        case "latch":
            held = list(draft.latches.values())
            return _latches(held) if held else "No latch holds any more."
        case "rule":
            return _latches(_latches_for(draft, facts))
        case "operator" | "notes":
            return _DEEDS[group]
        case _:
            cancels = (
                f"; {counted(len(draft.cancels), 'cancel')} of orders of others asked for" if draft.cancels else ""
            )
            return _sentence(f"{_cover(draft, list(draft.positions))}{cancels}")


def _of_positions(draft: Draft, symbols: Sequence[str]) -> str:
    reductions = sum(draft.positions[symbol].reductions for symbol in symbols if symbol in draft.positions)
    reduced = f"; {counted(reductions, 'market reduction')} sent" if reductions else ""
    is_any_open = any(draft.positions[symbol].position.quantity for symbol in symbols if symbol in draft.positions)
    return _sentence(
        f"{_cover(draft, symbols) if is_any_open else 'none of these positions is open any more'}{reduced}"
    )


def _cover(draft: Draft, symbols: Sequence[str]) -> str:
    known = [draft.positions[symbol] for symbol in symbols if symbol in draft.positions]
    held = [each for each in known if each.position.quantity]
    covered = sum(bool(each.covered_ns) for each in held)
    match len(held), covered:
        case 0, _:
            return "no position is open"
        case 1, 1:
            return "the open position has a confirmed resting stop"
        case 1, _:
            return "the open position has no confirmed resting stop"
        case several, _:
            return f"{covered} of {several} open positions have a confirmed resting stop"


def _latches(held: Sequence[Latch]) -> str:
    if not held:
        return "No latch holds for it."
    names = ", ".join(latch.name for latch in held)
    cancelled = counted(sum(latch.cancelled for latch in held), "order")
    return f"Latched: {names}; {cancelled} of others cancelled for it."


def _latches_for(draft: Draft, facts: Sequence[Fact]) -> list[Latch]:
    rules = {fact.state for fact in facts}
    return [latch for latch in draft.latches.values() if latch.name.partition(":")[0] in rules]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def will(draft: Draft, group: str, facts: Sequence[Fact], *, is_over: bool = False) -> str:
    """What the guard does next."""
    if draft.pause is not None:
        own = "" if quiet.sends_nothing(draft) else " of its own"
        return f"It sends nothing{own} for {span(draft.pause.until_ns - draft.now_ns)} more."
    if quiet.is_quiet(draft):
        return "It watches, and tells."
    if is_over or group in {"notes", "operator"}:
        return _guards_on(draft)
    match group:
        case "latch":
            return _latches_will(list(draft.latches.values()))
        case "switch":
            return _switch_will(draft)
        case _:
            now = [advice_of(group, fact.state).will for fact in facts if not fact.over_ns]
            return " ".join(_said(now)) or _guards_on(draft)


def _guards_on(draft: Draft) -> str:
    match draft.mode:
        case Mode.BLIND:
            return "It is blind, and reconnects: `seawall alerts` names the cause."
        case Mode.STARTING | Mode.SYNCING:
            return "It reads the account, and guards as soon as that is whole."
        case Mode.STOPPING | Mode.STOPPED:
            return "It is being stopped."
        case Mode.GUARDING:
            return "It guards on."


def _latches_will(held: Sequence[Latch]) -> str:
    """A freeze cancels what may add exposure; a flatten closes as well."""
    if not held:
        return "No latch holds any more: nothing is cancelled or closed for one."
    closes = any(latch.kind is LatchKind.FLATTEN for latch in held)
    also = " What a flatten names is closed at the market, and kept closed." if closes else ""
    return f"{advice_of('latch').will}{also}"


def _switch_will(draft: Draft) -> str:
    switch = draft.switch
    if draft.policy.switch.mode is SwitchMode.OFF:
        return "It never writes the switch: its mode is off."
    match switch.state:
        case SwitchState.ARMED:
            left = span(max(0, switch.expires_ns - draft.now_ns))
            return f"It feeds the switch once it sees and can act; else that cancels every order in {left}, stops too."
        case SwitchState.DISARMED:
            return "The switch is disarmed, so stops stay; the guard arms it again when it has to and can act."
        case SwitchState.UNKNOWN:
            return "It asks again until the exchange confirms whether the switch runs."


def you_can(group: str, facts: Sequence[Fact], symbol: str = "", *, key: str = "") -> str:
    """What a person can do.

    Args:
        group: What it is about.
        facts: What is told, the worst first.
        symbol: The first, to be put into commands.
        key: To acknowledge by; empty: there is nothing to acknowledge.
    """
    if any(fact.state == "liquidated" for fact in facts):
        return AFTER_LIQUIDATION + _ack(facts, key)
    now = [fact for fact in facts if not fact.over_ns]
    if not now or (group == "latch" and all(fact.is_event for fact in now)):
        return NOTHING
    text = " ".join(_said([advice_of(group, fact.state).you_can for fact in now]))
    return (text.replace("SYMBOL", symbol) if symbol else text) + _ack(facts, key)


def _ack(facts: Sequence[Fact], key: str) -> str:
    """An event below CRITICAL is over before its repeat would be due."""
    now = [fact for fact in facts if not fact.over_ns]
    is_repeated = any(fact.level.rank >= (Level.CRITICAL if fact.is_event else Level.WARN).rank for fact in now)
    return f" `seawall ack {key}` stops the repeats." if key and is_repeated else ""


def _said(sentences: Sequence[str]) -> list[str]:
    """Each once, and no more than anybody reads; that nothing needs to be done only where nothing else does."""
    said = dict.fromkeys(sentences)
    return [each for each in said if each != NOTHING or len(said) == 1][:MOST_SAID]
