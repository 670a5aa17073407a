/** One handler, from the args of a run to its outcome: however it ends, there is exactly one. Nothing is sent here. */

import * as codec from "./codec.js";
import { type Context, within } from "./context.js";
import type { Outcome } from "./desk.js";
import { ContractError, Fail, RetryAfter, StopRequest, WorkerError } from "./errors.js";
import { checkName, clip } from "./text.js";
import { errorText } from "./traceback.js";
import { CannotTravel, packResult } from "./values.js";

/** The text of a failure. */
const ERROR_MAX_BYTES = 8 * 1024;

/** Checks args and gives them their type; it throws for those that do not fit. A schema of zod and others is one. */
export interface Schema<Args> {
  parse(value: unknown): Args;
}

export type HandlerFunction<Args, Result> = (args: Args, cx: Context) => Result | Promise<Result>;

export interface HandlerOptions<Args> {
  /** Args that do not fit fail the task for good. Without a schema, args come as they were sent. */
  schema?: Schema<Args>;
  /** Errors after which the task is never tried again. */
  fatal?: readonly (abstract new (...args: never[]) => Error)[];
}

/** Args that the handler cannot read. */
class BadArgs extends Error {}

/** The code of one kind. */
export class Handler {
  /** Throws `WorkerError` for an illegal kind. */
  constructor(
    readonly kind: string,
    readonly call: HandlerFunction<never, unknown>,
    readonly options: HandlerOptions<never> = {},
  ) {
    try {
      checkName("kind", kind);
    } catch (error) {
      throw new WorkerError((error as Error).message);
    }
    if (typeof call !== "function") throw new WorkerError(`the handler of ${kind} is no function; pass it after the kind`);
  }

  /** Runs the handler. Never fails: what goes wrong is the outcome. */
  async run(context: Context): Promise<Outcome> {
    try {
      const { call } = this;
      const result = await within(context, () => call(this.#args(context.args), context));
      return { result: packResult(result), enqueue: [...context.followUps] };
    } catch (error) {
      return this.#failed(error, context);
    }
  }

  /** Nothing is taken as a map without entries: most handlers expect fields. */
  #args(given: unknown): never {
    if (given instanceof ContractError) throw new BadArgs(`${this.kind}: the args are no MessagePack: ${given.message}`);
    const args = given ?? {};
    if (this.options.schema === undefined) return args as never;
    try {
      return this.options.schema.parse(args);
    } catch (error) {
      throw new BadArgs(`${this.kind}: the args do not fit: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** What a thrown value means. There is an outcome whatever it does when it is asked. */
  #failed(error: unknown, context: Context): Outcome {
    let retry: Extract<Outcome, { error: string }>["retry"] = "default";
    try {
      if (error instanceof RetryAfter) retry = { after_ms: error.delayMs };
      else if (this.#isFatal(error)) retry = "never";
      const scope = error instanceof RetryAfter ? error.scope : "task";
      return { error: clip(this.#why(error, context), ERROR_MAX_BYTES), retry, scope };
    } catch {
      return { error: `${this.kind}: failed with something that cannot be told`, retry };
    }
  }

  #isFatal(error: unknown): boolean {
    const fatal = [BadArgs, CannotTravel, Fail, ...(this.options.fatal ?? [])];
    return fatal.some((one) => error instanceof one);
  }

  #why(error: unknown, context: Context): string {
    if (error instanceof BadArgs || error instanceof RetryAfter || error instanceof Fail) return error.message;
    if (error instanceof CannotTravel) return `${this.kind}: ${error.message}`;
    // What obeys a signal throws its reason, or an error of its own of this name.
    const isAbort = error instanceof StopRequest || (error instanceof Error && error.name === "AbortError");
    return isAbort && context.signal.aborted ? (context.signal.reason as StopRequest).message : errorText(error);
  }
}

/** The args of a run as a value; a `ContractError` when they are no MessagePack, which is the handler's to tell. */
export function unpackArgs(payload: Uint8Array): unknown {
  try {
    return payload.length === 0 ? undefined : (codec.decode(payload) ?? undefined);
  } catch (error) {
    if (error instanceof ContractError) return error;
    throw error;
  }
}

/** The outcome of a run that no handler is for. */
export function unknownKind(kind: string, known: string[]): Outcome {
  const error = `this worker has no handler for the kind ${JSON.stringify(kind)}; it offers ${known.join(", ")}`;
  return { error: clip(error, ERROR_MAX_BYTES), retry: "never" };
}
