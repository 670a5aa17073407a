/**
 * What a worker knows of its conversation and does next: runs that wait, those that run, those to give back, the end.
 *
 * Pure: no bytes, threads or clocks. `post` writes what it says, `runtime` acts on it.
 */

import { ContractError, type Scope, StopRequest } from "./errors.js";
import { EXIT_CONFIG, EXIT_TERMINATED } from "./exit-codes.js";
import { type FollowUp, type Outgoing, PROTOCOL, type Retry, type Run, type RunRef, type ToWorker } from "./messages.js";
import { Notes } from "./notes.js";
import { StopSign } from "./stop.js";

export const FEATURES = ["beat", "note", "enqueue"] as const;
export type Feature = (typeof FEATURES)[number];

/** How a handler ended. The result is MessagePack. */
export type Outcome = { result: Uint8Array; enqueue: FollowUp[] } | { error: string; retry: Retry; scope?: Scope };

/** What is to be done next. */
export type Next =
  | { do: "prepare" }
  | { do: "send"; messages: Outgoing[] }
  | { do: "start"; run: Run; running: Running }
  | { do: "end"; code: number; sentence: string };

type State = "greeted" | "welcomed" | "ready" | "draining" | "closed";

/** A promise that is kept by somebody else. */
interface Receipt {
  promise: Promise<boolean>;
  settle: (isStored: boolean) => void;
}

/** A run that was started and is not answered. */
export class Running {
  readonly sign = new StopSign();
  readonly notes: Notes;
  readonly receipts = new Map<number, Receipt>();
  outcome: Outcome | undefined;

  constructor(readonly ref: RunRef) {
    this.notes = new Notes(ref);
  }

  /** One receipt stands for all that one note tells. */
  spend(unit: string, amount: number): Promise<boolean> {
    const seq = this.notes.spend(unit, amount);
    if (seq <= this.notes.ackedSeq) return Promise.resolve(true);
    const receipt = this.receipts.get(seq) ?? newReceipt();
    this.receipts.set(seq, receipt);
    return receipt.promise;
  }
}

function newReceipt(): Receipt {
  let settle: Receipt["settle"] = () => {};
  const promise = new Promise<boolean>((resolve) => (settle = resolve));
  return { promise, settle };
}

/** The worker's side of one conversation. */
export class Desk {
  #state: State = "greeted";
  #drainReason = "";
  #wasTold = false;
  #preparation: "due" | "begun" | "done" = "due";
  #features: ReadonlySet<string> = new Set();
  // Bounded: a run without a credit is refused.
  #waiting: Run[] = [];
  #running = new Map<string, Running>();
  #giveBack: RunRef[] = [];
  #over: Extract<Next, { do: "end" }> | undefined;

  constructor(readonly concurrency: number) {}

  // What arrives.

  /** Takes note of a message. Throws `ContractError` when it breaks the contract. */
  received(message: ToWorker, nowMs: number): void {
    const { name, body } = message;
    const state = this.#state;
    const isOpen = state === "ready" || state === "draining";
    if (state === "closed" && (name === "run" || name === "stop" || name === "ack")) return;
    if (name === "welcome" && state === "greeted") this.#welcome(body.protocol, body.features);
    else if (name === "reject" && state === "greeted") {
      this.#over = { do: "end", code: EXIT_CONFIG, sentence: `the supervisor refused this worker: ${body.reason}` };
    } else if (name === "run" && isOpen && !this.#wasTold) this.#accept(body);
    else if (name === "stop" && body.run === null && (isOpen || state === "welcomed")) {
      this.#wasTold = true;
      this.#drain(body.reason);
    } else if (name === "stop" && body.run !== null && isOpen) {
      this.#stop(body.run, new StopRequest(body.reason, nowMs + body.grace_ms));
    } else if (name === "ack" && isOpen) this.#ack(body, body.seq);
    else throw new ContractError("order", `${name} while ${state}: not legal in this state of the conversation`);
  }

  #welcome(protocol: number, features: string[]): void {
    if (protocol !== PROTOCOL) {
      throw new ContractError("order", `the supervisor chose protocol ${protocol}; this worker offered ${PROTOCOL}`);
    }
    this.#state = "welcomed";
    this.#features = new Set(features);
  }

