"""Models in the test's own process, so that grammars, samplers and prompts with pictures can be looked at closely."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from app.core.events import Media, Message
from app.core.gguf import check_model, check_projector
from app.engine.llama.eyes import open_eyes
from app.engine.llama.llama_library import open_library
from app.engine.llama.model import Model, load_model
from app.engine.llama.sampling import SamplingValues, make_chain, open_grammar
from app.engine.llama.template import MediaMarks, PromptPart
from app.engine.llama.tiles import TileNumbers

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
        choice: SamplingValues | None = None,
        is_outside: Callable[[int], bool] | None = None,
        most_tokens: int = 120,
    ) -> str:
        """What the model answers."""
        library, model, c = self.library, self.model, self.library.c
        c.llama_memory_clear(c.llama_get_memory(self.context), True)
        assert model.template is not None
        self._decode(model.prompt_tokens(model.template.render([("user", question)], continue_last=False)))
        grammar = open_grammar(library, model, gbnf, json.dumps(schema) if schema is not None else "")
        chain = make_chain(library, choice or SamplingValues(temperature=0), model, grammar, is_outside)
        text = b""
        try:
            for _ in range(most_tokens):
                token = chain.sample_token(self.context, -1)
                if model.ends_answer(token):
                    break
                text += model.token_bytes(token)
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


class Seer:
    """A model with eyes: which token of a prompt stands where."""

    def __init__(self, model: Path, eye: Path) -> None:
        library = open_library()
        loaded = load_model(library, str(model), check_model(model), 0, tell=lambda _: None, cancelled=bool)
        assert loaded is not None
        self.model, self._tiles = loaded, TileNumbers()
        eyes = open_eyes(library, str(eye), check_projector(eye, str(model)), loaded, self._tiles, threads=1)
        assert eyes is not None
        self.eyes = eyes
        self.eyes.try_out()

    def parts(self, message: Message) -> list[PromptPart]:
        """A chat of one message, as the model's template has it."""
        marks = MediaMarks()
        assert self.model.template is not None
        return marks.split_marks(self.model.template.render([marks.mark_turn(message)], continue_last=False))

    def placed(self, parts: Sequence[PromptPart]) -> list[tuple[int, list[int]]]:
        """Ids of text, -1 for tokens of pictures, each with its position; in every dimension where it has several."""
        media: dict[str, Media] = {part.media.id: part.media for part in parts if part.media is not None}
        ids, start = self.model.prompt_tokens(parts, self.eyes.media_tokens), 0
        found: list[tuple[int, list[int]]] = []
        while len(found) < len(ids):
            number = ids[len(found)]
            if number >= 0:
                found.append((number, [start]))
                start += 1
                continue
            tile = self._tiles[number]
            positions = self.eyes.tile_positions(media[tile.media], number, start)
            if positions is None:
                positions = np.arange(start, start + tile.tokens)
            found += [(-1, place) for place in positions.reshape(-1, tile.tokens).T.tolist()]
            start += tile.positions
        return found

    def free(self) -> None:
        self.eyes.close()
        self.model.free()
