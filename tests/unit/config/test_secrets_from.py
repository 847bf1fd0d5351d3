"""Where key and secret come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.model import CredentialSources
from config.secrets_from import CredentialsError, load_credentials


def files(folder: Path, *, mode: int = 0o600) -> CredentialSources:
    """Write key and secret into files."""
    for name, value in (("key", "the-key"), ("secret", "the-secret")):
        (folder / name).write_text(value + "\n")
        (folder / name).chmod(mode)
    return CredentialSources(key_file=str(folder / "key"), secret_file=str(folder / "secret"))


def test_files_come_before_the_environment(tmp_path: Path) -> None:
    """What the settings name wins over what happens to be set."""
    found = load_credentials(files(tmp_path), {"SEAWALL_KEY": "other", "SEAWALL_SECRET": "other"})
    assert (found.key_id, found.secret.reveal()) == ("the-key", "the-secret")


def test_the_environment_comes_before_systemd(tmp_path: Path) -> None:
    """Both are there: the nearer one is taken, and never one half of each."""
    (tmp_path / "seawall-key").write_text("systemd-key")
    (tmp_path / "seawall-secret").write_text("systemd-secret")
    folder = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert load_credentials(CredentialSources(), folder).key_id == "systemd-key"
    both = {**folder, "SEAWALL_KEY": "k", "SEAWALL_SECRET": "s"}
    assert load_credentials(CredentialSources(), both).key_id == "k"


def test_a_folder_that_systemd_hides_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is named and not let into, as systemd 252 does to what it runs after the end, is said to be."""

    def hidden(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", hidden)
    with pytest.raises(CredentialsError, match=r"systemd's credentials in .* cannot be read: Permission denied"):
        load_credentials(CredentialSources(), {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_half_a_pair_is_refused(tmp_path: Path) -> None:
    """A key without a secret is a mistake, not a reason to look elsewhere."""
    with pytest.raises(CredentialsError, match="SEAWALL_SECRET is not set, or empty: set both"):
        load_credentials(CredentialSources(), {"SEAWALL_KEY": "k"})
    with pytest.raises(CredentialsError, match="both"):
        load_credentials(CredentialSources(key_file=str(tmp_path / "key")), {})


def test_a_secret_that_everybody_may_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    """P11: a file of mode 0644 has to be taken for known."""
    with pytest.raises(CredentialsError, match="chmod 600") as refused:
        load_credentials(files(tmp_path, mode=0o644), {})
    assert "the-secret" not in str(refused.value)


@pytest.mark.parametrize("content", ["", "two words", "\n\n"])
def test_a_file_that_is_no_credential_is_refused(tmp_path: Path, content: str) -> None:
    """An empty file, or one with a comment in it; its content is not repeated."""
    sources = files(tmp_path)
    (tmp_path / "secret").write_text(content)
    with pytest.raises(CredentialsError, match="exactly one word"):
        load_credentials(sources, {})


@pytest.mark.parametrize("content", ["schlüssel", "a\0b", "a\x1bb"])
def test_characters_that_no_header_can_carry_are_refused(tmp_path: Path, content: str) -> None:
    """A key copied with something that is not of it, from a file or from the environment."""
    sources = files(tmp_path)
    (tmp_path / "key").write_text(content)
    with pytest.raises(CredentialsError, match="no key or secret has"):
        load_credentials(sources, {})
    with pytest.raises(CredentialsError, match="SEAWALL_KEY holds"):
        load_credentials(CredentialSources(), {"SEAWALL_KEY": content, "SEAWALL_SECRET": "x"})


def test_nothing_anywhere_says_where_to_put_it() -> None:
    """The message names all three places."""
    with pytest.raises(CredentialsError, match=r"key_file.*SEAWALL_KEY.*seawall-key"):
        load_credentials(CredentialSources(), {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The settings name a file that is not there."""
    with pytest.raises(CredentialsError, match="nowhere"):
        load_credentials(
            CredentialSources(key_file=str(tmp_path / "nowhere"), secret_file=str(tmp_path / "nowhere")), {}
        )


@pytest.mark.parametrize("open_folder", ["kept", "linked"])
def test_a_secret_that_everybody_may_replace_is_refused(tmp_path: Path, open_folder: str) -> None:
    """P11: the folder of the file, and that of a link to it; a sticky one, as /tmp, is no danger."""
    kept, linked = tmp_path / "kept", tmp_path / "linked"
    kept.mkdir()
    linked.mkdir()
    sources = files(kept)
    for name in ("key", "secret"):
        (linked / name).symlink_to(kept / name)
    by_link = CredentialSources(key_file=str(linked / "key"), secret_file=str(linked / "secret"))
    assert load_credentials(by_link, {}) == load_credentials(sources, {})
    (tmp_path / open_folder).chmod(0o777)
    with pytest.raises(CredentialsError, match="may be replaced"):
        load_credentials(by_link, {})
    (tmp_path / open_folder).chmod(0o1777)
    assert load_credentials(by_link, {}).key_id == "the-key"


@pytest.mark.parametrize(
    ("mode", "is_taken"), [(0o600, True), (0o400, True), (0o640, True), (0o660, False), (0o604, False)]
)
def test_which_modes_of_a_secret_are_taken(tmp_path: Path, mode: int, is_taken: bool) -> None:
    """P11: as the settings explain it: a group may read (it is the guard's) and never change, others do neither."""
    sources = files(tmp_path, mode=mode)
    if is_taken:
        assert load_credentials(sources, {}).key_id == "the-key"
    else:
        with pytest.raises(CredentialsError, match="chmod 600"):
            load_credentials(sources, {})
