import { Answer } from "@/components/Section";
import { useTitle } from "@/lib/title";

export function Datasets() {
  useTitle("Datasets");
  return <Answer>Datasets</Answer>;
}
