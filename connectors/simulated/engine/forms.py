"""How values of each declared type are written as plain JSON values, and read back exactly.

Why: a snapshot must carry every field of the engine's state, also those added tomorrow, so the
forms follow from type annotations alone. A type that has no exact form is refused when the form is
made, long before a value is lost. Values are checked while they are written: a field that holds
something else than it declares is an error, not a surprise after the next start.

Spelling: decimals, fractions and enum members are strings; where a type leaves open what a value is,
a decimal stands in a list of its own, `["0.5"]`. Only in rows of the venue's tables numbers are numbers,
as on the wire: there are tens of thousands of them, and a whole decimal that comes back as an integer
is equal to what it was and written as it was. So it is in structs of plain values, whose fields say what
they are; like rows these are left to the encoder, which does not check them. A deque comes with its
bound, `[1000, [...]]`; a table with compound keys is a list of pairs; a member of a union comes with the
name of its class.
"""

from __future__ import annotations

import dataclasses
import types
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints

import msgspec

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.remembered import is_remembered

Plain = Any  # what JSON can carry
_SCALARS = frozenset({str, int, bool, float, type(None)})
_CELLS = frozenset({*_SCALARS, Decimal})


class FormError(Exception):
    """A type has no exact form, or a value does not fit its type; the text says where."""


class Book(Protocol):
    """The tables of one document: values that are shared stand there once."""

    def key_of(self, value: object) -> str:
        """Return the key of a shared value, and see to it that it stands in its table."""

    def shared(self, kind: type, key: str) -> object:
        """Return the one value of a key."""

    def meet(self, value: object) -> None:
        """Note a mutable value that may be reached once only."""


class Form(Protocol):
    """How values of one type are written and read."""

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401 - of the form's own type
        """Return the plain value."""

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401 - of the form's own type
        """Return what was written."""


class Forms:
    """The forms of all types, made when first asked for."""

    def __init__(self, shared: frozenset[type]) -> None:
        """Prepare forms; values of the `shared` classes are written as keys wherever they are met."""
        self._shared = shared
        self._forms: dict[Any, Form] = {}

    def of(self, hint: Any) -> Form:  # noqa: ANN401 - any annotation
        """Return the form of a type.

        Raises:
            FormError: If values of the type cannot be carried exactly.
        """
        if hint not in self._forms:
            self._forms[hint] = _Shared(hint) if hint in self._shared else self._made(hint)
        return self._forms[hint]

    def record(self, kind: type) -> Record:
        """Return the form of a class by its fields, whether its values are shared or not."""
        return Record(kind, self)

    def _made(self, hint: Any) -> Form:  # noqa: ANN401 - any annotation
        if hint is None or hint in _SCALARS:
            return _Scalar(hint or type(None))
        if hint in {Decimal, Fraction}:
            return _Text(hint)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _Member(hint)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct) and self._is_flat(hint):
            return _Flat(hint)
        if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct)):
            return Record(hint, self)
        return self._generic(hint)

    def _is_flat(self, kind: type[msgspec.Struct]) -> bool:
        """Return whether the encoder writes a struct as it is, and its fields say how to read it."""
        config = kind.__struct_config__
        is_plain = config.tag is None and not config.array_like
        plain = {*_CELLS, Row}
        return is_plain and all(set(_parts(hint)) <= plain and len(_parts(hint)) < 2 for hint in _hints_of(kind))

    def _generic(self, hint: Any) -> Form:  # noqa: ANN401 - any annotation
        origin, parts = get_origin(hint), get_args(hint)
        if origin in {Union, types.UnionType}:
            return self._union(parts)
        if origin is tuple and parts[-1:] != (...,):
            return _Fixed([self.of(part) for part in parts])
        if origin in {list, deque, set, frozenset, tuple}:
            return _Bounded(self.of(parts[0])) if origin is deque else _Many(origin, self.of(parts[0]))
        if origin is dict:
            key = _KEYS.get(parts[0]) or _enum_key(parts[0])
            rest = self.of(parts[1])
            if key is _KEYS[str] and isinstance(rest, _Cell):
                return _RowForm()
            return _Table(key, rest) if key else _Pairs(self.of(parts[0]), rest)
        raise FormError(f"no exact form for {hint!r}")

    def _union(self, parts: tuple[Any, ...]) -> Form:
        named = [part for part in parts if part is not type(None)]
        if len(named) == 1:
            return _Optional(self.of(named[0]))
        if set(parts) <= _CELLS:
            return _Cell()
        return _Optional(_Choice({part: self.of(part) for part in named}))


