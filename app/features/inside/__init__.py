"""Look inside a model: tokens and their probabilities, attention, parts, figures."""
