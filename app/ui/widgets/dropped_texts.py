"""What there is to say of files that somebody dropped."""

from __future__ import annotations

from app.core.visible import visible_name
from app.documents.folder import MOST_FILES, Expanded
from app.ui.shell.i18n import tr
from app.ui.widgets.document_texts import short_name


def told_of(found: Expanded, *, left: int = 0) -> str:
    """What was not taken of what somebody dropped, in one sentence; "" where all was."""
    if found.is_cut or left:
        return tr("At most {count} files are attached at once; the others were left out.", count=MOST_FILES)
    odd = [one for one in found.skipped if one.reason != "no_document"]
    if not found.files and not odd:
        return tr("No document was found in it.")
    if len(odd) == 1:
        reason = {"missing": tr("There is no file {name}."), "denied": tr("{name} may not be read.")}
        words = reason.get(odd[0].reason, tr("{name} is not a file that can be read."))
        return words.format(name=short_name(visible_name(odd[0].path.name)))
    return tr("{count} of the files could not be read.", count=len(odd)) if odd else ""
