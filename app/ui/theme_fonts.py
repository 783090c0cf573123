"""The theme's fonts in any size: the interface's, or the system's in its place, and that of code."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QFont, QFontDatabase

from app.core.paths import resource_path

FAMILY = "Inter"
CODE_FAMILY = "JetBrains Mono"
CODE_PX = 13.5


class ThemeFonts:
    """Makes fonts of design sizes; `px` scales them, and `uses_system` asks for the system's font for all but code."""

    def __init__(self, px: Callable[[float], int], uses_system: Callable[[], bool]) -> None:
        self._px, self._uses_system, self._families = px, uses_system, _load_families()

    def text(self, size_px: float, weight: int = 400) -> QFont:
        """Return the interface font in a size of its own, for the text of documents and drawings.

        Weights 400, 500, 600 and 700 are shipped.
        """
        if self._uses_system() or FAMILY not in self._families:
            font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
        else:
            font = QFont(FAMILY)
        return self._sized(font, size_px, weight)

    def code(self, size_px: float = CODE_PX) -> QFont:
        """Return the font of code, in which no two characters are drawn as one."""
        if CODE_FAMILY in self._families:
            font = QFont(CODE_FAMILY)
        else:
            font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setStyleHint(QFont.StyleHint.Monospace)
        for ligature in ("calt", "liga"):  # so that code shows -> as two characters
            font.setFeature(QFont.Tag(ligature), 0)
        return self._sized(font, size_px, 400)

    def _sized(self, font: QFont, size_px: float, weight: int) -> QFont:
        # Points would scale with the screen's resolution a second time.
        font.setPixelSize(self._px(size_px))
        font.setWeight(QFont.Weight(weight))
        return font


def _load_families() -> set[str]:
    """Register the shipped fonts once per process; return all known families."""
    if not _registered:
        for path in sorted(resource_path("fonts").glob("*.[ot]tf")):
            number = QFontDatabase.addApplicationFont(str(path))
            _registered.update(QFontDatabase.applicationFontFamilies(number) if number >= 0 else ())
    return _registered


_registered: set[str] = set()
