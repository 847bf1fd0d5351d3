"""Cells that a position row leaves out, worked out from those that it has.

Why: rows out of logs are seldom whole. Where the venue's own sums leave no choice a missing cell is as good as a shown
one ("rebuilt"); where something has to be supposed, a funding rate of nothing or the oldest lot size, the cell is a
guess and the figure that rests on it is not to be trusted alone.

Units: money in minor units of the settlement currency. Source: the sums in docs/venue-facts.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from connectors.vocabulary import ZERO, ContractKind, Instrument
from daemon.calc.row_cells import Cells, amount, ratio
from daemon.core.margin.contracts import is_price, value_sat
from daemon.core.margin.requirements import fee_reserve_sat, initial_sat, maintenance_need_sat

LEGACY_END: Final = Decimal(100_000_000)
"""What the legacy engine shows where no price is high enough, whatever the contract's own limit."""
HIGHEST: Final = Decimal(1_000_000)
"""The limit of the contracts today, for rows that do not name theirs."""
MIGRATED: Final = "2024-04-15"
"""By then all accounts had the engine of today; before the year's 25 March none had."""
MIGRATION: Final = "2024-03-25"
PROFIT_REALISED: Final = "2023-01-01"
"""About then the venue began to realise profit of open positions, which moves the base of the profit off the entry
cost: announced in April 2023, and seen on a row of February."""
_LEGACY_COLUMNS: Final = frozenset({"currentTimestamp", "lastValue", "posCost2", "unrealisedGrossPnl"})
"""Columns that rows of today no longer have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One row and what it was found to be."""

    position: Cells
    instrument: Cells
    kind: ContractKind
    is_cross: bool
    is_legacy: bool
    rebuilt: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)

    def rebuild(self, column: str, value: int | None) -> None:
        """Fill in a missing cell that follows from others; None leaves it missing."""
        if value is not None and column not in self.position:
            self.position[column] = value
            self.rebuilt.append(column)

    def guess(self, column: str, value: int | None) -> None:
        """Fill in a missing cell that has to be supposed."""
        if value is not None and column not in self.position:
            self.position[column] = value
            self.guessed.append(column)

    def get(self, column: str) -> int | None:
        """Return an amount of the position."""
        return amount(self.position, column)


def contract_kind(position: Cells, instrument: Cells) -> ContractKind:
    """Tell the profit formula: by the flags, else by the multiplier's sign, else by the sign of the cost."""
    inverse = instrument.get("isInverse")
    if inverse is None and "multiplier" in instrument:
        inverse = (amount(instrument, "multiplier") or 0) < 0
    if inverse is None:
        cost = amount(position, "posCost") or amount(position, "unrealisedCost") or amount(position, "markValue") or 0
        inverse = cost * (amount(position, "currentQty") or 0) < 0
    if inverse:
        return ContractKind.INVERSE
    quanto = instrument.get("isQuanto")
    if quanto is None:
        settles_in_xbt = (position.get("currency") or instrument.get("settlCurrency")) == "XBt"
        quanto = settles_in_xbt and position.get("quoteCurrency") not in {None, "XBT"}
    return ContractKind.QUANTO if quanto else ContractKind.LINEAR


def reads_as_cross(position: Cells, instrument: Cells) -> tuple[bool, bool]:
    """Tell the margin mode, of a row that does not name it by what only one of the two has.

    Returns:
        Whether it is cross, and whether that is certain.
    """
    named = position.get("crossMargin")
    if isinstance(named, bool):
        return named, True
    init, reserve = amount(position, "posInit"), amount(position, "posComm")
    if init == 0 and reserve == 0 and (amount(position, "posMargin") or 0) > 0:
        return True, True
    required, base = ratio(position, "initMarginReq"), ratio(instrument, "initMargin")
    leverage = ratio(position, "leverage")
    if leverage == 0:
        return True, True
    if required is None and is_price(leverage):
        required = 1 / leverage if leverage else None
    if base is None or required is None:
        return False, False
    # Who isolates a position at the highest leverage has a row that looks like a cross one.
    return required <= base, required > base


