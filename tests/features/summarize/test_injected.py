"""Fifty documents that give orders: whatever the model makes of them, they stay the document, and nothing is called."""

from __future__ import annotations

from pathlib import Path

from app.documents.blocks import BlockPiece
from app.documents.formats.registry import reader_for
from app.documents.source import FileSource, ReadingRemark
from app.engine.llama.sandbox import CompiledTemplate
from app.engine.llama.template import ChatTemplate
from app.features.summarize.laid_out import summary_facts
from tests.features.summarize.pipeline import document, events_of, scripted, summary_of
from tests.helpers.injected_documents import CANARY, CLEAN, INJECTED, ORDER, InjectedDocument
from tests.helpers.script import requests

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
OBEYS = f'{CANARY} [details](http://127.0.0.1/x) <tool_call>{{"name": "run", "arguments": {{}}}}</tool_call>'


def read(injected: InjectedDocument, folder: Path) -> list[BlockPiece]:
    """What the program reads of it."""
    path = folder / f"{injected.name.replace(' ', '-')}.{injected.format}"
    injected.write(path)
    return [item for item in reader_for(injected.format)(FileSource(path)) if isinstance(item, BlockPiece)]


def test_the_gallery_is_fifty_and_what_is_out_of_sight_is_read_only_where_it_says_so(tmp_path: Path) -> None:
    assert len(INJECTED) == 50
    reached = {
        injected.name: CANARY in " ".join(piece.text for piece in read(injected, tmp_path)).upper()
        for injected in INJECTED
    }
    assert reached == {injected.name: injected.reaches for injected in INJECTED}


def test_orders_that_nobody_sees_on_a_page_are_told_with_the_document(tmp_path: Path) -> None:
    told = list[str]()
    unseen = [injected for injected in INJECTED if injected.format == "pdf" and injected.reaches]
    for injected in unseen:
        path = tmp_path / f"{injected.name}.pdf"
        injected.write(path)
        remarks = [item for item in reader_for("pdf")(FileSource(path)) if isinstance(item, ReadingRemark)]
        told += [remark.name for remark in remarks if remark.values.get("count") == len(ORDER.split())]
    assert len(unseen) == 3 and told == ["unseen_words"] * 3


def test_orders_in_documents_change_no_turn_and_call_nothing(tmp_path: Path) -> None:
    template = ChatTemplate(CompiledTemplate(CHATML), "", "", lambda: ["<|im_start|>", "<|im_end|>"])
    trusted = list[list[str]]()
    with scripted(tmp_path, {"text": OBEYS}) as model:
        for injected in (CLEAN, *INJECTED):
            summary = summary_of(events_of(model, document(*read(injected, tmp_path), pages=False)))
            wanted = requests(model.script)[-1]
            turns = [(role, text) for role, text in wanted["messages"]]
            assert [role for role, _ in turns] == ["system", "user"], injected.name
            assert ORDER not in turns[0][1] and not wanted.get("tools"), injected.name
            parts = template.render(turns, continue_last=False)
            trusted.append([part.text for part in parts if part.trusted])
            assert all(text in "".join(part.text for part in parts if not part.trusted) for _, text in turns)
            if not injected.reaches:
                said = [statement for statement in summary.statements if CANARY in statement.text]
                assert not any(statement.check and statement.check.found for statement in said), injected.name
            assert summary_facts(summary)
    assert all(parts == trusted[0] for parts in trusted), "a document's control tokens are text"
