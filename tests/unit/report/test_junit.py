"""JUnit XML: one case per thing that was asked, red where it is not shown to hold, readable whatever names hold."""

import json
import random
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from samples import SAMPLES, SHIP

import boxscore
from boxscore.experiments.report import junit
from boxscore.experiments.verdict import Check, Verdict


def read(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.encode())  # noqa: S314 - our own


def compared(folder: Path, skills: tuple[float, float], size: int = 200, **rule: object) -> Verdict:
    """A verdict on two models that are right this often."""
    draw = random.Random(3)
    path = folder / "answers.jsonl"
    with path.open("w") as file:
        for number in range(size):
            for model, skill in zip(("old", "new"), skills, strict=True):
                said = "yes" if draw.random() < skill else "no"
                print(json.dumps({"case_id": number, "model": model, "output": said, "reference": "yes"}), file=file)
    found = boxscore.compare(recordings=path, baseline="old", candidate="new", scorers=["exact", "json"], **rule)  # pyright: ignore[reportArgumentType]
    return found.verdict


def cases(root: ElementTree.Element) -> dict[str, str]:
    """Names of the cases with the type of their failure, "" where they pass."""
    found: dict[str, str] = {}
    for case in root.iter("testcase"):
        failure = case.find("failure")
        found[case.attrib["name"]] = "" if failure is None else failure.attrib["type"]
    return found


def test_a_verdict_that_ships_is_green_in_every_case(tmp_path: Path) -> None:
    root = read(junit([compared(tmp_path, (0.5, 0.9), guards=[{"metric": "json", "margin": 0.02}])]))

    assert cases(root) == {"verdict": "", "primary: exact": "", "guard: json": ""}
    assert (root.attrib["tests"], root.attrib["failures"]) == ("3", "0")


def test_a_rejected_one_says_why_with_its_box_score(tmp_path: Path) -> None:
    verdict = compared(tmp_path, (0.9, 0.5))
    failure = next(read(junit([verdict])).iter("failure"))

    assert failure.attrib["type"] == "reject"
    assert failure.attrib["message"] == verdict.reason
    assert "REJECT" in (failure.text or "")


def test_what_is_not_shown_is_red_and_told_from_a_reject(tmp_path: Path) -> None:
    found = cases(read(junit([compared(tmp_path, (0.7, 0.72))])))

    assert found == {"verdict": "undecided", "primary: exact": "undecided"}


def test_too_few_examples_are_a_case_of_their_own(tmp_path: Path) -> None:
    found = cases(read(junit([compared(tmp_path, (0.5, 0.9), size=12)])))

    assert found["at least 20 independent examples"] == "undecided"


def test_each_candidate_is_a_suite_and_the_sums_are_those_of_all(tmp_path: Path) -> None:
    root = read(junit([compared(tmp_path, (0.5, 0.9)), compared(tmp_path, (0.9, 0.5))]))
    suites = root.findall("testsuite")

    assert [suite.attrib["failures"] for suite in suites] == ["0", "2"]
    assert root.attrib["failures"] == "2"
    assert root.attrib["tests"] == str(len(list(root.iter("testcase"))))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_shape_is_that_of_the_common_schema(name: str) -> None:
    """Element and attribute names of Jenkins' junit-10.xsd, in its order."""
    root = read(junit([SAMPLES[name].verdict]))
    (suite,) = root

    assert root.tag == "testsuites"
    assert {"name", "tests", "failures", "errors", "skipped"} <= set(suite.attrib)
    assert (suite[0].tag, suite[-1].tag) == ("properties", "system-out")
    assert {child.tag for child in suite} == {"properties", "testcase", "system-out"}
    assert all({"name", "classname"} == set(case.attrib) for case in suite.iter("testcase"))
    assert all({"type", "message"} == set(failure.attrib) for failure in suite.iter("failure"))


@example("\ufffe\x00\x1b[31m\ud800<]]>&")
@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_no_name_breaks_the_document(text: str) -> None:
    verdict = msgspec.structs.replace(
        SHIP.verdict,
        reason=text + "z",
        candidate=msgspec.structs.replace(SHIP.verdict.candidate, name=text),
        dataset=msgspec.structs.replace(SHIP.verdict.dataset, name=text),
        warnings=(text,),
        regressions=(text,),
        checks=(Check(role="guard", metric=text, outcome="reject"),),
    )

    assert next(read(junit([verdict])).iter("failure")).attrib["type"] == "reject"