class Record:
    """A class by its fields; those marked `remembered` are left out."""

    def __init__(self, kind: type, forms: Forms) -> None:
        self._kind = kind
        self._forms = forms
        self._is_struct = issubclass(kind, msgspec.Struct)
        self._is_mutable = not _is_frozen(kind)
        self._fields: dict[str, Form] | None = None

    def fields(self) -> dict[str, Form]:
        """Return the form of each field that is carried.

        Raises:
            FormError: If one of them cannot be.
        """
        if self._fields is None:
            self._fields = {}  # a class that names itself finds this
            self._fields = {name: self._field(name, hint) for name, hint in self._hints().items()}
        return self._fields

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401 - of the record's class
        """Return the fields by name."""
        if type(value) is not self._kind:
            raise FormError(f"{type(value).__name__} instead of {self._kind.__name__}")
        if self._is_mutable:
            book.meet(value)
        written = {}
        for name, form in self.fields().items():
            try:
                written[name] = form.write(getattr(value, name), book)
            except FormError as error:
                raise FormError(f"{self._kind.__name__}.{name}: {error}") from error
        return written

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401 - of the record's class
        """Return the value with these fields."""
        if self._is_struct:
            return self._kind(**self._read_fields(plain, book))
        value: object = object.__new__(self._kind)
        self.fill(value, plain, book)
        return value

    def fill(self, value: object, plain: Plain, book: Book) -> None:
        """Give a value without fields the fields that were written; absent ones take their default."""
        read = self._read_fields(plain, book)
        for one in dataclasses.fields(self._kind):
            object.__setattr__(value, one.name, read[one.name] if one.name in read else self._default(one))

    def _read_fields(self, plain: Plain, book: Book) -> dict[str, Any]:
        unknown = plain.keys() - self.fields().keys()
        if unknown:
            raise FormError(f"{self._kind.__name__} has no {min(unknown)}: written by another version")
        return {name: form.read(plain[name], book) for name, form in self.fields().items() if name in plain}

    def _default(self, one: dataclasses.Field[Any]) -> Any:  # noqa: ANN401 - of the field's type
        if one.default_factory is not dataclasses.MISSING:
            return one.default_factory()
        if one.default is dataclasses.MISSING:
            raise FormError(f"{self._kind.__name__}.{one.name} is missing: written by another version")
        return one.default

    def _hints(self) -> dict[str, Any]:
        hints = get_type_hints(self._kind)
        if self._is_struct:
            return {name: hints[name] for name in self._kind.__struct_fields__}  # type: ignore[attr-defined]
        carried = (one for one in dataclasses.fields(self._kind) if not is_remembered(one))
        return {one.name: hints[one.name] for one in carried}

    def _field(self, name: str, hint: Any) -> Form:  # noqa: ANN401 - any annotation
        try:
            return self._forms.of(hint)
        except FormError as error:
            raise FormError(f"{self._kind.__name__}.{name}: {error}") from error


class _Shared:
    """A value that stands in a table of the document, by its key."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401
        _require(value, self._kind)
        return book.key_of(value)

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401
        return book.shared(self._kind, plain)


class _Scalar:
    """What JSON carries as it is."""

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def write(self, value: Any, _: Book) -> Plain:  # noqa: ANN401
        _require(value, self._kind)
        return value

    def read(self, plain: Plain, _: Book) -> Any:  # noqa: ANN401
        value = float(plain) if self._kind is float and plain.__class__ is Decimal else plain
        _require(value, self._kind)
        return value


class _Text:
    """A number that is exact as text only."""

    def __init__(self, kind: type[Decimal | Fraction]) -> None:
        self._kind = kind

    def write(self, value: Any, _: Book) -> Plain:  # noqa: ANN401
        _require(value, self._kind)
        return str(value)

    def read(self, plain: Plain, _: Book) -> Any:  # noqa: ANN401
        return self._kind(plain)


class _Member:
    """A member of an enum, by its name."""

    def __init__(self, kind: type[Enum]) -> None:
        self._kind = kind

    def write(self, value: Any, _: Book) -> Plain:  # noqa: ANN401
        _require(value, self._kind)
        return value.name

    def read(self, plain: Plain, _: Book) -> Any:  # noqa: ANN401
        return self._kind[plain]


class _Optional:
    """A value or None."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401
        return None if value is None else self._form.write(value, book)

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401
        return None if plain is None else self._form.read(plain, book)


class _Choice:
    """One of several classes, with the name of its own."""

    def __init__(self, forms: Mapping[Any, Form]) -> None:
        self._forms = forms
        self._kinds = {kind.__name__: kind for kind in forms}

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401
        if type(value) not in self._forms:
            raise FormError(f"{type(value).__name__} instead of {', '.join(self._kinds)}")
        return [type(value).__name__, self._forms[type(value)].write(value, book)]

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401
        name, written = plain
        return self._forms[self._kinds[name]].read(written, book)


