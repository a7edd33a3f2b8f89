import { useMemo } from "react";
import { type Range, range } from "@/lib/range";
import { useNow } from "@/components/Values";
import { root } from "./root";

/** The range of time that the address names. Moves on once a minute. */
export function useRange(): Range {
  const { range: name } = root.useSearch();
  const minute = Math.ceil(useNow() / 60_000);
  return useMemo(() => range(name, minute * 60_000), [name, minute]);
}
