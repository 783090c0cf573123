"""Opening the starter with more and less memory, and what is tried when llama.cpp refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.model_errors import ModelLoadFailed, ModelTooLarge
from app.core.events import LoadProgress
from app.core.gguf import GgufHeader, check_model
from app.core.wire import EventReply
from app.engine import computer, protocol
from app.engine.backend import EngineJob
from app.engine.llama import devices, loading, model_parameters
from app.engine.llama.llama_library import open_library
from app.engine.llama.loading import OpenedModel, open_model
from app.engine.model_shape import shape_of
from app.engine.protocol import Device
from app.engine.tuning import ModelTuning, TuningTable
from tests.helpers import gguf_files
from tests.helpers.wire import events_of

pytestmark = pytest.mark.model

MIB = 2**20


class Openings:
    """Opens models in a folder of a test's own, collects what is told, and frees everything at the end."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.folder = path, folder
        self.library = open_library()
        self.replies: list[protocol.Reply] = []
        self.job = EngineJob(self.replies.append)
        self.more: dict[str, Any] = {}
        self._opened: list[OpenedModel] = []

    def open(self, header: GgufHeader | None = None, **request: Any) -> OpenedModel | None:
        """As the worker asks for it; `header` stands for the file's own."""
        self.replies.clear()
        load = protocol.LoadModel(7, str(self.path), protocol.Wish(**request))
        opened = open_model(
            self.library, load, header or check_model(self.path), self.job, folder=self.folder, **self.more
        )
        if opened is not None:
            self._opened.append(opened)
        return opened

    @property
    def steps(self) -> list[str]:
        """The steps that were told, each once."""
        return list(dict.fromkeys(event.step for event in events_of(self.replies, LoadProgress)))

    def close(self) -> None:
        for opened in self._opened:
            self.library.c.llama_free(opened.context)
            opened.model.free()


@pytest.fixture
def openings(starter: Path, tmp_path: Path) -> Iterator[Openings]:
    made = Openings(starter, tmp_path)
    yield made
    made.close()


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Sets what is free and what there is, in MiB."""

    def set_free(free_mib: int, total_mib: int = 4096) -> None:
        monkeypatch.setattr(computer, "free_memory_bytes", lambda: free_mib * MIB)
        monkeypatch.setattr(computer, "total_memory_bytes", lambda: total_mib * MIB)

    return set_free


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets llama.cpp refuse the next contexts, as it does when memory turns out to be too small."""
    c = open_library().c
    real = c.llama_init_from_model

    def refuse(times: int) -> None:
        left = [times]

        def init(model: Any, parameters: Any) -> Any:
            left[0] -= 1
            return None if left[0] >= 0 else real(model, parameters)

        monkeypatch.setattr(c, "llama_init_from_model", init)

    return refuse


def opened_by(openings: Openings, **request: Any) -> OpenedModel:
    opened = openings.open(**request)
    assert opened is not None
    return opened


def test_with_room_it_opens_as_wanted(openings: Openings) -> None:
    opened = opened_by(openings)
    plan, c = opened.plan, openings.library.c
    assert (plan.choice, plan.kv_type, plan.steps, plan.gpu_missed) == ("fits", "f16", (), "")
    assert opened.context_tokens == plan.context_tokens == c.llama_n_ctx(opened.context) == 8192
    assert c.llama_n_seq_max(opened.context) == plan.sequences == 9
    assert plan.threads == computer.default_threads()
    assert plan.device
    assert 300 * MIB < plan.needed_bytes < 400 * MIB
    assert openings.replies[0] == EventReply(7, LoadProgress(0.0))
    assert not list(openings.folder.iterdir()), "nothing had to be measured or remembered"


def test_threads_and_context_as_asked(openings: Openings) -> None:
    opened = opened_by(openings, context_tokens=512, threads=1, kv_type="q8_0")
    assert (opened.plan.choice, opened.plan.kv_type, opened.plan.threads) == ("asked", "q8_0", 1)
    assert (opened.context_tokens, openings.library.c.llama_n_threads(opened.context)) == (512, 1)


