"""Serving the page until told to stop."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvicorn

from daemon.exit_codes import CommandFailed, ExitCode
from daemon.inputs import read_settings
from daemon.shell.control.client import ask
from daemon.web.follow import TIMEOUT_S, Ask, Follower
from daemon.web.pages import application

_END_WITHIN_S = 3
"""Longer than a request is held back."""


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises:
        CommandFailed: If the address is taken, or the settings cannot be read.
    """
    path = options.socket or Path(read_settings(options.config).control_socket)
    with _listener(*options.listen) as listener:
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"http://{shown}:{port}/ shows the guard behind {path}; Ctrl-C ends it\n")
        sys.stdout.flush()
        _Server(partial(ask, path, timeout_s=TIMEOUT_S)).run(sockets=[listener])
    return ExitCode.OK


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandFailed(f"cannot listen on {host}:{port}: {error.strerror or error}", ExitCode.IN_USE) from error
    return listener


class _Server(uvicorn.Server):
    """Serves the page; a signal is a wish to end, not a death."""

    def __init__(self, asked: Ask) -> None:
        pages = application(Follower(asked, clock=time.monotonic))
        super().__init__(
            uvicorn.Config(
                pages,
                ws="none",
                lifespan="off",
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=128,
                timeout_graceful_shutdown=_END_WITHIN_S,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGTERM and SIGINT, with the exit code of success: uvicorn would die of the signal afterwards."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self.handle_exit)
        yield
