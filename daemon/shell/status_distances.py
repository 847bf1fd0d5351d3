"""What the status says of distances, funding and the account as a whole, as plain values.

It only reads, when somebody asks. Numbers that were decided on are text; probabilities are from 0 to 1, percentages of
the mark, money in minor units of the settlement currency.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

from daemon.core.margin.account_failure import FailureMove, account_failure_moves
from daemon.core.margin.contribution import contributions
from daemon.core.margin.costs import funding_cost_a_day_sat, funding_payment_sat
from daemon.core.margin.what_if import AccountRows
from daemon.core.market.distance import (
    common_move_percent,
    deciding_unit,
    distance,
    hourly_percent,
    largest_gap_percent,
)
from daemon.core.market.room import account_rows
from daemon.core.state import Guarded, GuardState
from daemon.shell.slices import Slices

_HUNDREDTH: Final = Decimal("0.01")
_PERCENT: Final = Decimal(100)
_TOLD: Final = 5
"""Positions that are named for their part in what brings an account down."""


def describe_distance(state: GuardState, guarded: Guarded) -> dict[str, object]:
    """The room of one position in three units, and what the estimate behind two of them is worth."""
    symbol, side = guarded.position.key.symbol, guarded.position.side
    mark = state.marks.get(symbol)
    price = None if mark is None else mark.price
    far = distance(state, guarded, price)
    hourly = hourly_percent(state, symbol)
    known = state.volatility.get(symbol)
    return {
        "room_percent": None if far is None else str(far.percent.quantize(_HUNDREDTH)),
        "room_volatilities": None if far is None else _text(far.multiples),
        "touch_probability": None if far is None else _text(far.probability),
        "tier_by": "" if side is None else deciding_unit(state.policy.tiers, guarded.tier, side, hourly),
        "common_move_percent": None if price is None else _text(common_move_percent(guarded, price)),
        "volatility": {
            "hourly_percent": _text(hourly),
            "largest_gap_percent": _text(largest_gap_percent(state, symbol)),
            "samples": 0 if known is None else known.samples,
            "least_samples": state.policy.volatility.least_samples,
        },
        "adl_rank": guarded.position.adl_rank,
        "funding": _funding(state, guarded, price),
    }


def describing_accounts(state: GuardState) -> Slices[list[dict[str, object]]]:
    """Per currency with cross positions: the move of all its marks at which it fails, and who brings it there."""
    rows = account_rows(state)
    currencies = sorted({p.currency for p in rows.positions.values() if p.quantity and p.is_cross})
    yield
    accounts: list[dict[str, object]] = []
    for currency in currencies:
        account = yield from _account(rows, currency)
        accounts.append(account)
    return accounts


def _account(rows: AccountRows, currency: str) -> Slices[dict[str, object]]:
    margin = rows.margins.get(currency)
    if margin is None:
        return {"currency": currency, "reason": "no_margin_row", "contributions": []}
    moves = account_failure_moves(rows.held(currency), rows.instruments, margin, rows.marks)
    yield
    nearest = contributions(rows, currency)[:_TOLD]
    yield
    return {
        "currency": currency,
        **_moves(moves.whole),
        "underlyings": {name: _moves(move) for name, move in sorted(moves.groups.items())},
        "contributions": [
            {"symbol": each.symbol, "share": str(each.share.quantize(_HUNDREDTH)), "loss_sat": each.loss_sat}
            for each in nearest
        ],
    }


def _moves(move: FailureMove) -> dict[str, object]:
    described: dict[str, object] = {"fails_down_percent": _percent(move.down), "fails_up_percent": _percent(move.up)}
    return described if move.reason is None else {**described, "reason": move.reason.value}


def _funding(state: GuardState, guarded: Guarded, mark: Decimal | None) -> dict[str, object] | None:
    position = guarded.position
    instrument = state.instruments.get(position.key.symbol)
    if instrument is None or not instrument.funding_at_ns or mark is None or mark <= 0:
        return None
    return {
        "at": datetime.fromtimestamp(instrument.funding_at_ns / 1e9, UTC).isoformat(timespec="seconds"),
        "rate": str(instrument.funding_rate),
        "payment_sat": funding_payment_sat(instrument, position.quantity, mark),
        "a_day_sat": funding_cost_a_day_sat(instrument, position.quantity, mark),
        "currency": position.currency,
    }


def _percent(move: Decimal | None) -> str | None:
    """A signed fraction as percent, rounded toward zero: the account fails no sooner."""
    return None if move is None else str((move * _PERCENT).quantize(_HUNDREDTH, rounding=ROUND_DOWN))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
