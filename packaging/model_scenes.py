"""The models in pictures: suggestions, the Hub's search and a running download, from a Hub of our own on 127.0.0.1."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtTest import QTest

from app.core.errors.model_errors import ModelUnreadable
from app.core.paths import resource_path
from app.features.inside.model_comparison import ModelFigures
from app.hub.model_disks import DiskContents, DiskModel
from app.hub.model_library import InstalledModel
from app.ui.models.model_disk_dialog import DiskChoice, DiskDialog
from app.ui.models.models_tab import ModelsView
from app.ui.text.formula import FormulaView
from tests.helpers.desks.window import Frame
from tests.helpers.fake_hub import FakeHub, File

HEADER_OF = "*.gguf"
SPEED_BYTES_PER_S = 11_000_000
DOWNLOAD_MS, SETTLE_MS, TIMEOUT_MS = 4000, 600, 120_000
DOWNLOADED = "gemma-4-e2b"  # for chats only: the other tabs still offer a model that is not on its way
SECOND = "Second-try-Q8_0.gguf"
COMPARED = (
    ("Starter", 134_515_008, 1.166, 118.0),
    ("Qwen3 0.6B", 596_000_000, 1.031, 41.0),
    ("Qwen3 1.7B", 1_720_000_000, 0.954, 17.0),
    ("Qwen3 4B", 4_020_000_000, 0.897, 7.4),
)
"""Invented, since only the starter is there."""
FOUND = (
    ("unsloth/Qwen3.5-9B-GGUF", 1_240_000, 812, "apache-2.0", 9_000_000_000, 262_144),
    ("unsloth/Qwen3.5-4B-GGUF", 980_000, 640, "apache-2.0", 4_000_000_000, 262_144),
    ("google/gemma-4-12b-it-qat-q4_0-gguf", 410_000, 377, "apache-2.0", 12_000_000_000, 262_144),
    ("tencent/Hy-MT2-1.8B-GGUF", 96_000, 144, "apache-2.0", 1_800_000_000, 8192),
    ("ibm-granite/granite-4.1-3b-GGUF", 61_000, 58, "apache-2.0", 3_000_000_000, 131_072),
)
ON_DISK = (
    ("Qwen3.5 4B", "Q4_K_M", 2_740_000_000, True),
    ("Gemma 4 12B", "Q4_0", 7_100_000_000, True),
    ("Hy MT2 1.8B", "Q8_0", 1_930_000_000, False),
)
TAGS = (("Q4_K_M", 1.0), ("Q8_0", 1.78), ("Q3_K_M", 0.83), ("Q6_K", 1.36), ("BF16", 3.3))
CARD = """---
license: apache-2.0
---
# {name}

Quantized weights for llama.cpp. **Balanced** files lose almost nothing; smaller ones read less from memory.

| file | for |
| --- | --- |
| Q4_K_M | most computers |
| Q8_0 | almost no loss |

