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

from connectors.bitmex.protocol.parse import parse_instrument, parse_position
from connectors.vocabulary import ContractKind, Instrument, Margin, Position
from daemon.calc.row_cells import Cells, amount, ratio
from daemon.calc.row_margin import instants, whole_margin
from daemon.calc.row_sums import (
    HIGHEST,
    LEGACY_END,
    Reading,
    complete,
    contract_kind,
    reads_as_cross,
    reads_as_legacy,
)
from daemon.core.margin.bracket import bankruptcy_from_liquidation, liquidation_from_bankruptcy, shown_price
from daemon.core.margin.confidence import Confidence, weaker
from daemon.core.margin.contracts import is_price, value_per_lot
from daemon.core.margin.own_liquidation import (
    BoundaryValues,
    NotComputable,
    boundary_values,
    confidence_of,
    maintenance_sat,
)

NO_CONTRACT: Final = "no_contract"
"""The instrument lacks what no price can be told without: multiplier or tick size."""
ANOTHER_INSTANT: Final = "margin row of another instant: it misses the row's own bankruptcy price"
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
    is_bankruptcy_taken_over: bool = False
    """Whether the bankruptcy price is the row's own word, and no opinion of ours."""
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    """What would have to be there for a figure, as "table.column"."""
    is_bankruptcy_in_range: bool = True
    is_of_this_instant: bool = False
    """Of a cross position: whether nothing speaks against its margin row being of the position's instant."""


def opinion(position: Cells, instrument: Cells, margin: Cells | None) -> Opinion:
    """Return our figures for clean rows (`row_cells.clean`); never raises for what rows may hold."""
    is_cross, is_mode_told = reads_as_cross(position, instrument)
    kind = contract_kind(position, instrument)
    told = reads_as_legacy(position, is_cross=is_cross)
    reading = Reading(
        position=dict(position),
        instrument=dict(instrument),
        kind=kind,
        is_cross=is_cross,
        is_legacy=told is not False,
        guessed=["engine"] if told is None else [],
    )
    if not amount(position, "currentQty") or position.get("isOpen") is False:
        if "currentQty" not in position and position.get("isOpen") is not False:
            reason = NotComputable.MISSING_FIELDS.value
            return Opinion(reading=reading, reason=reason, missing=("position.currentQty",))
        return Opinion(reading=reading, reason=NotComputable.FLAT.value)
    contract = _contract(reading)
    if contract is None:
        return Opinion(reading=reading, reason=NO_CONTRACT, missing=_absent(reading.instrument))
    complete(reading, contract)
    if reading.get("posMaint") is None:
        return Opinion(reading=reading, reason=NotComputable.MISSING_FIELDS.value, missing=_missing(reading))
    row = _position(reading)
    found = _weighed(reading, row, contract, margin)
    found = found if is_mode_told else _mode_settled(found, row, contract)
    return found if found.reason != NotComputable.MISSING_FIELDS.value else replace(found, missing=_missing(reading))


def _absent(instrument: Cells) -> tuple[str, ...]:
    return tuple(f"instrument.{name}" for name in ("multiplier", "tickSize") if not instrument.get(name))


def _missing(reading: Reading) -> tuple[str, ...]:
    """What a position lacks: its cost, else the ratio of its maintenance, else its own margin."""
    names: tuple[str, ...] = ("posMargin", "posInit", "leverage")
    if not reading.get("posCost"):
        names = ("posCost", "avgEntryPrice")
    elif reading.get("posMaint") is None:
        names = ("posMaint", "maintMarginReq")
    return tuple(f"position.{name}" for name in names)


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
    lot = amount(cells, "lotSize") or 0
    if not _is_lot_of(reading, lot):
        reading.guessed.append("lotSize")
        lot = _likely_lot(reading) or 1
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
    elif "maxPrice" not in cells:
        reading.guessed.append("maxPrice")
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


def _is_lot_of(reading: Reading, lot: int) -> bool:
    """Whether a row may be of contracts with this lot: lots changed over the years, and tables of today say today's."""
    if lot <= 0 or (reading.get("currentQty") or 0) % lot:
        return False
    likely = _likely_lot(reading)
    return likely is None or _explains_worth(reading, lot)


def _likely_lot(reading: Reading) -> int | None:
    """The largest usual lot that explains the row's value at its mark; None where none does."""
    return next((lot for lot in (1000, 100, 1) if _explains_worth(reading, lot)), None)


def _explains_worth(reading: Reading, lot: int) -> bool:
    value, mark = reading.get("markValue"), ratio(reading.position, "markPrice")
    contracts = abs(reading.get("currentQty") or 0)
    probe = parse_instrument(
        {**_PROBE, "multiplier": reading.instrument["multiplier"], "isInverse": reading.kind is ContractKind.INVERSE}
    )
    if value is None or mark is None or not is_price(mark) or probe is None or contracts % lot:
        return False
    return contracts // lot * value_per_lot(replace(probe, kind=reading.kind, lot_size=lot), mark) == abs(value)


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


def _weighed(reading: Reading, row: Position, contract: Instrument, cells: Cells | None) -> Opinion:
    if not row.is_cross:
        return _checked(_from_values(reading, row, contract, boundary_values(row, contract, None)), row)
    margin = whole_margin(cells, row, reading)
    if margin is not None:
        chosen = _from_balance(reading, row, contract, margin)
        if not reading.is_legacy or chosen.is_of_this_instant or _is_elsewhere(chosen, row):
            return chosen
        notes = [f"margin row not used: {chosen.reason}" if chosen.reason else ANOTHER_INSTANT]
        return replace(_from_bankruptcy(reading, row, contract), notes=notes)
    if reading.is_legacy:
        return _from_bankruptcy(reading, row, contract)
    return Opinion(reading=reading, reason=NotComputable.NO_MARGIN_ROW.value, missing=("margin.walletBalance",))


