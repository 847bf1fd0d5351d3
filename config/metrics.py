"""Settings of what the guard shows of itself to machines: metrics for Prometheus, traces for OpenTelemetry.

Pure: no input or output.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.control import listen_address

_LOOPBACK_NAME = "localhost"


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsSettings:
    """A page of metrics for Prometheus, for whoever can connect. The control API has the same page."""

    listen: str | None = None
    """Serve `/metrics` here, like "127.0.0.1:9464"; left out: nowhere. Whoever connects reads positions and prices."""
    allow_remote: bool = False
    """`listen` may name an address that other machines reach. Nothing is encrypted, and nobody is asked for a token."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TracingSettings:
    """Traces of decisions for OpenTelemetry, over OTLP/HTTP. Needs `pip install 'seawall[tracing]'`."""

    endpoint: str | None = None
    """Where spans go, like "http://127.0.0.1:4318/v1/traces"; left out: there are none. They name symbols, orders,
    reasons and times."""


def problem_of_metrics(settings: MetricsSettings) -> tuple[str, str] | None:
    """Return the key and what is wrong with it; None if all is well."""
    if settings.listen is None:
        return None
    try:
        host, _ = listen_address(settings.listen)
    except ValueError:
        return "listen", 'must be like "127.0.0.1:9464": an address, a colon and a port'
    if not ipaddress.ip_address(host).is_loopback and not settings.allow_remote:
        return (
            "listen",
            "can be reached by other machines, and shows positions to all: 127.0.0.1, or allow_remote = true",
        )
    return None


def problem_of_tracing(settings: TracingSettings) -> tuple[str, str] | None:
    """Return the key and what is wrong with it; None if all is well."""
    if settings.endpoint is None:
        return None
    try:
        parts = urlsplit(settings.endpoint)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "endpoint", "must be a whole address, like http://127.0.0.1:4318/v1/traces"
    if parts.scheme not in {"http", "https"} or not host:
        return "endpoint", "must be a whole address, like http://127.0.0.1:4318/v1/traces"
    if parts.username or parts.password:
        return "endpoint", "must hold no name and no password: this file is no place for secrets"
    if parts.scheme == "http" and not _is_loopback(host):
        return "endpoint", "is not encrypted and leaves this machine: use https://"
    return None


def _is_loopback(host: str) -> bool:
    if host == _LOOPBACK_NAME:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
