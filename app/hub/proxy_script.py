"""Proxy scripts (PAC) that the system is set to. They are programs, which this one doesn't run: it says so instead."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ASKING_TAKES_S = 5.0


def find_proxy_script(environment: Mapping[str, str], home: Path) -> str:
    """Return the address of the script that the system is set to, "" for none. May take seconds."""
    for name in ("auto_proxy", "AUTO_PROXY"):
        if environment.get(name):
            return environment[name]
    if sys.platform == "win32":
        return _windows_script()
    if sys.platform == "darwin":
        return script_of_scutil(_output_of("scutil", "--proxy"))
    return _gnome_script() or script_of_kde(home / ".config" / "kioslaverc")


def script_of_scutil(output: str) -> str:
    """Return the script in what macOS's `scutil --proxy` prints."""
    found: dict[str, str] = dict(
        re.findall(r"^\s*(ProxyAutoConfig\w+|ProxyAutoDiscoveryEnable) : (.+)$", output, re.MULTILINE)
    )
    if found.get("ProxyAutoConfigEnable") == "1":
        return found.get("ProxyAutoConfigURLString", "").strip()
    return FOUND_BY_NETWORK if found.get("ProxyAutoDiscoveryEnable") == "1" else ""


FOUND_BY_NETWORK = "wpad"
"""Stands for a script whose address the network tells (WPAD)."""


def script_of_kde(path: Path) -> str:
    """Return the script in the file where KDE keeps its settings of proxies."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(path, "utf-8")
    except (OSError, ValueError, configparser.Error):
        return ""
    kind = parser.get("Proxy Settings", "ProxyType", fallback="0")
    # KDE numbers: 1 set by hand, 2 a script, 3 a script that the network names, 4 the environment.
    if kind == "3":
        return FOUND_BY_NETWORK
    return parser.get("Proxy Settings", "Proxy Config Script", fallback="") if kind == "2" else ""


def _gnome_script() -> str:
    if _output_of("gsettings", "get", "org.gnome.system.proxy", "mode").strip(" '\n") != "auto":
        return ""
    # An empty address means the network's own.
    return _output_of("gsettings", "get", "org.gnome.system.proxy", "autoconfig-url").strip(" '\n") or FOUND_BY_NETWORK


def _windows_script() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    key = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as settings:
            return str(winreg.QueryValueEx(settings, "AutoConfigURL")[0])
    except OSError:
        return ""


def _output_of(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASKING_TAKES_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""
