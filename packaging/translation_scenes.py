"""Translations in pictures: typed text, with Arabic as its target, flagged, put in other words, and without a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from translation_document_scenes import document_scenes

from app.features.translate.translation_events import (
    Flag,
    FlagKind,
    Formality,
    GlossaryTerm,
    Translated,
    TranslationEstimate,
    TranslationWish,
)
from app.hub.catalog import CatalogEntry
from app.ui.translate.language_popup import LanguagePopup
from tests.helpers.desks.window import Frame
from tests.helpers.models_on_disk import model_bytes

TIMEOUT_MS = 60_000
FOLDER = "translations-of-pictures"
MODEL_ID = "hy-mt2-1.8b"
LEASE = (
    "3. Rent and deposit",
    "The tenant pays 1,240.00 by the fifth working day of each month to the account named in Annex B.",
    "The deposit equals three months’ rent and is returned within 30 days of the end of the lease.",
    "Late payment bears interest of 1 % per month.",
    "Keys: 2 × front door, 1 × mailbox ({box_no}).",
)
PORTUGUESE = (
    "3. Aluguel e caução",
    "O locatário paga 1.240,00 até o quinto dia útil de cada mês na conta indicada no Anexo B.",
    "A caução equivale a três meses de aluguel e é devolvida em até 30 dias após o término do contrato.",
    "O pagamento em atraso rende juros de 1 % ao mês.",
    "Chaves: 2 × porta de entrada, 1 × caixa de correio ({box_no}).",
)
ARABIC = (
    "٣. الإيجار والتأمين",
    "يدفع المستأجر 1,240.00 بحلول يوم العمل الخامس من كل شهر إلى الحساب المذكور في الملحق ب.",
    "يساوي التأمين إيجار ثلاثة أشهر، ويُعاد خلال 30 يومًا من نهاية عقد الإيجار.",
    "يترتب على التأخر في السداد فائدة قدرها 1 % شهريًا.",
    "المفاتيح: 2 للباب الأمامي، 1 لصندوق البريد ({box_no}).",
)
BACK = (
    "3. Rent and security deposit\n\nThe lessee pays 1,240.00 by the fifth business day of each month into the account "
    "indicated in Annex B."
)
WORDINGS = (
    "Cabe ao locatário pagar 1.240,00 até o quinto dia útil de cada mês na conta indicada no Anexo B.",
    "O pagamento de 1.240,00 é devido até o quinto dia útil do mês, na conta indicada no Anexo B.",
)
OLDER = (
    ("Dear Sir or Madam, I am writing to ask for a copy of my statement.", 0.0),
    ("Starters\nSoup of the day\nGoat cheese with figs", 0.0),
    ("We met at the old harbour.", 3.0),
)
ESTIMATE = TranslationEstimate(10, 0, 240, 95.0)
LATE = Flag(FlagKind.GLOSSARY, "interest", "juros de mora")
TERMS = (
    GlossaryTerm("interest", "juros de mora"),
    GlossaryTerm("deposit", "caução"),
    GlossaryTerm("tenant", "locatário"),
)

Step = Callable[[], object]


def screens(frame: Frame) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, and after it."""
    app, made = frame.app, _Made(frame)
    desk = made.desk

    def nothing() -> None:
        """The next scene shows its own page."""

    def text() -> None:
        made.show("pt-BR", PORTUGUESE, {4: (LATE,)}, Formality.FORMAL)

    def arabic() -> None:
        made.show("ar", ARABIC, {})

    def back() -> None:
        text()
        desk.show_back(BACK)

    def wordings() -> None:
        text()
        heading, sentence = desk.shown[:2]
        desk.select(len(heading) + 1, len(heading) + 1 + len(sentence))
        card = desk.alternatives
        card.begin()
        for words in WORDINGS:
            card.add(words)
        card.end()

    def languages() -> None:
        text()
        desk.open_languages()

    def documents() -> None:
        made.have_model()
        app.translations.estimate = lambda *_: ESTIMATE  # type: ignore[method-assign]  # the model is an empty file
        frame.show_tab("translate")
        frame.picker.show_task("translate")
        desk.show_document_page()

    return [
        ("translate-needs-model", made.needs_model, nothing),
        ("translate-empty", made.empty, nothing),
        ("translate-text", text, nothing),
        ("translate-arabic", arabic, nothing),
        ("translate-back", back, lambda: desk.back_button.setChecked(False)),
        ("translate-wordings", wordings, desk.alternatives.close_card),
        ("translate-languages", languages, lambda: frame.find_step(LanguagePopup).close()),
        *document_scenes(desk.document, documents, app.paths.data / FOLDER),
    ]


class _Made:
    """Shows typed text as it would be after its work; what the model would have said is invented."""

    def __init__(self, frame: Frame) -> None:
        self._app, self._frame = frame.app, frame
        self._kept: int | None = None
        app = frame.app
        for text, days in reversed(OLDER):
            stored = app.translations.keep_text(text, text, TranslationWish("pt-BR"), "en", "")
            with app.database.transaction() as connection:
                begun_s = time.time() - days * 86_400
                connection.execute("UPDATE jobs SET created_at = ? WHERE id = ?", (begun_s, stored.id))
        app.translations.words.keep_glossary("en", "pt-BR", TERMS)
        frame.show_tab("translate")
        self.desk = frame.translate

    def needs_model(self) -> None:
        """Only the starter is here."""
        self._model.unlink(missing_ok=True)
        self._new()
        self.desk.wait(self.desk.download.isVisible, TIMEOUT_MS)

    def empty(self) -> None:
        """A model is here, and nothing typed."""
        self.have_model()
        self._new()
        self.desk.wait(lambda: self.desk.can_translate, TIMEOUT_MS)

    def show(
        self, target: str, translated: Sequence[str], flags: Mapping[int, tuple[Flag, ...]],
        formality: Formality = Formality.DEFAULT,
    ) -> None:  # fmt: skip
        """The lease in a language; one row, however often it is shown."""
        self.empty()
        done = [Translated(n, (words,), flags=flags.get(n, ())) for n, words in enumerate(translated, 1)]
        wish = TranslationWish(target, formality=formality)
        self._kept = self.desk.show_made(wish, LEASE, done, kept_as=self._kept)

    @property
    def _entry(self) -> CatalogEntry:
        return next(each for each in self._app.models.entries if each.id == MODEL_ID)

    @property
    def _model(self) -> Path:
        return self._app.models.models_folder() / self._entry.repo / self._entry.file

    def have_model(self) -> None:
        """As long as the real file, and empty."""
        if self._model.exists():
            return
        self._model.parent.mkdir(parents=True, exist_ok=True)
        with self._model.open("wb") as file:
            file.write(model_bytes("hy", 64, **{"tokenizer.chat_template": "{{ messages }}"}))
            file.truncate(self._entry.size_bytes)

    def _new(self) -> None:
        self._frame.show_tab("translate")
        self.desk.root.forget()
        self._frame.new_translation()
        self._frame.picker.show_task("translate")
        self.desk.root.capability.check_model()
        self.desk.wait(lambda: not self.desk.is_looking_for_model, TIMEOUT_MS)
