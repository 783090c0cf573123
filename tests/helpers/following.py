"""How far a text follows a grammar, as llama.cpp reads it: no model writes, its vocabulary is enough."""

from __future__ import annotations

from app.engine.llama.llama_library import open_library
from app.engine.llama.model import Model
from app.engine.llama.sampling import open_grammar

END = "<|im_end|>"


def refused_at(model: Model, gbnf: str, text: str, json_schema: str = "", *, has_ended: bool = True) -> str | None:
    """What a grammar does not let an answer go on with, END where it may not end there; None where it takes it all."""
    grammar = open_grammar(open_library(), model, gbnf, json_schema)
    assert grammar is not None
    tokens = model.tokenize(text, special=False)
    ends = model.tokenize(END, special=True) if has_ended else []
    try:
        for place, token in enumerate([*tokens, *ends]):
            if not grammar.allows_token(token):
                rest = b"".join(map(model.token_bytes, tokens[place:])).decode("utf-8", "replace")
                return rest or END
            grammar.accept(token)
    finally:
        grammar.free()
    return None
