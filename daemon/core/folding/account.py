"""Fold position, margin, contract and mark rows into the view.

Why: two witnesses speak of a position, the live stream and REST reads, and they are never of one instant. The newer row
is believed, with one exception: that a position is *gone* is believed from the stream's explicit zero row, and from an
absence or a REST zero only when the other witness agrees. An empty list alone says nothing. Nor is a read believed
whose row the venue stamped earlier than what the stream has told: it comes from a copy that lags behind.

Times of witnesses: a stream row counts from when it was taken in, a REST row from when the read was *asked*, so a
stream row that arrived while a read was under way outranks it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from config.policy import Tier
from connectors.vocabulary import Instrument, Margin, Position
from daemon.core.account_rules import averaging_down
from daemon.core.altered import altered
from daemon.core.draft import Draft
from daemon.core.events import Source
from daemon.core.margin.own_liquidation import ONE_WAY
from daemon.core.market.room import mark_margins_stale
from daemon.core.memory.episode import Former
from daemon.core.memory.witnesses import Witness
from daemon.core.protecting import stop_facts
from daemon.core.reasons import Reason
from daemon.core.state import Guarded, Liquidation, Mark
from daemon.core.volatility import after_mark

FORGET_AFTER_NS: Final = 60 * 10**9
"""A flat position is remembered this long, so that an old row cannot bring it back as a new one."""


def take_instrument(draft: Draft, instrument: Instrument) -> None:
    """Fold a contract's figures."""
    if draft.instruments.get(instrument.symbol) == instrument:
        return
    draft.put_instrument(instrument)
    if instrument.symbol in draft.positions:
        draft.touch(instrument.symbol, reassess=True)
        mark_margins_stale(draft, draft.positions[instrument.symbol].position.currency)


def take_mark(draft: Draft, symbol: str, mark: Mark) -> None:
    """Fold a mark price; nonsense is ignored and the old one grows stale."""
    known = draft.marks.get(symbol)
    if not mark.price.is_finite() or mark.price <= 0 or (known is not None and known.at_ns > mark.at_ns):
        return
    draft.put_mark(symbol, mark)
    before = draft.volatility.get(symbol)
    after = after_mark(before, mark.price, mark.at_ns, draft.policy.volatility)
    if after is not before:
        draft.put_volatility(symbol, after)
    stop_facts.take_mark(draft, symbol, mark.price)
    guarded = draft.positions.get(symbol)
    if guarded is not None:
        # Without a price in range the figures were judged without this mark, or with one that had passed them.
        draft.touch(symbol, reassess=guarded.liquidation.price is None)


def take_margin(draft: Draft, margin: Margin) -> None:
    """Fold a margin row."""
    known = draft.margins.get(margin.currency)
    if margin.account != draft.account or (known is not None and known.timestamp_ns > margin.timestamp_ns):
        return
    draft.put_margin(margin)
    stop_facts.take_equity(draft, margin.currency)
    mark_margins_stale(draft, margin.currency)


def take_positions_listed(draft: Draft, positions: tuple[Position, ...], at_ns: int) -> None:
    """Fold the stream's whole table; what is not in it is gone by this witness."""
    draft.positions_listed_ns = at_ns
    for position in positions:
        take_position(draft, position, Source.STREAM, at_ns)
    _note_absent(draft, positions, Source.STREAM, at_ns)


def take_positions_read(draft: Draft, positions: tuple[Position, ...], asked_ns: int) -> None:
    """Fold the positions of a REST picture."""
    for position in positions:
        take_position(draft, position, Source.QUERY, asked_ns)
    _note_absent(draft, positions, Source.QUERY, asked_ns)


def _note_absent(draft: Draft, positions: tuple[Position, ...], source: Source, at_ns: int) -> None:
    present = {position.key.symbol for position in positions if position.key.strategy == ONE_WAY}
    for symbol, guarded in list(draft.positions.items()):
        if symbol not in present:
            _testify_gone(draft, symbol, guarded, source, at_ns)


def take_position(draft: Draft, position: Position, source: Source, at_ns: int) -> None:
    """Fold one position row.

    Args:
        draft: The step at work.
        position: The row.
        source: Who said so.
        at_ns: When it was taken in (stream) or asked for (query).
    """
    key = position.key
    if key.account != draft.account:
        return
    if key.strategy != ONE_WAY:
        draft.set_hedged(f"{key.symbol}:{key.strategy}", position.quantity)
        return
    guarded = draft.positions.get(key.symbol)
    if guarded is None:
        if position.quantity:
            _begin(draft, position, source, at_ns)
        return
    witness = _witness(position, at_ns)
    if _is_outranked(guarded, source, at_ns) or _is_of_the_past(guarded, source, position):
        _note_witness(draft, key.symbol, guarded, source, witness)
        return
    if source is Source.QUERY and position.quantity == 0 and guarded.position.quantity:
        _testify_gone(draft, key.symbol, guarded, source, at_ns)
        return
    _believe(draft, _testified(guarded, source, witness), position, at_ns)


