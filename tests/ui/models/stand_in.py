"""Stands in for the models of the program where a test is about the window: everything is invented and at hand."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelNotOurs
from app.core.events import CancelToken, CopyProgress
from app.core.listeners import Listeners
from app.core.paths import starter_model
from app.features.models.collection import ModelSuggestion
from app.features.models.estimate import TIGHT, TOO_LARGE, WELL, MemoryFit
from app.features.models.installed import InstalledFile
from app.features.models.model_storage import StorageReport
from app.hub.catalog import CatalogEntry
from app.hub.download import Download, DownloadRequest
from app.hub.hub_search import HubQuery, SearchResultPage
from app.hub.model_files import ModelFile, RemoteFile, Repository
from app.hub.model_library import InstalledModel
from app.store.model_uses import ModelUsers
from app.ui.models.models_tab import ModelsView
from app.ui.shared_labels import STARTER
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from tests.helpers.desks.models import ModelsDesk

GB = 10**9


def entry(name: str, size_gb: float, sentence: str, repo: str, **more: Any) -> CatalogEntry:
    """A suggested model."""
    file = f"{name.replace(' ', '-')}-Q4_K_M.gguf"
    given = {"license": "Apache-2.0", "tier_gb": 8, "tasks": ("chat",), **more}
    return CatalogEntry(name.lower().replace(" ", "-"), name, sentence, repo, file, int(size_gb * GB), **given)


QWEN = entry("Qwen3.5 9B", 5.7, "Best for 16 GB: chat and summaries", "unsloth/Qwen3.5-9B-GGUF", languages=201)
SMALL = entry("Qwen3.5 2B", 1.3, "Fastest that is still useful", "unsloth/Qwen3.5-2B-GGUF", languages=201)
LARGE = entry(
    "Gemma 4 26B A4B", 14.4, "Better writing, for a larger machine", "google/gemma-4-26B-A4B-it-qat-q4_0-gguf"
)
TRANSLATOR = entry(
    "Hy-MT2 1.8B", 1.1, "For Translate: 38 languages", "tencent/Hy-MT2-1.8B-GGUF", tasks=("translate",), languages=38
)


def download(id_: int, of: CatalogEntry, state: str, done: float = 0.0, **more: Any) -> Download:
    """A download of a suggested model; `done` is a share."""
    request = DownloadRequest(of.repo, "c0ffee", of.name, (RemoteFile(of.file, of.size_bytes, "ab"),), None, of.license)
    given: dict[str, Any] = {
        "phase": "downloading" if state == "running" else "",
        "bytes_per_s": 11.2e6 if state == "running" else 0.0,
        "left_s": of.size_bytes * (1 - done) / 11.2e6 if state == "running" else None,
        "wait_s": 0.0,
        "error": None,
        "paths": (f"/models/{of.repo}/{of.file}",) if state == "done" else (),
        "resumed_bytes": 0,
    }
    done_bytes = of.size_bytes if state == "done" else int(of.size_bytes * done)
    return Download(
        id=id_, request=request, state=state, done_bytes=done_bytes, total_bytes=of.size_bytes, **(given | more)
    )


def installed(
    name: str, size_gb: float, origin: str = "downloaded", *, days: float | None = 0, **more: Any
) -> InstalledFile:
    """A model on this computer, used so many days ago."""
    path = Path(more.pop("folder", "/models/org")) / f"{name.replace(' ', '-')}-Q4_K_M.gguf"
    given = {"tag": "Q4_K_M", "is_ours": origin in ("downloaded", "added"), **more}
    model = InstalledModel(path, name, int(size_gb * GB), origin, (path,), **given)
    return InstalledFile(model, name, None if days is None else time.time() - days * 86_400)


class Queue:
    """The downloads; what was asked of them is in `calls`."""

    def __init__(self, tell: Callable[[Download], None]) -> None:
        self.items: dict[int, Download] = {}
        self.calls: list[tuple[str, int]] = []
        self._tell = tell

    def all(self) -> list[Download]:
        return list(self.items.values())

    def put(self, one: Download) -> None:
        """Something happened to a download; told from another thread, as the real queue does."""
        self.items[one.id] = one
        if one.state == "removed":
            del self.items[one.id]
        teller = threading.Thread(target=self._tell, args=(one,), name="queue")
        teller.start()
        teller.join()

    def pause(self, id_: int) -> None:
        self._become("pause", id_, "paused")

    def resume(self, id_: int) -> None:
        self._become("resume", id_, "queued")

    def cancel(self, id_: int) -> None:
        self._become("cancel", id_, "removed")

    def remove(self, id_: int) -> None:
        self._become("remove", id_, "removed")

    def _become(self, call: str, id_: int, state: str) -> None:
        self.calls.append((call, id_))
        self.put(dataclasses.replace(self.items[id_], state=state, error=None))


class Models:
    """What `app.features.models.collection.ModelCollection` offers to the window."""

    def __init__(self) -> None:
        self.downloads = Queue(self._tell)
        self.ours: list[InstalledFile] = []
        self.eyes: list[Path] = []
        """Models for which a file was wanted that lets them see."""
        self.theirs: list[InstalledFile] = []
        self.entries: dict[str, list[tuple[CatalogEntry, MemoryFit, float | None]]] = {}
        self.report = StorageReport(Path("/models"), 210 * GB, 0, 0, 0, 0, 0)
        self.calls: list[tuple[Any, ...]] = []
        self.asked = 0
        """How often suggestions were asked for."""
        self.problem: AppError | None = None
        self.move_may_go_on = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._trash: list[InstalledFile] = []
        self.download_changed, self.list_changed = Listeners[Download](), Listeners[None]()
        self.hub = SimpleNamespace(search=self._search, prepare=lambda: None)
        self.machine = SimpleNamespace(guess_fits=lambda _found: {})
        self.storage = SimpleNamespace(
            make_report=lambda: self.report,
            clear_trash=lambda: self._clear("trash_bytes"),
            clear_parts=lambda: self._clear("parts_bytes"),
            clear_states=lambda: self._clear("states_bytes"),
            clear_jobs=lambda: self._clear("jobs_bytes"),
        )

    def _search(self, query: HubQuery, _cancel: CancelToken | None = None) -> SearchResultPage:
        self.calls.append(("search", query.text))
        return SearchResultPage((), has_more=False)

    def suggest_models(self, task: str = "chat", limit: int = 3) -> list[ModelSuggestion]:
        self.asked += 1
        return [self._suggestion(*each) for each in self.entries.get(task, [])[:limit]]

    def _suggestion(self, of: CatalogEntry, fit: MemoryFit, speed: float | None) -> ModelSuggestion:
        here = next((each.model for each in self.ours if each.model.path.name == of.file), None)
        coming = next((each for each in self.downloads.all() if each.request.repo == of.repo), None)
        return ModelSuggestion(of, dataclasses.replace(fit, tokens_per_s=speed or 0.0), here, coming)

    def list_installed(self) -> list[InstalledFile]:
        return list(self.ours)

    def list_others(self) -> list[InstalledFile]:
        return list(self.theirs)

    @property
    def fetching(self) -> Models:
        return self

    def download(self, repository: Repository, model: ModelFile, with_vision: bool = True) -> Download:
        if self.problem is not None:
            one = download(len(self.downloads.items) + 1, LARGE, "failed", error=self.problem)
        else:
            one = download(len(self.downloads.items) + 1, SMALL, "queued")
        self.downloads.put(one)
        return one

    def download_entry(self, of: CatalogEntry, cancel: CancelToken | None = None) -> Download:
        self.may_answer.wait(60)
        if self.problem is not None:
            raise self.problem
        one = download(len(self.downloads.items) + 1, of, "queued")
        self.downloads.put(one)
        return one

    def for_task(self, task: str) -> Path | None:
        chosen = [call[2] for call in self.calls if call[:2] == ("use", task)]
        return chosen[-1] if chosen else None

    def choose_model(self, task: str, path: Path) -> None:
        self.calls.append(("use", task, path))

    def rename(self, path: Path, label: str) -> None:
        self.calls.append(("rename", path, label))
        self.ours = [
            dataclasses.replace(one, label=label or one.model.name) if one.model.path == path else one
            for one in self.ours
        ]

    def can_fetch_eyes(self, model: InstalledModel) -> bool:
        return bool(model.repo) and model.vision_path is None

    def fetch_eyes(self, model: InstalledModel, cancel: CancelToken | None = None) -> None:
        self.eyes.append(model.path)

    def find_users(self, path: Path) -> tuple[list[str], ModelUsers]:
        return [], ModelUsers()

    def remove(self, path: Path) -> InstalledFile:
        if self.problem is not None:
            raise self.problem
        gone = next(one for one in self.ours if one.model.path == path)
        self.ours.remove(gone)
        if not gone.model.is_ours:
            self._trash.append(gone)
            raise ModelNotOurs(str(path))
        return gone

    def add(self, path: Path, how: str, cancel: CancelToken) -> Iterator[CopyProgress]:
        assert how == "in_place"
        yield CopyProgress(1, 1)
        self.ours.append(next(one for one in self._trash if one.model.path == path))

    def put_back(self, thrown: InstalledFile) -> None:
        self.ours.append(thrown)

    def move_folder(self, new: Path, cancel: CancelToken) -> Iterator[CopyProgress]:
        yield CopyProgress(2 * GB, 8 * GB, "Qwen3.5-9B-Q4_K_M.gguf")
        while not self.move_may_go_on.wait(0.02):
            if cancel.cancelled:
                return
            yield CopyProgress(2 * GB, 8 * GB, "Qwen3.5-9B-Q4_K_M.gguf")
        if not cancel.cancelled:
            self.report = dataclasses.replace(self.report, folder=new)

    def _clear(self, what: str) -> None:
        self.calls.append(("clear", what))
        self.report = dataclasses.replace(self.report, **{what: 0})

    def _tell(self, one: Download) -> None:
        self.download_changed.notify_all(one)


def furnish(models: Models) -> None:
    """A computer in use: suggestions, installed models, downloads, sizes."""
    fits = (
        MemoryFit(WELL, int(7.4 * GB), int(9.8 * GB), 8192),
        MemoryFit(TOO_LARGE, int(16.1 * GB), int(9.8 * GB), 8192),
    )
    small, tight = (
        MemoryFit(WELL, int(2.4 * GB), int(9.8 * GB), 8192),
        MemoryFit(TIGHT, int(9.1 * GB), int(9.8 * GB), 4096),
    )
    models.entries = {
        "chat": [(QWEN, fits[0], 6.2), (SMALL, small, 24.0), (LARGE, fits[1], None)],
        "summarize": [(QWEN, tight, 6.2), (SMALL, small, 24.0)],
        "translate": [(TRANSLATOR, small, 17.0)],
    }
    starter = installed(STARTER, 0.11, "starter", tag="Q8_0")
    path = starter_model() or starter.model.path
    models.ours = [
        InstalledFile(dataclasses.replace(starter.model, path=path, parts=(path,)), STARTER, time.time()),
        installed(
            "Mistral Small 3.2 24B Instruct", 14.3, days=1, repo="unsloth/Mistral-Small-3.2-24B-Instruct-2506-GGUF"
        ),
        installed("Letters of my grandmother", 4.9, "added", days=18),
        installed("Phi 4 mini", 2.5, "opened", days=None, folder="/home/ada/Downloads"),
    ]
    models.theirs = [
        installed("Llama 3.2 3B", 2.0, "ollama", days=None),
        installed("gpt oss 20b", 12.1, "lm_studio", days=90, tag="MXFP4"),
    ]
    models.report = StorageReport(
        Path("/home/ada/.local/share/fireside/models"), 212 * GB, 21 * GB, 5 * GB, 700_000_000, 1_400_000_000, 2_100
    )


def program(models: Models, **more: Any) -> Any:
    """As much of `Fireside` as the pages ask for."""
    return SimpleNamespace(models=models, **more)


class Loader(QObject):
    """Which model is in; loading takes no time."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.state = "ready"
        self.path: Path | None = starter_model()
        self.loaded: list[Path] = []
        self.looks = 0
        """How often it compared with the engine."""

    @property
    def name(self) -> str:
        return self.path.stem if self.path is not None else ""

    def load(self, path: Path) -> None:
        self.path = path
        self.loaded.append(path)
        self.changed.emit()

    def sync_with_engine(self) -> None:
        self.looks += 1


