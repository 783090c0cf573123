"""Pictures attached to the draft of a message: decoded in a child process, previewed, and counted in tokens by the
model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSlider, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken, ModelElsewhere, ModelLoaded
from app.core.visible import visible_name
from app.features.error_messages import PersonMessage
from app.features.media import FileRefused, MediumAdded, UnsavedPicture
from app.ui.document.document_files import DocumentChip, FileAction, Stage, offers_menu, short_name
from app.ui.i18n import sentence_for, tr
from app.ui.shared_labels import ABOUT_TOKENS, OPEN, PICTURE_LABEL, REMOVE, TOKEN_COUNT, WAITS_LABEL
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import announce, plain_label, plain_tip
from app.ui.widgets.picture_widgets import Thumbnail, as_png, read_rows

if TYPE_CHECKING:
    from app.engine.protocol import MediaCount
    from app.features.chat.answer_service import AnswerService
    from app.features.media import MediaLibrary
    from app.store.media_store import MediaUse

PICTURE_CUT_OFF = "The file is incomplete: part of the picture is missing."
LOOKED_AT_SECONDS = "takes at least {seconds} s to process"

COPY_PICTURE = "Copy picture"
FIRST_FRAME_ONLY = "Only the first of {count} frames is shown to the model."
SAVE_PICTURE = "Save picture…"

MOST_PICTURES = 50
LEVELS = (0, 64, 128, 256, 512, 1024, 2048, 4096)
"""Token limits tried for a picture; which of them differ depends on the model file. 0 is the model's default."""
AGAIN_MS = 150
SLOW_S = 2.0
THUMB_PX = 36
LEAST_NAME_PX = 48


@dataclass(frozen=True)
class DetailLevel:
    """Detail at which a picture can be encoded: a token limit, and the resulting size and token count."""

    most_tokens: int
    count: MediaCount


@dataclass(eq=False)
class DraftPicture:
    """Picture of a draft: loading, ready, or refused with an `error`. `levels` come from the model, fewest tokens
    first.
    """

    talk: AnswerService
    conversation_id: int | None
    given: Path | UnsavedPicture | QImage
    path: Path
    stage: Stage = Stage.WAITS
    error: str = ""
    use: MediaUse | None = None
    image: QImage | None = None
    frames: int = 1
    is_cut: bool = False
    levels: tuple[DetailLevel, ...] = ()
    is_unseen: bool = False
    """True if the loaded model cannot see pictures."""
    host: str = ""
    """Server that the picture is sent to; "" while the model runs on this computer."""

    @property
    def name(self) -> str:
        return self.use.name if self.use is not None else visible_name(self.path.name)

    @property
    def is_on_its_way(self) -> bool:
        return self.stage in (Stage.WAITS, Stage.READING)

    @property
    def count(self) -> MediaCount | None:
        """Size and tokens at the chosen detail; None until the model has counted."""
        most = self.use.most_tokens if self.use is not None else 0
        return next((level.count for level in self.levels if level.most_tokens == most), None)

    @property
    def choices(self) -> tuple[DetailLevel, ...]:
        """The distinct levels of detail, one for each token count, fewest first."""
        # Several limits may lead to the same picture for the model; the lowest stands for them.
        different: dict[int, DetailLevel] = {}
        for level in self.levels:
            different.setdefault(level.count.tokens, level)
        return tuple(different[tokens] for tokens in sorted(different))

    @property
    def remarks(self) -> str:
        """Notes for the user, such as a truncated file or skipped frames."""
        said = [tr(PICTURE_CUT_OFF)] if self.is_cut else []
        if self.frames > 1:
            said.append(tr(FIRST_FRAME_ONLY, count=self.frames))
        return " ".join(said)

    def is_in(self, talk: AnswerService | None, conversation_id: int | None) -> bool:
        return self.talk is talk and self.conversation_id == conversation_id


@dataclass(frozen=True)
class KeptPicture:
    """Result of attaching a picture: its preview, and its use in the store."""

    use: MediaUse
    image: QImage
    frames: int
    is_cut: bool


Outcome = KeptPicture | AppError


def size_words(use: MediaUse) -> str:
    """Format a picture's size, such as "4,000 × 3,000"."""
    return f"{use.media.width:,} × {use.media.height:,}"


