"""Makes what is given away of dist/fireside on Linux: an archive, a Debian package, checksums, a bill of materials.

usage: linux_packages.py; the folder is made by portable.py. PACK_LEVEL=3 packs quickly, for trying.
Of the single file see appimage.py.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from appimage import runtime, write_appimage
from desktop import homepage
from glibc_floor import Version, floor_of, name_of, needs, sentence, together
from manual import write_completions, write_manual
from materials import write_materials, write_sums
from parts import LEVEL, folder_bytes, is_program, parts_of, settle, table, write_archive
from portable import ROOT, TARGET, Source, has_starter, this_source

DIST = TARGET.parent
DPKG_INFO = Path("/var/lib/dpkg/info")
DEBIAN_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}

CONTROL = """\
Package: fireside
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
{homepage}Installed-Size: {kilobytes}
Depends: {depends}
Recommends: ca-certificates, desktop-file-utils, hicolor-icon-theme, shared-mime-info, xdg-utils
Suggests: tesseract-ocr, mesa-vulkan-drivers, fonts-noto-core, fonts-noto-cjk, fonts-noto-color-emoji
Section: utils
Priority: optional
Description: talk to language models that run on this computer
 A window with a small language model that is already there: what you write
 stays on this computer unless you choose a model on another server, nothing
 is fetched without a click, and no account is needed.
 .
 Chat with any GGUF model, ask about documents, have them summarized with
 every statement linked to its page, translate texts and whole documents,
 write with a model, look inside it, and let other programs use it. The same
 commands work in a terminal.