def _witness(position: Position, at_ns: int) -> Witness:
    return Witness(
        quantity=position.quantity,
        at_ns=at_ns,
        liquidation_price=position.liquidation_price,
        stamp_ns=position.timestamp_ns,
        is_contradictory=position.quantity == 0 and bool(position.cost_sat or position.maintenance_sat),
    )


def _is_outranked(guarded: Guarded, source: Source, at_ns: int) -> bool:
    """Whether the other witness, or this one, has said something newer."""
    stream_ns = 0 if guarded.stream is None else guarded.stream.at_ns
    query_ns = 0 if guarded.query is None else guarded.query.at_ns
    if source is Source.QUERY:
        return stream_ns >= at_ns > 0 or query_ns > at_ns
    return stream_ns > at_ns


def _is_of_the_past(guarded: Guarded, source: Source, position: Position) -> bool:
    """Whether the stream has told of a change since the row was stamped: the read is of a copy that lags behind.

    The stream's latest row is no measure: it may be younger for a move of the mark alone.
    """
    if source is Source.STREAM or guarded.stream is None or not position.quantity:
        return False
    return 0 < position.timestamp_ns < guarded.stream.changed_ns


def _testified(guarded: Guarded, source: Source, witness: Witness) -> Guarded:
    before = guarded.stream if source is Source.STREAM else guarded.query
    if before is not None:
        if before.quantity == witness.quantity:
            witness = replace(witness, before_ns=before.at_ns, changed_ns=before.changed_ns)
        else:
            witness = replace(witness, changed_ns=witness.stamp_ns)
    if source is Source.STREAM:
        return altered(guarded, stream=witness)
    return altered(guarded, query=witness)


def _testify_gone(draft: Draft, symbol: str, guarded: Guarded, source: Source, at_ns: int) -> None:
    """One witness says that a position is gone, without an explicit row of the live table: the other has to agree."""
    if _is_outranked(guarded, source, at_ns):
        _note_witness(draft, symbol, guarded, source, Witness(quantity=0, at_ns=at_ns))
        return
    spoken = _testified(guarded, source, Witness(quantity=0, at_ns=at_ns))
    other = spoken.stream if source is Source.QUERY else spoken.query
    # The stream goes on testifying by its silence; a read speaks for its own moment only.
    timely = source is Source.QUERY or (other is not None and other.at_ns >= guarded.turned_ns)
    agreed = other is not None and other.quantity == 0 and timely
    if agreed or guarded.position.quantity == 0:
        _believe(draft, spoken, replace(guarded.position, quantity=0), at_ns)
        return
    if source is Source.QUERY:
        _note_disputed(draft, symbol, spoken, at_ns)
    else:
        draft.put_position(symbol, spoken)
        draft.want_picture(Reason.DOUBT, at_ns + 1)


def _note_disputed(draft: Draft, symbol: str, spoken: Guarded, at_ns: int) -> None:
    """A read says flat against the stream: one more read at once, since the stream's row may be under way.

    Further reads would only say it again, and cost what the bots live on: the slow cycle is enough for them.
    """
    draft.put_position(symbol, replace(spoken, disputed_ns=spoken.disputed_ns or draft.now_ns))
    draft.touch(symbol)
    if not spoken.disputed_ns:
        draft.want_picture(Reason.DOUBT, at_ns + 1)


def _note_witness(draft: Draft, symbol: str, guarded: Guarded, source: Source, witness: Witness) -> None:
    """A read that a newer stream row outranks still testifies for its moment, and changes no figures."""
    known_ns = 0 if guarded.query is None else guarded.query.at_ns
    if source is Source.QUERY and witness.at_ns > known_ns:
        noted = _testified(guarded, source, witness)
        draft.put_position(symbol, replace(noted, disputed_ns=0) if witness.quantity else noted)
        # What it says of the liquidation price may bear out, or contradict, the row that is believed.
        draft.touch(symbol, reassess=not guarded.liquidation.is_sure)