def count_words(use: MediaUse, count: MediaCount, host: str = "") -> str:
    """Describe how the model gets a picture: "sent at 1,536 × 1,024, 1,020 tokens", with the duration if it is long.

    With a `host` the model runs there, and the token count is an estimate.
    """
    size = f"{count.width:,} × {count.height:,}"
    is_other_size = bool(count.width) and (count.width, count.height) != (use.media.width, use.media.height)
    if host:
        tokens = tr(ABOUT_TOKENS, count=f"{count.tokens:,}")
        if is_other_size:
            return tr("sent to {host} at {size}, {tokens}", host=host, size=size, tokens=tokens)
        return tr("sent to {host}, {tokens}", host=host, tokens=tokens)
    tokens = tr("1 token") if count.tokens == 1 else tr(TOKEN_COUNT, count=f"{count.tokens:,}")
    if is_other_size:
        words = tr("sent at {size}, {tokens}", size=size, tokens=tokens)
    else:
        words = f"{size_words(use)}, {tokens}"
    if count.seconds >= SLOW_S:
        words += ", " + tr(LOOKED_AT_SECONDS, seconds=round(count.seconds))
    return words


class PictureChip(DocumentChip):
    """Attachment chip with a preview instead of an icon, and a button for the detail if there is a choice."""

    detail_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._thumbnail: Thumbnail | None = None
        super().__init__(theme, parent)
        thumbnail = self._thumbnail = Thumbnail(theme)
        # The chip is one button, and the preview a part of it.
        thumbnail.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        thumbnail.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._row.replaceWidget(self._icon, thumbnail)
        self._icon.hide()
        self.detail = IconButton(theme, "sliders", tr("Detail"), size_px=16)
        self.detail.clicked.connect(self.detail_wanted)
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
                            draft_picture.remarks,
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
        self.models = text_button(models, "link")
        self.models.clicked.connect(lambda _=False: self.models_wanted.emit())
        row = QHBoxLayout(self)
        row.addWidget(words, 1)
        self.instead = text_button(instead, "link")
        self.instead.clicked.connect(lambda _=False: self.instead_wanted.emit())
        self.instead.hide()
        row.addWidget(self.instead)
        row.addWidget(self.models)
        theme.dress(row, margins=(0, 0, 0, 0), spacing=12)
        theme.dress(words, self.models, self.instead, font=(13, 400))
        self.hide()


