//! The extended protocol: prepared statements, parameters, and portals that give an answer in parts.

use super::ask::{ask, describe};
use super::commands::{columns, run};
use super::cursors::{self, Cursors};
use super::errors::{error, moved};
use super::parameters::values;
use super::session::{Session, refuse_in_failed_transaction};
use super::statement::{Command, Statement, split};
use super::types::{fields, of_arrow};
use async_trait::async_trait;
use futures_util::{Sink, SinkExt};
use pgwire::api::portal::{Format, Portal};
use pgwire::api::query::{ExtendedQueryHandler, send_describe_response};
use pgwire::api::results::{DescribePortalResponse, DescribeStatementResponse, FieldInfo, Response};
use pgwire::api::stmt::{QueryParser, StoredStatement};
use pgwire::api::store::{Entry, PortalStore};
use pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete, Sync as SyncMessage,
    TARGET_TYPE_BYTE_PORTAL, TARGET_TYPE_BYTE_STATEMENT,
};
use pgwire::messages::response::{ReadyForQuery, TransactionStatus};
use std::fmt::Debug;
use std::sync::Arc;

/// Answers the extended protocol.
pub struct Extended;

/// Reads statements. The engine plans them when they are described or run.
pub struct Parser;

#[async_trait]
impl QueryParser for Parser {
    type Statement = Statement;

    async fn parse_sql<C>(&self, _client: &C, sql: &str, _types: &[Option<Type>]) -> PgWireResult<Option<Statement>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        match split(sql).as_slice() {
            [] => Ok(None),
            // The text keeps its comments and white space, so that errors name positions in the text of the client.
            [part] => {
                let text = if part.characters_before == 0 { part.text } else { sql.trim_end().trim_end_matches(';') };
                Statement::of(text).map(Some).map_err(|why| error("0A000", why))
            }
            _ => Err(error("42601", "cannot insert multiple commands into a prepared statement")),
        }
    }

    fn get_parameter_types(&self, _statement: &Statement) -> PgWireResult<Vec<Type>> {
        Ok(Vec::new())
    }

    fn get_result_schema(&self, _statement: &Statement, _format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl ExtendedQueryHandler for Extended {
    type Statement = Statement;
    type QueryParser = Parser;

    fn query_parser(&self) -> Arc<Parser> {
        Arc::new(Parser)
    }

    async fn on_parse<C>(&self, client: &mut C, message: Parse) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        session.check().await?;
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        session.keep_statement(name, message.query.len() + message.type_oids.len() * 16)?;
        match StoredStatement::parse(client, &message, self.query_parser()).await? {
            Some(statement) => client.portal_store().put_statement(Arc::new(statement)),
            None => client.portal_store().put_empty_statement(name),
        }
        Ok(client.send(PgWireBackendMessage::ParseComplete(ParseComplete::new())).await?)
    }

    async fn on_bind<C>(&self, client: &mut C, message: Bind) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        let statement_name = message.statement_name.as_deref().unwrap_or(DEFAULT_NAME);
        let portal_name = message.portal_name.as_deref().unwrap_or(DEFAULT_NAME);
        let bytes = message.parameters.iter().flatten().map(|value| value.len() + 16).sum();
        session.keep_portal(portal_name, bytes)?;
        match client.portal_store().get_statement(statement_name) {
            Some(Entry::Value(statement)) => {
                client.portal_store().put_portal(Arc::new(Portal::try_new(&message, statement)?));
            }
            Some(Entry::Empty) => client.portal_store().put_empty_portal(portal_name),
            None => return Err(PgWireError::StatementNotFound(statement_name.to_owned())),
        }
        Ok(client.send(PgWireBackendMessage::BindComplete(BindComplete::new())).await?)
    }

    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        session.check().await?;
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        if let Some(Entry::Value(portal)) = client.portal_store().get_portal(name) {
            match &portal.statement.statement {
                Statement::Command(Command::Fetch(fetch)) => {
                    return cursors::fetch(client, &session, fetch, &portal.result_column_format, false).await;
                }
                Statement::Command(command) => return run(client, &session, command, false).await,
                Statement::Declaration(declaration) => {
                    let types = parameter_types(&session, &portal.statement, portal.parameters.len()).await?;
                    let given = values(&portal, &types)?;
                    return cursors::declare(client, &session, declaration, given).await;
                }
                Statement::Question(_) => {}
            }
        }
        // The library reserves memory for as many rows as the client names. No answer has more rows than the limit:
        // a larger number asks for all rows.
        let most = session.limits().sql_rows;
        let rows = u32::try_from(message.max_rows).ok().filter(|rows| *rows <= most).unwrap_or(0);
        let message = Execute::new(message.name, i32::try_from(rows).unwrap_or(0));
        self._on_execute(client, message).await
    }

    /// A cursor is described by its name, as a portal is.
    async fn on_describe<C>(&self, client: &mut C, message: Describe) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        if message.target_type == TARGET_TYPE_BYTE_PORTAL
            && client.portal_store().get_portal(name).is_none()
            && let Some(declaration) = Cursors::of(client).declaration(name)
        {
            refuse_in_failed_transaction(client)?;
            let columns = cursors::columns(&session, &declaration, &Format::UnifiedText).await?;
            return send_describe_response(client, &DescribePortalResponse::new(columns)).await;
        }
        self._on_describe(client, message).await
    }

    async fn on_sync<C>(&self, client: &mut C, _message: SyncMessage) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        let status = client.transaction_status();
        // Outside of a transaction block portals end with their own transaction.
        if status == TransactionStatus::Idle {
            client.portal_store().clear_portals();
            session.forget_portals();
        } else {
            client.portal_store().rm_portal(DEFAULT_NAME);
            session.forget_portal(DEFAULT_NAME);
        }
        Ok(client.send(PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status))).await?)
    }

    async fn on_close<C>(&self, client: &mut C, message: Close) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        match message.target_type {
            TARGET_TYPE_BYTE_STATEMENT => {
                client.portal_store().rm_statement(name);
                session.forget_statement(name);
            }
            TARGET_TYPE_BYTE_PORTAL => {
                client.portal_store().rm_portal(name);
                Cursors::of(client).forget(name);
                session.forget_portal(name);
            }
            other => return Err(PgWireError::InvalidTargetType(other)),
        }
        Ok(client.send(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await?)
    }

    async fn do_describe_statement<C>(
        &self,
        client: &mut C,
        target: &StoredStatement<Statement>,
    ) -> PgWireResult<DescribeStatementResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        if let Statement::Command(command) = &target.statement {
            let columns = columns_of_command(client, &session, command, &Format::UnifiedText).await?;
            return Ok(DescribeStatementResponse::new(Vec::new(), columns));
        }
        refuse_in_failed_transaction(client)?;
        let (mut places, mut columns) = (target.parameter_types.len(), Vec::new());
        match &target.statement {
            Statement::Command(_) => {}
            Statement::Question(question) => {
                let description = describe(&session, question).await?;
                places = places.max(description.parameters.len());
                columns = fields(&description.columns, &Format::UnifiedText);
            }
            Statement::Declaration(declaration) => {
                let description = describe(&session, &declaration.question).await;
                let description = description.map_err(|failure| moved(failure, declaration.characters_before))?;
                places = places.max(description.parameters.len());
            }
        }
        let types = parameter_types(&session, target, places).await?;
        Ok(DescribeStatementResponse::new(types, columns))
    }

    async fn do_describe_portal<C>(
        &self,
        client: &mut C,
        target: &Portal<Statement>,
    ) -> PgWireResult<DescribePortalResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        match &target.statement.statement {
            Statement::Command(command) => {
                let columns = columns_of_command(client, &session, command, &target.result_column_format).await?;
                Ok(DescribePortalResponse::new(columns))
            }
            Statement::Declaration(_) => Ok(DescribePortalResponse::new(Vec::new())),
            Statement::Question(question) => {
                refuse_in_failed_transaction(client)?;
                let description = describe(&session, question).await?;
                Ok(DescribePortalResponse::new(fields(&description.columns, &target.result_column_format)))
            }
        }
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Statement>, _max_rows: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = Session::of(client)?;
        // `on_execute` runs commands and declares cursors.
        let Statement::Question(question) = &portal.statement.statement else { return Ok(Response::EmptyQuery) };
        refuse_in_failed_transaction(client)?;
        let types = parameter_types(&session, &portal.statement, portal.parameters.len()).await?;
        let given = values(portal, &types)?;
        ask(&session, &question.text, given, &portal.result_column_format).await.map(Response::Query)
    }
}

