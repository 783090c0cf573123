"""Newer versions of installed models: looked for at a click, shown on their cards, fetched beside the old ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.features.models.model_users import name_users
from app.ui.i18n import size_text, tr, tr_count
from app.ui.locale_formats import format_day, join_list
from app.ui.models.models_page import ModelsPage
from app.ui.shared_labels import NAME_DELETED
from app.ui.widgets.buttons import text_button

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection
    from app.features.models.installed import InstalledFile
    from app.features.models.model_versions import ModelUpdate
    from app.hub.model_library import InstalledModel
    from app.store.model_uses import ModelUsers
    from app.ui.shell.notify import Notify

LOOK_FOR_NEWER = "Look for a newer version"
LOOK_FOR_ALL = "Look for newer versions"
LOOKING_FOR_NEWER = "Asking the Hub…"
DOWNLOAD_NEWER = "Download newer version"
NEWER_ON_HUB = "Newer on the Hub: {new_size} instead of {size}, changed {day}."
NEWER_ON_HUB_UNDATED = "Newer on the Hub: {new_size} instead of {size}."
NEWER_FOUND = ("{count} model has a newer version.", "{count} models have newer versions.")
NONE_NEWER = "No newer versions on the Hub."
NEWER_IS_HERE = "A newer version is here. It takes over once it has answered."
NEWER_IS_COMING = "Downloading the newer version. This one stays until the newer one has answered."
DELETED_IN_USE = "“{name}” was deleted. It was used by: {users}."


class UpdateSearch:
    """Looks for newer versions for the page of installed models, and remembers what was found."""

    def __init__(
        self, page: ModelsPage, models: ModelCollection, notify: Notify, on_found: Callable[[], object]
    ) -> None:
        self._page, self._models, self._notify, self._on_found = page, models, notify, on_found
        self._found: dict[Path, ModelUpdate] = {}
        self.button = text_button(
            tr(LOOK_FOR_ALL), "quiet", page, name="look_for_newer", on_click=lambda _=False: self.look_for_all()
        )
        # Shown once there is a model to look for; the page of other programs' models has no place for it.
        self.button.hide()

    def can_look(self, model: InstalledModel) -> bool:
        """Return whether the Hub can be asked for newer versions of this model."""
        return bool(model.remote_file)

    def update_of(self, installed: InstalledFile) -> ModelUpdate | None:
        """Return the newer version that was found for a model, unless it is here by now."""
        return None if installed.has_newer else self._found.get(installed.model.path)

    def sentence_of(self, installed: InstalledFile) -> str:
        """Return what a model's card says about a newer version; "" if none is known."""
        if installed.has_newer:
            return tr(NEWER_IS_HERE)
        if (update := self.update_of(installed)) is None:
            return ""
        sizes = {"new_size": size_text(update.size_bytes), "size": size_text(installed.model.size_bytes)}
        if update.changed_at:
            return tr(NEWER_ON_HUB, day=format_day(update.changed_at), **sizes)
        return tr(NEWER_ON_HUB_UNDATED, **sizes)

    def look_for_all(self) -> None:
        """Ask the Hub about all models that came from there."""
        self._ask_hub(self._models.versions.find_updates)

    def look_for(self, model: InstalledModel) -> None:
        """Ask the Hub whether it has a newer version of this model."""
        self._ask_hub(lambda token: [update for update in [self._models.versions.find_update(model, token)] if update])

    def _ask_hub(self, ask: Callable[..., list[ModelUpdate]]) -> None:
        self.button.setEnabled(False)
        self.button.setText(tr(LOOKING_FOR_NEWER))
        self._page.ask(ask, self._on_answer, self._on_failed)

    def _on_answer(self, updates: list[ModelUpdate]) -> None:
        self._end_look()
        self._found.update({update.model.path: update for update in updates})
        self._notify.mention(tr_count(*NEWER_FOUND, len(updates)) if updates else tr(NONE_NEWER))
        self._on_found()

    def _on_failed(self, error: BaseException) -> None:
        self._end_look()
        self._notify.error(error)

    def _end_look(self) -> None:
        self.button.setText(tr(LOOK_FOR_ALL))
        self.button.setEnabled(True)

    def download(self, installed: InstalledFile) -> None:
        """Queue the newer version that was found; its card says so."""
        update = self._found[installed.model.path]
        self._page.ask(
            lambda _: self._models.versions.download(update), lambda _: self._on_queued(update), self._notify.error
        )

    def _on_queued(self, update: ModelUpdate) -> None:
        self._found.pop(update.model.path, None)
        self._notify.mention(tr(NEWER_IS_COMING))
        self._on_found()


def deleted_words(name: str, settings: list[str], users: ModelUsers) -> str:
    """Return what is told after a model was deleted, with everything that used it."""
    named = name_users(settings, users)
    return tr(DELETED_IN_USE, name=name, users=join_list(named)) if named else tr(NAME_DELETED, name=name)
