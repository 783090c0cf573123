"""The Write tab: a page of text that the model can continue."""
