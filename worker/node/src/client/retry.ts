/** What follows from one reply: it is good, it is an error, or it is asked again after a pause. Pure. */

import { type Answer, refusal } from "./answers.js";
import { type ClientError, Unreachable } from "./errors.js";
import type { Request } from "./requests.js";

/** How long a request is tried again, unless the client is told otherwise. */
export const RETRY_FOR_MS = 30_000;
/** The first pause; each further one is twice as long. */
export const PAUSE_FIRST_MS = 50;
export const PAUSE_MAX_MS = 2_000;
/** More than this is not believed of a Retry-After. */
export const RETRY_AFTER_MAX_MS = 60_000;
/** Overloaded, not there yet, disk full: these pass by themselves. */
const STATUSES_THAT_PASS = [429, 503, 507];
/** Doublings, for the sake of the numbers. */
const DOUBLINGS_MAX = 16;

/** No whole answer came. */
export interface Lost {
  sentence: string;
  hint: string;
  /** The request may have been heard. */
  mayHaveActed: boolean;
  /** It will not be another time, such as without the right to connect. */
  isLasting: boolean;
}

export type Verdict = { error: ClientError } | { pauseMs: number } | undefined;

/**
 * What is wrong with a reply, or how long to pause before the request is sent again; undefined when it is good.
 *
 * `failures` counts the replies before, `leftMs` is the time that is left for trying.
 */
export function judge(request: Request, reply: Answer | Lost, failures: number, leftMs: number): Verdict {
  const pauseMs = Math.min(PAUSE_FIRST_MS * 2 ** Math.min(failures, DOUBLINGS_MAX), PAUSE_MAX_MS);
  if ("status" in reply) {
    if (reply.status >= 200 && reply.status < 300) return undefined;
    if (leftMs <= 0 || !STATUSES_THAT_PASS.includes(reply.status)) return { error: refusal(reply) };
    const asked = Math.min((reply.retryAfterS ?? 0) * 1_000, RETRY_AFTER_MAX_MS);
    return { pauseMs: Math.min(asked || pauseMs, leftMs) };
  }
  const isUncertain = reply.mayHaveActed && !request.isSafe;
  if (leftMs > 0 && !reply.isLasting && !isUncertain) return { pauseMs: Math.min(pauseMs, leftMs) };
  const hint = isUncertain ? "it may have taken effect: look at the task before asking again" : reply.hint;
  return { error: new Unreachable("not_reachable", reply.sentence, hint) };
}
