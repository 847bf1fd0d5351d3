"""Our own liquidation and bankruptcy price of one recorded row, shown as the venue would show them.

Why: `seawall calc row` answers for rows of any age, whole or not, with the arithmetic that guards accounts. What the
row leaves open is decided by the row (engine, margin mode, end of the range), and how sure that is stands beside it.

Three ways, the best that the row allows: from its own margins (isolated), from the account's balance (cross with its
margin row), or from its own bankruptcy price (cross of the legacy engine alone: to a tick or two).

Units: prices in the quote currency. Source: docs/venue-facts.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from connectors.bitmex.protocol.parse import parse_instrument, parse_margin, parse_position
from connectors.vocabulary import ContractKind, Instrument, Margin, Position
from daemon.calc.row_cells import Cells, amount, ratio
from daemon.calc.row_sums import (
    HIGHEST,
    LEGACY_END,
    Reading,
    complete,
    contract_kind,
    reads_as_cross,
    reads_as_legacy,
)
from daemon.core.bracket import bankruptcy_from_liquidation, liquidation_from_bankruptcy, shown_price
from daemon.core.confidence import Confidence, weaker
from daemon.core.contracts import is_price, value_per_lot
from daemon.core.own_liquidation import (
    BoundaryValues,
    NotComputable,
    boundary_values,
    confidence_of,
    consistent_margin,
    maintenance_sat,
)

NO_CONTRACT: Final = "no_contract"
"""The instrument lacks what no price can be told without: multiplier or tick size."""
_NEAR: Final = Decimal("0.01")
"""Share of the price by which a margin row of a neighbouring instant may miss the row's own bankruptcy price."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinion:
    """What we make of one row."""

    reading: Reading
    liquidation_price: Decimal | None = None
    bankruptcy_price: Decimal | None = None
    possible: tuple[Decimal, Decimal] | None = None
    """Where the row leaves more than one tick open: the farthest and the nearest liquidation price."""
    confidence: Confidence | None = None
    is_in_range: bool = True
    reason: str = ""
    notes: list[str] = field(default_factory=list)


def opinion(position: Cells, instrument: Cells, margin: Cells | None) -> Opinion:
    """Return our figures for clean rows (`row_cells.clean`); never raises for what rows may hold."""
    is_cross = reads_as_cross(position, instrument)
    kind = contract_kind(position, instrument)
    reading = Reading(
        position=dict(position),
        instrument=dict(instrument),
        kind=kind,
        is_cross=is_cross,
        is_legacy=reads_as_legacy(position, is_cross=is_cross),
    )
    if not amount(position, "currentQty") or position.get("isOpen") is False:
        missing = "currentQty" not in position and position.get("isOpen") is not False
        return Opinion(reading=reading, reason=(NotComputable.MISSING_FIELDS if missing else NotComputable.FLAT).value)
    complete(reading)
    contract = _contract(reading)
    if contract is None:
        return Opinion(reading=reading, reason=NO_CONTRACT)
    row = _position(reading)
    found = _weighed(reading, row, contract, _margin(margin, row))
    return found if "crossMargin" in position else _mode_settled(found, row, contract)


def _contract(reading: Reading) -> Instrument | None:
    """The instrument, the end of its range that of its engine; figures that no boundary needs are filled in."""
    cells = reading.instrument
    if "multiplier" not in cells:
        found = _likely_multiplier(reading)
        if found:
            cells["multiplier"] = found
            reading.guessed.append("multiplier")
    if ratio(cells, "tickSize") is None or not amount(cells, "multiplier"):
        return None
    lot = amount(cells, "lotSize")
    if lot is None or lot <= 0:
        reading.guessed.append("lotSize")
        lot = _likely_lot(reading)
    base = ratio(reading.position, "maintMarginReq") or Decimal(0)
    filled = {
        "maxPrice": HIGHEST,
        "maxOrderQty": 1,
        "initMargin": 2 * base,
        "maintMargin": base,
        "symbol": reading.position.get("symbol") or "?",
        "settlCurrency": reading.position.get("currency") or "?",
        **cells,
        "lotSize": lot,
        "typ": "",
    }
    if reading.is_legacy:
        filled["maxPrice"] = LEGACY_END
    contract = parse_instrument(filled)
    return None if contract is None else replace(contract, kind=reading.kind)


