"""Makes the disk image of dist/Fireside.app: signed where there is an identity, notarized where there is an account.

usage: disk_image.py; on macOS, after portable.py. CODESIGN_IDENTITY is the identity; APPLE_ID, APPLE_TEAM and
APPLE_PASSWORD are the account. Tried here with stand-ins for Apple's programs only.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from materials import write_materials, write_sums
from portable import APPLICATION, has_starter, this_source

TRIES = 10
"""hdiutil often finds what it made itself busy: https://github.com/actions/runner-images/issues/7522."""
PAUSE_S = 5.0


def main() -> None:
    """One .dmg in dist/, its bill of materials and the checksums beside it."""
    if not APPLICATION.is_dir():
        raise SystemExit(f"There is no {APPLICATION.name} in dist/: run `make package`.")
    source = this_source()
    lite = "" if has_starter() else "-lite"
    target = APPLICATION.parent / f"fireside{lite}-{source.version}-macos-{platform.machine()}.dmg"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "image"
        folder.mkdir()
        run("ditto", APPLICATION, folder / APPLICATION.name)
        (folder / "Applications").symlink_to("/Applications")
        create(folder, target)
    said = signed(target)
    write_materials(target.with_suffix(".cdx.json"), source)
    write_sums(target.parent, source.version)
    print(f"Made dist/{target.name}, {said}.")


def signed(target: Path) -> str:
    """Signs and notarizes the image as far as identity and account are there; in words, how far."""
    identity = os.environ.get("CODESIGN_IDENTITY", "")
    if not identity:
        return "which is not signed: CODESIGN_IDENTITY names nobody"
    run("codesign", "--sign", identity, "--timestamp", target)
    account = {name: os.environ.get(name, "") for name in ("APPLE_ID", "APPLE_TEAM", "APPLE_PASSWORD")}
    if not all(account.values()):
        return f"signed and not notarized: that takes {', '.join(account)}"
    notarize(target, account)
    return "signed and notarized"


def create(folder: Path, target: Path) -> None:
    """The compressed image of a folder."""
    command = ["hdiutil", "create", "-volname", "Fireside", "-srcfolder", folder, "-ov", "-format", "ULFO", target]
    for number in range(1, TRIES + 1):
        if subprocess.run(command, check=False).returncode == 0:
            return
        print(f"hdiutil failed, {number} of {TRIES} times.", file=sys.stderr)
        time.sleep(PAUSE_S)
    raise SystemExit("The disk image could not be made; hdiutil says above why.")


def notarize(target: Path, account: dict[str, str]) -> None:
    """Apple's word is fetched and laid into the image; where it says no, stapler finds none."""
    given = ["--apple-id", account["APPLE_ID"], "--team-id", account["APPLE_TEAM"]]
    run("xcrun", "notarytool", "submit", target, *given, "--password", account["APPLE_PASSWORD"], "--wait")
    run("xcrun", "stapler", "staple", target)
    run("xcrun", "stapler", "validate", target)
    run("spctl", "--assess", "--type", "open", "--context", "context:primary-signature", "--verbose", target)


def run(*command: str | Path) -> None:
    """A command that must end with 0; its arguments are not repeated, one is a password."""
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command[:2]))} ended with {done.returncode}.")


if __name__ == "__main__":
    main()
