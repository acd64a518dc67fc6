//! The command `serve`: runs the HTTP server.

use super::output::print_note;
use crate::http::{Server, ServerOptions, listen};
use jobs::runner::settings::Settings;
use schema::Db;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on; port 0 takes a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Development mode: GraphiQL and introspection without a token, suggestions in errors
    #[arg(long)]
    dev: bool,
    /// Run no scheduled jobs: another node runs them
    #[arg(long)]
    no_jobs: bool,
    /// Streaming replica of a PostgreSQL database, which answers queries: postgres://USER@HOST/NAME
    #[arg(long, value_name = "URL", env = "PHANANH_REPLICA_URL", hide_env_values = true)]
    replica: Option<String>,
}

/// Runs `phananh serve`.
///
/// # Errors
/// If a setting is refused, an address cannot be bound, or the database or the server fails.
pub fn run(database: &str, mut settings: Settings, args: &Args) -> anyhow::Result<ExitCode> {
    if args.replica.is_some() {
        settings.database.replica.clone_from(&args.replica);
    }
    let db = super::register_or_new(Db::open_with(database, settings.database.pool_size())?, &settings)?;
    actix_web::rt::System::new().block_on(async {
        let options = ServerOptions { database: database.to_owned(), dev: args.dev, settings, jobs: !args.no_jobs };
        let server = Server::new(db, listen(&args.listen)?, options)?;
        let address = server.address()?;
        let (dev, pgwire_address) = (args.dev, server.pgwire_address());
        server
            .run(move || {
                println!("address: {address}");
                if let Some(pgwire_address) = pgwire_address {
                    print_note(format_args!("PostgreSQL protocol: {pgwire_address}"));
                }
                if dev {
                    print_note(format_args!("GraphiQL: {address}/graphiql"));
                }
            })
            .await
    })?;
    Ok(ExitCode::SUCCESS)
}
