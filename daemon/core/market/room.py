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
from daemon.core.draft import ACCOUNT, Draft
from daemon.core.margin.account_failure import FailureMoves, account_failure_moves, common_move_price
from daemon.core.margin.liquidation import Assessment, LiquidationState, Sentinel, assess
from daemon.core.margin.own_liquidation import consistent_margin
from daemon.core.margin.what_if import AccountRows
from daemon.core.market.marks import is_through, nearer, usable_mark
from daemon.core.memory.second_opinion import Figure, choose
from daemon.core.memory.witnesses import Witness
from daemon.core.reasons import Reason
from daemon.core.state import Guarded, GuardState, Liquidation, Standing
from daemon.core.stop_rules import liquidation_buffer

COMMON_EVERY_NS: Final = 250_000_000
PER_POSITION_NS: Final = 2_000_000
"""The more positions there are, the longer the pause: working all of them out takes its time."""
RECHECK_NS: Final = 3 * 10**9
"""Between two reads for a second word on a liquidation price: they come out of the bots' request budget."""
RECHECK_FOR_NS: Final = 20 * 10**9
"""What no read has borne out by then is left to the slow cycle: two guards that go on would use up the budget (P8)."""
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
        found = _weigh(draft, assessment, guarded, instrument)
    if found != guarded.liquidation:
        since_ns = (guarded.disagrees_ns or draft.now_ns) if found.disagrees else 0
        draft.change(symbol, liquidation=found, disagrees_ns=since_ns)


def seek_second_word(draft: Draft, symbol: str) -> None:
    """While one source alone names the nearest price against others: read the account, not too often nor for ever."""
    guarded = draft.positions[symbol]
    if guarded.position.side is None or guarded.liquidation.alone is None or not guarded.liquidation.disagrees:
        return
    if draft.now_ns >= guarded.disagrees_ns + RECHECK_FOR_NS:
        return
    due_ns = draft.pictures.asked_ns + RECHECK_NS
    if draft.now_ns < due_ns:
        draft.wake(symbol, due_ns)
    else:
        draft.want_picture(Reason.DOUBT, guarded.taken_ns + 1)


def _weigh(draft: Draft, assessment: Assessment, guarded: Guarded, instrument: Instrument) -> Liquidation:
    """Put the two figures and the common failure into one."""
    side, price = guarded.position.side, assessment.liquidation_price
    if price is None and assessment.venue.sentinel is Sentinel.WRONG_SIDE:
        # The venue names a price that the mark has passed: liquidation may be under way. Any price beats none.
        price = _in_range(guarded.position, instrument)
    text = f"venue {_shown(guarded.position.liquidation_price)}, ours {_shown(assessment.own.price)}"
    if guarded.common_price is not None and side is not None:
        price = guarded.common_price if price is None else nearer(side, price, guarded.common_price)
        text += f", account fails at {guarded.common_price}"
    confidence = assessment.own.confidence
    if price is None or side is None:
        never = assessment.state is LiquidationState.NO_LIQUIDATION_IN_RANGE
        return Liquidation(
            standing=Standing.NOT_IN_RANGE if never else Standing.UNKNOWN,
            disagrees=assessment.disagreement,
            confidence=confidence,
            text=text,
        )
    figures = _figures(guarded, assessment, instrument)
    chosen = choose(price, figures, side, has_room=_has_room(draft, guarded, side, price))
    alone = None if chosen.is_sure and chosen.price == price else price
    return Liquidation(
        standing=Standing.IN_RANGE,
        price=chosen.price,
        disagrees=assessment.disagreement or (alone is not None and len(figures) > 1),
        alone=alone,
        confidence=confidence,
        text=text if alone is None else f"{text}; nobody else says {alone}",
    )


def _figures(guarded: Guarded, assessment: Assessment, instrument: Instrument) -> list[Figure]:
    """All that is said of where the position is liquidated, with who says so."""
    stream, query = guarded.stream, guarded.query
    is_read = query is not None and (stream is None or query.at_ns > stream.at_ns)
    spoken = {"stream": stream, "query": query}
    found = []
    for name, witness in spoken.items():
        believed = (name == "query") is is_read
        price = guarded.position.liquidation_price if believed else _said(witness)
        if price is not None and _is_inside(price, instrument):
            found.append(Figure(price=price, source=name, is_candidate=believed))
    own, confidence = assessment.own, assessment.own.confidence
    if own.price is not None and confidence is not None:
        found.append(Figure(price=own.price, source="own", stands_alone=confidence.stands_alone))
    if own.price_less_orders is not None:
        found.append(Figure(price=own.price_less_orders, source="own", is_candidate=False))
    if guarded.common_price is not None:
        found.append(Figure(price=guarded.common_price, source="own", stands_alone=True))
    return found


def _said(witness: Witness | None) -> Decimal | None:
    return None if witness is None else witness.liquidation_price


def _has_room(draft: Draft, guarded: Guarded, side: Side, price: Decimal) -> bool:
    """Whether a stop can rest in front of a liquidation price now; so it seems while the mark is not known."""
    mark = usable_mark(draft, guarded.position.key.symbol)
    wanted = liquidation_buffer.trigger(side, price, guarded.position.entry_price, draft.policy.stop)
    return mark is None or not is_through(side, wanted, mark.price)


def _in_range(position: Position, instrument: Instrument) -> Decimal | None:
    price = position.liquidation_price
    return price if price is not None and _is_inside(price, instrument) else None


def _is_inside(price: Decimal, instrument: Instrument) -> bool:
    return price.is_finite() and instrument.tick_size < price < instrument.max_price


def _shown(price: Decimal | None) -> str:
    return "none" if price is None else str(price)


def mark_margins_stale(draft: Draft, currency: str) -> None:
    """Note that the rows of a currency changed, so its common failure has to be worked out again."""
    draft.set_stale(currency, is_stale=True)
