"""What commands read before they start: the settings file and the credentials. Problems become one exit code each."""

from __future__ import annotations

import os
from pathlib import Path

from config.credentials import Credentials
from config.load import SettingsError, load_settings
from config.model import Settings
from config.secrets_from import CredentialsError, load_credentials
from daemon.exit_codes import CommandFailed, ExitCode


def read_settings(path: Path) -> Settings:
    """Read the settings file and what the environment sets; all of the problems make the message."""
    try:
        return load_settings(path, os.environ)
    except SettingsError as error:
        raise CommandFailed("\n".join(error.problems), ExitCode.BAD_INPUT) from error


def read_credentials(settings: Settings) -> Credentials:
    """Read key and secret from wherever they are kept."""
    try:
        return load_credentials(settings.credentials)
    except CredentialsError as error:
        raise CommandFailed(str(error), ExitCode.CREDENTIALS) from error


def socket_of(path: Path) -> Path:
    """Return the control socket of the daemon that runs with this settings file.

    Raises:
        CommandFailed: If the settings keep it shut.
    """
    settings = read_settings(path)
    if not settings.control.enabled:
        raise CommandFailed(f"{path}: control.enabled is false, so nobody can ask the daemon", ExitCode.BAD_INPUT)
    return Path(settings.control_socket)
