"""The account of a running daemon, or of the exchange itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from connectors.errors import VenueError
from connectors.ports import AccountPicture
from connectors.vocabulary import Instrument, Margin, Order, Position
from daemon.app import BitmexPorts
from daemon.core.margin.contracts import is_price
from daemon.core.margin.what_if import AccountRows
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.inputs import read_credentials, read_settings, socket_of
from daemon.shell.account_seen import account_seen
from daemon.shell.clock import SystemClock
from daemon.shell.control.client import DaemonUnreachable, call
from daemon.stress.account import Account

_SEES = "guarding"


def daemon_account(config: Path | None, socket: Path | None) -> Account:
    """Ask the running daemon for the account as it knows it.

    Raises:
        CommandFailed: If no daemon answers, or it does not know its account yet.
    """
    path = socket if socket is not None else socket_of(config) if config is not None else Path()
    try:
        _, answer = call(path, "GET", "/v1/account")
    except DaemonUnreachable as error:
        raise CommandFailed(str(error), ExitCode.VENUE_UNREACHABLE) from error
    if "error" in answer:
        raise CommandFailed(f"{path}: {answer['error']}", ExitCode.VENUE_UNREACHABLE)
    try:
        seen = account_seen(answer)
    except msgspec.ValidationError as error:
        raise CommandFailed(f"{path}: the daemon is of another version: {error}", ExitCode.VENUE_UNREACHABLE) from error
    notes = (
        () if seen.mode == _SEES else (f"the daemon is {seen.mode}: the rows are what it knew last, and may be old",)
    )
    return _assembled(
        seen.positions,
        seen.instruments,
        seen.margins,
        seen.orders,
        marks=seen.marks,
        source=f"daemon at {path}",
        notes=notes,
    )


def live_account(config: Path) -> Account:
    """Ask the exchange of the settings, with their key. Only reads.

    Raises:
        CommandFailed: If it cannot be reached or refuses the key.
    """
    settings = read_settings(config)
    ports = BitmexPorts(settings, read_credentials(settings), SystemClock())

    async def ask() -> tuple[AccountPicture, tuple[Instrument, ...]]:
        orders = ports.order_entry()
        try:
            return await orders.picture(), await orders.instruments()
        finally:
            await orders.close()

    url = settings.venue.rest_url
    try:
        picture, instruments = asyncio.run(ask())
    except VenueError as error:
        raise CommandFailed(f"{url}: {error.reason}", ExitCode.VENUE_UNREACHABLE) from error
    marks = {p.key.symbol: p.mark_price for p in picture.positions if p.mark_price is not None}
    return _assembled(picture.positions, instruments, picture.margins, picture.open_orders, marks=marks, source=url)


def _assembled(
    positions: Iterable[Position],
    instruments: Iterable[Instrument],
    margins: Iterable[Margin],
    orders: Iterable[Order],
    *,
    marks: Mapping[str, Decimal],
    source: str,
    notes: tuple[str, ...] = (),
) -> Account:
    """Put the parts together. What is incomplete is refused: half an account would look safer than it is."""
    contracts = {instrument.symbol: instrument for instrument in instruments}
    money = {margin.currency: margin for margin in margins}
    held: dict[str, Position] = {}
    for position in positions:
        if not position.quantity:
            continue
        symbol = position.key.symbol
        if symbol in held:
            raise CommandFailed(f"{source}: {symbol} is held twice (hedge mode): cannot be played", ExitCode.BAD_INPUT)
        missing = _missing(position, contracts, money, marks)
        if missing:
            raise CommandFailed(f"{source}: {symbol}: {missing} is not known yet", ExitCode.BAD_INPUT)
        held[symbol] = position
    return Account(
        rows=AccountRows(
            positions=held,
            instruments={symbol: contracts[symbol] for symbol in held},
            margins=money,
            marks={symbol: marks[symbol] for symbol in held},
        ),
        orders=tuple(order for order in orders if order.is_open),
        source=source,
        notes=notes,
    )


def _missing(
    position: Position, contracts: Mapping[str, Instrument], money: Mapping[str, Margin], marks: Mapping[str, Decimal]
) -> str:
    symbol = position.key.symbol
    if symbol not in contracts:
        return "its contract"
    if position.currency not in money:
        return f"the margin row of {position.currency}"
    return "" if is_price(marks.get(symbol)) else "its mark price"
