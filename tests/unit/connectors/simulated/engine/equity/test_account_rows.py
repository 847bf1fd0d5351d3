"""Columns of the private rows: complete, and right on recorded rows."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.engine.equity.account_rows import (
    break_even_price,
    entry_price,
    margin_row,
    position_row,
    queue_rank,
)
from connectors.simulated.engine.equity.standing import PositionStanding, boundaries, order_margin, standing
from connectors.simulated.engine.holdings.ledger import Position
from connectors.simulated.engine.holdings.order_load import OrderLoad, SideLoad
from connectors.simulated.engine.tables.order_rows import EXECUTION_COLUMNS
from connectors.simulated.engine.world import World
from tests.unit.connectors.simulated.engine.desk import Desk, number
from tests.unit.connectors.simulated.engine.holdings.test_margin import contract_of

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
    "ordStatus triggered workingIndicator ordRejReason leavesQty cumQty avgPx text transactTime timestamp pool"
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
    assert list(POSITION) == list(desk.position())  # in the venue's order
    assert set(MARGIN) <= set(desk.margin())
    for row in desk.exchange.instrument_rows():
        if not str(row["symbol"]).startswith("."):
            assert [name for name in row if name in INSTRUMENT] == INSTRUMENT  # in the venue's order
        else:
            assert [name for name in row if name in INSTRUMENT] == [name for name in INSTRUMENT if name in row]


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


# Recorded, but not made here: what resting orders would realise has no known formula.
UNKNOWN = {"openOrderRealisedPnl"}


def recorded_account(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the position row and the margin row of one account, taken ten seconds apart in May 2026."""
    with (folder / "rest" / "bitmex-position-snapshot-2026-05-03.csv").open(encoding="utf-8") as file:
        reports = [json.loads(row["positionReport"], parse_float=Decimal) for row in csv.DictReader(file)]
    with (folder / "rest" / "bitmex-user-margin-snapshot-2026-05.csv").open(encoding="utf-8") as file:
        margins = [row for row in csv.DictReader(file) if row["currency"] == "XBt"]
    return next(row for row in reports if row["isOpen"]), margins[0]


def recreated(recorded: dict[str, Any], mark: Decimal) -> tuple[World, Position]:
    """Return a world in which the first account holds what a recorded row says."""
    world = Desk().exchange.world
    market = world.markets["XBTUSD"]
    market.mark, market.funding_rate = mark, Decimal("-0.000024")
    position = world.position(world.accounts[1], market.contract)
    position.quantity = recorded["currentQty"]
    position.unrealised_cost = position.current_cost = recorded["unrealisedCost"]
    position.rebalanced_pnl, position.prev_realised_pnl = recorded["rebalancedPnl"], recorded["prevRealisedPnl"]
    position.opening_quantity = recorded.get("openingQty", 0)
    return world, position


def with_orders(recorded: dict[str, Any], own: PositionStanding, position: Position) -> PositionStanding:
    """Return a standing with the recorded order totals; the buying side only shrinks the short."""
    buy = SideLoad(quantity=recorded["openOrderBuyQty"], cost=-recorded["openOrderBuyCost"])
    cost = -recorded["openOrderSellCost"]
    sell = SideLoad(quantity=recorded["openOrderSellQty"], cost=cost, adding_cost=cost)
    load = OrderLoad(buy=buy, sell=sell)
    return replace(own, load=load, init_margin=order_margin(position, load))


def test_every_column_of_the_recorded_position_of_2026(real_data: Path) -> None:
    """The whole row, from quantity, cost, mark and orders alone."""
    recorded, balance = recorded_account(real_data)
    mark = Decimal(str(recorded["markPrice"]))
    world, position = recreated(recorded, mark)
    world.accounts[1].wallets["XBt"].amount = int(balance["walletBalance"])
    whole = standing(world, world.accounts[1], "XBt")
    own = with_orders(recorded, whole.positions["XBTUSD"], position)
    position.rank = Decimal(1)
    row = position_row(position, own, mark=mark, quote_to_settle=1, edges=boundaries(world, position, whole), at_ms=0)
    left_out = UNKNOWN | {"account", "timestamp"}
    wrong = {
        name: (row.get(name), value)
        for name, value in recorded.items()
        if name not in left_out and row.get(name) != (Decimal(str(value)) if isinstance(value, Decimal) else value)
    }
    assert wrong == {}


def test_every_figure_of_the_recorded_margin_of_2026(real_data: Path) -> None:
    """The whole row of the account, at the mark at which it was taken."""
    recorded, balance = recorded_account(real_data)
    value = int(balance["grossMarkValue"])
    mark = XBTUSD.exact_price(value, -recorded["currentQty"])
    assert mark is not None
    world, position = recreated(recorded, mark)
    account = world.accounts[1]
    wallet = account.wallets["XBt"]
    wallet.amount = int(balance["amount"])
    whole = standing(world, account, "XBt")
    own = with_orders(recorded, whole.positions["XBTUSD"], position)
    whole = replace(whole, positions={"XBTUSD": own}, init_margin=own.init_margin)
    row = margin_row(account, wallet, whole, at_ms=0)
    # A copy rounded to four decimals, and a target that the account's owner has set.
    shown = {**row, "marginLeverage": round(number(row["marginLeverage"]), 4)}
    left_out = {"timestamp", "currency", "targetExcessMargin"}
    wrong = {
        name: (shown[name], text)
        for name, text in balance.items()
        if name not in left_out and text and number(shown[name]) != Decimal(text)
    }
    assert wrong == {}
