"""The settings, what the network was used for, and the memory of translations."""
