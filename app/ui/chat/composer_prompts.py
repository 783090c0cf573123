"""Saved prompts in the composer: the list opened by a slash, automatic variables, and blanks to tab through."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QDate, QEvent, QModelIndex, QObject, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import QFrame, QMenu, QVBoxLayout

from app.core.visible import clean_text
from app.ui.chat.composer import Composer
from app.ui.chat.composer_menu import ComposerEntry
from app.ui.chat.message_field import MessageEdit, is_very_long
from app.ui.i18n import InContext, tr, tr_count
from app.ui.locale_formats import format_long_date, join_list
from app.ui.shared_labels import PROMPTS, SAVE_AS_PROMPT
from app.ui.shell.notify import Notify
from app.ui.text.formats import char_format, highlight
from app.ui.theme import Theme
from app.ui.widgets.elevation import elevate
from app.ui.widgets.labels import announce
from app.ui.widgets.layouts import fill_layout

if TYPE_CHECKING:
    from app.features.chat_services import Chats
    from app.features.prompt_library import LibraryPrompt
    from app.ui.chat.prompt_dialog import PromptDialog
    from app.ui.shell.palette import PaletteEntry

EDIT_PROMPTS = "Edit prompts…"
PROMPTS_ENTRY = "Prompts…"
SEND_AS_IT_IS = "Send anyway"

# Also the full-width slash of East Asian input methods; a slash before a blank is one of the text.
_SLASH = re.compile(r"\s*[/／](?!\s)(.*)", re.DOTALL)
MOST_ROWS, SEEN_ROWS, SHOWN_CHARACTERS = 40, 6, 200
GAP_PX, EDGE_PX = 6, 12


class ComposerPrompts(QObject):
    """Inserts prompts into a composer's message. `selected` returns the text selected in the chat."""

    def __init__(
        self, composer: Composer, chats: Chats, theme: Theme, notify: Notify, selected: Callable[[], str]
    ) -> None:
        super().__init__(composer)
        self._composer, self._edit, self._chats = composer, composer.field.edit, chats
        self._theme, self._notify, self._selected = theme, notify, selected
        self.blanks = PromptBlanks(self._edit, theme)
        self._list: PromptList | None = None
        self._is_left = False
        """True if the user dismissed the list to type a plain slash."""
        composer.may_send = self._may_send
        composer.plus.add_entry(
            ComposerEntry.PROMPT,
            lambda menu: composer.plus.add_action(
                menu, "note", tr(PROMPTS_ENTRY), self.open_library, command="prompts"
            ),
        )
        self._edit.typed.connect(self._update_completions)
        self._edit.textChanged.connect(self._look_whether_it_goes)
        self._edit.menu_wanted.connect(self._add_to_menu)
        self._edit.installEventFilter(self)

    def insert_prompt(self, prompt: LibraryPrompt) -> None:
        """Insert a prompt in place of the typed slash command, or at the cursor."""
        from app.features.prompt_library import fill_in, find_variables

        self._close()
        text = fill_in(prompt.text, self._values_of_variables(find_variables(prompt.text)))
        with self._notify.guard():
            self._chats.prompts().note_use(prompt)
        self.insert_text(text, find_variables(prompt.text))

    def insert_text(self, text: str, names: Sequence[str]) -> None:
        """Insert a text in place of the typed slash command, or at the cursor; `names` in braces are blanks."""
        cursor = self._edit.textCursor()
        if (slash := self._typed_command()) is not None:
            cursor.setPosition(slash[0])
            cursor.setPosition(self._edit.textCursor().position(), QTextCursor.MoveMode.KeepAnchor)
        # Too long for the field: it becomes a chip, like a long paste.
        if is_very_long(text):
            cursor.removeSelectedText()
            self._edit.pasted.emit(text)
        else:
            first = cursor.selectionStart()
            cursor.insertText(text)
            self._edit.setTextCursor(cursor)
            self.blanks.begin(names, first)
        self._edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self._edit.ensureCursorVisible()

    def open_library(self, text: str = "") -> PromptDialog:
        """Open the prompt library; with a text, as a new prompt that needs a name."""
        from app.ui.chat.prompt_dialog import PromptDialog

        window = self._composer.window()
        dialog = next(
            (prompt_dialog for prompt_dialog in window.findChildren(PromptDialog) if prompt_dialog.isVisible()), None
        )
        if dialog is None:
            dialog = PromptDialog(self._chats.prompts(), self._theme, window, insert=self.insert_prompt)
            dialog.show()
        if text.strip():
            dialog.add(text=text)
        dialog.raise_()
        dialog.activateWindow()
        return dialog

    def take_by_key(self, key: str) -> None:
        """Insert a prompt by its key, or open the library if it no longer exists."""
        if (prompt := self._chats.prompts().get(key, tr)) is None:
            self.open_library()
        else:
            self.insert_prompt(prompt)

    def _typed_command(self) -> tuple[int, str] | None:
        """Return the position of a slash at the beginning of the message and the text after it, or None."""
        cursor = self._edit.textCursor()
        if cursor.blockNumber() or cursor.hasSelection():
            return None
        found = _SLASH.fullmatch(cursor.block().text()[: cursor.positionInBlock()])
        return (found.start(1) - 1, found[1]) if found else None

    def _update_completions(self) -> None:
        if (slash := self._typed_command()) is None:
            # The slash is gone, so the next one opens the list again.
            self._is_left = False
            self._close()
        elif not self._is_left:
            with self._notify.guard():
                if (found := self._chats.prompts().complete(slash[1], tr)) or not slash[1]:
                    self._show(found, is_all=not slash[1])
                else:
                    self._close()

    def _look_whether_it_goes(self) -> None:
        """Close the list if the slash is gone, because it was deleted or another draft is shown."""
        if self._list is not None and self._list.isVisible() and self._typed_command() is None:
            self._close()

    def _show(self, prompts: Sequence[LibraryPrompt], *, is_all: bool) -> None:
        from app.ui.shell.palette import PaletteEntry

        entries = [
            PaletteEntry(
                prompt.key,
                "note",
                prompt.name,
                join_list(prompt.variables[:3]),
                lambda chosen=prompt: self.insert_prompt(chosen),  # type: ignore[misc]
                " ".join(prompt.text[:SHOWN_CHARACTERS].split()),
            )
            for prompt in prompts[:MOST_ROWS]
        ]
        if is_all:
            entries.append(PaletteEntry("", "pencil-simple", tr(EDIT_PROMPTS), "", self._edit_all))
        if self._list is None:
            self._list = PromptList(self._theme, self._composer)
        self._list.show_entries(entries)

    def _edit_all(self) -> None:
        self._close()
        self.open_library()

    def _close(self) -> None:
        if self._list is not None:
            self._list.hide()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        shown = self._list is not None and self._list.isVisible()
        # The list never has the focus, so it goes with the field's.
        if event.type() == QEvent.Type.FocusOut and shown:
            self._close()
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if shown and self._list is not None:
                if event.key() == Qt.Key.Key_Escape:
                    self._is_left = True
                    self._close()
                    return True
                return self._list.takes(event)
            return self.blanks.takes(event)
        return False

    def _values_of_variables(self, names: Sequence[str]) -> dict[str, str]:
        """Return values for those variables that can be filled automatically."""
        from app.features.prompt_library import CLIPBOARD, DATE, SELECTION

        # Asked only for what the prompt names: the clipboard may be another program's.
        ways: dict[str, Callable[[], str]] = {
            CLIPBOARD: lambda: QGuiApplication.clipboard().text(),
            SELECTION: self._selected,
            DATE: lambda: format_long_date(QDate.currentDate()),
        }
        return {name: clean_text(ways[name]()).strip("\n") for name in names if name in ways}

    def _may_send(self) -> bool:
        """Return whether the message may be sent; asks the user if blanks are left."""
        if not (left := self.blanks.left):
            self.blanks.forget()
            return True
        from app.ui.widgets.dialogs import QuestionDialog

        title = tr("“{name}” isn’t filled in yet.", name=left[0])
        if len(left) > 1:
            title = tr_count("{count} blank isn’t filled in yet.", "{count} blanks aren’t filled in yet.", len(left))
        words = tr("The model will see the words in braces unchanged.")
        dialog = QuestionDialog(
            self._theme, title, words, self._composer.window(), no=tr(InContext("blanks of a prompt", "Fill in"))
        )
        dialog.setObjectName("blanks_left")
        dialog.add_choice(tr(SEND_AS_IT_IS), self._send_as_it_is)
        dialog.rejected.connect(self._fill_in)
        dialog.open()
        return False

    def _send_as_it_is(self) -> None:
        self.blanks.forget()
        self._composer.submit()

    def _fill_in(self) -> None:
        self._edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self.blanks.go(is_next=True)

    def _add_to_menu(self, menu: QMenu, _at: QPoint) -> None:
        menu.addSeparator()
        save = menu.addAction(tr(SAVE_AS_PROMPT), lambda: self.open_library(self._composer.text))
        save.setEnabled(bool(self._composer.text.strip()))


