"""Bookings on wallets: realised results at the end of a session, deposits, withdrawals.

Units: minor units of the currency. Source: rows of the venue's `wallet` and `transact` tables.
"""

from __future__ import annotations

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.equity.account_rows import wallet_row
from connectors.simulated.engine.holdings.ledger import Account, Wallet
from connectors.simulated.engine.rows import iso
from connectors.simulated.engine.world import World


def book_session(world: World, account: Account, wallet: Wallet) -> None:
    """Move realised results into the wallet's amount."""
    held = account.held(wallet.currency)
    moved = 0
    for position in held:
        if position.current_comm or position.realised_cost:
            moved += position.book()
            world.mark_stale(position)
    if not moved:
        return
    wallet.amount += moved
    wallet.prev_realised_pnl = moved
    record_booking(world, account, wallet, "RealisedPNL", moved)


def record_booking(world: World, account: Account, wallet: Wallet, kind: str, amount: int) -> None:
    """Log a change of a wallet's amount."""
    wallet.changed_ms = world.at_ms
    row: Row = {
        "transactID": world.new_id("transact"),
        "account": account.number,
        "currency": wallet.currency,
        "transactType": kind,
        "amount": amount,
        "fee": 0,
        "transactStatus": "Completed",
        "address": None,
        "tx": None,
        "text": None,
        "transactTime": iso(world.at_ms),
        "walletBalance": wallet.amount,
        "marginBalance": None,
        "timestamp": iso(world.at_ms),
    }
    account.history.append(row)
    world.emit("transact", account.number, row)
    world.emit("wallet", account.number, wallet_row(wallet))
    world.stale_margins[account.number, wallet.currency] = None
