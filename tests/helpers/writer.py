"""A model that writes in the test's own process, so that grammars and samplers can be looked at one by one."""

from __future__ import annotations

import json
from collections.abc import Callable

from app.engine.llama.library import open_library
from app.engine.llama.model import Model
from app.engine.llama.sampling import Choice, make_chain, open_grammar

CONTEXT_TOKENS = 512


class Writer:
    """The starter with a context of its own, in the test's process."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.library = open_library()
        c = self.library.c
        parameters = c.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = CONTEXT_TOKENS
        parameters.n_threads = parameters.n_threads_batch = 1  # two would wait for each other beside other tests
        self.context = c.llama_init_from_model(model.pointer, parameters)

    def write(
        self,
        question: str,
        *,
        gbnf: str = "",
        schema: object = None,
        choice: Choice | None = None,
        is_outside: Callable[[int], bool] | None = None,
        most_tokens: int = 120,
    ) -> str:
        """What the model answers."""
        library, model, c = self.library, self.model, self.library.c
        c.llama_memory_clear(c.llama_get_memory(self.context), True)
        assert model.template is not None
        self._decode(model.prompt_tokens(model.template.render([("user", question)], continue_last=False)))
        grammar = open_grammar(library, model, gbnf, json.dumps(schema) if schema is not None else "")
        chain = make_chain(library, choice or Choice(temperature=0), model, grammar, is_outside)
        text = b""
        try:
            for _ in range(most_tokens):
                token = chain.sample(self.context, -1)
                if model.ends_answer(token):
                    break
                text += model.piece(token)
                self._decode([token])
        finally:
            chain.free()
        return text.decode()

    def free(self) -> None:
        self.library.c.llama_free(self.context)

    def _decode(self, tokens: list[int]) -> None:
        c = self.library.c
        ids = (c.llama_token * len(tokens))(*tokens)
        assert c.llama_decode(self.context, c.llama_batch_get_one(ids, len(tokens))) == 0
