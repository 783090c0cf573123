"""Page of a Hub repository: description, files with their fit, download."""

from __future__ import annotations

import logging
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QSizePolicy,
    QStackedLayout,
    QStyle,
    QVBoxLayout,
    QWidget,
)

from app.core import errors
from app.core.events import CancelToken
from app.features.error_messages import PersonMessage
from app.features.models.choice import representative_files
from app.features.models.estimate import TOO_LARGE, MemoryFit, fit_words, pace_words
from app.hub.model_files import ModelFile, RemoteFile, Repository, quantization_words
from app.ui.i18n import breakable, sentence_for, size_text, tr
from app.ui.model_texts import license_name, model_words
from app.ui.models.models_page import Choice, StateView
from app.ui.models.readme import CardView, read_card
from app.ui.shared_labels import (
    ABOUT_THIS_MODEL,
    DOWNLOAD,
    DOWNLOAD_SIZE,
    NETWORK_SETTINGS,
    ON_THIS_COMPUTER,
    OPEN_ITS_PAGE,
    TRY_AGAIN,
)
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words
from app.ui.shell.notify import describe
from app.ui.shell.tab_spec import UiContext
from app.ui.text.links import ask_to_open
from app.ui.text.markdown import MarkdownBlock
from app.ui.theme import EDGE_PX, PAGE_PX, TOP_PX, Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.input_fields import CheckRow, DrawnButton
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.layouts import name_widgets, scrolled

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.hub.download import Download

ASKS_FOR_YOUR_CONSENT = (
    "This model asks for your consent. Accept its terms on its page on the Hub, then enter your access token "
    "in the network settings."
)
PARTS_CANNOT_BE_OPENED = "Can’t be opened: its parts are in an old format or incomplete"
OWNER_DECIDES = "Its owner then decides who gets access."
FIT_MEASURED = "{fit} · measured"

WITH_PICTURES = "With picture support, +{size}"
IN_PARTS = "in {n} parts"
NO_USABLE_FILE = "Fireside can’t open any of these files."
IN_DOWNLOADS = "In Downloads"
DOWNLOADING_PERCENT = "Downloading, {percent} %"
RECOMMENDED = "Recommended"


log = logging.getLogger(__name__)

