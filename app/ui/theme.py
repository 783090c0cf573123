"""Theme: all colours, sizes and fonts, light and dark, with zoom.

In the style sheet, which `ApplicationStyle` fills in, the dynamic property `kind` selects a look: buttons are primary,
plain (default), quiet or link; labels muted or danger; frames card or rule. Fonts, margins, gaps and icons are declared
once with `Theme.dress` and reapplied after every change.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, TypedDict, TypeVar, Unpack
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QColor, QFont, QFontDatabase, QFontInfo, QGuiApplication, QPaintDevice, QPainter
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from shiboken6 import isValid

from app.core.lazy_dataclasses import dataclass, field
from app.ui.application_style import ApplicationStyle, follow_contrast, request_scheme, system_wants_contrast
from app.ui.icons import icon
from app.ui.screen_reader import read_as
from app.ui.theme_fonts import ThemeFonts

ZOOM_STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
FontRole = Literal["caption", "small", "group", "row", "control", "strong", "body", "section", "title", "greeting"]
FONTS: dict[FontRole, tuple[float, int]] = {
    "caption": (12, 500),
    "small": (13, 400),
    "group": (13, 600),
    "row": (14, 400),
    "control": (14, 500),
    "strong": (14, 600),
    "body": (15, 400),
    "section": (15, 600),
    "title": (21, 600),
    "greeting": (24, 600),
}
"""Size in pixels and weight by role. Every button, drop-down and tab is a control; rows are those of lists and menus,
and sentences between controls; group and strong are the emphasized small and row; messages and fields are body.
"""
TITLES = ("section", "title", "greeting")
HEADING_LEVELS = {"greeting": 1, "title": 1, "section": 2}
"""Of labels in these fonts, for screen readers."""
MUTED_KINDS = ("muted", "small", "quiet", "tab", "nav", "foot", "segment")
"""Kinds of labels and buttons whose words are muted."""
TEXT_PX = FONTS["body"][0]
EDGE_PX, TOP_PX = 28, 16
"""Left and top edge of every tab's content."""
PAGE_PX, READING_PX = 980, 760
"""Maximum widths of cards and headings, and of text for reading."""
WIDE_PX = 1240
"""Width of the content from which its column is centred, and the most that two texts of 72 characters take with their
edges."""
CARD_INSET_PX = 15
"""Room between a card's edge and its content; with the edge, lines begin 16 px inside."""
HEADING_PX = 36
"""Height of a heading's line, with or without buttons."""


@dataclass(frozen=True)
class Tokens:
    """Colours of a scheme as "#RRGGBB", or "#AARRGGBB"; a test checks their contrasts."""

    background: str
    sidebar: str
    surface: str
    """Background of fields, cards and the selected row."""
    raised: str
    """Background of menus, dialogs and notices."""
    chosen: str
    """Row under the pointer or the keyboard in what floats."""
    pressed: str
    """Background of what is pressed, and of the selected row of a tree; `line` where lines are faint."""
    chosen_edge: str
    """Edge of an open tab or page: none (transparent) unless contrast is high."""
    line: str
    edge: str
    """Edge of what floats: menus, popovers and notices."""
    outline: str
    """Outline of controls recognizable by it alone: contrast 3:1."""
    scroll: str
    """Thumb of a scroll bar; `outline` under the pointer."""
    text: str
    title: str
    """Text of titles; in the dark scheme a step brighter than other text."""
    muted: str
    accent: str
    on_accent: str
    danger: str
    success: str
    warning: str
    code: str
    code_keyword: str
    code_string: str
    code_comment: str
    code_number: str
    code_name: str
    bubble: str
    chip: str
    selection: str
    mark: str
    """Background of a highlighted sentence in a document."""
    written: str
    """Background of generated text in a page, until it is edited."""
    unsure: str
    """Mixed into a token's background, more the less probable it was."""
    focus: str


