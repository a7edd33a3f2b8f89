import { type ReactNode, useEffect, useId, useRef } from "react";

/** A dialog over the page: the browser's own, so focus stays inside and Escape closes it, if it can be closed. */
export function Dialog({ open, close, title, children, wide }: { open: boolean; close?: () => void; title: ReactNode; children: ReactNode; wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    if (open && element && !element.open) element.showModal();
    if (!open && element?.open) element.close();
  }, [open]);
  if (!open) return null;
  return (
    <dialog ref={dialog} aria-labelledby={id} className={wide ? "w-[min(960px,calc(100vw-32px))]!" : ""} onCancel={(event) => { if (!close) event.preventDefault(); }} onClose={close} onClick={(event) => { if (event.target === event.currentTarget) close?.(); }}>
      <div className="p-4">
        <div className="mb-3 flex items-baseline justify-between gap-4">
          <h2 id={id}>{title}</h2>
          {close && <button type="button" className="bare h-6" aria-label="Close" onClick={close}>✕</button>}
        </div>
        {children}
      </div>
    </dialog>
  );
}

/** Asks before what cannot come back. Everything else is done at once and can be undone. */
export function Confirm({ open, close, title, children, verb, act }: { open: boolean; close: () => void; title: ReactNode; children: ReactNode; verb: string; act: () => unknown }) {
  return (
    <Dialog open={open} close={close} title={title}>
      <div className="text-data">{children}</div>
      <div className="mt-4 flex justify-end gap-2">
        <button type="button" onClick={close}>Keep it</button>
        <button type="button" className="go" onClick={() => { close(); void act(); }}>{verb}</button>
      </div>
    </Dialog>
  );
}
