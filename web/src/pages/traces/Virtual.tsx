import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef } from "react";

export interface Scroller {
  show: (index: number) => void;
  focus: () => void;
}

/** A long list of rows of one height, of which only those in sight are drawn. `row` gets the style that places it. */
export function Virtual({ count, height, row, most, role, label, active, near, onKeyDown, head, handle, className = "" }: {
  count: number;
  height: number;
  row: (index: number, style: { transform: string; height: number }) => ReactNode;
  /** The most pixels that it is high; it is no higher than its rows. */
  most: string;
  role: "listbox" | "tree" | "list";
  label: string;
  /** The id of the row that is chosen. */
  active?: string;
  /** Called when the last rows come into sight. */
  near?: () => void;
  onKeyDown?: (event: React.KeyboardEvent) => void;
  head?: ReactNode;
  handle?: Ref<Scroller>;
  className?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count, getScrollElement: () => box.current, estimateSize: () => height, overscan: 12 });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (near && last >= count - 20) near();
  }, [near, last, count]);
  useImperativeHandle(handle, () => ({ show: (index) => virtual.scrollToIndex(index), focus: () => box.current?.focus({ preventScroll: true }) }), [virtual]);
  return (
    <div ref={box} className={`rows ${className}`} style={{ maxHeight: most }} role={role} aria-label={label} tabIndex={0} aria-activedescendant={active} onKeyDown={onKeyDown}>
      {head}
      <div role="presentation" style={{ height: count * height, position: "relative" }}>
        {items.map((item) => row(item.index, { transform: `translateY(${item.index * height}px)`, height }))}
      </div>
    </div>
  );
}
