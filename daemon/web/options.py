"""The options of `seawall web`. Nothing that serves is imported here, so that `--help` is instant."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called
from __future__ import annotations

import argparse
import ipaddress
from pathlib import Path

from daemon.arguments import Commands, add_command, port_number

DEFAULT_LISTEN = ("127.0.0.1", 8790)


def add_web(commands: Commands) -> None:
    """Add the command."""
    web = add_command(
        commands,
        "web",
        "show a running guard in a browser, read-only",
        "Serves one page on loopback that follows a running guard: its mode, every position between stop and "
        "liquidation price, the switch, alerts, degraded states. The process needs no API key and cannot change "
        "anything: it reads from the guard's control socket. From another machine, tunnel to it: "
        "ssh -L 8790:127.0.0.1:8790 HOST.",
        "  seawall web --config seawall.toml\n"
        "  seawall web --socket /run/seawall/main/control.sock --listen 127.0.0.1:8790",
    )
    where = web.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, metavar="FILE", help="settings file of the daemon to show")
    where.add_argument("--socket", type=Path, metavar="PATH", help="its control socket, instead of the settings file")
    web.add_argument(
        "--listen",
        type=loopback_address,
        default=DEFAULT_LISTEN,
        metavar="HOST:PORT",
        help="a loopback address (default 127.0.0.1:8790); port 0 takes a free one",
    )
    web.set_defaults(command=_web)


def loopback_address(text: str) -> tuple[str, int]:
    """Read "127.0.0.1:8790" or "[::1]:8790".

    Raises:
        argparse.ArgumentTypeError: If it is no address, or one that other machines reach: the page asks nobody who he
            is, so it stays on this machine.
    """
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be like 127.0.0.1:8790 or [::1]:8790, not {text!r}") from error
    if not address.is_loopback:
        raise argparse.ArgumentTypeError(
            f"{address} can be reached by other machines, and the page asks nobody who he is:"
            " listen on 127.0.0.1 and come through a tunnel or a proxy that does ask"
        )
    return str(address), port_number(port)


def _web(options: argparse.Namespace) -> int:
    from daemon.web.command import serve

    return serve(options)
