"""What an earlier run of the program left unfinished: answers and jobs that were being worked on."""

from __future__ import annotations

import logging

from app.core.errors.saving_errors import DiskFull
from app.store.conversations import Conversations
from app.store.jobs import PAGE_READING, SUMMARY, TRANSLATION, JobTable

log = logging.getLogger(__name__)


def recover_unfinished(conversations: Conversations, jobs: JobTable) -> None:
    """Requeue or fail whatever is marked as running; before anything new is, as that would count, too."""
    try:
        conversations.recover()
        for kind in (SUMMARY, TRANSLATION, PAGE_READING):
            jobs.recover(kind)
    except DiskFull:
        log.info("the disk is full: what the run before left stays as it is")
