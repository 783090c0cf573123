"""Makes the portable folder dist/fireside: the frozen program, a start script, a desktop entry, the icon, licences.

LITE=1 leaves the starter model out. SOURCE_DATE_EPOCH is the time of all files; without it, it is the commit's.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop import add_to_desktop, write_icon
from older_symbols import ask_for_older
from parts import folder_bytes, settle
from trimming import trim

ROOT = Path(__file__).resolve().parents[1]
SETUP = ROOT / "packaging" / "setup"
BUILD = ROOT / "build" / "pyinstaller"
TARGET = ROOT / "dist" / "fireside"
APPLICATION = ROOT / "dist" / "Fireside.app"
"""Only on macOS."""
NOTICES = ("LICENSE", "THIRD_PARTY.md", "README.md", "CHANGELOG.md")

LOCK = ROOT / "packaging" / "requirements" / "app.txt"
MORE_INSIDE = ("llama-cpp-python", "pyinstaller")
"""What the lock of the program does not name: built apart, and what starts the frozen program."""
LEFT_OUT = frozenset(("cryptography", "pycparser", "joblib", "cloudpickle"))
"""Installed with others, and not in a package: see fireside.spec."""
TEXTS_HERE = frozenset(("pyside6-essentials", "pyside6-addons", "shiboken6", "rouge-score", "latex2mathml"))
"""Their packages bring no licence file; the texts are in packaging/licences."""


def inside(environment: Mapping[str, str] | None = None) -> list[str]:
    """Installed packages whose code or libraries end up in the frozen program; `environment` is another system's."""
    from packaging.requirements import Requirement

    lines = re.findall(r"^([\w.-]+==[^\\\n]+)", LOCK.read_text("utf-8"), re.M)
    asked = dict(environment) if environment else None
    locked = {one.name for one in map(Requirement, lines) if one.marker is None or one.marker.evaluate(asked)}
    return sorted((locked - LEFT_OUT) | set(MORE_INSIDE))


@dataclass(frozen=True)
class Source:
    """What a package is made from: the version, the commit (with a + where files were changed), and when that was."""

    version: str
    commit: str
    epoch: int

    @property
    def date(self) -> str:
        """The day, in ISO 8601."""
        return datetime.datetime.fromtimestamp(self.epoch, datetime.UTC).date().isoformat()


def this_source() -> Source:
    """The checkout; without git its newest file stands for the commit's time."""
    sys.path.insert(0, str(ROOT))
    from app import __version__

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    commit, changed = git("rev-parse", "--short=9", "HEAD"), git("status", "--porcelain")
    newest = max(int(path.stat().st_mtime) for path in (ROOT / "app").rglob("*.py"))
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or git("show", "-s", "--format=%ct") or newest
    return Source(__version__, (commit or "unknown") + ("+" if changed else ""), int(epoch))


def has_starter() -> bool:
    """Whether the model goes in."""
    return os.environ.get("LITE", "") in ("", "0")


def main() -> None:
    """Builds in build/ and puts what is finished into dist/ at the end."""
    if has_starter() and len(list((ROOT / "resources" / "models").glob("*.gguf"))) != 1:
        raise SystemExit("resources/models must hold exactly the starter model: run `make setup`.")
    refuse_bound_engine()
    source = this_source()
    fresh = BUILD / "fireside"
    shutil.rmtree(BUILD, ignore_errors=True)
    fresh.mkdir(parents=True)
    numpy = small_numpy()
    sys.path.insert(0, str(numpy))  # its licence is that of what is inside, too
    add_licences(fresh / "licences")
    freeze(fresh / "program", source, numpy)
    saved = []
    if sys.platform == "linux":
        ask_for_older(fresh / "program")
        saved = trim(fresh / "program" / "_internal")
        add_entrance(fresh)
        add_system_licences(fresh / "licences", fresh / "program" / "_internal")
        settle(fresh, source.epoch)
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.parent.mkdir(exist_ok=True)
    fresh.rename(TARGET)
    if sys.platform == "darwin":
        shutil.rmtree(APPLICATION, ignore_errors=True)
        (BUILD / "dist" / APPLICATION.name).rename(APPLICATION)
    for name, count in saved:
        print(f"  left out: {name}, {count / 1e6:.1f} MB")
    print(f"Made dist/{TARGET.name}: {folder_bytes(TARGET) / 1e6:.0f} MB.")


def refuse_bound_engine() -> None:
    """Raise SystemExit where the installed engine was built for this processor alone."""
    libraries = Path(sysconfig.get_path("platlib")) / "bin"
    if any(libraries.glob("*ggml-cpu-here*")):
        raise SystemExit(
            "The engine here runs on this processor only: `make package` installs the one for every computer."
        )