class Ways:
    """Where the person was sent, in place of the window."""

    def __init__(self) -> None:
        self.sent: list[tuple[object, ...]] = []

    def tab(self, _name: str) -> Any:
        return SimpleNamespace(is_at_work=False)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *where: self.sent.append((name, *where))


def context(theme: Theme, notify: Notify, loader: object = None) -> Any:
    """As much of `UiContext` as the pages need."""
    return SimpleNamespace(theme=theme, notify=notify, loader=loader, go=Ways(), window=None, scoring=None)


class Pages(ModelsDesk):
    """The Models view with its column, in a window of its own."""

    theme: Theme
    loader: Loader
    window: QWidget
    ways: Ways

    @property
    def models(self) -> Models:
        models: Models = self.app.models
        return models

    @property
    def queue(self) -> Queue:
        """The downloads behind the pages."""
        return self.models.downloads


@contextmanager
def open_pages(application: QApplication) -> Iterator[Pages]:
    """The view beside its column, as in the window."""
    theme = Theme("light")
    theme.install(application)
    notify, loader, models = Notify(theme), Loader(), Models()
    furnish(models)
    settings = SimpleNamespace(network=SimpleNamespace(allowed=True, reaches_internet=True))
    app = program(models, settings=settings)
    ui = context(theme, notify, loader)
    view = ModelsView(app, ui)
    window = QWidget()
    row = QHBoxLayout(window)
    row.addWidget(view.column)
    row.addWidget(view, 1)
    row.addWidget(notify.bar)
    window.resize(1280, 800)
    window.show()
    try:
        pages = Pages(view, app, notify)
        pages.theme, pages.loader, pages.window, pages.ways = theme, loader, window, ui.go
        yield pages
    finally:
        models.may_answer.set()
        models.move_may_go_on.set()
        window.close()
        assert tasks.running.stop_all(60)
        tasks.running.reopen()
        window.deleteLater()
        application.setStyleSheet("")
