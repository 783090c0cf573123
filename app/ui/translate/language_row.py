"""Languages of a translation: choice, detection, the model's support, and an offer of a better model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QLocale, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.core.settings import Settings
from app.features.translate.translation_events import Formality, TranslationWish
from app.language.language_names import LANGUAGES, find_language, has_formality, is_same, other_than, own_name
from app.language.words import fold_words
from app.ui.i18n import sentence_for, tr
from app.ui.shared_labels import ASKING_HUB, DOWNLOAD, DOWNLOAD_MODEL, DOWNLOADS, FROM, OTHER_MODELS, USE_IT
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words, model_name
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, IconButton, text_button
from app.ui.widgets.labels import ProgressStripe, plain_label
from app.ui.widgets.layouts import FlowLayout, name_widgets

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection, ModelSuggestion
    from app.features.models.model_languages import KnownLanguages
    from app.features.models.model_messages import MessageTemplate
    from app.features.translate.translation_jobs import TranslationJobs
    from app.hub.download import Download

DETECTED_LANGUAGE = "{language} (detected)"
LANGUAGE_UNKNOWN = "{model} doesn’t know {language}."
MADE_FOR_CODE = "This model is made for code. Its languages are a guess from its name."
SWAP_LANGUAGES = "Swap the languages"
INTO = "Into"
TONE = "Tone"
TEXT_TOPIC = "Topic of the text"


TYPING_MS = 600
MOST_DOMAIN = 120
DOMAIN_PX = 190
FORMALITIES = (
    (Formality.DEFAULT, "Any tone"),
    (Formality.FORMAL, "Formal tone"),
    (Formality.INFORMAL, "Informal tone"),
)


def usual_target(kept: str, source: str = "", among: Sequence[str] = ()) -> str:
    """Return the default target: the last chosen, else the user's language, else another, never the source's."""
    own = find_language(QLocale.system().name())
    return other_than(source, (kept, own.code if own is not None else ""), among)


class LastWish:
    """Options chosen last, used for the next translation. `settings` reads them, `change` stores them."""

    def __init__(self, settings: Callable[[], Settings], change: Callable[..., None], notify: Notify) -> None:
        self._settings, self._change, self._notify = settings, change, notify

    @property
    def target(self) -> str:
        """Code of the target language chosen last; "" before the first choice."""
        return self._settings().translations.target

    @property
    def wish(self) -> TranslationWish:
        """Options with the user's language as target before the first choice."""
        return TranslationWish(usual_target(self.target), formality=Formality(self._settings().translations.formality))

    def keep_choice(self, choice: LanguageChoice) -> None:
        """Store the options; a target set by default isn't stored."""
        kept, formality = self._settings().translations, choice.wish.formality.value
        target = choice.wish.target if choice.is_target_chosen else kept.target
        if (target, formality) != (kept.target, kept.formality):
            with self._notify.guard():
                self._change("translations", target=target, formality=formality)


