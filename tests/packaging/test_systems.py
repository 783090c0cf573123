"""What is said of systems that no test runs on: the workflow, the recipes and README say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
SPEC = (ROOT / "packaging" / "fireside.spec").read_text("utf-8")


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    """The jobs of the workflow that makes the packages."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "packages.yml").read_text("utf-8"))
    found: dict[str, Any] = workflow["jobs"]
    return found


def test_macos_is_14_wherever_it_is_said(jobs: dict[str, Any]) -> None:
    """Qt's own floor: an older one would start the program and die."""
    assert jobs["macos"]["env"]["MACOSX_DEPLOYMENT_TARGET"] == "14.0"
    assert 'os.environ.get("MACOSX_DEPLOYMENT_TARGET", "14.0")' in SPEC
    assert set(re.findall(r"macOS (\d+)", README)) == {"14"}


def test_a_certificate_that_is_missing_holds_back_its_own_system_alone(jobs: dict[str, Any]) -> None:
    assert jobs["macos"]["if"] == "needs.certificates.outputs.apple == 'true'"
    assert jobs["windows"]["if"] == "needs.certificates.outputs.windows == 'true'"
    condition = jobs["release"]["if"]
    assert "needs.linux.result == 'success'" in condition
    assert "needs.macos.result" not in condition
    assert "needs.windows.result" not in condition
    assert "!contains(needs.*.result, 'failure')" in condition


def test_a_release_without_an_address_for_the_next_one_is_refused_first(jobs: dict[str, Any]) -> None:
    commands = [step.get("run", "") for step in jobs["release"]["steps"]]
    checked = next(number for number, command in enumerate(commands) if "sign_release.py --check-home" in command)
    signed = next(number for number, command in enumerate(commands) if "release.pem" in command)
    assert checked < signed


def test_windows_gets_a_program_with_and_one_without_a_console_that_say_their_version() -> None:
    made = re.findall(r'executable\("(\w+)", console=(True|False)\)', SPEC)
    assert made == [("fireside", "True"), ("firesidew", "False")]
    assert "version=version_resource(name)" in SPEC
    assert "firesidew.exe" in (ROOT / "packaging" / "windows" / "fireside.nsi").read_text("utf-8")


def test_readme_begins_with_what_each_system_has() -> None:
    assert "`py -3.13 -m venv .venv`" in README, "python.org's installer makes py; python3 opens the Store"
    assert "CC=gcc-14 CXX=g++-14 make run" in README, "Ubuntu 24.04 for ARM"
