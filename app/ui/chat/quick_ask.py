"""Quick-ask window: a chat that is not stored, with a text taken from other programs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLocale, Qt, QTimer
from PySide6.QtGui import QClipboard, QCloseEvent, QCursor, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.features import file_reading as f
from app.features.chat import session_messages as m
from app.features.quick_ask import REQUESTS, TranslationRequest, keep_chat, translation_request
from app.ui.chat.actions import TurnCommand
from app.ui.chat.chat_view import ChatView
from app.ui.chat.transcript import is_answer
from app.ui.i18n import tr, tr_count, window_title
from app.ui.shared_labels import CHARACTER_COUNT, ONE_CHARACTER, QUICK_ASK
from app.ui.shell import tasks
from app.ui.shell.desktop import bring_to_front
from app.ui.shell.keyboard import move_focus, written
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import ElidedLabel, announce, plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout

if TYPE_CHECKING:
    from app.features.chat_services import Chats

NOT_MADE_FOR_TRANSLATING = "{name} isn’t made to translate this."
COPY_AND_CLOSE = "Copy and close"
OPEN_AS_CHAT = "Open as chat"
LEAVE_TEXT_OUT = "Remove this text"
OPEN_IN_TRANSLATE = "Open in Translate"
TRANSLATE_HERE = "Translate here"

WIDTH_PX, TALL_PX = 640, 560
FIRST_CHARACTERS = 300
SECRET = "x-kde-passwordManagerHint"
"""MIME type by which password managers mark a password on the clipboard."""
LANGUAGE = "translate"
CHOICES = (("summarize", "Summarize"), (LANGUAGE, "Translate"), ("explain", "Explain"), ("improve", "Improve"))
COPY_KEYS, KEEP_KEYS = "Ctrl+Shift+C", "Ctrl+O"


@dataclass(frozen=True)
class CapturedText:
    """Text from another program, either selected there or copied."""

    text: str
    is_selected: bool

    @property
    def name(self) -> str:
        return tr("Selected text") if self.is_selected else tr("Clipboard")


def texts_elsewhere() -> list[CapturedText]:
    """Return the text selected in any program, where the system tells, and the clipboard's; passwords are left out."""
    clipboard, found = QGuiApplication.clipboard(), []
    # Only X11 and Wayland have a selection apart from the clipboard.
    modes = [QClipboard.Mode.Selection] if clipboard.supportsSelection() else []
    for mode in [*modes, QClipboard.Mode.Clipboard]:
        mime = clipboard.mimeData(mode)
        text = clean_text(mime.text()).strip() if mime is not None and mime.hasText() else ""
        # Copied files come with their names as text, which isn't meant.
        if text and not mime.hasUrls() and not mime.hasFormat(SECRET):
            found.append(CapturedText(text, mode is QClipboard.Mode.Selection))
    return found


class TakenText(QFrame):
    """Chip of a captured text, with actions to run on it."""

    def __init__(self, theme: Theme, *, choose: Callable[[str], object], on_removed: Callable[[], object]) -> None:
        super().__init__()
        self.on_removed, self.choose = on_removed, choose
        """Gets a key of `CHOICES`, the action that was chosen."""
        self._chip = QFrame()
        self._chip.setObjectName("paste_chip")
        self._name, self._words, self._count = ElidedLabel(), ElidedLabel(), plain_label(kind="muted")
        self._words.setProperty("kind", "muted")
        self._remove = IconButton(theme, "x", tr(LEAVE_TEXT_OUT), size_px=14, on_click=self.on_removed)
        self._remove.setObjectName("remove_taken")
        inside = fill_layout(QHBoxLayout(self._chip), self._name, (self._words, 1), self._count, self._remove)
        choices = QWidget()
        flow = FlowLayout(choices)
        for key, words in CHOICES:
            button = text_button(tr(words), "filter", name=f"quick_{key}", on_click=partial(self._on_clicked, key))
            theme.dress(button, font="control")
            flow.addWidget(button)
        column = fill_layout(QVBoxLayout(self), self._chip, choices)
        theme.dress(inside, margins=(10, 3, 4, 3), spacing=8)
        theme.dress(flow, spacing=6)
        theme.dress(column, margins=(0, 0, 0, 0), spacing=8)
        theme.dress(self._name, font="group")
        theme.dress(self._words, self._count, font="small")

    def show_text(self, taken: CapturedText | None) -> None:
        """Show a captured text; None hides the chip."""
        self.setVisible(taken is not None)
        if taken is not None:
            beginning = " ".join(taken.text[:FIRST_CHARACTERS].split())
            count = tr_count(ONE_CHARACTER, CHARACTER_COUNT, len(taken.text))
            self._name.setText(taken.name)
            self._words.setText(beginning)
            self._count.setText(count)
            self.setAccessibleName(f"{taken.name}, {count}")

    def _on_clicked(self, key: str, _checked: bool = False) -> None:
        self.choose(key)


