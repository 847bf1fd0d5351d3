"""Everything that can change the embedded exchange, as values that can be journalled.

Why: the engine's state is a function of these inputs and the protocol times they come with, so a
journal of them is a complete recording: replayed, it gives the same bytes.

Units: prices are `Decimal` in quote currency (as they came off the wire, float noise included),
quantities are contracts, money is in minor units of the settlement currency, `tape_ms` is in
milliseconds since 1970 UTC on the clock of the price tape. JSON form: `encode` and `decode`.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from connectors.simulated.engine.contracts import Contract, Index


class _Input(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Common settings of all inputs: frozen, named arguments, tagged with the class name."""


class OpenAccount(_Input, frozen=True, kw_only=True):
    """A new account with its balances; refused when the number is taken."""

    account: int
    balances: dict[str, int]  # currency (`XBt`, `USDt`) to minor units


class PlaceOrder(_Input, frozen=True, kw_only=True):
    """`POST /order`, with the fields as sent; the engine fills in BitMEX's defaults.

    A negative `order_qty` sells. Without `ord_type` the type follows from `price` and `stop_px`.
    `exec_inst` is BitMEX's comma-separated list.
    """

    account: int
    symbol: str
    side: str | None = None
    order_qty: int | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    ord_type: str | None = None
    exec_inst: str = ""
    time_in_force: str | None = None
    cl_ord_id: str = ""
    cl_ord_link_id: str = ""
    display_qty: int | None = None
    peg_price_type: str | None = None
    peg_offset_value: Decimal | None = None
    contingency_type: str = ""
    text: str = ""


class AmendOrder(_Input, frozen=True, kw_only=True):
    """`PUT /order`: `order_id`, or `orig_cl_ord_id` with an optional new `cl_ord_id`."""

    account: int
    order_id: str | None = None
    orig_cl_ord_id: str | None = None
    cl_ord_id: str | None = None
    order_qty: int | None = None
    leaves_qty: int | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    peg_offset_value: Decimal | None = None
    text: str = ""


class CancelOrders(_Input, frozen=True, kw_only=True):
    """`DELETE /order` by ids of either kind; each answers with a row of its own."""

    account: int
    order_ids: tuple[str, ...] = ()
    cl_ord_ids: tuple[str, ...] = ()
    text: str = ""


class CancelAll(_Input, frozen=True, kw_only=True):
    """`DELETE /order/all`, optionally of one symbol, optionally only of the ids named.

    The server evaluates the request's `filter` and hands over the ids that pass it.
    """

    account: int
    symbol: str | None = None
    order_ids: tuple[str, ...] | None = None
    text: str = ""


class CancelAllAfter(_Input, frozen=True, kw_only=True):
    """`POST /order/cancelAllAfter`: (re)starts the account's one timer; 0 switches it off."""

    account: int
    timeout_ms: int


class SetLeverage(_Input, frozen=True, kw_only=True):
    """`POST /position/leverage`: isolates at this leverage; 0 goes to cross margin."""

    account: int
    symbol: str
    leverage: Decimal


class SetCrossLeverage(_Input, frozen=True, kw_only=True):
    """`POST /position/crossLeverage`: initial margin at this leverage while staying cross."""

    account: int
    symbol: str
    leverage: Decimal


class Isolate(_Input, frozen=True, kw_only=True):
    """`POST /position/isolate`: isolated (enabled) or cross margin."""

    account: int
    symbol: str
    enabled: bool = True


class TransferMargin(_Input, frozen=True, kw_only=True):
    """`POST /position/transferMargin` of an isolated position; negative takes margin out."""

    account: int
    symbol: str
    amount: int  # minor units


class SetRiskLimit(_Input, frozen=True, kw_only=True):
    """`POST /position/riskLimit`."""

    account: int
    symbol: str
    risk_limit: int  # minor units


class Deposit(_Input, frozen=True, kw_only=True):
    """Money that arrives on the wallet or, negative, leaves it; never below the free margin."""

    account: int
    currency: str
    amount: int  # minor units