def _likely_multiplier(reading: Reading) -> int | None:
    """The round number that explains what the row's contracts are worth at its mark; None where none does."""
    value, mark = reading.get("markValue"), ratio(reading.position, "markPrice")
    contracts = reading.get("currentQty")
    if not value or not contracts or mark is None or not is_price(mark):
        return None
    each = abs(Decimal(value) / contracts)
    worth = each * mark if reading.kind is ContractKind.INVERSE else each / mark
    found = round(worth, -worth.adjusted())
    if worth < 1 or abs(found - worth) > _NEAR * worth:
        return None
    return -int(found) if reading.kind is ContractKind.INVERSE else int(found)


def _likely_lot(reading: Reading) -> int:
    """The largest usual lot that explains the row's value at its mark; one where none does."""
    value, mark = reading.get("markValue"), ratio(reading.position, "markPrice")
    contracts = abs(reading.get("currentQty") or 0)
    if value is None or mark is None or not is_price(mark):
        return 1
    probe = parse_instrument(
        {**_PROBE, "multiplier": reading.instrument["multiplier"], "isInverse": reading.kind is ContractKind.INVERSE}
    )
    for lot in (1000, 100):
        if probe is not None and contracts % lot == 0:
            worth = contracts // lot * value_per_lot(replace(probe, kind=reading.kind, lot_size=lot), mark)
            if worth == abs(value):
                return lot
    return 1


_PROBE: Final[Cells] = {
    "symbol": "?",
    "settlCurrency": "?",
    "lotSize": 1,
    "tickSize": Decimal(1),
    "maxPrice": HIGHEST,
    "maxOrderQty": 1,
    "initMargin": Decimal(1),
    "maintMargin": Decimal(1),
}


def _position(reading: Reading) -> Position:
    cells = reading.position
    named = {
        "account": 0,
        "symbol": reading.instrument.get("symbol") or "?",
        "currency": reading.instrument.get("settlCurrency") or "?",
        **cells,
        "crossMargin": reading.is_cross,
    }
    return parse_position(named)


def _margin(cells: Cells | None, position: Position) -> Margin | None:
    """The margin row, its wallet balance worked out where only its sums are there; None where that cannot be."""
    if cells is None:
        return None
    filled: Cells = {"account": position.key.account, "currency": position.currency, **cells}
    if "walletBalance" not in filled and "amount" not in filled:
        balance, available = amount(filled, "marginBalance"), amount(filled, "availableMargin")
        if balance is None and available is not None:
            balance = available + (amount(filled, "initMargin") or 0) + (amount(filled, "maintMargin") or 0)
        if balance is None:
            return None
        filled["walletBalance"] = balance - (amount(filled, "unrealisedPnl") or 0)
    return parse_margin(filled)


def _weighed(reading: Reading, row: Position, contract: Instrument, margin: Margin | None) -> Opinion:
    if not row.is_cross:
        return _from_values(reading, row, contract, boundary_values(row, contract, None))
    notes: list[str] = []
    if margin is not None:
        found = [
            _from_values(reading, row, contract, boundary_values(row, contract, m)) for m in _instants(margin, row)
        ]
        chosen = next((one for one in found if _agrees(one, row)), found[0])
        if not reading.is_legacy or _agrees(chosen, row) or _is_elsewhere(chosen, row):
            return chosen
        notes.append(
            f"margin row not used: {chosen.reason}"
            if chosen.reason
            else "margin row of another instant: it misses the row's own bankruptcy price"
        )
    if reading.is_legacy:
        return replace(_from_bankruptcy(reading, row, contract), notes=notes)
    return Opinion(reading=reading, reason=NotComputable.NO_MARGIN_ROW.value, notes=notes)


def _instants(margin: Margin, row: Position) -> list[Margin]:
    """The margin row brought to the instant of the position, as if it were the only one; then as it stands."""
    return [consistent_margin(margin, [row]), margin] if _is_alone(margin, row) else [margin]


