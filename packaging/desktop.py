"""What a desktop wants of a program: menu entries, icons in all sizes, its file type, its page in software centres."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINUX = ROOT / "packaging" / "linux"
ICON = ROOT / "resources" / "icons" / "fireside.svg"
SMALL_ICON = LINUX / "fireside-small.svg"
SIZES = (16, 22, 24, 32, 48, 64, 96, 128, 256, 512)
LARGEST_OF_SMALL_ICON = 24
"""Up to so many pixels the icon is the one that has fewer lines."""

RENDER_ICONS = """
import sys
from PySide6.QtCore import QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
app = QGuiApplication([])
for source, size, target in zip(*[iter(sys.argv[1:])] * 3):
    picture = QImage(int(size), int(size), QImage.Format.Format_ARGB32)
    picture.fill(0)
    painter = QPainter(picture)
    QSvgRenderer(source).render(painter, QRectF(0, 0, int(size), int(size)))
    painter.end()
    if not picture.save(target):
        sys.exit(target + " could not be drawn")
"""


def add_to_desktop(share: Path) -> None:
    """Menu entry, the two more that stand in "Open with", icons, file type and the page for software centres."""
    applications = share / "applications"
    applications.mkdir(parents=True)
    entry = (LINUX / "fireside.desktop").read_text("utf-8")
    (applications / "fireside.desktop").write_text(entry, "utf-8")
    for action in ("summarize", "translate"):
        (applications / f"fireside-{action}.desktop").write_text(entry_for(entry, action), "utf-8")
    for source, folder, name in (
        ("fireside.mime.xml", "mime/packages", "fireside.xml"),
        ("fireside.metainfo.xml", "metainfo", "io.github.fireside.Fireside.metainfo.xml"),
    ):
        (share / folder).mkdir(parents=True)
        shutil.copy(LINUX / source, share / folder / name)
    icons = share / "icons" / "hicolor"
    wanted: list[str] = []
    for size in SIZES:
        target = icons / f"{size}x{size}" / "apps" / "fireside.png"
        target.parent.mkdir(parents=True)
        wanted += [str(SMALL_ICON if size <= LARGEST_OF_SMALL_ICON else ICON), str(size), str(target)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, "-c", RENDER_ICONS, *wanted], env=environment, check=True)
    (icons / "scalable" / "apps").mkdir(parents=True)
    shutil.copy(ICON, icons / "scalable" / "apps" / "fireside.svg")


def entry_for(entry: str, action: str) -> str:
    """A menu entry of its own for one action of the main one: file managers offer entries for a file, not actions."""
    main, _, actions = entry.partition("\n[Desktop Action ")
    section = next(part for part in actions.split("\n[Desktop Action ") if part.startswith(f"{action}]"))
    lines = [line for line in section.splitlines()[1:] if line]
    kept = [
        line for line in main.splitlines() if re.match(r"\[|Type|Version|TryExec|Icon|Terminal|MimeType|Startup", line)
    ]
    types = [line.replace("application/x-gguf;", "") for line in kept]
    return "\n".join([*types, *lines, "NoDisplay=true"]) + "\n"
