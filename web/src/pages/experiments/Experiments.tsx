import { Answer } from "@/components/Section";
import { useTitle } from "@/lib/title";

export function Experiments() {
  useTitle("Experiments");
  return <Answer>Experiments</Answer>;
}
