"""What happens to the account: leverage and margin mode, money, forced liquidation, auto-deleveraging."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.inputs import (
    Deposit,
    Isolate,
    OpenAccount,
    PlaceOrder,
    SetFault,
    SetLeverage,
    TransferMargin,
)
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.tables.reports import IN_LIQUIDATION
from tests.simulation.bot import CONTRACTS, LEVERAGES
from tests.simulation.guard_life import SimGuard
from tests.simulation.scene import Scene
from tests.simulation.troubles.staging import (
    changes_seen,
    ended_of_ours,
    held,
    liquidation_of,
    open_symbols,
    position_row,
    some_position,
)
from tests.simulation.troubles.trouble import Trouble, some_s
from tests.simulation.virtual_loop import passing

FIRST_VICTIM = 900_001
"""Account number of the first whose liquidation others have to pay for."""
VICTIM_LEVERAGE = 25
FURTHER = Decimal("0.001")
"""How far beyond a liquidation price the mark goes, as a share of it."""
BALANCES = {"XBt": 100_000_000, "USDt": 100_000_000_000}


async def leverage(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The leverage of a position is changed under way, a few times in a row."""
    symbol = await some_position(scene, random)
    for _ in range(random.randint(1, 5) if symbol else 0):
        before = liquidation_of(scene, str(symbol))
        scene.promises.disturb()
        chosen = Decimal(random.choice(LEVERAGES))
        is_done = scene.bot.ask(SetLeverage(account=scene.account, symbol=str(symbol), leverage=chosen))
        if is_done and liquidation_of(scene, str(symbol)) != before:
            scene.hit("leverage changed")
        await passing(some_s(random, 0.05, 8))