LIGHT = Tokens(
    background="#FBFAF8",
    sidebar="#F3F0EB",
    surface="#FFFFFF",
    raised="#FFFFFF",
    chosen="#E9E4DD",
    pressed="#E6E0D8",
    chosen_edge="#00000000",
    line="#E4DED6",
    edge="#E4DED6",
    outline="#8F867C",
    scroll="#A89F94",
    text="#23201D",
    title="#23201D",
    muted="#6A625A",
    accent="#B23F12",
    on_accent="#FFFFFF",
    danger="#A8201A",
    success="#2F6F40",
    warning="#85560A",
    code="#F4F1EC",
    code_keyword="#A4432A",
    code_string="#2F6B45",
    code_comment="#6A625A",
    code_number="#7A4B9A",
    code_name="#2F5F8A",
    bubble="#F1EBE3",
    chip="#FBEDE6",
    selection="#F3D3C2",
    mark="#FBE3A6",
    written="#F8E6DB",
    unsure="#E08A1E",
    focus="#B23F12",
)
DARK = Tokens(
    background="#1B1917",
    sidebar="#151311",
    surface="#262320",
    raised="#332E2A",
    chosen="#1F1C19",
    pressed="#36312C",
    chosen_edge="#00000000",
    line="#36312C",
    edge="#4A433C",
    outline="#82796F",
    scroll="#5F5850",
    text="#DDD7D0",
    title="#EDE9E4",
    muted="#A39A90",
    accent="#F08A5D",
    on_accent="#1B1917",
    danger="#F28B82",
    success="#7CC08C",
    warning="#E0B25C",
    code="#151311",
    code_keyword="#F0A07A",
    code_string="#9CCB9F",
    code_comment="#A39A90",
    code_number="#C7A6E0",
    code_name="#8DBBE6",
    bubble="#2C2825",
    chip="#33241C",
    selection="#5A3423",
    mark="#5C4A16",
    written="#3B2A20",
    unsure="#D2A653",
    focus="#F08A5D",
)

# Every text on every ground has 7:1 here (AAA), every line 3:1; chips, marks and chosen rows keep a hue or a shade.
HIGH_LIGHT = Tokens(
    background="#FFFFFF",
    sidebar="#EBEBEB",
    surface="#FFFFFF",
    raised="#FFFFFF",
    chosen="#E0E0E0",
    pressed="#DCDCDC",
    chosen_edge="#404040",
    line="#6E6E6E",
    edge="#404040",
    outline="#404040",
    scroll="#6E6E6E",
    text="#000000",
    title="#000000",
    muted="#333333",
    accent="#701F00",
    on_accent="#FFFFFF",
    danger="#7A0000",
    success="#00401A",
    warning="#4F2F00",
    code="#F2F2F2",
    code_keyword="#701F00",
    code_string="#00401A",
    code_comment="#333333",
    code_number="#4B1470",
    code_name="#00355F",
    bubble="#EBEBEB",
    chip="#FFEBE0",
    selection="#FFD0B5",
    mark="#FFE680",
    written="#FFE9DC",
    unsure="#C97A10",
    focus="#701F00",
)
HIGH_DARK = Tokens(
    background="#000000",
    sidebar="#121212",
    surface="#000000",
    raised="#0D0D0D",
    chosen="#2B2B2B",
    pressed="#303030",
    chosen_edge="#C0C0C0",
    line="#8F8F8F",
    edge="#C0C0C0",
    outline="#C0C0C0",
    scroll="#8F8F8F",
    text="#FFFFFF",
    title="#FFFFFF",
    muted="#D9D9D9",
    accent="#FFC2A3",
    on_accent="#000000",
    danger="#FFC4BF",
    success="#A8F0B8",
    warning="#FFD98A",
    code="#0D0D0D",
    code_keyword="#FFC2A3",
    code_string="#B5EDB8",
    code_comment="#D9D9D9",
    code_number="#E6CCFF",
    code_name="#B8DDFF",
    bubble="#1F1F1F",
    chip="#33190D",
    selection="#5A2A12",
    mark="#453600",
    written="#331E12",
    unsure="#D2A653",
    focus="#FFC2A3",
)


