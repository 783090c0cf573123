"""Pictures attached to the draft of a message: their chips with previews, token counts and the choice of detail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAccessible, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from app.core.catalogue import CountedTexts
from app.features.chat.message_draft import DraftPart, DraftPicture
from app.features.chat.session_messages import ChooseDetail
from app.features.files_to_read import Stage
from app.ui.document.document_chip import DocumentChip
from app.ui.document.document_details import remarks_words, short_name
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number
from app.ui.screen_reader import read_as
from app.ui.shared_labels import ABOUT_A_TOKEN, ABOUT_TOKENS, ONE_TOKEN, OPEN, PICTURE_LABEL, TOKEN_COUNT, WAITS_LABEL
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.menus import Menu
from app.ui.widgets.picture_widgets import Thumbnail
from app.ui.widgets.popovers import FloatingPanel

if TYPE_CHECKING:
    from app.engine.protocol import MediaCount
    from app.features.chat.session import ChatSession
    from app.features.media import MediaLibrary
    from app.store.media_store import MediaUse

PICTURE_CUT_OFF = "The file is incomplete: part of the picture is missing."
LOOKED_AT_SECONDS = "takes at least {seconds} s to process"

COPY_PICTURE = "Copy picture"
FIRST_FRAME_ONLY: CountedTexts = (
    "Only the first of {count} frame is shown to the model.",
    "Only the first of {count} frames is shown to the model.",
)
SAVE_PICTURE = "Save picture…"

SLOW_S = 2.0
THUMB_PX = 36
LEAST_NAME_PX = 48


def remarks_of(part: DraftPart) -> str:
    """Return notes for the user about problems in reading a part, such as a truncated file or skipped frames."""
    if isinstance(part, DraftPicture):
        said = [tr(PICTURE_CUT_OFF)] if part.is_cut else []
        if part.frames > 1:
            said.append(tr_count(*FIRST_FRAME_ONLY, part.frames))
        return " ".join(said)
    return remarks_words(part.document) if part.document is not None else ""


def size_words(use: MediaUse) -> str:
    """Format a picture's size, such as "4,000 × 3,000"."""
    return f"{format_number(use.media.width)} × {format_number(use.media.height)}"


def count_words(use: MediaUse, count: MediaCount, host: str = "") -> str:
    """Describe how the model gets a picture: "sent at 1,536 × 1,024, 1,020 tokens", with the duration if it is long.

    With a `host` the model runs there, and the token count is an estimate.
    """
    size = f"{format_number(count.width)} × {format_number(count.height)}"
    is_other_size = bool(count.width) and (count.width, count.height) != (use.media.width, use.media.height)
    if host:
        tokens = tr_count(ABOUT_A_TOKEN, ABOUT_TOKENS, count.tokens)
        if is_other_size:
            return tr("sent to {host} at {size}, {tokens}", host=host, size=size, tokens=tokens)
        return tr("sent to {host}, {tokens}", host=host, tokens=tokens)
    tokens = tr_count(ONE_TOKEN, TOKEN_COUNT, count.tokens)
    if is_other_size:
        words = tr("sent at {size}, {tokens}", size=size, tokens=tokens)
    else:
        words = f"{size_words(use)}, {tokens}"
    if count.seconds >= SLOW_S:
        words += ", " + tr(LOOKED_AT_SECONDS, seconds=round(count.seconds))
    return words