SLOW_MS = 300
CHOOSING_MS = 150
"""Pause before a chosen file is checked, as arrow keys pass over many."""
NAMED_LANGUAGES = 4
HUB = "https://huggingface.co"


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
        self._slow = QTimer(self, singleShot=True, interval=SLOW_MS)
        self._slow.timeout.connect(lambda: self.state.show_state("", tr("Opening {name}…", name=self.name), ""))
        self._chosen = QTimer(self, singleShot=True, interval=CHOOSING_MS)
        self._chosen.timeout.connect(self._estimate)
        self._make_parts()
        self._stack = QStackedLayout()
        self._stack.addWidget(self.state)
        self._stack.addWidget(self._shown())
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.setSpacing(0)
        around.addWidget(self._head())
        around.addLayout(self._stack, 1)
        # The queue calls on its own threads; a signal switches to the window's.
        self._heard.connect(self._show_download, Qt.ConnectionType.QueuedConnection)
        unlisten = app.models.listen(self._heard.emit)
        self.destroyed.connect(unlisten)
        theme.dress(self.title, font=(21, 600))
        theme.dress(self.facts, self.gate_text, self.card_told, font=(14, 400))
        theme.dress(self.versions, self.about, font=(14, 600), margins=(0, 12, 0, 0))
        theme.dress(self.back, self.hub, self.gate_page, self.gate_settings, self.card_again, font=(13.5, 500))
        theme.dress(self._lock, picture=("lock-simple", "muted", 20))
        theme.dress(self._holder, most_width=PAGE_PX)
        theme.dress(self._head_row, margins=(EDGE_PX - 14, TOP_PX, EDGE_PX, 4))
        theme.dress(self._holder_row, margins=(EDGE_PX, 6, EDGE_PX, 24), spacing=0)
        theme.dress(self._column, margins=(0, 0, 0, 0), spacing=8)
        theme.dress(self._gate_row, margins=(18, 14, 18, 14), spacing=12)

    def show_repository(self, name: str) -> None:
        self._stop_all()
        self.name, self.repository, self.model, self._fits = name, None, None, {}
        self.state.show_state("", "", "")
        self._stack.setCurrentIndex(0)
        self._task = tasks.ask(lambda token: self._found(name, token), self, self._on_repository, self._on_failed)
        self._slow.start()

    # Requests, each on a thread.

    def _found(self, name: str, cancel: CancelToken) -> tuple[Repository, ModelFile | None]:
        repository = self._app.models.hub.read_repository(name, "", cancel)
        return repository, self._app.models.machine.recommend_file(repository.models)

    def _on_repository(self, answer: tuple[Repository, ModelFile | None]) -> None:
        repository, best = answer
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
        self.files.show_repository(repository, best)
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
        kept = tr(sentence.kept) if sentence.kept else ""
        self.state.show_state("wifi-slash", tr(sentence.text), kept, choices)

    def _on_chosen(self, model: ModelFile) -> None:
        self.model = model
        self.foot.show_file(model)
        self._show_download()
        known = self._fits.get(model.name)
        if known is not None:
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
            # Another file may have been chosen while this one was estimated.
            if self.model == model:
                self.foot.show_fit(fit)

        def on_failed(error: BaseException) -> None:
            if self.model == model:
                self.foot.show_text(tr(_sentence(error).text), can_retry=True)

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
        self.card_told.setText(tr(_sentence(error).text))
        self.card_again.show()

    def _stop_all(self) -> None:
        for task in (self._task, self._fit_task, self._card_task):
            _abandon(task)
        self._slow.stop()
        self._chosen.stop()

    # Actions.

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

    # Display.

    def _show_gate(self, repository: Repository) -> None:
        self.gate.setVisible(bool(repository.gated))
        by_hand = tr(OWNER_DECIDES) if repository.gated == "manual" else ""
        text = tr(ASKS_FOR_YOUR_CONSENT)  # fmt: skip
        self.gate_text.setText(f"{text} {by_hand}".strip())
        self.gate_settings.setVisible("network" in self._notify.actions)

    def _make_parts(self) -> None:
        theme = self._theme
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.state = StateView(theme)
        self.back = text_button(tr("Back to results"), "quiet")
        self.back.clicked.connect(self.back_wanted)
        self.hub = text_button(tr("Open on the Hub"), "link")
        self.hub.clicked.connect(self._open_on_hub)
        self.title, self.facts, self.versions, self.about = (_label() for _ in range(4))
        self.about.setText(tr(ABOUT_THIS_MODEL))
        self.facts.setProperty("kind", "muted")
        self.gate = QFrame()
        self.gate.setObjectName("gated")
        self.gate.setProperty("kind", "card")
        self._lock = QLabel()
        self.gate_text = _label()
        self.gate_page = text_button(tr(OPEN_ITS_PAGE))
        self.gate_page.clicked.connect(self._open_on_hub)
        self.gate_settings = text_button(tr(NETWORK_SETTINGS), "quiet")
        self.gate_settings.clicked.connect(self._open_settings)
        self.files = FileList(theme)
        self.files.chosen.connect(self._on_chosen)
        self.card = CardView(theme)
        self.card_told = _label()
        self.card_told.setProperty("kind", "muted")
        self.card_again = text_button(tr(TRY_AGAIN), "link")
        self.card_again.clicked.connect(self._ask_card)
        self.foot = FitFoot(theme)
        self.foot.download_wanted.connect(self._on_download)
        self.foot.download.setToolTip("Ctrl+Enter")
        keys = QShortcut(QKeySequence("Ctrl+Return"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self.foot.download.click)
        self.foot.exact_wanted.connect(lambda: self._estimate(exactly=True))
        self.foot.retry_wanted.connect(self._estimate)
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

    def _head(self) -> QWidget:
        head = QWidget()
        self._head_row = QHBoxLayout(head)
        self._head_row.addWidget(self.back)
        self._head_row.addStretch(1)
        self._head_row.addWidget(self.hub)
        return head

    def _shown(self) -> QWidget:
        """Return the scrolling part and the fixed foot."""
        self._holder = QWidget()
        gate_buttons = QHBoxLayout()
        for button in (self.gate_page, self.gate_settings):
            gate_buttons.addWidget(button)
        gate_buttons.addStretch(1)
        gate_words = QVBoxLayout()
        gate_words.addWidget(self.gate_text)
        gate_words.addLayout(gate_buttons)
        self._gate_row = QHBoxLayout(self.gate)
        self._gate_row.addWidget(self._lock, 0, Qt.AlignmentFlag.AlignTop)
        self._gate_row.addLayout(gate_words, 1)
        self._column = QVBoxLayout(self._holder)
        for widget in (self.title, self.facts, self.gate, self.versions, self.files, self.about, self.card_told):
            self._column.addWidget(widget)
        self._column.addWidget(self.card_again, 0, Qt.AlignmentFlag.AlignLeading)
        self._column.addWidget(self.card)
        self._column.addStretch(1)
        inside = QWidget()
        inside.setObjectName("page")
        self._holder_row = QHBoxLayout(inside)
        # Up to its greatest width the column takes everything; what is left goes to the end.
        self._holder_row.addWidget(self._holder, 1000)
        self._holder_row.addStretch(1)
        self._scroll = scrolled(inside)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._scroll, 1)
        column.addWidget(self.foot)
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
    if not isinstance(error, errors.EnvironmentProblem):
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
    spoken = ", ".join(named) + (tr(" and {n} more languages", n=more) if named and more > 0 else "")
    return [
        tr("by {owner}", owner=owner),
        license_name(repository.license) if repository.license else tr("no license given"),
        *model_words(total, str(facts.get("architecture") or ""), context),
        *([spoken] if spoken else []),
    ]