  #accept(run: Run): void {
    const inFlight = [...this.#running.values()].map((running) => running.ref);
    inFlight.push(...this.#giveBack, ...this.#waiting);
    if (inFlight.some((other) => other.task === run.task)) {
      throw new ContractError("order", `run: task ${run.task} already runs here`);
    }
    if (inFlight.length >= this.concurrency) {
      throw new ContractError("order", `run: all ${this.concurrency} credits of the worker are in use`);
    }
    if (this.#state === "ready") this.#waiting.push(run);
    // It crossed the wish of this worker to leave.
    else this.#giveBack.push(refOf(run));
  }

  #stop(ref: RunRef, order: StopRequest): void {
    const waiting = this.#waiting.findIndex((run) => keyOf(run) === keyOf(ref));
    if (waiting >= 0) this.#giveBack.push(...this.#waiting.splice(waiting, 1).map(refOf));
    // An unknown run is no error: the order crossed its answer.
    else if (order.reason !== "recall") this.#running.get(keyOf(ref))?.sign.give(order);
  }

  #ack(ref: RunRef, seq: number | bigint): void {
    const running = this.#running.get(keyOf(ref));
    const isWaiting = this.#waiting.some((run) => keyOf(run) === keyOf(ref));
    // It crossed the answer.
    if (running === undefined && !isWaiting) return;
    if (running === undefined || !running.notes.acked(seq)) {
      throw new ContractError("order", `ack: no note ${seq} waits for it`);
    }
    settle(running, true, (told) => told <= seq);
  }

  // What the worker itself brings about.

