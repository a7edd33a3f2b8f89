import type { ReactNode } from "react";

/** A part of a page: rule, title (the finding or the question), what it is of, and its controls at the right. */
export function Section({ title, fine, tools, children, className = "", id }: { title: ReactNode; fine?: ReactNode; tools?: ReactNode; children?: ReactNode; className?: string; id?: string }) {
  return (
    <section className={`section ${className}`} id={id}>
      <div className="head">
        <h2>{title}</h2>
        {fine ? <p className="fine">{fine}</p> : <span className="flex-1" />}
        {tools}
      </div>
      {children}
    </section>
  );
}

/** The sentence that a page starts with: its answer. One a page. */
export function Answer({ children }: { children: ReactNode }) {
  return <h1 className="say pt-6">{children}</h1>;
}

/** What may be wider than its place, and is scrolled there: by the keyboard too. */
export function Scroll({ name, children }: { name: string; children: ReactNode }) {
  return <div className="scroll" role="region" aria-label={name} tabIndex={0}>{children}</div>;
}

/** What will appear here, and what makes it appear. */
export function Empty({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <div className="py-4 text-data">
      <p className="ink2">{title}</p>
      {children && <div className="mt-2">{children}</div>}
    </div>
  );
}

/** While an answer is on its way. Nothing is drawn in the first moment, so that fast answers do not flicker. */
export function Waiting({ what = "Asking the server" }: { what?: string }) {
  return <p className="waiting fine py-3" role="status">{what} …</p>;
}
