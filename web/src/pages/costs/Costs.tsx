import { Answer } from "@/components/Section";
import { useTitle } from "@/lib/title";

export function Costs() {
  useTitle("Costs");
  return <Answer>Nothing was spent yet.</Answer>;
}
