"""Questions and answers: what a model is shown of a conversation and its documents, and what comes of it."""
