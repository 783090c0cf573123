"""The program with a model on a server: chats, summaries and translations do not know; documents are asked about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.hub_errors import NetworkOff
from app.core.errors.model_errors import ModelNotLoaded
from app.core.errors.server_errors import DocumentStaysHere, ServerUnreachable
from app.core.events import CancelToken, Finished, ModelElsewhere, TextDelta
from app.engine.contract import ensure_loaded
from app.engine.protocol import OPEN
from app.features.leaving import OutboundDocuments, leaving_words
from app.features.summarize.summarize import SectionRead
from app.features.summarize.summary_result import Method, SummaryOptions
from app.hub import access
from app.remote import request_batch
from app.remote.servers import RemoteServer
from app.store.conversations import MessageState
from tests.helpers.fake_server import FakeServer
from tests.helpers.picture_files import RED, picture
from tests.helpers.summaries import paragraphs, store_document
from tests.helpers.translations import begin, text_file

_SHOWN = re.compile(r"^\[(\d+)\] (.+?\.)", re.MULTILINE)


def answer(body: dict[str, Any]) -> str:
    """As a model would: a paragraph that it is shown with its number, segments in capitals, else a greeting."""
    text = body["messages"][-1]["content"]
    if not isinstance(text, str):
        return "A red picture."
    if segments := re.findall(r'<s n="(\d+)">(.*?)</s>', text):
        return "\n".join(f'<s n="{number}">{said.upper()}</s>' for number, said in segments)
    if shown := _SHOWN.findall(text):
        return "\n".join(f"- {said} [{number}]" for number, said in shown[:3])
    return "Hello from afar."


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(answer, kind="vllm") as server:
        server.context_tokens = 8192
        yield server


@pytest.fixture
def app(server: FakeServer) -> Iterator[Fireside]:
    """The program, whose chat has the model on the server."""
    app = build_program()
    kept = RemoteServer("box", server.address, at_once=4)
    model = app.servers.model_of(kept, "tiny-1B")
    app.servers.save(kept, [model])
    list(app.engine.load(model.path))
    app.models.choose_model("chat", model.path)
    yield app
    app.close()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server counts as another computer's."""
    monkeypatch.setattr(access, "is_this_computer", lambda host: False)


def ask(app: Fireside, text: str = "Hello") -> tuple[int, str]:
    """A new chat's id, and its answer."""
    conversation = app.conversations.create()
    question = app.chat.add_question(conversation.id, text)
    events = list(app.chat.answer(question.id, CancelToken()))
    assert isinstance(events[-1], Finished)
    return conversation.id, "".join(one.text for one in events if isinstance(one, TextDelta))


def test_a_chat_is_answered_from_elsewhere_and_says_so(app: Fireside, server: FakeServer) -> None:
    conversation_id, text = ask(app)
    assert text == "Hello from afar."
    stored = app.conversations.read_branch(conversation_id)[-1]
    assert server.host in stored.model and stored.stats is not None and stored.stats.prompt_tokens > 0
    assert isinstance(app.loaded, ModelElsewhere) and app.model_path() == Path(app.loaded.path)
    assert (Path(app.loaded.path), "tiny-1B") in app.names.list_choices()


def test_an_unplugged_server_keeps_what_came(app: Fireside, server: FakeServer) -> None:
    server.fail("half", after=1)
    conversation = app.conversations.create()
    question = app.chat.add_question(conversation.id, "Hello")
    with pytest.raises(ServerUnreachable):
        list(app.chat.answer(question.id, CancelToken()))
    stored = app.conversations.read_branch(conversation.id)[-1]
    assert (stored.text, stored.state) == ("Hello ", MessageState.INTERRUPTED)


def test_a_summary_goes_on_after_its_server_was_unplugged(
    app: Fireside, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_batch, "FIRST_PAUSE_S", 0.01)
    document = store_document(app.documents.store, "kilns.pdf", *paragraphs(900))
    summary = app.summaries.begin_summaries([document.id], SummaryOptions(method=Method.MODEL), together=True)[0]
    read = 0
    for worked in app.summaries.run(CancelToken()):
        if isinstance(worked.event, SectionRead):
            read += 1
            if read == 2:
                server.fail("status", status=502, times=-1)
    failed = app.summaries.get(summary.id)
    assert failed is not None and failed.state == "failed" and isinstance(failed.error, ServerUnreachable)
    server._faults.clear()
    asked = len(server.asked())
    app.summaries.resume(summary.id)
    list(app.summaries.run(CancelToken()))
    done = app.summaries.get(summary.id)
    assert done is not None and done.state == "done"
    again = [body for body in server.asked()[asked:] if "tells of kiln 1 " in body["messages"][-1]["content"]]
    assert not again  # what was read before is not sent again


def test_a_translation_is_made_elsewhere(app: Fireside, tmp_path: Path) -> None:
    translation = begin(app, text_file(tmp_path, count=8))
    list(app.translations.run(CancelToken()))
    done = app.translations.get(translation.id)
    assert done is not None and (done.state, done.done) == ("done", 8)


