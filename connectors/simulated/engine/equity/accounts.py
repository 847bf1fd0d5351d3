"""Opening accounts and moving money in and out.

Units: minor units of the currency. Source: rows of the venue's `wallet` and `transact` tables.
"""

from __future__ import annotations

from connectors.simulated.engine.equity.bookings import record_booking
from connectors.simulated.engine.equity.standing import standing
from connectors.simulated.engine.holdings.ledger import Account, Wallet, add
from connectors.simulated.engine.inputs import Deposit, OpenAccount
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.rows import MAJOR
from connectors.simulated.engine.world import World

_LARGEST = 2**53 - 1  # number that a client in JavaScript can read


def open_account(world: World, request: OpenAccount) -> None:
    """Open an account with its balances.

    Raises:
        Refused: If the number is taken or none that a client could read, a currency unknown or a balance below zero.
    """
    if request.account in world.accounts or not 0 < request.account <= _LARGEST:
        raise Refused("Invalid account")
    for currency, balance in request.balances.items():
        if currency not in MAJOR or balance < 0:
            raise Refused("Invalid currency")
    account = Account(number=request.account)
    world.accounts[request.account] = account
    for currency, balance in request.balances.items():
        wallet = Wallet(account=request.account, currency=currency, changed_ms=world.at_ms)
        account.wallets[currency] = wallet
        _move(world, account, wallet, balance)


def deposit(world: World, request: Deposit) -> None:
    """Add money to a wallet, or take free money out.

    Raises:
        Refused: If the account has no such wallet or less free margin than is to leave.
    """
    account = world.account(request.account)
    wallet = account.wallets.get(request.currency)
    if wallet is None:
        raise Refused(f"Account has no {request.currency}")
    whole = standing(world, account, request.currency)
    if request.amount < 0 and -request.amount > min(whole.available, whole.wallet_balance):
        raise Refused("Insufficient withdrawable balance")
    _move(world, account, wallet, request.amount)


def _move(world: World, account: Account, wallet: Wallet, amount: int) -> None:
    wallet.amount += amount
    if amount >= 0:
        wallet.deposited += amount
    else:
        wallet.withdrawn -= amount
    add(world.house.deposits, wallet.currency, amount)
    kind = "Deposit" if amount >= 0 else "Withdrawal"
    record_booking(world, account, wallet, kind, amount)
