"""Makes the portable folder dist/fireside: the frozen program, a start script, a desktop entry, the icon, licences."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "pyinstaller"
TARGET = ROOT / "dist" / "fireside"
ICON = ROOT / "resources" / "icons" / "fireside.svg"
NOTICES = ("LICENSE", "THIRD_PARTY.md", "README.md", "CHANGELOG.md")

# Installed packages whose code or libraries end up inside the frozen program.
SHIPPED = (
    "absl-py",
    "anyio",
    "cffi",
    "chardet",
    "click",
    "colorama",
    "cryptography",
    "defusedxml",
    "diskcache",
    "filelock",
    "fsspec",
    "h11",
    "httpcore2",
    "httpx2",
    "huggingface-hub",
    "idna",
    "jaraco.classes",
    "jaraco.context",
    "jaraco.functools",
    "jeepney",
    "jinja2",
    "keyring",
    "llama-cpp-python",
    "lxml",
    "markdown-it-py",
    "markupsafe",
    "mdit-py-plugins",
    "mdurl",
    "more-itertools",
    "nltk",
    "numpy",
    "olefile",
    "packaging",
    "platformdirs",
    "psutil",
    "py3langid",
    "pycparser",
    "pygments",
    "pyinstaller",
    "pypdfium2",
    "pyqtgraph",
    "python-calamine",
    "python-docx",
    "pyyaml",
    "rapidfuzz",
    "regex",
    "secretstorage",
    "six",
    "socksio",
    "tqdm",
    "truststore",
    "typing-extensions",
    "wakepy",
    "ziafont",
    "ziamath",
)

RENDER_ICON = """
import sys
from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication, QIcon
app = QGuiApplication([])
picture = QIcon(sys.argv[1]).pixmap(QSize(256, 256), 1.0)
sys.exit(0 if not picture.isNull() and picture.save(sys.argv[2]) else 1)
"""


def main() -> None:
    """Builds in build/ and puts the finished folder into dist/ at the end."""
    if len(list((ROOT / "resources" / "models").glob("*.gguf"))) != 1:
        raise SystemExit("resources/models must hold exactly the starter model: run `make setup`.")
    fresh = BUILD / "fireside"
    shutil.rmtree(BUILD, ignore_errors=True)
    fresh.mkdir(parents=True)
    freeze(fresh / "program")
    add_entrance(fresh)
    add_licences(fresh / "licences")
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.parent.mkdir(exist_ok=True)
    fresh.rename(TARGET)
    print(f"Made {TARGET.relative_to(ROOT)}: {folder_bytes(TARGET) / 1e6:.0f} MB.")


def freeze(target: Path) -> None:
    """Runs PyInstaller; its folder becomes `target`."""
    command = [sys.executable, "-m", "PyInstaller", ROOT / "packaging" / "fireside.spec", "--noconfirm"]
    command += ["--log-level", "ERROR", "--workpath", BUILD / "work", "--distpath", BUILD / "dist"]
    subprocess.run(command, cwd=ROOT, check=True)
    (BUILD / "dist" / "fireside").rename(target)


def add_entrance(folder: Path) -> None:
    """What a person double-clicks, the menu entry it can make, and the icon, drawn from its SVG."""
    shutil.copy(ROOT / "packaging" / "linux" / "fireside.sh", folder / "fireside")
    (folder / "fireside").chmod(0o755)
    shutil.copy(ROOT / "packaging" / "linux" / "fireside.desktop", folder / "program")
    command = [sys.executable, "-c", RENDER_ICON, ICON, folder / "fireside.png"]
    if subprocess.run(command, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"}, check=False).returncode:
        raise SystemExit(f"The icon could not be drawn from {ICON.relative_to(ROOT)}.")


def add_licences(folder: Path) -> None:
    """Our own licence and notices, and the licence files of everything inside."""
    shutil.copytree(ROOT / "packaging" / "licences", folder)
    for name in NOTICES:
        shutil.copy(ROOT / name, folder)
    for name in SHIPPED:
        found = licence_files(name)
        if not found:
            raise SystemExit(f"{name} brings no licence file: add its text to packaging/licences.")
        for inside, file in found:
            target = folder / name / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
    shutil.copy(Path(sysconfig.get_path("stdlib")) / "LICENSE.txt", folder / "Python.txt")
    add_system_licences(folder)


def add_system_licences(folder: Path) -> None:
    """The notices of the system's libraries that PyInstaller copied, where dpkg knows whose they are."""
    if not shutil.which("dpkg-query"):
        print(
            "Without dpkg the notices of the system's libraries are not in licences/: add them before giving it away."
        )
        return
    libraries = folder.parent.glob("program/_internal/*.so*")
    names = sorted(library.name for library in libraries if not library.is_symlink())
    found = subprocess.run(
        ["dpkg-query", "-S", *(f"*/{name}" for name in names)], capture_output=True, text=True, check=False
    )
    packages = {line.partition(":")[0] for line in found.stdout.splitlines() if not line.startswith("diversion")}
    (folder / "system").mkdir()
    for package in sorted(packages):
        notice = Path("/usr/share/doc") / package / "copyright"
        if notice.is_file():
            shutil.copy(notice, folder / "system" / f"{package}.txt")


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


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    main()
