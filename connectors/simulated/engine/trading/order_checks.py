"""Checks on order requests that need no account: types, quantities, prices, instructions.

Why: clients match on BitMEX's refusal texts, so each check stands beside its text. What the
account can afford is checked in `affordability`.

Units: quantities in contracts, prices in quote currency.
Source: www.bitmex.com/app/restAPIMessages and the defaults of `POST /order`.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.inputs import PlaceOrder
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.resting.orders import Contingency, Instructions, Order, OrdType, Peg, Side, Trigger
from connectors.simulated.engine.trading import pegs

MAX_CLIENT_ID = 36
_TRIGGERS = {trigger.value: trigger for trigger in Trigger}
_FLAGS = ("ParticipateDoNotInitiate", "ReduceOnly", "Close", "LastWithinMark", "Fixed")
_TIMES = ("GoodTillCancel", "ImmediateOrCancel", "FillOrKill", "Day")
SUBMITTED = "Submitted via API."


def draft(request: PlaceOrder, contract: Contract, *, held: int) -> Order:
    """Return the order a request asks for, with the venue's defaults filled in.

    Args:
        request: The request as sent.
        contract: The contract it names.
        held: Signed contracts the account holds of it, for a Close without a side.

    Raises:
        Refused: If the venue would refuse the request whatever the account holds.
    """
    _check_identity(request)
    ord_type = _ord_type(request)
    peg = pegs.peg_of(request, ord_type)
    instructions = _instructions(request, ord_type)
    quantity = _quantity(request.order_qty, contract, may_lack=instructions.is_close)
    side = _side(request, ord_type, quantity, held)
    order = Order(
        account=request.account,
        contract=contract,
        side=side,
        ord_type=ord_type,
        quantity=quantity,
        is_whole=quantity is None,
        price=_price(request, ord_type, contract),
        stop_px=None if peg is Peg.TRAILING_STOP else stop_price(request.stop_px, ord_type, contract),
        peg=peg,
        peg_offset=pegs.offset_of(peg, request.peg_offset_value, ord_type, side, contract),
        time_in_force=_time_in_force(request, ord_type),
        instructions=instructions,
        cl_ord_id=request.cl_ord_id,
        cl_ord_link_id=request.cl_ord_link_id,
        contingency=_contingency(request),
        display_quantity=request.display_qty,
        text=f"{SUBMITTED}\n{request.text}" if request.text else SUBMITTED,
        leaves=quantity or 0,
        is_waiting=ord_type.waits,
    )
    _check_combination(order)
    return order


def limit_price(price: Decimal | None, ord_type: OrdType, contract: Contract) -> Decimal | None:
    """Return the limit price on the tick grid; None for types without one.

    Raises:
        Refused: If it is missing, superfluous, out of range or off the grid.
    """
    if not ord_type.has_limit:
        if price is not None:
            raise Refused("Invalid price")
        return None
    if price is None or not price.is_finite() or not 0 < price <= contract.max_price:
        raise Refused("Invalid price")
    snapped = contract.snapped(price)
    if snapped is None:
        raise Refused("Invalid price tickSize")
    return snapped


def stop_price(price: Decimal | None, ord_type: OrdType, contract: Contract) -> Decimal | None:
    """Return the trigger price on the tick grid; None for types without one.

    Raises:
        Refused: If it is missing, superfluous, out of range or off the grid.
    """
    if price is None and not ord_type.waits:
        return None
    if price is None or not ord_type.waits:
        raise Refused("Invalid stopPx for ordType")
    if not price.is_finite() or not 0 < price <= contract.max_price:
        raise Refused("Invalid stopPx for ordType")
    snapped = contract.snapped(price)
    if snapped is None:
        raise Refused("Invalid stopPx tickSize")
    return snapped


def check_client_id(cl_ord_id: str) -> None:
    """Refuse a client order id that is too long.

    Raises:
        Refused: If it has more than 36 characters.
    """
    if len(cl_ord_id) > MAX_CLIENT_ID:
        raise Refused("Invalid clOrdID", name="ValidationError")


def _check_identity(request: PlaceOrder) -> None:
    check_client_id(request.cl_ord_id)
    if len(request.cl_ord_link_id) > MAX_CLIENT_ID:
        raise Refused("Invalid clOrdLinkID", name="ValidationError")


def _contingency(request: PlaceOrder) -> Contingency | None:
    if not request.contingency_type:
        return None
    try:
        return Contingency(request.contingency_type)
    except ValueError:
        raise Refused("Unsupported contingencyType") from None


def _price(request: PlaceOrder, ord_type: OrdType, contract: Contract) -> Decimal | None:
    """Return the limit price asked for; that of a pegged order is worked out later, and none may be sent."""
    if ord_type is not OrdType.PEGGED:
        return limit_price(request.price, ord_type, contract)
    if request.price is not None:
        raise Refused("Invalid price")
    return None


def _ord_type(request: PlaceOrder) -> OrdType:
    """Return the type named, or the one that price and stop price imply."""
    if request.ord_type:
        try:
            return OrdType(request.ord_type)
        except ValueError:
            raise Refused("Unsupported ordType") from None
    if request.stop_px is not None:
        return OrdType.STOP if request.price is None else OrdType.STOP_LIMIT
    if request.price is None:
        return OrdType.MARKET if request.peg_price_type is None else OrdType.PEGGED
    return OrdType.LIMIT


def _instructions(request: PlaceOrder, ord_type: OrdType) -> Instructions:
    words = [word.strip() for word in request.exec_inst.split(",") if word.strip()]
    for word in words:
        if word == "AllOrNone":
            raise Refused("Unsupported execInst")
        if word not in _TRIGGERS and word not in _FLAGS:
            raise Refused("Invalid execInst")
    triggers = [_TRIGGERS[word] for word in words if word in _TRIGGERS]
    if len(triggers) > 1:
        raise Refused("Invalid execInst")
    if ("Fixed" in words) is not (ord_type is OrdType.PEGGED) or (triggers and not ord_type.waits):
        raise Refused("Invalid ordType for execInst")
    return Instructions(
        text=",".join(words),
        trigger=triggers[0] if triggers else Trigger.MARK,
        is_post_only="ParticipateDoNotInitiate" in words,
        is_reduce_only="ReduceOnly" in words or "Close" in words,
        is_close="Close" in words,
        is_last_within_mark="LastWithinMark" in words,
    )


def _quantity(quantity: int | None, contract: Contract, *, may_lack: bool) -> int | None:
    if quantity is None:
        if may_lack:
            return None
        raise Refused("Invalid orderQty")
    return checked_quantity(quantity, contract)


def checked_quantity(quantity: int, contract: Contract) -> int:
    """Return the unsigned quantity.

    Raises:
        Refused: If it is zero, too large or not a multiple of the lot.
    """
    size = abs(quantity)
    if not 0 < size <= contract.max_order_qty:
        raise Refused("Invalid orderQty")
    if size % contract.lot_size:
        raise Refused(f"Order quantity must be a multiple of lot size: {contract.lot_size}")
    return size


def _side(request: PlaceOrder, ord_type: OrdType, quantity: int | None, held: int) -> Side:
    negative = (request.order_qty or 0) < 0
    if request.side:
        if request.side not in ("Buy", "Sell") or (negative and request.side == "Buy"):
            raise Refused("Invalid side")
        return Side(request.side)
    if quantity is not None:
        return Side.SELL if negative else Side.BUY
    if ord_type.waits:
        raise Refused("Invalid side")
    return Side.SELL if held > 0 else Side.BUY


def _time_in_force(request: PlaceOrder, ord_type: OrdType) -> str:
    if request.time_in_force is None:
        return "GoodTillCancel" if ord_type.has_limit else "ImmediateOrCancel"
    if request.time_in_force not in _TIMES:
        raise Refused("Unsupported timeInForce")
    return request.time_in_force


def _check_combination(order: Order) -> None:
    """Refuse instructions that contradict the type or each other."""
    instructions = order.instructions
    if instructions.is_post_only:
        if not order.ord_type.has_limit:
            raise Refused("Invalid ordType for execInst")
        if order.time_in_force in ("ImmediateOrCancel", "FillOrKill"):
            raise Refused("Invalid ordType or timeInForce for execInst")
    if instructions.is_last_within_mark and (
        instructions.trigger is not Trigger.LAST or order.ord_type not in (OrdType.STOP, OrdType.STOP_LIMIT)
    ):
        raise Refused("Invalid ordType for execInst")
    shown = order.display_quantity
    if shown is None:
        return
    if shown < 0 or shown % order.contract.lot_size or (order.quantity is not None and shown > order.quantity):
        raise Refused("Invalid displayQty")
