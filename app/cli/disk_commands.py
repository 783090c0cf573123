"""`models import` and `models export`: models from a file, a folder or a disk, and to one, with their checksums."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

from app.cli import terminal
from app.core.catalogue import Translatable, tr, use_english
from app.core.errors.app_error import AppError
from app.core.events import CancelToken, CopyProgress
from app.core.visible import size_words
from app.features.error_messages import sentence_for
from app.features.models.collection import ModelCollection
from app.features.models.models_on_disks import ModelAdded, ModelRefused
from app.hub.model_disks import DiskContents, DiskModel
from app.hub.model_library import InstalledModel

T = TypeVar("T")
HOW = ("copy", "move", "in_place")
DOING: dict[str, Translatable] = {"copy": "Copying {name}", "move": "Moving {name}", "in_place": "Checking {name}"}
HAS_CHECKSUMS, HAS_NO_CHECKSUMS = "with checksums", "no checksum, so it can’t be checked"
NOT_CHECKED = "{name} was added without a check: the disk has no checksum for it."
ALREADY_HERE = "{name} is already here."


def add_arguments(add: Callable[[str, Any, str], argparse.ArgumentParser], fields: Callable[[Any], Any]) -> None:
    """Add both commands; `fields` writes an installed model as JSON."""
    bring = add(
        "import",
        lambda models, cancel, options: import_models(models, cancel, options, fields),
        tr("add a GGUF file, or all models in a folder or on a disk"),
    )
    bring.add_argument("path", metavar="PATH", type=Path)
    bring.add_argument("--how", choices=HOW, default="copy", help=tr("copy it (default), move it or use it in place"))
    bring.add_argument("--list", action="store_true", help=tr("only list the models there, with their checksums"))
    export = add("export", export_models, tr("copy models to a folder or a disk, with checksums"))
    export.add_argument("names", metavar="MODEL", nargs="+", help=tr("its name, file name or path"))
    export.add_argument("--to", metavar="FOLDER", type=Path, required=True, help=tr("a folder that exists"))


def import_models(
    models: ModelCollection, cancel: CancelToken, options: argparse.Namespace, fields: Callable[[Any], Any]
) -> int:
    """`import`: nothing is half there when it is interrupted; a folder's models are added one by one."""
    source = options.path.expanduser().absolute()
    if not source.is_dir() and not options.list:
        path = _run_steps(models.add(source, options.how, cancel), tr(DOING[options.how], name=source.name))
        return _tell_added(models, [path], [], options, fields) if not cancel.cancelled else terminal.INTERRUPTED
    contents = models.disks.find_models(source, cancel)
    if options.list:
        return _tell_contents(contents, options)
    chosen = []
    for found in contents.models:
        if (same := models.disks.find_same(found)) is not None:
            print(tr(ALREADY_HERE, name=same.label), file=sys.stderr)
        else:
            chosen.append(found)
    added: list[Path] = []
    unchecked: list[str] = []
    problems = list(contents.problems)
    line = terminal.TerminalProgress()
    for event in models.disks.add_models(chosen, options.how, cancel):
        match event:
            case CopyProgress():
                line.show(
                    tr(DOING[options.how], name=event.name), f"{event.done_bytes / max(1, event.total_bytes):.0%}"
                )
            case ModelAdded():
                added.append(event.path)
                unchecked += [] if event.found.is_checked else [event.found.model.name]
            case ModelRefused():
                problems.append(event.error)
    line.end()
    for name in unchecked:
        print(tr(NOT_CHECKED, name=name), file=sys.stderr)
    code = _tell_added(models, added, problems, options, fields)
    return terminal.INTERRUPTED if cancel.cancelled else code


def export_models(models: ModelCollection, cancel: CancelToken, options: argparse.Namespace) -> int:
    """`export`: each model goes to a folder of its own, with SHA256SUMS that `sha256sum -c` reads."""
    target = options.to.expanduser().absolute()
    if not target.is_dir():  # never made: it may be the place of a disk that isn't connected
        print(tr(terminal.NO_FOLDER, path=target), file=sys.stderr)
        return 1
    places = []
    # All names first, so that a wrong one is told before gigabytes are copied.
    chosen: list[InstalledModel] = [models.disks.find_installed(name) for name in options.names]
    for model in chosen:
        place = _run_steps(models.disks.export_model(model, target, cancel), tr(DOING["copy"], name=model.name))
        if place is None:
            return terminal.INTERRUPTED
        places.append(str(place))
    if options.json:
        terminal.print_json({"folders": places})
    else:
        print("\n".join(places))
    return 0


def _run_steps(steps: Generator[CopyProgress, None, T], doing: str) -> T:
    """Show progress until the end; return what the generator returns, which a for loop would drop."""
    line = terminal.TerminalProgress()
    try:
        while True:
            event = next(steps)
            if event.total_bytes:
                line.show(doing, f"{event.done_bytes / event.total_bytes:.0%}")
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        line.end()


def _tell_contents(contents: DiskContents, options: argparse.Namespace) -> int:
    if options.json:
        with use_english():
            problems = [str(sentence_for(error)) for error in contents.problems]
        terminal.print_json({"models": [_disk_fields(found) for found in contents.models], "problems": problems})
        return 0
    for found in contents.models:
        checks = tr(HAS_CHECKSUMS if found.is_checked else HAS_NO_CHECKSUMS)
        print(f"{found.model.name}, {size_words(found.size_bytes)}, {checks}: {found.model.path}")
    _tell_problems(contents.problems)
    return 0


def _disk_fields(found: DiskModel) -> dict[str, Any]:
    return {
        "name": found.model.name,
        "path": str(found.model.path),
        "size_bytes": found.size_bytes,
        "parts": len(found.model.parts),
        "has_checksums": found.is_checked,
        "sha256": found.sums.get(found.model.path),
    }


def _tell_added(
    models: ModelCollection,
    added: list[Path],
    problems: list[AppError],
    options: argparse.Namespace,
    fields: Callable[[Any], Any],
) -> int:
    if options.json:
        rows = [row for row in models.list_installed() if row.model.path in added]
        terminal.print_json({"models": [fields(row) for row in rows]})
    else:
        for path in added:
            print(path)
    _tell_problems(problems)
    return 1 if problems else 0


def _tell_problems(problems: list[AppError] | tuple[AppError, ...]) -> None:
    for error in problems:
        print(sentence_for(error).text, file=sys.stderr)