class PromptBlanks(QObject):
    """Blanks: variables of a prompt that are not filled in, highlighted and reached by Tab.

    A blank is any known name in braces, so undo restores blanks too.
    """

    def __init__(self, edit: MessageEdit, theme: Theme) -> None:
        super().__init__(edit)
        self._edit, self._theme = edit, theme
        self._names: tuple[str, ...] = ()
        self._at: tuple[str, QTextCursor, QTextCursor] | None = None
        """The blank last selected: its name, and cursors at the begin and end of what is typed there."""
        edit.textChanged.connect(self._mark)
        theme.changed.connect(self._mark)

    @property
    def left(self) -> list[str]:
        """Names of the blanks left, without repetitions."""
        self._copy_to_repetitions()
        return list(dict.fromkeys(_name_in(place) for place in self._places()))

    def begin(self, names: Sequence[str], first: int) -> None:
        """Track the blanks of an inserted prompt and select the first one after position `first`."""
        # Blanks of other prompts stay until a message is sent: they may be in another chat's draft.
        self._names, self._at = tuple(dict.fromkeys((*self._names, *names))), None
        self._mark()
        ahead = [place for place in self._places() if place.selectionStart() >= first]
        if ahead:
            self._select(ahead[0])

    def forget(self) -> None:
        """Stop tracking; names in braces are plain text from now on."""
        self._names, self._at = (), None
        self._mark()

    def go(self, *, is_next: bool) -> bool:
        """Select the next or previous blank, wrapping around. Return False if there is none."""
        self._copy_to_repetitions()
        places, now = self._places(), self._edit.textCursor()
        if not places:
            return False
        if is_next:
            # Past the last one it begins again.
            at = next((place for place in places if place.selectionStart() >= now.selectionEnd()), places[0])
        else:
            at = next((place for place in reversed(places) if place.selectionEnd() <= now.selectionStart()), places[-1])
        self._select(at)
        return True

    def takes(self, event: QKeyEvent) -> bool:
        """Handle Tab and Shift+Tab while there are blanks. Return whether the key was used."""
        is_alone = not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        if not self._names or not is_alone or event.key() not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return False
        is_next = event.key() == Qt.Key.Key_Tab
        places, now = self._places(), self._edit.textCursor()
        # From the last blank Tab leaves the field, or the keyboard couldn't as long as any is left.
        is_last = bool(places) and now.hasSelection() and places[-1 if is_next else 0] == now
        return not is_last and self.go(is_next=is_next)

    def _places(self) -> list[QTextCursor]:
        document, exactly = self._edit.document(), QTextDocument.FindFlag.FindCaseSensitively
        places = []
        for name in self._names:
            found = document.find(f"{{{name}}}", 0, exactly)
            while not found.isNull():
                places.append(found)
                found = document.find(f"{{{name}}}", found, exactly)
        return sorted(places, key=QTextCursor.selectionStart)

    def _select(self, place: QTextCursor) -> None:
        self._edit.setTextCursor(place)
        begin, end = QTextCursor(place), QTextCursor(place)
        begin.setPosition(place.selectionStart())
        # What is typed in its place stays between the two cursors.
        begin.setKeepPositionOnInsert(True)
        end.setPosition(place.selectionEnd())
        self._at = (_name_in(place), begin, end)
        announce(self._edit, tr("Fill in: {name}", name=_name_in(place)))

    def _copy_to_repetitions(self) -> None:
        """Copy what was typed into the last blank to all other blanks of its name."""
        if self._at is None:
            return
        name, begin, end = self._at
        # Once only: what is typed there later is one's own.
        self._at = None
        between = QTextCursor(self._edit.document())
        between.setPosition(begin.position())
        between.setPosition(end.position(), QTextCursor.MoveMode.KeepAnchor)
        typed = between.selection().toPlainText()
        # Nothing was typed, or the name is still there.
        if not typed.strip() or f"{{{name}}}" in typed:
            return
        # Undo takes back what was typed together with its copies.
        between.joinPreviousEditBlock()
        for place in self._places():
            if _name_in(place) == name:
                place.insertText(typed)
        between.endEditBlock()

    def _mark(self) -> None:
        tokens, marks = self._theme.tokens, []
        look = char_format(None, tokens.text, tokens.mark)
        for place in self._places():
            marks.append(highlight(place, look))
        self._edit.set_marks("blanks", marks)


