//! The simple protocol: a text with statements, whose answers are texts.

use super::ask::ask;
use super::commands::run;
use super::cursors::{declare, fetch};
use super::errors::{error, moved};
use super::session::{Session, refuse_in_failed_transaction};
use super::statement::{Command, Statement, split};
use async_trait::async_trait;
use futures_util::{Sink, SinkExt};
use pgwire::api::portal::Format;
use pgwire::api::query::{SimpleQueryHandler, send_query_response, send_ready_for_query};
use pgwire::api::results::Response;
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, PgWireConnectionState};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::EmptyQueryResponse;
use pgwire::messages::simplequery::Query;
use std::fmt::Debug;
use std::sync::Arc;

/// Answers the simple protocol.
pub struct Simple;

#[async_trait]
impl SimpleQueryHandler for Simple {
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            return Err(PgWireError::NotReadyForQuery);
        }
        client.set_state(PgWireConnectionState::QueryInProgress);
        let session = Session::of(client)?;
        let parts = split(&query.query);
        if parts.is_empty() {
            client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        for part in parts {
            // A statement may take long: a token that was revoked meanwhile must not run the next one.
            session.check().await?;
            // The client has the answers of the statements before an error.
            answer(client, &session, part.text).await.map_err(|failure| moved(failure, part.characters_before))?;
        }
        client.set_state(PgWireConnectionState::ReadyForQuery);
        let status = client.transaction_status();
        send_ready_for_query(client, status).await
    }

    async fn do_query<C>(&self, _client: &mut C, _query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        // Never called: `on_query` answers all statements.
        Err(error("XX000", "this statement cannot be answered"))
    }
}

async fn answer<C>(client: &mut C, session: &Arc<Session>, text: &str) -> PgWireResult<()>
where
    C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::PortalStore: PortalStore,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    match Statement::of(text).map_err(|why| error("0A000", why))? {
        Statement::Command(Command::Fetch(what)) => fetch(client, session, &what, &Format::UnifiedText, true).await,
        Statement::Command(command) => run(client, session, &command, true).await,
        Statement::Declaration(declaration) => declare(client, session, &declaration, Vec::new()).await,
        Statement::Question(question) => {
            refuse_in_failed_transaction(client)?;
            let answer = ask(session, &question.text, Vec::new(), &Format::UnifiedText).await?;
            send_query_response(client, answer, true).await
        }
    }
}
