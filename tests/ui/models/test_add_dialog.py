"""Adding a file: asked once, copied or moved in sight, never half, then opened."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton, QRadioButton
from pytestqt.qtbot import QtBot

from app.core.errors.model_errors import ModelUnreadable
from app.core.errors.saving_errors import DiskFull
from app.core.events import CancelToken, CopyProgress
from app.features.error_messages import sentence_for
from app.ui.models.add_model_file import COPY, COPYING_MODEL, IN_PLACE, MOVE, AddDialog, ModelFileFacts, facts_of_file
from app.ui.models.models_tab import MODEL_ADDED
from app.ui.shared_labels import ADD, CANCEL
from app.ui.theme import Theme
from app.ui.widgets.notice_bar import ProgressNotice
from tests.helpers import gguf_files
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame
from tests.helpers.texts import shows
from tests.helpers.tiny_models import make_tiny

GB = 10**9


class Copier:
    """Stands in for the models: copies half, waits until it may go on, then the rest; notes what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[tuple[Path, str]] = []
        self.may_go_on = threading.Event()
        self.error: Exception | None = None

    def add(self, path: Path, how: str, cancel: CancelToken) -> Generator[CopyProgress, None, Path]:
        self.asked.append((path, how))
        if how == IN_PLACE:
            return path
        yield CopyProgress(500_000_000, 2 * GB, path.name)
        while not self.may_go_on.wait(0.01) and not cancel.cancelled:
            pass
        if self.error is not None:
            raise self.error
        if cancel.cancelled:
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / path.name
        (shutil.copyfile if how == COPY else shutil.move)(path, target)  # type: ignore[operator]
        return target


@pytest.fixture
def copier(frame: Frame, monkeypatch: pytest.MonkeyPatch) -> Copier:
    slow = Copier(frame.paths.models)
    monkeypatch.setattr(frame.models, "add", slow.add)
    return slow


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_tiny("llama", tmp_path / "elsewhere.gguf")


@pytest.fixture
def asked(frame: Frame, copier: Copier, model: Path, qtbot: QtBot) -> Iterator[AddDialog]:
    """The question after a drop."""
    frame.drop(model)
    qtbot.waitUntil(lambda: frame.window.findChild(AddDialog) is not None)
    found = frame.window.findChild(AddDialog)
    assert found is not None
    yield found
    copier.may_go_on.set()


def press(parent: object, text: str, qtbot: QtBot) -> None:
    buttons = parent.findChildren(QPushButton)  # type: ignore[attr-defined]
    button = next(button for button in buttons if button.text() == text and button.isVisible())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_dropped_model_is_copied_in_sight_and_opened(
    asked: AddDialog, frame: Frame, copier: Copier, model: Path, qtbot: QtBot
) -> None:
    assert asked.how == COPY
    press(asked, ADD, qtbot)
    qtbot.waitUntil(lambda: frame.notices == ["Copying elsewhere: 500 MB of 2.0 GB"])
    notice = frame.notice
    assert isinstance(notice, ProgressNotice)
    assert notice.line.value() == 250
    assert clipped_texts(frame.window) == []
    copier.may_go_on.set()
    told = [MODEL_ADDED.format(name="elsewhere")]
    qtbot.waitUntil(lambda: frame.loader.state == "ready" and frame.notices == told)
    assert frame.loader.path == frame.paths.models / "elsewhere.gguf"
    assert model.exists()
    assert frame.settings.models.add_how == "", "asked again the next time"