Dressed = TypeVar("Dressed", bound=QObject)


class WidgetLook(TypedDict, total=False):
    """Look of a widget or layout; numbers are unscaled pixels that follow the zoom."""

    font: FontRole
    margins: tuple[float, float, float, float]
    """Left, top, right, bottom."""
    spacing: float
    glyph: tuple[str, str, float]
    """Icon name, colour token and edge length."""
    picture: tuple[str, str, float]
    """The same, for a label."""
    glyph_size: tuple[float, float]
    """Icon area, if larger than the icon."""
    size: tuple[float, float]
    width: float
    height: float
    least_width: float
    least_height: float
    most_width: float
    most_height: float
    text: tuple[FontRole, float]
    """Text field, with its viewport: font and document margin."""


@dataclass
class _Choice:
    """The user's choices and the system's scheme, shared by a theme and its late followers."""

    scheme: str
    zoom: float
    system_font: bool
    high_contrast: bool
    system_is_dark: Callable[[], bool]
    system_wants_contrast: Callable[[], bool]
    system_scale: float
    dims_pages: bool = False
    changes: int = field(default=0)

    def px(self, n: float) -> int:
        scaled = round(n * self.zoom * self.system_scale)
        return max(1, scaled) if n > 0 else scaled


class Theme(QObject):
    """Current theme; `changed` is emitted after the style sheet was applied."""

    changed = Signal()

    def __init__(
        self,
        scheme: str = "system",
        zoom: float = 1.0,
        *,
        system_font: bool = False,
        high_contrast: bool = False,
        system_is_dark: Callable[[], bool] | None = None,
        system_wants_contrast: Callable[[], bool] = system_wants_contrast,
    ) -> None:
        super().__init__()
        system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        # Text is never smaller than the system's font size set by the user.
        scale = max(1.0, QFontInfo(system).pixelSize() / TEXT_PX)
        is_dark = system_is_dark or _system_is_dark
        self._choice = _Choice(scheme, zoom, system_font, high_contrast, is_dark, system_wants_contrast, scale)
        choice = self._choice
        self.fonts = ThemeFonts(choice.px, lambda: choice.system_font)
        self._style: ApplicationStyle | None = None
        self._dressed: WeakKeyDictionary[QObject, WidgetLook] = WeakKeyDictionary()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_scheme)
        follow_contrast(self._on_system_contrast)

    @property
    def tokens(self) -> Tokens:
        if self.has_high_contrast:
            return HIGH_DARK if self.is_dark else HIGH_LIGHT
        return DARK if self.is_dark else LIGHT

    @property
    def has_high_contrast(self) -> bool:
        """True if the setting or the system asks for more contrast."""
        return self._choice.high_contrast or self._choice.system_wants_contrast()

    @property
    def high_contrast(self) -> bool:
        """Setting: True for high contrast whatever the system says; see `has_high_contrast`."""
        return self._choice.high_contrast

    @high_contrast.setter
    def high_contrast(self, wanted: bool) -> None:
        if wanted != self._choice.high_contrast:
            self._choice.high_contrast = wanted
            self._apply()

    @property
    def is_dark(self) -> bool:
        """True for a dark scheme by the setting, or by the system's if set to follow it."""
        if self._choice.scheme == "system":
            return self._choice.system_is_dark()
        return self._choice.scheme == "dark"

    @property
    def scheme(self) -> str:
        """Setting: "system" follows the desktop, else "light" or "dark"."""
        return self._choice.scheme

    @scheme.setter
    def scheme(self, scheme: str) -> None:
        if scheme != self._choice.scheme:
            self._choice.scheme = scheme
            request_scheme(scheme)
            self._apply()

    @property
    def zoom(self) -> float:
        """Zoom factor within `ZOOM_STEPS`; 1.0 is the design size."""
        return self._choice.zoom

    @zoom.setter
    def zoom(self, zoom: float) -> None:
        if (zoom := min(max(zoom, ZOOM_STEPS[0]), ZOOM_STEPS[-1])) != self._choice.zoom:
            self._choice.zoom = zoom
            self._apply()

    def zoom_by(self, steps: int) -> None:
        """Zoom to the next step in (1) or out (-1)."""
        nearest = min(range(len(ZOOM_STEPS)), key=lambda i: abs(ZOOM_STEPS[i] - self._choice.zoom))
        self.zoom = ZOOM_STEPS[min(max(nearest + steps, 0), len(ZOOM_STEPS) - 1)]

    @property
    def system_font(self) -> bool:
        """True if the system's font replaces Inter for all but code."""
        return self._choice.system_font

    @system_font.setter
    def system_font(self, wanted: bool) -> None:
        if wanted != self._choice.system_font:
            self._choice.system_font = wanted
            self._apply()

    @property
    def dims_pages(self) -> bool:
        """True if pages of documents are to be dimmed further in the dark scheme."""
        return self._choice.dims_pages

    @dims_pages.setter
    def dims_pages(self, wanted: bool) -> None:
        if wanted != self._choice.dims_pages:
            self._choice.dims_pages = wanted
            self._choice.changes += 1
            self._notify_changed()

    def px(self, n: float) -> int:
        """Scale a design size to pixels; a size above 0 stays at least 1."""
        return self._choice.px(n)

    def font(self, role: FontRole = "body") -> QFont:
        return self.fonts.text(*FONTS[role])

    def dress(self, target: Dressed, *more: QObject, **look: Unpack[WidgetLook]) -> Dressed:
        """Apply a look to widgets or layouts, now and after every change, and return the first of them.

        Unnamed properties stay.
        """
        # Not in the style sheet: a font there overrules every setFont, and text that is painted has no part in it.
        targets: tuple[QObject, ...] = (target, *more)
        for dressed in targets:
            self._dressed.setdefault(dressed, {}).update(look)
            _put_on(self, dressed, look)
        return target

    def dress_again(self, part: QWidget) -> None:
        """Reapply the fonts inside a part, after a stack showed it."""
        # WORKAROUND: under a style sheet a stack polishes what it shows, and loses fonts set before the reparenting.
        for target, look in list(self._dressed.items()):
            if isinstance(target, QWidget) and isValid(target) and part.isAncestorOf(target):
                for name in look.keys() & {"font", "text"}:
                    _WAYS[name](self, target, look.get(name))

    def install(self, application: QApplication) -> None:
        """Apply style, font, palette and style sheet to the application, now and after every change."""
        self._style = ApplicationStyle(application, self.px)
        request_scheme(self._choice.scheme)
        self._apply()

    def without_sheet(self) -> AbstractContextManager[None]:
        """Take the style sheet off while many widgets are built, as under one Qt polishes a part at each new parent."""
        return nullcontext() if self._style is None else self._style.without_sheet()

    def _apply(self) -> None:
        if self._style is not None:
            fonts = self.font("control"), _font_of_kind(self, "control", "quiet")
            self._style.put_on(dataclasses.asdict(self.tokens), self.font(), fonts)
        self._choice.changes += 1
        self._notify_changed()

    def _notify_changed(self) -> None:
        # A copy, as dressing may add widgets, and dead ones are taken out.
        for target, look in list(self._dressed.items()):
            if isValid(target):
                _put_on(self, target, look)
            else:
                del self._dressed[target]
        # Last, so that receivers measure the final sizes.
        self.changed.emit()

    def _on_system_scheme(self) -> None:
        if self._choice.scheme == "system":
            self._apply()

    def _on_system_contrast(self) -> None:
        if not self._choice.high_contrast:
            self._apply()