def _from_balance(reading: Reading, row: Position, contract: Instrument, margin: Margin) -> Opinion:
    """The instant at which our bankruptcy price is the row's; the likeliest one where none is, or the row shows none.

    Only two rows of one instant give an exact price: either they show it, or their bankruptcy prices agree.
    """
    tried = instants(margin, row)
    found = [_from_values(reading, row, contract, boundary_values(row, contract, one.margin)) for one in tried]
    pairs = list(zip(found, tried, strict=True))
    chosen, instant = next((pair for pair in pairs if _agrees(pair[0], row)), pairs[0])
    if chosen.confidence is None:
        return chosen
    shows_none = row.bankruptcy_price is None
    if instant.is_sure if shows_none else _agrees(chosen, row) and (instant.is_sure or _tells_the_balance(chosen)):
        return replace(chosen, is_of_this_instant=True)
    return replace(
        chosen,
        confidence=Confidence.COMPUTED,
        is_of_this_instant=shows_none or _agrees(chosen, row),
        notes=[_doubt(reading, chosen, row)],
    )


def _doubt(reading: Reading, chosen: Opinion, row: Position) -> str:
    if row.bankruptcy_price is None or _agrees(chosen, row):
        return "margin row and position are not known to be of one instant"
    return ANOTHER_INSTANT if reading.is_legacy else "the row's own bankruptcy price is another"


def _tells_the_balance(found: Opinion) -> bool:
    """Whether the same bankruptcy price means the same balance: not where it is the end of the range alone."""
    return found.is_bankruptcy_in_range or not found.is_in_range


def _agrees(found: Opinion, row: Position) -> bool:
    """Whether our bankruptcy price is the row's."""
    return found.bankruptcy_price is not None and found.bankruptcy_price == row.bankruptcy_price


def _is_elsewhere(found: Opinion, row: Position) -> bool:
    """Whether ours is so far from the row's bankruptcy price that they are two opinions, and ours is kept."""
    ours, theirs = found.bankruptcy_price, row.bankruptcy_price
    return ours is not None and theirs is not None and abs(ours - theirs) > _NEAR * theirs


def _checked(found: Opinion, row: Position) -> Opinion:
    """Lower what rests on a row that contradicts itself."""
    theirs, ours = row.bankruptcy_price, found.bankruptcy_price
    if found.confidence is None or ours is None or theirs is None or theirs <= 0:
        return found
    if ours == theirs or (theirs >= HIGHEST and not found.is_bankruptcy_in_range):
        return found
    notes = [*found.notes, "the row's own bankruptcy price does not follow from its margins"]
    return replace(found, confidence=weaker(found.confidence, Confidence.COMPUTED), notes=notes)


def _from_values(
    reading: Reading, row: Position, contract: Instrument, values: BoundaryValues | NotComputable
) -> Opinion:
    side = row.side
    if isinstance(values, NotComputable) or side is None:
        reason = values if isinstance(values, NotComputable) else NotComputable.FLAT
        return Opinion(reading=reading, reason=reason.value)
    contracts = abs(row.quantity)
    price, bankrupt = [shown_price(contract, side, contracts, v) for v in (values.liquidation, values.bankruptcy)]
    in_range = _is_in_range(reading, contract, price)
    confidence = confidence_of(row, contract, in_range=in_range)
    if not reading.is_legacy and not row.is_cross:
        confidence = Confidence.COMPUTED
    return Opinion(
        reading=reading,
        liquidation_price=price,
        bankruptcy_price=bankrupt,
        confidence=_lowered(confidence, reading, is_shown_end=price == contract.max_price),
        is_in_range=in_range,
        is_bankruptcy_in_range=_is_in_range(reading, contract, bankrupt),
    )


def _lowered(confidence: Confidence, reading: Reading, *, is_shown_end: bool = True) -> Confidence:
    """Lower what rests on other cells than the row's own; the end of the range matters only where it is shown."""
    if set(reading.guessed) - (set() if is_shown_end else {"maxPrice"}):
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
            missing=("margin.walletBalance",),
        )
    return Opinion(
        reading=reading,
        liquidation_price=bracket.price,
        bankruptcy_price=row.bankruptcy_price,
        is_bankruptcy_taken_over=True,
        possible=None if bracket.near == bracket.far else (bracket.far, bracket.near),
        confidence=_lowered(Confidence.DERIVED, reading),
        is_in_range=_is_in_range(reading, contract, bracket.price),
    )


def _is_in_range(reading: Reading, contract: Instrument, price: Decimal) -> bool:
    limit = min(contract.max_price, ratio(reading.instrument, "maxPrice") or HIGHEST)
    return contract.tick_size < price < limit


def _mode_settled(found: Opinion, row: Position, contract: Instrument) -> Opinion:
    """A row that does not tell its margin mode: that is its mode whose bankruptcy price is the row's, else a guess."""
    if not found.is_bankruptcy_taken_over and _agrees(found, row):
        return found
    alone = replace(row, is_cross=False)
    reading = replace(found.reading, is_cross=False)
    tried = _from_values(reading, alone, contract, boundary_values(alone, contract, None))
    if _agrees(tried, row):
        return replace(tried, notes=found.notes)
    found.reading.guessed.append("crossMargin")
    lowered = None if found.confidence is None else weaker(found.confidence, Confidence.COMPUTED)
    return replace(found, confidence=lowered)
