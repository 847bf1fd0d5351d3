"""What several calculators read from their options and say in their answers."""

from __future__ import annotations

import argparse
from decimal import Decimal

from connectors.vocabulary import Instrument, Side
from daemon.calc.answer import Answer, decimal_or_none
from daemon.calc.contract import Contract
from daemon.calc.numbers import amount_text, decimals, minor_units, plain
from daemon.calc.opened import AssignedMargin, Backing, Cross, Leverage
from daemon.exit_codes import CommandFailed, ExitCode

_HUNDREDTH = Decimal("0.0001")


def side_of(options: argparse.Namespace) -> Side:
    """Return the direction of the position."""
    return Side(options.side)


def money(amount: Decimal, currency: str, flag: str) -> int:
    """Return typed money in minor units.

    Raises:
        CommandFailed: If it has more decimals than the currency, naming the flag.
    """
    minor = minor_units(amount, currency)
    if Decimal(minor).scaleb(-decimals(currency)) != amount:
        raise CommandFailed(f"{flag} has more decimals than the currency ({decimals(currency)})", ExitCode.USAGE)
    return minor


def backing_of(options: argparse.Namespace, currency: str) -> Backing:
    """Return what margin the position has: exactly one of leverage, margin, cross.

    Raises:
        CommandFailed: If the options give none, or parts of two.
    """
    if options.cross:
        if options.balance is None:
            raise CommandFailed("--cross needs --balance: the wallet that backs the position", ExitCode.USAGE)
        orders = money(options.order_margin or Decimal(0), currency, "--order-margin")
        return Cross(balance_sat=money(options.balance, currency, "--balance"), order_margin_sat=orders)
    for name in ("balance", "order_margin"):
        if getattr(options, name) is not None:
            raise CommandFailed(f"--{name.replace('_', '-')} belongs to --cross", ExitCode.USAGE)
    if options.margin is not None:
        return AssignedMargin(amount_sat=money(options.margin, currency, "--margin"))
    if options.leverage is None:
        raise CommandFailed("what backs the position? give --leverage, --margin, or --cross --balance", ExitCode.USAGE)
    return Leverage(leverage=options.leverage)


def backing_text(backing: Backing, instrument: Instrument) -> str:
    """Return what backs the position, for people."""
    currency = instrument.settlement_currency
    match backing:
        case Leverage(leverage=leverage):
            return f"isolated {plain(leverage)}x"
        case AssignedMargin(amount_sat=amount):
            return f"isolated with {amount_text(amount, currency)}"
        case Cross(balance_sat=balance):
            return f"cross with {amount_text(balance, currency)}"


def percent_between(base: Decimal | None, price: Decimal | None, side: Side) -> Decimal | None:
    """Return how far a boundary lies from a price on the losing side, percent of it; below zero: beyond it."""
    if base is None or price is None:
        return None
    return ((base - price) * side.sign / base * 100).quantize(_HUNDREDTH)


def note_part_of_a_lot(answer: Answer, instrument: Instrument, contracts: int) -> None:
    """Say that the exchange takes whole lots only. Figures go by whole and part lots all the same."""
    if contracts % instrument.lot_size:
        answer.notes.append(
            f"--contracts {contracts:,} is no multiple of the lot of {instrument.lot_size:,}: "
            "the exchange would refuse such an order"
        )


def say_source(answer: Answer, contract: Contract) -> None:
    """Say where the contract's figures are from, and which they are."""
    i = contract.instrument
    answer.say(
        "contract",
        f"{i.kind.value}, multiplier {i.multiplier}, lot {i.lot_size}, tick {plain(i.tick_size)}, "
        f"margin {plain(i.initial_margin_ratio * 100)}/{plain(i.maintenance_margin_ratio * 100)} %, "
        f"fees {plain(i.maker_fee * 100)}/{plain(i.taker_fee * 100)} %",
        symbol=i.symbol,
        kind=i.kind.value,
        multiplier=i.multiplier,
        lot_size=i.lot_size,
        tick_size=decimal_or_none(i.tick_size),
        initial_margin_ratio=decimal_or_none(i.initial_margin_ratio),
        maintenance_margin_ratio=decimal_or_none(i.maintenance_margin_ratio),
        maker_fee=decimal_or_none(i.maker_fee),
        taker_fee=decimal_or_none(i.taker_fee),
    )
    answer.say("figures from", contract.source, source=contract.source)
