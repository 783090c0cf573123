"""From which language into which, with the two exchanged by a button; the tone; the topic."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QLocale, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.features.translation.result import Formality, TranslationWish
from app.language.names import has_formality, is_same, language, other_than
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.translate.language_button import LanguageButton
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.choice_button import ChoiceButton
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.names import name_widgets

TYPING_MS = 600
MOST_DOMAIN = 120
DOMAIN_PX = 190
FORMALITIES = (
    (Formality.DEFAULT, "Any tone"),
    (Formality.FORMAL, "Formal tone"),
    (Formality.INFORMAL, "Informal tone"),
)


def usual_target(kept: str, source: str = "", among: Sequence[str] = ()) -> str:
    """What was chosen last, else the person's own language, else another: never what the text is in."""
    own = language(QLocale.system().name())
    return other_than(source, (kept, own.code if own is not None else ""), among)


class LanguageChoice(QWidget):
    """`changed` comes with every choice but one: `swapped` when source and target were exchanged."""

    changed = Signal()
    swapped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._detected = ""
        self._is_small = False
        self._takes_formality = self._takes_domain = True
        self._languages: Sequence[str] = ()
        self.is_target_chosen = False
        """Whether a person chose the target for what is shown now."""
        self.source = LanguageButton(theme, tr("From"), can_detect=True)
        self.swap = IconButton(theme, "arrows-left-right", tr("Swap the languages"), size_px=18)
        self.swap.clicked.connect(self._on_swap)
        self.target = LanguageButton(theme, tr("Into"))
        self.formality = ChoiceButton(theme, tr("Tone"), FORMALITIES)
        self.domain = QLineEdit(placeholderText=tr("Topic (optional)"))
        self.domain.setAccessibleName(tr("Topic of the text"))
        self.domain.setToolTip(tr("Such as “rental agreement”: helps with words that have several meanings"))
        self.domain.setMaxLength(MOST_DOMAIN)
        self.domain.setAcceptDrops(False)  # files are for the window
        self._typed = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typed.timeout.connect(self.changed)
        self.domain.textEdited.connect(lambda _text: self._typed.start())
        self._flow = FlowLayout(self)
        for widget in (self.source, self.swap, self.target, self.formality, self.domain):
            self._flow.addWidget(widget)
        self.source.changed.connect(self._on_source)
        self.target.changed.connect(self._on_target)
        self.formality.changed.connect(lambda _value: self.changed.emit())
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(
            source_language=self.source, target_language=self.target, formality=self.formality, swap_languages=self.swap
        )

    @property
    def wish(self) -> TranslationWish:
        """What is chosen now, without a glossary."""
        formality = Formality(self.formality.value) if not self.formality.isHidden() else Formality.DEFAULT
        domain = " ".join(self.domain.text().split()) if self._takes_domain else ""
        return TranslationWish(self.target.value, self.source.value, formality, domain)

    def offer(self, languages: Sequence[str], *, formality: bool = True, domain: bool = True) -> None:
        """What the model can do."""
        self._languages = languages
        self.source.offer(languages)
        self.target.offer(languages)
        self._takes_formality, self._takes_domain = formality, domain
        self._show_more()

    def show_wish(self, wish: TranslationWish) -> None:
        """Shows choices that were made before; nothing is told."""
        self.source.show_value(wish.source)
        self.target.show_value(wish.target)
        self.formality.show_value(wish.formality)
        self.domain.setText(wish.domain)
        self.is_target_chosen = False
        self._show_more()

    def show_usual_target(self, kept: str) -> bool:
        """A target that is not what the text is in, unless the person chose one; whether it is another than before."""
        target = usual_target(kept, self.source.value or self._detected, self._languages)
        if self.is_target_chosen or target == self.target.value:
            return False
        self.target.show_value(target)
        self._show_more()
        return True

    def show_small(self, *, is_small: bool) -> None:
        """Where there is little room, what the text is about is asked only where it was said."""
        self._is_small = is_small
        self._show_more()

    def show_detected(self, code: str) -> None:
        """The language that the text was found to be in."""
        self._detected = code
        self.source.show_detected(code)
        self.swap.setEnabled(bool(self.source.value or code))

    def _on_source(self, value: str) -> None:
        if value and is_same(value, self.target.value):  # the other way round is what was meant
            self.target.show_value(usual_target(self._detected, value, self._languages))
        self._show_more()
        self.changed.emit()

    def _on_target(self, value: str) -> None:
        self.is_target_chosen = True
        if self.source.value and is_same(value, self.source.value):
            self.source.show_value("")  # it is found anew
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
        """How people are addressed only where the language tells it and the model takes it."""
        self.formality.setVisible(self._takes_formality and has_formality(self.target.value))
        self.domain.setVisible(self._takes_domain and not (self._is_small and not self.domain.text()))
        self.swap.setEnabled(bool(self.source.value or self._detected))

    def _on_theme_changed(self) -> None:
        self._flow.gap_px = self._theme.px(8)
        self.domain.setFont(self._theme.font(13.5))
        self.domain.setFixedWidth(self._theme.px(DOMAIN_PX))
