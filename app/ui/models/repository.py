"""Page of a Hub repository: description, files with their fit, download."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QAccessible, QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from app.core.errors.app_error import EnvironmentProblem
from app.core.events import CancelToken
from app.features.error_messages import PersonMessage
from app.features.models.estimate import MemoryFit
from app.hub.model_files import ModelFile, Repository
from app.ui.i18n import breakable, sentence_for, tr, tr_count
from app.ui.locale_formats import join_list
from app.ui.model_texts import license_name, model_words
from app.ui.models.fit_foot import FitFoot
from app.ui.models.models_page import Choice, StateView, back_row
from app.ui.models.readme import CardView, read_card
from app.ui.models.repository_files import FileList
from app.ui.screen_reader import read_as
from app.ui.shared_labels import ABOUT_THIS_MODEL, NETWORK_SETTINGS, OPEN_ITS_PAGE, TRY_AGAIN
from app.ui.shell import tasks
from app.ui.shell.notify import describe
from app.ui.shell.tab_spec import UiContext
from app.ui.text.links import ask_to_open
from app.ui.text.markdown import MarkdownBlock
from app.ui.theme import CARD_INSET_PX, EDGE_PX, PAGE_PX
from app.ui.widgets.buttons import text_button
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.layouts import ColumnRow, drop_margins, fill_layout, name_widgets, scrolled
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

ASKS_FOR_YOUR_CONSENT = (
    "This model asks for your consent. Accept its terms on its page on the Hub, then enter your access token "
    "in the network settings."
)
OWNER_DECIDES = "Its owner then decides who gets access."

NO_USABLE_FILE = "Fireside can’t open any of these files."


log = logging.getLogger(__name__)

SLOW_MS = 300
CHOOSING_MS = 150
"""Pause before a chosen file is checked, as arrow keys pass over many."""
NAMED_LANGUAGES = 4
HUB = "https://huggingface.co"


_OpenedRepository = tuple[Repository, ModelFile | None, dict[str, MemoryFit]]
"""With the file to take, and guesses by file."""


class RepositoryPage(QWidget):
    """Page of a repository; `show_repository` drops pending requests for the one before."""

    download_wanted = Signal(object, object, bool)
    """The `Repository`, the `ModelFile`, and whether to download its vision file."""
    back_wanted = Signal()
    _heard = Signal(object)

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        theme = ui.theme
        self._app, self._theme, self._notify = app, theme, ui.notify
        self.name = ""
        self.repository: Repository | None = None
        self.model: ModelFile | None = None
        self._fits: dict[str, MemoryFit] = {}
        self._task: tasks.BackgroundTask | None = None
        self._fit_task: tasks.BackgroundTask | None = None
        self._card_task: tasks.BackgroundTask | None = None
        self._slow = new_timer(self, SLOW_MS, self._show_opening)
        self._chosen = new_timer(self, CHOOSING_MS, self._estimate)
        self._make_parts()
        self._stack = QStackedLayout()
        fill_layout(self._stack, self.state, self._shown())
        fill_layout(drop_margins(QVBoxLayout(self), 0), back_row(theme, self.back, self.hub), (self._stack, 1))
        # The queue calls on its own threads; a signal switches to the window's.
        self._heard.connect(self._show_download, Qt.ConnectionType.QueuedConnection)
        unlisten = app.models.download_changed.listen(self._heard.emit)
        self.destroyed.connect(unlisten)
        theme.dress(self.title, font="title")
        theme.dress(self.facts, self.gate_text, self.card_told, font="row")
        theme.dress(self.versions, self.about, font="section", margins=(0, 12, 0, 0))
        theme.dress(self.back, self.hub, self.gate_page, self.gate_settings, self.card_again, font="control")
        theme.dress(self._lock, picture=("lock-simple", "muted", 20))
        theme.dress(self._holder_row, margins=(EDGE_PX, 6, EDGE_PX, 24), spacing=0)
        theme.dress(self._column, margins=(0, 0, 0, 0), spacing=8)
        theme.dress(self._gate_row, margins=(CARD_INSET_PX, 14, CARD_INSET_PX, 14), spacing=12)

    def show_repository(self, name: str) -> None:
        self._stop_all()
        self.name, self.repository, self.model, self._fits = name, None, None, {}
        self.setAccessibleName(name)
        self.state.show_state("", "", "")
        self._stack.setCurrentIndex(0)
        self._task = tasks.ask(lambda token: self._found(name, token), self, self._on_repository, self._on_failed)
        self._slow.start()

    def _found(self, name: str, cancel: CancelToken) -> _OpenedRepository:
        repository, machine = self._app.models.hub.read_repository(name, "", cancel), self._app.models.machine
        return repository, machine.recommend_file(repository.models), machine.guess_file_fits(repository)

    def _on_repository(self, answer: _OpenedRepository) -> None:
        repository, best, guesses = answer
        self._slow.stop()
        self.repository = repository
        owner, _, name = repository.name.rpartition("/")
        self.title.setText(breakable(name))
        self.facts.setText("  ·  ".join(_facts(repository, owner)))
        self._show_gate(repository)
        self.foot.offer_vision(repository.vision[0] if repository.vision else None)
        is_any = any(model.is_supported for model in repository.models)
        self.files.setVisible(bool(repository.models))
        self.foot.setVisible(is_any)
        self.versions.setText(tr("Versions") if is_any else tr(NO_USABLE_FILE))
        self.files.show_repository(repository, best, guesses)
        self._order_keys()
        self._stack.setCurrentIndex(1)
        self._scroll.verticalScrollBar().setValue(0)
        # The page has the keyboard until there are files to choose from.
        if self.hasFocus():
            self.files.focus_chosen()
        self._ask_card()

    def _order_keys(self) -> None:
        """Put the new file rows into the tab order, behind the head and before the foot."""
        # Qt appends new widgets to the end of the window's order.
        foot = self.foot
        vision = [foot.vision] if foot.vision is not None else []
        buttons = [self.back, self.hub, self.gate_page, self.gate_settings, *self.files.rows, self.files.all]
        for before, after in pairwise([*buttons, self.card_again, foot.exact, foot.retry, *vision, foot.download]):
            QWidget.setTabOrder(before, after)

    def _on_failed(self, error: BaseException) -> None:
        self._slow.stop()
        sentence = _sentence(error)
        choices: list[Choice] = [(tr(TRY_AGAIN), "plain", lambda: self.show_repository(self.name))]
        settings = self._notify.actions.get("network")
        if sentence.action == "network" and settings is not None:
            choices.append((tr(NETWORK_SETTINGS), "quiet", settings))
        kept = sentence.kept
        self.state.show_state("wifi-slash", sentence.text, kept, choices)

    def _on_chosen(self, model: ModelFile) -> None:
        self.model = model
        self.foot.show_file(model)
        self._show_download()
        if (known := self._fits.get(model.name)) is not None:
            self._chosen.stop()
            self.foot.show_fit(known)
        else:
            self._chosen.start()

    def _estimate(self, *, exactly: bool = False) -> None:
        repository, model = self.repository, self.model
        if repository is None or model is None:
            return
        machine = self._app.models.machine
        ask = machine.estimate_exactly if exactly else machine.estimate
        self.foot.show_text(tr("Measuring the memory it needs…") if exactly else tr("Estimating the memory it needs…"))

        def on_fit(fit: MemoryFit) -> None:
            self._fits[model.name] = fit
            self.files.show_fit(model, fit)
            # Another file may have been chosen while this one was estimated.
            if self.model == model:
                self.foot.show_fit(fit)

        def on_failed(error: BaseException) -> None:
            if self.model == model:
                self.foot.show_text(_sentence(error).text, can_retry=True)

        _abandon(self._fit_task)
        self._fit_task = tasks.ask(
            lambda token: ask(repository.name, repository.commit, model, token), self, on_fit, on_failed
        )

    def _ask_card(self) -> None:
        repository = self.repository
        # The card before goes at once; the new one may take a while, or fail.
        self.card.show_blocks([])
        self.about.setVisible(repository is not None and repository.has_card)
        self.card_told.hide()
        self.card_again.hide()
        if repository is None or not repository.has_card:
            return
        self.card_told.setText(tr("Loading the model card…"))
        self.card_told.show()
        self._card_task = tasks.ask(
            lambda token: read_card(self._app.models.hub.read_card(repository.name, repository.commit, token)),
            self, self._on_card, self._on_card_failed,
        )  # fmt: skip

    def _on_card(self, blocks: list[MarkdownBlock]) -> None:
        self.card_told.setText(tr("This repository is empty."))
        self.card_told.setVisible(not blocks)
        self.card.show_blocks(blocks)

    def _on_card_failed(self, error: BaseException) -> None:
        self.card_told.setText(_sentence(error).text)
        self.card_again.show()

    def _stop_all(self) -> None:
        for task in (self._task, self._fit_task, self._card_task):
            _abandon(task)
        self._slow.stop()
        self._chosen.stop()

    def _on_download(self) -> None:
        if self.repository is not None and self.model is not None:
            self.download_wanted.emit(self.repository, self.model, self.foot.with_vision)

    def _show_download(self) -> None:
        if self.repository is None or self.model is None:
            return
        found = [
            download
            for download in self._app.models.downloads.all()
            # The same file in another quantization is another download.
            if download.request.repo == self.repository.name and download.request.files == self.model.parts
        ]
        self.foot.show_download(found[-1] if found else None)

    def _open_on_hub(self) -> None:
        ask_to_open(f"{HUB}/{self.name}", self)

    def _open_settings(self) -> None:
        self._notify.actions["network"]()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Back):
            self.back_wanted.emit()
        else:
            super().keyPressEvent(event)

    def _show_gate(self, repository: Repository) -> None:
        self.gate.setVisible(bool(repository.gated))
        by_hand = tr(OWNER_DECIDES) if repository.gated == "manual" else ""
        text = tr(ASKS_FOR_YOUR_CONSENT)  # fmt: skip
        self.gate_text.setText(f"{text} {by_hand}".strip())
        self.gate_settings.setVisible("network" in self._notify.actions)

    def _show_opening(self) -> None:
        self.state.show_state("", tr("Opening {name}…", name=self.name), "")

    def _make_parts(self) -> None:
        theme = self._theme
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        read_as(self, QAccessible.Role.Grouping)
        self.state = StateView(theme)
        self.back = text_button(tr("Back to results"), "quiet", on_click=self.back_wanted, elides=True)
        self.hub = text_button(tr("Open on the Hub"), "link", on_click=self._open_on_hub)
        self.title, self.facts, self.versions, self.about = (_label() for _ in range(4))
        self.about.setText(tr(ABOUT_THIS_MODEL))
        self.facts.setProperty("kind", "muted")
        self.gate = QFrame()
        self.gate.setObjectName("gated")
        self.gate.setProperty("kind", "card")
        self._lock = QLabel()
        self.gate_text = _label()
        self.gate_page = text_button(tr(OPEN_ITS_PAGE), on_click=self._open_on_hub)
        self.gate_settings = text_button(tr(NETWORK_SETTINGS), "quiet", on_click=self._open_settings)
        self.files = FileList(theme, choose=self._on_chosen)
        self.card = CardView(theme)
        self.card_told = _label()
        self.card_told.setProperty("kind", "muted")
        self.card_again = text_button(tr(TRY_AGAIN), "link", on_click=self._ask_card)
        self.foot = FitFoot(theme)
        self.foot.download.clicked.connect(self._on_download)
        self.foot.download.setToolTip("Ctrl+Enter")
        keys = QShortcut(QKeySequence("Ctrl+Return"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self.foot.download.click)
        self.foot.exact.clicked.connect(lambda: self._estimate(exactly=True))
        self.foot.retry.clicked.connect(lambda: self._estimate())  # noqa: PLW0108 - not with what a click hands over
        name_widgets(
            repository_title=self.title,
            repository_facts=self.facts,
            versions=self.versions,
            about=self.about,
            gate_text=self.gate_text,
            gate_page=self.gate_page,
            gate_settings=self.gate_settings,
            card_told=self.card_told,
            card_again=self.card_again,
        )

    def _shown(self) -> QWidget:
        """Return the scrolling part and the fixed foot."""
        self._holder = QWidget()
        gate_buttons = QHBoxLayout()
        for button in (self.gate_page, self.gate_settings):
            gate_buttons.addWidget(button)
        gate_buttons.addStretch(1)
        gate_words = fill_layout(QVBoxLayout(), self.gate_text, gate_buttons)
        self._gate_row = QHBoxLayout(self.gate)
        fill_layout(self._gate_row, (self._lock, 0, Qt.AlignmentFlag.AlignTop), (gate_words, 1))
        self._column = QVBoxLayout(self._holder)
        for widget in (self.title, self.facts, self.gate, self.versions, self.files, self.about, self.card_told):
            self._column.addWidget(widget)
        fill_layout(self._column, (self.card_again, 0, Qt.AlignmentFlag.AlignLeading), self.card, 1)
        inside = QWidget()
        inside.setObjectName("page")
        self._holder_row = ColumnRow(self._theme, self._holder, inside)
        self._scroll = scrolled(inside)
        fade_ends(self._scroll, self._theme)
        whole = QWidget()
        foot_row = ColumnRow(self._theme, self.foot, most_px=PAGE_PX + 2 * EDGE_PX)
        fill_layout(drop_margins(QVBoxLayout(whole), 0), (self._scroll, 1), foot_row)
        return whole

    def showEvent(self, event: QShowEvent) -> None:
        self._theme.dress_again(self)
        # The direction of the window may have changed while the page was hidden.
        self._theme.dress(self.back, glyph=("arrow-right" if self.isRightToLeft() else "arrow-left", "muted", 16))
        super().showEvent(event)


def _label() -> QLabel:
    return QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)


def _abandon(task: tasks.BackgroundTask | None) -> None:
    if task is not None and not task.done:
        task.abandon()


def _sentence(error: BaseException) -> PersonMessage:
    if not isinstance(error, EnvironmentProblem):
        log.error("defect: %s", describe(error))
    return sentence_for(error)


def _facts(repository: Repository, owner: str) -> list[str]:
    """Return owner, licence, facts from the header, and languages."""
    facts = repository.facts
    numbers = [facts.get(key) for key in ("total", "context_length")]
    total, context = (number if isinstance(number, int) else 0 for number in numbers)
    # QLocale answers "C" for a code that it doesn't know.
    languages = [QLocale.languageToString(QLocale(code).language()) for code in repository.languages]
    named = [name for name in languages if name != "C"][:NAMED_LANGUAGES]
    more = len(repository.languages) - len(named)
    spoken = join_list(named)
    if named and more > 0:
        spoken = tr_count("{names} and {count} more language", "{names} and {count} more languages", more, names=spoken)
    return [
        tr("by {owner}", owner=owner),
        *([license_name(repository.license)] if repository.license else []),
        *model_words(total, str(facts.get("architecture") or ""), context),
        *([spoken] if spoken else []),
    ]