def small_numpy() -> Path:
    """A folder with the NumPy of packages; an empty one where it cannot be built, or was not tried (other systems)."""
    folder = BUILD / "numpy"
    folder.mkdir(parents=True)
    if sys.platform != "linux":
        return folder
    sys.path.insert(0, str(SETUP))
    from numpy_wheel import NotBuilt, wheel

    try:
        with zipfile.ZipFile(wheel()) as archive:
            archive.extractall(folder)
    except NotBuilt as reason:
        print(f"{reason} The published one goes in, with its library for matrices: some 28 MB more.")
    return folder


def freeze(target: Path, source: Source, first: Path) -> None:
    """Runs PyInstaller; its folder becomes `target`. Modules in the folder `first` go before installed ones.

    Sets of strings and the times of compiled files would otherwise differ from build to build.
    """
    note = BUILD / "build.json"
    note.write_text(json.dumps({"commit": source.commit, "date": source.date}) + "\n", "utf-8")
    icon = BUILD / {"win32": "fireside.ico", "darwin": "fireside.icns"}.get(sys.platform, "")
    if icon != BUILD:  # on Linux the desktop has it
        write_icon(icon)
    command = [sys.executable, "-m", "PyInstaller", ROOT / "packaging" / "fireside.spec", "--noconfirm"]
    command += ["--log-level", "ERROR", "--workpath", BUILD / "work", "--distpath", BUILD / "dist"]
    environment = os.environ | {
        "FIRESIDE_BUILD_NOTE": str(note),
        "FIRESIDE_ICON": str(icon),
        "FIRESIDE_LICENCES": str(target.parent / "licences"),  # a bundle of macOS has them inside, and is then signed
        "PYTHONPATH": str(first),
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(source.epoch),
    }
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    (BUILD / "dist" / "fireside").rename(target)


def add_entrance(folder: Path) -> None:
    """What a person double-clicks, and what a desktop wants, for the menu entry that it can make."""
    shutil.copy(ROOT / "packaging" / "linux" / "fireside.sh", folder / "fireside")
    (folder / "fireside").chmod(0o755)
    add_to_desktop(folder / "share")
    shutil.copy(folder / "share" / "icons" / "hicolor" / "256x256" / "apps" / "fireside.png", folder)


def add_licences(folder: Path) -> None:
    """Our own licence and notices, and the licence files of everything inside."""
    shutil.copytree(ROOT / "packaging" / "licences", folder)
    for name in NOTICES:
        shutil.copy(ROOT / name, folder)
    for name in inside():
        found = licence_files(name)
        if not found and name not in TEXTS_HERE:
            raise SystemExit(f"{name} brings no licence file: add its text to packaging/licences.")
        for place, file in found:
            target = folder / name / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    text = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"  # on Windows it lies above
    shutil.copy(text if text.is_file() else Path(sys.base_prefix) / "LICENSE.txt", folder / "Python.txt")


def add_system_licences(folder: Path, internal: Path) -> None:
    """The notices of the system's libraries that PyInstaller copied, where dpkg knows whose they are."""
    if not shutil.which("dpkg-query"):
        print(
            "Without dpkg the notices of the system's libraries are not in licences/: add them before giving it away."
        )
        return
    (folder / "system").mkdir()
    for package in system_packages(internal):
        notice = Path("/usr/share/doc") / package / "copyright"
        if notice.is_file():
            shutil.copy(notice, folder / "system" / f"{package}.txt")


def system_packages(internal: Path) -> list[str]:
    """The packages of Debian that the system's libraries in PyInstaller's folder are from; none on other systems."""
    names = sorted(library.name for library in internal.glob("*.so*") if not library.is_symlink())
    if not names or not shutil.which("dpkg-query"):
        return []
    found = subprocess.run(
        ["dpkg-query", "-S", *(f"*/{name}" for name in names)], capture_output=True, text=True, check=False
    )
    return sorted({line.partition(":")[0] for line in found.stdout.splitlines() if not line.startswith("diversion")})


def licence_files(package: str) -> list[tuple[Path, Path]]:
    """The licence files of an installed package, with their names inside its own folder."""
    distribution = importlib.metadata.distribution(package)
    wanted = ("licen", "copying", "notice", "authors")
    found = []
    for file in distribution.files or []:
        information, *inside = file.parts
        is_licence = bool(inside) and (inside[0] == "licenses" or inside[-1].lower().startswith(wanted))
        if information.endswith(".dist-info") and is_licence:
            name = Path(*(inside[1:] if inside[0] == "licenses" and len(inside) > 1 else inside))
            found.append((name, Path(str(distribution.locate_file(file)))))
    return found


if __name__ == "__main__":
    main()
