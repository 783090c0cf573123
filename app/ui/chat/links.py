"""The one way by which an address in an answer is opened: shown in full first, then by the system."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from app.ui.chat.pieces import safe_href
from app.ui.shell.i18n import tr, window_title

Opener = Callable[[QUrl], bool]


def ask_to_open(href: str, parent: QWidget, opener: Opener = QDesktopServices.openUrl) -> QMessageBox | None:
    """Asks with the whole address in view; nothing happens for other kinds of addresses."""
    if not safe_href(href):
        return None
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(window_title(tr("Open a link")))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(tr("Open this address outside this program?"))
    box.setInformativeText(href if len(href) <= 500 else href[:500] + "…")
    open_button = box.addButton(tr("Open"), QMessageBox.ButtonRole.AcceptRole)
    copy_button = box.addButton(tr("Copy address"), QMessageBox.ButtonRole.ActionRole)
    cancel = box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(cancel)
    open_button.clicked.connect(lambda: opener(QUrl(href)))
    copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(href))
    box.open()
    return box
