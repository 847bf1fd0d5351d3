"""Logs for people: key and value, on standard output, one line per change of state, and never a secret (P11).

Why the last processor: connectors and libraries write what they like, so every text that is about to be written is
searched for the secrets this process holds. Values under names that mean a secret are hidden whatever they are.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import structlog

from config.model import LogFormat, LogSettings

HIDDEN = "(hidden)"
_SHORTEST_SECRET = 6
"""Shorter texts occur by chance and would blot out ordinary words."""
_TOKEN = 12
"""A shorter path of an address is a word, not a token."""
_BETWEEN = re.compile(r"[/:@?&=,;#]+")
_FIRST = ("timestamp", "level", "event")
_SECRET_NAMES = frozenset({"secret", "api_secret", "api-secret", "apisecret", "authorization", "password", "signature"})


class Redaction:
    """A structlog processor that takes known secrets out of everything."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets: tuple[str, ...] = ()
        self.hide(*secrets)

    def hide(self, *secrets: str) -> None:
        """Take more texts out from now on: another key came into use. The longest first."""
        known = {*self._secrets, *(each for each in secrets if len(each) >= _SHORTEST_SECRET)}
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, _logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 - structlog's own signature
        """Return the entry without secrets."""
        return {name: HIDDEN if name.lower() in _SECRET_NAMES else self.clean(value) for name, value in entry.items()}

    def clean(self, value: object) -> object:
        """Return `value` with every secret replaced, down through texts, lists and mappings."""
        match value:
            case str():
                return self._clean_text(value)
            case bytes():
                return self._clean_text(value.decode(errors="replace"))
            case bool() | int() | float() | None:
                return value
            case Mapping():
                return {
                    name: HIDDEN if str(name).lower() in _SECRET_NAMES else self.clean(each)
                    for name, each in value.items()
                }
            case list() | tuple() | set() | frozenset():
                return [self.clean(each) for each in value]
            case _:
                return self._clean_text(str(value))

    def _clean_text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


def secrets_of_address(address: str | None) -> tuple[str, ...]:
    """Return the parts of a channel's address that may be tokens, as they stand and decoded.

    Of an HTTP address these are its path, query and user part; of the addresses of Apprise, which put tokens anywhere,
    every part that is no ordinary short word.
    """
    if address is None:
        return ()
    if address.lower().startswith(("http://", "https://")):
        found = _of_http(address)
    else:
        found = [piece for piece in _BETWEEN.split(address.partition("://")[2]) if len(piece) >= _SHORTEST_SECRET]
    return tuple(dict.fromkeys((*found, *map(unquote, found))))


def _of_http(address: str) -> list[str]:
    try:
        parts = urlsplit(address)
    except ValueError:  # no address that anybody can call; whatever it holds stays hidden
        return [address]
    pieces = [parts.path.strip("/"), *parts.path.split("/"), parts.query, *_BETWEEN.split(parts.query)]
    found = [piece for piece in (*pieces, parts.username or "") if len(piece) >= _TOKEN]
    return [*found, *([parts.password] if parts.password else [])]


class LogOutput(Protocol):
    """Where finished lines go."""

    def write(self, text: str, /) -> int:
        """Take text."""

    def flush(self) -> None:
        """Let what was taken go on."""


def set_up_logs(
    settings: LogSettings, *, secrets: Iterable[str], output: LogOutput, is_terminal: bool = False
) -> Redaction:
    """Send structlog, and what libraries log, to `output` in the chosen format; return what can hide more."""
    renderer = _renderer(settings.format, is_terminal=is_terminal)
    stream: Any = output
    redaction = Redaction(secrets)
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redaction,
        _put_first,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=_from(settings.level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _route_libraries(shared, renderer, stream)
    return redaction


def log_from(level: str) -> None:
    """Write from another grade on; everything else about the logs stays.

    Args:
        level: As `log.level` in a settings file: "debug".
    """
    structlog.configure(wrapper_class=_from(level))


def _from(level: str) -> Any:  # noqa: ANN401 - structlog names no type
    return structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()])


def _put_first(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ANN401 - structlog's own signature
    """Begin each line with when, how bad and what: that is what an eye looks for."""
    return {**{name: entry[name] for name in _FIRST if name in entry}, **entry}


def _renderer(chosen: LogFormat, *, is_terminal: bool) -> Any:  # noqa: ANN401 - structlog names no type
    """Text for people at a terminal, one JSON object a line for everything else, unless the settings insist."""
    if chosen is LogFormat.CONSOLE or (chosen is LogFormat.AUTO and is_terminal):
        return structlog.dev.ConsoleRenderer(colors=is_terminal, sort_keys=False)
    return structlog.processors.JSONRenderer()


def _route_libraries(shared: list[Any], renderer: Any, output: Any) -> None:  # noqa: ANN401 - structlog names no type
    """Let the standard library's loggers say warnings through the same redaction."""
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