class LateTheme(Theme):
    """Theme of a part that may be hidden: it emits `changed` only on `catch_up`."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        # Not Theme's own: the choices are shared, and only the original follows the system.
        QObject.__init__(self, parent)
        self._choice, self.fonts = theme._choice, theme.fonts
        self._style = None
        self._dressed = WeakKeyDictionary()
        self._seen = self._choice.changes

    @property
    def is_late(self) -> bool:
        """True if changes haven't been applied to the part yet."""
        return self._seen != self._choice.changes

    def catch_up(self) -> None:
        """Emit `changed` once if there were changes meanwhile, after dressing its widgets again."""
        if self.is_late:
            self._seen = self._choice.changes
            self._notify_changed()


def _put_on(theme: Theme, target: QObject, look: WidgetLook) -> None:
    for name, value in look.items():
        _WAYS[name](theme, target, value)


def _put_on_font(theme: Theme, target: Any, role: FontRole) -> None:
    target.setFont(_font_of_kind(theme, role, target.property("kind")))
    if role in TITLES:
        target.setProperty("is_title", True)
    if role in HEADING_LEVELS and isinstance(target, QLabel):
        read_as(target, QAccessible.Role.Heading, level=HEADING_LEVELS[role])


def _font_of_kind(theme: Theme, role: FontRole, kind: str | None) -> QFont:
    size_px, weight = FONTS[role]
    # Light letters on a dark ground look bolder than they are.
    is_lighter = theme.is_dark and weight == 500 and kind in MUTED_KINDS
    return theme.fonts.text(size_px, 400) if is_lighter else theme.font(role)


