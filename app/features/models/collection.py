"""Everything about models in one place: suggested, found, fetched, installed, those of other programs, and per tab.

Whatever asks the Hub, other programs' folders or the disk may take its time and belongs on a thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path, PurePosixPath

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import FileNotOnHub, NetworkOff
from app.core.errors.model_errors import ModelNotInstalled, ModelNotOurs
from app.core.errors.request_errors import EmbeddingsUnavailable
from app.core.events import CancelToken, CopyProgress, ModelLoaded
from app.core.lazy_dataclasses import dataclass, replace
from app.core.listeners import Listeners
from app.core.paths import AppPaths, starter_model
from app.core.settings import Settings
from app.engine.computer import free_memory_bytes, total_memory_bytes
from app.engine.fit import GpuRoom, MemoryRoom
from app.engine.states import StateFolder
from app.features.models import choice, estimate
from app.features.models.estimate import MemoryFit
from app.features.models.installed import (
    KEPT,
    OPENED,
    PASSAGES,
    STARTER,
    ChosenModels,
    InstalledFile,
    InstalledModels,
    embeds_texts,
    engine_names,
    is_of,
)
from app.features.models.machine_speed import MachineSpeed
from app.features.models.model_messages import MessageTemplate
from app.features.models.model_names import stated_parameters
from app.features.models.model_storage import DONE, ModelStorage
from app.features.models.model_versions import ModelVersions, mark_versions, version_folder
from app.features.models.models_on_disks import ModelDisks
from app.hub import folder_move, model_trash
from app.hub.catalog import CatalogEntry, load_catalog
from app.hub.download import Download, DownloadRequest
from app.hub.downloads import Downloads
from app.hub.hub_search import FoundRepository, HubSearch
from app.hub.model_files import ModelFile, RemoteFile, Repository
from app.hub.model_library import InstalledModel
from app.hub.model_trash import TrashedModel
from app.hub.network import Network
from app.hub.running_fetch import fetch_download
from app.store.jobs import JobTable
from app.store.model_notes import ModelNotes
from app.store.model_uses import ModelUsers, ModelUses

log = logging.getLogger(__name__)

GPUS_WAIT_S = 5.0
"""The engine's child starts in less, unless the machine is very busy."""
LENT_HOLDS_S = 60.0
"""Seconds until lending computers are asked again: one that is off costs seconds each time."""
USUAL_SUGGESTIONS = 3
TRASH_KEPT_S = 7 * 24 * 3600.0
DOWNLOADED = "downloaded"


@dataclass(frozen=True)
class ModelSuggestion:
    """A suggested model with its memory needs and expected speed."""

    entry: CatalogEntry
    fit: MemoryFit
    installed: InstalledModel | None = None
    download: Download | None = None

    def words_for(self, task: str) -> MessageTemplate:
        """Return the text a tab without a model shows for this suggestion."""
        return choice.offer_words(task, self.entry, self.fit.helpers)


@dataclass(frozen=True)
class CollectionServices:
    """Services the models need from the rest of the program."""

    paths: AppPaths
    settings: Callable[[], Settings]
    change: Callable[..., None]
    """Of a section, by name: as `Fireside.change`."""
    network: Network
    jobs: JobTable
    notes: ModelNotes
    uses: ModelUses
    states: StateFolder
    loaded: Callable[[], ModelLoaded | None] = lambda: None
    gpus: Callable[[], tuple[GpuRoom, ...]] = lambda: ()
    speeds: Callable[[], dict[str, float]] = dict
    """The most tokens per second seen, by the name of the model."""
    memory_bytes: Callable[[], int] = lambda: 0
    """Memory the translation memory takes, in bytes."""
    lent: Callable[[], tuple[GpuRoom, ...]] = lambda: ()
    """Memory that other computers would add; takes seconds."""


