//! Decides which commands print lists and can therefore print CSV. A command that would fail at the end, as it prints
//! its answer, would have done its work by then: a token would be valid that was never shown.

use super::{
    Command, account, alerts, classify, digest, flags, holidays, jobs, lake, queries, routing, rules, webhook,
};

pub(super) fn prints_list(command: &Command) -> bool {
    match command {
        // A server prints its address, whatever the format.
        Command::Serve(_) | Command::Demo(_) | Command::Backtest(_) | Command::Sql(_) => true,
        Command::Holidays(command) => matches!(command, holidays::Command::List { .. }),
        Command::Routing(command) => matches!(command, routing::Command::List { .. }),
        Command::Jobs(command) => matches!(command, jobs::Command::List | jobs::Command::History { .. }),
        Command::Digest(command) => {
            matches!(command, digest::Command::Subscriptions | digest::Command::Deliveries { .. })
        }
        Command::Alerts(command) => matches!(command, alerts::Command::List { .. }),
        Command::Webhook(command) => matches!(command, webhook::Command::List | webhook::Command::Deliveries { .. }),
        Command::Flags(command) => matches!(command, flags::Command::List(_) | flags::Command::Numbers { .. }),
        Command::Classify(command) => matches!(command, classify::Command::List),
        Command::Rules(command) => matches!(command, rules::Command::Try { list: true, .. }),
        Command::Queries(command) => matches!(command, queries::Command::List | queries::Command::Save(_)),
        Command::Lake(command) => matches!(command, lake::Command::Counts { .. }),
        Command::Account(command) => matches!(command, account::Command::List),
        Command::Migrate
        | Command::Import(_)
        | Command::Reorganise(_)
        | Command::Generate(_)
        | Command::Export(_)
        | Command::Audit(_)
        | Command::Key(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Token(_) => false,
    }
}
