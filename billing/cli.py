"""How billing speaks on a terminal: the report of an audit, for people or as JSON."""

import json
from typing import Any

import click

from billing.audit import AuditReport, CheckResult, Figure


def print_audit(report: AuditReport, as_json: bool = False) -> int:
    """Print a report and return the exit code: 0 when every check holds, 1 otherwise; figures only warn."""
    if as_json:
        click.echo(json.dumps(_as_json(report), default=str))
    else:
        for check in report.checks:
            _print_check(check)
        for figure in report.figures:
            _print_figure(figure)
        click.echo("The books are right." if report.ok else "The books are WRONG; see docs/money.md.")
    return 0 if report.ok else 1


def _print_check(check: CheckResult) -> None:
    click.echo(f"{'ok   ' if check.ok else 'WRONG'} {check.invariant:4} {check.name}")
    for difference in check.differences:
        click.echo("        " + ", ".join(f"{name}={value}" for name, value in difference.items()))


def _print_figure(figure: Figure) -> None:
    if figure.value is None:
        click.echo(f"null  {figure.invariant:4} {figure.name}: {figure.reason}")
        return
    shown = ", ".join(f"{minor} {currency} ({figure.unit})" for currency, minor in figure.value.items()) or "0"
    click.echo(f"{'WARN ' if figure.warns else 'info '} {figure.invariant:4} {figure.name}: {shown}")


def _as_json(report: AuditReport) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "checks": [
            {"invariant": c.invariant, "name": c.name, "ok": c.ok, "differences": list(c.differences)}
            for c in report.checks
        ],
        "figures": [
            {"invariant": f.invariant, "name": f.name, "value": f.value, "reason": f.reason or None, "warns": f.warns}
            for f in report.figures
        ],
    }