class MachineNeeds:
    """Estimate a model's memory and speed on this computer.

    Call from a worker thread: at the first start everything waits for GPU detection, which changes the suggestions.
    """

    def __init__(self, around: CollectionServices, hub: HubSearch, here: InstalledModels, closing: CancelToken) -> None:
        self._surroundings, self._hub, self._installed, self._closing = around, hub, here, closing
        self._speed = MachineSpeed(around.paths.cache, around.paths.engine)
        self._gpus: tuple[GpuRoom, ...] = ()
        self._gpus_known = threading.Event()
        self._are_expected = False
        self._asking = threading.Lock()
        self._lent: tuple[GpuRoom, ...] = ()
        self._lent_for: tuple[object, ...] = ()
        self._lent_until_s = 0.0

    def expect_gpus(self) -> None:
        """`learn_gpus` is about to be called, on another thread."""
        self._are_expected = True

    def learn_gpus(self) -> None:
        """Detect GPUs with the engine's child, started for it."""
        try:
            self._gpus = self._surroundings.gpus()
        except AppError as error:
            log.info("the GPUs are not known: %s", error)
        self._gpus_known.set()

    def memory_room(self) -> MemoryRoom:
        """Return the memory a model could have now: the loaded one would make room."""
        if self._are_expected:
            # The first suggestions would change once GPUs are known, so they wait for them.
            self._gpus_known.wait(GPUS_WAIT_S)
        free, total, loaded = free_memory_bytes(), total_memory_bytes(), self._surroundings.loaded()
        # The loaded model leaves for another one; on a GPU its memory isn't the computer's.
        if free and loaded is not None and not loaded.gpu_layers:
            free = min(free + loaded.needed_bytes, total or free + loaded.needed_bytes)
        return MemoryRoom(free, total, self._gpus if self._surroundings.settings().engine.gpu_layers else ())

    def lent_rooms(self, *, anew: bool = False) -> tuple[GpuRoom, ...]:
        """Return memory offered by other computers, cached for a minute; empty if no offloading is wanted."""
        settings = self._surroundings.settings()
        if not settings.engine.machines or not settings.engine.gpu_layers:
            return ()
        asked_as = settings.engine.machines, settings.network.allowed
        with self._asking:
            # Asked again where the settings changed, not only by time.
            if anew or asked_as != self._lent_for or time.monotonic() > self._lent_until_s:
                self._lent, self._lent_for = self._surroundings.lent(), asked_as
                self._lent_until_s = time.monotonic() + LENT_HOLDS_S
            return self._lent

    def fit_of(self, entry: CatalogEntry, here: MemoryRoom, bytes_per_s: float) -> MemoryFit:
        """Estimate a catalog entry from the catalog's figures."""
        active_bytes = entry.active_bytes if entry.active_share else 0

        def within(room: MemoryRoom) -> MemoryFit:
            return estimate.by_size(entry.size_bytes, entry.kv_bytes_per_token, room, active_bytes)

        found = within(here)
        # Other computers change the verdict; without them the speed of this one counts.
        return self._with_help(found, within) or found.at_speed(bytes_per_s)

    def guess_fits(self, found: Sequence[FoundRepository]) -> dict[str, MemoryFit]:
        """Estimate the usual version of repositories in a list, by repository. The Hub isn't asked.

        Those of the catalog have its figures; others follow from their parameters, and are left out without any.
        """
        room, bytes_per_s = self.memory_room(), self.bytes_per_s()
        suggested = {entry.repo: entry for entry in self._installed.entries}
        fits = {}
        for row in found:
            if (entry := suggested.get(row.repo)) is not None:
                fits[row.repo] = self.fit_of(entry, room, bytes_per_s)
                continue
            stated, active = stated_parameters(row.repo.rpartition("/")[2])
            total = row.parameters or stated
            if total:
                size_bytes = int(total * estimate.Q4_BYTES_PER_PARAMETER)
                active_bytes = _read_per_token(size_bytes, stated, active, row.architecture)
                fits[row.repo] = estimate.guess_fit(size_bytes, active_bytes, room).at_speed(bytes_per_s)
        return fits

    def guess_file_fits(self, repository: Repository) -> dict[str, MemoryFit]:
        """Estimate every version of a repository from its size, by file. The Hub isn't asked."""
        room, bytes_per_s = self.memory_room(), self.bytes_per_s()
        stated, active = stated_parameters(repository.name.rpartition("/")[2])
        architecture = str(repository.facts.get("architecture") or "")

        def fit_of(size_bytes: int) -> MemoryFit:
            active_bytes = _read_per_token(size_bytes, stated, active, architecture)
            return estimate.guess_fit(size_bytes, active_bytes, room).at_speed(bytes_per_s)

        return {model.name: fit_of(model.size_bytes) for model in repository.models if model.is_supported}

    def recommend_file(self, models: Sequence[ModelFile]) -> ModelFile | None:
        """Return the repository's file to take: for this computer, else with lent memory; None if none fits."""
        room = self.memory_room()
        here = choice.recommend_file(models, room)
        lent = self.lent_rooms() if here is None else ()
        return choice.recommend_file(models, replace(room, gpus=room.gpus + lent)) if lent else here

    def bytes_per_s(self) -> float:
        """Return the bytes of weights read per second while generating here; 0 if unknown."""
        speeds = self._surroundings.speeds()
        answers = []
        for row in self._installed.list_ours() if speeds else ():
            entry = self._installed.entry_of(row.model)
            # Of a mixture only the active experts are read for each token.
            size = entry.active_bytes if entry else row.model.size_bytes
            names = (*engine_names(row.model.path), row.label)
            answers.append((size, max(speeds.get(name, 0.0) for name in names)))
        on_gpu = any(not gpu.shared for gpu in self.memory_room().gpus)
        return self._speed.bytes_per_s(
            [answer for answer in answers if answer[1] > 0], on_gpu=on_gpu, cancelled=lambda: self._closing.cancelled
        )

    def estimate(self, repo: str, commit: str, model: ModelFile, cancel: CancelToken | None = None) -> MemoryFit:
        """Estimate from its first bytes whether a Hub model fits."""
        beginning = self._hub.read_beginning(repo, commit, model.name, cancel)
        found = estimate.estimate_fit(beginning, model.size_bytes, self.memory_room(), name=model.name)
        return self._with_help(found, _estimate_by_formula(beginning, model), anew=True) or found.at_speed(
            self.bytes_per_s()
        )

    def estimate_exactly(
        self, repo: str, commit: str, model: ModelFile, cancel: CancelToken | None = None
    ) -> MemoryFit:
        """Estimate with llama.cpp's own figures, from the whole header."""
        header = self._hub.read_header(repo, commit, model.name, cancel)
        found = estimate.measure_fit(
            header,
            model.size_bytes,
            self.memory_room(),
            folder=self._surroundings.paths.engine,
            cancelled=lambda: cancel is not None and cancel.cancelled,
            name=model.name,
        )
        return self._with_help(found, _estimate_by_formula(header, model), anew=True) or found.at_speed(
            self.bytes_per_s()
        )

    def _with_help(
        self, found: MemoryFit, within: Callable[[MemoryRoom], MemoryFit], *, anew: bool = False
    ) -> MemoryFit | None:
        """Estimate the fit with memory lent by other computers; None if it fits alone, or not even then."""
        lent = self.lent_rooms(anew=anew) if found.word in (estimate.SLOW, estimate.TOO_LARGE) else ()
        if not lent:
            return None
        room = self.memory_room()
        helped = within(replace(room, gpus=room.gpus + lent))
        hosts = dict.fromkeys(device.description.rpartition(":")[0] for device in lent)
        return helped.helped_by([*hosts]) if helped.word in (estimate.WELL, estimate.TIGHT) else None


