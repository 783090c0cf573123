"""Answers about documents are read by a checker afterwards: what it doubts is kept, and answering goes first."""

from __future__ import annotations

import array
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.bootstrap import Fireside
from app.core.child import own_command
from app.core.events import CancelToken, Role
from app.engine.client import EngineClient
from app.engine.contract import TokenLabels
from app.engine.llama.token_classifier import spans_of
from app.engine.protocol import Wish
from app.features.claim_checker.answers import (
    AnswerChecked,
    AnswerChecker,
    AnswerCheckEvent,
    AnswerCheckProgress,
    material_of,
)
from app.features.claim_checker.checker import MOST_PASSAGE_CHARACTERS, spans_over
from app.features.claim_checker.conversion import convert_checker, read_safetensors
from app.features.document_library import DocumentStored
from app.features.models.model_pool import ModelPool
from app.features.retrieval.support import NOT_FOUND, quote_parts, unsupported_parts
from app.store.attachments import DocumentUse
from app.store.conversations import MessageState
from tests.helpers.engine import pool_of, scripted_client
from tests.helpers.model_memory import Memory
from tests.helpers.script import write_script
from tests.helpers.tiny_checker import bytes_of, encode_pair, make_checker, reference_logits

KILN = "The kiln was built in 1871 by the potter Anna Lind."
ANSWER = "The kiln was painted blue by Anna Lind."
ADMITTED = "The document does not mention any painters."


def store_answer(app: Fireside, text: str, *, document: str = KILN, passages: Sequence[int] | None = None) -> int:
    """An answer in a chat of its own, about a document that was shown whole, or of which passages were."""
    path = app.paths.data / "kiln.txt"
    path.write_text(document, "utf-8")
    *_, last = app.documents.read_file(path, CancelToken())
    assert isinstance(last, DocumentStored)
    chat = app.conversations.create()
    question = app.conversations.add_message(chat.id, None, Role.USER, "Who looked after it?")
    if passages is None:
        app.documents.attachments.add_to_draft(chat.id, last.document.id, DocumentUse.WHOLE)
        app.documents.attachments.move_to_message(chat.id, question.id)
    else:
        app.documents.attachments.add_passages(question.id, last.document.id, passages)
    return app.conversations.add_message(chat.id, question.id, Role.ASSISTANT, text).id


class Checking:
    """A scripted checker, which doubts words that its source lacks."""

    def __init__(self, app: Fireside, folder: Path, *, languages: Sequence[str] = ("en",)) -> None:
        self.app, self._folder = app, folder
        self.path = convert_checker(make_checker(folder / "files"), folder / "checker.gguf", languages)
        self.made = 0

    def run_checks(
        self, *answers: int, is_answering: Callable[[], bool] = lambda: False, cancel: CancelToken | None = None
    ) -> list[AnswerCheckEvent]:
        waiting = deque(answers)

        def make_engine() -> EngineClient:
            self.made += 1
            return scripted_client(self._folder / "engine", {"load": {"can_chat": False}})

        checker = AnswerChecker(lambda: self.path, pool_of(make_engine), is_answering=is_answering)
        take = lambda: (self.app.chat, waiting.popleft()) if waiting else None  # noqa: E731
        return list(checker.check_answers(take, cancel or CancelToken()))

    def doubted_parts(self, answer_id: int) -> list[str]:
        message = self.app.conversations.get_message(answer_id)
        assert message is not None
        parts = unsupported_parts(message.sources)
        return quote_parts(message.text, parts)[0] if parts is not None else []


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script")
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


@pytest.fixture
def checking(app: Fireside, tmp_path: Path) -> Checking:
    return Checking(app, tmp_path)


def test_what_no_passage_supports_is_kept_with_the_answer_and_its_other_marks(
    app: Fireside, checking: Checking
) -> None:
    first = store_answer(app, f"{ANSWER} {ADMITTED}")
    app.conversations.set_sources(first, [NOT_FOUND])
    second = store_answer(app, KILN)
    assert checking.run_checks(first, second) == [
        AnswerCheckProgress(first),
        AnswerChecked(first, ((13, 25),)),
        AnswerCheckProgress(second),
        AnswerChecked(second, ()),
    ]
    assert checking.doubted_parts(first) == ["painted blue"], "and not the sentence that says itself what is missing"
    message = app.conversations.get_message(first)
    assert message is not None
    assert message.sources == (NOT_FOUND, {"unsupported": [[13, 25]], "checker": "checker"})
    assert checking.doubted_parts(second) == []
    assert checking.made == 1, "one checker for both"
    app.conversations.finish_message(first, KILN, MessageState.COMPLETE, None)
    checking.run_checks(first)
    assert app.conversations.get_message(first).sources == (NOT_FOUND,), "what was doubted before is not any more"  # type: ignore[union-attr]


