"""Check of what Fireside needs on this computer: each failure as a sentence with one thing to do, and a report.

Nothing is asked of the network, but for computers that lend memory, and nothing a person wrote is read.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.catalogue import Translatable, tr, use_english
from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineNotBuilt, OwnLibraryRefused
from app.core.gguf import check_model
from app.core.lazy_dataclasses import dataclass, replace
from app.core.paths import AppPaths, disk_problem, runs_elsewhere
from app.core.settings import Settings
from app.core.visible import ByteSize
from app.features.diagnostics import report_of, text_of
from app.features.error_messages import PersonMessage, sentence_for

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.engine.contract import LocalEngine
    from app.features.models.collection import ModelCollection
    from app.store.database import Database

FOLDERS, SPACE, CHATS, ENGINE, COMPUTERS, MODELS, DOWNLOADS = (
    "folders", "space", "chats", "engine", "computers", "models", "downloads",
)  # fmt: skip
CHECK_NAMES: dict[str, Translatable] = {
    FOLDERS: "Folders",
    SPACE: "Free space",
    CHATS: "Saved chats",
    ENGINE: "Engine",
    COMPUTERS: "Memory of other computers",
    MODELS: "Chosen models",
    DOWNLOADS: "Downloads",
}
"""Names of the checks, in their order."""
LEAST_FREE_BYTES = 1_000_000_000
LITTLE_SPACE = PersonMessage(
    "Only {free} are free where your chats and models are. Delete models you don’t use, or move them to another disk.",
    action="storage",
)
CHATS_DAMAGED = PersonMessage(
    "The file with your chats is damaged. Back it up, then restore a daily copy.", action="snapshots"
)
NO_PROBLEM: Translatable = "No problem found."
ANOTHER_COMPUTER: Translatable = "another computer"


@dataclass(frozen=True)
class CheckFinding:
    """A problem: what is said of it with its one thing to do, and the folder that "open_folder" is about."""

    message: PersonMessage
    folder: Path | None = None


@dataclass(frozen=True)
class CheckResult:
    """One finished check by its name in `CHECK_NAMES`, with the problems it found."""

    name: str
    findings: tuple[CheckFinding, ...] = ()


@dataclass(frozen=True)
class CheckedParts:
    """Parts of the program that the checks look at or ask."""

    paths: AppPaths
    settings: Settings
    database: Database
    engine: LocalEngine
    models: ModelCollection
    loaded: ModelLoaded | None = None


def check_computer(parts: CheckedParts) -> Iterator[CheckResult]:
    """Yield the result of each check when it is done; the engine's may have to start its process."""
    checks: dict[str, Callable[[CheckedParts], list[CheckFinding]]] = {
        FOLDERS: _check_folders,
        SPACE: _check_space,
        CHATS: lambda parts: [] if parts.database.is_sound() else [CheckFinding(CHATS_DAMAGED)],
        MODELS: _check_models,
        DOWNLOADS: _check_downloads,
    }
    for name, check in checks.items():
        yield CheckResult(name, tuple(_guarded(check, parts)))
    try:
        missed = parts.engine.describe_devices().missed
    except AppError as error:
        yield CheckResult(ENGINE, (_finding_of(error),))
        yield CheckResult(COMPUTERS)
        return
    yield CheckResult(ENGINE)
    findings = map(sentence_for, missed)
    yield CheckResult(COMPUTERS, tuple(CheckFinding(replace(found, action="computers")) for found in findings))


