"""Where metrics are served and traces go: what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import SettingsError, load_settings
from config.metrics import MetricsSettings, TracingSettings, problem_of_metrics, problem_of_tracing


@pytest.mark.parametrize(
    ("listen", "allow_remote", "words"),
    [
        (None, False, ""),
        ("127.0.0.1:9464", False, ""),
        ("[::1]:0", False, ""),
        ("0.0.0.0:9464", True, ""),
        ("0.0.0.0:9464", False, "can be reached by other machines"),
        ("[::]:9464", False, "can be reached by other machines"),
        ("192.168.1.2:9464", False, "can be reached by other machines"),
        ("localhost:9464", False, "must be like"),
        ("127.0.0.1", False, "must be like"),
        ("127.0.0.1:99999", False, "must be like"),
        (":9464", True, "must be like"),
    ],
)
def test_metrics_stay_on_this_machine(listen: str | None, allow_remote: bool, words: str) -> None:
    """Beyond loopback only where the settings say so twice; a name is no address."""
    problem = problem_of_metrics(MetricsSettings(listen=listen, allow_remote=allow_remote))
    assert (problem or ("", ""))[1].startswith(words)
    assert (problem is None) == (not words)


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (None, ""),
        ("http://127.0.0.1:4318/v1/traces", ""),
        ("http://localhost:4318/v1/traces", ""),
        ("https://traces.example/v1/traces", ""),
        ("http://traces.example/v1/traces", "is not encrypted"),
        ("https://ann:secret@traces.example/", "must hold no name"),
        ("127.0.0.1:4318", "must be a whole address"),
        ("http://127.0.0.1:port/", "must be a whole address"),
        ("https://[::1", "must be a whole address"),
    ],
)
def test_traces_leave_this_machine_encrypted(endpoint: str | None, words: str) -> None:
    """A plain address beyond loopback, a password, or half an address is refused."""
    problem = problem_of_tracing(TracingSettings(endpoint=endpoint))
    assert (problem or ("", ""))[1].startswith(words)
    assert (problem is None) == (not words)


def test_a_settings_file_is_told_all_of_it(tmp_path: Path) -> None:
    """Both problems of one file are named with their keys, and no password is repeated."""
    path = tmp_path / "seawall.toml"
    path.write_text(
        '[venue]\nenvironment = "testnet"\n[metrics]\nlisten = "0.0.0.0:1"\n'
        '[tracing]\nendpoint = "https://ann:planted-secret@traces.example/"\n'
    )
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    text = "\n".join(caught.value.problems)
    assert "metrics.listen" in text
    assert "tracing.endpoint" in text
    assert "planted-secret" not in text
