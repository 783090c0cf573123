"""What the application as a whole wears: palette, font and style sheet, and the parts that every window has.

The style sheet is resources/styles/*.qss (fireside.qss first), with `$token` for a colour and `px(8)` for a size.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.core.paths import resource_path
from app.ui.focus_ring import FocusRing
from app.ui.input_watch import InputWatch
from app.ui.scroll_bars import OverlayBars

Scaling = Callable[[float], int]
"""Returns the pixels of a design size."""
Colours = Mapping[str, str]
"""Colours as "#RRGGBB" by the names of `Tokens`."""

BUTTON_FONTS = ("button_font", "muted_button_font")
"""Properties of the application."""


class ApplicationStyle:
    """Style of a running application; `px` is asked again at each change."""

    def __init__(self, application: QApplication, px: Scaling) -> None:
        self._application, self._px, self._sheet = application, px, ""
        # Native styles follow a style sheet in part only, and differently on each system.
        application.setStyle("Fusion")
        if (bars := application.findChild(OverlayBars)) is None:
            watch = InputWatch(application)
            FocusRing(watch, application)
            bars = OverlayBars(watch)
        bars.px = px

    def put_on(self, colours: Colours, font: QFont, button_fonts: tuple[QFont, QFont]) -> None:
        """Apply palette, fonts and style sheet in these colours to the application.

        `button_fonts`: that of text buttons, and of those with muted words.
        """
        # Before the application's own, of which every widget is told. Qt's way to set it for a class isn't in PySide.
        for name, button_font in zip(BUTTON_FONTS, button_fonts, strict=True):
            self._application.setProperty(name, button_font)
        self._sheet = fill_style_sheet(colours, self._px)
        self._application.setPalette(_palette(colours))
        self._application.setFont(font)
        # If replaced, Qt would polish every widget once per ancestor; if removed and set, only once.
        self._application.setStyleSheet("")
        self._application.setStyleSheet(self._sheet)

    @contextmanager
    def without_sheet(self) -> Iterator[None]:
        """Take the style sheet off meanwhile, as under one Qt polishes a part at each new parent."""
        application = self._application
        if not application.styleSheet():
            yield
            return
        application.setStyleSheet("")
        try:
            yield
        finally:
            if not application.styleSheet():  # no change of the theme came between
                application.setStyleSheet(self._sheet)


def request_scheme(scheme: str) -> None:
    """Ask the system to draw title bar and file dialogs in the same scheme, or in its own for "system"."""
    hints = QGuiApplication.styleHints()
    if scheme == "system":
        hints.unsetColorScheme()
    else:
        hints.setColorScheme(Qt.ColorScheme.Dark if scheme == "dark" else Qt.ColorScheme.Light)


def system_wants_contrast() -> bool:
    """Return whether the desktop asks for high contrast; False on a Qt that can't tell (before 6.10)."""
    hints = QGuiApplication.styleHints()
    return hasattr(hints, "accessibility") and bool(hints.accessibility().contrastPreference().value)


def follow_contrast(on_change: Callable[[], object]) -> None:
    """Call `on_change` whenever the desktop asks for more contrast, or no longer does."""
    hints = QGuiApplication.styleHints()
    if hasattr(hints, "accessibility"):
        hints.accessibility().contrastPreferenceChanged.connect(on_change)


def fill_style_sheet(colours: Colours, px: Scaling) -> str:
    """Return the combined style sheet with colours and sizes filled in."""
    text = re.sub(r"\bpx\(([\d.]+)\)", lambda m: f"{px(float(m[1]))}px", _sheet_template())
    return re.sub(r"\$(\w+)", lambda m: colours[m[1]], text)


@functools.cache
def _sheet_template() -> str:
    """Return all style sheets as one, with names of colours and unscaled sizes."""
    # fireside.qss first, as later rules win.
    sheets = sorted(resource_path("styles").glob("*.qss"), key=lambda path: (path.stem != "fireside", path.stem))
    text = "\n".join(path.read_text("utf-8") for path in sheets)
    # Comments may hold a dollar or px(), which are filled in next.
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _palette(colours: Colours) -> QPalette:
    """Return the palette for parts without style sheet: selections, links, placeholders, native parts."""
    role = QPalette.ColorRole
    palette = QPalette()
    for name, roles in (
        ("background", (role.Window,)),
        ("surface", (role.Base, role.Button, role.AlternateBase)),
        ("raised", (role.ToolTipBase,)),
        ("text", (role.WindowText, role.Text, role.ButtonText, role.ToolTipText, role.HighlightedText)),
        ("muted", (role.PlaceholderText,)),
        ("selection", (role.Highlight,)),
        ("accent", (role.Link, role.LinkVisited, role.Accent)),
        ("line", (role.Mid, role.Midlight, role.Light, role.Dark)),
    ):
        for color_role in roles:
            palette.setColor(color_role, QColor(colours[name]))
    for color_role in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, color_role, QColor(colours["outline"]))
    return palette