"""


def main() -> None:
    """Everything in dist/, then the table of what is inside."""
    if not TARGET.is_dir():
        raise SystemExit("There is no dist/fireside: run `make package`.")
    source = this_source()
    os.environ["SOURCE_DATE_EPOCH"] = str(source.epoch)  # dpkg-deb reads it
    name = f"fireside{'' if has_starter() else '-lite'}-{source.version}-linux-{platform.machine()}"
    archive, materials = DIST / f"{name}.tar.zst", DIST / f"{name}.cdx.json"
    parts = parts_of(TARGET)
    write_archive(TARGET, archive, parts, source.epoch)
    write_materials(materials, source)
    made = [archive, materials]
    if shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"):
        made.append(write_deb(source))
    else:
        print("Without dpkg-dev no Debian package is made.")
    header = runtime()
    if header is not None:
        made.append(DIST / f"Fireside{'' if has_starter() else '-Lite'}-{source.version}-{platform.machine()}.AppImage")
        write_appimage(TARGET, header, made[-1], source.epoch, LEVEL)
    else:
        print("Without APPIMAGE_RUNTIME no single file is made: see packaging/appimage.py.")
    write_sums(DIST, source.version)
    print(table(parts))
    for path in made:
        print(f"Made dist/{path.name}: {path.stat().st_size / 1e6:.1f} MB.")
    print(sentence(together(needs(TARGET / "program").values())))


def write_deb(source: Source) -> Path:
    """The Debian package: the program in /usr/lib/fireside, what the desktop and the shells want in /usr/share.

    It has no scripts: what is to be done with menu entries, icons and types is done by triggers of the packages that
    look after these. What a person wrote lies in their home, which a package does not touch.
    """
    architecture = DEBIAN_NAMES.get(platform.machine(), platform.machine())
    lite = "" if has_starter() else "-lite"
    target = DIST / f"fireside{lite}_{source.version}_{architecture}.deb"
    with tempfile.TemporaryDirectory(dir=DIST) as scratch:
        root = Path(scratch) / "root"
        lay_out(root, source)
        control = root / "DEBIAN" / "control"
        control.parent.mkdir()
        control.write_text(
            CONTROL.format(
                version=source.version,
                architecture=architecture,
                homepage=f"Homepage: {homepage()}\n" if homepage() else "",
                maintainer=os.environ.get("FIRESIDE_MAINTAINER", "The Fireside developers <fireside@example.invalid>"),
                kilobytes=folder_bytes(root) // 1024,
                depends=", ".join(dependencies(root / "usr" / "lib" / "fireside", Path(scratch))),
            ),
            "utf-8",
        )
        (root / "DEBIAN" / "md5sums").write_text(md5_sums(root), "utf-8")
        settle(root, source.epoch)
        command = ["dpkg-deb", "--root-owner-group", "-Zzstd", f"-z{LEVEL}", "--build", root, target]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return target


def lay_out(root: Path, source: Source) -> None:
    """The files of an installed program below `root`."""
    sys.path.insert(0, str(ROOT))
    from app.cli.main import whole_parser

    usr = root / "usr"
    share, library = usr / "share", usr / "lib" / "fireside"
    shutil.copytree(TARGET / "program", library, symlinks=True, copy_function=os.link)
    for path in (library / "_internal").glob("lib*.so*"):  # Debian has these, and looks after them: see `dependencies`
        if not path.is_symlink() and not path.name.startswith("libpython"):
            path.unlink()
    shutil.copytree(TARGET / "share", share)
    (usr / "bin").mkdir()
    (usr / "bin" / "fireside").symlink_to("../lib/fireside/fireside")
    parser = whole_parser()
    write_manual(parser, f"Fireside {source.version}", source.epoch, share / "man" / "man1" / "fireside.1.gz")
    write_completions(parser, share)
    notices = share / "doc" / "fireside"
    shutil.copytree(TARGET / "licences", notices / "licences")
    shutil.move(notices / "licences" / "LICENSE", notices / "copyright")
    for name in ("README.md", "CHANGELOG.md"):
        shutil.move(notices / "licences" / name, notices / name)


def dependencies(folder: Path, scratch: Path) -> list[str]:
    """The packages with the libraries that are not inside, each with the least version that has what is used."""
    (scratch / "debian").mkdir()
    (scratch / "debian" / "control").write_text("Source: fireside\n\nPackage: fireside\nArchitecture: any\n", "utf-8")
    # Printing and the GPU are for whoever has what they need; without it the program works, too.
    optional = re.compile(r"/printsupport/|libggml-vulkan")
    programs = sorted(path for path in folder.rglob("*") if is_program(path) and not optional.search(str(path)))
    private = sorted({path.parent for path in programs})
    command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", "--warnings=0", *(f"-l{path}" for path in private)]
    done = subprocess.run([*command, *programs], cwd=scratch, capture_output=True, text=True, check=False)
    found = re.search(r"^shlibs:Depends=(.*)$", done.stdout, re.M)
    if not found:
        raise SystemExit(f"dpkg-shlibdeps named nothing: {done.stderr.strip()[-2000:]}")
    floor = max(floor_of(path) for path in programs)
    return list(dict.fromkeys(least_version(dependency, floor, has_symbols) for dependency in found[1].split(", ")))


def least_version(dependency: str, floor: Version, is_exact: Callable[[str], bool]) -> str:
    """A dependency with no newer version than is needed, and under the name that older systems have it.

    Where a package tells no versions of its symbols (`is_exact`), dpkg-shlibdeps asks for the one that is installed
    here. The C library's is read from the programs; of others the name of the library says what it can do. On 64-bit
    systems "t64" is a name only: https://wiki.debian.org/ReleaseGoals/64bit-time
    """
    name = dependency.split(" ", maxsplit=1)[0]
    if not is_exact(name):
        dependency = f"{name} (>= {name_of(floor)})" if name == "libc6" else name
    older = name.removesuffix("t64")
    return dependency if older == name else f"{dependency} | {older}"


def has_symbols(package: str) -> bool:
    """Whether the package tells since which version it has each of its symbols; small systems leave that out."""
    return any(DPKG_INFO.glob(f"{package}:*.symbols")) or (DPKG_INFO / f"{package}.symbols").exists()


def md5_sums(root: Path) -> str:
    """As dpkg --verify reads them."""
    lines = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and "DEBIAN" not in path.relative_to(root).parts[:1]:
            digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            lines.append(f"{digest}  {path.relative_to(root).as_posix()}\n")
    return "".join(lines)


if __name__ == "__main__":
    main()
