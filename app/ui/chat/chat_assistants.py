"""Assistants in the chat tab: choosing one for a chat, starting a chat with one, and saving a chat's options as one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from app.features.assistants import ICONS, chosen_of, icon_of
from app.features.chat_services import Chats
from app.features.error_messages import message_of_words
from app.ui.chat.chat_options import ChatOptions, model_choices
from app.ui.chat.composer import Composer
from app.ui.chat.composer_menu import ComposerEntry
from app.ui.chat.welcome import EmptyState
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.screen_reader import read_as
from app.ui.shared_labels import NEW_ASSISTANT
from app.ui.shell.model_about import OtherModels
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import OptionChip
from app.ui.widgets.labels import plain_caption
from app.ui.widgets.menus import Menu, new_menu

if TYPE_CHECKING:
    from app.store.assistant_store import Assistant
    from app.ui.chat.assistant_dialog import AssistantDialog

ALL_ASSISTANTS = "All assistants…"
SAVE_AS_ASSISTANT = "Save these settings as an assistant…"
ASSISTANT_CHANGED = "“{name}” was changed. This chat isn’t affected."
NO_ASSISTANT = "No assistant"
CHAT_ASSISTANT = "Assistant of this chat: {name}"
ASSISTANT_ENTRY = "Assistant"
WITH_ASSISTANT = "With an assistant"
DROP_ASSISTANT = "Chat without the assistant"


class ChatAssistants(QObject):
    """Connects assistants to the composer, the welcome page and the palette for the visible chat."""

    begin_wanted = Signal(object)
    """A new chat with this `Assistant` was requested."""

    def __init__(
        self,
        options: ChatOptions,
        composer: Composer,
        empty: EmptyState,
        chats: Chats,
        models: OtherModels,
        *,
        theme: Theme,
        notify: Notify,
    ) -> None:
        super().__init__(composer)
        self._options, self._composer, self._empty, self._chats, self._models = options, composer, empty, chats, models
        self._theme, self._notify = theme, notify
        self.chip = OptionChip(
            theme, "assistant", ICONS[0], about=lambda name: tr(CHAT_ASSISTANT, name=name), off=tr(DROP_ASSISTANT)
        )
        read_as(self.chip.button, has_menu=True)
        self.chip.pressed.connect(lambda: self.menu().popup_at(self.chip))
        self.chip.removed.connect(lambda: self.choose_assistant(0))
        composer.add_chip(self.chip)
        composer.plus.add_entry(ComposerEntry.ASSISTANT, self._add_to_menu)
        empty.assistant_chosen.connect(self._on_greeted)
        options.assistant_changed.connect(self.show)
        self.show()

    def all(self) -> Sequence[Assistant]:
        """Return all assistants, most recently used first; empty after a storage error, which is shown."""
        with self._notify.guard():
            return self._chats.assistants().all()
        return ()

    def show(self) -> None:
        """Show the chat's assistant in the composer, and all of them on the welcome page."""
        assistant = self._options.assistant
        self.chip.show_name(*((assistant.name, icon_of(assistant)) if assistant is not None else ("",)))
        self._empty.show_assistants(
            [(other.id, other.name, icon_of(other)) for other in self.all()],
            assistant.id if assistant is not None else 0,
        )

    def choose_assistant(self, number: int) -> None:
        """Set the assistant of the visible chat by id; 0 removes it."""
        assistant = self._chats.assistants().get(number) if number else None
        self._options.take_assistant(assistant)

    def begin(self, number: int) -> None:
        """Start a new chat with an assistant; open the dialog if that was deleted meanwhile."""
        with self._notify.guard():
            if (assistant := self._chats.assistants().get(number)) is None:
                self.open_all()
            else:
                self.begin_wanted.emit(assistant)

    def menu(self) -> Menu:
        """Return the menu of assistants for the visible chat."""
        return self._fill_menu(new_menu(self.chip, "assistant_menu", tr("Assistant of this chat")))

    def _add_to_menu(self, menu: Menu) -> None:
        self._fill_menu(menu.add_submenu(tr(ASSISTANT_ENTRY), icon(ICONS[0], self._theme.tokens.muted)))

    def _fill_menu(self, menu: Menu) -> Menu:
        tokens, here = self._theme.tokens, self._options.assistant
        for number, name, glyph in [(0, tr(NO_ASSISTANT), ""), *((o.id, o.name, icon_of(o)) for o in self.all())]:
            is_this = number == (here.id if here is not None else 0)
            action = menu.addAction(plain_caption(name), partial(self.choose_assistant, number))
            # An entry without an icon of its own keeps the room of a tick.
            colour = tokens.accent if is_this else tokens.muted if glyph else "#00000000"
            action.setIcon(icon(glyph or "check", colour))
            action.setCheckable(True)
            action.setChecked(is_this)
        menu.addSeparator()
        menu.addAction(icon("floppy-disk", tokens.muted), tr(SAVE_AS_ASSISTANT), self.save_as)
        if here is not None:
            words = plain_caption(tr("Edit “{name}”…", name=here.name))
            menu.addAction(icon("pencil-simple", tokens.muted), words, lambda: self.open_all(here.id))
        menu.addAction(icon(ICONS[0], tokens.muted), tr(ALL_ASSISTANTS), self.open_all)
        return menu

    def fill_new_menu(self, menu: Menu) -> None:
        """Add the assistants that a new chat can begin with to a menu."""
        muted = self._theme.tokens.muted
        inside = menu.add_submenu(tr(WITH_ASSISTANT), icon(ICONS[0], muted))
        for assistant in self.all():
            inside.addAction(
                icon(icon_of(assistant), muted), plain_caption(assistant.name), partial(self.begin, assistant.id)
            )
        inside.addSeparator()
        inside.addAction(icon(ICONS[0], muted), tr(ALL_ASSISTANTS), self.open_all)

    def save_as(self) -> AssistantDialog:
        """Save the chat's options as a new assistant, which still needs a name."""
        dialog = self.open_all()
        dialog.add(tr(NEW_ASSISTANT), self._options.chosen)
        return dialog

    def open_all(self, number: int = 0) -> AssistantDialog:
        """Open the dialog of all assistants, at the given one."""
        # When first opened: it brings the fields of all options.
        from app.ui.chat.assistant_dialog import AssistantDialog

        # As it is now, to tell at the end whether this chat's assistant was changed.
        before = self._options.assistant
        dialog = AssistantDialog(
            self._chats.assistants(),
            self._theme,
            self._composer.window(),
            models=model_choices(self._models.known(), self._chats.model_path()),
            in_settings=self._options.in_settings(),
            on_change=self.show,
            begin_chat=self.begin_wanted.emit,
        )
        dialog.finished.connect(lambda _: self._offer_changes(before))
        dialog.reload_list(number or (before.id if before is not None else 0))
        dialog.show()
        return dialog

    def _offer_changes(self, before: Assistant | None) -> None:
        """Offer to apply changes made to the chat's assistant; the chat keeps its copy otherwise."""
        now = self._options.assistant
        if now is None or before is None or now.id != before.id or chosen_of(now) == chosen_of(before):
            return
        words = tr(ASSISTANT_CHANGED, name=now.name)
        self._notify.show_notice(message_of_words(words, "take_over"), action=partial(self._take_over, now.id))

    def _take_over(self, number: int) -> None:
        # Still that chat, or another one with this assistant.
        if (here := self._options.assistant) is not None and here.id == number:
            self.choose_assistant(number)

    def _on_greeted(self, number: int) -> None:
        """Toggle the assistant that was pressed on the welcome page."""
        here = self._options.assistant
        self.choose_assistant(0 if here is not None and here.id == number else number)
        self._composer.setFocus(Qt.FocusReason.OtherFocusReason)
