"""The written form of each declared type: exact both ways, and refused where it could not be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from connectors.simulated.engine.changes import Row
from connectors.simulated.engine.forms import FormError, Forms
from connectors.simulated.engine.remembered import remembered


class Colour(Enum):
    """Two members."""

    RED = "r"
    BLUE = "b"


class Dot(msgspec.Struct, frozen=True, kw_only=True):
    """A struct with a default."""

    x: int
    y: int = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A frozen value."""

    ends: tuple[Dot, Dot]
    colour: Colour = Colour.RED


@dataclass(kw_only=True, slots=True)
class Sheet:
    """Every form there is."""

    lines: list[Line] = field(default_factory=list)
    recent: deque[Row] = field(default_factory=lambda: deque(maxlen=3))
    by_colour: dict[Colour, int] = field(default_factory=dict)
    by_number: dict[int, dict[str, Decimal]] = field(default_factory=dict)
    by_place: dict[tuple[int, str], None] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    part: Fraction = Fraction(1, 3)
    shape: Line | Dot | None = None
    any_length: tuple[Decimal, ...] = ()
    length: int | None = remembered()


class NoTables:
    """A document without shared values."""

    def __init__(self) -> None:
        self.met: set[int] = set()

    def key_of(self, value: object) -> str:
        raise AssertionError(value)

    def shared(self, kind: type, key: str) -> object:
        raise AssertionError(key)

    def meet(self, value: object) -> None:
        assert id(value) not in self.met
        self.met.add(id(value))


FORMS = Forms(frozenset())
DOTS = (Dot(x=1), Dot(x=2, y=3))
FULL = Sheet(
    lines=[Line(ends=DOTS), Line(ends=DOTS, colour=Colour.BLUE)],
    recent=deque([{"a": Decimal("1.50"), "b": None, "c": True, "d": 7, "e": "7"}], maxlen=3),
    by_colour={Colour.BLUE: 1, Colour.RED: 2},
    by_number={7: {"x": Decimal("1E+3")}},
    by_place={(2, "b"): None, (1, "a"): None},
    words={"b", "a"},
    shape=DOTS[0],
    any_length=(Decimal("0.10"), Decimal("-0")),
    length=5,
)


def through_json(value: Any) -> Any:
    """Write a value, carry it as JSON, and read it."""
    form = FORMS.of(type(value))
    written = msgspec.json.Encoder(decimal_format="number").encode(form.write(value, NoTables()))
    return form.read(msgspec.json.Decoder(float_hook=Decimal).decode(written), NoTables())


def test_every_form_comes_back() -> None:
    """Values, their order, their exact digits and their bounds survive; what is remembered does not."""
    again = through_json(FULL)
    assert again == FULL
    assert again.length is None
    assert again.recent.maxlen == 3
    assert [type(cell) for cell in again.recent[0].values()] == [Decimal, type(None), bool, int, str]
    assert list(again.by_colour) == [Colour.BLUE, Colour.RED]
    assert list(again.by_place) == [(2, "b"), (1, "a")]
    assert str(again.by_number[7]["x"]) == "1E+3"
    assert [str(one) for one in again.any_length] == ["0.10", "-0"]


def test_sets_are_written_in_order() -> None:
    """A set has no order of its own, so it must not bring one."""
    form = FORMS.of(set[str])
    assert form.write({"c", "a", "b"}, NoTables()) == ["a", "b", "c"]


@pytest.mark.parametrize("hint", [object, Callable[[], int], Iterator[int], bytes, Any])
def test_types_without_an_exact_form_are_refused(hint: Any) -> None:
    """A field that cannot be carried is found before it holds anything."""
    with pytest.raises(FormError, match="no exact form"):
        FORMS.of(list[hint])


WRONG = [
    (Sheet(lines=[Line(ends=DOTS, colour="RED")]), "Sheet.lines: Line.colour: str instead of Colour"),  # type: ignore[arg-type]
    (Sheet(recent=deque([[1]])), "Sheet.recent: list instead of dict"),  # type: ignore[list-item]
    (Sheet(part=1), "Sheet.part: int instead of Fraction"),  # type: ignore[arg-type]
    (Sheet(shape=Colour.RED), "Sheet.shape: Colour instead of Line, Dot"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("value", "text"), WRONG)
def test_a_value_that_does_not_fit_its_type_is_named(value: Sheet, text: str) -> None:
    """A field that holds something else than it declares is an error with its place."""
    with pytest.raises(FormError) as caught:
        FORMS.of(Sheet).write(value, NoTables())
    assert str(caught.value) == text


def test_a_new_field_takes_its_default() -> None:
    """A document of before the field was added is read; one with a field that is gone is not."""
    form = FORMS.of(Line)
    plain = msgspec.to_builtins(form.write(Line(ends=DOTS, colour=Colour.BLUE), NoTables()))
    assert form.read({"ends": plain["ends"]}, NoTables()).colour is Colour.RED
    with pytest.raises(FormError, match=r"Line\.ends is missing: written by another version"):
        form.read({"colour": "RED"}, NoTables())
    with pytest.raises(FormError, match="Line has no width: written by another version"):
        form.read({**plain, "width": 1}, NoTables())
    with pytest.raises(FormError, match="Dot has no z: written by another version"):
        FORMS.of(Dot).read({"x": 1, "z": 2}, NoTables())


class Tick(msgspec.Struct, kw_only=True):
    """A struct of plain values: the kind there are tens of thousands of."""

    price: Decimal | None
    share: float
    size: int
    row: Row | None = None


@pytest.mark.parametrize("price", ["0.10", "5", "1E+3", "0E-8", "-3.00", None])
def test_a_struct_of_plain_values_comes_back(price: str | None) -> None:
    """Left to the encoder it keeps every digit, and a whole decimal is a decimal again."""
    tick = Tick(price=None if price is None else Decimal(price), share=2.0, size=3, row={"a": Decimal("1.50"), "b": 1})
    again = through_json(tick)
    assert again == tick
    assert (str(again.price), type(again.share)) == (str(tick.price), float)


def test_a_struct_of_plain_values_is_met_once() -> None:
    """Reached on two ways it would come back as two."""
    tables, tick = NoTables(), Tick(price=None, share=0.5, size=1)
    FORMS.of(Tick).write(tick, tables)
    with pytest.raises(AssertionError):
        FORMS.of(Tick).write(tick, tables)
