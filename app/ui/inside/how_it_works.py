"""How a language model works: six short pages with the numbers of the selected model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors.app_error import expected_error
from app.core.events import CancelToken, Guess, TokenChosen
from app.core.visible import clean_text
from app.engine.protocol import Ask, Sampling
from app.features.inside.anatomy import ModelAnatomy, anatomy_of
from app.ui.i18n import Translatable, tr
from app.ui.inside.flow import visible
from app.ui.inside.look import LendEngine, LookPage, lend_chat
from app.ui.locale_formats import format_number, format_percent
from app.ui.shared_labels import HOW_IT_WORKS, TEMPERATURE
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.text.formula import FormulaView
from app.ui.theme import EDGE_PX, HEADING_PX, TOP_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.input_fields import PlainEdit, SegmentedControl
from app.ui.widgets.labels import ProgressStripe, announce, plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout, scrolled
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.engine.contract import Engine


GUESSES = 8
TEMPERATURES = ("0.3", "0.7", "1", "1.5")
WORD_PX, SHARE_PX = 110, 52


def rescale_probabilities(guesses: Sequence[Guess], temperature: float) -> list[float]:
    """Rescale probabilities to a temperature: p^(1/T), normalized, which equals softmax(scores / T)."""
    weights = [max(guess.probability, 1e-30) ** (1 / temperature) for guess in guesses]
    return [weight / sum(weights) for weight in weights]


class TemperatureView(LookPage):
    """Most likely next tokens with bars; changing the temperature rescales them without the model."""

    def __init__(self, ui: UiContext, lend: LendEngine) -> None:
        super().__init__(ui, lend)
        self.temperature = "1"
        self.guesses: tuple[Guess, ...] = ()
        choices = [(value, f"T = {value}") for value in TEMPERATURES]
        self.segments = SegmentedControl(ui.theme, tr(TEMPERATURE), choices, self.temperature, self.show_at)
        self.rows = [GuessRow(ui.theme) for _ in range(GUESSES)]
        ui.theme.changed.connect(self._apply_code_fonts)
        self._apply_code_fonts()
        self.note = ui.theme.dress(plain_label(kind="muted", wraps=True), font="small")
        grid = ui.theme.dress(QGridLayout(), spacing=7)
        for number, row in enumerate(self.rows):
            for column, widget in enumerate((row.word, row.bar, row.share)):
                grid.addWidget(widget, number, column)
        grid.setColumnStretch(1, 1)
        top = fill_layout(QHBoxLayout(), self.segments, 1)
        self.body.insertLayout(0, top)
        fill_layout(self.body, grid, self.note, 1)
        self._show()

    def look_at(self, text: str) -> None:
        """Ask the model for the most likely tokens after a text."""
        # A temperature of 0 takes the likeliest at once; the probabilities told with it are those at T = 1.
        ask = Ask((), max_tokens=1, sampling=Sampling(temperature=0), text=text, alternatives=GUESSES)

        def work(engine: Engine, cancel: CancelToken) -> Iterator[object]:
            for event in engine.answer(ask, cancel):
                if isinstance(event, TokenChosen):
                    yield event.token.alternatives

        self.begin(work, self._on_guesses, lambda: None)

    def clear(self) -> None:
        super().clear()
        self.guesses = ()
        self._show()

    def show_at(self, temperature: str) -> None:
        """Bend the shown probabilities to a temperature; asks nothing of the model."""
        self.temperature = temperature
        self.segments.show_value(temperature)
        self._show()
        if self.guesses:
            announce(self, self.rows[0].said)

    def _on_guesses(self, guesses: object) -> None:
        # Anything else is told as progress, which `LookPage` shows itself.
        if isinstance(guesses, tuple):
            self.guesses = guesses
            self._show()

    def _show(self) -> None:
        shares = rescale_probabilities(self.guesses, float(self.temperature)) if self.guesses else []
        for number, row in enumerate(self.rows):
            is_shown = number < len(shares)
            row.show(is_shown=is_shown)
            if is_shown:
                row.show_guess(visible(self.guesses[number].data), shares[number])
        count = len(shares)
        words = "The {count} likeliest, as chances among each other; all others, {rest} at T = 1, are left out."
        rest = format_percent(max(0.0, 1 - sum(guess.probability for guess in self.guesses)))
        self.note.setText(tr(words, count=count, rest=rest) if count else "")

    def _apply_code_fonts(self) -> None:
        for row in self.rows:
            row.word.setFont(self.theme.fonts.code(13.5))


class GuessRow:
    """Token, bar and probability, read as one by screen readers."""

    def __init__(self, theme: Theme) -> None:
        self.word: QLabel = plain_label()
        self.bar = ProgressStripe(theme)
        self.share: QLabel = plain_label()
        self.share.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        theme.dress(self.word, least_width=WORD_PX)
        theme.dress(self.share, font="control", least_width=SHARE_PX)

    @property
    def said(self) -> str:
        return f"{self.word.text()}: {self.share.text()}"

    def show_guess(self, word: str, share: float) -> None:
        """Show a token with its probability, from 0 to 1."""
        self.word.setText(word)
        self.share.setText(format_percent(share, 1))
        # The stripe counts in whole thousandths.
        self.bar.show_share(round(1000 * share), 1000)
        self.bar.setAccessibleName(self.said)

    def show(self, *, is_shown: bool) -> None:
        parts: tuple[QWidget, ...] = (self.word, self.bar, self.share)
        for part in parts:
            part.setVisible(is_shown)


PAUSE_MS = 700
"""Pause after the last key before the model is asked."""
TEXT_PX, SIDE_PX, TRY_PX, LIVE_PX = 330, 700, 58, 300
EXAMPLE = "The cat sat on the mat, because it was"
Facts = dict[str, str]


class LiveView(Protocol):
    """Live view next to a page: the model's own numbers for the example."""

    def look_at(self, text: str) -> None:
        """Show the numbers for a text."""

    def clear(self) -> None:
        """Remove all numbers."""


