"""Rows of both generations to the vocabulary."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.bitmex.protocol.numbers import MalformedRow
from connectors.bitmex.protocol.parse import (
    is_refused_request,
    parse_execution,
    parse_instrument,
    parse_key_rights,
    parse_margin,
    parse_order,
    parse_position,
    refusal_reason,
)
from connectors.vocabulary import ContractKind, ExecutionKind, OrderKind, OrderSide, OrderStatus, Side, Trigger
from tests.unit.connectors.bitmex.bitmex_builders import (
    CANCEL_REJECT_ROW,
    EXECUTION_ROW,
    INSTRUMENT_ROW,
    KEY,
    MARGIN_ROW,
    POSITION_ROW,
    STOP_ROW,
    exact,
)

# A waiting stop and one that fired, as the venue wrote them in 2019: every column, empty ones as null or "".
OLD_STOP = {
    "orderID": "512e34f4-d6c9-3eb3-98a3-2feeefe66386", "clOrdID": "", "clOrdLinkID": "", "account": 153475,
    "symbol": "XBTUSD", "side": "Sell", "simpleOrderQty": None, "orderQty": 1, "price": None, "displayQty": None,
    "stopPx": 7000, "pegOffsetValue": None, "pegPriceType": "", "currency": "USD", "settlCurrency": "XBt",
    "ordType": "Stop", "timeInForce": "ImmediateOrCancel", "execInst": "Close,LastPrice", "contingencyType": "",
    "ordStatus": "New", "triggered": "", "workingIndicator": False, "ordRejReason": "", "leavesQty": 1, "cumQty": 0,
    "avgPx": None, "text": "Submission from testnet.bitmex.com", "timestamp": "2019-05-14T12:23:35.620Z",
}  # fmt: skip


def order(**changed: Any) -> Any:
    """Return a sparse stop row with changes; a value of ... takes the column away."""
    row = {**STOP_ROW, **changed}
    return parse_order(exact({column: cell for column, cell in row.items() if cell is not ...}))


def test_sparse_stop() -> None:
    """A waiting stop of today's engine: resting, mark-triggered, reduce-only."""
    stop = order()
    assert stop.is_resting_stop
    assert (stop.kind, stop.side, stop.trigger) == (OrderKind.STOP_MARKET, OrderSide.SELL, Trigger.MARK)
    assert (stop.quantity, stop.leaves_quantity, stop.stop_price) == (100, 100, Decimal("48000.5"))
    assert stop.is_reduce_only
    assert not stop.is_close
    assert stop.price is None


def test_full_stop_of_2019() -> None:
    """A waiting stop of the old engine: the last price fires it, Close makes it reduce-only."""
    stop = parse_order(exact(OLD_STOP))
    assert stop.is_resting_stop
    assert (stop.trigger, stop.is_close, stop.is_reduce_only) == (Trigger.LAST, True, True)
    assert stop.client_order_id == ""
    assert stop.strategy == "OneWay"


def test_fired_stop_does_not_rest() -> None:
    """A triggered stop is no protection any more, whatever word says that it fired."""
    assert not order(triggered="StopOrderTriggered").is_resting_stop
    assert not order(triggered="SomethingNew").is_resting_stop
    assert order(triggered="NotTriggered").is_resting_stop


def test_no_trigger_named_is_no_trigger_known() -> None:
    """Sources disagree about the default, so silence is not read as the mark price."""
    assert order(execInst="ReduceOnly").trigger is None
    assert order(execInst=...).trigger is None
    assert order(execInst="LastPrice,MarkPrice").trigger is None


def test_close_stop_without_quantity() -> None:
    """A Close order that follows the position has no quantity; that is not zero contracts."""
    stop = order(execInst="MarkPrice,Close", orderQty=..., leavesQty=...)
    assert (stop.quantity, stop.is_close, stop.is_resting_stop) == (None, True, True)


def test_leaves_follow_from_quantity_when_absent() -> None:
    """An absent leavesQty is worked out, not taken for zero; a finished order leaves nothing."""
    assert order(leavesQty=..., cumQty=30).leaves_quantity == 70
    assert order(leavesQty=..., ordStatus="Canceled").leaves_quantity == 0


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PendingNew", OrderStatus.PENDING),
        ("PendingCancel", OrderStatus.PENDING),
        ("PartiallyFilled", OrderStatus.PARTIALLY_FILLED),
        ("Filled", OrderStatus.FILLED),
        ("Canceled", OrderStatus.CANCELED),
        ("Rejected", OrderStatus.REJECTED),
        ("Suspended", OrderStatus.UNKNOWN),
        ("", OrderStatus.UNKNOWN),
    ],
)
def test_statuses(word: str, status: OrderStatus) -> None:
    """Known words are known, any other is UNKNOWN and not final."""
    assert order(ordStatus=word).status is status


