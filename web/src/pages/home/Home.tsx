import { Answer } from "@/components/Section";
import { useTitle } from "@/lib/title";

export function Home() {
  useTitle("Home");
  return <Answer>Nothing has happened yet.</Answer>;
}
