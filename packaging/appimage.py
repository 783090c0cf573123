"""One file that is the whole program on Linux: AppImage's runtime with dist/fireside behind it as a SquashFS.

The runtime is a program of 1 MB that mounts what is behind it (FUSE), or unpacks it where that is not permitted, and
starts AppRun there. No package registry has it: it is fetched from the releases of AppImage/type2-runtime on GitHub, or
built from its one source file, and named by APPIMAGE_RUNTIME=/path/to/runtime. Without it no such file is made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

# What an AppImage has at its top besides what the portable folder has there: the folder is not copied for it.
LINKS = {
    "AppRun": "fireside",
    "fireside.desktop": "share/applications/fireside.desktop",
    ".DirIcon": "fireside.png",
}
MARK, MARK_AT = b"AI\x02", 8
"""By what a runtime of the second type is known."""


def runtime() -> Path | None:
    """What the builder brought; None where there is none."""
    named = os.environ.get("APPIMAGE_RUNTIME", "")
    if not named:
        return None
    path = Path(named)
    if path.read_bytes()[MARK_AT : MARK_AT + len(MARK)] != MARK:
        raise SystemExit(f"{path} is no AppImage runtime of type 2.")
    if not shutil.which("mksquashfs"):
        raise SystemExit("For an AppImage mksquashfs is needed, which Debian's squashfs-tools has.")
    return path


def write_appimage(folder: Path, header: Path, target: Path, epoch: int, level: int = 19) -> None:
    """`folder` in one file that starts it; the same folder and `epoch` make the same file.

    Weights stay as they are, which they nearly would packed, too: they are mapped into memory from the mounted file.
    """
    packed = target.with_suffix(".squashfs")
    command: list[str | Path] = ["mksquashfs", folder, packed, "-noappend", "-quiet", "-no-progress", "-no-xattrs"]
    command += ["-all-root", "-comp", "zstd", "-Xcompression-level", str(level), "-b", "256K"]
    command += ["-action", "uncompressed@name(*.gguf)"]
    for name, aim in LINKS.items():
        command += ["-p", f"{name} s 777 root root {aim}"]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(epoch)}  # of the file system and of everything in it
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    with target.open("wb") as out:
        for part in (header, packed):
            with part.open("rb") as file:
                shutil.copyfileobj(file, out)
    packed.unlink()
    target.chmod(0o755)
