"""What a message says beside what happened: what the guard did, what it will do next, and what a person can do.

One table by group; figures that the sentence needs come from the state. The runbook has a heading for each group.
"""

from __future__ import annotations

from typing import Final

from config.alerting import Level
from daemon.core.draft import Draft
from daemon.core.memory.alert_book import Fact
from daemon.core.people.spans import span
from daemon.core.restraint import quiet

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
_WILL: Final = {
    "distance": "It watches the mark, moves stops only nearer to it, and tells when a tier gets worse or is over.",
    "cover": "It goes on placing and confirming stops until every position is covered.",
    "sight": "It reconnects and reads the account anew; it decides nothing on old prices.",
    "means": "It keeps what is left of its means for stops, closes and cancels, and tries again.",
    "switch": "It feeds the switch again as soon as it can see and act; else the countdown cancels all orders.",
    "latch": "Orders that may add exposure are cancelled as they appear until the latch is lifted.",
    "rule": "It judges the rule every second and tells when the breach is over.",
    "bot": "It listens on; the bot's stops stay, and its return is told.",
    "operator": "It keeps to what was asked and says when that ends.",
    "position": "It reads the account again until stream and reads agree on what is left.",
    "notes": "Nothing is needed.",
}
_CAN: Final = {
    "distance": "Reduce the position, add margin, or run `seawall flatten SYMBOL`.",
    "cover": "Look at `seawall protection`; place a stop by hand at the exchange, or run `seawall flatten SYMBOL`.",
    "sight": "Check the line and the exchange's status page; only stops that rest there protect meanwhile.",
    "means": "Look at `seawall status`: it names what is refused; slow down the bots or mend the key.",
    "switch": "Look at `seawall status`; stop the bots if the guard does not come back.",
    "latch": "Lift it with `seawall lift NAME` once the cause is dealt with.",
    "rule": "Do what the sentence names, or lift the latch that holds for it.",
    "bot": "Start the bot again, or cancel its orders at the exchange.",
    "operator": "`seawall resume` ends a pause; `seawall set-stop` gives a stop another price.",
    "position": "Look at `seawall positions` and `seawall tail`.",
    "notes": "Nothing needs to be done.",
}
_LIQUIDATED: Final = "Check the account at the exchange, and ask `seawall explain` why no stop came first."


def title(group: str, level: Level, count: int, symbol: str, *, is_resolved: bool) -> str:
    """One line, the loudest word first.

    Example:
        >>> title("distance", Level.CRITICAL, 12, "XBTUSD", is_resolved=False)
        'CRITICAL: near liquidation, XBTUSD and 11 more'
        >>> title("distance", Level.CRITICAL, 1, "XBTUSD", is_resolved=True)
        'OVER: near liquidation, XBTUSD'
    """
    word = "OVER" if is_resolved else level.value.upper()
    more = f" and {count - 1} more" if count > 1 else ""
    where = f", {symbol}{more}" if symbol else (f", {count} facts" if count > 1 else "")
    return f"{word}: {TITLES.get(group, group)}{where}"


def did(draft: Draft, group: str, facts: tuple[Fact, ...]) -> str:
    """What the guard has done about it, with figures."""
    if quiet.is_quiet(draft):
        covered, open_ones = _covered(draft, set(draft.positions))
        return f"{_held_back(draft)}; {covered} of {open_ones} position(s) have a resting stop."
    symbols = {fact.symbol for fact in facts if fact.symbol}
    if group in {"distance", "cover", "position"} and symbols:
        return _of_positions(draft, symbols)
    if group == "latch":
        held = list(draft.latches.values())
        cancelled = sum(latch.cancelled for latch in held)
        return f"{len(held)} latch(es) hold; {cancelled} order(s) of others were cancelled for them."
    if group in {"sight", "means", "switch"}:
        covered, open_ones = _covered(draft, set(draft.positions))
        gone = f"{len(draft.cancels)} order(s) that may add exposure were cancelled by id" if draft.cancels else ""
        return f"{gone or 'No order was cancelled'}; {covered} of {open_ones} position(s) have a resting stop."
    return "It is in the journal: `seawall tail` shows what was done."


def _held_back(draft: Draft) -> str:
    """What a quiet guard did not do. While it is paused, what people ask for is done all the same."""
    own = "" if quiet.sends_nothing(draft) else " of its own"
    return f"Nothing{own} is sent: {quiet.words(draft)}"


def _of_positions(draft: Draft, symbols: set[str]) -> str:
    covered, open_ones = _covered(draft, symbols)
    reductions = sum(draft.positions[symbol].reductions for symbol in symbols if symbol in draft.positions)
    reduced = f"; {reductions} market reduction(s) were sent" if reductions else ""
    return f"{covered} of {open_ones} open position(s) concerned have a confirmed resting stop{reduced}."


def _covered(draft: Draft, symbols: set[str]) -> tuple[int, int]:
    known = [draft.positions[symbol] for symbol in symbols if symbol in draft.positions]
    held = [each for each in known if each.position.quantity]
    return sum(bool(each.covered_ns) for each in held), len(held)


def will(draft: Draft, group: str, *, is_over: bool = False) -> str:
    """What the guard does next."""
    if draft.pause is not None:
        own = "" if quiet.sends_nothing(draft) else " of its own"
        return f"It sends nothing{own} for {span(draft.pause.until_ns - draft.now_ns)} more."
    if quiet.is_quiet(draft):
        return "It watches, and tells."
    return "It guards on." if is_over else _WILL.get(group, "It goes on guarding.")


def you_can(group: str, facts: tuple[Fact, ...]) -> str:
    """What a person can do."""
    if any(fact.state == "liquidated" for fact in facts):
        return _LIQUIDATED
    is_repeated = any(fact.level is not Level.WATCH and not fact.over_ns for fact in facts)
    ack = f" `seawall ack {group}` stops the repeats." if is_repeated else ""
    return _CAN.get(group, "Look at `seawall status`.") + ack
