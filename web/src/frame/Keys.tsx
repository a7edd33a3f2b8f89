import { Dialog } from "@/components/Dialog";
import { knownKeys } from "@/lib/keys";

/** All keys of the page as it is. */
export function Keys({ open, close }: { open: boolean; close: () => void }) {
  if (!open) return null;
  const keys = knownKeys();
  const go = keys.filter((key) => key.keys.startsWith("g "));
  const here = keys.filter((key) => !key.keys.startsWith("g "));
  return (
    <Dialog open={open} close={close} title="Keys">
      <div className="grid grid-cols-2 gap-x-8">
        <div>
          <h3>Here</h3>
          <List keys={[...here, { keys: "Escape", does: "close, or leave a field" }]} />
        </div>
        <div>
          <h3>Go to</h3>
          <List keys={go} />
        </div>
      </div>
    </Dialog>
  );
}

function List({ keys }: { keys: readonly { keys: string; does: string }[] }) {
  return (
    <dl className="facts grid-cols-[72px_1fr]!">
      {keys.flatMap(({ keys: one, does }) => [<dt key={`${one} key`}>{one.split(" ").map((part) => <kbd key={part} className="mr-1">{part}</kbd>)}</dt>, <dd key={one}>{does}</dd>])}
    </dl>
  );
}
