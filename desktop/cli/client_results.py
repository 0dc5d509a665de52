"""What connecting and disconnecting did, or would do: as text for people, and as JSON."""

from __future__ import annotations

from typing import Any

from desktop.cli import output
from desktop.clients.gateway_entry import Way
from desktop.clients.roster import Connected, Plan, Removed

__all__ = ["connected_text", "connected_value", "removed_value", "show_plans", "unreachable"]


def show_plans(plans: tuple[Plan, ...], *, as_json: bool) -> None:
    """What would change."""
    if as_json:
        output.print_json([_plan(plan) for plan in plans])
        return
    for plan in plans:
        if plan.choice is not None:
            output.remark(f"{plan.name} in {plan.file.path}, by {plan.choice.way.value}: {plan.choice.why}.")
        print(plan.diff or "Nothing would change.")
    if not plans:
        print("Nothing would change.")


def _plan(plan: Plan) -> dict[str, Any]:
    choice = plan.choice
    return {
        "client": plan.file.client.id,
        "file": str(plan.file.path),
        "entry": plan.name,
        **({"way": choice.way.value, "why": choice.why} if choice is not None else {}),
        "diff": plan.diff,
    }


def connected_value(done: Connected) -> dict[str, Any]:
    """What connecting did."""
    return {
        "client": done.file.client.id,
        "file": str(done.file.path),
        "entry": done.name,
        "way": done.choice.way.value,
        "why": done.choice.why,
        "changed": done.changed,
        "restart": done.file.client.restart,
        "remarks": [*done.remarks, *([reason] if (reason := unreachable(done)) else [])],
    }


def removed_value(one: Removed) -> dict[str, Any]:
    """How an entry went."""
    return {
        "client": one.file.client.id,
        "file": str(one.file.path),
        "entry": one.name,
        "outcome": one.outcome.name.lower(),
    }


def connected_text(done: Connected) -> str:
    """What connecting did, by which way and why."""
    what = f"{done.name} is in {done.file.path}" if done.changed else f"{done.name} is in {done.file.path} already"
    return f"{what}, by {done.choice.way.value}: {done.choice.why}."


def unreachable(done: Connected) -> str:
    """Why the client would not reach a gateway at this moment."""
    from desktop.gateway.local_client import gateway_url
    from desktop.state.paths import Paths

    if done.choice.way is not Way.HTTP or gateway_url(Paths.of_user()):
        return ""
    return "No gateway listens there now; start the tray, or choose --way stdio to have the client start one"
