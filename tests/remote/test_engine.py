"""An engine whose model runs on a server: asks, events, counts, several at once, and what servers do wrong."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor, QImage

from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineStopped
from app.core.errors.hub_errors import CertificateUnreadable, NetworkOff
from app.core.errors.model_errors import ModelMissing, NoModel
from app.core.errors.request_errors import PromptTooLong
from app.core.errors.server_errors import (
    NotOffered,
    ServerBusy,
    ServerKeyRefused,
    ServerLacksModel,
    ServerRefused,
    ServerUnreachable,
)
from app.core.events import CancelToken, Finished, FinishReason, Media, Message, Role, TextDelta
from app.engine.protocol import Ask, Sampling
from app.features.error_messages import sentence_for
from app.features.work.asking import TaskAnswer, TaskGrowing, TaskRests, run_tasks
from app.hub.certificates import certificates_in, owners_of
from app.remote import request_batch
from app.remote.engine import RemoteEngine
from app.remote.servers import LEAST_TURNS, RemoteCallers
from app.remote.used_model import RequestsAtOnce
from tests.helpers.authority import Authority
from tests.helpers.fake_server import FakeServer
from tests.helpers.remote import Remote

Start = Callable[..., FakeServer]
HELLO = [Message(Role.USER, "Hello")]


def said(remote: Remote, **options: Any) -> tuple[str, str, Finished]:
    """Text, thinking and end of an answer."""
    events = list(remote.engine.generate(HELLO, **options))
    deltas = [one for one in events if isinstance(one, TextDelta)]
    assert isinstance(events[-1], Finished)
    return (
        "".join(one.text for one in deltas if not one.thinking),
        "".join(one.text for one in deltas if one.thinking),
        events[-1],
    )


def failing(remote: Remote, **options: Any) -> tuple[str, AppError]:
    """The text of an answer before it failed, and how."""
    text = ""
    with pytest.raises(AppError) as raised:
        for event in remote.engine.generate(HELLO, **options):
            text += event.text if isinstance(event, TextDelta) else ""
    assert sentence_for(raised.value).text
    return text, raised.value


def test_an_answer_is_streamed_with_its_figures(remote: Remote, start: Start) -> None:
    start("One two three.", kind="vllm", key="secret")
    text, thinking, end = said(remote, max_tokens=50, sampling=Sampling(temperature=0.5, seed=3))
    assert (text, thinking) == ("One two three.", "")
    assert end.stats.generated_tokens == 3 and end.stats.prompt_tokens > 0
    assert end.stats.finish_reason is FinishReason.STOP


def test_what_is_asked_is_what_the_contract_has_and_the_kind_of_server_knows(remote: Remote, start: Start) -> None:
    server = start(kind="vllm")
    said(
        remote,
        max_tokens=50,
        sampling=Sampling(temperature=0.5, repeat_penalty=1.1, dry_multiplier=0.8),
        task_sampling=Sampling(temperature=0.1, seed=7),
        stop=["END"],
        template_variables={"enable_thinking": False},
    )
    (body,) = server.asked()
    assert body["messages"] == [{"role": "user", "content": "Hello"}] and body["stream"] is True
    assert (body["temperature"], body["seed"], body["max_tokens"], body["stop"]) == (0.5, 7, 50, ["END"])
    assert body["repetition_penalty"] == 1.1 and "dry_multiplier" not in body
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def test_a_server_without_a_kind_gets_the_contract_and_no_more(remote: Remote, start: Start) -> None:
    server = start()
    said(
        remote,
        sampling=Sampling(top_k=5, min_p=0.1),
        template_variables={"enable_thinking": False},
        grammar="root ::= x",
    )
    (body,) = server.asked()
    assert set(body) == {"model", "stream", "stream_options", "messages"}


@pytest.mark.parametrize("kind", ["llama_cpp", "vllm", "sglang", "lm_studio", "ollama"])
def test_each_kind_of_server_is_asked_for_its_context(remote: Remote, kind: str) -> None:
    with FakeServer(kind=kind) as server:
        server.context_tokens = 12_345
        loaded = remote.load(remote.add(server.address))
        assert (loaded.context_tokens, loaded.weights) == (12_345, 10**9)
        assert loaded.host == server.host and server.host in loaded.name and loaded.stays_here


def test_each_kind_of_server_says_whether_its_models_see_or_a_person_does(remote: Remote) -> None:
    for kind in ("llama_cpp", "lm_studio", "ollama"):
        for sees in (True, False):
            with FakeServer(kind=kind) as server:
                server.sees = sees
                assert remote.load(remote.add(server.address)).sees is sees, kind
    with FakeServer(kind="vllm") as server:
        path = remote.add(server.address)
        assert not remote.load(path).sees
        model = remote.servers.read_model(path)
        remote.servers.save(model.server, [replace(model, sees="yes")])
        assert remote.load(path).sees


def test_pictures_are_sent_at_their_places_and_no_larger_than_they_are_looked_at(
    remote: Remote, start: Start, tmp_path: Path
) -> None:
    rows = bytes(value for y in range(2) for x in range(2000) for value in (x % 250, 7 * y, 9))
    (tmp_path / "a.ppm").write_bytes(b"P6\n2000 2\n255\n" + rows)
    picture = Media("a", str(tmp_path / "a.ppm"), width=2000, height=2, at=5)
    message = [Message(Role.USER, "This: what is it?", (picture,))]
    with FakeServer(kind="llama_cpp") as server:
        server.sees = True
        remote.load(remote.add(server.address))
        (count,) = remote.engine.count_media([picture])
        assert (count.width, count.height) == (1000, 1) and count.tokens > 0
        list(remote.engine.generate(message))
        first, image, last = server.asked()[0]["messages"][0]["content"]
    assert (first["text"], last["text"]) == ("This:", " what is it?")
    head, data = image["image_url"]["url"].split(",")
    png = QImage.fromData(base64.b64decode(data), "PNG")
    assert (head, png.width(), png.height()) == ("data:image/png;base64", 1000, 1)
    assert [QColor(png.pixel(x, 0)).getRgb()[:3] for x in (0, 3)] == [(0, 4, 9), (6, 4, 9)]
    server = start(kind="vllm")
    list(remote.engine.generate(message))
    assert server.asked()[0]["messages"] == [{"role": "user", "content": "This: what is it?"}], "it has no eyes"
    with pytest.raises(NotOffered):
        remote.engine.count_media([picture])


def test_the_persons_own_context_goes_before_what_the_server_says(remote: Remote) -> None:
    with FakeServer(kind="vllm") as server:
        assert remote.load(remote.add(server.address, context_tokens=2000)).context_tokens == 2000


def test_thinking_comes_apart_however_the_server_tells_it(remote: Remote, start: Start) -> None:
    server = start("<think>\nFirst this, then that.\n</think>\n\nSo: yes.", "Plain <think> in a text.", "Answer.")
    assert said(remote)[:2] == ("So: yes.", "First this, then that.")
    assert said(remote)[:2] == ("Plain <think> in a text.", "")
    server.thinking = "Let me see"
    assert said(remote)[:2] == ("Answer.", "Let me see ")


def test_thinking_whose_first_tag_stands_in_the_prompt_ends_with_the_second(remote: Remote) -> None:
    with FakeServer("First this, then that.\n</think>\n\nSo: yes.", "Yes.", "Yes, just so, at once.") as server:
        server.models = ["DeepSeek-R1-Distill-Qwen-1.5B"]
        remote.load(remote.add(server.address, server.models[0]))
        assert said(remote)[:2] == ("So: yes.", "First this, then that.")
        assert said(remote)[0] == "Yes.", "it did not think"
        assert said(remote)[0] == "Yes, just so, at once."
        server.thinking = "Let me see"
        assert said(remote)[:2] == ("Yes, just so, at once.", "Let me see ")


def test_tokens_are_counted_by_a_server_that_does_it_and_estimated_else(remote: Remote, start: Start) -> None:
    server = start(kind="llama_cpp")
    loaded = remote.engine.loaded
    assert loaded is not None and loaded.counts_exactly
    texts = ["abcdef", "", "äöü" * 10, "x"]
    counts = remote.engine.count_texts(texts)
    assert all(0 <= count - len(text) / 2 <= 1.5 for count, text in zip(counts, texts, strict=True)) and counts[1] == 0
    assert len(server.asked("/tokenize")) == 2  # whether it can, and all texts at once
    server.fail("garbage", path="/tokenize", times=-1)
    assert remote.engine.count_texts(["a word and another"])[0] > 2  # estimated from now on


def test_estimates_become_better_by_what_the_server_counts(remote: Remote, start: Start) -> None:
    start(kind="vllm")
    text = "wonderful " * 400
    loaded = remote.engine.loaded
    assert loaded is not None and not loaded.counts_exactly
    before = remote.engine.count_texts([text])[0]
    for _ in range(12):
        list(remote.engine.generate([Message(Role.USER, text)]))
    after, counted = remote.engine.count_texts([text])[0], len(json.dumps([{"role": "user", "content": text}])) // 4
    assert abs(after - counted) < abs(before - counted) / 4


def test_several_are_asked_at_once_and_no_more_than_the_settings_say(remote: Remote, start: Start) -> None:
    server = start(lambda body: body["messages"][0]["content"].upper(), at_once=3)
    server.piece_s = 0.01
    asks = [Ask([Message(Role.USER, f"number {number} of many")]) for number in range(12)]
    texts = [""] * 12
    for index, event in remote.engine.generate_many(asks):
        texts[index] += event.text if isinstance(event, TextDelta) else ""
    assert texts == [f"NUMBER {number} OF MANY" for number in range(12)]
    assert server.most_at_once == 3


@pytest.mark.parametrize(
    ("slots", "learnt"), [(1000, 32), (32, 32), (8, 8), (4, 4), (1, 4)], ids=["many", "32", "8", "4", "one"]
)
def test_more_are_asked_at_once_for_as_long_as_that_pays_off(slots: int, learnt: int) -> None:
    """Each answer takes a second, and so many are written side by side."""
    now_s = 0.0
    at_once = RequestsAtOnce(0, lambda: now_s)
    for _ in range(40):
        done = min(at_once.number, slots)
        now_s += 1
        for _ in range(done):
            at_once.record_end(100)
    assert at_once.number == learnt


def test_a_number_that_a_person_set_is_kept_and_a_busy_server_asked_for_less(remote: Remote, start: Start) -> None:
    set_by_a_person = RequestsAtOnce(3)
    for _ in range(100):
        set_by_a_person.record_end(100)
    assert set_by_a_person.number == 3
    server = start("Yes.", at_once=0)
    server.fail("status", status=429, headers={"Retry-After": "0"}, times=2)
    texts = [event for _, event in remote.engine.generate_many([Ask(HELLO)] * 9) if isinstance(event, TextDelta)]
    assert len(texts) == 9
    assert remote.engine._used.at_once.number < 4  # type: ignore[union-attr]


JOB = [Message(Role.USER, "A section")]


class Job:
    """Asks of a job that run meanwhile, by an engine of their own."""

    def __init__(self, remote: Remote, asks: int) -> None:
        assert remote.engine.loaded is not None
        self.engine = RemoteEngine(remote.servers, remote.connect)
        list(self.engine.load(Path(remote.engine.loaded.path)))
        self.tasks = [Task(Ask(JOB, max_tokens=500)) for _ in range(asks)]
        self.texts: list[str] = []
        self.rests: list[str] = []
        self.has_begun, self.has_some = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def _work(self) -> None:
        for event in run_tasks(self.tasks, self.engine, CancelToken(), self._take):
            if isinstance(event, TaskRests):
                self.rests.append(event.reason)
            elif isinstance(event, TaskGrowing):
                self.has_begun.set()

    def _take(self, _task: Task, answer: TaskAnswer | AppError) -> list[Task]:
        assert isinstance(answer, TaskAnswer)
        self.texts.append(answer.text)
        self.has_some.set()
        return []

    def end(self) -> list[str]:
        self.thread.join()
        self.engine.close()
        return self.texts


@dataclass(frozen=True)
class Task:
    ask: Ask


def test_a_job_gives_way_to_a_chat_where_a_server_writes_one_answer_at_a_time(remote: Remote, start: Start) -> None:
    """An answer of the job that would not end is cut, what waits behind it too, and all are asked again."""
    server = start("Yes, this is so.")
    server.slots, server.piece_s = threading.Semaphore(1), 0.002
    server.fail("flood")
    job = Job(remote, 3)
    assert job.has_begun.wait(60)
    assert said(remote)[0] == "Yes, this is so."
    assert job.end() == ["Yes, this is so."] * 3
    assert job.rests[:2] == ["interactive", ""]
    assert server.cut


def test_an_answer_that_gave_way_once_is_written_to_its_end_the_next_time(remote: Remote, start: Start) -> None:
    server = start("word " * 40 + "end")
    server.slots, server.piece_s = threading.Semaphore(1), 0.002
    job = Job(remote, 1)
    assert job.has_begun.wait(60)
    said(remote)
    said(remote)  # again and again, or the job would never be done
    assert job.end() == ["word " * 40 + "end"]
    assert len([body for body in server.asked() if body["messages"][-1]["content"] == "A section"]) <= 2


def test_a_job_goes_on_beside_a_chat_where_a_server_writes_several_answers(
    remote: Remote, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_done = threading.Event()

    def answer(body: dict[str, Any]) -> str:
        assert body["messages"][-1]["content"] != "Hello" or is_done.wait(60)
        return "word " * 60 + "end"

    start(answer)
    callers = remote.engine._used.callers  # type: ignore[union-attr]
    written_in_turn(callers, 4)
    monkeypatch.setattr(callers, "begin", lambda: None)
    chat = threading.Thread(target=lambda: said(remote))
    chat.start()
    job = Job(remote, 12)
    assert job.end() == ["word " * 60 + "end"] * 12
    assert chat.is_alive() and "interactive" not in job.rests
    is_done.set()
    chat.join()


def written_in_turn(callers: RemoteCallers, answers: int) -> None:
    for one in list(range(answers)) * LEAST_TURNS:
        callers.record_words(one)
    for one in range(answers):
        callers.record_end(one)


def test_answers_whose_words_come_in_turn_are_written_side_by_side() -> None:
    callers = RemoteCallers()
    for one in ("first", "first", "second", "first", "second", "second", "third"):  # a thread was late
        callers.record_words(one)
    assert callers.writes_one and callers.places is None
    with callers.awaited(1):
        assert callers.places == 0
    written_in_turn(callers, 3)
    assert not callers.writes_one
    with callers.awaited(2):
        assert callers.places == 1
    callers.begin()
    assert callers.writes_one


def test_stop_ends_the_request_whatever_it_waits_for(remote: Remote, start: Start) -> None:
    server = start("word " * 500)
    for fault in ("hold", "stall"):
        server.fail(fault)
        cancel = CancelToken()
        threading.Timer(0.1, cancel.cancel).start()
        events = list(remote.engine.generate(HELLO, cancel=cancel))
        assert isinstance(events[-1], Finished) and events[-1].stats.finish_reason is FinishReason.CANCELLED
    assert not [
        one for one in threading.enumerate() if one.name == "remote request" and one.join(10) and one.is_alive()
    ]


def test_half_a_stream_keeps_what_came_and_says_so(remote: Remote, start: Start) -> None:
    start("One two three four.").fail("half")
    text, error = failing(remote)
    assert text == "One two " and isinstance(error, ServerUnreachable) and error.reason == "broken"
    assert remote.engine.is_away
    assert "".join(event.text for event in remote.engine.generate(HELLO) if isinstance(event, TextDelta))
    assert not remote.engine.is_away, "it is there again"


@pytest.mark.parametrize(("fault", "reason"), [("html", "html"), ("garbage", "garbage"), ("nothing", "broken")])
def test_what_is_no_answer_is_a_sentence(remote: Remote, start: Start, fault: str, reason: str) -> None:
    start().fail(fault)
    _, error = failing(remote)
    assert isinstance(error, ServerUnreachable) and error.reason == reason


@pytest.mark.parametrize(
    "body",
    [
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: " + b"x" * 5_000_000,
        b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n',
        b'data: ["a"]\n\n',
    ],
    ids=["deep", "a line without end", "not UTF-8", "no object"],
)
def test_what_makes_no_sense_is_a_sentence(remote: Remote, start: Start, body: bytes) -> None:
    start().fail("garbage", body=body)
    _, error = failing(remote)
    assert isinstance(error, ServerUnreachable) and error.reason == "garbage"


ODD = (
    '{"choices": 5}',
    '{"choices": [null]}',
    '{"choices": [{"delta": 7}]}',
    '{"choices": [{"delta": {"content": [1]}}]}',
    '{"choices": [{"delta": {"content": "half \\ud83d of"}, "finish_reason": 7}], "usage": "none"}',
    '{"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": true, "prompt_tokens_details": []}}',
    '{"choices": [{"delta": {"content": " it"}, "finish_reason": "stop"}]}',
)


def test_odd_pieces_are_passed_over_and_what_is_no_character_is_none(remote: Remote, start: Start) -> None:
    start().fail("garbage", body="".join(f"data: {one}\n\n" for one in ODD).encode())
    text, _, end = said(remote)
    assert text == "half ? of it" and end.stats.prompt_tokens > 0


@pytest.mark.parametrize("number", [10**400, 2**63, 10**15 + 1, 1e400, 1.5, "9" * 5000, True, None, [7]])
def test_numbers_of_any_size_are_numbers_or_nobody_said_them(remote: Remote, start: Start, number: object) -> None:
    told = json.dumps(number)
    details = f'"prompt_tokens_details": {{"cached_tokens": {told}}}'
    usage = f'{{"prompt_tokens": {told}, "completion_tokens": {told}, {details}}}'
    pieces = (
        '{"choices": [{"delta": {"content": "One"}, "finish_reason": "stop"}]}',
        f'{{"choices": [], "usage": {usage}}}',
    )
    start().fail("garbage", body="".join(f"data: {one}\n\n" for one in pieces).encode())
    text, _, end = said(remote)
    assert text == "One"
    assert 0 < end.stats.prompt_tokens < 1000
    assert (end.stats.generated_tokens, end.stats.reused_tokens) == (1, 0)


def test_sizes_and_pauses_of_any_size_are_passed_over(remote: Remote, start: Start) -> None:
    huge = "9" * 5000
    meta = f'"max_model_len": {10**400}, "meta": {{"n_params": {10**400}, "n_ctx": 4096}}'
    rows = f'{{"data": [{{"id": "tiny-1B", {meta}}}]}}'
    with FakeServer() as server:
        server.fail("garbage", path="/models", body=rows.encode())
        assert remote.load(remote.add(server.address)).context_tokens == 4096
    start().fail("status", status=400, body=f'{{"message": "maximum context length is {huge} tokens"}}'.encode())
    assert isinstance(failing(remote)[1], ServerRefused)
    start("Yes.").fail("status", status=429, headers={"Retry-After": "9" * 400})
    assert said(remote)[0] == "Yes."  # as a busy server that does not say for how long


def test_an_error_in_the_middle_of_a_stream_is_told_with_its_words(remote: Remote, start: Start) -> None:
    pieces = '{"choices": [{"delta": {"content": "One"}}]}', '{"error": {"message": "CUDA out of memory"}}'
    start().fail("garbage", body="".join(f"data: {one}\n\n" for one in pieces).encode())
    text, error = failing(remote)
    assert text == "One" and isinstance(error, ServerRefused) and error.detail == "CUDA out of memory"


@pytest.mark.parametrize(
    ("fault", "fields", "reason"),
    [
        ("html", {}, "html"),
        ("garbage", {}, "garbage"),
        ("nothing", {}, "garbage"),
        ("garbage", {"body": b'{"data": "none"}'}, "not_a_server"),
        ("status", {"status": 500}, "server"),
    ],
)
def test_who_lists_no_models_is_no_server(remote: Remote, fault: str, fields: dict[str, Any], reason: str) -> None:
    with FakeServer() as server:
        server.fail(fault, path="/models", **fields)
        with pytest.raises(ServerUnreachable) as raised:
            remote.load(remote.add(server.address))
    assert raised.value.reason == reason and sentence_for(raised.value).text


def test_odd_rows_of_a_list_are_passed_over(remote: Remote) -> None:
    rows = b'{"data": [1, null, {"id": 7}, {}, {"id": "tiny-1B", "max_model_len": "many", "meta": 3, "owned_by": []}]}'
    with FakeServer() as server:
        server.fail("garbage", path="/models", body=rows)
        assert remote.load(remote.add(server.address)).name.startswith("tiny-1B")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"{}", ServerKeyRefused),
        (404, b'{"error": {"message": "model tiny-1B not found"}}', ServerLacksModel),
        (400, b'{"error": {"message": "no such thing"}}', ServerRefused),
        (500, b"Internal Server Error", ServerUnreachable),
        (307, b"", ServerUnreachable),
        (
            400,
            b'{"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096}}',
            PromptTooLong,
        ),
        (400, b'{"message": "maximum context length is 4096 tokens, you requested 9000"}', PromptTooLong),
    ],
)
def test_each_refusal_is_its_situation(
    remote: Remote, start: Start, status: int, body: bytes, kind: type[AppError]
) -> None:
    start().fail("status", status=status, body=body, headers={"Location": "http://example.org/"})
    _, error = failing(remote)
    assert type(error) is kind
    if isinstance(error, PromptTooLong):
        assert (error.prompt_tokens, error.context_tokens) == (9000, 4096)


def test_a_busy_server_is_waited_for_as_long_as_it_says(remote: Remote, start: Start) -> None:
    server = start("Yes.")
    server.fail("status", status=429, headers={"Retry-After": "1"})
    assert said(remote)[0] == "Yes." and len(server.asked()) == 2
    server.fail("status", status=429, headers={"Retry-After": "3600"})
    _, error = failing(remote)
    assert isinstance(error, ServerBusy) and error.wait_s == 3600
    assert "3600" in sentence_for(error).text


def test_a_job_tries_again_and_then_says_what_is_wrong(
    remote: Remote, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_batch, "FIRST_PAUSE_S", 0.01)
    server = start("Yes.")
    server.fail("status", status=500, times=2)
    events = list(remote.engine.generate_many([Ask(HELLO)]))
    assert isinstance(events[-1][1], Finished)
    server.close()
    with pytest.raises(ServerUnreachable):
        list(remote.engine.generate_many([Ask(HELLO), Ask(HELLO)]))


def test_one_ask_that_is_refused_does_not_end_the_others(remote: Remote, start: Start) -> None:
    start().fail("status", status=400, body=b'{"error": "no"}')
    ends = [event for _, event in remote.engine.generate_many([Ask(HELLO)] * 3) if not isinstance(event, TextDelta)]
    assert sorted(type(one).__name__ for one in ends) == ["Finished", "Finished", "ServerRefused"]


def test_a_flood_is_told_in_few_pieces_and_ends(remote: Remote, start: Start) -> None:
    server = start()
    loaded = remote.engine.loaded
    assert loaded is not None
    remote.engine._used.loaded = replace(loaded, context_tokens=1024)  # type: ignore[union-attr]
    server.fail("flood")
    events = list(remote.engine.generate(HELLO))
    end = events[-1]
    assert isinstance(end, Finished) and end.stats.finish_reason is FinishReason.CONTEXT
    assert len(events) * 20 < end.stats.generated_tokens


def test_what_a_server_does_not_take_is_left_out_from_then_on(remote: Remote, start: Start) -> None:
    server = start('Here it is:\n```json\n{"a": 1}\n```')
    server.fail("refuse_field", name="response_format", times=-1)
    for _ in range(2):
        assert said(remote, json_schema='{"type": "object"}')[0] == '{"a": 1}'
    assert ["response_format" in body for body in server.asked()] == [True, False, False]


def test_instructions_stand_before_the_question_where_a_template_has_no_place_for_them(
    remote: Remote, start: Start
) -> None:
    server = start()
    server.fail("status", status=400, body=b'{"error": {"message": "System role not supported"}}')
    messages = [Message(Role.SYSTEM, "Be brief."), *HELLO]
    for _ in range(2):
        list(remote.engine.generate(messages, sampling=Sampling(temperature=0.2)))
    assert len(server.asked()) == 3
    assert server.asked()[-1]["messages"] == [{"role": "user", "content": "Be brief.\n\nHello"}]
    server.fail("status", status=400, body=b'{"error": {"message": "Unsupported: \'max_tokens\' and more"}}')
    list(remote.engine.generate(messages, max_tokens=9))
    assert server.asked()[-1]["max_completion_tokens"] == 9


def test_a_model_that_cannot_be_kept_from_thinking_gets_room_for_it(remote: Remote) -> None:
    with FakeServer(kind="lm_studio") as server:
        server.models = ["qwen3-4b"]
        remote.load(remote.add(server.address, "qwen3-4b"))
        list(remote.engine.generate(HELLO, max_tokens=50, template_variables={"enable_thinking": False}))
        assert server.asked()[-1]["max_tokens"] > 1000


def test_what_it_does_not_offer_is_said(remote: Remote, start: Start) -> None:
    start(kind="vllm")
    for options in ({"forced": (1,)}, {"tells_last": True}):
        assert isinstance(failing(remote, **options)[1], NotOffered)
    with pytest.raises(NotOffered):
        list(remote.engine.answer(Ask([], text="a", suffix="b")))
    with pytest.raises(NotOffered):
        remote.engine.inspect("attention", "a")


def test_an_answer_that_goes_on_is_not_said_twice(remote: Remote, start: Start) -> None:
    begun = "My favourite number is "
    server = start(f"{begun}25.", "My other one is 7.", "26.")
    messages = [*HELLO, Message(Role.ASSISTANT, begun)]
    for told in ("25.", "My other one is 7.", "26."):
        events = list(remote.engine.generate(messages, continue_last=True))
        assert "".join(one.text for one in events if isinstance(one, TextDelta)) == told
    assert server.asked()[-1]["messages"][-1] == {"role": "assistant", "content": begun}


def test_a_text_is_gone_on_with(remote: Remote, start: Start) -> None:
    server = start("and so on")
    events = list(remote.engine.answer(Ask([], text="Once upon a time", max_tokens=8)))
    assert "".join(one.text for one in events if isinstance(one, TextDelta)) == "and so on"
    (body,) = server.asked("/v1/completions")
    assert (body["prompt"], body["max_tokens"]) == ("Once upon a time", 8)


def test_an_answer_that_runs_in_a_circle_is_cut_and_a_middle_where_its_suffix_begins(
    remote: Remote, start: Start
) -> None:
    start("It is so. " * 400)
    text, _, end = said(remote, stop_on_repetition=True)
    assert end.stats.finish_reason is FinishReason.REPEATED
    assert 400 <= len(text) < 600
    start("a + b\n    return result\n\n# Test\n", kind="llama.cpp")
    ask = Ask([], text="def add(a, b):\n    result = ", suffix="\n    return result\n")
    *events, end = remote.engine.answer(ask)
    assert "".join(one.text for one in events if isinstance(one, TextDelta)) == "a + b"


@pytest.mark.parametrize(
    ("status", "body"), [(404, b"Not Found"), (404, b'{"error": {"message": "This is a chat model"}}')]
)
def test_a_server_whose_models_only_chat_is_told_to_go_on(
    remote: Remote, start: Start, status: int, body: bytes
) -> None:
    server = start("and so on")
    server.fail("status", path="/v1/completions", status=status, body=body, times=-1)
    for _ in range(2):
        events = list(remote.engine.answer(Ask([], text="Once upon a time", max_tokens=8)))
        assert "".join(one.text for one in events if isinstance(one, TextDelta)) == "and so on"
    assert len(server.asked("/v1/completions")) == 1
    assert server.asked()[-1]["messages"][-1]["content"] == "Once upon a time"


def test_nothing_is_sent_with_the_network_off(remote: Remote, start: Start) -> None:
    server = start()
    asked = len(server.requests)
    remote.is_allowed = False
    assert isinstance(failing(remote)[1], NetworkOff)
    assert len(server.requests) == asked


def test_the_switch_ends_an_answer_in_the_middle(remote: Remote, start: Start) -> None:
    server = start("One two three four.")
    server.fail("stall")
    events = remote.engine.generate(HELLO)
    assert isinstance(next(events), TextDelta)
    remote.is_allowed = False
    with pytest.raises(NetworkOff):
        list(events)


@pytest.mark.parametrize("path", ["/models", "/chat/completions"])
def test_the_switch_ends_what_waits_for_a_server(remote: Remote, start: Start, path: str) -> None:
    class Switching(list[Any]):
        def append(self, request: Any) -> None:
            super().append(request)
            remote.is_allowed = False

    server = start()
    server.fail("hold", path=path)
    server.requests = Switching()
    with pytest.raises(NetworkOff):
        if path == "/models":
            remote.load(remote.add(server.address))
        else:
            list(remote.engine.generate_many([Ask(HELLO), Ask(HELLO)]))


def test_every_request_is_in_the_ledger(remote: Remote, start: Start) -> None:
    server = start(kind="llama_cpp")
    said(remote)
    noted = remote.ledger.connections()
    assert len(noted) == len(server.requests)
    assert {one.why for one in noted} >= {"models", "answer"} and {one.host for one in noted} == {"127.0.0.1"}


def test_loading_says_what_is_wrong(remote: Remote, tmp_path: Any) -> None:
    with pytest.raises(NoModel):
        list(remote.engine.generate(HELLO))
    with pytest.raises(ModelMissing):
        remote.load(tmp_path / "none.remote")
    with FakeServer(key="right") as server:
        path = remote.add(server.address)
        with pytest.raises(ServerKeyRefused):
            remote.load(path)
        remote.servers.keep_key("box", "right")
        remote.load(path)
        with pytest.raises(ServerLacksModel):
            remote.load(remote.add(server.address, "another-7B"))
    for address, reason in ((server.address, "refused"), ("http://no-such-host.invalid/v1", "offline")):
        with pytest.raises(ServerUnreachable) as raised:
            remote.load(remote.add(address))
        assert raised.value.reason == reason


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_a_servers_certificate_counts_if_the_system_or_the_person_knows_who_vouches_for_it(
    remote: Remote, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = FakeServer()
    server.be_secure(*authority.certificate("127.0.0.1"))
    address = server.address.replace("http:", "https:")
    with server:
        assert reason_of(remote, address) == "certificate"
        remote.load(remote.add(address, authorities=certificates_in(authority.path)))
        assert reason_of(remote, address) == "certificate", "one server's authority is no other's"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))  # in place of the system's own file
        remote.load(remote.add(address))


def test_a_server_may_vouch_for_itself(remote: Remote, authority: Authority, tmp_path: Path) -> None:
    own, key = authority.certificate("127.0.0.1")
    server = FakeServer()
    server.be_secure(own, key)
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + own.read_bytes())
    taken = certificates_in(both)
    assert "PRIVATE" not in taken
    with server:
        remote.load(remote.add(server.address.replace("http:", "https:"), authorities=taken))


@pytest.mark.parametrize(
    ("name", "days", "reason"), [("box.local", 1, "certificate_name"), ("127.0.0.1", -1, "certificate_date")]
)
def test_what_is_wrong_with_a_certificate_is_said(
    remote: Remote, authority: Authority, name: str, days: int, reason: str
) -> None:
    server = FakeServer()
    server.be_secure(*authority.certificate(name, days))
    with server:
        address = server.address.replace("http:", "https:")
        assert reason_of(remote, address, authorities=certificates_in(authority.path)) == reason


def test_https_is_not_spoken_by_everybody(remote: Remote) -> None:
    with FakeServer() as server:
        assert reason_of(remote, server.address.replace("http:", "https:")) == "tls"


def test_a_file_with_authorities_is_read_in_either_form_and_others_are_refused(
    authority: Authority, tmp_path: Path
) -> None:
    one = certificates_in(authority.path)
    assert owners_of(one) == ["Our own authority"]
    der = tmp_path / "ca.cer"
    der.write_bytes(ssl.PEM_cert_to_DER_cert(one))
    assert certificates_in(der).split() == one.split()
    for content in (b"", b"no certificate", one.encode()[:-60], one.encode() * 100):
        (tmp_path / "wrong.pem").write_bytes(content)
        with pytest.raises(CertificateUnreadable):
            certificates_in(tmp_path / "wrong.pem")
    with pytest.raises(CertificateUnreadable):
        certificates_in(tmp_path / "none.pem")
    assert owners_of("damaged") == []


def reason_of(remote: Remote, address: str, **facts: object) -> str:
    """Why a server cannot be asked."""
    with pytest.raises(ServerUnreachable) as raised:
        remote.load(remote.add(address, **facts))
    assert sentence_for(raised.value).action == "servers" or raised.value.reason == "certificate_date"
    return raised.value.reason


def test_a_server_that_speaks_no_http_is_a_sentence(remote: Remote) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(100)
            connection.sendall(b"SSH-2.0-OpenSSH_9\r\n")
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(ServerUnreachable):
            remote.load(remote.add(f"http://127.0.0.1:{listener.getsockname()[1]}/v1"))
        thread.join()


def test_letting_go_ends_what_runs(remote: Remote, start: Start) -> None:
    start().fail("hold")
    threading.Timer(0.1, remote.engine.let_go).start()
    assert isinstance(failing(remote)[1], EngineStopped)
    with pytest.raises(EngineStopped):
        list(remote.engine.generate(HELLO))
