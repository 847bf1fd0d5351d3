"""Choices the embedded exchange makes where the real venue's behaviour is not known.

Why: a guard has to survive both answers, so each doubtful behaviour is one switch and a test can
run with it either way. The defaults are the likely behaviour, or the cautious one where nothing
is known. Source of each doubt: `docs/venue-facts.md`.
"""

from __future__ import annotations

from enum import Enum

import msgspec


class ClientIdReuse(Enum):
    """Which used `clOrdID` of an account is refused when it comes again."""

    NEVER = "never"  # refused for ever, whatever became of the first order
    WHEN_CLOSED = "when_closed"  # refused only among the orders that are still open


class MarginEngine(Enum):
    """Which rules say what positions lock and when they fail."""

    NEW = "new"  # cross positions share the equity and lock maintenance only (since March 2024)
    LEGACY = "legacy"  # every position has a margin of its own; cross ones draw on the free margin


class SelfTrade(Enum):
    """What happens where an order would meet one of its own account; they never trade."""

    CANCEL_RESTING = "cancel_resting"  # the resting one goes, the other trades on
    CANCEL_TAKING = "cancel_taking"  # what is left of the arriving one goes


class LiquidationStyle(Enum):
    """How the execution of a liquidation looks."""

    TRADE = "trade"  # execType Trade, text Liquidation (rows of 2017 to 2024)
    LIQUIDATION = "liquidation"  # execType Liquidation (what newer clients expect)


class DisarmedAnswer(Enum):
    """What `cancelTime` reads when the dead man's switch has been switched off."""

    NULL = "null"
    ABSENT = "absent"
    EMPTY = "empty"  # ""
    ZERO = "zero"  # 0


class Switches(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's choices; wire-level choices (row style, keys, delays) belong to the server."""

    # A mark jump across both a stop and the liquidation price liquidates: no protection is assumed.
    liquidation_first: bool = True
    # A trigger price that is met exactly fires.
    trigger_at_equality: bool = True
    # A stop placed beyond its trigger: False fires it at once, True refuses it with 400.
    refuse_crossed_stops: bool = False
    # A Close order without a quantity shows the position at placement as `orderQty`.
    close_shows_quantity: bool = False
    client_id_reuse: ClientIdReuse = ClientIdReuse.NEVER
    liquidation_style: LiquidationStyle = LiquidationStyle.TRADE
    margin_engine: MarginEngine = MarginEngine.NEW
    # How long a position stands in `Liquidation`, refusing orders, before it is reduced or taken over.
    liquidation_delay_ms: int = 0
    # The insurance fund's balances at the start, in minor units by currency.
    insurance_fund: dict[str, int] = msgspec.field(
        default_factory=lambda: {"XBt": 3_500_000_000_000, "USDt": 20_000_000_000_000}
    )
    # Funding is exchanged at 04:00, 12:00 and 20:00 UTC of the protocol's clock instead of the tape's. The command
    # switches it on where it plays calm prices in real time, so that the stamps are the venue's.
    funding_by_protocol_clock: bool = False
    # The part of the next funding that a position has to pay counts as maintenance.
    funding_in_maintenance: bool = True
    # `initMargin` of open orders lowers the equity behind a cross liquidation price as well.
    order_margin_in_liquidation: bool = False
    # A finished order or an unknown id in a cancel: False answers a row with `error`, True a 404.
    unknown_cancel_is_404: bool = False
    self_trade: SelfTrade = SelfTrade.CANCEL_RESTING
    # Market orders trade no further than 5 % beyond the touch and the mark; larger limits are refused there.
    fat_finger_protection: bool = True
    # `contingencyType` works; False refuses it, as the venue has since November 2018.
    linked_orders: bool = False
    # Answers say PendingNew, PendingReplace, PendingCancel, and the stream tells what became of it.
    pending_answers: bool = False
    # A failed amend or cancel shows on `execution` as AmendReject or CancelReject.
    reject_executions: bool = True
    # An order that adds to a position at a price it will not live to see is refused.
    refuse_beyond_liquidation: bool = True
    disarmed_answer: DisarmedAnswer = DisarmedAnswer.NULL
    max_open_orders: int = 200  # per account and symbol
    max_stop_orders: int = 10  # per account and symbol
    max_linked_orders: int = 10  # per account and symbol
