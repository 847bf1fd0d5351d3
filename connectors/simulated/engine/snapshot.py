"""The engine's state as one document: written, read back, compared.

Why: a state directory must not grow for ever, a test wants to start in the middle of a bad day, and
two runs that should agree have to be compared. The document is JSON with one spelling, so the same
state gives the same bytes. `forms` says how each type is written.

Orders, positions, accounts, markets and contracts are held by several tables at once, so each
stands in a table of the document by its own key and is named by it elsewhere. Any other mutable value
that is reached twice is an error: after a load there would be two of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, cast

import msgspec

from connectors.simulated.engine.contracts import Contract
from connectors.simulated.engine.forms import FormError, Forms, Plain
from connectors.simulated.engine.holdings.ledger import Account, Position
from connectors.simulated.engine.markets.market import Market
from connectors.simulated.engine.resting.orders import Order

State = TypeVar("State")
FORMAT = 1
_ROOT = "state"
_FORMAT = "format"

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_KEY_OF: dict[type, Callable[[Any], str]] = {
    Account: lambda one: str(one.number),
    Contract: lambda one: str(one.symbol),
    Market: lambda one: str(one.contract.symbol),
    Order: lambda one: str(one.order_id),
    Position: lambda one: f"{one.account}/{one.contract.symbol}",
}
_FORMS = Forms(frozenset(_KEY_OF))
_RECORDS = {kind: _FORMS.record(kind) for kind in _KEY_OF}


class SnapshotError(Exception):
    """The state cannot be written, or the document not read; the text is one line."""


def save(state: object) -> bytes:
    """Return the state as a document; the same state gives the same bytes.

    Args:
        state: A dataclass, such as `World`.

    Raises:
        SnapshotError: If something in it cannot be carried; the text names the field.
    """
    tables = _Writing()
    try:
        root = _FORMS.record(type(state)).write(state, tables)
        return _ENCODER.encode({_FORMAT: FORMAT, _ROOT: root, **tables.written()})
    except FormError as error:
        raise SnapshotError(f"state that no snapshot can carry: {error}") from error


def load(document: bytes, kind: type[State]) -> State:
    """Return the state that `save` wrote.

    Raises:
        SnapshotError: If the bytes are no such document, or one of another version.
    """
    plain = _parsed(document)
    try:
        tables = _Reading(plain)
        tables.fill()
        return cast("State", _FORMS.record(kind).read(plain[_ROOT], tables))
    except FormError as error:
        raise SnapshotError(f"not a snapshot that can be read: {error}") from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise SnapshotError(f"not a snapshot that can be read: {type(error).__name__} {error}") from error


def check(kind: type) -> None:
    """Make the forms of a state and of all it can hold, whether it holds it now or not.

    Raises:
        SnapshotError: If one of the types cannot be carried; the text names the field.
    """
    try:
        for record in (_FORMS.record(kind), *_RECORDS.values()):
            record.fields()
    except FormError as error:
        raise SnapshotError(f"state that no snapshot can carry: {error}") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One place where two documents differ.

    Attributes:
        path: Names and positions from the top, joined by `/`.
        left: What the first has there as JSON, None if nothing.
        right: What the second has there.
    """

    path: str
    left: str | None
    right: str | None


def differences(left: bytes, right: bytes) -> Iterator[Difference]:
    """Yield where two documents differ, in the order of the first; nothing if they are the same state.

    Raises:
        SnapshotError: If one of them is no snapshot.
    """
    yield from _differences("", _parsed(left), _parsed(right))


class _Writing:
    """The tables of a document while it is written."""

    def __init__(self) -> None:
        self._found: dict[type, dict[str, object]] = {kind: {} for kind in _KEY_OF}
        self._waiting: list[object] = []
        self._met: set[int] = set()

    def key_of(self, value: object) -> str:
        """Return the key a shared value stands under, and see that it is written once."""
        kind = type(value)
        key = _KEY_OF[kind](value)
        known = self._found[kind].setdefault(key, value)
        if known is value:
            if id(value) not in self._met:
                self._met.add(id(value))
                self._waiting.append(value)
        elif known != value or kind is not Contract:
            raise FormError(f"two different values are {kind.__name__} {key}")
        return key

    def shared(self, kind: type, key: str) -> object:
        raise FormError(f"{kind.__name__} {key} is read while writing")

    def meet(self, value: object) -> None:
        if id(value) in self._met and type(value) not in _KEY_OF:
            raise FormError(f"a {type(value).__name__} is reached on two ways and has no key")
        self._met.add(id(value))

    def written(self) -> dict[str, dict[str, Plain]]:
        """Return all tables; what one row names is in its table as well."""
        rows: dict[type, dict[str, Plain]] = {kind: {} for kind in _KEY_OF}
        while self._waiting:
            value = self._waiting.pop()
            kind = type(value)
            rows[kind][_KEY_OF[kind](value)] = _RECORDS[kind].write(value, self)
        return {kind.__name__: dict(sorted(found.items())) for kind, found in rows.items()}


class _Reading:
    """The tables of a document while it is read: all values are there before the first is filled."""

    def __init__(self, plain: Plain) -> None:
        self._rows = {kind: plain[kind.__name__] for kind in _KEY_OF}
        self._values: dict[type, dict[str, object]] = {
            kind: {key: object.__new__(kind) for key in rows} for kind, rows in self._rows.items()
        }

    def fill(self) -> None:
        """Give every value of the tables its fields."""
        for kind, rows in self._rows.items():
            for key, row in rows.items():
                _RECORDS[kind].fill(self._values[kind][key], row, self)

    def key_of(self, value: object) -> str:
        raise FormError(f"{type(value).__name__} is written while reading")

    def shared(self, kind: type, key: str) -> object:
        return self._values[kind][key]

    def meet(self, value: object) -> None:
        raise FormError(f"{type(value).__name__} is written while reading")


def _parsed(document: bytes) -> dict[str, Plain]:
    try:
        plain = _DECODER.decode(document)
    except msgspec.DecodeError as error:
        raise SnapshotError("not a snapshot: no whole JSON document") from error
    if not isinstance(plain, dict) or _FORMAT not in plain:
        raise SnapshotError("not a snapshot: a JSON document of another kind")
    if plain[_FORMAT] != FORMAT:
        raise SnapshotError(f"snapshot of format {plain[_FORMAT]}, this version reads {FORMAT}")
    return plain


def _differences(path: str, left: Plain, right: Plain) -> Iterator[Difference]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in (*left, *(one for one in right if one not in left)):
            yield from _at(f"{path}/{name}", left, right, name, name in left, name in right)
        shared = [name for name in left if name in right]
        if shared != [name for name in right if name in left]:
            yield Difference(path=f"{path} (order)", left=_text(list(left)), right=_text(list(right)))
    elif isinstance(left, list) and isinstance(right, list):
        for place in range(max(len(left), len(right))):
            yield from _at(f"{path}/{place}", left, right, place, place < len(left), place < len(right))
    elif left != right or type(left) is not type(right):
        yield Difference(path=path, left=_text(left), right=_text(right))


def _at(path: str, left: Plain, right: Plain, name: object, is_left: bool, is_right: bool) -> Iterator[Difference]:  # noqa: PLR0917
    if is_left and is_right:
        yield from _differences(path, left[name], right[name])
    else:
        one = _text(left[name]) if is_left else None
        yield Difference(path=path, left=one, right=_text(right[name]) if is_right else None)


def _text(plain: Plain) -> str:
    return _ENCODER.encode(plain).decode()
