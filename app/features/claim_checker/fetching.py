"""Fetches the claim checker that is offered, through the program's one door to the Hub, and makes it ready for use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from app.core.errors.hub_errors import FileNotOnHub
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, replace
from app.core.paths import AppPaths
from app.features.claim_checker.conversion import CONVERTED, convert_checker
from app.features.models.collection import ModelCollection
from app.features.models.fetch_model import fetch_file
from app.hub.model_files import UNCONVERTED
from app.hub.protocol import ChildEvent, Done, Fetched

REPOSITORY = "KRLabsOrg/tinylettuce-ettin-68m-en"
NAME = "TinyLettuce 68M"
LANGUAGES = ("en",)
SIZE_BYTES = 275_000_000
"""About so much: 68 million weights of 32 bits, and a vocabulary."""
OFFER_WORDS = "Marks statements that the document doesn’t support."
OFFER_LIMITS = "English only. It can be wrong: its makers measured 75 of 100 (F1 on RAGTruth)."


@dataclass(frozen=True)
class CheckerReady:
    """Event: the converted checker is at `path`."""

    path: Path


def fetch_checker(models: ModelCollection, paths: AppPaths, cancel: CancelToken) -> Iterator[ChildEvent | CheckerReady]:
    """Fetch and convert the checker, with progress over all files.

    Cancelled, partial files are kept for next time. Raises the errors of Hub and network, FileNotOnHub, and
    ModelUnreadable for another kind of model.
    """
    repository = models.hub.read_repository(REPOSITORY, "", cancel)
    if not (files := repository.unconverted):
        raise FileNotOnHub(REPOSITORY, UNCONVERTED[-1])
    total, before = sum(file.size_bytes for file in files), 0
    fetched: list[Path] = []
    for number, file in enumerate(files):
        # What is still to come has to fit on the disk, too.
        left = sum(remote_file.size_bytes for remote_file in files[number + 1 :])
        for event in fetch_file(models, repository, file, left, cancel, folder=paths.checker):
            if isinstance(event, Fetched):
                yield replace(event, done_bytes=before + event.done_bytes, total_bytes=total)
            elif isinstance(event, Done):
                fetched.append(Path(event.path))
            else:
                yield event
        # A file that was cancelled in the middle.
        if cancel.cancelled or len(fetched) <= number:
            return
        before += file.size_bytes
    ready = convert_checker(fetched[0].parent, paths.checker / CONVERTED, LANGUAGES)
    shutil.rmtree(fetched[0].parent, ignore_errors=True)  # all of it is in the converted file
    yield CheckerReady(ready)


def remove_checker(paths: AppPaths) -> None:
    """Delete what was fetched. Raises nothing: what cannot be deleted stays."""
    shutil.rmtree(paths.checker, ignore_errors=True)
