"""A secret that cannot be printed by accident, and the pair of key and secret that signs requests.

Why: promise P11. `repr`, `str`, formatting and pickling never show the value; only `reveal()` does, and only signing
calls it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn


class Secret:
    """A string that hides itself."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value. Never log, journal or put the result into an error."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """An API key: `key_id` may be shown, `secret` may not."""

    key_id: str
    secret: Secret
