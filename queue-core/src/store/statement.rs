//! How a statement is written by hand: as a fragment with a static id, so that Diesel prepares it once and keeps it (it never
//! keeps updates, `sql_query` or inserts of several rows). No statement lives here.
//!
//! `LIMIT ? + 0`: the planner looks into a bare `LIMIT ?`, so SQLite would prepare the statement anew at each binding.

/// `Name (field: type as SqlType, ...) "text with a ? per field" => (columns of the answer)`.
macro_rules! statement {
    ($name:ident $(<$life:lifetime>)? ($($field:ident: $rust:ty as $sql:ty),* $(,)?) $text:literal $(=> ($($column:ty),+ $(,)?))?) => {
        pub(in crate::store) struct $name $(<$life>)? { $(pub(in crate::store) $field: $rust),* }

        impl $(<$life>)? diesel::query_builder::QueryFragment<diesel::sqlite::Sqlite> for $name $(<$life>)? {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::sqlite::Sqlite>,
            ) -> diesel::QueryResult<()> {
                // Walked at each execution for the values: the text is cut only once.
                static PARTS: std::sync::LazyLock<Vec<&str>> = std::sync::LazyLock::new(|| $text.split('?').collect());
                let mut parts = PARTS.iter();
                out.push_sql(parts.next().copied().unwrap_or_default());
                $(
                    out.push_bind_param::<$sql, _>(&self.$field)?;
                    out.push_sql(parts.next().copied().unwrap_or_default());
                )*
                Ok(())
            }
        }

        const _: () = {
            pub(in crate::store) struct Id;
            impl $(<$life>)? diesel::query_builder::QueryId for $name $(<$life>)? {
                type QueryId = Id;
                const HAS_STATIC_QUERY_ID: bool = true;
            }
        };

        impl $(<$life>)? diesel::RunQueryDsl<diesel::sqlite::SqliteConnection> for $name $(<$life>)? {}

        impl $(<$life>)? diesel::query_builder::Query for $name $(<$life>)? {
            type SqlType = ($($($column,)+)?);
        }
    };
}

pub(super) use statement;
