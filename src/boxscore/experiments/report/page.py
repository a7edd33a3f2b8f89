from boxscore.experiments.verdict import Evidence, Verdict


def html(verdict: Verdict, evidence: Evidence, *, title: str | None = None) -> str:
    return "<!doctype html>"
