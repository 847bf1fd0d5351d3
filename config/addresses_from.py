"""Where the address of a channel is found: the settings, a file, the environment, or systemd's credential folder.

Why: an address often is a token (P11). A file that others may read is refused; errors name places, never values.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from config.channels import ChannelKind, ChannelSettings, HeartbeatSettings, problem_of_address
from config.credentials import Secret
from config.secrets_from import SYSTEMD_FOLDER_VARIABLE, CredentialsError, read_word, require_private


class AddressError(Exception):
    """An address is missing, not kept safe or none. The text says where was looked and what to do."""


def load_address(settings: ChannelSettings | HeartbeatSettings, environ: Mapping[str, str] = os.environ) -> Secret:
    """Return the address.

    Raises:
        AddressError: If it is not there, or is no address.
    """
    address, place = _found(settings, environ)
    any_scheme = isinstance(settings, ChannelSettings) and settings.kind is ChannelKind.APPRISE
    problem = problem_of_address(address, any_scheme=any_scheme)
    if problem is not None:
        raise AddressError(f"{place} {problem}")
    return Secret(address)


def _found(settings: ChannelSettings | HeartbeatSettings, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the address and the place that it came from."""
    if settings.url is not None:
        return settings.url, "url"
    if settings.url_env is not None:
        return _of_variable(settings.url_env, environ)
    if settings.url_credential is not None:
        folder = environ.get(SYSTEMD_FOLDER_VARIABLE)
        if not folder:
            raise AddressError(f"systemd gave no credentials to this process: LoadCredential={settings.url_credential}")
        return _of_file(Path(folder) / settings.url_credential)
    if settings.url_file is not None:
        return _of_file(Path(settings.url_file), is_ours=True)
    raise AddressError("no address was given")


def _of_variable(name: str, environ: Mapping[str, str]) -> tuple[str, str]:
    address = environ.get(name, "").strip()
    if not address:
        raise AddressError(f"the environment variable {name} is empty")
    return address, f"the environment variable {name}"


def _of_file(path: Path, *, is_ours: bool = False) -> tuple[str, str]:
    try:
        if is_ours:
            require_private(path)
        return read_word(path), str(path)
    except CredentialsError as error:
        raise AddressError(str(error)) from error
