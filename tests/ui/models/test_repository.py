"""One repository: words for its files, a fit for the chosen one, what gates it, its card, and Download."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QTextBrowser

from app.core.errors.hub_errors import HubUnreachable, RepositoryMissing
from app.features.error_messages import sentence_for
from app.features.models.estimate import MemoryFit
from app.ui.model_texts import CONTEXT_SIZE
from app.ui.models.fit_foot import DOWNLOADING_PERCENT, FIT_MEASURED, IN_DOWNLOADS, WITH_PICTURES
from app.ui.models.repository import ASKS_FOR_YOUR_CONSENT, NO_USABLE_FILE, OWNER_DECIDES, RepositoryPage
from app.ui.models.repository_files import IN_PARTS, PARTS_CANNOT_BE_OPENED
from app.ui.shared_labels import DOWNLOAD_SIZE, ON_THIS_COMPUTER, PARAMETER_COUNT, TRY_AGAIN
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.models import RepositoryDesk
from tests.helpers.texts import shows
from tests.ui.models.search_parts import ScriptedApp, model_file, repository
from tests.ui.models.stand_in import context


class Desk(RepositoryDesk):
    """A page that is shown, with what is behind it."""

    app: ScriptedApp

    def __init__(self, application: QApplication) -> None:
        self.theme = Theme("light")
        self.theme.install(application)
        app, notify = ScriptedApp(), Notify(self.theme)
        super().__init__(RepositoryPage(app, context(self.theme, notify)), app, notify)  # type: ignore[arg-type]
        self.root.resize(900, 640)
        self.root.show()

    def open(self, **facts: object) -> None:
        self.models.answers["repository"] = lambda name: repository(name, **facts)
        self.root.show_repository("unsloth/Qwen3.5-9B-GGUF")
        self.wait(lambda: self.repository is not None)

    def open_and_wait(self, **facts: object) -> None:
        self.open(**facts)
        self.wait(lambda: "needs" in self.fit.text() and not len(tasks.running))

    def asked(self, kind: str) -> list[object]:
        return [about for each, about in self.models.asked if each == kind]


@pytest.fixture
def desk(qapp: QApplication) -> Iterator[Desk]:
    parts = Desk(qapp)
    yield parts
    if parts.models.held is not None:
        parts.models.held.set()
    assert tasks.running.stop_all(60)
    tasks.running.reopen()
    parts.root.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert parts.models.listeners == []
    qapp.setStyleSheet("")


def test_what_it_says(desk: Desk) -> None:
    desk.open_and_wait()
    assert desk.title.text() == "Qwen3.5-9B-GGUF"
    for part in (
        "by unsloth",
        "Apache-2.0",
        PARAMETER_COUNT.format(count="8.9B"),
        CONTEXT_SIZE.format(n="256k"),
        "English",
        "and 2 more languages",
    ):
        assert part in desk.facts.text()
    assert not desk.gate.isVisible()
    assert clipped_texts(desk.root) == []


def test_words_come_first_and_one_of_each_at_first(desk: Desk) -> None:
    desk.open_and_wait()
    assert "Balanced, Q4_K_M, 5.7 GB, Recommended" in desk.rows
    assert len(desk.rows) == 7
    spoken = {row.model.tag: row.accessibleDescription() for row in desk.file_rows}
    assert spoken["Q8_0"].startswith("Slow · needs about 9.9 GB")
    desk.wait(lambda: desk.file_rows[desk.rows.index("Balanced, Q4_K_M, 5.7 GB, Recommended")].accessibleDescription()
              == "Runs well · needs 7.4 GB")  # fmt: skip
    assert desk.chosen == "Q4_K_M"
    assert desk.file_name.text() == "Balanced (Q4_K_M)"
    desk.click(desk.all_files)
    assert len(desk.rows) == 9
    assert desk.chosen == "Q4_K_M"


def test_the_fit_of_the_chosen_file_in_words_and_colour(desk: Desk) -> None:
    desk.open_and_wait()
    assert desk.fit.text() == "Runs well · needs 7.4 GB"
    assert desk.fit.property("tone") == "success"
    assert desk.download.property("kind") == "primary"
    QTest.mouseClick(desk.file_rows[-1], Qt.MouseButton.LeftButton)
    desk.wait(lambda: desk.fit.text() == "Too large · needs 23.3 GB, 9.8 GB free")
    assert desk.fit.property("tone") == "warning"
    assert desk.download.property("kind") == "plain"


def test_arrows_choose_and_only_where_they_stop_is_asked(desk: Desk) -> None:
    desk.open_and_wait()
    desk.files.focus_chosen()
    for _ in range(3):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Down)
    assert desk.chosen == "Q8_0"
    desk.wait(lambda: desk.asked("estimate")[-1] == "Q8_0")
    assert desk.asked("estimate") == ["Q4_K_M", "Q8_0"]
    desk.wait(lambda: "needs" in desk.fit.text())
    for _ in range(3):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Up)
    assert desk.fit.text() == "Runs well · needs 7.4 GB"  # known, so nothing is asked
    assert desk.asked("estimate") == ["Q4_K_M", "Q8_0"]


def test_asking_exactly(desk: Desk) -> None:
    desk.open_and_wait()
    desk.click(desk.exact)
    desk.wait(lambda: shows(FIT_MEASURED, desk.fit.text()))
    assert desk.asked("exact") == ["Q4_K_M"]
    assert not desk.exact.isVisible()
    desk.models.answers["exact"] = lambda _: MemoryFit("well", 1, 2, 3)
    QTest.mouseClick(desk.file_rows[0], Qt.MouseButton.LeftButton)
    desk.wait(desk.exact.isVisible)


def test_an_estimate_that_fails_says_so_beside_the_file(desk: Desk) -> None:
    error = HubUnreachable("huggingface.co", "timeout")
    desk.models.answers["estimate"] = _raises(error)
    desk.open()
    desk.wait(desk.retry.isVisible)
    assert desk.fit.text() == sentence_for(error).text
    assert desk.download.isEnabled()
    del desk.models.answers["estimate"]
    desk.click(desk.retry)
    desk.wait(lambda: desk.fit.text() == "Runs well · needs 7.4 GB")


def test_the_picture_file_is_taken_along_unless_unticked(desk: Desk) -> None:
    desk.open_and_wait()
    assert desk.pictures is not None
    assert desk.pictures.accessibleName() == WITH_PICTURES.format(size="800 MB")
    assert desk.download.text() == DOWNLOAD_SIZE.format(size="6.5 GB")
    with desk.hears(desk.root.download_wanted) as told:
        desk.click(desk.download)
    assert told == [(desk.repository, desk.model, True)]
    desk.pictures.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(desk.pictures, Qt.Key.Key_Space)
    assert desk.download.text() == DOWNLOAD_SIZE.format(size="5.7 GB")
    with desk.hears(desk.root.download_wanted) as told:
        desk.download.setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClick(desk.download, Qt.Key.Key_Space)
    ((*_, with_pictures),) = told
    assert with_pictures is False
    desk.open_and_wait(vision=())
    assert desk.pictures is None
    assert desk.download.text() == DOWNLOAD_SIZE.format(size="5.7 GB")


@pytest.mark.parametrize(
    ("state", "word"),
    [("queued", IN_DOWNLOADS), ("running", DOWNLOADING_PERCENT.format(percent=43)), ("done", ON_THIS_COMPUTER)],
)
def test_what_the_queue_says_of_the_file(desk: Desk, state: str, word: str) -> None:
    desk.open_and_wait()
    assert desk.repository is not None
    assert desk.model is not None
    request = SimpleNamespace(repo=desk.repository.name, files=desk.model.parts)
    desk.models.queue.append(SimpleNamespace(request=request, state=state, done_bytes=433, total_bytes=1000))
    teller = threading.Thread(target=lambda: desk.models.listeners[0](object()))  # as the queue does
    teller.start()
    teller.join()
    desk.wait(lambda: desk.download.text() == word)
    assert not desk.download.isEnabled()
    QTest.mouseClick(desk.file_rows[0], Qt.MouseButton.LeftButton)
    assert desk.download.isEnabled()
    assert desk.download.text() == DOWNLOAD_SIZE.format(size="4.7 GB")


@pytest.mark.parametrize(("gated", "by_hand"), [("auto", False), ("manual", True)])
def test_a_gated_one_says_what_to_do(desk: Desk, gated: str, by_hand: bool) -> None:
    pressed: list[str] = []
    desk.notify.actions["network"] = lambda: pressed.append("network")
    desk.open_and_wait(gated=gated)
    assert desk.gate.isVisible()
    assert shows(ASKS_FOR_YOUR_CONSENT, desk.gate_text.text())
    assert (shows(OWNER_DECIDES, desk.gate_text.text())) == by_hand
    desk.click(desk.gate_settings)
    assert pressed == ["network"]
    desk.click(desk.gate_page)
    box = desk.root.findChild(QMessageBox)
    assert box.informativeText() == "https://huggingface.co/unsloth/Qwen3.5-9B-GGUF"
    box.reject()
    assert clipped_texts(desk.root) == []


def test_splits_and_what_cannot_be_opened(desk: Desk) -> None:
    models = (model_file("Q4_K_M", 9_000_000_000, parts=3), model_file("Q8_0", 10**10, is_supported=False))
    desk.open(models=models, vision=())
    desk.wait(lambda: bool(desk.fit.text()))
    assert desk.rows[0].endswith(IN_PARTS.format(count=3))
    assert shows(PARTS_CANNOT_BE_OPENED, desk.rows[1])
    assert not desk.file_rows[1].isEnabled()
    assert desk.chosen == "Q4_K_M"
    desk.open(models=(models[1],))
    desk.wait(lambda: not desk.foot.isVisible())
    assert desk.versions.text() == NO_USABLE_FILE
    desk.open(models=())
    desk.wait(lambda: not desk.files.isVisible())


def test_the_card_is_below_and_its_failure_is_its_own(desk: Desk) -> None:
    desk.models.answers["card"] = _raises(HubUnreachable("huggingface.co", "garbage"))
    desk.open_and_wait()
    desk.wait(lambda: desk.card_again.isVisibleTo(desk.root))
    assert sentence_for(HubUnreachable("huggingface.co", "garbage")).text in desk.card_told.text()
    desk.models.answers["card"] = lambda _: "# A card\n\nwith <b>words</b>"
    desk.click(desk.card_again)
    desk.wait(lambda: bool(desk.card.findChildren(QTextBrowser)))
    assert desk.card.findChildren(QTextBrowser)[0].toPlainText() == "A card\nwith words"
    assert not desk.card_told.isVisibleTo(desk.root)
    desk.open_and_wait(has_card=False)
    assert not desk.about.isVisibleTo(desk.root)


def test_a_repository_that_is_not_there(desk: Desk) -> None:
    desk.models.answers["repository"] = _raises(RepositoryMissing("a/b"))
    desk.root.show_repository("a/b")
    missing = sentence_for(RepositoryMissing("a/b")).text
    desk.wait(lambda: missing in desk.said)
    del desk.models.answers["repository"]
    desk.press_button(TRY_AGAIN)
    desk.wait(lambda: desk.repository is not None)


def test_nothing_is_clipped(desk: Desk) -> None:
    desk.theme.zoom = 1.5
    desk.root.resize(440, 640)
    desk.open_and_wait(gated="manual")
    assert clipped_texts(desk.root) == []


def _raises(error: BaseException):  # type: ignore[no-untyped-def]
    def answer(_about: object) -> None:
        raise error

    return answer
