"""Typed texts with their translations, in the list beside the documents."""

from __future__ import annotations

from app.features.chat import title_from
from app.features.translation.result import TranslationWish, wish_to_fields
from app.features.translation.stored import KIND, TYPED
from app.features.work.queue import DONE
from app.store.jobs import Job, Jobs
from app.store.translations import TranslationStore

TITLE_CHARACTERS = 80


class TypedTexts:
    """From any thread."""

    def __init__(self, jobs: Jobs, store: TranslationStore) -> None:
        self._jobs, self._store = jobs, store

    def keep(
        self, job: Job | None, texts: tuple[str, str], wish: TranslationWish, *, source_language: str, model: str
    ) -> int:
        """Keeps source and translation, in place of what `job` has or as a new one; returns the job's id."""
        source, target = texts
        spec = {"wish": wish_to_fields(wish), "source_language": source_language, "format": TYPED}
        if job is None:
            job = self._jobs.add(KIND, title_from(source, TITLE_CHARACTERS), spec, state=DONE)
        else:
            has_name = job.title != title_from(self.texts(job.id)[0], TITLE_CHARACTERS)  # from the person
            self._jobs.update(job.id, title=None if has_name else title_from(source, TITLE_CHARACTERS), spec=spec)
        self._jobs.update(job.id, progress={"model_file": model})
        self._store.keep_result(job.id, {"source": source, "target": target}, f"{source}\n{target}")
        return job.id

    def texts(self, job_id: int) -> tuple[str, str]:
        """A text and its translation; empty ones for any other job."""
        fields = self._store.result(job_id) or {}
        return str(fields.get("source", "")), str(fields.get("target", ""))
