"""From an account to its stress test: which marks move, how far, in which steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from connectors.vocabulary import Order, OrderKind, Trigger
from daemon.calc.numbers import amount_text
from daemon.core.margin.account_failure import account_failure_move
from daemon.core.margin.liquidation import LiquidationState, assess
from daemon.core.margin.own_liquidation import NotComputable, consistent_margin
from daemon.core.margin.what_if import AccountRows
from daemon.stress.account import Account, Stress, Walk
from daemon.stress.walk import Walker, can_close, settled_at

FINEST_POINTS = 1_000


class NothingMoves(ValueError):
    """The account holds no position in what was asked to move."""


def stress(
    account: Account,
    *,
    symbols: Collection[str] = (),
    underlying: str = "",
    step_percent: Decimal = Decimal(5),
    most_percent: Decimal = Decimal(50),
    slippage_percent: Decimal = Decimal("0.1"),
) -> Stress:
    """Walk both ways and return what happens.

    Args:
        account: What is put under stress.
        symbols: Only these marks move; all if empty.
        underlying: Only marks behind this index (`reference_symbol`) move.
        step_percent: Points are this far apart.
        most_percent: How far it goes, below 100.
        slippage_percent: How much worse than its trigger a stop is filled.

    Raises:
        NothingMoves: If no open position is among those that were asked to move.
    """
    rows = settled_at(account.rows)
    moving = moving_symbols(rows, symbols, underlying)
    down, up = grid(step_percent, most_percent)

    def walked(direction: int, orders: Sequence[Order]) -> Walk:
        """Walk all marks one way, with these orders in the book."""
        walker = Walker(
            start=rows,
            orders=list(orders),
            moving=moving,
            direction=direction,
            slippage_percent=slippage_percent,
            rows=rows,
        )
        return walker.walk(down if direction < 0 else up)

    return Stress(
        account=account,
        down=walked(-1, account.orders),
        up=walked(1, account.orders),
        bare_down=walked(-1, ()),
        bare_up=walked(1, ()),
        moving=moving,
        unknown=_unknown(rows),
        notes=(*account.notes, *_notes(account, rows)),
    )


def moving_symbols(rows: AccountRows, symbols: Collection[str], underlying: str) -> tuple[str, ...]:
    """Return the held symbols whose marks move. Raises NothingMoves."""
    held = [symbol for symbol, position in rows.positions.items() if position.quantity]
    if not held:
        raise NothingMoves("the account holds no open position")
    unknown = sorted(set(symbols) - set(held))
    if unknown:
        raise NothingMoves(f"--symbol {unknown[0]}: no open position; open are {', '.join(sorted(held))}")
    chosen = [symbol for symbol in held if not symbols or symbol in symbols]
    chosen = [symbol for symbol in chosen if not underlying or rows.instruments[symbol].reference_symbol == underlying]
    if not chosen:
        known = sorted({rows.instruments[symbol].reference_symbol for symbol in held} - {""})
        raise NothingMoves(f"--underlying {underlying}: no open position; open are {', '.join(known) or 'none'}")
    return tuple(chosen)


def grid(step_percent: Decimal, most_percent: Decimal) -> tuple[list[Decimal], list[Decimal]]:
    """Return the moves of both directions, nearest first, the farthest included."""
    steps = [step_percent * count for count in range(1, int(most_percent / step_percent) + 1)]
    if not steps or steps[-1] != most_percent:
        steps.append(most_percent)
    up = [each / 100 for each in steps]
    return [-each for each in up], up


def _notes(account: Account, rows: AccountRows) -> list[str]:
    notes = []
    adding = [order for order in account.orders if _is_left_out(order, rows)]
    if adding:
        notes.append(
            f"{len(adding)} open orders that could open or add to a position are not played: "
            + ", ".join(sorted({order.symbol for order in adding}))
        )
    others = [o for o in account.orders if o.is_resting_stop and o.trigger not in {Trigger.MARK, None}]
    if others:
        notes.append(f"{len(others)} stops trigger on another price than the mark: taken as if it moved with the mark")
    notes += _disagreements(account.rows)
    notes += _impossible(rows)
    for currency, reason in _reasons(rows).items():
        notes.append(f"{currency}: the failure of the cross account cannot be computed ({_words(reason)})")
    return notes


def _impossible(rows: AccountRows) -> list[str]:
    """Name the wallets that could never have paid the margins of their isolated positions: somebody's slip."""
    notes = []
    for currency, margin in rows.margins.items():
        own = sum(position.margin_sat for position in rows.held(currency) if not position.is_cross)
        if own > margin.wallet_balance_sat:
            assigned = amount_text(own, currency)
            notes.append(f"{currency}: isolated positions hold {assigned}, more than the wallet: is the account right?")
    return notes


def _reasons(rows: AccountRows) -> dict[str, NotComputable]:
    """Return why the failure of a cross account cannot be computed, by currency."""
    found: dict[str, NotComputable] = {}
    for currency, margin in rows.margins.items():
        held = rows.held(currency)
        reason = account_failure_move(held, rows.instruments, margin, rows.marks).reason
        if reason is not None and any(position.is_cross for position in held):
            found[currency] = reason
    return found


def _unknown(rows: AccountRows) -> tuple[str, ...]:
    """Name the positions that have no liquidation price of ours, nor one of the exchange's to go by."""
    found = []
    for symbol, position in rows.positions.items():
        judged = assess(position, rows.instruments[symbol], rows.margins.get(position.currency), rows.marks[symbol])
        if position.quantity and judged.own.reason is not None and judged.state is LiquidationState.UNKNOWN:
            found.append(symbol)
    return tuple(found)


def _disagreements(rows: AccountRows) -> list[str]:
    """Name the positions whose liquidation price, as the rows show it, is not the one that we compute."""
    notes = []
    margins = {name: consistent_margin(margin, rows.positions.values()) for name, margin in rows.margins.items()}
    for symbol, position in rows.positions.items():
        shown = position.liquidation_price
        if shown is None or not position.quantity:
            continue
        margin = margins.get(position.currency)
        found = assess(position, rows.instruments[symbol], margin, position.mark_price or rows.marks[symbol])
        if found.disagreement:
            ours = "no price in range" if found.own.price is None else f"{found.own.price:f}"
            notes.append(f"{symbol}: the exchange shows liquidation at {shown:f}, we compute {ours}")
    return notes


def _is_left_out(order: Order, rows: AccountRows) -> bool:
    position = rows.positions.get(order.symbol)
    shrinks = position is not None and can_close(order, position)
    return order.is_open and not shrinks and not (order.is_reduce_only and order.kind is not OrderKind.OTHER)


def _words(reason: NotComputable) -> str:
    return reason.value.replace("_", " ")
