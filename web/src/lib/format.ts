/** Numbers as people read them, by the same rules as the report and the terminal (`boxscore.figures`). */

const MINUS = "−";

function grouped(value: number, decimals: number): string {
  return Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function dollarDecimals(size: number): number {
  if (size >= 10_000) return 0;
  if (size === 0 || size >= 0.1) return 2;
  return Math.min(9, 1 - Math.floor(Math.log10(size)));
}

/** `$13.31`, `$0.052`, `−$2.10`: two significant decimals below ten cents. Takes the API's decimal strings. */
export function money(usd: string | number): string {
  const value = Number(usd);
  if (!Number.isFinite(value)) return "no price";
  return `${value < 0 ? MINUS : ""}$${grouped(value, dollarDecimals(Math.abs(value)))}`;
}

/** `+$13.31`, `−$2.10`, `±$0`. */
export function signedMoney(usd: string | number): string {
  const value = Number(usd);
  if (value === 0) return "±$0";
  return value > 0 ? `+${money(value)}` : money(value);
}

/** `1,905`. */
export function count(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

/** `1 trace`, `1,000 traces`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** `1.2 k`, `370 M`: for sizes beside which the digits do not matter. */
export function compact(value: number): string {
  const size = Math.abs(value);
  for (const [unit, scale] of [["G", 1e9], ["M", 1e6], ["k", 1e3]] as const) {
    if (size >= scale) return `${significant(value / scale, 2)} ${unit}`;
  }
  return count(value);
}

/** At most `digits` significant digits, none of them lost before the point: `3.9`, `12`, `0.052`. */
export function significant(value: number, digits = 2): string {
  if (value === 0 || !Number.isFinite(value)) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  return `${value < 0 ? MINUS : ""}${grouped(value, Math.min(9, Math.max(0, digits - 1 - size)))}`;
}

/** `51 %`, `0.51 %`, `under 1 %` never: a rate as a fraction, with the decimals asked for. */
export function percent(rate: number, decimals = Math.abs(rate) < 0.1 && rate !== 0 ? 1 : 0): string {
  return `${rate < 0 ? MINUS : ""}${grouped(rate * 100, decimals)} %`;
}

/** `+34.4`: a difference of rates in points. */
export function points(difference: number, decimals = 1): string {
  const text = grouped(difference * 100, decimals);
  if (!/[1-9]/.test(text)) return text;
  return `${difference < 0 ? MINUS : "+"}${text}`;
}

/** `140 ms`, `5.20 s`, `12.4 s`, `3 min`, `2.4 h`. */
export function duration(seconds: number): string {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? MINUS : "";
  if (size < 0.0005) return `${sign}${significant(size * 1e6, 2)} µs`;
  if (size < 1) return `${sign}${grouped(size * 1000, size < 0.01 ? 1 : 0)} ms`;
  if (size < 120) return `${sign}${grouped(size, size < 10 ? 2 : 1)} s`;
  if (size < 7200) return `${sign}${grouped(size / 60, 0)} min`;
  if (size < 172_800) return `${sign}${grouped(size / 3600, 1)} h`;
  return `${sign}${grouped(size / 86_400, 1)} d`;
}

/** `4.2 MB`. */
export function bytes(size: number): string {
  for (const [unit, scale] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] as const) {
    if (size >= scale) return `${significant(size / scale, 2)} ${unit}`;
  }
  return `${count(size)} B`;
}

/** The part of an id that tells it from its neighbours: its start; of one that begins with its time, its end. */
export function shortId(id: string): string {
  if (/^\d{8}T\d+-[0-9a-f]+$/.test(id)) return id.slice(id.lastIndexOf("-") + 1);
  return id.length > 12 ? id.slice(0, 8) : id;
}

/** The smallest of 1, 1.5, 2, 3, 5, 7.5 times a power of ten that is not below `value`; 1 for 0. */
export function niceBound(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((step) => step * power).find((bound) => bound >= value * (1 - 1e-9)) ?? value;
}