def test_where_memory_is_short_an_answer_stays_unchecked_without_a_word(app: Fireside, checking: Checking) -> None:
    answer, memory = store_answer(app, ANSWER), Memory(5)
    waiting = [answer, answer]
    pool = ModelPool(
        memory.chat,
        lambda: None,
        Wish,
        lambda: pytest.fail("no engine was expected"),
        free_bytes=lambda: 1,
        needs=lambda _: 10**9,
    )
    take = lambda: (app.chat, waiting.pop()) if waiting else None  # noqa: E731
    assert list(AnswerChecker(lambda: checking.path, pool).check_answers(take, CancelToken())) == [
        AnswerCheckProgress(answer)
    ]
    assert checking.doubted_parts(answer) == []
    memory.pool.close()


def test_a_real_checker_in_its_child_marks_what_the_same_network_says(app: Fireside, tmp_path: Path) -> None:
    folder = make_checker(tmp_path / "files", max_position_embeddings=2_048)
    path = convert_checker(folder, tmp_path / "checker.gguf")
    answer = store_answer(app, ANSWER)
    waiting = [answer]
    engine = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    checker = AnswerChecker(lambda: path, pool_of(lambda: engine))
    take = lambda: (app.chat, waiting.pop()) if waiting else None  # noqa: E731
    (*_, last) = checker.check_answers(take, CancelToken())
    material = material_of(app.chat, answer)
    assert material is not None
    tokens, text = encode_pair(material.prompt, ANSWER)
    logits = reference_logits(read_safetensors(folder / "model.safetensors"), tokens)[text]
    starts, ends = spans_of(ANSWER, bytes_of(tokens[text]))
    wanted = spans_over(ANSWER, TokenLabels(starts, ends, array.array("f", logits.ravel()), 2))
    assert wanted, "random weights doubt something"
    assert last == AnswerChecked(answer, wanted)


def test_somebody_who_waits_for_an_answer_goes_first(app: Fireside, checking: Checking) -> None:
    answer = store_answer(app, ANSWER)
    turns = iter([True, True, True])
    events = checking.run_checks(answer, is_answering=lambda: next(turns, False))
    assert events == [
        AnswerCheckProgress(answer),
        AnswerCheckProgress(answer, is_paused=True),
        AnswerChecked(answer, ((13, 25),)),
    ]


def test_without_documents_or_in_another_language_no_checker_is_loaded(app: Fireside, checking: Checking) -> None:
    german = store_answer(app, "Das steht da, und es ist nicht so, wie man das von der Stadt und dem Land denkt.")
    chat = app.conversations.create()
    bare = app.conversations.add_message(chat.id, None, Role.USER, "Hello there")
    bare = app.conversations.add_message(chat.id, bare.id, Role.ASSISTANT, ANSWER)
    gone = store_answer(app, ANSWER)
    app.conversations.delete_message(gone)
    assert checking.run_checks(german, bare.id, gone) == []
    assert checking.made == 0


def test_an_answer_that_was_changed_meanwhile_gets_no_marks_of_another_text(app: Fireside, checking: Checking) -> None:
    answer = store_answer(app, ANSWER)

    def change_answer() -> bool:
        app.conversations.finish_message(answer, "Something shorter.", MessageState.COMPLETE, None)
        return False

    checking.run_checks(answer, is_answering=change_answer)
    assert checking.doubted_parts(answer) == []


def test_it_reads_the_passages_that_were_shown_and_of_a_long_document_those_that_fit(app: Fireside) -> None:
    texts = [f"Paragraph {number} is about nothing in particular, and says so at length." for number in range(400)]
    texts[300] = KILN
    long = "\n\n".join(texts)
    shown = material_of(app.chat, store_answer(app, ANSWER, document=long, passages=[5, 6]))
    whole = material_of(app.chat, store_answer(app, ANSWER, document=long))
    assert shown is not None
    assert whole is not None
    assert "passage 1: Paragraph 4 is" in shown.prompt
    assert "passage 3:" not in shown.prompt
    assert KILN in whole.prompt
    assert len(whole.prompt) < MOST_PASSAGE_CHARACTERS + 1_000
