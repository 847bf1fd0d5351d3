"""How well an open order, or the size of a position, is known, and from whom."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.vocabulary import Order


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownOrder:
    """An open order and how well it is known."""

    order: Order
    taken_ns: int
    is_confirmed: bool
    """The order stream or a query said so; an HTTP answer alone is only *submitted*."""
    is_doubted: bool = False
    """Ours, and missing from a list: it counts for nothing until the venue was asked."""
    seen_ns: int = 0
    """When a witness last showed it: the stream's row was taken in, or the question that showed it was asked."""
    seen_by: str = ""
    """Which witness that was ("stream", "query"); empty while only an answer to our own request speaks of it."""
    first_ns: int = 0
    """When a witness first showed it; 0: before this was noted."""
    is_told: bool = False
    """The account stream told it, or listed it when it was opened last."""
    denied_ns: int = 0
    """Ours: since when questions by its name do not show it, although it was there and no end of it was told."""
    is_left_out: bool = False
    """The live table left it out when it was listed last, and only reads, of which copies may lag, show it since."""
    ended_ns: int = 0
    """When an execution told that it is over; its own row has yet to say so."""

    @property
    def is_settled(self) -> bool:
        """Seen resting by a witness, and nobody who was asked since knows otherwise."""
        return self.is_confirmed and not self.is_doubted and not self.denied_ns

    @property
    def is_asked_about(self) -> bool:
        """Whether the venue has yet to say what became of it; one that was denied has been asked for."""
        return self.is_doubted or not (self.is_confirmed or self.denied_ns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Witness:
    """What one source last said of a position's size, and where it is liquidated."""

    quantity: int
    at_ns: int
    liquidation_price: Decimal | None = None
    before_ns: int = 0
    """When this source said the same quantity the time before; 0: it did not."""
    stamp_ns: int = 0
    """The venue's own stamp of the row; 0: it had none, or there was no row."""
    changed_ns: int = 0
    """The venue's own stamp of the row with which this source came to say this quantity; 0: it never said another."""
    is_contradictory: bool = False
    """It says flat, and other cells of the same row say that something is held."""
