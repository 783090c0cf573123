"""One file that is the whole program on Linux: AppImage's runtime with dist/fireside behind it as a SquashFS.

The runtime is a small program that mounts what is behind it (FUSE), or unpacks it where that is not permitted, and
starts AppRun there. For x86-64 an older one comes out of a pinned package (setup/appimage_runtime.py), which needs
FUSE 2 for mounting. The newest, which brings all it needs, is in no package registry: it is fetched from the releases
of AppImage/type2-runtime on GitHub and named by APPIMAGE_RUNTIME=/path/to/runtime. Elsewhere than on x86-64 no such
file is made without that.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
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
    """What the builder brought, or else the older one; None where there is none for this processor."""
    named = os.environ.get("APPIMAGE_RUNTIME", "")
    if not named and platform.machine() != "x86_64":
        return None
    path = Path(named) if named else _older()
    if path.read_bytes()[MARK_AT : MARK_AT + len(MARK)] != MARK:
        raise SystemExit(f"{path} is no AppImage runtime of type 2.")
    if not shutil.which("mksquashfs"):
        raise SystemExit("For an AppImage mksquashfs is needed, which Debian's squashfs-tools has.")
    return path


def _older() -> Path:
    sys.path.insert(0, str(Path(__file__).parent / "setup"))
    from appimage_runtime import runtime as fetched

    return fetched()


def compression(header: Path, level: int) -> list[str]:
    """mksquashfs's options for what a runtime can unpack: zstd, or else gzip, which is read faster than xz."""
    if b"zstd" in header.read_bytes():
        return ["-comp", "zstd", "-Xcompression-level", str(level)]
    return ["-comp", "gzip", "-Xcompression-level", str(min(level, 9))]


def write_appimage(folder: Path, header: Path, target: Path, epoch: int, level: int = 19) -> None:
    """`folder` in one file that starts it; the same folder and `epoch` make the same file.

    Weights stay as they are, which they nearly would packed, too: they are mapped into memory from the mounted file.
    """
    packed = target.with_suffix(".squashfs")
    command: list[str | Path] = ["mksquashfs", folder, packed, "-noappend", "-quiet", "-no-progress", "-no-xattrs"]
    command += ["-all-root", *compression(header, level), "-b", "256K"]
    command += ["-action", "uncompressed@name(*.gguf)"]
    for name, aim in LINKS.items():
        command += ["-p", f"{name} s 777 root root {aim}"]
    command += ["-mkfs-time", str(epoch), "-all-time", str(epoch)]
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}  # not both
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    with target.open("wb") as out:
        for part in (header, packed):
            with part.open("rb") as file:
                shutil.copyfileobj(file, out)
    packed.unlink()
    target.chmod(0o755)
