"""When a position counts as flat: three witnesses that agree, none of which is an empty list alone.

1. The account's stream, live and listed on this connection: a row at zero whose other cells do not say otherwise, or a
   table without the position.
2. A read over REST, asked after the last change and after the stream spoke: a row at zero, or a list without it.
3. The margin row of the settlement currency: no maintenance margin is in use. It is kept by another part of the venue
   than the position table, so what is wrong with that table is not wrong with it.

Why three: stream and read may come from one table, and an empty answer of a sick front-end looks like a flat account.
What goes by this cannot be taken back: the last stop is cancelled, a flatten is called done.

When one of them cannot speak. The margin row is silent where another position of that currency is open, where balances
of several currencies stand for each other, or where it was not read since: then a second read in its place, later than
the first. Where the margin row *denies* it, two reads do not outvote it: the stop stays, `position_disputed` is told,
and the stream is opened anew. Without the stream, or without any read, nothing is proved; a stop that is left behind
can only shrink a position.
"""

from __future__ import annotations

from enum import Enum

from daemon.core.draft import Draft
from daemon.core.memory.witnesses import Witness
from daemon.core.reasons import Reason
from daemon.core.state import Guarded, GuardState


class Word(Enum):
    """What a witness says of a position being flat."""

    AGREES = "agrees"
    DENIES = "denies"
    SILENT = "silent"


def is_flat(draft: Draft, guarded: Guarded, since_ns: int) -> bool:
    """Whether three witnesses agree, none of them older than `since_ns`; if not, what is missing is asked for."""
    from_ns = max(since_ns, guarded.turned_ns, draft.positions_listed_ns)
    if not draft.positions_listed_ns or says_flat(guarded.stream) is not Word.AGREES:
        draft.want_picture(Reason.DOUBT, from_ns)
        return False
    query = guarded.query
    if query is None or query.at_ns < from_ns or says_flat(query) is not Word.AGREES:
        draft.want_picture(Reason.DOUBT, from_ns)
        return False
    third = margin_says(draft, guarded, from_ns)
    _note_denial(draft, guarded, is_denied=third is Word.DENIES)
    if third is Word.SILENT and query.before_ns < max(guarded.turned_ns, draft.positions_listed_ns):
        draft.want_picture(Reason.DOUBT, query.at_ns + 1)
        return False
    return third is not Word.DENIES


def says_flat(witness: Witness | None) -> Word:
    """What stream or read says of the position."""
    if witness is None:
        return Word.SILENT
    return Word.DENIES if witness.quantity or witness.is_contradictory else Word.AGREES


def margin_says(view: Draft | GuardState, guarded: Guarded, from_ns: int) -> Word:
    """What the newest margin row of the position's currency says, read since `from_ns`."""
    symbol, currency = guarded.position.key.symbol, currency_of(view, guarded)
    row = view.margins.get(currency)
    if row is None or row.is_multi_asset or view.hedged or not is_margin_read(view, currency, from_ns):
        return Word.SILENT
    others = (each for name, each in view.positions.items() if name != symbol and each.position.quantity)
    if any(currency_of(view, each) in {currency, ""} for each in others):
        return Word.SILENT
    return Word.DENIES if row.maintenance_margin_sat else Word.AGREES


def is_margin_read(view: Draft | GuardState, currency: str, from_ns: int) -> bool:
    """Whether the picture of since then had the row."""
    pictures = view.pictures
    return pictures.taken_ns >= from_ns and any(each.currency == currency for each in pictures.margins)


def currency_of(view: Draft | GuardState, guarded: Guarded) -> str:
    """The settlement currency; empty where nothing tells it."""
    instrument = view.instruments.get(guarded.position.key.symbol)
    return guarded.position.currency or ("" if instrument is None else instrument.settlement_currency)


def _note_denial(draft: Draft, guarded: Guarded, *, is_denied: bool) -> None:
    if is_denied != bool(guarded.denied_ns):
        draft.change(guarded.position.key.symbol, denied_ns=draft.now_ns if is_denied else 0)
