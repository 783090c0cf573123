"""The folder of saved states: found, refused, limited, deleted."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.engine.states import (
    MARK_TOKENS,
    MOST_LOOKED_AT,
    MOST_SHARED_DOCUMENTS,
    SavedCheckpoint,
    StateFolder,
    StateIdentity,
    Unit,
    model_identity,
    name_beginning,
    name_documents,
)

HERE = StateIdentity(10, 20, "abc", "0.3.36", "f16", "as read")


def folder_with(path: Path, budget_bytes: int = 10**6) -> StateFolder:
    return StateFolder(path / "states", lambda: budget_bytes)


def add(
    folder: StateFolder,
    session: str,
    size: int = 100,
    identity: StateIdentity = HERE,
    *,
    units: Sequence[Unit] = (1, 2, 3),
    made_of: Sequence[str] = (),
) -> None:
    folder.folder.mkdir(exist_ok=True)
    unfinished = folder.folder / "new.part"
    unfinished.write_bytes(b"s" * size)
    folder.add_state(session, identity, list(units), unfinished, made_of=made_of)


def files(folder: StateFolder) -> int:
    return len(list(folder.folder.iterdir()))


def test_a_state_is_found_again(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    assert folder.find_state("chat-1", HERE) is None
    add(folder, "chat-1")
    assert folder.find_state("chat-1", HERE) == [1, 2, 3]
    assert folder.state_path("chat-1").read_bytes() == b"s" * 100
    assert folder.size_bytes() > 100


OF_THE_MODEL = "header_hash"


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(StateIdentity) if f.name != OF_THE_MODEL])
def test_any_difference_deletes_it_and_is_logged(tmp_path: Path, field: str, caplog: pytest.LogCaptureFixture) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1")
    other = dataclasses.replace(HERE, **{field: "x" if isinstance(getattr(HERE, field), str) else 99})
    with caplog.at_level(logging.INFO):
        assert folder.find_state("chat-1", other) is None
    assert field in caplog.text
    assert files(folder) == 0


def test_a_state_of_another_model_waits_until_that_one_is_asked_again(tmp_path: Path) -> None:
    folder, other = folder_with(tmp_path), dataclasses.replace(HERE, model_bytes=11, header_hash="def")
    add(folder, "chat-1")
    assert folder.find_state("chat-1", other) is None
    add(folder, "chat-1", 50, other)
    for _ in range(2):
        assert folder.find_state("chat-1", HERE) == [1, 2, 3]
        assert folder.state_path("chat-1").stat().st_size == 100
        assert folder.find_state("chat-1", other) == [1, 2, 3]
        assert folder.state_path("chat-1").stat().st_size == 50
    assert files(folder) == 4
    newer = dataclasses.replace(HERE, llama_cpp="0.4")
    assert folder.find_state("chat-1", newer) is None, "brought back, it does not fit any more"
    assert files(folder) == 2
    folder.delete_session("chat-1")
    assert files(folder) == 0


@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b'{"tokens": 5}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_sidecar_deletes_the_state(tmp_path: Path, damage: bytes) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1")
    next(folder.folder.glob("*.json")).write_bytes(damage)
    assert folder.find_state("chat-1", HERE) is None
    assert files(folder) == 0


def test_a_state_of_another_length_is_not_used(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1")
    folder.state_path("chat-1").write_bytes(b"s" * 99)
    assert folder.find_state("chat-1", HERE) is None


def test_checkpoints_lie_at_the_end_of_a_states_file(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1", 100)
    assert folder.find_checkpoints(folder.state_path("chat-1")) == []
    unfinished = folder.folder / "new.part"
    unfinished.write_bytes(b"s" * 100 + b"a" * 20 + b"b" * 30)
    folder.add_state("chat-1", HERE, [1, 2, 3], unfinished, [(1, 20), (2, 30)])
    assert not folder.is_torn(folder.state_path("chat-1"))
    found = [SavedCheckpoint(1, 100, 20), SavedCheckpoint(2, 120, 30)]
    assert folder.find_checkpoints(folder.state_path("chat-1")) == found
    folder.delete_session("chat-1")
    assert files(folder) == 0


@pytest.mark.parametrize("damage", [[[1, 200]], [[4, 20]], [[0, 20]], [[1, -20]], [[1]], "x", 5, [["a", "b"]]])
def test_damaged_checkpoints_are_none(tmp_path: Path, damage: object) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1", 100)
    sidecar = next(folder.folder.glob("*.json"))
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"checkpoints": damage}))
    assert folder.find_checkpoints(folder.state_path("chat-1")) == []
    assert folder.find_state("chat-1", HERE) == [1, 2, 3]


@pytest.mark.parametrize("torn", [b"s" * 50 + bytes(50), bytes(100)])
def test_a_state_with_other_bytes_is_torn_and_deleted(tmp_path: Path, torn: bytes) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1")
    assert not folder.is_torn(folder.state_path("chat-1"))
    folder.state_path("chat-1").write_bytes(torn)
    assert folder.is_torn(folder.state_path("chat-1"))
    assert files(folder) == 0


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, budget_bytes=1500)
    for age, session in enumerate(("old", "older", "oldest")):
        add(folder, session, 300)
        os.utime(
            next(iter(sorted(folder.folder.glob("*.json"), key=os.path.getmtime, reverse=True))), (1000 - age,) * 2
        )
    assert folder.find_state("oldest", HERE) is not None  # and with that it is the newest
    add(folder, "new", 300)
    assert [s for s in ("new", "oldest", "old", "older") if folder.find_state(s, HERE)] in (
        ["new", "oldest"],
        ["new", "oldest", "old"],
    )
    assert folder.size_bytes() <= 1500


def test_what_is_larger_than_the_whole_budget_does_not_stay(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, budget_bytes=50)
    add(folder, "chat-1")
    assert files(folder) == 0


def test_an_interrupted_save_counts_for_nothing_and_is_swept_away(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1")
    half, being_written = (folder.folder / f"0123.state.{number}.part" for number in (1, 2))
    half.write_bytes(b"half")
    os.utime(half, (0, 0))
    being_written.write_bytes(b"half")
    (folder.folder / "4567.state").write_bytes(b"without a sidecar")
    folder.trim()
    assert folder.find_state("chat-1", HERE) is not None
    assert (files(folder), half.exists(), being_written.exists()) == (3, False, True)


def test_deleting_and_clearing_leave_nothing(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    folder.delete_session("chat-1")
    folder.clear()
    for session in ("chat-1", "chat-2", "chat/../3"):
        add(folder, session)
    folder.delete_session("chat-1")
    assert (folder.find_state("chat-1", HERE), folder.find_state("chat-2", HERE)) == (None, [1, 2, 3])
    folder.clear()
    assert files(folder) == 0


def test_a_models_identity_is_its_size_time_and_header(tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF" + b"x" * 100_000)
    one = model_identity(model)
    os.utime(model, ns=(1, one[1] + 1))
    assert model_identity(model) != one
    assert model_identity(model)[::2] == one[::2]
    model.write_bytes(b"GGUG" + b"x" * 100_000)
    assert model_identity(model)[2] != one[2]


def test_names_of_sessions_do_not_appear_on_disk(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    add(folder, "doc-secret plans.pdf")
    written = b"".join(file.read_bytes() + file.name.encode() for file in folder.folder.iterdir())
    assert b"secret" not in written
    assert json.loads(next(folder.folder.glob("*.json")).read_text())["state_bytes"] == 100


def test_whether_more_was_written_is_asked_again_and_again(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1")
    grows = folder.growth_check()
    assert not grows()
    folder.unfinished_path("chat-2").write_bytes(b"a")
    assert (grows(), grows()) == (True, False)


def test_states_of_documents_go_with_any_of_them(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1")
    both, first, other = (
        name_beginning(name_documents(ids), [1, 2, number]) for number, ids in enumerate([(3, 7), (3,), (17,)])
    )
    for session in (both, first, other):
        add(folder, session)
    add(folder, name_beginning(name_documents((7,)), [5]), identity=dataclasses.replace(HERE, header_hash="def"))
    assert folder.find_state(name_beginning(name_documents((7,)), [5]), HERE) is None, "set aside"
    folder.delete_documents(lambda number: number == 7)
    assert [folder.find_state(one, HERE) for one in (both, first, other, "chat-1")] == [None, *[[1, 2, 3]] * 3]
    assert files(folder) == 6


def test_what_stands_around_documents_has_a_state_of_its_own() -> None:
    documents = name_documents((3, 7))
    assert name_beginning(documents, [1, 2]) != name_beginning(documents, [1, 3])
    assert name_beginning("project-1", [1, 2]) == "project-1"
    assert name_documents(()) == name_documents(range(MOST_SHARED_DOCUMENTS + 1)) == ""
    assert len(name_beginning(name_documents([10**9] * MOST_SHARED_DOCUMENTS), [1])) < 220, "a file can be called so"


PICTURE: Unit = ("a", 5000, 0, 3 * MARK_TOKENS, 1, "eyes", 0)
PROMPT = [*range(10_000, 10_000 + 4 * MARK_TOKENS)]


def found_first(folder: StateFolder, units: Sequence[Unit]) -> list[Path]:
    return [state for state, _ in folder.find_beginnings(HERE, units)]


def test_states_that_begin_alike_are_found_the_longest_first_however_old(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, 10**9)
    add(folder, "long", units=[*PROMPT[: 3 * MARK_TOKENS], 5])
    add(folder, "longest", units=[*PROMPT, 5])
    for session in ("long", "longest"):
        os.utime(folder.state_path(session).with_suffix(".json"), (1, 1))
    for number in range(2 * MOST_LOOKED_AT):
        add(folder, f"other-{number}", units=[number, *PROMPT])
    add(folder, "short", units=PROMPT[: MARK_TOKENS - 1])
    add(folder, "another model's", identity=dataclasses.replace(HERE, header_hash="def"), units=PROMPT)
    assert found_first(folder, PROMPT) == [folder.state_path("longest"), folder.state_path("long")]
    assert found_first(folder, PROMPT[1:]) == []


def test_of_those_that_begin_equally_alike_the_last_used_are_looked_at(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, 10**9)
    for number in range(2 * MOST_LOOKED_AT):
        add(folder, f"chat-{number}", units=[*PROMPT[:MARK_TOKENS], number])
        os.utime(folder.state_path(f"chat-{number}").with_suffix(".json"), (1000 - number,) * 2)
    assert found_first(folder, PROMPT) == [folder.state_path(f"chat-{number}") for number in range(MOST_LOOKED_AT)]


def test_a_picture_counts_as_many_tokens_as_it_takes(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, 10**9)
    add(folder, "chat-1", units=[7, PICTURE, 8])
    assert found_first(folder, [7, PICTURE, 9]) == [folder.state_path("chat-1")]
    assert found_first(folder, [7, ("b", *PICTURE[1:]), 9]) == []  # type: ignore[misc]


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"tokens": [1', b"[]\n", b"\xff\n", b"[" * 100_000])
def test_a_damaged_sidecar_is_not_found_by_its_beginning(tmp_path: Path, damage: bytes) -> None:
    folder = folder_with(tmp_path, 10**9)
    add(folder, "chat-1", units=PROMPT)
    next(folder.folder.glob("*.json")).write_bytes(damage)
    assert found_first(folder, PROMPT) == []


def test_what_was_made_of_a_deleted_text_goes_with_it(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    add(folder, "chat-1", made_of=["memory-1", "memory-12"])
    add(folder, "chat-2", made_of=["memory-2"])
    add(folder, "chat-3")
    add(folder, document := name_beginning(name_documents((3,)), [1]))
    folder.delete_made_of({"memory-1", "project-7"})
    kept = [folder.find_state(session, HERE) is not None for session in ("chat-1", "chat-2", "chat-3", document)]
    assert kept == [False, True, True, True]
    assert files(folder) == 6


def test_a_state_that_does_not_tell_what_it_was_made_of_goes_with_any_text(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    for session in ("chat-1", "chat-2", "chat-3"):
        add(folder, session)
    sidecar = folder.state_path("chat-1").with_suffix(".json")
    body = json.loads(sidecar.read_text())
    del body["made_of"]
    sidecar.write_text(json.dumps(body))
    folder.state_path("chat-2").with_suffix(".json").write_bytes(b"[")
    folder.delete_made_of({"memory-1"})
    assert folder.find_state("chat-3", HERE) == [1, 2, 3]
    assert files(folder) == 2


def test_what_begins_a_new_chat_counts_as_used(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, budget_bytes=10**9)
    for session in ("old", "new"):
        add(folder, session)
        os.utime(folder.state_path(session).with_suffix(".json"), (1000 + (session == "new"),) * 2)
    folder.mark_used(folder.state_path("old"))
    folder.budget_bytes = lambda: folder.size_bytes() * 3 // 4
    folder.trim()
    assert (folder.find_state("old", HERE), folder.find_state("new", HERE)) == ([1, 2, 3], None)