class LanguageChoice(QWidget):
    """Row of options. `changed` is emitted for every choice but an exchange of languages, which emits `swapped`."""

    changed = Signal()
    swapped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._detected = ""
        self._is_small = False
        self._able = Able()
        self.is_target_chosen = False
        """True if the user chose the target of this text."""
        self.source = LanguageButton(theme, tr(FROM), can_detect=True)
        self.swap = IconButton(theme, "arrows-left-right", tr(SWAP_LANGUAGES), size_px=18)
        self.swap.clicked.connect(self._on_swap)
        self.target = LanguageButton(theme, tr(INTO))
        self.formality = ChoiceButton(theme, tr(TONE), FORMALITIES)
        self.domain = QLineEdit(placeholderText=tr("Topic (optional)"))
        self.domain.setAccessibleName(tr(TEXT_TOPIC))
        self.domain.setToolTip(tr("For example “rental agreement”: helps with ambiguous words"))
        self.domain.setMaxLength(MOST_DOMAIN)
        self.domain.setAcceptDrops(False)  # dropped files are the window's
        self._typed = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typed.timeout.connect(self.changed)
        self.domain.textEdited.connect(lambda _text: self._typed.start())
        flow = FlowLayout(self)
        for widget in (self.source, self.swap, self.target, self.formality, self.domain):
            flow.addWidget(widget)
        self.source.changed.connect(self._on_source)
        self.target.changed.connect(self._on_target)
        self.formality.changed.connect(lambda _value: self.changed.emit())
        theme.dress(flow, spacing=8)
        theme.dress(self.domain, font=(13.5, 400), width=DOMAIN_PX)
        name_widgets(
            source_language=self.source, target_language=self.target, formality=self.formality, swap_languages=self.swap
        )

    @property
    def wish(self) -> TranslationWish:
        """Current options without glossary; controls that are hidden count as not set."""
        # A tone chosen for another target or model doesn't count while its control is hidden.
        formality = Formality(self.formality.value) if not self.formality.isHidden() else Formality.DEFAULT
        domain = " ".join(self.domain.text().split()) if self._able.takes_domain else ""
        return TranslationWish(self.target.value, self.source.value, formality, domain)

    def offer(self, able: Able) -> None:
        self._able = able
        self.source.languages = self.target.languages = able.languages
        self.source.remark = self.target.remark = able.remark
        self._show_more()

    def show_wish(self, wish: TranslationWish) -> None:
        """Show stored options; none of the signals is emitted."""
        # Silently, or the same options would be stored again.
        self.source.show_value(wish.source)
        self.target.show_value(wish.target)
        self.formality.show_value(wish.formality)
        self.domain.setText(wish.domain)
        self.is_target_chosen = False
        self._show_more()

    def show_usual_target(self, kept: str) -> bool:
        """Set the default target unless the user chose one; return True if it changed."""
        target = usual_target(kept, self.source.value or self._detected, self._able.languages)
        if self.is_target_chosen or target == self.target.value:
            return False
        self.target.show_value(target)
        self._show_more()
        return True

    def show_small(self, *, is_small: bool) -> None:
        """Set compact mode, which shows the subject area only if it is filled in."""
        self._is_small = is_small
        self._show_more()

    def show_detected(self, code: str) -> None:
        self._detected = code
        self.source.show_detected(code)
        self.swap.setEnabled(bool(self.source.value or code))

    def _on_source(self, value: str) -> None:
        if value and is_same(value, self.target.value):  # the user meant to swap the languages
            self.target.show_value(usual_target(self._detected, value, self._able.languages))
        self._show_more()
        self.changed.emit()

    def _on_target(self, value: str) -> None:
        self.is_target_chosen = True
        if self.source.value and is_same(value, self.source.value):
            self.source.show_value("")  # to be detected again
        self._show_more()
        self.changed.emit()

    def _on_swap(self) -> None:
        source, target = self.source.value or self._detected, self.target.value
        if not source or not target:
            return
        self.source.show_value(target)
        self.target.show_value(source)
        self.is_target_chosen = True
        self._show_more()
        self.swapped.emit()

    def _show_more(self) -> None:
        """Show the form of address only if the target has one and the model supports it."""
        self.formality.setVisible(self._able.takes_formality and has_formality(self.target.value))
        self.domain.setVisible(self._able.takes_domain and not (self._is_small and not self.domain.text()))
        self.swap.setEnabled(bool(self.source.value or self._detected))


# Button of a language that opens the list of languages.


