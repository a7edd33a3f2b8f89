/** How much there is in the places that can be counted; empty until it is known. */
export function useCounts(): { datasets: string; experiments: string } {
  return { datasets: "", experiments: "" };
}
