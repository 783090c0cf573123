"""One turn of a conversation: what question and answer have in common, and the actions under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from app.core.events import Role
from app.features.chat.documents import Source, source_from_fields, source_on_page
from app.features.documents import Mark, page_mark
from app.store.conversations import Attachment, StoredMessage, Use
from app.store.documents import StoredDocument
from app.ui.document.files import PageChip
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.layouts import FlowLayout

if TYPE_CHECKING:
    from app.features.chat.answers import Chat
    from app.store.conversations import StoredMessage


ACTIONS_PX = 40
ROW_PX = 30
"""The room below a turn, and of that the actions themselves: they keep their distance from what is above and below."""
ICON_PX = 17
BUTTON_PX = (25, 29)
GAP_PX = 6


@dataclass(frozen=True)
class Action:
    """Something to do with a turn: its name in code, its glyph, its name for people."""

    name: str
    glyph: str
    label: str
    checked: bool = False


class ActionRow(QWidget):
    """Icon buttons, ‹ 2/3 › where versions exist, and a note at the other end."""

    pressed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("turn_actions")
        self._theme = theme
        self._actions: tuple[Action, ...] = ()
        self._version = ""
        self._buttons: list[IconButton] = []
        self._count = QLabel(self, textFormat=Qt.TextFormat.PlainText)
        self._note = QLabel(self, textFormat=Qt.TextFormat.PlainText)
        for label in (self._count, self._note):
            label.setProperty("kind", "muted")

    def show_actions(self, actions: Sequence[Action], version: str, note: str) -> None:
        """Replaces the buttons where they differ; `version` is "2/3" or empty."""
        self._note.setText(note)
        self._note.setFont(self._theme.font(12.5, 500))
        self._count.setText(version)
        self._count.setFont(self._theme.font(13, 500))
        if tuple(actions) != self._actions or bool(version) != bool(self._version):
            self._actions = tuple(actions)
            for button in self._buttons:
                button.hide()
                button.deleteLater()
            self._buttons = [self._new_button(action) for action in actions]
            if version:
                self._buttons.append(self._new_button(Action("previous", "caret-left", tr("Previous version"))))
                self._buttons.append(self._new_button(Action("next", "caret-right", tr("Next version"))))
        if version:
            number, _, count = version.partition("/")
            self._buttons[-2].setEnabled(number != "1")
            self._buttons[-1].setEnabled(number != count)
        self._version = version
        self.arrange()

    def button(self, label: str) -> IconButton | None:
        """The button with this accessible name."""
        return next((button for button in self._buttons if button.accessibleName() == label), None)

    def arrange(self) -> None:
        """Buttons at the leading end for an answer, at the trailing end for a question; see `align_end`.

        The versions are outermost, so that they stay where they are when the actions come.
        """
        px = self._theme.px
        button_width, button_height, gap = px(BUTTON_PX[0]), px(BUTTON_PX[1]), px(GAP_PX)
        count_width = self._count.sizeHint().width() if self._version else 0
        width = len(self._buttons) * (button_width + gap) - gap + count_width
        is_end = bool(self.property("align_end")) != self.isRightToLeft()
        x = self.width() - width if is_end else 0
        order = list(self._buttons)
        if self._version and not self.property("align_end"):
            order = [*order[-2:], *order[:-2]]
        for button in order:
            if self._version and button is self._buttons[-1]:
                self._count.setGeometry(x, 0, count_width, self.height())
                x += count_width
            button.setGeometry(x, (self.height() - button_height) // 2, button_width, button_height)
            x += button_width + gap
        self._count.setVisible(bool(self._version))
        note_width = self._note.sizeHint().width()
        is_room = note_width + width < self.width()
        self._note.setVisible(is_room and bool(self._note.text()))
        self._note.setGeometry(0 if self.isRightToLeft() else self.width() - note_width, 0, note_width, self.height())

    def resizeEvent(self, _event: object) -> None:
        self.arrange()

    def _new_button(self, action: Action) -> IconButton:
        button = IconButton(self._theme, action.glyph, action.label, size_px=ICON_PX, parent=self)
        button.setCheckable(action.checked)
        button.setChecked(action.checked)
        button.clicked.connect(lambda: self.pressed.emit(action.name))
        button.show()
        return button


class Turn(QWidget):
    """A question or an answer. It is a tab stop; its actions appear under the pointer or with the focus."""

    wanted = Signal(str, object)
    """An action's name and this turn."""
    resized = Signal(object)
    """The turn needs another height."""
    link_clicked = Signal(str)
    place_wanted = Signal(int, object)
    """A document's id, and the `Mark` in it or None for its beginning."""

    role: ClassVar[Role]
    """Who speaks in it: what a turn is can be asked without what draws it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.message: StoredMessage | None = None
        self.is_last = False
        self.is_forgotten = False
        """Whether the model is not shown it any more."""
        self.is_resting = False
        """Whether its texts have no views: nobody is near."""
        self._row: ActionRow | None = None
        self._is_hovered = False
        self._is_focused = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self._on_theme_changed)

    def set_last(self, is_last: bool) -> None:
        """Whether it is the conversation's last turn."""
        if is_last != self.is_last:
            self.is_last = is_last
            self.update_actions()

    def set_forgotten(self, is_forgotten: bool) -> None:
        """Whether the model is not shown it any more: it can then be brought back."""
        if is_forgotten != self.is_forgotten:
            self.is_forgotten = is_forgotten
            self.update_actions()

    def set_focused(self, is_focused: bool) -> None:
        """Whether the keyboard is on it or in it."""
        if is_focused != self._is_focused:
            self._is_focused = is_focused
            self.update_actions()
            self.update()

    def rest(self) -> None:
        """Gives the views of its texts away; its height stays."""
        self.is_resting = True

    def wake(self) -> None:
        """Makes the views of its texts again."""
        self.is_resting = False

    def arrange(self, width: int, *, is_again: bool = False) -> int:
        """Places the parts for this width; returns the height."""
        raise NotImplementedError

    def show_documents(self, documents: BranchDocuments) -> None:
        """The documents of the branch, of which this turn shows what is its own."""

    def actions_offered(self) -> Sequence[Action]:
        """What can be done now."""
        raise NotImplementedError

    def note(self) -> str:
        """What stands at the end of the row."""
        return ""

    def are_actions_shown(self) -> bool:
        """On hover or focus."""
        return self.message is not None and (self._is_hovered or self._is_focused)

    @property
    def row(self) -> ActionRow | None:
        """The actions, once they were needed."""
        return self._row

    def update_actions(self) -> None:
        """Makes, changes or hides the actions."""
        self.update()
        is_whole = self.are_actions_shown()
        if not is_whole and not self.are_versions_shown():
            if self._row is not None:
                self._row.hide()
            return
        if self._row is None:
            self._row = ActionRow(self.theme, self)
            self._row.setProperty("align_end", self.property("align_end"))
            self._row.pressed.connect(lambda name: self.wanted.emit(name, self))
        self._row.setGeometry(self.row_rect())
        is_pinned = self.message is not None and self.message.pinned
        offered = self.actions_offered() if is_whole else ()
        actions = self._with_memory(offered) if is_whole or is_pinned else ()
        self._row.show_actions(actions, self._version(), self.note() if is_whole else "")
        self._row.show()

    def show_copied(self) -> None:
        """Says on its button that it was copied."""
        button = self._row.button(tr("Copy")) if self._row is not None else None
        if button is not None:
            button.show_done(tr("Copied"))

    def row_rect(self) -> QRect:
        """Where the actions are: in the middle of the room at the bottom."""
        px = self.theme.px
        return QRect(0, self.height() - (px(ACTIONS_PX) + px(ROW_PX)) // 2, self.width(), px(ROW_PX))

    def _with_memory(self, actions: Sequence[Action]) -> list[Action]:
        """What keeps a message before the model's eyes goes before the last action, which deletes."""
        message = self.message
        if message is None or not message.text:
            return list(actions)
        if message.pinned:
            memory = Action("unpin", "push-pin-slash", tr("Unpin"))
        elif self.is_forgotten:
            memory = Action("pin", "arrow-u-down-left", tr("Bring back"))
        else:
            memory = Action("pin", "push-pin", tr("Pin: the model always sees this"))
        return [*actions[:-1], memory, *actions[-1:]]

    def are_versions_shown(self) -> bool:
        """That there is another version is seen at any time, not only under the pointer."""
        return bool(self._version())

    def _version(self) -> str:
        versions = self.message.versions if self.message else ()
        if self.message is None or len(versions) < 2 or self.message.id not in versions:
            return ""
        return f"{versions.index(self.message.id) + 1}/{len(versions)}"

    def resizeEvent(self, _event: object) -> None:
        if self._row is not None:
            self._row.setGeometry(self.row_rect())

    def enterEvent(self, event: QEnterEvent) -> None:
        self._is_hovered = True
        self.update_actions()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._is_hovered = False
        self.update_actions()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+C on a turn copies all of it."""
        if event.matches(QKeySequence.StandardKey.Copy) and self.hasFocus():
            self.wanted.emit("copy", self)
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.message is not None and self.message.pinned and (self._row is None or self._row.isHidden()):
            self._paint_pin()

    def _paint_pin(self) -> None:
        """A pinned message says so where its actions appear."""
        px, tokens = self.theme.px, self.theme.tokens
        painter = QPainter(self)
        painter.setFont(self.theme.font(12.5, 500))
        painter.setPen(QColor(tokens.muted))
        row, size, words = self.row_rect(), px(14), tr("Pinned")
        width = size + px(6) + painter.fontMetrics().horizontalAdvance(words)
        is_right = bool(self.property("align_end")) != self.isRightToLeft()
        left = row.right() - width - px(4) if is_right else px(2)
        glyph = QRect(left + (width - size if self.isRightToLeft() else 0), row.center().y() - size // 2, size, size)
        icon("push-pin", tokens.muted, size).paint(painter, glyph)
        room = QRect(left + (0 if self.isRightToLeft() else size + px(6)), row.y(), width, row.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

    def _on_theme_changed(self) -> None:
        self.update_actions()
        self.resized.emit(self)


# A line of words and page chips: where an answer may come from, or which passages the model was shown.


class SourceRow(QWidget):
    """Wraps into several lines; empty, it takes no room."""

    place_wanted = Signal(int, object)
    """A document's id and the `Mark` in it."""

    def __init__(self, theme: Theme, parent: QWidget, *, is_at_end: bool = False) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[object, ...] = ()
        self._flow = FlowLayout(self, is_at_end=is_at_end)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def chips(self) -> list[PageChip]:
        """The chips, in order."""
        return [chip for chip in self.findChildren(PageChip) if not chip.isHidden()]

    @property
    def text(self) -> str:
        """All that is said, chips included."""
        items = [self._flow.itemAt(place) for place in range(self._flow.count())]
        widgets = [item.widget() for item in items if item is not None]
        return " ".join(widget.text() for widget in widgets if isinstance(widget, QLabel | PageChip))

    def show_places(self, lead: str, places: Sequence[Place], tail: str = "") -> None:
        """Words, chips, and more words; without places nothing is shown."""
        shown = (lead, tuple(places), tail)
        if shown == self._shown:
            return
        self._shown = shown
        self._flow.clear()
        self.setVisible(bool(places))
        if not places:
            return
        self._add_words(lead)
        for place in places:
            chip = PageChip(self._theme, place.text.replace("&", "&&"), place.spoken)
            chip.clicked.connect(lambda _=False, place=place: self.place_wanted.emit(place.document_id, place.mark))
            self._flow.addWidget(chip)
            chip.show()
        if tail:
            self._add_words(tail)
        self.setAccessibleName(lead)

    def height_for(self, width: int) -> int:
        """How high the line is at this width; 0 without places."""
        return 0 if self.isHidden() else self._flow.heightForWidth(width)

    def _add_words(self, words: str) -> None:
        label = QLabel(words, textFormat=Qt.TextFormat.PlainText)
        label.setProperty("kind", "muted")
        label.setFont(self._theme.font(13))
        self._flow.addWidget(label)
        label.show()

    def _on_theme_changed(self) -> None:
        self._flow.gap_px = self._theme.px(6)
        for label in self.findChildren(QLabel):
            label.setFont(self._theme.font(13))


# The documents of the chat that is shown: which message has which, and where a page or a sentence stands in them.


MOST_PLACES = 8
MOST_QUOTED = 28


@dataclass(frozen=True)
class Place:
    """Something to click on: its words, what a screen reader says, and what opens."""

    text: str
    spoken: str
    document_id: int
    mark: Mark | None


@dataclass(frozen=True)
class AttachedDocument:
    """A document at a message, with the size that is known of it (tokens, None where it was not counted)."""

    attachment: Attachment
    document: StoredDocument
    tokens: int | None = None


class BranchDocuments:
    """Read at once for a whole branch; everything it says comes from memory or from one short look into the store."""

    def __init__(self) -> None:
        self._talk: Chat | None = None
        self._of_message: dict[int, list[Attachment]] = {}
        self._documents: dict[int, StoredDocument] = {}
        self._has_page: dict[int, bool] = {}
        self._counts: dict[int, int] = {}
        self.tokens: dict[int, int] = {}
        """What documents take for the loaded model, as far as it was counted."""

    def load(self, talk: Chat, messages: Sequence[StoredMessage]) -> None:
        """Another branch; raises what the store raises."""
        if talk is not self._talk:
            self._documents.clear()
            self._counts.clear()
            self.tokens.clear()
        self._talk, self._has_page = talk, {}
        self._of_message = talk.documents.attachments.of_messages([one.id for one in messages])
        wanted = {one.document_id for attached in self._of_message.values() for one in attached}
        known = {number: document for number, document in self._documents.items() if number in wanted}
        for number in wanted - set(known):
            document = talk.documents.store.get(number)
            if document is not None:
                known[number] = document
        self._documents = known

    @property
    def ids(self) -> list[int]:
        """The documents, in the order in which they were attached."""
        found = [one.document_id for attached in self._of_message.values() for one in attached]
        return [number for number in dict.fromkeys(found) if number in self._documents]

    def attached(self, message_id: int) -> list[AttachedDocument]:
        """What a message has of its own."""
        return [
            AttachedDocument(one, self._documents[one.document_id], self.tokens.get(one.document_id))
            for one in self._of_message.get(message_id, ())
            if one.use is not Use.PASSAGES and one.document_id in self._documents
        ]

    def passages(self, message_id: int) -> list[tuple[StoredDocument, list[Place], int]]:
        """For each document of which the model was shown passages: where they are, and how many places more."""
        found = []
        for one in self._of_message.get(message_id, ()):
            document = self._documents.get(one.document_id)
            if document is not None and one.passages:
                places = self._places_of_passages(document, one.passages)
                found.append((document, places[:MOST_PLACES], len(places) - MOST_PLACES))
        return found

    def is_all_shown(self, document: StoredDocument, message_id: int) -> bool:
        """Whether the passages of a message are the whole document."""
        shown = {n for a in self._of_message.get(message_id, ()) if a.document_id == document.id for n in a.passages}
        assert self._talk is not None
        if document.id not in self._counts:
            self._counts[document.id] = self._talk.documents.store.block_count(document.id)
        return len(shown) >= self._counts[document.id]

    def sources(self, message: StoredMessage) -> list[Place]:
        """Where an answer may come from: distinct pages in order."""
        places: dict[tuple[int, object], Place] = {}
        for fields in message.sources:
            try:
                source = source_from_fields(fields)
            except TypeError:  # written by a newer version
                continue
            key = (source.document_id, source.page or f"block {source.block_id}")
            if source.document_id in self._documents and key not in places:
                places[key] = self._place(source)
        return list(places.values())[:MOST_PLACES]

    def has_page(self, page: int) -> bool:
        """Whether some document has text on such a page."""
        if page not in self._has_page:
            self._has_page[page] = any(self._has_blocks(number, page) for number in self.ids)
        return self._has_page[page]

    def find_page(self, sentence: str, page: int) -> tuple[int, Mark] | None:
        """What fits a sentence best on such a page: the document's id and the place in it."""
        assert self._talk is not None
        store = self._talk.documents.store
        found = [source_on_page(sentence, 0, page, number, store) for number in self.ids]
        sources = [one for one in found if one is not None]
        best = max(sources, key=lambda one: one.end - one.start, default=None)
        return (best.document_id, Mark(best.block_id, best.start, best.end)) if best is not None else None

    def _has_blocks(self, document_id: int, page: int) -> bool:
        document = self._documents[document_id]
        if self._talk is None or not document.unit or not 1 <= page <= document.pages:
            return False
        blocks = self._talk.documents.store.blocks_of_page(document_id, page)
        return any(one["page"] == page for one in blocks)

    def _place(self, source: Source) -> Place:
        document = self._documents[source.document_id]
        mark = Mark(source.block_id, source.start, source.end)
        return self._place_at(document, source.page, mark, is_named=len(self._documents) > 1)

    def _places_of_passages(self, document: StoredDocument, passages: Sequence[int]) -> list[Place]:
        assert self._talk is not None
        blocks = self._talk.documents.some_blocks(document.id, list(passages))
        places: dict[object, Place] = {}
        last = 0
        for block in blocks:
            key = block.page if document.unit else (block.id if block.id != last + 1 else None)
            last = block.id
            if key is not None and key not in places:
                places[key] = self._place_at(document, block.page, Mark(block.id), is_named=False)
        return list(places.values())

    def _place_at(self, document: StoredDocument, page: int | None, mark: Mark, *, is_named: bool) -> Place:
        words = page_mark(document.unit, page) or self._quoted(document.id, mark)
        where = f"{document.unit} {page}" if document.unit and page else words
        text = f"{_brief(document.name)} {words}" if is_named else words
        return Place(text, tr("{where} of {name}", where=where, name=document.name), document.id, mark)

    def _quoted(self, document_id: int, mark: Mark) -> str:
        """The beginning of what is there, for documents without pages."""
        assert self._talk is not None
        blocks = self._talk.documents.some_blocks(document_id, [mark.block_id])
        text = " ".join(blocks[0].text[mark.start : mark.start + 4 * MOST_QUOTED].split()) if blocks else ""
        if len(text) > MOST_QUOTED:
            text = text[:MOST_QUOTED].rsplit(" ", 1)[0] + "…"
        return f"“{text}”"


def _brief(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:14]}…{name[-8:]}"
