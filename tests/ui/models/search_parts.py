"""A scripted Hub behind the pages of the search: answers at once, when told to, or with a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar

from app.core.events import CancelToken
from app.core.settings import Settings
from app.engine.fit import MemoryRoom
from app.features.models.choice import recommend_file
from app.features.models.estimate import MemoryFit, guess_fit
from app.hub.hub_search import FoundRepository, HubQuery, SearchResultPage
from app.hub.model_files import ModelFile, RemoteFile, Repository

T = TypeVar("T")

SIZES = {
    "Q2_K": 3.9, "Q3_K_M": 4.7, "IQ4_XS": 5.2, "Q4_K_S": 5.4, "Q4_K_M": 5.7, "Q5_K_M": 6.6, "Q6_K": 7.5,
    "Q8_0": 9.5, "BF16": 17.9,
}  # fmt: skip


def model_file(tag: str, size_bytes: int, *, parts: int = 1, is_supported: bool = True) -> ModelFile:
    """A file of some repository."""
    name = f"Qwen3.5-9B-{tag}"
    if parts == 1:
        return ModelFile(f"{name}.gguf", (RemoteFile(f"{name}.gguf", size_bytes, "0" * 64),), tag, is_supported)
    names = [f"{name}-{n:05}-of-{parts:05}.gguf" for n in range(1, parts + 1)]
    return ModelFile(names[0], tuple(RemoteFile(each, size_bytes // parts) for each in names), tag, is_supported)


def repository(name: str = "unsloth/Qwen3.5-9B-GGUF", **facts: object) -> Repository:
    """A repository with nine quantizations and a picture file."""
    values: dict[str, object] = {
        "models": tuple(model_file(tag, int(size * 1e9)) for tag, size in SIZES.items()),
        "vision": (RemoteFile("mmproj-F16.gguf", 800_000_000),),
        "license": "apache-2.0",
        "languages": ("en", "de", "fr", "es", "it", "pt"),
        "has_card": True,
        "facts": {"total": 8_950_000_000, "architecture": "qwen3", "context_length": 262_144},
    }
    return Repository(name, "c" * 40, **(values | facts))  # type: ignore[arg-type]


def found(count: int, *, start: int = 0) -> tuple[FoundRepository, ...]:
    """Rows of a list."""
    return tuple(
        FoundRepository(f"owner/model-{n}", downloads=10_000 - n, likes=n) for n in range(start, start + count)
    )


@dataclass
class ScriptedModels:
    """What the pages use of `Models`. A function in `answers` is called on the thread that asks."""

    answers: dict[str, Callable[..., object]] = field(default_factory=dict)
    asked: list[tuple[str, object]] = field(default_factory=list)
    cancelled: list[object] = field(default_factory=list)
    queue: list[object] = field(default_factory=list)
    listeners: list[Callable[[object], object]] = field(default_factory=list)
    held: threading.Event | None = None
    """Whoever asks waits for it, or until it is cancelled."""

    @property
    def downloads(self) -> SimpleNamespace:
        return SimpleNamespace(all=lambda: list(self.queue))

    @property
    def hub(self) -> ScriptedModels:
        """It answers for the Hub, too."""
        return self

    @property
    def machine(self) -> ScriptedModels:
        """And for this computer."""
        return self

    def search(self, query: HubQuery, cancel: CancelToken) -> SearchResultPage:
        return self._answer("search", query, cancel, lambda: SearchResultPage(found(query.limit), True))

    def read_repository(self, repo: str, revision: str, cancel: CancelToken) -> Repository:
        return self._answer("repository", repo, cancel, lambda: repository(repo))

    def read_card(self, repo: str, commit: str, cancel: CancelToken) -> str:
        return self._answer("card", repo, cancel, lambda: "# About\n\nA model.")

    def estimate(self, repo: str, commit: str, model: ModelFile, cancel: CancelToken) -> MemoryFit:
        size = model.size_bytes
        word = "well" if size < 8e9 else "too_large"
        return self._answer(
            "estimate", model.tag, cancel, lambda: MemoryFit(word, int(size * 1.3), 9_800_000_000, 8192)
        )

    def estimate_exactly(self, repo: str, commit: str, model: ModelFile, cancel: CancelToken) -> MemoryFit:
        fit = MemoryFit("well", 7_150_000_000, 9_800_000_000, 8192, is_exact=True)
        return self._answer("exact", model.tag, cancel, lambda: fit)

    def download(self, repo: Repository, model: ModelFile, with_vision: bool) -> object:
        return self._answer("download", (model.tag, with_vision), CancelToken(), object)

    def memory_room(self) -> MemoryRoom:
        return MemoryRoom(9_800_000_000, 16_000_000_000)

    def guess_fits(self, found: Sequence[FoundRepository]) -> dict[str, MemoryFit]:
        return {row.repo: guess_fit(row.parameters // 2, 0, self.memory_room()) for row in found if row.parameters}

    def guess_file_fits(self, repository: Repository) -> dict[str, MemoryFit]:
        return {model.name: guess_fit(model.size_bytes, 0, self.memory_room()) for model in repository.models}

    def recommend_file(self, models: Sequence[ModelFile]) -> ModelFile | None:
        return recommend_file(models, self.memory_room())

    @property
    def fetching(self) -> Any:
        return self

    @property
    def download_changed(self) -> Any:
        return self

    def listen(self, callback: Callable[[object], object]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    def _answer(self, kind: str, about: object, cancel: CancelToken, usual: Callable[[], T]) -> T:
        self.asked.append((kind, about))
        held = self.held
        while held is not None and not held.wait(0.005):
            if cancel.cancelled:
                self.cancelled.append(about)
                break
        given = self.answers.get(kind)
        return given(about) if given else usual()  # type: ignore[return-value]


class ScriptedApp:
    """Settings and models, as the pages need them."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.models = ScriptedModels()

    def change_settings(self, section: str, **values: object) -> None:
        self.settings = self.settings.changed(section, **values)
