import { useAsk } from "@/api/query";
import { counted } from "@/lib/format";
import { HOUR, MINUTE } from "@/lib/time";
import { useNow } from "@/components/Values";

/** What the server does just now, at the foot of the places. */
export function Standing() {
  const minute = Math.ceil((useNow() * 1e6) / MINUTE) * MINUTE;
  const { data } = useAsk("/api/v1/series", { params: { query: { start_ns: minute - HOUR, end_ns: minute, step_ns: HOUR } } }, { every: 30_000, keep: true });
  if (!data) return <p className="foot fine" />;
  const { points, pending } = data;
  const spans = points.reduce((sum, point) => sum + point.spans, 0);
  return <p className="foot fine">{spans ? `${counted(spans, "span")} in the last hour` : "listening"}{pending > 0 && <><br />{counted(pending, "span")} behind</>}</p>;
}
