/**
 * Where the supervisor listens: a socket as given, or the one that the lock file beside a database names. The text of
 * that file may be of a supervisor that is gone: connecting is the test.
 */

import fs from "node:fs";

const DB_DEFAULT = "queue.db";
/** A lock file is one short JSON object. */
const LOCK_MAX_BYTES = 64 * 1024;

export interface Place {
  socket?: string;
  db?: string;
  /** The words for why it is this one. */
  chosen: string;
}

/** Arguments, then the environment, then `./queue.db`. */
export function choose(given: { db?: string; socket?: string }, env: NodeJS.ProcessEnv, folder: string): Place {
  if (given.socket !== undefined) return { socket: given.socket, chosen: "given as socket" };
  if (given.db !== undefined) return { db: given.db, chosen: "given as db" };
  const { MUTIRAO_SOCKET: socket, MUTIRAO_DB: db } = env;
  if (socket) return { socket, chosen: "from MUTIRAO_SOCKET" };
  if (db) return { db, chosen: "from MUTIRAO_DB" };
  return { db: DB_DEFAULT, chosen: `the default in ${folder}, since MUTIRAO_SOCKET and MUTIRAO_DB are not set` };
}

/** The path of the socket as of now; undefined when no supervisor has written one. */
export function socketPath(place: Place): string | undefined {
  return place.socket ?? socketOf(`${resolved(place.db ?? DB_DEFAULT)}.lock`);
}

/** The supervisor resolves links as well, so that one database has one lock. */
function resolved(db: string): string {
  try {
    return fs.realpathSync(db);
  } catch {
    return db;
  }
}

function socketOf(lock: string): string | undefined {
  try {
    if (fs.statSync(lock).size > LOCK_MAX_BYTES) return undefined;
    const { socket } = JSON.parse(fs.readFileSync(lock, "utf8")) as { socket?: unknown };
    return typeof socket === "string" && socket !== "" ? socket : undefined;
  } catch {
    return undefined;
  }
}

/** Sentence and hint for when nobody answers there. */
export function missing(place: Place, detail: string): { sentence: string; hint: string } {
  if (place.socket !== undefined) {
    const sentence = `no supervisor answers at ${place.socket} (${place.chosen}): ${detail}`;
    return { sentence, hint: "start one with `supervisor run`" };
  }
  return {
    sentence: `no supervisor is up for the database ${place.db} (${place.chosen}): ${detail}`,
    hint: `start one with \`supervisor run --db ${place.db}\`, or say new Client({ db }) or new Client({ socket })`,
  };
}