class PictureChip(DocumentChip):
    """Attachment chip with a preview instead of an icon, and a button for the detail if there is a choice."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, choose_detail: Callable[[], object]) -> None:
        self._thumbnail: Thumbnail | None = None
        super().__init__(theme, parent)
        thumbnail = self._thumbnail = Thumbnail(theme)
        # The chip is one button, and the preview a part of it.
        thumbnail.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        read_as(thumbnail, QAccessible.Role.Whitespace)
        thumbnail.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._row.replaceWidget(self._icon, thumbnail)
        self._icon.hide()
        self.detail = IconButton(theme, "sliders", tr("Detail"), size_px=16, on_click=choose_detail)
        read_as(self.detail, has_menu=True)
        self.detail.hide()
        self._row.insertWidget(3, self.detail)
        theme.dress(thumbnail, size=(THUMB_PX, THUMB_PX))
        self._show_look()

    def show_one(self, draft_picture: DraftPicture) -> None:
        assert self._thumbnail is not None
        if draft_picture.image is not None and not self._thumbnail.has_picture:
            self._thumbnail.show_picture(draft_picture.image)
        self.detail.setVisible(len(draft_picture.choices) > 1 and not draft_picture.is_unseen)
        self.detail.set_name(tr("Detail of {name}", name=short_name(draft_picture.name)))
        if draft_picture.error:
            self.show_error(draft_picture.error)
        elif draft_picture.use is None:
            self.show_words(tr(WAITS_LABEL) if draft_picture.stage is Stage.WAITS else tr("opening…"))
        else:
            self.show_words(_picture_words(draft_picture, draft_picture.use))
            self.setToolTip(
                plain_tip(
                    "\n".join(
                        part
                        for part in (
                            draft_picture.name,
                            _picture_words(draft_picture, draft_picture.use),
                            remarks_of(draft_picture),
                        )
                        if part
                    )
                )
            )

    def _describe(self) -> None:
        self.setAccessibleName(tr(PICTURE_LABEL, name=self._name.text()))
        self.setAccessibleDescription(self._words.text())

    def _show_look(self) -> None:
        super()._show_look()
        if self._thumbnail is not None:
            ends = 4 if self.remove.isVisibleTo(self) else 12
            self._theme.dress(self._row, margins=(5, 4, ends, 4))
            self._share_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """Divide the width: the token text is shown in full if possible, and the file name is shortened first."""
        # The tooltip has the full sentence.
        if self._is_error:
            self._words.setMinimumWidth(0)
            return
        name = min(self._name.sizeHint().width(), self._name.maximumWidth())
        words, least = self._words.sizeHint().width(), min(name, self._theme.px(LEAST_NAME_PX))
        room = self.width() - (self._row.sizeHint().width() - name - words) - least
        self._name.setMinimumWidth(least)
        self._words.setMinimumWidth(max(0, min(words, room)))


def _picture_words(draft_picture: DraftPicture, use: MediaUse) -> str:
    if draft_picture.is_unseen:
        return tr("{size}, not shown", size=size_words(use))
    count = draft_picture.count
    return size_words(use) if count is None or not count.tokens else count_words(use, count, draft_picture.host)


class NotSensed(QFrame):
    """Notice that the model cannot use some attachments, with a link to models that can; hidden otherwise.

    `instead` is the alternative without another model, shown if `show_instead` says so.
    """

    models_wanted = Signal()
    instead_wanted = Signal()

    def __init__(self, theme: Theme, text: str, models: str, instead: str = "") -> None:
        super().__init__()
        words = plain_label(text, kind="muted", wraps=True)
        self.setAccessibleName(text)
        self.models = text_button(models, "link", on_click=self.models_wanted)
        row = fill_layout(QHBoxLayout(self), (words, 1))
        self.instead = text_button(instead, "link", on_click=self.instead_wanted)
        self.instead.hide()
        fill_layout(row, self.instead, self.models)
        theme.dress(row, margins=(0, 0, 0, 0), spacing=12)
        theme.dress(words, self.models, self.instead, font="small")
        self.hide()


# Detail of a picture: as many steps as differ for the model.

WIDTH_PX = 300


class DetailPopup(FloatingPanel):
    """Slider for the detail of a picture. `choose` gets the token limit; Escape or a click outside closes it."""

    def __init__(
        self, theme: Theme, draft_picture: DraftPicture, parent: QWidget, *, choose: Callable[[int], object]
    ) -> None:
        super().__init__(theme, "detail_popup", parent)
        self.choose = choose
        assert draft_picture.use is not None
        self._use, self._choices, self._host = draft_picture.use, draft_picture.choices, draft_picture.host
        self.setAccessibleName(tr("Detail of {name}", name=draft_picture.name))
        title = QLabel(tr("Level of detail"))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, len(self._choices) - 1)
        self.slider.setPageStep(1)
        now = draft_picture.count
        self.slider.setValue(next((n for n, choice in enumerate(self._choices) if choice.count == now), 0))
        self.slider.setAccessibleName(title.text())
        ends = QHBoxLayout()
        few, many = plain_label(tr("Quick"), kind="muted"), plain_label(tr("Detailed"), kind="muted")
        fill_layout(ends, few, 1, many)
        self.words = plain_label(wraps=True)
        column = fill_layout(QVBoxLayout(self), title, self.slider, ends, self.words)
        theme.dress(self, width=WIDTH_PX)
        theme.dress(column, margins=(16, 14, 16, 14), spacing=8)
        theme.dress(title, font="section")
        theme.dress(self.words, few, many, font="small")
        self.slider.valueChanged.connect(self._on_moved)
        self._show_count()
        self.slider.setFocus()

    def show_at(self, widget: QWidget) -> None:
        # Before it is shown a popup has no fonts yet, which its height needs.
        self.ensurePolished()
        self.adjustSize()
        self.place_at(widget)
        self.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        else:
            super().keyPressEvent(event)

    def _on_moved(self) -> None:
        self._show_count()
        self.choose(self._choices[self.slider.value()].most_tokens)

    def _show_count(self) -> None:
        words = count_words(self._use, self._choices[self.slider.value()].count, self._host)
        self.words.setText(words)
        self.slider.setAccessibleDescription(words)


def choose_detail(session: ChatSession, part: DraftPicture, chip: QWidget, theme: Theme, window: QWidget) -> None:
    """Open a slider for the detail above the picture's chip, if the model offers a choice."""
    if part.use is None or len(part.choices) < 2:
        return
    popup = DetailPopup(theme, part, window, choose=lambda most: session.dispatch(ChooseDetail(part.key, most)))
    popup.show_at(chip)


class SeeLarge:
    """Shows pictures of the open chat in a large view, and their context menus."""

    def __init__(self, library: Callable[[], MediaLibrary], theme: Theme, notify: Notify, window: QWidget) -> None:
        self._library, self._theme, self._notify, self._window = library, theme, notify, window

    def __call__(self, uses: Sequence[MediaUse], first: int) -> None:
        """Open the large view with the picture at index `first`."""
        from app.ui.chat.large_picture import LargePicture  # imported when first opened

        window = self._window.window()
        LargePicture(uses, first, self._library(), theme=self._theme, notify=self._notify, parent=window).open()

    def show_menu(self, uses: Sequence[MediaUse], number: int, at: QPoint) -> None:
        """Open the context menu of one picture at the pointer."""
        from app.ui.chat import large_picture

        use, library, window = uses[number], self._library(), self._window.window()
        menu = Menu(window)
        menu.setObjectName("sent_picture_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr(OPEN), lambda: self(uses, number))
        menu.addAction(tr(COPY_PICTURE), lambda: large_picture.copy_picture(use, library, self._notify, window))
        menu.addAction(tr(SAVE_PICTURE), lambda: large_picture.ask_where_to_save(use, library, self._notify, window))
        menu.popup(at)