  /** Finish what runs, give back what waits, start nothing. */
  #drain(reason: string): void {
    this.#state = "draining";
    this.#drainReason = reason;
    this.#giveBack.push(...this.#waiting.splice(0).map(refOf));
  }

  /** The worker leaves by itself once what runs is answered. */
  retire(): void {
    if (this.#state === "ready") this.#drain("retired");
  }

  /**
   * The process was told to terminate.
   *
   * While one run is being stopped this is a part of it. To a worker that is draining it says that time runs out. Else
   * it comes from elsewhere: what runs goes on, since a supervisor that stops too will say so itself.
   */
  interrupt(nowMs: number): void {
    const running = [...this.#running.values()];
    if (running.some((run) => run.sign.order !== undefined)) return;
    if (this.#state === "greeted") {
      this.#over = { do: "end", code: EXIT_TERMINATED, sentence: "terminated before the supervisor had answered" };
    } else if (this.#state === "welcomed" || this.#state === "ready") {
      this.#drain("terminated");
    } else {
      for (const run of running) run.sign.give(new StopRequest(this.#drainReason, nowMs));
    }
  }

  /** Nobody is left to store anything: the receipts that will never come are settled. */
  abandoned(): void {
    this.#features = new Set([...this.#features].filter((feature) => feature !== "note"));
    for (const running of this.#running.values()) settle(running, false, () => true);
  }

  /** What the worker does before it takes runs is done. */
  prepared(): void {
    this.#preparation = "done";
  }

  /** A handler has ended; its answer waits until all that it spent is stored. */
  finished(ref: RunRef, outcome: Outcome): void {
    const running = this.#running.get(keyOf(ref));
    if (running !== undefined) running.outcome = outcome;
  }

  /** The run, while it may say something that will be heard. */
  speaking(ref: RunRef): Running | undefined {
    const running = this.has("note") ? this.#running.get(keyOf(ref)) : undefined;
    return running?.outcome === undefined ? running : undefined;
  }

  // What is to be done.

  /** What comes next; undefined means that something else must happen first. */
  next(nowMs: number): Next | undefined {
    if (this.#over !== undefined) return this.#over;
    if (this.#giveBack.length > 0) {
      return { do: "send", messages: this.#giveBack.splice(0).map((body) => ({ name: "back", body })) };
    }
    const answers = this.#answers(nowMs);
    if (answers.length > 0) return { do: "send", messages: answers };
    switch (this.#state) {
      case "welcomed":
        return this.#prepare();
      case "draining":
        if (this.#running.size > 0) return undefined;
        this.#state = "closed";
        return { do: "send", messages: [{ name: "bye", body: {} }] };
      case "closed":
        return { do: "end", code: 0, sentence: "" };
      default:
        return this.#start();
    }
  }

  #prepare(): Next | undefined {
    if (this.#preparation === "begun") return undefined;
    if (this.#preparation === "due") {
      this.#preparation = "begun";
      return { do: "prepare" };
    }
    this.#state = "ready";
    return { do: "send", messages: [{ name: "ready", body: {} }] };
  }

  #start(): Next | undefined {
    const run = this.#running.size < this.concurrency ? this.#waiting.shift() : undefined;
    if (run === undefined) return undefined;
    const running = new Running(refOf(run));
    this.#running.set(keyOf(run), running);
    return { do: "start", run, running };
  }

  /** The answer to the first run that has ended, behind its last note. */
  #answers(nowMs: number): Outgoing[] {
    for (const [key, { ref, notes, outcome }] of this.#running) {
      if (outcome === undefined || (this.has("note") && !notes.isSettled)) continue;
      this.#running.delete(key);
      const last = this.has("note") ? notes.takeLast(nowMs) : undefined;
      return [...(last === undefined ? [] : [last]), answer(ref, outcome)];
    }
    return [];
  }

  /** The next note that is due. */
  takeNote(nowMs: number): Outgoing | undefined {
    if (!this.has("note")) return undefined;
    for (const running of this.#running.values()) {
      const note = running.notes.take(nowMs);
      if (note !== undefined) return note;
    }
    return undefined;
  }

  /** When `takeNote` will find something. */
  noteDueAtMs(nowMs: number): number | undefined {
    if (!this.has("note")) return undefined;
    const due = [...this.#running.values()].map((running) => running.notes.dueAtMs(nowMs) ?? Infinity);
    const first = Math.min(...due);
    return first === Infinity ? undefined : first;
  }

  /** True when both sides have named the feature. */
  has(feature: Feature): boolean {
    return this.#features.has(feature);
  }

  /** True while "still starting" is legal and news. */
  get isPreparing(): boolean {
    return this.#over === undefined && this.#state === "welcomed";
  }

  /** True while a line for the log is legal. */
  get maySpeak(): boolean {
    return this.#over === undefined && this.#state !== "greeted" && this.#state !== "closed";
  }

  /** True once the end of the channel is no surprise. */
  get mayLoseChannel(): boolean {
    return this.#over !== undefined || this.#wasTold || this.#state === "closed";
  }
}

function settle(running: Running, isStored: boolean, isMeant: (seq: number) => boolean): void {
  for (const [seq, receipt] of running.receipts) {
    if (!isMeant(seq)) continue;
    running.receipts.delete(seq);
    receipt.settle(isStored);
  }
}

function answer(ref: RunRef, outcome: Outcome): Outgoing {
  if ("error" in outcome) return { name: "fail", body: { ...ref, ...outcome } };
  const { result, enqueue } = outcome;
  return { name: "done", body: { ...ref, result, ...(enqueue.length > 0 && { enqueue }) } } as Outgoing;
}

function refOf({ task, epoch }: RunRef): RunRef {
  return { task, epoch };
}

function keyOf({ task, epoch }: RunRef): string {
  return `${task}/${epoch}`;
}
