"""Pictures of documents in the Translate tab: dropped, at work, flagged, edited, saved, with a glossary, in Arabic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from app.bootstrap import Fireside
from app.core.events import CancelToken
from app.documents.segments import Content, Mark, content_of, marks, plain
from app.features.translate.at_work import outcome_of
from app.features.translate.translation_events import (
    Flag,
    FlagKind,
    GlossaryTerm,
    StoredTranslation,
    Translated,
    TranslationAdded,
    TranslationSource,
    TranslationWish,
)
from app.store.jobs import JobTable
from app.store.translation_store import TranslationStore
from tests.helpers.desks.translate import DocumentDesk

TIMEOUT_MS = 20_000
LEASE_HTML = """<!doctype html><html lang="en"><head><title>Lease</title></head><body>
<h2>3. Rent and deposit</h2>
<p>The tenant pays <b>1,240.00</b> by the <i>fifth working day</i> of each month to the account named in
<a href="#b">Annex B</a>.</p>
<p>The deposit equals three months’ rent and is returned within 30 days of the end of the lease.</p>
<p>Late payment bears interest of 1 % per month.</p>
<p>Keys: 2 × front door, 1 × mailbox (<code>{box_no}</code>).</p>
<p>Pets are allowed with the landlord’s written consent, which may not be refused without reason.</p>
<p>The parties choose the courts of the place where the property lies.</p>
<p>The annexes are part of this lease. <img src="seal.png" alt="Seal of the notary"></p>
</body></html>
"""
PORTUGUESE: dict[str, Words] = {
    "Lease": "Contrato",
    "3. Rent and deposit": "3. Aluguel e caução",
    "The tenant pays": ("O locatário paga ", "1.240,00", " até o ", "quinto dia útil",
                        " de cada mês na conta indicada no ", "Anexo B", "."),
    "The deposit equals": "A caução equivale a três meses de aluguel e é devolvida em até 30 dias após o término do "
    "contrato.",
    "Late payment": "O pagamento em atraso rende juros de 1 % ao mês.",
    "Keys:": ("Chaves: 2 × porta de entrada, 1 × caixa de correio (", ")."),
    "Pets are": "São permitidos animais com o consentimento por escrito do locador, que não pode ser recusado sem "
    "motivo.",
}  # fmt: skip
ARABIC: dict[str, Words] = {
    "Lease": "عقد الإيجار",
    "3. Rent and deposit": "3. الإيجار والتأمين",
    "The tenant pays": ("يدفع المستأجر ", "1240.00", " في موعد أقصاه ", "يوم العمل الخامس",
                        " من كل شهر إلى الحساب المذكور في ", "الملحق ب", "."),
    "The deposit equals": "يعادل التأمين إيجار ثلاثة أشهر ويُعاد خلال 30 يومًا من نهاية العقد.",
    "Late payment": "يترتب على التأخر في الدفع فائدة قدرها 1 % شهريًا.",
    "Keys:": ("المفاتيح: 2 × الباب الأمامي، 1 × صندوق البريد (", ")."),
    "Pets are": "يُسمح بالحيوانات الأليفة بموافقة خطية من المالك، ولا يجوز رفضها دون سبب.",
    "The parties": "يختار الطرفان محاكم المكان الذي يقع فيه العقار.",
    "The annexes": ("الملاحق جزء من هذا العقد. ", ""),
    "Seal": "ختم كاتب العدل",
}  # fmt: skip
TERMS = (
    GlossaryTerm("interest", "juros de mora"), GlossaryTerm("lease", "contrato de locação"),
    GlossaryTerm("tenant", "locatário"),
    GlossaryTerm("landlord", "locador"), GlossaryTerm("deposit", "caução"), GlossaryTerm("Fireside", "Fireside"),
)  # fmt: skip

Words = str | tuple[str, ...]
Step = Callable[[], object]


def document_scenes(desk: DocumentDesk, show: Callable[[], object], folder: Path) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, and after it. `show` brings the tab with the view to the front."""
    folder.mkdir(parents=True, exist_ok=True)
    made = _Made(desk.app, folder)

    def shown(stored: StoredTranslation) -> None:
        show()
        desk.root.show_translation(stored.id)
        desk.wait(lambda: desk.root.drafts.capability.able is not None and not desk.is_estimating, TIMEOUT_MS)
        desk.segments.setFocus()

    def working() -> None:
        shown(made.working)
        desk.rows.set_translated(Translated(1, ("Contrato",)))
        desk.rows.grow(8, "As partes eleg")

    def edited() -> None:
        shown(made.done)
        desk.edit(2)

    def damaged() -> None:
        edited()
        content = desk.editor.content
        desk.put_in_editor(content_of([part for part in content if part != marks(content)[1]]))
        desk.editor.finish_edit()

    def glossary() -> None:
        shown(made.done)
        desk.root.show_glossary(is_open=True)
        desk.glossary.show_found((GlossaryTerm("Rua das Flores", "Rua das Flores"), GlossaryTerm("Annex", "Anexo")))

    def searched() -> None:
        shown(made.done)
        desk.page.begin_search()
        desk.search_field.setText("juros")
        desk.wait(lambda: desk.found, TIMEOUT_MS)

    def nothing() -> None:
        """Nothing to tidy up."""

    return [
        ("document-draft", lambda: shown(made.draft), nothing),
        ("document-working", working, desk.rows.drop_growing),
        ("document-done", lambda: shown(made.done), nothing),
        ("document-stopped", lambda: shown(made.stopped), nothing),
        ("document-edit", edited, desk.leave_editor),
        ("document-marks-missing", damaged, desk.leave_editor),
        ("document-glossary", glossary, lambda: desk.root.show_glossary(is_open=False)),
        ("document-search", searched, desk.page.end_search),
        ("document-arabic", lambda: shown(made.arabic), nothing),
    ]


