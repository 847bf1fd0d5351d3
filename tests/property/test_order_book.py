"""The order book under any sequence of orders: nobody is passed over, nothing crosses, nothing is lost."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.exchange import Exchange, Refused
from connectors.simulated.engine.inputs import (
    AmendOrder,
    CancelOrders,
    Input,
    OpenAccount,
    PlaceOrder,
    SetPrices,
    SymbolPrices,
)
from connectors.simulated.engine.markets.liquidity import best
from connectors.simulated.engine.resting.book import rebuilt
from connectors.simulated.engine.resting.orders import Contingency, Side
from connectors.simulated.engine.switches import ClientIdReuse, SelfTrade, Switches

ACCOUNTS = (1, 2, 3)
START_MS = 1_780_000_000_000
RICH = 100_000_000_000  # nobody is liquidated here
SYMBOL = "XBTUSD"

numbers = st.sampled_from(ACCOUNTS)
lots = st.integers(1, 12).map(lambda count: count * 100)
names = st.sampled_from([f"o{number}" for number in range(12)])


@st.composite
def plain_orders(draw: st.DrawFn) -> PlaceOrder:
    """Limit orders close to each other, each under a name of its own or a used one."""
    return PlaceOrder(
        account=draw(numbers),
        symbol=SYMBOL,
        side=draw(st.sampled_from(["Buy", "Sell"])),
        order_qty=draw(lots),
        price=Decimal(50_000 + draw(st.integers(-8, 8)) * 10),
        cl_ord_id=draw(names),
    )


class Crowd:
    """A source of inputs from a seed: long dense histories, which strategies of single values do not give."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311

    def input(self) -> Input:
        """Return an order of any kind, an amendment, a cancel, or a step of the tape."""
        kind = self._random.choices((self._order, self._change, self._step), (6, 3, 1))[0]
        return kind()

    def hours(self) -> int:
        """Return how long nothing happens: mostly not at all."""
        return self._random.choice((0, 0, 0, 0, 0, 0, 0, 7))

    def _near(self) -> Decimal:
        return Decimal(50_000 + self._random.randint(-8, 8) * 10)

    def _lots(self) -> int:
        return self._random.randint(1, 12) * 100

    def _name(self) -> str:
        return f"o{self._random.randint(0, 30)}"

    def _order(self) -> Input:
        pick = self._random.choice
        waits, limited = pick((True, False, False)), pick((True, True, False))
        peg = None if waits or limited else pick((None, "PrimaryPeg", "MarketPeg"))
        rests = limited or peg is not None
        words = [pick(("", "", "", "ReduceOnly", "Close", "ParticipateDoNotInitiate" if rests else ""))]
        link = pick(("", "", "l1", "l2"))
        return PlaceOrder(
            account=pick(ACCOUNTS),
            symbol=SYMBOL,
            side=pick(("Buy", "Sell")),
            order_qty=self._lots(),
            price=self._near() if limited else None,
            stop_px=self._near() if waits else None,
            display_qty=pick((None, None, 0, 100)),
            exec_inst=",".join([word for word in words if word] + (["Fixed"] if peg else [])),
            time_in_force=pick((None, None, None, "Day", "FillOrKill", "ImmediateOrCancel")),
            peg_price_type=peg,
            peg_offset_value=Decimal(self._random.randint(-3, 3) * 10) if peg else None,
            contingency_type=pick([kind.value for kind in Contingency]) if link else "",
            cl_ord_link_id=link,
            cl_ord_id=self._name(),
        )

    def _change(self) -> Input:
        number, name = self._random.choice(ACCOUNTS), self._name()
        changes: list[Input] = [
            AmendOrder(account=number, orig_cl_ord_id=name, price=self._near()),
            AmendOrder(account=number, orig_cl_ord_id=name, order_qty=self._lots()),
            AmendOrder(account=number, orig_cl_ord_id=name, leaves_qty=self._lots()),
            AmendOrder(account=number, orig_cl_ord_id=name, stop_px=self._near()),
            CancelOrders(account=number, cl_ord_ids=(name,)),
        ]
        return self._random.choice(changes)

    def _step(self) -> Input:
        """Return prices with modelled levels, thin and full of holes, or recorded ones."""
        pick, last = self._random.choice, self._near()
        gap = Decimal(pick((10, 20, 40)))
        is_recorded = pick((True, False))
        prices = SymbolPrices(
            symbol=SYMBOL,
            mark=Decimal(50_000),
            index=Decimal(50_000),
            last=last,
            half_spread=Decimal(pick((0, 5, 20))),
            depth=pick((0, 100, 500)),
            thinning=Decimal(pick(("0", "0.3"))),
            gaps=Decimal(pick(("0", "0.5"))),
            gap_seed=pick((0, 1, 2)),
            halted=pick((True, *(False,) * 9)),
            low=pick((None, self._near())),
            high=pick((None, self._near())),
            bids=((last - gap, 200), (last - gap - 10, 300)) if is_recorded else (),
            asks=((last + gap, 100), (last + gap + 30, 900)) if is_recorded else (),
        )
        return SetPrices(tape_ms=0, prices=(prices,))


