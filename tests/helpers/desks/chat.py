"""The chat: the message field with its documents, the turns, the divider, what the model is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication, QMouseEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QMenu,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from app.bootstrap import Fireside
from app.features.chat.context_fitting import PromptBreakdown
from app.ui.chat.answer_view import AnswerView, StateLine, ThinkingView
from app.ui.chat.attaching import ChatAttachments
from app.ui.chat.attachment_row import AttachmentRow, DraftChip, TooLong
from app.ui.chat.branch_documents import SourceRow
from app.ui.chat.chat_notices import ComposerNote
from app.ui.chat.chat_view import ChatView
from app.ui.chat.composer import Composer, SendButton
from app.ui.chat.composer_menu import ComposerMenuButton
from app.ui.chat.composer_prompts import ComposerPrompts
from app.ui.chat.details import BranchMap
from app.ui.chat.message_field import MessageEdit
from app.ui.chat.message_queue import QueueChip, QueueView
from app.ui.chat.question import QuestionView
from app.ui.chat.session_work import DocumentCounting
from app.ui.chat.survey import SurveyOffer, SurveyOffering
from app.ui.chat.thinking_choice import THINKING_TIME, ThinkingChoice
from app.ui.chat.transcript import ChatTranscript, TurnDivider
from app.ui.chat.turn import TurnView
from app.ui.chat.welcome import EmptyState
from app.ui.document.document_chip import DocumentChip, PageChip
from app.ui.shared_labels import THINKING
from app.ui.shell.notify import Notify
from app.ui.text.prose import ProseView
from app.ui.text.text_view import TextView
from app.ui.theme import Theme
from tests.helpers.desks.desk import NO_KEYS, WAIT_MS, Found
from tests.helpers.desks.dialogs import FileQuestions
from tests.helpers.script import media, prompts, requests


class ChatDesk(FileQuestions):
    """One chat, and what a person does with it."""

    root: ChatView

    composer = Found(Composer)
    field = Found(MessageEdit, "message")
    note_line = Found(QLabel, "composer_note")
    send = Found(SendButton)
    plus = Found(ComposerMenuButton)
    thinking_choice = Found(ThinkingChoice)
    thinking_button = Found(QPushButton, "thinking_choice")
    row = Found(AttachmentRow)
    too_long = Found(TooLong)
    transcript = Found(ChatTranscript)
    divider = Found(TurnDivider)
    empty = Found(EmptyState)
    attaching = Found(ChatAttachments)
    survey_offer = Found(SurveyOffer)
    queue = Found(QueueView)
    offering = Found(SurveyOffering)
    prompt_library = Found(ComposerPrompts)
    composer_note = Found(ComposerNote)
    counting = Found(DocumentCounting)

    def __init__(
        self, chat: ChatView, app: Fireside, notify: Notify, theme: Theme | None = None, script: Path | None = None
    ) -> None:
        super().__init__(chat, app, notify)
        self.chat, self.theme, self.script = chat, theme, script

    def hear_requests(self, kind: type) -> list[Any]:
        """What is requested of the window from now on, of one kind."""
        told: list[Any] = []
        self.chat.session.serve({kind: told.append})
        return told

    # The message.

    @property
    def message(self) -> str:
        """What is typed and not sent."""
        return self.composer.text

    def put_message(self, text: str) -> None:
        """In the place of what is typed."""
        self.composer.set_text(text)

    @property
    def note(self) -> str:
        """What is said below the message field."""
        return self.note_line.text()

    def type(self, text: str) -> None:
        """Into the message field."""
        self.root.focus_composer()
        QTest.keyClicks(self.field, text)

    def press(self, *keys: Qt.Key, modifier: Qt.KeyboardModifier = NO_KEYS) -> None:
        """Keys in the message field."""
        for key in keys:
            QTest.keyClick(self.field, key, modifier)

    def paste(self) -> None:
        """What is in the clipboard."""
        self.press(Qt.Key.Key_V, modifier=Qt.KeyboardModifier.ControlModifier)

    def ask(self, text: str) -> None:
        """Types, presses Enter and waits for the answer."""
        self.type(text)
        self.answer_to_enter()

    def answer_to_enter(self, timeout_ms: int = WAIT_MS) -> None:
        """Presses Enter and waits for the answer."""
        with self.hears(self.root.answer_finished, timeout_ms):
            self.press(Qt.Key.Key_Return)

    # What waits until an answer has ended.

    @property
    def queued(self) -> list[str]:
        """What waits, the next one first."""
        return [chip.text for chip in self.queue.chips] if self.queue.isVisible() else []

    @property
    def queue_words(self) -> str:
        """When that is sent."""
        return self.queue.words if self.queue.isVisible() else ""

    def queue_up(self, text: str) -> None:
        """Types and presses Enter while an answer comes."""
        self.type(text)
        self.press(Qt.Key.Key_Return)
        assert self.message == ""

    def chip_of(self, text: str) -> QueueChip:
        """One that waits."""
        return next(chip for chip in self.queue.chips if chip.text == text)

    # Turns.

    @property
    def turns(self) -> list[TurnView]:
        """Questions and answers of the chat that is shown: all of them, which a long one does without."""
        return [self.transcript.column.turn_at(index) for index in range(self.transcript.places.count)]

    @property
    def turns_made(self) -> list[TurnView]:
        """Those that exist by themselves: near what is seen."""
        return self.transcript.turns

    @property
    def message_count(self) -> int:
        """How many questions and answers there are, near or not."""
        return self.transcript.places.count

    @property
    def last(self) -> AnswerView:
        """The last answer."""
        turn = self.turns_made[-1]
        assert isinstance(turn, AnswerView)
        return turn

    def question(self, place: int = 0) -> QuestionView:
        """The turn at a place, which is a question."""
        turn = self.turns[place]
        assert isinstance(turn, QuestionView)
        return turn

    @property
    def texts(self) -> list[str]:
        """What they say."""
        return [turn.text for turn in self.turns if isinstance(turn, QuestionView | AnswerView)]

    @property
    def last_text(self) -> str:
        """What the last answer says."""
        return self.last.text

    @property
    def last_state(self) -> str:
        """What is said about the state of the last answer."""
        return next((line.text for line in self.last.findChildren(StateLine)), "")

    @property
    def last_message(self) -> Any:
        """The last answer as it is stored."""
        return self.last.message

    @property
    def last_views(self) -> list[Any]:
        """The pieces that the last answer is shown in: prose, code, tables."""
        return list(self.last.body.views)

    @property
    def is_last_body_visible(self) -> bool:
        """Whether the last answer shows anything beside its thoughts."""
        return self.last.body.isVisible()

    @property
    def thinking_line(self) -> str:
        """What is said of the thoughts of the last answer."""
        return self.thinking.findChildren(QPushButton, "thinking")[0].text()

    @staticmethod
    def chips_of(question: QuestionView) -> list[DocumentChip]:
        """The documents of a question."""
        return [chip for chip in question.findChildren(DocumentChip) if chip.isVisibleTo(question)]

    @staticmethod
    def rows_of(question: QuestionView) -> list[SourceRow]:
        """What the model was shown of each of them."""
        return [row for row in question.findChildren(SourceRow) if not row.isHidden()]

    @staticmethod
    def said_in(row: SourceRow) -> str:
        """All that a line of places says."""
        layout: Any = row.layout()
        return " ".join(layout.itemAt(place).widget().text() for place in range(layout.count()))

    @staticmethod
    def places_in(row: SourceRow) -> list[PageChip]:
        """What can be opened from a line of places."""
        return [chip for chip in row.findChildren(PageChip) if not chip.isHidden()]

    @property
    def thinking(self) -> ThinkingView:
        """The thoughts of the last answer."""
        return self.last.thinking

    @property
    def is_settled(self) -> bool:
        """Whether every turn has its height."""
        return self.transcript.is_settled

    @property
    def scroll_bar(self) -> Any:
        """How far one has scrolled."""
        return self.transcript.verticalScrollBar()

    def click_action(self, turn: TurnView, name: str) -> None:
        """Presses an icon under a turn, found by its accessible name, or else chooses a line of the turn's menu."""
        turn.set_focused(True)
        button = turn.toolbar.row.button(name) if turn.toolbar.row else None
        if button is not None:
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        else:
            menu = self.open_menu(turn)
            if name not in self.menu_lines(menu):
                index = self.turns.index(turn)
                menu.close()
                self.wait(lambda: not self.every(QMenu, "action_menu"))
                menu = self.menu_at(self.turns[index])  # one that is far from what is seen may have gone meanwhile
            self.click_menu(menu, name)

    def open_menu(self, turn: TurnView) -> QMenu:
        """What can be done with a turn besides what stands under it in icons, by the icon for it."""
        turn.set_focused(True)
        assert turn.toolbar.row is not None
        self.click(turn.toolbar.row.more)
        return self.find_step(QMenu, "action_menu")

    def menu_at(self, turn: TurnView) -> QMenu:
        """Everything that can be done with a turn, by the right button."""
        self._click_right(turn, turn.rect().center())
        return self.find_step(QMenu, "action_menu")

    def picture_menu(self, picture: QWidget) -> QMenu:
        """What can be done with a picture that was sent, by the right button."""
        self._click_right(picture, picture.rect().center())
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        return menu

    def selection_menu(self, view: TextView, position: int = 1) -> QMenu:
        """What can be done with what is selected, by the right button on a place in it."""
        self._click_right(view.viewport(), self.place_of(view, position))
        return self.find_step(QMenu, "selection_menu")

    def link_menu(self, view: TextView, position: int) -> QMenu:
        """What can be done with a link, by the right button on a place in it."""
        self._click_right(view.viewport(), self.place_of(view, position))
        return self.find_step(QMenu, "link_menu")

    # Selecting.

    @staticmethod
    def place_of(view: TextView, position: int) -> QPoint:
        """Where a character of a text begins, in its viewport."""
        cursor = QTextCursor(view.document())
        cursor.setPosition(position)
        return view.cursorRect(cursor).center()

    def drag(self, view: TextView, start: int, other: TextView, end: int) -> None:
        """Presses at a character of one text, moves to one of another, and lets go."""
        self.drag_to(view, start, other.viewport().mapToGlobal(self.place_of(other, end)))
        self.let_go(view)

    def drag_to(self, view: TextView, start: int, place: QPoint) -> None:
        """Presses at a character of a text and moves to a place on the screen, and stays there."""
        viewport, begin = view.viewport(), self.place_of(view, start)
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, NO_KEYS, begin)
        self._dragged_to = place
        half = (viewport.mapToGlobal(begin) + place) / 2
        for one in (half, place):  # the buttons of QTest's own moves are those of nobody
            at = QPointF(viewport.mapFromGlobal(one))
            left = Qt.MouseButton.LeftButton
            event = QMouseEvent(QEvent.Type.MouseMove, at, QPointF(one), Qt.MouseButton.NoButton, left, NO_KEYS)
            QApplication.sendEvent(viewport, event)

    def let_go(self, view: TextView) -> None:
        """The button that was pressed in a text, where the pointer is."""
        viewport = view.viewport()
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, NO_KEYS, viewport.mapFromGlobal(self._dragged_to))

    def copied(self) -> QMimeData:
        """What Ctrl+C brings."""
        QTest.keyClick(self.focus, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        return QGuiApplication.clipboard().mimeData()

    @staticmethod
    def _click_right(widget: QWidget, place: QPoint) -> None:
        """WORKAROUND: QTest's clicks ask for no menu, as those of a window system do."""
        QTest.mouseClick(widget, Qt.MouseButton.RightButton, NO_KEYS, place)
        reason = QContextMenuEvent.Reason.Mouse
        QApplication.sendEvent(widget, QContextMenuEvent(reason, place, widget.mapToGlobal(place)))

    @staticmethod
    def menu_lines(menu: QMenu) -> list[str]:
        """What a menu offers now, with what is in its submenus."""
        lines: list[str] = []
        for action in menu.actions():
            if (inside := action.menu()) is not None:
                lines += ChatDesk.menu_lines(inside)
            elif action.text() and action.isEnabled():
                lines.append(action.text())
        return lines

    @staticmethod
    def click_menu(menu: QMenu, name: str) -> None:
        """Chooses a line with the mouse, of the menu or of one of its submenus."""
        for group in menu.actions():
            inside = group.menu()
            nested = next((one for one in inside.actions() if one.text() == name), None) if inside is not None else None
            if nested is not None:  # a click in a submenu that a test opens would leave the menu itself open
                nested.trigger()
                menu.close()
                return
        action = next((one for one in menu.actions() if one.text() == name), None)
        assert action is not None, f"no {name}"
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())

    def open_map(self, turn: TurnView) -> QTreeWidget:
        """The map of all versions, from the number at a turn."""
        turn.set_focused(True)
        assert turn.toolbar.row is not None
        self.click(turn.toolbar.row.versions)
        return self.find_step(BranchMap).tree

    @staticmethod
    def branches(tree: QTreeWidget) -> list[str]:
        """What the rows of a map say, indented as they are."""

        def below(item: QTreeWidgetItem, depth: int) -> list[str]:
            rows = [f"{'  ' * depth}{item.text(0)}"]
            return rows + [row for place in range(item.childCount()) for row in below(item.child(place), depth + 1)]

        tops = [tree.topLevelItem(place) for place in range(tree.topLevelItemCount())]
        return [row for item in tops if item is not None for row in below(item, 0)]

    def link(self, turn: TurnView, name: str) -> None:
        """Presses a button inside the turn."""
        found = [b for b in turn.findChildren(QAbstractButton) if b.accessibleName() == name and b.isVisible()]
        assert found, f"no {name}"
        QTest.mouseClick(found[0], Qt.MouseButton.LeftButton)

    @property
    def last_links(self) -> list[Any]:
        """The links of the last answer: spans with their words and addresses."""
        lines = [line for view in self.last_views if isinstance(view, ProseView) for line in view.lines]
        return [span for line in lines for span in line.spans if span.href]

    def follow_link(self, href: str) -> None:
        """Clicks a link of the last answer."""
        self.last.host.link_clicked.emit(href)

    def editor_of(self, question: QuestionView) -> MessageEdit:
        """Where a question is edited."""
        assert question.editor is not None
        return question.editor.edit

    # Documents.

    def attach(self, *paths: Path) -> None:
        """Attaches files and waits until it is known whether they fit."""
        self.attaching.add(list(paths))
        self.wait_until_attached(len(paths))

    def wait_until_attached(self, count: int) -> None:
        """Until so many files are read and it is known whether they fit."""
        self.wait(
            lambda: (
                len(self.attached) == count
                and all(one.fit is not None or one.error for one in self.attached)
                and not self.counting.is_counting
            )
        )

    @property
    def attached(self) -> list[Any]:
        """The files beside the message."""
        return list(self.attaching.shown)

    @property
    def attached_names(self) -> list[str]:
        """Their names."""
        return [one.name for one in self.attached]

    @property
    def chips(self) -> list[DraftChip]:
        """Their chips."""
        return self.row.chips

    @property
    def too_long_said(self) -> str:
        """What is said of those that are too long."""
        return "" if self.too_long.isHidden() else self.too_long.findChildren(QLabel)[0].text()

    @property
    def offers(self) -> list[str]:
        """What can be done about those that are too long."""
        return [one.text() for one in self.too_long.findChildren(QPushButton) if one.isVisible()]

    def press_offer(self, text: str) -> None:
        """Does it."""
        self.click(next(b for b in self.row.findChildren(QPushButton) if b.text() == text and b.isVisible()))

    def menu_of(self, chip: DraftChip) -> QMenu:
        """What can be done with one."""
        chip.customContextMenuRequested.emit(QPoint(2, 2))
        return next(menu for menu in self.every(QMenu) if menu.isVisible())

    @property
    def in_draft(self) -> list[Any]:
        """What is stored beside the message of a new chat."""
        return list(self.documents.attachments.in_draft(None))

    @property
    def is_reading(self) -> bool:
        """Whether a file is being read, wanted or not."""
        return bool(self.chat.session.state.readings)

    # Questions about whole documents.

    @property
    def offered(self) -> str:
        """What is said of the question that is typed; "" where nothing is offered."""
        return self.survey_offer.text

    def wait_for_offer(self, *, is_estimated: bool = False) -> str:
        """Until something is offered, or its time is known as well; what is said."""
        self.wait(lambda: bool(self.offered) and ("takes" in self.offered or not is_estimated))
        return self.offered

    def take_offer(self) -> None:
        """Presses the first button of the offer and waits for the answer."""
        with self.hears(self.root.answer_finished, WAIT_MS):
            self.click(self.survey_offer.whole)

    # The model.

    @property
    def parts(self) -> PromptBreakdown | None:
        """What the model's memory is filled with, once it was counted."""
        return self.root.memory.parts

    def load(self, path: Path) -> None:
        """A model into the engine."""
        list(self.engine.load(path))

    @property
    def is_thinking_model(self) -> bool:
        """Whether the model's thinking can be chosen."""
        return bool({THINKING, THINKING_TIME} & self.composer_entries().keys())

    def composer_menu(self) -> QMenu:
        """The menu of the composer's one button."""
        self.click(self.plus)
        return self.find_step(QMenu, "composer_menu")

    def composer_entries(self) -> dict[str, bool]:
        """The words in the composer's menu and its submenus, without keys, and whether each can be chosen."""
        menu = self.composer_menu()
        found = {action.text().partition("\t")[0]: action.isEnabled() for action in _actions_in(menu)}
        menu.close()
        return found

    def choose_entry(self, words: str) -> None:
        """Chooses an entry of the composer's menu, or of one of its submenus."""
        menu = self.composer_menu()
        next(action for action in _actions_in(menu) if action.text().partition("\t")[0] == words).trigger()
        menu.close()

    def prompts(self) -> list[list[tuple[str, str]]]:
        """Everything that the model was asked."""
        assert self.script is not None
        return prompts(self.script)

    def media(self) -> list[dict[str, Any]]:
        """The pictures and sounds of the last message that the model was asked."""
        assert self.script is not None
        return media(self.script)[-1][-1]

    def requests(self) -> list[dict[str, Any]]:
        """The same, with all that was asked of it."""
        assert self.script is not None
        return requests(self.script)


def _actions_in(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        yield action
        if isinstance(submenu := action.menu(), QMenu):
            yield from _actions_in(submenu)
