/** Times: the API has nanoseconds since 1970 as numbers, records have ISO texts. */

const SECOND = 1e9;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number) => String(value).padStart(2, "0");

/** Milliseconds since 1970 of nanoseconds, an ISO text or a Date. */
export function millis(at: number | string | Date): number {
  if (typeof at === "number") return at / 1e6;
  return typeof at === "string" ? Date.parse(at) : at.getTime();
}

/** `38 s`, `5 min`, `3 h`, `12 d` since then; `in 5 min` for what is to come. */
export function relative(at: number | string | Date, now = Date.now()): string {
  const seconds = (now - millis(at)) / 1000;
  const size = Math.abs(seconds);
  const text =
    size < 1 ? "now" : size < 60 ? `${Math.round(size)} s` : size < 3600 ? `${Math.round(size / 60)} min`
    : size < 36 * 3600 ? `${Math.round(size / 3600)} h` : size < 100 * 86_400 ? `${Math.round(size / 86_400)} d`
    : day(at);
  return seconds < -1 && size < 100 * 86_400 ? `in ${text}` : text;
}

/** `20 Jun 2025 10:42:07`, in the zone of the reader. */
export function absolute(at: number | string | Date): string {
  const date = new Date(millis(at));
  return `${day(at)} ${clock(date)}:${two(date.getSeconds())}`;
}

/** `20 Jun 2025`. */
export function day(at: number | string | Date): string {
  const date = new Date(millis(at));
  return `${date.getDate()} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
}

/** `20 Jun`, for axes. */
export function dayOfMonth(at: number | string | Date): string {
  const date = new Date(millis(at));
  return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
}

/** `10:42`. */
export function clock(at: number | string | Date): string {
  const date = new Date(millis(at));
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What an axis of that length calls a moment. */
export function tick(at: number, length: number): string {
  return length > 2 * DAY ? dayOfMonth(at) : clock(at);
}

const EVERY = [MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 7 * DAY, 10 * DAY, 15 * DAY, 30 * DAY];

/** At most so many round moments between two, by the clock of the reader: midnights where they are days apart. */
export function ticks(from: number, to: number, most: number): number[] {
  const every = EVERY.find((one) => (to - from) / one <= most) ?? 60 * DAY;
  const first = new Date(from / 1e6);
  first.setHours(0, 0, 0, 0);
  const found: number[] = [];
  for (let at = first.getTime() * 1e6; at < to; at += every) if (at >= from) found.push(at);
  return found;
}