def an_exchange(switches: Switches, *, depth: int) -> Exchange:
    """Return an exchange at 50,000 with three rich accounts."""
    exchange = Exchange(switches=switches)
    for number in ACCOUNTS:
        exchange.apply(OpenAccount(account=number, balances={"XBt": RICH}), at_ms=START_MS)
    price = Decimal(50_000)
    first = SymbolPrices(symbol=SYMBOL, mark=price, index=price, last=price, half_spread=Decimal(5), depth=depth)
    exchange.apply(SetPrices(tape_ms=0, prices=(first,)), at_ms=START_MS)
    return exchange


def trades(exchange: Exchange) -> list[Row]:
    """Return the fills since the last call, in order."""
    rows = [change.row for change in exchange.take_changes() if change.table == "execution"]
    return [row for row in rows if row["execType"] == "Trade"]


@dataclass
class Standing:
    """An order of the reference: a list, searched from end to end."""

    name: str
    account: int
    side: str
    price: Decimal
    leaves: int


class Reference:
    """Price-time priority as one would explain it, without any index."""

    def __init__(self) -> None:
        self.book: list[Standing] = []
        self.fills: list[tuple[str, str, Decimal, int]] = []  # taker, maker, price, contracts

    def take(self, taker: Standing) -> None:
        """Let an order trade, then rest; one's own orders make way."""
        sign = 1 if taker.side == "Buy" else -1
        facing = sorted((one for one in self.book if one.side != taker.side), key=lambda one: one.price * sign)
        for maker in facing:
            if not taker.leaves or maker.price * sign > taker.price * sign:
                break
            if maker.account == taker.account:
                self.book.remove(maker)
                continue
            size = min(taker.leaves, maker.leaves)
            self.fills.append((taker.name, maker.name, maker.price, size))
            taker.leaves -= size
            maker.leaves -= size
            if not maker.leaves:
                self.book.remove(maker)
        if taker.leaves:
            self.book.append(taker)


@given(orders=st.lists(plain_orders(), max_size=60))
def test_price_goes_before_time_and_time_before_nothing(orders: list[PlaceOrder]) -> None:
    """Fills and book are those of a naive list of orders, whatever comes in."""
    exchange, reference = an_exchange(Switches(), depth=0), Reference()
    used: set[tuple[int, str]] = set()
    found: list[tuple[str, str, Decimal, int]] = []
    for order in orders:
        if (order.account, order.cl_ord_id) in used:
            continue
        used.add((order.account, order.cl_ord_id))
        exchange.apply(order, at_ms=START_MS)
        name = f"{order.account}/{order.cl_ord_id}"
        limit, quantity = order.price or Decimal(0), order.order_qty or 0
        reference.take(Standing(name, order.account, order.side or "", limit, quantity))
        rows = trades(exchange)
        for taker, maker in zip(rows[::2], rows[1::2], strict=True):
            price, size = Decimal(str(maker["lastPx"])), int(str(maker["lastQty"]))
            found.append((name_of(taker), name_of(maker), price, size))
    assert found == reference.fills
    sizes: defaultdict[tuple[str, Decimal], int] = defaultdict(int)
    for one in reference.book:
        sizes[one.side, one.price] += one.leaves
    assert {(r["side"], r["price"]): r["size"] for r in exchange.book_rows(SYMBOL, 100)} == sizes


