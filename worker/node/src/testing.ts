/** Running one handler in this process, with its args checked as in real life, for the tests of its author. */

import { WorkerError } from "./errors.js";
import { Handler, type HandlerFunction, type HandlerOptions } from "./handler.js";
import { type RehearsalOptions, type Told, rehearse } from "./rehearsal.js";
import { Worker } from "./worker.js";

export type { Told } from "./rehearsal.js";

export interface TestOptions<Args> extends RehearsalOptions, HandlerOptions<Args> {
  /** Which handler of a worker, unless it has only one. */
  kind?: string;
}

/**
 * Runs a handler, or that of a worker, and gives what it told once it has ended. What the handler throws is told too.
 *
 * Throws `WorkerError` for a kind that the worker does not have.
 */
export async function run<Args = any>(
  target: Worker | HandlerFunction<Args, unknown>,
  args?: unknown,
  options: TestOptions<Args> = {},
): Promise<Told> {
  return rehearse(handlerOf(target, options), args, options);
}

function handlerOf<Args>(target: Worker | HandlerFunction<Args, unknown>, options: TestOptions<Args>): Handler {
  if (!(target instanceof Worker)) return new Handler(options.kind ?? "handler", target, options as HandlerOptions<never>);
  const kinds = [...target.handlers.keys()];
  const kind = options.kind ?? (kinds.length === 1 ? kinds[0] : undefined);
  const handler = kind === undefined ? undefined : target.handlers.get(kind);
  if (handler !== undefined) return handler;
  throw new WorkerError(`the worker has no handler for the kind ${kind}; say one of ${kinds.sort().join(", ")}`);
}