class LanguageButton(ChoiceButton):
    """Button of a language; `value` is its code. With `can_detect` it may be "", shown with the detected language."""

    def __init__(self, theme: Theme, name: str, *, can_detect: bool = False) -> None:
        self._can_detect, self._detected = can_detect, ""
        self.languages: Sequence[str] = ()
        """Codes of the languages to choose from."""
        self.remark = ""
        """Note below the list."""
        super().__init__(theme, name, (("", ""),))

    def show_detected(self, code: str) -> None:
        """Show the detected language; "" while it is unknown."""
        self._detected = code
        self._show()

    def show_menu(self) -> None:
        self.show_list()

    def show_list(self) -> LanguagePopup:
        offered = [_offered(code) for code in self.languages]
        offered.sort(key=lambda offer: offer.name)
        if self._can_detect:
            offered.insert(0, Offered("", self._detect_words()))
        popup = LanguagePopup(self._theme, self._name, offered, self.value, self, remark=self.remark)
        popup.chosen.connect(self.choose)
        popup.show_below(self.button)
        return popup

    def _detect_words(self) -> str:
        return tr("Detect ({language})", language=own_name(self._detected)) if self._detected else tr("Detect")

    def _show(self) -> None:
        words = own_name(self.value)
        if not self.value and self._can_detect:
            found = own_name(self._detected)
            words = tr(DETECTED_LANGUAGE, language=found) if found else tr("Detect language")
        words = words or tr("Choose a language")
        self.button.setText(words.replace("&", "&&"))
        self.button.setAccessibleName(f"{self._name}: {words}")
        self.updateGeometry()


def _offered(code: str) -> Offered:
    found = find_language(code)
    return Offered(code, tr(found.english), found.own) if found is not None else Offered(code, code)


# Popup of languages: a filter, and their names in English and in their own language.


WIDTH_PX, MOST_ROWS, ROW_PX = 340, 10, 34
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
_CODE = Qt.ItemDataRole.UserRole


class Offered(NamedTuple):
    """Entry of the list: value, name, and further search terms."""

    value: str
    name: str
    other: str = ""


