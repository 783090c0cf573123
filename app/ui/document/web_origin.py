"""Line of a document that was a page of the web: its address, and a way to open that in the browser."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.text.links import ask_to_open
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.layouts import fill_layout

OPEN_IN_BROWSER = "Open in browser…"


class WebOrigin(QWidget):
    """The line; hidden for other documents. Nothing is opened before the person has seen the whole address."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.address = ElidedLabel("", Qt.TextElideMode.ElideMiddle)
        self.address.setProperty("kind", "muted")
        self.address.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as addresses are in every language
        self.open = text_button(
            tr(OPEN_IN_BROWSER), "link", on_click=lambda: ask_to_open(self.address.text(), self), name="open_origin"
        )
        row = theme.dress(QHBoxLayout(self), margins=(16, 0, 16, 8), spacing=12)
        fill_layout(row, (self.address, 1), self.open)
        theme.dress(self.address, font="small")
        self.hide()

    def show_address(self, address: str) -> None:
        """Show where a page is from; "" hides the line."""
        self.address.setText(address)
        self.setVisible(bool(address))
