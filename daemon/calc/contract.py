"""Which contract is meant: typed figures, or a symbol looked up in a file, at an exchange, or in the built-in table.

Why: a right formula with wrong contract figures is a wrong answer, so every answer says where they are from. Fees and
margin ratios that are typed go before those that were looked up: an account may have better fees than the table.

Units: as in `connectors.vocabulary`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import httpx

from connectors.vocabulary import ZERO, ContractKind, Instrument
from daemon.exit_codes import CommandFailed, ExitCode
from daemon.wire_rows import (
    BUILT_IN,
    Listed,
    RowsUnusable,
    built_in_listing,
    decoded,
    listing_of,
    read_listing,
    rows_in,
)

DEADLINE_S: Final = 10.0
LARGEST_ORDER: Final = 10**15
_TYPED: Final = ("initial_margin_ratio", "maintenance_margin_ratio", "taker_fee", "maker_fee", "funding_rate")
_SHAPE: Final = ("multiplier", "lot_size", "tick_size", "settle", "max_price")
_HIGHEST: Final = Decimal(1_000_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """The contract that an answer is about."""

    instrument: Instrument
    mark: Decimal | None
    """Typed, or what the exchange's row said; None: not known."""
    source: str
    """Where the figures are from, for people."""


def contract_of(options: argparse.Namespace) -> Contract:
    """Return the contract that the options describe.

    Raises:
        CommandFailed: If they contradict each other, name nothing, or the source cannot be read.
    """
    listed, source = _looked_up(options) if options.symbol else (_typed(options), "typed figures")
    typed = {name: getattr(options, name) for name in _TYPED if getattr(options, name) is not None}
    if typed and options.symbol:
        source += "; typed: " + ", ".join(sorted(name.replace("_", " ") for name in typed))
    mark = getattr(options, "mark", None)
    instrument = replace(listed.instrument, **typed)
    if not 0 <= instrument.maintenance_margin_ratio <= instrument.initial_margin_ratio:
        raise CommandFailed("--maintenance-margin must not be above --initial-margin", ExitCode.USAGE)
    return Contract(instrument=instrument, mark=listed.mark if mark is None else mark, source=source)


def _looked_up(options: argparse.Namespace) -> tuple[Listed, str]:
    clash = next((name for name in ("kind", *_SHAPE) if getattr(options, name) is not None), None)
    if clash is not None:
        flag = "--" + clash.replace("_", "-")
        raise CommandFailed(f"{flag} contradicts --symbol: leave one of them out", ExitCode.USAGE)
    listing, source = _listing(options)
    listed = listing.get(options.symbol)
    if listed is None:
        meant = _meant(options.symbol, listing)
        raise CommandFailed(f"--symbol {options.symbol} is not a contract in {source}{meant}", ExitCode.BAD_INPUT)
    return listed, source


def _meant(symbol: str, listing: dict[str, Listed]) -> str:
    """What was probably meant: "xbtusd", "BTCUSD" and "XBT/USDT" are typed every day."""
    typed = "".join(each for each in symbol.upper() if each.isalnum())
    typed = f"XBT{typed[3:]}" if typed.startswith("BTC") else typed
    return f"; {typed} is" if typed in listing else ""


def _listing(options: argparse.Namespace) -> tuple[dict[str, Listed], str]:
    try:
        if options.instruments is not None:
            return read_listing(options.instruments), str(options.instruments)
        if options.url is not None:
            return fetched_listing(options.url, options.symbol), options.url
        if options.config is not None:
            url = _rest_url(options.config)
            return fetched_listing(url, options.symbol), url
        return built_in_listing(), BUILT_IN
    except RowsUnusable as error:
        raise CommandFailed(str(error), ExitCode.BAD_INPUT) from error


def _rest_url(path: Path) -> str:
    from daemon.inputs import read_settings  # noqa: PLC0415 - calculators with typed figures need no settings

    return read_settings(path).venue.rest_url


def fetched_listing(url: str, symbol: str | None = None) -> dict[str, Listed]:
    """Ask an exchange for its instruments (public, no key).

    Args:
        url: Its address without `/api/v1`.
        symbol: One contract alone; all active ones if left out.

    Raises:
        CommandFailed: If it cannot be reached or refuses.
        RowsUnusable: If its rows cannot be read.
    """
    path = "/api/v1/instrument" if symbol else "/api/v1/instrument/active"
    try:
        answer = httpx.get(
            url.rstrip("/") + path,
            params={"symbol": symbol} if symbol else {},
            timeout=DEADLINE_S,
            trust_env=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        why = str(error) or type(error).__name__
        raise CommandFailed(f"no exchange answers at {url}: {why}", ExitCode.VENUE_UNREACHABLE) from error
    if answer.is_error:
        raise CommandFailed(f"{url} answered {answer.status_code} to {path}", ExitCode.VENUE_UNREACHABLE)
    return listing_of(rows_in(decoded(answer.content, url), url), url)


def _typed(options: argparse.Namespace) -> Listed:
    needless = next((name for name in ("instruments", "url", "config") if getattr(options, name) is not None), None)
    if needless is not None:
        raise CommandFailed(f"--{needless} needs --symbol: which contract?", ExitCode.USAGE)
    missing = [name for name in ("kind", "multiplier", "tick_size") if getattr(options, name) is None]
    if missing:
        flags = ", ".join("--" + name.replace("_", "-") for name in missing)
        raise CommandFailed(f"which contract? give --symbol, or its figures: {flags} missing", ExitCode.USAGE)
    kind = ContractKind(options.kind)
    if (options.multiplier < 0) is not (kind is ContractKind.INVERSE):
        raise CommandFailed("--multiplier is below 0 for inverse contracts and above 0 for all others", ExitCode.USAGE)
    max_price = options.max_price or _HIGHEST
    if options.tick_size >= max_price:
        raise CommandFailed("--tick-size must be below --max-price", ExitCode.USAGE)
    instrument = Instrument(
        symbol="CONTRACT",
        kind=kind,
        settlement_currency=options.settle or ("USDt" if kind is ContractKind.LINEAR else "XBt"),
        multiplier=options.multiplier,
        lot_size=options.lot_size or 1,
        tick_size=options.tick_size,
        max_price=max_price,
        max_order_quantity=LARGEST_ORDER,
        initial_margin_ratio=Decimal("0.01"),
        maintenance_margin_ratio=Decimal("0.005"),
        taker_fee=Decimal("0.0005"),
        maker_fee=ZERO,
    )
    return Listed(instrument=instrument, mark=None)
