"""What the venue's own rows confirm of its margin arithmetic, statement by statement, on every recorded row.

| statement | test |
| --- | --- |
| worth at the mark is rounded per lot | worth_at_the_mark |
| profit is worth less cost, signs left on | profit_is_worth_less_cost |
| the engine shows in what a row reserves | the_row_tells_its_engine |
| `posInit` is the entry cost times the row's ratio, up | initial_margin |
| `posCross` of a cross row: its loss and what was charged, one row late | margin_drawn_by_cross_rows |
| `posComm`: the fee on cost, initial and added margin, to one unit | fee_reserve_to_one_unit |
| `posMaint`: reserve and a share of the entry cost, funding of payers | maintenance_by_formula, .._within_funding |
| `posMargin` is the sum of its parts | margin_is_the_sum_of_its_parts |
| `maintMargin` locks the profit too (legacy), the maintenance (shared) | what_is_locked |
| `marginCallPrice` is the liquidation price | margin_call_price |
| the row's own maintenance ratio counts, not the contract's | the_rows_own_ratio_counts |
| `riskValue` is worth and open-order cost | risk_value |
| `initMargin` of orders, on both engines, to one unit | margin_of_open_orders |
| `marginBalance`, `availableMargin` sums | sums_of_the_margin_row |
| both prices of isolated rows, and of cross rows with a balance | test_own_liquidation: to_the_tick |
| the two prices of a cross row keep the maintenance between them | test_own_liquidation, test_bracket |
| ends of the range | ends_of_the_range |
| worked examples | test_own_liquidation |

Source of the rows: `SEAWALL_DATA`/positions/real-rows.jsonl; of the statements: docs/venue-facts.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.vocabulary import Instrument, Position
from daemon.core.margin.contracts import unrealised_pnl_sat, value_sat
from daemon.core.margin.own_liquidation import Engine, computed_maintenance_sat, engine_of
from daemon.core.margin.requirements import (
    fee_reserve_sat,
    initial_sat,
    maintenance_need_sat,
    order_margin_sat,
    stepped_ratios,
)
from tests.unit.daemon.core.margin_builders import RealRow, real_rows

D = Decimal
FUNDING_KNOWN = {46, 52}
"""Rows whose contract's rate was recorded with them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One recorded row: as read, and its cells."""

    row: RealRow
    cells: dict[str, Any]
    margin: dict[str, Any] | None

    @property
    def position(self) -> Position:
        """The row as the daemon reads it."""
        return self.row.position

    @property
    def instrument(self) -> Instrument:
        """Its contract."""
        return self.row.instrument

    @property
    def is_shared(self) -> bool:
        """Whether it is a cross row of today's engine."""
        return engine_of(self.position) is Engine.SHARED_CROSS

    @property
    def cost(self) -> int:
        """Unsigned entry cost."""
        return abs(self.position.cost_sat)

    @property
    def is_covered(self) -> bool:
        """A short whose margin covers its whole cost reserves nothing."""
        return self.cells["initMarginReq"] == 1 and self.position.quantity < 0


@pytest.fixture
def cases(real_data: Path) -> list[Case]:
    """Every recorded row."""
    lines = (real_data / "positions" / "real-rows.jsonl").read_text().splitlines()
    raw = [json.loads(line, parse_float=Decimal) for line in lines]
    found = [
        Case(row=row, cells=line["position"], margin=line["margin"])
        for row, line in zip(real_rows(real_data), raw, strict=True)
    ]
    assert len(found) >= 27
    return found


def having(cases: list[Case], *columns: str, least: int, where: Callable[[Case], bool] = bool) -> Iterator[Case]:
    """The rows that show all of these columns; fails where they are too few to prove anything."""
    found = [case for case in cases if all(case.cells.get(c) is not None for c in columns) and where(case)]
    assert len(found) >= least
    yield from found


def test_worth_at_the_mark(cases: list[Case]) -> None:
    """`markValue` of every row, to the unit, whatever its lot size."""
    for case in having(cases, "markValue", "markPrice", least=27):
        mark = D(case.cells["markPrice"])
        assert value_sat(case.instrument, case.position.quantity, mark) == case.cells["markValue"], case.row.index


