import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";

/** A button that opens a short list below itself: the browser's popover, arrow keys inside, Escape closes. */
export function Menu({ label, name, children, className = "bare" }: { label: ReactNode; name: string; children: (close: () => void) => ReactNode; className?: string }) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => menu.current?.hidePopover();
  const place = () => {
    const box = button.current?.getBoundingClientRect();
    if (!box || !menu.current) return;
    menu.current.style.top = `${box.bottom + 4}px`;
    menu.current.style.left = `${Math.max(8, Math.min(box.left, innerWidth - 240))}px`;
    requestAnimationFrame(() => (menu.current?.querySelector<HTMLElement>("[aria-current=true],a,button,input"))?.focus());
  };
  const walk = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const items = [...event.currentTarget.querySelectorAll<HTMLElement>("a, button, input")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length]?.focus();
  };
  return (
    <>
      <button ref={button} type="button" className={className} popoverTarget={id} aria-haspopup="true" aria-label={name}>
        {label} <span className="mut" aria-hidden="true">▾</span>
      </button>
      <div ref={menu} id={id} popover="auto" className="menu" onBeforeToggle={(event) => { if (event.newState === "open") place(); }} onKeyDown={walk}>
        {children(close)}
      </div>
    </>
  );
}