![a picture that is never fetched](http://example.invalid/picture.png)
"""


@contextmanager
def hub_for_pictures(folder: Path) -> Iterator[FakeHub]:
    """The Hub with a few well-known names; their files are as long as they say and hold nothing."""
    empty = folder / "weights"
    with empty.open("wb") as file:
        file.write(next(resource_path("models").glob(HEADER_OF)).read_bytes()[: 4 * 1024 * 1024])
        file.truncate(40_000_000_000)  # a hole
    with FakeHub() as hub:
        hub.bytes_per_s = SPEED_BYTES_PER_S
        for entry in json.loads(resource_path("models.json").read_text("utf-8"))["models"]:
            if entry["file"]:
                _add(hub, empty, entry["repo"], {entry["file"]: entry["size_bytes"]})
        for name, downloads, likes, licence, parameters, context in FOUND:
            stem = name.partition("/")[2].removesuffix("-GGUF").removesuffix("-qat-q4_0-gguf")
            files = {f"{stem}-{tag}.gguf": int(parameters * 0.63 * factor) for tag, factor in TAGS}
            facts = {"total": parameters, "architecture": "qwen35", "context_length": context}
            tags = ["gguf", f"license:{licence}", "text-generation"]
            _add(hub, empty, name, files, downloads=downloads, likes=likes, tags=tags, gguf=facts)
        os.environ["HF_ENDPOINT"] = hub.url
        try:
            yield hub
        finally:
            del os.environ["HF_ENDPOINT"]


def _add(hub: FakeHub, empty: Path, name: str, sizes: dict[str, int], **facts: object) -> None:
    repo = hub.repos.get(name) or hub.add(name, {"README.md": CARD.format(name=name).encode()})
    repo.facts |= facts
    for file, size in sizes.items():
        repo.files.setdefault(file, File(empty, hashlib.sha256(f"{name}/{file}".encode()).hexdigest(), size))


def _on_disk(name: str, tag: str, size_bytes: int, is_checked: bool) -> DiskModel:
    path = Path(f"/media/ada/STICK/{name}.gguf")
    model = InstalledModel(path, name, size_bytes, "added", (path,), tag=tag)
    return DiskModel(model, size_bytes, {path: "ab" * 32} if is_checked else {})


FROM_DISK = DiskChoice(
    DiskContents(
        tuple(_on_disk(*each) for each in ON_DISK), (ModelUnreadable("/media/ada/STICK/old.gguf", "truncated"),)
    ),
    frozenset({Path("/media/ada/STICK/Gemma 4 12B.gguf")}),
    48_000_000_000,
    is_other_disk=True,
)


def screens(frame: Frame) -> list[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Name, what to do before the picture, and after it; a download begins with the first and runs through all."""

    models = frame.models

    def page(name: str) -> Callable[[], object]:
        def show() -> None:
            if not models.downloads.all():
                models.fetching.download_entry(next(each for each in models.entries if each.id == DOWNLOADED))
                QTest.qWait(DOWNLOAD_MS)
            frame.show_models(name)
            if name == "suggested":
                frame.wait(lambda: bool(frame.find_step(ModelsView).suggested.cards()), TIMEOUT_MS)
            QTest.qWait(SETTLE_MS)

        return show

    def search() -> None:
        page("search")()
        frame.find_step(ModelsView).look_for("qwen")
        QTest.qWait(SETTLE_MS)

    def repository() -> None:
        search()
        frame.find_step(ModelsView).show_repository("unsloth/Qwen3.5-4B-GGUF")
        QTest.qWait(2 * SETTLE_MS)

    def disk() -> None:
        page("installed")()
        DiskDialog(frame.theme, Path("/media/ada/STICK"), FROM_DISK, frame.window).open()
        QTest.qWait(SETTLE_MS)

    def nothing() -> None:
        """The next scene shows its own page."""

    pages = ("suggested", "installed", "others", "downloads", "storage")
    shown = [(f"models-{name}", page(name), nothing) for name in pages]
    return [
        *shown,
        ("models-search", search, nothing),
        ("models-repository", repository, nothing),
        ("models-disk", disk, lambda: frame.find_step(DiskDialog).reject()),
        *((name, show, lambda: frame.show_tab("chat")) for name, show in _inside(frame, page)),
    ]


def _inside(frame: Frame, page: Callable[[str], Callable[[], object]]) -> list[tuple[str, Callable[[], object]]]:
    """One model from the inside, several compared, and how they work."""

    def anatomy() -> None:
        page("installed")()
        view = frame.find_step(ModelsView)
        frame.wait(lambda: bool(view.installed.cards()))
        frame.click(view.installed.cards()[0].buttons["inside"])
        about = view.anatomy

        def is_drawn() -> bool:
            return bool(about.lead.text()) and all(one.is_drawn for one in about.findChildren(FormulaView))

        frame.wait(is_drawn, TIMEOUT_MS)

    def compare() -> None:
        page("compare")()
        shown = frame.find_step(ModelsView).compare
        shown.results.show_found([_compared(*one) for one in COMPARED], [one[0] for one in COMPARED])
        QTest.qWait(SETTLE_MS)
        shown.area.ensureWidgetVisible(shown.results.kaplan)

    def blind() -> None:
        second = Path(frame.paths.models) / SECOND
        if not second.exists():
            second.parent.mkdir(parents=True, exist_ok=True)
            second.symlink_to(next(resource_path("models").glob(HEADER_OF)))
        page("blind")()
        shown = frame.find_step(ModelsView).blind
        if not shown.answers[1].is_complete:
            frame.wait(lambda: len({choice.value for choice in shown.choices}) == 2)
            shown.question.setPlainText("Name three fruits that are red.")
            frame.click(shown.ask_button)
            frame.wait(lambda: not shown.is_running, TIMEOUT_MS)

    def how() -> None:
        page("how")()
        shown = frame.find_step(ModelsView).how
        frame.wait(lambda: shown.is_known)
        shown.show_lesson(2)
        QTest.qWait(2 * SETTLE_MS)
        frame.wait(lambda: not shown.is_looking, TIMEOUT_MS)

    return [("models-anatomy", anatomy), ("models-compare", compare), ("models-blind", blind), ("models-how", how)]


def _compared(name: str, parameters: int, bits: float, speed: float) -> ModelFigures:
    path = Path(f"/models/{name}.gguf")
    return ModelFigures(path, name, parameters, bits, 2**bits, 900, speed, 3 / speed, int(parameters * 1.1), 8192)
