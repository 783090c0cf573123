"""The composition root: builds every part once, hands parts over, closes them in reverse; no Qt."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from app import APP_NAME, __version__
from app.composition.chat_parts import ChatParts
from app.composition.model_parts import WRITING
from app.core.lazy_part import LazyPart
from app.core.log import end_log, start_log
from app.core.paths import AppPaths, close_to_others
from app.core.settings import load_settings, sweep_settings
from app.features.error_messages import PersonMessage, start_sentences
from app.store.conversations import Conversations
from app.store.database import open_database
from app.store.jobs import JobTable
from app.store.unfinished_work import recover_unfinished

if TYPE_CHECKING:
    from app.features.dictation import LiveDictation
    from app.features.exchange.chat_file import ChatArchive
    from app.features.finding import HistorySearch
    from app.features.housekeeping import DataHousekeeping
    from app.features.page_reading.readings import PageReadingJobs
    from app.features.reading_aloud.voice_process import VoiceProcess
    from app.features.summarize.summaries import SummaryJobs
    from app.features.transcribe import SoundRecorder
    from app.features.translate.translation_jobs import TranslationJobs
    from app.features.trash import TrashBin
    from app.features.updates import ReleaseUpdates
    from app.features.work.task_engines import TaskEngines
    from app.features.write_pages import Pages
    from app.store.snapshots import SnapshotFolder


log = logging.getLogger(__name__)


class Fireside(ChatParts):
    """The running program: its top-level parts, and what concerns all of them."""

    @LazyPart
    def readings(self) -> PageReadingJobs:
        return self._readings_of(self.database, self.documents, self.paths.documents)

    @LazyPart
    def summaries(self) -> SummaryJobs:
        from app.features.claim_checker.checker import ClaimChecker, chosen_checker
        from app.features.summarize.summaries import TASK, SummaryJobs

        check = ClaimChecker(lambda: chosen_checker(self.settings), self.pool).check_summary
        engines, settings = self._engines_of(TASK, self.documents.let_out), lambda: self.settings
        return SummaryJobs(self.database, self.documents, engines, settings, turns=self._turns, check=check)

    @LazyPart
    def translations(self) -> TranslationJobs:
        from app.features.translate.translation_jobs import TASK, TranslationJobs
        from app.store.translation_store import TranslationMemory

        return TranslationJobs(
            self.database,
            TranslationMemory(self.database),
            self.documents,
            engines=self._engines_of(TASK, self.documents.let_out),
            settings=lambda: self.settings,
            copies=self.paths.translations,
            child_folder=self.paths.documents,
            turns=self._turns,
            purge_copies=lambda entries: self.trash.purge_entries(entries),  # noqa: PLW0108 - as above
        )

    @LazyPart
    def writing_engines(self) -> TaskEngines:
        """Return the engines for writing pages: the chat's engine, unless another model is chosen for pages."""
        return self._engines_of(WRITING, self.documents.let_out)

    @LazyPart
    def pages(self) -> Pages:
        from app.features.write_pages import Pages

        return Pages(self.database)

    @LazyPart
    def shelf(self) -> ChatArchive:
        """Return the archive that exports and imports chats with their pictures."""
        from app.features.exchange.chat_file import build_shelf

        return build_shelf(self.database, self.media)

    @LazyPart
    def finding(self) -> HistorySearch:
        """Return the search over chats, summaries, translations and pages."""
        from app.features.finding import HistorySearch

        return HistorySearch(self.database)

    @LazyPart
    def recorder(self) -> SoundRecorder:
        """Return the microphone recorder, whose child runs only while it records."""
        from app.features.transcribe import SoundRecorder

        return SoundRecorder(self.paths.cache / "recording", lambda: time.strftime("%Y-%m-%d %H.%M"))

    def begin_dictation(self) -> LiveDictation:
        """Return a new dictation, heard by the chat's model in the language of the settings."""
        from app.features.dictation import LiveDictation

        paths, language = self.paths, lambda: self.settings.voice.dictation_language
        return LiveDictation(paths.cache / "recording", paths.heard, lambda: self.engine, language)

    def begin_voice(self) -> VoiceProcess:
        """Return the system's voices for one text that is read aloud; their child runs only while it is."""
        from app.features.reading_aloud.voice_process import VoiceProcess

        return VoiceProcess(self.paths.cache / "voice")

    @LazyPart
    def updates(self) -> ReleaseUpdates:
        """Return the update check. It contacts the server only when the user clicks."""
        from app.features.updates import build_updates

        return build_updates(lambda: self.settings, self.change_settings, self.ledger, self.token)

    @LazyPart
    def trash(self) -> TrashBin:
        from app.features.trash import build_trash

        return build_trash(
            self.paths,
            self.database,
            began_at=self.began_at,
            translations=lambda: self.translations,
            states=lambda: self.states,
            media=lambda: self.media,
            snapshots=lambda: self.snapshots,
            forget_loaded=lambda names: self.pool.broadcast.forget_texts(names),  # noqa: PLW0108 - as above
        )

    @LazyPart
    def snapshots(self) -> SnapshotFolder:
        from app.store.snapshots import SnapshotFolder

        return SnapshotFolder(self.paths.snapshots, self.database)

    @LazyPart
    def housekeeping(self) -> DataHousekeeping:
        from app.features.housekeeping import DataHousekeeping

        return DataHousekeeping(
            self.paths,
            self.database,
            keep_days=lambda: self.settings.trash.keep_days,
            translations=lambda: self.translations,
            trash=self.trash,
            snapshots=self.snapshots,
            began_at=lambda: self.began_at,
        )

    def close(self, on_let_go: Callable[[], object] = lambda: None) -> None:
        """End all work, then close the database; safe to call twice.

        Returns when the engine has written the open chat's KV snapshot, which may take long; `on_let_go` is called
        before that, when another start can use everything else.
        """
        models = self._made_part("models")
        self.pool.end_swaps()  # also one that nobody needed: its engine starts nothing any more
        for end in self.before_closing:  # first, while the parts they use still work
            end()
        # Next, work in the background, which uses engine and database.
        self.pool.close()
        for part in filter(None, map(self._made_part, ("media", "lending", "tool_servers"))):
            part.close()
        self.engine.let_go()
        if models is not None:
            models.close()
        self.database.close()
        # Now, as another start needs the files, but not the snapshot that the engine may write for minutes.
        on_let_go()
        self.engine.close()
        end_log(self.log_handler)
        self.log_handler = None


