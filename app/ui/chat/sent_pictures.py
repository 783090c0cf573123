"""Thumbnails of a message's pictures; clicking one opens the large view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtWidgets import QWidget

from app.core.errors.app_error import expected_error
from app.store.media_store import MediaUse
from app.ui.chat.branch_documents import BranchDocuments
from app.ui.chat.draft_pictures import size_words
from app.ui.i18n import tr
from app.ui.shared_labels import PICTURE_LABEL
from app.ui.shell import tasks
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.layouts import FlowLayout
from app.ui.widgets.picture_widgets import Thumbnail

ALONE_PX = (300, 220)
HIGH_PX = 120
WIDE_PX = (72, 200)


GAP_PX = 6


class SentPictures(QWidget):
    """Pictures of one message in order; hidden without any."""

    def __init__(self, theme: Theme, parent: QWidget, *, is_at_end: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: Sequence[MediaUse] = ()
        self._flow = theme.dress(FlowLayout(self, is_at_end=is_at_end), spacing=GAP_PX)
        self.hide()

    def show_uses(self, documents: BranchDocuments, uses: Sequence[MediaUse]) -> bool:
        """Show the pictures. Return whether they changed."""
        if list(uses) == list(self._shown):
            return False
        self._shown = uses
        self._flow.clear()
        for number, use in enumerate(uses):
            picture = SentPicture(
                self._theme,
                use,
                self,
                is_alone=len(uses) == 1,
                show_menu=partial(documents.show_picture_menu, uses, number),
            )
            # Bound now, since the loop makes another number.
            picture.clicked.connect(lambda _=False, number=number: documents.open_large(uses, number))
            picture.read(partial(documents.read_preview, use))
            self._flow.addWidget(picture)
            picture.show()
        self.setVisible(bool(uses))
        return True

    def height_for(self, width: int) -> int:
        return self._flow.heightForWidth(width)


class SentPicture(Thumbnail):
    """Thumbnail of a sent picture with a context menu."""

    def __init__(
        self, theme: Theme, use: MediaUse, parent: QWidget, *, is_alone: bool, show_menu: Callable[[QPoint], object]
    ) -> None:
        super().__init__(theme, parent)
        self.show_menu = show_menu
        """The context menu was requested at a screen position; by keyboard the turn's menu opens instead."""
        self.setObjectName("sent_picture")
        self._sides = shape_of(use.media.width, use.media.height, is_alone=is_alone)
        self.setAccessibleName(tr(PICTURE_LABEL, name=use.name))
        self.setAccessibleDescription(size_words(use))
        self.setToolTip(plain_tip(f"{use.name}\n{size_words(use)}"))
        theme.changed.connect(self._fit_size)
        self._fit_size()

    def read(self, preview: Callable[[], QImage]) -> None:
        """Load the preview on a thread; if that fails a glyph shows it, and opening it tells why."""
        tasks.ask(lambda _token: preview(), self, self.show_picture, self._on_failed)

    def _on_failed(self, error: BaseException) -> None:
        self.show_picture(QImage())
        # An unreadable file was expected; a fault of the program is not.
        expected_error(error)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            # The menu key belongs to the turn, which has more to offer.
            event.ignore()
        else:
            self.show_menu(event.globalPos())

    def _fit_size(self) -> None:
        # Reserved before the picture is loaded, so that nothing moves then.
        self.setFixedSize(QSize(*map(self._theme.px, self._sides)))


def shape_of(width: int, height: int, *, is_alone: bool) -> tuple[int, int]:
    """Return width and height before zoom: a single picture is shown whole, several are cropped to one row."""
    width, height = max(1, width), max(1, height)
    if is_alone:
        scale = min(ALONE_PX[0] / width, ALONE_PX[1] / height, 1.0)
        return max(WIDE_PX[0], round(width * scale)), max(WIDE_PX[0], round(height * scale))
    return min(WIDE_PX[1], max(WIDE_PX[0], round(HIGH_PX * width / height))), HIGH_PX