def _read_per_token(size_bytes: int, stated: int, active: int, architecture: str) -> int:
    """Return the weights read per token, by what a model's name says; 0 if unknown."""
    if stated:
        return size_bytes * active // stated
    return 0 if "moe" in architecture.lower() else size_bytes


def _estimate_by_formula(header: bytes, model: ModelFile) -> Callable[[MemoryRoom], MemoryFit]:
    """Return a function that estimates a Hub model for any memory, by formula."""
    return lambda room: estimate.estimate_fit(header, model.size_bytes, room, name=model.name)


class ModelFetching:
    """Queues downloads of models, and of the projectors that let them see or hear."""

    def __init__(
        self, hub: HubSearch, entries: Sequence[CatalogEntry], installed: InstalledModels, downloads: Downloads
    ) -> None:
        self._hub, self._entries, self._installed, self._downloads = hub, entries, installed, downloads

    def download(self, repository: Repository, model: ModelFile, with_vision: bool = True) -> Download:
        """Queue a model, with its vision projector if there is one."""
        entry = choice.entry_of(self._entries, repository.name, model)
        vision = choice.vision_of(entry, repository) if with_vision else None
        title = entry.name if entry else PurePosixPath(repository.name).name.removesuffix("-GGUF")
        version = version_folder(self._installed.list_ours(), repository, model)
        request = DownloadRequest(
            repository.name, repository.commit, title, model.parts, vision, repository.license, version
        )
        return self._downloads.add(request)

    def download_entry(self, entry: CatalogEntry, cancel: CancelToken | None = None) -> Download:
        """Look a catalog entry up on the Hub and queue it."""
        repository = self._hub.read_repository(entry.repo, cancel=cancel)
        download = self.download(repository, choice.file_of(entry, repository), "vision" in entry.tasks)
        if cancel is not None and cancel.cancelled:  # while the Hub was asked
            self._downloads.cancel(download.id)
        return download

    def can_fetch_eyes(self, model: InstalledModel) -> bool:
        """Return whether the Hub may offer a vision projector for this model: it came from there and has none yet."""
        is_here = model.vision_path is not None or bool(model.missing)
        entry = self._installed.entry_of(model)
        return bool(model.repo) and not is_here and (entry is None or entry.vision is not None)

    def fetch_eyes(self, model: InstalledModel, cancel: CancelToken | None = None) -> Download:
        """Queue a model's vision projector from its repository. Raises FileNotOnHub if there is none."""
        repository = self._hub.read_repository(model.repo, cancel=cancel)
        same = next(
            (model_file for model_file in repository.models if model_file.parts[0].name.endswith(model.path.name)),
            None,
            # The file's own repository may have several models; the eyes belong to this one.
        )
        if same is None or not repository.vision:
            raise FileNotOnHub(model.repo, "mmproj")
        return self.download(repository, same)


