"""Pasted content: files are attached, long texts become documents on request and can be turned back."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QMenu

from app.core.visible import visible_name
from app.features.chat.session_messages import AttachFile, AttachFrom, RemoveParts
from app.features.media import ENDINGS
from app.ui.chat.attaching import ChatAttachments
from app.ui.chat.composer import Composer
from app.ui.chat.composer_menu import ComposerEntry
from app.ui.i18n import tr
from app.ui.shared_labels import PICTURES
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.dialogs import DOCUMENTS, file_dialog
from app.ui.widgets.menus import Menu

if TYPE_CHECKING:
    from app.features.chat.session import ChatSession
    from app.ui.chat.screen_region import ScreenRegion

PASTED_TEXT = "Pasted: {words}"
ATTACH_ENTRY = "Attach files…"
ATTACH_OTHER = "Attach something else"
CHOOSE_PICTURES = "Pictures…"
ATTACH_FOLDER = "A folder…"
SCREEN_PICTURE = "Capture part of the screen"

NAME_CHARACTERS = 30


class PastedText(QObject):
    """Turns pastes into documents of the visible draft, stored like any other."""

    def __init__(
        self, session: ChatSession, composer: Composer, attaching: ChatAttachments, *, theme: Theme, notify: Notify
    ) -> None:
        super().__init__(composer)
        self._theme = theme
        self._session, self._composer, self._attaching, self._notify = session, composer, attaching, notify
        self._last_key = 0
        """Key of the last text that became a document; 0 for none that undo could return."""
        field = composer.field
        field.can_attach = True
        field.attach_wanted.connect(self._attach)
        field.attach_undone.connect(self._take_back)
        field.paste_removed.connect(self._on_removed)
        field.edit.files_pasted.connect(attaching.add)
        field.edit.picture_pasted.connect(lambda picture: self._take_picture(*picture))
        field.edit.menu_wanted.connect(self._add_to_menu)
        session.serve({AttachFrom: self._attach_from})
        composer.plus.add_entry(ComposerEntry.ATTACH, self._add_attach_entries)

    def _attach_from(self, effect: AttachFrom) -> None:
        if effect.source == "pictures":
            self._ask_for_pictures()
        else:
            self._screen_region.ask()

    def _on_removed(self, index: int, text: str) -> None:
        field, place = self._composer.field, self._session.state.place

        def put_back() -> None:
            # Otherwise another chat's draft is shown.
            if place == self._session.state.place:
                field.put_paste_back(index, text)

        self._notify.undo(tr("The pasted text was removed."), put_back)

    def _attach(self, text: str) -> None:
        self._last_key = self._session.new_key()
        self._session.dispatch(AttachFile(Path(name_for(text)), text=text, key=self._last_key))

    def _take_picture(self, picture: bytes | QImage, ending: str) -> None:
        self._attaching.add_drawn(picture, f"{tr('Pasted picture')}{ending}")

    @cached_property
    def _screen_region(self) -> ScreenRegion:
        from app.ui.chat.screen_region import ScreenRegion  # imported at the first use

        return ScreenRegion(self._theme, self._notify, self._composer, take=self._on_region)

    def _on_region(self, taken: QImage | Path) -> None:
        self._attaching.add_pictures([taken], f"{tr('Part of the screen')}.png")
        self._composer.setFocus(Qt.FocusReason.OtherFocusReason)

    def _take_back(self) -> None:
        """Remove the document whose text undo has returned to the field."""
        self._session.dispatch(RemoveParts((self._last_key,), is_told=False))

    def _add_attach_entries(self, menu: Menu) -> None:
        if not self._composer.field.edit.takes_files:
            return
        ask = self._attaching.ask
        files = self._composer.plus.add_action(menu, "paperclip", tr(ATTACH_ENTRY), ask, command="attach")
        more = menu.add_submenu(tr(ATTACH_OTHER))
        if self._composer.sees:
            more.addAction(tr(CHOOSE_PICTURES), self._ask_for_pictures)
        more.addAction(tr(ATTACH_FOLDER), self._attaching.ask_for_folder)
        more.addAction(tr(SCREEN_PICTURE), lambda: self._screen_region.ask())  # noqa: PLW0108 - not made yet
        files.setEnabled(self._composer.can_send)
        more.setEnabled(self._composer.can_send)
        menu.addSeparator()

    def _ask_for_pictures(self) -> None:
        patterns = " ".join(f"*{ending}" for ending in ENDINGS)
        file_dialog(
            self._composer.window(),
            tr("Choose pictures"),
            DOCUMENTS,
            self._attaching.add_pictures,
            name="pictures_dialog",
            mode=QFileDialog.FileMode.ExistingFiles,
            filters=[f"{tr(PICTURES)} ({patterns})", tr("All files (*)")],
        ).open()

    def _add_to_menu(self, menu: QMenu, _at: QPoint) -> None:
        if self._composer.field.edit.textCursor().hasSelection():
            menu.addSeparator()
            menu.addAction(tr("Attach the selection as a document"), self._composer.field.attach_passage)


def name_for(text: str) -> str:
    """Return a name for a pasted text, from its first words."""
    words = " ".join(text[: 4 * NAME_CHARACTERS].split()).replace("/", " ")
    if len(words) > NAME_CHARACTERS:
        words = f"{words[:NAME_CHARACTERS].rsplit(' ', 1)[0]}…"
    return visible_name(tr(PASTED_TEXT, words=words))
