"""Tokens of a text or prompt, and how probable each was to the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.core.events import CancelToken, Guess, Role, TokenSeen
from app.core.lazy_dataclasses import dataclass
from app.features.inside.looks import (
    PlacedToken,
    PromptShare,
    TextSurprise,
    read_probabilities,
    shares_of,
    surprise_of,
    tokens_of,
)
from app.ui.i18n import tr, tr_count
from app.ui.inside.flow import TokenDetail, TokenPiece, TokenText, blended, hex_of, tint, visible
from app.ui.inside.look import InspectedAnswer, InspectedText, LendEngine, LookPage
from app.ui.locale_formats import (
    format_brief_percent,
    format_decimal,
    format_number,
    format_percent,
    join_facts,
    join_list,
)
from app.ui.shared_labels import COPIED, ONE_TOKEN, TOKEN_COUNT
from app.ui.shell.desktop import copy_text
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import plain_caption, plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout, name_widgets
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.engine.contract import Engine

TOKENS_AND_CHARACTERS = "{tokens} tokens, {characters} characters"
CHARACTER_RANGE = "characters {start} to {end}"
TOKENS = "Tokens"
RECORDED_SCORES = "Recorded while this answer was written."
SCORED_AGAIN = "Scored again with the current prompt."
PERPLEXITY_FIGURES = "Perplexity {perplexity} · {bits} bits per byte · {count} tokens"
LIKELIEST_OF_ALL = "the most likely token"
INSTEAD_OF = "instead: {guesses}"


MOST_TOLD_CHARACTERS = 400_000
"""Limit of a text's length, so that a book doesn't block the pipe to the engine."""
ROLES = {Role.SYSTEM: "Instructions", Role.USER: "You", Role.ASSISTANT: "Answer", None: "Template"}


@dataclass(frozen=True)
class _Cut:
    """A tokenized text; `text` joins all tokens, `shares` counts those of each message of a prompt."""

    text: str = ""
    tokens: tuple[PlacedToken, ...] = ()
    shares: tuple[PromptShare, ...] = ()
    whole_characters: int = 0
    """Length of the whole text, if it was cut."""


class TokensPage(LookPage):
    """Page of tokens in alternating tints, with their count and the details of one."""

    def __init__(self, ui: UiContext, lend: LendEngine) -> None:
        super().__init__(ui, lend)
        self._cut = _Cut()
        self._counts = ui.theme.dress(plain_label(kind="muted", wraps=True), margins=(0, 4, 0, 4), font="small")
        self._copy = IconButton(ui.theme, "copy", tr("Copy the text"), size_px=17, on_click=self._on_copy)
        self._text = TokenText(
            ui.theme, tr(TOKENS), piece_of=self._piece, data_of=lambda number: self._cut.tokens[number].data
        )
        self._text.flow.pointed.connect(self._on_pointed)
        self._detail = TokenDetail(ui.theme, tr("Point at a token, or move between tokens with the arrow keys."))
        row = fill_layout(QHBoxLayout(), (self._counts, 1), (self._copy, 0, Qt.AlignmentFlag.AlignTop))
        self.body.insertLayout(0, row)
        fill_layout(self.body, (self._text, 1), self._detail)
        name_widgets(token_counts=self._counts, copy_tokens=self._copy)
        self._show(self._cut)

    def look_at(self, text: str) -> None:
        if not text:
            self.clear()
            return
        head, whole = text[:MOST_TOLD_CHARACTERS], len(text) if len(text) > MOST_TOLD_CHARACTERS else 0
        self._begin(lambda engine, token: _Cut(head, tuple(tokens_of(engine, head, cancel=token)), (), whole))

    def look_at_subject(self, subject: InspectedText) -> None:
        """Show the tokens of a subject: its text, or the prompt made by the chat template."""
        if (prompt := subject.prompt) is None:
            self.look_at(subject.text)
            return

        def cut_text(engine: Engine, token: CancelToken) -> _Cut:
            # Asked for here, on the thread: it may read the chat from the store.
            ask = prompt()
            found = tokens_of(engine, messages=ask.messages, variables=ask.template_variables, cancel=token)
            # Tokens may end inside a character; only all of them together decode.
            text = b"".join(placed_token.data for placed_token in found).decode("utf-8", "replace")
            return _Cut(text, tuple(found), tuple(shares_of(found, text, ask.messages)))

        self._begin(cut_text)

    def clear(self) -> None:
        super().clear()
        self._show(_Cut())

    def _begin(self, cut: Callable[[Engine, CancelToken], _Cut]) -> None:
        def work(engine: Engine, token: CancelToken) -> Iterator[_Cut]:
            yield cut(engine, token)

        self.begin(work, self._on_event, lambda: None)

    def _on_event(self, event: object) -> None:
        if isinstance(event, _Cut):
            self._show(event)

    def _show(self, cut: _Cut) -> None:
        self._cut = cut
        self._text.show_count(len(cut.tokens))
        self._copy.setEnabled(bool(cut.tokens))
        self._detail.setVisible(bool(cut.tokens))
        self._counts.setText("\n".join(self._figure_sentences()))
        self._on_pointed(-1)

    def _figure_sentences(self) -> list[str]:
        cut = self._cut
        if not cut.tokens:
            return [""]
        tokens, characters = format_number(len(cut.tokens)), format_number(len(cut.text))
        words = [tr(TOKENS_AND_CHARACTERS, tokens=tokens, characters=characters)]
        if cut.whole_characters:
            words.append(
                tr(
                    "The text has {whole} characters; only the first are shown.",
                    whole=format_number(cut.whole_characters),
                )
            )
        shares = [f"{tr(ROLES[share.role])} {format_number(share.tokens)}" for share in cut.shares]
        return [*words, *([join_facts(shares)] if shares else [])]

    def _piece(self, number: int) -> TokenPiece:
        """Return a token's appearance; control tokens are outlined."""
        token, theme = self._cut.tokens[number], self.theme
        text = visible(token.data, is_control=token.is_control)
        ground = "" if token.is_control else tint(theme.tokens, number, is_dark=theme.is_dark)
        return TokenPiece(text, ground, token.data.endswith(b"\n"))

    def _on_pointed(self, number: int) -> None:
        if not 0 <= number < len(self._cut.tokens):
            self._detail.clear()
            return
        token = self._cut.tokens[number]
        words = [tr("Token {id}", id=token.id), byte_words(token.data)]
        if token.is_control:
            words.insert(1, tr("a control token"))
        words.append(tr(CHARACTER_RANGE, start=format_number(token.start), end=format_number(token.end)))
        self._detail.show_token(visible(token.data, is_control=token.is_control), join_facts(words))
        # The pointer passes over many tokens; only the keyboard's is read aloud.
        if number == self._text.flow.current:
            self._text.flow.announce_token(self._detail.text)

    def _on_copy(self) -> None:
        copy_text(self._cut.text)
        self._copy.show_done(tr(COPIED))