class Lesson(NamedTuple):
    """A page: title, text (with `{facts}` of the model), formulas and their spoken forms."""

    name: Translatable
    title: Translatable
    words: tuple[Translatable, ...]
    formulas: tuple[tuple[str, Translatable], ...]
    live: str
    """Name of its live view, and the caption above that."""
    caption: Translatable


LESSONS = (
    Lesson(
        "Tokens",
        "Text is split into tokens",
        (
            "A language model doesn’t read letters. Text is first split into tokens: common words stay whole, "
            "rare ones are split into pieces, and each token includes the space before it. {name} knows "
            "{vocabulary} tokens, each with a number. Everything after this step works with those numbers.",
            "That’s why models struggle to count the letters in a word, why the same sentence takes more tokens "
            "in some languages, and why context and speed are measured in tokens.",
        ),
        (),
        "tokens",
        "Type something to see its tokens:",
    ),
    Lesson(
        "Next token",
        "The next token gets a probability",
        (
            "Inside the model, every token is a list of {width} numbers, its embedding. Tokens used in similar ways "
            "have similar lists. The lists pass through the model, which gives each of the {vocabulary} tokens a "
            "probability of coming next.",
            "That’s all a language model does. Chats, summaries and translations are all continued texts.",
            "The colors show how well the model predicted each token. A rare word is a surprise; the second half of "
            "a name hardly is.",
        ),
        ((r"P(x_t \mid x_{<t})", "The probability of a token, given all tokens before it"),),
        "probabilities",
        "How well each token was predicted:",
    ),
    Lesson(
        "Attention",
        "Tokens look at each other",
        (
            "To predict what comes next, a token looks at those before it: “it” at the word it refers to, a closing "
            "bracket at the opening one. Each token has a query (Q), a key (K) and a value (V), which are lists of "
            "{key_length} numbers.",
            "Query times key measures how well two tokens match. Dividing by the root of dₖ keeps the numbers "
            "small, and softmax turns them into weights that add up to 1. The values are mixed with these "
            "weights. No token looks at later ones, because they’re what the model has to predict.",
        ),
        (
            (
                r"\mathrm{softmax}\left(\frac{QK^T}{\sqrt{d_k}}\right)V",
                "Softmax of Q times K transposed, divided by the square root of d k, times V",
            ),
        ),
        "attention",
        "Attention in your text:",
    ),
    Lesson(
        "Layers",
        "Many heads, many layers",
        (
            "One look isn’t enough. Each layer looks {heads} times in parallel, and each of these heads has learned "
            "something different, such as the previous token, the beginning or a name. Their results are joined, and "
            "a feed-forward network processes them token by token. {name} has {layers} such layers in a row; "
            "{feed_forward} of its numbers are in the feed-forward networks.",
            "You can see what the model would predict if it stopped after each layer. Early predictions are close to "
            "nonsense, then they take shape. The last row is the real prediction.",
        ),
        (
            (
                r"\mathrm{Concat}(\mathrm{head}_1, \ldots, \mathrm{head}_h)\,W^O",
                "The results of all heads, one to h, joined and multiplied by the matrix W O",
            ),
        ),
        "layers",
        "The prediction after each layer:",
    ),
    Lesson(
        "Training",
        "It learns by predicting",
        (
            "A model isn’t programmed with rules. During training it reads text and predicts each token. After each "
            "prediction, its {parameters} numbers change slightly to make the actual token less surprising, billions "
            "of times over. The probability of a text is the product of its tokens’ probabilities; the mean surprise "
            "is called the loss.",
            "More numbers, more text and more computing reduce the loss by a power law: each step costs more than "
            "the one before (Kaplan et al., 2020). “Compare models” draws that line through your own models.",
        ),
        (
            (
                r"P(x) = \prod_{t=1}^{T} P(x_t \mid x_{<t})",
                "The probability of a text is the product of the probabilities of each token after those before it",
            ),
            (
                r"L(N) = \left(\frac{N_0}{N}\right)^{\alpha}",
                "Loss is a constant over the number of weights, to the power alpha",
            ),
        ),
        "surprise",
        "How surprising your text is:",
    ),
    Lesson(
        "Writing",
        "It writes one token at a time",
        (
            "To write, the model predicts the next token, one is chosen and added to the text, and this repeats. It "
            "can look back at {context} tokens. Always choosing the most likely token is dull and leads to loops, so "
            "one is drawn at random.",
            "The temperature T reshapes the probabilities: below 1, likely tokens win more often; above 1, rare "
            "ones get a chance. So one question can have many answers. That’s also why a fluent sentence can be "
            "wrong: the model picks likely words, not known facts.",
        ),
        (
            (
                r"p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}",
                "The probability of a token is e to its score over T, divided by the sum of the same for all tokens",
            ),
        ),
        "temperature",
        "Likely next tokens, and how temperature changes them:",
    ),
)


