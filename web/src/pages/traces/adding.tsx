import { lazy } from "react";

/** The dialog that puts traces into a dataset, fetched when it is opened. */
export const AddToDataset = lazy(async () => ({ default: (await import("@/pages/datasets/AddToDataset")).AddToDataset }));