def byte_words(data: bytes) -> str:
    return tr_count("1 byte: {bytes}", "{count} bytes: {bytes}", len(data), bytes=hex_of(data))


MOST_CHARACTERS = 2_000_000
DETAILED_TOKENS = 20_000
"""Limit of tokens with stored alternatives; those of a book would fill the memory."""
GROWS_MS = 100
"""Interval of updates while an answer is written."""
LEVELS = (0.9, 0.5, 0.2, 0.05, 0.0)
"""Lower probability bounds of the background levels."""
GROUNDS = {False: (0.0, 0.16, 0.36, 0.58, 0.84), True: (0.0, 0.1, 0.2, 0.3, 0.42)}
"""Share of the scale's colour by level, light and dark: less for more probable tokens."""


_BEGUN = object()
"""Precedes the tokens of each try: what an earlier one told is removed only now."""


def ground_of(theme: Theme, probability: float) -> str:
    """Return the background for a probability; text is readable on all, and they differ in lightness."""
    # The last bound is 0, so there is always a level.
    level = next(level for level, least in enumerate(LEVELS) if probability >= least)
    return blended(theme.tokens.surface, theme.tokens.unsure, GROUNDS[theme.is_dark][level])


def percent(probability: float) -> str:
    """Format a probability: "62 %", "4.2 %", "0.3 %", "< 0.1 %"."""
    return f"< {format_percent(0.001, 1)}" if 0 < probability < 0.001 else format_brief_percent(probability)


