"""Makes what stores and package managers take of a release: Flathub, winget and Homebrew, in dist/stores.

usage: stores.py ADDRESS DIST; ADDRESS is the folder of the release on the internet, in which all files of DIST lie (as
https://…/releases/download/v0.1.0). FIRESIDE_HOMEPAGE is the program's page. What is not in DIST has no file. Each is
given to its store by hand; none was taken by a store yet.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

from desktop import homepage  # noqa: E402

from app import __version__  # noqa: E402 - found where the line above says

ID = "io.github.fireside.Fireside"
WINGET_ID = "Fireside.Fireside"
SUMMARY = "Chat with language models on your own computer"
FLATPAK = ROOT / "packaging" / "linux" / f"{ID}.yml"
WINGET_SCHEMA = "1.10.0"

WINGET = {
    "": """\
PackageIdentifier: {id}
PackageVersion: {version}
DefaultLocale: en-US
ManifestType: version
ManifestVersion: {schema}
""",
    ".installer": """\
PackageIdentifier: {id}
PackageVersion: {version}
InstallerType: nullsoft
Scope: user
UpgradeBehavior: install
Installers:
- Architecture: x64
  InstallerUrl: {address}
  InstallerSha256: {sha256}
ManifestType: installer
ManifestVersion: {schema}
""",
    ".locale.en-US": """\
PackageIdentifier: {id}
PackageVersion: {version}
PackageLocale: en-US
Publisher: The Fireside developers
PackageName: Fireside
PackageUrl: {page}
License: Apache-2.0
ShortDescription: {summary}
ManifestType: defaultLocale
ManifestVersion: {schema}
""",
}

CASK = """\
cask "fireside" do
  arch arm: "arm64", intel: "x86_64"

  version "{version}"
  sha256 arm:   "{arm64}",
         intel: "{x86_64}"

  url "{address}/fireside-#{{version}}-macos-#{{arch}}.dmg"
  name "Fireside"
  desc "{summary}"
  homepage "{page}"

  depends_on macos: ">= :sonoma"

  app "Fireside.app"
  binary "#{{appdir}}/Fireside.app/Contents/MacOS/fireside"

  zap trash: "~/Library/Application Support/fireside"
end
"""


def sha256(path: Path) -> str:
    """Of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flathub(address: str, dist: Path) -> str:
    """The Flatpak's recipe with the archives' addresses in place of their paths; "" where none is there."""
    text, count = FLATPAK.read_text("utf-8"), 0
    for machine in ("x86_64", "aarch64"):
        archive = dist / f"fireside-{__version__}-linux-{machine}.tar.zst"
        source = re.compile(rf" *- type: archive\n +path: \S+-linux-{machine}\.tar\.zst\n +only-arches: .*\n")
        found = ""
        if archive.is_file():
            count += 1
            found = (
                f"      - type: archive\n        url: {address}/{archive.name}\n        sha256: {sha256(archive)}\n"
                f"        only-arches: [{machine}]\n"
            )
        text = source.sub(found.replace("\\", "\\\\"), text)
    return text if count else ""


def winget(address: str, dist: Path) -> dict[str, str]:
    """The three files of the winget manifest by their names; {} without the installer."""
    installer = dist / f"fireside-{__version__}-windows.exe"
    if not installer.is_file():
        return {}
    values = {"id": WINGET_ID, "version": __version__, "schema": WINGET_SCHEMA, "summary": SUMMARY, "page": homepage()}
    values |= {"address": f"{address}/{installer.name}", "sha256": sha256(installer).upper()}
    return {f"{WINGET_ID}{part}.yaml": text.format(**values) for part, text in WINGET.items()}


def homebrew(address: str, dist: Path) -> str:
    """The cask; "" unless both kinds of Mac have their image."""
    images = {machine: dist / f"fireside-{__version__}-macos-{machine}.dmg" for machine in ("arm64", "x86_64")}
    if not all(image.is_file() for image in images.values()):
        return ""
    sums = {machine: sha256(image) for machine, image in images.items()}
    return CASK.format(version=__version__, address=address, summary=SUMMARY, page=homepage(), **sums)


def main(arguments: list[str]) -> None:
    """Writes what can be made."""
    if len(arguments) != 2 or not arguments[0].startswith("https://"):
        raise SystemExit("usage: stores.py https://ADDRESS_OF_THE_RELEASE DIST")
    if not homepage():
        raise SystemExit("FIRESIDE_HOMEPAGE is not set: stores want the program's page.")
    address, dist = arguments[0].rstrip("/"), Path(arguments[1])
    made = {f"flathub/{ID}.yml": flathub(address, dist), "homebrew/fireside.rb": homebrew(address, dist)}
    made |= {f"winget/{name}": text for name, text in winget(address, dist).items()}
    for name, text in made.items():
        if text:
            place = dist / "stores" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, "utf-8")
            print(f"Made {place}.")


if __name__ == "__main__":
    main(sys.argv[1:])
