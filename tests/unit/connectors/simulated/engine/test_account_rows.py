"""Columns of the private rows: complete, and right on recorded rows."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.simulated.engine.account_rows import break_even_price, entry_price, queue_rank
from connectors.simulated.engine.ledger import Position
from connectors.simulated.engine.order_rows import EXECUTION_COLUMNS
from tests.unit.connectors.simulated.engine.desk import Desk, number
from tests.unit.connectors.simulated.engine.test_margin import contract_of

# ruff: noqa: SIM905
# Columns of the venue's own partials of 2024 to 2026.
POSITION = (
    "account symbol strategy currency underlying quoteCurrency commission initMarginReq maintMarginReq "
    "riskLimit leverage crossMargin deleveragePercentile rebalancedPnl prevRealisedPnl prevUnrealisedPnl "
    "openingQty openOrderBuyQty openOrderBuyCost openOrderBuyPremium openOrderSellQty openOrderSellCost "
    "openOrderSellPremium currentQty currentCost currentComm realisedCost unrealisedCost grossOpenPremium "
    "isOpen markPrice markValue riskValue homeNotional foreignNotional posState posCost posCross posComm "
    "posLoss posMargin posMaint posInit initMargin maintMargin realisedPnl unrealisedPnl "
    "unrealisedPnlPcnt unrealisedRoePcnt avgCostPrice avgEntryPrice breakEvenPrice marginCallPrice "
    "liquidationPrice bankruptPrice timestamp"
).split()
MARGIN = (
    "account currency riskLimit state amount prevRealisedPnl grossComm grossOpenCost grossOpenPremium "
    "grossExecCost grossMarkValue riskValue initMargin maintMargin targetExcessMargin realisedPnl "
    "unrealisedPnl walletBalance marginBalance marginLeverage marginUsedPcnt excessMargin availableMargin "
    "withdrawableMargin systemWithdrawableMargin makerFeeDiscount takerFeeDiscount timestamp "
    "foreignMarginBalance foreignRequirement"
).split()
ORDER = (
    "orderID clOrdID clOrdLinkID account symbol strategy side orderQty price displayQty stopPx "
    "pegOffsetValue pegPriceType currency settlCurrency ordType timeInForce execInst contingencyType "
    "ordStatus triggered workingIndicator ordRejReason leavesQty cumQty avgPx text transactTime timestamp"
).split()
INSTRUMENT = (
    "symbol rootSymbol state typ listing front expiry settle listedSettle positionCurrency underlying "
    "quoteCurrency underlyingSymbol reference referenceSymbol maxOrderQty maxPrice lotSize tickSize "
    "multiplier settlCurrency underlyingToPositionMultiplier underlyingToSettleMultiplier "
    "quoteToSettleMultiplier isQuanto isInverse initMargin maintMargin riskLimit riskStep taxed "
    "deleverage makerFee takerFee settlementFee fundingBaseSymbol fundingQuoteSymbol fundingPremiumSymbol "
    "fundingTimestamp fundingInterval fundingRate indicativeFundingRate prevClosePrice limitDownPrice "
    "limitUpPrice totalVolume volume volume24h totalTurnover turnover turnover24h prevPrice24h vwap "
    "highPrice lowPrice lastPrice lastPriceProtected lastTickDirection lastChangePcnt bidPrice midPrice "
    "askPrice impactBidPrice impactMidPrice impactAskPrice hasLiquidity openInterest openValue fairMethod "
    "fairBasisRate fairBasis fairPrice markMethod markPrice indicativeSettlePrice instantPnl minTick "
    "timestamp"
).split()


def test_rows_have_every_column() -> None:
    """Order, execution, position, margin and instrument rows miss none of the venue's columns."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    assert set(ORDER) == set(desk.exchange.order_rows(1)[0])
    assert set(EXECUTION_COLUMNS) == set(desk.executions()[0])
    assert set(POSITION) == set(desk.position())
    assert set(MARGIN) <= set(desk.margin())
    for row in desk.exchange.instrument_rows():
        if not str(row["symbol"]).startswith("."):
            assert set(INSTRUMENT) <= set(row)


