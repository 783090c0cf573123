"""Recording: a file that grows while it is lit, whole when it is let go; without a microphone a sentence."""

from __future__ import annotations

import os
import time
import wave
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.core.cage_report import CageWall
from app.core.child import running_children
from app.core.errors.document_errors import MicrophoneMissing
from app.core.events import CancelToken
from app.documents.microphone import RATE_HZ, TRIAL_VARIABLE, Heard
from app.features.transcribe import RecordedFiles, RecordingDone, SoundRecorder
from app.features.trash import TrashBin
from app.store.attachments import Attachments
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.helpers.caged import check_caged


def record(folder: Path, stop: CancelToken) -> Iterator[Heard | RecordingDone]:
    return SoundRecorder(folder / "child", lambda: "Recording").record(folder / "recordings", stop)


def test_what_is_heard_until_it_is_let_go_is_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRIAL_VARIABLE, "null")
    for name in ("Recording.wav", "Recording 2.wav"):
        stop, last = CancelToken(), None
        for event in record(tmp_path, stop):
            last = event
            if isinstance(event, Heard) and event.seconds > 0.5:
                (child,) = running_children()
                check_caged(child.pid)
                assert child.cage is not None and len(child.cage.held) + len(child.cage.missing) == len(CageWall)
                stop.cancel()
        assert isinstance(last, RecordingDone)
        assert last.path == tmp_path / "recordings" / name
        with wave.open(str(last.path), "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
            assert file.getnframes() >= 0.5 * RATE_HZ
        assert last.path.stat().st_mode & 0o077 == 0, "nobody else may listen"


def test_a_slip_of_the_finger_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRIAL_VARIABLE, "null")
    stop = CancelToken()
    stop.cancel()
    assert list(record(tmp_path, stop)) == []
    assert list((tmp_path / "recordings").iterdir()) == []


def test_without_a_microphone_it_is_said(tmp_path: Path) -> None:
    if Path("/dev/snd").exists():
        pytest.skip("this computer has one")
    with pytest.raises(MicrophoneMissing):
        list(record(tmp_path, CancelToken()))
    assert list((tmp_path / "recordings").iterdir()) == []


def test_a_recording_goes_with_the_last_document_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("used", "deleted", "unheard", "old"):
        (folder / f"{name}.wav").write_bytes(b"RIFF")
    os.utime(folder / "old.wav", (1.0, 1.0))
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        ids = [
            store.begin_document(path, 1, 1)
            for path in (Path("/elsewhere/recordings/used.wav"), folder / "deleted.wav")
        ]
        for number in ids:
            store.finish_document(number, format_="sound", unit="minute", pages=1, sha256=f"{number}", info={})
        chat = Conversations(database).create(title="Rent")
        Attachments(database).add_to_draft(chat.id, ids[0])

        def purge(before: float) -> None:
            TrashBin(
                database,
                translations=pytest.fail,
                forget=lambda _session: None,
                began_at=time.time() + 1,
                recordings=lambda: RecordedFiles(folder, store),
            ).purge_older(before)

        purge(1.0)
        assert sorted(path.stem for path in folder.iterdir()) == ["unheard", "used"]
        Conversations(database).delete(chat.id)
        purge(1.0)
        assert sorted(path.stem for path in folder.iterdir()) == ["unheard", "used"], "it can be taken back"
        purge(time.time() + 1)
        assert [path.stem for path in folder.iterdir()] == ["unheard"], "nobody has deleted that one"
