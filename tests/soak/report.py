"""The figures of a soak, for people."""

from __future__ import annotations

from tests.soak.soak import Result


def table(result: Result) -> str:
    """Two columns."""
    plan, account, most = result.plan, result.account, result.most
    load = [each for each in result.samples if each.at > 0]
    seconds = load[-1].at - load[0].at if len(load) > 1 else 1.0
    cpu = (load[-1].cpu - load[0].cpu) / max(seconds, 1.0) if not plan.kills else 0.0
    rows: list[tuple[str, str]] = [
        ("length", f"{plan.seconds / 60:g} minutes, {plan.streamers} streamers, seed {plan.seed}"),
        ("messages", f"{account.messages:,} ({account.messages / plan.seconds:.1f} a second)"),
        ("acknowledged", f"{account.acknowledged:,}"),
        ("streams", f"{account.streams:,}"),
        ("events", _counts(account.events)),
        ("deliveries", _counts(account.deliveries)),
        ("POSTs", f"{account.posts:,}"),
        ("lost", str(len(account.lost))),
        ("doubled", str(len(account.doubled))),
        ("same-id repeats", str(account.repeats)),
        ("faults switched", f"{sum(result.weather.values()):,} of {len(result.weather)} kinds"),
        ("strangers", f"{sum(result.strangers.values()):,}: {_counts(result.strangers)}"),
        *(
            (f"{name} after warming up, at the end", f"{first:.1f}, {last:.1f} MB ({last - first:+.1f})")
            for name, (first, last) in result.growth.items()
        ),
        ("rss at most", f"{most['rss']:.1f} MB"),
        ("threads before, most, after", _three(result, "threads")),
        ("descriptors before, most, after", _three(result, "descriptors")),
        (
            "tasks before, most, after",
            f"{sum(result.before.tasks.values())}, {most['tasks']:.0f}, {sum(result.after.tasks.values())}",
        ),
        ("ledger", f"{result.after.ledger:.1f} MB"),
        ("waiting at most", f"{most['waiting']:,.0f}"),
        ("drained in", f"{result.drained_in:.0f} s"),
        ("CPU", f"{cpu * 100:.0f} % of a core"),
        ("verdict", "passed" if not result.failures else f"FAILED ({len(result.failures)})"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in rows)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def _three(result: Result, name: str) -> str:
    return f"{getattr(result.before, name)}, {result.most[name]:.0f}, {getattr(result.after, name)}"
