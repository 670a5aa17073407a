/** Where the order to stop one run arrives. What a handler does about it is not decided here. */

import type { StopRequest } from "./errors.js";

export class StopSign {
  readonly #controller = new AbortController();
  #order: StopRequest | undefined;

  get order(): StopRequest | undefined {
    return this.#order;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Only the first order counts: a later one cannot take back what was begun. */
  give(order: StopRequest): void {
    if (this.#order !== undefined) return;
    this.#order = order;
    this.#controller.abort(order);
  }
}
