"""Dictation into the text field with the keyboard, in any window of the program: by key, menu or button.

A short press of the key begins and ends it; held, it ends when the key is released.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QGuiApplication, QKeyEvent, QKeySequence, QWindow
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPlainTextEdit, QWidget
from shiboken6 import isValid

from app.features.error_messages import PersonMessage
from app.ui.i18n import tr
from app.ui.shared_labels import COPY
from app.ui.shell import tasks
from app.ui.shell.desktop import copy_text
from app.ui.widgets.dictated_text import DictatedText, TextField, as_text_field, dictated_text
from app.ui.widgets.elevation import elevate
from app.ui.widgets.input_fields import PlainEdit
from app.ui.widgets.labels import announce
from app.ui.widgets.menus import popup_inside
from app.ui.widgets.notice_bar import Notice

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.dictation import LiveDictation, WordsHeard
    from app.ui.shell.notify import Notify
    from app.ui.theme import Theme

DICTATE = "Dictate"
STOP_DICTATION = "Stop dictation"
LISTENING = "Listening. Press {key} or Escape when you’re done."
HEARING_REST = "Writing the last words…"
NO_FIELD = "Click where the words should go, then dictate."
NO_MODEL_HEARS = "Dictation needs a model that can hear, such as Gemma 4 E2B."
WORDS_WITHOUT_PLACE = "The text changed, so these words were left out: {words}"

KEY = Qt.Key.Key_F9
HOLD_S = 0.5
"""A key that is down longer is held to talk."""
ENDS_WITHIN_S = 2.0
_MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr)
_ENDING = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_MENUS = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.MenuBarFocusReason)


class FieldDictation(QObject):
    """Writes what is said into the field that has the keyboard."""

    changed = Signal()
    """It began, stopped listening or ended, in whichever field."""
    menu_wanted = Signal(QMenu, QWidget)
    """The context menu of a field before it is shown; receivers may add entries."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._app, self._theme, self._notify = app, theme, notify
        self._dictation: LiveDictation | None = None
        self._text: DictatedText | None = None
        self._last_field: TextField | None = None
        self._notice: Notice | None = None
        self._recording: tasks.BackgroundTask | None = None
        self._hearing: tasks.BackgroundTask | None = None
        self._pressed_s = 0.0
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus_changed)
        application.focusWindowChanged.connect(self._watch_window)
        self._on_focus_changed(None, QApplication.focusWidget())
        self._watch_window(QGuiApplication.focusWindow())

    @property
    def is_on(self) -> bool:
        """True from the first moment of recording until the last word is written."""
        return self._dictation is not None

    @property
    def is_listening(self) -> bool:
        """True while the microphone is open, until the recording's thread has ended."""
        return self._recording is not None

    @property
    def provisional_words(self) -> str:
        """Words that are shown in the field and may still change; "" if none are."""
        return self._text.provisional if self._text is not None else ""

    @property
    def can_hear(self) -> bool:
        """True if the chat's model is loaded and takes sound."""
        return self._app.loaded is not None and self._app.loaded.hears

    def toggle(self) -> None:
        """Begin in the field that has or had the keyboard, or end the recording."""
        if self.is_on:
            self.stop()
            return
        field = as_text_field(QApplication.focusWidget()) or self._usable_last_field()
        if field is None:
            self._notify.show_notice(PersonMessage(NO_FIELD))
        elif not self.can_hear:
            self._notify.show_notice(PersonMessage(NO_MODEL_HEARS, action="models"))
        else:
            self._begin(field)

    def stop(self) -> None:
        """End the recording; words that were said are still written."""
        if self._recording is not None:
            self._recording.cancel()
            self._show_notice(tr(HEARING_REST))

    def close(self) -> None:
        """End at once because the window closes; what is shown becomes part of the text."""
        if self._text is not None:
            self._text.settle()
        for task in (self._recording, self._hearing):
            if task is not None:
                task.abandon()
                task.join(ENDS_WITHIN_S)
        self._end()

    def _begin(self, field: TextField) -> None:
        field.setFocus(Qt.FocusReason.OtherFocusReason)
        self._text = dictated_text(field)
        dictation = self._dictation = self._app.begin_dictation()
        self._recording = tasks.run(
            dictation.record, self, on_failed=self._notify.error, on_over=self._on_recording_over
        )
        self._hearing = tasks.run(
            dictation.hear_words,
            self,
            on_event=self._on_words,
            on_failed=self._on_hearing_failed,
            on_over=self._on_hearing_over,
        )
        self._show_notice(
            tr(LISTENING, key=QKeySequence(KEY).toString(QKeySequence.SequenceFormat.NativeText)), can_stop=True
        )
        self.changed.emit()

    def _on_words(self, heard: WordsHeard) -> None:
        if (text := self._text) is None:
            return
        if not heard.is_final:
            text.show_provisional(heard.text)
        elif not text.confirm(heard.text):
            words = heard.text
            self._notify.offer(tr(WORDS_WITHOUT_PLACE, words=words), tr(COPY), lambda: copy_text(words))
        elif isValid(text.field):
            announce(text.field, heard.text)

    def _on_recording_over(self) -> None:
        self._recording = None
        self.changed.emit()
        if self._hearing is None:
            self._end()

    def _on_hearing_failed(self, error: BaseException) -> None:
        # What was shown is worth keeping: nobody will hear it better.
        if self._text is not None:
            self._text.settle()
        self._notify.error(error)

    def _on_hearing_over(self) -> None:
        self._hearing = None
        self.stop()
        if self._recording is None:
            self._end()

    def _end(self) -> None:
        dictation, self._dictation = self._dictation, None
        self._recording = self._hearing = None
        if self._text is not None:
            self._text.settle()
            self._text.deleteLater()
            self._text = None
        if self._notice is not None:
            self._notice.dismiss()
            self._notice = None
        if dictation is not None:
            dictation.close()
            self.changed.emit()

    def _show_notice(self, words: str, *, can_stop: bool = False) -> None:
        if self._notice is not None:
            self._notice.dismiss()
        self._notice = Notice(self._theme, words)
        if can_stop:
            self._notice.add_button(tr(STOP_DICTATION), self.stop, leaves=False)
        self._notify.bar.add(self._notice)

    def _usable_last_field(self) -> TextField | None:
        field = self._last_field
        return field if field is not None and isValid(field) and field.isVisible() and as_text_field(field) else None

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        if (field := as_text_field(now)) is not None and field is not self._last_field:
            self._last_field = field
            # Again for a field that had it before, which Qt then has once.
            field.installEventFilter(self)
            if not isinstance(field, QLineEdit):
                field.viewport().installEventFilter(self)
            if isinstance(field, PlainEdit) and not field.property("takes_dictation"):
                field.setProperty("takes_dictation", True)
                field.menu_wanted.connect(lambda menu, _at: self._add_to_menu(menu))

    def _watch_window(self, window: QWindow | None) -> None:
        if window is not None:
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hear the key in all windows, and see in fields what moves the caret or asks for a menu."""
        kind = event.type()
        if isinstance(watched, QWindow):
            is_ours = isinstance(event, QKeyEvent) and event.key() == KEY and not event.modifiers()
            return is_ours and self._on_key(event)  # type: ignore[arg-type]
        if isinstance(event, QContextMenuEvent) and isinstance(watched, QLineEdit | QPlainTextEdit):
            return self._show_menu(watched, event)
        if self._text is None or not isValid(self._text.field):
            return False
        field = self._text.field
        is_ours = watched is field or (not isinstance(field, QLineEdit) and watched is field.viewport())
        if not is_ours:
            return False
        if isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyPress:
            return self._on_field_key(event)
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.Hide):
            self._text.settle()
        elif isinstance(event, QFocusEvent) and event.lostFocus() and event.reason() not in _MENUS:
            self._text.settle()
            self.stop()
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        if event.isAutoRepeat():
            return True
        if event.type() == QEvent.Type.KeyPress:
            self.press_key()
            return True
        if event.type() == QEvent.Type.KeyRelease:
            self.release_key()
            return True
        return False

    def press_key(self) -> None:
        """The key went down: begin, or end what an earlier press began."""
        self.toggle()
        # Not before: what takes long to begin on a slow computer was not a held key.
        self._pressed_s = time.monotonic()

    def release_key(self) -> None:
        """The key was released: end if it was held."""
        if self._pressed_s and time.monotonic() - self._pressed_s >= HOLD_S:
            self.stop()
        self._pressed_s = 0.0

    def _on_field_key(self, event: QKeyEvent) -> bool:
        if event.key() in _MODIFIERS:
            return False
        # The first Enter ends it, so that no message is sent without its last words.
        if self.is_listening and event.key() in _ENDING:
            self.stop()
            return True
        assert self._text is not None
        self._text.settle()
        return False

    def _show_menu(self, field: QLineEdit | QPlainTextEdit, event: QContextMenuEvent) -> bool:
        if as_text_field(field) is None or field.contextMenuPolicy() != Qt.ContextMenuPolicy.DefaultContextMenu:
            return False
        menu = field.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._add_to_menu(menu)
        self.menu_wanted.emit(menu, field)
        elevate(menu)
        popup_inside(menu, event.globalPos())
        return True

    def _add_to_menu(self, menu: QMenu) -> None:
        menu.addSeparator()
        action = menu.addAction(tr(STOP_DICTATION if self.is_on else DICTATE))
        action.setObjectName("dictate")
        action.triggered.connect(lambda _=False: self.toggle())
