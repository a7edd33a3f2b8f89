import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** Views of one page. Each is an address. */
export function Tabs({ name, tabs }: { name: string; tabs: readonly { label: ReactNode; to: LinkProps["to"]; search?: LinkProps["search"]; params?: LinkProps["params"]; active: boolean }[] }) {
  return (
    <nav className="tabs" aria-label={name}>
      {tabs.map(({ label, to, search, params, active }, at) => (
        <Link key={at} to={to} search={search} params={params} aria-current={active ? "page" : undefined} activeProps={{}} activeOptions={{ exact: true, explicitUndefined: true }} replace>{label}</Link>
      ))}
    </nav>
  );
}

/** A choice among few, side by side. */
export function Choice<Value extends string>({ name, value, options, choose }: { name: string; value: Value; options: readonly (Value | readonly [Value, ReactNode])[]; choose: (value: Value) => void }) {
  return (
    <span className="seg" role="group" aria-label={name}>
      {options.map((option) => {
        const [one, label] = typeof option === "string" ? [option, option] : option;
        return <button key={one} type="button" aria-pressed={one === value} onClick={() => choose(one)}>{label}</button>;
      })}
    </span>
  );
}
