//! System tests: real processes, by the command line and the door. They await named signals and never sleep; each has its own
//! sandbox and ends with the proof that nothing is left of it.
#![allow(clippy::unwrap_used)]

mod asking;
mod behaviour;
mod booting;
mod bulk;
mod channel;
mod commands;
mod door;
mod early;
mod embedding;
mod environment;
mod examples;
mod explain;
mod follow_ups;
mod fork_bomb;
mod grandchildren;
mod greedy;
mod hanging;
mod health;
mod host;
mod lanes;
mod leftovers;
mod lists;
mod logs;
mod memory;
mod noise;
mod offline;
mod orphans;
mod pauses;
mod policy;
mod pools;
mod private_folder;
mod process_limits;
mod python_client;
mod python_workers;
mod reload;
mod retry;
mod service;
mod stopping;
mod stubborn;
mod surface;
mod transcripts;
mod wrong_steps;