def test_profit_is_worth_less_cost(cases: list[Case]) -> None:
    """`unrealisedPnl` from the mark and `unrealisedCost`, the era of realised profit included."""
    for case in having(cases, "unrealisedPnl", "unrealisedCost", least=27):
        mark, cost = D(case.cells["markPrice"]), case.cells["unrealisedCost"]
        found = unrealised_pnl_sat(case.instrument, case.position.quantity, mark, cost)
        assert found == case.cells["unrealisedPnl"], case.row.index
    assert any(case.cells["unrealisedCost"] != case.cells["posCost"] for case in cases)


def test_the_row_tells_its_engine(cases: list[Case]) -> None:
    """Cross rows with a strategy column are of today's engine, all others of the legacy one."""
    for case in having(cases, "posMargin", least=27):
        cross = Engine.SHARED_CROSS if "strategy" in case.cells else Engine.LEGACY_CROSS
        assert engine_of(case.position) is (cross if case.position.is_cross else Engine.ISOLATED), case.row.index


def test_initial_margin(cases: list[Case]) -> None:
    """To the unit, at ratios from 1 % to 100 % and one that is no short decimal."""
    for case in having(cases, "posInit", least=24, where=lambda c: not c.is_shared):
        assert initial_sat(case.cost, D(case.cells["initMarginReq"])) == case.cells["posInit"], case.row.index


def test_margin_drawn_by_cross_rows(cases: list[Case]) -> None:
    """A loss and what was charged are drawn into a cross row, one update late."""
    exact = 0
    for case in having(cases, "posCross", "posLoss", least=12, where=lambda c: c.position.is_cross and not c.is_shared):
        drawn = max(0, -case.cells["unrealisedPnl"]) + case.cells["posLoss"]
        exact += drawn == case.cells["posCross"]
        assert abs(drawn - case.cells["posCross"]) <= case.cost // 100, case.row.index
    assert exact >= 7


def test_fee_reserve_to_one_unit(cases: list[Case]) -> None:
    """On cost, initial margin and margin added, for longs and shorts; later additions were rounded one by one."""
    exact = 0
    for case in having(cases, "posComm", "posCross", least=20, where=lambda c: not c.is_shared and not c.is_covered):
        initial = initial_sat(case.cost, D(case.cells["initMarginReq"]))
        found = fee_reserve_sat(case.cost, initial, case.cells["posCross"], D(case.cells["commission"]))
        assert 0 <= case.cells["posComm"] - found <= 1, case.row.index
        exact += case.cells["posComm"] == found
    assert exact >= 15


def test_a_short_with_margin_for_everything_reserves_nothing(cases: list[Case]) -> None:
    """At 1x neither fee nor maintenance."""
    for case in having(cases, "posComm", "posMaint", least=6, where=lambda c: c.is_covered):
        assert (case.cells["posComm"], case.cells["posMaint"]) == (0, 0), case.row.index


def test_maintenance_by_formula(cases: list[Case]) -> None:
    """To the unit where the funding rate is known, on both engines."""
    for case in having(cases, "posMaint", least=2, where=lambda c: c.row.index in FUNDING_KNOWN):
        assert computed_maintenance_sat(case.position, case.instrument) == case.cells["posMaint"], case.row.index


def test_maintenance_within_funding(cases: list[Case]) -> None:
    """What a row asks beyond its ratio is a funding rate within its bound, on entry cost."""
    for case in having(cases, "posMaint", least=19, where=lambda c: not c.is_covered):
        ratio = D(case.cells["maintMarginReq"]).quantize(D("0.0000001"))
        need = case.cells["posMaint"] - (0 if case.is_shared else case.cells["posComm"])
        bare = maintenance_need_sat(case.cost, 1, maintenance_ratio=ratio, funding_rate=D(0), at_most=None)
        extra = D(need - bare) / case.cost
        assert -D(1) / case.cost <= extra <= D("0.004875") + D(2) / case.cost, case.row.index
        moved = maintenance_need_sat(
            abs(case.cells["markValue"]), 1, maintenance_ratio=ratio, funding_rate=D(0), at_most=None
        )
        if moved != bare and case.row.index in FUNDING_KNOWN:
            assert need != moved, case.row.index


def test_margin_is_the_sum_of_its_parts(cases: list[Case]) -> None:
    """`posInit` + `posComm` + `posCross` - `posLoss`, to the unit."""
    for case in having(cases, "posMargin", "posComm", "posCross", "posLoss", least=26, where=lambda c: not c.is_shared):
        initial = initial_sat(case.cost, D(case.cells["initMarginReq"]))
        found = initial + case.cells["posComm"] + case.cells["posCross"] - case.cells["posLoss"]
        assert found == case.cells["posMargin"], case.row.index


