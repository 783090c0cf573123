"""Help pages inside the program, and which of them explains what is shown."""
