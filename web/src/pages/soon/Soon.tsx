import { useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Code } from "@/components/Copy";
import { Answer, Section } from "@/components/Section";
import { useTitle } from "@/lib/title";

interface Coming {
  name: string;
  answer: string;
  holds: readonly [string, string][];
  today: ReactNode;
  command: string;
}

const COMING: Record<string, Coming> = {
  "/prompts": {
    name: "Prompts",
    answer: "Prompts will be kept here, each version with what it did.",
    holds: [
      ["Versions", "messages, variables, model and parameters, immutable and named by what is in them"],
      ["Labels", "production and others, each pointing at one version, and when it was moved"],
      ["Verdicts", "the box score between any two versions, beside their difference in text"],
    ],
    today: "A prompt is a template file of your own today, and a spec compares two of them:",
    command: "boxscore init            # a spec, a dataset and a scorer, to edit\nboxscore compare boxscore.yaml",
  },
  "/releases": {
    name: "Releases",
    answer: "Releases will be moved from here, each behind a verdict.",
    holds: [
      ["Rollouts", "shadow, canary, full, rolled back, and what the traffic showed at each step"],
      ["Gates", "the rule that a change has to meet before a label moves"],
    ],
    today: "A verdict stops a change in CI today, by its exit code: 0 ship, 1 reject, 3 undecided:",
    command: "boxscore compare boxscore.yaml && ./deploy",
  },
  "/review": {
    name: "Review",
    answer: "People will label here what judges are held against.",
    holds: [
      ["Queue", "answers that a judge and a rule disagree about, sampled so that labels tell the most"],
      ["Calibration", "agreement of each judge with people, and until when it is valid"],
    ],
    today: "Labels come from files today, and a judge is calibrated by them:",
    command: "boxscore judges --help",
  },
};

/** A place that is not there yet: what it will hold, and which command does it today. */
export function Soon() {
  const { pathname } = useLocation();
  const coming = COMING[pathname] ?? COMING["/prompts"]!;
  useTitle(coming.name);
  return (
    <>
      <Answer>{coming.answer}</Answer>
      <p className="fine mt-2">This place is not built yet.</p>
      <div className="columns c2">
        <Section title="What it will hold">
          <table><tbody>{coming.holds.map(([what, words]) => <tr key={what}><th scope="row" className="nw">{what}</th><td className="ink2">{words}</td></tr>)}</tbody></table>
        </Section>
        <Section title="Today">
          <p className="mb-2 text-data">{coming.today}</p>
          <Code text={coming.command} />
        </Section>
      </div>
    </>
  );
}
