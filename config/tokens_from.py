"""Where the tokens of the control API are found: files, the environment, or systemd's credential folder.

Why: a token is a credential (P11). A file that others may read is refused; errors name places, never values.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from config.control import ControlSettings
from config.credentials import Secret
from config.secrets_from import SYSTEMD_FOLDER_VARIABLE, CredentialsError, read_word, require_private

SHORTEST: Final = 16
"""Characters; a token of fewer can be guessed."""
READ_VARIABLE: Final = "SEAWALL_READ_TOKEN"
OPERATE_VARIABLE: Final = "SEAWALL_OPERATE_TOKEN"


def load_tokens(
    control: ControlSettings, environ: Mapping[str, str] = os.environ
) -> tuple[Secret | None, Secret | None]:
    """Return the tokens for reading and for operating; None for a right that nobody has over TCP.

    Raises:
        CredentialsError: If there is neither, or one is not kept safely or too short.
    """
    read = _token(control.read_token_file, READ_VARIABLE, "read_token", environ)
    operate = _token(control.operate_token_file, OPERATE_VARIABLE, "operate_token", environ)
    if read is None and operate is None:
        raise CredentialsError(
            "control.listen needs a token: name a file in control.read_token_file or control.operate_token_file, or set"
            f" {READ_VARIABLE} or {OPERATE_VARIABLE}"
        )
    if read is not None and read == operate:
        raise CredentialsError("the tokens for reading and for operating are the same: who reads could operate")
    return read, operate


def _token(file: str | None, variable: str, credential: str, environ: Mapping[str, str]) -> Secret | None:
    if file is not None:
        require_private(Path(file))
        return _long_enough(read_word(Path(file)), file)
    given = environ.get(variable, "").strip()
    if given:
        return _long_enough(given, f"the environment variable {variable}")
    folder = environ.get(SYSTEMD_FOLDER_VARIABLE)
    kept = None if not folder else Path(folder) / credential
    return None if kept is None or not kept.exists() else _long_enough(read_word(kept), str(kept))


def _long_enough(word: str, place: str) -> Secret:
    if len(word) < SHORTEST or not word.isascii() or not word.isprintable():
        raise CredentialsError(
            f"{place} must hold a token of at least {SHORTEST} characters, like `openssl rand -hex 24`"
        )
    return Secret(word)
