import type { GetPath } from "@/api/client";
import { currentProject } from "@/api/client";
import { writeQuery } from "@/lib/params";

/** The data behind a page: the same answer as JSON, and what else it can be had as. */
export function Twin({ path, query = {}, others = [] }: { path: GetPath | (string & {}); query?: Record<string, unknown>; others?: readonly { label: string; href: string }[] }) {
  return (
    <p className="fine noprint mt-4">
      This page as data: <a href={path + writeQuery({ project: currentProject(), ...query })} target="_blank" rel="noreferrer">JSON</a>
      {others.map(({ label, href }) => <span key={label}> · <a href={href} download>{label}</a></span>)}
    </p>
  );
}

/** Rows as CSV, made here, so that what is downloaded is what is seen. */
export function csv(head: readonly string[], rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  // a leading = + - @ would be a formula to a spreadsheet
  const cell = (value: string | number | null | undefined) => {
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : String(value ?? "");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}

/** Saves text as a file. */
export function save(name: string, text: string, kind = "text/csv"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: `${kind};charset=utf-8` }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
