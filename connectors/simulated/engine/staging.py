"""What a harness or a scenario does to the exchange, rather than a trader: faults, keys, positions, news.

Why: any state a test needs can be built by inputs, so that it is journalled and repeats like the rest.

Units: contracts signed, prices in quote currency. A position that is put there is dealt with the modelled
liquidity, free of fees, so money is conserved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import ip_network
from typing import assert_never

from connectors.simulated.engine import faulty_orders
from connectors.simulated.engine.changes import Reply, Row
from connectors.simulated.engine.faults.board import check
from connectors.simulated.engine.faults.catalogue import kind_named
from connectors.simulated.engine.holdings.ledger import Account, add
from connectors.simulated.engine.inputs import (
    Announce,
    ClearFault,
    FaultBit,
    SetFault,
    SetKey,
    SetPosition,
    SettleContract,
    Staging,
)
from connectors.simulated.engine.markets.market import MarketState
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.rows import iso
from connectors.simulated.engine.taking_over import settlement
from connectors.simulated.engine.trading import shrinking
from connectors.simulated.engine.world import World

MOST_ANNOUNCEMENTS = 1_000
MOST_CONTRACTS = 10**15
PERMISSIONS = ("order", "orderCancel", "withdraw")


def stage(world: World, value: Staging) -> Reply:
    """Do it, and return what the control API shows.

    Raises:
        Refused: If it cannot be done; nothing has changed then.
    """
    match value:
        case SetFault():
            return _set_fault(world, value)
        case ClearFault():
            return {"cleared": world.faults.clear(value)}
        case FaultBit():
            world.faults.count_bite(value)
        case Announce():
            return _announce(world, value)
        case SetPosition():
            _set_position(world, value)
        case SetKey():
            _set_key(world, value)
        case _:
            assert_never(value)
    return None


def _set_fault(world: World, value: SetFault) -> Row:
    if value.account is not None:
        world.account(value.account)
    if value.symbol is not None and not value.symbol.endswith("*"):
        world.market(value.symbol)
    if check(value).is_act:
        _ACTS[value.name](world, value)
    one = world.faults.set(value, at_ms=world.at_ms)
    return {"number": one.number, "name": one.fault.name}


def _on_accounts(act: Callable[[World, Account], None]) -> Callable[[World, SetFault], None]:
    def on_each(world: World, value: SetFault) -> None:
        for number, account in world.accounts.items():
            if value.account in (None, number):
                act(world, account)

    return on_each


def _empty_fund(world: World, _: SetFault) -> None:
    """Take the fund's money out of the exchange, as its owner would."""
    for currency, balance in world.house.fund.items():
        if balance > 0:
            add(world.house.fund, currency, -balance)
            add(world.house.deposits, currency, -balance)


def _settle(world: World, value: SetFault) -> None:
    """End the contract, or every open one that has a price."""
    given = kind_named(value.name).read(value.parameters)["price"]
    price = given if isinstance(given, Decimal) else None
    every = [
        symbol for symbol, market in world.markets.items() if market.state is MarketState.OPEN and market.has_prices
    ]
    for symbol in every if value.symbol is None else [value.symbol]:
        settlement.settle_contract(world, SettleContract(symbol=symbol, price=price))


_ACTS: Mapping[str, Callable[[World, SetFault], None]] = {
    "switch-fired": _on_accounts(faulty_orders.fire_switch),
    "switch-disarmed": _on_accounts(faulty_orders.disarm_switch),
    "fund-empty": _empty_fund,
    "contract-settled": _settle,
}


def _announce(world: World, value: Announce) -> Row:
    row: Row = {
        "id": len(world.announcements) + 1,
        "link": value.link,
        "title": value.title,
        "content": value.content,
        "date": iso(world.at_ms),
    }
    if len(world.announcements) >= MOST_ANNOUNCEMENTS:
        raise Refused("too many announcements")
    world.announcements.append(row)
    if value.is_urgent:
        world.urgent.append(len(world.announcements))
    world.emit("announcement", None, row)
    return row


def _set_position(world: World, value: SetPosition) -> None:
    account, market = world.account(value.account), world.market(value.symbol)
    contract = market.contract
    if contract.settl_currency not in account.wallets:
        raise Refused(f"Account has no {contract.settl_currency}")
    if market.state is not MarketState.OPEN:
        raise Refused("Instrument expired")
    if not market.has_prices:
        raise Refused("Instrument has no mark price")
    if value.quantity % contract.lot_size:
        raise Refused(f"Order quantity must be a multiple of lot size: {contract.lot_size}")
    price = market.mark if value.price is None else value.price
    if not price.is_finite() or not contract.min_price <= price <= contract.max_price:
        raise Refused("Invalid price")
    if abs(value.quantity) > MOST_CONTRACTS:
        raise Refused("Invalid orderQty")
    position = world.position(account, contract)
    difference = value.quantity - position.quantity
    if difference:
        position.fill(difference, price, contract.taker_fee * 0)
        world.house.trade(contract, difference, price)
        world.mark_stale(position)
        shrinking.trim(world, account, contract)


def check_key(value: SetKey) -> None:
    """See that a key can be one.

    Raises:
        Refused: With the reason.
    """
    if not value.key_id or not value.secret:
        raise Refused("a key needs an id and a secret")
    for permission in value.permissions:
        if permission not in PERMISSIONS:
            raise Refused(f"no permission {permission!r}; there are {', '.join(PERMISSIONS)}")
    for cidr in value.cidrs:
        try:
            ip_network(cidr, strict=False)
        except ValueError as error:
            raise Refused(f"{cidr!r} is no network; write for example 10.0.0.0/8") from error


def _set_key(world: World, value: SetKey) -> None:
    world.account(value.account)
    check_key(value)
    world.keys[value.key_id] = value
