"""Rows of instruments, positions and margins for tests of the margin arithmetic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.vocabulary import ContractKind, Instrument, Margin, Position, PositionKey

XBT = 100_000_000
HIGHEST = Decimal(1_000_000)


def an_instrument(kind: ContractKind = ContractKind.INVERSE, **changes: Any) -> Instrument:
    """A perpetual of today: XBTUSD, ETHUSDT or ETHUSD by its kind."""
    figures: dict[ContractKind, dict[str, Any]] = {
        ContractKind.INVERSE: {"symbol": "XBTUSD", "multiplier": -XBT, "lot_size": 100, "tick_size": Decimal("0.1")},
        ContractKind.LINEAR: {"symbol": "ETHUSDT", "multiplier": 10, "lot_size": 1000, "tick_size": Decimal("0.01")},
        ContractKind.QUANTO: {"symbol": "ETHUSD", "multiplier": 100, "lot_size": 1, "tick_size": Decimal("0.01")},
    }
    return Instrument(
        **{
            "kind": kind,
            "settlement_currency": "USDt" if kind is ContractKind.LINEAR else "XBt",
            "max_price": HIGHEST,
            "max_order_quantity": 10**8,
            "initial_margin_ratio": Decimal("0.01"),
            "maintenance_margin_ratio": Decimal("0.005"),
            "taker_fee": Decimal("0.0005"),
            **figures[kind],
            **changes,
        }
    )


def a_position(instrument: Instrument, quantity: int, **changes: Any) -> Position:
    """A row of the contract; money fields as given."""
    key = PositionKey(account=changes.pop("account", 1), symbol=instrument.symbol)
    return Position(**{"key": key, "quantity": quantity, "currency": instrument.settlement_currency, **changes})


def a_margin(wallet: int, *, unrealised: int = 0, initial: int = 0, maintenance: int = 0, **changes: Any) -> Margin:
    """A margin row whose sums agree."""
    return Margin(
        **{
            "account": 1,
            "currency": "XBt",
            "wallet_balance_sat": wallet,
            "margin_balance_sat": wallet + unrealised,
            "available_sat": wallet + unrealised - initial - maintenance,
            "initial_margin_sat": initial,
            "maintenance_margin_sat": maintenance,
            "unrealised_pnl_sat": unrealised,
            **changes,
        }
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RealRow:
    """One recorded position with its contract and, where known, its margin row."""

    index: int
    position: Position
    instrument: Instrument
    margin: Margin | None
    mark_value: int


def real_rows(folder: Path) -> list[RealRow]:
    """Every recorded position row."""
    with (folder / "positions" / "real-rows.jsonl").open() as lines:
        return [_real_row(json.loads(line, parse_float=Decimal)) for line in lines]


def _real_row(row: Mapping[str, Any]) -> RealRow:
    instrument = _instrument(row["instrument"], row["position"])
    position = _position(row["position"], instrument)
    margin = None if row["margin"] is None else _margin(row["margin"], position)
    return RealRow(
        index=row["index"],
        position=position,
        instrument=instrument,
        margin=margin,
        mark_value=row["position"]["markValue"],
    )


def _instrument(row: Mapping[str, Any], position: Mapping[str, Any]) -> Instrument:
    kind = ContractKind.QUANTO if row["isQuanto"] else ContractKind.LINEAR
    return Instrument(
        symbol=row["symbol"],
        kind=ContractKind.INVERSE if row["isInverse"] else kind,
        settlement_currency=position["currency"],
        multiplier=row["multiplier"],
        lot_size=row["lotSize"],
        tick_size=Decimal(row["tickSize"]),
        # The legacy engine's end of an inverse short is one hundred million, far above today's highest price.
        max_price=HIGHEST if "strategy" in position else Decimal(100_000_000),
        max_order_quantity=10_000_000,
        initial_margin_ratio=Decimal(row["initMargin"]),
        maintenance_margin_ratio=Decimal(row["maintMargin"]),
        taker_fee=Decimal(row["takerFee"]),
        funding_rate=Decimal(row["fundingRate"] or 0),
    )


def _position(row: Mapping[str, Any], instrument: Instrument) -> Position:
    return Position(
        key=PositionKey(account=row.get("account", 1), symbol=row["symbol"]),
        quantity=row["currentQty"],
        currency=row["currency"],
        entry_price=_decimal(row.get("avgEntryPrice")),
        is_cross=bool(row.get("crossMargin")),
        leverage=Decimal(row.get("leverage") or 0),
        liquidation_price=_decimal(row.get("liquidationPrice")),
        bankruptcy_price=_decimal(row.get("bankruptPrice")),
        mark_price=_decimal(row.get("markPrice")),
        maintenance_margin_ratio=_decimal(row.get("maintMarginReq")),
        commission=_decimal(row.get("commission")),
        cost_sat=row.get("posCost") or 0,
        unrealised_cost_sat=row.get("unrealisedCost") or 0,
        initial_margin_sat=row.get("posInit") or 0,
        fee_reserve_sat=row.get("posComm") or 0,
        margin_sat=row.get("posMargin") or 0,
        maintenance_sat=row.get("posMaint") or 0,
        locked_sat=row.get("maintMargin") or 0,
        unrealised_pnl_sat=row.get("unrealisedPnl") or 0,
    )


def _margin(row: Mapping[str, Any], position: Position) -> Margin:
    return Margin(
        account=position.key.account,
        currency=row["currency"],
        wallet_balance_sat=row["walletBalance"],
        margin_balance_sat=row["marginBalance"],
        available_sat=row["availableMargin"],
        initial_margin_sat=row["initMargin"],
        maintenance_margin_sat=row["maintMargin"],
        unrealised_pnl_sat=row["unrealisedPnl"],
        is_multi_asset=bool(row.get("foreignMarginBalance") or row.get("foreignRequirement")),
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)
