"""A mark that stands still while its market trades.

Why: such a mark is fresh by its stamps, so nothing else notices. Stops and the venue's own liquidation both go by it,
so nothing is lost while it stands, but when it wakes it may jump past a stop. Standing still alone proves nothing, a
quiet market does that too; so the book has to have moved meanwhile.

Units: prices in the quote currency, times in nanoseconds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from daemon.core.draft import Draft
from daemon.core.market.inputs_seen import SPREAD_FRESH_NS
from daemon.core.market.marks import is_fresh, ns
from daemon.core.state import GuardState

LEAST_MOVE: Final = Decimal("0.0005")
"""Share by which the middle of bid and ask has to have moved within the last minute."""


def frozen_ns(view: Draft | GuardState, symbol: str) -> int:
    """How long a symbol's mark has not moved at all, as far as it was watched; 0 while it is not watched."""
    known, mark = view.volatility.get(symbol), view.marks.get(symbol)
    guarded = view.positions.get(symbol)
    if known is None or mark is None or guarded is None or not is_fresh(view, symbol) or mark.price != known.price:
        return 0
    return view.now_ns - max(known.at_ns, guarded.known_ns, view.health.market.since_ns)


def is_frozen(view: Draft | GuardState, symbol: str, *, was_frozen: bool) -> bool:
    """Whether a mark stands still beside a moving market.

    Args:
        view: What is known.
        symbol: Of an open position.
        was_frozen: Found so before: then it stays so until the mark moves, however quiet the book becomes.
    """
    stands = frozen_ns(view, symbol) >= ns(view.policy.health.mark_frozen_after_s)
    return stands and (was_frozen or _book_moved(view, symbol))


def _book_moved(view: Draft | GuardState, symbol: str) -> bool:
    middles = [
        (each.bid + each.ask) / 2
        for each in view.spreads.get(symbol, ())
        if each.bid is not None
        and each.ask is not None
        and 0 < each.bid <= each.ask
        and view.now_ns - each.at_ns <= SPREAD_FRESH_NS
    ]
    return bool(middles) and max(middles) - min(middles) >= LEAST_MOVE * min(middles)
