"""A trigger price given for the open position: by an operator, a bot, or the ladder's step.

It belongs to the position's episode and is forgotten with it; standing prices are a matter of the settings
(`[stop.fixed]`). It is a rule's proposal like any other, so the nearest to the mark wins and it never loosens, with one
exception: `may_loosen` lets go of the ratchet, and the stop may go back as far as the price given, or as far as the
other rules allow. That is the only way in which a stop moves away from the mark (P3), and it is told.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from config.modes import RuleMode
from connectors.vocabulary import Side
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.market.floor import floor_of
from daemon.core.market.marks import is_looser, is_through, nearer, usable_mark
from daemon.core.memory.episode import GivenStop, Release
from daemon.core.protecting.wanted import work_out
from daemon.core.reasons import Reason
from daemon.core.state import Guarded, GuardState


def refusal(view: Draft | GuardState, symbol: str, side: Side, price: Decimal, *, may_loosen: bool) -> str:
    """Why a price cannot be taken, in words; empty if it can."""
    guarded = view.positions.get(symbol)
    if guarded is None or guarded.position.side is not side:
        return f"there is no open {side.value} of {symbol}"
    if view.policy.stop.fixed.mode is not RuleMode.ON:
        return f"stop.fixed is {view.policy.stop.fixed.mode.value} in the settings, so a price given moves no stop"
    instrument = view.instruments.get(symbol)
    if not price.is_finite() or price <= 0 or (instrument is not None and price >= instrument.max_price):
        return f"{price} is no price of {symbol}"
    return _place_refusal(view, guarded, side, price) or _ratchet_refusal(guarded, side, price, may_loosen=may_loosen)


def _place_refusal(view: Draft | GuardState, guarded: Guarded, side: Side, price: Decimal) -> str:
    mark, floor = usable_mark(view, guarded.position.key.symbol), floor_of(view, guarded)
    if mark is not None and is_through(side, price, mark.price):
        return f"the mark {mark.price} is already beyond {price}"
    line = guarded.liquidation.price
    if floor is not None and line is not None and is_looser(side, price, floor.price):
        return (
            f"{price} is worthless: liquidation at {line} may remove the stop before it helps;"
            f" it has to stand {floor.in_words(line)} or nearer to the mark, at {floor.price}"
        )
    return ""


def _ratchet_refusal(guarded: Guarded, side: Side, price: Decimal, *, may_loosen: bool) -> str:
    if may_loosen or guarded.ratchet is None or not is_looser(side, price, guarded.ratchet):
        return ""
    return f"{price} is looser than the {guarded.ratchet} that rests; a stop loosens only if that is asked for"


def set_given_stop(draft: Draft, symbol: str, side: Side, price: Decimal, *, may_loosen: bool, who: str) -> str:
    """Take a trigger price for an open position.

    Args:
        draft: The step at work.
        symbol: Whose stop.
        side: Direction of the position that it is meant for.
        price: The trigger. Put on the tick toward the mark later.
        may_loosen: Whether the stop may move away from the mark for it.
        who: For people: "operator anna".

    Returns:
        Why it was not taken; empty if it was.
    """
    refused = refusal(draft, symbol, side, price, may_loosen=may_loosen)
    if refused:
        return refused
    guarded = draft.positions[symbol]
    episode = replace(guarded.episode, given=GivenStop(price=price, who=who), released=None)
    loosens = may_loosen and guarded.ratchet is not None and is_looser(side, price, guarded.ratchet)
    if loosens:
        episode = replace(episode, released=Release(price=price, who=who, at_ns=draft.now_ns), tightened=None)
    draft.change(symbol, episode=episode, ratchet=None if loosens else guarded.ratchet)
    draft.touch(symbol)
    _tell(draft, guarded, price, who, loosens=loosens)
    return ""


def clear_given_stop(draft: Draft, symbol: str, who: str) -> str:
    """Forget the price given. The stop stays where it is: to clear a price loosens nothing.

    Returns:
        Why there was nothing to clear; empty if there was.
    """
    guarded = draft.positions.get(symbol)
    if guarded is None or guarded.episode.given is None:
        return f"no price was given for {symbol}"
    price = guarded.episode.given.price
    draft.change(symbol, episode=replace(guarded.episode, given=None))
    draft.touch(symbol)
    text = f"{who} cleared the stop price {price} of {symbol}; the stop stays where it rests."
    facts = (("price", price), ("who", who))
    tell(draft, Reason.OPERATOR, Severity.NOTE, topic="stop", state="cleared", symbol=symbol, text=text, facts=facts)
    return ""


def tighten(draft: Draft, symbol: str, price: Decimal) -> bool:
    """Ask for a stop at `price` for the rest of the episode, as the ladder's step does; never looser than before.

    Returns:
        Whether that is nearer to the mark than where the stop belongs now, and not beyond the mark.
    """
    guarded = draft.positions.get(symbol)
    side = None if guarded is None else guarded.position.side
    if guarded is None or side is None:
        return False
    mark, present = usable_mark(draft, symbol), work_out(draft, guarded).trigger
    if mark is None or is_through(side, price, mark.price):
        return False
    if present is not None and not is_looser(side, present, price):
        return False
    known = guarded.episode.tightened
    tightened = price if known is None else nearer(side, known, price)
    draft.change(symbol, episode=replace(guarded.episode, tightened=tightened))
    draft.touch(symbol)
    return True


def _tell(draft: Draft, guarded: Guarded, price: Decimal, who: str, *, loosens: bool) -> None:
    symbol = guarded.position.key.symbol
    after = work_out(draft, draft.positions[symbol])
    text = f"{who} gave {price} as the stop of {symbol}"
    if loosens:
        text += f", looser than the {guarded.ratchet} that rests"
    if after.trigger is not None and after.ruled_by != "fixed":
        text += f"; {after.ruled_by} keeps it at {after.trigger} ({after.why})"
    tell(
        draft,
        Reason.STOP_LOOSENED if loosens else Reason.OPERATOR,
        Severity.WARNING if loosens else Severity.NOTE,
        topic="stop",
        state="loosened" if loosens else "given",
        symbol=symbol,
        text=f"{text}.",
        facts=(("price", price), ("before", guarded.ratchet), ("trigger", after.trigger), ("who", who)),
    )