def test_a_document_leaves_once_a_person_said_so(app: Fireside, server: FakeServer, away: None) -> None:
    asked: list[OutboundDocuments] = []

    def say(*answers: bool) -> None:
        left = list(answers)
        app.consent.ask = lambda leaving: asked.append(leaving) or left.pop(0)  # type: ignore[func-returns-value]

    app.engine.unload()
    list(app.engine.load(Path(app.settings.engine.model_path)))
    document = store_document(app.documents.store, "lease.pdf", *paragraphs(3))
    conversation = app.conversations.create()
    app.documents.attachments.add_to_draft(conversation.id, document.id)
    question = app.chat.add_question(conversation.id, "What is it about?", draft_of=conversation.id)
    sent = len(server.requests)
    say(False)
    with pytest.raises(DocumentStaysHere):
        list(app.chat.answer(question.id, CancelToken()))
    assert len(server.requests) == sent  # not even to be counted
    assert asked == [OutboundDocuments(server.host, ("lease.pdf",))] and "lease.pdf" in str(leaving_words(asked[0]))
    say(True)
    for _ in range(2):
        list(app.chat.answer(question.id, CancelToken()))
    assert "kiln" in server.asked()[-1]["messages"][-1]["content"] and len(asked) == 2
    say()  # and for a job nobody is asked again
    app.summaries.begin_summaries([document.id], SummaryOptions(method=Method.MODEL), together=True)
    list(app.summaries.run(CancelToken()))
    assert len(asked) == 2


def test_a_picture_leaves_once_a_person_said_so(app: Fireside, server: FakeServer, away: None, tmp_path: Path) -> None:
    asked: list[OutboundDocuments] = []
    answers = [False, True]
    app.consent.ask = lambda leaving: asked.append(leaving) or answers.pop(0)  # type: ignore[func-returns-value]
    model = app.servers.list_models()[0]
    app.servers.save(model.server, [replace(model, sees="yes")])
    list(app.engine.load(model.path))
    stored = app.media.add_picture(picture(tmp_path / "red.png", RED, (64, 48)))
    conversation = app.conversations.create()
    app.conversations.media.put_into_draft(conversation.id, stored.sha256, "red.png")
    question = app.chat.add_question(conversation.id, "What is it?", draft_of=conversation.id)
    sent = len(server.requests)
    with pytest.raises(DocumentStaysHere):
        list(app.chat.answer(question.id, CancelToken()))
    assert len(server.requests) == sent and asked == [OutboundDocuments(server.host, ("red.png",))]
    for _ in range(2):
        list(app.chat.answer(question.id, CancelToken()))
    assert len(asked) == 2
    image, text = server.asked()[-1]["messages"][-1]["content"]
    assert text["text"] == "What is it?" and image["image_url"]["url"].startswith("data:image/png;base64,")


def test_a_job_whose_document_stays_waits(app: Fireside, server: FakeServer, away: None) -> None:
    app.engine.unload()
    list(app.engine.load(Path(app.settings.engine.model_path)))
    document = store_document(app.documents.store, "lease.pdf", *paragraphs(30))
    summary = app.summaries.begin_summaries([document.id], SummaryOptions(method=Method.MODEL), together=True)[0]
    sent = len(server.requests)
    list(app.summaries.run(CancelToken()))
    row = app.summaries.get(summary.id)
    assert row is not None and row.state == "paused" and isinstance(row.error, DocumentStaysHere)
    assert len(server.requests) == sent


def test_a_switch_stops_everything_and_another_the_internet_only(app: Fireside, server: FakeServer) -> None:
    app.change_settings("network", internet=False)
    assert ask(app)[1] == "Hello from afar."
    app.change_settings("network", allowed=False)
    with pytest.raises(NetworkOff):
        ask(app)
    assert all(one.host == "127.0.0.1" for one in app.ledger.connections())


def test_the_switch_ends_an_answer_in_the_middle_and_keeps_it(app: Fireside, server: FakeServer) -> None:
    server.fail("stall", after=1)
    conversation = app.conversations.create()
    events = app.chat.answer(app.chat.add_question(conversation.id, "Hello").id, CancelToken())
    while not isinstance(next(events), TextDelta):
        pass
    app.change_settings("network", allowed=False)
    with pytest.raises(NetworkOff):
        list(events)
    stored = app.conversations.read_branch(conversation.id)[-1]
    assert (stored.text, stored.state) == ("Hello ", MessageState.INTERRUPTED)


def test_a_summary_waits_while_the_network_is_switched_off(app: Fireside, server: FakeServer) -> None:
    document = store_document(app.documents.store, "kilns.pdf", *paragraphs(400))
    summary = app.summaries.begin_summaries([document.id], SummaryOptions(method=Method.MODEL), together=True)[0]
    for worked in app.summaries.run(CancelToken()):
        if isinstance(worked.event, SectionRead):
            app.change_settings("network", allowed=False)
    waits = app.summaries.get(summary.id)
    assert waits is not None and waits.state == "paused" and isinstance(waits.error, NetworkOff)
    app.change_settings("network", allowed=True)
    app.summaries.resume(summary.id)
    list(app.summaries.run(CancelToken()))
    done = app.summaries.get(summary.id)
    assert done is not None and done.state == "done"


def test_models_here_and_elsewhere_take_turns(app: Fireside, server: FakeServer, starter: Path) -> None:
    elsewhere = Path(app.settings.engine.model_path)
    assert ensure_loaded(app.engine, starter, OPEN)
    assert app.loaded is not None and Path(app.loaded.path) == starter
    server.close()
    with pytest.raises(ServerUnreachable):
        ensure_loaded(app.engine, elsewhere, OPEN)
    assert app.loaded is not None and Path(app.loaded.path) == starter  # the one before stays


def test_other_programs_are_not_answered_from_elsewhere(app: Fireside) -> None:
    with pytest.raises(ModelNotLoaded), app.serving.open_engine("", CancelToken()):
        pass