def test_what_is_locked(cases: list[Case]) -> None:
    """The legacy engine locks the profit too; today's a cross position's maintenance and no more."""
    for case in having(cases, "maintMargin", least=27):
        if case.is_shared:
            assert case.cells["maintMargin"] == case.cells["posMargin"] == case.cells["posMaint"]
            assert (
                case.cells["posInit"] == case.cells["posComm"] == case.cells["posCross"] == case.cells["posLoss"] == 0
            )
        else:
            assert case.cells["maintMargin"] == case.cells["posMargin"] + case.cells["unrealisedPnl"], case.row.index


def test_margin_call_price(cases: list[Case]) -> None:
    """Wherever it is shown."""
    for case in having(cases, "marginCallPrice", least=26):
        assert case.cells["marginCallPrice"] == case.cells["liquidationPrice"], case.row.index


def test_the_rows_own_ratio_counts(cases: list[Case]) -> None:
    """A change of requirements leaves positions as they were: a row's ratio may differ from its contract's."""
    for case in having(cases, "maintMarginReq", least=27):
        ratio = case.position.maintenance_margin_ratio
        assert ratio is not None
        assert abs(ratio - D(case.cells["maintMarginReq"])) < D("1e-12")
    assert {str(D(c.cells["maintMarginReq"]).quantize(D("0.0001"))) for c in cases} >= {"0.0050", "0.0045", "0.0035"}


def open_cost(case: Case) -> int:
    """What the orders of the row's symbol could add."""
    return int(case.cells["riskValue"]) - abs(int(case.cells["markValue"]))


def test_risk_value(cases: list[Case]) -> None:
    """Worth and open-order cost: never less than the worth, and the same where no order is open."""
    for case in having(cases, "riskValue", least=27):
        assert open_cost(case) >= 0, case.row.index
        if not case.cells.get("openOrderBuyQty") and not case.cells.get("openOrderSellQty"):
            assert open_cost(case) == 0, case.row.index


def test_margin_of_open_orders(cases: list[Case]) -> None:
    """Initial margin, the fee to enter and the fee to leave; a unit more where several orders were rounded up."""
    seen = 0
    for case in having(cases, "initMargin", "riskValue", least=27):
        fee, ratio = D(case.cells["commission"]), D(case.cells["initMarginReq"])
        found = order_margin_sat(open_cost(case), ratio, fee)
        assert case.cells["initMargin"] - found in {0, 1}, case.row.index
        seen += found > 0
    assert seen >= 3


def test_sums_of_the_margin_row(cases: list[Case]) -> None:
    """Balance is wallet and profit; available is what orders and positions leave of it."""
    rows = [case.margin for case in cases if case.margin is not None]
    assert len(rows) >= 5
    for margin in rows:
        assert margin["marginBalance"] == margin["walletBalance"] + margin["unrealisedPnl"]
        assert margin["availableMargin"] == margin["marginBalance"] - margin["initMargin"] - margin["maintMargin"]
        assert margin.get("excessMargin", margin["availableMargin"]) == margin["availableMargin"]


def test_ends_of_the_range(cases: list[Case]) -> None:
    """A covered short shows 100,000,000 under the legacy engine and the contract's highest price today."""
    ends = {D(100_000_000): 0, D(1_000_000): 0}
    for case in having(cases, "liquidationPrice", least=27):
        shown = D(case.cells["liquidationPrice"])
        if shown in ends:
            ends[shown] += 1
            assert case.position.quantity < 0
            assert (shown == 1_000_000) is case.is_shared
    assert ends[D(100_000_000)] >= 8
    assert ends[D(1_000_000)] >= 1


@pytest.mark.parametrize(
    ("limit", "initial", "maintenance"), [(200, "0.01", "0.005"), (350, "0.015", "0.010"), (500, "0.020", "0.015")]
)
def test_requirements_rise_by_steps_of_the_risk_limit(limit: int, initial: str, maintenance: str) -> None:
    """The venue's own example, in XBT: stated, and on no recorded row."""
    found = stepped_ratios(D("0.01"), D("0.005"), risk_limit_sat=limit, base_sat=200, step_sat=150)
    assert found == (D(initial), D(maintenance))
