"""Prompts and resources of tool servers in the composer's menu: one fills the message, the other is attached."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.core.visible import visible_name
from app.features.chat.session_messages import AttachFile
from app.ui.chat.composer_menu import ComposerEntry
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_caption
from app.ui.widgets.menus import Menu, new_menu

if TYPE_CHECKING:
    from app.features.chat.message_draft import ChatPlace
    from app.features.chat.session import ChatSession
    from app.features.chat_services import Chats
    from app.features.tools.tool_offer import AddedServers, ServerText
    from app.ui.chat.composer import Composer
    from app.ui.chat.composer_prompts import ComposerPrompts

FROM_SERVERS = "From tool servers…"
FROM_SERVER = "{title} ({server})"
MORE_OF_THEM = "More"
NOTHING_OFFERED = "Your tool servers offer no prompts or documents."
NO_TEXT = "“{title}” has no text."
MOST_IN_SIGHT = 8
MOST_TITLE = 60
CLOSING_MS = 100


class ServerTexts(QObject):
    """Asks the servers on a thread when the entry is chosen, and then lets the user choose among what they offer."""

    def __init__(
        self,
        composer: Composer,
        session: ChatSession,
        chats: Chats,
        *,
        prompts: ComposerPrompts,
        theme: Theme,
        notify: Notify,
    ) -> None:
        super().__init__(composer)
        self._composer, self._session, self._chats = composer, session, chats
        self._prompts, self._theme, self._notify = prompts, theme, notify
        composer.plus.add_entry(ComposerEntry.SERVER_TEXTS, self._add_entry)

    def _add_entry(self, menu: Menu) -> None:
        if self._chats.settings().tools.servers:
            menu.addAction(icon("wrench", self._theme.tokens.muted), tr(FROM_SERVERS), self.look_up)

    def look_up(self) -> None:
        """Ask the servers that are on what they offer, and show it."""
        if (servers := self._chats.servers()) is not None:
            tasks.ask(
                lambda _token: servers.list_texts(),
                self,
                lambda found: self._wait_to_offer(servers, found),
                self._notify.error,
            )

    def _wait_to_offer(self, servers: AddedServers, texts: Sequence[ServerText]) -> None:
        # A menu that opens while the one before still closes is closed with it.
        QTimer.singleShot(CLOSING_MS, self, lambda: self._show_menu(servers, texts))

    def _show_menu(self, servers: AddedServers, texts: Sequence[ServerText]) -> None:
        if not texts:
            self._notify.mention(tr(NOTHING_OFFERED))
            return
        whole = menu = new_menu(self._composer, "server_texts", tr(FROM_SERVERS))
        for number, text in enumerate(texts):
            if number and number % MOST_IN_SIGHT == 0:
                menu = menu.add_submenu(tr(MORE_OF_THEM))
            glyph = icon("note" if text.is_prompt else "paperclip", self._theme.tokens.muted)
            words = tr(FROM_SERVER, title=visible_name(text.title)[:MOST_TITLE], server=visible_name(text.server))
            menu.addAction(glyph, plain_caption(words), partial(self._read_text, servers, text))
        whole.popup_at(self._composer.plus)

    def _read_text(self, servers: AddedServers, text: ServerText) -> None:
        place = self._session.state.place
        tasks.ask(
            lambda _token: servers.read_text(text),
            self,
            lambda found: self._take_text(text, found, place),
            self._notify.error,
        )

    def _take_text(self, text: ServerText, found: str, place: ChatPlace) -> None:
        if not found.strip():
            self._notify.mention(tr(NO_TEXT, title=visible_name(text.title)))
        elif not text.is_prompt:
            name = visible_name(text.title).replace("/", " ").strip() or "resource"
            self._session.dispatch(AttachFile(Path(name), place, text=found))
        # Another chat may be shown by now, whose message it isn't for.
        elif place == self._session.state.place:
            self._prompts.insert_text(found, text.arguments)
