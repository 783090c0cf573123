"""Inside, views of the running model: tokens, probabilities, attention, layers, plots."""
