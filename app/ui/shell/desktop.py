"""What the person's desktop does for us: shows a folder, keeps a text to paste."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication


def open_folder(folder: Path) -> None:
    """Shows a folder in the system's file program; the nearest one above it when it is not there yet."""
    there = next((one for one in (folder, *folder.parents) if one.is_dir()), folder)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(there)))


def copy_text(text: str) -> None:
    """Puts a text on the clipboard."""
    QGuiApplication.clipboard().setText(text)