class HowItWorks(QWidget):
    """Six pages. While visible, the live view asks the chat's engine about the typed text."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self.setAccessibleName(tr(HOW_IT_WORKS))
        self._app, self._ui = app, ui
        self._facts: Facts = {}
        self._facts_of: Path | None = None
        self._live: dict[str, QWidget] = {}
        self.number = 0
        names = [(str(number), tr(lesson.name)) for number, lesson in enumerate(LESSONS)]
        self.steps = SegmentedControl(
            self._ui.theme, tr("Page"), names, "0", lambda value: self.show_lesson(int(value))
        )
        self.heading = plain_label(tr(HOW_IT_WORKS))
        self.title = plain_label(wraps=True)
        self.words = [plain_label(wraps=True) for _ in range(3)]
        self.about = plain_label(kind="muted", wraps=True)
        self.caption = plain_label(kind="muted", wraps=True)
        self.field = PlainEdit()
        self.field.setProperty("kind", "")
        self.field.setAccessibleName(tr("Text to try"))
        self.field.setPlainText(tr(EXAMPLE))
        self.back, self.next = text_button(tr("Back")), text_button(tr("Next"), "primary")
        self.back.clicked.connect(lambda: self.show_lesson(self.number - 1))
        self.next.clicked.connect(lambda: self.show_lesson(self.number + 1))
        self._formulas = QVBoxLayout()
        self._place = QVBoxLayout()
        self._delay = new_timer(self, PAUSE_MS, self._update_live)
        self.field.textChanged.connect(self._delay.start)
        self._lay_out()
        ui.loader.changed.connect(self._on_loader_changed)
        self.show_lesson(0)

    @property
    def is_known(self) -> bool:
        return bool(self._facts)

    @property
    def is_looking(self) -> bool:
        """True while the live view asks the model."""
        return bool(getattr(self._live[LESSONS[self.number].live], "is_looking", False))

    def _lay_out(self) -> None:
        theme = self._ui.theme
        text, live, ends = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        text.addWidget(self.title)
        for label in self.words:
            text.addWidget(label)
        fill_layout(text, self._formulas, self.about, 1)
        for button in (self.back, self.next):
            ends.addWidget(button)
        ends.addStretch(1)
        fill_layout(live, self.caption, self.field, (self._place, 1))
        self._side = theme.dress(QBoxLayout(QBoxLayout.Direction.LeftToRight), spacing=28)
        self._text = QWidget()
        self._text.setLayout(text)
        fill_layout(self._side, (self._text, 0), (live, 1))
        inside = QWidget()
        inside.setObjectName("page")
        column = theme.dress(QVBoxLayout(inside), margins=(EDGE_PX, TOP_PX, EDGE_PX, 20), spacing=14)
        for part in (self.heading, self.steps):
            column.addWidget(part, 0, Qt.AlignmentFlag.AlignLeading)
        fill_layout(column, (self._side, 1), ends)
        theme.dress(text, margins=(0, 0, 0, 0), spacing=12)
        theme.dress(live, self._formulas, ends, spacing=8)
        theme.dress(self.heading, font="title", least_height=HEADING_PX)
        theme.dress(self.title, font="section")
        theme.dress(*self.words, font="body")
        theme.dress(self.about, self.caption, font="small")
        theme.dress(self.field, height=TRY_PX, text=("body", 4))
        theme.dress(self.back, self.next, font="control")
        outside = drop_margins(QVBoxLayout(self))
        # WORKAROUND: showing the area polishes its content, which keeps the fonts of that moment.
        self._area = scrolled(inside)
        fade_ends(self._area, theme)
        outside.addWidget(self._area)

    def reload(self) -> tasks.BackgroundTask | None:
        """Read the selected model's numbers if it changed since."""
        if (path := self._ui.loader.path) is None or path == self._facts_of:
            self._show_lesson()
            return None
        # Set before the file is read, so that a second call doesn't read it again.
        self._facts_of = path
        return tasks.ask(lambda _: anatomy_of(path), self, lambda found: self._on_read(path, found), self._on_unread)

    def show_lesson(self, number: int) -> None:
        self.number = min(max(number, 0), len(LESSONS) - 1)
        lesson = LESSONS[self.number]
        self.steps.show_value(str(self.number))
        self.title.setText(tr(lesson.title))
        self.caption.setText(tr(lesson.caption))
        self.back.setEnabled(self.number > 0)
        self.next.setEnabled(self.number < len(LESSONS) - 1)
        while (item := self._formulas.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for latex, spoken in lesson.formulas:
            self._formulas.addWidget(FormulaView(self._ui.theme, latex, tr(spoken), size_px=19))
        self._show_lesson()
        self._show_live(lesson.live)
        self._area.verticalScrollBar().setValue(0)

    def _show_lesson(self) -> None:
        lesson = LESSONS[self.number]
        facts = self._facts or {key: tr(words) for key, words in UNKNOWN.items()}
        # Lessons have at most three paragraphs; unused labels are hidden.
        for label, words in zip(self.words, (*lesson.words, "", "", "")[:3], strict=True):
            label.setText(tr(words, **facts) if words else "")
            label.setVisible(bool(words))
        known = tr("Figures are for {name}.", name=self._facts["name"]) if self._facts else ""
        self.about.setText(known)
        self.about.setVisible(bool(known))

    def _on_read(self, path: Path, found: ModelAnatomy) -> None:
        # Another model may have been loaded while this file was read.
        self._facts = facts_for(found, self._ui.loader.name if path == self._ui.loader.path else found.name)
        self._show_lesson()

    def _on_unread(self, error: BaseException) -> None:
        expected_error(error)
        self._facts = {}  # the lesson's words work without numbers
        self._show_lesson()

    def _on_loader_changed(self) -> None:
        if self.isVisible():
            self.reload()

    def _show_live(self, name: str) -> None:
        for other in self._live.values():
            other.hide()
        if name not in self._live:
            view = self._live[name] = _live_view(name)(self._ui, lend_chat(self._app))
            self._ui.theme.dress(view, least_height=LIVE_PX)
            self._place.addWidget(view, 1)
        self._live[name].show()
        # Once the event loop runs: while the page is being built it isn't visible yet, and asks nothing.
        QTimer.singleShot(0, self, self._update_live)

    def _update_live(self) -> None:
        # Hidden pages must not keep the engine from the chat.
        if not self.isVisible():
            return
        view = cast("LiveView", self._live[LESSONS[self.number].live])
        text = clean_text(self.field.toPlainText())
        if text.strip():
            view.look_at(text)
        else:
            view.clear()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        px = self._ui.theme.px
        is_wide = self.width() >= px(SIDE_PX)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._side.setDirection(along if is_wide else down)
        # A wrapped label has no width of its own, so the text gets one beside the view; above it, it fills the page.
        wide = min(px(TEXT_PX + 60), self.width() * 2 // 5)
        self._text.setMinimumWidth(wide if is_wide else 0)
        self._text.setMaximumWidth(wide if is_wide else (1 << 24) - 1)  # Qt's value for no limit
        self.steps.fit_width(self.width() - px(2 * EDGE_PX))


def _live_view(name: str) -> Callable[[UiContext, LendEngine], QWidget]:
    """Return the factory of a live view; imports wait until it is first shown."""
    match name:
        case "tokens":
            from app.ui.inside.tokens import TokensPage

            return TokensPage
        case "probabilities" | "surprise":
            from app.ui.inside.tokens import ProbabilitiesPage

            return ProbabilitiesPage
        case "attention":
            from app.ui.inside.attention import AttentionView

            return AttentionView
        case "layers":
            from app.ui.inside.layers import LayersView

            return LayersView
    return TemperatureView


UNKNOWN = {
    "name": "The model",
    "vocabulary": "many thousands",
    "width": "some hundred or thousand",
    "key_length": "some dozen",
    "heads": "many",
    "layers": "many",
    "feed_forward": "most",
    "parameters": "millions or billions of",
    "context": "some thousand",
}
"""Wording for models whose file lacks the numbers."""


def facts_for(found: ModelAnatomy, name: str) -> Facts:
    """Return a model's numbers for the pages, with words where its file lacks one."""
    numbers = {
        "vocabulary": found.vocabulary,
        "width": found.width,
        "key_length": found.key_length,
        "heads": found.heads,
        "layers": found.layers,
        "parameters": found.parameters,
        "context": found.context_tokens,
    }
    # A mixture of experts has its feed-forward part there.
    worked_on = sum(part.parameters for part in found.parts if part.name in ("feed_forward", "experts"))
    share = format_percent(worked_on / max(1, found.parameters)) if worked_on else tr(UNKNOWN["feed_forward"])
    said = {key: format_number(number) if number else tr(UNKNOWN[key]) for key, number in numbers.items()}
    return said | {"name": name, "feed_forward": share}