class LanguagePopup(QFrame):
    """Popup list of languages; a choice, Esc or a click outside closes it."""

    chosen = Signal(str)

    def __init__(
        self, theme: Theme, name: str, offered: Sequence[Offered], value: str, parent: QWidget, *, remark: str = ""
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._theme, self._offered = theme, offered
        self.setObjectName("language_popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(name)
        self.search = QLineEdit(placeholderText=tr("Search languages"))
        self.search.setAccessibleName(tr("Search languages"))
        self.search.textChanged.connect(self._on_typed)
        self.search.installEventFilter(self)
        self.list = QListWidget()
        self.list.setObjectName("languages")
        self.list.setAccessibleName(name)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the field keeps the focus and moves the selection
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setProperty("elides", True)
        self.list.itemClicked.connect(self._on_chosen)
        for language in offered:
            words = (
                f"{language.name}  ·  {language.other}"
                if language.other and language.other != language.name
                else language.name
            )
            item = QListWidgetItem(words, self.list)
            item.setData(_CODE, language.value)
            if language.value == value:
                self.list.setCurrentItem(item)
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addWidget(self.list)
        if remark:
            said = plain_label(remark, kind="muted", wraps=True)
            said.setObjectName("languages_remark")
            theme.dress(said, font=(13, 400))
            column.addWidget(said)
        theme.dress(column, margins=(8, 8, 8, 8), spacing=6)
        theme.dress(self.search, self.list, font=(14, 400))
        theme.dress(self, width=WIDTH_PX)
        self.list.setFixedHeight(theme.px(ROW_PX) * min(MOST_ROWS, max(1, len(offered))))

    def show_below(self, widget: QWidget) -> None:
        """Open below a button with the search field focused."""
        x = widget.width() - self.width() if widget.isRightToLeft() else 0
        below = widget.mapToGlobal(QPoint(x, widget.height() + self._theme.px(4)))
        # Near the edge of the screen there may be no room below the button.
        screen = widget.screen().availableGeometry()
        height = self.sizeHint().height()
        lowest, rightmost = screen.bottom() - height, screen.right() - self.width()
        self.move(max(screen.left(), min(below.x(), rightmost)), max(screen.top(), min(below.y(), lowest)))
        self.show()
        self.search.setFocus(Qt.FocusReason.PopupFocusReason)
        # Only a list that is shown has a size, without which it can't scroll.
        self.list.scrollToItem(self.list.currentItem(), QListWidget.ScrollHint.PositionAtCenter)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in _MOVES:
                self._move(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.list.currentItem() is not None:
                self._on_chosen(self.list.currentItem())
                return True
        return super().eventFilter(watched, event)

    def _move(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -MOST_ROWS, Qt.Key.Key_PageDown: MOST_ROWS}
        rows = [row for row in range(self.list.count()) if not self.list.item(row).isHidden()]
        if not rows:
            return
        now = self.list.currentRow()
        place = rows.index(now) if now in rows else -1
        self.list.setCurrentRow(rows[min(max(place + steps[Qt.Key(event.key())], 0), len(rows) - 1)])

    def _on_typed(self, typed: str) -> None:
        wanted, first = fold_words(typed.strip()), -1
        for row, offered in enumerate(self._offered):
            is_it = (
                wanted in fold_words(offered.name)
                or wanted in fold_words(offered.other)
                or wanted == offered.value.lower()  # a code is found as a whole only: part of one is in most names
            )
            self.list.item(row).setHidden(not is_it)
            # Names that start with the typed letters go before those that contain them.
            starts = fold_words(offered.name).startswith(wanted) or fold_words(offered.other).startswith(wanted)
            if is_it and (first < 0 or (starts and not _starts(self._offered[first], wanted))):
                first = row
        self.list.setCurrentRow(first)

    def _on_chosen(self, item: QListWidgetItem) -> None:
        value = str(item.data(_CODE))
        self.close()
        self.chosen.emit(value)


def _starts(offer: Offered, wanted: str) -> bool:
    return fold_words(offer.name).startswith(wanted) or fold_words(offer.other).startswith(wanted)


# Offer in place of a bad translation: a model that knows both languages, with its download.


TASK = "translate"
RUNS = ("queued", "running", "paused")


class NeedsModel(QFrame):
    """Offer of a model for the languages; nothing is downloaded without a click."""

    model_came = Signal()
    """The tab has a new model."""
    _told = Signal(object)
    """Passes a `Download` to the window's thread."""

    def __init__(self, models: ModelCollection, ui: UiContext) -> None:
        super().__init__()
        self._models, self._ui = models, ui
        self._offer: tuple[ModelSuggestion, MessageTemplate] | None = None
        self._download: Download | None = None
        self._missing = ""
        self._is_asking = self._is_looking = False
        self.setProperty("kind", "card")
        self.setObjectName("needs_model")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = plain_label(wraps=True)
        self.state = plain_label(kind="muted", wraps=True)
        self.line = ProgressStripe(ui.theme)
        self.download = text_button(tr(DOWNLOAD), "primary")
        self.download.clicked.connect(self.fetch)
        self.others = text_button(tr(OTHER_MODELS), "quiet")
        self.others.clicked.connect(lambda: ui.go.open_models("downloads" if self._is_coming else "suggested"))
        buttons = FlowLayout()
        buttons.addWidget(self.download)
        buttons.addWidget(self.others)
        column = QVBoxLayout(self)
        for widget in (self.words, self.state, self.line):
            column.addWidget(widget)
        column.addLayout(buttons)
        ui.theme.dress(column, margins=(16, 14, 16, 14), spacing=8)
        ui.theme.dress(buttons, spacing=8)
        ui.theme.dress(self.words, self.download, self.others, font=(14, 500))
        ui.theme.dress(self.state, font=(13, 400))
        self._told.connect(self._on_download)
        # `listen` returns the function that ends it.
        self.destroyed.connect(models.listen(self._told.emit))
        self._show()
        name_widgets(
            needs_words=self.words,
            needs_state=self.state,
            needs_line=self.line,
            needs_download=self.download,
            needs_others=self.others,
        )

    def find_model(self, missing: str = "") -> None:
        """Look for a suitable model on a thread. `missing` is shown instead if the current one lacks a language."""
        self._missing = missing
        self._show()
        if self._is_looking or missing:
            return
        self._is_looking = True
        tasks.ask(self._found, self, self._on_found, self._on_not_found)

    def fetch(self) -> None:
        """Download the offered model, or use it if it is installed; the repository is asked first."""
        if self._offer is None or self._is_asking:
            return
        suggestion = self._offer[0]
        if suggestion.installed is not None:
            self._use(suggestion.installed.path)
            return
        self._is_asking = True
        tasks.ask(
            lambda token: self._models.download_entry(suggestion.entry, token),
            self,
            self._on_download_begun,
            self._on_refused,
        )
        self._show()

    @property
    def _is_coming(self) -> bool:
        return self._download is not None and self._download.state in RUNS

    def _found(self, _cancel: CancelToken) -> tuple[ModelSuggestion, MessageTemplate] | None:
        fitting = [suggestion for suggestion in self._models.suggest_models(TASK) if suggestion.fit.word != "too_large"]
        # A model that is here goes first, then one that is being downloaded.
        here = next((suggestion for suggestion in fitting if suggestion.installed is not None), None)
        coming = next(
            (
                suggestion
                for suggestion in fitting
                if suggestion.download is not None and suggestion.download.state in RUNS
            ),
            None,
        )
        offer = here or coming or next(iter(fitting), None)
        return (offer, offer.words_for(TASK)) if offer is not None else None

    def _on_found(self, offer: tuple[ModelSuggestion, MessageTemplate] | None) -> None:
        self._is_looking, self._offer = False, offer
        download = offer[0].download if offer is not None else None
        # One that was begun while this look-up ran is unknown to it, and its events would be ignored from now on.
        if download is not None or not self._is_coming:
            self._download = download
        self._show()

    def _on_not_found(self, error: BaseException) -> None:
        # The offer was not asked for, so a failed look-up isn't reported; only defects are raised.
        self._is_looking = False
        if not isinstance(error, AppError):
            raise error

    def _on_download_begun(self, download: Download) -> None:
        self._is_asking = False
        # The download's first event may have come before this answer, and is newer.
        if self._download is None or self._download.id != download.id:
            self._download = download
        self._show()

    def _on_refused(self, error: BaseException) -> None:
        self._is_asking = False
        self._show()
        can_retry = sentence_for(error).action == "retry"
        self._ui.notify.error(error, action=self.fetch if can_retry else None)

    def _on_download(self, download: Download) -> None:
        """Show the progress of the offered model's download; events of others are ignored."""
        if self._download is None or download.id != self._download.id:
            return
        self._download = download
        if download.state == "done" and download.paths:
            self._use(Path(download.paths[0]))
        self._show()

    def _use(self, path: Path) -> None:
        with self._ui.notify.guard():
            self._models.choose_model(TASK, path)
        self.model_came.emit()

    def _show(self) -> None:
        from app.ui.model_texts import problem_words, state_words  # most users never need it

        suggestion, words = self._offer or (None, None)
        is_here = suggestion is not None and suggestion.installed is not None
        name = suggestion.entry.name if suggestion is not None else ""
        need = tr("Translating needs a model that knows both languages.")
        said = self._missing or (in_words(words) if words is not None else need)
        self.words.setText(said.replace("-", "\u2011"))  # so that a name such as Hy-MT2 stays on one line
        state = tr(ASKING_HUB, name=name) if self._is_asking else ""
        if self._is_coming and self._download is not None:
            state = state_words(self._download)
        elif self._download is not None:
            state = state or problem_words(self._download)
        elif is_here:
            state = tr("It’s on this computer.")
        self.state.setText(state)
        self.state.setVisible(bool(state) and not self._missing)
        self.line.setVisible(self._is_coming and not self._missing)
        self.line.setAccessibleName(tr("Download of {name}", name=name))
        if self._download is not None:
            self.line.show_share(self._download.done_bytes, self._download.total_bytes)
        label = tr(USE_IT) if is_here else tr(DOWNLOAD)
        self.download.setText(label)
        self.download.setAccessibleName(tr("Use {name}", name=name) if is_here else tr(DOWNLOAD_MODEL, name=name))
        self.download.setVisible(suggestion is not None and not self._is_coming and not self._missing)
        self.download.setEnabled(not self._is_asking)
        self.others.setText(tr(DOWNLOADS) if self._is_coming else tr(OTHER_MODELS))
        self.others.setAccessibleName(self.others.text())
        self.setAccessibleName(" ".join(text for text in (said, state) if text))

        self._keep_whole()

    def _keep_whole(self) -> None:
        """Set a minimum height, as wrapped labels have none and would be cut in a low window."""
        column = self.layout()
        if column is None:
            return
        margins = column.contentsMargins()
        width = self.contentsRect().width() - margins.left() - margins.right()
        for label in (self.words, self.state):
            label.setMinimumHeight(0)  # reset, or it would count in the size hint
            label.setMinimumHeight(max(0, label.heightForWidth(width)))

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):  # another width, text or font
            self._keep_whole()
        return super().event(event)


# Languages of the tab's model, read from its file's header on a thread.


VARIANTS = {"pt": ("pt-BR", "pt-PT")}
"""Variants offered in place of a language."""


@dataclass(frozen=True)
class Able:
    """A model with its languages; both None until they are known."""

    model: Path | None = None
    knows: KnownLanguages | None = None

    @property
    def translates(self) -> bool:
        """True if it knows at least two languages, so that it can translate at all."""
        return self.model is not None and self.knows is not None and len(self.knows.languages) > 1

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages to offer: the model's, or all if none that translates is loaded."""
        known = self.knows.languages if self.knows is not None and self.translates else ()
        codes = known or tuple(language.code for language in LANGUAGES)
        variants = (variant for code in codes for variant in VARIANTS.get(code, (code,)))
        return tuple(dict.fromkeys(variants))

    @property
    def remark(self) -> str:
        """Note on the support of these languages; "" if the model's makers state it."""
        if self.knows is None or not self.translates or not self.knows.is_guess:
            return ""
        if self.knows.is_for_code:
            return tr(MADE_FOR_CODE)
        return tr("This model’s languages are a guess from its name.")

    @property
    def takes_formality(self) -> bool:
        return self.knows is None or self.knows.takes_formality

    @property
    def takes_domain(self) -> bool:
        """True if the prompt can include a subject area."""
        return self.knows is None or self.knows.takes_domain

    def can(self, source: str, target: str) -> bool:
        """Return whether it translates a pair; source "" is any."""
        from app.features.models.model_languages import can_translate  # 80 ms that the window can save

        return self.translates and self.knows is not None and can_translate(self.knows, source, target)

    def missing(self, source: str, target: str) -> str:
        """Return a sentence on the language the model lacks; "" if it does not translate at all."""
        if not self.translates or self.model is None:
            return ""
        for code in (target, source):
            found = find_language(code) if code else None
            if found is not None and not self.can("", code):
                name = model_name(self.model)
                return tr(LANGUAGE_UNKNOWN, model=name, language=tr(found.english))
        return tr("{model} can’t translate between these languages.", model=model_name(self.model))


class Capability(QObject):
    """Look up the model's capability on a thread; `changed` is emitted when it differs."""

    changed = Signal()

    def __init__(self, translations: TranslationJobs, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._translations, self._notify = translations, notify
        self._task: tasks.BackgroundTask | None = None
        self._is_asked_again = False
        self.able: Able | None = None
        """None while unknown."""

    @property
    def is_none(self) -> bool:
        """True if the model is known not to translate."""
        return self.able is not None and not self.able.translates

    def check_model(self) -> None:
        """Look up the model and its languages on a thread."""
        # One look-up at a time; a request meanwhile repeats it.
        if self._task is not None:
            self._is_asked_again = True
            return
        self._task = tasks.ask(self._found, self, self._on_found, self._on_failed)
        self._task.finished.connect(self._on_ended)

    def _found(self, _cancel: CancelToken) -> Able:
        from app.features.models.model_languages import known_languages  # it reads model headers, not needed at start

        model = self._translations.engines.model_path()
        return Able(model, known_languages(model))

    def _on_found(self, able: Able) -> None:
        if able != self.able:
            self.able = able
            self.changed.emit()

    def _on_ended(self) -> None:
        self._task = None
        if self._is_asked_again:
            self._is_asked_again = False
            self.check_model()

    def _on_failed(self, error: BaseException) -> None:
        self._notify.error(error)
        self._on_ended()
