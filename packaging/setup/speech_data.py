"""Fetches what the benchmark of dictation needs: a voice that speaks (espeak-ng) and a model that hears (Whisper).

The model and what runs it are packages pinned by hash; Debian's packages are checked by apt. Everything goes into
folders of ``${XDG_CACHE_HOME:-~/.cache}/fireside``; nothing of it is installed, committed or shipped.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from pinned_wheel import REQUIREMENTS
from translation_data import made_folder

PINS = REQUIREMENTS / "whisper.txt"
DEBIAN = ("espeak-ng", "libespeak-ng1", "espeak-ng-data", "libpcaudio0", "libsonic0")


def hearing_folder() -> Path:
    """Return the folder of packages in which Whisper lies; fetched where it is not there yet."""
    key = hashlib.sha256(PINS.read_bytes()).hexdigest()
    return made_folder("whisper", key, "Fetching a model that hears, for a benchmark (200 MB).", _install_hearing)


def voice_folder() -> Path:
    """Return the folder with `usr` of espeak-ng and its data; fetched where it is not there yet."""
    return made_folder("espeak-ng", " ".join(DEBIAN), "Fetching a voice for a benchmark (5 MB).", _unpack_voice)


def _install_hearing(_scratch: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "-r", str(PINS), "--target", str(folder)]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise SystemExit(f"What {PINS.name} names could not be fetched; pip says above why.")


def _unpack_voice(scratch: Path, folder: Path) -> None:
    command = ["apt-get", "-o", "APT::Sandbox::User=", "-qq", "download", *DEBIAN]
    if subprocess.run(command, cwd=scratch, stdout=sys.stderr, check=False).returncode:
        raise SystemExit("Debian's espeak-ng could not be fetched; apt says above why (`apt-get update` may help).")
    for package in scratch.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)


if __name__ == "__main__":
    hearing_folder()
    voice_folder()