def _is_alone(margin: Margin, row: Position) -> bool:
    """Whether the margin row counts no other position: what it locks less its profit is this row's, about."""
    if margin.maintenance_margin_sat == row.locked_sat:
        return True
    if row.fee_reserve_sat == row.initial_margin_sat == 0:
        return False  # what such a row locks does not move with the mark
    theirs = margin.maintenance_margin_sat - margin.unrealised_pnl_sat
    ours = row.locked_sat - row.unrealised_pnl_sat
    return abs(theirs - ours) <= abs(ours) // 4


def _agrees(found: Opinion, row: Position) -> bool:
    """Whether our bankruptcy price is the row's; a row without one contradicts nothing that was worked out."""
    if found.bankruptcy_price is None:
        return False
    return row.bankruptcy_price is None or found.bankruptcy_price == row.bankruptcy_price


def _is_elsewhere(found: Opinion, row: Position) -> bool:
    """Whether ours is so far from the row's bankruptcy price that they are two opinions, and ours is kept."""
    ours, theirs = found.bankruptcy_price, row.bankruptcy_price
    return ours is not None and theirs is not None and abs(ours - theirs) > _NEAR * theirs


def _from_values(
    reading: Reading, row: Position, contract: Instrument, values: BoundaryValues | NotComputable
) -> Opinion:
    side = row.side
    if isinstance(values, NotComputable) or side is None:
        reason = values if isinstance(values, NotComputable) else NotComputable.FLAT
        return Opinion(reading=reading, reason=reason.value)
    contracts = abs(row.quantity)
    price = shown_price(contract, side, contracts, values.liquidation)
    in_range = _is_in_range(reading, contract, price)
    confidence = confidence_of(row, contract, in_range=in_range)
    if not reading.is_legacy and not row.is_cross:
        confidence = Confidence.COMPUTED
    return Opinion(
        reading=reading,
        liquidation_price=price,
        bankruptcy_price=shown_price(contract, side, contracts, values.bankruptcy),
        confidence=_lowered(confidence, reading),
        is_in_range=in_range,
    )


def _lowered(confidence: Confidence, reading: Reading) -> Confidence:
    if reading.guessed:
        return weaker(confidence, Confidence.COMPUTED)
    return weaker(confidence, Confidence.STATED) if reading.rebuilt else confidence


def _from_bankruptcy(reading: Reading, row: Position, contract: Instrument) -> Opinion:
    """Cross of the legacy engine without its balance: one boundary from the other."""
    need = maintenance_sat(row, contract) - row.fee_reserve_sat
    bracket = liquidation_from_bankruptcy(row, contract, need)
    if bracket is None:
        other = bankruptcy_from_liquidation(row, contract, need)
        return Opinion(
            reading=reading,
            bankruptcy_price=None if other is None else other.price,
            reason=NotComputable.NO_MARGIN_ROW.value,
        )
    return Opinion(
        reading=reading,
        liquidation_price=bracket.price,
        bankruptcy_price=row.bankruptcy_price,
        possible=None if bracket.near == bracket.far else (bracket.far, bracket.near),
        confidence=_lowered(Confidence.DERIVED, reading),
        is_in_range=_is_in_range(reading, contract, bracket.price),
    )


def _is_in_range(reading: Reading, contract: Instrument, price: Decimal) -> bool:
    limit = min(contract.max_price, ratio(reading.instrument, "maxPrice") or HIGHEST)
    return 0 < price < limit


def _mode_settled(found: Opinion, row: Position, contract: Instrument) -> Opinion:
    """A row that does not name its margin mode: if margins of its own explain its bankruptcy price, it is isolated."""
    if row.bankruptcy_price is None or (found.bankruptcy_price == row.bankruptcy_price and not row.is_cross):
        return found
    alone = replace(found.reading, is_cross=False)
    tried = _from_values(
        alone, replace(row, is_cross=False), contract, boundary_values(replace(row, is_cross=False), contract, None)
    )
    return replace(tried, notes=found.notes) if tried.bankruptcy_price == row.bankruptcy_price else found
