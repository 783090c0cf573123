"""Pages of installed models, of this program and of others, which are never changed; and how model files are added."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu

from app.core.catalogue import CountedTexts
from app.core.errors.model_errors import ModelNotOurs
from app.core.events import CancelToken
from app.features.models.installed import PASSAGES
from app.ui.i18n import size_text, tr, tr_count
from app.ui.icons import icon
from app.ui.model_texts import join, quantization_label, senses_words
from app.ui.models.model_card import ModelCard
from app.ui.models.model_updates import DOWNLOAD_NEWER, LOOK_FOR_NEWER, UpdateSearch, deleted_words
from app.ui.models.models_page import ModelsPage
from app.ui.screen_reader import read_as
from app.ui.shared_labels import DELETE, IN_USE, REMOVE_FROM_LIST, RENAME, STARTER, USE_IN_CHAT
from app.ui.shell import tasks
from app.ui.shell.desktop import open_folder
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.menus import Menu

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.installed import InstalledFile
    from app.hub.model_library import InstalledModel
    from app.hub.model_trash import TrashedModel
    from app.store.model_uses import ModelUsers

SEES_WHEN_RELOADED = "Downloading. The model can see pictures the next time it’s loaded."

DOWNLOAD_IMAGE_SUPPORT = "Download picture support"
INSTALLED = "Installed"
USE_TO_FIND_PASSAGES = "Use for search"
STOP_FINDING_PASSAGES = "Stop using for search"
NOT_USED_YET = "not used yet"
MISSING_PARTS = "Incomplete, missing parts: {count}"
MORE_ABOUT_MODEL = "More about {name}"
MODEL_IN_USE = "“{name}” is in use. Choose another model first."
DELETE_IN_USE = "Delete (in use)"
MODEL_LEFT_LIST = "Removed “{name}” from the list. The file wasn’t deleted."
SHOW_IN_FOLDER = "Show in folder"
COPY_TO_DISK = "Copy to a disk…"
USED_TODAY = "used today"
USED_OVER_A_YEAR_AGO = "used more than a year ago"
FINDS_PASSAGES = "Used for search"
NO_FOREIGN_MODELS = "No models from other programs found."


_ORIGINS = {
    "starter": "came with this program",
    "downloaded": "from the Hub",
    "added": "added by you",
    "opened": "stays in its own folder",
    "hub_cache": "from the Hub's cache",
    "llama_cpp": "from llama.cpp",
    "lm_studio": "from LM Studio",
    "ollama": "from Ollama",
    "gpt4all": "from GPT4All",
    "jan": "from Jan",
}
_DAY_S = 86_400
_AGO: tuple[tuple[int, int, CountedTexts], ...] = (
    (14, 1, ("used {count} day ago", "used {count} days ago")),
    (60, 7, ("used a week ago", "used {count} weeks ago")),
    (365, 30, ("used a month ago", "used {count} months ago")),
)


class InstalledPage(ModelsPage):
    """Cards of installed models; `of_others` selects those of other programs."""

    use_wanted = Signal(object)
    """Carries the path of a model."""
    counted = Signal(int)
    inside_wanted = Signal(object, str)
    """An `InstalledFile` and the name on its card."""
    export_wanted = Signal(object, str)
    """An `InstalledModel` to be copied to a folder or disk, and the name on its card."""
    changed = Signal()
    """A model was renamed, deleted or restored."""

    def __init__(self, app: Fireside, ui: UiContext, *, of_others: bool = False) -> None:
        super().__init__(ui.theme, tr("From other programs") if of_others else tr(INSTALLED))
        self._app, self._notify, self._loader, self._of_others = app, ui.notify, ui.loader, of_others
        self._models: list[InstalledFile] = []
        self._by_card: dict[ModelCard, InstalledFile] = {}
        self._is_behind = False
        self.updates = UpdateSearch(self, app.models, ui.notify, self._show_anew)
        if of_others:
            self.show_text(self.lead, tr("Used where they are and never changed."))
        else:
            ui.theme.dress(self.updates.button, font="control")
            self.top.addWidget(self.updates.button)
        self.show_text(self.empty, tr("Searching…"))
        ui.loader.changed.connect(self._mark_used)

    def reload(self) -> tasks.BackgroundTask:
        find = self._app.models.list_others if self._of_others else self._app.models.list_installed
        return self.ask_anew(lambda _: find(), self.show_models, self._notify.error)

    def show_models(self, models: list[InstalledFile]) -> None:
        """Show these models; cards of the same ones stay, and the focus on its model. An open menu or editor postpones
        it.
        """
        # The same list again: cards, focus and scroll position stay.
        if models == self._models and self._by_card:
            return
        menu = self.findChild(QMenu, "model_menu")
        if (menu is not None and menu.isVisible()) or any(card.is_edited for card in self._by_card):
            self._is_behind = True
            return
        focused = next((str(installed.model.path) for card, installed in self._by_card.items() if card.hasFocus()), "")
        known = [(installed, card) for card, installed in self._by_card.items()] if self._models else []
        kept = {card: installed for installed, card in known if installed in models}
        self._models = models
        self.clear_rows(kept)
        self._by_card = {}
        for installed in models:
            card = next((card for card, shown in kept.items() if shown == installed), None) or self._card(installed)
            self._by_card[card] = installed
            self.rows.addWidget(card)
            if str(installed.model.path) == focused:
                card.setFocus(Qt.FocusReason.OtherFocusReason)
        self.updates.button.setVisible(any(self.updates.can_look(installed.model) for installed in models))
        nothing = tr(NO_FOREIGN_MODELS) if self._of_others else tr("No models yet.")
        self.show_text(self.empty, "" if models else nothing)
        self._mark_used()
        self.counted.emit(len(models))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and self._by_card:
            self._show_anew()

    def menu_for(self, card: ModelCard) -> Menu:
        installed = self._by_card[card]
        path, tokens = installed.model.path, self._theme.tokens
        menu = Menu(self)
        menu.setObjectName("model_menu")
        # The page is its parent and would keep every menu that was ever opened.
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        is_used = path == self._loader.path
        if installed.embeds:
            is_chosen = self._is_chosen(installed)
            words = tr(STOP_FINDING_PASSAGES) if is_chosen else tr(USE_TO_FIND_PASSAGES)
            menu.addAction(icon("magnifying-glass", tokens.muted), words, lambda: self._use_for_passages(card))
        else:
            use = menu.addAction(icon("chat-circle-text", tokens.muted), tr(USE_IN_CHAT), lambda: self._use(card))
            use.setEnabled(not is_used and not installed.model.missing)
        if not self._of_others and installed.model.origin != "starter":
            # Behind a tab Qt aligns text like a shortcut; the card itself handles the key.
            menu.addAction(icon("pencil-simple", tokens.muted), tr(RENAME) + "\tF2", card.rename)
        menu.addAction(icon("folder-open", tokens.muted), tr(SHOW_IN_FOLDER), lambda: open_folder(path.parent))
        if not installed.model.missing:
            name = card.name.text()
            menu.addAction(
                icon("export", tokens.muted), tr(COPY_TO_DISK), lambda: self.export_wanted.emit(installed.model, name)
            )
        if not self._of_others and self._app.models.fetching.can_fetch_eyes(installed.model):
            menu.addAction(
                icon("image", tokens.muted), tr(DOWNLOAD_IMAGE_SUPPORT), lambda: self._fetch_eyes(installed.model)
            )
        if not self._of_others and self.updates.can_look(installed.model):
            menu.addAction(
                icon("arrows-clockwise", tokens.muted),
                tr(LOOK_FOR_NEWER),
                lambda: self.updates.look_for(installed.model),
            )
        if installed.model.origin == "opened":
            menu.addAction(icon("x", tokens.muted), tr(REMOVE_FROM_LIST), lambda: self._take_off(card))
        if can_delete(installed):
            menu.addSeparator()
            delete = menu.addAction(
                icon("trash", tokens.danger), tr(DELETE) + "\t" + tr("Del"), lambda: self._delete(card)
            )
            delete.setEnabled(not is_used)
            if is_used:
                delete.setText(tr(DELETE_IN_USE))
        return menu

    def _card(self, installed: InstalledFile) -> ModelCard:
        is_starter = installed.model.origin == "starter"
        name = tr(STARTER) if is_starter else installed.label or installed.model.name
        card = ModelCard(self._theme, name)
        self._by_card[card] = installed
        sentence = tr("A very small English model, often wrong") if is_starter else self.updates.sentence_of(installed)
        card.show_words(sentence, facts_of(installed, time.time()), installed.model.repo)
        card.name.setToolTip(plain_tip(str(installed.model.path)))  # two models may have one name
        card.add_button(
            "inside", tr("Look inside"), lambda: self.inside_wanted.emit(installed, card.name.text()), "quiet"
        )
        card.add_button("update", tr(DOWNLOAD_NEWER), lambda: self.updates.download(installed))
        card.add_button("use", tr(USE_IN_CHAT), lambda: self._use(card))
        card.add_button("use_passages", tr(USE_TO_FIND_PASSAGES), lambda: self._use_for_passages(card))
        more: IconButton = IconButton(
            self._theme,
            "dots-three-bold",
            tr(MORE_ABOUT_MODEL, name=card.name.text()),
            name="more",
            on_click=lambda: self._open_menu(card, more.mapToGlobal(QPoint(0, more.height()))),
        )
        read_as(more, has_menu=True)
        card.add_tool("more", more)
        card.editing_ended.connect(self._catch_up)
        card.renamed.connect(lambda label: self._rename(card, label))
        card.key_pressed.connect(lambda key: self._on_key(card, key))
        card.customContextMenuRequested.connect(lambda place: self._open_menu(card, card.mapToGlobal(place)))
        return card

    def _mark_used(self) -> None:
        for card, installed in self._by_card.items():
            is_chosen = self._is_chosen(installed)
            is_used = installed.model.path == self._loader.path or is_chosen
            use = "use_passages" if installed.embeds else "use"
            if missing := len(installed.model.missing):
                card.show_badge(tr(MISSING_PARTS, count=missing), "warning")
            else:
                words = tr(FINDS_PASSAGES) if is_chosen else tr(IN_USE) if is_used else ""
                card.show_badge(words, "success")
            newer = ("update",) if self.updates.update_of(installed) is not None else ()
            card.show_buttons(*newer, *(() if missing else ("inside",) if is_used else ("inside", use)))

    def _open_menu(self, card: ModelCard, place: QPoint) -> None:
        menu = self.menu_for(card)
        # A reload that comes meanwhile waits for the menu to close.
        menu.aboutToHide.connect(self._catch_up)
        menu.popup(place)

    def _catch_up(self) -> None:
        """Apply a reload that waited for a menu or an editor to close."""
        if self._is_behind:
            self._is_behind = False
            self.reload()

    def _on_key(self, card: ModelCard, key: int) -> None:
        steps = {Qt.Key.Key_Down.value: 1, Qt.Key.Key_Up.value: -1}
        if key in steps:
            self.move_focus(card, steps[key])
        elif key == Qt.Key.Key_Return.value:
            self._use(card)
        elif key == Qt.Key.Key_Menu.value:
            self._open_menu(card, card.mapToGlobal(card.rect().center()))
        elif key == Qt.Key.Key_F2.value and not self._of_others and self._by_card[card].model.origin != "starter":
            card.rename()
        elif key == Qt.Key.Key_Delete.value and can_delete(self._by_card[card]):
            self._delete(card)

    def _is_chosen(self, installed: InstalledFile) -> bool:
        """Return whether passages are found with this model."""
        return installed.embeds and self._app.settings.models.passages_path == str(installed.model.path)

    def _use_for_passages(self, card: ModelCard) -> None:
        """Toggle the model's use for finding passages."""
        installed, models = self._by_card[card], self._app.models
        if self._is_chosen(installed):
            self._change(lambda _: models.stop_using(PASSAGES))
        else:
            self._change(lambda _: models.choose_model(PASSAGES, installed.model.path))

    def _change(self, work: Callable[[CancelToken], object]) -> None:
        """Change something of the models on a thread, then show them again."""
        self.ask(work, self._on_changed, self._on_failed)

    def _use(self, card: ModelCard) -> None:
        model = self._by_card[card].model
        if self._by_card[card].embeds:
            if not self._is_chosen(self._by_card[card]):
                self._use_for_passages(card)
            return
        if model.path != self._loader.path and not model.missing:
            self.use_wanted.emit(model.path)

    def _rename(self, card: ModelCard, label: str) -> None:
        path = self._by_card[card].model.path
        self._models = []  # the cards already show what the list doesn't contain yet
        self._change(lambda _: self._app.models.rename(path, label))

    def _fetch_eyes(self, model: InstalledModel) -> None:
        fetch_eyes = self._app.models.fetching.fetch_eyes
        then = lambda _: self._notify.mention(tr(SEES_WHEN_RELOADED))  # noqa: E731
        self.ask(lambda token: fetch_eyes(model, token), then, self._on_failed)

    def _delete(self, card: ModelCard) -> None:
        installed = self._by_card[card]
        path, name = installed.model.path, card.name.text()
        if path == self._loader.path:
            self._notify.mention(tr(MODEL_IN_USE, name=name))
            return
        # The card goes at once; a failure reloads the list.
        cards = self.cards()
        place = cards.index(card)
        card.hide()
        neighbour = cards[place + 1 : place + 2] or cards[max(0, place - 1) : place]
        if neighbour:
            neighbour[0].setFocus(Qt.FocusReason.OtherFocusReason)
        models = self._app.models

        def delete(_token: CancelToken) -> tuple[tuple[list[str], ModelUsers], TrashedModel]:
            # Asked before: no setting names it any more afterwards.
            return models.find_users(path), models.remove(path)

        self.ask(delete, lambda done: self._on_deleted(done[1], deleted_words(name, *done[0])), self._on_failed)

    def _on_deleted(self, thrown: TrashedModel, words: str) -> None:
        self._on_changed()
        self._notify.undo(words, lambda: self._put_back(thrown))

    def _take_off(self, card: ModelCard) -> None:
        """Remove a model from the list; a file used in its place isn't deleted."""
        path, name = self._by_card[card].model.path, card.name.text()

        def forget(_token: CancelToken) -> None:
            # Told after it left the list: the file itself stays where it is.
            with contextlib.suppress(ModelNotOurs):
                self._app.models.remove(path)

        self.ask(forget, lambda _: self._on_taken_off(path, name), self._on_failed)

    def _on_taken_off(self, path: Path, name: str) -> None:
        self._on_changed()
        text = tr(MODEL_LEFT_LIST, name=name)
        self._notify.undo(text, lambda: self._put_on(path))

    def _put_on(self, path: Path) -> None:
        # A generator works only as far as it is read.
        self._change(lambda token: list(self._app.models.add(path, "in_place", token)))

    def _put_back(self, thrown: TrashedModel) -> None:
        self._change(lambda _: self._app.models.put_back(thrown))

    def _show_anew(self) -> None:
        models, self._models = self._models, []
        self.show_models(models)

    def _on_changed(self, _answer: object = None) -> None:
        self.reload()
        self.changed.emit()

    def _on_failed(self, error: BaseException) -> None:
        self._notify.error(error)
        self._models = []  # the cards show a change that failed
        self.reload()