def shared_report(parts: CheckedParts, results: Sequence[CheckResult] = ()) -> str:
    """Return the report for someone who helps, in English: devices, folders, models and failures.

    It has no word of a chat, prompt, document or token, and no name of the user or of another computer. Raises
    AppError where the engine can't be asked; the failures then are in `results`.
    """
    from app.engine.tuning import TuningTable

    installed = [str(row.model.path) for row in parts.models.list_installed()]
    with use_english():  # those who help with it may not read the user's language
        lines = [f"{tr(CHECK_NAMES[result.name])}: {_words_of(result)}" for result in results]
        try:
            found = parts.engine.describe_devices()
            tunings = TuningTable(parts.paths.engine)
            folder = parts.models.models_folder()
            report = report_of(found, parts.paths, folder, installed, parts.loaded, tunings=tunings)
            report |= {"models": [Path(path).name for path in installed]}
            lines.insert(0, text_of(_with_names_only(report)))
        except AppError as error:
            if not results:
                raise
            lines.insert(0, str(sentence_for(error)))
        return without_user(_without_computers("\n".join(lines), parts.settings.engine.machines))


def without_user(text: str) -> str:
    """Return a text with the home folder as "~" and the user's name in other folders left out."""
    home = Path.home()
    for folder in dict.fromkeys((str(home), str(home.resolve()))):
        if len(folder) > 1:
            text = re.sub(re.escape(folder) + r"(?=[/\\]|\b|$)", "~", text)
    name = re.escape(home.name)
    return re.sub(rf"(?<=[/\\]){name}(?=[/\\]|$|[\s,;:)])", "user", text, flags=re.MULTILINE) if name else text


def _words_of(result: CheckResult) -> str:
    return " ".join(str(finding.message) for finding in result.findings) or tr(NO_PROBLEM)


def _without_computers(text: str, addresses: Sequence[str]) -> str:
    for address in addresses:
        for name in (address, address.rpartition(":")[0]):
            text = text.replace(name, tr(ANOTHER_COMPUTER)) if name else text
    return text


def _with_names_only(report: dict[str, Any]) -> dict[str, Any]:
    return report | {"loaded": Path(report["loaded"]).name if report["loaded"] else None}


def _guarded(check: Callable[[CheckedParts], list[CheckFinding]], parts: CheckedParts) -> list[CheckFinding]:
    try:
        return check(parts)
    except AppError as error:
        return [_finding_of(error)]


def _finding_of(error: AppError) -> CheckFinding:
    message = sentence_for(error)
    if isinstance(error, EngineNotBuilt):
        return CheckFinding(replace(message, action="open_folder"), Path(error.log).parent)
    if isinstance(error, OwnLibraryRefused):
        return CheckFinding(replace(message, action="library"))
    return CheckFinding(message)


def _check_folders(parts: CheckedParts) -> list[CheckFinding]:
    findings = []
    for folder in dict.fromkeys((*parts.paths.folders, parts.models.models_folder())):
        if not folder.is_dir():  # made with the first file in it
            continue
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            findings.append(CheckFinding(sentence_for(disk_problem(error, folder)), folder))
    return findings


def _check_space(parts: CheckedParts) -> list[CheckFinding]:
    there = [folder for folder in (parts.paths.data, parts.models.models_folder()) if folder.is_dir()]
    free = min((shutil.disk_usage(folder).free for folder in there), default=LEAST_FREE_BYTES)
    if free >= LEAST_FREE_BYTES:
        return []
    return [CheckFinding(replace(LITTLE_SPACE, values={"free": ByteSize(free)}))]


def _check_models(parts: CheckedParts) -> list[CheckFinding]:
    tasks = parts.settings.models
    chosen = (
        parts.settings.engine.model_path,
        tasks.summarize_path,
        tasks.translate_path,
        tasks.write_path,
        tasks.passages_path,
    )
    findings = []
    for path in dict.fromkeys(path for path in chosen if path and not runs_elsewhere(path)):
        try:
            check_model(Path(path))
        except AppError as error:
            findings.append(CheckFinding(replace(sentence_for(error), action="installed")))
    return findings


def _check_downloads(parts: CheckedParts) -> list[CheckFinding]:
    failed = [download for download in parts.models.downloads.all() if download.state == "failed"]
    messages = [sentence_for(download.error) for download in failed if download.error is not None]
    return [CheckFinding(replace(message, action="downloads")) for message in messages]
