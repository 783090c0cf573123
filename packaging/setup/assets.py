"""Brings what is not written here into resources/: fonts, icons, Mermaid, and the model that tells languages, unpacked.

Phosphor comes from the QtAwesome wheel, Inter and JetBrains Mono from Debian, Mermaid from npm. Every file is known by
its sha256. A font that this system lacks or has in another version is left out and said: the program then asks the
system for it by name, or uses the system's own font. Without npm Mermaid is left out: it stays source then.
"""

from __future__ import annotations

import contextlib
import io
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from pinned_wheel import ROOT, copy_whole, say, sha256, take_out, write_whole

sys.path.insert(0, str(ROOT))

from app.language.byte_model import UNPACKED, packed_model

RESOURCES = ROOT / "resources"

# Where it goes, where it is in the wheel, its sha256. The one font holds all weights: "copy", "copy-bold", "copy-fill".
ICONS = (
    (
        "icons/phosphor.ttf",
        "qtawesome/fonts/phosphor-1.3.0.ttf",
        "351874de64758f3b7fb405cd078ac0ed5ffb9717fb5b9b10013ac03d4c13680b",
    ),
    (
        "icons/phosphor-charmap.json",
        "qtawesome/fonts/phosphor-charmap-1.3.0.json",
        "cfb725868f72d741422002f1ed4f870bdddebc32344a6407b8becb6c841b92ca",
    ),
)

# fonts-inter 4.1 and fonts-jetbrains-mono 2.304, as in Debian 13: the faces that the window uses.
FONTS = {
    "opentype/inter/Inter-Regular.otf": "d4f2b9e148059a15f014cb0f0b8fea8cd11bfa447dd483bedf1b0adc0e2ba799",
    "opentype/inter/Inter-Italic.otf": "3bdf49f72ad2f2959a2619ceef700784504f6d17f502e2e2bc6edce5d43ca631",
    "opentype/inter/Inter-Medium.otf": "6c222ed2c3660524dd0c14fb745e00fee65c5361ab28f60fba6730bf4e648763",
    "opentype/inter/Inter-SemiBold.otf": "0a4d30778fa2dc239368d90fd854b88b27e7ede737450da72686a90eca66f02c",
    "opentype/inter/Inter-Bold.otf": "9fc6261e817d0b1b2bf1953d8799bb1c837d11aeebbf83ae352e7b4d6de6425d",
    "truetype/jetbrains-mono/JetBrainsMono-Regular.ttf": (
        "9fd21a629ec73a93d1665b6d8bbb73928040a290b49d2f6772505b8129e68cdc"
    ),
    "truetype/jetbrains-mono/JetBrainsMono-Italic.ttf": (
        "327da166c087db3ffa0df1e5fbf8bb835c70aa4dec3bc426660c27d2bcb889df"
    ),
    "truetype/jetbrains-mono/JetBrainsMono-Bold.ttf": (
        "10389fb114512e1df7ca54f791b9f83572e2785e9ff1946c8197d5e5faaafd7a"
    ),
}
MERMAID, MERMAID_FILE = "@mermaid-js/tiny@11.17.2", "package/dist/mermaid.tiny.js"
MERMAID_SHA256 = "7a644017d37f93c8359790884e6b67fb1f747c78eb20475952404bd87190a3f8"
"""2.5 MB, and 0.7 MB packed: without mind maps and architecture diagrams a third of the whole library."""
MERMAID_TIMEOUT_S = 60
SYSTEM_FONTS = Path("/usr/share/fonts")


def bring_icons(resources: Path) -> None:
    """The icon font and its list of names."""
    for name, member, expected in ICONS:
        target = resources / name
        if sha256(target) == expected:
            continue
        take_out("assets.txt", member, target)
        if sha256(target) != expected:
            target.unlink()
            raise SystemExit(f"{name} is not the file Fireside knows; it was not kept.")


def bring_fonts(resources: Path, system_fonts: Path) -> list[str]:
    """Copies the fonts that are exactly the known ones; returns the names of those left out."""
    left_out = []
    for name, expected in FONTS.items():
        source = system_fonts / name
        target = resources / "fonts" / source.name
        if sha256(target) == expected:
            continue
        if sha256(source) == expected:
            copy_whole(source, target)
        else:
            target.unlink(missing_ok=True)
            left_out.append(source.name)
    return left_out


def bring_mermaid(resources: Path) -> bool:
    """Takes Mermaid out of its package, which is no wheel: npm fetches it where that is installed. Whether it came."""
    target = resources / "drawing" / Path(MERMAID_FILE).name
    if sha256(target) == MERMAID_SHA256:
        return True
    npm = shutil.which("npm")
    if npm is None:
        return False
    with tempfile.TemporaryDirectory(prefix="fireside-npm-") as scratch:
        command = [npm, "pack", "--silent", "--ignore-scripts", "--fetch-retries=0", MERMAID]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            quiet = subprocess.DEVNULL
            subprocess.run(command, cwd=scratch, stdout=quiet, stderr=quiet, check=False, timeout=MERMAID_TIMEOUT_S)
        for archive in Path(scratch).glob("*.tgz"):
            with tarfile.open(archive) as packed_file, packed_file.extractfile(MERMAID_FILE) or io.BytesIO() as file:
                write_whole(target, lambda out, file=file: shutil.copyfileobj(file, out))  # type: ignore[misc]
    if sha256(target) != MERMAID_SHA256:
        target.unlink(missing_ok=True)
    return target.is_file()


def unpack_language_model(resources: Path) -> None:
    """68 MB on the disk, for which every document is read 0.4 s sooner."""
    with lzma.open(packed_model()) as file:
        write_whole(resources / UNPACKED, lambda out: shutil.copyfileobj(file, out))


def main() -> None:
    """Brings what is missing and says what could not be brought."""
    unpack_language_model(RESOURCES)
    bring_icons(RESOURCES)
    if not bring_mermaid(RESOURCES):
        say("Mermaid was not brought along (it takes npm): its diagrams open in the browser as their source.")
    left_out = bring_fonts(RESOURCES, SYSTEM_FONTS)
    if left_out:
        say(f"Fonts not brought along (not on this system, or another version): {', '.join(left_out)}.")
        say("Fireside uses the system's fonts instead.")


if __name__ == "__main__":
    sys.exit(main())
