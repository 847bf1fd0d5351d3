"""Where key and secret are found: files, commands, the environment, systemd's folder. Never the settings file.

Why: promise P11. A secret file that others may read is refused, because it has to be taken for known; errors name
places, never values.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from config.credentials import Credentials, Secret
from config.model import CredentialSources
from config.word_of_command import CommandGaveNothing, output_of

KEY_VARIABLE = "SEAWALL_KEY"
SECRET_VARIABLE = "SEAWALL_SECRET"  # noqa: S105 - the name of a variable, not a secret
SYSTEMD_FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"
SYSTEMD_KEY = "seawall-key"
SYSTEMD_SECRET = "seawall-secret"  # noqa: S105 - the name of a file, not a secret
_LONGEST_BYTES = 4_096


class CredentialsError(Exception):
    """Key or secret is missing or not kept safe. The text says where was looked and what to do."""


def load_credentials(sources: CredentialSources, environ: Mapping[str, str] = os.environ) -> Credentials:
    """Return the pair that the settings name, in files or by commands; else the environment's, else systemd's.

    Raises:
        CredentialsError: If none is whole, or a file or command cannot be used.
    """
    key, secret = (
        _from_files(sources)
        or _from_commands(sources, environ)
        or _from_environment(environ)
        or _from_systemd(environ)
        or _nowhere()
    )
    return Credentials(key_id=key, secret=Secret(secret))


def _from_files(sources: CredentialSources) -> tuple[str, str] | None:
    if sources.key_file is None and sources.secret_file is None:
        return None
    if sources.key_command or sources.secret_command:
        raise CredentialsError("[credentials] names files and commands: keep one of the two ways")
    if sources.key_file is None or sources.secret_file is None:
        raise CredentialsError("[credentials] needs both key_file and secret_file")
    require_private(Path(sources.secret_file))
    return read_word(Path(sources.key_file)), read_word(Path(sources.secret_file))


def _from_commands(sources: CredentialSources, environ: Mapping[str, str]) -> tuple[str, str] | None:
    if not sources.key_command and not sources.secret_command:
        return None
    if not sources.key_command or not sources.secret_command:
        raise CredentialsError("[credentials] needs both key_command and secret_command")
    words = {
        name: _said(getattr(sources, name), sources.command_timeout_s, environ, f"credentials.{name}")
        for name in ("key_command", "secret_command")
    }
    return words["key_command"], words["secret_command"]


def _said(command: tuple[str, ...], timeout_s: float, environ: Mapping[str, str], place: str) -> str:
    try:
        word = output_of(command, timeout_s=timeout_s, environ=environ)
    except CommandGaveNothing as error:
        raise CredentialsError(f"{place}: {error}") from error
    _require_one_word(word, f"what {place} prints")
    return word


def _from_environment(environ: Mapping[str, str]) -> tuple[str, str] | None:
    key, secret = environ.get(KEY_VARIABLE, "").strip(), environ.get(SECRET_VARIABLE, "").strip()
    if not key and not secret:
        return None
    if not key or not secret:
        missing = SECRET_VARIABLE if key else KEY_VARIABLE
        raise CredentialsError(f"the environment variable {missing} is not set, or empty: set both, or neither")
    for name, word in ((KEY_VARIABLE, key), (SECRET_VARIABLE, secret)):
        _require_one_word(word, f"the environment variable {name}")
    return key, secret


def _from_systemd(environ: Mapping[str, str]) -> tuple[str, str] | None:
    folder = environ.get(SYSTEMD_FOLDER_VARIABLE)
    try:
        if not folder or not (Path(folder) / SYSTEMD_KEY).exists():
            return None
    except OSError as error:  # systemd 252 names the folder to ExecStopPost= and hides it
        raise CredentialsError(f"systemd's credentials in {folder} cannot be read: {error.strerror}") from error
    return read_word(Path(folder) / SYSTEMD_KEY), read_word(Path(folder) / SYSTEMD_SECRET)


def _nowhere() -> tuple[str, str]:
    raise CredentialsError(
        "no API key was found: name files under [credentials] key_file and secret_file, or commands, or set "
        f"{KEY_VARIABLE} and {SECRET_VARIABLE}, or load {SYSTEMD_KEY} and {SYSTEMD_SECRET} as systemd credentials"
    )


def require_private(path: Path) -> None:
    """Refuse a file that others may read or change.

    Raises:
        CredentialsError: If they may, or it is not there.
    """
    try:
        file = path.stat()
        folders = {each: each.stat() for each in (path.absolute().parent, path.resolve().parent)}
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}") from error
    if file.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        raise CredentialsError(f"{path} may be read or changed by everybody on this machine: chmod 600 {path}")
    if file.st_mode & stat.S_IWGRP:
        raise CredentialsError(f"{path} may be changed by its whole group: chmod 600 {path}")
    if file.st_uid not in {os.geteuid(), 0}:
        raise CredentialsError(f"{path} belongs to another user, who can read and change it: chown it to this one")
    for each, folder in folders.items():  # of the file, and of a link to it
        if folder.st_mode & stat.S_IWOTH and not folder.st_mode & stat.S_ISVTX:
            raise CredentialsError(f"{each} may be changed by everybody, so {path.name} may be replaced: chmod 755")


def read_word(path: Path) -> str:
    """Return the one word that a file holds.

    Raises:
        CredentialsError: If it cannot be read, or holds something else.
    """
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST_BYTES).strip()
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CredentialsError(f"{path} is not text") from error
    _require_one_word(text, str(path))
    return text


def _require_one_word(text: str, place: str) -> None:
    """Refuse what cannot stand in a request header, before a request fails on it."""
    if len(text.split()) != 1:
        raise CredentialsError(f"{place} must hold exactly one word, the credential itself")
    if not (text.isascii() and text.isprintable()):
        raise CredentialsError(f"{place} holds characters that no key or secret has; copy it again")
