"""Makes the packages in an older system, so that they run there and on all that is newer: `make package-older`.

usage: older_root.py. Needs root, debootstrap and a network. The system, Debian 12, is kept in ~/.cache/fireside/roots
with all that was compiled in it. There the packages are made of this commit, as `make package` makes them, with the
fonts and other files that set-up brought into this checkout. They come into dist/ only when all of them run on OLDEST.

Debian 12 is the oldest system that has a Python of the lock and whose security updates go on: Python and the libraries
beside it are its own. What it gives newer names than RHEL 9 knows, older_symbols.py asks for by the older ones. Its
headers of Vulkan are too old for llama.cpp, and its shader compiler knows no matrix cores: both are Debian 13's, and
nothing of them but shaders and declarations comes into the packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from fresh_root import APT, MIRROR, FreshRoot, kept_root

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
RELEASE = "bookworm"
OLDEST = "RHEL 9"
TOOLS = ("ca-certificates", "git", "make")
UPDATES = """\
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
"""
NEWER = "trixie"
NEVER = f"""\
Package: *
Pin: release n={NEWER}
Pin-Priority: -1
"""
"""For apt, so that nothing of it is installed; what is named with it is fetched all the same."""
SHADER_COMPILER = ("glslc", "libshaderc1", "libstdc++6", "libgcc-s1", "libc6")
HEADERS = ("libvulkan-dev", "spirv-headers")
NEWER_PLACE = Path("opt/newer")
PLACE = Path("build/fireside")
"""The checkout in the root."""
HANDED_ON = ("LITE", "PACK_LEVEL", "SOURCE_DATE_EPOCH", "FIRESIDE_HOMEPAGE", "FIRESIDE_MAINTAINER")
RUNTIME = Path("build/runtime")
"""AppImage's, where one is named."""


def builder() -> FreshRoot:
    """The system, with the security updates of today: some of its libraries go into the packages."""
    root = FreshRoot(kept_root(f"{RELEASE}-builder", RELEASE, TOOLS))
    (root.folder / "etc" / "apt" / "sources.list.d" / "updates.list").write_text(UPDATES, "utf-8")
    root.run(*APT, "update")
    root.run(*APT, "upgrade")
    return root


def bring_newer_vulkan(root: FreshRoot) -> None:
    """Headers and shader compiler of Debian 13, beside those of the system and found before them.

    The compiler runs by the loader and the libraries that came with it.
    """
    (root.folder / "etc" / "apt" / "preferences.d" / NEWER).write_text(NEVER, "utf-8")
    sources = root.folder / "etc" / "apt" / "sources.list.d" / "newer.list"
    sources.write_text(f"deb {MIRROR} {NEWER} main\n", "utf-8")
    fetched = Path("/") / NEWER_PLACE / "fetched"
    shutil.rmtree(root.folder / NEWER_PLACE, ignore_errors=True)
    (root.folder / NEWER_PLACE / "fetched").mkdir(parents=True)
    root.run(*APT, "update")
    names = " ".join(f"{name}/{NEWER}" for name in (*SHADER_COMPILER, *HEADERS))
    apt = "apt-get -q -o APT::Sandbox::User=root"
    root.run("sh", "-ec", f"cd {fetched}; {apt} download {names}; for deb in *.deb; do dpkg-deb -x $deb ..; done")
    sources.unlink()
    local = root.folder / "usr" / "local"
    shutil.copytree(root.folder / NEWER_PLACE / "usr" / "include", local / "include", dirs_exist_ok=True)
    compiler = local / "bin" / "glslc"
    libraries = f"/{NEWER_PLACE}/usr/lib/x86_64-linux-gnu"
    loader = f"{libraries}/ld-linux-x86-64.so.2"
    compiler.write_text(
        f'#!/bin/sh\nexec {loader} --library-path {libraries} /{NEWER_PLACE}/usr/bin/glslc "$@"\n', "ascii"
    )
    compiler.chmod(0o755)


def bring_commit(checkout: Path) -> str:
    """This commit into the root's checkout, where what was installed stays, and packages of this commit; its name."""
    commit = said_by_git("rev-parse", "HEAD")
    if said_by_git("status", "--porcelain"):
        print(f"Files here differ from the commit: the packages are made of {commit[:9]} without them.")
    subprocess.run(["git", "init", "--quiet", checkout], check=True)
    if (checkout / ".git" / "HEAD").read_text("ascii").strip() != commit:
        shutil.rmtree(checkout / "dist", ignore_errors=True)
    fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", f"file://{ROOT}", commit]
    for words in (fetch, ["checkout", "--quiet", "--force", "--detach", commit]):
        subprocess.run(["git", "-C", checkout, "-c", f"safe.directory={checkout}", *words], check=True)
    return commit


def said_by_git(*words: str) -> str:
    """In this checkout."""
    return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=True).stdout.strip()


def bring_resources(checkout: Path) -> None:
    """What set-up brought here: Debian 12 has other versions of the fonts. Set-up there checks their digests."""
    names = said_by_git("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "resources")
    for name in filter(None, names.split("\0")):
        for file in [ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"):  # a link to a folder is one
            target = checkout / file.relative_to(ROOT)
            if file.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, target)


def build(root: FreshRoot) -> None:
    """`make package` there, then whether what it made runs on the oldest system; what it says is seen at once."""
    handed_on = [f"{name}={os.environ[name]}" for name in HANDED_ON if name in os.environ]
    if named := os.environ.get("APPIMAGE_RUNTIME"):
        shutil.copyfile(named, root.folder / RUNTIME)
        handed_on.append(f"APPIMAGE_RUNTIME=/{RUNTIME}")
    clean = [
        "env",
        "-i",
        "HOME=/root",
        "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        "TMPDIR=/var/tmp",
    ]
    floor = [f"/{PLACE}/.venv/bin/python", f"/{PLACE}/packaging/glibc_floor.py", f"/{PLACE}/dist/fireside", OLDEST]
    for command in (["make", "-C", f"/{PLACE}", "package"], floor):
        if subprocess.run(root.command(*clean, *handed_on, *command, network=True), check=False).returncode:
            raise SystemExit(f"The packages were not made; it is said above why. Those in {DIST} are as they were.")


def take(made: Path) -> None:
    """What was made takes the place of what has the same name in dist/."""
    for source in sorted(made.iterdir()):
        target = DIST / source.name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, symlinks=True)
        else:
            target.parent.mkdir(exist_ok=True)
            shutil.copy2(source, target)


def main() -> None:
    """The packages, in dist/."""
    if os.geteuid():
        raise SystemExit("Only root may make a system in a folder: sudo make package-older.")
    root = builder()
    bring_newer_vulkan(root)
    checkout = root.folder / PLACE
    commit = bring_commit(checkout)
    bring_resources(checkout)
    print(f"Making the packages of {commit[:9]} in {root.folder}.", flush=True)
    build(root)
    take(checkout / "dist")
    print(f"In {DIST.name}/ are the packages that were made in {RELEASE}; they run on {OLDEST} and newer systems.")


if __name__ == "__main__":
    sys.exit(main())
