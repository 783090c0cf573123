"""Documents for tests of attaching, small and real, and what a person does to attach them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from tests.helpers.pdf_files import Lock, Page, column, write_pdf

LEASE_PAGES = (
    "The lease begins on the first of May and runs for three years without interruption.",
    "The deposit is 2,400 euros and is paid back within eight weeks of moving out.",
    "Notice is given three months before the end of a quarter and only by a signed letter.",
    "Pets such as cats and small dogs are allowed after the owner has agreed in writing.",
)


def lease_pdf(path: Path, *, password: str = "") -> Path:
    """A PDF of four pages with one sentence each; with a password it is locked."""
    pages = [Page() for _ in LEASE_PAGES]
    for number, (page, sentence) in enumerate(zip(pages, LEASE_PAGES, strict=True), start=1):
        page.text(72, 80, f"Part {number} of the lease", 16, "F2")
        words = sentence.split()
        half = len(words) // 2
        column(page, 72, 120, [" ".join(words[:half]), " ".join(words[half:])], size=12, pitch=16)
    lock = Lock(password, password) if password else None
    return write_pdf(path, pages, lock=lock)


def notes(path: Path, *sentences: str) -> Path:
    """A plain text, a paragraph a sentence."""
    path.write_text("\n\n".join(sentences) + "\n", "utf-8")
    return path


def urls_of(*paths: Path) -> QMimeData:
    """What a file manager puts into the clipboard or a drag."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def drop(target: QWidget, *paths: Path) -> None:
    """Files are dragged over a widget and let go."""
    how = (Qt.DropAction.CopyAction, urls_of(*paths), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(target, QDragEnterEvent(QPointF(5, 5), *how))
    QApplication.sendEvent(target, QDropEvent(QPointF(5, 5), *how, QEvent.Type.Drop))


def copy_files(*paths: Path) -> None:
    """Files are copied in a file manager."""
    QGuiApplication.clipboard().setMimeData(urls_of(*paths))