class Print(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One public trade that a recording brings along; `side` is the taker's."""

    side: str
    size: int
    price: Decimal


class SettleContract(_Input, frozen=True, kw_only=True):
    """The venue ends a contract now: all positions close at `price`, by default the mean index."""

    symbol: str
    price: Decimal | None = None


class RestrictMarket(_Input, frozen=True, kw_only=True):
    """The venue takes only orders that shrink positions in a contract, or all orders again."""

    symbol: str
    reduce_only: bool = True


class SetMarkMethod(_Input, frozen=True, kw_only=True):
    """From the next step on a contract is marked by `FairPrice`, `LastPrice` or `IndicativeSettlePrice`."""

    symbol: str
    method: str


class FundInsurance(_Input, frozen=True, kw_only=True):
    """Money put into the insurance fund or, negative, taken out of it."""

    currency: str
    amount: int  # minor units


Decree = SettleContract | RestrictMarket | SetMarkMethod | FundInsurance


class SymbolPrices(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One contract's prices and liquidity at one instant of the tape.

    Levels of `depth` contracts stand `half_spread` away from the last price on both sides and
    every tick-rounded `half_spread` beyond, each holding the share `thinning` less than the one before; a
    share `gaps` of them, drawn by `gap_seed`, is missing. A halted contract keeps its mark and index moving but
    trades nothing. `funding_rate`, when given, is what the next exchange will charge.

    `limit_down` and `limit_up` bound the prices of orders.
    """

    symbol: str
    mark: Decimal
    index: Decimal
    last: Decimal
    half_spread: Decimal
    depth: int  # contracts per level
    halted: bool = False
    funding_rate: Decimal | None = None
    low: Decimal | None = None  # traded extremes since the step before, if the tape knows them;
    high: Decimal | None = None  # resting limit orders inside [low, high] fill
    thinning: Decimal = Decimal(0)
    gaps: Decimal = Decimal(0)
    gap_seed: int = 0
    limit_down: Decimal | None = None
    limit_up: Decimal | None = None
    # Recorded levels, (price, contracts) best first: they stand instead of modelled ones until the next step.
    bids: tuple[tuple[Decimal, int], ...] = ()
    asks: tuple[tuple[Decimal, int], ...] = ()
    trades: tuple[Print, ...] = ()  # public trades since the step before, instead of a made-up one


class SetPrices(_Input, frozen=True, kw_only=True):
    """One step of the price tape; contracts not named keep their prices."""

    tape_ms: int
    prices: tuple[SymbolPrices, ...]


class ListContracts(_Input, frozen=True, kw_only=True):
    """The venue lists these contracts from now on, and the indices they need; what is there already stays."""

    contracts: tuple[Contract, ...]
    indices: tuple[Index, ...] = ()


class PassTime(_Input, frozen=True, kw_only=True):
    """Nothing but the protocol time that comes with it: lets timers run out."""


class SetFault(_Input, frozen=True, kw_only=True):
    """Something goes wrong from now on: `engine.faults.catalogue` lists what can.

    Whom it meets: what is None may be anything; a text may end in `*`. `probability` is drawn from
    `seed`. `count` None means the fault's own; `duration_ms` None until it is cleared.
    """

    name: str
    parameters: dict[str, str | int | bool] = {}  # decimals as texts
    account: int | None = None
    verb: str | None = None
    path: str | None = None  # without `/api/v1`
    operation: str | None = None  # such as `Order.new`
    table: str | None = None
    symbol: str | None = None
    count: int | None = None
    probability: Decimal = Decimal(1)
    seed: int = 0
    delay_ms: int = 0
    duration_ms: int | None = None
    label: str = ""  # for whoever set it to find it by


class ClearFault(_Input, frozen=True, kw_only=True):
    """A fault is over: the one of this number, all of this name or label, or all."""

    number: int | None = None
    name: str | None = None
    label: str | None = None


class FaultBit(_Input, frozen=True, kw_only=True):
    """A fault outside the engine has bitten this often by now."""

    number: int
    hits: int


class Announce(_Input, frozen=True, kw_only=True):
    """The venue announces something to everybody."""

    title: str
    content: str = ""
    link: str = ""
    is_urgent: bool = False


class SetPosition(_Input, frozen=True, kw_only=True):
    """An account holds this many contracts from now on; the difference is dealt at a price, free of fees."""

    account: int
    symbol: str
    quantity: int  # signed
    price: Decimal | None = None  # None: the mark


class SetKey(_Input, frozen=True, kw_only=True):
    """An API key is like this from now on, whatever it was before."""

    account: int
    key_id: str
    secret: str
    name: str = "made by hand"
    permissions: tuple[str, ...] = ()  # the venue's names, such as `order`
    cidrs: tuple[str, ...] = ()  # networks it may be used from, anywhere if there are none
    is_enabled: bool = True
    is_removed: bool = False  # requests it signs are `Invalid API Key.`


PositionRequest = SetLeverage | SetCrossLeverage | Isolate | TransferMargin | SetRiskLimit
Request = PlaceOrder | AmendOrder | CancelOrders | CancelAll | CancelAllAfter | PositionRequest
Staging = SetFault | ClearFault | FaultBit | Announce | SetPosition | SetKey
Plain = Request | OpenAccount | Deposit | SetPrices | ListContracts | PassTime | Staging | Decree


class Scripted(_Input, frozen=True, kw_only=True):
    """What a scenario does at its time; the engine remembers the number, so each happens once."""

    number: int  # counts from 1
    input: Plain


Input = Plain | Scripted

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Input] = msgspec.json.Decoder(Input)


def encode(value: Input) -> bytes:
    """Return the input as one line of JSON (no newline inside)."""
    return _ENCODER.encode(value)


def decode(line: bytes) -> Input:
    """Return the input that `encode` wrote.

    Raises:
        msgspec.DecodeError: If the line is not JSON or not one of the inputs.
    """
    return _DECODER.decode(line)