def build_program(paths: AppPaths | None = None) -> Fireside:
    """Build everything for the window.

    Raises DatabaseNewer, MigrationFailed, FolderNotWritable or DiskFull if the data can't be used. Any later call
    into the store may raise DatabaseDamaged, FolderNotWritable or DiskFull.
    """
    paths = paths or AppPaths.from_environment()
    # Folders only; each file is looked at later, which takes a while.
    close_to_others(paths.folders, deeply=False)
    handler = start_log(paths.logs)
    log.info("%s %s starts", APP_NAME, __version__)
    try:
        # Before anything opens the database, which is replaced as a file.
        restored = None
        if paths.restore.waiting.is_dir():
            from app.features.exchange.restore_backup import restore_waiting

            restored = restore_waiting(paths)
        return _build_parts(paths, handler, restored)
    # Whatever ends the start, Ctrl+C included, must close the log.
    except BaseException as error:
        log.error("could not start: %s", error, exc_info=True)
        end_log(handler)  # a second try starts its own
        raise


def _build_parts(paths: AppPaths, handler: logging.Handler | None, restored: PersonMessage | None) -> Fireside:
    # What a killed save of the settings left.
    sweep_settings(paths.settings)
    settings, wrong = load_settings(paths.settings)
    database = open_database(paths.database)
    conversations = Conversations(database)
    recover_unfinished(conversations, JobTable(database))
    app = Fireside(paths, settings, database, conversations, log_handler=handler)
    app.notices = [*start_sentences(wrong, database), *filter(None, [restored])]
    return app
