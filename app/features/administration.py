"""What is told of the settings of an administrator, see `app.core.policy`."""

from __future__ import annotations

from app.core.catalogue import tr
from app.core.joined_texts import join_entries
from app.core.policy import AdminPolicy
from app.core.settings import policy_faults

POLICY_BROKEN = "Your administrator’s settings can’t be read, so none apply: {path}"
POLICY_FAULTS = "Your administrator’s settings in {path} have names or values that don’t apply: {names}"
POLICY_USED = "Your administrator’s settings: {path}"


def policy_problems(policy: AdminPolicy) -> list[str]:
    """Return sentences about what of an administrator's file doesn't apply."""
    if policy.is_broken:
        return [tr(POLICY_BROKEN, path=policy.path)]
    names = policy_faults(policy)
    return [tr(POLICY_FAULTS, path=policy.path, names=join_entries(names))] if names else []


def policy_sentences(policy: AdminPolicy) -> list[str]:
    """Return sentences about an administrator's file; none where there is none."""
    used = [tr(POLICY_USED, path=policy.path)] if policy.sections else []
    return used + policy_problems(policy)