class ProbabilitiesPage(LookPage):
    """Page of probabilities: recorded or re-read for answers, surprise for other texts."""

    def __init__(self, ui: UiContext, lend: LendEngine) -> None:
        super().__init__(ui, lend)
        self._answer: InspectedAnswer | None = None
        self._tokens: list[TokenSeen] = []
        self._whole_characters = 0
        self._how = ""
        self._figures = ui.theme.dress(plain_label(wraps=True), font="section")
        self._note = ui.theme.dress(plain_label(kind="muted", wraps=True), font="small")
        self._reread = ui.theme.dress(text_button(tr("Score answer"), on_click=self._on_reread), font="control")
        self._legend = Legend(ui.theme)
        self._text = TokenText(
            ui.theme,
            tr("Tokens and the model’s confidence"),
            piece_of=self._piece,
            data_of=lambda number: self._tokens[number].data,
        )
        self._text.flow.pointed.connect(self._on_pointed)
        self._text.flow.chosen.connect(self._on_chosen)
        self._detail = TokenDetail(ui.theme, tr("Click a token or press Enter to see the alternatives."))
        self._choices = Choices(ui.theme, choose=self._on_replaced, leave=self._on_choices_left)
        self._grows = new_timer(self, GROWS_MS, self._show_grown)
        for place, widget in enumerate((self._figures, self._note)):
            self.body.insertWidget(place, widget)
        self.body.addWidget(self._reread, 0, Qt.AlignmentFlag.AlignLeading)
        fill_layout(self.body, self._legend, (self._text, 1), self._choices, self._detail)
        name_widgets(figures=self._figures, look_note=self._note, read_again=self._reread)
        self._show_nothing()

    def look_at(self, text: str) -> None:
        """Show the surprise of each token of a text."""
        self._follow_answer(None)
        self._show_nothing()
        if not text.strip():
            self.clear()
            return
        head = text[:MOST_CHARACTERS]
        self._whole_characters = len(text) if len(text) > MOST_CHARACTERS else 0
        self._how = tr("How well the model predicts this text on its own.")
        self._begin(lambda engine, token: read_probabilities(engine, head, detailed=DETAILED_TOKENS, cancel=token))

    def look_at_subject(self, subject: InspectedText) -> None:
        """Show a subject; for an answer, the probabilities recorded while it was written."""
        if (answer := subject.answer) is None:
            self.look_at(subject.text)
            return
        self.stop()
        self.state.show_sentence("")
        # The answer that is shown has grown, or was selected again: its tokens stay.
        if answer is not self._answer:
            self._follow_answer(answer)
            self._show_nothing()
        self._show_answer(answer)

    def clear(self) -> None:
        super().clear()
        self._follow_answer(None)
        self._show_nothing()

    def _follow_answer(self, answer: InspectedAnswer | None) -> None:
        if self._answer is not None:
            self._answer.grew.disconnect(self._on_grew)
        self._answer = answer
        if answer is not None:
            answer.grew.connect(self._on_grew)

    def _show_answer(self, answer: InspectedAnswer) -> None:
        self._how = tr(RECORDED_SCORES)
        # What was recorded wins over what was scored again.
        if answer.seen or answer.is_being_written:
            self._take_tokens(list(answer.seen))
        elif not self._tokens:
            self._how = tr("Probabilities weren’t recorded for this answer. The model can score it now.")
        self._reread.setVisible(not self._tokens and not answer.is_being_written)
        self._show_figures()

    def _on_reread(self) -> None:
        if (answer := self._answer) is not None:
            # Before the button goes that has the focus, or Qt would move it as Tab does.
            self._text.flow.setFocus(Qt.FocusReason.OtherFocusReason)
            self._reread.hide()
            self._tokens = []
            self._how = tr(SCORED_AGAIN)
            self._begin(lambda _engine, token: answer.read_again(token))

    def _begin(self, work: Callable[[Engine, CancelToken], Iterator[object]]) -> None:
        def from_the_start(engine: Engine, token: CancelToken) -> Iterator[object]:
            yield _BEGUN
            yield from work(engine, token)

        self._show_figures()
        self.begin(from_the_start, self._on_event, self._show_grown)

    def _on_event(self, event: object) -> None:
        if event is _BEGUN:
            self._tokens = []
            self._text.show_count(0)
        elif isinstance(event, TokenSeen):
            self._tokens.append(event)
            # Tokens come faster than a page can change; restarting the timer would put each update off.
            if not self._grows.isActive():
                self._grows.start()

    def on_cancelled(self) -> None:
        self._show_grown()

    def _on_grew(self) -> None:
        if not self._grows.isActive():
            self._grows.start()

    def _show_grown(self) -> None:
        self._grows.stop()
        if (answer := self._answer) is not None and (answer.seen or answer.is_being_written):
            self._show_answer(answer)
        else:
            self._text.grow_to(len(self._tokens))
            self._show_figures()

    def _take_tokens(self, tokens: list[TokenSeen]) -> None:
        before, self._tokens = self._tokens, tokens
        # As long as the text only grows, the view and the keyboard's place stay.
        if before and tokens[: len(before)] == before:
            self._text.grow_to(len(tokens))
        else:
            self._text.show_count(len(tokens))

    def _show_nothing(self) -> None:
        self._grows.stop()
        self._tokens, self._whole_characters, self._how = [], 0, ""
        self._reread.hide()
        self._hide_choices()
        self._text.show_count(0)
        self._detail.clear()
        self._show_figures()

    def _show_figures(self) -> None:
        self._figures.setText(figure_words(surprise_of(self._tokens)) if self._tokens else "")
        self._figures.setVisible(bool(self._tokens))
        words = [self._how] if self._how else []
        if self._whole_characters:
            words.append(
                tr(
                    "The text has {whole} characters; only the first are shown.",
                    whole=format_number(self._whole_characters),
                )
            )
        self._note.setText(" ".join(words))
        self._note.setVisible(bool(words))
        self._legend.setVisible(bool(self._tokens))
        self._detail.setVisible(bool(self._tokens) and self._choices.isHidden())

    def _piece(self, number: int) -> TokenPiece:
        token = self._tokens[number]
        text = visible(token.data, is_control=token.is_control)
        if token.rank < 0:  # nothing predicts the first token
            return TokenPiece(text, "", token.data.endswith(b"\n"))
        probability = math.exp(token.log_probability)
        return TokenPiece(text, ground_of(self.theme, probability), token.data.endswith(b"\n"), probability)

    def _on_pointed(self, number: int) -> None:
        if not 0 <= number < len(self._tokens):
            self._detail.clear()
            return
        token = self._tokens[number]
        self._detail.show_token(visible(token.data, is_control=token.is_control), token_words(token))
        if number == self._text.flow.current:
            self._text.flow.announce_token(self._detail.text)

    def _on_chosen(self, number: int) -> None:
        token, answer = self._tokens[number], self._answer
        guesses = [
            # The token itself is listed too, but to replace it by itself would change nothing.
            (guess, answer is not None and guess.data != token.data and answer.can_replace(self._tokens, number, guess))
            for guess in token.alternatives
        ]
        self._detail.hide()
        self._choices.offer(number, token, guesses)

    def _on_replaced(self, number: int, guess: Guess) -> None:
        answer = self._answer
        self._on_choices_left()
        if answer is not None:
            answer.go_on_with(self._tokens, number, guess)

    def _on_choices_left(self) -> None:
        # Before the choices are hidden, whose focus Qt would pass on as Tab does.
        self._text.flow.setFocus(Qt.FocusReason.OtherFocusReason)
        self._hide_choices()

    def _hide_choices(self) -> None:
        self._choices.hide()
        self._detail.setVisible(bool(self._tokens))


