"""Turns texts into vectors with a model that was made for it: read as a whole, pooled, and of length 1.

A context of its own does it, which gives no logits and is as large as the longest text asked for: what BERT and its
like need at once grows with the square of it. Several texts are read in one decode, a sequence each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from app.core.errors.model_errors import ModelBroken, ModelLoadFailed
from app.core.gguf import GgufHeader, embedding_pooling
from app.engine.llama.context import DECODED
from app.engine.llama.llama_library import LlamaLibrary
from app.engine.llama.model import Model

MOST_EMBEDDED_TOKENS = 8192
"""Limit for one text: scratch memory grows with it."""
STEP_TOKENS = 512
MOST_SEQUENCES = 16


def is_embedding_model(header: GgufHeader) -> bool:
    """Return whether a model was made to turn texts into vectors."""
    return embedding_pooling(header) != 0


class EmbeddingBrokenOff(Exception):
    """Reading was broken off, for the request for vectors was cancelled."""


class EmbeddingContext:
    """A context for vectors, of texts of at most `size_tokens`; free it. Raises ModelLoadFailed."""

    def __init__(self, library: LlamaLibrary, model: Model, *, threads: int, size_tokens: int) -> None:
        c = self._c = library.c
        self.size_tokens = min(-(-size_tokens // STEP_TOKENS) * STEP_TOKENS, model.most_tokens)
        self.width: int = c.llama_model_n_embd_out(model.pointer)
        self._path = model.path
        # Encoders attend to the whole text, so it has to be one ubatch.
        parameters = c.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = self.size_tokens
        parameters.n_seq_max = MOST_SEQUENCES
        parameters.kv_unified = True
        parameters.n_threads = parameters.n_threads_batch = threads
        # The output is the last hidden state, pooled over each sequence.
        parameters.embeddings = True
        parameters.pooling_type = embedding_pooling(model.header)
        parameters.no_perf = True
        self._context = c.llama_init_from_model(model.pointer, parameters)
        if not self._context:
            raise ModelLoadFailed(model.path, library.last_words())
        self._memory = c.llama_get_memory(self._context)
        self._batch = c.llama_batch_init(self.size_tokens, 0, 1)

    def embed_texts(self, texts: Sequence[Sequence[int]], is_cancelled: Callable[[], bool]) -> Iterator[bytes]:
        """Yield vectors of the next texts as float32 bytes; no text may exceed `size_tokens`.

        Raises EmbeddingBrokenOff.
        """
        done = 0
        while done < len(texts):
            if is_cancelled():
                raise EmbeddingBrokenOff
            room, together = self.size_tokens, list[Sequence[int]]()
            for tokens in texts[done : done + MOST_SEQUENCES]:
                # As many texts as fit together; the first always does.
                room -= len(tokens)
                if room < 0:
                    break
                together.append(tokens)
            yield self._embed_batch(together)
            done += len(together)

    def free(self) -> None:
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._context)

    def _embed_batch(self, texts: Sequence[Sequence[int]]) -> bytes:
        import numpy as np

        self._fill_batch(texts)
        # Encoders have no memory; decoders such as Qwen3-Embedding have one.
        if self._memory:
            self._c.llama_memory_clear(self._memory, True)
        result = int(self._c.llama_decode(self._context, self._batch))
        if result != DECODED:
            raise RuntimeError(f"llama_decode returned {result} for {self._batch.n_tokens} tokens")
        pointers = (self._c.llama_get_embeddings_seq(self._context, sequence) for sequence in range(len(texts)))
        vectors = np.stack([np.ctypeslib.as_array(pointer, (self.width,)) for pointer in pointers])
        if not np.isfinite(vectors).all():
            raise ModelBroken(self._path)
        # Length 1, so that a product of two vectors is their cosine.
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(lengths > 0, lengths, 1.0)).astype(np.float32).tobytes()

    def _fill_batch(self, texts: Sequence[Sequence[int]]) -> None:
        batch, at = self._batch, 0
        for sequence, tokens in enumerate(texts):
            for position, token in enumerate(tokens):
                batch.token[at], batch.pos[at] = token, position
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, sequence
                # Pooling needs the output of every token.
                batch.logits[at] = True
                at += 1
        batch.n_tokens = at