async def margin_mode(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A position goes from isolated to cross margin and back, and money is moved in and out of it."""
    symbol = await some_position(scene, random)
    is_isolated = random.random() < 0.5
    for _ in range(random.randint(1, 5) if symbol else 0):
        before = liquidation_of(scene, str(symbol))
        scene.promises.disturb()
        is_done = scene.bot.ask(Isolate(account=scene.account, symbol=str(symbol), enabled=is_isolated))
        if is_done and liquidation_of(scene, str(symbol)) != before:
            scene.hit("margin mode changed")
        amount = random.choice((-1, 1)) * random.randint(10_000, 2_000_000)
        scene.bot.ask(TransferMargin(account=scene.account, symbol=str(symbol), amount=amount))
        is_isolated = not is_isolated
        await passing(some_s(random, 0.05, 8))


async def liquidation(scene: Scene, guard: SimGuard, random: Random) -> None:
    """The price gaps beyond a liquidation price: the venue cancels the stop first, then takes what it wants."""
    symbol = await some_position(scene, random, leverage=random.choice((None, 0, 10, 25)))
    line = None if symbol is None else liquidation_of(scene, symbol)
    if symbol is None or line is None or not line:
        return
    beyond = line * (1 - FURTHER if held(scene, symbol) > 0 else 1 + FURTHER)
    if beyond > CONTRACTS[symbol].max_price:
        return  # nothing trades there, and a contract could not be settled
    with changes_seen(scene, "liquidation takes the stop", ended_of_ours(IN_LIQUIDATION)):
        scene.prices.move_to(symbol, beyond)
        await passing(some_s(random, 1.5, 15))


async def deleverage(scene: Scene, guard: SimGuard, random: Random) -> None:
    """Somebody on the other side is bankrupt and the fund is empty: a winning position is cut, its orders are gone."""
    symbol = await some_position(scene, random, leverage=5)
    if symbol is None:
        return
    quantity, contract = held(scene, symbol), CONTRACTS[symbol]
    lots = max(1, abs(quantity) // contract.lot_size * random.randint(3, 9) // 10)
    _other_side(scene, symbol, -lots * contract.lot_size if quantity > 0 else lots * contract.lot_size)
    scene.venue.submit(SetFault(name="fund-empty"))

    def is_bite(change: Change) -> bool:
        row = change.row
        return change.table == "execution" and row["account"] == scene.account and row["text"] == "Deleverage"

    with changes_seen(scene, "auto-deleveraging", is_bite):
        share = Decimal("1.06") if quantity > 0 else Decimal("0.94")
        scene.prices.move_to(symbol, scene.prices.mark(symbol) * share)
        await passing(some_s(random, 4, 15))


def _other_side(scene: Scene, symbol: str, quantity: int) -> None:
    """Open an account that holds the other side with much leverage; nobody guards it, so nobody judges it."""
    if not any(guard.policy.observe for guard in scene.guards):
        scene.promises.only(scene.account)
    number = FIRST_VICTIM
    while scene.venue.exchange.has_account(number):
        number += 1
    scene.venue.submit(OpenAccount(account=number, balances=BALANCES))
    scene.bot.ask(SetLeverage(account=number, symbol=symbol, leverage=Decimal(VICTIM_LEVERAGE)))
    side = "Buy" if quantity > 0 else "Sell"
    scene.bot.ask(PlaceOrder(account=number, symbol=symbol, side=side, order_qty=abs(quantity), ord_type="Market"))


async def deposit_after_loss(scene: Scene, guard: SimGuard, random: Random) -> None:
    """A losing trade, and then money comes in or leaves: the day's loss is what it was."""
    symbols = open_symbols(scene)
    if not symbols:
        return
    symbol = random.choice(symbols)
    scene.promises.disturb()
    currency = CONTRACTS[symbol].settl_currency
    if not held(scene, symbol):
        scene.bot.open(symbol, side=random.choice((1, -1)), leverage=10, share=0.2)
        await passing(some_s(random, 0.2, 5))
    before = _result(scene, currency)
    _move_into_loss(scene, symbol, random)
    await passing(some_s(random, 0.2, 3))
    scene.promises.disturb()
    scene.bot.close(symbol)
    for _ in range(random.randint(1, 4)):
        scene.promises.disturb()
        amount = random.choice((-1, 1, 1)) * random.randint(1_000_000, 50_000_000)
        is_done = _is_taken(scene, Deposit(account=scene.account, currency=currency, amount=amount))
        if is_done and _result(scene, currency) < before:
            scene.hit("deposit after a loss")
        await passing(some_s(random, 0.2, 10))


def _move_into_loss(scene: Scene, symbol: str, random: Random) -> None:
    """Move the price to the wrong side of what was paid; its stop may fire, which is a loss too."""
    row = position_row(scene, symbol)
    if row is None or not row["avgEntryPrice"]:
        return
    scene.promises.disturb()
    against = (-1 if held(scene, symbol) > 0 else 1) * Decimal(random.randint(5, 100)) / 10_000
    scene.prices.move_to(symbol, Decimal(str(row["avgEntryPrice"])) * (1 + against))


def _is_taken(scene: Scene, value: Deposit) -> bool:
    try:
        scene.venue.submit(value)
    except Refused:
        return False
    return True


def _result(scene: Scene, currency: str) -> int:
    """Return what trading has brought so far, deposits left out."""
    rows = scene.venue.exchange.margin_rows(scene.account)
    wallets = scene.venue.exchange.wallet_rows(scene.account)
    balance = sum(int(str(row["walletBalance"])) for row in rows if row["currency"] == currency)
    moved = sum(
        int(str(row["deposited"])) - int(str(row["withdrawn"])) for row in wallets if row["currency"] == currency
    )
    return balance - moved


ACCOUNT: tuple[Trouble, ...] = (
    Trouble(name="leverage changed", listed="leverage changed under way", cast=leverage, hinders=False),
    Trouble(name="margin mode changed", listed="margin mode changed under way", cast=margin_mode, hinders=False),
    Trouble(name="liquidation takes the stop", listed="liquidation that first cancels the stop", cast=liquidation),
    Trouble(name="auto-deleveraging", listed="auto-deleveraging", cast=deleverage),
    Trouble(name="deposit after a loss", listed="deposit in a loss day", cast=deposit_after_loss, hinders=False),
)
