import type { LinkProps } from "@tanstack/react-router";

export interface Place {
  to: NonNullable<LinkProps["to"]>;
  name: string;
  /** The key after `g`. */
  key: string;
  /** A little room above it. */
  gap?: boolean;
  /** What can be counted beside its name. */
  counted?: "datasets" | "experiments";
}

/** The nine places, in the order of the life of an application. */
export const PLACES: readonly Place[] = [
  { to: "/", name: "Home", key: "h" },
  { to: "/prompts", name: "Prompts", key: "p" },
  { to: "/datasets", name: "Datasets", key: "d", counted: "datasets" },
  { to: "/experiments", name: "Experiments", key: "e", counted: "experiments" },
  { to: "/releases", name: "Releases", key: "r", gap: true },
  { to: "/traces", name: "Traces", key: "t" },
  { to: "/review", name: "Review", key: "v" },
  { to: "/costs", name: "Costs", key: "c", gap: true },
  { to: "/settings", name: "Settings", key: "s" },
];
