"""Puts the pictures of `make pictures` on contact sheets: one for each family, or two folders side by side.

usage: contact_sheets.py FOLDER [BEFORE]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter

THUMB_PX, GAP_PX, TITLE_PX = 480, 12, 24
PAPER, INK = QColor("#D8D4CE"), QColor("#23201D")
ENDINGS = (
    "-light-1280x800",
    "-dark-1280x800",
    "-light-900x600",
    "-dark-900x600",
    "-light-1920x1000",
    "-light-1280x800-2x",
    "-light-1280x800-1.25x",
    "-light-1280x800-1.5x",
)


def make_sheets(folder: Path, before: Path | None = None) -> list[Path]:
    """Make a sheet for each family of screens; with `before`, the same picture of that folder stands at its left."""
    families: dict[str, list[str]] = json.loads((folder / "families.json").read_text("utf-8"))
    to = folder / ("compared" if before else "sheets")
    to.mkdir(exist_ok=True)
    sheets = []
    for family, names in families.items():
        rows = [_row(folder, before, name) for name in names]
        rows = [row for row in rows if row]
        if rows:
            sheets.append(to / f"{family}.png")
            _sheet(rows).save(str(sheets[-1]))
    return sheets


def _row(folder: Path, before: Path | None, name: str) -> list[Path]:
    now = [folder / f"{name}{ending}.png" for ending in ENDINGS]
    if before is None:
        return [file for file in now if file.is_file()]
    pairs = [(before / file.name, file) for file in now]
    return [file for pair in pairs if all(one.is_file() for one in pair) for file in pair]


def _sheet(rows: Sequence[Sequence[Path]]) -> QImage:
    heights = [max(_thumb(file).height() for file in row) + TITLE_PX for row in rows]
    columns = max(len(row) for row in rows)
    sheet = QImage(
        columns * (THUMB_PX + GAP_PX) + GAP_PX, sum(heights) + (len(rows) + 1) * GAP_PX, QImage.Format.Format_RGB32
    )
    sheet.fill(PAPER)
    painter = QPainter(sheet)
    painter.setPen(INK)
    y = GAP_PX
    for row, height in zip(rows, heights, strict=True):
        for column, file in enumerate(row):
            x = GAP_PX + column * (THUMB_PX + GAP_PX)
            painter.drawText(QRect(x, y, THUMB_PX, TITLE_PX), Qt.AlignmentFlag.AlignVCenter, file.stem)
            painter.drawImage(x, y + TITLE_PX, _thumb(file))
        y += height + GAP_PX
    painter.end()
    return sheet


def _thumb(file: Path) -> QImage:
    return QImage(str(file)).scaledToWidth(THUMB_PX, Qt.TransformationMode.SmoothTransformation)


if __name__ == "__main__":
    _application = QGuiApplication(["sheets", "-platform", "offscreen"])
    for made in make_sheets(*map(Path, sys.argv[1:3])):
        print(made)
