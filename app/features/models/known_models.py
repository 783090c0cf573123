"""The models that a person can choose, here and on servers, with their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.catalogue import Translatable
from app.core.errors.model_errors import ModelMissing, ModelUnreadable
from app.core.paths import runs_elsewhere
from app.features.models.model_names import display_name
from app.store.model_notes import ModelNotes

if TYPE_CHECKING:
    from app.core.settings import NetworkSettings
    from app.features.models.installed import InstalledFile
    from app.remote.servers import RemoteModel, RemoteServers


class KnownModels:
    """`installed` lists the models here; it is asked only for lists, so that a name needs no folder."""

    def __init__(
        self, notes: ModelNotes, servers: Callable[[], RemoteServers], installed: Callable[[], Iterable[InstalledFile]]
    ) -> None:
        self._notes, self._servers, self._list_installed = notes, servers, installed

    def label_of(self, path: Path) -> str:
        """Return the user's label for a model, "" without one."""
        if runs_elsewhere(path):
            model = self._find_elsewhere(path)
            return model.short_name if model is not None else path.stem
        note = self._notes.get(path)
        return note.label if note else ""

    def host_of(self, path: Path) -> str:
        """Return the host a remote model runs on; "" for a local or missing model."""
        model = self._find_elsewhere(path)
        return model.server.host if model is not None else ""

    def may_ask(self, path: Path, network: NetworkSettings) -> bool:
        """Return whether the network settings allow asking a remote model."""
        model = self._find_elsewhere(path)
        is_near = model is None or model.server.is_own_network
        return network.allowed if is_near else network.reaches_internet

    def sees_elsewhere(self, path: Path) -> bool:
        """Return whether a remote model takes images, as far as known."""
        from app.remote.servers import SEES

        model = self._find_elsewhere(path)
        return model is not None and model.sees == SEES

    def _find_elsewhere(self, path: Path) -> RemoteModel | None:
        if runs_elsewhere(path):
            with suppress(ModelMissing, ModelUnreadable):
                return self._servers().read_model(path)
        return None

    def name_of(self, path: Path) -> Translatable:
        """Return the name to show for a model: the user's label, else one made from its file name."""
        return display_name(path, self.label_of(path))

    def list_choices(self) -> list[tuple[Path, Translatable]]:
        """List models to choose from with their names: the starter, then the last used; no embedding models."""
        rows = [row for row in self._list_installed() if not row.model.missing and not row.embeds]
        # False goes before True, so the starter is first.
        rows.sort(key=lambda row: (row.model.origin != "starter", -(row.used_at or 0)))
        found = [(row.model.path, row.label) for row in rows]
        return found + [(model.path, model.short_name) for model in self._servers().list_models()]
