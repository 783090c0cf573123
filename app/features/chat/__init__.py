"""Questions and answers: what of a conversation and its documents the model is shown, and its answers."""
