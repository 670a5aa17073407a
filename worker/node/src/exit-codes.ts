/** The exit codes of a worker. */

/** The supervisor is gone. */
export const EXIT_CHANNEL_ENDED = 1;
/** `--try`: the handler has failed. */
export const EXIT_FAILED = 20;
/** Started by hand. */
export const EXIT_USAGE = 64;
/** The channel failed. */
export const EXIT_IO = 74;
/** The supervisor sent something that is not the contract. */
export const EXIT_PROTOCOL = 76;
/** Refused, or put together wrongly: not to be started again. */
export const EXIT_CONFIG = 78;
/** Told to terminate before the supervisor had answered. */
export const EXIT_TERMINATED = 128 + 15;