def reads_as_legacy(position: Cells, *, is_cross: bool) -> bool | None:
    """Tell the engine. Of a cross row what it reserves decides; then its date, then columns that only one of them has.

    Returns:
        None where nothing tells.
    """
    if is_cross and (amount(position, "posComm") or amount(position, "posInit")):
        return True
    margin, need = amount(position, "posMargin"), amount(position, "posMaint")
    if is_cross and margin is not None and need is not None and margin > 0:
        return margin > need
    if ratio(position, "bankruptPrice") == LEGACY_END:
        return True
    stamp = stamp_of(position)
    if stamp >= MIGRATED or "" < stamp < MIGRATION:
        return stamp < MIGRATION
    return _by_columns(position, is_cross=is_cross, is_dated=bool(stamp))


def stamp_of(position: Cells) -> str:
    """Return the time of a row as text, "" where it has none."""
    return str(position.get("timestamp") or position.get("currentTimestamp") or "")


def _by_columns(position: Cells, *, is_cross: bool, is_dated: bool) -> bool | None:
    """Tell the engine of a row without a date, or of the three weeks in which both were in use."""
    if position.keys() & _LEGACY_COLUMNS:
        return True
    if position.get("strategy") or (is_cross and amount(position, "posComm") == 0):
        return False
    return True if is_dated else None


def complete(reading: Reading, contract: Instrument) -> None:
    """Fill in what is missing, as far as it can be."""
    _worths(reading, contract)
    _costs(reading)
    if reading.is_cross and not reading.is_legacy:
        _shared(reading)
    else:
        _own_margin(reading)


def _worths(row: Reading, contract: Instrument) -> None:
    """Suppose worth at mark and entry where the row has the price alone: such prices are rounded."""
    contracts = row.get("currentQty") or 0
    mark, entry = ratio(row.position, "markPrice"), ratio(row.position, "avgEntryPrice")
    known = {column for column in ("markValue", "unrealisedPnl", "posCost", "unrealisedCost") if column in row.position}
    if mark is not None and is_price(mark) and not known & {"markValue", "unrealisedPnl"}:
        row.guess("markValue", value_sat(contract, contracts, mark))
    is_costed = known & {"posCost", "unrealisedCost"} or known >= {"markValue", "unrealisedPnl"}
    if entry is not None and is_price(entry) and not is_costed:
        row.guess("posCost", value_sat(contract, contracts, entry))


def _costs(row: Reading) -> None:
    """Profit is value less cost, and outside of the era of realised profit the two costs are one."""
    value, profit = row.get("markValue"), row.get("unrealisedPnl")
    if value is not None and profit is not None:
        row.rebuild("unrealisedCost", value - profit)
    entry, base = row.get("posCost"), row.get("unrealisedCost")
    if base is None and entry is not None:
        (row.rebuild if _is_before_rebasing(row) else row.guess)("unrealisedCost", entry)
    if entry is None and base is not None:
        (row.rebuild if _is_before_rebasing(row) or _explains_margin(row, base) else row.guess)("posCost", base)
    cost = row.get("unrealisedCost")
    if value is not None and cost is not None:
        row.rebuild("unrealisedPnl", value - cost)


def _is_before_rebasing(row: Reading) -> bool:
    return "" < stamp_of(row.position) < PROFIT_REALISED


def _explains_margin(row: Reading, cost: int) -> bool:
    initial, required = row.get("posInit"), ratio(row.position, "initMarginReq")
    return bool(initial and required) and initial_sat(abs(cost), required or ZERO) == initial


def _shared(row: Reading) -> None:
    """A cross position of today locks its maintenance and nothing else."""
    for column in ("posMaint", "posMargin", "maintMargin"):
        for other in ("maintMargin", "posMaint", "posMargin"):
            row.rebuild(column, row.get(other))
    row.rebuild("posInit", 0)
    row.rebuild("posComm", 0)


def _own_margin(row: Reading) -> None:
    """`posMargin` = `posInit` + `posComm` + `posCross` - `posLoss`, and what is locked is that plus the profit."""
    locked, profit = row.get("maintMargin"), row.get("unrealisedPnl")
    if locked is not None and profit is not None:
        row.rebuild("posMargin", locked - profit)
    elif locked is not None and row.get("posMargin") is not None:
        row.rebuild("unrealisedPnl", locked - (row.get("posMargin") or 0))
    cost, fee = abs(row.get("posCost") or 0), _highest_fee(row)
    required = _initial_ratio(row)
    if cost and required is not None:
        row.rebuild("posInit", initial_sat(cost, required))
    _parts(row, cost, fee, is_covered=_is_covered(row, required))
    initial, reserve, added = row.get("posInit"), row.get("posComm"), row.get("posCross") or 0
    if initial is not None and reserve is not None:
        row.rebuild("posMargin", initial + reserve + added - (row.get("posLoss") or 0))
    if row.get("posMargin") is not None:
        row.rebuild("maintMargin", (row.get("posMargin") or 0) + (row.get("unrealisedPnl") or 0))
    _maintenance(row, cost, required)
    _fee_rate(row, cost, fee)


