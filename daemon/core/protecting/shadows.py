"""What rules in shadow would have done: said, never done.

Each has a ratchet of its own, as the stop it stands for would. Two things are told, each once per episode and rule:
that its stop would rest nearer to the mark than the real one, and that the mark has reached it. After that the rule
says no more of this position, since it would have been closed. A position first seen already beyond it is left out,
where policy would only alert. One mark is enough: it is what the venue would have fired on.

The facts of the alerts are for machines too: a backtest counts them.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from config.policy import StartBreach
from connectors.vocabulary import Side
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.market.marks import is_looser, is_through, nearer, usable_mark
from daemon.core.memory.episode import Shadow
from daemon.core.protecting.wanted import Wanted
from daemon.core.reasons import Reason
from daemon.core.state import Guarded
from daemon.core.stop_rules import Proposal


def judge(draft: Draft, symbol: str, wanted: Wanted) -> None:
    """Keep the shadows of one open position up to date, and tell what is new."""
    guarded = draft.positions[symbol]
    if not wanted.shadows and not guarded.shadows:
        return
    before = {each.rule: each for each in guarded.shadows}
    for proposal in wanted.shadows:
        known = before.get(proposal.rule, Shadow(rule=proposal.rule, price=None))
        if not known.has_fired:
            before[proposal.rule] = _judged(draft, guarded, wanted, proposal, known)
    shadows = tuple(before.values())
    if shadows != guarded.shadows:
        draft.change(symbol, shadows=shadows)


def _judged(draft: Draft, guarded: Guarded, wanted: Wanted, proposal: Proposal, known: Shadow) -> Shadow:
    side, mark = guarded.position.side, usable_mark(draft, guarded.position.key.symbol)
    if side is None or mark is None or not mark.is_fresh:
        return known
    price = _ratcheted(side, known.price, proposal.price)
    if price is None or is_through(side, price, mark.price):
        is_late = known.price is None and guarded.is_from_start
        if is_late and draft.policy.stop.on_start_breach is StartBreach.ALERT:
            return replace(known, has_fired=True)
        _tell(draft, guarded, proposal, price, mark.price, has_fired=True)
        return replace(known, price=price, has_fired=True)
    is_nearer = wanted.trigger is None or is_looser(side, wanted.trigger, price)
    if is_nearer and not known.was_told:
        _tell(draft, guarded, proposal, price, mark.price, has_fired=False)
    return replace(known, price=price, was_told=known.was_told or is_nearer)


def _ratcheted(side: Side, known: Decimal | None, price: Decimal | None) -> Decimal | None:
    """The nearer of the two; None when the rule would close now."""
    if price is None or known is None:
        return price
    return nearer(side, known, price)


def _tell(
    draft: Draft, guarded: Guarded, proposal: Proposal, price: Decimal | None, mark: Decimal, *, has_fired: bool
) -> None:
    symbol, quantity = guarded.position.key.symbol, guarded.position.quantity
    if price is None:
        would = "would have closed the position"
    else:
        would = f"would have fired at {price}" if has_fired else f"would rest at {price}"
    tell(
        draft,
        Reason.SHADOW,
        Severity.NOTE,
        topic="shadow",
        state="would_fire" if has_fired else "would_rest",
        symbol=symbol,
        text=f"{symbol} {quantity:+d}: {proposal.rule} (in shadow) {would}, mark {mark}: {proposal.why}.",
        facts=(("rule", proposal.rule), ("price", price), ("mark", mark), ("quantity", quantity)),
    )