def can_delete(installed: InstalledFile) -> bool:
    """Return whether the file is this program's to delete; the starter model isn't."""
    return installed.model.is_ours and installed.model.origin != "starter"


def facts_of(installed: InstalledFile, now_s: float) -> str:
    """Return size, quantization, origin and last use on one line."""
    model = installed.model
    kind = quantization_label(model.tag)
    origin = tr(_ORIGINS.get(model.origin, "")) if model.origin in _ORIGINS else ""
    used = used_words(installed.used_at, now_s)
    return join(size_text(model.size_bytes), kind, senses_words(model.sees, model.hears), used, origin)


def used_words(used_at: float | None, now_s: float) -> str:
    """Return when a model was last used, such as "used today"."""
    if not used_at:
        return tr(NOT_USED_YET)
    # -1: whether summer time holds is looked up for that day.
    midnight = time.mktime((*time.localtime(now_s)[:3], 0, 0, 0, 0, 0, -1))
    if used_at >= midnight:
        return tr(USED_TODAY)
    # Counted from midnight: what was used late yesterday was used yesterday.
    days = int((midnight - used_at) // _DAY_S) + 1
    if days < 2:
        return tr("used yesterday")
    for most, size, texts in _AGO:
        if days < most:
            return tr_count(*texts, days // size)
    return tr(USED_OVER_A_YEAR_AGO)


Then = Callable[[Path], object]
