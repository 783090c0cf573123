"""`models …` in the terminal: the same list, search, downloads and trash as in the window, without its queue."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.cli import disk_commands, terminal
from app.core.catalogue import Translatable, tr, tr_count
from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelNotOurs
from app.core.events import CancelToken
from app.core.joined_texts import join_entries, join_whole_sentences
from app.core.paths import AppPaths
from app.core.visible import size_words
from app.features.models.choice import pick_file
from app.features.models.collection import ModelCollection
from app.features.models.fetch_model import ModelReady, build_models, fetch_model
from app.features.models.installed import OPENED, InstalledFile
from app.features.models.model_users import name_users
from app.features.models.model_versions import ModelUpdate
from app.hub.hub_search import FoundRepository, HubQuery
from app.hub.model_files import ModelFile, Repository, quantization_words
from app.hub.protocol import Done, Fetched, Phase
from app.store.database import Database
from app.store.model_uses import ModelUsers, ModelUses

USED_BY = "It was used by: {users}."
OFF_LIST = "Removed {name} from the list. The file wasn’t deleted."
_PHASES: dict[str, Translatable] = {
    "connecting": "Connecting to download {name}",
    "checking": "Checking existing files of {name}",
    "downloading": "Downloading {name}",
    "verifying": "Verifying {name}",
    "waiting": "Waiting to retry {name}",
}

Work = Callable[[ModelCollection, CancelToken, argparse.Namespace], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, work: Work, text: str) -> argparse.ArgumentParser:
        part: argparse.ArgumentParser = parts.add_parser(name, help=text)
        terminal.add_json(part, lambda options: _run_work(work, options))
        return part

    add("list", list_models, tr("list the models on this computer"))
    search = add("search", search_models, tr("search the Hub for models"))
    search.add_argument("text", metavar="TEXT", nargs="+")
    info = add("info", show_repository, tr("show the models in a repository on the Hub"))
    info.add_argument("repo", metavar="REPO", help=tr("such as unsloth/Qwen3.5-4B-GGUF"))
    info.add_argument("--revision", metavar="R", default="", help=tr("a branch, tag or commit"))
    download = add("download", download_model, tr("download a model; resumes if it was interrupted"))
    download.add_argument("repo", metavar="REPO")
    download.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        default="",
        help=tr("a file or a tag such as Q4_K_M; default: the suggested one"),
    )
    download.add_argument("--revision", metavar="R", default="", help=tr("a branch, tag or commit"))
    disk_commands.add_arguments(add, _model_fields)
    updates = add("updates", list_updates, tr("ask the Hub whether it has newer versions of downloaded models"))
    one_only = tr("one model only: name, file name or path")
    updates.add_argument("name", metavar="NAME", nargs="?", default="", help=one_only)
    remove = add("remove", remove_model, tr("move a model to Fireside’s trash"))
    remove.add_argument("name", metavar="NAME", help=tr("its name, file name or path"))


def _run_work(work: Work, options: argparse.Namespace) -> int:
    """Run a command with the models; Ctrl+C ends it with 130 and keeps what is there."""
    with build_models(AppPaths.from_environment()) as models, terminal.interruptible_token() as cancel:
        try:
            code = work(models, cancel, options)
        except AppError:
            if not cancel.cancelled:  # else that is how the network says it was interrupted
                raise
        # With cancelled downloads no error is raised: what is there is kept.
        return terminal.INTERRUPTED if cancel.cancelled else code


def list_models(models: ModelCollection, _cancel: CancelToken, options: argparse.Namespace) -> int:
    """Run `list`: our models first, then those of other programs."""
    rows = [*models.list_installed(), *models.list_others()]
    if options.json:
        terminal.print_json({"models": [_model_fields(row) for row in rows]})
        return 0
    for row in rows:
        size, origin = size_words(row.model.size_bytes), row.model.origin.replace("_", " ")
        print(f"{row.label}, {size}, {origin}: {row.model.path}")
    if not rows:
        print(tr("No models on this computer yet."))
    return 0


def search_models(models: ModelCollection, cancel: CancelToken, options: argparse.Namespace) -> int:
    page = models.hub.search(HubQuery(" ".join(options.text)), cancel)
    if options.json:
        terminal.print_json({"models": [asdict(found) for found in page.found]})
        return 0
    for found in page.found:
        print(_found_words(found))
    if not page.found:
        print(tr("No results."))
    return 0


def show_repository(models: ModelCollection, cancel: CancelToken, options: argparse.Namespace) -> int:
    """Run `info`: the files that can be fetched."""
    repository = models.hub.read_repository(options.repo, options.revision, cancel)
    if options.json:
        terminal.print_json(_repository_fields(repository))
        return 0
    facts = [repository.license or tr("license not stated"), f"commit {repository.commit[:8]}"]
    facts += [tr("its owner requires consent")] * bool(repository.gated)
    print(f"{repository.name}: {join_entries(facts)}")
    for model in repository.models:
        words = join_entries(filter(None, (tr(quantization_words(model.tag)), model.tag)))
        note = "" if model.is_supported else tr("not supported")
        print("  " + join_entries(filter(None, (model.name, size_words(model.size_bytes), words, note))))
    for file in repository.vision:
        print("  " + tr("{name}, {size}, for pictures", name=file.name, size=size_words(file.size_bytes)))
    return 0


def download_model(models: ModelCollection, cancel: CancelToken, options: argparse.Namespace) -> int:
    """`download`: FILE, else the suggested one of the repository, else a balanced one."""
    repository = models.hub.read_repository(options.repo, options.revision, cancel)
    model = pick_file(models.entries, repository, options.file)
    line, start_s, phase = terminal.TerminalProgress(), time.monotonic(), ""
    for event in fetch_model(models, repository, model, cancel):
        match event:
            case Phase():
                phase = tr(_PHASES.get(event.name, "{name}"), name=model.name)
                line.show(phase, f"({event.wait_s:.0f} s)" if event.wait_s else "")
            case Fetched() if event.total_bytes:
                share = event.done_bytes / event.total_bytes
                line.show(phase, tr("{share:.0%} of {size}", share=share, size=size_words(event.total_bytes)))
            case ModelReady():
                line.end()
                _tell_ready(event, time.monotonic() - start_s, options)
            case Done():
                pass  # one of several files
    line.end()
    return 0


def _tell_ready(ready: ModelReady, seconds: float, options: argparse.Namespace) -> None:
    body: dict[str, Any] = {
        "path": str(ready.path),
        "size_bytes": ready.size_bytes,
        "sha256": ready.sha256,
        "resumed_bytes": ready.resumed_bytes,
        "seconds": round(seconds, 3),
    }
    if ready.vision_path is not None:
        body["vision_path"] = str(ready.vision_path)
    if options.json:
        terminal.print_json(body)
    else:
        print(ready.path)


def list_updates(models: ModelCollection, cancel: CancelToken, options: argparse.Namespace) -> int:
    """`updates`: what the Hub has in a newer version; nothing is downloaded."""
    if options.name:
        found = models.versions.find_update(models.find(options.name), cancel)
        updates = [found] if found is not None else []
    else:
        updates = models.versions.find_updates(cancel)
    if options.json:
        terminal.print_json({"updates": [_update_fields(update) for update in updates]})
        return 0
    for update in updates:
        old, new = size_words(update.model.size_bytes), size_words(update.size_bytes)
        said = [tr("{new} instead of {old}", new=new, old=old)]
        said += [tr("changed {day}", day=_day_of(update))] if update.changed_at else []
        print(f"{update.model.path.name}: {join_entries(said)}")
    if not updates:
        print(tr("No newer versions on the Hub."))
    return 0


def _day_of(update: ModelUpdate) -> str:
    return datetime.fromtimestamp(update.changed_at, UTC).date().isoformat()


def _update_fields(update: ModelUpdate) -> dict[str, Any]:
    return {
        "name": update.model.name,
        "path": str(update.model.path),
        "repo": update.model.repo,
        "file": update.file.name,
        "commit": update.repository.commit,
        "size_bytes": update.model.size_bytes,
        "new_size_bytes": update.size_bytes,
        "changed": _day_of(update) if update.changed_at else None,
    }


def remove_model(models: ModelCollection, _cancel: CancelToken, options: argparse.Namespace) -> int:
    """`remove`: by name, file name or path; it stays in the trash for a week."""
    model = models.find(options.name)
    # Looked up before it goes: its label is printed afterwards.
    row = next(row for row in models.list_installed() if row.model.path == model.path)
    # Asked before, as the window does: no setting names it any more afterwards.
    (settings, _), users = models.find_users(model.path), _stored_users(models.around.paths, model.path)
    words = [tr("Moved {name} to Fireside’s trash.", name=row.label)]
    if names := name_users(settings, users):
        words.append(tr(USED_BY, users=join_entries(names)))
    try:
        models.remove(model.path)
    except ModelNotOurs:
        # Models of other programs are not ours to remove; one that was opened is only named in our list.
        if model.origin != OPENED:
            raise
        words = [tr(OFF_LIST, name=row.label)]
    if options.json:
        used_by = {"tasks": [setting.removesuffix("_path") for setting in settings], **asdict(users)}
        terminal.print_json({"models": [_model_fields(row) | {"used_by": used_by}]})
    else:
        print(join_whole_sentences(words))
    return 0


def _stored_users(paths: AppPaths, model: Path) -> ModelUsers:
    """Return the chats, projects and assistants with this model; the collection here has none of them."""
    # A model can be removed though the database can't be opened.
    with suppress(AppError):
        if paths.database.exists():
            with closing(Database.open(paths.database)) as database:
                return ModelUses(database).find_users([str(model)])
    return ModelUsers()


def _model_fields(row: InstalledFile) -> dict[str, Any]:
    model = row.model
    return {
        "name": row.label,
        "path": str(model.path),
        "size_bytes": model.size_bytes,
        "origin": model.origin,
        # Unknown facts are null in JSON, never an empty text.
        "repo": model.repo or None,
        "commit": model.commit or None,
        "sha256": model.sha256 or None,
        "tag": model.tag or None,
        "architecture": model.architecture or None,
        "parts": len(model.parts),
        "vision_path": str(model.vision_path) if model.vision_path else None,
    }


def _repository_fields(repository: Repository) -> dict[str, Any]:
    return {
        "repo": repository.name,
        "commit": repository.commit,
        "license": repository.license or None,
        "gated": repository.gated or None,
        "languages": list(repository.languages),
        "files": [_file_fields(model) for model in repository.models],
        "vision": [asdict(file) for file in repository.vision],
    }


def _file_fields(model: ModelFile) -> dict[str, Any]:
    return {
        "name": model.name,
        "size_bytes": model.size_bytes,
        "sha256": model.parts[0].sha256 or None,
        "tag": model.tag or None,
        "parts": [part.name for part in model.parts],
        "is_supported": model.is_supported,
    }


def _found_words(found: FoundRepository) -> str:
    facts = [tr_count("{count} download", "{count} downloads", found.downloads), found.license]
    facts += [tr("sees pictures")] * found.vision + [tr("requires consent")] * bool(found.gated)
    return f"{found.repo}: {join_entries(filter(None, facts))}"