class QuickAsk(QWidget):
    """Reusable window that forgets its chat when closed.

    `actions` are the callbacks of notices, as in the window's `Notify`.
    """

    def __init__(
        self,
        chats: Chats,
        theme: Theme,
        loader: ModelLoader,
        actions: dict[str, Callable[[], object]],
        *,
        keep: Callable[[int, bool], object],
        on_close: Callable[[], object],
        translate: Callable[[str], object],
    ) -> None:
        # On top: it is opened over another program, which stays in use.
        super().__init__(None, Qt.WindowType.Dialog | Qt.WindowType.WindowStaysOnTopHint)
        self.translate = translate
        """A text should be translated in the translation tab."""
        self.on_close, self.keep = on_close, keep
        """A chat was stored: its id, and True if its running answer was stopped for that."""
        self.setObjectName("quick_ask")
        self.setWindowTitle(window_title(tr(QUICK_ASK)))
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._chats, self._theme, self._loader = chats, theme, loader
        self._notify = Notify(theme, self)
        self._notify.actions = actions
        self.chat = ChatView(chats, theme, self._notify, is_small=True)
        # The window decides the height, not the messages in it.
        self.chat.transcript.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        # Nothing is kept here, so nothing is attached either.
        self.chat.composer.field.edit.takes_files = False
        self.chat.composer.set_asks(tr("Ask anything"))
        self.taken: CapturedText | None = None
        self._last: dict[bool, str] = {}
        """Texts captured last by kind, True for selected ones, so that the same is not offered again."""
        self._removed = ""
        self._wants_text = self._keeps_at_end = False
        self._text = TakenText(theme, choose=self._on_chosen, on_removed=self._on_removed)
        self._take_again = text_button("", "filter", name="take_text")
        self._model = ElidedLabel()
        self._model.setProperty("kind", "muted")
        self._copy = self._button(tr(COPY_AND_CLOSE), COPY_KEYS, self.copy)
        self._keep = self._button(tr(OPEN_AS_CHAT), KEEP_KEYS, self.keep_chat)
        self._lay_out()
        self._connect()
        self.chat.show_temporary()
        self._show_taken(None)
        self._show_end()

    def open(self, words: str = "") -> None:
        """Show the window on top with initial words, and capture what is selected or copied."""
        if not self.isVisible():
            self._place_window()
        bring_to_front(self)
        if words:
            self.chat.composer.set_text(words)
        self.chat.focus_composer()
        # A conversation or a text that is there already isn't replaced.
        self._wants_text = not self.chat.transcript.places.count and self.taken is None
        # Show the window first: another program is asked for its selection, which may take a moment.
        QTimer.singleShot(0, self, self._take_selection)
        # Loading begins while the question is typed.
        self._loader.wake()

    def copy(self) -> None:
        """Copy the last answer to the clipboard and close."""
        turn = next((turn_view for turn_view in reversed(self.chat.transcript.turns) if is_answer(turn_view)), None)
        if turn is not None and turn.text:
            self.chat.transcript.maker.action_requested.emit(TurnCommand.COPY, turn)
            self.close()

    def keep_chat(self) -> None:
        """Store the chat in the list, where a running answer continues."""
        if self.chat.busy:
            self._keeps_at_end = True
            # The answer so far is stored first; it continues in the list when it has ended here.
            self.chat.stop()
        elif self.chat.conversation_id is not None:
            self._keep_now(goes_on=False)

    def _button(self, words: str, keys: str, do: Callable[[], object]) -> QPushButton:
        button = text_button(words, "plain", on_click=lambda _=False: do())
        button.setShortcut(keys)
        button.setToolTip(written(keys))
        self._theme.dress(button, font="control")
        return button

    def _lay_out(self) -> None:
        head, foot = QVBoxLayout(), QHBoxLayout()
        head.addWidget(self._text)
        head.addWidget(self._take_again, 0, Qt.AlignmentFlag.AlignLeading)
        foot.addWidget(self._model, 1)
        foot.addWidget(self._copy)
        foot.addWidget(self._keep)
        column = self._column = QVBoxLayout(self)
        fill_layout(column, head, (self.chat, 1), foot)
        self._notify.bar.float_over(self, self.chat)
        self._theme.dress(column, margins=(0, 12, 0, 10), spacing=2)
        self._theme.dress(head, foot, margins=(28, 0, 28, 0), spacing=8)
        self._theme.dress(self._model, font="small")
        self._theme.dress(self._take_again, font="control", glyph=("plus", "muted", 13))

    def _connect(self) -> None:
        chat, loader = self.chat, self._loader
        loader.changed.connect(self._on_model_changed)
        self.chat.models.own.changed.connect(self._show_model)
        chat.answer_started.connect(lambda _: loader.expect())
        chat.open_chat.live.grew.connect(loader.look_during_answer)
        chat.answer_finished.connect(self._on_answer_finished)
        # It was sent with the question.
        chat.open_chat.answering.connect(lambda _: self._show_taken(None))
        chat.open_chat.shown.connect(self._fit_height)
        chat.session.serve(
            {
                m.OpenTranslation: lambda asked: self.translate(asked.text),
                f.WakeModel: lambda _effect: loader.wake(),
                m.TextBegun: lambda _effect: loader.wake(for_text=True),
            }
        )
        self._take_again.clicked.connect(lambda _=False: self._show_taken(next(iter(texts_elsewhere()), None)))
        self._on_model_changed()

    def _take_selection(self) -> None:
        """Capture a new selection or clipboard text; one used or dismissed before needs a click."""
        if not self._wants_text:
            return
        if not (found := texts_elsewhere()):
            # On some systems only the active window can read the clipboard; asked again once it is.
            return
        self._wants_text = False
        fresh = next((text for text in found if self._last.get(text.is_selected) != text.text), None)
        # The system keeps a selection long after it is visible nowhere, so each is offered only once.
        fresh = fresh or next((captured_text for captured_text in found if not captured_text.is_selected), None)
        self._last = {captured_text.is_selected: captured_text.text for captured_text in found}
        # What was removed with × isn't offered a second time without being asked for.
        self._show_taken(fresh if fresh is not None and fresh.text != self._removed else None)
        again = fresh or found[0]
        self._take_again.setVisible(self.taken is None)
        self._take_again.setText(tr("Use the selected text") if again.is_selected else tr("Use the clipboard"))
        self._fit_height()

    def _show_taken(self, taken: CapturedText | None) -> None:
        self.taken = taken
        self._text.show_text(taken)
        self._take_again.hide()
        self.chat.composer.set_beside(taken.text if taken is not None else "")
        if taken is not None:
            announce(self, self._text.accessibleName())
        self._fit_height()

    def _on_removed(self) -> None:
        self._removed = self.taken.text if self.taken is not None else ""
        self._show_taken(None)
        self.chat.focus_composer()

    def _on_chosen(self, key: str) -> None:
        if (taken := self.taken) is None:
            return
        if key != LANGUAGE:
            self._ask(REQUESTS[key])
            return
        wanted = (self._chats.settings().translations.target, QLocale.system().name().replace("_", "-"))
        # On a thread: detecting the language takes a moment the first time.
        model = self._chats.model_path()
        tasks.ask(
            lambda _token: translation_request(taken.text, wanted, model),
            self,
            lambda request: self._on_translation(taken, request),
            self._notify.error,
        )

    def _on_translation(self, taken: CapturedText, request: TranslationRequest) -> None:
        """Translate a captured text here. If the model was not made for that, offer the translation tab first."""
        # Another text was taken meanwhile.
        if self.taken is not taken:
            return
        if request.is_able:
            self._ask(request.words)
            return
        words = tr(NOT_MADE_FOR_TRANSLATING, name=self._loader.name)
        notice = self._notify.offer(words, tr(TRANSLATE_HERE), lambda: self._ask(request.words))
        notice.add_button(tr(OPEN_IN_TRANSLATE), lambda: self._on_tab_wanted(taken))

    def _on_tab_wanted(self, taken: CapturedText) -> None:
        self.translate(taken.text)
        self.close()

    def _ask(self, words: str) -> None:
        self.chat.composer.set_text(words)
        self.chat.composer.submit()

    def _on_answer_finished(self) -> None:
        self._loader.sync_with_engine()
        if self._keeps_at_end:
            self._keep_now(goes_on=True)
        else:
            self._show_end()

    def _keep_now(self, *, goes_on: bool) -> None:
        self._keeps_at_end = False
        if (number := self.chat.conversation_id) is None:
            return
        with self._notify.guard():
            self.keep(keep_chat(self.chat.open_chat.talk, number, self._chats.kept), goes_on)
            self.close()

    def _on_model_changed(self) -> None:
        loader = self._loader
        self.chat.set_model_state(loader.state, loader.path)
        self._show_model()

    def _show_model(self) -> None:
        """Show the model that answers here, which may differ from the loaded one."""
        own = self.chat.models.own
        name = own.name_of(own.path) if own.path is not None and own.is_elsewhere else self._loader.name
        self._model.setText(f"{name} · {tr('Nothing here is saved')}")

    def _show_end(self) -> None:
        """Show the actions on an answer once there is one."""
        has_answer = any(is_answer(turn) and turn.text for turn in self.chat.transcript.turns)
        self._copy.setVisible(has_answer)
        self._keep.setVisible(has_answer or self.chat.busy)

    def _place_window(self) -> None:
        """Move the window to the upper third of the screen with the pointer."""
        self._fit_height()
        screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
        room = screen.availableGeometry()
        self.move(room.center().x() - self.width() // 2, room.top() + room.height() // 6)

    def _fit_height(self) -> None:
        """Set the height to the field and the captured text, or to a comfortable one for a conversation."""
        px = self._theme.px
        self._show_end()
        if not self.chat.transcript.places.count:
            # As the composer will be in a window of that height.
            self.chat.composer.set_compact(True)
        # The layout's size hint is out of date until it is activated.
        self._column.activate()
        height = px(TALL_PX) if self.chat.transcript.places.count else self._column.totalSizeHint().height()
        screen = self.screen().availableGeometry()
        wanted = (min(px(WIDTH_PX), screen.width()), min(height, screen.height() * 3 // 4))
        # The user made it larger.
        if self.chat.transcript.places.count and self.height() > wanted[1]:
            return  # the user made it larger
        self.resize(*wanted)

    def event(self, event: QEvent) -> bool:
        # Only now may the clipboard be read on some systems.
        if event.type() == QEvent.Type.WindowActivate:
            self._take_selection()
        return super().event(event)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        return move_focus(self, is_next)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Forget the chat, unless it is still being stored."""
        # Closed again as soon as the chat is stored.
        if self._keeps_at_end:
            event.ignore()
            return
        # Now, so that the next opening is instant.
        self.chat.stop()
        self.chat.show_temporary()
        self.chat.composer.set_text("")
        # The next opening asks for what is selected then.
        self._show_taken(None)
        for notice in list(self._notify.bar.notices):
            notice.dismiss()
        super().closeEvent(event)
        self.on_close()
