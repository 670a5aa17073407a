/** Requests over the Unix socket. Decides nothing. */

import http from "node:http";

import type { Answer } from "./answers.js";
import { type Place, missing, socketPath } from "./place.js";
import type { Request } from "./requests.js";
import type { Lost } from "./retry.js";

/** Requests of one client under way at once; more wait for their turn. The supervisor takes 256 from all. */
const CONNECTIONS_MAX = 32;
/** Of one answer: the largest result, spelled out as JSON, is far below. */
const BODY_MAX_BYTES = 64 * 1024 * 1024;
/** Errors of a connection that will be the same another time. */
const LASTING = ["EACCES", "EPERM", "ENAMETOOLONG", "EINVAL"];

/** A good answer that is still arriving. */
export interface Stream {
  stream: http.IncomingMessage;
}

export class Wire {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });

  constructor(readonly place: Place) {}

  /** The whole answer. */
  async ask(request: Request): Promise<Answer | Lost> {
    // On a kept connection nobody can tell whether a request was heard before it broke.
    return this.#settled(() => this.#send(request, request.isSafe ? this.#agent : false).then(whole));
  }

  /** A good answer is given as it arrives. Takes no turn, since a log may last for hours. */
  async follow(request: Request): Promise<Stream | Answer | Lost> {
    return this.#settled(async () => {
      const stream = await this.#send(request, false);
      return isGood(stream) ? { stream } : whole(stream);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** What became of reading on. */
  lost(error: unknown): Lost {
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    const isLasting = code !== undefined && LASTING.includes(code);
    if (syscall !== "connect") {
      const hint = "see what the supervisor does, then ask again";
      return { sentence: `the answer broke off: ${message}`, hint, mayHaveActed: true, isLasting: error instanceof TooLong };
    }
    const { sentence, hint } = missing(this.place, message);
    const mine = "the socket is for the user who runs the supervisor: be that user";
    return { sentence, hint: code === "EACCES" ? mine : hint, mayHaveActed: false, isLasting };
  }

  async #settled<T>(work: () => Promise<T>): Promise<T | Lost> {
    try {
      return await work();
    } catch (error) {
      return this.lost(error);
    }
  }

  /** Ends once the head of the answer is there. */
  #send(request: Request, agent: http.Agent | false): Promise<http.IncomingMessage> {
    const socket = socketPath(this.place);
    if (socket === undefined) return Promise.reject(new NoSocket("no socket is named in its lock file"));
    const { method, path, body = "", silenceMs } = request;
    const headers: http.OutgoingHttpHeaders = { host: "localhost" };
    if (method === "POST") headers["content-length"] = Buffer.byteLength(body);
    if (request.body !== undefined) headers["content-type"] = "application/json";
    return new Promise((resolve, reject) => {
      const sent = http.request({ socketPath: socket, method, path, headers, agent });
      sent.setTimeout(silenceMs, () => sent.destroy(new Error(`nothing came for ${silenceMs} ms`)));
      sent.on("error", reject);
      sent.on("response", resolve);
      sent.end(body);
    });
  }
}

/** As if it could not be connected to. */
class NoSocket extends Error {
  readonly syscall = "connect";
}

class TooLong extends Error {}

function isGood({ statusCode = 0 }: http.IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

async function whole(message: http.IncomingMessage): Promise<Answer> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of message as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > BODY_MAX_BYTES) throw new TooLong(`it is over ${BODY_MAX_BYTES} bytes`);
    pieces.push(piece);
  }
  const after = message.headers["retry-after"] ?? "";
  const retryAfterS = /^\d+$/.test(after) ? Number(after) : undefined;
  return { status: message.statusCode ?? 0, retryAfterS, body: Buffer.concat(pieces).toString() };
}
