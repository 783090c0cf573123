"""Each failure of this computer becomes a sentence with one thing to do; the report has no private word."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.bootstrap import Fireside, build_program
from app.core.errors.engine_errors import EngineNotBuilt, EngineStopped, MachineUnusable, OwnLibraryRefused
from app.core.errors.hub_errors import DownloadFailed
from app.core.events import Role
from app.features import computer_check
from app.features.computer_check import (
    CHATS,
    CHATS_DAMAGED,
    CHECK_NAMES,
    COMPUTERS,
    DOWNLOADS,
    ENGINE,
    FOLDERS,
    MODELS,
    NO_PROBLEM,
    SPACE,
    CheckedParts,
    CheckFinding,
    check_computer,
    shared_report,
    without_user,
)
from app.features.error_messages import sentence_for

PLANTED = ("Zephyrine", "Quillfeather", "hf_planted0token", "Mandragora", "ada-lovelace", "Xylographer")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fireside]:
    home = tmp_path / "home" / "ada-lovelace"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("FIRESIDE_HOME", str(home / "fireside"))
    with closing(build_program()) as app:
        yield app


class FailingEngine:
    """An engine that can't be asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def describe_devices(self) -> None:
        raise self._error


def parts_of(app: Fireside, **changed: object) -> CheckedParts:
    parts = {
        "paths": app.paths,
        "settings": app.settings,
        "database": app.database,
        "engine": app.engine,
        "models": app.models,
        "loaded": None,
    }
    return CheckedParts(**(parts | changed))  # type: ignore[arg-type]


def findings_of(parts: CheckedParts) -> dict[str, tuple[CheckFinding, ...]]:
    return {result.name: result.findings for result in check_computer(parts)}


def test_a_computer_without_problems_has_none(program: Fireside) -> None:
    assert findings_of(parts_of(program)) == dict.fromkeys(CHECK_NAMES, ())


def test_a_folder_that_cannot_be_written_is_named_and_can_be_opened(
    program: Fireside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(dir: Path) -> object:
        if dir == program.paths.logs:
            raise PermissionError(13, "Permission denied", str(dir))
        return closing(SimpleNamespace(close=lambda: None))

    monkeypatch.setattr(computer_check.tempfile, "TemporaryFile", refuse)
    (finding,) = findings_of(parts_of(program))[FOLDERS]
    assert finding.folder == program.paths.logs
    assert finding.message.action == "open_folder"


def test_little_space_leads_to_the_storage(program: Fireside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=3_000_000))
    (finding,) = findings_of(parts_of(program))[SPACE]
    assert "3" in finding.message.text
    assert finding.message.action == "storage"


def test_a_damaged_database_leads_to_the_daily_copies(program: Fireside) -> None:
    damaged = SimpleNamespace(is_sound=lambda: False)
    assert findings_of(parts_of(program, database=damaged))[CHATS] == (CheckFinding(CHATS_DAMAGED),)


def test_a_database_that_cannot_be_opened_leads_to_its_folder_and_the_other_checks_go_on(program: Fireside) -> None:
    away = program.database.path.rename(program.database.path.with_suffix(".away"))
    try:
        found = findings_of(parts_of(program))
    finally:
        away.rename(program.database.path)
    (finding,) = found[CHATS]
    assert (found.keys(), finding.message.action) == (CHECK_NAMES.keys(), "open_folder")


def test_models_that_are_gone_or_cut_off_are_told_with_the_list_of_models(program: Fireside, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(b"GGUF\x03")
    program.change_settings("engine", model_path=str(tmp_path / "gone.gguf"))
    program.change_settings("models", write_path=str(cut), translate_path=str(cut))
    found = findings_of(parts_of(program))[MODELS]
    assert [finding.message.action for finding in found] == ["installed", "installed"], "each file once"
    assert "gone.gguf" in found[0].message.text
    assert "cut.gguf" in found[1].message.text


def test_a_failed_download_leads_to_the_downloads(program: Fireside) -> None:
    failed = SimpleNamespace(state="failed", error=DownloadFailed("qwen.gguf", "404"))
    paused = SimpleNamespace(state="paused", error=None)
    models = SimpleNamespace(
        models_folder=program.models.models_folder, downloads=SimpleNamespace(all=lambda: [failed, paused])
    )
    (finding,) = findings_of(parts_of(program, models=models))[DOWNLOADS]
    assert finding.message.text == sentence_for(failed.error).text
    assert finding.message.action == "downloads"


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (EngineNotBuilt("/tmp/log/build.log"), "open_folder"),
        (OwnLibraryRefused("/opt/llama", "missing"), "library"),
        (EngineStopped(1, ""), sentence_for(EngineStopped(1, "")).action),
    ],
)
def test_an_engine_that_fails_is_told_with_what_helps(program: Fireside, error: Exception, action: str) -> None:
    (finding,) = findings_of(parts_of(program, engine=FailingEngine(error)))[ENGINE]
    assert (finding.message.text, finding.message.action) == (sentence_for(error).text, action)


def test_another_computer_that_does_not_answer_leads_to_its_settings(program: Fireside) -> None:
    found = program.engine.describe_devices()
    missed = (MachineUnusable("192.168.1.7:50052", "silent"),)
    engine = SimpleNamespace(describe_devices=lambda: computer_check.replace(found, missed=missed))
    (finding,) = findings_of(parts_of(program, engine=engine))[COMPUTERS]
    assert finding.message.action == "computers"


def test_the_report_has_no_private_word(program: Fireside, tmp_path: Path) -> None:
    """Words are planted wherever a person leaves some."""
    conversations = program.conversations
    chat = conversations.create(title="Zephyrine", system_prompt="Quillfeather")
    conversations.add_message(chat.id, None, Role.USER, "Zephyrine asks Quillfeather")
    program.change_settings("chat", system_prompt="Quillfeather")
    program.change_settings("tools", servers=('{"key": "hf_planted0token"}',))
    program.change_settings("summaries", instruction="Mandragora")
    program.change_settings(
        "window", new_chat_draft="Mandragora", last_folders=("documents=/home/ada-lovelace/Mandragora",)
    )
    program.change_settings("engine", model_path=str(Path.home() / "gone.gguf"), machines=("Xylographer.local:50052",))
    (Path.home() / "Mandragora.pdf").write_bytes(b"%PDF")
    error = EngineNotBuilt(str(Path.home() / "build.log"))
    found = program.engine.describe_devices()
    missed = (MachineUnusable("Xylographer.local:50052", "silent"),)
    engine = SimpleNamespace(describe_devices=lambda: computer_check.replace(found, missed=missed))
    for parts in (parts_of(program, engine=engine), parts_of(program, engine=FailingEngine(error))):
        report = shared_report(parts, list(check_computer(parts)))
        assert [word for word in PLANTED if word.lower() in report.lower()] == []
        assert "gone.gguf" in report
    assert NO_PROBLEM in report
    assert "~/fireside" in shared_report(parts_of(program))


def test_a_users_name_leaves_every_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "people" / "ada-lovelace"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    text = f"{home}/.cache/x and /media/ada-lovelace/disk, /run/ada-lovelace\n{home}"
    assert without_user(text) == "~/.cache/x and /media/user/disk, /run/user\n~"