def figure_words(found: TextSurprise) -> str:
    """Return the figures of a text, without those that are undefined."""
    if math.isnan(found.perplexity):
        return tr_count(ONE_TOKEN, TOKEN_COUNT, found.tokens)
    return tr_count(
        "Perplexity {perplexity} · {bits} bits per byte · {count} token",
        PERPLEXITY_FIGURES,
        found.tokens,
        perplexity=format_decimal(found.perplexity, 2)
        if found.perplexity < 1000
        else format_decimal(found.perplexity, 0),
        bits=format_decimal(found.bits_per_byte, 2),
    )


def token_words(token: TokenSeen) -> str:
    """Return a token's probability and the most likely one at its place."""
    if token.rank < 0:
        return tr("It’s the first token, so nothing predicts it.")
    words = [percent(math.exp(token.log_probability))]
    words.append(tr(LIKELIEST_OF_ALL) if token.rank == 0 else tr("ranked {rank} by likelihood", rank=token.rank + 1))
    likeliest = [
        f"{visible(alternative.data)} {percent(alternative.probability)}"
        for alternative in token.alternatives
        if alternative.data != token.data
    ]
    if likeliest:
        words.append(tr(INSTEAD_OF, guesses=join_list(likeliest[:3])))
    return join_facts(words)


