"""Latches: what a rule, the ladder or an operator sets, and what holds until it is lifted.

A FREEZE latch keeps exposure from growing: others' orders that may add exposure are cancelled as they appear
(`freezing.py`). A FLATTEN latch does that and closes positions and keeps them closed (`flatten.py`). Why latches and
not deeds: what holds is part of the state, so it is worked out anew from what is there at every event, and a lost
answer, a crash or a restart changes nothing about where it ends (see docs/decisions/0019-latches-and-flatten.md).

This module only sets and lifts, and says so once. Setting is level-triggered: what holds already is not set again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from config.modes import Lift
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.memory.interventions import Latch, LatchKind
from daemon.core.memory.latch_names import LADDER, LADDER_FLATTEN, OPERATOR, OPERATOR_FLATTEN
from daemon.core.reasons import Reason
from daemon.core.restraint import quiet
from daemon.core.state import GuardState

__all__ = ["LADDER", "LADDER_FLATTEN", "OPERATOR", "OPERATOR_FLATTEN"]

_HOW: Final = {
    Lift.OPERATOR: "until it is lifted (seawall lift {name})",
    Lift.NEXT_DAY: "until the next day begins, or it is lifted (seawall lift {name})",
    Lift.CLEARED: "until the cause is over, or it is lifted (seawall lift {name})",
}


def freeze(
    draft: Draft, name: str, *, text: str, lift: Lift, day_ends_ns: int = 0, symbols: tuple[str, ...] = ()
) -> bool:
    """Set a FREEZE latch: from now on others' orders that may add exposure are cancelled as they appear.

    Args:
        draft: The step at work.
        name: Who sets it; the name it is lifted by. A latch of that name that holds already stays as it is.
        text: The cause, for people, without a full stop.
        lift: What ends it. NEXT_DAY ends by itself at `day_ends_ns`; CLEARED is lifted by whoever set it.
        day_ends_ns: For NEXT_DAY, nanoseconds since 1970 UTC.
        symbols: What it is about; empty: the whole account.

    Returns:
        Whether that is news.
    """
    if name in draft.latches:
        return False
    latch = Latch(
        name=name,
        kind=LatchKind.FREEZE,
        symbols=symbols,
        text=text,
        since_ns=draft.now_ns,
        lift=lift,
        day_ends_ns=day_ends_ns if lift is Lift.NEXT_DAY else 0,
    )
    draft.put("latches", name, latch)
    _tell_set(draft, latch)
    return True


def flatten(draft: Draft, name: str, *, symbols: tuple[str, ...] = (), text: str) -> bool:
    """Set a FLATTEN latch: close, verify, and keep closed until a person lifts it.

    Args:
        draft: The step at work.
        name: Who sets it; a FREEZE of that name becomes a FLATTEN, and a FLATTEN about symbols may grow.
        symbols: What to close; empty: the whole account.
        text: The cause, for people, without a full stop.

    Returns:
        Whether that is news.
    """
    known = draft.latches.get(name)
    is_flattening = known is not None and known.kind is LatchKind.FLATTEN
    if known is not None and is_flattening:
        if not known.symbols or (symbols and set(symbols) <= set(known.symbols)):
            return False
        symbols = tuple(sorted({*known.symbols, *symbols})) if symbols else ()
    latch = Latch(
        name=name,
        kind=LatchKind.FLATTEN,
        symbols=symbols,
        text=text,
        since_ns=draft.now_ns,
        cancelled=0 if known is None else known.cancelled,
        stuck_from_ns=draft.now_ns,
    )
    draft.put("latches", name, latch)
    for symbol in draft.positions:
        draft.touch(symbol)
    _tell_set(draft, latch)
    return True


def lift(draft: Draft, name: str, who: str) -> bool:
    """End a latch.

    Args:
        draft: The step at work.
        name: Of the latch.
        who: A person, "next day", or what cleared it.

    Returns:
        Whether one of that name held.
    """
    latch = draft.latches.get(name)
    if latch is None:
        return False
    draft.remove("latches", name)
    if latch.kind is LatchKind.FLATTEN:
        for symbol in list(draft.closings):
            if flattening(draft, symbol) is None:
                draft.remove("closings", symbol)
    for symbol in draft.positions:
        draft.touch(symbol)
    rest = ", ".join(sorted(draft.latches))
    tell(
        draft,
        Reason.LATCH,
        Severity.WARNING,
        topic="latch",
        state="lifted",
        text=f"{latch.kind.value.capitalize()} {name} is lifted by {who}: {_done(latch)}."
        + (f" Still latched: {rest}." if rest else " New exposure is let through again."),
        facts=(("latch", name), ("who", who), ("cancelled", latch.cancelled)),
    )
    return True


def pass_time(draft: Draft) -> None:
    """Lift what ends with the day."""
    for latch in list(draft.latches.values()):
        if not latch.day_ends_ns:
            continue
        if draft.now_ns >= latch.day_ends_ns:
            lift(draft, latch.name, "the next day")
        else:
            draft.wake(ACCOUNT, latch.day_ends_ns)


def tell_held(draft: Draft) -> None:
    """After a start: say what still holds, so that nobody takes the restart for a lift."""
    for latch in draft.latches.values():
        scope = ", ".join(latch.symbols) or "the account"
        text = f"Still latched after the restart: {latch.kind.value} {latch.name} of {scope} ({latch.text})"
        tell(
            draft,
            Reason.LATCH,
            Severity.WARNING,
            topic="latch",
            state="held",
            text=f"{text}, {how_to_lift(latch)}.",
            facts=(("latch", latch.name), ("since_ns", latch.since_ns)),
        )


# ---------------------------------------------------------------------- questions


def holding(view: Draft | GuardState, symbol: str) -> Iterator[Latch]:
    """All latches that concern a symbol."""
    return (latch for latch in view.latches.values() if latch.concerns(symbol))


def is_frozen(view: Draft | GuardState, symbol: str) -> bool:
    """Whether what may add exposure to a symbol is to be cancelled."""
    return any(latch.concerns(symbol) for latch in view.latches.values())


def flattening(view: Draft | GuardState, symbol: str) -> Latch | None:
    """The latch that wants a symbol flat; None where none does."""
    found = (latch for latch in holding(view, symbol) if latch.kind is LatchKind.FLATTEN)
    return min(found, key=lambda latch: (latch.since_ns, latch.name), default=None)


def note(draft: Draft, name: str, **changes: object) -> None:
    """Replace fields of a latch that holds."""
    draft.put("latches", name, replace(draft.latches[name], **changes))  # type: ignore[arg-type]  # checked by replace


# ---------------------------------------------------------------------- words


def how_to_lift(latch: Latch) -> str:
    """What ends a latch, for people: "until it is lifted (seawall lift daily_loss)"."""
    return _HOW[latch.lift].format(name=latch.name)


def _tell_set(draft: Draft, latch: Latch) -> None:
    scope = ", ".join(latch.symbols) or "the account"
    if latch.kind is LatchKind.FREEZE:
        what = f"{scope} is frozen: orders that may add exposure are cancelled as they appear"
    else:
        what = f"{scope} is being closed at the market, and kept closed"
    if not quiet.is_carried_out(draft, latch):
        what = f"{quiet.words(draft)}; would act: {what}"
    tell(
        draft,
        Reason.LATCH,
        Severity.CRITICAL,
        topic="latch",
        state=latch.kind.value,
        text=f"{latch.text}. {what[0].upper()}{what[1:]}, {how_to_lift(latch)}.",
        facts=(("latch", latch.name), ("symbols", scope), ("lift", latch.lift.value)),
    )


def _done(latch: Latch) -> str:
    cancelled = f"{latch.cancelled} order{'' if latch.cancelled == 1 else 's'} cancelled"
    if latch.kind is LatchKind.FREEZE:
        return cancelled
    return f"{cancelled}, {'everything was flat' if latch.proven_ns else 'not everything was proved flat'}"
