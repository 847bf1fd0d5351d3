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

from connectors.vocabulary import ZERO, ContractKind
from daemon.calc.row_cells import Cells, amount, ratio
from daemon.core.contracts import is_price
from daemon.core.requirements import fee_reserve_sat, initial_sat, maintenance_need_sat

LEGACY_END: Final = Decimal(100_000_000)
"""What the legacy engine shows where no price is high enough, whatever the contract's own limit."""
HIGHEST: Final = Decimal(1_000_000)
"""The limit of the contracts today, for rows that do not name theirs."""
MIGRATED: Final = "2024-04-15"
"""By then all accounts had the engine of today; before the year's 25 March none had."""
MIGRATION: Final = "2024-03-25"


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


def reads_as_cross(position: Cells, instrument: Cells) -> bool:
    """Tell the margin mode of a row that does not name it: by what only one of the two has."""
    named = position.get("crossMargin")
    if isinstance(named, bool):
        return named
    init, reserve = amount(position, "posInit"), amount(position, "posComm")
    if init == 0 and reserve == 0 and (amount(position, "posMargin") or 0) > 0:
        return True
    required, base = ratio(position, "initMarginReq"), ratio(instrument, "initMargin")
    leverage = ratio(position, "leverage")
    if leverage == 0:
        return True
    if required is None and is_price(leverage):
        required = 1 / leverage if leverage else None
    return base is not None and required is not None and required <= base


def reads_as_legacy(position: Cells, *, is_cross: bool) -> bool:
    """Tell the engine. Of a cross row what it reserves decides; then words of its time, then its date."""
    if is_cross and (amount(position, "posComm") or amount(position, "posInit")):
        return True
    margin, need = amount(position, "posMargin"), amount(position, "posMaint")
    if is_cross and margin is not None and need is not None and margin > 0:
        return margin > need
    if ratio(position, "bankruptPrice") == LEGACY_END:
        return True
    stamp = str(position.get("timestamp", ""))
    if stamp >= MIGRATED or (position.get("strategy") and not "" < stamp < MIGRATION):
        return False
    return bool(stamp) or not is_cross or amount(position, "posComm") != 0


def complete(reading: Reading) -> None:
    """Fill in what is missing, as far as it can be."""
    _costs(reading)
    if reading.is_cross and not reading.is_legacy:
        _shared(reading)
    else:
        _own_margin(reading)


def _costs(row: Reading) -> None:
    """Profit is value less cost, and outside of the era of realised profit the two costs are one."""
    value, profit = row.get("markValue"), row.get("unrealisedPnl")
    if value is not None and profit is not None:
        row.rebuild("unrealisedCost", value - profit)
    if row.get("unrealisedCost") is None and row.get("posCost") is not None:
        row.rebuild("unrealisedCost", row.get("posCost"))
    if row.get("posCost") is None and row.get("unrealisedCost") is not None:
        row.rebuild("posCost", row.get("unrealisedCost"))
    cost = row.get("unrealisedCost")
    if value is not None and cost is not None:
        row.rebuild("unrealisedPnl", value - cost)


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
    loss = row.get("posLoss") or 0
    _last_of_the_sum(row, loss)
    added = row.get("posCross")
    if added is None:
        row.guess("posCross", loss)
        added = loss
    initial = row.get("posInit")
    if cost and initial is not None:
        reserve = 0 if _is_covered(row, required) else fee_reserve_sat(cost, initial, added, fee or ZERO)
        (row.guess if fee is None else row.rebuild)("posComm", reserve)
    reserve_now = row.get("posComm")
    if initial is not None and reserve_now is not None:
        row.rebuild("posMargin", initial + reserve_now + added - loss)
    if row.get("posMargin") is not None:
        row.rebuild("maintMargin", (row.get("posMargin") or 0) + (row.get("unrealisedPnl") or 0))
    _maintenance(row, cost, required)


def _last_of_the_sum(row: Reading, loss: int) -> None:
    """Where one of the sum's parts is missing, it is what the others leave."""
    margin, initial = row.get("posMargin"), row.get("posInit")
    reserve, added = row.get("posComm"), row.get("posCross")
    if margin is None or initial is None:
        return
    if reserve is None and added is not None:
        row.rebuild("posComm", margin - initial - added + loss)
    elif added is None and reserve is not None:
        row.rebuild("posCross", margin - initial - reserve + loss)


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
    leverage = ratio(row.position, "leverage")
    if leverage is not None and leverage > 0:
        return 1 / leverage
    return ratio(row.instrument, "initMargin") if row.is_cross else None


def _highest_fee(row: Reading) -> Decimal | None:
    found = ratio(row.position, "commission")
    if found is not None:
        return found
    fees = [ratio(row.instrument, column) for column in ("takerFee", "makerFee", "settlementFee")]
    known = [fee for fee in fees if fee is not None]
    return max(known, default=None)