class _Made:
    """Translations as they would be stored; their contents are invented."""

    def __init__(self, app: Fireside, folder: Path) -> None:
        self._app, self._folder = app, folder
        self._jobs, self._store = JobTable(app.database), TranslationStore(app.database)
        app.translations.words.keep_glossary("en", "pt-BR", TERMS)
        self.draft = self._add("lease (draft).html", "pt-BR")
        self.stopped = self._fill(self._add("notice.html", "pt-BR"), PORTUGUESE, "paused", most=4)
        self.working = self._fill(self._add("annex.html", "pt-BR"), PORTUGUESE, "running", most=7)
        self.done = self._fill(self._add("lease.html", "pt-BR"), PORTUGUESE, "done")
        self.arabic = self._fill(self._add("lease (copy).html", "ar"), ARABIC, "done")

    def _add(self, name: str, target: str) -> StoredTranslation:
        path = self._folder / name
        path.write_text(LEASE_HTML, "utf-8")
        wish = TranslationWish(target, "en")
        events = list(self._app.translations.add(path, wish, CancelToken()))
        return next(event.translation for event in events if isinstance(event, TranslationAdded))

    def _fill(
        self, stored: StoredTranslation, words: dict[str, Words], state: str, *, most: int = 1_000
    ) -> StoredTranslation:
        kept = []
        for row in self._app.translations.segments.read_rows(stored.id)[:most]:
            found = next((said for start, said in words.items() if row.segment.text.startswith(start)), None)
            flags: tuple[Flag, ...] = ()
            if found is None:
                content, flags, origin = row.segment.content, (Flag(FlagKind.UNTRANSLATED),), TranslationSource.KEPT
            else:
                content, origin = _with_marks(row.segment.content, found), TranslationSource.MODEL
            if "juros de 1" in plain(content):
                flags = (Flag(FlagKind.GLOSSARY, "interest", "juros de mora"),)
            kept.append(outcome_of(Translated(row.segment.id, content, origin, flags)))
        self._store.save_outcomes(stored.id, kept)
        self._jobs.update(stored.id, state=state)
        return replace(stored, state=state)


def _with_marks(source: Content, words: Words) -> Content:
    """Words in the places of the source's texts, its marks between them."""
    left = [words] if isinstance(words, str) else list(words)
    parts: list[str | Mark] = []
    for part in source:
        parts.append(part if isinstance(part, Mark) else left.pop(0) if left else "")
    return content_of([*parts, *left])
