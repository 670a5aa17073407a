/** Reading a delay in any of its spellings. Pure. */

/** Milliseconds, or a text such as `"30s"`, `"1h30m"` or `"500ms"`. */
export type Delay = number | string;

/** The longest delay that the contract knows: ten years. */
export const DELAY_MAX_MS = 10 * 365 * 24 * 60 * 60 * 1000;

const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const WHOLE = /^(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)\s*)+$/;
const PART = /(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)/g;

/** Milliseconds, rounded. Throws `RangeError` for what is no delay, negative, or over ten years. */
export function delayMs(delay: Delay): number {
  const exact = typeof delay === "string" ? textMs(delay.trim()) : delay;
  if (typeof exact !== "number" || !(exact >= 0 && exact <= DELAY_MAX_MS)) {
    throw new RangeError(`delay ${String(delay)}: must be from 0 to ten years, in milliseconds, or a text such as "30s"`);
  }
  return Math.round(exact);
}

function textMs(text: string): number {
  if (!WHOLE.test(text)) return Number.NaN;
  return [...text.matchAll(PART)].reduce((sum, [, number, unit]) => sum + Number(number) * UNIT_MS[unit!]!, 0);
}
