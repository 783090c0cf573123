"""Proxy scripts that a system is set to, as GNOME, KDE, macOS and the environment tell them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.hub.proxy_script import FOUND_BY_NETWORK, find_proxy_script, script_of_kde, script_of_scutil

SCRIPT = "http://office.example/proxy.pac"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """GNOME's settings in a file of the test's own."""
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_the_environment_is_read(settings: Path) -> None:
    assert find_proxy_script({"auto_proxy": SCRIPT}, settings) == SCRIPT
    assert find_proxy_script({}, settings) == ""


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("gsettings") is None, reason="no GNOME settings here")
def test_gnomes_settings_are_read(settings: Path) -> None:
    schemas = subprocess.run(["gsettings", "list-schemas"], capture_output=True, text=True, check=True).stdout
    if "org.gnome.system.proxy" not in schemas.split():
        pytest.skip("no schema of proxies here")
    for key, value, found in (("mode", "auto", FOUND_BY_NETWORK), ("autoconfig-url", SCRIPT, SCRIPT)):
        subprocess.run(["gsettings", "set", "org.gnome.system.proxy", key, value], check=True)
        assert find_proxy_script({}, settings) == found
    subprocess.run(["gsettings", "set", "org.gnome.system.proxy", "mode", "manual"], check=True)
    assert find_proxy_script({}, settings) == ""


@pytest.mark.parametrize(("kind", "found"), [("0", ""), ("1", ""), ("2", SCRIPT), ("3", FOUND_BY_NETWORK), ("4", "")])
def test_kdes_settings_are_read(tmp_path: Path, kind: str, found: str) -> None:
    path = tmp_path / "kioslaverc"
    path.write_text(f"[Proxy Settings]\nProxy Config Script={SCRIPT}\nProxyType={kind}\nhttpProxy=http://a%20b 80\n")
    assert script_of_kde(path) == found


def test_broken_settings_of_kde_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "kioslaverc"
    path.write_bytes(b"\xff\x00no section")
    assert script_of_kde(path) == script_of_kde(tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["HTTPEnable : 0", "ProxyAutoConfigEnable : 1", f"ProxyAutoConfigURLString : {SCRIPT}"], SCRIPT),
        (["ProxyAutoConfigEnable : 0", f"ProxyAutoConfigURLString : {SCRIPT}"], ""),
        (["ProxyAutoDiscoveryEnable : 1"], FOUND_BY_NETWORK),
        ([], ""),
    ],
)
def test_what_macos_prints_is_read(lines: list[str], found: str) -> None:
    assert script_of_scutil("\n".join(["<dictionary> {", *(f"  {line}" for line in lines), "}"])) == found
