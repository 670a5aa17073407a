/**
 * Mutirao for Node: workers that run tasks, and clients that add them.
 *
 * Importing this package in a program that a supervisor has started takes the channel for the conversation with it: from
 * then on, what is printed becomes the log of the task, and reading stdin finds its end. So import it first.
 */

import "./claim.js";

export { Client, type ClientOptions, type WaitOptions } from "./client.js";
export {
  ClientError,
  Refused,
  TaskCancelled,
  TaskFailed,
  Unavailable,
  Unreachable,
  WaitTimeout,
} from "./client/errors.js";
export type { Attempt, Enqueued, LogLine, NewTask, State, TaskInfo, TaskProgress } from "./client/types.js";
export { Context, current } from "./context.js";
export type { Delay } from "./duration.js";
export { Fail, RetryAfter, type Scope, StopRequest, WorkerError } from "./errors.js";
export type { Id } from "./fields.js";
export type { TaskOptions } from "./follow-ups.js";
export type { HandlerFunction, HandlerOptions, Schema } from "./handler.js";
export type { Level } from "./messages.js";
export type { Progress } from "./notes.js";
export { VERSION } from "./version.js";
export { type RunOptions, Worker } from "./worker.js";
