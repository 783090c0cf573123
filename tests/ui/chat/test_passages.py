"""A model that finds passages: offered where a question found little, its work told, stopped and gone on with."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal

from app.core.settings import load_settings
from app.features.retrieval.passage_embedder import model_key
from app.ui.chat.passages import PASSAGE_MODEL_HERE, PREPARING_PASSAGES, PassageOffering
from app.ui.shared_labels import DOWNLOAD
from app.ui.shell.passage_indexing import PassageIndexing
from tests.helpers.attached import notes
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.models_on_disk import write_model
from tests.ui.chat.conftest import Open

FAR = "Where do penguins spend their holidays?"
ANIMALS, FAMILIES = ("dogs", "parrots", "goats"), ("Brandt", "Okoro", "Lind", "Ruiz")
NEAR = "What are the dogs of the Brandt family called?"
LOADS: list[dict[str, Any]] = [
    {"times": 1, "context_tokens": 4000},
    {"can_chat": False, "trained_context_tokens": 512},
]
"""Of the chat's model, and of every other one."""


class Downloads(QObject):
    changed = Signal(object)


class Offered:
    """A chat with its row, as a window has it."""

    def __init__(self, open_chat: Open, folder: Path, *, with_model: bool = True) -> None:
        self.desk: ChatDesk = open_chat(load=LOADS)
        app = self.desk.app
        self.model = app.paths.models / "vectors.gguf"
        if with_model:
            write_model(self.model, **{"llama.pooling_type": 1})
        self.downloads = Downloads()
        self.indexing = PassageIndexing(app, self.desk.notify, self.desk.chat)
        ui: Any = SimpleNamespace(theme=self.desk.theme, notify=self.desk.notify, passages=self.indexing)
        self.offering = PassageOffering(app, ui, self.desk.chat, self.downloads.changed)
        sentences = [
            f"The {ANIMALS[n % 3]} of the {FAMILIES[n // 3 % 4]} family are called Ada and Ben, page {n}."
            for n in range(240)
        ]
        self.desk.attach(notes(folder / "dogs.txt", *sentences))

    @property
    def row(self) -> str:
        return self.offering.row.text

    def ask(self, question: str) -> None:
        self.desk.ask(question)
        self.desk.wait(lambda: not self.offering.is_looking)

    def wait_until_ready(self) -> None:
        store = self.desk.documents.store
        model = model_key(self.model)
        self.desk.wait(lambda: store.vectors.block_numbers(1, model) and not store.vectors.unfinished_documents(model))
        self.desk.wait(lambda: not self.indexing.is_running)


def test_a_question_that_found_nothing_offers_the_model_that_is_here_and_its_work_is_told(
    open_chat: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = Offered(open_chat, tmp_path)
    offered.desk.app.change_settings("serving", loads_models=False)  # which is about other programs
    offered.ask(NEAR)
    assert offered.row == "", "it found something"
    offered.ask(FAR)
    assert offered.row == PASSAGE_MODEL_HERE.format(name="vectors")
    told: list[str] = []
    offered.indexing.changed.connect(lambda: told.append(offered.row))
    offered.desk.click(offered.offering.row.yes)
    offered.wait_until_ready()
    assert PREPARING_PASSAGES.format(name="dogs.txt", share=0) in told
    assert PREPARING_PASSAGES.format(name="dogs.txt", share=100) in told
    assert offered.row == ""
    assert load_settings(offered.desk.paths.settings)[0].models.passages_path == str(offered.model)
    asked: list[tuple[int, str]] = []
    rank = offered.desk.app.embedder.rank

    def noted(store: Any, document_id: int, question: str, limit: int) -> list[list[int]]:
        found = rank(store, document_id, question, limit)
        asked.append((len(found), question))
        return found

    monkeypatch.setattr(offered.desk.app.embedder, "rank", noted)
    offered.ask(FAR + " Tell me more about that, please.")
    assert [count for count, _ in asked] == [1]


def test_what_is_declined_is_not_offered_again(open_chat: Open, tmp_path: Path) -> None:
    offered = Offered(open_chat, tmp_path, with_model=False)
    offered.ask(FAR)
    assert offered.row.endswith(": Granite Embedding 97M, 0.1 GB")
    assert offered.offering.row.yes.text() == DOWNLOAD
    offered.desk.click(offered.offering.row.no)
    assert offered.row == ""
    offered.ask(FAR)
    assert offered.row == ""
    assert not load_settings(offered.desk.paths.settings)[0].documents.offers_passages