def test_old_sell_quantity_may_be_negative() -> None:
    """Sides are words; a quantity is an amount."""
    assert order(orderQty=-100).quantity == 100


@pytest.mark.parametrize("column", ["orderID", "symbol", "side"])
def test_order_without_its_identity_is_refused(column: str) -> None:
    """What cannot be meant is not guessed."""
    with pytest.raises(MalformedRow, match=column):
        order(**{column: ...})


def test_open_position() -> None:
    """A long with its prices and the venue's key."""
    position = parse_position(exact(POSITION_ROW))
    assert position.side is Side.LONG
    assert position.liquidation_price == Decimal("45500.5")
    assert (position.key.account, position.key.symbol, position.key.strategy) == (273093, "XBTUSD", "OneWay")
    assert position.cost_sat == -200000


@pytest.mark.parametrize("flat", [{"currentQty": 0}, {"isOpen": False}, {"isOpen": False, "currentQty": 100}])
def test_flat_rows_have_no_prices(flat: dict[str, Any]) -> None:
    """A closed position stays as a row; whatever prices it still shows are void."""
    position = parse_position(exact(POSITION_ROW | flat))
    assert position.quantity == 0
    assert position.side is None
    assert (
        position.liquidation_price is position.bankruptcy_price is position.entry_price is position.mark_price is None
    )


@pytest.mark.parametrize("sentinel", [100000000, 1000000, 0])
def test_liquidation_sentinels_pass_through(sentinel: int) -> None:
    """Values that mean "cannot be liquidated" are left for the core to judge."""
    assert parse_position(exact(POSITION_ROW | {"liquidationPrice": sentinel})).liquidation_price == sentinel


def test_null_and_absent_liquidation_price() -> None:
    """Neither null nor absence is a price."""
    without = {column: cell for column, cell in POSITION_ROW.items() if column != "liquidationPrice"}
    assert parse_position(exact(without)).liquidation_price is None
    assert parse_position(exact(POSITION_ROW | {"liquidationPrice": None})).liquidation_price is None


def test_spot_position_row_is_flat() -> None:
    """Spot symbols give rows with open-order columns only."""
    assert parse_position(exact({"account": 1, "symbol": "XBT_USDT", "openOrderBuyQty": 5})).quantity == 0


def test_open_position_without_quantity_is_refused() -> None:
    """Absent is not zero: an open row without its quantity cannot be believed."""
    with pytest.raises(MalformedRow, match="currentQty"):
        parse_position({"account": 1, "symbol": "XBTUSD", "isOpen": True})


def test_hedge_mode_keeps_its_strategy() -> None:
    """Two rows a symbol are told apart by the venue's own key."""
    assert parse_position(exact(POSITION_ROW | {"strategy": "Short"})).key.strategy == "Short"


# An isolated long of 2022, as the venue wrote it, trimmed to what is read here.
LINEAR_LONG = {
    "account": 9371654, "symbol": "ETHUSDT", "currency": "USDt", "commission": 0.00075,
    "initMarginReq": 0.3333333333333333, "maintMarginReq": 0.01, "riskLimit": 1000000000000, "leverage": 3,
    "crossMargin": False, "deleveragePercentile": 1, "openOrderBuyQty": 10, "openOrderBuyCost": -279250,
    "openOrderBuyPremium": 3, "openOrderSellQty": 4, "openOrderSellCost": -5, "openOrderSellPremium": 6,
    "currentQty": 2000, "isOpen": True, "markPrice": 1964.195, "markValue": 39283900, "posCost": 39260000,
    "posCross": 11, "posInit": 13086667, "posComm": 39261, "posLoss": 12, "posMargin": 13125928, "posMaint": 435787,
    "initMargin": 13, "maintMargin": 13149828, "realisedPnl": -26500, "unrealisedPnl": 23900, "avgEntryPrice": 1963,
    "breakEvenPrice": 1964.35, "liquidationPrice": 1328.5, "bankruptPrice": 1308.7,
    "timestamp": "2022-05-21T04:35:16.397Z",
}  # fmt: skip


def test_every_figure_of_a_position_is_read() -> None:
    """A real row: rates in force, margins, open orders, results, and the front of the deleveraging queue."""
    position = parse_position(exact(LINEAR_LONG))
    assert position.initial_margin_ratio == Decimal("0.3333333333333333")
    assert (position.risk_limit_sat, position.mark_value_sat) == (1_000_000_000_000, 39_283_900)
    assert (position.cross_sat, position.loss_sat, position.order_margin_sat) == (11, 12, 13)
    assert (position.realised_pnl_sat, position.break_even_price) == (-26_500, Decimal("1964.35"))
    assert (position.open_buy_quantity, position.open_buy_cost_sat, position.open_buy_premium_sat) == (10, -279_250, 3)
    assert (position.open_sell_quantity, position.open_sell_cost_sat, position.open_sell_premium_sat) == (4, -5, 6)
    assert position.adl_rank == 5