def _begin(draft: Draft, position: Position, source: Source, at_ns: int) -> None:
    """A position becomes known."""
    fresh = Guarded(position=position, taken_ns=at_ns, sized_ns=at_ns)
    if source is Source.QUERY and draft.positions_listed_ns:
        # The stream listed its table without it: by that witness it was not there then.
        fresh = altered(fresh, stream=Witness(quantity=0, at_ns=min(draft.positions_listed_ns, at_ns - 1)))
    witness = _witness(position, at_ns)
    if source is Source.STREAM and 0 < draft.positions_listed_ns < at_ns:
        witness = replace(witness, changed_ns=witness.stamp_ns)  # Its live table was without it before.
    fresh = _testified(fresh, source, witness)
    draft.put_position(position.key.symbol, _new_episode(draft, fresh, at_ns))
    draft.touch(position.key.symbol, reassess=True)
    mark_margins_stale(draft, position.currency)


def _believe(draft: Draft, guarded: Guarded, position: Position, at_ns: int) -> None:
    """Take a row as the truth."""
    symbol = position.key.symbol
    before = guarded.position.side
    sized_ns = guarded.sized_ns if position.quantity == guarded.position.quantity else at_ns
    after = altered(guarded, position=position, taken_ns=at_ns, sized_ns=sized_ns)
    averaging_down.note_growth(draft, guarded, position)
    if after.disputed_ns and (position.quantity == 0 or (after.query is not None and after.query.quantity)):
        after = altered(after, disputed_ns=0)
    if position.side is before:
        after = altered(after, episode=stop_facts.continued(draft, guarded, position))
    else:
        after = _ended(draft, after, at_ns) if position.side is None else _turned(draft, guarded, after, at_ns)
    draft.put_position(symbol, after)
    draft.touch(symbol, reassess=True)
    mark_margins_stale(draft, position.currency)


def _turned(draft: Draft, before: Guarded, after: Guarded, at_ns: int) -> Guarded:
    """A position opened or turned; one that reads turned round and back, to the same entry price, keeps its ratchet."""
    fresh, was, now = _new_episode(draft, after, at_ns), before.position, after.position
    if not was.quantity:
        return altered(fresh, former=None)
    known = before.former
    is_back = known is not None and (known.quantity, known.entry_price) == (now.quantity, now.entry_price)
    ratchet = known.ratchet if known is not None and is_back and now.entry_price is not None else None
    former = Former(quantity=was.quantity, entry_price=was.entry_price, ratchet=before.ratchet)
    return altered(fresh, ratchet=ratchet, former=former)


def _new_episode(draft: Draft, guarded: Guarded, at_ns: int) -> Guarded:
    """A position opened, or turned round: nothing of the old one's cover counts for it.

    Writes that are still open are kept: their outcome has to be known all the same.
    """
    return altered(
        guarded,
        known_ns=draft.now_ns,
        turned_ns=at_ns,
        flat_ns=0,
        is_from_start=not draft.was_whole,
        in_breach=False,
        liquidation=Liquidation(),
        common_price=None,
        episode=stop_facts.begun(draft, guarded.position),
        bracket=stop_facts.bracket_begun(draft, guarded),
        exit_ns=0,
        shadows=(),
        silences=(),
        silent_ns=0,
        ruled=None,
        ruled_by="",
        ruled_why="",
        ratchet=None,
        covered_ns=0,
        uncovered_ns=draft.now_ns,
        was_covered=False,
        denied_ns=0,
        protected_by=(),
        naked_told_ns=0,
        disagrees_ns=0,
        retry_at_ns=0,
        pause_ns=0,
        reduce_at_ns=0,
        reduce_pause_ns=0,
        reduced_ns=0,
        reductions=0,
        through_ns=0,
        fired_ns=0,
        cut_off_ns=0,
        was_liquidated=False,
        was_told_out=False,
        tier=Tier.CALM,
        refusal="",
        observed="",
    )


def _ended(draft: Draft, guarded: Guarded, at_ns: int) -> Guarded:
    """A position went flat; what is left of its stops is cleared once both witnesses agree."""
    return altered(
        guarded, flat_ns=draft.now_ns, turned_ns=at_ns, covered_ns=0, uncovered_ns=0, protected_by=(), ruled=None
    )


def is_agreed(guarded: Guarded) -> bool:
    """Whether both witnesses agree on the direction (or flatness) that is believed, since it began."""
    stream, query = guarded.stream, guarded.query
    if stream is None or query is None or query.at_ns < guarded.turned_ns:
        return False
    sign = _sign(guarded.position.quantity)
    return _sign(stream.quantity) == sign == _sign(query.quantity)


def is_size_agreed(guarded: Guarded) -> bool:
    """Whether a read that was asked since the present size was first seen says it too, and the stream no other."""
    stream, query, quantity = guarded.stream, guarded.query, guarded.position.quantity
    if query is None or query.at_ns < guarded.sized_ns or query.quantity != quantity:
        return False
    return stream is None or stream.quantity == quantity


def _sign(quantity: int) -> int:
    return (quantity > 0) - (quantity < 0)