def _put_on_glyph(theme: Theme, button: Any, glyph: tuple[str, str, float]) -> None:
    name, token, edge = glyph[0], glyph[1], theme.px(glyph[2])
    button.setIcon(icon(name, getattr(theme.tokens, token), edge))
    button.setIconSize(QSize(edge, edge))


def _put_on_text(theme: Theme, area: Any, text: tuple[FontRole, float]) -> None:
    font = theme.font(text[0])
    for part in (area, area.viewport()):  # under a style sheet, the viewport doesn't inherit the font
        part.setFont(font)
    area.document().setDefaultFont(font)
    area.document().setDocumentMargin(theme.px(text[1]))


def _put_on_picture(theme: Theme, label: Any, glyph: tuple[str, str, float]) -> None:
    name, token, edge = glyph[0], glyph[1], theme.px(glyph[2])
    picture = icon(name, getattr(theme.tokens, token), edge)
    # Decoration: the words beside it say the same, and a reader is to pass it.
    read_as(label, QAccessible.Role.Whitespace)
    # With the screen's ratio, or it would be blurred on a dense one.
    label.setPixmap(picture.pixmap(QSize(edge, edge), label.devicePixelRatio()))


_WAYS: dict[str, Callable[[Theme, Any, Any], None]] = {
    "font": _put_on_font,
    "margins": lambda theme, target, margins: target.setContentsMargins(*map(theme.px, margins)),
    "spacing": lambda theme, target, spacing: target.setSpacing(theme.px(spacing)),
    "glyph": _put_on_glyph,
    "picture": _put_on_picture,
    "glyph_size": lambda theme, target, size: target.setIconSize(QSize(*map(theme.px, size))),
    "size": lambda theme, target, size: target.setFixedSize(*map(theme.px, size)),
    "width": lambda theme, target, width: target.setFixedWidth(theme.px(width)),
    "height": lambda theme, target, height: target.setFixedHeight(theme.px(height)),
    "least_width": lambda theme, target, width: target.setMinimumWidth(theme.px(width)),
    "least_height": lambda theme, target, height: target.setMinimumHeight(theme.px(height)),
    "most_width": lambda theme, target, width: target.setMaximumWidth(theme.px(width)),
    "most_height": lambda theme, target, height: target.setMaximumHeight(theme.px(height)),
    "text": _put_on_text,
}


def smooth_painter(device: QPaintDevice, *, fill: QColor | None = None) -> QPainter:
    """Return a painter with smooth edges; one with `fill` draws shapes of that colour, without a line around them."""
    painter = QPainter(device)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if fill is not None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
    return painter


def _system_is_dark() -> bool:
    return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