class ModelCollection:
    """Everything about models, from any thread.

    `start` resumes unfinished work, `close` stops it so that it can resume. Close the engine first: `start` may be
    waiting for it.
    """

    def __init__(self, surroundings: CollectionServices) -> None:
        self.around = surroundings
        self.hub = HubSearch(surroundings.network)
        self.entries = load_catalog()
        self._closing = CancelToken()
        self._chosen = ChosenModels(surroundings.settings, surroundings.change, surroundings.notes)
        self._installed = InstalledModels(self.models_folder, surroundings.settings, surroundings.notes, self.entries)
        self.downloads = Downloads(
            jobs=surroundings.jobs,
            fetch=fetch_download,
            folder=self.models_folder,
            access=surroundings.network.access,
            ledger_path=surroundings.paths.connections,
            work_folder=surroundings.paths.downloads,
            local_copy=lambda file: self.find_copy(file, self._closing),
            on_change=self._on_download,
        )
        self.fetching = ModelFetching(self.hub, self.entries, self._installed, self.downloads)
        self.versions = ModelVersions(
            self._installed,
            self._chosen,
            hub=self.hub,
            uses=surroundings.uses,
            downloads=self.downloads,
            folder=self.models_folder,
        )
        self.disks = ModelDisks(self.models_folder, self._installed, self.register_model)
        self._uses_thrown: dict[str, dict[str, str]] = {}
        """Settings that named a model in the trash, by its id there."""
        self.machine = MachineNeeds(surroundings, self.hub, self._installed, self._closing)
        self.storage = ModelStorage(
            self.models_folder, self.downloads, surroundings.jobs, surroundings.states, surroundings.memory_bytes
        )
        self.download_changed = Listeners[Download]()
        """Called from any thread with each change of a download."""
        self.list_changed = Listeners[None]()
        """Called from any thread when other models are here, or have other names."""
        self._settling: threading.Thread | None = None

    def start(self) -> None:
        """Resume downloads, empty the trash of week-old files and detect GPUs, on a thread."""

        def settle() -> None:
            # Before the GPUs are asked, which takes seconds: settings may change meanwhile.
            folder = self.models_folder()
            self.machine.learn_gpus()
            _tidy_folder(folder, self._closing)

        self.downloads.start()
        self.machine.expect_gpus()
        self._settling = threading.Thread(target=settle, name="models", daemon=True)
        self._settling.start()

    def close(self) -> None:
        """Stop downloads so that they resume next time. Safe to call twice."""
        self._closing.cancel()
        self.downloads.close()
        # Joined, since the engine's child that it asks ends with the program.
        if self._settling is not None:
            self._settling.join()

    def models_folder(self) -> Path:
        chosen = self.around.settings().models.folder
        return Path(chosen) if chosen else self.around.paths.models

    def list_installed(self) -> list[InstalledFile]:
        """List the starter model, those in the models folder, and those opened from elsewhere."""
        return mark_versions(self._installed.list_ours())

    def list_others(self) -> list[InstalledFile]:
        """List models of other programs, used in place."""
        return self._installed.list_others()

    def find(self, name: str) -> InstalledModel:
        """Find one of our models by path, file name, label or name; raises ModelNotInstalled."""
        return self._installed.find(name)

    def find_copy(self, file: RemoteFile, cancel: CancelToken | None = None) -> Path | None:
        """Find an equal file here or in another program's folder."""
        return self._installed.find_copy(file, cancel or self._closing)

    def rename(self, path: Path, label: str) -> None:
        """Set the user's name for a model, "" to clear it; the file keeps its name."""
        self.around.notes.update_note(path, label=label.strip())
        self.list_changed.notify_all(None)

    def mark_used(self, path: Path) -> None:
        """Record that a model was loaded, for lists sorted by last use."""
        self.around.notes.update_note(path, used_at=time.time())

    def remove(self, path: Path) -> TrashedModel:
        """Move a model into the program's trash.

        Raises ModelNotInstalled, or ModelNotOurs for a file elsewhere, which only leaves the list.
        """
        model = next((row.model for row in self.list_installed() if row.model.path == path), None)
        # Ours only: another program's file is never moved.
        if model is None:
            raise ModelNotInstalled(path.name)
        if model.is_ours:
            thrown = model_trash.throw_away(model, self.models_folder())
            self._uses_thrown[thrown.id] = self._chosen.uses_of(path)
            self._chosen.forget_file(path)
            self.list_changed.notify_all(None)
            return thrown
        self._chosen.forget_file(path)
        self.list_changed.notify_all(None)
        raise ModelNotOurs(str(path))

    def put_back(self, thrown: TrashedModel) -> Path:
        """Undo `remove`: the file is back, and used where it was; return the path."""
        path = model_trash.put_back(thrown)
        uses = self._uses_thrown.pop(thrown.id, {})
        self._chosen.restore_uses(dict.fromkeys(uses, str(path)))
        self.list_changed.notify_all(None)
        return path

    def find_users(self, path: Path) -> tuple[list[str], ModelUsers]:
        """Return what uses a model: settings of tabs by name, and chats, projects and assistants."""
        return [*self._chosen.uses_of(path)], self.around.uses.find_users([str(path)])

    def retire_older(self, path: Path) -> list[TrashedModel]:
        """Let a version that has answered take over from older ones; return those, which are in the trash now."""
        if thrown := self.versions.retire_older(path):
            self.list_changed.notify_all(None)
        return thrown

    def keep_older(self, thrown: TrashedModel) -> Path:
        """Put a version back that a newer one had replaced, and keep it beside that; return its path."""
        path = self.put_back(thrown)
        self.around.notes.update_note(path, origin=KEPT)
        return path

    def add(self, path: Path, how: str, cancel: CancelToken) -> Generator[CopyProgress, None, Path]:
        """Add a file by copy, move or in_place. Returns its new path; cancelled, the old one."""
        return self.disks.add_model(path, how, cancel)

    def move_folder(self, new: Path, cancel: CancelToken) -> Iterator[CopyProgress]:
        """Move all models to another folder and use that from now on; cancelled, nothing changes."""
        old, new = self.models_folder(), new.absolute()
        waiting = [download for download in self.downloads.all() if download.state in ("queued", "running")]
        # Their children write into the folder that moves.
        for download in waiting:
            self.downloads.pause(download.id)
        self.downloads.wait_for_idle()  # no child writes into the old folder any more
        try:
            yield from folder_move.move_folder(
                old, new, cancel, lambda: self._chosen.follow_move(old, new, self.around.paths.models)
            )
        finally:
            # Also when the move was cancelled or failed.
            for download in waiting:
                self.downloads.resume(download.id)

    def suggest_models(self, task: str = "chat", limit: int = USUAL_SUGGESTIONS) -> list[ModelSuggestion]:
        """Suggest models for this computer; the last may need other computers' memory."""
        machine = self.machine
        room, speed = machine.memory_room(), machine.bytes_per_s()
        chosen = choice.suggest_entries(self.entries, task, room, limit, speed, lent=machine.lent_rooms())
        rows, downloads = self.list_installed(), self.downloads.all()
        return [
            ModelSuggestion(
                entry,
                machine.fit_of(entry, room, speed),
                next((row.model for row in rows if is_of(row.model, entry)), None),
                next((download for download in downloads if _fetches_entry(download, entry)), None),
            )
            for entry in chosen
        ]

    def on_network_switched(self, *, allowed: bool) -> None:
        """Pause downloads when the network is switched off; resume those when it is back on."""
        if not allowed:
            self.downloads.pause_all(NetworkOff())
            return
        for download in self.downloads.all():
            # Only those that the switch paused; a person's own pause stays.
            if download.state == "paused" and isinstance(download.error, NetworkOff):
                self.downloads.resume(download.id)

    def for_task(self, task: str) -> Path | None:
        """Return a tab's model: the chosen one, else an installed one made for it. Passages use only a chosen one."""
        chosen = self._chosen.path_for(task)
        if chosen is not None or task in ("chat", "write", PASSAGES):  # any model goes on with a text: the chat's does
            # Any model goes on with a text, so Write uses the chat's.
            return chosen or (starter_model() if task == "chat" else None)
        able = [row.model for row in self.list_installed() if self._installed.can_do(row.model, task)]
        # The largest is likeliest the one that was fetched for it.
        return max(able, key=lambda model: model.size_bytes).path if able else None

    def offer_for(self, task: str, *, of_long: bool = False) -> ModelSuggestion | None:
        """Suggest a model for a tab that has only the starter or none;

        None if nothing is missing or fits. `of_long`: prefer models that summarize long texts.
        """
        if task == "chat":
            # An embedding model in the folder doesn't answer a chat.
            if any(
                row.model.origin != STARTER and not row.model.missing and not row.embeds
                for row in self.list_installed()
            ):
                return None
        elif self.for_task(task) is not None:
            return None
        limit = len(self.entries) if of_long else USUAL_SUGGESTIONS
        found = [suggestion for suggestion in self.suggest_models(task, limit) if suggestion.installed is None]
        # Stable: what writes long texts first, otherwise as suggested.
        found.sort(key=lambda each: of_long and not choice.writes_long(each.entry))
        return next((suggestion for suggestion in found if suggestion.fit.word != estimate.TOO_LARGE), None)

    def choose_model(self, task: str, path: Path) -> None:
        """Choose a tab's model and list it; for the chat, choosing the starter equals choosing nothing.

        Raises EmbeddingsUnavailable if it is for passages and can't embed.
        """
        if task == PASSAGES and not embeds_texts(path):
            raise EmbeddingsUnavailable(str(path))
        if self._chosen.choose_model(task, path):
            self.list_changed.notify_all(None)

    def stop_using(self, task: str) -> None:
        """Clear a task's own model; it uses the chat's again."""
        self._chosen.clear_choice(task)
        self.list_changed.notify_all(None)

    def register_model(self, path: Path, origin: str = DOWNLOADED) -> None:
        """Register a model that was added, downloaded or found; `path` is its first file."""
        # Opened where it lies, it is remembered by path.
        is_elsewhere = not path.is_relative_to(self.models_folder())
        if is_elsewhere:
            self._chosen.add_known(path)
        self.around.notes.update_note(path, origin=OPENED if is_elsewhere else origin, added_at=time.time())
        self.list_changed.notify_all(None)

    def _on_download(self, download: Download) -> None:
        if download.state == DONE and download.paths:
            try:
                self.register_model(Path(download.paths[0]))
            # The file is there and usable, whatever became of the note.
            except AppError as error:
                log.info("a new model could not be noted: %s", error)
        self.download_changed.notify_all(download)


def _tidy_folder(folder: Path, cancel: CancelToken) -> None:
    """Empty the trash of week-old files and finish an interrupted move of the folder."""
    try:
        model_trash.empty_trash(folder, TRASH_KEPT_S)
        if (left := folder_move.unfinished_move(folder)) is not None:
            # A move that was ended by force goes on; the program's end may stop it again.
            for _ in folder_move.move_folder(left, folder, cancel):
                pass
    except AppError as error:
        log.info("the models folder could not be tidied up: %s", error)


def _fetches_entry(download: Download, entry: CatalogEntry) -> bool:
    request = download.request
    return request.repo == entry.repo and any(
        file.name == entry.file or (not entry.file and file.size_bytes == entry.size_bytes) for file in request.files
    )
