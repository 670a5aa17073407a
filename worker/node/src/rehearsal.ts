/** One handler run in this process, with a recorder in the place of the supervisor. Which handler is not decided here. */

import * as codec from "./codec.js";
import { Context, type Outlet } from "./context.js";
import { type Scope, StopRequest } from "./errors.js";
import { type Handler, unpackArgs } from "./handler.js";
import type { FollowUp, Level } from "./messages.js";
import type { Progress } from "./notes.js";
import { StopSign } from "./stop.js";
import { pack } from "./values.js";

const GRACE_MS = 10_000;

/** How a run ended, and what it told. */
export interface Told {
  /** What the handler returned, after it has travelled: dates are text, sets are arrays. */
  result: unknown;
  /** Why it failed; undefined when it did not. */
  error: string | undefined;
  /** After a failure: `"default"`, `"never"`, or milliseconds. */
  retry: "default" | "never" | number;
  /** Who waits for those milliseconds: this task, all of its `"key"`, or all of its `"queue"`. */
  scope: Scope;
  progress: Progress[];
  spent: Record<string, number>;
  logs: { level: Level; text: string }[];
  /** The follow-up tasks, when the run ended well. */
  enqueued: { kind: string; args: unknown; options: Omit<FollowUp, "kind" | "args"> }[];
  /** The run has asked the worker to leave. */
  retired: boolean;
}

export interface RehearsalOptions {
  /** What the context says; 1 by default. */
  attempt?: number;
  /** Tells the run to stop when it has told its progress so often; 0 at its start. */
  stopAfterProgress?: number;
}

/** Runs a handler to its end. Throws `CannotTravel` for args that no task can have. */
export async function rehearse(handler: Handler, args: unknown, options: RehearsalOptions = {}): Promise<Told> {
  const { attempt = 1, stopAfterProgress = Infinity } = options;
  const told: Told = {
    result: undefined,
    error: undefined,
    retry: "default",
    scope: "task",
    progress: [],
    spent: {},
    logs: [],
    enqueued: [],
    retired: false,
  };
  const sign = new StopSign();
  const stopIfDue = () => {
    if (told.progress.length >= stopAfterProgress) sign.give(new StopRequest("cancel", performance.now() + GRACE_MS));
  };
  const add = (progress: Progress) => {
    told.progress.push(progress);
    stopIfDue();
  };
  const outlet: Outlet = {
    progress: (done, total, message) => add({ done, total, message }),
    note: (message) => add({ done: null, total: null, message }),
    spend: async (unit, amount) => {
      told.spent[unit] = (told.spent[unit] ?? 0) + amount;
      return true;
    },
    log: (level, text) => told.logs.push({ level, text }),
    retire: () => (told.retired = true),
    look: () => {},
  };
  stopIfDue();
  const { kind } = handler;
  const facts = { task: 1, epoch: attempt, kind, attempt, effectKey: "test:1", deadlineMs: undefined };
  const travelled = unpackArgs(pack(args, "args"));
  const outcome = await handler.run(new Context({ ...facts, takesFollowUps: true }, travelled, sign, outlet));
  if ("error" in outcome) {
    told.error = outcome.error;
    told.scope = outcome.scope ?? "task";
    told.retry = typeof outcome.retry === "string" ? outcome.retry : outcome.retry.after_ms!;
  } else {
    told.result = unpacked(outcome.result);
    told.enqueued = outcome.enqueue.map(({ kind, args, ...rest }) => ({ kind, args: unpacked(args), options: rest }));
  }
  return told;
}

function unpacked(payload: Uint8Array | undefined): unknown {
  return payload === undefined || payload.length === 0 ? undefined : codec.decode(payload);
}
