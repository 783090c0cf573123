"""Wrong, hostile and unlucky files in the real child: it may die, the program that asks it never does."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.core.child import CHECKOUT, own_command
from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineCrashesRepeatedly
from app.core.errors.model_errors import ModelBroken, ModelDamaged, ModelLoadFailed, ModelUnreadable, NoModel
from app.core.errors.request_errors import TemplateFailed
from app.core.events import ModelLoaded
from app.core.gguf import check_model
from app.engine.client import EngineClient
from app.features.error_messages import sentence_for
from tests.helpers import gguf_files
from tests.helpers.engine import GREEDY, answer_of, load, user
from tests.helpers.program import children_of, is_gone, wait_until
from tests.helpers.tiny_models import CONTROL, TEMPLATE, Tensors, make_tiny

pytestmark = pytest.mark.model

QUESTION = [user("How many apples are left?")]
WITH_Z = [user("How many Zebras are left?")]
PARTS = 16
FLIPS = 200


@pytest.fixture(scope="module")
def tiny_engine(tiny_model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    """A child with a good model for all tests that leave it loaded."""
    client = EngineClient(own_command("--engine-worker"), tmp_path_factory.mktemp("engine"))
    load(client, tiny_model("llama"))
    yield client
    client.close()


def answer(engine: EngineClient, tokens: int = 8) -> str:
    return answer_of(engine.generate(QUESTION, max_tokens=tokens, sampling=GREEDY))[0]


# Files that are refused before llama.cpp sees them


@pytest.mark.parametrize("part", range(PARTS))
def test_a_file_cut_anywhere_is_told_and_leaves_the_model(
    tiny_engine: EngineClient, tiny_model: Callable[[str], Path], tmp_path: Path, part: int
) -> None:
    whole = tiny_model("llama").read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole[: len(whole) * part // PARTS])
    with pytest.raises(ModelUnreadable) as caught:
        load(tiny_engine, cut)
    assert caught.value.reason == ("truncated" if part else "empty")
    assert answer(tiny_engine, 1)


def test_a_vocabulary_alone_is_told_and_leaves_the_model(tiny_engine: EngineClient, tmp_path: Path) -> None:
    path = tmp_path / "words.gguf"
    path.write_bytes(gguf_files.vocabulary_only())
    with pytest.raises(ModelUnreadable, match="vocabulary_only"):
        load(tiny_engine, path)
    assert answer(tiny_engine, 1)


# Files that only llama.cpp can judge


def test_an_architecture_from_the_future_is_named(engine: EngineClient, tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "future.gguf", **{"general.architecture": "fireside9000"})
    with pytest.raises(ModelLoadFailed) as caught:
        load(engine, path)
    assert "fireside9000" in sentence_for(caught.value).text
    assert engine.pid is not None


def test_a_missing_tensor_is_refused_with_its_name(engine: EngineClient, tmp_path: Path) -> None:
    def without_output_norm(tensors: Tensors) -> None:
        del tensors["output_norm.weight"]

    with pytest.raises(ModelLoadFailed) as caught:
        load(engine, make_tiny("llama", tmp_path / "torn.gguf", change=without_output_norm))
    assert "output_norm" in caught.value.detail
    assert engine.pid is not None


@pytest.mark.parametrize("kind", ["llama", "gemma3", "mamba", "qwen35"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_end_the_answer(
    engine: EngineClient, tmp_path: Path, kind: str, value: float
) -> None:
    def spoil(tensors: Tensors) -> None:
        tensors["blk.1.attn_norm.weight"][:] = value

    path = make_tiny(kind, tmp_path / "broken.gguf", change=spoil)
    load(engine, path)
    with pytest.raises(ModelBroken) as caught:
        answer(engine)
    assert caught.value.path == str(path)
    assert engine.pid is not None


@pytest.mark.parametrize("kind", ["llama", "gemma3", "mamba", "qwen35"])
def test_a_spoiled_token_spoils_nothing_after_it(engine: EngineClient, tmp_path: Path, kind: str) -> None:
    def spoil_one_letter(tensors: Tensors) -> None:
        tensors["token_embd.weight"][len(CONTROL) + ord("Z")] = np.nan

    load(engine, make_tiny(kind, tmp_path / "z.gguf", change=spoil_one_letter))
    before = answer(engine)
    with pytest.raises(ModelBroken):
        answer_of(engine.generate(WITH_Z, max_tokens=8, sampling=GREEDY))
    assert answer(engine) == before


@pytest.mark.slow
def test_a_template_without_end_fails_the_answer_only(engine: EngineClient, tmp_path: Path) -> None:
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    load(engine, make_tiny("llama", tmp_path / "endless.gguf", template=endless))
    pid = engine.pid
    with pytest.raises(TemplateFailed, match="seconds"):
        answer(engine)
    load(engine, make_tiny("llama", tmp_path / "good.gguf"))
    assert answer(engine)
    assert engine.pid == pid


def test_a_template_that_eats_memory_fails_the_answer_only(engine: EngineClient, tmp_path: Path) -> None:
    greedy = "{% set n = namespace(s='x' * 99) %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}"
    load(engine, make_tiny("llama", tmp_path / "greedy.gguf", template=greedy))
    with pytest.raises(TemplateFailed, match="memory"):
        answer(engine)
    assert engine.pid is not None


# One call in C that holds Python's lock: no thread and no handler of Python ends it.
STUCK = "{% set s = 'a' * 3000000 %}{{ ([s ~ 1, s ~ 2] * 49999)|sort(case_sensitive=true)|length }}"


@pytest.mark.slow
def test_a_template_that_holds_everything_up_stops_neither_typing_nor_another_model(
    engine: EngineClient, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    load(engine, make_tiny("llama", tmp_path / "stuck.gguf", template=STUCK))
    pid = engine.pid
    for _ in range(10):  # a person writes a message, and it is counted after each word
        with pytest.raises(TemplateFailed, match="seconds"):
            engine.count_tokens(QUESTION)
    load(engine, tiny_model("llama"))
    assert answer(engine)
    assert engine.pid == pid


def test_a_template_that_writes_nothing_fails_the_answer_only(engine: EngineClient, tmp_path: Path) -> None:
    silent = make_tiny("llama", tmp_path / "silent.gguf", template="{# nothing #}")
    load(engine, silent)
    with pytest.raises(TemplateFailed, match="nothing"):
        answer(engine)
    assert engine.count_tokens(QUESTION) == 0
    assert engine.pid is not None


PARENT = """
import sys
from pathlib import Path
from app.core.child import own_command
from app.core.events import Message, Role
from app.engine.client import EngineClient
client = EngineClient(own_command("--engine-worker"), Path(sys.argv[2]))
list(client.load(Path(sys.argv[1])))
print(client.pid, flush=True)
client.count_tokens([Message(Role.USER, "hello")])
"""


def test_a_child_whose_template_hangs_goes_with_its_killed_parent(tmp_path: Path) -> None:
    stuck = make_tiny("llama", tmp_path / "stuck.gguf", template=STUCK)
    command = [sys.executable, "-c", PARENT, str(stuck), str(tmp_path / "engine")]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        (renderer,) = children_of(pid)
        parent.kill()
        wait_until(lambda: is_gone(pid) and is_gone(renderer), "the child and its renderer to leave")


def test_a_templates_process_stays_while_its_model_sleeps_and_goes_with_it(
    tmp_path: Path, engine: EngineClient
) -> None:
    first, second = (
        make_tiny("llama", tmp_path / f"{name}.gguf", template=f"{{# {name} #}}{TEMPLATE}") for name in "ab"
    )
    load(engine, first)
    assert engine.pid is not None
    awake = children_of(engine.pid)
    engine.sleep()
    assert children_of(engine.pid) == awake
    tokens = engine.count_tokens([user("hello")])
    assert children_of(engine.pid) == awake
    load(engine, second)
    now = children_of(engine.pid)
    assert len(now) == len(awake)
    assert set(now) != set(awake)
    assert engine.count_tokens([user("hello")]) == tokens


# Crashes and changes while it is open


def test_a_file_over_which_the_engine_aborts_while_it_loads_is_told_as_damaged(
    engine: EngineClient, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    crashing = make_tiny("granitehybrid", tmp_path / "crash.gguf", **{"granitehybrid.ssm.inner_size": 64})
    load(engine, tiny_model("llama"))
    with pytest.raises(ModelDamaged) as caught:
        load(engine, crashing)
    assert caught.value.path == str(crashing)
    assert "GGML_ASSERT" in caught.value.detail
    assert str(sentence_for(caught.value)).startswith("The file crash.gguf is damaged")
    with pytest.raises(NoModel):  # it is not tried again with the next message
        answer(engine)
    load(engine, tiny_model("llama"))
    assert answer(engine)


def test_a_file_that_shrinks_while_it_is_used_stops_the_child_only(
    engine: EngineClient, starter: Path, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    copy = tmp_path / "shrinking.gguf"
    copy.write_bytes(starter.read_bytes())
    outcome = outcome_of(engine, copy, on_progress=lambda: os.truncate(copy, 1_000_000))
    assert isinstance(outcome, AppError)
    assert not isinstance(outcome, EngineCrashesRepeatedly)
    load(engine, tiny_model("llama"))
    assert answer(engine)


def test_a_file_that_is_replaced_while_it_loads_does_no_harm(
    engine: EngineClient, starter: Path, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    path, other = tmp_path / "model.gguf", tmp_path / "other.gguf"
    path.symlink_to(starter)
    other.write_bytes(tiny_model("llama").read_bytes())
    outcome = outcome_of(engine, path, on_progress=lambda: other.exists() and other.replace(path))
    assert isinstance(outcome, AppError | str)
    load(engine, path)
    assert engine.loaded is not None
    assert engine.loaded.name == "Tiny llama"
    assert answer(engine)


@pytest.mark.slow
def test_flipped_bytes_in_the_header_never_reach_the_program_that_asks(
    engine: EngineClient, tiny_model: Callable[[str], Path], tmp_path: Path
) -> None:
    good = tiny_model("llama").read_bytes()
    header_bytes = check_model(tiny_model("llama")).data_offset
    dice, path = random.Random(20), tmp_path / "flipped.gguf"
    outcomes = []
    for _ in range(FLIPS):
        data = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            data[dice.randrange(header_bytes)] ^= 1 << dice.randrange(8)
        path.write_bytes(data)
        outcomes.append(outcome_of(engine, path))
    for outcome in outcomes:
        assert isinstance(outcome, AppError | str)
        assert not isinstance(outcome, AppError) or "itself" not in sentence_for(outcome).text
    kinds = {type(outcome).__name__ for outcome in outcomes}
    assert {"str", "ModelUnreadable", "ModelLoadFailed"} <= kinds
    load(engine, tiny_model("llama"))
    assert answer(engine)


def outcome_of(engine: EngineClient, path: Path, on_progress: Callable[[], object] = bool) -> AppError | str:
    """Loads and asks: the text, or what it failed with. Anything but an AppError fails the test."""
    try:
        for event in engine.load(path):
            if not isinstance(event, ModelLoaded):
                on_progress()
        return answer(engine, 2)
    except AppError as error:
        return error
