//! Conditions in SQL that diesel has no words for.

/// A condition that is a text. Unlike with diesel's literals, its type says the text: so a statement with it is prepared once,
/// and found by its type. With a literal its text is written for each look-up, which took more time than the rest of a
/// consume.
macro_rules! condition {
    ($(#[$doc:meta])* $name:ident, $text:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, diesel::query_builder::QueryId)]
        pub(in crate::store) struct $name;

        impl diesel::expression::Expression for $name {
            type SqlType = diesel::sql_types::Bool;
        }

        impl<G> diesel::expression::ValidGrouping<G> for $name {
            type IsAggregate = diesel::expression::is_aggregate::Never;
        }

        impl<T> diesel::expression::AppearsOnTable<T> for $name {}

        impl<T> diesel::expression::SelectableExpression<T> for $name {}

        impl<DB: diesel::backend::Backend> diesel::query_builder::QueryFragment<DB> for $name {
            fn walk_ast<'b>(&'b self, mut out: diesel::query_builder::AstPass<'_, 'b, DB>) -> diesel::QueryResult<()> {
                out.push_sql($text);
                Ok(())
            }
        }
    };
}

pub(in crate::store) use condition;
