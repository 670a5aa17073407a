//! The exit codes of a worker process, after `sysexits.h` where it has one. Their meaning for the supervisor is stated here and
//! nowhere else.

/// The supervisor is gone: nobody can take an answer.
pub const EXIT_ABANDONED: u8 = 1;

/// Started by hand, or with arguments that make no sense: the user is told how to use the program.
pub const EXIT_USAGE: u8 = 64;

/// What the worker wanted to do before its first run has failed; it may be tried again.
pub const EXIT_NOT_READY: u8 = 70;

/// The channel or a thread failed.
pub const EXIT_IO: u8 = 74;

/// The supervisor sent bytes that are not the contract.
pub const EXIT_PROTOCOL: u8 = 76;

/// Refused by the supervisor, or put together wrongly: the same program would end so again, do not restart it.
pub const EXIT_CONFIG: u8 = 78;