class Legend(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        row = theme.dress(FlowLayout(self), spacing=12)
        for number, least in enumerate(LEVELS):
            words = f"≥ {format_percent(least)}" if least else f"< {format_percent(LEVELS[number - 1])}"
            entry = QWidget()
            line = QHBoxLayout(entry)
            label = plain_label(words, kind="muted")
            fill_layout(line, LevelSwatch(theme, least), label)
            theme.dress(line, margins=(0, 0, 0, 0), spacing=5)
            theme.dress(label, font="caption")
            row.addWidget(entry)
        self.setAccessibleName(tr("Paler tokens and longer bars mean the model was more certain."))
        self.setToolTip(self.accessibleName())


class LevelSwatch(QWidget):
    def __init__(self, theme: Theme, probability: float) -> None:
        super().__init__()
        self._theme, self._probability = theme, probability
        theme.dress(self, size=(14, 14))
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = smooth_painter(self)
        painter.setPen(QColor(self._theme.tokens.outline))
        painter.setBrush(QColor(ground_of(self._theme, self._probability)))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 3, 3)


class Choices(QFrame):
    """Alternatives to a token; those the answer can continue from are buttons."""

    def __init__(self, theme: Theme, *, choose: Callable[[int, Any], object], leave: Callable[[], object]) -> None:
        super().__init__()
        self.leave = leave
        """The user declined; the owner should hide it."""
        self.choose = choose
        """Token number and `Guess`."""
        self._theme = theme
        self.setObjectName("token_choices")
        self.setProperty("kind", "card")
        self._title = theme.dress(plain_label(wraps=True), margins=(0, 4, 0, 4), font="control")
        close = IconButton(theme, "x", tr("Close"), size_px=15, on_click=self.leave)
        self._inside = QWidget()
        self._row = theme.dress(FlowLayout(self._inside), spacing=6)
        head = fill_layout(QHBoxLayout(), (self._title, 1), (close, 0, Qt.AlignmentFlag.AlignTop))
        theme.dress(fill_layout(QVBoxLayout(self), head, self._inside), margins=(10, 6, 6, 10), spacing=4)
        self.hide()

    def offer(self, number: int, token: TokenSeen, guesses: Sequence[tuple[Guess, bool]]) -> None:
        """Show the alternatives at a place, each with whether the answer can continue from it."""
        self._row.clear()
        can_choose = any(can for _, can in guesses)
        if not guesses:
            words = tr("No alternatives were recorded here.")
        elif can_choose:
            words = tr("Replace “{token}” and continue with:", token=visible(token.data))
        else:
            words = tr("Alternatives to “{token}”:", token=visible(token.data))
        self._title.setText(words)
        first: QWidget | None = None
        for guess, can in guesses:
            said = f"{visible(guess.data)}  {percent(guess.probability)}"
            if not can:
                label = self._theme.dress(plain_label(said, kind="muted"), font="small", margins=(4, 4, 4, 4))
                self._row.addWidget(label)
                continue
            button = text_button(
                plain_caption(said), "filter", on_click=lambda _=False, guess=guess: self.choose(number, guess)
            )
            button.setAccessibleName(tr("Continue with {guess}", guess=said))
            self._theme.dress(button, font="control")
            self._row.addWidget(button)
            # The likeliest replacement has the keyboard, so Enter takes it.
            first = first or button
        self.show()
        self._inside.updateGeometry()
        if first is not None:
            first.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        focus = self.focusWidget()
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focus, QAbstractButton):
            # These buttons aren't default ones, so Qt would not press them by Enter.
            focus.click()
        else:
            super().keyPressEvent(event)
