/** A door on a Unix socket, with a queue in memory behind it, which misbehaves as it is told. */

import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";

export const TASK = {
  kind: "resize",
  queue: "default",
  state: "available",
  reason: null,
  name: null as string | null,
  priority: 0,
  cancelling: false,
  created_at: "2026-11-23T12:34:56.000Z",
  due_at: null,
  started_at: null,
  finished_at: null,
  wait_ms: null,
  run_ms: null,
  runs: 0,
  attempts_spent: 0,
  crashes_spent: 0,
};

/** What happens to one request. */
export type Fault =
  | { is: "cut"; acts: boolean; sentBytes: number }
  | { is: "reply"; status: number; headers: Record<string, string>; body: string };

export const UNHEARD: Fault = { is: "cut", acts: false, sentBytes: 0 };
export const UNANSWERED: Fault = { is: "cut", acts: true, sentBytes: 0 };
export const CUT_SHORT: Fault = { is: "cut", acts: true, sentBytes: 60 };

export function refusal(status: number, code: string, headers = {}, more = {}): Fault {
  const body = JSON.stringify({ code, message: `it is ${code}`, hint: "do better", ...more });
  return { is: "reply", status, headers, body };
}

/** Time that passes only by pausing. `atPause` is called before each pause, with its number from 1. */
export class Clock {
  nowMs = 1_000;
  pausesMs: number[] = [];
  atPause: (number: number) => void | Promise<void> = () => {};
  readonly clock = (): number => this.nowMs;
  readonly pause = async (ms: number): Promise<void> => {
    this.pausesMs.push(ms);
    await this.atPause(this.pausesMs.length);
    this.nowMs += ms;
  };
}

interface Heard {
  method: string;
  target: string;
  body: unknown;
}

/** `faults` meet the next requests, in order; undefined lets one pass. `requests` has all of them. */
export class FakeDoor {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "mutirao-door-"));
  readonly path = path.join(this.folder, "s");
  readonly clock = new Clock();
  faults: (Fault | undefined)[] = [];
  requests: Heard[] = [];
  tasks = new Map<number, Record<string, unknown>>();
  /** The pages of a list by cursor. */
  pages: Record<string, object> = {};
  /** The pieces of each log; a promise is waited for, undefined breaks it off. */
  log: (string | Promise<void> | undefined)[] = [];
  /** How often a task must be looked at before it has ended as `ended` says. */
  looksUntilFinal = 0;
  ended: object = { state: "completed", result: { width: 1 } };
  #server: http.Server | undefined;

  async open(): Promise<this> {
    this.#server = http.createServer((request, response) => void this.#answer(request, response));
    await once(this.#server.listen(this.path), "listening");
    return this;
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    if (this.#server !== undefined) await new Promise((resolve) => this.#server?.close(resolve));
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    fs.rmSync(this.folder, { recursive: true });
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const { method = "", url = "" } = request;
    this.requests.push({ method, target: url, body: text === "" ? undefined : JSON.parse(text) });
    const fault = this.faults.shift();
    if (fault?.is === "reply") {
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    if (fault !== undefined) {
      const answer = fault.acts ? `HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n${JSON.stringify(this.#act(method, url, text))}` : "";
      request.socket.end(answer.slice(0, fault.sentBytes));
      return;
    }
    if (/\/logs/.test(url)) return this.#sendLog(response);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(this.#act(method, url, text)));
  }

  async #sendLog(response: http.ServerResponse): Promise<void> {
    response.writeHead(200);
    for (const piece of this.log) {
      if (piece === undefined) return void response.destroy();
      if (typeof piece === "string") await new Promise((resolve) => response.write(piece, resolve));
      else await piece;
    }
    response.end();
  }

  #act(method: string, url: string, text: string): object {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const [, id, verb] = /^\/v1\/tasks\/(\d+)(?:\/(\w+))?$/.exec(pathname) ?? [];
    const body = text === "" ? {} : (JSON.parse(text) as { tasks?: { name: string }[]; name?: string });
    if (pathname === "/v1/tasks/bulk") return { tasks: body.tasks!.map(({ name }) => this.#add(name)) };
    if (pathname === "/v1/tasks" && method === "POST") return this.#add(body.name!);
    if (pathname === "/v1/tasks") return this.pages[searchParams.get("cursor") ?? ""]!;
    if (pathname === "/v1/stats") return { queues: [] };
    if (pathname.startsWith("/v1/queues/") || verb === "priority" || verb === "explain") return { sentence: "is about to start" };
    if (verb !== undefined) return { outcome: verb === "cancel" ? "cancelled" : "retried" };
    const isFinal = this.looksUntilFinal-- <= 0;
    return { id: Number(id), ...TASK, ...this.tasks.get(Number(id)), ...(isFinal && this.ended) };
  }

  #add(name: string): object {
    const known = [...this.tasks].find(([, task]) => task["name"] === name)?.[0];
    const id = known ?? this.tasks.size + 1;
    this.tasks.set(id, { ...TASK, name });
    return { id, existing: known !== undefined };
  }
}