def _parts(row: Reading, cost: int, fee: Decimal | None, *, is_covered: bool) -> None:
    """What the sum leaves for the one part that is missing; of two the fee reserve has a formula of its own."""
    _last_of_the_sum(row)
    if row.get("posCross") is None:
        row.guess("posCross", row.get("posLoss") or 0)
    initial = row.get("posInit")
    if cost and initial is not None:
        reserve = 0 if is_covered else fee_reserve_sat(cost, initial, row.get("posCross") or 0, fee or ZERO)
        (row.guess if fee is None else row.rebuild)("posComm", reserve)
    _last_of_the_sum(row)
    if row.get("posMargin") is None:
        row.guess("posLoss", 0)


def _last_of_the_sum(row: Reading) -> None:
    """Where one of the sum's parts is missing, it is what the others leave."""
    margin, initial = row.get("posMargin"), row.get("posInit")
    parts = {column: row.get(column) for column in ("posComm", "posCross", "posLoss")}
    gaps = [column for column, part in parts.items() if part is None]
    if margin is None or initial is None or len(gaps) != 1:
        return
    left = margin - initial - (parts["posComm"] or 0) - (parts["posCross"] or 0) + (parts["posLoss"] or 0)
    row.rebuild(gaps[0], -left if gaps == ["posLoss"] else left)


def _fee_rate(row: Reading, cost: int, fee: Decimal | None) -> None:
    """The fee that margin moved in from the balance would raise the reserve by; only cross positions ask for it."""
    if not row.is_cross or "commission" in row.position:
        return
    if fee is not None:
        row.position["commission"] = fee
        row.rebuilt.append("commission")
        return
    base, reserve = cost + (row.get("posInit") or 0) + (row.get("posCross") or 0), row.get("posComm")
    if base and reserve:
        row.position["commission"] = round(Decimal(reserve) / base, 6)
        row.guessed.append("commission")


def _maintenance(row: Reading, cost: int, required: Decimal | None) -> None:
    """The maintenance margin, which leaves funding to be supposed where the rate is not known."""
    base = ratio(row.position, "maintMarginReq") or ratio(row.instrument, "maintMargin")
    if not cost or base is None or "posMaint" in row.position:
        return
    if _is_covered(row, required):
        row.rebuild("posMaint", 0)
        return
    funding = ratio(row.instrument, "fundingRate")
    need = maintenance_need_sat(
        cost,
        row.get("currentQty") or 0,
        maintenance_ratio=base,
        funding_rate=funding or ZERO,
        at_most=required,
    )
    pays_none = str(row.instrument.get("typ", "")).startswith("FFCC")
    known = (funding is not None or pays_none) and "maintMarginReq" in row.position
    (row.rebuild if known else row.guess)("posMaint", need + (row.get("posComm") or 0))


def _is_covered(row: Reading, required: Decimal | None) -> bool:
    """A short of an inverse contract with margin for its whole cost reserves nothing."""
    short = (row.get("currentQty") or 0) < 0
    return row.kind is ContractKind.INVERSE and short and not row.is_cross and required is not None and required >= 1


def _initial_ratio(row: Reading) -> Decimal | None:
    found = ratio(row.position, "initMarginReq")
    if found is not None and found > 0:
        return found
    leverage, base = ratio(row.position, "leverage"), ratio(row.instrument, "initMargin")
    if leverage is not None and leverage > 0:
        return max(1 / leverage, base or ZERO)
    return base if row.is_cross else None


def _highest_fee(row: Reading) -> Decimal | None:
    found = ratio(row.position, "commission")
    if found is not None:
        return found
    fees = [ratio(row.instrument, column) for column in ("takerFee", "makerFee", "settlementFee")]
    known = [fee for fee in fees if fee is not None]
    return max(known, default=None)
