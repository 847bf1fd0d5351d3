"""A secret that cannot be printed by accident, and the pair of key and secret that signs requests.

Why: promise P11. `repr`, `str`, formatting and pickling never show the value; only `reveal()` does, and only signing
calls it. What signs reads the pair anew for each request, so that a pair can be replaced while the guard runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn, Protocol


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


class SigningKey(Protocol):
    """A pair to sign with: read for each signature, since it may have been replaced."""

    @property
    def key_id(self) -> str:
        """Which key; may be shown."""

    @property
    def secret(self) -> Secret:
        """What signs; may not."""


class KeyInUse:
    """The pair that signs now. Replaced as a whole, between two requests."""

    __slots__ = ("_pair",)

    def __init__(self, pair: Credentials) -> None:
        self._pair = pair

    def replace(self, pair: Credentials) -> None:
        """Sign with another pair from the next request, and the next sign-in, on."""
        self._pair = pair

    @property
    def pair(self) -> Credentials:
        """The whole pair."""
        return self._pair

    @property
    def key_id(self) -> str:
        """Which key; may be shown."""
        return self._pair.key_id

    @property
    def secret(self) -> Secret:
        """What signs; may not."""
        return self._pair.secret
