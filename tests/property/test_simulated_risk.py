"""Money of the embedded exchange under every rule of margin, liquidation, deleveraging and settlement."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connectors.simulated.engine.exchange import Exchange, Refused
from connectors.simulated.engine.inputs import (
    Deposit,
    FundInsurance,
    Input,
    Isolate,
    OpenAccount,
    PlaceOrder,
    RestrictMarket,
    SetCrossLeverage,
    SetLeverage,
    SetMarkMethod,
    SetPrices,
    SetRiskLimit,
    SettleContract,
    SymbolPrices,
    TransferMargin,
)
from connectors.simulated.engine.switches import LiquidationStyle, MarginEngine, Switches
from connectors.simulated.engine.taking_over.takeover import OLD

BASE = {"XBTUSD": 50_000, "XBTUSDT": 50_000, "ETHUSD": 3_000, "XBTH27": 50_500}
LOTS = {"XBTUSD": 100, "XBTUSDT": 100, "ETHUSD": 1, "XBTH27": 100}
ACCOUNTS = (1, 2, 3, 4)
START_MS = 1_780_000_000_000
HOUR_MS = 3_600_000
DEEP = 200_000_000

symbols = st.sampled_from(sorted(BASE))
numbers = st.sampled_from(ACCOUNTS)
booleans = st.booleans()
switches = st.builds(
    Switches,
    margin_engine=st.sampled_from(MarginEngine),
    liquidation_style=st.sampled_from(LiquidationStyle),
    liquidation_delay_ms=st.sampled_from([0, 1_500]),
    liquidation_first=booleans,
    funding_in_maintenance=booleans,
    order_margin_in_liquidation=booleans,
    insurance_fund=st.sampled_from([{}, {"XBt": 1_000_000}, {"XBt": 10**12, "USDt": 10**12}]),
)


class Venue(RuleBasedStateMachine):
    """Accounts that take large positions while prices crash, funds run dry and contracts end."""

    @initialize(chosen=switches)
    def open(self, chosen: Switches) -> None:
        """Open four accounts of ten coins each in calm markets."""
        self.exchange = Exchange(switches=chosen)
        self.at_ms, self.tape_ms = START_MS, 0
        for number in ACCOUNTS:
            self.apply(OpenAccount(account=number, balances={"XBt": 10**9, "USDt": 10**12}))
        self.levels = dict.fromkeys(BASE, 1000)
        self.move({}, depth=DEEP)
        for number, leverage, lots in ((1, 50, 40_000), (2, 20, -30_000), (3, 0, -30_000), (4, 0, 40_000)):
            for symbol in ("XBTUSD", "XBTH27"):
                self.apply(SetLeverage(account=number, symbol=symbol, leverage=Decimal(leverage)))
                self.apply(PlaceOrder(account=number, symbol=symbol, order_qty=lots * 100, ord_type="Market"))

    def teardown(self) -> None:
        """Tell what this life has seen, and check that a snapshot carries all of it."""
        if not hasattr(self, "exchange"):
            return
        document = self.exchange.save()
        assert Exchange.load(document).save() == document
        for number in ACCOUNTS:
            for row in self.exchange.execution_rows(number):
                event(str(row["text"]).split(chr(10))[0][:40])

    def apply(self, value: Input) -> None:
        """Apply an input; a refusal must leave everything as it was."""
        self.exchange.take_changes()
        try:
            self.exchange.apply(value, at_ms=self.at_ms)
        except Refused:
            assert self.exchange.take_changes() == []

    def move(self, levels: dict[str, int], *, depth: int, halted: bool = False) -> None:
        """Move some markets to levels in thousandths of their base, a second later."""
        self.levels |= levels
        self.at_ms += 1_000
        moved = {s: Decimal(BASE[s] * level // 1000) for s, level in self.levels.items()}
        steps = tuple(
            SymbolPrices(
                symbol=s, mark=p, index=p, last=p, half_spread=Decimal(1), depth=depth, halted=halted and s in levels
            )
            for s, p in moved.items()
        )
        self.apply(SetPrices(tape_ms=self.tape_ms, prices=steps))

    @rule(number=numbers, symbol=symbols, share=st.integers(1, 60), sell=booleans, close=booleans)
    def trade(self, number: int, symbol: str, share: int, sell: bool, close: bool) -> None:
        """Take a position of up to sixty times the balance, or shrink one."""
        lots = 10_000_000 * share // 60 // LOTS[symbol]
        if symbol == "ETHUSD":
            lots //= 600
        quantity = lots * LOTS[symbol] * (-1 if sell else 1)
        flags = "ReduceOnly" if close else ""
        self.apply(PlaceOrder(account=number, symbol=symbol, order_qty=quantity, ord_type="Market", exec_inst=flags))

    @rule(number=numbers, symbol=symbols, lots=st.integers(1, 2_000), level=st.integers(800, 1200), sell=booleans)
    def quote(self, number: int, symbol: str, lots: int, level: int, sell: bool) -> None:
        """Leave a limit order or a stop somewhere."""
        price = Decimal(BASE[symbol] * level // 1000)
        quantity = lots * LOTS[symbol] * (-1 if sell else 1)
        self.apply(PlaceOrder(account=number, symbol=symbol, order_qty=quantity, price=price))
        side = "Sell" if sell else "Buy"
        self.apply(PlaceOrder(account=number, symbol=symbol, side=side, stop_px=price, exec_inst="Close,MarkPrice"))

    @rule(
        number=numbers,
        symbol=symbols,
        leverage=st.sampled_from([0, 1, 5, 25, 50, 100]),
        kind=st.sampled_from(["leverage", "cross", "isolate", "share"]),
    )
    def set_leverage(self, number: int, symbol: str, leverage: int, kind: str) -> None:
        """Change the margin mode."""
        made: dict[str, Callable[[], Input]] = {
            "leverage": lambda: SetLeverage(account=number, symbol=symbol, leverage=Decimal(leverage)),
            "cross": lambda: SetCrossLeverage(account=number, symbol=symbol, leverage=Decimal(leverage)),
            "isolate": lambda: Isolate(account=number, symbol=symbol),
            "share": lambda: Isolate(account=number, symbol=symbol, enabled=False),
        }
        self.apply(made[kind]())

    @rule(number=numbers, symbol=symbols, amount=st.integers(-(10**8), 10**8), limit=st.integers(1, 8))
    def move_money(self, number: int, symbol: str, amount: int, limit: int) -> None:
        """Add or take margin, deposit or withdraw, choose a risk limit."""
        self.apply(TransferMargin(account=number, symbol=symbol, amount=amount))
        self.apply(Deposit(account=number, currency="XBt", amount=amount))
        self.apply(SetRiskLimit(account=number, symbol=symbol, risk_limit=limit * 10**10))

    @rule(
        moved=st.dictionaries(symbols, st.integers(300, 2500), max_size=4),
        depth=st.sampled_from([0, 10_000, 1_000_000, DEEP]),
        halted=st.integers(0, 9).map(lambda draw: draw == 0),
    )
    def crash(self, moved: dict[str, int], depth: int, halted: bool) -> None:
        """Move some markets, far or not, in deep or empty books."""
        self.move(moved, depth=depth, halted=halted)

    @rule(moved=st.dictionaries(symbols, st.integers(-40, 40), max_size=4))
    def drift(self, moved: dict[str, int]) -> None:
        """Move some markets by a few percent in deep books."""
        self.move({s: max(300, self.levels[s] + by) for s, by in moved.items()}, depth=DEEP)

    @rule(hours=st.integers(1, 12))
    def pass_funding(self, hours: int) -> None:
        """Let the tape pass a funding mark."""
        self.tape_ms += hours * HOUR_MS
        self.move({}, depth=DEEP)

    @rule(symbol=symbols, ban=booleans, method=st.sampled_from(["FairPrice", "LastPrice"]), amount=st.integers(-9, 9))
    def rule_the_market(self, symbol: str, ban: bool, method: str, amount: int) -> None:
        """Ban new positions, mark otherwise, fill or empty the fund."""
        self.apply(RestrictMarket(symbol=symbol, reduce_only=ban))
        self.apply(SetMarkMethod(symbol=symbol, method=method))
        self.apply(FundInsurance(currency="XBt", amount=amount * 10**8))

    @precondition(lambda self: self.at_ms > START_MS + 12_000)
    @rule(symbol=symbols, level=st.none() | st.integers(300, 2500))
    def settle(self, symbol: str, level: int | None) -> None:
        """End a contract at some price, near or far."""
        price = None if level is None else Decimal(BASE[symbol] * level // 1000)
        self.apply(SettleContract(symbol=symbol, price=price))

    @rule()
    def work_off(self) -> None:
        """In open markets every liquidation order ends, whatever happens to the others."""
        before = {row["orderID"] for row in self.exchange.liquidation_rows()}
        for _ in range(OLD):
            self.move({}, depth=10_000)
        assert not before & {row["orderID"] for row in self.exchange.liquidation_rows()}

    @invariant()
    def money_is_conserved(self) -> None:
        """Accounts, fees, fund, seized positions and provider hold what was deposited, to the unit."""
        assert self.exchange.money_is_conserved()

    @invariant()
    def contracts_are_conserved(self) -> None:
        """Whatever one side holds, somebody holds the other."""
        world = self.exchange.world
        for symbol in BASE:
            held = sum(a.positions[symbol].quantity for a in world.accounts.values() if symbol in a.positions)
            seized = [o for o in world.liquidations.values() if o.contract.symbol == symbol]
            owed = sum(-o.side.sign * o.leaves for o in seized)
            assert held + owed + world.house.provider_quantity.get(symbol, 0) == 0, symbol

    @invariant()
    def nobody_owes(self) -> None:
        """Nobody who holds nothing owes anything; nor does the fund; seized positions leave no cost behind."""
        world = self.exchange.world
        for number in ACCOUNTS:
            holding = {p["currency"] for p in self.exchange.position_rows(number) if p["currentQty"]}
            for row in self.exchange.margin_rows(number):
                assert row["currency"] in holding or int(str(row["walletBalance"])) >= 0, row
        assert all(balance >= 0 for balance in world.house.fund.values())
        if not world.liquidations:
            assert not any(world.house.seized.values())

    @invariant()
    def rows_agree(self) -> None:
        """Every margin row is the sum of its parts and of its positions."""
        for number in ACCOUNTS:
            positions = self.exchange.position_rows(number)
            for row in self.exchange.margin_rows(number):
                cell = {name: value for name, value in row.items() if isinstance(value, int)}
                own = [p for p in positions if p["currency"] == row["currency"]]
                for column in ("unrealisedPnl", "maintMargin", "initMargin"):
                    assert cell[column] == sum(int(str(p[column])) for p in own), column
                free = cell["marginBalance"] - cell["initMargin"] - cell["maintMargin"]
                assert free == cell["availableMargin"] == cell["excessMargin"]


Venue.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestVenue = Venue.TestCase
