"""The frame of stored jobs: one queue and one engine for all kinds, what each kind offers, and its pace."""
