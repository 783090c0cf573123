"""A document is read once for all chats that begin with it: through the real engine, across restarts."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.app_error import AppError
from app.core.events import AnswerStats, CancelToken, Finished, TextDelta
from app.engine.protocol import Wish
from app.features.chat.answer_service import AnswerService
from app.features.document_library import DocumentStored
from app.features.models.pool_policy import LeasePriority
from app.store.attachments import DocumentUse
from app.store.projects import ProjectDocuments
from app.store.trash import CHAT
from tests.helpers.program import wait_until
from tests.helpers.tiny_models import make_tiny

pytestmark = pytest.mark.model

CONTEXT_TOKENS = 2048  # letters, which are the tiny models' tokens
OWN_TOKENS = 400
"""Of a chat that begins with a document: template, instructions, memories and question."""
QUESTION = "When does it leave?"

Begin = Callable[[], Fireside]


@pytest.fixture(params=["llama", "qwen35"])
def begin(request: pytest.FixtureRequest, tmp_path: Path) -> Begin:
    """Starts the program with a tiny model, one that can forget the end of what it read, and one that can't."""
    model = make_tiny(request.param, tmp_path / "tiny.gguf")

    def begun() -> Fireside:
        app = build_program()
        app.change_settings("chat", max_tokens=12, temperature=0.0)
        list(app.engine.load(model, Wish(CONTEXT_TOKENS, threads=1)))
        return app

    return begun


def read_file(app: Fireside, folder: Path, name: str) -> int:
    path = folder / f"{name}.txt"
    path.write_text(f"The {name} to the island leaves at nine, and the last one comes back at five. " * 8, "utf-8")
    *_, last = app.documents.read_file(path, CancelToken())
    assert isinstance(last, DocumentStored)
    return last.document.id


def ask(chats: AnswerService, chat_id: int, *documents: int) -> tuple[str, AnswerStats]:
    for document in documents:
        chats.documents.attachments.add_to_draft(chat_id, document, DocumentUse.WHOLE)
    question = chats.add_question(chat_id, QUESTION, draft_of=chat_id)
    events = list(chats.answer(question.id, CancelToken()))
    (stats,) = (event.stats for event in events if isinstance(event, Finished))
    return "".join(event.text for event in events if isinstance(event, TextDelta)), stats


def left_to_read(stats: AnswerStats) -> int:
    return stats.prompt_tokens - stats.reused_tokens


def states_of(app: Fireside) -> list[str]:
    return sorted(path.name.rpartition("-")[0] for path in app.paths.states.glob("documents-*.state"))


def test_any_chat_goes_on_from_a_document_after_a_restart_and_answers_as_if_it_had_read_it(
    begin: Begin, tmp_path: Path
) -> None:
    app = begin()
    document = read_file(app, tmp_path, "ferry")
    first = app.conversations.create().id
    _, stats = ask(app.chat, first, document)
    app.chat.forget_conversation(first)
    assert (stats.reused_tokens, states_of(app)) == (0, [f"documents-{document}"])
    app.preambles.memories.add("I live on the island.")
    project = app.preambles.projects.create("Ferries")
    app.preambles.projects.update(project.id, instructions="Answer for a sailor.")
    ProjectDocuments(app.database).add(project.id, document)
    app.close()

    app = begin()
    kept = [
        ask(app.chat, app.conversations.create(system_prompt="Be brief.").id, document),
        ask(app.chat, app.conversations.create(project_id=project.id).id),
    ]
    assert [left_to_read(stats) < OWN_TOKENS for _, stats in kept] == [True, True]
    app.close()

    app = begin()
    app.states.clear()
    with_instructions = app.conversations.create(system_prompt="Be brief.").id
    anew, stats = ask(app.chat, with_instructions, document)
    assert (anew, stats.reused_tokens) == (kept[0][0], 0)
    app.chat.forget_conversation(with_instructions)
    app.states.clear()
    app.close()
    app = begin()
    anew, stats = ask(app.chat, app.conversations.create(project_id=project.id).id)
    assert (anew, stats.reused_tokens) == (kept[1][0], 0)
    app.close()


def test_documents_are_in_one_order_and_gone_with_the_last_chat_that_has_them(begin: Begin, tmp_path: Path) -> None:
    app = begin()
    ferry, train = read_file(app, tmp_path, "ferry"), read_file(app, tmp_path, "train")
    first, second, third = (app.conversations.create().id for _ in range(3))
    ask(app.chat, first, train, ferry)
    app.chat.forget_conversation(first)
    _, stats = ask(app.chat, second, ferry, train)
    assert left_to_read(stats) < OWN_TOKENS
    ask(app.chat, third, train)
    assert states_of(app) == [f"documents-{ferry}-{train}", f"documents-{train}"]
    app.close()

    app = begin()
    for chat in (first, second):
        app.conversations.delete(chat)
        app.chat.forget_conversation(chat)
    app.began_at += 1
    app.trash.remove(*(item for item in app.trash.list_items() if item.kind == CHAT))
    assert states_of(app) == [f"documents-{train}"]
    app.close()


def test_a_temporary_chat_keeps_nothing_of_a_document(begin: Begin, tmp_path: Path) -> None:
    app = begin()
    talk = app.temporary.open_chat()
    path = tmp_path / "ferry.txt"
    path.write_text("The ferry to the island leaves at nine. " * 8, "utf-8")
    *_, last = talk.documents.read_file(path, CancelToken())
    assert isinstance(last, DocumentStored)
    _, stats = ask(talk, talk.conversations.create().id, last.document.id)
    assert stats.prompt_tokens > OWN_TOKENS // 2
    app.close()
    assert not list(app.paths.states.glob("*"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the write is held open by a pipe with a name")
def test_what_was_killed_while_it_was_written_counts_for_nothing(begin: Begin, tmp_path: Path) -> None:
    app = begin()
    document, chat = read_file(app, tmp_path, "ferry"), app.conversations.create().id
    ask(app.chat, chat, document)
    app.chat.forget_conversation(chat)
    (state,) = app.paths.states.glob("*.state")
    app.states.clear()
    # The bytes bear their final name by then, and nothing says yet what they are.
    held = state.with_suffix(f".json.{app.engine.pid}.part")
    os.mkfifo(held)

    def kill_in_the_middle() -> None:
        wait_until(state.exists, "the state is written")
        os.kill(app.engine.pid or 0, signal.SIGKILL)

    killing = threading.Thread(target=kill_in_the_middle)
    killing.start()
    with pytest.raises(AppError):
        ask(app.chat, app.conversations.create().id, document)
    killing.join()
    app.close()
    held.unlink()
    assert list(app.paths.states.iterdir()) == [state]

    app = begin()
    _, stats = ask(app.chat, app.conversations.create().id, document)
    assert stats.reused_tokens == 0
    app.close()
    assert states_of(app) == [f"documents-{document}"]


def test_a_deleted_chat_is_forgotten_by_a_model_beside_the_chats_too(begin: Begin, tmp_path: Path) -> None:
    app = begin()
    other = make_tiny("llama", tmp_path / "other.gguf")
    chat = app.conversations.create().id
    with app.pool.lease(other, LeasePriority.CLIENT, CancelToken()) as engine:
        assert engine is not None
        beside = app.chat.with_engine(engine)
        first, again = ask(beside, chat)[1], ask(beside, chat)[1]
        assert again.reused_tokens >= first.prompt_tokens - 1
        app.chat.forget_conversation(chat)
        assert ask(beside, chat)[1].reused_tokens == 0
    app.close()
