"""Rows of the venue's instrument table, from our own figures or anybody's file, into contracts and indices.

Why: the table in this folder and the file that `--instruments` names use the venue's column names, so one
reader serves both, and what it does not understand it says before anything is listed.

Format of a file: the JSON reply of `GET /instrument` (or `/instrument/active`), or the same rows as
CSV with a header; plain or gzip. Rows that are not `Open` are left out, index rows excepted.
Units: as in the columns. Source: `GET /instrument` of www.bitmex.com/api/explorer.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from connectors.simulated.engine.contracts import Contract, Index, Kind

SPOT_TYPE = "IFXXXP"
SPREAD_TYPE = "FFMCSX"
NO_CURRENCY = 3 * "X"  # the venue's word for a number without a currency; an empty cell in our table
_GZIP_MAGIC = b"\x1f\x8b"
_DECODER = msgspec.json.Decoder(list[dict[str, object]], float_hook=Decimal)


class ListingError(ValueError):
    """A file of instruments cannot be used; the text is one line that says where and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Contracts and the indices behind them."""

    contracts: tuple[Contract, ...]
    indices: tuple[Index, ...]


class _Cells:
    """One row, whatever it came from: empty cells are None, everything else is text."""

    def __init__(self, row: Mapping[str, object]) -> None:
        self._row = row

    def text(self, name: str) -> str | None:
        value = self._row.get(name)
        if isinstance(value, bool):
            return str(value).lower()
        return None if value is None or value == "" else str(value)

    def needed(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise ListingError(f"no {name}")
        return value

    def number(self, name: str) -> Decimal | None:
        """Return a column as a number, None where it is empty.

        Raises:
            ListingError: If it is no finite number.
        """
        value = self.text(name)
        if value is None:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise ListingError(f"{name} {value[:40]!r} is not a number") from None
        if not number.is_finite():
            raise ListingError(f"{name} {value[:40]!r} is not a number")
        return number

    def whole(self, name: str) -> int | None:
        number = self.number(name)
        if number is not None and number != number.to_integral_value():
            raise ListingError(f"{name} {number} is not a whole number")
        return None if number is None else int(number)

    def is_true(self, name: str) -> bool:
        return self.text(name) == "true"

    def positive(self, name: str) -> Decimal:
        number = self.number(name)
        if number is None or number <= 0:
            raise ListingError(f"{name} has to be above zero")
        return number


def contract_of(row: Mapping[str, object]) -> Contract:
    """Return the contract a row describes.

    Raises:
        ListingError: If a figure is missing or makes no sense.
    """
    cells = _Cells(row)
    kind = _kind_of(cells)
    is_inverse_sign = kind is Kind.INVERSE
    multiplier = cells.whole("multiplier")
    if not multiplier or (multiplier < 0) is not is_inverse_sign:
        raise ListingError(f"multiplier {multiplier} does not fit a contract of its kind")
    return Contract(
        symbol=cells.needed("symbol"),
        kind=kind,
        typ=cells.needed("typ"),
        root_symbol=cells.needed("rootSymbol"),
        underlying=cells.needed("underlying"),
        quote_currency=cells.text("quoteCurrency") or NO_CURRENCY,
        settl_currency=cells.text("settlCurrency") or "",
        position_currency=cells.text("positionCurrency"),
        reference=cells.text("reference"),
        reference_symbol=cells.text("referenceSymbol") or "",
        underlying_symbol=cells.text("underlyingSymbol"),
        multiplier=multiplier,
        lot_size=int(cells.positive("lotSize")),
        tick_size=cells.positive("tickSize"),
        max_order_qty=int(cells.positive("maxOrderQty")),
        max_price=cells.positive("maxPrice"),
        init_margin=cells.number("initMargin") or Decimal(1),
        maint_margin=cells.number("maintMargin") or Decimal(0),
        maker_fee=cells.number("makerFee") or Decimal(0),
        taker_fee=cells.number("takerFee") or Decimal(0),
        risk_limit=cells.whole("riskLimit") or 0,
        risk_step=cells.whole("riskStep") or 0,
        listing=cells.needed("listing"),
        expiry=cells.text("expiry"),
        instrument_id=cells.whole("instrumentID") or 0,
        underlying_to_position=cells.whole("underlyingToPositionMultiplier"),
        underlying_to_settle=cells.whole("underlyingToSettleMultiplier"),
        quote_to_settle=cells.whole("quoteToSettleMultiplier"),
        funding_base_symbol=cells.text("fundingBaseSymbol"),
        funding_premium_symbol=cells.text("fundingPremiumSymbol"),
        funding_quote_symbol=cells.text("fundingQuoteSymbol"),
        funding_base_rate=cells.number("fundingBaseRate") or Decimal("0.0003"),
        funding_quote_rate=cells.number("fundingQuoteRate") or Decimal("0.0006"),
        mark_method=cells.text("markMethod") or "FairPrice",
        min_tick=cells.number("minTick") or cells.positive("tickSize"),
        limit=cells.number("limit"),
        is_instant=cells.text("instantPnl") != "false",
        near_leg=cells.text("nearLegSymbol"),
        far_leg=cells.text("farLegSymbol"),
    )


def index_of(row: Mapping[str, object]) -> Index:
    """Return the index a row describes.

    Raises:
        ListingError: If a figure is missing or makes no sense.
    """
    cells = _Cells(row)
    symbol = cells.needed("symbol")
    reference = cells.text("referenceSymbol")
    return Index(
        symbol=symbol,
        root_symbol=cells.needed("rootSymbol"),
        underlying=cells.text("underlying") or cells.needed("rootSymbol"),
        quote_currency=cells.text("quoteCurrency") or NO_CURRENCY,
        underlying_symbol=cells.text("underlyingSymbol") or symbol,
        instrument_id=cells.whole("instrumentID") or 0,
        typ=cells.needed("typ"),
        state=cells.text("state") or "Unlisted",
        reference_symbol=None if reference == symbol else reference,
        tick_size=cells.number("tickSize") or Decimal("0.01"),
        calc_interval=cells.text("calcInterval"),
        publish_interval=cells.text("publishInterval") or "2000-01-01T00:01:00.000Z",
        publish_time=cells.text("publishTime"),
        level=cells.number("lastPrice"),
    )


def _kind_of(cells: _Cells) -> Kind:
    typ = cells.needed("typ")
    if typ in {SPOT_TYPE, SPREAD_TYPE}:
        return Kind.SPOT if typ == SPOT_TYPE else Kind.SPREAD
    if cells.is_true("isInverse"):
        return Kind.INVERSE
    return Kind.QUANTO if cells.is_true("isQuanto") else Kind.LINEAR


def read_file(path: Path) -> Listing:
    """Return what a file lists.

    Raises:
        ListingError: If it cannot be read, or a row makes no sense; the text names the symbol.
    """
    rows = _rows_of(path)
    contracts: dict[str, Contract] = {}
    indices: dict[str, Index] = {}
    for row in rows:
        symbol = str(row.get("symbol") or "")
        try:
            if symbol.startswith("."):
                indices[symbol] = index_of(row)
            elif row.get("state") == "Open":
                contracts[symbol] = contract_of(row)
        except ListingError as error:
            raise ListingError(f"{path}: {symbol or 'a row without symbol'}: {error}") from error
    if "XBTUSD" not in contracts:
        raise ListingError(f"{path}: lists no open XBTUSD, whose price all others follow")
    return complete(contracts.values(), indices, rows)


def complete(contracts: Iterable[Contract], indices: dict[str, Index], rows: Iterable[Mapping[str, object]]) -> Listing:
    """Return the contracts with every index they name; one that has no row is made up from its contract.

    Args:
        contracts: What is listed.
        indices: Known indices by symbol.
        rows: Where the price of a made-up index is found: the instrument rows of the contracts.
    """
    listed = tuple(contracts)
    levels = {str(row["symbol"]): _level_of(row) for row in rows}
    named: dict[str, Index] = {}
    for contract in listed:
        for symbol in _indices_of(contract):
            known = indices.get(symbol)
            named[symbol] = known or _made_up(symbol, contract, levels.get(contract.symbol))
    return Listing(contracts=listed, indices=tuple(named.values()))


def _indices_of(contract: Contract) -> Iterator[str]:
    names = (
        contract.reference_symbol,
        contract.funding_base_symbol,
        contract.funding_quote_symbol,
        contract.funding_premium_symbol,
    )
    return (name for name in names if name and name.startswith("."))


def _made_up(symbol: str, contract: Contract, level: Decimal | None) -> Index:
    rates = {
        contract.funding_base_symbol: contract.funding_base_rate,
        contract.funding_quote_symbol: contract.funding_quote_rate,
        contract.funding_premium_symbol: Decimal(0),
    }
    is_rate = symbol in rates
    eight_hours = "2000-01-01T08:00:00.000Z"
    return Index(
        symbol=symbol,
        root_symbol=contract.root_symbol,
        underlying=contract.underlying,
        quote_currency=NO_CURRENCY if is_rate else contract.quote_currency,
        underlying_symbol=symbol if is_rate else contract.underlying_symbol or symbol,
        instrument_id=0,
        typ="MRRXXX" if is_rate else "MRCXXX",
        tick_size=Decimal("0.000001") if is_rate else contract.min_tick,
        calc_interval=eight_hours if is_rate else None,
        publish_interval=eight_hours if is_rate else "2000-01-01T00:01:00.000Z",
        publish_time="2000-01-01T12:00:00.000Z" if is_rate else None,
        level=rates.get(symbol, level),
    )


def _level_of(row: Mapping[str, object]) -> Decimal | None:
    cells = _Cells(row)
    return cells.number("indicativeSettlePrice") or cells.number("markPrice") or cells.number("lastPrice")


def _rows_of(path: Path) -> list[dict[str, object]]:
    try:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if raw.startswith(_GZIP_MAGIC) else raw
    except OSError as error:
        raise ListingError(f"{path}: cannot be read: {error.strerror}") from error
    except (EOFError, zlib.error) as error:
        raise ListingError(f"{path}: the gzip data is damaged or cut off; fetch the file again") from error
    try:
        rows = _DECODER.decode(text) if text.lstrip()[:1] in {b"[", b"{"} else rows_of_csv(text.decode("utf-8-sig"))
    except (msgspec.DecodeError, UnicodeDecodeError, csv.Error) as error:
        raise ListingError(f"{path}: is neither the JSON nor the CSV of a GET /instrument ({error})") from error
    if not rows or "symbol" not in rows[0]:
        raise ListingError(f"{path}: has no rows with a symbol; expected those of GET /instrument")
    return rows


def rows_of_csv(text: str) -> list[dict[str, object]]:
    """Return the rows of a CSV text with a header."""
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
