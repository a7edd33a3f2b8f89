import { Answer } from "@/components/Section";
import { useTitle } from "@/lib/title";

export function Settings() {
  useTitle("Settings");
  return <Answer>Settings</Answer>;
}