# Files of a repository: quantization in words first, then tag and size.


ROW_PX, MARK_PX = 42, 18
FEW = 5
"""Up to this number, all files are shown at once."""


def file_words(model: ModelFile) -> tuple[str, str]:
    """Return a file's label: quantization in words and its tag, or its name if the tag is unknown."""
    words = tr(quantization_words(model.tag)) if model.tag else ""
    if words:
        return words[:1].upper() + words[1:], model.tag
    return PurePosixPath(model.name).name.removesuffix(".gguf"), model.tag


class FileRow(DrawnButton, QRadioButton):
    """Row of a file, read by screen readers as a radio button with all painted text."""

    def __init__(self, theme: Theme, model: ModelFile, *, is_recommended: bool) -> None:
        super().__init__()
        self._theme, self.model, self.is_recommended = theme, model, is_recommended
        self._words, self._tag = file_words(model)
        parts = len(model.parts)
        self._size = size_text(model.size_bytes)
        self._note = (
            tr(PARTS_CANNOT_BE_OPENED) if not model.is_supported else tr(IN_PARTS, n=parts) if parts > 1 else ""
        )
        said = [self._words, self._tag, self._size, tr(RECOMMENDED) if is_recommended else "", self._note]
        self.setAccessibleName(", ".join(part for part in said if part))
        self.setToolTip(model.name)
        self.setEnabled(model.is_supported)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), self._theme.px(ROW_PX))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px = self._theme.tokens, self._theme.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        around = QRectF(self.rect()).adjusted(px(4), 1, -px(4), -1)
        painter.setPen(QPen(QColor(tokens.focus), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
        is_lit = self.isChecked() or (self.underMouse() and self.isEnabled())
        painter.setBrush(QColor(tokens.bubble) if is_lit else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(around, px(8), px(8))
        self._paint_mark(painter)
        colour = tokens.text if self.isEnabled() else tokens.muted
        x, end = px(46), self.width() - px(18)
        font = self._theme.font
        # The size first, from the end: what is left is shared by the words.
        at_end = QRect(x, 0, end - x, self.height())
        end -= self._write(painter, self._size, font(13.5, 500), at_end, colour, at_end=True) + px(12)
        for text, look, tone in (
            (self._words, font(14.5, 600 if self.isChecked() else 500), colour),
            (self._tag, font(13), tokens.muted),
        ):
            x += self._write(painter, text, look, QRect(x, 0, end - x, self.height()), tone) + px(10)
        if self.is_recommended:
            x += self._paint_chip(painter, tr(RECOMMENDED), x, end)
        if self._note:
            self._write(painter, self._note, font(13), QRect(x, 0, end - x, self.height()), tokens.muted)

    def _paint_mark(self, painter: QPainter) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        edge = px(MARK_PX)
        mark = QRectF(self._mirrored(QRect(px(16), (self.height() - edge) // 2, edge, edge))).adjusted(
            0.5, 0.5, -0.5, -0.5
        )
        is_on = self.isChecked()
        painter.setPen(
            QPen(QColor(tokens.accent if is_on else tokens.outline if self.isEnabled() else tokens.line), 1.2)
        )
        painter.setBrush(QColor(tokens.accent if is_on else tokens.surface))
        painter.drawEllipse(mark)
        if is_on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.on_accent))
            painter.drawEllipse(QPointF(mark.center()), mark.width() * 0.2, mark.width() * 0.2)

    def _paint_chip(self, painter: QPainter, text: str, x: int, end: int) -> int:
        """Paint a chip; return its width, 0 if it doesn't fit."""
        tokens, px = self._theme.tokens, self._theme.px
        painter.setFont(self._theme.font(12, 600))
        width = painter.fontMetrics().horizontalAdvance(text) + px(18)
        # Rather no chip than half a word in one.
        if x + width > end:
            return 0
        chip = self._mirrored(QRect(x, (self.height() - px(22)) // 2, width, px(22)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.chip))
        painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
        painter.setPen(QColor(tokens.accent))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
        return width + px(10)

    def _write(
        self, painter: QPainter, text: str, font: QFont, room: QRect, colour: str, *, at_end: bool = False
    ) -> int:
        """Paint a line of text, elided to the room; return its width."""
        painter.setFont(font)
        painter.setPen(QColor(colour))
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, max(0, room.width()))
        start = QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeading)
        end = QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignTrailing)
        how = (end if at_end else start) | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self._mirrored(room), how, shown)
        return metrics.horizontalAdvance(shown)

    def _mirrored(self, rect: QRect) -> QRect:
        return QStyle.visualRect(self.layoutDirection(), self.rect(), rect)


class FileList(QFrame):
    """List of files, one per quantization first; `chosen` follows the arrow keys."""

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("file_list")
        self.setProperty("kind", "card")
        self.setAccessibleName(tr("Versions"))
        self.rows: list[FileRow] = []
        self._models: tuple[ModelFile, ...] = ()
        self._recommended: ModelFile | None = None
        self._group = QButtonGroup(self)
        self._group.buttonToggled.connect(self._on_toggled)
        self.all = text_button("", "link")
        self.all.clicked.connect(self._show_all)
        self._column = QVBoxLayout(self)
        self._last = QHBoxLayout()
        self._last.addWidget(self.all)
        self._last.addStretch(1)
        self._column.addLayout(self._last)
        theme.dress(self.all, font=(13.5, 500))
        theme.dress(self._column, margins=(4, 7, 4, 7), spacing=1)
        theme.dress(self._last, margins=(41, 0, 0, 0))
        name_widgets(all_files=self.all)

    def show_repository(self, repository: Repository, recommended: ModelFile | None) -> None:
        """Show a repository's files and choose the recommended one, else the smallest."""
        self._models, self._recommended = repository.models, recommended
        few = list(repository.models) if len(repository.models) <= FEW else representative_files(repository.models)
        if recommended is not None and recommended not in few:
            # In the repository's order again.
            few = [model for model in repository.models if model in few or model == recommended]
        self._show(few, recommended or next((model for model in few if model.is_supported), None))
        self.all.setText(tr("Show all {n} versions", n=len(self._models)))
        self.all.setAccessibleName(self.all.text())
        self.all.setVisible(len(few) < len(self._models))

    def focus_chosen(self) -> None:
        for row in self.rows:
            if row.isChecked():
                row.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_all(self) -> None:
        chosen = next((row.model for row in self.rows if row.isChecked()), None)
        self._show(list(self._models), chosen)
        self.all.hide()
        self.focus_chosen()

    def _show(self, models: list[ModelFile], chosen: ModelFile | None) -> None:
        for row in self.rows:
            self._group.removeButton(row)
            # Out of the layout at once; deletion waits for the event loop.
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        for index, model in enumerate(models):
            row = FileRow(self._theme, model, is_recommended=model == self._recommended)
            self.rows.append(row)
            self._group.addButton(row)
            self._column.insertWidget(index, row)
            if model == chosen:
                row.setChecked(True)

    def _on_toggled(self, row: object, checked: bool) -> None:
        # Of two rows that change, only the one that is chosen now counts.
        if checked and isinstance(row, FileRow):
            self.chosen.emit(row.model)


# Fixed foot of a repository: chosen file, fit, Download.


class FitFoot(QFrame):
    """Foot with fit and download button; requests are made by the page."""

    download_wanted = Signal()
    exact_wanted = Signal()
    retry_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("fit_foot")
        self._model: ModelFile | None = None
        self._vision: RemoteFile | None = None
        self._mark = ""
        self.name = ElidedLabel()
        self._glyph = QLabel()
        self.fit = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.exact = text_button(tr("Measure exactly"), "link")
        self.exact.setToolTip(tr("Read the start of the file to calculate the memory it needs"))
        self.exact.clicked.connect(self.exact_wanted)
        self.retry = text_button(tr(TRY_AGAIN), "link")
        self.retry.clicked.connect(self.retry_wanted)
        self.vision: CheckRow | None = None
        self.download = text_button(tr(DOWNLOAD), "primary")
        self.download.clicked.connect(self.download_wanted)
        self._fit_row = QHBoxLayout()
        self._fit_row.addWidget(self._glyph)
        self._fit_row.addWidget(self.fit, 1)
        self._words = QVBoxLayout()
        self._words.addWidget(self.name)
        self._words.addLayout(self._fit_row)
        self._upper = QHBoxLayout()
        self._upper.addLayout(self._words, 1)
        for button in (self.exact, self.retry, self.download):
            self._upper.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._upper)
        theme.dress(self.name, font=(14.5, 600))
        theme.dress(self.exact, self.retry, font=(13.5, 500))
        theme.dress(self.download, font=(14, 600))
        theme.dress(self._column, margins=(40, 12, 40, 10), spacing=6)
        theme.dress(self._words, spacing=3)
        theme.dress(self._upper, spacing=12)
        theme.dress(self._fit_row, spacing=7)
        self._show_mark("muted")
        name_widgets(
            file_name=self.name,
            file_fit=self.fit,
            measure=self.exact,
            ask_again=self.retry,
            download_file=self.download,
        )

    @property
    def with_vision(self) -> bool:
        """True if the vision file is to be downloaded too."""
        return self.vision is not None and self.vision.isChecked()

    def offer_vision(self, file: RemoteFile | None) -> None:
        """Offer to download the vision file too; ticked by default."""
        if self.vision is not None:
            self._column.removeWidget(self.vision)
            self.vision.hide()
            self.vision.deleteLater()
        self._vision, self.vision = file, None
        if file is None:
            return
        self.vision = CheckRow(self._theme, tr(WITH_PICTURES, size=size_text(file.size_bytes)))
        self.vision.setToolTip(tr("The file {name} lets the model see pictures", name=file.name))
        self.vision.setChecked(True)
        self.vision.toggled.connect(self._on_vision)
        self._column.addWidget(self.vision)
        self.vision.setMaximumWidth(self.vision.fontMetrics().horizontalAdvance(self.vision.accessibleName()) + 80)

    def show_file(self, model: ModelFile) -> None:
        """Show a newly chosen file, whose fit isn't known yet."""
        self._model = model
        words, tag = file_words(model)
        self.name.setText(f"{words} ({tag})" if tag and tag != words else words)
        self.show_text("")
        self._on_vision()

    def show_text(self, text: str, *, can_retry: bool = False) -> None:
        """Show a sentence instead of the fit."""
        self._show_fit(text, "muted", "")
        set_mark(self.download, "kind", "primary")
        self.exact.hide()
        self.retry.setVisible(can_retry)

    def show_fit(self, fit: MemoryFit) -> None:
        """Show whether the file fits, with the memory needed."""
        words = in_words(fit_words(fit))
        if fit.is_exact:
            words = tr(FIT_MEASURED, fit=words)
        pace = pace_words(fit)
        if pace is not None:
            words = f"{words} · {in_words(pace)}"
        tone = "success" if fit.runs_well else "muted" if fit.is_usable else "warning"
        self._show_fit(words, tone, "triangle-fill" if tone == "warning" else "circle-fill")
        # The accent colour is for files that can run here.
        set_mark(self.download, "kind", "plain" if fit.word == TOO_LARGE else "primary")
        self.exact.setVisible(not fit.is_exact)
        self.retry.hide()

    def show_download(self, download: Download | None) -> None:
        """Show the file's download state; None if it isn't in the queue."""
        state = download.state if download is not None else ""
        running = tr("Downloading")
        if download is not None and download.total_bytes:
            percent = int(100 * download.done_bytes / download.total_bytes)
            running = tr(DOWNLOADING_PERCENT, percent=percent)
        waits = {"queued": tr(IN_DOWNLOADS), "running": running, "paused": tr("Paused in Downloads")}
        text = waits.get(state) or (tr(ON_THIS_COMPUTER) if state == "done" else "")
        self.download.setEnabled(not text)
        if self.vision is not None:
            self.vision.setEnabled(not text)
        self._name_download(text)

    def _on_vision(self) -> None:
        # A disabled button says what became of the download; these words stay.
        if self.download.isEnabled():
            self._name_download("")

    def _name_download(self, text: str) -> None:
        if not text and self._model is not None:
            more = self._vision.size_bytes if self._vision is not None and self.with_vision else 0
            text = tr(DOWNLOAD_SIZE, size=size_text(self._model.size_bytes + more))
        self.download.setText(text)
        self.download.setAccessibleName(text)

    def _show_fit(self, text: str, token: str, glyph: str) -> None:
        self._mark = glyph
        self.fit.setText(text)
        self.fit.setAccessibleName(text)
        set_mark(self.fit, "tone", token)
        self._show_mark(token or "muted")

    def _show_mark(self, token: str) -> None:
        self._glyph.setVisible(bool(self._mark))
        if self._mark:
            self._theme.dress(self._glyph, picture=(self._mark, token, 12))
        self._theme.dress(self.fit, font=(13.5, 600 if self._mark else 400))
