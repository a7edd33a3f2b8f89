import { createColumnHelper, createSortedRowModel, rowSortingFeature, tableFeatures, useTable } from "@tanstack/react-table";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useKeys } from "@/lib/keys";

export interface Column<Row> {
  id: string;
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Right-aligned, never wrapped. */
  num?: boolean;
  /** Of `th` and `td`: `clip`, `hide-s`, `lead`, `nw`. */
  className?: string;
  /** A CSS width; columns without one share what is left. */
  width?: string;
  /** What the rows that are here are sorted by when the head is clicked. Leave it out where there are more rows than
   *  are here: the API has to sort then. */
  sort?: (row: Row) => number | string | null | undefined;
  /** The row's head: its name to a screen reader. */
  row?: boolean;
}

interface Props<Row> {
  name: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  rowKey: (row: Row) => string;
  /** What `enter` or a click beside the links does. */
  open?: (row: Row) => void;
  current?: string;
  /** Binds `j`, `k` and `enter` of the page to this table: at most one on a page. */
  keys?: boolean;
  /** Only rows in sight are drawn; on by itself above a hundred. */
  virtual?: boolean;
  rowHeight?: number;
  /** Called when the last rows come into sight. */
  atEnd?: () => void;
  /** Rows that arrived just now. */
  arriving?: ReadonlySet<string>;
  foot?: ReactNode;
  className?: string;
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
const helper = createColumnHelper<typeof features, { row: unknown }>();

/** Rows of one kind. A real table: the rows that are out of sight are two empty ones of their height. */
export function DataTable<Row>({ name, rows, columns, rowKey, open, current, keys, virtual, rowHeight = 28, atEnd, arriving, foot, className = "" }: Props<Row>) {
  const data = useMemo(() => rows.map((row) => ({ row: row as unknown })), [rows]);
  const shape = columns.map(({ id, sort }) => `${id}${sort ? "+" : ""}`).join(" ");
  const latest = useRef(columns);
  latest.current = columns;
  const defined = useMemo(
    () =>
      latest.current.map(({ id, sort }) =>
        helper.accessor(({ row }): unknown => (sort ? latest.current.find((one) => one.id === id)?.sort?.(row as Row) ?? null : null), {
          id,
          enableSorting: sort !== undefined,
          sortFn: (left, right, column) => compare(left.getValue(column), right.getValue(column)),
          sortDescFirst: true,
        }),
      ),
    // columns of the same shape are the same columns
    [shape],
  );
  const table = useTable({ features, columns: defined, data });
  const sorted = table.getRowModel().rows;
  const found = (at: number) => sorted[at]!.original.row as Row;

  const body = useRef<HTMLTableSectionElement>(null);
  const [margin, setMargin] = useState(0);
  const windowed = virtual ?? sorted.length > 100;
  useLayoutEffect(() => {
    const top = body.current ? body.current.getBoundingClientRect().top + scrollY : 0;
    if (Math.abs(top - margin) > 1) setMargin(top);
  });
  const rolling = useWindowVirtualizer({ count: sorted.length, estimateSize: () => rowHeight, overscan: 12, scrollMargin: margin, enabled: windowed });
  const items = windowed ? rolling.getVirtualItems() : [];
  const first = windowed ? (items[0]?.index ?? 0) : 0;
  const last = windowed ? (items.at(-1)?.index ?? -1) : sorted.length - 1;

  const near = windowed && sorted.length > 0 && last >= sorted.length - 20;
  const ended = useRef(atEnd);
  ended.current = atEnd;
  useEffect(() => {
    if (near) ended.current?.();
  }, [near, sorted.length]);

  const [at, setAt] = useState(-1);
  const focusing = useRef(false);
  const move = (to: number) => {
    const next = Math.max(0, Math.min(sorted.length - 1, to));
    focusing.current = true;
    setAt(next);
    if (windowed && (next < first + 2 || next > last - 2)) rolling.scrollToIndex(next, { align: "auto" });
  };
  useEffect(() => {
    const row = body.current?.querySelector<HTMLElement>(`[data-at="${at}"]`);
    if (!focusing.current || !row) return;
    focusing.current = false;
    row.focus({ preventScroll: windowed });
    row.scrollIntoView({ block: "nearest" });
  });
  useKeys(
    keys
      ? [
          { keys: "j", does: "next row", run: () => move(at + 1) },
          { keys: "k", does: "row before", run: () => move(at - 1) },
          ...(open ? [{ keys: "Enter", does: "open the row", run: () => { if (at >= 0 && at < sorted.length) open(found(at)); } }] : []),
        ]
      : [],
  );
  const press = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: sorted.length - 1, PageDown: at + 20, PageUp: at - 20 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      move(to);
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      open(found(at));
    }
  };

  const draw = (index: number) => {
    const row = found(index);
    const key = rowKey(row);
    return (
      <tr
        key={key}
        data-at={index}
        tabIndex={index === Math.max(at, 0) ? 0 : -1}
        aria-rowindex={windowed ? index + 2 : undefined}
        aria-current={current === key ? "true" : undefined}
        className={`${arriving?.has(key) ? "arrive" : ""} ${open ? "cursor-pointer" : ""}`}
        onFocus={(event) => { if (event.target === event.currentTarget) setAt(index); }}
        onKeyDown={press}
        onClick={(event) => {
          if (!open || (event.target as HTMLElement).closest("a, button, input, select, label") || getSelection()?.toString()) return;
          open(row);
        }}
      >
        {columns.map(({ id, cell, num, className: kind = "", row: isHead }) => {
          const style = `${num ? "num" : ""} ${kind}`;
          return isHead ? <th key={id} scope="row" className={style}>{cell(row)}</th> : <td key={id} className={style}>{cell(row)}</td>;
        })}
      </tr>
    );
  };

  const [head] = table.getHeaderGroups();
  return (
    <div className={windowed ? "" : "scroll"}>
      <table className={`tight ${windowed ? "table-fixed" : ""} ${className}`} aria-label={name} aria-rowcount={windowed ? sorted.length + 1 : undefined}>
        {columns.some(({ width }) => width) && <colgroup>{columns.map(({ id, width, className: kind = "" }) => <col key={id} className={kind.includes("hide-s") ? "hide-s" : ""} style={width ? { width } : undefined} />)}</colgroup>}
        <thead>
          <tr aria-rowindex={windowed ? 1 : undefined}>
            {columns.map(({ id, head: label, num, className: kind = "", sort }) => {
              const column = head?.headers.find((one) => one.id === id)?.column;
              const order = column?.getIsSorted();
              if (label === "") return <td key={id} className={kind} />;
              return (
                <th key={id} scope="col" className={`${num ? "num" : ""} ${kind}`} aria-sort={order === "asc" ? "ascending" : order === "desc" ? "descending" : undefined}>
                  {sort && column ? <button type="button" className="plain" onClick={() => column.toggleSorting()}>{label}{order === "asc" ? " ▴" : order === "desc" ? " ▾" : ""}</button> : label}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody ref={body}>
          {windowed && first > 0 && <tr aria-hidden="true"><td colSpan={columns.length} style={{ height: first * rowHeight, padding: 0, border: 0 }} /></tr>}
          {Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => draw(first + offset))}
          {windowed && last < sorted.length - 1 && <tr aria-hidden="true"><td colSpan={columns.length} style={{ height: (sorted.length - 1 - last) * rowHeight, padding: 0, border: 0 }} /></tr>}
        </tbody>
        {foot && <tfoot>{foot}</tfoot>}
      </table>
    </div>
  );
}

/** What is not known comes last, whichever way. */
function compare(left: unknown, right: unknown): number {
  if (left === right) return 0;
  if (left === null) return -1;
  if (right === null) return 1;
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), "en", { numeric: true });
}