def test_the_keyboard_chooses_and_do_this_every_time_holds(
    asked: AddDialog, frame: Frame, copier: Copier, model: Path, qtbot: QtBot
) -> None:
    asked.choices[COPY].setFocus()
    for _ in range(2):
        row = asked.focusWidget()
        assert isinstance(row, QRadioButton)
        qtbot.keyClick(row, Qt.Key.Key_Down)
    assert asked.how == IN_PLACE
    asked.always.setFocus()
    qtbot.keyClick(asked.always, Qt.Key.Key_Space)
    qtbot.keyClick(asked, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert (frame.loader.path, frame.settings.models.add_how) == (model, IN_PLACE)
    other = make_tiny("llama", model.with_name("another.gguf"))
    frame.drop(other)
    qtbot.waitUntil(lambda: frame.loader.path == other and frame.loader.state == "ready")
    assert copier.asked == [(model, IN_PLACE), (other, IN_PLACE)]


def test_cancel_in_the_notice_leaves_everything_as_it_was(
    asked: AddDialog, frame: Frame, model: Path, qtbot: QtBot
) -> None:
    qtbot.mouseClick(asked.choices[MOVE], Qt.MouseButton.LeftButton)
    press(asked, ADD, qtbot)
    qtbot.waitUntil(lambda: frame.notices == ["Moving elsewhere: 500 MB of 2.0 GB"])
    press(frame.notify.bar, CANCEL, qtbot)
    qtbot.waitUntil(lambda: frame.notices == [])
    assert model.exists()
    assert frame.loader.state == "asleep"


def test_a_problem_is_a_sentence(asked: AddDialog, frame: Frame, copier: Copier, qtbot: QtBot) -> None:
    copier.error = DiskFull("/models")
    copier.may_go_on.set()
    press(asked, ADD, qtbot)
    qtbot.waitUntil(lambda: len(frame.notices) == 1 and not shows(COPYING_MODEL, frame.notices[0]))
    assert "disk" in frame.notices[0].lower()
    assert frame.loader.state == "asleep"


def test_a_model_that_is_here_already_is_only_opened(frame: Frame, copier: Copier, qtbot: QtBot) -> None:
    frame.paths.models.mkdir(parents=True)
    path = make_tiny("llama", frame.paths.models / "here.gguf")
    frame.drop(path)
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert (frame.loader.path, copier.asked) == (path, [])


def test_a_file_from_the_command_line_is_opened_where_it_is(
    frame: Frame, copier: Copier, model: Path, qtbot: QtBot
) -> None:
    frame.open_files(model)
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert (frame.loader.path, copier.asked) == (model, [])


@pytest.mark.parametrize(
    "refused",
    [
        (b"no model at all", "not_gguf"),
        (gguf_files.vocabulary_only(), "vocabulary_only"),
        (
            gguf_files.padded(gguf_files.header({"general.architecture": "clip"}, [("v.w", (32,), 0, 0)])) + bytes(128),
            "projector",
        ),
    ],
)
def test_a_file_that_is_no_model_is_refused_before_anything_is_asked(
    frame: Frame, copier: Copier, tmp_path: Path, qtbot: QtBot, refused: tuple[bytes, str]
) -> None:
    content, reason = refused
    said = sentence_for(ModelUnreadable("photo.gguf", reason)).text
    path = tmp_path / "photo.gguf"
    path.write_bytes(content)
    frame.drop(path)
    qtbot.waitUntil(lambda: frame.notices != [])
    assert frame.notices == [said]
    assert frame.window.findChild(AddDialog) is None
    assert copier.asked == []


def test_all_files_of_a_model_count(tmp_path: Path) -> None:
    model = make_tiny("llama", tmp_path / "a.gguf")
    eye = tmp_path / "mmproj-a.gguf"
    shutil.copyfile(model, eye)
    facts = facts_of_file(model, tmp_path / "models" / "not yet there")
    assert facts.size_bytes >= model.stat().st_size
    assert facts.is_same_disk
    assert facts.free_bytes > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_does_not_fit_cannot_be_chosen(scheme: str, qtbot: QtBot) -> None:
    dialog = AddDialog(
        Theme(scheme), Path("Qwen3.5-9B-Q4_K_M.gguf"), ModelFileFacts(6 * GB, 4 * GB, is_same_disk=False)
    )
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.choices[COPY].isEnabled()
    assert not dialog.choices[MOVE].isEnabled()
    assert dialog.how == IN_PLACE
    assert "4.0 GB free" in dialog.choices[COPY].accessibleDescription()
    assert clipped_texts(dialog) == []
    on_one_disk = AddDialog(Theme(scheme), Path("a.gguf"), ModelFileFacts(6 * GB, 4 * GB, is_same_disk=True))
    qtbot.addWidget(on_one_disk)
    assert on_one_disk.choices[MOVE].isEnabled()


def test_add_a_file_asks_for_one_and_copies_it_for_real(frame: Frame, model: Path, qtbot: QtBot) -> None:
    frame.app.change_settings("models", add_how=COPY)
    frame.window.files.ask_for_file()
    dialog = frame.window.findChild(QFileDialog, "add_file_dialog")
    assert dialog is not None
    dialog.filesSelected.emit([str(model)])
    dialog.close()
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    assert frame.loader.path is not None
    assert frame.loader.path.is_relative_to(frame.paths.models)
    assert frame.loader.path.read_bytes() == model.read_bytes()
    assert frame.loader.path in [each.model.path for each in frame.models.list_installed()]
