"""The chat tab: transcript, composer, side panels with documents, and the options of a single chat."""
