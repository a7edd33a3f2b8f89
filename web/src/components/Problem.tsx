import { asProblem } from "@/api/problem";

/** An error in its place: what happened and what to do, and a way to try again. */
export function ProblemNote({ error, retry }: { error: unknown; retry?: () => unknown }) {
  const problem = asProblem(error);
  return (
    <div role="alert" className="my-3 border-l-2 border-bad bg-sunk px-3 py-2 text-data">
      <p className="txt">{problem.message}</p>
      <p className="fine mt-1 flex items-center gap-3">
        <span className="mono">{problem.code}</span>
        {problem.status > 0 && <span>status {problem.status}</span>}
        {retry && <button type="button" className="plain link" onClick={() => retry()}>Try again</button>}
      </p>
    </div>
  );
}
