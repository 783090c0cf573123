"""Languages of a translation: choice, detection, the model's support, and an offer of a better model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.core.settings import Settings
from app.features.translate.translation_events import Formality, TranslationWish
from app.language.language_names import LANGUAGES, find_language, has_formality, is_same, other_than
from app.ui.i18n import tr, translated_choices
from app.ui.shared_labels import FROM
from app.ui.shell import tasks
from app.ui.shell.model_loader import model_name
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.language_popup import LanguageButton
from app.ui.widgets.buttons import ChoiceButton, IconButton
from app.ui.widgets.layouts import FlowLayout, name_widgets
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.features.models.model_languages import KnownLanguages
    from app.features.translate.translation_jobs import TranslationJobs

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
    return other_than(source, usual_targets(kept), among)


def usual_targets(kept: str) -> tuple[str, ...]:
    """Return the targets for texts whose own was not chosen: the last chosen, then the user's language."""
    own = find_language(QLocale.system().name())
    return (kept, own.code if own is not None else "")


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
    """Row of options. `changed` is emitted for every choice but an exchange of languages, which `on_swap` hears of."""

    changed = Signal()

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, on_swap: Callable[[], object] = lambda: None
    ) -> None:
        super().__init__(parent)
        self.on_swap = on_swap
        self._detected = ""
        self._is_small = False
        self._able = Able()
        self.is_target_chosen = False
        """True if the user chose the target of this text."""
        self.source = LanguageButton(theme, tr(FROM), can_detect=True)
        self.swap = IconButton(theme, "arrows-left-right", tr(SWAP_LANGUAGES), size_px=18, on_click=self._on_swap)
        self.target = LanguageButton(theme, tr(INTO))
        self.formality = ChoiceButton(
            theme, tr(TONE), translated_choices(FORMALITIES), on_change=lambda _value: self.changed.emit()
        )
        self.domain = QLineEdit(placeholderText=tr("Topic (optional)"))
        self.domain.setAccessibleName(tr(TEXT_TOPIC))
        self.domain.setToolTip(tr("For example “rental agreement”: helps with ambiguous words"))
        self.domain.setMaxLength(MOST_DOMAIN)
        self.domain.setProperty("kind", "bar")
        self.domain.setAcceptDrops(False)  # dropped files are the window's
        self._typed = new_timer(self, TYPING_MS, self.changed)
        self.domain.textEdited.connect(lambda _text: self._typed.start())
        flow = FlowLayout(self)
        for widget in (self.source, self.swap, self.target, self.formality, self.domain):
            flow.addWidget(widget)
        self.source.changed.connect(self._on_source)
        self.target.changed.connect(self._on_target)
        theme.dress(flow, spacing=8)
        theme.dress(self.domain, font="body", width=DOMAIN_PX)
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

    @property
    def chosen(self) -> TranslationWish:
        """Options as they are set, those of hidden controls too."""
        formality = Formality(self.formality.value)
        return TranslationWish(self.target.value, self.source.value, formality, self.domain.text())

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

    def show_chosen(self, wish: TranslationWish, *, is_target_chosen: bool) -> None:
        """Show the options of a session; none of the signals is emitted."""
        if wish != self.chosen:
            self.show_wish(wish)
        self.is_target_chosen = is_target_chosen

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
        self.on_swap()

    def _show_more(self) -> None:
        """Show the form of address only if the target has one and the model supports it."""
        self.formality.setVisible(self._able.takes_formality and has_formality(self.target.value))
        self.domain.setVisible(self._able.takes_domain and not (self._is_small and not self.domain.text()))
        self.swap.setEnabled(bool(self.source.value or self._detected))


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

    def check_model(self) -> None:
        """Look up the model and its languages on a thread."""
        # One look-up at a time; a request meanwhile repeats it.
        if self._task is not None:
            self._is_asked_again = True
            return
        self._task = tasks.ask(self._found, self, self._on_found, self._notify.error, self._on_ended)

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
