//! What every store must do, verb by verb: a second database is held to this suite by one more opener.
//!
//! A case is a function of a [`bed::Bed`]; each runs over every opener. What only SQLite can be asked is in `damage`.

#![allow(clippy::unwrap_used)]

#[path = "../support/values.rs"]
mod values;

mod bed;
mod beside;
mod damage;
mod finals;
mod lists;
mod mirror;
mod queue;
mod reading;
mod runs;
mod sayings;
mod tasks;
mod turns;
mod walks;

/// Each function of a module becomes a test that runs over every opener.
macro_rules! conformance {
    ($($module:ident: $($case:ident),+;)+) => { $(
        mod $module {
            $(
                #[test]
                fn $case() {
                    crate::bed::over_every_opener(crate::$module::$case);
                }
            )+
        }
    )+ };
}

mod conforms {
    conformance! {
        tasks: a_body_is_read_back_as_given, an_id_is_used_once, a_name_finds_its_task, a_name_is_held_by_one_task;
        queue: the_head_goes_by_rank_then_id, a_head_has_all_that_a_claim_needs, exactly_the_head_is_taken,
            a_head_that_has_changed_is_an_error, the_claimable_are_taken_once, the_due_come_longest_overdue_first,
            the_next_due_is_the_earliest, the_waiting_are_taken_once;
        runs: a_run_is_taken_under_its_epoch_only, a_task_runs_once_at_a_time, a_stop_marks_what_runs,
            a_tally_is_zeros_until_it_is_put, an_attempt_is_read_back_as_given, attempts_come_oldest_first,
            of_many_attempts_the_last_are_shown;
        finals: a_final_task_is_read_back_with_its_result, every_state_and_reason_is_spelled_both_ways, a_task_ends_once,
            a_final_task_is_taken_away_whole, a_retry_is_where_the_budgets_begin, ended_runs_are_listed_up_to_the_limit;
        reading: the_phase_follows_the_row;
        lists: a_list_has_its_order_and_limit, a_list_has_what_passes_its_filter, a_list_leaves_payloads_out;
        walks: a_walk_meets_each_task_that_stays_once, a_walk_goes_on_from_a_place_that_is_empty_by_now,
            a_page_that_has_looked_enough_is_short_and_has_a_next_one;
        sayings: the_last_progress_is_read_back_as_given, spend_adds_up_by_unit,
            a_log_goes_by_run_and_part_from_behind_a_place, a_part_is_replaced_and_parts_are_dropped,
            a_look_at_a_log_is_bounded;
        mirror: the_book_is_what_the_rows_say, workers_are_kept_until_dropped, an_offer_replaces_the_last_of_its_pool, counters_are_read_back, a_database_has_one_uid;
        turns: a_savepoint_is_released_or_undone, what_is_abandoned_never_was;
    }
}