def name_of(row: Row) -> str:
    """Return what the reference calls an order."""
    return f"{row['account']}/{row['clOrdID']}"


def check_book(exchange: Exchange) -> None:
    """Nothing crosses, everybody is where he belongs, nobody shows more than he wants to."""
    world = exchange.world
    market = world.markets[SYMBOL]
    resting = [o for a in world.accounts.values() for o in a.open_in(SYMBOL) if market.book.holds(o)]
    again = rebuilt(resting)
    for side in Side:
        ladder = market.book.side(side)
        assert list(ladder) == list(again.side(side))
        assert ladder.prices == sorted(ladder.levels)
        assert all(order.is_open and order.is_working and 0 <= order.shown <= order.leaves for order in ladder)
        for order in ladder:
            shows_all = order.display_quantity is None
            assert order.shown == order.leaves if shows_all else order.shown <= (order.display_quantity or 0)
    assert sum(len(level) for side in Side for level in market.book.side(side).levels.values()) == len(resting)
    bid, ask = market.book.bids.best, market.book.asks.best
    assert bid is None or ask is None or bid < ask
    best_bid, best_ask = best(market, Side.SELL), best(market, Side.BUY)
    for found, facing in ((best_bid, ask), (best_ask, bid)):
        if found is not None and facing is not None:
            assert found.price < facing if found is best_bid else found.price > facing
    assert best_bid is None or best_ask is None or best_bid.price < best_ask.price


def check_fills(rows: list[Row], held: dict[int, int]) -> None:
    """No fill beyond its limit; one that may only shrink does so; positions add up."""
    for row in rows:
        number, side = int(str(row["account"])), str(row["side"])
        sign = 1 if side == "Buy" else -1
        before = held[number]
        held[number] += int(str(row["lastQty"])) * sign
        if row["ordType"] in {"Limit", "StopLimit", "LimitIfTouched", "Pegged"}:
            assert (Decimal(str(row["lastPx"])) - Decimal(str(row["price"]))) * sign <= 0
        if set(str(row["execInst"]).split(",")) & {"ReduceOnly", "Close"}:
            assert abs(held[number]) < abs(before)
            assert held[number] * before >= 0


@given(seed=st.integers(0, 2**32), self_trade=st.sampled_from(SelfTrade), linked=st.booleans())
def test_any_orders_leave_a_sound_book(seed: int, self_trade: SelfTrade, linked: bool) -> None:
    """Money, positions, priority, limits and displayed sizes hold after every single input."""
    reuse = ClientIdReuse.WHEN_CLOSED
    switches = Switches(self_trade=self_trade, linked_orders=linked, client_id_reuse=reuse, max_linked_orders=99)
    exchange, crowd = an_exchange(switches, depth=500), Crowd(seed)
    held: dict[int, int] = dict.fromkeys(ACCOUNTS, 0)
    now = START_MS
    for _ in range(60):
        now += crowd.hours() * 3_600_000
        with suppress(Refused):
            exchange.apply(crowd.input(), at_ms=now)
        assert exchange.money_is_conserved()
        check_fills(trades(exchange), held)
        check_book(exchange)
        check_positions(exchange, held)
    if not linked:  # a link may cut or cancel, in the middle of a match, what was to be filled whole
        check_fill_or_kill(exchange)


def check_fill_or_kill(exchange: Exchange) -> None:
    """Whole or not at all; one that was filled and then asked for more is left out."""
    for row in (row for number in ACCOUNTS for row in exchange.order_rows(number)):
        is_amended = "Amended" in str(row["text"])
        if row["timeInForce"] == "FillOrKill" and row["ordStatus"] in {"Filled", "Canceled"} and not is_amended:
            assert row["cumQty"] in {0, row["orderQty"]}


def check_positions(exchange: Exchange, held: dict[int, int]) -> None:
    """What the fills say is what the accounts hold, and the other side holds the rest."""
    assert sum(held.values()) + exchange.world.house.provider_quantity.get(SYMBOL, 0) == 0
    for number in ACCOUNTS:
        position = exchange.world.accounts[number].positions.get(SYMBOL)
        assert (0 if position is None else position.quantity) == held[number]
