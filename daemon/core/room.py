"""Where each position is liquidated, kept up to date.

Why: `liquidation.assess` weighs the venue's price and ours for one position; cross positions of one currency also fail
together (`account_failure_moves`), and a stop has to be nearer than that common failure. This module says when to work
these out again: a position when its row, contract or margin changed; the common failure at most four times a second,
since it reads all rows. A margin row concerns all cross positions of its currency and waits for the same moment.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from connectors.vocabulary import Instrument, Margin, Position, Side
from daemon.core.account_failure import FailureMoves, account_failure_moves, common_move_price
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.liquidation import Assessment, LiquidationState, Sentinel, assess
from daemon.core.marks import nearer, usable_mark
from daemon.core.own_liquidation import consistent_margin
from daemon.core.state import Guarded, GuardState, Liquidation, Standing
from daemon.core.what_if import AccountRows

COMMON_EVERY_NS: Final = 250_000_000
PER_POSITION_NS: Final = 2_000_000
"""The more positions there are, the longer the pause: working all of them out takes its time."""
FEW: Final = 5
"""Up to this many positions the common failure is worked out at every change."""


def refresh_common_failures(draft: Draft) -> None:
    """Work out the common failure of the currencies whose rows changed, unless that was done a moment ago."""
    count = len(draft.positions)
    pause_ns = 0 if count <= FEW else max(COMMON_EVERY_NS, count * PER_POSITION_NS)
    for currency, since_ns in list(draft.stale_currencies.items()):
        if draft.now_ns < since_ns + pause_ns:
            draft.wake(ACCOUNT, since_ns + pause_ns)
            continue
        draft.set_stale(currency, is_stale=False)
        _refresh_common_failure(draft, currency)


def _refresh_common_failure(draft: Draft, currency: str) -> None:
    held = [g for g in draft.positions.values() if g.position.quantity and g.position.currency == currency]
    cross = [g for g in held if g.position.is_cross]
    margin = draft.margins.get(currency)
    if margin is None or len(cross) < 2:
        for guarded in cross:
            _note_common_price(draft, guarded, None)
        return
    rows = [g.position for g in held]
    usable = {row.key.symbol: usable_mark(draft, row.key.symbol) for row in rows}
    marks = {symbol: mark.price for symbol, mark in usable.items() if mark is not None}
    moves = account_failure_moves(rows, draft.instruments, margin, marks)
    for guarded in cross:
        symbol = guarded.position.key.symbol
        instrument, mark = draft.instruments.get(symbol), marks.get(symbol)
        price = None
        if instrument is not None and mark is not None:
            price = _failing_price(guarded.position, instrument, mark, moves)
        _note_common_price(draft, guarded, price)


def _failing_price(position: Position, instrument: Instrument, mark: Decimal, moves: FailureMoves) -> Decimal | None:
    """The mark at which the account fails, whether all marks move or those of its underlying alone: the nearer."""
    failing = (moves.whole, moves.groups.get(instrument.reference_symbol))
    prices = [common_move_price(position, instrument, mark, move) for move in failing if move is not None]
    found = [price for price in prices if price is not None]
    if not found or position.side is None:
        return None
    return max(found) if position.side is Side.LONG else min(found)


def _note_common_price(draft: Draft, guarded: Guarded, price: Decimal | None) -> None:
    symbol = guarded.position.key.symbol
    if price != guarded.common_price:
        draft.change(symbol, common_price=price)
    draft.touch(symbol, reassess=True)


def account_rows(view: Draft | GuardState) -> AccountRows:
    """Everything known of the account, margin rows brought to the instant of the position rows: for "what if"."""
    positions = {symbol: guarded.position for symbol, guarded in view.positions.items()}
    return AccountRows(
        positions=positions,
        instruments=view.instruments,
        margins={name: consistent_margin(margin, positions.values()) for name, margin in view.margins.items()},
        marks={symbol: mark.price for symbol, mark in view.marks.items()},
    )


def consistent_margins(draft: Draft, symbols: list[str]) -> dict[str, Margin]:
    """The margin rows of the cross positions among `symbols`, each brought to the instant of the position rows."""
    currencies = {
        guarded.position.currency
        for symbol in symbols
        if (guarded := draft.positions.get(symbol)) is not None and guarded.position.is_cross
    }
    rows = [guarded.position for guarded in draft.positions.values()] if currencies else []
    return {
        currency: consistent_margin(margin, rows)
        for currency in sorted(currencies)
        if (margin := draft.margins.get(currency)) is not None
    }


def reassess(draft: Draft, symbol: str, margins: dict[str, Margin]) -> None:
    """Weigh the liquidation figures of one position again."""
    guarded = draft.positions[symbol]
    position = guarded.position
    side = position.side
    if side is None:
        return
    instrument = draft.instruments.get(symbol)
    if instrument is None:
        found = Liquidation(text="the contract's figures are not known yet")
    else:
        mark = usable_mark(draft, symbol)
        margin = margins.get(position.currency) or draft.margins.get(position.currency)
        assessment = assess(position, instrument, margin, None if mark is None else mark.price)
        found = _weigh(assessment, guarded, instrument, side)
    if found != guarded.liquidation:
        since_ns = (guarded.disagrees_ns or draft.now_ns) if found.disagrees else 0
        draft.change(symbol, liquidation=found, disagrees_ns=since_ns)


def _weigh(assessment: Assessment, guarded: Guarded, instrument: Instrument, side: Side) -> Liquidation:
    """Put the two figures and the common failure into one."""
    price = assessment.liquidation_price
    if price is None and assessment.venue.sentinel is Sentinel.WRONG_SIDE:
        # The venue names a price that the mark has passed: liquidation may be under way. Any price beats none.
        price = _in_range(guarded.position, instrument)
    text = f"venue {_shown(guarded.position.liquidation_price)}, ours {_shown(assessment.own.price)}"
    if guarded.common_price is not None:
        price = guarded.common_price if price is None else nearer(side, price, guarded.common_price)
        text += f", account fails at {guarded.common_price}"
    if price is not None:
        standing = Standing.IN_RANGE
    elif assessment.state is LiquidationState.NO_LIQUIDATION_IN_RANGE:
        standing = Standing.NOT_IN_RANGE
    else:
        standing = Standing.UNKNOWN
    return Liquidation(standing=standing, price=price, disagrees=_is_alarming(assessment, side), text=text)


def _in_range(position: Position, instrument: Instrument) -> Decimal | None:
    price = position.liquidation_price
    if price is None or not price.is_finite() or not instrument.tick_size < price < instrument.max_price:
        return None
    return price


def _is_alarming(assessment: Assessment, side: Side) -> bool:
    """Whether ours differs from the venue's in the direction that matters: ours is the safer one.

    Where ours is the nearer, the stop rests on it and nothing is lost.
    """
    if not assessment.disagreement:
        return False
    venue, ours = assessment.venue.price, assessment.own.price
    if venue is None or ours is None:
        return True
    return venue > ours if side is Side.LONG else venue < ours


def _shown(price: Decimal | None) -> str:
    return "none" if price is None else str(price)


def mark_margins_stale(draft: Draft, currency: str) -> None:
    """Note that the rows of a currency changed, so its common failure has to be worked out again."""
    draft.set_stale(currency, is_stale=True)