def test_with_less_memory_the_context_is_stored_smaller_then_shorter(
    openings: Openings, free: Callable[..., None]
) -> None:
    free(256 + 270)
    assert (opened_by(openings).plan.choice, opened_by(openings).context_tokens) == ("kv_reduced", 8192)
    free(256 + 200)
    opened = opened_by(openings)
    assert (opened.plan.choice, opened.plan.kv_type) == ("context_reduced", "q8_0")
    assert 2048 <= opened.context_tokens < 8192
    assert opened.plan.needed_bytes <= 200 * MIB


def test_what_does_not_fit_is_refused_before_the_former_model_is_given_up(
    openings: Openings, free: Callable[..., None]
) -> None:
    free(260, total_mib=350)
    given_up: list[bool] = []
    openings.more = {"give_up": lambda: given_up.append(True)}
    with pytest.raises(ModelTooLarge) as caught:
        openings.open()
    assert caught.value.path == str(openings.path)
    assert caught.value.needed_bytes > caught.value.free_bytes == 260 * MIB
    assert not given_up
    assert not openings.replies


def test_the_former_models_memory_counts_as_free_and_is_given_up_first(
    openings: Openings, free: Callable[..., None]
) -> None:
    free(260)
    openings.more = {"freed_bytes": 500 * MIB, "give_up": lambda: free(760)}
    assert opened_by(openings).plan.choice == "fits"


def test_weights_beyond_free_memory_stay_in_the_file(openings: Openings, free: Callable[..., None]) -> None:
    free(256 + 100)
    opened = opened_by(openings)
    assert (opened.plan.choice, opened.plan.repack) == ("tight", False)
    assert opened.context_tokens == 2048