class DraftPictures(QObject):
    """Pictures of the visible draft, and those still loading for other drafts.

    `model` returns the loaded model; `is_free` tells whether it can be asked for token counts now.
    """

    changed = Signal()

    def __init__(
        self,
        theme: Theme,
        notify: Notify,
        model: Callable[[], ModelLoaded | None],
        is_free: Callable[[], bool],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._theme, self._notify, self._window = theme, notify, window
        self._model, self._is_free = model, is_free
        self._talk: AnswerService | None = None
        self._draft_of: int | None = None
        self._pictures: list[DraftPicture] = []
        self._taken_out: list[DraftPicture] = []
        """Removed pictures that undo can restore."""
        self._waiting: list[DraftPicture] = []
        self._decoding: tasks.BackgroundTask | None = None
        self._counted: object = None
        """Key of the model and pictures that were counted last or are being counted, to skip repeated counts."""
        self._again = QTimer(self, singleShot=True, interval=AGAIN_MS)
        self._again.timeout.connect(self._count)

    @property
    def shown(self) -> list[DraftPicture]:
        return [picture for picture in self._pictures if picture.is_in(self._talk, self._draft_of)]

    @property
    def key(self) -> tuple[tuple[int, int], ...]:
        """Key that changes whenever the pictures would take other tokens."""
        return tuple(
            (draft_picture.use.id, draft_picture.use.most_tokens)
            for draft_picture in self.shown
            if draft_picture.use is not None
        )

    @property
    def are_there(self) -> bool:
        """True if the draft has pictures, loaded or still loading."""
        return any(not draft_picture.error for draft_picture in self.shown)

    @property
    def are_unseen(self) -> bool:
        """True if the loaded model cannot see some of the draft's pictures."""
        return bool(self.unseen)

    @property
    def unseen(self) -> list[DraftPicture]:
        """Pictures of the draft that the loaded model cannot see."""
        return [draft_picture for draft_picture in self.shown if draft_picture.is_unseen]

    def add(self, given: Sequence[Path | UnsavedPicture | QImage], name: str = "") -> None:
        """Attach files, or pasted pictures named `name`, up to the limit of pictures in a message."""
        if self._talk is None or not given:
            return
        # A file that failed may be tried again.
        known = {draft_picture.path for draft_picture in self.shown if not draft_picture.error}
        fresh = [picture for picture in given if not isinstance(picture, Path) or picture not in known]
        room = max(0, MOST_PICTURES - len(self.shown))
        for medium in fresh[:room]:
            path = (
                medium
                if isinstance(medium, Path)
                else medium.path
                if isinstance(medium, UnsavedPicture)
                else Path(name)
            )
            picture = DraftPicture(self._talk, self._draft_of, medium, path)
            self._pictures.append(picture)
            self._waiting.append(picture)
        if len(fresh) > room:
            told = tr(
                "You can attach up to {count} pictures to a message. The others were left out.", count=MOST_PICTURES
            )
            self._notify.show_notice(PersonMessage(told))
        self._begin()
        self.changed.emit()

    def add_drawn(self, picture: bytes | QImage, name: str) -> None:
        """Attach a picture that is not a file: its file contents as bytes, or its pixels."""
        self.add([UnsavedPicture(Path(name), picture) if isinstance(picture, bytes) else picture], name)

    def remove(self, gone: Sequence[DraftPicture]) -> None:
        """Remove pictures from the draft or cancel loading them; undo can restore them."""
        self._pictures = [picture for picture in self._pictures if picture not in gone]
        self._waiting = [draft_picture for draft_picture in self._waiting if draft_picture not in gone]
        kept = [draft_picture for draft_picture in gone if draft_picture.use is not None]
        with self._notify.guard():
            for draft_picture in kept:
                assert draft_picture.use is not None
                draft_picture.talk.conversations.media.remove(draft_picture.use.id)
        if kept:
            told = tr("Removed {name}.", name=short_name(kept[0].name))
            told = told if len(kept) == 1 else tr("Removed {count} pictures.", count=len(kept))
            self._taken_out = [*self._taken_out, *kept][-MOST_PICTURES:]
            self._notify.undo(told, lambda: self._put_back(kept))
        self.changed.emit()

    def show(self, talk: AnswerService, draft_of: int | None) -> None:
        """Show the pictures of a draft. Those loading for another draft continue, unless that was a temporary chat."""
        # A temporary chat that was left keeps nothing.
        if self._talk is not talk and self._talk is not None and self._talk.is_temporary:
            self._forget(self._talk)
        self._talk, self._draft_of = talk, draft_of
        # What is still being opened stays, for whichever draft it is.
        self._pictures = [picture for picture in self._pictures if picture.is_on_its_way]
        uses: list[MediaUse] = []
        with self._notify.guard():
            uses = talk.conversations.media.in_draft(draft_of)
        restored = [
            DraftPicture(talk, draft_of, Path(use.name), Path(use.name), stage=Stage.READ, use=use) for use in uses
        ]
        self._pictures = [*restored, *self._pictures]
        if restored:
            tasks.run(lambda _token: _with_images(restored), self).event.connect(lambda _: self.changed.emit())
        self._counted = None
        self.refresh_counts()

    def sent(self, conversation_id: int) -> None:
        """Clear the draft after it was sent. Pictures restored by undo belong to this chat's next draft."""
        for draft_picture in [
            draft_picture for draft_picture in self._taken_out if draft_picture.is_in(self._talk, self._draft_of)
        ]:
            draft_picture.conversation_id = conversation_id
            if draft_picture.use is not None:
                draft_picture.use = replace(draft_picture.use, conversation_id=conversation_id)
        gone = self.shown
        self._pictures = [picture for picture in self._pictures if picture not in gone]
        self._draft_of = conversation_id
        self.changed.emit()

    def refresh_counts(self) -> None:
        """Count tokens again if another model is loaded or the model became free."""
        model = self._model()
        for draft_picture in self.shown:
            draft_picture.is_unseen = model is not None and not model.sees
            draft_picture.host = model.host if isinstance(model, ModelElsewhere) else ""
            # Without a model nothing is known of its sizes.
            if model is None:
                draft_picture.levels = ()
        self._count()
        self.changed.emit()

    def choose_detail(self, draft_picture: DraftPicture, chip: QWidget) -> None:
        """Open a slider for the detail above the picture's chip, if the model offers a choice."""
        if draft_picture.use is None or len(draft_picture.choices) < 2:
            return
        popup = DetailPopup(self._theme, draft_picture, self._window)
        popup.chosen.connect(lambda most: self._set_detail(draft_picture, most))
        popup.place_above(chip)
        popup.show()

    def show_menu(self, draft_picture: DraftPicture, at: QPoint, offers: Sequence[FileAction]) -> None:
        offers_menu(draft_picture, offers, self._window).popup(at)

    def _set_detail(self, draft_picture: DraftPicture, most_tokens: int) -> None:
        if draft_picture.use is None:
            return
        with self._notify.guard():
            draft_picture.talk.conversations.media.set_most_tokens(draft_picture.use.id, most_tokens)
            draft_picture.use = replace(draft_picture.use, most_tokens=most_tokens)
        self.changed.emit()

    def _put_back(self, gone: Sequence[DraftPicture]) -> None:
        with self._notify.guard():
            for draft_picture in gone:
                if draft_picture.use is not None:
                    draft_picture.talk.conversations.media.put_back(draft_picture.use)
        if self._talk is not None:
            self.show(self._talk, self._draft_of)

    def _forget(self, talk: AnswerService) -> None:
        self._waiting = [draft_picture for draft_picture in self._waiting if draft_picture.talk is not talk]
        self._pictures = [picture for picture in self._pictures if picture.talk is not talk]

    # One after the other, on a thread.

    def _begin(self) -> None:
        if self._decoding is not None or not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        for draft_picture in batch:
            draft_picture.stage = Stage.READING
        task = self._decoding = tasks.run(lambda cancel: self._open_batch(batch, cancel), self)
        task.event.connect(self._on_opened)
        task.finished.connect(self._on_end)
        task.failed.connect(self._on_end)

    def _open_batch(self, batch: Sequence[DraftPicture], cancel: CancelToken) -> Iterator[tuple[DraftPicture, Outcome]]:
        """Open a batch in one child process and yield each outcome. Pictures removed meanwhile are skipped."""
        for talk in dict.fromkeys(draft_picture.talk for draft_picture in batch):
            begun: list[DraftPicture] = []

            def files(
                # Bound now, since the loop makes another list for each chat.
                own: Iterable[DraftPicture],
                begun: list[DraftPicture] = begun,
            ) -> Iterator[Path | UnsavedPicture]:
                for draft_picture in own:
                    # Removed while others were opened.
                    if draft_picture in self._pictures:
                        begun.append(draft_picture)
                        yield _file_of(draft_picture)

            for found in talk.media.add_several(files(picture for picture in batch if picture.talk is talk), cancel):
                # The child asks for one file at a time, so the last one begun is what was found.
                yield begun[-1], _outcome(begun[-1], found)

    def _on_opened(self, told: tuple[DraftPicture, Outcome]) -> None:
        picture, outcome = told
        if isinstance(outcome, AppError):
            picture.stage, picture.error = Stage.FAILED, sentence_for(outcome).text
            announce(self._window, picture.error)
        elif picture not in self._pictures:  # removed at the last moment
            with self._notify.guard():
                picture.talk.conversations.media.remove(outcome.use.id)
        else:
            picture.use, picture.image, picture.frames, picture.is_cut = (
                outcome.use,
                outcome.image,
                outcome.frames,
                outcome.is_cut,
            )
            picture.given, picture.stage = picture.path, Stage.READ
            # The draft may have been left and shown again meanwhile, which has put the picture in already.
            again = [other for other in self._pictures if other.use is not None and other.use.id == picture.use.id]
            self._pictures = [other for other in self._pictures if other is picture or other not in again]
            announce(self._window, ", ".join((picture.name, size_words(outcome.use), tr("attached"))))
        self.refresh_counts()

    def _on_end(self, error: BaseException | None = None) -> None:
        self._decoding = None
        # The child ended before it came to these.
        for draft_picture in [
            picture for picture in self._pictures if picture.stage is Stage.READING and picture.use is None
        ]:
            draft_picture.stage = Stage.FAILED
            draft_picture.error = (
                sentence_for(error).text if error is not None else tr("Couldn’t open {name}.", name=draft_picture.name)
            )
        if error is not None and not isinstance(error, AppError):
            self._notify.error(error)
        self._begin()
        self.refresh_counts()

    # Token counts, from the model itself.

    def _count(self) -> None:
        model = self._model()
        wanted = [
            draft_picture
            for draft_picture in self.shown
            if draft_picture.use is not None and not draft_picture.is_unseen
        ]
        if model is None or not wanted or self._talk is None:
            return
        key = (
            model.path,
            model.projector,
            tuple(draft_picture.use.media.sha256 for draft_picture in wanted if draft_picture.use is not None),
        )
        if key == self._counted:
            return
        if not self._is_free():
            self._again.start()
            return
        self._counted, looks = key, self._talk.looks
        # All levels at once: the slider shows which of them differ.
        uses = [
            replace(picture.use, most_tokens=most) for picture in wanted if picture.use is not None for most in LEVELS
        ]
        tasks.ask(
            lambda _token: looks.media_counts(uses),
            self,
            lambda counts: self._on_counted(wanted, counts),
            _raise_unexpected,
        )

    def _on_counted(self, pictures: Sequence[DraftPicture], counts: Sequence[MediaCount]) -> None:
        # The model has gone.
        if len(counts) != len(pictures) * len(LEVELS):
            self._counted = None
            return
        for number, picture in enumerate(pictures):
            own = counts[number * len(LEVELS) : (number + 1) * len(LEVELS)]
            picture.levels = tuple(DetailLevel(most, count) for most, count in zip(LEVELS, own, strict=True))
        self.changed.emit()


def _raise_unexpected(error: BaseException) -> None:
    # Nobody asked for the count, so an expected error shows no notice.
    if not isinstance(error, AppError):
        raise error


def _file_of(draft_picture: DraftPicture) -> Path | UnsavedPicture:
    return (
        UnsavedPicture(draft_picture.path, as_png(draft_picture.given))
        if isinstance(draft_picture.given, QImage)
        else draft_picture.given
    )


def _outcome(draft_picture: DraftPicture, found: MediumAdded | FileRefused) -> Outcome:
    try:
        return _store_picture(draft_picture, found) if isinstance(found, MediumAdded) else found.error
    # The error is this picture's; the others come all the same.
    except AppError as error:
        return error


def _store_picture(draft_picture: DraftPicture, found: MediumAdded) -> KeptPicture:
    media = draft_picture.talk.conversations.media
    use = media.put_into_draft(draft_picture.conversation_id, found.media.sha256, draft_picture.path.name)
    return KeptPicture(use, read_rows(draft_picture.talk.media.preview_path(found.media)), found.frames, found.is_cut)


def _with_images(pictures: Sequence[DraftPicture]) -> Iterator[DraftPicture]:
    for picture in pictures:
        assert picture.use is not None
        try:
            picture.image = read_rows(picture.talk.media.preview_path(picture.use.media))
        except AppError as error:
            picture.image, picture.error = QImage(), sentence_for(error).text
        yield picture


# Detail of a picture: as many steps as differ for the model.

WIDTH_PX = 300


class DetailPopup(QFrame):
    """Slider for the detail of a picture. `chosen` carries the token limit; Escape or a click outside closes it."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, draft_picture: DraftPicture, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        assert draft_picture.use is not None
        self._theme, self._use, self._choices, self._host = (
            theme,
            draft_picture.use,
            draft_picture.choices,
            draft_picture.host,
        )
        self.setObjectName("detail_popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
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
        ends.addWidget(few)
        ends.addStretch(1)
        ends.addWidget(many)
        self.words = plain_label(wraps=True)
        column = QVBoxLayout(self)
        column.addWidget(title)
        column.addWidget(self.slider)
        column.addLayout(ends)
        column.addWidget(self.words)
        theme.dress(self, width=WIDTH_PX)
        theme.dress(column, margins=(16, 14, 16, 14), spacing=8)
        theme.dress(title, font=(14, 600))
        theme.dress(self.words, few, many, font=(13, 400))
        self.slider.valueChanged.connect(self._on_moved)
        self._show_count()
        self.slider.setFocus()

    def place_above(self, widget: QWidget) -> None:
        # Before it is shown a popup has no fonts yet, which its height needs.
        self.ensurePolished()
        self.adjustSize()
        self.move(widget.mapToGlobal(QPoint(0, -self.height() - self._theme.px(6))))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        else:
            super().keyPressEvent(event)

    def _on_moved(self) -> None:
        self._show_count()
        self.chosen.emit(self._choices[self.slider.value()].most_tokens)

    def _show_count(self) -> None:
        words = count_words(self._use, self._choices[self.slider.value()].count, self._host)
        self.words.setText(words)
        self.slider.setAccessibleDescription(words)


def offers_of(
    pictures: DraftPictures, open_large: Callable[[Any], object], as_text: Callable[[Any], object]
) -> list[FileAction]:
    """Return the actions for a picture of the draft."""
    return [
        FileAction(tr(OPEN), open_large, lambda draft_picture: draft_picture.use is not None),
        FileAction(
            tr("Read its text instead"),
            as_text,
            lambda draft_picture: draft_picture.given == draft_picture.path and draft_picture.path.is_file(),
        ),
        FileAction(tr(REMOVE), lambda draft_picture: pictures.remove([draft_picture])),
        FileAction(
            tr("Remove all pictures"),
            lambda _one: pictures.remove(pictures.shown),
            lambda _one: len(pictures.shown) > 1,
        ),
    ]


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
        menu = QMenu(window)
        menu.setObjectName("sent_picture_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr(OPEN), lambda: self(uses, number))
        menu.addAction(tr(COPY_PICTURE), lambda: large_picture.copy_picture(use, library, self._notify, window))
        menu.addAction(tr(SAVE_PICTURE), lambda: large_picture.ask_where_to_save(use, library, self._notify, window))
        menu.popup(at)
