"""No averaging down: a position was added to while it was in loss.

Two rows of a position tell that it grew. Whether it was in loss is told by the price that was paid for the added
contracts against the entry price before: the costs of the two rows give it exactly. Where they do not, the mark of that
moment decides (as the guard knows it: up to ten seconds old inside its band, so a fast fall would go unnoticed by it).

The breach is over when the position is back at its size before, or no longer in loss; then the addition is forgotten.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.account_rules import AveragingDownPolicy
from config.modes import RuleMode
from connectors.vocabulary import ContractKind, Position, Side
from daemon.core.account_rules.verdict import AccountView, Held, Level, Rule, Verdict, plain, unknown
from daemon.core.draft import Draft
from daemon.core.margin.contracts import is_price, is_usable
from daemon.core.market.marks import is_fresh
from daemon.core.memory.rule_facts import Addition
from daemon.core.state import Guarded


def judge(view: AccountView, policy: AveragingDownPolicy) -> tuple[Verdict, ...]:
    """Name the positions that were added to in loss and still are larger, and in loss."""
    if not view.state.additions:
        return ()
    found = (_judge(held, view.state.additions.get(held.symbol), policy) for held in view.held)
    return tuple(each for each in found if each is not None)


def forget(draft: Draft, subject: str) -> None:
    """The breach is over: that addition counts no more."""
    draft.remove("additions", subject)


RULE: Final = Rule(name="averaging_down", judge=judge, ended=forget)


def _judge(held: Held, addition: Addition | None, policy: AveragingDownPolicy) -> Verdict | None:
    if addition is None or addition.known_ns != held.guarded.known_ns:
        return None
    if abs(held.quantity) <= abs(addition.quantity_before):
        return None
    if held.mark is None:
        return unknown("no fresh mark price", held.symbol)
    entry = held.guarded.position.entry_price
    if entry is None or loss_percent(held.side, entry, held.mark) <= 0:
        return None
    return _verdict(held, addition, policy)


def _verdict(held: Held, addition: Addition, policy: AveragingDownPolicy) -> Verdict:
    lost = loss_percent(held.side, addition.entry_price, addition.mark_price)
    return Verdict(
        level=Level.OVER,
        subject=held.symbol,
        scope=(held.symbol,),
        text=f"{held.symbol} grew from {addition.quantity_before:+d} to {addition.quantity:+d} at"
        f" {addition.mark_price:.7g}, {lost:.2f} % worse than its entry at {addition.entry_price}, the"
        f" limit is {plain(policy.loss_percent)} %",
        advice="take off what was added, or leave it and add no more",
        facts=(
            ("entry_price", addition.entry_price),
            ("price", f"{addition.mark_price:.7g}"),
            ("quantity_before", addition.quantity_before),
            ("quantity", addition.quantity),
            ("loss_percent", f"{lost:.4f}"),
        ),
    )


def loss_percent(side: Side, entry: Decimal, price: Decimal) -> Decimal:
    """How much worse a price is than the entry, percent of the entry; below 0: better. `entry` above 0."""
    return 100 * side.sign * (entry - price) / entry


def note_growth(draft: Draft, before: Guarded, position: Position) -> None:
    """Look at a new row of a position before it is believed: did it grow in loss?"""
    policy, old, side = draft.policy.account.averaging_down, before.position, position.side
    if policy.mode is RuleMode.OFF or side is None or old.side is not side:
        return
    if abs(position.quantity) <= abs(old.quantity) or old.entry_price is None or not is_price(old.entry_price):
        return
    price = _price_then(draft, old, position)
    if price is None or loss_percent(side, old.entry_price, price) <= policy.loss_percent:
        return
    known = draft.additions.get(position.key.symbol)
    first = old.quantity
    if known is not None and known.known_ns == before.known_ns:
        first = min(known.quantity_before, first, key=abs)
    addition = Addition(
        at_ns=draft.now_ns,
        known_ns=before.known_ns,
        entry_price=old.entry_price,
        mark_price=price,
        quantity_before=first,
        quantity=position.quantity,
    )
    draft.put("additions", position.key.symbol, addition)


def _price_then(draft: Draft, old: Position, new: Position) -> Decimal | None:
    """What was paid for the added contracts, else the mark if it is fresh; None if neither is known."""
    symbol = new.key.symbol
    instrument = draft.instruments.get(symbol)
    contracts, paid = abs(new.quantity) - abs(old.quantity), abs(new.cost_sat) - abs(old.cost_sat)
    if instrument is not None and is_usable(instrument) and old.cost_sat and paid > 0:
        worth = Decimal(contracts * abs(instrument.multiplier))
        return worth / paid if instrument.kind is ContractKind.INVERSE else paid / worth
    return draft.marks[symbol].price if is_fresh(draft, symbol) else None
