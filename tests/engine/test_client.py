"""The client against a scripted child: queueing, cancelling, crashes, hangs and restarts."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.child import own_command
from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineCrashesRepeatedly, EngineStopped, ProtocolViolation
from app.core.errors.model_errors import ModelDamaged, ModelLoadFailed, ModelMissing, NoModel
from app.core.errors.request_errors import TemplateFailed
from app.core.events import (
    CANCELLED,
    CancelToken,
    Finished,
    FinishReason,
    LoadProgress,
    ModelLoaded,
    PromptProgress,
    TextDelta,
    Waiting,
)
from app.engine import child_keeper, protocol
from app.engine import engine_process as process_module
from app.engine.client import EngineClient
from app.engine.protocol import Ask, Wish
from app.engine.states import StateFolder
from tests.helpers.engine import ANY_PATH, answer_of, load, user
from tests.helpers.program import is_gone, wait_until
from tests.helpers.script import write_script
from tests.helpers.wire import events_of

Make = Callable[..., EngineClient]
HELLO = [user("hello")]
SLOW = {"delay_s": 0.01, "repeat": 10_000}
CRASH = {"when": "crash", "crash_after": 2}


def test_nothing_is_started_before_it_is_needed(scripted: Make) -> None:
    client = scripted(loaded=False)
    assert (client.pid, client.loaded) == (None, None)
    client.unload()
    assert client.pid is None
    client.close()


def test_loading_tells_its_progress_and_what_was_loaded(scripted: Make, tmp_path: Path) -> None:
    client = scripted(loaded=False, load=ANY_PATH | {"seconds": 0.1, "name": "Words", "size_bytes": 5})
    events = list(client.load(tmp_path / "ä b.gguf", Wish(256, threads=3)))
    fractions = [event.fraction for event in events if isinstance(event, LoadProgress)]
    expected = ModelLoaded(str(tmp_path / "ä b.gguf"), "Words", 5, 256, 8192, True, 1, 0, "Scripted", 3)
    assert events[-1] == client.loaded == expected
    assert len(fractions) > 2
    assert fractions == sorted(fractions)


def test_an_answer_arrives_as_events_in_order(scripted: Make) -> None:
    client = scripted(answers=[{"text": "One two three", "prompt_s": 0.05}])
    events = list(client.generate(HELLO, max_tokens=2))
    kinds = [type(event) for event in events]
    assert kinds == [PromptProgress] * 10 + [TextDelta] * 2 + [Finished]
    text, stats = answer_of(events)
    assert text == "One two"
    assert stats.finish_reason is FinishReason.LENGTH


def test_errors_of_the_child_are_raised(scripted: Make) -> None:
    client = scripted(answers=[{"error": "TemplateFailed", "fields": {"path": "p", "detail": "d"}}])
    with pytest.raises(TemplateFailed) as caught:
        list(client.generate(HELLO))
    assert (caught.value.path, caught.value.detail) == ("p", "d")
    assert client.count_tokens(HELLO) == 5


def test_without_a_model_there_is_no_answer(scripted: Make) -> None:
    client = scripted()
    client.unload()
    assert client.loaded is None
    with pytest.raises(NoModel):
        list(client.generate(HELLO))


def test_a_message_sent_while_a_model_loads_waits_for_it(scripted: Make) -> None:
    client = scripted(loaded=False, load=ANY_PATH | {"seconds": 0.3})
    loading = client.load(Path("m.gguf"))
    assert next(loading) == LoadProgress(0.0)
    assert answer_of(client.generate(HELLO))[0] == "You said: hello"
    assert isinstance(list(loading)[-1], ModelLoaded)


def test_two_threads_may_ask_at_once(scripted: Make) -> None:
    client = scripted(answers=[{"delay_s": 0.001}])
    texts: dict[str, str] = {}

    def ask(question: str) -> None:
        texts[question] = answer_of(client.generate([user(question)]))[0]

    threads = [threading.Thread(target=ask, args=(f"question {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert texts == {f"question {n}": f"You said: question {n}" for n in range(4)}


def cancel_after(events: Iterator[Any], kind: type, token: CancelToken) -> list[Any]:
    """All events, with the token set at the first one of a kind."""
    seen = []
    for event in events:
        seen.append(event)
        if isinstance(event, kind):
            token.cancel()
    return seen


@pytest.mark.parametrize("rule", [SLOW, {"prompt_s": 5}])
def test_a_cancelled_answer_keeps_its_text_and_says_so(scripted: Make, rule: dict[str, Any]) -> None:
    client = scripted(answers=[rule | {"times": 1}])
    token = CancelToken()
    first = PromptProgress if "prompt_s" in rule else TextDelta
    text, stats = answer_of(cancel_after(client.generate(HELLO, cancel=token), first, token))
    assert stats.finish_reason is FinishReason.CANCELLED
    assert bool(text) == (first is TextDelta)
    assert answer_of(client.generate(HELLO))[0] == "You said: hello"


def test_cancelling_what_was_answered_meanwhile_harms_nothing(scripted: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client = scripted(answers=[{"when": "slow", "delay_s": 0.3}])
    token = CancelToken()
    answer = client.generate(HELLO, cancel=token)
    first = next(answer)
    load(client)  # waits for whoever is being answered, so the whole answer has arrived by now
    token.cancel()
    assert answer_of([first, *answer])[1].finish_reason is FinishReason.STOP
    monkeypatch.setattr(process_module, "CANCEL_TIMEOUT_S", 0.0)
    assert answer_of(client.generate([user("slow")]))[0] == "You said: slow"


def test_a_token_that_was_set_before_gives_an_empty_cancelled_answer(scripted: Make) -> None:
    client = scripted(answers=[SLOW])
    token = CancelToken()
    token.cancel()
    events = list(client.generate(HELLO, cancel=token))
    assert answer_of(events)[1].finish_reason is FinishReason.CANCELLED


def test_a_look_that_waits_behind_an_answer_is_cancelled_at_once(scripted: Make) -> None:
    # Between two words a look has its turn: half a second is long enough for its cancel to come before.
    client = scripted(answers=[{"when": "long", "delay_s": 0.5, "repeat": 100}])
    pid, token = client.pid, CancelToken()
    token.cancel()
    answer = client.generate([user("long")])
    assert isinstance(next(answer), TextDelta)
    assert client.inspect("tokens", "One two", cancel=token).tokens == ()
    assert isinstance(next(answer), TextDelta)
    answer.close()  # type: ignore[attr-defined]
    assert len(client.inspect("tokens", "One two").tokens) == 2
    assert client.pid == pid


def test_leaving_the_loop_early_cancels_the_request(scripted: Make) -> None:
    client = scripted(answers=[SLOW | {"when": "long"}])
    for event in (answer := client.generate([user("long")])):
        assert isinstance(event, TextDelta)
        break
    answer.close()  # type: ignore[attr-defined]
    assert answer_of(client.generate(HELLO))[0] == "You said: hello"


def test_a_cancelled_load_ends_without_a_model(scripted: Make) -> None:
    client = scripted(loaded=False, load=ANY_PATH | {"seconds": 60})
    token = CancelToken()
    events = cancel_after(client.load(Path("m.gguf"), cancel=token), LoadProgress, token)
    assert not any(isinstance(event, ModelLoaded) for event in events)
    with pytest.raises(NoModel):
        list(client.generate(HELLO))


def test_a_file_that_cannot_be_loaded_leaves_the_former_model(scripted: Make) -> None:
    client = scripted(loaded=False, load=[ANY_PATH | {"times": 1}, {}])
    load(client, Path("good.gguf"))
    with pytest.raises(ModelMissing):
        load(client, Path("missing.gguf"))
    assert client.loaded is not None
    assert client.loaded.name == "good"
    assert answer_of(client.generate(HELLO))[0] == "You said: hello"


def test_a_crash_ends_the_answer_and_the_next_one_works(scripted: Make) -> None:
    client = scripted(answers=[CRASH | {"times": 1}])
    first_pid = client.pid
    seen = []
    with pytest.raises(EngineStopped) as caught:
        for event in client.generate([user("crash")]):
            seen.append(event)
    assert caught.value.exit_code == -signal.SIGABRT
    assert [type(event) for event in seen if not isinstance(event, Waiting)] == [TextDelta, TextDelta]
    assert (client.pid, client.loaded) == (None, None)
    assert answer_of(client.generate([user("crash")]))[0] == "You said: crash"
    assert client.loaded is not None
    assert client.pid not in (None, first_pid)


def test_a_killed_child_says_how_it_ended(scripted: Make) -> None:
    client = scripted(answers=[SLOW])
    answer = client.generate(HELLO)
    next(answer)
    assert client.pid is not None
    os.kill(client.pid, signal.SIGKILL)
    with pytest.raises(EngineStopped) as caught:
        list(answer)
    assert caught.value.exit_code == -signal.SIGKILL


def test_an_exit_code_and_the_last_words_are_told(scripted: Make) -> None:
    client = scripted(answers=[{"crash_after": 0, "crash": 3, "garbage": "about to leave"}])
    with pytest.raises(EngineStopped) as caught:
        list(client.generate(HELLO))
    assert (caught.value.exit_code, caught.value.detail) == (3, "about to leave")


def test_three_crashes_in_a_row_end_the_restarts_until_a_model_is_loaded(scripted: Make) -> None:
    client = scripted(answers=[CRASH])
    for _ in range(3):
        with pytest.raises(EngineStopped):
            list(client.generate([user("crash")]))
    with pytest.raises(EngineCrashesRepeatedly) as caught:
        list(client.generate(HELLO))
    assert caught.value.times == 3
    with pytest.raises(EngineCrashesRepeatedly):
        client.count_tokens(HELLO)
    assert client.pid is None
    load(client)
    assert answer_of(client.generate(HELLO))[0] == "You said: hello"


def test_a_finished_answer_between_crashes_starts_the_count_again(scripted: Make) -> None:
    client = scripted(answers=[CRASH])
    for question in ("crash", "crash", "hello", "crash", "crash"):
        try:
            list(client.generate([user(question)]))
        except EngineStopped:
            assert question == "crash"
    assert answer_of(client.generate(HELLO))[0] == "You said: hello"


def test_a_model_that_ends_the_child_while_it_loads_is_not_tried_for_ever(scripted: Make) -> None:
    client = scripted(loaded=False, load=ANY_PATH | {"crash": 1})
    with pytest.raises(EngineStopped):
        load(client)
    for _ in range(2):
        with pytest.raises(EngineStopped):
            list(client.generate(HELLO))
    with pytest.raises(EngineCrashesRepeatedly):
        list(client.generate(HELLO))


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("GGML_ASSERT(n > 0) failed", ModelDamaged),
        ("terminate called after throwing an instance of 'std::bad_alloc'", ModelLoadFailed),
        ("CUDA error: device lost", EngineStopped),
    ],
)
def test_an_abort_while_loading_is_told_by_its_circumstances(scripted: Make, words: str, error: type[AppError]) -> None:
    client = scripted(loaded=False, load=[ANY_PATH | {"crash": "abort", "garbage": words + "\n", "times": 1}, ANY_PATH])
    with pytest.raises(error) as caught:
        load(client, Path("m.gguf"))
    assert words in vars(caught.value)["detail"]
    load(client)
    assert answer_of(client.generate(HELLO))[0] == "You said: hello"


def test_a_crash_of_an_answer_does_not_keep_another_model_from_being_loaded(scripted: Make) -> None:
    client = scripted(answers=[CRASH | {"delay_s": 0.05}])
    answer = client.generate([user("crash")])
    next(answer)
    load(client, Path("b.gguf"))  # waits for the answer, and then goes to the next child
    with pytest.raises(EngineStopped):
        list(answer)
    assert client.loaded is not None
    assert client.loaded.name == "b"


@pytest.mark.parametrize("end", ["stall", "abort"])
def test_another_model_is_loaded_though_the_one_before_it_hangs_or_is_damaged(
    scripted: Make, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(process_module, "CANCEL_TIMEOUT_S", 0.2)
    bad = ANY_PATH | ({"stall": True} if end == "stall" else {"crash": "abort"}) | {"times": 1}
    client = scripted(loaded=False, load=[bad, ANY_PATH])
    token = CancelToken()
    first = client.load(Path("a.gguf"), cancel=token)
    assert next(first) == LoadProgress(0.0)
    second = threading.Thread(target=load, args=(client, Path("b.gguf")))
    second.start()
    token.cancel()
    with pytest.raises((EngineStopped, ModelDamaged)):
        list(first)
    second.join(20)
    assert client.loaded is not None
    assert client.loaded.name == "b"


def test_a_model_that_llama_cpp_refuses_is_not_loaded_again(scripted: Make) -> None:
    failing = ANY_PATH | {"error": "ModelLoadFailed", "fields": {"detail": "no memory"}}
    client = scripted(loaded=False, load=[ANY_PATH | {"times": 1}, failing], answers=[CRASH])
    load(client)
    with pytest.raises(EngineStopped):
        list(client.generate([user("crash")]))
    with pytest.raises(ModelLoadFailed):
        list(client.generate(HELLO))
    with pytest.raises(NoModel):
        list(client.generate(HELLO))


def test_a_load_that_hangs_and_does_not_hear_a_cancel_ends_its_child(
    scripted: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "CANCEL_TIMEOUT_S", 0.2)
    client = scripted(loaded=False, load=ANY_PATH | {"stall": True})
    token, pid = CancelToken(), None
    with pytest.raises(EngineStopped) as caught:
        for event in client.load(Path("m.gguf"), cancel=token):
            assert isinstance(event, LoadProgress)
            pid = client.pid
            token.cancel()
    assert caught.value.exit_code is None
    assert pid is not None
    assert is_gone(pid)


def test_an_answer_that_hangs_ends_when_it_is_cancelled_and_its_child_soon_after(
    scripted: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "CANCEL_GRACE_S", 0.0)
    monkeypatch.setattr(process_module, "CANCEL_TIMEOUT_S", 0.5)
    client = scripted(answers=[{"stall_after": 1, "times": 1}])
    token, pid = CancelToken(), client.pid
    events = cancel_after(client.generate(HELLO, cancel=token), TextDelta, token)
    assert answer_of(events)[1].finish_reason is FinishReason.CANCELLED
    wait_until(lambda: client.pid is None, "the child to be ended")
    assert pid is not None
    assert is_gone(pid)
    assert answer_of(client.generate(HELLO))[0] == "You said: hello"


class Clock:
    """The time, and so many seconds more."""

    def __init__(self) -> None:
        self.later_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.later_s


def test_a_cancel_that_a_slow_computer_hears_late_ends_one_answer_and_no_other(
    scripted: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = Clock()
    monkeypatch.setattr(process_module, "time", clock)
    monkeypatch.setattr(process_module, "LATE_LOOK_S", 3600.0)  # the test looks itself
    monkeypatch.setattr(process_module, "CANCEL_GRACE_S", 3600.0)
    client = scripted(answers=[{"when": "long", "batch": "go"}])
    process, cancel = client._keeper.process, CancelToken()
    assert process is not None
    reading = client.generate([user("long")], cancel=cancel)
    assert isinstance(next(reading), PromptProgress)  # a batch is computed from here on, until the test ends it
    beside = process.open_call(99)
    process.send(protocol.Generate(99, Ask(HELLO)))

    gone = CancelToken()
    gone.cancel()
    assert list(client.generate(HELLO, cancel=gone)) == [Finished(CANCELLED)]
    assert [event for _, event in client.generate_many([Ask(HELLO)] * 2, cancel=gone)] == [Finished(CANCELLED)] * 2
    assert not process._cancelled, "the child itself answers what waits, without the end of the batch"

    monkeypatch.setattr(process_module, "CANCEL_GRACE_S", 0.0)
    cancel.cancel()
    assert list(reading) == [Finished(CANCELLED)], "and who is in the batch is let go without it"
    assert process._cancelled
    sign = process.child.sign_of_life()
    wait_until(lambda: process.child.sign_of_life() != sign, "the heart to beat")
    clock.later_s = 3600.0
    process.end_if_silent()
    clock.later_s = 0.0
    (tmp_path / "scripted0" / "go").touch()
    replies = list(beside.replies(None))
    assert "".join(delta.text for delta in events_of(replies, TextDelta)) == "You said: hello"
    wait_until(lambda: not process._cancelled, "the child to answer the late cancel")
    assert client._keeper.process is process
    assert process.ended is None


def test_noise_on_standard_output_does_not_reach_the_wire(scripted: Make) -> None:
    client = scripted(answers=[{"text": "all is well", "garbage": '{"type":"Delta","id":1,"text":"wrong"}'}])
    assert answer_of(client.generate(HELLO))[0] == "all is well"


@pytest.mark.parametrize(
    "code",
    [
        "print('not a greeting', flush=True); input()",
        """print('{"type":"Greeting","protocol":99,"version":"9","pid":1,"backend":"x"}', flush=True); input()""",
        """print('{"type":"Done","id":1}', flush=True); input()""",
        """print('{"type":"UnloadModel","id":1}', flush=True); input()""",
    ],
)
def test_a_child_that_speaks_otherwise_is_ended(tmp_path: Path, code: str) -> None:
    client = EngineClient([sys.executable, "-c", code], tmp_path)
    with pytest.raises(ProtocolViolation):
        client.describe_devices()
    assert client.pid is None
    client.close()


def test_a_child_that_never_greets_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "GREETING_TIMEOUT_S", 0.2)
    client = EngineClient([sys.executable, "-c", "input(); input()"], tmp_path)
    with pytest.raises(EngineStopped) as caught:
        client.describe_devices()
    assert caught.value.exit_code is None
    client.close()


def test_closing_ends_the_child_and_everything_that_waits_for_it(scripted: Make) -> None:
    client = scripted(answers=[SLOW])
    pid = client.pid
    answer = client.generate(HELLO)
    next(answer)
    client.close()
    assert pid is not None
    assert is_gone(pid)
    with pytest.raises(EngineStopped):
        list(answer)
    with pytest.raises(EngineStopped):
        client.describe_devices()
    client.close()


def test_a_child_that_stalls_is_gone_after_closing_too(scripted: Make) -> None:
    client = scripted(answers=[{"stall_after": 1}])
    answer = client.generate(HELLO)
    next(answer)
    pid = client.pid
    client.close()
    assert pid is not None
    wait_until(lambda: is_gone(pid), "the child to leave")
    answer.close()  # type: ignore[attr-defined]


def test_the_childs_environment_is_set_before_its_libraries_load(scripted: Make) -> None:
    client = scripted()
    environment = Path(f"/proc/{client.pid}/environ").read_bytes().split(b"\0")
    assert {b"GGML_NO_BACKTRACE=1", b"GOMP_SPINCOUNT=500"} <= set(environment)


def test_devices_are_described(scripted: Make) -> None:
    device = {"name": "GPU0", "description": "A card", "type": "gpu", "free_bytes": 1, "total_bytes": 2}
    described = scripted(loaded=False, devices=[device]).describe_devices()
    assert [vars(each) for each in described.devices] == [device]


def test_a_child_that_was_stopped_does_not_keep_the_program_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_keeper, "SILENT_TIMEOUT_S", 0.5)
    path = write_script(tmp_path / "script", save_when="never")
    states = StateFolder(tmp_path / "states", lambda: 10**9)
    client = EngineClient(
        [*own_command("--engine-worker"), "--scripted", str(path)], tmp_path / "engine", states=states
    )
    client.describe_devices()
    pid = client.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    client.close()
    assert is_gone(pid)
