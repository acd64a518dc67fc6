use super::output::tell;
use crate::http::{Server, ServerOptions, listen};
use jobs::runner::settings::Settings;
use schema::Db;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Development: GraphiQL, introspection without a token, suggestions in errors
    #[arg(long)]
    dev: bool,
    /// Run no jobs by themselves: another node does
    #[arg(long)]
    no_jobs: bool,
}

pub fn run(database: &str, settings: Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let db = super::register_or_new(Db::open_with(database, settings.database.of_a_pool())?)?;
    actix_web::rt::System::new().block_on(async {
        let options = ServerOptions { database: database.to_owned(), dev: args.dev, settings, jobs: !args.no_jobs };
        let server = Server::new(db, listen(&args.listen)?, options)?;
        let address = server.address()?;
        let dev = args.dev;
        server
            .run(move || {
                println!("address: {address}");
                if dev {
                    tell(format_args!("GraphiQL: {address}/graphiql"));
                }
            })
            .await
    })?;
    Ok(ExitCode::SUCCESS)
}
