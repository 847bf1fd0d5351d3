"""Texts without the secrets in them.

Why: a recording is made to be shown to somebody, and a signed request that has not yet expired can
be sent again by whoever reads it. Signatures go by their shape and by their place, secrets by
their value, by their name, and wherever a key is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

HIDDEN = "[hidden]"
_NAMES = r"api-signature|secret|apiSecret|password|otpToken|token"
_PARTS = ("signature", "secret", "password", "token")  # of the names: quick to look for in what is mostly innocent
_IN_QUERY = re.compile(rf"(?i)((?:^|[?&])(?:{_NAMES})=)[^&\s]*")
_IN_JSON = re.compile(rf'(?i)("(?:{_NAMES})"\s*:\s*)"(?:[^"\\]|\\.)*"')
_STRING = r'"(?:[^"\\]|\\.)*"'
_SIGN_IN = re.compile(rf'("args"\s*:\s*\[\s*{_STRING}\s*,\s*(?:{_STRING}|[-\d.eE+]+)\s*,\s*){_STRING}')
_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{20,}")
_SHORTEST_TOKEN = 20
_SIGNATURE = re.compile(r"[0-9a-fA-F]{64}")
_SECRET_HEADERS = frozenset({"api-signature", "authorization", "cookie"})


class Redaction:
    """Hides what must not be shown."""

    def __init__(self, secrets: Callable[[], Collection[str]]) -> None:
        """Prepare to hide.

        Args:
            secrets: Returns the secrets that are good now.
        """
        self._secrets = secrets

    def text(self, text: str) -> str:
        """Return a body, an address or a message without secrets."""
        if "authKey" in text:
            text = _SIGN_IN.sub(rf'\1"{HIDDEN}"', text)
        lower = text.lower()
        if any(part in lower for part in _PARTS):
            text = _IN_JSON.sub(rf'\1"{HIDDEN}"', text)
            text = _IN_QUERY.sub(rf"\1{HIDDEN}", text)
        return _TOKEN.sub(self._token, text)

    def headers(self, headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
        """Return headers by name, in lower case, without secrets."""
        texts = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
        return {name: HIDDEN if name in _SECRET_HEADERS else self._value(value) for name, value in texts}

    def _value(self, value: str) -> str:
        return value if len(value) < _SHORTEST_TOKEN else self.text(value)

    def _token(self, match: re.Match[str]) -> str:
        token = match[0]
        return HIDDEN if _SIGNATURE.fullmatch(token) or token in self._secrets() else token
