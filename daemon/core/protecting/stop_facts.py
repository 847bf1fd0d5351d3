"""Keep the facts that the stop rules need of a position's life: its best mark, equity at the opening, what it has cost.

Why apart from the rules: rules are asked anew at every event and may forget; these facts cannot be worked out again
later. They are kept whatever rules are on, so that a rule switched on later finds them.

The best mark is one that two marks in a row have reached, of a live stream. So a single bad print moves no stop; the
second mark comes with the slow refresh at the latest.

Units: prices in quote currency, money in minor units of the settlement currency.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connectors.vocabulary import Position, Side
from daemon.core import ids
from daemon.core.draft import Draft
from daemon.core.market.marks import is_looser, market_is_fresh
from daemon.core.memory.episode import Episode
from daemon.core.memory.under_way import Bracket
from daemon.core.state import Guarded


def begun(draft: Draft, position: Position) -> Episode:
    """The facts of a position that becomes known, or turns round."""
    return Episode(
        equity_sat=_equity_sat(draft, position),
        is_from_start=not draft.was_whole,
        sized_ns=draft.now_ns,
        largest=abs(position.quantity),
    )


def bracket_begun(draft: Draft, guarded: Guarded) -> Bracket:
    """No take-profit order of an earlier life counts; a write that is open has to be settled all the same."""
    side, symbol = guarded.position.side, guarded.position.key.symbol
    series = "" if side is None else ids.series(draft.account, symbol, side, ids.Purpose.TAKE)
    return Bracket(write=guarded.bracket.write, numbers_from=draft.numbers.get(series, 0))


def continued(draft: Draft, before: Guarded, position: Position) -> Episode:
    """The facts after another row of the same episode."""
    episode, amount = before.episode, abs(position.quantity)
    if position.quantity != before.position.quantity:
        episode = replace(episode, sized_ns=draft.now_ns)
    if amount > abs(before.position.quantity):
        equity = _equity_sat(draft, position)
        known = [each for each in (episode.equity_sat, equity) if each is not None]
        return replace(episode, equity_sat=min(known, default=None), largest=max(episode.largest, amount))
    return replace(episode, booked_sat=episode.booked_sat + _booked_sat(before.position, position))


def _booked_sat(before: Position, after: Position) -> int:
    """What funding and closed parts brought between two rows that did not grow.

    The venue moves what was realised to the wallet once a session, and counts from 0 again: that is no loss or gain.
    """
    earlier, later = before.realised_pnl_sat, after.realised_pnl_sat
    if earlier is None or not later or after.timestamp_ns < before.timestamp_ns:
        return 0
    return later - earlier


def _equity_sat(draft: Draft, position: Position) -> int | None:
    """Equity of the position's currency, its own unrealised profit left out."""
    margin = draft.margins.get(position.currency)
    return None if margin is None else margin.margin_balance_sat - position.unrealised_pnl_sat


def take_equity(draft: Draft, currency: str) -> None:
    """A margin row came: positions that became known before there was one take their equity from it."""
    for symbol, guarded in list(draft.positions.items()):
        position = guarded.position
        if position.quantity and position.currency == currency and guarded.episode.equity_sat is None:
            equity = _equity_sat(draft, position)
            draft.change(symbol, episode=replace(guarded.episode, equity_sat=equity))
            draft.touch(symbol)


def take_mark(draft: Draft, symbol: str, price: Decimal) -> None:
    """A mark came: it confirms the claim of the one before, and may claim to be the best itself."""
    guarded = draft.positions.get(symbol)
    if guarded is None or guarded.position.side is None or not market_is_fresh(draft):
        return
    episode, side = guarded.episode, guarded.position.side
    best = episode.best_mark
    if episode.claimed_mark is not None:
        confirmed = _worse(side, episode.claimed_mark, price)
        best = confirmed if best is None or is_looser(side, best, confirmed) else best
    claimed = price if best is None or is_looser(side, best, price) else None
    if (best, claimed) != (episode.best_mark, episode.claimed_mark):
        draft.change(symbol, episode=replace(episode, best_mark=best, claimed_mark=claimed))


def _worse(side: Side, one: Decimal, other: Decimal) -> Decimal:
    return min(one, other) if side is Side.LONG else max(one, other)
