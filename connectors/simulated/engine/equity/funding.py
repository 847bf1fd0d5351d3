"""Funding: what longs pay shorts every eight hours of the tape (or of the clock), and the booking that goes along.

Why: funding moves money without a fill, and the part still to be paid counts as maintenance, so
it moves liquidation prices too. At the same instant realised results are booked to the wallet.

The rate that will be charged is fixed one period ahead; the next one forms meanwhile from the
premium index: how far bid or ask stand beyond the mark, over the index, plus the present rate. It is
premium + clamp(interest - premium, -0.05 %, +0.05 %), bounded by three quarters of (initial -
maintenance margin), and changes by no more than three quarters of the maintenance margin from one
exchange to the next. A tape that knows the real rate names it.

Units: rates as fractions of the position's value at mark, times in ms.
Source: www.bitmex.com/app/perpetualContractsGuide; announcement of 17 April 2020 on the two caps; a
funding execution of 2019.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from connectors.simulated.engine.contracts import EXACT, Contract
from connectors.simulated.engine.equity.bookings import book_session
from connectors.simulated.engine.equity.standing import locked, standing
from connectors.simulated.engine.holdings.ledger import Account, Position, add
from connectors.simulated.engine.holdings.margin import spendable
from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.engine.markets.market import ZERO, Market, MarketState
from connectors.simulated.engine.rows import notionals
from connectors.simulated.engine.tables.order_rows import ExecutionStamp, FillFigures, system_execution_row
from connectors.simulated.engine.tables.public_rows import funding_row
from connectors.simulated.engine.tables.reports import publish_execution
from connectors.simulated.engine.world import World

HOUR_MS = 3_600_000
PERIOD_MS = 8 * HOUR_MS
FIRST_MS = 4 * HOUR_MS  # exchanges stand at 04:00, 12:00 and 20:00 UTC
DAMPER = Decimal("0.0005")
RATE_PLACES = Decimal("0.000001")
CAP_SHARE = Decimal("0.75")
FUNDINGS_A_DAY = Decimal(3)


def next_exchange_ms(tape_ms: int) -> int:
    """Return the first funding instant after a tape time."""
    return (tape_ms - FIRST_MS) // PERIOD_MS * PERIOD_MS + PERIOD_MS + FIRST_MS


def interest(contract: Contract) -> Decimal:
    """Return the interest part of one exchange: quote less base rate of a day, in three."""
    return EXACT.divide(contract.funding_quote_rate - contract.funding_base_rate, FUNDINGS_A_DAY)


def premium_now(market: Market) -> Decimal:
    """Return the premium index at this instant."""
    beyond = max(ZERO, market.bid - market.mark) - max(ZERO, market.mark - market.ask)
    return EXACT.divide(beyond, market.index) + market.funding_rate


def bounded_rate(contract: Contract, premium: Decimal, before: Decimal) -> Decimal:
    """Return the funding rate that an average premium gives after an exchange at another rate."""
    damped = premium + min(max(interest(contract) - premium, -DAMPER), DAMPER)
    cap = CAP_SHARE * (contract.init_margin - contract.maint_margin)
    change = CAP_SHARE * contract.maint_margin
    changed = min(max(damped, before - change), before + change)
    return min(max(changed, -cap), cap).quantize(RATE_PLACES, ROUND_HALF_EVEN)


def observe(market: Market, prices: SymbolPrices) -> None:
    """Let one step of the tape form the coming rate."""
    contract = market.contract
    if not contract.is_perpetual:
        return
    market.premium_sum += premium_now(market)
    market.premium_count += 1
    market.premium = EXACT.divide(market.premium_sum, Decimal(market.premium_count))
    market.indicative_rate = bounded_rate(contract, market.premium, market.funding_rate)
    if prices.funding_rate is not None:
        market.funding_rate = prices.funding_rate


def move_tape(world: World, tape_ms: int) -> bool:
    """Move the tape's clock, make the exchanges it has passed, and return whether it did."""
    restarted = world.tape_ms is None or tape_ms < world.tape_ms
    world.tape_ms = tape_ms
    if world.switches.funding_by_protocol_clock:
        return _follow_protocol_clock(world)
    passed = not restarted and world.next_funding_tape_ms <= tape_ms
    while passed and world.next_funding_tape_ms <= tape_ms:
        _exchange_all(world, at_ms=world.at_ms)
        world.next_funding_tape_ms += PERIOD_MS
    if restarted or passed:
        _announce_next(world)
    return passed


