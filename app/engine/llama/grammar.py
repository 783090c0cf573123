"""Answers that follow a grammar: GBNF, or a JSON schema through the package's own converter."""

from __future__ import annotations

import ctypes
import json
import math
from typing import Any

from app.core.errors import GrammarInvalid
from app.engine.llama.library import Library
from app.engine.llama.model import Model

ROOT = b"root"
MOST_SCHEMA_CHARACTERS = 50_000
MOST_GRAMMAR_CHARACTERS = 200_000


def open_grammar(library: Library, model: Model, gbnf: str, json_schema: str) -> Grammar | None:
    """The grammar of a request (`Generate.grammar`, `.json_schema`), or None when it has neither.

    The schema counts when there are both. Raises GrammarInvalid, with llama.cpp's reason where it gives one. Hand it
    to `make_chain`, whose chain frees it.
    """
    if json_schema:
        gbnf = gbnf_of_schema(json_schema)
    if not gbnf:
        return None
    if len(gbnf) > MOST_GRAMMAR_CHARACTERS:
        raise GrammarInvalid(f"{len(gbnf)} characters are more than {MOST_GRAMMAR_CHARACTERS}")
    c = library.c
    vocab = c.llama_model_get_vocab(model.pointer)
    library.forget_words()
    pointer = c.llama_sampler_init_grammar(vocab, gbnf.encode("utf-8", "replace"), ROOT)
    if not pointer:
        raise GrammarInvalid(library.last_words() or "llama.cpp does not accept the grammar")
    return Grammar(library, pointer, model.vocabulary_size)


def gbnf_of_schema(json_schema: str) -> str:
    """A JSON schema as GBNF, by llama-cpp-python's converter, which fetches nothing. Raises GrammarInvalid."""
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    if len(json_schema) > MOST_SCHEMA_CHARACTERS:
        raise GrammarInvalid(f"a schema of {len(json_schema)} characters is longer than {MOST_SCHEMA_CHARACTERS}")
    try:
        return str(json_schema_to_gbnf(_without_outer_reference(json_schema)))
    except Exception as error:
        raise GrammarInvalid(f"{type(error).__name__}: {error}"[:500]) from error


def _without_outer_reference(json_schema: str) -> str:
    """WORKAROUND: the converter does not look at definitions beside a `$ref`, as recursive models have them outside."""
    schema = json.loads(json_schema)
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return json_schema
    target = schema
    for name in reference[2:].split("/"):
        target = target[name]
    return json.dumps({name: value for name, value in schema.items() if name != "$ref"} | target)


class Candidates:
    """All tokens with their logits, for one choice."""

    def __init__(self, c: Any, context: Any, index: int, vocabulary_size: int) -> None:
        import numpy as np

        self._c = c
        logits = np.ctypeslib.as_array(c.llama_get_logits_ith(context, index), (vocabulary_size,))
        self.items = np.empty(vocabulary_size, np.dtype([("id", "i4"), ("logit", "f4"), ("p", "f4")]))
        self.items["id"] = np.arange(vocabulary_size, dtype="i4")
        self.items["logit"] = logits
        self.items["p"] = 0
        self.array = _array(c, self.items.ctypes.data, vocabulary_size)

    def choose(self, chain: Any) -> int:
        """Lets the chain choose among them, without accepting."""
        self._c.llama_sampler_apply(chain, ctypes.byref(self.array))
        return int(self.array.data[self.array.selected].id)


class Grammar:
    """llama.cpp's grammar and how far the answer has got in it."""

    def __init__(self, library: Library, pointer: Any, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size
        self._c = library.c
        self._pointer = pointer
        self._one = (library.c.llama_token_data * 1)()

    def allows(self, token: int) -> bool:
        """Whether the answer may go on with this token."""
        self._one[0] = self._c.llama_token_data(token, 1.0, 0.0)
        array = _array(self._c, ctypes.addressof(self._one), 1)
        self._c.llama_sampler_apply(self._pointer, ctypes.byref(array))
        return self._one[0].logit != -math.inf

    def restrict(self, candidates: Candidates) -> None:
        """Takes away every token that does not fit; raises GrammarInvalid when none is left."""
        self._c.llama_sampler_apply(self._pointer, ctypes.byref(candidates.array))
        if candidates.items["logit"].max() == -math.inf:
            raise GrammarInvalid("no token of this model continues the answer as the grammar wants")

    def accept(self, token: int) -> None:
        """The answer went on with a token that `allows` has allowed; any other would end the process."""
        self._c.llama_sampler_accept(self._pointer, token)

    def free(self) -> None:
        """Gives the memory back."""
        self._c.llama_sampler_free(self._pointer)


def _array(c: Any, address: int, size: int) -> Any:
    data = ctypes.cast(address, ctypes.POINTER(c.llama_token_data))
    return c.llama_token_data_array(data=data, size=size, selected=-1, sorted=False)