/// The columns of the answer to a command. `FETCH` has the columns of its cursor.
async fn columns_of_command<C>(
    client: &C,
    session: &Arc<Session>,
    command: &Command,
    format: &Format,
) -> PgWireResult<Vec<FieldInfo>>
where
    C: ClientInfo,
{
    let Command::Fetch(fetch) = command else { return Ok(columns(command)) };
    match Cursors::of(client).declaration(&fetch.cursor).filter(|_| !fetch.moves) {
        Some(declaration) => cursors::columns(session, &declaration, format).await,
        // There is no such cursor: the execution reports the error.
        None => Ok(Vec::new()),
    }
}

/// The types of the first parameters: as the client named them, else as the question uses them, else text.
async fn parameter_types(
    session: &Arc<Session>,
    target: &StoredStatement<Statement>,
    number: usize,
) -> PgWireResult<Vec<Type>> {
    let named = |index: usize| target.parameter_types.get(index).cloned().flatten().filter(|of| *of != Type::UNKNOWN);
    if let Some(types) = (0..number).map(named).collect::<Option<Vec<Type>>>() {
        return Ok(types);
    }
    let Some(question) = target.statement.question() else { return Ok(Vec::new()) };
    let description = describe(session, question).await?;
    let of_index = |index: usize| description.parameters.get(index).cloned().flatten().map(|of| of_arrow(&of));
    Ok((0..number).map(|index| named(index).or_else(|| of_index(index)).unwrap_or(Type::TEXT)).collect())
}