def _follow_protocol_clock(world: World) -> bool:
    """Make the exchange whose instant has passed, stamped with it; after a long absence the latest only."""
    due_ms = world.next_funding_shown_ms
    world.next_funding_shown_ms = next_exchange_ms(world.at_ms)
    if not 0 < due_ms <= world.at_ms:
        return False
    _exchange_all(world, at_ms=world.next_funding_shown_ms - PERIOD_MS)
    return True


def _announce_next(world: World) -> None:
    """Fix the coming instant on both clocks; the protocol clock assumes the tape's real pace."""
    tape_ms = world.tape_ms or 0
    world.next_funding_tape_ms = next_exchange_ms(tape_ms)
    world.next_funding_shown_ms = world.at_ms + world.next_funding_tape_ms - tape_ms


def _exchange_all(world: World, *, at_ms: int) -> None:
    """Charge all positions, publish the rates, form the next ones, book the session."""
    for market in world.markets.values():
        if market.contract.is_perpetual and market.has_prices and market.state is MarketState.OPEN:
            _exchange(world, market, at_ms=at_ms)
    for account in world.accounts.values():
        for wallet in account.wallets.values():
            book_session(world, account, wallet)


def _exchange(world: World, market: Market, *, at_ms: int) -> None:
    symbol = market.contract.symbol
    for account in world.accounts.values():
        position = account.positions.get(symbol)
        if position is not None and position.quantity:
            _charge(world, account, position, market, at_ms=at_ms)
    row = funding_row(symbol, market.funding_rate, at_ms=at_ms)
    world.fundings.append(row)
    world.emit("funding", None, row)
    market.funding_rate = market.indicative_rate
    market.premium_sum, market.premium_count = Decimal(0), 0


def _charge(world: World, account: Account, position: Position, market: Market, *, at_ms: int) -> None:
    """Charge or credit one position and log the execution."""
    contract = position.contract
    rate = market.funding_rate * position.side
    cost = contract.signed_cost(position.quantity, market.mark)
    paid = int((abs(cost) * rate).to_integral_value(ROUND_HALF_EVEN))
    _charge_own_margin(world, account, position, paid)
    position.current_comm += paid
    add(world.house.provider, contract.settl_currency, paid)
    home, foreign = notionals(contract, position.quantity, market.mark, quote_to_settle=world.quote_to_settle)
    stamp = ExecutionStamp(
        exec_id=world.new_id("execution"),
        exec_type="Funding",
        match_id=world.new_id("match"),
        at_ms=at_ms,
    )
    figures = FillFigures(
        quantity=abs(position.quantity),
        price=market.mark,
        liquidity=None,
        rate=rate,
        cost=cost,
        fee=paid,
        home=home,
        foreign=foreign,
        realised_pnl=-paid,
    )
    row = system_execution_row(position, stamp, figures, text="Funding", side=None)
    publish_execution(world, account, row)
    world.mark_stale(position)


def _charge_own_margin(world: World, account: Account, position: Position, paid: int) -> None:
    """Take a payment from the margin of a position that has its own, made good while the account can."""
    if paid <= 0 or locked(world, position).is_shared:
        return
    available = standing(world, account, position.contract.settl_currency).available
    position.pos_loss += paid
    position.pos_cross += min(paid, spendable(available, position.contract.fee))
