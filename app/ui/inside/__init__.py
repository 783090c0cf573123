"""A look into the model that runs here, beside a chat or a page: tokens, probabilities, attention, layers, plots."""