@pytest.mark.parametrize(
    ("share", "rank"),
    [(0, 1), (0.01, 1), (0.2, 1), (0.2000001, 2), (0.6000000000000001, 3), (0.8, 4), (1, 5), (None, None), (1.5, None)],
)
def test_place_in_the_queue_is_one_of_five(share: float | None, rank: int | None) -> None:
    """The share of the queue in fifths, the noise of binary floats taken off; nonsense and nothing are unknown."""
    assert parse_position(exact({**LINEAR_LONG, "deleveragePercentile": share})).adl_rank == rank


def test_a_flat_position_stands_in_no_queue() -> None:
    """Whatever its columns still say."""
    flat = parse_position(exact({**LINEAR_LONG, "currentQty": 0, "isOpen": False}))
    assert (flat.adl_rank, flat.break_even_price) == (None, None)


def test_a_result_that_is_not_told_is_not_zero() -> None:
    """`realisedPnl` is absent from some rows."""
    row = {column: cell for column, cell in LINEAR_LONG.items() if column != "realisedPnl"}
    assert parse_position(exact(row)).realised_pnl_sat is None


def test_margin() -> None:
    """Money of one currency; other currencies' balances set the flag."""
    margin = parse_margin(exact(MARGIN_ROW))
    assert (margin.wallet_balance_sat, margin.margin_balance_sat, margin.available_sat) == (10**8, 100000100, 99000000)
    assert not margin.is_multi_asset
    assert parse_margin(exact(MARGIN_ROW | {"foreignMarginBalance": -7})).is_multi_asset
    assert parse_margin(exact(MARGIN_ROW | {"foreignRequirement": 1})).is_multi_asset


def test_margin_tells_the_last_booking() -> None:
    """`amount`, the same figure as the wallet's; None where a row lacks it."""
    assert parse_margin(exact(MARGIN_ROW)).amount_sat == 100_000_000
    bare = {column: cell for column, cell in MARGIN_ROW.items() if column != "amount"}
    assert parse_margin(exact(bare)).amount_sat is None


def test_margin_sums_what_a_sparse_row_leaves_out() -> None:
    """Balances that are sums of other columns are summed; without any balance the row is refused."""
    margin = parse_margin({"account": 1, "currency": "USDt", "amount": 500, "realisedPnl": -20, "maintMargin": 30})
    assert (margin.wallet_balance_sat, margin.margin_balance_sat, margin.available_sat) == (480, 480, 450)
    with pytest.raises(MalformedRow, match="amount"):
        parse_margin({"account": 1, "currency": "USDt"})


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, ExecutionKind.TRADE),
        ({"execType": "Funding", "side": "", "text": "Funding"}, ExecutionKind.FUNDING),
        ({"text": "Liquidation"}, ExecutionKind.LIQUIDATION),
        ({"execType": "Liquidation"}, ExecutionKind.LIQUIDATION),
        ({"execType": "Bankruptcy"}, ExecutionKind.LIQUIDATION),
        ({"execType": "Settlement"}, ExecutionKind.SETTLEMENT),
        ({"execType": "TriggeredOrActivatedBySystem"}, ExecutionKind.OTHER),
        ({"execType": "Canceled", "text": "Canceled: Position in liquidation"}, ExecutionKind.ENDED),
        ({"execType": "Rejected"}, ExecutionKind.ENDED),
        ({"execType": "AmendReject", "ordStatus": "Rejected"}, ExecutionKind.OTHER),
        ({"execType": "CancelReject", "ordStatus": "Rejected"}, ExecutionKind.OTHER),
    ],
)
def test_executions(changed: dict[str, Any], kind: ExecutionKind) -> None:
    """Trades, funding, settlement, liquidations of both generations; a cancel because of a liquidation is none."""
    assert parse_execution(exact(EXECUTION_ROW | changed)).kind is kind


def test_funding_has_no_side() -> None:
    """Funding is an execution without a side and without an order."""
    assert parse_execution(exact(EXECUTION_ROW | {"execType": "Funding", "side": ""})).side is None


def test_refused_request_is_not_an_order_status() -> None:
    """A CancelReject row says Rejected about the request; its order may be alive."""
    assert is_refused_request(CANCEL_REJECT_ROW)
    assert not is_refused_request(EXECUTION_ROW)
    assert refusal_reason(CANCEL_REJECT_ROW) == "Invalid orderID"


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, ContractKind.INVERSE),
        ({"isInverse": False, "isQuanto": True, "multiplier": 100}, ContractKind.QUANTO),
        ({"isInverse": False, "multiplier": 100000, "settlCurrency": "USDt"}, ContractKind.LINEAR),
    ],
)
def test_contract_kinds_come_from_flags(changed: dict[str, Any], kind: ContractKind) -> None:
    """The profit formula is read from the flags, never from the name."""
    instrument = parse_instrument(exact(INSTRUMENT_ROW | changed))
    assert instrument is not None
    assert instrument.kind is kind


