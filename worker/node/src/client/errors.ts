/** What a client throws: one base, `ClientError`. Nothing here asks or decides. */

import type { Enqueued, TaskInfo } from "./types.js";

/** Something asked for was not had. The `message` is the sentence and the way out. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
  /** The task of a bulk that was refused: its place in the whole list, from 0. */
  index: number | undefined;
  /** The task that is in the way, such as the owner of a name that is taken. */
  taskId: number | undefined;
  /** What the earlier slices of a bulk have added, in the order of the list. */
  added: readonly Enqueued[] = [];

  constructor(
    /** For programs. */
    readonly code: string,
    sentence: string,
    /** The way out. */
    readonly hint = "",
    /** That of HTTP; undefined when there was no answer. */
    readonly status: number | undefined = undefined,
  ) {
    super(hint === "" ? sentence : `${sentence}; ${hint}`);
  }
}

/** No supervisor answered, or the answer broke off. With a name, asking again is safe. */
export class Unreachable extends ClientError {
  override readonly name = "Unreachable";
}

/** The request makes no sense as it is: the supervisor's own sentence, or that of the client before it asks. */
export class Refused extends ClientError {
  override readonly name = "Refused";
}

/** The supervisor cannot do it now (429, 503, 507), or has failed itself (500). */
export class Unavailable extends ClientError {
  override readonly name = "Unavailable";
}

/** Carries the task as it was seen last. */
class Ended extends ClientError {
  constructor(
    code: string,
    sentence: string,
    hint: string,
    readonly info: TaskInfo,
  ) {
    super(code, sentence, hint);
  }
}

/** The task whose result was wanted has failed for good; `info` tells every attempt. */
export class TaskFailed extends Ended {
  override readonly name = "TaskFailed";
}

/** The task whose result was wanted was cancelled. */
export class TaskCancelled extends Ended {
  override readonly name = "TaskCancelled";
}

/** The time to wait is over. The task goes on; `info` is how it was seen last. */
export class WaitTimeout extends Ended {
  override readonly name = "WaitTimeout";
}
