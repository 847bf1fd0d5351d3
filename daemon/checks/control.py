"""Can people, bots and pages reach the control API, and nobody else? The socket, its group, the tokens for TCP."""

from __future__ import annotations

import grp
import os
import stat
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from config.control import ControlSettings, Right, listen_address
from config.model import Settings
from config.secrets_from import CredentialsError
from config.tokens_from import load_tokens
from daemon.checks.findings import Finding, advice, ok, problem
from daemon.exit_codes import ExitCode


def control_api(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[Finding]:
    """Whether people, bots and pages can reach the control API, where the settings ask for it."""
    if not settings.control.enabled:
        return [advice("control", "off: no command, bot or page can reach the guard, not even `seawall status`")]
    return [*_on_the_socket(settings), *_on_tcp(settings.control, environ)]


def _on_tcp(control: ControlSettings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Who may call over TCP; `machine.free_ports` says whether the port can be had."""
    if control.listen is None:
        return
    try:
        read, operate = load_tokens(control, environ)
    except CredentialsError as error:
        yield problem("control", str(error), ExitCode.CREDENTIALS)
        return
    rights = [name for name, token in (("read", read), ("operate", operate)) if token is not None]
    yield ok("control", f"a token to {' and one to '.join(rights)} is kept for callers at {control.listen}")
    if not ip_address(listen_address(control.listen)[0]).is_loopback:
        text = f"other machines reach {control.listen}, and nothing is encrypted: put a TLS proxy or a tunnel there"
        yield advice("control", text)


def _on_the_socket(settings: Settings) -> list[Finding]:
    control, path = settings.control, Path(settings.control_socket)
    if control.socket is not None and not path.parent.is_dir():
        text = f"{path.parent} is not there: make it, or name another place in control.socket"
        return [problem("control", text, ExitCode.BAD_INPUT)]
    if control.group is None:
        return [ok("control", f"bots of this user call in at {path}")]
    try:
        members = grp.getgrnam(control.group)
    except KeyError:
        text = f"there is no group called {control.group}: make it, or leave control.group out"
        return [problem("control", text, ExitCode.BAD_INPUT)]
    return [_reachable_by(members, path, control.group_may)]


def _reachable_by(members: grp.struct_group, path: Path, group_may: Right) -> Finding:
    """Whether the folder of the socket lets a group in."""
    if os.geteuid() and members.gr_gid not in {os.getegid(), *os.getgroups()}:
        text = f"this user is not in the group {members.gr_name}, so it cannot give the socket to it"
        return problem("control", text, ExitCode.BAD_INPUT)
    folder = path.parent.stat()
    is_open = folder.st_mode & stat.S_IXOTH or (folder.st_gid == members.gr_gid and folder.st_mode & stat.S_IXGRP)
    if not is_open:
        text = f"the group {members.gr_name} may not enter {path.parent}: give the folder to it, with mode 0750"
        return problem("control", text, ExitCode.BAD_INPUT)
    may = "read and say that they live" if group_may is Right.READ else "do everything that the guard's own user may"
    return ok("control", f"bots of the group {members.gr_name} call in at {path}; they may {may}")
