"""Structure of an installed model: parts, explained numbers, and its makers' notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.features.inside.anatomy import ModelAnatomy, TensorGroup, anatomy_of
from app.ui.i18n import breakable, sentence_for, size_text, tr
from app.ui.model_texts import join, short_number
from app.ui.models.models_page import ModelsPage
from app.ui.models.storage import SpaceBar, ToneSwatch
from app.ui.shared_labels import CONTEXT, HOW_IT_WORKS, PARAMETER_COUNT
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.text.formula import FormulaView
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label

if TYPE_CHECKING:
    from app.features.models.installed import InstalledFile

LAYERS = "Layers"
NOT_SAID = "not stated"
VOCABULARY = "Vocabulary"
HEADS_PER_LAYER = "Heads in each layer"
KEY_SIZE = "Size of a key, dₖ"
MEMORY_PER_TOKEN = "Memory for each token"
BITS_PER_WEIGHT = "Bits per weight"

ATTENTION = (
    r"\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{QK^T}{\sqrt{d_k}}\right)V",
    "Attention of Q, K and V is the softmax of Q times K transposed, divided by the square root of d k, times V",
)
HEADS = (
    r"\mathrm{MultiHead}(Q, K, V) = \mathrm{Concat}(\mathrm{head}_1, \ldots, \mathrm{head}_h)\,W^O",
    "Multi-head attention joins the results of all heads, one to h, and multiplies them by the matrix W O",
)
PRODUCT = (
    r"P(x) = \prod_{t=1}^{T} P(x_t \mid x_{<t})",
    "The probability of a text is the product of the probabilities of each token after those before it",
)
PART_NAMES = {
    "experts": "Experts",
    "feed_forward": "Feed-forward",
    "attention": "Attention",
    "norms": "Norms",
    "embedding": "Embedding",
    "output": "Output",
    "other": "Other",
}
VALUE_PX, NARROW_ROW_PX, LEAST_PX = 132, 400, 180


class Fact(NamedTuple):
    """A number of the model: name, value, meaning, and its formula."""

    term: str
    value: str
    meaning: str
    formula: tuple[str, str] | None = None


class AnatomyPage(ModelsPage):
    """Page of a model's structure; the file's header is read on a thread, and nothing is loaded."""

    back_wanted = Signal()
    explained_wanted = Signal()

    def __init__(self, ui: UiContext) -> None:
        super().__init__(ui.theme, tr("Inside"))
        self._installed: InstalledFile | None = None
        self.back = text_button(tr("Back to list"), "quiet")
        self.back.clicked.connect(self.back_wanted)
        self.explained = text_button(tr(HOW_IT_WORKS))
        self.explained.clicked.connect(self.explained_wanted)
        self.top.addWidget(self.explained, 0, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)
        self._column.insertWidget(0, self.back, 0, Qt.AlignmentFlag.AlignLeading)
        ui.theme.dress(self.back, self.explained, font=(13.5, 500))
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
        task = self.ask_anew(lambda _: _read(installed), self._show)
        task.failed.connect(self._say_why)
        return task

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
        self.add_heading(tr("Origin"))
        self.rows.addWidget(SaidCard(self._theme, found.about))
        self.show_text(self.foot, tr(_FOOT))

    def _say_why(self, error: BaseException) -> None:
        if not isinstance(error, AppError):
            # A defect, not something about the file: it goes on to the hook for uncaught exceptions.
            raise error
        self.clear_rows()
        sentence = sentence_for(error)
        self.show_text(self.empty, f"{tr(sentence.text)} {tr(sentence.kept) if sentence.kept else ''}".strip())

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
        column = QVBoxLayout(self)
        bar = SpaceBar(theme)
        bar.show_parts([part.parameters for part in parts], 0)
        column.addWidget(bar)
        for number, part in enumerate(parts):
            column.addWidget(PartRow(theme, number, part, found.parameters))
        theme.dress(column, margins=(18, 16, 18, 14), spacing=12)


class PartRow(QWidget):
    """Row of a part: colour in the bar, name, explanation, number of weights and their precision."""

    def __init__(self, theme: Theme, number: int, part: TensorGroup, whole: int) -> None:
        super().__init__()
        share = part.parameters / max(1, whole)
        amount = tr("{count} numbers, {bits} bits each", count=short_number(part.parameters), bits=bits(part))
        self.name = plain_label(tr(PART_NAMES[part.name]), wraps=True)
        meaning = plain_label(f"{amount}. {tr(part.explanation)}", kind="muted", wraps=True)
        self.share = plain_label(share_words(share))
        words = QVBoxLayout()
        words.addWidget(self.name)
        words.addWidget(meaning)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        mark = QVBoxLayout()
        mark.addWidget(ToneSwatch(theme, number))
        mark.addStretch(1)
        row.addLayout(mark)
        row.addLayout(words, 1)
        row.addWidget(self.share, 0, Qt.AlignmentFlag.AlignTop)
        theme.dress(self.name, self.share, font=(14.5, 600))
        theme.dress(meaning, font=(13, 400))
        theme.dress(row, spacing=12)
        theme.dress(mark, margins=(0, 4, 0, 0))
        theme.dress(words, spacing=2)
        self.setAccessibleName(f"{self.name.text()}: {self.share.text()}. {meaning.text()}")


class FactsCard(QFrame):
    """Rows of facts, separated by lines."""

    def __init__(self, theme: Theme, facts: list[Fact]) -> None:
        super().__init__()
        self.setProperty("kind", "model")
        column = QVBoxLayout(self)
        for number, fact in enumerate(facts):
            if number:
                rule = QFrame()
                rule.setProperty("kind", "rule")
                column.addWidget(rule)
            column.addWidget(FactRow(theme, fact))
        theme.dress(column, margins=(18, 14, 18, 14), spacing=11)


class FactRow(QWidget):
    """Large value at the leading edge, or on top if narrow, with name, meaning and formula."""

    def __init__(self, theme: Theme, fact: Fact) -> None:
        super().__init__()
        self._theme, self.fact = theme, fact
        self.value = plain_label(fact.value, wraps=True)
        self.value.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop)
        term = plain_label(fact.term, wraps=True)
        self.meaning = plain_label(fact.meaning, kind="muted", wraps=True)
        if not fact.meaning:
            self.meaning.hide()
        words = QVBoxLayout()
        words.addWidget(term)
        words.addWidget(self.meaning)
        self.formula: FormulaView | None = None
        if fact.formula is not None:
            self.formula = FormulaView(theme, fact.formula[0], tr(fact.formula[1]))
            words.addWidget(self.formula)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addWidget(self.value)
        self._row.addLayout(words, 1)
        theme.dress(self.value, font=(17, 600), width=VALUE_PX)
        theme.dress(term, font=(14.5, 600))
        theme.dress(self.meaning, font=(14, 400))
        theme.dress(self._row, spacing=16)
        theme.dress(words, spacing=5)
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

    def __init__(self, theme: Theme, about: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.setProperty("kind", "model")
        grid = QGridLayout(self)
        nothing = tr("This file doesn’t name its author, base model or license.")
        for row, (term, text) in enumerate([(tr(words), text) for words, text in about] or [("", nothing)]):
            said = plain_label(breakable(text), wraps=True)
            said.setAccessibleName(f"{term}: {text}" if term else text)
            theme.dress(said, font=(14, 400))
            if term:
                name = plain_label(term, kind="muted", wraps=True)
                name.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop)
                theme.dress(name, font=(14, 400), width=VALUE_PX)
                grid.addWidget(name, row, 0)
            grid.addWidget(said, row, 1)
        grid.setColumnStretch(1, 1)
        theme.dress(grid, margins=(18, 14, 18, 14), spacing=10)


# Texts about the numbers. A value missing in the file is reported as missing, never guessed.


def lead_words(found: ModelAnatomy) -> str:
    """Return the model in one line."""
    # Norms and biases are kept at full precision in nearly every file, and would say nothing of this one.
    kinds = ", ".join(name for name, count in found.types if count >= 0.05 * found.parameters)
    return join(
        found.name,
        found.architecture,
        tr(PARAMETER_COUNT, n=short_number(found.parameters)),
        kinds,
        size_text(found.size_bytes),
    )


def facts_of(found: ModelAnatomy) -> list[Fact]:
    """Return all explained numbers, in the order in which text passes them."""
    return [
        *_size_facts(found),
        *_reading_facts(found),
        *_layer_facts(found),
        *_context_facts(found),
    ]


def _size_facts(found: ModelAnatomy) -> list[Fact]:
    kinds = ", ".join(f"{name} {share_words(count / max(1, found.parameters))}" for name, count in found.types[:4])
    return [
        Fact(
            tr("Parameters"),
            short_number(found.parameters),
            tr("The numbers learned in training. Everything the model knows is spread across them."),
        ),
        Fact(
            tr(BITS_PER_WEIGHT),
            f"{found.bits_per_weight:.2f}",
            tr(
                "Fewer bits make the file smaller and the answers slightly worse. Most models are trained with "
                "16. This file uses {kinds}.",
                kinds=kinds,
            ),
        ),
    ]


def _reading_facts(found: ModelAnatomy) -> list[Fact]:
    return [
        Fact(
            tr(VOCABULARY),
            _number(found.vocabulary),
            tr(
                "The words, word parts and symbols it knows. Each gets a probability at every step; the product "
                "of the steps is the probability of a text."
            ),
            PRODUCT,
        ),
        Fact(
            tr("Width"),
            _number(found.width),
            tr("How many numbers represent one token inside the layers."),
        ),
    ]


def _layer_facts(found: ModelAnatomy) -> list[Fact]:
    shared = tr("They share keys and values: there are {count} sets of them.", count=found.kv_heads)
    if found.kv_heads == 1:
        shared = tr("They share one set of keys and values.")
    facts = [
        Fact(
            tr(LAYERS),
            _number(found.layers),
            tr("Each layer looks at the other tokens, then processes the result."),
        ),
        Fact(
            tr(HEADS_PER_LAYER),
            _number(found.heads),
            join_sentences(
                tr("Each head looks at the text in its own way: one at the previous word, another at a name."),
                # Fewer sets than heads: grouped-query attention.
                shared if 0 < found.kv_heads < found.heads else "",
            ),
            HEADS if found.heads else None,
        ),
        Fact(
            tr(KEY_SIZE),
            _number(found.key_length),
            tr(
                "A token’s query (Q) is compared with the others’ keys (K). Softmax turns the matches into "
                "weights, which mix the values (V)."
            ),
            ATTENTION if found.key_length else None,
        ),
        Fact(
            tr("Width of the feed-forward part"),
            _number(found.feed_forward),
            tr("The size of the step that processes each token separately."),
        ),
    ]
    if found.experts:
        facts.append(
            Fact(
                tr("Experts"),
                tr("{used} of {count}", used=_number(found.experts_used), count=f"{found.experts:,}"),
                tr("Only some experts process each token, so it’s faster than its size suggests."),
            )
        )
    return facts


def _context_facts(found: ModelAnatomy) -> list[Fact]:
    values = {"count": f"{found.context_tokens:,}", "size": size_text(found.kv_bytes)}
    whole = tr("A full context of {count} tokens takes {size}.", **values)
    return [
        Fact(
            tr(CONTEXT),
            _number(found.context_tokens),
            tr("How many tokens it can look back at. It can’t see anything earlier."),
        ),
        Fact(
            tr(MEMORY_PER_TOKEN),
            size_text(found.kv_bytes_per_token) if found.kv_bytes_per_token else tr("none"),
            join_sentences(
                tr("The keys and values of every token are kept so nothing is read twice (16 bits each).")
                if found.kv_bytes_per_token
                else tr("The state has a fixed size, or the file doesn’t give one."),
                whole if found.kv_bytes else "",
                # Models whose layers differ have no formula as short as this.
                tr("Key and value, times layers, sets, numbers of a key, and bytes:") if found.is_plain else "",
            ),
            memory_formula(found) if found.is_plain else None,
        ),
    ]


def memory_formula(found: ModelAnatomy) -> tuple[str, str]:
    """Return the KV cache formula with this model's numbers."""
    factors = (2, found.layers, found.kv_heads, found.key_length, 2)
    product = r" \cdot ".join(rf"\text{{{number:,}}}" for number in factors)
    spoken = "Keys and values, times layers, times sets of keys, times the size of a key, times two bytes"
    return rf"{product} = \text{{{found.kv_bytes_per_token:,} bytes}}", spoken


def join_sentences(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def share_words(share: float) -> str:
    """Format a share as percent; never 0 for a positive one."""
    # "0.0 %" would say that there is nothing.
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"


def bits(part: TensorGroup) -> str:
    """Format bits per weight without trailing zeros."""
    return f"{part.bits_per_weight:.2f}".rstrip("0").rstrip(".")


def _number(number: int) -> str:
    return f"{number:,}" if number else tr(NOT_SAID)