def test_every_contract_has_its_index_row() -> None:
    """Each `referenceSymbol` is a row of the table, with the index price as its mark."""
    rows = {row["symbol"]: row for row in Desk().exchange.instrument_rows()}
    for row in list(rows.values()):
        assert rows[row["referenceSymbol"]]["markPrice"] is not None


def held(row: dict[str, Any]) -> Position:
    """Return our position holding what a recorded row says."""
    recorded = row["position"]
    contract = contract_of(row)
    return Position(
        account=recorded["account"],
        contract=contract,
        leverage=Decimal(recorded["leverage"]),
        risk_limit=contract.risk_limit,
        quantity=recorded["currentQty"],
        unrealised_cost=recorded["unrealisedCost"],
        current_cost=recorded["unrealisedCost"] + recorded["realisedCost"],
        current_comm=recorded["currentComm"],
        rebalanced_pnl=recorded.get("rebalancedPnl") or 0,
    )


def recorded_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the recorded position rows of inverse contracts."""
    lines = (folder / "positions" / "real-rows.jsonl").read_text().splitlines()
    rows = [json.loads(line, parse_float=Decimal) for line in lines]
    return [row for row in rows if row["instrument"]["isInverse"]]


def test_entry_price_of_real_rows(real_data: Path) -> None:
    """Average entry price: cost per lot rounded against the holder, four decimals."""
    checked = 0
    for row in recorded_rows(real_data):
        recorded = row["position"]
        if recorded["posCost"] != recorded["unrealisedCost"]:
            continue  # of the months in which profit was realised every few minutes
        assert entry_price(held(row)) == exactly(recorded["avgCostPrice"]), row["index"]
        checked += 1
    assert checked > 20


def exactly(value: object) -> Decimal:
    """Return a recorded number exactly."""
    return Decimal(str(value))


def test_break_even_price_of_real_rows(real_data: Path) -> None:
    """Break-even: the boundary at which everything realised so far is given back."""
    wrong = []
    for row in recorded_rows(real_data):
        recorded = row["position"]
        if break_even_price(held(row)) != exactly(recorded["breakEvenPrice"]):
            wrong.append(row["index"])
    assert wrong == []


def test_deleveraging_rank_rises_with_the_return() -> None:
    """A losing position is at the back, one that tripled its margin at the front."""
    desk = Desk()
    desk.leverage(10)
    desk.place(1000, ord_type="Market")
    position = desk.exchange._world.accounts[1].positions["XBTUSD"]
    margin = position.cost // 10
    ranks = [queue_rank(position, pnl) for pnl in (-1000, 0, margin // 2, margin, 2 * margin)]
    assert ranks == [Decimal(rank) / 5 for rank in (1, 2, 3, 4, 5)]


def test_margin_row_adds_up() -> None:
    """Sums of a margin row with an isolated and a cross position and an order."""
    desk = Desk()
    desk.place(100_000, ord_type="Market")
    desk.leverage(10, "XBTH27")
    desk.place(10_000, ord_type="Market", symbol="XBTH27")
    desk.place(1_000, price=40_000)
    row = {column: number(value) for column, value in desk.margin().items() if isinstance(value, int)}
    positions = [desk.position(), desk.position("XBTH27")]
    for column in ("unrealisedPnl", "initMargin", "maintMargin"):
        assert row[column] == sum(number(position[column]) for position in positions)
    assert row["walletBalance"] == row["amount"] + row["realisedPnl"]
    assert row["marginBalance"] == row["walletBalance"] + row["unrealisedPnl"]
    assert row["availableMargin"] == row["marginBalance"] - row["initMargin"] - row["maintMargin"]
    isolated = positions[1]
    assert number(isolated["maintMargin"]) == number(isolated["posMargin"]) + number(isolated["unrealisedPnl"])
