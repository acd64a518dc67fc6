//! An answer, read batch by batch.

use crate::cli::noted::NotedQuestion;
use crate::sql::SqlResult;
use crate::sql::formats::AnswerMetadata;
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_schema::SchemaRef;
use schema::db::cancellation::check_cancelled;
use std::io::{self, BufReader, ErrorKind, Read};
use ureq::BodyReader;

pub struct Answer {
    pub metadata: AnswerMetadata,
    /// Rows after which the answer is cut off.
    pub limit: u64,
    schema: SchemaRef,
    batches: Batches,
    rows: u64,
    /// The question, until it has ended. None if another process notes it, and without a register.
    noted: Option<NotedQuestion>,
}

enum Batches {
    Register(Box<SqlResult>),
    Server(Box<ServerAnswer>),
}

impl Batches {
    fn next(&mut self) -> anyhow::Result<Option<RecordBatch>> {
        match self {
            Self::Register(result) => {
                check_cancelled()?;
                Ok(result.next_batch()?)
            }
            Self::Server(answer) => Ok(answer.reader.next().transpose()?),
        }
    }
}

/// The answer of a server.
pub struct ServerAnswer {
    pub reader: StreamReader<BufReader<Whole<BodyReader<'static>>>>,
    /// Whether rows were cut off; None if the server began to send before it knew.
    pub truncated: Option<bool>,
}

impl Answer {
    pub fn of_register(result: SqlResult, key_version: Option<u32>, limit: u64) -> Self {
        let metadata = AnswerMetadata { position: result.position(), key_version, as_of: result.as_of() };
        let schema = SchemaRef::clone(result.schema());
        Self { metadata, limit, schema, batches: Batches::Register(Box::new(result)), rows: 0, noted: None }
    }

    pub fn of_server(answer: ServerAnswer, metadata: AnswerMetadata, limit: u64) -> Self {
        let schema = answer.reader.schema();
        Self { metadata, limit, schema, batches: Batches::Server(Box::new(answer)), rows: 0, noted: None }
    }

    /// The same answer, whose question is noted in the audit log when it ends.
    pub fn noted(self, question: NotedQuestion) -> Self {
        Self { noted: Some(question), ..self }
    }

    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows; None at the end, when the question is in the audit log.
    ///
    /// # Errors
    /// If the question fails, or the audit log cannot be written.
    pub fn next_batch(&mut self) -> anyhow::Result<Option<RecordBatch>> {
        match self.batches.next() {
            Ok(Some(batch)) => {
                self.rows += batch.num_rows() as u64;
                Ok(Some(batch))
            }
            Ok(None) => {
                if let Some(question) = self.noted.take() {
                    question.answered(self.rows)?;
                }
                Ok(None)
            }
            Err(error) => {
                if let Some(question) = self.noted.take() {
                    question.failed(&error);
                }
                Err(error)
            }
        }
    }

    /// After the end: whether rows were cut off. Where a server did not say so, an answer of as many rows as asked for
    /// counts as cut off.
    pub fn truncated(&self) -> bool {
        match &self.batches {
            Batches::Register(result) => result.truncated(),
            Batches::Server(answer) => answer.truncated.unwrap_or(self.rows >= self.limit),
        }
    }
}

/// A reader whose early end is an error. The reader of Arrow streams takes an early end between two batches for the end
/// of the stream: an answer that the server aborted would look complete.
pub struct Whole<R>(pub R);

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => io::Error::other("the server aborted the answer; its log says why"),
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_early_end_is_no_end() {
        struct Aborted;
        impl Read for Aborted {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::UnexpectedEof.into())
            }
        }
        let error = Whole(Aborted).read(&mut [0; 8]).unwrap_err();
        assert!(error.kind() == ErrorKind::Other && error.to_string().contains("aborted"), "{error}");
        assert_eq!(Whole(&b"ab"[..]).read(&mut [0; 8]).unwrap(), 2);
    }
}
