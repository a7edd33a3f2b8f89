/** The dialog that puts traces into a dataset. */
export function AddToDataset(_: { traces: readonly string[]; open: boolean; close: () => void }) {
  return null;
}
