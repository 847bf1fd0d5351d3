"""What an operator may ask of a running guard, as values: the same in the socket's line, the event and the journal.

Why tagged structs, where everything else is a dataclass: these are read back from JSON (socket, journal) as one union,
so each carries its name in the field `type`.

Pure: no input or output.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from connectors.vocabulary import Side


class LiftLatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """End a latch."""

    name: str
    """Of one latch; empty: all of them."""


class FlattenAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Close these positions, or all, and keep them closed until lifted."""

    symbols: tuple[str, ...] = ()
    """Empty: the whole account."""


class FreezeAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Cancel the orders that may add exposure, and every new one, until lifted."""


class SetStop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Ask for a fixed stop price. It joins the other rules: the price nearest the mark wins."""

    symbol: str
    side: Side
    """Of the position: the request is void once it turned."""
    price: Decimal
    may_loosen: bool = False
    """The one way to move a stop away from the mark (P3)."""


class ClearStop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Forget the fixed stop price of a symbol. The stop stays where it is: nothing loosens by this."""

    symbol: str


class PauseAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Do nothing of your own for a time."""

    seconds: int


class ShadowAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Do nothing at all for a time, and say what would be done."""

    seconds: int


class ResumeAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """End a pause or a shadow."""


class AcknowledgeAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Take on what stands: it is not repeated until it gets worse."""

    key: str = ""
    """Of a group ("distance", "cover"); empty: all of them."""
    comment: str = ""


class SilenceAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Do not tell of some facts for a time. An emergency is told all the same."""

    seconds: int
    comment: str
    """Why: whoever comes next reads it."""
    topic: str = ""
    state: str = ""
    symbol: str = ""
    """Each exact, or a pattern with `*`; empty: any."""


class UnsilenceAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """End a silence."""

    name: str = ""
    """Of one ("s1"); empty: all of them."""


OperatorRequest = (
    LiftLatch
    | FlattenAsked
    | FreezeAsked
    | SetStop
    | ClearStop
    | PauseAsked
    | ShadowAsked
    | ResumeAsked
    | AcknowledgeAsked
    | SilenceAsked
    | UnsilenceAsked
)
