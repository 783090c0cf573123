"""What stores take of a release has each file's address and checksum, and no file that is not there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from app import __version__

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://fireside.example/v1"


@pytest.fixture(autouse=True)
def homepage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESIDE_HOMEPAGE", "https://fireside.example")


def put(dist: Path, *endings: str) -> list[str]:
    """Files of a release, and their checksums."""
    sums = []
    for ending in endings:
        (dist / f"fireside-{__version__}-{ending}").write_text(ending)
        sums.append(hashlib.sha256(ending.encode()).hexdigest())
    return sums


def made(dist: Path) -> dict[str, str]:
    from stores import main

    main([f"{ADDRESS}/", str(dist)])
    found = (path for path in (dist / "stores").rglob("*") if path.is_file())
    return {path.relative_to(dist / "stores").as_posix(): path.read_text("utf-8") for path in found}


def test_every_store_gets_the_release(tmp_path: Path) -> None:
    linux, windows, arm, intel = put(
        tmp_path, "linux-x86_64.tar.zst", "windows.exe", "macos-arm64.dmg", "macos-x86_64.dmg"
    )
    files = made(tmp_path)
    (source,) = yaml.safe_load(files["flathub/io.github.fireside.Fireside.yml"])["modules"][0]["sources"]
    assert source["url"] == f"{ADDRESS}/fireside-{__version__}-linux-x86_64.tar.zst"
    assert (source["sha256"], source["only-arches"]) == (linux, ["x86_64"])
    installer = yaml.safe_load(files["winget/Fireside.Fireside.installer.yaml"])["Installers"][0]
    assert installer["InstallerUrl"] == f"{ADDRESS}/fireside-{__version__}-windows.exe"
    assert installer["InstallerSha256"] == windows.upper()
    assert {yaml.safe_load(files[f"winget/Fireside.Fireside{part}.yaml"])["ManifestType"] for part in
            ("", ".installer", ".locale.en-US")} == {"version", "installer", "defaultLocale"}  # fmt: skip
    cask = files["homebrew/fireside.rb"]
    assert f'arm:   "{arm}"' in cask and f'intel: "{intel}"' in cask and 'macos: ">= :sonoma"' in cask
    assert "#{version}-macos-#{arch}.dmg" in cask


def test_a_system_that_was_left_out_has_no_file(tmp_path: Path) -> None:
    put(tmp_path, "linux-aarch64.tar.zst", "macos-arm64.dmg")
    assert set(made(tmp_path)) == {"flathub/io.github.fireside.Fireside.yml"}


def test_without_an_address_or_a_page_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stores import main

    with pytest.raises(SystemExit):
        main(["http://fireside.example", str(tmp_path)])
    monkeypatch.delenv("FIRESIDE_HOMEPAGE")
    with pytest.raises(SystemExit, match="FIRESIDE_HOMEPAGE"):
        main([ADDRESS, str(tmp_path)])
