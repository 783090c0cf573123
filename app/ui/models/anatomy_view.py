"""Structure of an installed model: parts, explained numbers, and its makers' notes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.core.errors.app_error import AppError
from app.features.inside.anatomy import ModelAnatomy, TensorGroup, anatomy_of
from app.ui.i18n import Translatable, breakable, sentence_for, tr
from app.ui.model_texts import count_briefly
from app.ui.models.model_facts import ModelFact, bits, facts_of, lead_words, share_words
from app.ui.models.models_page import ModelsPage, back_row
from app.ui.models.storage import ToneSwatch, tone
from app.ui.shared_labels import HOW_IT_WORKS
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.shell.tool_score_view import ToolScoreView
from app.ui.text.formula import FormulaView
from app.ui.theme import CARD_INSET_PX, EDGE_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.parts_bar import BarPart, PartsBar

if TYPE_CHECKING:
    from app.features.models.installed import InstalledFile


PART_NAMES = {
    "experts": "Experts",
    "feed_forward": "Feed-forward",
    "attention": "Attention",
    "norms": "Norms",
    "embedding": "Embedding",
    "output": "Output",
    "other": "Other",
}
TOOL_CALLS = "Tool calls"
VALUE_PX, NARROW_ROW_PX, LEAST_PX = 132, 400, 180


class AnatomyPage(ModelsPage):
    """Page of a model's structure; the file's header is read on a thread, and nothing is loaded."""

    def __init__(self, ui: UiContext) -> None:
        super().__init__(ui.theme, tr("Inside"))
        self._scoring = ui.scoring
        self._installed: InstalledFile | None = None
        self.back = text_button(tr("Back to list"), "quiet")
        self.explained = text_button(tr(HOW_IT_WORKS))
        self.top.addWidget(self.explained, 0, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)
        page = self.layout()
        assert isinstance(page, QBoxLayout)
        page.insertWidget(0, back_row(ui.theme, self.back))
        ui.theme.dress(self._around, margins=(EDGE_PX, 6, EDGE_PX, 20))
        ui.theme.dress(self.back, self.explained, font="control")
        ui.theme.dress(self.top, spacing=8)
        self._point_back()

    def show_model(self, installed: InstalledFile, name: str) -> None:
        """Show a model under the name on its card."""
        self._installed = installed
        self.title.setText(name)
        self.setAccessibleName(tr("Inside {name}", name=name))
        self.clear_rows()
        self.show_text(self.lead, "")
        self.show_text(self.foot, "")
        self.show_text(self.empty, tr("Reading the file…"))
        self.area.verticalScrollBar().setValue(0)

    def reload(self) -> tasks.BackgroundTask:
        installed = self._installed
        return self.ask_anew(lambda _: _read(installed), self._show, self._say_why)

    def _show(self, found: ModelAnatomy | None) -> None:
        if found is None:
            return
        self.clear_rows()
        self.show_text(self.empty, "")
        self.show_text(self.lead, lead_words(found))
        self.add_heading(tr("Structure"))
        self.rows.addWidget(PartsCard(self._theme, found))
        self.add_heading(tr("In numbers"))
        self.rows.addWidget(FactsCard(self._theme, facts_of(found)))
        self._add_score()
        self.add_heading(tr("Origin"))
        self.rows.addWidget(SaidCard(self._theme, found.about))
        self.show_text(self.foot, tr(_FOOT))

    def _add_score(self) -> None:
        if (installed := self._installed) is None or installed.embeds or self._scoring is None:
            return
        self.add_heading(tr(TOOL_CALLS))
        card = QFrame()
        card.setProperty("kind", "model")
        inside = fill_layout(QVBoxLayout(card), ToolScoreView(self._theme, self._scoring, installed.model.path))
        self._theme.dress(inside, margins=(CARD_INSET_PX, 14, CARD_INSET_PX, 14))
        self.rows.addWidget(card)

    def _say_why(self, error: BaseException) -> None:
        if not isinstance(error, AppError):
            # A defect, not something about the file: it goes on to the hook for uncaught exceptions.
            raise error
        self.clear_rows()
        sentence = sentence_for(error)
        self.show_text(self.empty, str(sentence))

    def _point_back(self) -> None:
        self._theme.dress(self.back, glyph=("arrow-right" if self.isRightToLeft() else "arrow-left", "muted", 16))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._point_back()


def _read(installed: InstalledFile | None) -> ModelAnatomy | None:
    return anatomy_of(installed.model.path, installed.model.parts) if installed is not None else None


_FOOT = (
    "All of this comes from the file, without loading the model. Few files say what text a model was "
    "trained on; its page on the Hub may say more."
)


class PartsCard(QFrame):
    """Bar of the whole model, and a row for each part with its share."""

    def __init__(self, theme: Theme, found: ModelAnatomy) -> None:
        super().__init__()
        self.setProperty("kind", "model")
        parts = sorted(found.parts, key=lambda part: -part.parameters)
        column = theme.dress(QVBoxLayout(self), margins=(CARD_INSET_PX, 16, CARD_INSET_PX, 14), spacing=12)
        bar = PartsBar(theme, lead_words(found), partial(tone, theme))
        column.addWidget(bar)
        rows = [PartRow(theme, number, part, found.parameters) for number, part in enumerate(parts)]
        for row in rows:
            column.addWidget(row)
        said = [BarPart(part.parameters, row.accessibleName()) for part, row in zip(parts, rows, strict=True)]
        bar.show_parts(said, sum(part.parameters for part in parts))


class PartRow(QWidget):
    """Row of a part: colour in the bar, name, explanation, number of weights and their precision."""

    def __init__(self, theme: Theme, number: int, part: TensorGroup, whole: int) -> None:
        super().__init__()
        share = part.parameters / max(1, whole)
        texts = ("{count} number, {bits} bits each", "{count} numbers, {bits} bits each")
        amount = count_briefly(texts, part.parameters, bits=bits(part))
        self.name = plain_label(tr(PART_NAMES[part.name]), wraps=True)
        meaning = plain_label(f"{amount}. {tr(part.explanation)}", kind="muted", wraps=True)
        self.share = plain_label(share_words(share))
        words = theme.dress(fill_layout(QVBoxLayout(), self.name, meaning), spacing=2)
        row = theme.dress(drop_margins(QHBoxLayout(self)), spacing=12)
        mark = theme.dress(fill_layout(QVBoxLayout(), ToneSwatch(theme, number), 1), margins=(0, 4, 0, 0))
        fill_layout(row, mark, (words, 1), (self.share, 0, Qt.AlignmentFlag.AlignTop))
        theme.dress(self.name, self.share, font="section")
        theme.dress(meaning, font="small")
        self.setAccessibleName(f"{self.name.text()}: {self.share.text()}. {meaning.text()}")


class FactsCard(QFrame):
    def __init__(self, theme: Theme, facts: list[ModelFact]) -> None:
        super().__init__()
        self.setProperty("kind", "model")
        column = theme.dress(QVBoxLayout(self), margins=(CARD_INSET_PX, 14, CARD_INSET_PX, 14), spacing=11)
        for number, fact in enumerate(facts):
            if number:
                rule = QFrame()
                rule.setProperty("kind", "rule")
                column.addWidget(rule)
            column.addWidget(FactRow(theme, fact))


class FactRow(QWidget):
    """Large value at the leading edge, or on top if narrow, with name, meaning and formula."""

    def __init__(self, theme: Theme, fact: ModelFact) -> None:
        super().__init__()
        self._theme, self.fact = theme, fact
        self.value = theme.dress(plain_label(fact.value, wraps=True), font="section", width=VALUE_PX)
        self.value.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop)
        term = theme.dress(plain_label(fact.term, wraps=True), font="section")
        self.meaning = theme.dress(plain_label(fact.meaning, kind="muted", wraps=True), font="row")
        if not fact.meaning:
            self.meaning.hide()
        words = theme.dress(fill_layout(QVBoxLayout(), term, self.meaning), spacing=5)
        self.formula: FormulaView | None = None
        if fact.formula is not None:
            self.formula = FormulaView(theme, fact.formula[0], tr(fact.formula[1]))
            words.addWidget(self.formula)
        self._row = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight, self), self.value, (words, 1))
        self._row.setContentsMargins(0, 0, 0, 0)
        theme.dress(self._row, spacing=16)
        self.setAccessibleName(f"{fact.term}: {fact.value}. {fact.meaning}".strip())

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(LEAST_PX), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        is_wide = self.width() >= self._theme.px(NARROW_ROW_PX)
        self._row.setDirection(along if is_wide else down)
        self._theme.dress(self._row, spacing=16 if is_wide else 2)


class SaidCard(QFrame):
    """Notes that the model's makers wrote into the file."""

    def __init__(self, theme: Theme, about: Sequence[tuple[Translatable, str]]) -> None:
        super().__init__()
        self.setProperty("kind", "model")
        grid = theme.dress(QGridLayout(self), margins=(CARD_INSET_PX, 14, CARD_INSET_PX, 14), spacing=10)
        nothing = tr("This file doesn’t name its author, base model or license.")
        for row, (term, text) in enumerate([(tr(words), text) for words, text in about] or [("", nothing)]):
            said = plain_label(breakable(text), wraps=True)
            said.setAccessibleName(f"{term}: {text}" if term else text)
            theme.dress(said, font="row")
            if term:
                name = plain_label(term, kind="muted", wraps=True)
                name.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop)
                theme.dress(name, font="row", width=VALUE_PX)
                grid.addWidget(name, row, 0)
            grid.addWidget(said, row, 1)
        grid.setColumnStretch(1, 1)