def test_llama_cpps_own_numbers_are_asked_once(
    openings: Openings, free: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    free(256 + 270)
    opened_by(openings)
    monkeypatch.setattr(loading.memory_probe, "probe_file", lambda *args, **kwargs: pytest.fail("asked again"))
    assert opened_by(openings).plan.choice == "kv_reduced"
    free(256 + 200)
    assert opened_by(openings).plan.choice == "context_reduced"


@pytest.mark.slow
def test_odd_entries_in_what_is_remembered_do_no_harm(
    openings: Openings, free: Callable[..., None], refusing: Callable[[int], None]
) -> None:
    free(256 + 270)
    refusing(1)
    opened_by(openings)  # measured, and remembered after a refusal
    file = openings.folder / loading.REMEMBERED_FILE
    whole = json.loads(file.read_text())
    assert len(whole) == 2
    for odd in ({}, {"layout": 3, "needs": {}}, {"layout": {"context_tokens": "many"}, "needs": {"kv": "much"}}):
        file.write_text(json.dumps(dict.fromkeys(whole, odd)))
        assert opened_by(openings).plan.choice == "kv_reduced"


def test_without_an_answer_the_formula_decides(
    openings: Openings, free: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    free(256 + 270)
    monkeypatch.setattr(loading.memory_probe, "probe_file", lambda *args, **kwargs: None)
    plan = opened_by(openings).plan
    assert plan.choice == "kv_reduced"
    assert plan.needed_bytes == shape_of(check_model(openings.path)).memory_needs(plan.layout).total


def test_every_step_after_a_refusal_is_told_and_what_worked_comes_first_the_next_time(
    openings: Openings, refusing: Callable[[int], None]
) -> None:
    refusing(2)
    first = opened_by(openings)
    assert openings.steps == ["", "smaller_context"]
    assert (first.plan.choice, first.plan.steps) == ("context_reduced", ("smaller_context",))
    assert first.context_tokens == 2048
    second = opened_by(openings)
    assert (second.plan.choice, second.context_tokens, second.plan.steps) == ("remembered", 2048, ())


def test_what_was_remembered_and_fails_is_forgotten(openings: Openings, refusing: Callable[[int], None]) -> None:
    refusing(1)
    assert opened_by(openings).context_tokens == 4096
    refusing(1)
    assert (opened_by(openings).plan.choice, opened_by(openings).plan.choice) == ("fits", "fits")


def test_with_much_more_memory_the_whole_is_tried_again(
    openings: Openings, refusing: Callable[[int], None], free: Callable[..., None]
) -> None:
    free(1000)
    refusing(1)
    assert opened_by(openings).context_tokens == 4096
    free(1100)
    assert opened_by(openings).plan.choice == "remembered"
    free(2000)
    assert (opened_by(openings).plan.choice, opened_by(openings).context_tokens) == ("fits", 8192)


def test_other_wishes_remember_for_themselves(openings: Openings, refusing: Callable[[int], None]) -> None:
    refusing(1)
    opened_by(openings)
    assert opened_by(openings, context_tokens=1024).plan.choice == "asked"


def test_when_nothing_works_llama_cpps_words_are_told(openings: Openings, tmp_path: Path) -> None:
    openings.path = tmp_path / "odd.gguf"
    openings.path.write_bytes(gguf_files.unknown_architecture())
    with pytest.raises(ModelLoadFailed) as caught:
        openings.open()
    assert "nonesuch" in caught.value.detail
    assert openings.steps == [""]


def test_a_cancel_is_heard_while_loading(openings: Openings) -> None:
    class StoppingReplies(list[protocol.Reply]):
        def append(self, reply: protocol.Reply) -> None:
            super().append(reply)
            openings.job.stop.set()

    openings.replies = StoppingReplies()
    openings.job = EngineJob(openings.replies.append)
    assert openings.open() is None
    assert openings.replies


def test_a_gpu_that_was_asked_for_and_is_not_there_is_said(openings: Openings) -> None:
    assert opened_by(openings, gpu_layers=5, devices=("CUDA7",), context_tokens=512).plan.gpu_missed == "no_device"
    assert opened_by(openings, devices=("CUDA7",), context_tokens=512).plan.gpu_missed == "no_device"
    assert opened_by(openings, devices=("CPU",), context_tokens=512).plan.gpu_missed == ""
    assert opened_by(openings, gpu_layers=0, devices=("CUDA7",), context_tokens=512).plan.gpu_missed == ""


def test_a_gpu_without_memory_is_said(openings: Openings, monkeypatch: pytest.MonkeyPatch) -> None:
    card = Device("CUDA0", "a card", "gpu", 100 * MIB, 1000 * MIB)
    found = (*devices.list_devices(openings.library), card)
    monkeypatch.setattr(devices, "list_devices", lambda library: found)
    monkeypatch.setattr(loading.memory_probe, "probe_file", lambda *args, **kwargs: None)  # would look for the card
    plan = opened_by(openings, gpu_layers=5).plan
    assert (plan.choice, plan.gpu_layers, plan.gpu_missed) == ("cpu_only", 0, "no_memory")


class ScriptedCard:
    """A graphics card whose free memory other programs change, and whose layers the processor computes."""

    def __init__(self, openings: Openings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen_mib: list[int] = []
        """What is free at each look; the last one stays."""
        self.asked: list[int] = []
        """Layers of each load."""
        self.kind = "gpu"
        self.most_layers = sys.maxsize
        """What the card really has memory for; more is refused."""
        real_list, real_load = devices.list_devices, loading.load_model

        def look(library: Any) -> tuple[Device, ...]:
            seen = self.seen_mib.pop(0) if len(self.seen_mib) > 1 else self.seen_mib[0]
            return (*real_list(library), Device("CUDA0", "a card", self.kind, seen * MIB, 4000 * MIB))

        def load(library: Any, path: str, header: GgufHeader, layers: int, **keys: Any) -> Any:
            self.asked.append(layers)
            if layers > self.most_layers:
                return None
            return real_load(library, path, header, 0, **keys | {"parameters": None})

        monkeypatch.setattr(devices, "list_devices", look)
        monkeypatch.setattr(model_parameters, "find_handles", lambda *_: [])
        monkeypatch.setattr(loading, "load_model", load)
        monkeypatch.setattr(loading.memory_probe, "probe_file", lambda *args, **kwargs: None)


@pytest.fixture
def card(openings: Openings, monkeypatch: pytest.MonkeyPatch) -> ScriptedCard:
    return ScriptedCard(openings, monkeypatch)


def test_a_gpu_that_fills_up_after_the_plan_gets_fewer_layers(openings: Openings, card: ScriptedCard) -> None:
    card.seen_mib = [2000]
    whole = opened_by(openings).plan
    card.seen_mib = [2000, 450]
    plan = opened_by(openings).plan
    assert (whole.choice, whole.gpu_layers) == ("fits", 31)
    assert plan.choice == "layers_reduced"
    assert 0 < plan.gpu_layers < 31
    assert card.asked == [31, plan.gpu_layers], "nothing was tried in vain"
    assert openings.steps == [""]


def test_an_integrated_gpu_is_left_out_where_tuning_found_the_processor_faster(
    openings: Openings, card: ScriptedCard
) -> None:
    card.seen_mib = [2000]
    assert opened_by(openings).integrated == "", "a card of its own is not tried without"
    card.kind = "igpu"
    untuned = opened_by(openings)
    assert (untuned.plan.gpu_layers, untuned.integrated) == (31, "CUDA0")
    tuning = ModelTuning(1, 1, 128, is_faster=True, on_cpu=True)
    table = TuningTable(openings.folder)
    table.store_tuning(openings.path, openings.library.version, untuned.devices, tuning)
    tuned = opened_by(openings)
    assert (tuned.plan.gpu_layers, tuned.plan.gpu_missed, tuned.integrated) == (0, "", "CUDA0")
    assert tuned.tuning == tuning
    assert tuned.devices == untuned.devices, "it is tuned again and forgotten under the same key"
    for wish in ({"gpu_layers": 31}, {"devices": ("CUDA0",)}):
        asked = opened_by(openings, **wish)
        assert (asked.plan.gpu_layers, asked.tuning, asked.integrated) == (31, None, ""), "whoever asks for it gets it"


def test_a_gpu_that_gave_memory_back_with_the_former_model_is_used_whole(
    openings: Openings, card: ScriptedCard
) -> None:
    card.seen_mib = [600, 2000]
    assert opened_by(openings).plan.gpu_layers == 31


@pytest.mark.parametrize(("left_mib", "most"), [(1500, 16), (350, 9)])
def test_a_load_refused_for_memory_is_tried_once_smaller_by_what_is_free_then(
    openings: Openings, card: ScriptedCard, left_mib: int, most: int
) -> None:
    card.seen_mib, card.most_layers = [2000, 2000, left_mib], most
    plan = opened_by(openings).plan
    assert openings.steps == ["", "fewer_layers"]
    assert plan.steps == ("fewer_layers",)
    assert card.asked == [31, plan.gpu_layers]
    assert 0 < plan.gpu_layers <= most


def test_a_gpu_that_is_full_at_the_second_try_leaves_the_model_to_the_processor(
    openings: Openings, card: ScriptedCard
) -> None:
    card.seen_mib, card.most_layers = [2000, 2000, 100], 0
    plan = opened_by(openings, gpu_layers=31).plan
    assert card.asked == [31, 0]
    assert openings.steps == ["", "cpu"]
    assert (plan.gpu_layers, plan.gpu_missed) == (0, "load_failed")


LIMITED = """
import dataclasses, json, resource, sys
from pathlib import Path
from app.core.gguf import check_model
from app.engine import computer, protocol
from app.engine.backend import EngineJob
from app.engine.llama.llama_library import open_library
from app.engine.llama.loading import open_model

library, path = open_library(), Path(sys.argv[1])
computer.free_memory_bytes = lambda: 0  # as on a system that does not tell
header = check_model(path)
header = dataclasses.replace(header, metadata=header.metadata | {"llama.context_length": 1 << 20})
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 1200 * 2**20,) * 2)
told = []
request = protocol.LoadModel(1, str(path), protocol.Wish(1 << 17))
plan = open_model(library, request, header, EngineJob(told.append), folder=Path(sys.argv[2])).plan
print(json.dumps([plan.context_tokens, plan.choice, plan.steps, sorted({reply.event.step for reply in told})]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process as Linux does")
def test_a_context_that_llama_cpp_really_has_no_memory_for_becomes_smaller(starter: Path, tmp_path: Path) -> None:
    """131,072 tokens are 2.8 GiB, of which the system gives 1.2."""
    command = [sys.executable, "-c", LIMITED, str(starter), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    context_tokens, choice, steps, told = json.loads(done.stdout.splitlines()[-1])
    assert (choice, steps, told) == ("context_reduced", ["smaller_context"], ["", "smaller_context"])
    assert context_tokens == 1 << 15