class _Cell:
    """Text, number, truth or nothing: the value says which."""

    def write(self, value: Any, _: Book) -> Plain:  # noqa: ANN401
        return value if value.__class__ in _SCALARS else _boxed(value)

    def read(self, plain: Plain, _: Book) -> Any:  # noqa: ANN401
        return Decimal(plain[0]) if plain.__class__ is list else plain


class _RowForm:
    """A row of one of the venue's tables, left to the encoder."""

    def write(self, value: Any, _: Book) -> Plain:  # noqa: ANN401
        _require(value, dict)
        return value

    def read(self, plain: Plain, _: Book) -> Any:  # noqa: ANN401
        _require(plain, dict)
        return plain


class _Flat:
    """A struct of plain values, left to the encoder."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self._kind = kind
        self._is_mutable = not _is_frozen(kind)
        parts = {name: _parts(hint) for name, hint in get_type_hints(kind).items()}
        self._exact = {name: one[0] for name, one in parts.items() if one and one[0] in {Decimal, float}}

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401
        _require(value, self._kind)
        if self._is_mutable:
            book.meet(value)
        return value

    def read(self, plain: Plain, _: Book) -> Any:  # noqa: ANN401
        """Make the struct of its plain form; a field that it does not know is of another version."""
        unknown = plain.keys() - set(self._kind.__struct_fields__)
        if unknown:
            raise FormError(f"{self._kind.__name__} has no {min(unknown)}: written by another version")
        exact = self._exact
        return self._kind(
            **{
                name: exact[name](value) if name in exact and value is not None else value
                for name, value in plain.items()
            }
        )


class _Many:
    """A list, a tuple of any length, or a set, which is written in order."""

    def __init__(self, kind: type[Any], form: Form) -> None:
        self._kind = kind
        self._form = form

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401
        _require(value, self._kind)
        if self._kind in {list, set}:
            book.meet(value)
        written = [self._form.write(one, book) for one in value]
        return sorted(written) if self._kind in {set, frozenset} else written

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401
        return self._kind([self._form.read(one, book) for one in plain])


class _Fixed:
    """A tuple whose places have types of their own."""

    def __init__(self, forms: list[Form]) -> None:
        self._forms = forms

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401
        return [form.write(one, book) for form, one in zip(self._forms, value, strict=True)]

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401
        return tuple(form.read(one, book) for form, one in zip(self._forms, plain, strict=True))


class _Bounded:
    """A deque, with its bound."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401
        _require(value, deque)
        book.meet(value)
        return [value.maxlen, [self._form.write(one, book) for one in value]]

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401
        bound, written = plain
        return deque((self._form.read(one, book) for one in written), bound)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class _Key:
    """How the keys of a table are text."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


_KEYS: dict[Any, _Key] = {
    str: _Key(write=str, read=str),
    int: _Key(write=str, read=int),
    Decimal: _Key(write=str, read=Decimal),
}


def _enum_key(hint: Any) -> _Key | None:  # noqa: ANN401 - any annotation
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _Key(write=lambda member: str(member.name), read=lambda name: hint[name])
    return None


class _Table:
    """A dictionary as an object, in its own order: what comes first may matter."""

    def __init__(self, key: _Key, form: Form) -> None:
        self._key = key
        self._form = form

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401
        _require(value, dict)
        book.meet(value)
        key, form = self._key, self._form
        return {key.write(name): form.write(one, book) for name, one in value.items()}

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401
        key, form = self._key, self._form
        return {key.read(name): form.read(one, book) for name, one in plain.items()}


class _Pairs:
    """A dictionary whose keys are more than text, in its own order."""

    def __init__(self, key: Form, form: Form) -> None:
        self._key = key
        self._form = form

    def write(self, value: Any, book: Book) -> Plain:  # noqa: ANN401
        _require(value, dict)
        book.meet(value)
        return [[self._key.write(name, book), self._form.write(one, book)] for name, one in value.items()]

    def read(self, plain: Plain, book: Book) -> Any:  # noqa: ANN401
        return {self._key.read(name, book): self._form.read(one, book) for name, one in plain}


def _hints_of(kind: type[msgspec.Struct]) -> Iterable[Any]:
    return get_type_hints(kind).values()


def _parts(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any annotation
    """Return what a value may be besides None."""
    is_union = get_origin(hint) in {Union, types.UnionType}
    return tuple(part for part in (get_args(hint) if is_union else (hint,)) if part is not type(None))


def _require(value: object, kind: type) -> None:
    if type(value) is not kind:
        raise FormError(f"{type(value).__name__} instead of {kind.__name__}")


def _boxed(cell: object) -> Plain:
    _require(cell, Decimal)
    return [str(cell)]


def _is_frozen(kind: type) -> bool:
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_config__.frozen
    return bool(kind.__dataclass_params__.frozen)  # type: ignore[attr-defined]
