"""Models on the internet and on disk."""

import os

# The library reads these once, when it is imported, which only happens in here.
for _name in ("TELEMETRY", "IMPLICIT_TOKEN", "PROGRESS_BARS", "XET", "UPDATE_CHECK"):
    os.environ.setdefault(f"HF_HUB_DISABLE_{_name}", "1")