def _name_in(blank: QTextCursor) -> str:
    return blank.selectedText()[1:-1]


class PromptList(QFrame):
    """List above the composer, with the same width; the focus stays in the message."""

    def __init__(self, theme: Theme, composer: Composer) -> None:
        from app.ui.shell.palette import EntryList, EntryModel

        super().__init__(composer.window())
        self._theme, self._composer = theme, composer
        self.setObjectName("prompt_list")
        self.setProperty("kind", "popover")
        elevate(self)
        self.entries = EntryModel(self)
        self.list = EntryList(theme, tr(PROMPTS), self.entries)
        self.list.clicked.connect(self._choose)
        theme.dress(fill_layout(QVBoxLayout(self), self.list), margins=(6, 6, 6, 6))
        # It stands above the composer, which moves as it grows.
        composer.installEventFilter(self)
        self.hide()

    @property
    def chosen(self) -> PaletteEntry | None:
        """The selected entry, which Enter inserts."""
        return self.entries.entry_at(self.list.currentIndex())

    def show_entries(self, entries: Sequence[PaletteEntry]) -> None:
        """Show entries with the first one selected."""
        self.entries.show(entries)
        self.show()
        self.raise_()
        self._arrange()
        self._go_to(0)

    def takes(self, event: QKeyEvent) -> bool:
        """Handle the keys of the list while the message has the focus. Return whether the key was used."""
        row, last = self.list.currentIndex().row(), self.entries.rowCount() - 1
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        places = {
            Qt.Key.Key_Down: row + 1,
            Qt.Key.Key_Up: row - 1,
            Qt.Key.Key_PageDown: min(row + SEEN_ROWS - 1, last),
            Qt.Key.Key_PageUp: max(row - SEEN_ROWS + 1, 0),
        }
        if modifiers or key not in (*places, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            return False
        if key in places:
            self._go_to(places[Qt.Key(key)])
        else:
            self._choose(self.list.currentIndex())
        return True

    def _go_to(self, row: int) -> None:
        index = self.entries.index(row % max(1, self.entries.rowCount()))
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)
        if (entry := self.chosen) is not None:
            announce(self._composer.field.edit, entry.spoken)

    def _choose(self, index: QModelIndex) -> None:
        if (entry := self.entries.entry_at(index)) is not None:
            entry.do()

    def _arrange(self) -> None:
        px, window = self._theme.px, self.window()
        corner = self._composer.mapTo(window, QPoint(0, 0))
        rows = range(min(SEEN_ROWS, self.entries.rowCount()))
        wanted = sum(self.list.sizeHintForRow(row) for row in rows) + 2 * px(6) + 4
        room = corner.y() - px(GAP_PX) - px(EDGE_PX)
        height = min(wanted, room)
        self.setGeometry(corner.x(), corner.y() - px(GAP_PX) - height, self._composer.width(), height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and self.isVisible():
            self._arrange()
        return super().eventFilter(watched, event)
