"""Copies of large frozen values with some fields changed.

Why beside `dataclasses.replace`: that asks every field and calls the constructor, which for the fifty fields of a state
costs more than the decision that changed two of them. Only for dataclasses that keep their fields in a dictionary
(no slots) and check nothing when they are made.
"""

from __future__ import annotations

from dataclasses import Field
from typing import Any, ClassVar, Protocol, TypeVar


class Dataclass(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Value = TypeVar("Value", bound=Dataclass)


def altered(value: Value, **changes: Any) -> Value:  # noqa: ANN401 - fields of any type; names are checked
    """Return a copy of a frozen value with some fields changed.

    Raises:
        TypeError: A name is not a field.

    Example:
        >>> from config.policy import Policy
        >>> from daemon.core.state import initial_state
        >>> altered(initial_state(7, Policy()), now_ns=5).now_ns
        5
    """
    # A value read from a journal may lack fields that it left at their default: those are the class's attributes.
    known = type(value).__dataclass_fields__.keys()
    if not changes.keys() <= known:
        unknown = ", ".join(sorted(changes.keys() - known))
        raise TypeError(f"{type(value).__name__} has no field {unknown}")
    copy = object.__new__(type(value))
    vars(copy).update(vars(value), **changes)
    return copy