@pytest.mark.parametrize(
    "changed",
    [
        {"typ": "MRCXXX"},
        {"typ": "IFXXXP"},
        {"typ": "FFMCSX"},
        {"initMargin": None},
        {"settlCurrency": ""},
        {"multiplier": None},
    ],
)
def test_what_is_no_derivative_is_left_out(changed: dict[str, Any]) -> None:
    """Indices, spot, spreads and rows without a figure a position needs are no contracts to the guard."""
    assert parse_instrument(exact(INSTRUMENT_ROW | changed)) is None


@pytest.mark.parametrize("tick_size", [0, -0.0, -0.5])
def test_a_tick_that_is_no_step_is_not_understood(tick_size: float) -> None:
    """Every price of ours is put on that grid: the last good figure stays, and the frame goes into quarantine."""
    with pytest.raises(MalformedRow, match=r"tickSize is .* must be above 0"):
        parse_instrument(exact(INSTRUMENT_ROW | {"tickSize": tick_size}))


@pytest.mark.parametrize("state", ["Closed", "Settled", "Unlisted", "Delisted", ""])
def test_only_open_instruments_trade(state: str) -> None:
    """A contract that is winding down is known, and not open."""
    instrument = parse_instrument(exact(INSTRUMENT_ROW | {"state": state}))
    assert instrument is not None
    assert not instrument.is_open


def test_schedule_and_limits_of_a_contract() -> None:
    """Funding stamp and span, fees, risk limits, as on a real row of 2024; the forming rate is not read."""
    found = parse_instrument(
        exact(
            {
                **INSTRUMENT_ROW,
                "makerFee": -0.0001,
                "settlementFee": 0.0005,
                "riskLimit": 20000000000,
                "riskStep": 15000000000,
                "fundingTimestamp": "2024-11-25T04:00:00.000Z",
                "fundingInterval": "2000-01-01T08:00:00.000Z",
                "indicativeFundingRate": 0.000125,
            }
        )
    )
    assert found is not None
    assert (found.maker_fee, found.settlement_fee) == (Decimal("-0.0001"), Decimal("0.0005"))
    assert (found.base_risk_limit_sat, found.risk_step_sat) == (20_000_000_000, 15_000_000_000)
    assert found.funding_at_ns == 1_732_507_200 * 1_000_000_000
    assert found.funding_interval_ns == 8 * 3600 * 1_000_000_000
    assert found.expires_ns == 0


def test_a_dated_contract_says_when_it_settles() -> None:
    """Neither funding stamp nor span, and a moment of settlement."""
    found = parse_instrument(
        exact({**INSTRUMENT_ROW, "symbol": "XBTH25", "typ": "FFCCSX", "settle": "2025-03-28T12:00:00.000Z"})
    )
    assert found is not None
    assert (found.expires_ns, found.funding_at_ns) == (1_743_163_200 * 1_000_000_000, 0)


def test_the_forming_rate_and_prices_change_no_figure() -> None:
    """`indicativeFundingRate` changes every minute: a contract told anew each time would be a storm."""
    one = parse_instrument(exact({**INSTRUMENT_ROW, "indicativeFundingRate": 0.1, "bidPrice": 1, "openValue": 2}))
    assert one == parse_instrument(exact(INSTRUMENT_ROW))


def test_key_rights() -> None:
    """Rights come from the key's own row; a key of the same user does not count."""
    other = {"id": "other", "secret": "s", "permissions": ["withdraw"]}
    own = {"id": KEY, "secret": "s", "permissions": ["order"], "targetAccountId": 5}
    rights = parse_key_rights([other, own], key_id=KEY)
    assert (rights.can_order, rights.can_withdraw, rights.is_readable, rights.account) == (True, False, True, 5)


@pytest.mark.parametrize("granted", [[], ["orderCancel"], [["order"]]])
def test_rights_that_place_no_stop(granted: list[object]) -> None:
    """Read-only and cancel-only keys cannot place a stop."""
    assert not parse_key_rights([{"id": KEY, "permissions": granted}], key_id=KEY).can_order


def test_rights_of_an_unlisted_key_are_unreadable() -> None:
    """A list without the key says nothing about it."""
    assert not parse_key_rights([], key_id=KEY).is_readable
    with pytest.raises(MalformedRow):
        parse_key_rights([{"id": KEY, "permissions": "order"}], key_id=KEY)
