"""Writing position and margin rows: at once after an event, merged when only prices moved.

Why: the venue publishes these rows on changes of quantity and margin at once and otherwise every
few seconds; the engine builds a row only when somebody will read it.
"""

from __future__ import annotations

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.equity import legacy_cross
from connectors.simulated.engine.equity.account_rows import margin_row, position_row
from connectors.simulated.engine.equity.standing import Standing, boundaries, standing
from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.world import World


def position_row_now(world: World, position: Position, whole: Standing, *, at_ms: int | None = None) -> Row:
    """Return a position's row at the present mark."""
    market = world.markets[position.contract.symbol]
    return position_row(
        position,
        whole.positions[position.contract.symbol],
        mark=market.mark,
        quote_to_settle=world.quote_to_settle,
        edges=boundaries(world, position, whole) if position.quantity else None,
        at_ms=position.changed_ms if at_ms is None else at_ms,
    )


def log_position(world: World, account: Account, position: Position) -> None:
    """Log a position's row as it stands in the middle of an event."""
    whole = standing(world, account, position.contract.settl_currency)
    row = position_row_now(world, position, whole, at_ms=world.at_ms)
    world.emit("position", account.number, row)


def flush(world: World) -> None:
    """Log the rows of all positions and margins that this input has changed."""
    if not world.stale_margins:
        return
    for account in {number: world.accounts[number] for number, _ in world.stale_margins}.values():
        legacy_cross.renew(world, account)
    wholes = {
        (number, currency): standing(world, world.accounts[number], currency)
        for number, currency in world.stale_margins
    }
    for number, symbol in world.stale_positions:
        position = world.accounts[number].positions[symbol]
        whole = wholes[number, position.contract.settl_currency]
        world.emit("position", number, position_row_now(world, position, whole))
    for (number, currency), whole in wholes.items():
        account = world.accounts[number]
        row = margin_row(account, account.wallets[currency], whole, at_ms=world.at_ms)
        world.emit("margin", number, row)
    world.stale_positions.clear()
    world.stale_margins.clear()


def refresh(world: World, account: Account, *, at_ms: int) -> None:
    """Log the rows of open positions and their margins at the present marks, as mergeable."""
    for currency, wallet in account.wallets.items():
        open_ones = [p for p in account.held(currency) if p.quantity]
        if not open_ones:
            continue
        whole = standing(world, account, currency)
        rows = [("position", position_row_now(world, p, whole, at_ms=at_ms)) for p in open_ones]
        rows.append(("margin", margin_row(account, wallet, whole, at_ms=at_ms)))
        world.changes.extend(
            Change(table=table, account=account.number, row=row, is_refresh=True) for table, row in rows
        )
