"""Opens the doors of the control API that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from config.control import listen_address
from config.model import Settings
from config.tokens_from import load_tokens
from daemon.shell.control.counter import Counter
from daemon.shell.control.rights import Tokens
from daemon.shell.control.server import ControlApi, TcpApi
from daemon.shell.crew import Crew


def open_control(settings: Settings, counter: Counter, crew: Crew) -> Callable[[], str]:
    """Listen on the socket, and on TCP where that is asked for.

    Returns:
        What says why no bot can call; empty while they can.

    Raises:
        CredentialsError: If a token is not kept safely.
    """
    control = settings.control
    api = ControlApi(Path(settings.control_socket), counter, group=control.group, group_may=control.group_may)
    crew.helpful("control API", api.run)
    if control.listen is not None:
        read, operate = load_tokens(control)
        tcp = TcpApi(listen_address(control.listen), counter, Tokens(read=read, operate=operate))
        crew.helpful("control API on TCP", tcp.run)
    return api.deaf
