import { useInfiniteQuery } from "@tanstack/react-query";
import { api, ask, currentProject } from "@/api/client";
import { Json } from "@/components/Json";
import { ProblemNote } from "@/components/Problem";
import { Waiting } from "@/components/Section";
import { visible } from "@/components/Text";
import { writeQuery } from "@/lib/params";
import { useSpan } from "./questions";

const PAGE = 10;

/** What came, as it came: the open span, or all spans of the trace. */
export function Raw({ trace, span }: { trace: string; span: string | undefined }) {
  const href = `/api/v1/traces/${trace}/raw${writeQuery({ project: currentProject(), limit: 1000 })}`;
  return (
    <div className="pt-2">
      <p className="fine pb-2">{span ? "The open span, whole." : "The spans by their start, in their own words."} <a href={href} target="_blank" rel="noreferrer">The whole trace as JSON</a></p>
      {span ? <One trace={trace} span={span} /> : <All trace={trace} />}
    </div>
  );
}

function One({ trace, span }: { trace: string; span: string }) {
  const { data, error, refetch } = useSpan(trace, span);
  if (error) return <ProblemNote error={error} retry={refetch} />;
  return data ? <Json value={{ ...data.span, raw: undefined, ...data.told }} /> : <Waiting what="Reading the span" />;
}

function All({ trace }: { trace: string }) {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetching } = useInfiniteQuery({
    queryKey: ["/api/v1/traces", currentProject() ?? null, "raw", trace],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) => ask(api.GET("/api/v1/traces/{trace_id}/raw", { params: { path: { trace_id: trace }, query: { limit: PAGE, cursor } }, signal })),
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  if (error) return <ProblemNote error={error} retry={refetch} />;
  if (!data) return <Waiting what="Reading the trace" />;
  const items = data.pages.flatMap((page) => page.items);
  return (
    <>
      {items.map(({ span_id, name, told }) => (
        <details key={span_id} open={items.length <= 3} className="border-b border-rule-2 py-1">
          <summary className="cursor-pointer text-data">{visible(name)} <code className="mut">{span_id}</code></summary>
          <Json value={told} open={1} />
        </details>
      ))}
      {hasNextPage && <button type="button" className="plain link fine py-2" disabled={isFetching} onClick={() => void fetchNextPage()}>More spans</button>}
    </>
  );
}
