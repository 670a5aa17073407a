//! The tables, for the query builder. Columns and meanings: `migrations/sqlite`.

use diesel::table;

table! { store (id) { id -> BigInt, uid -> Binary, next_task -> BigInt, next_worker -> BigInt, clock_us -> BigInt, } }

table! {
    task (id) {
        id -> BigInt,
        kind -> Text,
        queue -> Text,
        priority -> Integer,
        since -> BigInt,
        args -> Binary,
        name -> Nullable<Text>,
        timeout_ms -> Nullable<BigInt>,
        max_attempts -> Nullable<BigInt>,
        max_crashes -> Nullable<BigInt>,
        created_at -> BigInt,
        key -> Nullable<Text>,
    }
}

table! { ready (queue, rank, id) { queue -> Text, rank -> BigInt, id -> BigInt, key -> Nullable<Text>, } }

table! { lane (queue, key, rank, id) { queue -> Text, key -> Text, rank -> BigInt, id -> BigInt, } }

table! { relay (id) { id -> BigInt, } }

table! { gate (queue, key) { queue -> Text, key -> Text, until -> Nullable<BigInt>, reason -> Text, } }

table! {
    meter (queue, unit) {
        queue -> Text,
        unit -> Text,
        allowed -> BigInt,
        per_us -> BigInt,
        slot -> BigInt,
        charged -> Binary,
        debt -> BigInt,
    }
}

table! { layout (queue) { queue -> Text, is_fair -> Integer, aging_step -> BigInt, } }

table! { later (id) { id -> BigInt, due_at -> BigInt, state -> Integer, } }

table! {
    running (id) {
        id -> BigInt,
        epoch -> BigInt,
        since -> BigInt,
        wait_us -> BigInt,
        claimed_at -> BigInt,
        stop -> Integer,
    }
}

table! {
    #[sql_name = "final"]
    finals (state, id) {
        state -> Integer,
        id -> BigInt,
        reason -> Nullable<Integer>,
        epoch -> BigInt,
        finished_at -> BigInt,
        wait_us -> BigInt,
        run_us -> BigInt,
        cut -> Integer,
    }
}

table! { result (id) { id -> BigInt, bytes -> Binary, } }

table! {
    tally (id) {
        id -> BigInt,
        epoch -> BigInt,
        runs -> BigInt,
        attempts -> BigInt,
        crashes -> BigInt,
        lost -> BigInt,
        since -> BigInt,
        priority -> Nullable<Integer>,
    }
}

table! {
    attempt (task, epoch) {
        task -> BigInt,
        epoch -> BigInt,
        outcome -> Integer,
        detail -> Text,
        code -> Nullable<Integer>,
        signal -> Nullable<Integer>,
        peak_rss_bytes -> Nullable<BigInt>,
        cpu_ms -> Nullable<BigInt>,
        started_at -> BigInt,
        ended_at -> BigInt,
        run_us -> BigInt,
        worker -> Nullable<BigInt>,
        pid -> Nullable<Integer>,
        output -> Binary,
    }
}

table! {
    worker (id) {
        id -> BigInt,
        pool -> Text,
        pid -> Integer,
        start_time -> BigInt,
        boot_id -> Text,
        tag -> Text,
        started_at -> BigInt,
    }
}

table! {
    progress (id) {
        id -> BigInt,
        epoch -> BigInt,
        done -> Nullable<Double>,
        total -> Nullable<Double>,
        message -> Nullable<Text>,
        noted_at -> BigInt,
    }
}

table! { spend (task, unit) { task -> BigInt, unit -> Text, amount -> BigInt, } }

table! { cost (task, unit) { task -> BigInt, unit -> Text, amount -> BigInt, } }

table! { budget (task, unit) { task -> BigInt, unit -> Text, amount -> BigInt, spent -> BigInt, } }

table! { log (task, epoch, part) { task -> BigInt, epoch -> BigInt, part -> BigInt, bytes -> Binary, } }

table! { retry (task, epoch) { task -> BigInt, epoch -> BigInt, retried_at -> BigInt, } }

table! { offer (pool, kind) { pool -> Text, kind -> Text, } }

diesel::allow_tables_to_appear_in_same_query!(task, ready, later, running, finals, result, tally, attempt, worker);
