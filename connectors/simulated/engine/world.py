"""All state of the embedded exchange, and the log of changes to its tables.

Why: the topic modules are functions over this one value; nothing else holds state, so replaying
the inputs rebuilds everything.

Units: `at_ms` protocol time, `tape_ms` time of the price tape, both ms since 1970 UTC.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.contracts import CONTRACTS, INDICES, Contract, Index
from connectors.simulated.engine.faults.board import FaultBoard
from connectors.simulated.engine.holdings.ledger import Account, House, Position
from connectors.simulated.engine.holdings.liquidation_order import LiquidationOrder
from connectors.simulated.engine.inputs import SetKey
from connectors.simulated.engine.markets.indices import IndexPrints
from connectors.simulated.engine.markets.market import INTEREST, RECENT, ZERO, Market, MarketState, recent_rows
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.remembered import remembered
from connectors.simulated.engine.resting.orders import Order, Side
from connectors.simulated.engine.switches import Switches

_BUSIEST = frozenset(contract.symbol for contract in CONTRACTS)  # a hundred rows of theirs are twenty seconds
KEPT_EVENTS = 10_000  # of each kind that all contracts share


@dataclass(slots=True, kw_only=True)
class World:
    """Everything the exchange knows."""

    switches: Switches
    markets: dict[str, Market] = field(default_factory=dict)
    indices: dict[str, IndexPrints] = field(default_factory=dict)
    accounts: dict[int, Account] = field(default_factory=dict)
    house: House = field(default_factory=House)
    at_ms: int = 0
    tape_ms: int | None = None
    next_funding_tape_ms: int = 0
    next_funding_shown_ms: int = 0  # the same instant as clients of the protocol clock see it
    quote_to_settle: int = 1  # satoshi per dollar at the index, for quanto contracts
    ids: int = 0
    next_expiry_ms: int | None = None  # of the contracts that trade
    ranked_minute: int = -1  # protocol minute in which the deleveraging queues were ranked
    liquidations: dict[str, LiquidationOrder] = field(default_factory=dict)
    day_orders: dict[str, Order] = field(default_factory=dict)  # open ones that end with the day, by orderID
    done_primaries: list[Order] = field(default_factory=list)  # with linked orders to look after before the input ends
    fundings: deque[Row] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    settlements: deque[Row] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    faults: FaultBoard = field(default_factory=FaultBoard)
    keys: dict[str, SetKey] = field(default_factory=dict)  # made or changed by hand, by their id
    announcements: list[Row] = field(default_factory=list)
    urgent: list[int] = field(default_factory=list)  # ids of the urgent ones
    script: int = 0  # number of the last scripted input
    changes: list[Change] = field(default_factory=list)
    stale_positions: dict[tuple[int, str], None] = field(default_factory=dict)
    stale_margins: dict[tuple[int, str], None] = field(default_factory=dict)
    unread: frozenset[str] | None = remembered()  # public tables whose rows of a step are not made: nobody reads them
    switches_due_ms: int | None = remembered()  # no dead man's switch fires before; None: to be looked up

    def emit(self, table: str, account: int | None, row: Row) -> None:
        """Log a row as it stands now."""
        self.changes.append(Change(table=table, account=account, row=row))

    def withdraw(self, table: str, row: Row) -> None:
        """Log that a row has left a public table."""
        self.changes.append(Change(table=table, account=None, row=row, is_delete=True))

    def open_markets(
        self, contracts: Iterable[Contract], indices: Iterable[Index], *, kept: int = RECENT
    ) -> list[Market]:
        """Open a market for each contract that has none and return the new ones; indices come along.

        Args:
            contracts: What is listed.
            indices: What stands behind.
            kept: Rows of public history to keep of each; as many as one may ask for of those that trade most.
        """
        for index in indices:
            self.indices.setdefault(index.symbol, IndexPrints(index=index, rows=recent_rows(kept)))
        opened = [
            Market(
                contract=one,
                funding_rate=INTEREST if one.is_perpetual else ZERO,
                trades=recent_rows(RECENT if one.symbol in _BUSIEST else kept),
                quotes=recent_rows(RECENT if one.symbol in _BUSIEST else kept),
            )
            for one in contracts
            if one.symbol not in self.markets
        ]
        self.markets.update({market.contract.symbol: market for market in opened})
        self.plan_expiries()
        return opened

    def mark_stale(self, position: Position) -> None:
        """Have the position's row, and its currency's margin row, written after this input."""
        position.changed_ms = self.at_ms
        self.stale_positions[position.account, position.contract.symbol] = None
        self.stale_margins[position.account, position.contract.settl_currency] = None
        self.markets[position.contract.symbol].is_interest_stale = True

    def plan_expiries(self) -> None:
        """Find the next expiry among the contracts that trade; to be called whenever one comes or goes."""
        trading = (market.expiry_ms for market in self.markets.values() if market.state is MarketState.OPEN)
        self.next_expiry_ms = min((at_ms for at_ms in trading if at_ms is not None), default=None)

    def new_id(self, kind: str) -> str:
        """Return the next id: unlike any other, and the same on every replay."""
        self.ids += 1
        digest = blake2b(f"{kind}:{self.ids}".encode(), digest_size=16).hexdigest()
        return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))

    def market(self, symbol: str) -> Market:
        """Return the market of a symbol, in any case of letters.

        Raises:
            Refused: If no such contract is listed.
        """
        found = self.markets.get(symbol) or self.markets.get(symbol.upper())
        if found is None:
            raise Refused("Invalid symbol")
        return found

    def account(self, number: int) -> Account:
        """Return an account.

        Raises:
            Refused: If there is none with this number.
        """
        found = self.accounts.get(number)
        if found is None:
            raise Refused("Invalid account")
        return found

    def position(self, account: Account, contract: Contract) -> Position:
        """Return the account's position in a contract, a flat one if it never had any."""
        found = account.positions.get(contract.symbol)
        if found is None:
            found = Position(
                account=account.number,
                contract=contract,
                leverage=1 / contract.init_margin,
                risk_limit=contract.risk_limit,
                changed_ms=self.at_ms,
            )
            account.positions[contract.symbol] = found
        return found


def ranked(orders: list[Order]) -> list[Order]:
    """Return limit orders of one side by priority: price, then age."""

    def key(order: Order) -> tuple[object, int]:
        price = order.price or 0
        return (-price if order.side is Side.BUY else price, order.sequence)

    return sorted(orders, key=key)


def new_world(switches: Switches, contracts: tuple[Contract, ...] = CONTRACTS) -> World:
    """Return an exchange without accounts or prices."""
    world = World(switches=switches)
    for currency, balance in switches.insurance_fund.items():
        world.house.fund[currency] = world.house.deposits[currency] = balance
    world.open_markets(contracts, INDICES if contracts else ())
    return world
