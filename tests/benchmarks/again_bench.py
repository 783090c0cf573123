"""Documents that were read before: read anew against kept, through the program's own prompts, restarted in between.

A second chat, one with instructions and a memory that is new, one of a project; beside llama-server, whose slot is
saved and restored by hand. With the starter, and with Qwen2.5-Coder where `make test-qwen` has put it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import again_hybrids
from comparing import Answer, compared, progress
from llama_server import LlamaServer
from our_engine import starter
from run import Row
from texts import prose

from app.bootstrap import Fireside, build_program
from app.core.events import AnswerStats, CancelToken, Finished, Message, Role
from app.engine.protocol import Wish
from app.features.document_library import DocumentStored
from app.store.attachments import DocumentUse
from app.store.projects import ProjectDocuments
from tests.helpers.qwen_models import NAMES, qwen_path

BY_NAME_ONLY = True
"""It takes an hour of two cores, most of it for fifty pages that Qwen2.5-Coder reads anew, here and in llama-server."""
ROUNDS, ANSWER_TOKENS, AT_MOST = 3, 4, 0.1
PAGE_TOKENS = 500
QUESTIONS = ("Who walks?", "What is told of the river?", "And of the old house?", "What is said of the wind?")


@dataclass(frozen=True)
class Kind:
    """A model, the context it was trained with, and how much it reads how often."""

    name: str
    model: Path
    most_tokens: int
    pages: int
    rounds: int

    @property
    def context_tokens(self) -> int:
        """The document takes at most eight tenths of what a prompt may take."""
        return min(self.pages * PAGE_TOKENS * 2 + 1200, self.most_tokens)

    @property
    def ways(self) -> tuple[str, ...]:
        """A project shows documents of at most six tenths whole, and passages of longer ones."""
        is_shown_whole = self.pages * PAGE_TOKENS * 18 // 10 < self.context_tokens
        return ("second chat", "with instructions and a new memory", *(("in a project",) if is_shown_whole else ()))


def rows() -> Iterator[Row]:
    """Each model that is there, after those that can't drop their end.

    `MODELS` in the environment names some of them ("hybrids 0.5B"), `PAGES` reads more or less of the document.
    """
    chosen = os.environ.get("MODELS", "hybrids starter 0.5B 1.5B").split()
    if "hybrids" in chosen:
        with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
            yield from again_hybrids.rows(Path(scratch))
    short, long = (int(os.environ.get("PAGES", pages)) for pages in (8, 50))
    kinds = [Kind("starter", starter(), 8192, short, ROUNDS)]
    for kind in (*kinds, *(Kind(size, qwen_path(size), 32_768, long, 1) for size in NAMES)):
        if kind.name in chosen and kind.model.exists():
            with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch:
                yield from _rows(kind, Path(scratch))


def _rows(kind: Kind, scratch: Path) -> Iterator[Row]:
    ways = kind.ways
    anew: list[AnswerStats] = []
    kept: dict[str, list[AnswerStats]] = {way: [] for way in ways}
    servers: list[tuple[Answer, float]] = []
    for number in range(kind.rounds):
        progress(f"{kind.name}, {kind.pages} pages, {number + 1} of {kind.rounds}")
        text = prose(kind.pages * PAGE_TOKENS, 11_000 + number)
        home = Home(kind, scratch / str(number), text)
        anew.append(home.ask(0, is_forgotten=True))
        kept[ways[0]].append(home.ask(1))
        kept[ways[1]].append(home.ask(2, "Answer briefly.", memory="I like tea."))
        for way in ways[2:]:
            kept[way].append(home.ask(3, is_in_project=True))
        servers.append(asked_of_server(kind, scratch / f"server-{number}", text))
    for way, found in kept.items():
        yield from _compared(f"{kind.name}, a document of {kind.pages} pages, {way}", found, anew)
    first_ms = [one.time_to_first_token_s * 1000 for one in kept[ways[0]]]
    restored = [1000 * (answer.first_s + restored_s) for answer, restored_s in servers]
    yield compared(f"{kind.name}, second chat against llama-server's slot restored by hand", first_ms, restored, "ms")
    read = [answer.prompt_tokens - answer.reused_tokens for answer, _ in servers]
    yield Row(f"{kind.name}, tokens that llama-server reads for its second chat", max(read), "tokens")


def _compared(name: str, found: list[AnswerStats], anew: list[AnswerStats]) -> Iterator[Row]:
    first, before = ([one.time_to_first_token_s * 1000 for one in stats] for stats in (found, anew))
    yield compared(f"{name}: first token against reading it anew", first, before, "ms", at_most=AT_MOST)
    left, whole = ([one.prompt_tokens - one.reused_tokens for one in stats] for stats in (found, anew))
    yield compared(f"{name}: tokens read against reading it anew", left, whole, "tokens", at_most=AT_MOST)


class Home:
    """A home with one document; every question is a new chat in a program that was just started."""

    def __init__(self, kind: Kind, folder: Path, text: str) -> None:
        folder.mkdir()
        os.environ["FIRESIDE_HOME"] = str(folder / "home")
        self._kind = kind
        path = folder / "report.txt"
        path.write_text(text, "utf-8")
        app = build_program()
        *_, last = app.documents.read_file(path, CancelToken())
        assert isinstance(last, DocumentStored)
        self._document = last.document.id
        self._project = app.preambles.projects.create("Reports").id
        app.preambles.projects.update(self._project, instructions="Answer for a colleague.")
        ProjectDocuments(app.database).add(self._project, self._document)
        app.close()

    def ask(
        self,
        number: int,
        system: str = "",
        *,
        memory: str = "",
        is_in_project: bool = False,
        is_forgotten: bool = False,
    ) -> AnswerStats:
        """One question in a chat of its own, and what it took; `is_forgotten`: the chat is deleted afterwards."""
        app = build_program()
        try:
            app.change_settings("chat", max_tokens=ANSWER_TOKENS, temperature=0.0)
            list(app.engine.load(self._kind.model, Wish(self._kind.context_tokens, gpu_layers=0, devices=("CPU",))))
            if memory:
                app.preambles.memories.add(memory)
            project = self._project if is_in_project else None
            chat = app.conversations.create(system_prompt=system, project_id=project).id
            if not is_in_project:
                app.documents.attachments.add_to_draft(chat, self._document, DocumentUse.WHOLE)
            return self._answer(app, chat, number, is_forgotten=is_forgotten)
        finally:
            app.close()

    @staticmethod
    def _answer(app: Fireside, chat: int, number: int, *, is_forgotten: bool) -> AnswerStats:
        asked = app.chat.add_question(chat, QUESTIONS[number], draft_of=chat)
        (stats,) = (one.stats for one in app.chat.answer(asked.id, CancelToken()) if isinstance(one, Finished))
        if is_forgotten:
            app.chat.forget_conversation(chat)
        return stats


def asked_of_server(kind: Kind, folder: Path, text: str) -> tuple[Answer, float]:
    """The second chat of llama-server, started again in between, and the seconds its slot took to come back."""
    first, second = ([Message(Role.USER, f"{text}\n\n{question}")] for question in QUESTIONS[:2])
    with LlamaServer(kind.model, folder, context_tokens=kind.context_tokens) as server:
        server.chat(first, ANSWER_TOKENS)
        server.save("document.bin")
    with LlamaServer(kind.model, folder, context_tokens=kind.context_tokens) as server:
        began_s = time.perf_counter()
        server.restore("document.bin")
        restored_s = time.perf_counter() - began_s
        return server.chat(second, ANSWER_TOKENS), restored_s
