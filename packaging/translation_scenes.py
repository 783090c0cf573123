"""Translations in pictures: typed text, with Arabic as its target, flagged, put in other words, and without a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from translation_document_scenes import document_scenes

from app.documents.segments import Segment
from app.features.translation.result import Flag, FlagKind, Formality, Term, Translated, TranslationWish
from app.features.translation.stored import TranslationEstimate
from app.hub.catalog import Entry
from app.ui.translate.text_requests import Answer, Ended, Paragraphs
from tests.helpers.models_on_disk import model_bytes

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.main_window import MainWindow
    from app.ui.translate.text_page import TextPage
    from app.ui.translate.translate_view import TranslateView

WAIT_MS, TIMEOUT_S = 50, 60
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
TERMS = (Term("interest", "juros de mora"), Term("deposit", "caução"), Term("tenant", "locatário"))

Step = Callable[[], object]


def screens(app: Fireside, window: MainWindow, pause: Callable[[int], None]) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, and after it."""
    made = _Made(app, window, pause)

    def nothing() -> None:
        """The next scene shows its own page."""

    def text() -> None:
        made.show("pt-BR", PORTUGUESE, {4: (LATE,)}, Formality.FORMAL)

    def arabic() -> None:
        made.show("ar", ARABIC, {})

    def back() -> None:
        text()
        made.page.panes.back.blockSignals(True)
        made.page.panes.back.setChecked(True)
        made.page.panes.back.blockSignals(False)
        made.page.panes.show_back(shown=True)
        made.page.panes.say_back(BACK)

    def no_back() -> None:
        made.page.panes.back.setChecked(False)

    def documents() -> None:
        made.have_model()
        app.translations.estimate = lambda *_: ESTIMATE  # the model is an empty file
        window.views.show_translate()
        window.picker.show_task("translate")
        view.pages.setCurrentWidget(view.document)

    view = made.view
    return [
        ("translate-needs-model", made.needs_model, nothing),
        ("translate-empty", made.empty, nothing),
        ("translate-text", text, nothing),
        ("translate-arabic", arabic, nothing),
        ("translate-back", back, no_back),
        ("translate-wordings", lambda: made.wordings(text), made.no_wordings),
        ("translate-languages", lambda: made.languages(text), made.no_languages),
        *document_scenes(app, view.document, documents, app.paths.data / FOLDER, pause),
    ]


class _Made:
    """Shows typed text as it would be after its work; what the model would have said is invented."""

    def __init__(self, app: Fireside, window: MainWindow, pause: Callable[[int], None]) -> None:
        self._app, self._window, self._pause = app, window, pause
        self._kept: int | None = None
        for text, days in reversed(OLDER):
            stored = app.translations.keep_text(text, text, TranslationWish("pt-BR"), "en", "")
            with app.database.transaction() as connection:
                begun_s = time.time() - days * 86_400
                connection.execute("UPDATE jobs SET created_at = ? WHERE id = ?", (begun_s, stored.id))
        app.translations.keep_glossary("en", "pt-BR", TERMS)
        window.views.show_translate()

    @property
    def page(self) -> TextPage:
        """The page of typed text."""
        return self.view.text

    @property
    def view(self) -> TranslateView:
        """The middle of the tab."""
        tab = self._window.views._translate
        assert tab is not None
        return tab.view

    def needs_model(self) -> None:
        """Only the starter is here."""
        self._model.unlink(missing_ok=True)
        self._new()
        self._wait(self.page.needs.download.isVisible)

    def empty(self) -> None:
        """A model is here, and nothing typed."""
        self.have_model()
        self._new()
        self._wait(lambda: self.page.able.translates)

    def show(
        self, target: str, translated: Sequence[str], flags: Mapping[int, tuple[Flag, ...]],
        formality: Formality = Formality.DEFAULT,
    ) -> None:  # fmt: skip
        """The lease in a language."""
        self.empty()
        page = self.page
        page.choice.show_wish(TranslationWish(target, formality=formality))
        with page._loading():
            page.panes.source.show_text("\n\n".join(LEASE))
        page._count()
        segments = tuple(Segment(number, (words,)) for number, words in enumerate(LEASE, 1))
        done = {
            number: Translated(number, (words,), flags=flags.get(number, ()))
            for number, words in enumerate(translated, 1)
        }
        page.history.id = self._kept  # one row, however often it is shown
        for event in (Paragraphs(segments, "en", done), Ended(False, 4.2)):
            page.answers._on_answer(Answer(0, event))
        page.history.keep()
        self._kept = page.history.id

    def wordings(self, text: Step) -> None:
        """A sentence is selected, and others are there."""
        text()
        target, card = self.page.panes.target, self.page.panes.alternatives
        cursor = target.textCursor()
        block = target.document().begin().next()
        cursor.setPosition(block.position())
        cursor.setPosition(block.position() + len(block.text()), cursor.MoveMode.KeepAnchor)
        target.setTextCursor(cursor)
        self._wait(card.isVisible)
        card.begin()
        for words in WORDINGS:
            card.add(words)
        card.end()

    def no_wordings(self) -> None:
        """The card goes."""
        self.page.panes.alternatives.leave()

    def languages(self, text: Step) -> None:
        """The list of languages is open."""
        text()
        self._popup = self.page.choice.target.show_list()

    def no_languages(self) -> None:
        """It is closed."""
        self._popup.close()

    @property
    def _entry(self) -> Entry:
        return next(each for each in self._app.models.entries if each.id == MODEL_ID)

    @property
    def _model(self) -> Path:
        return self._app.models.folder() / self._entry.repo / self._entry.file

    def have_model(self) -> None:
        """As long as the real file, and empty."""
        if self._model.exists():
            return
        self._model.parent.mkdir(parents=True, exist_ok=True)
        with self._model.open("wb") as file:
            file.write(model_bytes("hy", **{"tokenizer.chat_template": "{{ messages }}"}))
            file.truncate(self._entry.size_bytes)

    def _new(self) -> None:
        self._window.views.show_translate()
        page = self.page
        page.forget()
        self._window.views._translations().show_new()
        self._window.picker.show_task("translate")
        page.look_again()
        self._pause(WAIT_MS)
        self._wait(lambda: page.capability._task is None)

    def _wait(self, condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + TIMEOUT_S
        while not condition() and time.monotonic() < end_s:
            self._pause(WAIT_MS)
        assert condition(), "the translations did not get ready for their pictures"
