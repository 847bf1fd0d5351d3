"""Orders and positions that are not the guard's: recognised, counted, named once, and left alone.

An order is the guard's if and only if its client order id carries the guard's prefix (`ids.py`); everything else
belongs to a bot or a person. Such orders are touched in four cases, each by policy or by a person: a latch or a silent
bot (`freezing.py`), an orderly stop that is to cancel them, and a blind guard that takes them away before the dead
man's switch takes everything (`exposure.py`). A sufficient stop among them counts where `stop.foreign = "adopt"`.

A name with the guard's prefix that the guard cannot have given (another build, or somebody who imitates it) is the
guard's by the rule, and read as no stop, reduction or take-profit order of ours: it is named too, and left alone.

Every position is guarded, whoever opened it: only rows of hedge mode are refused by name (`hedge_mode`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connectors.vocabulary import STOP_KINDS, Order
from daemon.core import ids
from daemon.core.adding import may_add_exposure
from daemon.core.alerts import tell
from daemon.core.commands import Severity
from daemon.core.draft import Draft
from daemon.core.reasons import Reason
from daemon.core.state import GuardState

MOST_NAMED: Final = 200
"""Symbols whose orders of others were told; more than that are counted only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """Open orders of others on one symbol. Each counts once, as the first of these that fits."""

    strange: int = 0
    """With our prefix, and a name that we cannot have given."""
    adding: int = 0
    """May add exposure."""
    stops: int = 0
    """Stops that can only shrink a position."""
    shrinking: int = 0
    """Others that can only shrink it."""


def is_foreign(account: int, order: Order) -> bool:
    """Whether an order is none of those that the guard places."""
    return ids.parse(account, order.client_order_id) is None


def is_strange(account: int, order: Order) -> bool:
    """Whether it carries our prefix all the same."""
    return ids.is_ours(account, order.client_order_id) and is_foreign(account, order)


def counted(view: Draft | GuardState) -> dict[str, Count]:
    """Count the open orders of others, by symbol; symbols without any are left out."""
    found = {}
    for symbol, book in view.orders.items():
        orders = [known.order for known in book.values() if is_foreign(view.account, known.order)]
        if orders:
            found[symbol] = _count(view.account, orders)
    return found


def _count(account: int, orders: list[Order]) -> Count:
    kinds = [_kind(account, order) for order in orders]
    return Count(
        strange=kinds.count("strange"),
        adding=kinds.count("adding"),
        stops=kinds.count("stops"),
        shrinking=kinds.count("shrinking"),
    )


def _kind(account: int, order: Order) -> str:
    if is_strange(account, order):
        return "strange"
    if may_add_exposure(order):
        return "adding"
    return "stops" if order.kind in STOP_KINDS else "shrinking"


def as_counts(count: Count) -> dict[str, int]:
    """The same for the status, in plain words."""
    return {
        "may_add_exposure": count.adding,
        "reduce_only_stops": count.stops,
        "other_reduce_only": count.shrinking,
        "under_our_prefix_and_not_ours": count.strange,
    }


def note_all(draft: Draft, orders: tuple[Order, ...]) -> None:
    """The same for a whole list."""
    for order in orders:
        note(draft, order)


def note(draft: Draft, order: Order) -> None:
    """Name the first order of others on a symbol, and the first strange one, once each while the guard lives."""
    if not is_foreign(draft.account, order) or order.status.is_final:
        return
    strange = is_strange(draft.account, order)
    name = f"{order.symbol}:strange" if strange else order.symbol
    if name in draft.named or len(draft.named) >= MOST_NAMED:
        return
    draft.put("named", name, draft.now_ns)
    called = order.client_order_id or order.order_id
    if strange:
        text = f"{order.symbol} has an order under the guard's prefix that the guard did not name ({called}); it is"
    else:
        text = f"{order.symbol} has orders that are not the guard's (the first seen: {called}); they are"
    tell(
        draft,
        Reason.FACT,
        Severity.WARNING if strange else Severity.NOTE,
        topic="foreign",
        state="strange" if strange else "foreign",
        symbol=order.symbol,
        text=f"{text} counted and left alone unless policy says otherwise.",
        facts=(("order", called), ("may_add_exposure", may_add_exposure(order))),
    )
