"""A recording heard by a real model in a locked home: neither its sound nor its words lie readable on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.bootstrap import build_program
from app.core.events import CancelToken
from app.core.paths import AppPaths
from app.engine.protocol import Wish
from app.features.document_library import DocumentStored
from app.features.lock.lock_change import set_lock
from app.features.lock.open_copies import close_home, unlock_home
from app.features.transcribe import moved_into
from tests.features.lock.locking_program import PASSPHRASE
from tests.features.lock.test_lock import fast_rounds  # noqa: F401 - a fixture for all tests here
from tests.helpers.sounds import spoken, write_sound
from tests.helpers.tiny_eyes import TONES, make_ear

WAVE_MARK = b"WAVEfmt "
NAME = "Qzanzibarium"


def readable_in(home: Path, *texts: str) -> set[str]:
    """Files with sound, its name or one of the texts in them, as UTF-8 or UTF-16."""
    marks = [WAVE_MARK, *(text.encode(code) for text in (NAME, *texts) for code in ("utf-8", "utf-16-le"))]
    files = [path for path in home.rglob("*") if path.is_file() and path.suffix != ".gguf"]
    return {str(path) for path in files if any(mark in str(path).encode() + path.read_bytes() for mark in marks)}


@pytest.mark.model
def test_nothing_of_a_transcribed_recording_is_readable_in_a_locked_home(
    fresh_home: Path, starter: Path, tmp_path: Path
) -> None:
    build_program().close()
    home = AppPaths.from_environment()
    list(set_lock(home, PASSPHRASE))
    paths, sound = unlock_home(home, PASSPHRASE), spoken((1.0, 1.0), tone_hz=TONES["low"])
    app = build_program(paths)
    try:
        models = paths.models
        models.mkdir(parents=True, exist_ok=True)
        model = Path(shutil.copy(starter, models))
        ear = make_ear(starter, models / "ear.gguf")
        list(app.engine.load(model, Wish(projector=str(ear), context_tokens=256)))
        recording = moved_into(paths.recordings, write_sound(tmp_path / f"{NAME}.wav", sound))
        assert readable_in(paths.recordings) == {str(recording)}, "the open copy, in memory"
        stored = None
        for event in app.documents.read_file(recording, CancelToken()):
            assert readable_in(home.data.parent) == set()
            stored = event.document if isinstance(event, DocumentStored) else None
        assert stored is not None
        said = [block["text"] for block in app.documents.store.read_blocks(stored.id)]
        assert max(map(len, said)) > 5, "it heard something"
    finally:
        app.close()
        close_home(paths)
    assert readable_in(home.data.parent, *said) == set()
    assert paths.unlocked is not None and not paths.unlocked.exists()
    paths = unlock_home(home, PASSPHRASE)
    app = build_program(paths)
    try:
        assert [block["text"] for block in app.documents.store.read_blocks(stored.id)] == said
    finally:
        app.close()
        close_home(paths)
