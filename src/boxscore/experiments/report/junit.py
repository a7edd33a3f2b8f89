"""Verdicts as JUnit XML, which every CI server reads: one suite per comparison, one case per thing that was asked.

The form is that of Ant's JUnit task as Jenkins, GitLab and GitHub's reporters read it. What is not shown to hold is a
failure, as exit code 3 is none of success: a gate that shows nothing must not be green. Its `type` tells it from
`reject`, so that who wants to can let it pass.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from boxscore import figures
from boxscore.experiments.report import fineprint
from boxscore.experiments.report.box import terminal
from boxscore.experiments.report.rows import find
from boxscore.experiments.report.words import headline
from boxscore.experiments.verdict import MIN_UNITS, Check, Verdict
from boxscore.text import revealed, stripped

NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # compiled when used: it takes 4 ms
"""Characters that XML 1.0 forbids, escaped or not."""


def junit(verdicts: Sequence[Verdict]) -> str:
    """The document, with its declaration; ends with a line break."""
    suites = [_suite(verdict) for verdict in verdicts]
    root = ET.Element("testsuites", {"name": "boxscore", **_sums(suites)})
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(verdict: Verdict) -> ET.Element:
    dataset, baseline, candidate = (
        stripped(name) for name in (verdict.dataset.name, verdict.baseline.name, verdict.candidate.name)
    )
    made = verdict.provenance
    suite = ET.Element("testsuite", {"name": _xml(f"{dataset}: {candidate} against {baseline}")})
    if made is not None:
        suite.set("timestamp", _xml(made.created_at.removesuffix("+00:00").removesuffix("Z")))
    properties = {"verdict": verdict.verdict, "id": verdict.id, **dict(fineprint.entries(verdict))}
    if verdict.regressions:
        properties["got worse"] = ", ".join(map(stripped, verdict.regressions))
    listed = ET.SubElement(suite, "properties")
    for name, value in properties.items():
        ET.SubElement(listed, "property", {"name": name, "value": _xml(value)})
    place = f"boxscore.{dataset}.{candidate}"
    _case(suite, place, "verdict", verdict.verdict, verdict.reason or headline(verdict), terminal(verdict))
    for check in verdict.checks:
        _case(suite, place, _title(check), check.outcome, _says(verdict, check))
    ET.SubElement(suite, "system-out").text = _xml(terminal(verdict))
    cases = suite.findall("testcase")
    failed = sum(case.find("failure") is not None for case in cases)
    for key, value in {"tests": len(cases), "failures": failed, "errors": 0, "skipped": 0}.items():
        suite.set(key, str(value))
    return suite


def _sums(suites: Sequence[ET.Element]) -> dict[str, str]:
    return {key: str(sum(int(suite.get(key, "0")) for suite in suites)) for key in ("tests", "failures", "errors")}


def _case(suite: ET.Element, place: str, name: str, outcome: str, says: str, text: str = "") -> None:
    case = ET.SubElement(suite, "testcase", {"classname": _xml(place), "name": _xml(name)})
    if outcome != "ship":
        failure = ET.SubElement(case, "failure", {"type": outcome, "message": _xml(stripped(says))})
        failure.text = _xml(text or says)


def _title(check: Check) -> str:
    """The name of a case: the same from run to run, so that a server can follow it."""
    if check.role == "units":
        return f"at least {MIN_UNITS} independent examples"
    if check.role == "saving":
        return "a saving in dollars or latency"
    return f"{check.role}: {stripped(check.metric)}{' ceiling' if check.ceiling else ''}"


def _says(verdict: Verdict, check: Check) -> str:
    """`json is −2.3 points (−5.0 to +0.4), asked: not below −2.0: not shown`."""
    shown = {"ship": "holds", "reject": "shown not to hold", "undecided": "not shown"}[check.outcome]
    if check.role == "units":
        return f"{figures.counted(verdict.dataset.clusters, 'independent example')}: too few to decide"
    if check.role == "judged":
        return f"without the answers that {stripped(check.metric)} was not judged on it is decided otherwise: {shown}"
    if check.role == "calibration":
        return f"{stripped(check.metric)} is an uncalibrated judge, and the rule does not waive it: {shown}"
    if check.role == "net benefit":
        ends = "" if check.low is None or check.high is None else f" ({check.low:+,.2f} to {check.high:+,.2f})"
        return f"net benefit {figures.money(check.value or 0.0)} per 1,000{ends}, asked: above 0: {shown}"
    row = find(verdict, check.metric)
    if row is None or check.value is None:
        return f"{stripped(check.metric) or 'dollars and latency'}: not recorded, so {shown}"
    ends = "no interval" if row.low is None or row.high is None else row.unit.range(row.low, row.high)
    return f"{row.label} {row.unit.signed_full(row.difference)} ({ends}), asked: {row.asked or 'a saving'}: {shown}"


def _xml(text: str) -> str:
    return re.sub(NOT_XML, "\ufffd", revealed(text))
